//! Bearer tokens at a protected resource (RFC 6750 §2): in the header or in the form, never in the query, where logs and
//! histories keep them.

use super::error::{ErrorCode, OAuthError};
use super::parameters::Parameters;
use crate::base::secret::Secret;

/// Why a resource answers nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BearerError {
    /// No token came: the challenge names no error (RFC 6750 §3.1).
    Missing,
    /// What came is refused.
    Refused(OAuthError),
}

/// A token that is not good (any more): expired, revoked, or never ours. Which of them is not told.
pub const INVALID: BearerError = BearerError::Refused(OAuthError::new(
    ErrorCode::InvalidToken,
    "the access token is not valid",
));

const TWICE: BearerError = BearerError::Refused(OAuthError::new(
    ErrorCode::InvalidRequest,
    "more than one access token",
));

/// Takes the token out of a request: the value of its `Authorization` header, and its form where it has one.
///
/// # Errors
/// [`BearerError`] where there is none, or more than one (RFC 6750 §2).
pub fn read(authorization: Option<&str>, form: Option<&Parameters>) -> Result<Secret, BearerError> {
    if form.is_some_and(|form| form.is_repeated("access_token")) {
        return Err(TWICE);
    }
    let in_form = form.and_then(|form| form.get("access_token"));
    let in_header = authorization.and_then(|value| {
        let (scheme, token) = value.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
    });
    match (in_header, in_form) {
        (Some(_), Some(_)) => Err(TWICE),
        (Some(token), None) | (None, Some(token)) if !token.is_empty() => Ok(Secret::new(token)),
        (None, None) => Err(BearerError::Missing),
        _ => Err(INVALID),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_token_by_header_or_form() {
        let form = |body| Parameters::read(body).unwrap();
        assert_eq!(read(Some("bearer abc"), None).unwrap().expose(), "abc");
        assert_eq!(
            read(None, Some(&form("access_token=abc"))).unwrap().expose(),
            "abc"
        );
        assert_eq!(
            read(Some("Bearer abc"), Some(&form("access_token=abc"))).unwrap_err(),
            TWICE
        );
        assert_eq!(
            read(None, Some(&form("access_token=a&access_token=b"))).unwrap_err(),
            TWICE
        );
        assert_eq!(read(None, Some(&form(""))).unwrap_err(), BearerError::Missing);
        assert_eq!(read(Some("Basic abc"), None).unwrap_err(), BearerError::Missing);
        assert_eq!(read(Some("Bearer "), None).unwrap_err(), INVALID);
    }
}
