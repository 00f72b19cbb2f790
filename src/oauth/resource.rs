//! Resource indicators (RFC 8707): which resource server a token is asked for.
//!
//! One at a time. A token for a resource server is good there and nowhere else: not at another one, and not at our
//! userinfo endpoint, so that no service learns about a person by what it was handed for something else.

use super::error::{ErrorCode, OAuthError};
use super::parameters::Parameters;
use crate::domain::relying_party::RelyingParty;
use crate::domain::resource_server::Audience;

const fn invalid_target(description: &'static str) -> OAuthError {
    OAuthError::new(ErrorCode::InvalidTarget, description)
}

/// The resource server is not known, or not in use.
pub const UNKNOWN: OAuthError = invalid_target("the resource is not one that this client may ask for");

/// What a request names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Named {
    /// Nothing.
    Nothing,
    /// This provider: a token for userinfo.
    Provider,
    /// A resource server that the client may ask tokens for; whether it is in use has not been looked at.
    Server(Audience),
}

/// Reads `resource` of an authorization or a token request of a client (RFC 8707 §2).
///
/// # Errors
/// `invalid_target`.
pub fn read(parameters: &Parameters, party: &RelyingParty, issuer: &str) -> Result<Named, OAuthError> {
    if parameters.is_repeated("resource") {
        return Err(invalid_target("one resource at a time"));
    }
    match parameters.get("resource") {
        None => Ok(Named::Nothing),
        Some(text) if text == issuer => Ok(Named::Provider),
        Some(text) => permitted(party, text).map(Named::Server),
    }
}

/// The audience of that name, where the client may ask tokens for it.
fn permitted(party: &RelyingParty, text: &str) -> Result<Audience, OAuthError> {
    let known = party.metadata.resources.iter().any(|known| known == text);
    text.parse().ok().filter(|_| known).ok_or(UNKNOWN)
}

/// The audience of a token that comes of a grant. What was granted is meant where nothing is named; userinfo may be
/// named besides (RFC 8707 §2.2: "the resource … originally granted … or a subset").
///
/// # Errors
/// `invalid_target` for anything else.
pub fn of_grant(
    parameters: &Parameters,
    party: &RelyingParty,
    granted: Option<&Audience>,
    issuer: &str,
) -> Result<Option<Audience>, OAuthError> {
    match read(parameters, party, issuer)? {
        Named::Provider => Ok(None),
        // The client may have lost the resource server since.
        Named::Nothing => granted
            .map(|granted| permitted(party, granted.as_str()))
            .transpose(),
        Named::Server(asked) if granted == Some(&asked) => Ok(Some(asked)),
        Named::Server(_) => Err(invalid_target("the resource is not the one that was granted")),
    }
}

/// The audience of a token that a service asks in its own name: the one named, else the only one it may ask for.
///
/// # Errors
/// `invalid_target` where it must choose and does not.
pub fn of_service(
    parameters: &Parameters,
    party: &RelyingParty,
    issuer: &str,
) -> Result<Option<Audience>, OAuthError> {
    match (
        read(parameters, party, issuer)?,
        party.metadata.resources.as_slice(),
    ) {
        (Named::Server(asked), _) => Ok(Some(asked)),
        (Named::Provider, _) | (Named::Nothing, []) => Ok(None),
        (Named::Nothing, [only]) => permitted(party, only).map(Some),
        (Named::Nothing, _) => Err(invalid_target("resource is missing")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::testing::party;

    const ISSUER: &str = "https://id.example.fr";
    const MENUS: &str = "https://cantine.example/api";
    const OTHER: &str = "https://garderie.example/api";

    fn client(resources: &[&str]) -> RelyingParty {
        let mut party = party("ent");
        party.metadata.resources = resources.iter().map(|name| (*name).to_owned()).collect();
        party
    }

    fn form(resources: &[&str]) -> Parameters {
        let pairs = resources.iter().map(|name| ("resource", *name));
        Parameters::read(&crate::base::url::query(pairs)).unwrap()
    }

    fn audience(text: &str) -> Audience {
        text.parse().unwrap()
    }

    #[test]
    fn rfc_8707_section_2_only_what_the_client_may_ask_for_one_at_a_time() {
        let ent = client(&[MENUS]);
        assert_eq!(read(&form(&[]), &ent, ISSUER), Ok(Named::Nothing));
        assert_eq!(read(&form(&[ISSUER]), &ent, ISSUER), Ok(Named::Provider));
        assert_eq!(
            read(&form(&[MENUS]), &ent, ISSUER),
            Ok(Named::Server(audience(MENUS)))
        );
        for wrong in [
            &[OTHER][..],
            &[MENUS, MENUS],
            &["https://cantine.example/API"],
            &["https://cantine.example/api/"],
            &["x"],
        ] {
            let refused = read(&form(wrong), &ent, ISSUER).unwrap_err();
            assert_eq!(refused.code, ErrorCode::InvalidTarget, "{wrong:?}");
        }
    }

    #[test]
    fn a_grant_leads_to_what_was_granted_or_to_userinfo() {
        let ent = client(&[MENUS, OTHER]);
        let granted = audience(MENUS);
        let of = |asked: &[&str], granted| of_grant(&form(asked), &ent, granted, ISSUER);
        assert_eq!(of(&[], None), Ok(None));
        assert_eq!(of(&[], Some(&granted)), Ok(Some(granted.clone())));
        assert_eq!(of(&[MENUS], Some(&granted)), Ok(Some(granted.clone())));
        assert_eq!(of(&[ISSUER], Some(&granted)), Ok(None));
        assert!(of(&[OTHER], Some(&granted)).is_err());
        assert!(of(&[MENUS], None).is_err());
        let lost = of_grant(&form(&[]), &client(&[OTHER]), Some(&granted), ISSUER);
        assert_eq!(lost, Err(UNKNOWN));
    }

    #[test]
    fn a_service_names_the_one_it_means_where_there_are_several() {
        let of = |asked: &[&str], may: &[&str]| of_service(&form(asked), &client(may), ISSUER);
        assert_eq!(of(&[], &[]), Ok(None));
        assert_eq!(of(&[], &[MENUS]), Ok(Some(audience(MENUS))));
        assert_eq!(of(&[OTHER], &[MENUS, OTHER]), Ok(Some(audience(OTHER))));
        assert_eq!(of(&[ISSUER], &[MENUS, OTHER]), Ok(None));
        assert!(of(&[], &[MENUS, OTHER]).is_err());
        assert!(of(&[OTHER], &[MENUS]).is_err());
    }
}
