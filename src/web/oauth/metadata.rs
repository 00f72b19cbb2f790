//! What programs read before anything else: the discovery document and the key set, kept by them for an hour and asked
//! for again for the price of a comparison (RFC 9111 §4.3.1).

use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, ETAG, HeaderMap, HeaderValue, IF_NONE_MATCH};
use axum::response::{IntoResponse, Response};
use data_encoding::BASE64URL_NOPAD;
use serde_json::Value;

use super::{JsonFailure, json};
use crate::base::secret::sha256;
use crate::flows::upstream::ways;
use crate::oidc::discovery;
use crate::web::WebState;

/// An hour: a next key is published for a day and two hours before it signs, so that also what was kept for an hour on
/// the way and for a day by a client has it in time; a retired one stays for a week.
const AN_HOUR: HeaderValue = HeaderValue::from_static("public, max-age=3600");

pub(super) async fn discovery(
    State(state): State<WebState>,
    headers: HeaderMap,
) -> Result<Response, JsonFailure> {
    let surest = ways::surest(&state.context, &[]).await?;
    let document = discovery::document(&state.context.settings.public_url, surest);
    Ok(cacheable(&headers, &document))
}

pub(super) async fn jwks(State(state): State<WebState>, headers: HeaderMap) -> Result<Response, JsonFailure> {
    let keys = state.keyring.published(&state.context).await?;
    Ok(cacheable(&headers, &keys.to_json()))
}

/// A document, or the word that the asker's copy still holds (RFC 9110 §13.1.2).
fn cacheable(asked: &HeaderMap, document: &Value) -> Response {
    let tag = BASE64URL_NOPAD.encode(&sha256(document.to_string().as_bytes()));
    let tag = format!("\"{tag}\"");
    let has_it = asked
        .get_all(IF_NONE_MATCH)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(|value| value.trim().trim_start_matches("W/"))
        .any(|value| value == tag || value == "*");
    let mut response = if has_it {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        json(document)
    };
    response.headers_mut().insert(CACHE_CONTROL, AN_HOUR);
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        response.headers_mut().insert(ETAG, tag);
    }
    response
}
