//! The pushed authorization request endpoint (RFC 9126 §2).

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};

use super::token::{NEVER_KEPT, NOT_A_FORM, refused};
use super::{JsonFailure, authorization, dpop, form, json, with_nonce};
use crate::flows::pushed_request;
use crate::web::WebState;

pub(super) async fn post(
    State(state): State<WebState>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, JsonFailure> {
    let Some(form) = form(&headers, &body) else {
        return Ok(refused(NOT_A_FORM));
    };
    let context = &state.context;
    let pushed = pushed_request::push(context, authorization(&headers), dpop(&headers), form).await?;
    match pushed {
        Ok(pushed) => {
            let body = serde_json::json!({
                "request_uri": pushed.request_uri.expose(),
                "expires_in": pushed.expires_in.as_secs(),
            });
            let response = (StatusCode::CREATED, NEVER_KEPT, json(&body)).into_response();
            with_nonce(context, None, response)
        }
        Err(error) => {
            tracing::info!(cause = %error, "pushed request refused");
            with_nonce(context, Some(error.code), refused(error))
        }
    }
}
