//! Owns what people see: one plain struct per page, filled by a handler and rendered by [`render`]. Must never decide
//! anything, read a request, or write a sentence that is not in `words`. The only place that knows askama.
//!
//! Rules of every page (RGAA 4.1, DESIGN §9): usable without the script, no inline style or script, one `h1`, a title
//! of its own, every control labelled. Addresses in the structs are given by the handler, which vouches for them.

mod accessibility;
mod account;
mod avatars;
mod brand;
mod cards;
mod class;
mod colour;
mod demo;
mod facts;
mod form_post;
#[cfg(test)]
mod gallery;
mod lang;
mod login;
mod message;
mod notice;
mod picture;
mod pictures;
mod session;
#[cfg(test)]
mod tests;
mod words;

use std::sync::Arc;

pub use accessibility::AccessibilityPage;
pub use account::{AccountPage, KnownBy};
pub use avatars::{AVATARS, Avatar};
pub use brand::Brand;
pub use cards::{Card, CardsPage};
pub use class::{ClassEntryPage, ClassEntryProblem, ClassPage, Pupil};
pub use colour::{Colour, InvalidColour};
pub use demo::{
    CastMember, Claim, DemoService, DemoStart, ServicePage, ServiceState, Step, StepAction, StepState, Theme,
};
pub use facts::Known;
pub use form_post::FormPostPage;
pub use lang::Lang;
pub use login::{LoginPage, LoginProblem, Way};
pub use message::{ErrorKind, ErrorPage, NotFoundPage, opens_on};
pub use notice::{ConsentPage, InformationPage, ServiceAbout};
pub use picture::{PicturePage, PictureState};
pub use pictures::{PICTURES, Picture};
pub use session::{ChildLine, ComingService, HomePage, ServiceLink, SignOutPage, SignedOutPage, VerdictPage};
use words::Words;

/// What every page of Marelle needs to know.
#[derive(Debug, Clone)]
pub struct Page {
    /// How the project dresses its pages.
    pub brand: Arc<Brand>,
    /// The language to write in.
    pub lang: Lang,
    /// The name of the person who is signed in, as they like to read it.
    pub person: Option<String>,
    /// The address of this page in the other language; without one there is no language switch.
    pub other_language_url: Option<String>,
    /// The value of the hidden field `form_token` in every form, for handlers that protect forms by one.
    pub form_token: Option<String>,
}

impl Page {
    /// A page for somebody who is not signed in.
    pub fn new(brand: Arc<Brand>, lang: Lang) -> Self {
        Self {
            brand,
            lang,
            person: None,
            other_language_url: None,
            form_token: None,
        }
    }

    fn words(&self) -> &'static Words {
        self.lang.words()
    }

    fn asset(&self, name: &str) -> String {
        super::assets::url(name)
    }

    fn word(&self, picture: &Picture) -> &'static str {
        picture.word(self.lang)
    }

    fn avatar_url(&self, id: &str) -> String {
        Avatar::by_id_or_any(id).url()
    }

    fn other_language(&self) -> &'static str {
        self.lang.other().words().layout.language
    }
}

/// A hidden field of a form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hidden {
    /// The name of the field.
    pub name: String,
    /// What it sends.
    pub value: String,
}

/// A link with its words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// What is read.
    pub label: String,
    /// Where it leads.
    pub url: String,
}

/// A page could not be written.
#[derive(Debug, thiserror::Error)]
#[error("a page could not be rendered")]
pub struct RenderError(#[from] askama::Error);

/// The HTML of a page.
pub fn render(view: &impl askama::Template) -> Result<String, RenderError> {
    Ok(view.render()?)
}
