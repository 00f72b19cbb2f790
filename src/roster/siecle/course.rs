//! Courses of study (MEF): what level they are of.

use super::{Courses, Node, Shape};
use crate::roster::value;

pub(super) const SHAPE: Shape = Shape {
    root: "BEE_NOMENCLATURES",
    wrong_root: "ce n'est pas une nomenclature de SIECLE : une racine <BEE_NOMENCLATURES> est attendue",
    holders: &["DONNEES", "MEFS"],
    records: &["PARAMETRES", "MEF"],
    fields: &[
        "UAJ",
        "ANNEE_SCOLAIRE",
        "DATE_EXPORT",
        "FORMATION",
        "LIBELLE_EDITION",
        "LIBELLE_LONG",
    ],
    attributes: &["CODE_MEF"],
};

/// What the first three digits of a national code say, where a school's nomenclature does not.
const BY_DIGITS: &[(&str, &str)] = &[
    ("100", "6EME"),
    ("101", "5EME"),
    ("102", "4EME"),
    ("103", "3EME"),
    ("164", "6EME"),
    ("165", "5EME"),
    ("166", "4EME"),
    ("167", "3EME"),
    ("200", "2NDE"),
    ("201", "1ERE"),
    ("202", "TERM"),
];

/// Code and name of a course; nothing of one without either.
pub(super) fn read(node: &Node) -> Option<(String, String)> {
    let code = node.attribute("CODE_MEF")?;
    let label = ["FORMATION", "LIBELLE_EDITION", "LIBELLE_LONG"]
        .into_iter()
        .find_map(|name| node.text(&[name]))?;
    Some((code.to_owned(), value::tidy(label)))
}

impl Courses {
    /// The level of a course.
    pub(super) fn level(&self, code: &str) -> Option<String> {
        self.0.get(code).cloned().or_else(|| {
            let start = code.get(..3)?;
            let mut known = BY_DIGITS.iter();
            known
                .find(|(digits, _)| *digits == start)
                .map(|(_, level)| (*level).to_owned())
        })
    }
}
