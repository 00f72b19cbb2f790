//! The token endpoint (RFC 6749 §3.2, §5).

use axum::body::Bytes;
use axum::extract::State;
use axum::http::header::{CACHE_CONTROL, HeaderValue, PRAGMA, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};

use super::{JsonFailure, authorization, dpop, form, json, with_nonce};
use crate::flows::token::{self, Tokens};
use crate::oauth::access_token;
use crate::oauth::error::{ErrorCode, OAuthError};
use crate::web::WebState;

pub(super) const NOT_A_FORM: OAuthError = OAuthError::new(
    ErrorCode::InvalidRequest,
    "the body is not application/x-www-form-urlencoded",
);

pub(super) async fn post(
    State(state): State<WebState>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, JsonFailure> {
    let Some(form) = form(&headers, &body) else {
        return Ok(refused(NOT_A_FORM));
    };
    let (context, keyring) = (&state.context, &state.keyring);
    let outcome = token::exchange(context, keyring, authorization(&headers), dpop(&headers), form).await?;
    match outcome.reply {
        Ok(tokens) => with_nonce(context, None, granted(&tokens)),
        Err(error) => {
            tracing::info!(cause = %error, committed = ?outcome.committed, "token request refused");
            with_nonce(context, Some(error.code), refused(error))
        }
    }
}

/// RFC 6749 §5.1: what holds tokens is never kept by anything on the way.
pub(super) const NEVER_KEPT: [(axum::http::HeaderName, HeaderValue); 2] = [
    (CACHE_CONTROL, HeaderValue::from_static("no-store")),
    (PRAGMA, HeaderValue::from_static("no-cache")),
];

fn granted(tokens: &Tokens) -> Response {
    let mut body = serde_json::json!({
        "access_token": tokens.access_token.expose(),
        "token_type": access_token::token_type(tokens.is_bound),
        "expires_in": tokens.expires_in.as_secs(),
    });
    // RFC 6749 §3.3: a scope has at least one word.
    if let (false, Some(body)) = (tokens.scope.is_empty(), body.as_object_mut()) {
        body.insert("scope".to_owned(), tokens.scope.as_str().into());
    }
    let further = [
        ("refresh_token", &tokens.refresh_token),
        ("id_token", &tokens.id_token),
    ];
    for (name, token) in further {
        if let (Some(token), Some(body)) = (token, body.as_object_mut()) {
            body.insert(name.to_owned(), token.expose().into());
        }
    }
    (NEVER_KEPT, json(&body)).into_response()
}

pub(super) fn refused(error: OAuthError) -> Response {
    let body = serde_json::json!({ "error": error.code.as_str(), "error_description": error.description });
    let mut response = (NEVER_KEPT, json(&body)).into_response();
    if error.code == ErrorCode::InvalidClient {
        // RFC 6749 §5.2, RFC 9110 §15.5.2.
        *response.status_mut() = StatusCode::UNAUTHORIZED;
        response.headers_mut().insert(
            WWW_AUTHENTICATE,
            HeaderValue::from_static("Basic realm=\"marelle\""),
        );
    } else {
        *response.status_mut() = StatusCode::BAD_REQUEST;
    }
    response
}
