//! The userinfo endpoint (OpenID Connect Core §5.3), a protected resource of RFC 6750.

use axum::body::Bytes;
use axum::extract::State;
use axum::http::header::{HeaderValue, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};

use super::{JsonFailure, authorization, form, json};
use crate::base::secret::Secret;
use crate::flows::userinfo;
use crate::oauth::bearer::{self, BearerError};
use crate::oauth::error::ErrorCode;
use crate::oauth::parameters::Parameters;
use crate::web::WebState;

pub(super) async fn get(State(state): State<WebState>, headers: HeaderMap) -> Result<Response, JsonFailure> {
    answer(&state, bearer::read(authorization(&headers), None)).await
}

pub(super) async fn post(
    State(state): State<WebState>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, JsonFailure> {
    let form = form(&headers, &body).and_then(|form| Parameters::read(form).ok());
    answer(&state, bearer::read(authorization(&headers), form.as_ref())).await
}

async fn answer(state: &WebState, token: Result<Secret, BearerError>) -> Result<Response, JsonFailure> {
    let token = match token {
        Ok(token) => token,
        Err(error) => return Ok(refused(error)),
    };
    Ok(match userinfo::userinfo(&state.context, &token).await? {
        Some(claims) => json(&claims.into()),
        None => refused(bearer::INVALID),
    })
}

/// RFC 6750 §3: the challenge says what was wrong; without a token it says nothing.
fn refused(error: BearerError) -> Response {
    let (status, challenge) = match error {
        BearerError::Missing => (StatusCode::UNAUTHORIZED, "Bearer realm=\"marelle\"".to_owned()),
        BearerError::Refused(error) => {
            let status = match error.code {
                ErrorCode::InvalidToken => StatusCode::UNAUTHORIZED,
                _ => StatusCode::BAD_REQUEST,
            };
            let (code, description) = (error.code.as_str(), error.description);
            (
                status,
                format!("Bearer realm=\"marelle\", error=\"{code}\", error_description=\"{description}\""),
            )
        }
    };
    let mut response = status.into_response();
    if let Ok(challenge) = HeaderValue::from_str(&challenge) {
        response.headers_mut().insert(WWW_AUTHENTICATE, challenge);
    }
    response
}
