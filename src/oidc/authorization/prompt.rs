//! OpenID Connect Core §3.1.2.1, `prompt`: a list of values; "If this parameter contains none with any other value, an
//! error is returned."

use super::RedirectError;
use crate::oauth::parameters::Parameters;

/// Which pages the person is to see.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Prompt {
    /// Those that are needed.
    AsNeeded,
    /// No page at all.
    None,
    /// The login page, signed in or not: `login`, and `select_account`, because the login page is where one says who
    /// one is.
    Login,
}

/// The values of the parameter. `consent` changes nothing: consent is not the legal basis here, so there is no page
/// that could be skipped.
pub const VALUES: &[&str] = &["none", "login", "consent", "select_account"];

pub(super) fn check(parameters: &Parameters) -> Result<Prompt, RedirectError> {
    let values: Vec<&str> = parameters
        .get("prompt")
        .unwrap_or_default()
        .split_ascii_whitespace()
        .collect();
    if values.iter().any(|value| !VALUES.contains(value)) {
        return Err(RedirectError::invalid_request(
            "prompt is none, login, consent or select_account",
        ));
    }
    match (values.contains(&"none"), values.len()) {
        (true, 1) => Ok(Prompt::None),
        (true, _) => Err(RedirectError::invalid_request("prompt none stands alone")),
        (false, _) if values.iter().any(|value| *value != "consent") => Ok(Prompt::Login),
        (false, _) => Ok(Prompt::AsNeeded),
    }
}
