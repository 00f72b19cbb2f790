//! Owns the pages of somebody who is signed in at Marelle itself, and of their leaving. The id `sign-out` is an
//! interface (DESIGN §8).

use super::words::facts::coming_day;
use super::{Hidden, Link, Page};
use crate::base::time::Date;
use askama::Template;

/// Signed in without having been sent by a service.
#[derive(Debug, Clone, Template)]
#[template(path = "home.html")]
pub struct HomePage {
    /// What every page needs.
    pub page: Page,
    /// The name to greet with.
    pub first_name: String,
    /// The id of the avatar, when the person has one.
    pub avatar: Option<String>,
    /// Where the person can go.
    pub services: Vec<ServiceLink>,
    /// Where they can go later.
    pub coming: Vec<ComingService>,
    /// The children whom the person answers for.
    pub children: Vec<ChildLine>,
    /// Where "I'm done" is posted.
    pub sign_out_action: String,
}

impl HomePage {
    fn comes(&self, service: &ComingService) -> String {
        let day = coming_day(self.page.lang, service.opens_on);
        (self.page.words().home.comes)(&service.name, &day)
    }
}

/// A child whom the person answers for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChildLine {
    /// Their name.
    pub name: String,
    /// Their schools.
    pub schools: Vec<String>,
}

/// A service that the person can open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceLink {
    /// Its name.
    pub name: String,
    /// Where it begins.
    pub url: String,
}

impl ServiceLink {
    /// The letter that stands for the service where there is no drawing.
    fn initial(&self) -> String {
        self.name
            .chars()
            .find(|c| c.is_alphanumeric())
            .map(|c| c.to_uppercase().collect())
            .unwrap_or_default()
    }
}

/// A service that opens for the person on a day to come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ComingService {
    /// Its name.
    pub name: String,
    /// That day.
    pub opens_on: Date,
}

/// "Do you want to leave?": the confirmation of OpenID Connect RP-Initiated Logout §2.
#[derive(Debug, Clone, Template)]
#[template(path = "sign_out.html")]
pub struct SignOutPage {
    /// What every page needs.
    pub page: Page,
    /// Where the form is posted.
    pub action: String,
    /// Hidden fields that the handler wants back.
    pub hidden: Vec<Hidden>,
    /// The service that asked, when one did.
    pub service: Option<String>,
    /// Where "stay" leads.
    pub stay_url: String,
}

/// Nobody is signed in any more. While it is shown, its frames tell services so.
#[derive(Debug, Clone, Template)]
#[template(path = "signed_out.html")]
pub struct SignedOutPage {
    /// What every page needs.
    pub page: Page,
    /// The names of the services that are told.
    pub closed: Vec<String>,
    /// The services that are asked in a frame, each with its address: what they answered shows there, and beside their name.
    pub asked: Vec<Link>,
    /// The names of the services that cannot be told.
    pub still_open: Vec<String>,
    /// Addresses that are visited, unseen; the page goes on to `back` by itself after that.
    pub frames: Vec<String>,
    /// The service that the person came from, and its address.
    pub back: Option<Link>,
    /// Whether the page goes on to `back` by itself where it visits nothing.
    pub goes_on: bool,
    /// The class that this device remembers: the next child begins there.
    pub class_url: Option<String>,
}

impl SignedOutPage {
    /// Whether services are told while it is shown.
    fn tells(&self) -> bool {
        !self.frames.is_empty() || !self.asked.is_empty()
    }

    /// For how many seconds it waits for them: longer for those that answer.
    fn patience(&self) -> u8 {
        if self.asked.is_empty() { 3 } else { 5 }
    }
}

/// What a service answered, in a frame of the page of leaving, which reads it there.
#[derive(Debug, Clone, Template)]
#[template(path = "verdict.html")]
pub struct VerdictPage {
    /// What every page needs.
    pub page: Page,
    /// Whether the login is over at the service.
    pub is_over: bool,
}
