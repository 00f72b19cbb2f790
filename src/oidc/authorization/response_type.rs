//! RFC 6749 §3.1.1, §4.1.2.1: `response_type` is required; `code` is the only one here (RFC 9700 §2.1.2: no implicit).

use super::RedirectError;
use crate::oauth::error::ErrorCode;
use crate::oauth::parameters::Parameters;

pub(super) fn check(parameters: &Parameters) -> Result<(), RedirectError> {
    match parameters.get("response_type") {
        Some("code") => Ok(()),
        None => Err(RedirectError::invalid_request("response_type is missing")),
        Some(_) => Err(RedirectError::new(
            ErrorCode::UnsupportedResponseType,
            "response_type is code",
        )),
    }
}
