//! Owns the page of the picture code. Without the script each picture is one submit of the form (`pick`, with what was
//! picked before in `picked`, ids separated by commas); with it the first three stay on the page and the fourth sends
//! the same two fields. Must never show which pictures were picked: the neighbour looks on.

use super::{Hidden, Page, Picture};
use askama::Template;

/// How many pictures make a code.
const LENGTH: usize = 4;

/// A pupil was chosen on the page of the class; now the four pictures.
#[derive(Debug, Clone, Template)]
#[template(path = "picture.html")]
pub struct PicturePage {
    /// What every page needs.
    pub page: Page,
    /// Where the form is posted.
    pub action: String,
    /// The first name, as on the page of the class.
    pub first_name: String,
    /// The id of the avatar.
    pub avatar: String,
    /// The sixteen pictures, shuffled by the server.
    pub pictures: Vec<Picture>,
    /// The ids picked so far, when the script does not run; never more than three.
    pub picked: Vec<String>,
    /// More hidden fields that the handler wants back.
    pub hidden: Vec<Hidden>,
    /// What happened before.
    pub state: PictureState,
    /// This page with nothing picked: "start again".
    pub again_url: String,
    /// The page of the class: "that's not me".
    pub class_url: String,
}

/// What happened before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PictureState {
    /// Nothing yet.
    Normal,
    /// The four pictures were not the right ones.
    Wrong,
    /// Too many tries: a pause.
    Wait {
        /// How long until the next try.
        seconds: u32,
    },
}

impl PicturePage {
    fn picked_list(&self) -> String {
        self.picked.join(",")
    }

    fn progress(&self) -> String {
        (self.page.words().picture.picked)(&self.picked.len().to_string())
    }

    /// For each of the four squares, whether the pebble has been there.
    fn squares(&self) -> impl Iterator<Item = (usize, bool)> {
        (1..=LENGTH).map(|square| (square, square <= self.picked.len()))
    }

    fn wait_seconds(&self) -> Option<u32> {
        match self.state {
            PictureState::Wait { seconds } => Some(seconds),
            PictureState::Normal | PictureState::Wrong => None,
        }
    }

    fn wait_sentence(&self, seconds: &u32) -> String {
        let words = self.page.words();
        (words.picture.wait)(&words.duration(*seconds))
    }

    fn is_wrong(&self) -> bool {
        self.state == PictureState::Wrong
    }
}
