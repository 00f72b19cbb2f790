//! Addresses that answers are sent to. A browser or this program goes there with what a person is: `https`, and nothing
//! that a program would run.

use super::{Allowed, Unusable};
use crate::base::url::{Url, origin};
use crate::domain::registration::is_loopback;

/// The longest address.
const LONGEST: usize = 2048;

/// Checks an address that messages are sent to; answers it byte for byte.
pub(super) fn endpoint(text: &str, allowed: Allowed) -> Result<String, Unusable> {
    let text = text.trim();
    let wrong = || Unusable::Address(super::label::short(text));
    if text.len() > LONGEST || text.chars().any(char::is_control) {
        return Err(wrong());
    }
    let url = Url::parse(text).map_err(|_| wrong())?;
    let is_safe = match url.scheme() {
        "https" => true,
        "http" => allowed.http_addresses || url.host_str().is_some_and(is_loopback),
        _ => false,
    };
    let is_plain = url.username().is_empty() && url.password().is_none() && url.fragment().is_none();
    if is_safe && is_plain && url.host_str().is_some() {
        Ok(text.to_owned())
    } else {
        Err(wrong())
    }
}

/// A page for people, where it is one of the web.
pub(super) fn page(text: &str) -> Option<String> {
    let text = text.trim();
    let fits = text.len() <= LONGEST && !text.chars().any(char::is_control);
    (fits && origin(text).is_some()).then(|| text.to_owned())
}
