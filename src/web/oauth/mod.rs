//! The endpoints of the OpenID Connect provider: each handler takes a request apart, calls one flow and writes its outcome.
//!
//! | path | who calls it | cookie | other origins |
//! | --- | --- | --- | --- |
//! | `/.well-known/openid-configuration`, `/oauth/jwks.json` | programs | no | may read |
//! | `/oauth/token`, `/oauth/par`, `/oauth/userinfo`, `/oauth/revoke` | programs | no | may read: public clients run in pages |
//! | `/oauth/register`, `/oauth/register/<client_id>` | programs | no | may read: whoever has the token |
//! | `/oauth/introspect` | servers | no | no |
//! | `/oauth/authorize`, `/oauth/authorize/resume`, `/oauth/logout` | browsers | yes | may send people here |
//!
//! Must never decide what a specification says, and never log a query or a body.

mod authorize;
mod introspect;
mod logout;
mod metadata;
mod par;
mod register;
mod revoke;
mod token;
mod userinfo;

pub(super) use authorize::{answer, closed, for_adults};

#[cfg(test)]
pub(super) mod tests;

use axum::Router;
use axum::extract::Request;
use axum::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use axum::http::{Method, StatusCode};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};

use super::WebState;
use super::error::WebError;
use crate::base::url::Url;
use crate::flows::{self, Context, Failure};
use crate::oauth::dpop::Shown;
use crate::oauth::error::ErrorCode;
use crate::oauth::parameters::Parameters;

/// The routes.
pub(super) fn routes() -> Router<WebState> {
    let for_programs = Router::new()
        .route("/.well-known/openid-configuration", get(metadata::discovery))
        .route("/oauth/jwks.json", get(metadata::jwks))
        .route("/oauth/token", post(token::post))
        .route("/oauth/par", post(par::post))
        .route("/oauth/register", post(register::post))
        .route(
            "/oauth/register/{client_id}",
            get(register::get).put(register::put).delete(register::delete),
        )
        .route("/oauth/userinfo", get(userinfo::get).post(userinfo::post))
        .route("/oauth/revoke", post(revoke::post))
        .layer(from_fn(readable_anywhere));
    Router::new()
        .route("/oauth/authorize", get(authorize::get).post(authorize::post))
        .route("/oauth/authorize/resume", get(authorize::resume))
        .route("/oauth/logout", get(logout::get).post(logout::post))
        .route("/oauth/introspect", post(introspect::post))
        .merge(for_programs)
}

/// Lets pages of any origin read the answer (Fetch standard, CORS). No cookie is looked at behind these paths, and
/// `*` never goes with one, so nothing is readable that the page could not have fetched by itself.
async fn readable_anywhere(request: Request, next: Next) -> Response {
    let is_preflight = request.method() == Method::OPTIONS;
    let mut response = if is_preflight {
        StatusCode::NO_CONTENT.into_response()
    } else {
        next.run(request).await
    };
    let headers = response.headers_mut();
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    headers.insert(
        header::ACCESS_CONTROL_EXPOSE_HEADERS,
        HeaderValue::from_static("WWW-Authenticate, DPoP-Nonce"),
    );
    if is_preflight {
        headers.insert(
            header::ACCESS_CONTROL_ALLOW_METHODS,
            HeaderValue::from_static("GET, POST, PUT, DELETE"),
        );
        let names = HeaderValue::from_static("Authorization, Content-Type, DPoP");
        headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, names);
        headers.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("3600"));
    }
    response
}

/// The value of the `Authorization` header, where it is text.
fn authorization(headers: &HeaderMap) -> Option<&str> {
    headers.get(header::AUTHORIZATION)?.to_str().ok()
}

/// What stands in the `DPoP` header fields (RFC 9449 §4.1); one that is no text is no proof.
fn dpop(headers: &HeaderMap) -> Shown<'_> {
    let fields = headers.get_all("dpop").iter();
    Shown::of(fields.map(|field| field.to_str().unwrap_or_default()))
}

/// An answer with the nonce for the next proof, where proofs must hold one or this one's was not good (RFC 9449 §8, §9).
fn with_nonce(
    context: &Context,
    error: Option<ErrorCode>,
    mut response: Response,
) -> Result<Response, JsonFailure> {
    if context.settings.needs_dpop_nonce || error == Some(ErrorCode::UseDpopNonce) {
        let nonce = HeaderValue::from_str(&flows::dpop::nonce(context)?);
        if let Ok(nonce) = nonce {
            response
                .headers_mut()
                .insert(HeaderName::from_static("dpop-nonce"), nonce);
        }
    }
    Ok(response)
}

/// The text of a body that declares itself a form (RFC 6749 §3.2, RFC 6750 §2.2); `None` for any other body.
pub(super) fn form<'a>(headers: &HeaderMap, body: &'a [u8]) -> Option<&'a str> {
    let declared = headers.get(header::CONTENT_TYPE)?.to_str().ok()?;
    let media_type = declared.split(';').next()?.trim();
    let is_form = media_type.eq_ignore_ascii_case("application/x-www-form-urlencoded");
    std::str::from_utf8(body).ok().filter(|_| is_form)
}

/// A browser that posted a form of another site, which came without our cookie (`SameSite=Lax`), asks again by GET, which
/// brings it.
fn sent_round(path: &str, body: &str) -> Result<Response, WebError> {
    let form = Parameters::read(body).map_err(|_| WebError::BadRequest(None))?;
    Ok(see_other(&format!("{path}?{}", form.to_query())))
}

/// What a program is answered where nobody could do anything about it: JSON, never a page.
#[derive(Debug)]
struct JsonFailure(Failure);

impl From<Failure> for JsonFailure {
    fn from(failure: Failure) -> Self {
        Self(failure)
    }
}

impl IntoResponse for JsonFailure {
    fn into_response(self) -> Response {
        json_failure(&self.0)
    }
}

/// [`JsonFailure`] as an answer: the cause goes to the log, the program is told whether to come back (RFC 6749 §4.1.2.1).
fn json_failure(failure: &Failure) -> Response {
    tracing::error!(cause = %failure, "failed");
    let (status, code) = if failure.is_unavailable() {
        (StatusCode::SERVICE_UNAVAILABLE, ErrorCode::TemporarilyUnavailable)
    } else {
        (StatusCode::INTERNAL_SERVER_ERROR, ErrorCode::ServerError)
    };
    let mut response = json(&serde_json::json!({ "error": code.as_str() }));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if status == StatusCode::SERVICE_UNAVAILABLE {
        headers.insert(header::RETRY_AFTER, HeaderValue::from_static("5"));
    }
    response
}

/// A JSON answer.
fn json(value: &serde_json::Value) -> Response {
    let content_type = HeaderValue::from_static("application/json");
    ([(header::CONTENT_TYPE, content_type)], value.to_string()).into_response()
}

/// Sends the browser on by GET, whatever the method was (RFC 9700 §4.12: 303, so that no form is sent on).
pub(super) fn see_other(location: &str) -> Response {
    // An address that was registered with letters outside ASCII is written the way a browser would.
    let value = HeaderValue::from_str(location).ok();
    let value = value.or_else(|| HeaderValue::from_str(Url::parse(location).ok()?.as_str()).ok());
    match value {
        Some(value) => (StatusCode::SEE_OTHER, [(header::LOCATION, value)]).into_response(),
        None => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}
