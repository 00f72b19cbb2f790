//! From an `EtabEducNat` record to a school: the link between the academy's structure key and the national one.

use crate::domain::education::AcademyCode;
use crate::domain::source::Place;
use crate::domain::uai::Uai;
use crate::roster::value;

use super::AafContext;
use super::record::Record;
use crate::roster::field::Complaints;

const KEY: &str = "ENTStructureJointure";
const UAI: &str = "ENTStructureUAI";
/// The same, as some deliveries call it.
const UAI_TOO: &str = "ENTEtablissementUAI";
const NAME: &str = "ENTStructureNomCourant";
const KIND: &str = "ENTStructureTypeStruct";
const SIRET: &str = "ENTStructureSIREN";
const TOWN: &str = "l";
/// The town, as the first degree calls it.
const TOWN_1D: &str = "ENTStructureVille";
const ACADEMY: &str = "ENTServAcAcademie";
const ACADEMY_CODE: &str = "ENTServAcCodeAcademie";

/// What is read of a school.
pub(super) const WANTED: &[&str] = &[
    KEY,
    UAI,
    UAI_TOO,
    NAME,
    KIND,
    SIRET,
    TOWN,
    TOWN_1D,
    ACADEMY,
    ACADEMY_CODE,
];

/// A school as an academy states it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AafSchool {
    /// The academy's key, which pupils refer to.
    pub structure_key: String,
    /// The national key.
    pub uai: Uai,
    /// Its usual name; empty where the delivery gives none.
    pub name: String,
    /// Its type, as written (`COLLEGE`, `LYCEE GENERAL`…).
    pub kind: Option<String>,
    /// SIRET (14 digits) or SIREN (9), whichever is written.
    pub siret: Option<String>,
    /// Its town.
    pub commune: Option<String>,
    /// The academy the delivery is of.
    pub academy: AcademyCode,
    /// The name of the academy, as written.
    pub academy_name: Option<String>,
    /// Where it stands.
    pub place: Place,
}

/// The school of a record. `None` goes with at least one error.
pub(super) fn read(
    record: &Record,
    context: &AafContext,
    complaints: &mut Complaints<'_>,
) -> Option<AafSchool> {
    let key = record.key(KEY);
    if key.is_none() {
        complaints.error("établissement sans identifiant (ENTStructureJointure)");
    }
    let written = record.value(UAI).or(record.value(UAI_TOO));
    let uai: Option<Uai> = written.and_then(|written| written.parse().ok());
    match (&uai, written) {
        (None, None) => complaints.error("établissement sans UAI (ENTStructureUAI)"),
        (None, Some(_)) => complaints.error("UAI illisible (ENTStructureUAI) : sept chiffres et une lettre"),
        (Some(uai), _) if !uai.has_valid_key() => {
            complaints.warning("la lettre de contrôle de l'UAI ne correspond pas à ses chiffres");
        }
        (Some(_), _) => {}
    }
    let (key, uai) = (key?, uai?);
    if let Some(code) = record.value(ACADEMY_CODE)
        && code.parse::<AcademyCode>().ok().as_ref() != Some(&context.academy)
    {
        complaints
            .warning("établissement d'une autre académie que celle de l'import (ENTServAcCodeAcademie)");
    }
    Some(AafSchool {
        structure_key: key.to_owned(),
        uai,
        // In this attribute `$` stands for a hyphen.
        name: value::tidy(&record.value(NAME).unwrap_or_default().replace('$', "-")),
        kind: record.value(KIND).map(value::tidy),
        siret: record
            .value(SIRET)
            .filter(|number| is_business_number(number))
            .map(str::to_owned),
        commune: record.value(TOWN).or(record.value(TOWN_1D)).map(value::tidy),
        academy: context.academy.clone(),
        academy_name: record.value(ACADEMY).map(value::tidy),
        place: record.place.clone(),
    })
}

fn is_business_number(text: &str) -> bool {
    matches!(text.len(), 9 | 14) && text.bytes().all(|digit| digit.is_ascii_digit())
}
