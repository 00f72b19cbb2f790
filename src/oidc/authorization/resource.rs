//! RFC 8707 §2.1: the resource server that a request asks a token for, and the scopes that are that server's.

use super::{RedirectError, Request};
use crate::domain::grant::Scopes;
use crate::domain::relying_party::RelyingParty;
use crate::domain::resource_server::{Audience, ResourceServer};
use crate::oauth::error::OAuthError;
use crate::oauth::parameters::Parameters;
use crate::oauth::resource::{self, Named};

const fn redirected(error: OAuthError) -> RedirectError {
    RedirectError::new(error.code, error.description)
}

/// The resource server that is named, if this client may name it.
///
/// # Errors
/// `invalid_target`.
pub fn check(
    parameters: &Parameters,
    party: &RelyingParty,
    issuer: &str,
) -> Result<Option<Audience>, RedirectError> {
    match resource::read(parameters, party, issuer) {
        Ok(Named::Server(audience)) => Ok(Some(audience)),
        Ok(Named::Nothing | Named::Provider) => Ok(None),
        Err(error) => Err(redirected(error)),
    }
}

/// Adds the resource server to what is asked, with those of its scopes that are asked for. Scopes that nobody knows are
/// ignored, as everywhere (OpenID Connect Core §3.1.2.1).
///
/// # Errors
/// `invalid_target` where it is not in use.
pub fn admit(
    request: &mut Request,
    parameters: &Parameters,
    server: Option<&ResourceServer>,
) -> Result<(), RedirectError> {
    let Some(server) = server.filter(|server| server.enabled) else {
        return Err(redirected(resource::UNKNOWN));
    };
    let asked = Scopes::all_of(parameters.get("scope").unwrap_or_default());
    request.scopes = request.scopes.clone().with_foreign(&asked.known_to(server));
    request.resource = Some(server.audience.clone());
    Ok(())
}
