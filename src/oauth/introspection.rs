//! Token introspection (RFC 7662, RFC 9701): what a resource server is told of a token.
//!
//! Nothing is told of a token that is not good, nor to whoever it is not for, and both look the same: `active` is false.

use serde_json::{Map, Value, json};

use super::access_token::Description;
use crate::base::time::Timestamp;
use crate::domain::grant::Renewal;
use crate::domain::relying_party::{RelyingParty, RelyingPartyId, SigningAlgorithm};
use crate::domain::resource_server::ResourceServer;

/// The media type of a signed answer (RFC 9701 §4), which is also the `typ` of its JWT.
pub const MEDIA_TYPE: &str = "application/token-introspection+jwt";

/// Whether a client may be told of an access token: the one it was issued to, and those that the resource server it is
/// for has named.
pub fn may_know(asking: &RelyingPartyId, holder: &RelyingPartyId, server: Option<&ResourceServer>) -> bool {
    asking == holder || server.is_some_and(|server| server.may_introspect(asking))
}

/// What is said of a token that is not good, or not for whoever asks (RFC 7662 §2.2).
pub fn inactive() -> Map<String, Value> {
    let mut members = Map::new();
    members.insert("active".to_owned(), false.into());
    members
}

/// What is said of an access token.
pub fn of_access_token(token: &Description<'_>, issuer: &str) -> Map<String, Value> {
    let mut members = token.members(issuer);
    members.insert("active".to_owned(), true.into());
    members.insert("token_type".to_owned(), token.token_type().into());
    members
}

/// What is said of a refresh token, to its own client.
pub fn of_refresh_token(held: &Renewal, issuer: &str) -> Map<String, Value> {
    let (token, grant) = (&held.token, &held.standing.grant);
    let mut members = Map::new();
    let mut put = |name: &str, value: Value| members.insert(name.to_owned(), value);
    put("active", true.into());
    put("iss", issuer.into());
    put("sub", token.subject.as_str().into());
    put("client_id", grant.client.as_str().into());
    put("scope", grant.scopes.to_string().into());
    put("iat", token.issued_at.seconds().into());
    put("exp", token.expires_at.seconds().into());
    if let Some(jkt) = &token.jkt {
        put("cnf", json!({ "jkt": jkt }));
    }
    members
}

/// What an answer to a client is signed with; `None` for plain JSON. RFC 9701 §6: RS256 where nothing was registered.
pub fn signed_with(client: &RelyingParty, accepts_jwt: bool) -> Option<SigningAlgorithm> {
    let default = accepts_jwt.then_some(SigningAlgorithm::Rs256);
    client.metadata.introspection_alg.or(default)
}

/// The claims of a signed answer (RFC 9701 §5): neither `sub` nor `exp`, so that it is never taken for an access token.
pub fn claims(
    members: Map<String, Value>,
    issuer: &str,
    asking: &RelyingPartyId,
    now: Timestamp,
) -> Map<String, Value> {
    let mut claims = Map::new();
    claims.insert("iss".to_owned(), issuer.into());
    claims.insert("aud".to_owned(), asking.as_str().into());
    claims.insert("iat".to_owned(), now.seconds().into());
    claims.insert("token_introspection".to_owned(), members.into());
    claims
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::testing::{party, resource_server};

    #[test]
    fn the_holder_and_the_introspectors_of_its_resource_server_may_know() {
        let id = |text: &str| text.parse::<RelyingPartyId>().unwrap();
        let server = resource_server("cantine");
        assert!(may_know(&id("ent"), &id("ent"), None));
        assert!(may_know(&id("cantine"), &id("ent"), Some(&server)));
        assert!(!may_know(&id("cantine"), &id("ent"), None));
        assert!(!may_know(&id("garderie"), &id("ent"), Some(&server)));
    }

    #[test]
    fn rfc_9701_an_answer_is_signed_where_it_was_asked_for_or_registered() {
        let mut ent = party("ent");
        assert_eq!(signed_with(&ent, false), None);
        assert_eq!(signed_with(&ent, true), Some(SigningAlgorithm::Rs256));
        ent.metadata.introspection_alg = Some(SigningAlgorithm::Es256);
        assert_eq!(signed_with(&ent, false), Some(SigningAlgorithm::Es256));
        let claims = claims(inactive(), "https://id", &ent.id, Timestamp::from_seconds(7));
        assert_eq!(
            Value::Object(claims),
            json!({ "iss": "https://id", "aud": "ent", "iat": 7, "token_introspection": { "active": false } })
        );
    }
}
