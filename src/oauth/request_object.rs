//! Requests that a client has signed and passes by value (RFC 9101, OpenID Connect Core §6.1; FAPI 2.0 Message Signing
//! §5.3.1 for clients of that profile).
//!
//! | what is looked at | what it must be | section |
//! | --- | --- | --- |
//! | beside it | `client_id`, which is needed; no `request_uri`; everything else counts for nothing | RFC 9101 §5 |
//! | signature | by a key of the client and an algorithm it may use; never none, never encrypted | §6.1, §6.2 |
//! | `typ` | absent, `JWT` or `oauth-authz-req+jwt` | §10.8 |
//! | `iss`, `client_id` | the client's own id; `sub` must not be, or it would be an assertion too | §4, §5, §10.8 |
//! | `aud` | this issuer, or a list with it | §4 |
//! | `exp`, `nbf`, `iat` | of now, where they are there; FAPI: `exp` and `nbf` are, an hour at most | RFC 7519 §4.1, FAPI §5.3.1 |
//! | inside it | neither `request` nor `request_uri` | RFC 9101 §4 |
//!
//! An object may be used again while it lasts: a page that is loaded anew asks the same thing (RFC 9101 knows no single
//! use). What protects the answer are `state`, `nonce` and PKCE, which the client compares.

use serde_json::{Map, Value};

use super::error::{ErrorCode, OAuthError};
use super::numeric_date;
use super::parameters::Parameters;
use crate::base::time::Timestamp;
use crate::domain::relying_party::{RelyingParty, SecurityProfile};
use crate::jose::{self, Algorithm, KeySet, Unverified};

/// How far the clock of a client may run ahead of ours, in seconds.
const AHEAD: i64 = 30;
/// How long an object of a FAPI client may be good, and how old it may be, in seconds (FAPI 2.0 Message Signing §5.3.1).
const AN_HOUR: i64 = 3600;

/// Claims that speak of the object and are no parameters of the request (RFC 7519 §4.1).
const OF_THE_OBJECT: &[&str] = &["iss", "sub", "aud", "exp", "nbf", "iat", "jti"];

/// The one parameter that may come more than once, as a list (RFC 8707 §2.1).
const LIST: &str = "resource";

/// A request object as it came, nothing believed yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestObject {
    token: String,
    /// The key it is said to be signed with.
    pub kid: Option<String>,
    is_unsigned: bool,
}

const fn invalid(description: &'static str) -> OAuthError {
    OAuthError::new(ErrorCode::InvalidRequestObject, description)
}

impl RequestObject {
    /// Takes the object out of a request; `None` where none came.
    ///
    /// # Errors
    /// `invalid_request` where it came twice or beside a `request_uri`, `invalid_request_object` where it is no token at
    /// all, an encrypted one included.
    pub fn read(outside: &Parameters) -> Result<Option<Self>, OAuthError> {
        if outside.is_repeated("request") {
            return Err(OAuthError::new(
                ErrorCode::InvalidRequest,
                "request came more than once",
            ));
        }
        let Some(token) = outside.get("request") else {
            return Ok(None);
        };
        if outside.get("request_uri").is_some() || outside.is_repeated("request_uri") {
            return Err(OAuthError::new(
                ErrorCode::InvalidRequest,
                "request and request_uri exclude each other",
            ));
        }
        let said = Unverified::read(token).map_err(|_| invalid("request is not a signed JWT"))?;
        Ok(Some(Self {
            token: token.to_owned(),
            kid: said.kid,
            is_unsigned: said.is_unsigned,
        }))
    }

    /// The parameters that the client has signed: they count, and none beside them (RFC 9101 §6.3).
    ///
    /// # Errors
    /// `invalid_request_object`; `request_not_supported` for one without signature, unless its client is held to FAPI,
    /// which knows no such thing.
    pub fn open(
        &self,
        party: &RelyingParty,
        keys: &KeySet,
        issuer: &str,
        now: Timestamp,
    ) -> Result<Parameters, OAuthError> {
        let is_fapi = party.metadata.profile == SecurityProfile::Fapi2;
        if self.is_unsigned && !is_fapi {
            return Err(OAuthError::new(
                ErrorCode::RequestNotSupported,
                "request objects must be signed",
            ));
        }
        let kind = jose::Kind::RequestObject;
        let claims = jose::verify_from_client(&self.token, keys, &allowed(party), kind)
            .map_err(|_| invalid("the request object is not signed by a key of the client"))?;
        of_the_client(&claims, party)?;
        for_us(&claims, issuer)?;
        in_time(&claims, is_fapi, now)?;
        parameters(claims)
    }
}

/// The algorithms a party may use: those of its profile, of them the one it registered.
fn allowed(party: &RelyingParty) -> Vec<Algorithm> {
    let of_profile = match party.metadata.profile {
        SecurityProfile::Fapi2 => Algorithm::OF_FAPI,
        SecurityProfile::Standard => Algorithm::OF_CLIENTS,
    };
    let registered = party.metadata.request_object_alg.as_deref();
    let wanted = |algorithm: &Algorithm| registered.is_none_or(|name| name == algorithm.as_str());
    of_profile.iter().copied().filter(wanted).collect()
}

fn of_the_client(claims: &Map<String, Value>, party: &RelyingParty) -> Result<(), OAuthError> {
    let text = |name: &str| claims.get(name).and_then(Value::as_str);
    let id = Some(party.id.as_str());
    if text("iss") != id {
        return Err(invalid("iss of the request object is not the client"));
    }
    if text("client_id") != id {
        return Err(invalid(
            "client_id of the request object is not the one beside it",
        ));
    }
    if text("sub") == id {
        return Err(invalid("sub of the request object must not be the client"));
    }
    Ok(())
}

fn for_us(claims: &Map<String, Value>, issuer: &str) -> Result<(), OAuthError> {
    let is_ours = |value: &Value| value.as_str() == Some(issuer);
    let ours = match claims.get("aud") {
        Some(Value::Array(values)) => values.len() <= 10 && values.iter().any(is_ours),
        Some(value) => is_ours(value),
        None => false,
    };
    if ours {
        Ok(())
    } else {
        Err(invalid("aud of the request object is not this issuer"))
    }
}

fn in_time(claims: &Map<String, Value>, is_fapi: bool, now: Timestamp) -> Result<(), OAuthError> {
    let seconds = |name: &str| match claims.get(name) {
        None => Ok(None),
        Some(value) => numeric_date::seconds(value)
            .map(Some)
            .ok_or(invalid("a time of the request object is no number")),
    };
    let now = now.seconds();
    let (expires, begins, made) = (seconds("exp")?, seconds("nbf")?, seconds("iat")?);
    if expires.is_some_and(|at| at <= now) {
        return Err(invalid("the request object has expired"));
    }
    let ahead = now.saturating_add(AHEAD);
    if [begins, made].into_iter().flatten().any(|at| at > ahead) {
        return Err(invalid("the request object is of the future"));
    }
    if !is_fapi {
        return Ok(());
    }
    let (Some(expires), Some(begins)) = (expires, begins) else {
        return Err(invalid("the request object needs exp and nbf"));
    };
    if begins < now.saturating_sub(AN_HOUR) || expires.saturating_sub(begins) > AN_HOUR {
        return Err(invalid("the request object lives longer than an hour"));
    }
    Ok(())
}

/// RFC 9101 §4: texts are JSON strings; numbers, lists and objects (`max_age`, `claims`) become the text that they would
/// be in a query, so that whoever checks a parameter meets it, whatever its shape.
fn parameters(claims: Map<String, Value>) -> Result<Parameters, OAuthError> {
    if claims.contains_key("request") || claims.contains_key("request_uri") {
        return Err(invalid("a request object holds no other"));
    }
    let mut pairs = Vec::with_capacity(claims.len());
    for (name, value) in claims {
        if OF_THE_OBJECT.contains(&name.as_str()) {
            continue;
        }
        match value {
            Value::Null => {}
            Value::String(text) => pairs.push((name, text)),
            Value::Array(values) if name == LIST && values.iter().all(Value::is_string) => {
                let texts = values.iter().filter_map(Value::as_str);
                pairs.extend(texts.map(|text| (name.clone(), text.to_owned())));
            }
            other => pairs.push((name, other.to_string())),
        }
    }
    Parameters::of(&pairs).map_err(|_| invalid("the request object is too long"))
}

#[cfg(test)]
mod tests;
