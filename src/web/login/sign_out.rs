//! `/sign-out`: "I'm done", asked on the page before it is done; afterwards the same address says that nobody is
//! signed in.

use axum::extract::State;
use axum::response::Response;

use crate::flows::logout;
use crate::web::cookie::Name;
use crate::web::error::WebError;
use crate::web::page::Page;
use crate::web::views::{self, SignOutPage};
use crate::web::visit::Visit;
use crate::web::{WebState, farewell};

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
        None => views::render(&farewell::nobody_there(&state, &visit))?,
    }))
}

/// `POST /sign-out`.
pub(super) async fn submit(State(state): State<WebState>, visit: Visit) -> Result<Response, WebError> {
    let cookie = visit.cookie(&state, Name::Session);
    let farewell = logout::sign_out(&state.context, cookie.as_ref()).await?;
    farewell::answer(&state, &visit, farewell, None)
}
