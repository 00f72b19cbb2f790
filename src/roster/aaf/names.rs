//! What each degree calls the attributes that are read. The grammar is the same, the names are not.

use crate::domain::education::Degree;
use crate::domain::source::Source;

use super::record::Record;

/// The key of a person.
pub(super) const KEY: &str = "ENTPersonJointure";
/// The structure a person belongs to.
pub(super) const STRUCTURE: &str = "ENTPersonStructRattach";
/// The family name, where a school typed one beside the name in use.
pub(super) const FAMILY_NAME: &str = "ENTPersonNomPatro";
/// Other given names.
pub(super) const OTHER_NAMES: &str = "ENTPersonAutresPrenoms";
/// Birth date.
pub(super) const BIRTH_DATE: &str = "ENTPersonDateNaissance";
/// INE.
pub(super) const INE: &str = "ENTEleveINE";
/// The number in the register of the school.
pub(super) const ATTACHMENT: &str = "ENTEleveStructRattachId";
/// `structure$code$label$discipline$label`.
pub(super) const FONCTIONS: &str = "ENTPersonFonctions";
/// Who runs an école.
pub(super) const RUNS: &str = "ENTEnsFonctionDir";
/// Classes that somebody teaches, in the second degree.
pub(super) const TAUGHT: &str = "ENTAuxEnsClassesMatieres";
/// A course of study and its label.
pub(super) const COURSE: (&str, &str) = ("ENTMefJointure", "ENTLibelleMef");
/// A subject and its label.
pub(super) const SUBJECT: (&str, &str) = ("ENTMatJointure", "ENTLibelleMatiere");

/// The names that differ.
#[derive(Debug)]
pub(super) struct Names {
    /// Of which degree.
    pub(super) degree: Degree,
    /// The source of its records.
    pub(super) source: Source,
    /// The name in use.
    pub(super) name: &'static str,
    /// The first given name.
    pub(super) given_name: &'static str,
    /// Civility.
    pub(super) title: &'static str,
    /// Classes.
    pub(super) classes: &'static str,
    /// What a class value looks like.
    pub(super) class_shape: &'static str,
    /// The level, the preferred attribute first.
    pub(super) levels: &'static [&'static str],
    /// Adults of a pupil.
    pub(super) guardians: &'static str,
    /// What the value of one looks like.
    pub(super) guardian_shape: &'static str,
}

/// The second degree.
pub(super) const SECOND: Names = Names {
    degree: Degree::Second,
    source: Source::Aaf2d,
    name: "sn",
    given_name: "givenName",
    title: "personalTitle",
    classes: "ENTEleveClasses",
    class_shape: "structure$libellé",
    levels: &["ENTEleveNivFormation", "ENTEleveLibelleMEF"],
    guardians: "ENTElevePersRelEleve",
    guardian_shape: "identifiant et cinq champs",
};

/// The first degree.
pub(super) const FIRST: Names = Names {
    degree: Degree::First,
    source: Source::Aaf1d,
    name: "ENTPersonNom",
    given_name: "ENTPersonPrenom",
    title: "ENTPersonCivilite",
    classes: "ENTPersonClasses",
    class_shape: "structure$…$…$identifiant$libellé",
    levels: &["ENTEleveNiveau"],
    guardians: "ENTEleveAutoriteParentale",
    guardian_shape: "identifiant$lien",
};

/// Attributes of persons, of both degrees.
pub(super) const OF_PERSONS: &[&str] = &[
    KEY,
    STRUCTURE,
    FAMILY_NAME,
    OTHER_NAMES,
    BIRTH_DATE,
    INE,
    ATTACHMENT,
    FONCTIONS,
    RUNS,
    TAUGHT,
    "sn",
    "givenName",
    "personalTitle",
    "ENTEleveClasses",
    "ENTEleveNivFormation",
    "ENTEleveLibelleMEF",
    "ENTElevePersRelEleve",
    "ENTPersonNom",
    "ENTPersonPrenom",
    "ENTPersonCivilite",
    "ENTPersonClasses",
    "ENTEleveNiveau",
    "ENTEleveAutoriteParentale",
];

/// Attributes of nomenclatures.
pub(super) const OF_LABELS: &[&str] = &[COURSE.0, COURSE.1, SUBJECT.0, SUBJECT.1];

/// The names of a degree.
pub(super) fn of(degree: Degree) -> &'static Names {
    match degree {
        Degree::First => &FIRST,
        Degree::Second => &SECOND,
    }
}

/// In which degree's names a record of a person is written; `None` where it has none that tells.
pub(super) fn degree_of(record: &Record) -> Option<Degree> {
    let written = |names: &Names| {
        let telling = [names.name, names.given_name, names.classes, names.guardians];
        telling.into_iter().any(|name| record.has(name))
    };
    match (written(&FIRST), written(&SECOND)) {
        (true, false) => Some(Degree::First),
        (false, true) => Some(Degree::Second),
        // A value tells more than an attribute that is there and empty.
        (true, true) => match (record.value(FIRST.name), record.value(SECOND.name)) {
            (Some(_), None) => Some(Degree::First),
            (None, Some(_)) => Some(Degree::Second),
            _ => None,
        },
        (false, false) => None,
    }
}
