//! `/class/<code>/<pupil>`: four pictures.
//!
//! Without the script each tap sends the form with what was picked before; with it only the fourth does. Nothing is
//! judged before the fourth.

use axum::extract::{Path, RawForm, State};
use axum::response::{IntoResponse, Response};

use super::{class, refused, seconds, signed_in, too_early};
use crate::flows::class_page;
use crate::flows::sign_in::SignIn;
use crate::flows::sign_in::picture::{Attempt, sign_in};
use crate::login::picture::{Picks, shuffled};
use crate::web::cookie::Name;
use crate::web::error::WebError;
use crate::web::page::Page;
use crate::web::views::{self, Hidden, Picture, PicturePage, PictureState};
use crate::web::visit::{Fields, Goal, Visit};
use crate::web::{WebState, avatar_id};

/// The address a child is at, as it came.
struct Here {
    code: String,
    pupil: String,
    goal: Goal,
}

/// `GET /class/<code>/<pupil>`.
pub(super) async fn show(
    State(state): State<WebState>,
    visit: Visit,
    Path((code, pupil)): Path<(String, String)>,
) -> Result<Response, WebError> {
    let goal = Goal::read(&state, &visit.query);
    let here = Here { code, pupil, goal };
    grid(&state, &visit, &here, (Vec::new(), PictureState::Normal)).await
}

/// `POST /class/<code>/<pupil>`.
pub(super) async fn submit(
    State(state): State<WebState>,
    visit: Visit,
    Path((code, pupil)): Path<(String, String)>,
    RawForm(body): RawForm,
) -> Result<Response, WebError> {
    let fields = Fields::read(&String::from_utf8_lossy(&body));
    let goal = Goal::read(&state, &fields);
    let here = Here { code, pupil, goal };
    let before = fields.one("picked").unwrap_or_default();
    let ids = before
        .split(',')
        .chain(fields.one("pick"))
        .filter(|id| !id.is_empty());
    let picked = match Picks::read(ids.clone()) {
        Some(Picks::Complete(picked)) => picked,
        Some(Picks::Unfinished) => {
            let so_far = ids.map(str::to_owned).collect();
            return grid(&state, &visit, &here, (so_far, PictureState::Normal)).await;
        }
        None => return grid(&state, &visit, &here, (Vec::new(), PictureState::Normal)).await,
    };
    let former = visit.cookie(&state, Name::Session);
    let attempt = Attempt {
        class_code: &here.code,
        pupil: &here.pupil,
        picked: &picked,
        former: former.as_ref(),
    };
    let next = match sign_in(&state.context, attempt).await? {
        Some(SignIn::Done(cookie)) => return Ok(signed_in(&state, &cookie, &here.goal.resume(&state))),
        Some(SignIn::Busy) => return Err(WebError::Busy),
        Some(SignIn::Refused) => PictureState::Wrong,
        Some(SignIn::Wait(wait)) => PictureState::Wait {
            seconds: seconds(wait),
        },
        None => PictureState::Normal,
    };
    grid(&state, &visit, &here, (Vec::new(), next)).await
}

/// The sixteen pictures for a child, shuffled anew; the page of an unknown class where this is nobody's address.
async fn grid(
    state: &WebState,
    visit: &Visit,
    here: &Here,
    (picked, pictures): (Vec<String>, PictureState),
) -> Result<Response, WebError> {
    let found = class_page::find_pupil(&state.context, &here.code, &here.pupil).await?;
    let Some((page, pupil)) = found else {
        return class::unknown(state, visit, &here.goal, &here.code);
    };
    let class_path = class::path(&page.code);
    let address = format!("{class_path}/{}", here.pupil);
    let mut dress = visit.page(&state.brand, &here.goal);
    dress.other_language_url = dress
        .other_language_url
        .filter(|_| pictures == PictureState::Normal);
    let view = PicturePage {
        page: dress,
        first_name: pupil.first_name,
        avatar: avatar_id(pupil.avatar),
        pictures: shuffled(&*state.context.random)
            .into_iter()
            .filter_map(|picture| Picture::by_id(picture.id()))
            .collect(),
        picked,
        hidden: continue_field(&here.goal),
        state: pictures,
        again_url: here.goal.keep(&address),
        class_url: here.goal.keep(&class_path),
        action: address,
    };
    let page = Page::new(views::render(&view)?).leading_to(here.goal.origin());
    Ok(match pictures {
        PictureState::Normal => page.into_response(),
        PictureState::Wrong => refused(page),
        PictureState::Wait { seconds } => too_early(page, seconds),
    })
}

fn continue_field(goal: &Goal) -> Vec<Hidden> {
    let field = goal.sealed().map(|sealed| Hidden {
        name: "continue".to_owned(),
        value: sealed.to_owned(),
    });
    field.into_iter().collect()
}
