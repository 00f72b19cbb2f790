//! From `PersRelEleve` and `PersEducNat` records to adults: who answers for pupils, who works in schools.

use crate::domain::education::{Degree, Profile};
use crate::domain::source::{AdultFacts, GuardianRow, Post, StaffRow, TaughtClass, profile_of_function};
use crate::roster::field::{Complaints, family_and_usage};
use crate::roster::value;

use super::AafContext;
use super::composite::ClassValue;
use super::names::{BIRTH_DATE, FAMILY_NAME, FONCTIONS, Names, RUNS, STRUCTURE, TAUGHT};
use super::pupil;
use super::record::Record;

fn facts(record: &Record, names: &Names, complaints: &mut Complaints<'_>) -> Option<AdultFacts> {
    let name = complaints.mandatory_name(record.value(names.name), "nom", names.name);
    let given_name = complaints.mandatory_name(record.value(names.given_name), "prénom", names.given_name);
    let (name, given_name) = (name?, given_name?);
    let family_name = complaints.optional_name(record.value(FAMILY_NAME), FAMILY_NAME);
    let (family_name, usage_name) = family_and_usage(name, family_name);
    Some(AdultFacts {
        family_name,
        usage_name,
        given_name,
        sex: record.value(names.title).and_then(value::sex),
        birth_date: complaints.birth_date_of_adult(record.value(BIRTH_DATE), BIRTH_DATE),
    })
}

/// An adult in charge of pupils. `None` goes with at least one error.
pub(super) fn guardian(
    record: &Record,
    names: &Names,
    context: &AafContext,
    complaints: &mut Complaints<'_>,
) -> Option<GuardianRow> {
    let key = pupil::key_of(record, names, context, complaints, "responsable");
    let facts = facts(record, names, complaints);
    Some(GuardianRow {
        key: key?,
        facts: facts?,
        year: context.year,
        place: record.place.clone(),
    })
}

/// Somebody who works in schools. `None` goes with at least one error.
pub(super) fn staff(
    record: &Record,
    names: &Names,
    context: &AafContext,
    complaints: &mut Complaints<'_>,
) -> Option<StaffRow> {
    let key = pupil::key_of(record, names, context, complaints, "personnel");
    let facts = facts(record, names, complaints);
    let (key, facts) = (key?, facts?);
    let mut posts = posts(record, complaints);
    posts.sort();
    posts.dedup();
    if posts.is_empty() {
        complaints.warning("personnel sans fonction lisible : il n'est rattaché à aucun établissement");
    }
    let mut classes = classes(record, names, complaints);
    classes.sort();
    classes.dedup();
    Some(StaffRow {
        key,
        facts,
        posts,
        classes,
        year: context.year,
        place: record.place.clone(),
    })
}

fn posts(record: &Record, complaints: &mut Complaints<'_>) -> Vec<Post> {
    let mut posts = Vec::new();
    for written in record.values(FONCTIONS) {
        let mut fields = written.split('$').map(str::trim);
        let (Some(school), Some(code)) = (
            fields.next().filter(|field| !field.is_empty()),
            fields.next().filter(|field| !field.is_empty()),
        ) else {
            complaints.warning(
                "fonction illisible (ENTPersonFonctions) : « structure$code$libellé$discipline$libellé » attendu",
            );
            continue;
        };
        let profile = profile_of_function(code).unwrap_or_else(|| {
            complaints
                .warning("code de fonction inconnu (ENTPersonFonctions) : repris comme autre personnel");
            Profile::Staff
        });
        posts.push(Post {
            school: school.to_owned(),
            profile,
        });
    }
    // Who runs an école is one of its teachers as well; the attribute names the école, or only says yes.
    for written in record.values(RUNS) {
        let fields: Vec<&str> = written.split('$').map(str::trim).collect();
        let (school, says) = match fields.as_slice() {
            [says] => (record.value(STRUCTURE), *says),
            [school, .., says] => (Some(*school), *says),
            [] => (None, ""),
        };
        let yes = says.eq_ignore_ascii_case("O") || says.to_ascii_uppercase().starts_with("DIR");
        if let Some(school) = school.filter(|school| yes && !school.is_empty()) {
            posts.push(Post {
                school: school.to_owned(),
                profile: Profile::Head,
            });
        }
    }
    posts
}

fn classes(record: &Record, names: &Names, complaints: &mut Complaints<'_>) -> Vec<TaughtClass> {
    if names.degree == Degree::First {
        let classes = pupil::classes(record, names, complaints);
        return classes
            .into_iter()
            .map(|(school, class)| TaughtClass { school, class })
            .collect();
    }
    let mut classes = Vec::new();
    for written in record.values(TAUGHT) {
        // `structure$class$subject`: a label of a class may hold a `$`, a code of a subject does not.
        let class = written
            .rsplit_once('$')
            .and_then(|(class, _)| ClassValue::parse(class));
        let Some(class) = class else {
            complaints.warning(
                "classe enseignée illisible (ENTAuxEnsClassesMatieres) : « structure$classe$matière » attendu",
            );
            continue;
        };
        let label = value::tidy(class.label);
        let key = crate::base::text::fold(&label);
        if !key.is_empty() {
            classes.push(TaughtClass {
                school: class.structure.to_owned(),
                class: crate::domain::source::ClassRef { key, label },
            });
        }
    }
    classes
}
