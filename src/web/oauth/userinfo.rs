//! The userinfo endpoint (OpenID Connect Core §5.3), a protected resource of RFC 6750 and RFC 9449: JSON, or a signed JWT
//! for a party that registered an algorithm. Nothing on the way keeps an answer.

use axum::body::Bytes;
use axum::extract::State;
use axum::http::header::{CONTENT_TYPE, HeaderValue, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::{IntoResponse, Response};

use super::{JsonFailure, authorization, dpop, form, json, with_nonce};
use crate::flows::userinfo::{Answer, Asked, userinfo};
use crate::jose::Algorithm;
use crate::oauth::bearer::{self, BearerError, Scheme};
use crate::oauth::error::{ErrorCode, OAuthError};
use crate::oauth::parameters::Parameters;
use crate::web::WebState;

/// OpenID Connect Core §5.3.2: what a signed answer is.
const JWT: HeaderValue = HeaderValue::from_static("application/jwt");

pub(super) async fn get(
    State(state): State<WebState>,
    method: Method,
    headers: HeaderMap,
) -> Result<Response, JsonFailure> {
    answer(&state, &method, &headers, None).await
}

pub(super) async fn post(
    State(state): State<WebState>,
    method: Method,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, JsonFailure> {
    match form(&headers, &body).map(Parameters::read).transpose() {
        Ok(form) => answer(&state, &method, &headers, form.as_ref()).await,
        Err(_) => Ok(challenged(
            Some(bearer::TOO_LONG),
            bearer::scheme(authorization(&headers)),
        )),
    }
}

async fn answer(
    state: &WebState,
    method: &Method,
    headers: &HeaderMap,
    form: Option<&Parameters>,
) -> Result<Response, JsonFailure> {
    let scheme = bearer::scheme(authorization(headers));
    let presented = match bearer::read(authorization(headers), form) {
        Ok(presented) => presented,
        Err(BearerError::Missing) => return Ok(challenged(None, scheme)),
        Err(BearerError::Refused(error)) => return Ok(challenged(Some(error), scheme)),
    };
    let asked = Asked {
        presented: &presented,
        dpop: dpop(headers),
        method: method.as_str(),
    };
    match userinfo(&state.context, &state.keyring, asked).await? {
        Ok(answer) => {
            let response = match answer {
                Answer::Plain(claims) => json(&claims.into()),
                Answer::Signed(token) => ([(CONTENT_TYPE, JWT)], token).into_response(),
            };
            with_nonce(&state.context, None, response)
        }
        Err(error) => {
            let response = challenged(Some(error), scheme);
            with_nonce(&state.context, Some(error.code), response)
        }
    }
}

/// RFC 6750 §3, RFC 9449 §7.1: the challenge says what was wrong, by the scheme that was used; without a token it says
/// nothing but how one is brought. Each challenge has its own field: some clients read one of them only.
fn challenged(error: Option<OAuthError>, scheme: Option<Scheme>) -> Response {
    let said = error.map(|error| {
        let (code, description) = (error.code.as_str(), error.description);
        format!("error=\"{code}\", error_description=\"{description}\", ")
    });
    let said = said.unwrap_or_default();
    let names: Vec<&str> = Algorithm::OF_CLIENTS
        .iter()
        .map(|algorithm| algorithm.as_str())
        .collect();
    let algs = format!("algs=\"{}\"", names.join(" "));
    let challenges = match scheme {
        Some(Scheme::Dpop) => vec![format!("DPoP {said}{algs}")],
        _ => vec![format!("Bearer {said}realm=\"marelle\""), format!("DPoP {algs}")],
    };
    let status = match error.map(|error| error.code) {
        Some(ErrorCode::InvalidRequest) => StatusCode::BAD_REQUEST,
        _ => StatusCode::UNAUTHORIZED,
    };
    let mut response = match error {
        None => status.into_response(),
        Some(error) => {
            let (code, description) = (error.code.as_str(), error.description);
            let body = serde_json::json!({ "error": code, "error_description": description });
            (status, json(&body)).into_response()
        }
    };
    for challenge in challenges {
        if let Ok(challenge) = HeaderValue::from_str(&challenge) {
            response.headers_mut().append(WWW_AUTHENTICATE, challenge);
        }
    }
    response
}
