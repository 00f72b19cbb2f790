//! The endpoints at which a service shows a ticket (CAS Protocol 3.0 §2.4–2.6, §2.8, §2.9, §4.2).

use axum::body::Bytes;
use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use axum::response::Response;

use super::{document, settled};
use crate::base::parameters::Parameters;
use crate::cas::answer::Answer;
use crate::cas::validation::{Endpoint, Format, Refusal, Request};
use crate::flows::cas::validate;
use crate::web::WebState;

pub(super) async fn cas1(State(state): State<WebState>, RawQuery(query): RawQuery) -> Response {
    answer(&state, Endpoint::Validate, query.as_deref(), None).await
}

pub(super) async fn service(State(state): State<WebState>, RawQuery(query): RawQuery) -> Response {
    answer(&state, Endpoint::Service, query.as_deref(), None).await
}

pub(super) async fn proxy(State(state): State<WebState>, RawQuery(query): RawQuery) -> Response {
    answer(&state, Endpoint::Proxy, query.as_deref(), None).await
}

pub(super) async fn saml(State(state): State<WebState>, RawQuery(query): RawQuery, body: Bytes) -> Response {
    answer(&state, Endpoint::Saml, query.as_deref(), Some(&body)).await
}

async fn answer(state: &WebState, endpoint: Endpoint, query: Option<&str>, body: Option<&[u8]>) -> Response {
    let (format, request) = read(query, body);
    let (answer, status, service) = match request {
        Err(refusal) => (Answer::Refused(refusal), StatusCode::OK, String::new()),
        Ok(request) => {
            let answered = validate::validate(&state.context, &state.keyring, endpoint, &request).await;
            let (answer, status) = settled(answered, Answer::Refused);
            (answer, status, request.service)
        }
    };
    let written = validate::written(&state.context, &answer, (endpoint, format), &service);
    document(status, written)
}

/// What is asked, and how the answer is to be written: as XML where that cannot be read.
fn read(query: Option<&str>, body: Option<&[u8]>) -> (Format, Result<Request, Refusal>) {
    let Ok(parameters) = Parameters::read(query.unwrap_or_default()) else {
        return (Format::Xml, Err(Refusal::TOO_LONG));
    };
    match Format::read(&parameters) {
        Err(refusal) => (Format::Xml, Err(refusal)),
        Ok(format) => {
            let request = match body {
                None => Request::read(&parameters),
                Some(body) => Request::read_saml(&parameters, body),
            };
            (format, request)
        }
    }
}
