//! The endpoints of the CAS server: each handler takes a request apart, calls one flow and writes its outcome.
//!
//! | path | who calls it | cookie |
//! | --- | --- | --- |
//! | `/cas/login`, `/cas/login/resume`, `/cas/logout` | browsers | yes |
//! | `/cas/validate`, `/cas/serviceValidate`, `/cas/proxyValidate`, `/cas/p3/…`, `/cas/samlValidate`, `/cas/proxy` | servers | no |
//!
//! Nobody posts credentials here: the login page is `/login`, as for every protocol. A message about a logout that somebody
//! posts here (`logoutRequest`) is read by nobody. Must never log a query or a body: they hold tickets.

mod login;
mod logout;
mod proxy;
mod validate;

pub(super) use login::answer;

#[cfg(test)]
mod tests;

use axum::Router;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};

use super::WebState;
use crate::cas::answer::{Answer, Written};
use crate::cas::validation::Refusal;
use crate::flows::Failure;

/// The routes.
pub(super) fn routes() -> Router<WebState> {
    Router::new()
        .route("/cas/login", get(login::get).post(login::post))
        .route("/cas/login/resume", get(login::resume))
        .route("/cas/logout", get(logout::get))
        .route("/cas/validate", get(validate::cas1))
        .route("/cas/serviceValidate", get(validate::service))
        .route("/cas/proxyValidate", get(validate::proxy))
        .route("/cas/p3/serviceValidate", get(validate::service))
        .route("/cas/p3/proxyValidate", get(validate::proxy))
        .route("/cas/samlValidate", post(validate::saml))
        .route("/cas/proxy", get(proxy::get))
}

/// What a server is answered where nobody could do anything about it: `INTERNAL_ERROR` in the words it asked in, and the
/// cause in the log. The second is the status.
fn settled(
    answered: Result<Answer, Failure>,
    failed: impl FnOnce(Refusal) -> Answer,
) -> (Answer, StatusCode) {
    match answered {
        Ok(answer) => (answer, StatusCode::OK),
        Err(failure) => {
            tracing::error!(cause = %failure, "failed");
            let status = if failure.is_unavailable() {
                StatusCode::SERVICE_UNAVAILABLE
            } else {
                StatusCode::INTERNAL_SERVER_ERROR
            };
            (failed(Refusal::INTERNAL), status)
        }
    }
}

fn document(status: StatusCode, written: Written) -> Response {
    let content_type = HeaderValue::from_static(written.content_type);
    (status, [(header::CONTENT_TYPE, content_type)], written.body).into_response()
}
