//! `/login`: login name and password.

use axum::extract::{RawForm, State};
use axum::response::{IntoResponse, Redirect, Response};

use super::{refused, seconds, signed_in, too_early};
use crate::domain::session::Device;
use crate::flows::notice::{self, About};
use crate::flows::sign_in::SignIn;
use crate::flows::sign_in::password::{Attempt, sign_in};
use crate::web::WebState;
use crate::web::cookie::Name;
use crate::web::error::WebError;
use crate::web::page::Page;
use crate::web::views::{self, LoginPage, LoginProblem};
use crate::web::visit::{Fields, Goal, Visit};

/// `GET /login`. Whoever opens a bookmark while signed in is home already.
pub(super) async fn show(State(state): State<WebState>, visit: Visit) -> Result<Response, WebError> {
    let goal = Goal::read(&state, &visit.query);
    if goal.sealed().is_none() && visit.who(&state).await?.is_some() {
        return Ok(Redirect::to("/").into_response());
    }
    let service = about(&state, &goal).await?;
    Ok(form(&state, &visit, &goal, &service, (goal.login_hint(), None))?.into_response())
}

/// `POST /login`.
pub(super) async fn submit(
    State(state): State<WebState>,
    visit: Visit,
    RawForm(body): RawForm,
) -> Result<Response, WebError> {
    let fields = Fields::read(&String::from_utf8_lossy(&body));
    let goal = Goal::read(&state, &fields);
    let username = fields.one("username").unwrap_or_default();
    let former = visit.cookie(&state, Name::Session);
    let attempt = Attempt {
        username,
        password: fields.one("password").unwrap_or_default(),
        device: device(&state, &visit),
        former: former.as_ref(),
    };
    let service = about(&state, &goal).await?;
    let again = |problem| form(&state, &visit, &goal, &service, (username, Some(problem)));
    Ok(match sign_in(&state.context, attempt).await? {
        SignIn::Done(cookie) => signed_in(&state, &cookie, &goal.resume(&state)),
        SignIn::Refused => refused(again(LoginProblem::Refused)?),
        SignIn::Wait(wait) => {
            let seconds = seconds(wait);
            too_early(again(LoginProblem::Wait { seconds })?, seconds)
        }
        SignIn::Busy => return Err(WebError::Busy),
    })
}

/// A device that opened a class page is a classroom's.
fn device(state: &WebState, visit: &Visit) -> Device {
    match visit.cookie(state, Name::Class) {
        Some(_) => Device::Shared,
        None => Device::Personal,
    }
}

/// The service that sent the person here.
async fn about(state: &WebState, goal: &Goal) -> Result<About, WebError> {
    Ok(match goal.client() {
        Some(client) => notice::about(&state.context, client).await?,
        None => About::default(),
    })
}

fn form(
    state: &WebState,
    visit: &Visit,
    goal: &Goal,
    service: &About,
    (username, problem): (&str, Option<LoginProblem>),
) -> Result<Page, WebError> {
    let view = LoginPage {
        page: visit.page(&state.brand, goal),
        username: username.to_owned(),
        continue_to: goal.sealed().map(str::to_owned),
        service: goal.service(),
        policy_url: service.policy_uri.clone(),
        terms_url: service.tos_uri.clone(),
        class_way: goal.class_will_do(),
        problem,
    };
    Ok(Page::new(views::render(&view)?).leading_to(goal.origin()))
}
