//! From an `Eleve` record of the second degree to a pupil, or to the reasons why not.

use crate::base::text::fold;
use crate::base::time::{Date, parse_date};
use crate::domain::education::Profile;
use crate::domain::source::{ClassRef, PersonFacts, RosterRow, Source, SourceKey};
use crate::roster::value::{self, BadName};

use super::composite::ClassValue;
use super::record::Record;
use super::{AafContext, Complaints};

pub(super) const KEY: &str = "ENTPersonJointure";
const STRUCTURE: &str = "ENTPersonStructRattach";
const CLASSES: &str = "ENTEleveClasses";
const NAME: &str = "sn";
const FAMILY_NAME: &str = "ENTPersonNomPatro";
const GIVEN_NAME: &str = "givenName";
const OTHER_NAMES: &str = "ENTPersonAutresPrenoms";
const BIRTH_DATE: &str = "ENTPersonDateNaissance";
const TITLE: &str = "personalTitle";
const INE: &str = "ENTEleveINE";
const ATTACHMENT: &str = "ENTEleveStructRattachId";
const LEVEL: &str = "ENTEleveNivFormation";
const LEVEL_LABEL: &str = "ENTEleveLibelleMEF";
/// The family name as AAF of the first degree calls it.
const NAME_1D: &str = "ENTPersonNom";

/// What is read of a pupil.
pub(super) const WANTED: &[&str] = &[
    KEY,
    STRUCTURE,
    CLASSES,
    NAME,
    FAMILY_NAME,
    GIVEN_NAME,
    OTHER_NAMES,
    BIRTH_DATE,
    TITLE,
    INE,
    ATTACHMENT,
    LEVEL,
    LEVEL_LABEL,
    NAME_1D,
];

/// Whether a record is written in the attributes of the first degree.
pub(super) fn is_first_degree(record: &Record) -> bool {
    record.value(NAME).is_none() && record.value(NAME_1D).is_some()
}

/// The pupil of a record. `None` goes with at least one error.
pub(super) fn read(
    record: &Record,
    context: &AafContext,
    complaints: &mut Complaints<'_>,
) -> Option<RosterRow> {
    let key = record.key(KEY);
    if key.is_none() {
        complaints.error("élève sans identifiant (ENTPersonJointure)");
    }
    let structure = record.value(STRUCTURE);
    if structure.is_none() {
        complaints.error("élève sans établissement de rattachement (ENTPersonStructRattach)");
    }
    let facts = facts(record, complaints);
    let (key, structure, facts) = (key?, structure?, facts?);
    Some(RosterRow {
        key: SourceKey {
            source: Source::Aaf2d,
            scope: context.academy.to_string(),
            key: key.to_owned(),
        },
        profile: Profile::Pupil,
        school: structure.to_owned(),
        facts,
        class: class(record, structure, complaints),
        level: record.value(LEVEL).or(record.value(LEVEL_LABEL)).map(value::tidy),
        attachment: record.value(ATTACHMENT).and_then(attachment),
        previous_school: None,
        ordinal: None,
        year: context.year,
        place: record.place.clone(),
    })
}

/// The number in the register of the school; what would break the vector that it is written into is none.
fn attachment(written: &str) -> Option<String> {
    let number = written.trim();
    let fits = (1..=40).contains(&number.len()) && number.bytes().all(|byte| byte.is_ascii_alphanumeric());
    fits.then(|| number.to_owned())
}

fn facts(record: &Record, complaints: &mut Complaints<'_>) -> Option<PersonFacts> {
    let name = mandatory_name(record, NAME, "nom", complaints);
    let given_name = mandatory_name(record, GIVEN_NAME, "prénom", complaints);
    let birth_date = birth_date(record, complaints);
    let (name, given_name, birth_date) = (name?, given_name?, birth_date?);
    // `sn` is the name in use; the family name stands beside it where a school has typed one.
    let family_name = optional_name(record.value(FAMILY_NAME), FAMILY_NAME, complaints);
    let (family_name, usage_name) = match family_name {
        Some(family_name) if fold(&family_name) != fold(&name) => (family_name, Some(name)),
        Some(family_name) => (family_name, None),
        None => (name, None),
    };
    let mut other_names = Vec::new();
    for written in record.values(OTHER_NAMES).flat_map(|value| value.split(',')) {
        let other = optional_name(Some(written), OTHER_NAMES, complaints);
        // Some deliveries repeat the first given name there.
        other_names.extend(other.filter(|other| fold(other) != fold(&given_name)));
    }
    let ine = record.value(INE).and_then(|written| {
        let ine = written.parse().ok();
        if ine.is_none() {
            complaints.warning("INE de forme inattendue (ENTEleveINE) : l'élève est repris sans INE");
        }
        ine
    });
    Some(PersonFacts {
        family_name,
        usage_name,
        given_name,
        other_names,
        birth_date,
        sex: record.value(TITLE).and_then(value::sex),
        ine,
    })
}

fn mandatory_name(
    record: &Record,
    attribute: &'static str,
    what: &str,
    complaints: &mut Complaints<'_>,
) -> Option<String> {
    match value::name(record.value(attribute).unwrap_or_default()) {
        Ok(name) => Some(name),
        Err(bad) => {
            complaints.error(&format!("{what} {} ({attribute})", bad.complaint()));
            None
        }
    }
}

fn optional_name(written: Option<&str>, attribute: &str, complaints: &mut Complaints<'_>) -> Option<String> {
    match value::name(written?) {
        Ok(name) => Some(name),
        Err(BadName::Missing) => None,
        Err(bad) => {
            complaints.warning(&format!(
                "nom {} ({attribute}) : il n'est pas repris",
                bad.complaint()
            ));
            None
        }
    }
}

fn birth_date(record: &Record, complaints: &mut Complaints<'_>) -> Option<Date> {
    let written = record.value(BIRTH_DATE);
    let date = written.and_then(parse_date);
    if date.is_none() {
        complaints.error(match written {
            None => "date de naissance manquante (ENTPersonDateNaissance)",
            Some(_) => "date de naissance illisible (ENTPersonDateNaissance) : jj/mm/aaaa attendu",
        });
    }
    date
}

/// The class in the structure the pupil belongs to; classes followed elsewhere are not taken.
fn class(record: &Record, structure: &str, complaints: &mut Complaints<'_>) -> Option<ClassRef> {
    let mut classes = Vec::new();
    for written in record.values(CLASSES) {
        match ClassValue::parse(written) {
            Some(class) if class.structure == structure => classes.push(class),
            Some(_) => {}
            None => complaints.warning("classe illisible (ENTEleveClasses) : « structure$libellé » attendu"),
        }
    }
    if classes.len() > 1 {
        complaints
            .warning("plusieurs classes dans l'établissement de rattachement : la première est reprise");
    }
    let label = value::tidy(classes.first()?.label);
    let key = fold(&label);
    (!key.is_empty()).then_some(ClassRef { key, label })
}
