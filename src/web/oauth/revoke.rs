//! The revocation endpoint (RFC 7009 §2).

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};

use super::token::{NEVER_KEPT, NOT_A_FORM, refused};
use super::{JsonFailure, authorization, form};
use crate::flows::revocation;
use crate::web::WebState;

/// RFC 7009 §2.2: "The authorization server responds with HTTP status code 200 if the token has been revoked successfully
/// or if the client submitted an invalid token." The body is nobody's to read.
pub(super) async fn post(
    State(state): State<WebState>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, JsonFailure> {
    let Some(form) = form(&headers, &body) else {
        return Ok(refused(NOT_A_FORM));
    };
    let outcome = revocation::revoke(&state.context, &state.keyring, authorization(&headers), form).await?;
    Ok(match outcome {
        Ok(_) => (NEVER_KEPT, StatusCode::OK).into_response(),
        Err(error) => {
            tracing::info!(cause = %error, "revocation refused");
            refused(error)
        }
    })
}
