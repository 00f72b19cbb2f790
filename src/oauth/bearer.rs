//! Access tokens at a protected resource: in the header or in the form (RFC 6750 §2), never in the query, where logs and
//! histories keep them; one that is bound to a key only in the header, by the scheme `DPoP` (RFC 9449 §7.1).

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
pub const INVALID: OAuthError = OAuthError::new(ErrorCode::InvalidToken, "the access token is not valid");

/// A token that is good, and in the wrong hands (RFC 9449 §7.1).
pub const OTHER_KEY: OAuthError = OAuthError::new(
    ErrorCode::InvalidToken,
    "the access token is bound to another key than the one of the DPoP proof",
);

/// What is said of a form that may not be read to its end (RFC 6750 §3.1).
pub const TOO_LONG: OAuthError = OAuthError::new(ErrorCode::InvalidRequest, "the request is too long");

const TWICE: BearerError = BearerError::Refused(OAuthError::new(
    ErrorCode::InvalidRequest,
    "more than one access token",
));

/// How a token is brought, which says what it is to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    /// Good in anybody's hands (RFC 6750).
    Bearer,
    /// Good with a proof of the key that it is bound to (RFC 9449 §7.1).
    Dpop,
}

/// A token that came, nothing of which is believed yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Presented {
    /// How.
    pub scheme: Scheme,
    /// The token.
    pub token: Secret,
}

impl Presented {
    /// Whether a token that is bound to a key, or to none, may be brought like this. RFC 9449 §7.2: otherwise whoever
    /// stole a bound one would only have to call it a bearer token.
    pub fn fits(&self, jkt: Option<&str>) -> bool {
        jkt.is_some() == (self.scheme == Scheme::Dpop)
    }
}

/// The scheme that a request uses, right or wrong; `None` where it brings nothing that is known.
pub fn scheme(authorization: Option<&str>) -> Option<Scheme> {
    credentials(authorization?).map(|(scheme, _)| scheme)
}

/// RFC 9110 §11.1: the name of a scheme is written in any case.
fn credentials(authorization: &str) -> Option<(Scheme, &str)> {
    let (name, token) = authorization.split_once(' ')?;
    let known = [("bearer", Scheme::Bearer), ("dpop", Scheme::Dpop)];
    let mut known = known.into_iter();
    let (_, scheme) = known.find(|(known, _)| name.eq_ignore_ascii_case(known))?;
    Some((scheme, token.trim()))
}

/// Takes the token out of a request: the value of its `Authorization` header, and its form where it has one.
///
/// # Errors
/// [`BearerError`] where there is none, or more than one (RFC 6750 §2).
pub fn read(authorization: Option<&str>, form: Option<&Parameters>) -> Result<Presented, BearerError> {
    if form.is_some_and(|form| form.is_repeated("access_token")) {
        return Err(TWICE);
    }
    let in_form = form.and_then(|form| form.get("access_token"));
    let in_form = in_form.map(|token| (Scheme::Bearer, token));
    let in_header = authorization.and_then(credentials);
    match (in_header, in_form) {
        (Some(_), Some(_)) => Err(TWICE),
        (Some((scheme, token)), None) | (None, Some((scheme, token))) if !token.is_empty() => Ok(Presented {
            scheme,
            token: Secret::new(token),
        }),
        (None, None) => Err(BearerError::Missing),
        _ => Err(BearerError::Refused(INVALID)),
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
        let presented = |scheme| {
            let token = Secret::new("abc");
            Ok(Presented { scheme, token })
        };
        assert_eq!(read(Some("bearer abc"), None), presented(Scheme::Bearer));
        for name in ["DPoP", "dpop", "dPoP"] {
            assert_eq!(read(Some(&format!("{name} abc")), None), presented(Scheme::Dpop));
        }
        let in_form = form("access_token=abc");
        assert_eq!(read(None, Some(&in_form)), presented(Scheme::Bearer));
        assert_eq!(read(Some("DPoP abc"), Some(&in_form)).unwrap_err(), TWICE);
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
        assert_eq!(
            read(Some("Bearer "), None).unwrap_err(),
            BearerError::Refused(INVALID)
        );
    }

    #[test]
    fn rfc_9449_section_7_2_a_bound_token_is_no_bearer_token_nor_the_other_way_round() {
        let brought = |scheme| Presented {
            scheme,
            token: Secret::new("abc"),
        };
        assert!(brought(Scheme::Dpop).fits(Some("key")) && brought(Scheme::Bearer).fits(None));
        assert!(!brought(Scheme::Bearer).fits(Some("key")) && !brought(Scheme::Dpop).fits(None));
    }
}
