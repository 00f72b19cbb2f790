//! Errors become answers here, and only here: a plain public sentence for the person, the private cause for the log,
//! one request id in both. Never a blank 500.

use std::any::Any;

use axum::extract::{Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::WebState;
use super::page::Page;
use super::request::RequestId;
use super::views::{self, ErrorKind, ErrorPage, NotFoundPage, RenderError};
use super::visitor::Visitor;
use crate::flows::Failure;

/// What a handler may answer instead of what was asked.
#[derive(Debug)]
pub enum WebError {
    /// There is nothing at this address, or nothing this person may know of.
    NotFound,
    /// The form was sent by another site's page.
    ForeignForm,
    /// The request makes no sense; the sentence is for the person, where the kind's own does not say enough.
    BadRequest(Option<String>),
    /// This person may not; the sentence is for the person.
    Forbidden(Option<String>),
    /// Not before a day that the sentence tells the child.
    NotYet(String),
    /// A human has to recognise the person first.
    Waits(String),
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

impl From<RenderError> for WebError {
    fn from(error: RenderError) -> Self {
        Self::Failed(Failure::Task(error.to_string()))
    }
}

/// What the page of an error will say; travels with the response to [`render`].
#[derive(Debug, Clone)]
struct PublicError {
    /// `None` for a page that does not exist.
    kind: Option<ErrorKind>,
    sentence: Option<String>,
}

impl IntoResponse for WebError {
    fn into_response(self) -> Response {
        let (status, kind) = match &self {
            Self::NotFound => (StatusCode::NOT_FOUND, None),
            Self::ForeignForm => {
                tracing::warn!("a form of another site was refused");
                (StatusCode::FORBIDDEN, Some(ErrorKind::Forbidden))
            }
            Self::BadRequest(_) => (StatusCode::BAD_REQUEST, Some(ErrorKind::BadRequest)),
            Self::Forbidden(_) => (StatusCode::FORBIDDEN, Some(ErrorKind::Forbidden)),
            Self::NotYet(_) => (StatusCode::FORBIDDEN, Some(ErrorKind::NotYet)),
            Self::Waits(_) => (StatusCode::FORBIDDEN, Some(ErrorKind::Waits)),
            Self::Busy => (StatusCode::SERVICE_UNAVAILABLE, Some(ErrorKind::Unavailable)),
            Self::Failed(failure) => {
                tracing::error!(cause = %failure, "failed");
                if failure.is_unavailable() {
                    (StatusCode::SERVICE_UNAVAILABLE, Some(ErrorKind::Unavailable))
                } else {
                    (StatusCode::INTERNAL_SERVER_ERROR, Some(ErrorKind::Internal))
                }
            }
        };
        let sentence = match self {
            Self::BadRequest(sentence) | Self::Forbidden(sentence) => sentence,
            Self::NotYet(sentence) | Self::Waits(sentence) => Some(sentence),
            Self::NotFound | Self::ForeignForm | Self::Busy | Self::Failed(_) => None,
        };
        let mut response = status.into_response();
        response.extensions_mut().insert(PublicError { kind, sentence });
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

/// Writes the page of an error. Statuses that a layer answers without a body (405, 413, a time-out) get one too.
pub async fn render(State(state): State<WebState>, request: Request, next: Next) -> Response {
    let id = request
        .extensions()
        .get::<RequestId>()
        .map(|id| id.0.clone())
        .unwrap_or_default();
    let visitor = Visitor::of(request.uri().query(), request.headers());
    let response = next.run(request).await;
    let Some(error) = public_error(&response) else {
        return response;
    };
    let page = visitor.page(&state);
    let rendered = match error.kind {
        None => views::render(&NotFoundPage { page, request_id: id }),
        Some(kind) => {
            let PublicError { sentence, .. } = error;
            views::render(&ErrorPage {
                page,
                kind,
                sentence,
                request_id: id,
                way_on: None,
            })
        }
    };
    let (mut parts, body) = response.into_parts();
    let Ok(html) = rendered else {
        return Response::from_parts(parts, body);
    };
    let (page, body) = Page::new(html)
        .with_status(parts.status)
        .into_response()
        .into_parts();
    parts.headers.remove(header::CONTENT_LENGTH);
    parts.headers.extend(page.headers);
    Response::from_parts(parts, body)
}

fn public_error(response: &Response) -> Option<PublicError> {
    if let Some(error) = response.extensions().get::<PublicError>() {
        return Some(error.clone());
    }
    let kind = match response.status() {
        StatusCode::METHOD_NOT_ALLOWED | StatusCode::PAYLOAD_TOO_LARGE => ErrorKind::BadRequest,
        StatusCode::SERVICE_UNAVAILABLE if !response.headers().contains_key(header::CONTENT_TYPE) => {
            ErrorKind::Unavailable
        }
        _ => return None,
    };
    Some(PublicError {
        kind: Some(kind),
        sentence: None,
    })
}
