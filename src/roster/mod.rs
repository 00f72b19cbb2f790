//! L2: readers of the files that schools and academies deliver: bytes in, records out, in bounded memory.
//!
//! Owns the formats: ONDE ([`onde`]) and other CSV ([`csv`]) by mappings ([`mapping`]), AAF of both degrees ([`aaf`]),
//! SIECLE ([`siecle`]), STS ([`sts`]) and OneRoster ([`oneroster`]). A reader states what the file says and where it says
//! it; who a record is, what it changes and whether it may is decided elsewhere. Must never open a file, follow a reference out of one, write SQL, correct what a school wrote, or repeat a name or an INE in a
//! message.

use std::fmt;
use std::sync::Arc;

use crate::domain::education::SchoolYear;
use crate::domain::source::Place;
use crate::domain::uai::Uai;

pub mod aaf;
pub mod csv;
mod field;
pub mod mapping;
pub mod onde;
pub mod oneroster;
pub mod siecle;
pub mod sts;
mod value;
mod xml;

/// How much of a record an issue costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// The record is left out.
    Error,
    /// The record is kept without a part of it, or something was set aside that is not a statement of presence.
    Warning,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Error => "erreur",
            Self::Warning => "avertissement",
        })
    }
}

/// Something wrong with one record; the rest of the file is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowIssue {
    /// What it costs.
    pub severity: Severity,
    /// Where to look.
    pub place: Place,
    /// A sentence in French, without a name or an INE.
    pub message: String,
}

impl fmt::Display for RowIssue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} : {}", self.place, self.severity, self.message)
    }
}

/// A file that cannot be read, or not to its end: nothing of it may be applied.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{file}:{line}:{column}: {message}")]
pub struct Unreadable {
    /// File name, without its folders.
    pub file: Arc<str>,
    /// Line, from 1.
    pub line: u64,
    /// Column, from 1.
    pub column: u64,
    /// A sentence in French, without a name or an INE.
    pub message: String,
}

impl Unreadable {
    fn at(place: &Place, message: impl Into<String>) -> Self {
        Self {
            file: Arc::clone(&place.file),
            line: place.line,
            column: place.column,
            message: message.into(),
        }
    }
}

/// Checks that the file of one school is of the school and the year that are loaded.
fn is_of(
    place: &Place,
    (school, year): (Option<&Uai>, Option<i32>),
    (expected, expected_year): (&Uai, SchoolYear),
) -> Result<(), Unreadable> {
    match school {
        None => return Err(Unreadable::at(place, "UAI illisible ou manquant (UAJ)")),
        Some(school) if school != expected => {
            let message = format!("ce fichier est celui de l'établissement {school} ; on charge {expected}");
            return Err(Unreadable::at(place, message));
        }
        Some(_) => {}
    }
    match year {
        None => Err(Unreadable::at(
            place,
            "année scolaire illisible ou manquante (ANNEE_SCOLAIRE)",
        )),
        Some(year) if year != expected_year.first() => {
            let message =
                format!("ce fichier est de l'année scolaire {year} ; on charge l'année {expected_year}");
            Err(Unreadable::at(place, message))
        }
        Some(_) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_say_where_first() {
        let place = Place {
            file: "CSVExtraction.csv".into(),
            line: 12,
            column: 4,
        };
        assert_eq!(
            Unreadable::at(&place, "fichier tronqué").to_string(),
            "CSVExtraction.csv:12:4: fichier tronqué"
        );
        let issue = RowIssue {
            severity: Severity::Warning,
            place,
            message: "INE de forme inattendue".into(),
        };
        assert_eq!(
            issue.to_string(),
            "CSVExtraction.csv:12:4: avertissement : INE de forme inattendue"
        );
    }
}
