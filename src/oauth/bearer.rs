//! Bearer tokens at a protected resource (RFC 6750 §2): in the header or in the form, never in the query, where logs and
//! histories keep them.

use super::error::{ErrorCode, OAuthError};
use super::parameters::Parameters;
use crate::base::secret::Secret;
use crate::base::time::Timestamp;
use crate::domain::grant::TokenUse;

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

/// Whether a token is good at this moment: not expired, neither it nor its grant revoked, its login not ended (unless the
/// grant outlives it), and its person one who may be signed in. A login that ran out by itself does not cut a token
/// short: the token runs out soon after.
pub fn is_good(token: &TokenUse, now: Timestamp) -> bool {
    now < token.expires_at
        && token.revoked_at.is_none()
        && token.grant.revoked_at.is_none()
        && (!token.session_was_ended || token.grant.outlives_login())
        && token.identity.status.may_sign_in()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_good_only_while_everything_behind_it_is() {
        let grant = crate::domain::testing::grant("ent");
        let now = grant.created_at;
        let good = TokenUse {
            issued_at: Some(now),
            expires_at: now.plus(std::time::Duration::from_secs(1)),
            revoked_at: None,
            scopes: grant.scopes.clone(),
            audience: None,
            jkt: None,
            grant,
            identity: crate::domain::testing::person("Lina", 1),
            session_was_ended: false,
        };
        let changed = |change: fn(&mut TokenUse)| {
            let mut token = good.clone();
            change(&mut token);
            is_good(&token, now)
        };
        assert!(changed(|_| {}));
        assert!(!changed(|token| token.expires_at = token.grant.created_at));
        assert!(!changed(|token| token.grant.revoked_at = Some(token.expires_at)));
        assert!(!changed(|token| token.revoked_at = Some(token.expires_at)));
        assert!(!changed(|token| token.session_was_ended = true));
        assert!(changed(|token| {
            token.session_was_ended = true;
            token.grant.scopes = crate::domain::grant::Scopes::known_of("openid offline_access");
        }));
        assert!(!changed(
            |token| token.identity.status = crate::domain::identity::Status::Suspended
        ));
    }

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
