//! OpenID Connect Core §3.1.2.1, `max_age`: seconds since the person actively signed in; `0` is `prompt=login`.

use std::time::Duration;

use super::RedirectError;
use crate::oauth::parameters::Parameters;

pub(super) fn check(parameters: &Parameters) -> Result<Option<Duration>, RedirectError> {
    let Some(text) = parameters.get("max_age") else {
        return Ok(None);
    };
    let digits = text.bytes().all(|symbol| symbol.is_ascii_digit());
    match text.parse::<u32>() {
        Ok(seconds) if digits => Ok(Some(Duration::from_secs(seconds.into()))),
        // More than 136 years: no limit, but a number all the same.
        Err(_) if digits && text.len() <= 20 => Ok(Some(Duration::from_secs(u32::MAX.into()))),
        _ => Err(RedirectError::invalid_request("max_age is a number of seconds")),
    }
}
