//! Access dates: the opening of a school year, staggered. From which day pupils get into services by what they are enrolled
//! in that year; the date of a class comes before that of its level, then that of the school, then the default.
//!
//! Pupils alone are held back. Staff prepare their classes before anybody comes, and guardians have forms to fill in: both
//! get in as soon as they are enrolled. A date opens services and nothing else: whoever is held back signs in as before.
//!
//! Must never say who somebody is or whether a service serves them.

use unicode_normalization::UnicodeNormalization;

use super::InvalidValue;
use super::education::{Profile, SchoolYear};
use super::enrolment::Enrolment;
use super::uai::Uai;
use crate::base::time::Date;

/// For whom an access date is. **The order is the precedence**, first the most specific; what a school has of its own comes
/// before what is said for all schools.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Pupils {
    /// Those of one class.
    OfClass {
        /// The school.
        school: Uai,
        /// The label of the class, as the feed of the school writes it.
        label: String,
    },
    /// Those of one level of one school.
    OfLevel {
        /// The school.
        school: Uai,
        /// The level (`CM2`, `6EME`), as the feed writes it.
        level: String,
    },
    /// Those of one school.
    OfSchool(Uai),
    /// Those of one level in every school.
    OfLevelAnywhere(String),
    /// All: the default.
    All,
}

impl Pupils {
    /// From a school, a level and a class, each where it is named. Labels are written as feeds are read: form NFC, one
    /// space between words.
    ///
    /// # Errors
    /// What does not go together; begins with the name of the part that is wrong.
    pub fn of(school: Option<Uai>, level: Option<&str>, class: Option<&str>) -> Result<Self, &'static str> {
        let (level, class) = (level.map(tidy), class.map(tidy));
        if level.as_deref() == Some("") {
            return Err("level: is empty");
        }
        match (school, level, class) {
            (_, _, Some(label)) if label.is_empty() => Err("class: is empty"),
            (_, Some(_), Some(_)) => Err("level: a class is named already, whatever its levels"),
            (None, None, Some(_)) => Err("class: of which school?"),
            (Some(school), None, Some(label)) => Ok(Self::OfClass { school, label }),
            (Some(school), Some(level), None) => Ok(Self::OfLevel { school, level }),
            (Some(school), None, None) => Ok(Self::OfSchool(school)),
            (None, Some(level), None) => Ok(Self::OfLevelAnywhere(level)),
            (None, None, None) => Ok(Self::All),
        }
    }

    /// The school, where it is one.
    pub const fn school(&self) -> Option<&Uai> {
        match self {
            Self::OfClass { school, .. } | Self::OfLevel { school, .. } | Self::OfSchool(school) => {
                Some(school)
            }
            Self::OfLevelAnywhere(_) | Self::All => None,
        }
    }

    /// The level, where it is one.
    pub fn level(&self) -> Option<&str> {
        match self {
            Self::OfLevel { level, .. } | Self::OfLevelAnywhere(level) => Some(level),
            Self::OfClass { .. } | Self::OfSchool(_) | Self::All => None,
        }
    }

    /// The label of the class, where it is one.
    pub fn class(&self) -> Option<&str> {
        match self {
            Self::OfClass { label, .. } => Some(label),
            _ => None,
        }
    }

    fn include(&self, enrolment: &Enrolment) -> bool {
        let is_or_any =
            |wanted: Option<&str>, is: Option<&str>| wanted.is_none_or(|wanted| Some(wanted) == is);
        self.school().is_none_or(|school| *school == enrolment.school)
            && is_or_any(self.level(), enrolment.level.as_deref())
            && is_or_any(self.class(), enrolment.class_label.as_deref())
    }
}

impl std::fmt::Display for Pupils {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.school() {
            Some(school) => write!(f, "{school}")?,
            None => f.write_str("default")?,
        }
        if let Some(level) = self.level() {
            write!(f, " level {level}")?;
        }
        match self.class() {
            Some(label) => write!(f, " class {label}"),
            None => Ok(()),
        }
    }
}

fn tidy(text: &str) -> String {
    let composed: String = text.nfc().collect();
    composed.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// From which day some pupils get in by what they are enrolled in one school year.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessDate {
    year: SchoolYear,
    pupils: Pupils,
    opens_on: Date,
}

impl AccessDate {
    /// An access date. It lies in its school year or in the one before, which is when feeds of it can come: another one is a
    /// slip of the pen, which would hold a whole territory back.
    ///
    /// # Errors
    /// [`InvalidValue`] outside of that.
    pub fn new(year: SchoolYear, pupils: Pupils, opens_on: Date) -> Result<Self, InvalidValue> {
        if year.previous().begins() <= opens_on && opens_on < year.overlap_end() {
            Ok(Self {
                year,
                pupils,
                opens_on,
            })
        } else {
            Err(InvalidValue {
                kind: "day of that school year",
                text: opens_on.to_string(),
                hint: " (from September of the year before to mid-September after it)",
            })
        }
    }

    /// The school year.
    pub const fn year(&self) -> SchoolYear {
        self.year
    }

    /// For whom.
    pub const fn pupils(&self) -> &Pupils {
        &self.pupils
    }

    /// The first day on which they get in.
    pub const fn opens_on(&self) -> Date {
        self.opens_on
    }

    fn holds_for(&self, enrolment: &Enrolment) -> bool {
        enrolment.profile == Profile::Pupil && enrolment.year == self.year && self.pupils.include(enrolment)
    }
}

/// The day from which an enrolment opens services: that of the most specific date that holds for it. `None` where none
/// does: it is open.
pub fn opening(dates: &[AccessDate], enrolment: &Enrolment) -> Option<Date> {
    dates
        .iter()
        .filter(|date| date.holds_for(enrolment))
        .min_by(|one, other| one.pupils.cmp(&other.pupils))
        .map(AccessDate::opens_on)
}

/// Until when whoever has these live enrolments is held back; `None` where one of them lets them in today, and where there
/// are none.
///
/// Feeds leave the enrolments of a year live until mid-September, so that a child keeps the école until the collège has
/// them. In a school that knows the child in the new year too, the old one stops counting when the new one has begun: else
/// nobody who stays in a school would ever be held back.
pub fn held_back_until(live: &[&Enrolment], today: Date) -> Option<Date> {
    let has_begun = SchoolYear::of(today);
    let gives_way = |enrolment: &Enrolment| {
        live.iter().any(|other| {
            other.school == enrolment.school && enrolment.year < other.year && other.year <= has_begun
        })
    };
    let mut first: Option<Date> = None;
    for enrolment in live.iter().filter(|enrolment| !gives_way(enrolment)) {
        let day = enrolment.opens_on.filter(|day| today < *day)?;
        first = Some(first.map_or(day, |first| first.min(day)));
    }
    first
}

#[cfg(test)]
mod tests;
