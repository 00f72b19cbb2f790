//! The introspection endpoint (RFC 7662 §2, RFC 9701 §4): POST only, so that no token stands in an address.

use axum::body::Bytes;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::http::header::{ACCEPT, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};

use super::token::{NEVER_KEPT, NOT_A_FORM, refused};
use super::{JsonFailure, authorization, form, json};
use crate::flows::introspection::{self, Answer};
use crate::oauth::introspection::MEDIA_TYPE;
use crate::web::WebState;

pub(super) async fn post(
    State(state): State<WebState>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, JsonFailure> {
    let Some(form) = form(&headers, &body) else {
        return Ok(refused(NOT_A_FORM));
    };
    let (authorization, accepts_jwt) = (authorization(&headers), accepts_jwt(&headers));
    let answer =
        introspection::introspect(&state.context, &state.keyring, authorization, form, accepts_jwt).await?;
    Ok(match answer {
        Ok(Answer::Plain(members)) => (NEVER_KEPT, json(&members.into())).into_response(),
        Ok(Answer::Signed(jwt)) => (NEVER_KEPT, [(CONTENT_TYPE, MEDIA_TYPE)], jwt).into_response(),
        Err(error) => {
            tracing::info!(cause = %error, "introspection refused");
            refused(error)
        }
    })
}

fn accepts_jwt(headers: &HeaderMap) -> bool {
    let accepted = headers
        .get_all(ACCEPT)
        .iter()
        .filter_map(|value| value.to_str().ok());
    accepted
        .flat_map(|value| value.split(','))
        .filter_map(|range| range.split(';').next())
        .any(|range| range.trim().eq_ignore_ascii_case(MEDIA_TYPE))
}
