//! The end-session endpoint (RP-Initiated Logout 1.0 §2), seen from the browser.

use axum::body::Bytes;
use axum::extract::{RawQuery, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};

use super::{form, sent_round};
use crate::base::url::with_parameters;
use crate::flows::logout::{self, Outcome};
use crate::web::cookie::Name;
use crate::web::error::WebError;
use crate::web::farewell::AskedBy;
use crate::web::page::Page;
use crate::web::views::{self, Hidden, Link, SignOutPage};
use crate::web::visit::{Fields, Goal, Visit};
use crate::web::{WebState, farewell};

/// The field of the confirmation page that brings the question back with the answer.
const CONFIRMATION: &str = "confirmation";
/// The parameter that says which languages the person reads (§2).
const UI_LOCALES: &str = "ui_locales";

pub(super) async fn get(
    State(state): State<WebState>,
    mut visit: Visit,
    RawQuery(query): RawQuery,
) -> Result<Response, WebError> {
    visit.wished(UI_LOCALES);
    let cookie = visit.cookie(&state, Name::Session);
    let query = query.unwrap_or_default();
    let outcome = logout::request(&state.context, &state.keyring, &query, cookie.as_ref()).await?;
    answer(&state, &visit, outcome, AskedBy::Address).await
}

/// A relying party's form is sent round by GET, because it comes without our cookie (`SameSite=Lax`); our own, which
/// brings the person's yes, is answered.
pub(super) async fn post(
    State(state): State<WebState>,
    mut visit: Visit,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, WebError> {
    visit.wished(UI_LOCALES);
    let body = form(&headers, &body).ok_or(WebError::BadRequest(None))?;
    let fields = Fields::read(body);
    let Some(confirmation) = fields.one(CONFIRMATION) else {
        return sent_round("/oauth/logout", body);
    };
    let cookie = visit.cookie(&state, Name::Session);
    let outcome = logout::confirm(&state.context, confirmation, cookie.as_ref()).await?;
    answer(&state, &visit, outcome, AskedBy::Form).await
}

async fn answer(
    state: &WebState,
    visit: &Visit,
    outcome: Outcome,
    by: AskedBy,
) -> Result<Response, WebError> {
    match outcome {
        Outcome::Malformed => Err(WebError::BadRequest(None)),
        Outcome::Confirm {
            confirmation,
            service,
            origin,
        } => {
            let name = CONFIRMATION.to_owned();
            let mut page = visit.page(&state.brand, &Goal::default());
            // The address of this page holds the request, which the switch would lose.
            page.other_language_url = None;
            let languages = visit.query.one(UI_LOCALES);
            let languages = languages.map(|languages| (UI_LOCALES, languages));
            let page = SignOutPage {
                page,
                action: with_parameters("/oauth/logout", languages),
                hidden: vec![Hidden {
                    name,
                    value: confirmation,
                }],
                service,
                stay_url: "/".to_owned(),
            };
            Ok(Page::new(views::render(&page)?)
                .leading_to(origin)
                .into_response())
        }
        Outcome::Done {
            destination,
            service,
            farewell,
        } => {
            let onward = destination.map(|url| Link {
                label: service.unwrap_or_default(),
                url,
            });
            farewell::answer(state, visit, farewell, onward, by).await
        }
    }
}
