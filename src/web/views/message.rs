//! Owns the pages that say that something went wrong: a public sentence, what can be done, and the request id that the
//! log carries too (DESIGN §10). Must never show a cause.

use super::words::facts::coming_day;
use super::{Lang, Link, Page};
use crate::base::time::Date;
use askama::Template;

/// Something went wrong.
#[derive(Debug, Clone, Template)]
#[template(path = "error.html")]
pub struct ErrorPage {
    /// What every page needs.
    pub page: Page,
    /// Chooses the title, the drawing, and the sentences that are not given.
    pub kind: ErrorKind,
    /// The public sentence of the failure, in the language of the page; without one the kind's own.
    pub sentence: Option<String>,
    /// What to quote when asking for help.
    pub request_id: String,
    /// A way on, when there is one.
    pub way_on: Option<Link>,
}

/// What kind of failure a person can tell apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// The request makes no sense: the fault of the page or service that sent the person here.
    BadRequest,
    /// The person may not do this.
    Forbidden,
    /// The school year has not begun for this child.
    NotYet,
    /// A human has to recognise the person first.
    Waits,
    /// The page had been open for too long, or was used already.
    Expired,
    /// Too many requests.
    TooMany,
    /// The fault is ours.
    Internal,
    /// Not now: maintenance, or the database is away.
    Unavailable,
}

impl ErrorPage {
    fn words(&self) -> &'static super::words::Failure {
        let words = &self.page.words().error;
        match self.kind {
            ErrorKind::BadRequest => &words.bad_request,
            ErrorKind::Forbidden => &words.forbidden,
            ErrorKind::NotYet => &words.not_yet,
            ErrorKind::Waits => &words.waits,
            ErrorKind::Expired => &words.expired,
            ErrorKind::TooMany => &words.too_many,
            ErrorKind::Internal => &words.internal,
            ErrorKind::Unavailable => &words.unavailable,
        }
    }

    fn sentence(&self) -> &str {
        self.sentence.as_deref().unwrap_or(self.words().sentence)
    }

    const fn sign(&self) -> &'static str {
        match self.kind {
            ErrorKind::BadRequest | ErrorKind::Internal => "signs/buoy.svg",
            ErrorKind::Forbidden => "signs/lock.svg",
            ErrorKind::NotYet
            | ErrorKind::Waits
            | ErrorKind::Expired
            | ErrorKind::TooMany
            | ErrorKind::Unavailable => "signs/hourglass.svg",
        }
    }
}

/// The sentence for a child whose services open on a day that is still to come.
pub fn opens_on(lang: Lang, day: Date) -> String {
    (lang.words().error.opens_on)(&coming_day(lang, day))
}

/// There is no such page.
#[derive(Debug, Clone, Template)]
#[template(path = "not_found.html")]
pub struct NotFoundPage {
    /// What every page needs.
    pub page: Page,
    /// What to quote when asking for help.
    pub request_id: String,
}
