//! What bounds every request: an axum route that answers "ok", and nothing around it.

use std::time::Duration;

use anyhow::Result;
use axum::body::Body;
use axum::http::Request;
use axum::routing::get;
use tower::ServiceExt as _;

use super::rate::rate;

/// How often it answers in a second, by one thread.
pub(crate) fn route(length: Duration) -> Result<f64> {
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    let router: axum::Router = axum::Router::new().route("/", get(async || "ok\n"));
    rate(length, || {
        runtime.block_on(async {
            let request = Request::get("/").body(Body::empty())?;
            let answer = router.clone().oneshot(request).await?;
            axum::body::to_bytes(answer.into_body(), 1024).await?;
            anyhow::Ok(())
        })
    })
}
