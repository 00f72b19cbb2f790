//! Who has left: since which day somebody whom no school enrols any more counts as departed, and when what is kept of
//! them is erased.
//!
//! Rules, each against a way of losing a child that only changes school:
//!
//! - Whoever leaves the **last level of a kind of school** (GS, CM2, 3e) towards the end of a school year counts as
//!   departed on 1 November and not before: the feeds of the next school have had two months by then. A pupil of an école
//!   whose level has no place of its own (ULIS) is taken for one of these.
//! - An **adult** whose enrolment ran out with its year counts as departed on 1 November too: the feeds of staff come late,
//!   and whoever teaches there still is not locked out for that.
//! - Whoever **no feed states** (made by hand, or enrolled by a login elsewhere) counts as departed three months after
//!   their last day: nobody writes them down again in September, they come back by themselves.
//! - Everybody else counts as departed on their last day.
//!
//! Pure. Must never say whether a school claims somebody: only the store knows every enrolment.

use std::cmp::Ordering;

use chrono::Days;

use super::education::{Degree, Profile, SchoolYear, grade};
use super::identity::Status;
use crate::base::time::Date;

/// How long whoever no feed states may be away.
const AWAY: Days = Days::new(90);
/// The last levels of the école maternelle, the école élémentaire and the collège.
const LAST_GRADES: [u8; 3] = [3, 8, 12];

/// The enrolment of somebody that ends last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LastEnrolment {
    /// As what.
    pub profile: Profile,
    /// In what kind of school, where it is known.
    pub degree: Option<Degree>,
    /// At which level, where it is known.
    pub level: Option<String>,
    /// In which year.
    pub year: SchoolYear,
    /// The first day it no longer counts.
    pub ends_on: Date,
    /// Whether a feed states it.
    pub is_stated: bool,
}

impl LastEnrolment {
    /// Whether it is live, or still to come.
    pub fn claims(&self, today: Date) -> bool {
        today < self.ends_on
    }

    /// Of two enrolments of one person, which is to be gone by.
    pub fn later(&self, other: &Self) -> Ordering {
        let rank = |one: &Self| (one.ends_on, one.year, one.level.as_deref().and_then(grade));
        rank(self).cmp(&rank(other))
    }

    /// The day since which the person counts as departed, where nothing else claims them.
    pub fn departs_on(&self) -> Date {
        if !self.is_stated {
            return self.ends_on.checked_add_days(AWAY).unwrap_or(Date::MAX);
        }
        let end = self.year.first() + 1;
        let first_of = |month| Date::from_ymd_opt(end, month, 1);
        match (first_of(3), first_of(11)) {
            // Whoever leaves in winter has gone elsewhere; in March the places in the next school are given.
            (Some(march), Some(november))
                if (self.is_of_a_last_level() || self.ran_out())
                    && march <= self.ends_on
                    && self.ends_on < november =>
            {
                november
            }
            _ => self.ends_on,
        }
    }

    /// Whether it is an adult's and nobody ended it.
    fn ran_out(&self) -> bool {
        self.profile != Profile::Pupil && self.year.overlap_end() <= self.ends_on
    }

    fn is_of_a_last_level(&self) -> bool {
        self.profile == Profile::Pupil
            && match self.level.as_deref().and_then(grade) {
                Some(grade) => LAST_GRADES.contains(&grade),
                None => self.degree == Some(Degree::First),
            }
    }
}

/// The day since which somebody whom nothing claims has been gone; `None` for whoever is here, and for whoever is nobody
/// any more. Somebody who was suspended stays suspended when they leave, and is gone all the same.
pub fn gone_since(status: &Status, last: Option<&LastEnrolment>) -> Option<Date> {
    let by_rule = last.map(LastEnrolment::departs_on);
    match status {
        Status::Departed { on } => Some(by_rule.map_or(*on, |day| day.max(*on))),
        Status::Suspended => by_rule,
        Status::Active | Status::Merged { .. } | Status::Erased => None,
    }
}

/// Whether what is kept of somebody who has been gone since a day is over today.
pub fn is_over(since: Date, kept_days: u32, today: Date) -> bool {
    since
        .checked_add_days(Days::new(u64::from(kept_days)))
        .is_some_and(|end| end <= today)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::time::parse_date;

    fn day(text: &str) -> Date {
        parse_date(text).unwrap()
    }

    fn last(level: Option<&str>, degree: Degree, ends_on: &str) -> LastEnrolment {
        LastEnrolment {
            profile: Profile::Pupil,
            degree: Some(degree),
            level: level.map(str::to_owned),
            year: SchoolYear::new(2025).unwrap(),
            ends_on: day(ends_on),
            is_stated: true,
        }
    }

    #[test]
    fn who_leaves_a_last_level_at_the_end_of_a_year_counts_as_departed_in_november() {
        let of = |level, degree, ends_on| last(level, degree, ends_on).departs_on();
        for level in ["CM2", "GS"] {
            assert_eq!(of(Some(level), Degree::First, "2026-09-15"), day("2026-11-01"));
        }
        assert_eq!(of(Some("3EME"), Degree::Second, "2026-09-15"), day("2026-11-01"));
        assert_eq!(of(None, Degree::First, "2026-09-15"), day("2026-11-01"));
        assert_eq!(of(Some("ULIS"), Degree::First, "2026-07-04"), day("2026-11-01"));
        assert_eq!(of(Some("CM2"), Degree::First, "2026-03-01"), day("2026-11-01"));
        for (level, degree, ends_on) in [
            (Some("CM2"), Degree::First, "2026-02-28"),
            (Some("CM1"), Degree::First, "2026-09-15"),
            (Some("6EME"), Degree::Second, "2026-09-15"),
            (None, Degree::Second, "2026-09-15"),
            (Some("CM2"), Degree::First, "2026-11-01"),
        ] {
            assert_eq!(of(level, degree, ends_on), day(ends_on), "{level:?} {ends_on}");
        }
        let teacher = LastEnrolment {
            profile: Profile::Teacher,
            ..last(None, Degree::First, "2026-09-15")
        };
        assert_eq!(teacher.departs_on(), day("2026-11-01"), "it ran out");
        let ended = LastEnrolment {
            ends_on: day("2026-09-14"),
            ..teacher.clone()
        };
        assert_eq!(ended.departs_on(), day("2026-09-14"), "a feed ended it");
        let by_hand = LastEnrolment {
            is_stated: false,
            ..teacher
        };
        assert_eq!(by_hand.departs_on(), day("2026-12-14"));
    }

    #[test]
    fn the_clock_runs_for_those_who_are_gone_and_from_the_later_day() {
        let cm2 = last(Some("CM2"), Degree::First, "2026-09-15");
        let departed = Status::Departed {
            on: day("2026-09-20"),
        };
        assert_eq!(gone_since(&departed, Some(&cm2)), Some(day("2026-11-01")));
        assert_eq!(gone_since(&departed, None), Some(day("2026-09-20")));
        assert_eq!(
            gone_since(&Status::Suspended, Some(&cm2)),
            Some(day("2026-11-01"))
        );
        assert_eq!(gone_since(&Status::Suspended, None), None);
        assert_eq!(gone_since(&Status::Active, Some(&cm2)), None);
        assert_eq!(gone_since(&Status::Erased, Some(&cm2)), None);
        let since = day("2026-11-01");
        assert!(!is_over(since, 90, day("2027-01-29")));
        assert!(is_over(since, 90, day("2027-01-30")));
    }

    #[test]
    fn the_last_enrolment_is_the_one_that_ends_last_then_the_one_of_the_higher_level() {
        let (ecole, college) = (
            last(Some("CM2"), Degree::First, "2026-09-15"),
            last(Some("6EME"), Degree::Second, "2026-09-15"),
        );
        assert_eq!(college.later(&ecole), Ordering::Greater);
        assert_eq!(
            ecole.later(&last(Some("6EME"), Degree::Second, "2026-09-14")),
            Ordering::Greater
        );
        assert!(ecole.claims(day("2026-09-14")) && !ecole.claims(day("2026-09-15")));
    }
}
