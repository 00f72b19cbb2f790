//! Who looks at a page, as the request tells: the language they read, and the dress of the project.

use std::convert::Infallible;

use axum::extract::{FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{HeaderValue, header};
use axum::middleware::Next;
use axum::response::Response;

use super::views::{Lang, Page};
use super::{WebState, cookie};

/// The language to write in: `?lang=` where the person asked by the switch, else what they asked for before, else what
/// the browser prefers, else French.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Visitor {
    /// The language.
    pub lang: Lang,
}

impl Visitor {
    /// Reads the language from a request's query and headers.
    pub fn of(query: Option<&str>, headers: &axum::http::HeaderMap) -> Self {
        let asked = asked(query);
        let chosen = || cookie::language(headers).and_then(|tag| Lang::from_tag(&tag));
        let accepted = || {
            headers
                .get(header::ACCEPT_LANGUAGE)?
                .to_str()
                .ok()
                .and_then(Lang::preferred)
        };
        Self {
            lang: asked.or_else(chosen).or_else(accepted).unwrap_or_default(),
        }
    }

    /// What every page needs, for somebody who is not signed in.
    pub fn page(self, state: &WebState) -> Page {
        Page::new(state.brand.clone(), self.lang)
    }
}

fn asked(query: Option<&str>) -> Option<Lang> {
    crate::base::url::parameters(query.unwrap_or_default())
        .into_iter()
        .find(|(name, _)| name == "lang")
        .and_then(|(_, tag)| Lang::from_tag(&tag))
}

/// Keeps a language that was asked for in the address (`?lang=en`) for the pages and forms that follow.
pub async fn remember(request: Request, next: Next) -> Response {
    let asked = asked(request.uri().query());
    let mut response = next.run(request).await;
    if let Some(lang) = asked
        && let Ok(value) = HeaderValue::from_str(&cookie::language_header(lang.tag()))
    {
        response.headers_mut().append(header::SET_COOKIE, value);
    }
    response
}

impl FromRequestParts<WebState> for Visitor {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &WebState) -> Result<Self, Infallible> {
        Ok(Self::of(parts.uri.query(), &parts.headers))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_switch_wins_over_the_browser_and_french_over_nothing() {
        let headers = |value: &str| {
            [(header::ACCEPT_LANGUAGE, value.parse().unwrap())]
                .into_iter()
                .collect()
        };
        assert_eq!(Visitor::of(None, &headers("en-GB,fr")).lang, Lang::En);
        assert_eq!(Visitor::of(Some("a=1&lang=fr"), &headers("en-GB")).lang, Lang::Fr);
        assert_eq!(Visitor::of(Some("lang=xx"), &headers("de")).lang, Lang::Fr);
        let mut chosen = headers("fr");
        chosen.insert(header::COOKIE, "marelle-lang=en".parse().unwrap());
        assert_eq!(Visitor::of(None, &chosen).lang, Lang::En);
        assert_eq!(Visitor::of(Some("lang=fr"), &chosen).lang, Lang::Fr);
    }
}
