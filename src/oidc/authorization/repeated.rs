//! RFC 6749 §3.1: "Request and response parameters MUST NOT be included more than once." Parameters we do not know are
//! ignored, repeated or not.

use super::RedirectError;
use crate::oauth::parameters::Parameters;

const KNOWN: &[&str] = &[
    "response_type",
    "response_mode",
    "scope",
    "state",
    "nonce",
    "display",
    "prompt",
    "max_age",
    "ui_locales",
    "claims_locales",
    "id_token_hint",
    "login_hint",
    "acr_values",
    "claims",
    "code_challenge",
    "code_challenge_method",
    "dpop_jkt",
    "request",
    "request_uri",
    "registration",
];

pub(super) fn check(parameters: &Parameters) -> Result<(), RedirectError> {
    match parameters.first_repeated(KNOWN) {
        None => Ok(()),
        Some(_) => Err(RedirectError::invalid_request("a parameter came more than once")),
    }
}
