//! The registration endpoint (RFC 7591 §3) and the client configuration endpoint (RFC 7592 §2).

use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{Path, State};
use axum::http::header::{CONTENT_TYPE, HeaderValue, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};

use super::token::NEVER_KEPT;
use super::{JsonFailure, authorization, json};
use crate::base::secret::Secret;
use crate::flows::registration::{self, Refused, Registered};
use crate::oauth::bearer;
use crate::oauth::error::ErrorCode;
use crate::oidc::registration::RegistrationError;
use crate::oidc::registration::document::{self, Shown};
use crate::web::WebState;

const TOO_LONG: RegistrationError = RegistrationError::wrong("request", "the body is too long or broken off");
const NOT_JSON: RegistrationError = RegistrationError::wrong("request", "the body is not application/json");

pub(super) async fn post(
    State(state): State<WebState>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, JsonFailure> {
    let Some(token) = token(&headers) else {
        return Ok(unauthorized());
    };
    let body = match read(&headers, body) {
        Ok(body) => body,
        Err(error) => return Ok(refused(error.into())),
    };
    let answer = registration::register(&state.context, &token, &body).await?;
    Ok(match answer {
        Ok(registered) => (StatusCode::CREATED, information(&state, &registered)).into_response(),
        Err(why) => refused(why),
    })
}

pub(super) async fn get(
    State(state): State<WebState>,
    Path(client): Path<String>,
    headers: HeaderMap,
) -> Result<Response, JsonFailure> {
    let Some(token) = token(&headers) else {
        return Ok(unauthorized());
    };
    let answer = registration::read(&state.context, &client, &token).await?;
    Ok(answer.map_or_else(refused, |registered| information(&state, &registered)))
}

pub(super) async fn put(
    State(state): State<WebState>,
    Path(client): Path<String>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, JsonFailure> {
    let Some(token) = token(&headers) else {
        return Ok(unauthorized());
    };
    let body = match read(&headers, body) {
        Ok(body) => body,
        Err(error) => return Ok(refused(error.into())),
    };
    let answer = registration::change(&state.context, &client, &token, &body).await?;
    Ok(answer.map_or_else(refused, |registered| information(&state, &registered)))
}

pub(super) async fn delete(
    State(state): State<WebState>,
    Path(client): Path<String>,
    headers: HeaderMap,
) -> Result<Response, JsonFailure> {
    let Some(token) = token(&headers) else {
        return Ok(unauthorized());
    };
    let answer = registration::delete(&state.context, &client, &token).await?;
    Ok(answer.map_or_else(refused, |()| (StatusCode::NO_CONTENT, NEVER_KEPT).into_response()))
}

fn token(headers: &HeaderMap) -> Option<Secret> {
    let presented = bearer::read(authorization(headers), None).ok()?;
    // No token of registration is bound to a key.
    presented.fits(None).then_some(presented.token)
}

/// The body, where it declares itself JSON (RFC 7591 §3.1).
fn read(headers: &HeaderMap, body: Result<Bytes, BytesRejection>) -> Result<Bytes, RegistrationError> {
    let declared = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let media_type = declared
        .and_then(|value| value.split(';').next())
        .unwrap_or_default();
    if !media_type.trim().eq_ignore_ascii_case("application/json") {
        return Err(NOT_JSON);
    }
    body.map_err(|_| TOO_LONG)
}

fn information(state: &WebState, registered: &Registered) -> Response {
    let shown = Shown {
        issuer: &state.context.settings.public_url,
        secret: registered.secret.as_ref(),
        access_token: &registered.access_token,
    };
    (NEVER_KEPT, json(&document::write(&registered.party, shown))).into_response()
}

fn refused(why: Refused) -> Response {
    match why {
        Refused::Token => unauthorized(),
        Refused::Request(error) => {
            tracing::info!(cause = %error, "registration refused");
            let body = serde_json::json!({
                "error": error.code().as_str(),
                "error_description": error.to_string(),
            });
            (StatusCode::BAD_REQUEST, NEVER_KEPT, json(&body)).into_response()
        }
    }
}

/// RFC 7591 §3, RFC 7592 §2, RFC 6750 §3: one answer for no token, a wrong one, and one of a client that is gone.
fn unauthorized() -> Response {
    let body = serde_json::json!({ "error": ErrorCode::InvalidToken.as_str() });
    let mut response = (StatusCode::UNAUTHORIZED, NEVER_KEPT, json(&body)).into_response();
    response.headers_mut().insert(
        WWW_AUTHENTICATE,
        HeaderValue::from_static("Bearer realm=\"marelle\", error=\"invalid_token\""),
    );
    response
}
