//! Owns the way of a class: the page where its code is typed, and the page where a pupil finds their own name.
//! Must never show more of a child than an avatar and the first name as the class says it.

use super::Page;
use askama::Template;

/// `/class`: the class code is typed here and sent by `POST /class` as `code`.
#[derive(Debug, Clone, Template)]
#[template(path = "class_entry.html")]
pub struct ClassEntryPage {
    /// What every page needs.
    pub page: Page,
    /// What was typed, given back after a mistake.
    pub code: String,
    /// Where to go afterwards: sent back as the hidden field `continue`.
    pub continue_to: Option<String>,
    /// Why the last try did not succeed.
    pub problem: Option<ClassEntryProblem>,
}

/// Why a class code did not open a class.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClassEntryProblem {
    /// No class has this code (any more).
    Unknown,
    /// Too many tries.
    Wait {
        /// How long until the next try.
        seconds: u32,
    },
}

impl ClassEntryPage {
    fn sentence(&self) -> Option<String> {
        let words = self.page.words();
        self.problem.map(|problem| match problem {
            ClassEntryProblem::Unknown => words.entry.unknown.to_owned(),
            ClassEntryProblem::Wait { seconds } => (words.login.wait)(&words.duration(seconds)),
        })
    }
}

/// `/class/<code>`: who are you?
#[derive(Debug, Clone, Template)]
#[template(path = "class.html")]
pub struct ClassPage {
    /// What every page needs.
    pub page: Page,
    /// The class, for example `CE1 A`.
    pub class_label: String,
    /// The name of the school.
    pub school: String,
    /// Its pupils, in the order to show.
    pub pupils: Vec<Pupil>,
    /// Kept on the ways to another class and to the password page.
    pub continue_to: Option<String>,
}

/// A child on the page of the class.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pupil {
    /// Where this child enters the picture code; opaque.
    pub url: String,
    /// The first name, with what tells two children of one name apart.
    pub first_name: String,
    /// The id of an avatar.
    pub avatar: String,
}
