//! OpenID Connect Core §3.1.2.1, `max_age`: seconds since the person actively signed in; `0` is `prompt=login`. Where the
//! request does not say, the client's `default_max_age` does (Dynamic Registration §2). The `auth_time` that both ask for
//! is in every ID Token.

use std::time::Duration;

use super::RedirectError;
use crate::domain::relying_party::RelyingParty;
use crate::oauth::parameters::Parameters;

pub(super) fn check(
    parameters: &Parameters,
    party: &RelyingParty,
) -> Result<Option<Duration>, RedirectError> {
    let Some(text) = parameters.get("max_age") else {
        let default = party.metadata.default_max_age;
        return Ok(default.map(|seconds| Duration::from_secs(seconds.into())));
    };
    let digits = text.bytes().all(|symbol| symbol.is_ascii_digit());
    match text.parse::<u32>() {
        Ok(seconds) if digits => Ok(Some(Duration::from_secs(seconds.into()))),
        // More than 136 years: no limit, but a number all the same.
        Err(_) if digits && text.len() <= 20 => Ok(Some(Duration::from_secs(u32::MAX.into()))),
        _ => Err(RedirectError::invalid_request("max_age is a number of seconds")),
    }
}
