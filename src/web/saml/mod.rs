//! The endpoints of the SAML identity provider: each handler takes a request apart, calls one flow and writes its outcome.
//!
//! | path | who calls it | cookie |
//! | --- | --- | --- |
//! | `/saml/metadata` | programs | no |
//!
//! Must never decide what a specification says, and never log a message.

mod metadata;

use axum::Router;
use axum::routing::get;

use super::WebState;

/// The routes.
pub(super) fn routes() -> Router<WebState> {
    Router::new().route("/saml/metadata", get(metadata::ours))
}
