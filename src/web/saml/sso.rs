//! Single sign-on, seen from the browser.

use axum::body::Bytes;
use axum::extract::{RawQuery, State};
use axum::http::HeaderMap;
use axum::response::Response;

use super::{Place, send};
use crate::base::url;
use crate::flows::saml::sso::{self, Outcome};
use crate::oidc::authorization::Entrance;
use crate::web::WebState;
use crate::web::cookie::Name;
use crate::web::error::WebError;
use crate::web::login::notice;
use crate::web::oauth::{closed, for_adults, form, see_other};
use crate::web::views;
use crate::web::visit::Visit;

pub(super) async fn get(
    State(state): State<WebState>,
    visit: Visit,
    RawQuery(query): RawQuery,
) -> Result<Response, WebError> {
    let cookie = visit.cookie(&state, Name::Session);
    let query = query.unwrap_or_default();
    let outcome = sso::by_address(&state.context, &state.keyring, &query, cookie.as_ref()).await?;
    answer(&state, &visit, outcome)
}

pub(super) async fn post(
    State(state): State<WebState>,
    visit: Visit,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, WebError> {
    let body = form(&headers, &body).ok_or(WebError::BadRequest(None))?;
    let outcome = sso::by_form(&state.context, body).await?;
    answer(&state, &visit, outcome)
}

/// saml-profiles §4.1.5: people are sent to `sp`, with `target` as `RelayState`.
pub(super) async fn init(State(state): State<WebState>, visit: Visit) -> Result<Response, WebError> {
    let cookie = visit.cookie(&state, Name::Session);
    let party = visit.query.one("sp").ok_or(WebError::BadRequest(None))?;
    let target = visit.query.one("target");
    let (context, keyring) = (&state.context, &state.keyring);
    let outcome = sso::unsolicited(context, keyring, party, target, cookie.as_ref()).await?;
    answer(&state, &visit, outcome)
}

pub(super) async fn resume(State(state): State<WebState>, visit: Visit) -> Result<Response, WebError> {
    let cookie = visit.cookie(&state, Name::Session);
    let sealed = visit.query.one("continue").unwrap_or_default();
    let outcome = sso::resume(&state.context, &state.keyring, sealed, cookie.as_ref()).await?;
    answer(&state, &visit, outcome)
}

/// What becomes of the browser.
pub(in crate::web) fn answer(
    state: &WebState,
    visit: &Visit,
    outcome: Outcome,
) -> Result<Response, WebError> {
    let taken_to = |page: &str, continuation: &str| {
        let address = url::with_parameters(page, [("continue", continuation)]);
        Ok(see_other(&address))
    };
    match outcome {
        Outcome::Answer(outgoing) => send(state, visit, outgoing, Place::Window),
        Outcome::SentRound { continuation } => taken_to("/saml/sso/resume", &continuation),
        Outcome::SignIn { continuation, at } => match at {
            Entrance::Password => taken_to("/login", &continuation),
            Entrance::Class => taken_to("/class", &continuation),
        },
        Outcome::Notice { continuation } => taken_to("/notice", &continuation),
        Outcome::Read(page) => notice::page(state, visit, *page),
        Outcome::ClosedToPupils { service } => {
            Err(WebError::Forbidden(Some(for_adults(visit.lang, &service))))
        }
        Outcome::Closed { service } => Err(WebError::Forbidden(Some(closed(visit.lang, &service)))),
        Outcome::OpensOn(day) => Err(WebError::NotYet(views::opens_on(visit.lang, day))),
        Outcome::Page(error) => {
            tracing::warn!(cause = %error, "SAML request refused");
            Err(WebError::BadRequest(None))
        }
    }
}
