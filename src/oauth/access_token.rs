//! What an access token says of itself, to whoever may read it: the claims of a signed one (RFC 9068 §2.2), and what an
//! introspection answers (RFC 7662 §2.2). Never anything about a person but the name the client knows them by.

use serde_json::{Map, Value, json};

use crate::base::time::Timestamp;
use crate::domain::assurance::Acr;
use crate::domain::grant::{Scopes, TokenUse};
use crate::domain::relying_party::RelyingPartyId;
use crate::domain::service_token::ServiceToken;

/// What an access token begins with that means nothing by itself. What a signed one is found by begins otherwise, so that
/// the one is never taken for the other.
pub const OPAQUE_PREFIX: &str = "mrla_";
/// What the `jti` of a signed access token begins with.
pub const JTI_PREFIX: &str = "mrlj_";

/// An access token, whoever it is about.
#[derive(Debug, Clone)]
pub struct Description<'a> {
    /// To whom it was issued.
    pub client: &'a RelyingPartyId,
    /// The person as that client knows them; the client itself where there is no person (RFC 9068 §2.2).
    pub subject: &'a str,
    /// What it is good for.
    pub scopes: &'a Scopes,
    /// The resource server it is for, where it is not this provider.
    pub audience: Option<&'a str>,
    /// The thumbprint of the key it is bound to.
    pub jkt: Option<&'a str>,
    /// When it was made.
    pub issued_at: Option<Timestamp>,
    /// Until when it is good.
    pub expires_at: Timestamp,
    /// How surely and when the person had signed in.
    pub login: Option<(Acr, Timestamp)>,
}

impl<'a> Description<'a> {
    /// Of a token about a person, whom the client knows as `subject`.
    pub fn of_person(token: &'a TokenUse, subject: &'a str) -> Self {
        Self {
            client: &token.grant.client,
            subject,
            scopes: &token.scopes,
            audience: token.audience.as_deref(),
            jkt: token.jkt.as_deref(),
            issued_at: token.issued_at,
            expires_at: token.expires_at,
            login: Some((token.grant.acr, token.grant.authenticated_at)),
        }
    }

    /// Of a token of a service in its own name.
    pub fn of_service(token: &'a ServiceToken) -> Self {
        Self {
            client: &token.client,
            subject: token.client.as_str(),
            scopes: &token.scopes,
            audience: token
                .audience
                .as_ref()
                .map(crate::domain::resource_server::Audience::as_str),
            jkt: token.jkt.as_deref(),
            issued_at: Some(token.issued_at),
            expires_at: token.expires_at,
            login: None,
        }
    }

    /// What both forms say (RFC 9068 §2.2, RFC 7662 §2.2, RFC 9449 §6).
    pub fn members(&self, issuer: &str) -> Map<String, Value> {
        let mut members = Map::new();
        let mut put = |name: &str, value: Value| members.insert(name.to_owned(), value);
        put("iss", issuer.into());
        put("sub", self.subject.into());
        put("aud", self.audience.unwrap_or(issuer).into());
        put("client_id", self.client.as_str().into());
        put("exp", self.expires_at.seconds().into());
        if let Some(issued_at) = self.issued_at {
            put("iat", issued_at.seconds().into());
        }
        if !self.scopes.is_empty() {
            put("scope", self.scopes.to_string().into());
        }
        if let Some((acr, authenticated_at)) = self.login {
            put("auth_time", authenticated_at.seconds().into());
            put("acr", acr.as_str().into());
        }
        if let Some(jkt) = self.jkt {
            put("cnf", json!({ "jkt": jkt }));
        }
        members
    }

    /// The claims of a signed one.
    pub fn claims(&self, issuer: &str, jti: &str) -> Map<String, Value> {
        let mut claims = self.members(issuer);
        claims.insert("jti".to_owned(), jti.into());
        claims
    }

    /// RFC 6749 §7.1, RFC 9449 §5.
    pub fn token_type(&self) -> &'static str {
        token_type(self.jkt.is_some())
    }
}

/// The type of an access token that is bound to a key, or is not.
pub const fn token_type(is_bound: bool) -> &'static str {
    if is_bound { "DPoP" } else { "Bearer" }
}
