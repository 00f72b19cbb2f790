//! Single logout, seen from the browser: in its window, and in frames of the farewell page.

use axum::body::Bytes;
use axum::extract::{RawQuery, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};

use super::{Place, send};
use crate::flows::saml::slo::participant::{self, Verdict};
use crate::flows::saml::slo::{self, Outcome};
use crate::web::cookie::Name;
use crate::web::error::WebError;
use crate::web::farewell::AskedBy;
use crate::web::oauth::{form, see_other};
use crate::web::page::Page;
use crate::web::views::{self, Link, VerdictPage};
use crate::web::visit::{Goal, Visit};
use crate::web::{WebState, farewell};

pub(super) async fn get(
    State(state): State<WebState>,
    visit: Visit,
    RawQuery(query): RawQuery,
) -> Result<Response, WebError> {
    let cookie = visit.cookie(&state, Name::Session);
    let query = query.unwrap_or_default();
    let outcome = slo::by_address(&state.context, &query, cookie.as_ref()).await?;
    answer(&state, &visit, outcome, Place::Window).await
}

pub(super) async fn post(
    State(state): State<WebState>,
    visit: Visit,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, WebError> {
    let body = form(&headers, &body).ok_or(WebError::BadRequest(None))?;
    let outcome = slo::by_form(&state.context, body).await?;
    answer(&state, &visit, outcome, Place::Window).await
}

pub(super) async fn resume(State(state): State<WebState>, visit: Visit) -> Result<Response, WebError> {
    let cookie = visit.cookie(&state, Name::Session);
    let sealed = visit.query.one("continue").unwrap_or_default();
    let outcome = slo::resume(&state.context, sealed, cookie.as_ref()).await?;
    answer(&state, &visit, outcome, Place::Window).await
}

pub(super) async fn ask(State(state): State<WebState>, visit: Visit) -> Result<Response, WebError> {
    let sealed = visit.query.one("continue").unwrap_or_default();
    let outcome = participant::ask(&state.context, sealed).await?;
    answer(&state, &visit, outcome, Place::Frame).await
}

pub(super) async fn finish(State(state): State<WebState>, visit: Visit) -> Result<Response, WebError> {
    let sealed = visit.query.one("continue").unwrap_or_default();
    let outcome = slo::finish(&state.context, sealed).await?;
    answer(&state, &visit, outcome, Place::Window).await
}

async fn answer(
    state: &WebState,
    visit: &Visit,
    outcome: Outcome,
    place: Place,
) -> Result<Response, WebError> {
    match outcome {
        Outcome::SentRound(address) => Ok(see_other(&address)),
        Outcome::Answer(outgoing) => send(state, visit, outgoing, place),
        Outcome::Farewell {
            farewell,
            service,
            onward,
        } => {
            let onward = onward.map(|url| Link { label: service, url });
            farewell::answer(state, visit, farewell, onward, AskedBy::Address).await
        }
        Outcome::Answered(verdict) => {
            let mut page = visit.page(&state.brand, &Goal::default());
            page.other_language_url = None;
            let is_over = verdict == Verdict::Confirmed;
            let view = VerdictPage { page, is_over };
            Ok(Page::new(views::render(&view)?).in_our_frames().into_response())
        }
        Outcome::Page(error) => {
            tracing::warn!(cause = %error, "SAML logout message refused");
            Err(WebError::BadRequest(None))
        }
    }
}
