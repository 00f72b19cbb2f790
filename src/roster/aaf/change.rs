//! What a delivery of changes (`Delta`) says of a pupil it does not state whole.
//!
//! An attribute that is not there says nothing, and so does an empty one, but for those on a short list that the
//! ministry's own consumers clear. Must never make a pupil of a change: only who knew them before can.

use std::fmt;

use crate::base::time::{Date, parse_date};
use crate::domain::ine::Ine;
use crate::domain::source::{ClassRef, GuardianLink, PersonFacts, Place, Sex, SourceKey};
use crate::roster::field::{Complaints, family_and_usage, other_names};
use crate::roster::value;

use super::AafContext;
use super::names::{ATTACHMENT, BIRTH_DATE, FAMILY_NAME, INE, Names, OTHER_NAMES, STRUCTURE};
use super::pupil;
use super::record::Record;

/// Whose empty value is an order to clear, of the attributes that are read here.
const CLEARED_BY_NOTHING: &[&str] = &["ENTEleveLibelleMEF"];

/// What changes of a pupil; `None` is "as it was".
#[derive(Clone, PartialEq, Eq)]
pub struct PupilChange {
    /// The pupil.
    pub key: SourceKey,
    /// The structure they belong to.
    pub structure: Option<String>,
    /// The name in use.
    name: Option<String>,
    /// The family name.
    family_name: Option<String>,
    given_name: Option<String>,
    other_names: Option<Vec<String>>,
    birth_date: Option<Date>,
    sex: Option<Sex>,
    ine: Option<Ine>,
    /// Their classes, each with its structure.
    pub classes: Option<Vec<(String, ClassRef)>>,
    /// The level; `Some(None)` clears it.
    pub level: Option<Option<String>>,
    /// The number in the register of the school.
    pub attachment: Option<String>,
    /// All the adults they have from now on.
    pub links: Option<Vec<GuardianLink>>,
    /// Where it stands.
    pub place: Place,
}

impl fmt::Debug for PupilChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[change of {}]", self.key)
    }
}

impl PupilChange {
    /// The facts after the change.
    pub fn apply(&self, facts: &mut PersonFacts) {
        let before = facts.clone();
        let family = self.family_name.clone();
        if let Some(name) = &self.name {
            let family = family.or_else(|| before.usage_name.as_ref().map(|_| before.family_name.clone()));
            (facts.family_name, facts.usage_name) = family_and_usage(name.clone(), family);
        } else if let Some(family) = family {
            let used = before.usage_name.unwrap_or(before.family_name);
            (facts.family_name, facts.usage_name) = family_and_usage(used, Some(family));
        }
        if let Some(given_name) = &self.given_name {
            facts.given_name.clone_from(given_name);
        }
        if let Some(other_names) = &self.other_names {
            facts.other_names.clone_from(other_names);
        }
        facts.birth_date = self.birth_date.unwrap_or(facts.birth_date);
        facts.sex = self.sex.or(facts.sex);
        facts.ine = self.ine.clone().or(facts.ine.take());
    }
}

/// The change of a record. `None` goes with at least one error.
pub(super) fn read(
    record: &Record,
    names: &Names,
    context: &AafContext,
    complaints: &mut Complaints<'_>,
) -> Option<PupilChange> {
    let key = pupil::key_of(record, names, context, complaints, "élève")?;
    if record.beyond {
        complaints.warning("modification autre que « replace » : elle n'est pas reprise");
    }
    let given_name = complaints.optional_name(record.value(names.given_name), names.given_name);
    let others: Vec<&str> = record.values(OTHER_NAMES).collect();
    let written = record.value(BIRTH_DATE);
    let birth_date = written.and_then(parse_date);
    if written.is_some() && birth_date.is_none() {
        complaints.warning(
            "date de naissance illisible (ENTPersonDateNaissance) : celle qui est connue est gardée",
        );
    }
    let links = pupil::links(record, &key.key, names, complaints);
    let level = pupil::level(record, names);
    let cleared = names
        .levels
        .iter()
        .any(|name| record.has(name) && CLEARED_BY_NOTHING.contains(name));
    let other_names = (!others.is_empty()).then(|| {
        let first = given_name.clone().unwrap_or_default();
        other_names(others, &first, OTHER_NAMES, complaints)
    });
    Some(PupilChange {
        structure: record.value(STRUCTURE).map(str::to_owned),
        name: complaints.optional_name(record.value(names.name), names.name),
        family_name: complaints.optional_name(record.value(FAMILY_NAME), FAMILY_NAME),
        other_names,
        given_name,
        birth_date,
        sex: record.value(names.title).and_then(value::sex),
        ine: complaints.ine(record.value(INE), INE),
        classes: record
            .value(names.classes)
            .is_some()
            .then(|| pupil::classes(record, names, complaints)),
        level: match level {
            Some(level) => Some(Some(level)),
            None if cleared => Some(None),
            None => None,
        },
        attachment: record.value(ATTACHMENT).and_then(pupil::attachment),
        links: record.value(names.guardians).is_some().then_some(links),
        key,
        place: record.place.clone(),
    })
}
