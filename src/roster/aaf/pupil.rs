//! From an `Eleve` record to a pupil and the links to their adults, or to the reasons why not.

use crate::base::text::fold;
use crate::domain::education::{Degree, Profile};
use crate::domain::source::{
    ChildRef, ClassRef, GuardianLink, KinshipCode, PersonFacts, RosterRow, SourceKey,
};
use crate::roster::field::{Complaints, family_and_usage, other_names};
use crate::roster::value;

use super::AafContext;
use super::composite::{ClassValue, first_degree_class, label_of_level};
use super::names::{ATTACHMENT, BIRTH_DATE, FAMILY_NAME, INE, KEY, Names, OTHER_NAMES, STRUCTURE};
use super::record::Record;

/// The key of a person's record.
pub(super) fn key_of(
    record: &Record,
    names: &Names,
    context: &AafContext,
    complaints: &mut Complaints<'_>,
    what: &str,
) -> Option<SourceKey> {
    let key = record.key(KEY);
    if key.is_none() {
        complaints.error(&format!("{what} sans identifiant (ENTPersonJointure)"));
    }
    Some(SourceKey {
        source: names.source,
        scope: context.academy.to_string(),
        key: key?.to_owned(),
    })
}

/// The pupil of a record. `None` goes with at least one error.
pub(super) fn read(
    record: &Record,
    names: &Names,
    context: &AafContext,
    complaints: &mut Complaints<'_>,
) -> Option<RosterRow> {
    let key = key_of(record, names, context, complaints, "élève");
    let structure = record.value(STRUCTURE);
    if structure.is_none() {
        complaints.error("élève sans établissement de rattachement (ENTPersonStructRattach)");
    }
    let facts = facts(record, names, complaints);
    let (key, structure, facts) = (key?, structure?, facts?);
    Some(RosterRow {
        key,
        profile: Profile::Pupil,
        school: structure.to_owned(),
        facts,
        class: in_structure(classes(record, names, complaints), structure, complaints),
        level: level(record, names),
        attachment: record.value(ATTACHMENT).and_then(attachment),
        previous_school: None,
        ordinal: None,
        year: context.year,
        place: record.place.clone(),
    })
}

/// The number in the register of the school; what would break the vector that it is written into is none.
pub(super) fn attachment(written: &str) -> Option<String> {
    let number = written.trim();
    let fits = (1..=40).contains(&number.len()) && number.bytes().all(|byte| byte.is_ascii_alphanumeric());
    fits.then(|| number.to_owned())
}

/// The level as written.
pub(super) fn level(record: &Record, names: &Names) -> Option<String> {
    let written = names.levels.iter().find_map(|name| record.value(name))?;
    let level = match names.degree {
        Degree::First => label_of_level(written),
        Degree::Second => written,
    };
    Some(value::tidy(level))
}

fn facts(record: &Record, names: &Names, complaints: &mut Complaints<'_>) -> Option<PersonFacts> {
    let name = complaints.mandatory_name(record.value(names.name), "nom", names.name);
    let given_name = complaints.mandatory_name(record.value(names.given_name), "prénom", names.given_name);
    let birth_date = complaints.birth_date(record.value(BIRTH_DATE), BIRTH_DATE);
    let (name, given_name, birth_date) = (name?, given_name?, birth_date?);
    // The first attribute is the name in use; the family name stands beside it where a school has typed one.
    let family_name = complaints.optional_name(record.value(FAMILY_NAME), FAMILY_NAME);
    let (family_name, usage_name) = family_and_usage(name, family_name);
    let other_names = other_names(record.values(OTHER_NAMES), &given_name, OTHER_NAMES, complaints);
    Some(PersonFacts {
        family_name,
        usage_name,
        given_name,
        other_names,
        birth_date,
        sex: record.value(names.title).and_then(value::sex),
        ine: complaints.ine(record.value(INE), INE),
    })
}

/// Every class with its structure.
pub(super) fn classes(
    record: &Record,
    names: &Names,
    complaints: &mut Complaints<'_>,
) -> Vec<(String, ClassRef)> {
    let mut classes = Vec::new();
    for written in record.values(names.classes) {
        let class = match names.degree {
            Degree::Second => {
                ClassValue::parse(written).map(|class| (class.structure, class.label, class.label))
            }
            Degree::First => first_degree_class(written),
        };
        let Some((structure, key, label)) = class else {
            complaints.warning(&format!(
                "classe illisible ({}) : « {} » attendu",
                names.classes, names.class_shape
            ));
            continue;
        };
        let label = value::tidy(label);
        // The label is all that names a class of the second degree; that of the first has an identifier.
        let key = match names.degree {
            Degree::Second => fold(&label),
            Degree::First => value::tidy(key),
        };
        if !key.is_empty() {
            classes.push((structure.to_owned(), ClassRef { key, label }));
        }
    }
    classes
}

/// The class in the structure the pupil belongs to; classes followed elsewhere are not taken.
fn in_structure(
    classes: Vec<(String, ClassRef)>,
    structure: &str,
    complaints: &mut Complaints<'_>,
) -> Option<ClassRef> {
    let mut here = classes.into_iter().filter(|(of, _)| of == structure);
    let (_, class) = here.next()?;
    if here.next().is_some() {
        complaints
            .warning("plusieurs classes dans l'établissement de rattachement : la première est reprise");
    }
    Some(class)
}

/// The adults that a pupil's record names. A pupil who answers for themselves names none.
pub(super) fn links(
    record: &Record,
    child: &str,
    names: &Names,
    complaints: &mut Complaints<'_>,
) -> Vec<GuardianLink> {
    let mut links: Vec<GuardianLink> = Vec::new();
    for written in record.values(names.guardians) {
        let fields: Vec<&str> = written.split('$').map(str::trim).collect();
        let (adult, code, legal) = match (names.degree, fields.as_slice()) {
            (Degree::Second, [adult, code, _, legal, _, _]) => (*adult, *code, Some(*legal)),
            (Degree::First, [adult, code]) => (*adult, *code, None),
            _ => ("", "", None),
        };
        if adult.is_empty() {
            complaints.warning(&format!(
                "lien avec un responsable illisible ({}) : « {} » attendu",
                names.guardians, names.guardian_shape
            ));
            continue;
        }
        let kinship = match KinshipCode::read(code) {
            KinshipCode::Oneself => continue,
            KinshipCode::Adult(kinship) => Some(kinship),
            KinshipCode::Unknown => None,
        };
        let link = GuardianLink {
            adult: adult.to_owned(),
            child: ChildRef::Key(child.to_owned()),
            kinship,
            legal: match legal {
                // The attribute of the first degree names those who have parental authority, and no others.
                None => Some(true),
                Some(level) => value::is_legal(level, code),
            },
            place: record.place.clone(),
        };
        if !links.iter().any(|known| known.adult == link.adult) {
            links.push(link);
        }
    }
    links
}
