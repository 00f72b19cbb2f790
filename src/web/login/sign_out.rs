//! `/sign-out`: "I'm done", asked on the page before it is done; afterwards the same address says that nobody is
//! signed in.

use axum::extract::State;
use axum::response::{IntoResponse, Response};

use crate::flows::{logout, upstream};
use crate::web::cookie::Name;
use crate::web::error::WebError;
use crate::web::farewell::AskedBy;
use crate::web::oauth::see_other;
use crate::web::page::Page;
use crate::web::views::{self, SignOutPage};
use crate::web::visit::Visit;
use crate::web::{WebState, farewell};

/// `GET /sign-out`. Whoever comes back from the logout of another provider goes on to where they were going.
pub(super) async fn show(State(state): State<WebState>, visit: Visit) -> Result<Response, WebError> {
    let who = visit.who(&state).await?;
    if who.is_none()
        && let Some(next) = upstream::logout::next(&state.context, visit.query.one("state"))
    {
        return Ok(see_other(&next));
    }
    let page = Page::new(match who {
        Some(who) => views::render(&SignOutPage {
            page: visit.page_of(&state.brand, &who),
            action: "/sign-out".to_owned(),
            hidden: Vec::new(),
            service: None,
            stay_url: "/".to_owned(),
        })?,
        None => views::render(&farewell::nobody_there(&state, &visit))?,
    });
    Ok(page.into_response())
}

/// `POST /sign-out`.
pub(super) async fn submit(State(state): State<WebState>, visit: Visit) -> Result<Response, WebError> {
    let cookie = visit.cookie(&state, Name::Session);
    let farewell = logout::sign_out(&state.context, cookie.as_ref()).await?;
    farewell::answer(&state, &visit, farewell, None, AskedBy::Form).await
}
