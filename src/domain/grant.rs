//! Grants: what an authorization produced, from its code to its family of tokens.

use std::collections::BTreeSet;
use std::fmt;

use super::assurance::{Acr, Amr};
use super::claims_request::ClaimsRequest;
use super::enrolment::Enrolment;
use super::identity::{Identity, Status};
use super::relying_party::RelyingPartyId;
use super::resource_server::{Audience, ResourceServer, ScopeName};
use super::stored_names;
use crate::base::id::{GrantId, IdentityId, SessionId};
use crate::base::time::Timestamp;

/// A scope that means something here (OpenID Connect Core §5.4, and our own).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// An OpenID Connect request.
    OpenId,
    /// Names, birth date, language.
    Profile,
    /// Address of electronic mail.
    Email,
    /// Postal address.
    Address,
    /// Telephone number.
    Phone,
    /// School, level, class and profile of live enrolments.
    Education,
    /// Refresh tokens that outlive the login (OpenID Connect Core §11).
    OfflineAccess,
}
stored_names!(Scope, "scope", {
    OpenId => "openid", Profile => "profile", Email => "email", Address => "address", Phone => "phone",
    Education => "education", OfflineAccess => "offline_access",
});

/// A set of scopes; writes itself as `openid profile menus:read`: ours first, then those of a resource server.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scopes {
    ours: BTreeSet<Scope>,
    foreign: BTreeSet<ScopeName>,
}

impl Scopes {
    /// The scopes of ours among those of a space-separated list (RFC 6749 §3.3); the others are ignored
    /// (OpenID Connect Core §3.1.2.1).
    pub fn known_of(list: &str) -> Self {
        Self {
            ours: Self::all_of(list).ours,
            foreign: BTreeSet::new(),
        }
    }

    /// Ours, and whatever else could be a scope: of a list that we have written, or that is held against one.
    pub fn all_of(list: &str) -> Self {
        let names = || list.split(' ');
        Self {
            ours: names().filter_map(|name| name.parse().ok()).collect(),
            foreign: names().filter_map(|name| name.parse().ok()).collect(),
        }
    }

    /// Every scope of ours: whoever asks so asks for all that may leave.
    pub fn every() -> Self {
        Self {
            ours: Scope::ALL.iter().copied().collect(),
            foreign: BTreeSet::new(),
        }
    }

    /// Whether a scope is in the set.
    pub fn contains(&self, scope: Scope) -> bool {
        self.ours.contains(&scope)
    }

    /// Those of a resource server.
    pub fn foreign(&self) -> impl Iterator<Item = &ScopeName> {
        self.foreign.iter()
    }

    /// Those of ours alone.
    #[must_use]
    pub fn only_ours(mut self) -> Self {
        self.foreign.clear();
        self
    }

    /// Those of a resource server alone.
    #[must_use]
    pub fn only_foreign(mut self) -> Self {
        self.ours.clear();
        self
    }

    /// Ours, and of the others those that a resource server knows.
    #[must_use]
    pub fn known_to(mut self, server: &ResourceServer) -> Self {
        self.foreign.retain(|scope| server.knows(scope));
        self
    }

    /// Ours, and of the others those that are in another set.
    #[must_use]
    pub fn foreign_of(mut self, other: &Self) -> Self {
        self.foreign.retain(|scope| other.foreign.contains(scope));
        self
    }

    /// Ours, and the others of another set.
    #[must_use]
    pub fn with_foreign(mut self, other: &Self) -> Self {
        self.foreign.clone_from(&other.foreign);
        self
    }

    /// Whether all of these are in another set.
    pub fn are_within(&self, other: &Self) -> bool {
        self.ours.is_subset(&other.ours) && self.foreign.is_subset(&other.foreign)
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.ours.is_empty() && self.foreign.is_empty()
    }

    /// These without one.
    #[must_use]
    pub fn without(mut self, scope: Scope) -> Self {
        self.ours.remove(&scope);
        self
    }
}

impl fmt::Display for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ours = self.ours.iter().map(|scope| scope.as_str());
        let foreign = self.foreign.iter().map(ScopeName::as_str);
        for (at, name) in ours.chain(foreign).enumerate() {
            write!(f, "{}{name}", if at == 0 { "" } else { " " })?;
        }
        Ok(())
    }
}

/// What a relying party was granted about a person, at one login.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// Its id.
    pub id: GrantId,
    /// To whom.
    pub client: RelyingPartyId,
    /// About whom.
    pub identity: IdentityId,
    /// In which login.
    pub session: SessionId,
    /// What.
    pub scopes: Scopes,
    /// The resource server it was asked for (RFC 8707), where it was.
    pub resource: Option<Audience>,
    /// What besides, claim by claim (OpenID Connect Core §5.5).
    pub claims: ClaimsRequest,
    /// What the relying party wants back in the ID Token.
    pub nonce: Option<String>,
    /// When the person had proved who they are.
    pub authenticated_at: Timestamp,
    /// How surely.
    pub acr: Acr,
    /// How.
    pub amr: Amr,
    /// When it was granted.
    pub created_at: Timestamp,
    /// When it was taken back with everything that came of it, if it was.
    pub revoked_at: Option<Timestamp>,
}

impl Grant {
    /// Whether it outlives the login it was given in (OpenID Connect Core §11): then a logout does not end it, and neither
    /// does a login that runs out (Back-Channel Logout §2.7).
    pub fn outlives_login(&self) -> bool {
        self.scopes.contains(Scope::OfflineAccess)
    }
}

/// The code of a grant, without the code itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuthorizationCode {
    /// Where it was sent.
    pub redirect_uri: String,
    /// The PKCE challenge (S256), where there was one.
    pub code_challenge: Option<String>,
    /// The thumbprint of the key that must be proved with it (RFC 9449 §10), where one was named.
    pub dpop_jkt: Option<String>,
    /// Until when it may be exchanged.
    pub expires_at: Timestamp,
}

/// A grant with everything it rests on, as that stands at this moment.
#[derive(Clone, Debug)]
pub struct Standing {
    /// The grant.
    pub grant: Grant,
    /// Where its person stands.
    pub person: Status,
    /// Until when the login it was given in stands; `None` where that was ended, or is forgotten.
    pub login_until: Option<Timestamp>,
    /// What the sector of the asking client knows the person by.
    pub subject: Option<String>,
    /// The person's live enrolments.
    pub live: Vec<Enrolment>,
}

impl Standing {
    /// Whether the login it was given in still stands.
    pub fn login_is_live(&self, now: Timestamp) -> bool {
        self.login_until.is_some_and(|until| now < until)
    }
}

/// Everything a redemption of a code is decided on.
#[derive(Clone, Debug)]
pub struct Redemption {
    /// The code.
    pub code: AuthorizationCode,
    /// Whether it was used.
    pub is_used: bool,
    /// Its grant.
    pub standing: Standing,
}

/// A refresh token, without the token itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefreshToken {
    /// Its place among those of its grant, from 1.
    pub sequence: i64,
    /// The person, as the first ID Token named them.
    pub subject: String,
    /// The thumbprint of the key it is bound to (RFC 9449 §5), where its client cannot prove who it is.
    pub jkt: Option<String>,
    /// When it was made.
    pub issued_at: Timestamp,
    /// Until when it is good, whatever its grant rests on.
    pub expires_at: Timestamp,
    /// When it was used, if it was.
    pub used_at: Option<Timestamp>,
}

/// Everything a refresh is decided on.
#[derive(Clone, Debug)]
pub struct Renewal {
    /// The refresh token.
    pub token: RefreshToken,
    /// Its grant.
    pub standing: Standing,
}

/// What an access token leads to, as it stands at that moment.
#[derive(Clone, Debug)]
pub struct TokenUse {
    /// When the token was made; unknown of one that the version before made.
    pub issued_at: Option<Timestamp>,
    /// Until when the token is good.
    pub expires_at: Timestamp,
    /// When it was taken back by itself, if it was.
    pub revoked_at: Option<Timestamp>,
    /// What it is good for: what was granted, or less.
    pub scopes: Scopes,
    /// The resource server it is for (RFC 8707), where it is not this provider.
    pub audience: Option<String>,
    /// The thumbprint of the key it is bound to (RFC 9449 §6), where it is.
    pub jkt: Option<String>,
    /// The grant it comes from.
    pub grant: Grant,
    /// The person, today.
    pub identity: Identity,
    /// Whether the login was ended on purpose (one that ran out by itself was not).
    pub session_was_ended: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_scopes_are_ignored_and_known_ones_write_themselves_in_order() {
        let scopes = Scopes::known_of("mail profile openid  groups OPENID");
        assert_eq!(scopes.to_string(), "openid profile");
        assert!(scopes.contains(Scope::OpenId) && !scopes.contains(Scope::Education));
        assert_eq!(Scopes::known_of("").to_string(), "");
        assert!(Scopes::known_of("openid").are_within(&scopes));
        assert!(!Scopes::known_of("openid email").are_within(&scopes));
        assert!(scopes.without(Scope::OpenId).without(Scope::Profile).is_empty());
    }

    #[test]
    fn foreign_scopes_are_kept_where_they_are_meant_and_a_server_keeps_its_own() {
        let list = "menus:read openid é a\"b mail profile menus:read";
        let scopes = Scopes::all_of(list);
        assert_eq!(scopes.to_string(), "openid profile mail menus:read");
        assert_eq!(Scopes::all_of(&scopes.to_string()), scopes);
        let server = crate::domain::testing::resource_server("cantine");
        assert_eq!(
            scopes.clone().known_to(&server).to_string(),
            "openid profile menus:read"
        );
        assert_eq!(
            scopes.clone().only_foreign().known_to(&server).to_string(),
            "menus:read"
        );
        assert_eq!(scopes.clone().only_ours(), Scopes::known_of(list));
        let granted = Scopes::all_of("menus:read");
        assert_eq!(
            scopes.clone().foreign_of(&granted).to_string(),
            "openid profile menus:read"
        );
        assert!(Scopes::all_of("openid menus:read").are_within(&scopes));
        assert!(!Scopes::all_of("openid menus:write").are_within(&scopes));
        assert!(Scopes::known_of("openid").without(Scope::OpenId).is_empty());
        assert!(!Scopes::all_of("mail").is_empty());
    }
}
