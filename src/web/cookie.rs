//! Cookies: the session's, the classroom's, and those of people who come from another provider, `__Host-` and `Secure` over TLS (RFC 6265bis §4.1.3.2).

use axum::http::HeaderMap;
use axum_extra::extract::cookie::{Cookie, CookieJar, SameSite};

use super::WebState;
use crate::base::secret::Secret;

/// What a cookie of ours holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Name {
    /// The login of this browser. Ends with the browser, or before.
    Session,
    /// The class page this device opened last.
    Class,
    /// This browser was sent to another provider, and brings this back.
    Away,
    /// The provider by which somebody last came, on a device of their own.
    Way,
}

impl Name {
    fn text(self, secure: bool) -> String {
        let name = match self {
            Self::Session => "marelle",
            Self::Class => "marelle-class",
            Self::Away => "marelle-away",
            Self::Way => "marelle-way",
        };
        if secure {
            format!("__Host-{name}")
        } else {
            name.to_owned()
        }
    }
}

fn is_secure(state: &WebState) -> bool {
    state.context.settings.public_url.starts_with("https:")
}

/// The value of a cookie, where the browser sent one.
pub fn read(state: &WebState, headers: &HeaderMap, name: Name) -> Option<Secret> {
    let jar = CookieJar::from_headers(headers);
    jar.get(&name.text(is_secure(state)))
        .map(|cookie| Secret::new(cookie.value()))
}

/// A jar that sets a cookie; the classroom's, and the way by which somebody came, are kept for the school year.
pub fn set(state: &WebState, jar: CookieJar, name: Name, value: &Secret) -> CookieJar {
    let mut cookie = base(state, name, value.expose().to_owned());
    if matches!(name, Name::Class | Name::Way) {
        cookie.set_max_age(time::Duration::days(300));
    }
    jar.add(cookie)
}

/// A jar that removes a cookie.
pub fn clear(state: &WebState, jar: CookieJar, name: Name) -> CookieJar {
    let mut cookie = base(state, name, String::new());
    cookie.make_removal();
    jar.add(cookie)
}

/// The language chosen in this browser: no secret, the same name over TLS and not.
pub fn language(headers: &HeaderMap) -> Option<String> {
    let jar = CookieJar::from_headers(headers);
    jar.get(LANGUAGE).map(|cookie| cookie.value().to_owned())
}

/// The header that keeps a language for this browser.
pub fn language_header(tag: &str) -> String {
    Cookie::build((LANGUAGE, tag.to_owned()))
        .path("/")
        .http_only(true)
        .same_site(SameSite::Lax)
        .max_age(time::Duration::days(300))
        .build()
        .to_string()
}

const LANGUAGE: &str = "marelle-lang";

fn base(state: &WebState, name: Name, value: String) -> Cookie<'static> {
    let secure = is_secure(state);
    Cookie::build((name.text(secure), value))
        .path("/")
        .http_only(true)
        .secure(secure)
        .same_site(SameSite::Lax)
        .build()
}
