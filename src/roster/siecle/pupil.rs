//! From an `ELEVE` to a pupil, or to the reasons why not.

use super::{Courses, Node, Shape, SiecleContext, class_of};
use crate::base::time::{Date, parse_date};
use crate::domain::education::Profile;
use crate::domain::source::{ClassRef, PersonFacts, RosterRow, Sex, Source, SourceKey};
use crate::domain::uai::Uai;
use crate::roster::field::{Complaints, other_names};

pub(super) const SHAPE: Shape = Shape {
    root: "BEE_ELEVES",
    wrong_root: "ce n'est pas un fichier d'élèves de SIECLE : une racine <BEE_ELEVES> est attendue",
    holders: &["DONNEES", "ELEVES", "STRUCTURES"],
    records: &["PARAMETRES", "ELEVE", "STRUCTURES_ELEVE"],
    fields: &[
        "UAJ",
        "ANNEE_SCOLAIRE",
        "DATE_EXPORT",
        "ID_NATIONAL",
        "INE_RNIE",
        "INE_BEA",
        "NOM_DE_FAMILLE",
        "NOM_USAGE",
        "NOM",
        "PRENOM",
        "PRENOM2",
        "PRENOM3",
        "DATE_NAISS",
        "CODE_SEXE",
        "CODE_MEF",
        "DATE_SORTIE",
        "SCOLARITE_AN_DERNIER",
        "CODE_RNE",
        "STRUCTURE",
        "CODE_STRUCTURE",
        "TYPE_STRUCTURE",
    ],
    attributes: &["ELEVE_ID"],
};

/// Whether a pupil had left when the file was made: a day of leaving that was still to come is none yet.
pub(super) fn has_left(node: &Node, exported: Option<Date>) -> bool {
    let Some(written) = node.text(&["DATE_SORTIE"]) else {
        return false;
    };
    match (parse_date(written), exported) {
        (Some(day), Some(exported)) => day <= exported,
        _ => true,
    }
}

/// The pupil, without their class. `None` goes with at least one error.
pub(super) fn read(
    node: &Node,
    context: &SiecleContext,
    courses: &Courses,
    complaints: &mut Complaints<'_>,
) -> Option<RosterRow> {
    let key = node.attribute("ELEVE_ID");
    if key.is_none() {
        complaints.error("élève sans identifiant (ELEVE_ID)");
    }
    let facts = facts(node, complaints);
    let (key, facts) = (key?, facts?);
    let written = node.text(&["SCOLARITE_AN_DERNIER", "CODE_RNE"]);
    let previous_school: Option<Uai> = written.and_then(|uai| uai.parse().ok());
    if written.is_some() && previous_school.is_none() {
        complaints
            .warning("UAI de l'an dernier illisible (SCOLARITE_AN_DERNIER/CODE_RNE) : il n'est pas repris");
    }
    Some(RosterRow {
        key: SourceKey {
            source: Source::Siecle,
            scope: context.school.to_string(),
            key: key.to_owned(),
        },
        profile: Profile::Pupil,
        school: context.school.to_string(),
        facts,
        class: None,
        level: node.text(&["CODE_MEF"]).and_then(|code| courses.level(code)),
        attachment: None,
        previous_school,
        ordinal: None,
        year: context.year,
        place: node.place.clone(),
    })
}

fn facts(node: &Node, complaints: &mut Complaints<'_>) -> Option<PersonFacts> {
    // NOM is what files before 2016 call the family name.
    let written = node.text(&["NOM_DE_FAMILLE"]).or(node.text(&["NOM"]));
    let family_name = complaints.mandatory_name(written, "nom de famille", "NOM_DE_FAMILLE");
    let given_name = complaints.mandatory_name(node.text(&["PRENOM"]), "prénom", "PRENOM");
    let birth_date = complaints.birth_date(node.text(&["DATE_NAISS"]), "DATE_NAISS");
    let (family_name, given_name, birth_date) = (family_name?, given_name?, birth_date?);
    let usage_name = complaints
        .optional_name(node.text(&["NOM_USAGE"]), "NOM_USAGE")
        .filter(|usage| crate::base::text::fold(usage) != crate::base::text::fold(&family_name));
    let others = [node.text(&["PRENOM2"]), node.text(&["PRENOM3"])];
    let other_names = other_names(
        others.into_iter().flatten(),
        &given_name,
        "PRENOM2, PRENOM3",
        complaints,
    );
    // Since 2017 ID_NATIONAL is the RNIE; older pupils have the BEA beside it.
    let ine = [
        ("INE_RNIE", "INE_RNIE"),
        ("ID_NATIONAL", "ID_NATIONAL"),
        ("INE_BEA", "INE_BEA"),
    ]
    .into_iter()
    .find_map(|(name, field)| node.text(&[name]).map(|written| (written, field)))
    .and_then(|(written, field)| complaints.ine(Some(written), field));
    Some(PersonFacts {
        family_name,
        usage_name,
        given_name,
        other_names,
        birth_date,
        sex: match node.text(&["CODE_SEXE"]) {
            Some("1") => Some(Sex::Male),
            Some("2") => Some(Sex::Female),
            _ => None,
        },
        ine,
    })
}

/// The class of a `STRUCTURES_ELEVE`: its division; groups are none.
pub(super) fn class(node: &Node, complaints: &mut Complaints<'_>) -> Option<ClassRef> {
    let mut divisions = node
        .all("STRUCTURE")
        .filter(|structure| structure.text(&["TYPE_STRUCTURE"]) == Some("D"))
        .filter_map(|structure| structure.text(&["CODE_STRUCTURE"]).and_then(class_of));
    let class = divisions.next()?;
    if divisions.next().is_some() {
        complaints.warning("plusieurs classes (STRUCTURE de type D) : la première est reprise");
    }
    Some(class)
}
