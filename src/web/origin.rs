//! Forms come from our own pages: a POST that a browser says comes from elsewhere is refused.
//!
//! This is the defence against forged forms, login forms included (nobody signs a child in as somebody else). It needs
//! no token in the page and no state, so any tab, however old, still works. Cookies are `SameSite=Lax` besides.
//! Left out are the endpoints that other origins are meant to post to by their specification.

use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::WebState;
use super::error::WebError;

/// OpenID Connect Core §3.1.2.1 (authorization by POST), RP-Initiated Logout §2 (logout by POST), saml-bindings §3.5
/// (messages by POST), CAS Protocol 3.0 §2.2 (login by POST, which is sent round) and §4.2 (tickets shown by POST), and
/// endpoints that look at no cookie.
const OPEN_TO_OTHERS: [&str; 7] = [
    "/oauth/",
    "/saml/sso",
    "/saml/slo",
    "/saml/sp/",
    "/login/callback/",
    "/cas/",
    "/api/",
];

/// Refuses a state-changing request that another site's page has sent.
pub async fn same_origin_forms(State(state): State<WebState>, request: Request, next: Next) -> Response {
    let changes = !matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
    let open = OPEN_TO_OTHERS
        .iter()
        .any(|prefix| request.uri().path().starts_with(prefix));
    if changes && !open && !is_ours(request.headers(), &state.context.settings.public_url) {
        return WebError::ForeignForm.into_response();
    }
    next.run(request).await
}

/// Whether the headers a browser adds by itself say that the request comes from a page of ours. A client that sends
/// neither is no browser, and holds no one's cookies but its own.
fn is_ours(headers: &HeaderMap, public_url: &str) -> bool {
    let header = |name: &str| headers.get(name).map(|value| value.to_str().unwrap_or("?"));
    let site = header("sec-fetch-site").is_none_or(|site| matches!(site, "same-origin" | "none"));
    site && header("origin").is_none_or(|origin| origin == public_url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_pages_of_ours_may_post() {
        let ours = "https://id.example.fr";
        let check = |headers: &[(&'static str, &'static str)]| {
            let headers = headers
                .iter()
                .map(|(name, value)| ((*name).try_into().unwrap(), value.parse().unwrap()));
            is_ours(&headers.collect::<HeaderMap>(), ours)
        };
        assert!(check(&[]));
        assert!(check(&[("origin", ours)]));
        assert!(check(&[("origin", ours), ("sec-fetch-site", "same-origin")]));
        for foreign in [
            "null",
            "https://evil.example",
            "https://id.example.fr.evil.example",
            "http://id.example.fr",
        ] {
            assert!(!check(&[("origin", foreign)]), "{foreign}");
        }
        assert!(!check(&[("origin", ours), ("sec-fetch-site", "cross-site")]));
        assert!(!check(&[("sec-fetch-site", "same-site")]));
    }
}
