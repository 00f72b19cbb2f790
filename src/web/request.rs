//! What is around every request: an id that stands in the answer and in the log, one log line, and the headers that
//! keep a browser from doing what no page of ours asks for.

use std::net::SocketAddr;

use axum::extract::{ConnectInfo, Request, State};
use axum::http::header::{self, HeaderName, HeaderValue};
use axum::middleware::Next;
use axum::response::Response;
use tracing::Instrument;

use super::WebState;
use crate::base::random::{self, SystemRandom};

/// The id of a request; the person reads it on an error page, the operator finds it in the log.
#[derive(Debug, Clone)]
pub struct RequestId(pub String);

static REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Gives the request its id, and the log its line. Query strings are never logged: they hold codes.
pub async fn identify(mut request: Request, next: Next) -> Response {
    let id = RequestId(random::symbols(&SystemRandom, b"bcdfghjkmnpqrstvwxz23456789", 10));
    let span = tracing::info_span!("request", id = %id.0, method = %request.method(), path = %shown(request.uri().path()));
    request.extensions_mut().insert(id.clone());
    let peer = request
        .extensions()
        .get::<ConnectInfo<SocketAddr>>()
        .map(|peer| peer.0.ip().to_string());
    let mut response = next.run(request).instrument(span.clone()).await;
    span.in_scope(|| {
        tracing::info!(
            status = response.status().as_u16(),
            peer = peer.unwrap_or_default(),
            "answered"
        );
    });
    if let Ok(value) = HeaderValue::from_str(&id.0) {
        response.headers_mut().insert(REQUEST_ID.clone(), value);
    }
    response
}

/// A path as it may be logged: a class code is a secret and stands in `/class/<code>/…`.
fn shown(path: &str) -> &str {
    if path.starts_with("/class/") {
        "/class/…"
    } else {
        path
    }
}

/// Adds the headers every answer has; a handler's own value stays.
pub async fn dress(State(state): State<WebState>, request: Request, next: Next) -> Response {
    let is_static = request.uri().path().starts_with("/static/");
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    let mut default = |name: HeaderName, value: &'static str| {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    };
    // Pages name their own policy (`page`); whatever else is answered may load nothing at all.
    default(
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; frame-ancestors 'none'",
    );
    default(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    default(header::X_FRAME_OPTIONS, "DENY");
    // `same-origin` and not `no-referrer`: with the latter a browser sends `Origin: null` with our own forms.
    default(header::REFERRER_POLICY, "same-origin");
    default(
        HeaderName::from_static("permissions-policy"),
        "camera=(), microphone=(), geolocation=()",
    );
    default(
        HeaderName::from_static("cross-origin-opener-policy"),
        "same-origin",
    );
    if !is_static {
        default(header::CACHE_CONTROL, "no-store");
    }
    if state.context.settings.public_url.starts_with("https:") {
        default(header::STRICT_TRANSPORT_SECURITY, "max-age=31536000");
    }
    response
}

#[cfg(test)]
mod tests {
    use super::shown;

    #[test]
    fn a_class_code_never_reaches_the_log() {
        assert_eq!(shown("/class/bcdfghjk2345/xyz"), "/class/…");
        assert_eq!(shown("/oauth/token"), "/oauth/token");
    }
}
