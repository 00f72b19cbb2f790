//! `/`, where somebody who is signed in finds their services, and the accessibility statement.

use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};

use super::class;
use crate::flows::home;
use crate::web::error::WebError;
use crate::web::page::Page;
use crate::web::views::{self, AccessibilityPage, ChildLine, ComingService, HomePage, ServiceLink};
use crate::web::visit::{Goal, Visit};
use crate::web::{WebState, avatar_id};

/// `GET /`. Whoever is not signed in goes to the class this device remembers, or to the password.
pub(super) async fn show(State(state): State<WebState>, visit: Visit) -> Result<Response, WebError> {
    let Some(who) = visit.who(&state).await? else {
        let way_in = class::remembered(&state, &visit).unwrap_or_else(|| "/login".to_owned());
        return Ok(Redirect::to(&way_in).into_response());
    };
    let home = home::load(&state.context, &who).await?;
    let view = HomePage {
        page: visit.page_of(&state.brand, &who),
        first_name: who.identity.given_name,
        avatar: home.avatar.map(avatar_id),
        services: home
            .services
            .into_iter()
            .map(|service| ServiceLink {
                name: service.name,
                url: service.url,
            })
            .collect(),
        coming: home
            .coming
            .into_iter()
            .map(|service| ComingService {
                name: service.name,
                opens_on: service.opens_on,
            })
            .collect(),
        children: home
            .children
            .into_iter()
            .map(|child| ChildLine {
                name: child.name,
                schools: child.schools,
            })
            .collect(),
        sign_out_action: "/sign-out".to_owned(),
    };
    Ok(Page::new(views::render(&view)?).into_response())
}

/// `GET /accessibility`.
pub(super) async fn accessibility(State(state): State<WebState>, visit: Visit) -> Result<Page, WebError> {
    let view = AccessibilityPage {
        page: visit.page(&state.brand, &Goal::default()),
        operator: None,
        contact_email: None,
    };
    Ok(Page::new(views::render(&view)?))
}
