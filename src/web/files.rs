//! Static files and the project's colours, cacheable for ever at addresses that change with the content.

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderValue, Uri, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;

use super::error::WebError;
use super::views::Brand;
use super::{WebState, assets};

const FOR_EVER: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");
const NOT_KEPT: HeaderValue = HeaderValue::from_static("no-cache");

/// The routes.
pub(super) fn routes() -> Router<WebState> {
    Router::new()
        .route(&format!("{}{{*path}}", assets::PREFIX), get(static_file))
        .route(&format!("{}{{file}}", Brand::CSS_PREFIX), get(colours))
}

/// A static file; services of the demo serve it too.
pub async fn static_file(uri: Uri) -> Response {
    let Some(found) = assets::find(uri.path()) else {
        return WebError::NotFound.into_response();
    };
    let cache = if found.immutable { FOR_EVER } else { NOT_KEPT };
    let content_type = HeaderValue::from_static(found.asset.content_type);
    (
        [
            (header::CONTENT_TYPE, content_type),
            (header::CACHE_CONTROL, cache),
        ],
        found.asset.bytes,
    )
        .into_response()
}

async fn colours(State(state): State<WebState>, uri: Uri) -> Response {
    let cache = if uri.path() == state.brand.css_url() {
        FOR_EVER
    } else {
        NOT_KEPT
    };
    let content_type = HeaderValue::from_static("text/css; charset=utf-8");
    let css = state.brand.css().to_owned();
    (
        [
            (header::CONTENT_TYPE, content_type),
            (header::CACHE_CONTROL, cache),
        ],
        css,
    )
        .into_response()
}
