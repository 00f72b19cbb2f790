//! `/cas/proxy`, at which a service that acts for a person gets its tickets (CAS Protocol 3.0 §2.7).

use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use axum::response::Response;

use super::{document, settled};
use crate::base::parameters::Parameters;
use crate::cas::answer::Answer;
use crate::cas::proxy::Request;
use crate::cas::validation::{Endpoint, Format, Refusal};
use crate::flows::cas::{proxy, validate};
use crate::web::WebState;

pub(super) async fn get(State(state): State<WebState>, RawQuery(query): RawQuery) -> Response {
    let parameters = Parameters::read(query.as_deref().unwrap_or_default());
    let (format, request) = match &parameters {
        Err(_) => (Format::Xml, Err(Refusal::TOO_LONG)),
        Ok(parameters) => match Format::read(parameters) {
            Err(refusal) => (Format::Xml, Err(refusal)),
            Ok(format) => (format, Request::read(parameters)),
        },
    };
    let (answer, status) = match request {
        Err(refusal) => (Answer::NotProxied(refusal), StatusCode::OK),
        Ok(request) => settled(proxy::proxy(&state.context, &request).await, Answer::NotProxied),
    };
    let written = validate::written(&state.context, &answer, (Endpoint::Proxy, format), "");
    document(status, written)
}
