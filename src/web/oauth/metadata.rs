//! What programs read before anything else: the discovery document and the key set.

use axum::extract::State;
use axum::http::header::{CACHE_CONTROL, HeaderValue};
use axum::response::IntoResponse;

use super::{JsonFailure, json};
use crate::oidc::discovery;
use crate::web::WebState;

/// An hour: a next key is published a day before it signs, and a retired one stays for a week.
const AN_HOUR: HeaderValue = HeaderValue::from_static("public, max-age=3600");

pub(super) async fn discovery(State(state): State<WebState>) -> impl IntoResponse {
    let document = discovery::document(&state.context.settings.public_url);
    ([(CACHE_CONTROL, AN_HOUR)], json(&document))
}

pub(super) async fn jwks(State(state): State<WebState>) -> Result<impl IntoResponse, JsonFailure> {
    let keys = state.keyring.published(&state.context).await?;
    Ok(([(CACHE_CONTROL, AN_HOUR)], json(&keys.to_json())))
}
