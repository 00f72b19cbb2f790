//! Assignments: what somebody may do here as an administrator, over what, and where that came from.
//!
//! An assignment is never changed into another: what somebody may do otherwise is a new one, and the old one ends. Must never
//! say what a role allows; who asks does.

use std::fmt;

use super::education::AcademyCode;
use super::stored_names;
use super::uai::Uai;
use super::upstream::ProviderId;
use crate::base::id::{AssignmentId, IdentityId, UpstreamLinkId};
use crate::base::time::{Date, Timestamp};

/// What somebody is for a school or an academy, as an administrator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Directrice ou directeur d'école, chef d'établissement: decides for the school, and does all that its administrator does.
    SchoolHead,
    /// Whoever the head has do it (a deputy, a référent numérique): badges, codes, class pages; decides nothing for the school.
    SchoolAdmin,
    /// Runs an academy here: its schools, feeds and review queue.
    AcademyAdmin,
}
stored_names!(Role, "role", {
    SchoolHead => "school_head", SchoolAdmin => "school_admin", AcademyAdmin => "academy_admin",
});

impl Role {
    /// Whether it is over an academy; else it is over a school.
    pub const fn is_over_academy(self) -> bool {
        matches!(self, Self::AcademyAdmin)
    }
}

/// Over what.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// One school.
    School(Uai),
    /// Every school of an academy.
    Academy(AcademyCode),
}

impl Scope {
    /// `school` or `academy`, as it is stored.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::School(_) => "school",
            Self::Academy(_) => "academy",
        }
    }

    /// The UAI, or the code.
    pub fn key(&self) -> &str {
        match self {
            Self::School(uai) => uai.as_str(),
            Self::Academy(code) => code.as_str(),
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind(), self.key())
    }
}

/// By which login at a provider something came, and by which of its rules.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// The provider.
    pub provider: ProviderId,
    /// The login.
    pub link: UpstreamLinkId,
    /// The name of the rule.
    pub rule: String,
}

/// A role over a scope, of a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assignment {
    /// Its id.
    pub id: AssignmentId,
    /// Whose.
    pub identity: IdentityId,
    /// What.
    pub role: Role,
    /// Over what.
    pub scope: Scope,
    /// By which login it came; `None` for one given by hand.
    pub origin: Option<Origin>,
    /// Since when.
    pub since: Timestamp,
    /// The first day it no longer counts; `None` for one without an end.
    pub until: Option<Date>,
    /// When it was taken away.
    pub ended_at: Option<Timestamp>,
}

impl Assignment {
    /// Whether it counts on a day.
    pub fn is_live(&self, day: Date) -> bool {
        self.ended_at.is_none() && self.until.is_none_or(|until| day < until)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::random::SeededRandom;
    use crate::base::time::parse_date;

    #[test]
    fn it_counts_until_its_day_and_not_once_it_was_taken_away() {
        let day = |text| parse_date(text).unwrap();
        let random = SeededRandom::new(1);
        let since = Timestamp::from_seconds(1_790_841_600);
        let mut one = Assignment {
            id: AssignmentId::new(since, &random),
            identity: IdentityId::new(since, &random),
            role: Role::SchoolHead,
            scope: Scope::School("9990001X".parse().unwrap()),
            origin: None,
            since,
            until: Some(day("2026-10-02")),
            ended_at: None,
        };
        assert!(one.is_live(day("2026-10-01")) && !one.is_live(day("2026-10-02")));
        one.until = None;
        assert!(one.is_live(day("2099-01-01")));
        one.ended_at = Some(since);
        assert!(!one.is_live(day("2026-10-01")));
        assert_eq!(one.scope.to_string(), "school 9990001X");
    }
}
