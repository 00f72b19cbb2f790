//! OpenID Connect Core §3.1.2.6, §6.2, §7.2.1: a request by reference (attack case 37: an address that the server would
//! fetch) and a registration in the request each have an error of their own. A request object that comes here was opened
//! by nobody ([`crate::oauth::request_object`] does), so it must not be overlooked either.

use super::RedirectError;
use crate::oauth::error::ErrorCode;
use crate::oauth::parameters::Parameters;

pub(super) fn check(parameters: &Parameters) -> Result<(), RedirectError> {
    for (name, code, description) in [
        (
            "request",
            ErrorCode::RequestNotSupported,
            "this request object is not supported",
        ),
        (
            "request_uri",
            ErrorCode::RequestUriNotSupported,
            "request_uri is not supported",
        ),
        (
            "registration",
            ErrorCode::RegistrationNotSupported,
            "registration is not supported",
        ),
    ] {
        if parameters.get(name).is_some() {
            return Err(RedirectError::new(code, description));
        }
    }
    Ok(())
}
