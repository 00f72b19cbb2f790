//! The authorization endpoint, seen from the browser.

use axum::body::Bytes;
use axum::extract::{RawQuery, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};

use super::{form, see_other, sent_round};
use crate::base::url;
use crate::flows::authorize::{self, Outcome};
use crate::oidc::authorization::{Answer, Entrance, ResponseMode};
use crate::web::WebState;
use crate::web::cookie::Name;
use crate::web::error::WebError;
use crate::web::login::notice;
use crate::web::page::Page;
use crate::web::views::{self, FormPostPage, Hidden, Lang};
use crate::web::visit::{Goal, Visit};

pub(super) async fn get(
    State(state): State<WebState>,
    visit: Visit,
    RawQuery(query): RawQuery,
) -> Result<Response, WebError> {
    let cookie = visit.cookie(&state, Name::Session);
    let query = query.unwrap_or_default();
    let outcome = authorize::authorize(&state.context, &state.keyring, &query, cookie.as_ref()).await?;
    answer(&state, &visit, outcome)
}

/// OpenID Connect Core §3.1.2.1: POST too. A form of another site comes without our cookie (`SameSite=Lax`), so the
/// browser is sent round by GET, which brings it.
pub(super) async fn post(headers: HeaderMap, body: Bytes) -> Result<Response, WebError> {
    sent_round(
        "/oauth/authorize",
        form(&headers, &body).ok_or(WebError::BadRequest(None))?,
    )
}

pub(super) async fn resume(State(state): State<WebState>, visit: Visit) -> Result<Response, WebError> {
    let cookie = visit.cookie(&state, Name::Session);
    let sealed = visit.query.one("continue").unwrap_or_default();
    let outcome = authorize::resume(&state.context, &state.keyring, sealed, cookie.as_ref()).await?;
    answer(&state, &visit, outcome)
}

/// What becomes of the browser.
pub(in crate::web) fn answer(
    state: &WebState,
    visit: &Visit,
    outcome: Outcome,
) -> Result<Response, WebError> {
    match outcome {
        Outcome::Answer(answer) => match answer.mode() {
            ResponseMode::Query => Ok(see_other(&answer.location())),
            ResponseMode::FormPost => form_post(state, visit, answer),
        },
        Outcome::SignIn { continuation, at } => {
            let page = match at {
                Entrance::Password => "/login",
                Entrance::Class => "/class",
            };
            let continuation = [("continue", continuation.as_str())];
            Ok(see_other(&url::with_parameters(page, continuation)))
        }
        Outcome::Notice { continuation } => Ok(see_other(&url::with_parameters(
            "/notice",
            [("continue", continuation.as_str())],
        ))),
        Outcome::Read(page) => notice::page(state, visit, *page),
        Outcome::ClosedToPupils { service } => {
            Err(WebError::Forbidden(Some(for_adults(visit.lang, &service))))
        }
        Outcome::Page(error) => {
            tracing::warn!(cause = %error, "authorization request refused");
            Err(WebError::BadRequest(None))
        }
        Outcome::Closed { service } => Err(WebError::Forbidden(Some(closed(visit.lang, &service)))),
        Outcome::OpensOn(day) => Err(WebError::NotYet(views::opens_on(visit.lang, day))),
    }
}

fn form_post(state: &WebState, visit: &Visit, answer: Answer) -> Result<Response, WebError> {
    let action = answer.address.redirect_uri().to_owned();
    let origin = url::origin(&action);
    let fields = answer.parameters.into_iter().map(|(name, value)| Hidden {
        name: name.to_owned(),
        value,
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

/// A service that is not open for the person's school.
pub(in crate::web) fn closed(lang: Lang, service: &str) -> String {
    match lang {
        Lang::Fr => format!(
            "« {service} » n’est pas ouvert pour votre école ou votre établissement. Si vous pensez que c’est une \
             erreur, demandez à l’école."
        ),
        Lang::En => format!(
            "“{service}” is not open for your school. If you think this is a mistake, ask the school."
        ),
    }
}

/// A service that rests on consent, for a pupil.
pub(in crate::web) fn for_adults(lang: Lang, service: &str) -> String {
    match lang {
        Lang::Fr => format!(
            "« {service} » n’est pas pour les élèves. Demande à l’école si tu penses que c’est une erreur."
        ),
        Lang::En => format!("“{service}” is not for pupils. If you think this is a mistake, ask the school."),
    }
}
