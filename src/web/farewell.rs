//! What a browser gets when its login has ended, whoever asked for it: the page that tells the services in frames
//! (Front-Channel Logout 1.0 §2) and names them, or straight where the person goes where there is nothing to tell.
//!
//! | services to visit | an address to go to | answer |
//! | --- | --- | --- |
//! | some | yes | the page; it goes on by itself once they were visited, and has a button |
//! | some | no | the page, which stays |
//! | none | yes | to the address |
//! | none | no | the page where there are services to name, else `/sign-out` |
//!
//! Of a login that came from another provider, the address to go to is the logout of that provider, which leads back to
//! where the person was going. After a form of ours that is a page which goes on at once, no redirect: browsers hold redirects
//! after a form to `form-action` (CSP3), and nobody knows over whose addresses a provider's logout leads. The cookie is cleared either way. A page that is loaded again finds nobody signed in and goes on at once.

use axum::response::{IntoResponse, Response};
use axum_extra::extract::cookie::CookieJar;

use super::WebState;
use super::cookie::{self, Name};
use super::error::WebError;
use super::login::remembered_class;
use super::oauth::see_other;
use super::page::Page;
use super::views::{self, Link, SignedOutPage};
use super::visit::{Goal, Visit};
use crate::base::url::origin;
use crate::flows::logout::Farewell;
use crate::flows::upstream;

/// The page that says that nobody is signed in.
pub(super) const GONE: &str = "/sign-out";

/// How the browser asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum AskedBy {
    /// By an address.
    Address,
    /// By a form of a page of ours.
    Form,
}

/// Takes leave; `onward` is where the person goes then.
///
/// # Errors
/// [`WebError`] where the page cannot be written.
pub(super) async fn answer(
    state: &WebState,
    visit: &Visit,
    mut farewell: Farewell,
    onward: Option<Link>,
    by: AskedBy,
) -> Result<Response, WebError> {
    let mut goes_on = false;
    // A login that came from another provider is ended there too, on the way.
    let onward = match farewell.came_by.take() {
        Some(session) => {
            let then = onward.as_ref().map(|link| link.url.as_str());
            match upstream::logout::onward(&state.context, session, then).await? {
                Some((label, url)) => {
                    goes_on = by == AskedBy::Form;
                    Some(Link { label, url })
                }
                None => onward,
            }
        }
        None => onward,
    };
    let jar = cookie::clear(state, CookieJar::new(), Name::Session);
    let is_page = match &onward {
        Some(_) => goes_on || !farewell.frames.is_empty() || !farewell.asked.is_empty(),
        None => farewell != Farewell::default(),
    };
    if !is_page {
        let address = onward.as_ref().map_or(GONE, |link| &link.url);
        return Ok((jar, see_other(address)).into_response());
    }
    let mut view = nobody_there(state, visit);
    if onward.is_some() {
        // The other language is at another address, from which nothing leads on.
        view.page.other_language_url = None;
    }
    let mut origins: Vec<_> = farewell.frames.iter().filter_map(|frame| origin(frame)).collect();
    if !farewell.asked.is_empty() {
        // A frame that asks begins and ends here.
        origins.extend(origin(&state.context.settings.public_url));
    }
    origins.extend(farewell.asked.iter().map(|asked| asked.origin.clone()));
    let asked = farewell.asked.into_iter().map(|asked| Link {
        label: asked.name,
        url: asked.frame,
    });
    let view = SignedOutPage {
        closed: farewell.closed,
        asked: asked.collect(),
        still_open: farewell.still_open,
        frames: farewell.frames,
        back: onward,
        goes_on,
        ..view
    };
    Ok((jar, Page::new(views::render(&view)?).framing(origins)).into_response())
}

/// The page that says that nobody is signed in.
pub(super) fn nobody_there(state: &WebState, visit: &Visit) -> SignedOutPage {
    let mut page = visit.page(&state.brand, &Goal::default());
    // It may be the answer to a form or to a service: in the other language it is at its own address.
    page.other_language_url = Some(format!("{GONE}?lang={}", visit.lang.other().tag()));
    SignedOutPage {
        page,
        closed: Vec::new(),
        asked: Vec::new(),
        still_open: Vec::new(),
        frames: Vec::new(),
        back: None,
        goes_on: false,
        class_url: remembered_class(state, visit),
    }
}
