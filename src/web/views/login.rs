//! Owns the page of username and password. The ids `username`, `password`, `sign-in` and `cancel` are an interface (DESIGN §8).
//! Must never say whether it was the name or the password that was wrong.

use super::Page;
use crate::domain::upstream::Population;
use askama::Template;

/// `GET /login`, and the answer to a `POST /login` that did not succeed.
#[derive(Debug, Clone, Template)]
#[template(path = "login.html")]
pub struct LoginPage {
    /// What every page needs.
    pub page: Page,
    /// What was typed, given back after a refusal; before that, what the service believes will be.
    pub username: String,
    /// Where to go afterwards: sent back as the hidden field `continue`.
    pub continue_to: Option<String>,
    /// The name of the service that sent the person here.
    pub service: Option<String>,
    /// What that service says it does with data.
    pub policy_url: Option<String>,
    /// The terms of that service.
    pub terms_url: Option<String>,
    /// Whether the page leads to the class page too.
    pub class_way: bool,
    /// The other providers by which people may come, in the order in which they are shown.
    pub ways: Vec<Way>,
    /// The provider from which somebody came whom it does not know yet here: they sign in once as before.
    pub first_by: Option<String>,
    /// Why the last try did not succeed.
    pub problem: Option<LoginProblem>,
}

/// Another provider by which people may come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Way {
    /// Its name.
    pub name: String,
    /// Where it begins.
    pub url: String,
    /// Whom it is for.
    pub populations: Vec<Population>,
    /// Whether somebody came by it last on this device.
    pub is_remembered: bool,
}

/// Why a try with a password did not succeed, as far as the person may know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LoginProblem {
    /// Name or password is wrong.
    Refused,
    /// Too many tries.
    Wait {
        /// How long until the next try.
        seconds: u32,
    },
    /// The page had been open for too long.
    Expired,
}

impl Way {
    /// Whom the drawing shows: the first of them, or everybody.
    fn shows(&self, population: Population) -> bool {
        self.populations.first() == Some(&population)
    }
}

impl LoginPage {
    /// Whom a way is for, in words; nothing where it is for everybody.
    fn people(&self, way: &Way) -> String {
        if way.populations.len() == Population::ALL.len() {
            return String::new();
        }
        let words = self.page.words();
        let listed: Vec<&str> = way
            .populations
            .iter()
            .map(|population| match population {
                Population::PupilFirst => words.login.pupils_first,
                Population::PupilSecond => words.login.pupils_second,
                Population::Guardian => words.login.guardians,
                Population::Staff => words.login.staff,
            })
            .collect();
        listed.join(" · ")
    }

    fn sentence(&self) -> Option<String> {
        let words = self.page.words();
        self.problem.map(|problem| match problem {
            LoginProblem::Refused => words.login.refused.to_owned(),
            LoginProblem::Wait { seconds } => (words.login.wait)(&words.duration(seconds)),
            LoginProblem::Expired => words.login.expired.to_owned(),
        })
    }

    const fn wait_seconds(&self) -> Option<u32> {
        match self.problem {
            Some(LoginProblem::Wait { seconds }) => Some(seconds),
            Some(LoginProblem::Refused | LoginProblem::Expired) | None => None,
        }
    }
}
