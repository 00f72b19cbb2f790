//! `/notice`: what a person reads before a service learns about them. A child is told, an adult is asked; the answer leads
//! on to the service.

use axum::extract::{RawForm, State};
use axum::response::{IntoResponse, Response};

use crate::domain::acknowledgement::Kind;
use crate::flows::authorize::{self, Choice, Reply};
use crate::flows::cas as cas_flow;
use crate::flows::continuation::{self, Protocol};
use crate::flows::notice::{About, Fact, Notice};
use crate::flows::saml::sso;
use crate::web::cookie::Name;
use crate::web::error::WebError;
use crate::web::page::Page;
use crate::web::views::{self, ConsentPage, Hidden, InformationPage, Known, ServiceAbout};
use crate::web::visit::{Fields, Goal, Visit};
use crate::web::{WebState, cas, oauth, saml};

/// Where the page is.
const HERE: &str = "/notice";

/// `GET /notice`.
pub(super) async fn show(State(state): State<WebState>, visit: Visit) -> Result<Response, WebError> {
    let cookie = visit.cookie(&state, Name::Session);
    let (context, cookie) = (&state.context, cookie.as_ref());
    let sealed = visit.query.one("continue").unwrap_or_default();
    match continuation::protocol(context, sealed) {
        Protocol::Oidc => {
            let outcome = authorize::notice(context, &state.keyring, sealed, cookie).await?;
            oauth::answer(&state, &visit, outcome)
        }
        Protocol::Saml => {
            let outcome = sso::notice(context, &state.keyring, sealed, cookie).await?;
            saml::answer(&state, &visit, outcome)
        }
        Protocol::Cas => cas::answer(&state, &visit, cas_flow::notice(context, sealed, cookie).await?),
        Protocol::Link => Err(WebError::BadRequest(None)),
    }
}

/// `POST /notice`.
pub(super) async fn submit(
    State(state): State<WebState>,
    visit: Visit,
    RawForm(body): RawForm,
) -> Result<Response, WebError> {
    let fields = Fields::read(&String::from_utf8_lossy(&body));
    let cookie = visit.cookie(&state, Name::Session);
    let sealed = fields.one("continue").unwrap_or_default();
    let choice = match fields.one("choice") {
        Some("go-on") => Choice::GoOn,
        Some("allow") => Choice::Allow,
        Some("refuse") => Choice::Refuse,
        _ => return Err(WebError::BadRequest(None)),
    };
    let shown = fields.one("shown").unwrap_or_default();
    let reply = Reply { choice, shown };
    let (context, cookie) = (&state.context, cookie.as_ref());
    match continuation::protocol(context, sealed) {
        Protocol::Oidc => {
            let outcome = authorize::answer(context, &state.keyring, sealed, cookie, reply).await?;
            oauth::answer(&state, &visit, outcome)
        }
        Protocol::Saml => {
            let outcome = sso::answer(context, &state.keyring, sealed, cookie, reply).await?;
            saml::answer(&state, &visit, outcome)
        }
        Protocol::Cas => {
            let outcome = cas_flow::answer(context, sealed, cookie, reply).await?;
            cas::answer(&state, &visit, outcome)
        }
        Protocol::Link => Err(WebError::BadRequest(None)),
    }
}

/// `POST /login/cancel`: back from the login page to the service.
pub(super) async fn cancel(
    State(state): State<WebState>,
    visit: Visit,
    RawForm(body): RawForm,
) -> Result<Response, WebError> {
    let fields = Fields::read(&String::from_utf8_lossy(&body));
    let sealed = fields.one("continue").unwrap_or_default();
    let context = &state.context;
    match continuation::protocol(context, sealed) {
        Protocol::Oidc => oauth::answer(&state, &visit, authorize::cancel(context, sealed).await?),
        Protocol::Saml => saml::answer(&state, &visit, sso::cancel(context, sealed).await?),
        Protocol::Cas => cas::answer(&state, &visit, cas_flow::cancel(context, sealed).await?),
        Protocol::Link => Ok(oauth::see_other("/login")),
    }
}

/// The page itself.
pub(in crate::web) fn page(state: &WebState, visit: &Visit, notice: Notice) -> Result<Response, WebError> {
    let continuation = [("continue", notice.continuation.as_str())];
    let goal = Goal::read(state, &Fields::of(continuation));
    let mut page = visit.page_of(&state.brand, &notice.who);
    let other = [("lang", page.lang.other().tag())];
    page.other_language_url = Some(goal.keep(&crate::base::url::with_parameters(HERE, other)));
    let hidden = [("continue", notice.continuation), ("shown", notice.shown)];
    let hidden = hidden.map(|(name, value)| Hidden {
        name: name.to_owned(),
        value,
    });
    let (service, known) = (
        about(notice.service),
        notice.facts.into_iter().map(known).collect(),
    );
    let (action, hidden) = (HERE.to_owned(), hidden.into());
    let html = match notice.kind {
        Kind::Information => views::render(&InformationPage {
            page,
            service,
            known,
            is_more: notice.is_more,
            action,
            hidden,
        })?,
        Kind::Consent => views::render(&ConsentPage {
            page,
            service,
            known,
            rights: notice.rights,
            is_more: notice.is_more,
            action,
            hidden,
        })?,
    };
    Ok(Page::new(html).leading_to(goal.origin()).into_response())
}

/// A service, as the views want it.
pub(super) fn about(about: About) -> ServiceAbout {
    ServiceAbout {
        name: about.name,
        host: about.host,
        policy_url: about.policy_uri,
        terms_url: about.tos_uri,
    }
}

/// What it knows, as the views want it.
pub(super) fn known(fact: Fact) -> Known {
    Known {
        attribute: fact.attribute,
        values: fact.values,
        purpose: fact.purpose,
        is_new: fact.is_new,
    }
}
