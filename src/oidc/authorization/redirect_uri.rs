//! OpenID Connect Core §3.1.2.1: `redirect_uri` is required and "MUST exactly match one of the Redirection URI values
//! for the Client pre-registered"; RFC 9700 §4.1.3, and the loopback port of RFC 8252 §7.3.

use super::PageError;
use crate::domain::relying_party::RelyingParty;
use crate::oauth::parameters::Parameters;
use crate::oauth::redirect_uri::matches;

pub(super) fn check(parameters: &Parameters, party: &RelyingParty) -> Result<String, PageError> {
    let given = parameters.get("redirect_uri").ok_or(PageError::RedirectUri)?;
    let public = party.is_public();
    if party
        .redirect_uris
        .iter()
        .any(|registered| matches(registered, given, public))
    {
        Ok(given.to_owned())
    } else {
        Err(PageError::UnregisteredRedirectUri)
    }
}
