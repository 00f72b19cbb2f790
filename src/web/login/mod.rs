//! The pages by which people come in and leave: password, class page, picture code, what a service will know, home,
//! account, sign-out; and the ways to other providers and back.
//!
//! Every answer to credentials that were right is 303 (RFC 9700 §4.12), so no browser sends them on. What was wrong,
//! unknown or not allowed has one status and one page. No form has a state on the server: any tab, however old, works.

mod account;
mod class;
mod home;
pub(super) mod notice;
mod password;
mod picture;
mod sign_out;
mod upstream;

use std::time::Duration;

use axum::Router;
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::from_fn;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use axum_extra::extract::cookie::CookieJar;

use super::page::Page;
pub(super) use class::remembered as remembered_class;

use super::{WebState, cookie, visitor};
use crate::base::secret::Secret;

/// The routes of this folder.
pub(super) fn routes() -> Router<WebState> {
    Router::new()
        .route("/", get(home::show))
        .route("/accessibility", get(home::accessibility))
        .route("/login", get(password::show).post(password::submit))
        .route("/login/cancel", post(notice::cancel))
        .route("/login/with/{provider}", get(upstream::leave))
        .route("/login/callback/{provider}", get(upstream::callback))
        .route("/login/callback/{provider}/logout", post(upstream::told))
        .route("/login/link", get(upstream::prove))
        .route("/saml/sp/acs", post(upstream::consume))
        .route("/saml/sp/acs/resume", get(upstream::resume))
        .route("/saml/sp/leave", get(upstream::leave_by_form))
        .route(
            "/saml/sp/slo",
            get(upstream::slo_by_address).post(upstream::slo_by_form),
        )
        .route("/notice", get(notice::show).post(notice::submit))
        .route("/account", get(account::show))
        .route("/account/withdraw", post(account::withdraw))
        .route("/class", get(class::entry).post(class::enter))
        .route("/class/{code}", get(class::show))
        .route("/class/{code}/{pupil}", get(picture::show).post(picture::submit))
        .route("/sign-out", get(sign_out::show).post(sign_out::submit))
        .layer(from_fn(visitor::remember))
}

/// Somebody has just signed in: the new cookie, and on to where they were going.
fn signed_in(state: &WebState, cookie: &Secret, next: &str) -> Response {
    let jar = cookie::set(state, CookieJar::new(), cookie::Name::Session, cookie);
    (jar, Redirect::to(next)).into_response()
}

/// A page that says that the secret was wrong.
fn refused(page: Page) -> Response {
    page.with_status(StatusCode::FORBIDDEN).into_response()
}

/// A page that says how long to wait (RFC 6585 §4).
fn too_early(page: Page, seconds: u32) -> Response {
    let mut response = page.with_status(StatusCode::TOO_MANY_REQUESTS).into_response();
    response
        .headers_mut()
        .insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    response
}

/// A wait in whole seconds, rounded up: at its end the next try is looked at.
fn seconds(wait: Duration) -> u32 {
    u32::try_from(wait.as_micros().div_ceil(1_000_000)).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests;
