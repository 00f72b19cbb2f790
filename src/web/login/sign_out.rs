//! `/sign-out`: "I'm done", asked on the page before it is done; afterwards the same address says that nobody is
//! signed in.

use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use axum_extra::extract::cookie::CookieJar;

use super::class;
use crate::flows::session;
use crate::web::WebState;
use crate::web::cookie::{self, Name};
use crate::web::error::WebError;
use crate::web::page::Page;
use crate::web::views::{self, SignOutPage, SignedOutPage};
use crate::web::visit::{Goal, Visit};

/// `GET /sign-out`.
pub(super) async fn show(State(state): State<WebState>, visit: Visit) -> Result<Page, WebError> {
    Ok(Page::new(match visit.who(&state).await? {
        Some(who) => views::render(&SignOutPage {
            page: visit.page_of(&state.brand, &who),
            action: "/sign-out".to_owned(),
            hidden: Vec::new(),
            service: None,
            stay_url: "/".to_owned(),
        })?,
        None => views::render(&SignedOutPage {
            page: visit.page(&state.brand, &Goal::default()),
            back: None,
            class_url: class::remembered(&state, &visit),
        })?,
    }))
}

/// `POST /sign-out`.
pub(super) async fn submit(State(state): State<WebState>, visit: Visit) -> Result<Response, WebError> {
    if let Some(cookie) = visit.cookie(&state, Name::Session) {
        session::sign_out(&state.context, &cookie).await?;
    }
    let jar = cookie::clear(&state, CookieJar::new(), Name::Session);
    Ok((jar, Redirect::to("/sign-out")).into_response())
}
