//! Owns the page of username and password. The ids `username`, `password`, `sign-in` and `cancel` are an interface (DESIGN §8).
//! Must never say whether it was the name or the password that was wrong.

use super::Page;
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
    /// Why the last try did not succeed.
    pub problem: Option<LoginProblem>,
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

impl LoginPage {
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
