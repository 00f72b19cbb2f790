//! RFC 7636 §4.3, §4.4.1; RFC 9700 §2.1.1: S256, required unless the policy of a confidential client says otherwise.

use super::RedirectError;
use crate::domain::relying_party::RelyingParty;
use crate::oauth::parameters::Parameters;
use crate::oauth::pkce::{METHOD, is_challenge};

pub(super) fn check(parameters: &Parameters, party: &RelyingParty) -> Result<Option<String>, RedirectError> {
    let method = parameters.get("code_challenge_method");
    match parameters.get("code_challenge") {
        None if party.pkce_required || party.is_public() => {
            Err(RedirectError::invalid_request("code_challenge is missing"))
        }
        None if method.is_some() => Err(RedirectError::invalid_request(
            "code_challenge_method came without code_challenge",
        )),
        None => Ok(None),
        // Without a method the challenge would be plain (§4.3), which leaves the verifier in the open.
        Some(_) if method != Some(METHOD) => Err(RedirectError::invalid_request(
            "code_challenge_method must be S256",
        )),
        Some(challenge) if is_challenge(challenge) => Ok(Some(challenge.to_owned())),
        Some(_) => Err(RedirectError::invalid_request(
            "code_challenge is not 43 characters of base64url",
        )),
    }
}
