//! What a kind of feed is, for folders: the one place to tell of a new one.

use chrono::Datelike;

use crate::base::time::Date;
use crate::domain::education::{AcademyCode, Degree, School, SchoolYear};
use crate::flows::import::Feed;

/// The feed of a kind, as a configuration names it.
///
/// # Errors
/// What is wrong or missing; begins with the name of the setting.
pub fn feed_of(kind: &str, academy: Option<AcademyCode>) -> Result<Feed, &'static str> {
    let academy = academy.ok_or("academy: is missing: the keys of this feed are unique within one only");
    match kind {
        "onde" => Ok(Feed::Onde),
        "siecle" => Ok(Feed::Siecle),
        "sts" => Ok(Feed::Sts),
        "csv" => Ok(Feed::Csv),
        "aaf" => aaf(academy?, None),
        "aaf1d" => aaf(academy?, Some(Degree::First)),
        "aaf2d" => aaf(academy?, Some(Degree::Second)),
        "oneroster" => Ok(Feed::OneRoster { academy: academy? }),
        _ => Err("kind: expected onde, siecle, sts, csv, aaf, aaf1d, aaf2d or oneroster"),
    }
}

fn aaf(academy: AcademyCode, degree: Option<Degree>) -> Result<Feed, &'static str> {
    Ok(Feed::Aaf { academy, degree })
}

/// Whether its files say of which schools they are.
pub(super) fn names_its_schools(feed: &Feed) -> bool {
    match feed {
        Feed::Aaf { .. } | Feed::OneRoster { .. } => true,
        Feed::Onde | Feed::Siecle | Feed::Sts | Feed::Csv => false,
    }
}

/// Whether a feed that is of no single school brings pupils of one. What lies in a folder of several schools is seen when it
/// is there.
pub(super) fn brings(feed: &Feed, school: &School) -> bool {
    match feed {
        Feed::Aaf { academy, degree } => {
            *academy == school.academy && degree.unwrap_or(Degree::Second) == school.degree
        }
        Feed::Onde | Feed::Siecle | Feed::Sts | Feed::Csv | Feed::OneRoster { .. } => false,
    }
}

/// The year that the register of a feed is in on a day: ONDE turns on the first Monday of September, the others on the first
/// day of it.
pub fn year_of(feed: &Feed, today: Date) -> SchoolYear {
    let year = SchoolYear::of(today);
    let is_before_monday = today.month() == 9 && {
        let to_sunday = today.weekday().num_days_from_monday();
        today.day() <= to_sunday
    };
    match feed {
        Feed::Onde if is_before_monday => year.previous(),
        _ => year,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::time::parse_date;

    #[test]
    fn onde_turns_on_the_first_monday_of_september_and_the_others_on_the_first() {
        let aaf = feed_of("aaf", "20".parse().ok()).unwrap();
        let year = |feed: &Feed, day| year_of(feed, parse_date(day).unwrap()).first();
        // 1 September 2026 is a Tuesday, 7 September the first Monday.
        for (day, onde, other) in [
            ("2026-08-31", 2025, 2025),
            ("2026-09-01", 2025, 2026),
            ("2026-09-06", 2025, 2026),
            ("2026-09-07", 2026, 2026),
            ("2026-09-08", 2026, 2026),
            ("2026-12-01", 2026, 2026),
        ] {
            assert_eq!(year(&Feed::Onde, day), onde, "{day}");
            assert_eq!(year(&aaf, day), other, "{day}");
        }
        // 1 September 2025 is a Monday.
        assert_eq!(year(&Feed::Onde, "2025-09-01"), 2025);
        assert!(feed_of("aaf", None).unwrap_err().starts_with("academy"));
        assert!(feed_of("pronote", None).unwrap_err().starts_with("kind"));
    }
}
