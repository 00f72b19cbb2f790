//! The pushed authorization request endpoint (RFC 9126 §2).

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};

use super::token::{NEVER_KEPT, NOT_A_FORM, refused};
use super::{authorization, form, json};
use crate::flows::pushed_request;
use crate::web::WebState;
use crate::web::error::WebError;

pub(super) async fn post(
    State(state): State<WebState>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, WebError> {
    let Some(form) = form(&headers, &body) else {
        return Ok(refused(NOT_A_FORM));
    };
    let pushed = pushed_request::push(&state.context, authorization(&headers), form).await?;
    Ok(match pushed {
        Ok(pushed) => {
            let body = serde_json::json!({
                "request_uri": pushed.request_uri.expose(),
                "expires_in": pushed.expires_in.as_secs(),
            });
            (StatusCode::CREATED, NEVER_KEPT, json(&body)).into_response()
        }
        Err(error) => {
            tracing::info!(cause = %error, "pushed request refused");
            refused(error)
        }
    })
}
