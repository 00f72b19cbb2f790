//! The endpoints of the SAML identity provider: each handler takes a request apart, calls one flow and writes its outcome.
//!
//! | path | the browser comes | cookie |
//! | --- | --- | --- |
//! | `/saml/metadata` | is a program, mostly | no |
//! | `/saml/sso` | from a service provider, with a request | by GET only |
//! | `/saml/sso/init` | to be sent to a service provider without one | yes |
//! | `/saml/sso/resume` | from the login page, or sent round | yes |
//! | `/saml/slo` | from a service provider, with a request or an answer | by GET only |
//! | `/saml/slo/resume` | sent round | yes |
//! | `/saml/slo/ask` | in a frame of the farewell page, to a service provider | no |
//! | `/saml/slo/finish` | from the farewell page, to the service provider that asked | no |
//!
//! Must never decide what a specification says, and never log a query or a body.

mod metadata;
mod slo;
mod sso;

pub(super) use sso::answer;

use axum::Router;
use axum::response::{IntoResponse, Response};
use axum::routing::get;

use super::WebState;
use super::error::WebError;
use super::page::Page;
use super::views::{self, FormPostPage, Hidden};
use super::visit::{Goal, Visit};
use crate::base::url;
use crate::flows::saml::Outgoing;

/// The routes.
pub(super) fn routes() -> Router<WebState> {
    Router::new()
        .route("/saml/metadata", get(metadata::ours))
        .route("/saml/sp/metadata", get(metadata::as_service))
        .route("/saml/sso", get(sso::get).post(sso::post))
        .route("/saml/sso/init", get(sso::init))
        .route("/saml/sso/resume", get(sso::resume))
        .route("/saml/slo", get(slo::get).post(slo::post))
        .route("/saml/slo/resume", get(slo::resume))
        .route("/saml/slo/ask", get(slo::ask))
        .route("/saml/slo/finish", get(slo::finish))
}

/// Where a message of ours stands on its way.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Window,
    Frame,
}

/// Sends a message of ours through the browser.
pub(super) fn send(
    state: &WebState,
    visit: &Visit,
    outgoing: Outgoing,
    place: Place,
) -> Result<Response, WebError> {
    let (action, fields) = match outgoing {
        Outgoing::Address(address) => return Ok(super::oauth::see_other(&address)),
        Outgoing::Form { action, fields } => (action, fields),
    };
    let origin = url::origin(&action);
    let fields = fields.into_iter().map(|(name, value)| Hidden {
        name: name.to_owned(),
        value,
    });
    let mut page = visit.page(&state.brand, &Goal::default());
    // The address of this page is a request that was answered; it is not asked again for another language.
    page.other_language_url = None;
    let view = FormPostPage {
        page,
        action,
        fields: fields.collect(),
    };
    let page = Page::new(views::render(&view)?).leading_to(origin);
    Ok(match place {
        Place::Window => page.into_response(),
        Place::Frame => page.in_our_frames().into_response(),
    })
}

#[cfg(test)]
pub(super) mod tests;
