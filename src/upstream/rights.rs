//! What a provider's word about staff is worth here: one decision from its rules, what it says and what the house knows.
//!
//! | what is said | counts where |
//! | --- | --- |
//! | a function | a rule names it |
//! | a school that the person answers for | a rule for a function of theirs is over `responsible` |
//! | a school where they work | a rule is over `schools`, and that function is said of that school (of the person, where the school is said alone) |
//! | an academy | a rule for a function of theirs is over `academy` |
//! | a delegation | a rule names its application, and today lies between its days: over the schools of the delegation |
//!
//! A school counts where it is declared here, in an academy that the provider speaks for; an academy where it is one of these
//! and declared here. Everything else is ignored, and said so. Must never give anything that no rule names.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::Serialize;

use super::staff::Staff;
use crate::base::time::Date;
use crate::domain::assignment::{Role, Scope};
use crate::domain::education::{AcademyCode, Profile};
use crate::domain::stored_names;
use crate::domain::uai::Uai;
use crate::domain::upstream::{Holder, Over, StaffRule, UpstreamProvider};

/// The most that one person is given by one login.
const MOST: usize = 500;

/// What the house knows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct House {
    /// The schools that are declared, with their academy.
    pub schools: BTreeMap<Uai, AcademyCode>,
    /// The academies that are declared.
    pub academies: BTreeSet<AcademyCode>,
}

/// What somebody is given.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Gives {
    /// A role over a scope.
    Role(Role, Scope),
    /// An enrolment in a school.
    Enrolment(Profile, Uai),
}

impl fmt::Display for Gives {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Role(role, scope) => write!(f, "{role} over {scope}"),
            Self::Enrolment(profile, school) => write!(f, "{profile} in school {school}"),
        }
    }
}

/// What somebody is given, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Right {
    /// What.
    pub gives: Gives,
    /// The name of the rule.
    pub rule: String,
    /// The first day it no longer counts, where it is known.
    pub until: Option<Date>,
}

/// Why something that was said gives nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum WhyNot {
    /// It has not the form that it should have.
    Unreadable,
    /// No rule names it.
    NoRule,
    /// The school or the academy is not declared here.
    NotDeclared,
    /// It is of an academy that the provider does not speak for.
    ForeignAcademy,
    /// The delegation has not begun.
    NotBegun,
    /// The delegation is over.
    Over,
    /// The delegation is over no school.
    NoSchool,
    /// A rule needs an academy, and the provider says none.
    NoAcademy,
    /// It is more than one person is given.
    TooMuch,
}
stored_names!(WhyNot, "reason", {
    Unreadable => "unreadable", NoRule => "no_rule", NotDeclared => "not_declared", ForeignAcademy => "foreign_academy",
    NotBegun => "not_begun", Over => "over", NoSchool => "no_school", NoAcademy => "no_academy", TooMuch => "too_much",
});

/// Something that was said and gives nothing.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Ignored {
    /// What was said.
    pub what: String,
    /// Why it gives nothing.
    pub why: WhyNot,
}

/// Everything that somebody is given today, and everything that was ignored.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rights {
    /// What they are given, each thing once.
    pub granted: Vec<Right>,
    /// What was ignored.
    pub ignored: Vec<Ignored>,
}

/// The rights of a day, while they are counted together.
struct Tally<'a> {
    provider: &'a UpstreamProvider,
    house: &'a House,
    granted: BTreeMap<Gives, (String, Option<Date>)>,
    ignored: BTreeSet<Ignored>,
}

/// Decides.
pub fn decide(provider: &UpstreamProvider, staff: &Staff, house: &House, today: Date) -> Rights {
    let mut tally = Tally {
        provider,
        house,
        granted: BTreeMap::new(),
        ignored: BTreeSet::new(),
    };
    for unread in &staff.unread {
        tally.ignore(format!("{} {}", unread.name, unread.value), WhyNot::Unreadable);
    }
    for rule in &provider.staff_rules {
        match &rule.holder {
            Holder::Function(function) => tally.function(rule, function, staff),
            Holder::Delegation(application) => tally.delegations(rule, application, staff, today),
        }
    }
    tally.unnamed(staff);
    Rights {
        granted: tally
            .granted
            .into_iter()
            .map(|(gives, (rule, until))| Right { gives, rule, until })
            .collect(),
        ignored: tally.ignored.into_iter().collect(),
    }
}

impl Tally<'_> {
    fn ignore(&mut self, what: String, why: WhyNot) {
        self.ignored.insert(Ignored { what, why });
    }

    fn function(&mut self, rule: &StaffRule, function: &str, staff: &Staff) {
        let has = |code: &String| code == function;
        let has_it = staff.functions.iter().any(has);
        match rule.over {
            Over::Responsible if has_it => self.schools(rule, &staff.responsible_for, None),
            Over::Schools => {
                let posts = staff.schools.iter();
                let theirs = posts.filter(|post| post.function.as_ref().map_or(has_it, has));
                let schools: Vec<Uai> = theirs.map(|post| post.school.clone()).collect();
                self.schools(rule, &schools, None);
            }
            Over::Academy if has_it => match &staff.academy {
                Some(academy) => self.academy(rule, academy),
                None => self.ignore(format!("function {function}"), WhyNot::NoAcademy),
            },
            Over::Responsible | Over::Academy => {}
        }
    }

    fn delegations(&mut self, rule: &StaffRule, application: &str, staff: &Staff, today: Date) {
        for delegation in &staff.delegations {
            if delegation.application != application {
                continue;
            }
            let what = format!(
                "delegation {application} {}–{}",
                delegation.begins_on, delegation.last_day
            );
            if today < delegation.begins_on {
                self.ignore(what, WhyNot::NotBegun);
            } else if !delegation.is_live(today) {
                self.ignore(what, WhyNot::Over);
            } else if delegation.schools.is_empty() {
                self.ignore(what, WhyNot::NoSchool);
            } else {
                self.schools(rule, &delegation.schools, Some(delegation.until()));
            }
        }
    }

    fn schools(&mut self, rule: &StaffRule, schools: &[Uai], until: Option<Date>) {
        for school in schools {
            let what = || format!("school {school}");
            match self.house.schools.get(school) {
                None => self.ignore(what(), WhyNot::NotDeclared),
                Some(academy) if !self.provider.speaks_for(academy) => {
                    self.ignore(what(), WhyNot::ForeignAcademy);
                }
                Some(_) => {
                    if let Some(role) = rule.grants.filter(|role| !role.is_over_academy()) {
                        self.grant(Gives::Role(role, Scope::School(school.clone())), rule, until);
                    }
                    if let Some(profile) = rule.profile {
                        self.grant(Gives::Enrolment(profile, school.clone()), rule, until);
                    }
                }
            }
        }
    }

    fn academy(&mut self, rule: &StaffRule, academy: &AcademyCode) {
        let what = || format!("academy {academy}");
        if !self.provider.speaks_for(academy) {
            self.ignore(what(), WhyNot::ForeignAcademy);
        } else if !self.house.academies.contains(academy) {
            self.ignore(what(), WhyNot::NotDeclared);
        } else if let Some(role) = rule.grants.filter(|role| role.is_over_academy()) {
            self.grant(Gives::Role(role, Scope::Academy(academy.clone())), rule, None);
        }
    }

    /// Each thing once: by the rule that gives it longest, the first of them.
    fn grant(&mut self, gives: Gives, rule: &StaffRule, until: Option<Date>) {
        let until = earlier(until, self.provider.ends_on);
        if let Some((known, until_then)) = self.granted.get_mut(&gives) {
            let is_longer = match (*until_then, until) {
                (None, _) => false,
                (Some(_), None) => true,
                (Some(then), Some(now)) => then < now,
            };
            if is_longer {
                (*known, *until_then) = (rule.to_string(), until);
            }
            return;
        }
        if self.granted.len() >= MOST {
            self.ignore(gives.to_string(), WhyNot::TooMuch);
            return;
        }
        self.granted.insert(gives, (rule.to_string(), until));
    }

    /// What no rule names, so that whoever writes rules sees what there is.
    fn unnamed(&mut self, staff: &Staff) {
        let rules = &self.provider.staff_rules;
        let names = |wanted: &Holder, over: &dyn Fn(Over) -> bool| {
            rules.iter().any(|rule| rule.holder == *wanted && over(rule.over))
        };
        let mut unnamed = Vec::new();
        for function in &staff.functions {
            if !names(&Holder::Function(function.clone()), &|_| true) {
                unnamed.push(format!("function {function}"));
            }
        }
        for post in &staff.schools {
            let is_named = match &post.function {
                Some(function) => names(&Holder::Function(function.clone()), &|over| over == Over::Schools),
                None => staff.functions.iter().any(|function| {
                    names(&Holder::Function(function.clone()), &|over| over == Over::Schools)
                }),
            };
            if !is_named {
                let function = post.function.as_deref().unwrap_or("no function said");
                unnamed.push(format!("school {} ({function})", post.school));
            }
        }
        let is_over_responsible = staff.functions.iter().any(|function| {
            names(&Holder::Function(function.clone()), &|over| {
                over == Over::Responsible
            })
        });
        if !is_over_responsible {
            let schools = staff.responsible_for.iter();
            unnamed.extend(schools.map(|school| format!("school {school} (answers for it)")));
        }
        for delegation in &staff.delegations {
            if !names(&Holder::Delegation(delegation.application.clone()), &|_| true) {
                unnamed.push(format!("delegation {}", delegation.application));
            }
        }
        for what in unnamed {
            self.ignore(what, WhyNot::NoRule);
        }
    }
}

/// The earlier of two ends, where there is any.
pub fn earlier(one: Option<Date>, other: Option<Date>) -> Option<Date> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
}

#[cfg(test)]
mod tests;
