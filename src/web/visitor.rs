//! Who looks at a page, as the request tells: the language they read, and the dress of the project.

use std::convert::Infallible;

use axum::extract::FromRequestParts;
use axum::http::header;
use axum::http::request::Parts;

use super::WebState;
use super::views::{Lang, Page};

/// The language to write in: `?lang=` where the person asked by the switch, else what the browser prefers, else French.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Visitor {
    /// The language.
    pub lang: Lang,
}

impl Visitor {
    /// Reads the language from a request's query and headers.
    pub fn of(query: Option<&str>, headers: &axum::http::HeaderMap) -> Self {
        let asked = crate::base::url::parameters(query.unwrap_or_default())
            .into_iter()
            .find(|(name, _)| name == "lang")
            .and_then(|(_, tag)| Lang::from_tag(&tag));
        let accepted = || {
            headers
                .get(header::ACCEPT_LANGUAGE)?
                .to_str()
                .ok()
                .and_then(Lang::preferred)
        };
        Self {
            lang: asked.or_else(accepted).unwrap_or_default(),
        }
    }

    /// What every page needs, for somebody who is not signed in.
    pub fn page(self, state: &WebState) -> Page {
        Page::new(state.brand.clone(), self.lang)
    }
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
    }
}
