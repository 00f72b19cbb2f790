//! `/cas/login`, seen from the browser.

use axum::body::Bytes;
use axum::extract::{RawQuery, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};

use crate::base::parameters::Parameters;
use crate::base::url;
use crate::cas::login::{Method, carried};
use crate::flows::cas::{self, Outcome};
use crate::web::WebState;
use crate::web::cookie::Name;
use crate::web::error::WebError;
use crate::web::login::notice;
use crate::web::oauth::{closed, for_adults, form, see_other};
use crate::web::page::Page;
use crate::web::views::{self, FormPostPage, Hidden, Lang};
use crate::web::visit::{Goal, Visit};

pub(super) async fn get(
    State(state): State<WebState>,
    visit: Visit,
    RawQuery(query): RawQuery,
) -> Result<Response, WebError> {
    let cookie = visit.cookie(&state, Name::Session);
    let outcome = cas::login(&state.context, &query.unwrap_or_default(), cookie.as_ref()).await?;
    answer(&state, &visit, outcome)
}

/// A form of another site comes without our cookie (`SameSite=Lax`), so the browser is sent round by GET, which brings it.
pub(super) async fn post(headers: HeaderMap, body: Bytes) -> Result<Response, WebError> {
    let form = form(&headers, &body).ok_or(WebError::BadRequest(None))?;
    let form = Parameters::read(form).map_err(|_| WebError::BadRequest(None))?;
    Ok(see_other(&format!("/cas/login?{}", carried(form).to_query())))
}

pub(super) async fn resume(State(state): State<WebState>, visit: Visit) -> Result<Response, WebError> {
    let cookie = visit.cookie(&state, Name::Session);
    let sealed = visit.query.one("continue").unwrap_or_default();
    let outcome = cas::resume(&state.context, sealed, cookie.as_ref()).await?;
    answer(&state, &visit, outcome)
}

/// What becomes of the browser.
pub(in crate::web) fn answer(
    state: &WebState,
    visit: &Visit,
    outcome: Outcome,
) -> Result<Response, WebError> {
    match outcome {
        Outcome::Back {
            address,
            ticket,
            method,
        } => {
            let ticket = ticket.as_ref().map(|ticket| ("ticket", ticket.expose()));
            match method {
                Method::Get => Ok(see_other(&url::with_parameters(&address, ticket))),
                Method::Post => form_post(state, visit, address, ticket),
            }
        }
        Outcome::SignIn { continuation } => Ok(see_other(&on("/login", continuation.as_deref()))),
        Outcome::Home => Ok(see_other("/")),
        Outcome::Notice { continuation } => Ok(see_other(&on("/notice", Some(&continuation)))),
        Outcome::Read(page) => notice::page(state, visit, *page),
        Outcome::ClosedToPupils { service } => {
            Err(WebError::Forbidden(Some(for_adults(visit.lang, &service))))
        }
        Outcome::Closed { service } => Err(WebError::Forbidden(Some(closed(visit.lang, &service)))),
        Outcome::OpensOn(day) => Err(WebError::NotYet(views::opens_on(visit.lang, day))),
        Outcome::NotSureEnough { service } => {
            Err(WebError::Forbidden(Some(not_sure_enough(visit.lang, &service))))
        }
        Outcome::Unknown { host } => {
            let host = host.as_deref().unwrap_or("not written plainly");
            tracing::warn!(host, "a CAS request for an address that belongs to no service");
            Err(WebError::Forbidden(Some(unknown(visit.lang))))
        }
        Outcome::Malformed => Err(WebError::BadRequest(None)),
    }
}

fn on(page: &str, continuation: Option<&str>) -> String {
    url::with_parameters(page, continuation.map(|sealed| ("continue", sealed)))
}

fn form_post(
    state: &WebState,
    visit: &Visit,
    action: String,
    ticket: Option<(&str, &str)>,
) -> Result<Response, WebError> {
    let origin = url::origin(&action);
    let fields = ticket.into_iter().map(|(name, value)| Hidden {
        name: name.to_owned(),
        value: value.to_owned(),
    });
    let mut page = visit.page(&state.brand, &Goal::default());
    // The address of this page is a request that was answered; it is not asked again for another language.
    page.other_language_url = None;
    let page = FormPostPage {
        page,
        action,
        fields: fields.collect(),
    };
    Ok(Page::new(views::render(&page)?)
        .leading_to(origin)
        .into_response())
}

fn unknown(lang: Lang) -> String {
    match lang {
        Lang::Fr => "Le service qui vous a envoyé ici n’est pas connu de nous. Revenez en arrière ; si cela \
                     recommence, dites-le à l’école ou à ceux qui s’occupent de ce service."
            .to_owned(),
        Lang::En => "The service that sent you here is not known to us. Go back; if it happens again, tell the school \
                     or those who run that service."
            .to_owned(),
    }
}

fn not_sure_enough(lang: Lang, service: &str) -> String {
    match lang {
        Lang::Fr => format!(
            "« {service} » demande une connexion plus sûre : votre mot de passe, pas un code en images."
        ),
        Lang::En => format!("“{service}” needs a surer way to sign in: your password, not a picture code."),
    }
}
