//! `/class`, where the code of a class is typed, and `/class/<code>`, where a child finds their own name.
//!
//! Whatever opens no class gets one page and one status. A device that opened a class remembers it, and begins there.

use axum::extract::{Path, RawForm, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use axum_extra::extract::cookie::CookieJar;

use crate::base::secret::Secret;
use crate::domain::class_group::ClassCode;
use crate::flows::class_page::{self, ClassPage};
use crate::web::cookie::{self, Name};
use crate::web::error::WebError;
use crate::web::page::Page;
use crate::web::views::{self, ClassEntryPage, ClassEntryProblem, Pupil};
use crate::web::visit::{Fields, Goal, Visit};
use crate::web::{WebState, avatar_id};

/// The longest text that is looked at, or given back to be corrected.
const LONGEST: usize = 64;

/// The path of a class page.
pub(super) fn path(code: &ClassCode) -> String {
    format!("/class/{}", code.printed())
}

/// The path of the class page this device remembers.
pub(in crate::web) fn remembered(state: &WebState, visit: &Visit) -> Option<String> {
    let code = visit.cookie(state, Name::Class)?;
    code.expose().parse::<ClassCode>().ok().map(|code| path(&code))
}

/// `GET /class`. A classroom's device goes on to its class, unless another one is asked for (`?other`).
pub(super) async fn entry(State(state): State<WebState>, visit: Visit) -> Result<Response, WebError> {
    let goal = Goal::read(&state, &visit.query);
    match remembered(&state, &visit) {
        Some(path) if !visit.query.has("other") => Ok(Redirect::to(&goal.keep(&path)).into_response()),
        _ => Ok(form(&state, &visit, &goal, None)?.into_response()),
    }
}

/// `POST /class`.
pub(super) async fn enter(
    State(state): State<WebState>,
    visit: Visit,
    RawForm(body): RawForm,
) -> Result<Response, WebError> {
    let fields = Fields::read(&String::from_utf8_lossy(&body));
    let goal = Goal::read(&state, &fields);
    let typed = fields.one("code").unwrap_or_default();
    match find(&state, typed).await? {
        Some(page) => Ok(Redirect::to(&goal.keep(&path(&page.code))).into_response()),
        None => unknown(&state, &visit, &goal, typed),
    }
}

/// `GET /class/<code>`.
pub(super) async fn show(
    State(state): State<WebState>,
    visit: Visit,
    Path(typed): Path<String>,
) -> Result<Response, WebError> {
    let goal = Goal::read(&state, &visit.query);
    let Some(found) = find(&state, &typed).await? else {
        return unknown(&state, &visit, &goal, &typed);
    };
    let code = Secret::new(found.code.expose());
    let here = path(&found.code);
    let view = views::ClassPage {
        page: visit.page(&state.brand, &goal),
        class_label: found.class.label,
        school: found.school_name,
        pupils: found
            .pupils
            .into_iter()
            .map(|pupil| Pupil {
                url: goal.keep(&format!("{here}/{}", pupil.token)),
                first_name: pupil.first_name,
                avatar: avatar_id(pupil.avatar),
            })
            .collect(),
        continue_to: goal.sealed().map(str::to_owned),
    };
    let page = Page::new(views::render(&view)?);
    let jar = cookie::set(&state, CookieJar::new(), Name::Class, &code);
    Ok((jar, page).into_response())
}

async fn find(state: &WebState, typed: &str) -> Result<Option<ClassPage>, WebError> {
    let looked_up = if typed.len() > LONGEST { "" } else { typed };
    Ok(class_page::find(&state.context, looked_up).await?)
}

/// There is no such class; a device that remembered it forgets it.
pub(super) fn unknown(
    state: &WebState,
    visit: &Visit,
    goal: &Goal,
    typed: &str,
) -> Result<Response, WebError> {
    let page = form(state, visit, goal, Some(typed))?.with_status(StatusCode::NOT_FOUND);
    let forgotten = visit.cookie(state, Name::Class).is_some_and(|code| {
        let typed = typed.parse::<ClassCode>();
        typed.is_ok_and(|typed| typed.expose() == code.expose())
    });
    if forgotten {
        let jar = cookie::clear(state, CookieJar::new(), Name::Class);
        return Ok((jar, page).into_response());
    }
    Ok(page.into_response())
}

/// The form, again with what was typed where that opened nothing.
fn form(state: &WebState, visit: &Visit, goal: &Goal, typed: Option<&str>) -> Result<Page, WebError> {
    let mut page = visit.page(&state.brand, goal);
    if typed.is_some() {
        // The address may hold a code; the switch would carry it on.
        page.other_language_url = None;
    }
    let view = ClassEntryPage {
        page,
        code: typed
            .filter(|typed| typed.len() <= LONGEST)
            .unwrap_or_default()
            .to_owned(),
        continue_to: goal.sealed().map(str::to_owned),
        problem: typed.map(|_| ClassEntryProblem::Unknown),
    };
    Ok(Page::new(views::render(&view)?))
}
