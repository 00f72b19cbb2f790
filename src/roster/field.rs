//! The fields of a record that every register has (names, birth date, INE, sex), with what is said where one cannot be
//! taken.
//!
//! Must never repeat what is written: only which field of which format it is about.

use crate::base::text::fold;
use crate::base::time::{Date, parse_date};
use crate::domain::ine::Ine;
use crate::domain::source::Place;

use super::value::{self, BadName};
use super::{RowIssue, Severity};

/// The issues of one record.
pub(super) struct Complaints<'a> {
    place: &'a Place,
    issues: &'a mut Vec<RowIssue>,
}

impl<'a> Complaints<'a> {
    pub(super) fn new(place: &'a Place, issues: &'a mut Vec<RowIssue>) -> Self {
        Self { place, issues }
    }

    fn push(&mut self, severity: Severity, message: &str) {
        self.issues.push(RowIssue {
            severity,
            place: self.place.clone(),
            message: message.to_owned(),
        });
    }

    /// The record is left out.
    pub(super) fn error(&mut self, message: &str) {
        self.push(Severity::Error, message);
    }

    /// The record is kept without a part of it.
    pub(super) fn warning(&mut self, message: &str) {
        self.push(Severity::Warning, message);
    }

    /// A name without which there is nobody.
    pub(super) fn mandatory_name(
        &mut self,
        written: Option<&str>,
        what: &str,
        field: &str,
    ) -> Option<String> {
        match value::name(written.unwrap_or_default()) {
            Ok(name) => Some(name),
            Err(bad) => {
                self.error(&format!("{what} {} ({field})", bad.complaint()));
                None
            }
        }
    }

    /// A name that may be missing.
    pub(super) fn optional_name(&mut self, written: Option<&str>, field: &str) -> Option<String> {
        match value::name(written?) {
            Ok(name) => Some(name),
            Err(BadName::Missing) => None,
            Err(bad) => {
                self.warning(&format!(
                    "nom {} ({field}) : il n'est pas repris",
                    bad.complaint()
                ));
                None
            }
        }
    }

    /// The birth date of a pupil.
    pub(super) fn birth_date(&mut self, written: Option<&str>, field: &str) -> Option<Date> {
        let date = written.and_then(parse_date);
        if date.is_none() {
            self.error(&match written {
                None => format!("date de naissance manquante ({field})"),
                Some(_) => format!("date de naissance illisible ({field}) : jj/mm/aaaa attendu"),
            });
        }
        date
    }

    /// The birth date of an adult: nobody is left out for it.
    pub(super) fn birth_date_of_adult(&mut self, written: Option<&str>, field: &str) -> Option<Date> {
        let date = parse_date(written?);
        if date.is_none() {
            self.warning(&format!(
                "date de naissance illisible ({field}) : elle n'est pas reprise"
            ));
        }
        date
    }

    /// The INE, where it has a known shape.
    pub(super) fn ine(&mut self, written: Option<&str>, field: &str) -> Option<Ine> {
        let ine = written?.parse().ok();
        if ine.is_none() {
            self.warning(&format!(
                "INE de forme inattendue ({field}) : l'élève est repris sans INE"
            ));
        }
        ine
    }
}

/// Family name and usage name of somebody who has a name in use and, where a school typed one, a family name.
pub(super) fn family_and_usage(used: String, family: Option<String>) -> (String, Option<String>) {
    match family {
        Some(family) if fold(&family) != fold(&used) => (family, Some(used)),
        Some(family) => (family, None),
        None => (used, None),
    }
}

/// Other given names, without the first one, which some deliveries repeat.
pub(super) fn other_names<'a>(
    written: impl IntoIterator<Item = &'a str>,
    given_name: &str,
    field: &str,
    complaints: &mut Complaints<'_>,
) -> Vec<String> {
    let mut names = Vec::new();
    for one in written.into_iter().flat_map(|value| value.split(',')) {
        let other = complaints.optional_name(Some(one), field);
        names.extend(other.filter(|other| fold(other) != fold(given_name)));
    }
    names
}
