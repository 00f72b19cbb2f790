//! Errors become answers here, and only here: a plain public sentence for the person, the private cause for the log,
//! one request id in both. Never a blank 500.

use std::any::Any;

use axum::extract::{Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::WebState;
use super::request::RequestId;
use crate::flows::Failure;
use crate::store::StoreError;

/// What a handler may answer instead of what was asked.
#[derive(Debug)]
pub enum WebError {
    /// There is nothing at this address, or nothing this person may know of.
    NotFound,
    /// The form was sent by another site's page.
    ForeignForm,
    /// The request makes no sense; the sentence is for the person.
    BadRequest(&'static str),
    /// Too much at once; come back in a moment.
    Busy,
    /// Anything nobody could do anything about.
    Failed(Failure),
}

impl From<Failure> for WebError {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

/// What the page or the JSON of an error will say; travels with the response to [`render`].
#[derive(Debug, Clone)]
struct PublicError {
    sentence: &'static str,
}

impl IntoResponse for WebError {
    fn into_response(self) -> Response {
        let (status, sentence) = match &self {
            Self::NotFound => (StatusCode::NOT_FOUND, "Cette page n’existe pas."),
            Self::ForeignForm => {
                tracing::warn!("a form of another site was refused");
                (
                    StatusCode::FORBIDDEN,
                    "Ce formulaire ne vient pas de nos pages. Revenez en arrière et recommencez.",
                )
            }
            Self::BadRequest(sentence) => (StatusCode::BAD_REQUEST, *sentence),
            Self::Busy | Self::Failed(Failure::Store(StoreError::Unavailable { .. })) => {
                if let Self::Failed(failure) = &self {
                    tracing::error!(cause = %failure, "unavailable");
                }
                (
                    StatusCode::SERVICE_UNAVAILABLE,
                    "Trop de monde en ce moment. Réessayez dans quelques secondes.",
                )
            }
            Self::Failed(failure) => {
                tracing::error!(cause = %failure, "failed");
                (
                    StatusCode::INTERNAL_SERVER_ERROR,
                    "Quelque chose n’a pas marché chez nous. Réessayez dans un moment.",
                )
            }
        };
        let mut response = status.into_response();
        response.extensions_mut().insert(PublicError { sentence });
        if status == StatusCode::SERVICE_UNAVAILABLE {
            response
                .headers_mut()
                .insert(header::RETRY_AFTER, HeaderValue::from_static("5"));
        }
        response
    }
}

/// A handler that panicked: the same answer as any failure.
pub fn from_panic(_: Box<dyn Any + Send + 'static>) -> Response {
    WebError::Failed(Failure::Task("a handler panicked".to_owned())).into_response()
}

/// Writes the body of an error: a page for a browser, JSON for a program. Statuses without a body of their own (405,
/// 413, a time-out) get one too.
pub async fn render(State(_state): State<WebState>, request: Request, next: Next) -> Response {
    let id = request
        .extensions()
        .get::<RequestId>()
        .map(|id| id.0.clone())
        .unwrap_or_default();
    let response = next.run(request).await;
    let status = response.status();
    let sentence = match response.extensions().get::<PublicError>() {
        Some(error) => error.sentence,
        None if response.headers().contains_key(header::CONTENT_TYPE) => return response,
        None => match status {
            StatusCode::METHOD_NOT_ALLOWED => "Cette adresse ne répond pas à cette demande.",
            StatusCode::PAYLOAD_TOO_LARGE => "Ce qui a été envoyé est trop long.",
            StatusCode::SERVICE_UNAVAILABLE => {
                "Trop de monde en ce moment. Réessayez dans quelques secondes."
            }
            _ => return response,
        },
    };
    let (mut parts, _) = response.into_parts();
    parts.headers.remove(header::CONTENT_LENGTH);
    parts.headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("text/plain; charset=utf-8"),
    );
    Response::from_parts(parts, format!("{sentence}\n{id}\n").into())
}
