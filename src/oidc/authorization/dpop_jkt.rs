//! RFC 9449 §10: a code that is bound to the key its request names; only whoever holds that key can exchange it.

use super::RedirectError;
use crate::oauth::parameters::Parameters;
use crate::oauth::pkce;

pub(super) fn check(parameters: &Parameters) -> Result<Option<String>, RedirectError> {
    match parameters.get("dpop_jkt") {
        None => Ok(None),
        // RFC 7638 §3: the SHA-256 of a key in base64url, the shape of a PKCE challenge.
        Some(jkt) if pkce::is_challenge(jkt) => Ok(Some(jkt.to_owned())),
        Some(_) => Err(RedirectError::invalid_request("dpop_jkt is not a thumbprint")),
    }
}
