//! OpenID Connect Core §3.1.2.1, `prompt`: a list of values; "If this parameter contains none with any other value, an
//! error is returned."

use std::collections::BTreeSet;

use super::RedirectError;
use crate::domain::stored_names;
use crate::oauth::parameters::Parameters;

/// A value of the parameter. One we do not have is an error: discovery lists those we have (`prompt_values_supported`,
/// Initiating User Registration §4.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Prompt {
    /// No page at all.
    None,
    /// The login page, signed in or not.
    Login,
    /// The page where the person says yes, even where they did before.
    Consent,
    /// The page where one says who one is, signed in or not: on a classroom's device it may well be somebody else.
    SelectAccount,
}
stored_names!(Prompt, "prompt", {
    None => "none", Login => "login", Consent => "consent", SelectAccount => "select_account",
});

/// Which pages the person is to see, besides those that are needed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Prompts(BTreeSet<Prompt>);

impl Prompts {
    /// No page may be shown, whatever is needed.
    pub fn none(&self) -> bool {
        self.0.contains(&Prompt::None)
    }

    /// The person must prove anew who they are.
    pub fn login(&self) -> bool {
        self.0.contains(&Prompt::Login)
    }

    /// The person must be asked for their consent, even where they gave it before.
    pub fn consent(&self) -> bool {
        self.0.contains(&Prompt::Consent)
    }

    /// The person must be asked who they are.
    pub fn select_account(&self) -> bool {
        self.0.contains(&Prompt::SelectAccount)
    }
}

pub(super) fn check(parameters: &Parameters) -> Result<Prompts, RedirectError> {
    let text = parameters.get("prompt").unwrap_or_default();
    let values: Result<BTreeSet<Prompt>, _> = text.split_ascii_whitespace().map(str::parse).collect();
    let prompts = values
        .map(Prompts)
        .map_err(|_| RedirectError::invalid_request("prompt is none, login, consent or select_account"))?;
    if prompts.none() && prompts.0.len() > 1 {
        return Err(RedirectError::invalid_request("prompt none stands alone"));
    }
    Ok(prompts)
}
