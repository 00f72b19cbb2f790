//! Owns the sheet that a teacher prints: how to reach the class, and one card per pupil to cut out. Must never be
//! linked from a page that a pupil sees.

use super::{Page, Picture};
use askama::Template;

/// The cards of a class, for A4 paper.
#[derive(Debug, Clone, Template)]
#[template(path = "cards.html")]
pub struct CardsPage {
    /// What every page needs.
    pub page: Page,
    /// The class, for example `CE1 A`.
    pub class_label: String,
    /// The name of the school.
    pub school: String,
    /// The address to type, short enough to be copied from paper.
    pub address: String,
    /// The class code.
    pub class_code: String,
    /// One for each pupil.
    pub cards: Vec<Card>,
}

/// The card of one pupil.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Card {
    /// The first name, as on the page of the class.
    pub first_name: String,
    /// The id of the avatar.
    pub avatar: String,
    /// The picture code, in order.
    pub pictures: Vec<Picture>,
}
