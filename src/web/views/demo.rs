//! Owns the pages of `marelle demo`: the guided tour, and the services that a pupil signs in to. Must never be reachable
//! from `marelle serve`.

use super::{Lang, Page, Picture};
use askama::Template;

/// The start of the guided tour.
#[derive(Debug, Clone, Template)]
#[template(path = "demo/start.html")]
pub struct DemoStart {
    /// What every page needs.
    pub page: Page,
    /// The tour, in order.
    pub steps: Vec<Step>,
    /// The people that the tour is about.
    pub cast: Vec<CastMember>,
    /// The servers that run.
    pub services: Vec<DemoService>,
    /// Where "load next year's file" is posted; none once it is loaded.
    pub load_action: Option<String>,
    /// Where "start again" is posted.
    pub reset_action: String,
    /// What the last button did.
    pub notice: Option<String>,
}

/// One step of the tour.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// What is to be done.
    pub title: String,
    /// What will be seen, and why it matters.
    pub sentence: String,
    /// How to do it.
    pub action: Option<StepAction>,
    /// How far the visitor is.
    pub state: StepState,
}

/// How a step is done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StepAction {
    /// By opening a page.
    Open {
        /// What is read.
        label: String,
        /// Where it leads.
        url: String,
    },
    /// By a button that changes something.
    Post {
        /// What is read.
        label: String,
        /// Where it is posted.
        action: String,
    },
}

/// How far the visitor is with a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StepState {
    /// Behind them.
    Done,
    /// The next thing to do.
    Current,
    /// Later.
    Todo,
}

impl Step {
    const fn class(&self) -> &'static str {
        match self.state {
            StepState::Done => "done",
            StepState::Current => "current",
            StepState::Todo => "todo",
        }
    }

    fn state_word(&self, lang: &Lang) -> &'static str {
        let words = &lang.words().demo;
        match self.state {
            StepState::Done => words.done,
            StepState::Current => words.current,
            StepState::Todo => words.todo,
        }
    }

    fn is_current(&self) -> bool {
        self.state == StepState::Current
    }
}

/// A pupil of the demo.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CastMember {
    /// The first name.
    pub first_name: String,
    /// The class, for example `CM2 B`.
    pub class_label: String,
    /// The name of the school.
    pub school: String,
    /// The id of the avatar.
    pub avatar: String,
    /// The picture code: a demo may tell it.
    pub pictures: Vec<Picture>,
    /// The page of the class.
    pub class_url: String,
}

/// A server of the demo.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DemoService {
    /// Its name.
    pub name: String,
    /// Where it runs.
    pub url: String,
    /// What it plays.
    pub about: String,
}

/// The page of a service that relies on Marelle.
#[derive(Debug, Clone, Template)]
#[template(path = "demo/service.html")]
pub struct ServicePage {
    /// The language to write in.
    pub lang: Lang,
    /// The name of the service.
    pub name: String,
    /// One sentence under the name.
    pub about: String,
    /// Its colours.
    pub theme: Theme,
    /// Whether somebody is signed in.
    pub state: ServiceState,
    /// Back to the tour.
    pub tour_url: String,
}

/// The colours of a service of the demo.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Theme {
    /// A service of the école.
    Ecole,
    /// The ENT of the collège.
    College,
    /// A service that both use.
    Both,
}

/// Whether somebody is signed in at a service of the demo.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ServiceState {
    /// Nobody is.
    SignedOut {
        /// Where "sign in" leads.
        sign_in_url: String,
    },
    /// Somebody is.
    SignedIn {
        /// The name to greet with, when the service receives one.
        greeting_name: Option<String>,
        /// The subject identifier.
        sub: String,
        /// The subject identifier that this service saw the time before.
        previous_sub: Option<String>,
        /// All claims, as received.
        claims: Vec<Claim>,
        /// Where "sign out" is posted.
        sign_out_action: String,
    },
}

/// A claim that a service received.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// Its name.
    pub name: String,
    /// Its value, as JSON when it is not a plain text.
    pub value: String,
}

impl ServicePage {
    fn asset(&self, name: &str) -> String {
        crate::web::assets::url(name)
    }

    const fn theme_class(&self) -> &'static str {
        match self.theme {
            Theme::Ecole => "theme-ecole",
            Theme::College => "theme-college",
            Theme::Both => "theme-both",
        }
    }
}
