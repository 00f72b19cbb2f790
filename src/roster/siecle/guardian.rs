//! From `PERSONNE` and `RESPONSABLE_ELEVE` to adults and their links, or to the reasons why not.

use std::collections::HashSet;

use super::{Node, Shape, SiecleContext};
use crate::domain::source::{
    AdultFacts, ChildRef, GuardianLink, GuardianRow, KinshipCode, Source, SourceKey,
};
use crate::roster::field::Complaints;
use crate::roster::value;

pub(super) const SHAPE: Shape = Shape {
    root: "BEE_RESPONSABLES",
    wrong_root: "ce n'est pas un fichier de responsables de SIECLE : une racine <BEE_RESPONSABLES> est attendue",
    holders: &["DONNEES", "PERSONNES", "RESPONSABLES"],
    records: &["PARAMETRES", "PERSONNE", "RESPONSABLE_ELEVE"],
    fields: &[
        "UAJ",
        "ANNEE_SCOLAIRE",
        "DATE_EXPORT",
        "NOM_DE_FAMILLE",
        "NOM_USAGE",
        "NOM",
        "PRENOM",
        "LC_CIVILITE",
        "ELEVE_ID",
        "PERSONNE_ID",
        "RESP_LEGAL",
        "NIVEAU_RESPONSABILITE",
        "CODE_PARENTE",
    ],
    attributes: &["PERSONNE_ID"],
};

/// An adult. `None` goes with at least one error.
pub(super) fn read(
    node: &Node,
    context: &SiecleContext,
    complaints: &mut Complaints<'_>,
) -> Option<GuardianRow> {
    let key = node.attribute("PERSONNE_ID");
    if key.is_none() {
        complaints.error("responsable sans identifiant (PERSONNE_ID)");
    }
    let written = node.text(&["NOM_DE_FAMILLE"]).or(node.text(&["NOM"]));
    let family_name = complaints.mandatory_name(written, "nom de famille", "NOM_DE_FAMILLE");
    let given_name = complaints.mandatory_name(node.text(&["PRENOM"]), "prénom", "PRENOM");
    let (key, family_name, given_name) = (key?, family_name?, given_name?);
    let usage_name = complaints
        .optional_name(node.text(&["NOM_USAGE"]), "NOM_USAGE")
        .filter(|usage| crate::base::text::fold(usage) != crate::base::text::fold(&family_name));
    Some(GuardianRow {
        key: SourceKey {
            source: Source::Siecle,
            scope: context.school.to_string(),
            key: key.to_owned(),
        },
        facts: AdultFacts {
            family_name,
            usage_name,
            given_name,
            sex: node.text(&["LC_CIVILITE"]).and_then(value::sex),
            birth_date: None,
        },
        year: context.year,
        place: node.place.clone(),
    })
}

/// The link of a pupil who is there. A pupil who answers for themselves has none, and so has one who left.
pub(super) fn link(
    node: &Node,
    pupils: &HashSet<String>,
    first_legal: &mut HashSet<String>,
    complaints: &mut Complaints<'_>,
) -> Option<GuardianLink> {
    let (Some(child), Some(adult)) = (node.text(&["ELEVE_ID"]), node.text(&["PERSONNE_ID"])) else {
        complaints.warning("lien incomplet (ELEVE_ID, PERSONNE_ID) : il n'est pas repris");
        return None;
    };
    if !pupils.contains(child) {
        return None;
    }
    let code = node.text(&["CODE_PARENTE"]).unwrap_or_default();
    let kinship = match KinshipCode::read(code) {
        KinshipCode::Oneself => return None,
        KinshipCode::Adult(kinship) => Some(kinship),
        KinshipCode::Unknown => None,
    };
    // RESP_LEGAL is of the time before March 2018: 1 and 2 were the first and the second of two.
    let legal = match (node.text(&["NIVEAU_RESPONSABILITE"]), node.text(&["RESP_LEGAL"])) {
        (Some(level), _) => Some(level == "1"),
        (None, Some(rank)) => {
            if rank == "1" && !first_legal.insert(child.to_owned()) {
                complaints.warning(
                    "deux premiers responsables légaux pour un élève (RESP_LEGAL) : tous deux sont repris",
                );
            }
            Some(matches!(rank, "1" | "2"))
        }
        (None, None) => None,
    };
    Some(GuardianLink {
        adult: adult.to_owned(),
        child: ChildRef::Key(child.to_owned()),
        kinship,
        legal,
        place: node.place.clone(),
    })
}
