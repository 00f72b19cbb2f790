//! A page as an answer: HTML with the content security policy that lets it load our own style, pictures and script,
//! lets its forms lead nowhere but to us and, along redirects, to the service the person is on the way to, and lets it
//! frame nothing but services that are told of a logout.

use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

/// A page to send.
#[derive(Debug)]
pub struct Page {
    status: StatusCode,
    html: String,
    form_targets: Vec<String>,
    framed: Vec<String>,
    in_our_frames: bool,
}

impl Page {
    /// A page that was rendered.
    pub fn new(html: String) -> Self {
        Self {
            status: StatusCode::OK,
            html,
            form_targets: Vec::new(),
            framed: Vec::new(),
            in_our_frames: false,
        }
    }

    /// The same with another status.
    #[must_use]
    pub fn with_status(mut self, status: StatusCode) -> Self {
        self.status = status;
        self
    }

    /// The same, its forms may lead to `origin` in the end (CSP3 checks `form-action` along redirects).
    #[must_use]
    pub fn leading_to(mut self, origin: Option<String>) -> Self {
        self.form_targets.extend(origin);
        self
    }

    /// The same, it may hold frames of these origins.
    #[must_use]
    pub fn framing(mut self, origins: impl IntoIterator<Item = String>) -> Self {
        for origin in origins {
            if !self.framed.contains(&origin) {
                self.framed.push(origin);
            }
        }
        self
    }

    /// The same, it may stand in a frame of ours.
    #[must_use]
    pub fn in_our_frames(mut self) -> Self {
        self.in_our_frames = true;
        self
    }

    fn policy(&self) -> String {
        let targets = sources(&self.form_targets);
        let frames = if self.framed.is_empty() {
            String::new()
        } else {
            format!(" frame-src{};", sources(&self.framed))
        };
        let ancestors = if self.in_our_frames { "'self'" } else { "'none'" };
        format!(
            "default-src 'none'; style-src 'self'; img-src 'self'; script-src 'self'; font-src 'self'; \
             connect-src 'self';{frames} form-action 'self'{targets}; base-uri 'none'; frame-ancestors {ancestors}"
        )
    }
}

/// Origins as a policy lists them.
fn sources(origins: &[String]) -> String {
    origins
        .iter()
        // An origin has none of these; anything else would write another directive.
        .filter(|origin| !origin.contains([' ', ';', ',', '\'']))
        .map(|origin| format!(" {origin}"))
        .collect()
}

impl IntoResponse for Page {
    fn into_response(self) -> Response {
        let mut response = (
            self.status,
            [(header::CONTENT_TYPE, "text/html; charset=utf-8")],
            (),
        )
            .into_response();
        if let Ok(policy) = HeaderValue::from_str(&self.policy()) {
            response
                .headers_mut()
                .insert(header::CONTENT_SECURITY_POLICY, policy);
        }
        if self.in_our_frames {
            let same = HeaderValue::from_static("SAMEORIGIN");
            response.headers_mut().insert(header::X_FRAME_OPTIONS, same);
        }
        response.headers_mut().insert(
            HeaderName::from_static("x-robots-tag"),
            HeaderValue::from_static("noindex"),
        );
        *response.body_mut() = self.html.into();
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_cannot_write_a_directive() {
        let page = Page::new(String::new())
            .leading_to(Some("https://ent.example".into()))
            .leading_to(Some("https://evil.example; script-src *".into()));
        assert!(
            page.policy()
                .contains("form-action 'self' https://ent.example; base-uri"),
            "{}",
            page.policy()
        );
    }

    #[test]
    fn a_page_stands_in_no_frame_but_ours_and_there_only_where_it_says_so() {
        let headers = |page: Page| {
            let response = page.into_response();
            let text = |name| {
                response
                    .headers()
                    .get(name)
                    .map(|value| value.to_str().unwrap().to_owned())
            };
            (
                text(header::CONTENT_SECURITY_POLICY).unwrap(),
                text(header::X_FRAME_OPTIONS),
            )
        };
        let (policy, options) = headers(Page::new(String::new()));
        assert!(policy.ends_with("frame-ancestors 'none'") && options.is_none());
        let (policy, options) = headers(Page::new(String::new()).in_our_frames());
        assert!(policy.ends_with("frame-ancestors 'self'"));
        assert_eq!(options.as_deref(), Some("SAMEORIGIN"));
    }

    #[test]
    fn only_what_is_named_may_be_framed() {
        let page = Page::new(String::new());
        assert!(!page.policy().contains("frame-src"), "default-src 'none' holds");
        let ent = || "https://ent.example".to_owned();
        let page = page.framing([ent(), "https://b.example".to_owned(), ent()]);
        assert!(
            page.policy()
                .contains("; frame-src https://ent.example https://b.example; form-action"),
            "{}",
            page.policy()
        );
    }
}
