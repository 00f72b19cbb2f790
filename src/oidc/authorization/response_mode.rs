//! OAuth 2.0 Multiple Response Type Encoding Practices §2.1 (`query`) and OAuth 2.0 Form Post Response Mode.

use super::RedirectError;
use crate::oauth::parameters::Parameters;

/// How an answer is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ResponseMode {
    /// In the query of a redirection.
    Query,
    /// By a form that the browser posts.
    FormPost,
}

impl ResponseMode {
    /// Every mode.
    pub const ALL: &'static [Self] = &[Self::Query, Self::FormPost];

    /// The value of the parameter.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Query => "query",
            Self::FormPost => "form_post",
        }
    }
}

fn find(parameters: &Parameters) -> Option<ResponseMode> {
    let name = parameters.get("response_mode")?;
    ResponseMode::ALL
        .iter()
        .copied()
        .find(|mode| mode.as_str() == name)
}

/// The mode that errors go by too; the default of `code` where none is asked for that we have.
pub(super) fn mode(parameters: &Parameters) -> ResponseMode {
    find(parameters).unwrap_or(ResponseMode::Query)
}

pub(super) fn check(parameters: &Parameters) -> Result<(), RedirectError> {
    if parameters.get("response_mode").is_none() || find(parameters).is_some() {
        Ok(())
    } else {
        Err(RedirectError::invalid_request(
            "response_mode is query or form_post",
        ))
    }
}
