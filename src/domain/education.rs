//! Academies, schools, degrees, levels, school years and profiles.

use std::fmt;
use std::str::FromStr;

use chrono::{Datelike, NaiveDate};

use super::uai::Uai;
use super::{InvalidValue, stored_names};
use crate::base::time::Date;

/// The code of an academy: two digits (`14` is Rennes). `1` is read as `01`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct AcademyCode(String);

impl AcademyCode {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What the directories of the academies are called; keys of persons are written with these names.
const DIRECTORIES: &[(&str, &str)] = &[
    ("01", "PARIS"),
    ("02", "AIX-MARSEILLE"),
    ("03", "BESANCON"),
    ("04", "BORDEAUX"),
    ("05", "CAEN"),
    ("06", "CLERMONT-FERRAND"),
    ("07", "DIJON"),
    ("08", "GRENOBLE"),
    ("09", "LILLE"),
    ("10", "LYON"),
    ("11", "MONTPELLIER"),
    ("12", "NANCY-METZ"),
    ("13", "POITIERS"),
    ("14", "RENNES"),
    ("15", "STRASBOURG"),
    ("16", "TOULOUSE"),
    ("17", "NANTES"),
    ("18", "ORLEANS-TOURS"),
    ("19", "REIMS"),
    ("20", "AMIENS"),
    ("21", "ROUEN"),
    ("22", "LIMOGES"),
    ("23", "NICE"),
    ("24", "CRETEIL"),
    ("25", "VERSAILLES"),
    ("26", "ANTILLES-GUYANE"),
    ("27", "CORSE"),
    ("28", "LA_REUNION"),
    ("31", "MARTINIQUE"),
    ("32", "GUADELOUPE"),
    ("33", "GUYANE"),
    ("40", "NOUVELLE_CALEDONIE"),
    ("41", "POLYNESIE"),
    ("42", "WALLIS_ET_FUTUNA"),
    ("43", "MAYOTTE"),
    ("44", "ST_PIERRE_ET_MIQUELON"),
    ("70", "NORMANDIE"),
    ("98", "AGRICOLE"),
];

impl AcademyCode {
    /// The name of its directory, where it has one.
    pub fn directory_name(&self) -> Option<&'static str> {
        let mut known = DIRECTORIES.iter();
        known.find(|(code, _)| *code == self.0).map(|(_, name)| *name)
    }
}

impl FromStr for AcademyCode {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        let code = format!("{:0>2}", text.trim());
        if code.len() == 2 && code != "00" && code.bytes().all(|digit| digit.is_ascii_digit()) {
            Ok(Self(code))
        } else {
            Err(InvalidValue {
                kind: "academy code",
                text: text.to_owned(),
                hint: " (two digits)",
            })
        }
    }
}

impl TryFrom<String> for AcademyCode {
    type Error = InvalidValue;

    fn try_from(text: String) -> Result<Self, InvalidValue> {
        text.parse()
    }
}

impl From<AcademyCode> for String {
    fn from(code: AcademyCode) -> Self {
        code.0
    }
}

impl fmt::Display for AcademyCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// An académie.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Academy {
    /// Its code.
    pub code: AcademyCode,
    /// Its name.
    pub name: String,
}

/// Primary or secondary.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Degree {
    /// École maternelle, élémentaire, primaire.
    First,
    /// Collège, lycée.
    Second,
}
stored_names!(Degree, "degree", { First => "first", Second => "second" });

/// A school.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct School {
    /// Its national key.
    pub uai: Uai,
    /// Its name, as people say it.
    pub name: String,
    /// Primary or secondary.
    pub degree: Degree,
    /// Its commune, where known.
    pub commune: Option<String>,
    /// Its academy.
    pub academy: AcademyCode,
}

/// A school year, named by the year it begins in: `2026` is September 2026 to summer 2027.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SchoolYear(i32);

impl SchoolYear {
    /// The year that begins in `year`; refused outside 2000–2199.
    ///
    /// # Errors
    /// [`InvalidValue`] outside that range.
    pub fn new(year: i32) -> Result<Self, InvalidValue> {
        if (2000..2200).contains(&year) {
            Ok(Self(year))
        } else {
            Err(InvalidValue {
                kind: "school year",
                text: year.to_string(),
                hint: " (its first year, like 2026)",
            })
        }
    }

    /// The year a date belongs to; August is still the year that ends.
    pub fn of(date: Date) -> Self {
        Self(if date.month() >= 9 {
            date.year()
        } else {
            date.year() - 1
        })
    }

    /// Its first calendar year.
    pub fn first(self) -> i32 {
        self.0
    }

    /// The year after.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0 + 1)
    }

    /// The year before.
    #[must_use]
    pub fn previous(self) -> Self {
        Self(self.0 - 1)
    }

    /// Its first day, 1 September.
    pub fn begins(self) -> Date {
        NaiveDate::from_ymd_opt(self.0, 9, 1).unwrap_or(NaiveDate::MAX)
    }

    /// The day from which enrolments of this year count no more: mid-September of the next, because the feeds of two
    /// schools overlap until then.
    pub fn overlap_end(self) -> Date {
        NaiveDate::from_ymd_opt(self.0 + 1, 9, 15).unwrap_or(NaiveDate::MAX)
    }
}

impl fmt::Display for SchoolYear {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// What a person is in a school (ENT profile codes; `reference`: SDET annexe).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Profile {
    /// Pupil.
    Pupil,
    /// Parent or legal guardian.
    Guardian,
    /// Teacher.
    Teacher,
    /// School head.
    Head,
    /// School staff (vie scolaire).
    SchoolStaff,
    /// Other staff of the establishment.
    Staff,
    /// Academy staff.
    AcademyStaff,
    /// Authority officer (collectivité).
    AuthorityOfficer,
    /// Librarian teacher.
    Librarian,
}
stored_names!(Profile, "profile", {
    Pupil => "National_ELV",
    Guardian => "National_TUT",
    Teacher => "National_ENS",
    Head => "National_DIR",
    SchoolStaff => "National_EVS",
    Staff => "National_ETA",
    AcademyStaff => "National_ACA",
    AuthorityOfficer => "National_COL",
    Librarian => "National_DOC",
});

/// The place of a level in the continuum, as registers write levels: 1 for the first year of maternelle (`PS`), 8 for
/// `CM2`, 9 for `6EME`, 15 for terminale. `None` for classes that have no place of their own (ULIS) and unknown words.
pub fn grade(level: &str) -> Option<u8> {
    const LEVELS: &[(&str, u8)] = &[
        ("ps", 1),
        ("ms", 2),
        ("gs", 3),
        ("cp", 4),
        ("ce1", 5),
        ("ce2", 6),
        ("cm1", 7),
        ("cm2", 8),
        ("6e", 9),
        ("5e", 10),
        ("4e", 11),
        ("3e", 12),
        ("2nde", 13),
        ("2de", 13),
        ("2e", 13),
        ("seconde", 13),
        ("1ere", 14),
        ("1re", 14),
        ("premiere", 14),
        ("tle", 15),
        ("term", 15),
    ];
    let folded = crate::base::text::fold_tight(level);
    let found = LEVELS.iter().find(|(name, _)| match *name {
        // Of these the name is all there is; `CP` is not the beginning of `CPGE`.
        "ps" | "ms" | "gs" | "cp" => folded == *name,
        name => folded.starts_with(name),
    });
    found.map(|(_, grade)| *grade)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_school_year_begins_in_september_and_overlaps_the_next() {
        let day = |y, m, d| NaiveDate::from_ymd_opt(y, m, d).unwrap();
        assert_eq!(SchoolYear::of(day(2026, 8, 31)).first(), 2025);
        assert_eq!(SchoolYear::of(day(2026, 9, 1)).first(), 2026);
        assert_eq!(SchoolYear::of(day(2026, 9, 1)).overlap_end(), day(2027, 9, 15));
        assert!(SchoolYear::new(26).is_err());
    }

    #[test]
    fn academy_codes_are_padded() {
        assert_eq!("1".parse::<AcademyCode>().unwrap().as_str(), "01");
        assert!("".parse::<AcademyCode>().is_err());
        assert!("145".parse::<AcademyCode>().is_err());
    }

    #[test]
    fn every_profile_reads_back() {
        for profile in Profile::ALL {
            assert_eq!(profile.as_str().parse::<Profile>(), Ok(*profile));
        }
        assert!(
            "National_NUL"
                .parse::<Profile>()
                .unwrap_err()
                .to_string()
                .contains("National_ELV")
        );
    }

    #[test]
    fn levels_have_their_place_however_they_are_written() {
        for (level, expected) in [
            ("PS", Some(1)),
            ("CM2", Some(8)),
            ("6EME", Some(9)),
            ("6ème", Some(9)),
            ("3EME PREPA-METIERS", Some(12)),
            ("2NDE GENERALE ET TECHNO", Some(13)),
            ("1ERE", Some(14)),
            ("Terminale", Some(15)),
            ("ULIS", None),
            ("CPGE", None),
            ("", None),
        ] {
            assert_eq!(grade(level), expected, "{level}");
        }
    }
}
