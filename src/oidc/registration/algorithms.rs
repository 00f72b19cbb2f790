//! What is signed with which algorithm (OpenID Connect Dynamic Registration §2, RFC 9701 §6, RFC 9101 §10.5).

use super::{RegistrationError, Request};
use crate::domain::registration::Policy;
use crate::domain::relying_party::{ClientAuthMethod, RelyingParty, SigningAlgorithm};
use crate::jose::Algorithm;

/// `none` is never an algorithm, and no key is shared for `HS*`.
const UNKNOWN: &str = "there is no such algorithm here";

/// Settles the algorithms.
pub(super) fn check(
    request: &Request,
    _: &Policy,
    party: &mut RelyingParty,
) -> Result<(), RegistrationError> {
    let ours = |field| -> Result<Option<SigningAlgorithm>, RegistrationError> {
        let Some(name) = request.text(field)? else {
            return Ok(None);
        };
        let read = name.parse().map_err(|_| RegistrationError::wrong(field, UNKNOWN));
        read.map(Some)
    };
    let theirs = |field| -> Result<Option<String>, RegistrationError> {
        let Some(name) = request.text(field)? else {
            return Ok(None);
        };
        match Algorithm::from_name(name) {
            Some(algorithm) => Ok(Some(algorithm.as_str().to_owned())),
            None => Err(RegistrationError::wrong(field, UNKNOWN)),
        }
    };
    if let Some(algorithm) = ours("id_token_signed_response_alg")? {
        party.id_token_alg = algorithm;
    }
    party.metadata.userinfo_alg = ours("userinfo_signed_response_alg")?;
    party.metadata.introspection_alg = ours("introspection_signed_response_alg")?;
    party.metadata.request_object_alg = theirs("request_object_signing_alg")?;
    party.metadata.signed_request_required = request.flag("require_signed_request_object")?;
    // It says how assertions are signed; with another method there are none, and it is ignored.
    let of_assertions = theirs("token_endpoint_auth_signing_alg");
    if party.auth_method == ClientAuthMethod::PrivateKeyJwt {
        party.metadata.auth_signing_alg = of_assertions?;
    }
    Ok(())
}
