//! L5: HTTP. Handlers take a request apart, call one flow and write its outcome; [`router`] is the one list of routes.
//!
//! Must never decide: a status, a redirect and a page are all a handler chooses. The limits on what comes from outside
//! (size, time, panics) are laid around every route here.

pub mod assets;
pub mod cards;
pub mod cookie;
pub mod error;
mod farewell;
pub mod files;
mod login;
mod oauth;
pub mod origin;
pub mod page;
pub mod request;
mod saml;
pub mod server;
pub mod views;
pub mod visit;
pub mod visitor;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::StatusCode;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::get;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::timeout::TimeoutLayer;

use crate::flows::Context;
use crate::flows::keys::Keyring;
use views::Brand;

/// The largest body a form or token request may have.
const BODY: usize = 64 * 1024;
/// The longest a request may take, password queue included.
const TIME: Duration = Duration::from_secs(30);

/// What every handler has.
#[derive(Clone)]
pub struct WebState {
    /// What flows need.
    pub context: Context,
    /// The keys the provider signs with.
    pub keyring: Keyring,
    /// How the project dresses its pages.
    pub brand: Arc<Brand>,
}

/// The whole site.
pub fn router(state: WebState) -> Router {
    Router::new()
        .merge(health())
        .merge(files::routes())
        .merge(oauth::routes())
        .merge(saml::routes())
        .merge(login::routes())
        .fallback(async || error::WebError::NotFound)
        .layer(from_fn_with_state(state.clone(), origin::same_origin_forms))
        .layer(DefaultBodyLimit::max(BODY))
        .layer(TimeoutLayer::with_status_code(
            StatusCode::SERVICE_UNAVAILABLE,
            TIME,
        ))
        .layer(CatchPanicLayer::custom(error::from_panic))
        .layer(from_fn_with_state(state.clone(), error::render))
        .layer(from_fn_with_state(state.clone(), request::dress))
        .layer(from_fn(request::identify))
        .with_state(state)
}

fn health() -> Router<WebState> {
    Router::new()
        .route("/health/live", get(async || "ok\n"))
        .route("/health/ready", get(ready))
}

/// Ready is: the database answers.
async fn ready(
    axum::extract::State(state): axum::extract::State<WebState>,
) -> Result<&'static str, error::WebError> {
    crate::flows::installation::ping(&state.context).await?;
    Ok("ok\n")
}

/// The id of an avatar by its number.
pub(crate) fn avatar_id(number: usize) -> String {
    views::AVATARS
        .get(number)
        .map(|avatar| avatar.id.to_owned())
        .unwrap_or_default()
}
