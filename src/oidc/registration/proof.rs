//! How a client proves who it is, and its keys (OpenID Connect Dynamic Registration §2, Core §9).

use super::{RegistrationError, Request, address, keys};
use crate::domain::registration::Policy;
use crate::domain::relying_party::{ClientKeys, RelyingParty};

/// Settles `token_endpoint_auth_method`, `jwks` and `jwks_uri`.
pub(super) fn check(
    request: &Request,
    policy: &Policy,
    party: &mut RelyingParty,
) -> Result<(), RegistrationError> {
    const METHOD: &str = "token_endpoint_auth_method";
    if let Some(method) = request.text(METHOD)? {
        let unknown = |_| RegistrationError::wrong(METHOD, "there is no such method here");
        party.auth_method = method.parse().map_err(unknown)?;
    }
    if !policy.auth_methods.contains(&party.auth_method) {
        return Err(RegistrationError::limit(
            METHOD,
            "this project may not register this method",
        ));
    }
    let uri = address::own(request, policy, "jwks_uri")?;
    party.metadata.keys = match (request.raw("jwks"), uri) {
        (None, None) => ClientKeys::None,
        (None, Some(uri)) => ClientKeys::JwksUri(uri),
        (Some(jwks), None) => {
            let text = keys::read(jwks).map_err(|reason| RegistrationError::wrong("jwks", reason))?;
            ClientKeys::Jwks(text)
        }
        // "The jwks_uri and jwks parameters MUST NOT be used together."
        (Some(_), Some(_)) => return Err(RegistrationError::wrong("jwks", "jwks_uri came as well")),
    };
    Ok(())
}
