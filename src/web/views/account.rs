//! Owns the page where a person reads what services know about them. The ids `account` (on the home page) and
//! `withdraw-<client>` are an interface (DESIGN §8).

use super::Page;
use super::facts::{self, ForChild, Known};
use super::notice::ServiceAbout;
use super::words::facts::day;
use crate::base::time::Date;
use askama::Template;

/// "What services know about me".
#[derive(Debug, Clone, Template)]
#[template(path = "account.html")]
pub struct AccountPage {
    /// What every page needs.
    pub page: Page,
    /// Whether a child reads.
    pub is_child: bool,
    /// The services.
    pub services: Vec<KnownBy>,
    /// The name of a service whose consent has just been withdrawn.
    pub withdrawn: Option<String>,
    /// Where a withdrawal is posted.
    pub withdraw_action: String,
}

/// A service that knows the person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownBy {
    /// Its id.
    pub client: String,
    /// What is told of it.
    pub service: ServiceAbout,
    /// Since when it knows the person.
    pub since: Date,
    /// What it knows.
    pub known: Vec<Known>,
    /// What else it may do.
    pub rights: Vec<String>,
    /// Whether the person can take it back.
    pub may_withdraw: bool,
}

impl AccountPage {
    fn since(&self, service: &KnownBy) -> String {
        let words = self.page.words();
        (words.account.since)(&day(self.page.lang, service.since))
    }

    fn facts(&self, service: &KnownBy) -> Vec<ForChild> {
        facts::for_child(self.page.lang, &service.known)
    }

    fn right(&self, right: &str) -> String {
        facts::right(self.page.lang, right)
    }
}
