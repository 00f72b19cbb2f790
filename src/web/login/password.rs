//! `/login`: login name and password, and the ways to other providers.

use axum::extract::{RawForm, State};
use axum::response::{IntoResponse, Redirect, Response};

use super::{refused, seconds, signed_in, too_early, upstream};
use crate::base::secret::Secret;
use crate::domain::session::Device;
use crate::flows::notice::{self, About};
use crate::flows::sign_in::SignIn;
use crate::flows::sign_in::password::{Attempt, sign_in};
use crate::flows::upstream::ways::{Visitor, load};
use crate::upstream::choice::{Choice, Way};
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
    let choice = ways(&state, &visit, &goal).await?;
    // The service named the way: nobody has to choose, but whoever is here already and was not sure enough, or comes back
    // without having finished, is asked.
    if let Some(provider) = &choice.named
        && !visit.query.has("choose")
        && visit.who(&state).await?.is_none()
    {
        return upstream::go(&state, &visit, &goal, provider).await;
    }
    let offer = Offer::of(about(&state, &goal).await?, &choice, &goal);
    Ok(form(&state, &visit, &goal, &offer, (goal.login_hint(), None))?.into_response())
}

/// What a page offers beside the form.
struct Offer {
    is_for_pupils: bool,
    service: About,
    ways: Vec<views::Way>,
}

impl Offer {
    fn of(service: About, choice: &Choice, goal: &Goal) -> Self {
        let way = |(place, way): (usize, &Way)| views::Way {
            name: way.name.clone(),
            url: goal.keep(&format!("/login/with/{}", way.provider)),
            populations: way.populations.clone(),
            is_remembered: choice.is_remembered && place == 0,
        };
        Self {
            is_for_pupils: choice.is_for_pupils || goal.first_by().is_some(),
            service,
            ways: choice.ways.iter().enumerate().map(way).collect(),
        }
    }
}

/// The other ways in; none for somebody who has just come by one of them and proves once who they are here.
async fn ways(state: &WebState, visit: &Visit, goal: &Goal) -> Result<Choice, WebError> {
    if goal.first_by().is_some() {
        return Ok(Choice::default());
    }
    let remembered = match upstream::device(state, visit) {
        Device::Personal => visit.cookie(state, Name::Way),
        Device::Shared => None,
    };
    let visitor = Visitor {
        waiting: goal.continuation(),
        remembered: remembered.as_ref().map(Secret::expose),
    };
    Ok(load(&state.context, visitor).await?)
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
        device: upstream::device(&state, &visit),
        former: former.as_ref(),
    };
    let answer = match sign_in(&state.context, attempt).await? {
        SignIn::Done(cookie) => return Ok(signed_in(&state, &cookie, &goal.resume(&state))),
        SignIn::Busy => return Err(WebError::Busy),
        answer => answer,
    };
    let choice = ways(&state, &visit, &goal).await?;
    let offer = Offer::of(about(&state, &goal).await?, &choice, &goal);
    let again = |problem| form(&state, &visit, &goal, &offer, (username, Some(problem)));
    Ok(match answer {
        SignIn::Wait(wait) => {
            let seconds = seconds(wait);
            too_early(again(LoginProblem::Wait { seconds })?, seconds)
        }
        _ => refused(again(LoginProblem::Refused)?),
    })
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
    offer: &Offer,
    (username, problem): (&str, Option<LoginProblem>),
) -> Result<Page, WebError> {
    let view = LoginPage {
        page: visit.page(&state.brand, goal),
        username: username.to_owned(),
        continue_to: goal.sealed().map(str::to_owned),
        service: goal.service(),
        policy_url: offer.service.policy_uri.clone(),
        terms_url: offer.service.tos_uri.clone(),
        ways: offer.ways.clone(),
        first_by: goal.first_by(),
        class_way: goal.class_will_do() && offer.is_for_pupils,
        problem,
    };
    Ok(Page::new(views::render(&view)?).leading_to(goal.origin()))
}
