//! The opening of a school year, as a school sees it: what is there, and what is still missing.
//!
//! Pure: figures in, gaps out. Must never say who a pupil is, only how many.

use std::fmt;

use chrono::Datelike;

use crate::base::id::ImportRunId;
use crate::base::time::{Date, Timestamp};
use crate::domain::access_date::AccessDate;
use crate::domain::education::{Degree, School, SchoolYear};
use crate::domain::source::Source;

/// A feed that is older than this is said to be old: feeds come every night, or when a director asks for them.
const OLD_DAYS: u64 = 7;
/// The month from which people prepare the year that comes.
const JUNE: u32 = 6;

/// The year that somebody who names none asks about: from June, the one that comes.
pub fn of_interest(today: Date) -> SchoolYear {
    let year = SchoolYear::of(today);
    if today.month() >= JUNE && today.month() < 9 {
        year.next()
    } else {
        year
    }
}

/// A feed that is expected of a school.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExpectedFeed {
    /// The source.
    pub source: Source,
    /// The last run that was applied for the year, and when it began.
    pub last: Option<(ImportRunId, Timestamp)>,
    /// Pupils it states in the school.
    pub pupils: u64,
}

/// A school and a year, in figures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opening {
    /// The school.
    pub school: School,
    /// The year.
    pub year: SchoolYear,
    /// The feeds that are expected.
    pub feeds: Vec<ExpectedFeed>,
    /// Pupils who are enrolled, or will be.
    pub pupils: u64,
    /// Of these, in no class.
    pub without_class: u64,
    /// Of these, without a number.
    pub without_ine: u64,
    /// Of these, without a password, a picture code or a login elsewhere.
    pub without_way_in: u64,
    /// Classes.
    pub classes: u64,
    /// Labels of those without a pupil.
    pub empty_classes: Vec<String>,
    /// Pairs that a human must decide and that are about a pupil of the school.
    pub open_cases: u64,
    /// Pupils of this year or the one before whom no school claims.
    pub unconfirmed: u64,
    /// What is wrong with the folders into which its feeds are dropped.
    pub alerts: Vec<String>,
    /// The access dates that may hold there, the most specific first.
    pub dates: Vec<AccessDate>,
}

/// What is missing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Gap {
    /// A feed was not loaded for the year.
    FeedMissing(Source),
    /// A feed was loaded, this many days ago.
    FeedOld(Source, u64),
    /// A delivery is late, or was refused.
    Delivery(String),
    /// Feeds were loaded and state nobody.
    NoPupils,
    /// Classes without a pupil.
    EmptyClasses(Vec<String>),
    /// Pupils without a class.
    WithoutClass(u64),
    /// Pupils without a number.
    WithoutIne(u64),
    /// Pupils who cannot sign in.
    WithoutWayIn(u64),
    /// Pairs to be decided.
    OpenCases(u64),
    /// Departures that nothing confirms.
    Unconfirmed(u64),
}

impl Gap {
    /// A stable word for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::FeedMissing(_) => "feed_missing",
            Self::FeedOld(..) => "feed_old",
            Self::Delivery(_) => "delivery",
            Self::NoPupils => "no_pupils",
            Self::EmptyClasses(_) => "empty_classes",
            Self::WithoutClass(_) => "without_class",
            Self::WithoutIne(_) => "without_ine",
            Self::WithoutWayIn(_) => "without_way_in",
            Self::OpenCases(_) => "open_cases",
            Self::Unconfirmed(_) => "unconfirmed_departures",
        }
    }
}

impl fmt::Display for Gap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::FeedMissing(source) => write!(f, "{source} : pas encore chargé pour cette année"),
            Self::FeedOld(source, days) => write!(f, "{source} : dernier chargement il y a {days} jours"),
            Self::Delivery(alert) => f.write_str(alert),
            Self::NoPupils => f.write_str("aucun élève dans les fichiers chargés"),
            Self::EmptyClasses(labels) => write!(f, "classe(s) sans élève : {}", labels.join(", ")),
            Self::WithoutClass(count) => write!(f, "{count} élève(s) sans classe"),
            Self::WithoutIne(count) => write!(f, "{count} élève(s) sans INE"),
            Self::WithoutWayIn(count) => {
                write!(
                    f,
                    "{count} élève(s) sans moyen de se connecter : codes à distribuer"
                )
            }
            Self::OpenCases(count) => write!(f, "{count} rapprochement(s) à décider (marelle match list)"),
            Self::Unconfirmed(count) => {
                write!(
                    f,
                    "{count} départ(s) non confirmé(s) : aucun établissement ne les a inscrits"
                )
            }
        }
    }
}

impl Opening {
    /// What is missing, the feeds first.
    pub fn gaps(&self, now: Timestamp) -> Vec<Gap> {
        let mut gaps = Vec::new();
        for feed in &self.feeds {
            match feed.last {
                None => gaps.push(Gap::FeedMissing(feed.source)),
                Some((_, at)) => {
                    let days = age_in_days(at, now);
                    if days > OLD_DAYS {
                        gaps.push(Gap::FeedOld(feed.source, days));
                    }
                }
            }
        }
        gaps.extend(self.alerts.iter().cloned().map(Gap::Delivery));
        if self.pupils == 0 && self.feeds.iter().any(|feed| feed.last.is_some()) {
            gaps.push(Gap::NoPupils);
        }
        if !self.empty_classes.is_empty() {
            gaps.push(Gap::EmptyClasses(self.empty_classes.clone()));
        }
        let counted = [
            (self.without_class, Gap::WithoutClass as fn(u64) -> Gap),
            (self.without_ine, Gap::WithoutIne),
            (self.without_way_in, Gap::WithoutWayIn),
            (self.open_cases, Gap::OpenCases),
            (self.unconfirmed, Gap::Unconfirmed),
        ];
        gaps.extend(
            counted
                .into_iter()
                .filter(|(count, _)| *count > 0)
                .map(|(count, gap)| gap(count)),
        );
        gaps
    }

    /// The days on which its pupils get in, the first and the last; `None` where no date holds: as soon as they are enrolled.
    pub fn opens(&self) -> Option<(Date, Date)> {
        let days = || self.dates.iter().map(AccessDate::opens_on);
        Some((days().min()?, days().max()?))
    }
}

/// Whole days since.
pub fn age_in_days(at: Timestamp, now: Timestamp) -> u64 {
    now.since(at).as_secs() / 86_400
}

/// The feed that a school of a degree is expected to have where none ever came.
pub fn usual_source(degree: Degree) -> Source {
    match degree {
        Degree::First => Source::Onde,
        Degree::Second => Source::Aaf2d,
    }
}

/// The access dates of a year that may hold in a school, the most specific first. Dates of one level in every school and
/// the default give way to a date of the school itself.
pub fn dates_of(dates: &[AccessDate], year: SchoolYear, school: &School) -> Vec<AccessDate> {
    let mut theirs: Vec<AccessDate> = dates
        .iter()
        .filter(|date| date.year() == year)
        .filter(|date| date.pupils().school().is_none_or(|uai| *uai == school.uai))
        .cloned()
        .collect();
    theirs.sort_by(|one, other| one.pupils().cmp(other.pupils()));
    let whole = theirs
        .iter()
        .position(|date| date.pupils().level().is_none() && date.pupils().class().is_none());
    if let Some(whole) = whole {
        theirs.truncate(whole + 1);
    }
    theirs
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::base::random::SeededRandom;
    use crate::base::time::parse_date;
    use crate::domain::access_date::Pupils;

    const NOW: Timestamp = Timestamp::from_seconds(1_790_000_000);

    fn opening() -> Opening {
        Opening {
            school: School {
                uai: "9990001X".parse().unwrap(),
                name: "École du Port".into(),
                degree: Degree::First,
                commune: None,
                academy: "20".parse().unwrap(),
            },
            year: SchoolYear::new(2026).unwrap(),
            feeds: vec![ExpectedFeed {
                source: Source::Onde,
                last: None,
                pupils: 0,
            }],
            pupils: 0,
            without_class: 0,
            without_ine: 0,
            without_way_in: 0,
            classes: 0,
            empty_classes: Vec::new(),
            open_cases: 0,
            unconfirmed: 0,
            alerts: Vec::new(),
            dates: Vec::new(),
        }
    }

    fn codes(opening: &Opening) -> Vec<&'static str> {
        opening.gaps(NOW).iter().map(Gap::code).collect()
    }

    #[test]
    fn what_is_missing_is_said_and_a_school_that_is_ready_has_no_gap() {
        let mut school = opening();
        assert_eq!(codes(&school), ["feed_missing"]);
        let run = ImportRunId::new(NOW, &SeededRandom::new(1));
        let loaded = |days: u64| Some((run, NOW.minus(Duration::from_secs(days * 86_400))));
        school.feeds[0].last = loaded(7);
        assert_eq!(codes(&school), ["no_pupils"]);
        school.pupils = 100;
        assert_eq!(codes(&school), Vec::<&str>::new());
        school.feeds[0].last = loaded(8);
        school.alerts = vec!["onde : en retard".into()];
        school.empty_classes = vec!["CP A".into()];
        (school.without_class, school.without_ine, school.without_way_in) = (1, 2, 3);
        (school.open_cases, school.unconfirmed) = (4, 5);
        assert_eq!(
            codes(&school),
            [
                "feed_old",
                "delivery",
                "empty_classes",
                "without_class",
                "without_ine",
                "without_way_in",
                "open_cases",
                "unconfirmed_departures"
            ]
        );
        let sentences: Vec<String> = school.gaps(NOW).iter().map(ToString::to_string).collect();
        assert_eq!(sentences[0], "onde : dernier chargement il y a 8 jours");
    }

    #[test]
    fn from_june_people_ask_about_the_year_that_comes() {
        let year = |day| of_interest(parse_date(day).unwrap()).first();
        assert_eq!(year("2026-05-31"), 2025);
        assert_eq!(year("2026-06-01"), 2026);
        assert_eq!(year("2026-09-01"), 2026);
        assert_eq!(year("2027-01-01"), 2026);
    }

    #[test]
    fn a_date_of_the_school_comes_before_what_is_said_for_all() {
        let school = opening().school;
        let year = SchoolYear::new(2026).unwrap();
        let date = |uai: Option<&str>, level: Option<&str>, day| {
            let pupils = Pupils::of(uai.map(|uai| uai.parse().unwrap()), level, None).unwrap();
            AccessDate::new(year, pupils, parse_date(day).unwrap()).unwrap()
        };
        let default = date(None, None, "2026-09-01");
        let level = date(None, Some("CP"), "2026-09-02");
        let own = date(Some("9990001X"), None, "2026-09-03");
        let own_level = date(Some("9990001X"), Some("CM2"), "2026-09-07");
        let elsewhere = date(Some("9990002Y"), None, "2026-09-30");
        let all = [default.clone(), level.clone(), elsewhere.clone()];
        assert_eq!(dates_of(&all, year, &school), [level.clone(), default.clone()]);
        let all = [default, level, elsewhere, own.clone(), own_level.clone()];
        let theirs = dates_of(&all, year, &school);
        assert_eq!(theirs, [own_level, own]);
        assert_eq!(dates_of(&all, year.next(), &school), []);
        let ready = Opening {
            dates: theirs,
            ..opening()
        };
        let days = |text| parse_date(text).unwrap();
        assert_eq!(ready.opens(), Some((days("2026-09-03"), days("2026-09-07"))));
        assert_eq!(opening().opens(), None);
    }
}
