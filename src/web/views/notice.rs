//! Owns the pages that a person reads before a service learns about them: a child is told, an adult is asked. The ids
//! `go-on`, `allow` and `refuse` are an interface (DESIGN §8). Must never ask a child.

use super::facts::{self, ForChild, Known};
use super::{Hidden, Page};
use askama::Template;

/// A service, as a person is told of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ServiceAbout {
    /// Its name.
    pub name: String,
    /// The host that receives what is told.
    pub host: Option<String>,
    /// What it says it does with data.
    pub policy_url: Option<String>,
    /// Its terms.
    pub terms_url: Option<String>,
}

/// "This service will know: …", for a child.
#[derive(Debug, Clone, Template)]
#[template(path = "information.html")]
pub struct InformationPage {
    /// What every page needs.
    pub page: Page,
    /// The service.
    pub service: ServiceAbout,
    /// What it will know.
    pub known: Vec<Known>,
    /// Whether the child was told before, of less.
    pub is_more: bool,
    /// Where the form is posted.
    pub action: String,
    /// Hidden fields that the handler wants back.
    pub hidden: Vec<Hidden>,
}

impl InformationPage {
    fn facts(&self) -> Vec<ForChild> {
        facts::for_child(self.page.lang, &self.known)
    }
}

/// "Do you agree that this service receives: …", for an adult.
#[derive(Debug, Clone, Template)]
#[template(path = "consent.html")]
pub struct ConsentPage {
    /// What every page needs.
    pub page: Page,
    /// The service.
    pub service: ServiceAbout,
    /// What it would receive.
    pub known: Vec<Known>,
    /// What else it might do.
    pub rights: Vec<String>,
    /// Whether the person agreed before, to less.
    pub is_more: bool,
    /// Where the form is posted.
    pub action: String,
    /// Hidden fields that the handler wants back.
    pub hidden: Vec<Hidden>,
}

impl ConsentPage {
    fn right(&self, right: &str) -> String {
        facts::right(self.page.lang, right)
    }
}
