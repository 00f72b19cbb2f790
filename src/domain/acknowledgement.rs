//! What a person was told a service learns about them, or said yes to: one for each person and service, the latest.
//!
//! Must never count a yes that was given to less: [`Covered::covers`] is the one comparison.

use std::collections::BTreeSet;

use super::relying_party::{Attribute, RelyingPartyId};
use super::{InvalidValue, stored_names};
use crate::base::id::IdentityId;
use crate::base::time::Timestamp;
use crate::domain::grant::{Scope, Scopes};
use crate::domain::resource_server::Audience;

/// What kind of word it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// The person was told; nobody asked them.
    Information,
    /// The person was asked, and said yes.
    Consent,
}
stored_names!(Kind, "kind of acknowledgement", { Information => "information", Consent => "consent" });

/// What a service gets, as far as a person is told of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Covered {
    /// The attributes that leave.
    pub attributes: BTreeSet<Attribute>,
    /// What else it may do: `offline_access`, and scopes of a resource server as `audience#scope` (an audience has no
    /// fragment, RFC 8707 §2).
    pub rights: BTreeSet<String>,
}

impl Covered {
    /// Of these attributes, and the scopes that are more than attributes.
    pub fn new(
        attributes: impl IntoIterator<Item = Attribute>,
        scopes: &Scopes,
        resource: Option<&Audience>,
    ) -> Self {
        let mut rights = BTreeSet::new();
        if scopes.contains(Scope::OfflineAccess) {
            rights.insert(Scope::OfflineAccess.to_string());
        }
        if let Some(audience) = resource {
            rights.extend(
                scopes
                    .foreign()
                    .map(|scope| format!("{audience}#{}", scope.as_str())),
            );
        }
        Self {
            attributes: attributes.into_iter().collect(),
            rights,
        }
    }

    /// Whether `other` is nothing more than this.
    pub fn covers(&self, other: &Self) -> bool {
        other.attributes.is_subset(&self.attributes) && other.rights.is_subset(&self.rights)
    }

    /// The attributes, as they are stored: names with a space between.
    pub fn attribute_names(&self) -> String {
        let names: Vec<&str> = self
            .attributes
            .iter()
            .map(|attribute| attribute.as_str())
            .collect();
        names.join(" ")
    }

    /// The rights, as they are stored: with a space between.
    pub fn right_names(&self) -> String {
        let names: Vec<&str> = self.rights.iter().map(String::as_str).collect();
        names.join(" ")
    }

    /// Reads the stored form.
    ///
    /// # Errors
    /// [`InvalidValue`] for an attribute that there is not.
    pub fn read(attributes: &str, rights: &str) -> Result<Self, InvalidValue> {
        let names = attributes.split(' ').filter(|name| !name.is_empty());
        Ok(Self {
            attributes: names.map(str::parse).collect::<Result<_, _>>()?,
            rights: rights
                .split(' ')
                .filter(|right| !right.is_empty())
                .map(str::to_owned)
                .collect(),
        })
    }
}

/// What a person was told, or said yes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Acknowledgement {
    /// Who.
    pub identity: IdentityId,
    /// About which service.
    pub client: RelyingPartyId,
    /// Told, or asked.
    pub kind: Kind,
    /// About what.
    pub covered: Covered,
    /// When it was first said, and not taken back since.
    pub since: Timestamp,
    /// When it was said of all that it covers.
    pub given_at: Timestamp,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn covered(attributes: &str, rights: &str) -> Covered {
        Covered::read(attributes, rights).unwrap()
    }

    #[test]
    fn more_is_not_covered_and_less_is() {
        let said = covered(
            "given_name class",
            "offline_access https://menus.example/api#menus:read",
        );
        for (attributes, rights, is_covered) in [
            ("", "", true),
            ("class", "offline_access", true),
            ("given_name class", "https://menus.example/api#menus:read", true),
            ("given_name birthdate", "", false),
            ("", "https://menus.example/api#menus:write", false),
            ("", "https://other.example/api#menus:read", false),
        ] {
            assert_eq!(
                said.covers(&covered(attributes, rights)),
                is_covered,
                "{attributes} {rights}"
            );
        }
    }

    #[test]
    fn it_is_stored_and_read_again() {
        let audience = "https://menus.example/api".parse().unwrap();
        let scopes = Scopes::all_of("openid profile offline_access menus:read");
        let made = Covered::new(
            [Attribute::Class, Attribute::GivenName],
            &scopes.with_foreign(&Scopes::all_of("menus:read")),
            Some(&audience),
        );
        assert_eq!(
            made.right_names(),
            "https://menus.example/api#menus:read offline_access"
        );
        assert_eq!(made.attribute_names(), "given_name class");
        assert_eq!(covered(&made.attribute_names(), &made.right_names()), made);
        assert!(Covered::read("shoe_size", "").is_err());
        assert_eq!(
            Covered::new([], &Scopes::known_of("openid profile"), None),
            covered("", "")
        );
    }
}
