//! OpenID Connect Core §3.1.2.1, `nonce`: optional with `code`, passed through unmodified into the ID Token.

use super::RedirectError;
use crate::oauth::parameters::Parameters;

/// Longer than any library makes; it is stored with the grant and comes back in each ID Token.
const LIMIT: usize = 512;

pub(super) fn check(parameters: &Parameters) -> Result<Option<String>, RedirectError> {
    match parameters.get("nonce") {
        Some(nonce) if nonce.len() > LIMIT => {
            Err(RedirectError::invalid_request("nonce is longer than 512 bytes"))
        }
        nonce => Ok(nonce.map(str::to_owned)),
    }
}
