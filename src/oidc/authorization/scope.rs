//! OpenID Connect Core §3.1.2.1: "OpenID Connect requests MUST contain the openid scope value"; unknown ones are ignored.

use super::RedirectError;
use crate::domain::grant::{Scope, Scopes};
use crate::oauth::error::ErrorCode;
use crate::oauth::parameters::Parameters;

pub(super) fn check(parameters: &Parameters) -> Result<Scopes, RedirectError> {
    let scopes = Scopes::known_of(parameters.get("scope").unwrap_or_default());
    if scopes.contains(Scope::OpenId) {
        Ok(scopes)
    } else {
        Err(RedirectError::new(
            ErrorCode::InvalidScope,
            "scope must contain openid",
        ))
    }
}
