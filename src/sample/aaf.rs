//! Writes the files of an academy's complete AAF delivery of the second degree: `EtabEducNat` in ISO-8859-15, `Eleve`
//! in UTF-8, with the DOCTYPE and the doubly escaped apostrophes of real ones.

use std::fmt::Write as _;
use std::io::{self, Write};

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

use super::Arrival;
use super::academy::academy_name;
use super::level::Level;
use super::plan::{College, Collegian};
use crate::domain::source::Sex;

/// How many pupils one file holds.
pub(super) const PART: usize = 50_000;

/// The academy's key of a pupil.
pub(super) fn person_key(number: u64) -> u64 {
    3_000_000 + number
}

pub(super) fn head(encoding: &str) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"{encoding}\"?>\n<!DOCTYPE ficAlimMENESR SYSTEM \"ficAlimMENESR.dtd\">\n\
         <!-- versionAF=\"AAF-VE1803\" -->\n<ficAlimMENESR>\n"
    )
}

pub(super) const TAIL: &str = "</ficAlimMENESR>\n";

/// Text as XML, with `'` escaped as exports do: once for XML and once before that.
fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('\'', "&amp;apos;")
}

/// Begins a record that is stated whole.
pub(super) fn begin(out: &mut String, kind: &str, category: &str, id: u64) {
    ask(out, "addRequest", kind, category, id);
    out.push_str("<attributes>\n");
}

/// The head of a request.
pub(super) fn ask(out: &mut String, request: &str, kind: &str, category: &str, id: u64) {
    let _ = write!(
        out,
        "<{request}>\n<operationalAttributes><attr name=\"{kind}\"><value>{category}</value></attr>\
         </operationalAttributes>\n<identifier><id>{id}</id></identifier>\n"
    );
}

pub(super) fn attribute(out: &mut String, name: &str, values: &[&str]) {
    let _ = write!(out, "<attr name=\"{name}\">");
    for value in values {
        if value.is_empty() {
            out.push_str("<value/>");
        } else {
            let _ = write!(out, "<value>{}</value>", escape(value));
        }
    }
    out.push_str("</attr>\n");
}

/// Ends a record that is stated whole.
pub(super) fn end(out: &mut String) {
    out.push_str("</attributes>\n</addRequest>\n");
}

/// One school.
pub(super) fn school(college: &College, academy: u8) -> String {
    let mut out = String::new();
    let structure = college.structure.to_string();
    begin(&mut out, "categorieStructure", "EtabEducNat", college.structure);
    let uai = college.uai.as_str();
    let code = format!("{academy:02}");
    // In this attribute a hyphen is written `$`.
    let name = college.name.replace('-', "$");
    for (attribute_name, value) in [
        ("ENTStructureJointure", structure.as_str()),
        ("ENTStructureUAI", uai),
        ("ENTEtablissementUAI", uai),
        ("ENTStructureSIREN", "10000000000000"),
        ("ENTStructureNomCourant", name.as_str()),
        ("ENTStructureTypeStruct", "COLLEGE"),
        ("ENTEtablissementMinistereTutelle", "EDUCATION NATIONALE"),
        ("ENTEtablissementContrat", "PU"),
        ("street", "1 rue des Écoles"),
        ("postalCode", "80999"),
        ("l", college.commune.as_str()),
        ("telephoneNumber", ""),
        ("ENTServAcAcademie", academy_name(academy)),
        ("ENTServAcCodeAcademie", code.as_str()),
    ] {
        attribute(&mut out, attribute_name, &[value]);
    }
    let divisions: Vec<String> = Level::COLLEGE
        .into_iter()
        .flat_map(|level| (0..college.divisions(level)).map(move |at| College::division_label(level, at)))
        .map(|label| format!("{label}$"))
        .take(400)
        .collect();
    attribute(
        &mut out,
        "ENTStructureClasses",
        &divisions.iter().map(String::as_str).collect::<Vec<_>>(),
    );
    end(&mut out);
    out
}

/// A name as SIECLE writes it, one in two without its accents.
pub(super) fn upper(name: &str, number: u64) -> String {
    if number.is_multiple_of(2) {
        name.nfd()
            .filter(|letter| !is_combining_mark(*letter))
            .collect::<String>()
            .to_uppercase()
    } else {
        name.to_uppercase()
    }
}

/// A class as records of pupils name it.
pub(super) fn class(college: &College, level: Level, division: u64) -> String {
    format!(
        "{}${}",
        college.structure,
        College::division_label(level, division)
    )
}

/// The academy's key of a mother (0) or a father (1).
pub(super) fn parent_key(household: u64, at: u64) -> u64 {
    5_000_000 + 2 * household + at
}

/// Mother and father as records of pupils name them.
pub(super) fn links(household: u64) -> [String; 2] {
    [0, 1].map(|at| format!("{}${}$1$1$1$1", parent_key(household, at), 10 + 10 * at))
}

/// Writes one pupil; `record` is room that is used again.
pub(super) fn pupil(
    out: &mut dyn Write,
    record: &mut String,
    collegian: &Collegian,
    arrival: &Arrival<'_>,
) -> io::Result<()> {
    record.clear();
    let Arrival {
        college,
        number,
        household,
        stated: person,
    } = arrival;
    let (number, household) = (*number, *household);
    let key = person_key(number).to_string();
    let structure = college.structure.to_string();
    let family_name = upper(&person.family_name, number);
    let usage_name = person.usage_name.as_deref().map(|usage| upper(usage, number));
    let given_name = if number % 8 == 3 {
        person
            .given_name
            .nfd()
            .filter(|letter| !is_combining_mark(*letter))
            .collect()
    } else {
        person.given_name.clone()
    };
    let birth_date = person.birth_date.format("%d/%m/%Y").to_string();
    let level = collegian.level.as_str();
    let class = class(college, collegian.level, collegian.division);
    let title = match person.sex {
        Sex::Female => "Mme",
        Sex::Male => "M.",
    };
    let entry = format!("{structure}$01/09/{}${level}", collegian.seat.year);
    let [mother, father] = links(household);
    let other_names = if person.other_names.is_empty() {
        vec![""]
    } else {
        person.other_names.iter().map(String::as_str).collect()
    };

    begin(record, "categoriePersonne", "Eleve", person_key(number));
    attribute(record, "ENTPersonJointure", &[&key]);
    attribute(record, "ENTEleveINE", &[&person.ine]);
    attribute(record, "ENTPersonDateNaissance", &[&birth_date]);
    attribute(record, "sn", &[usage_name.as_ref().unwrap_or(&family_name)]);
    if usage_name.is_some() {
        attribute(record, "ENTPersonNomPatro", &[&family_name]);
    }
    attribute(record, "givenName", &[&given_name]);
    attribute(record, "ENTPersonAutresPrenoms", &other_names);
    attribute(record, "personalTitle", &[title]);
    attribute(
        record,
        "ENTPersonAdresse",
        &[&format!("{} rue de l'École$$$", household % 90 + 1)],
    );
    attribute(record, "ENTPersonCodePostal", &["80999"]);
    attribute(record, "ENTPersonVille", &[&college.commune]);
    attribute(record, "ENTPersonPays", &["FRANCE"]);
    attribute(record, "ENTPersonStructRattach", &[&structure]);
    attribute(record, "ENTEleveStructRattachId", &[&(number + 1).to_string()]);
    attribute(record, "ENTEleveStatutEleve", &["SCOLAIRE"]);
    attribute(record, "ENTEleveMEF", &[collegian.level.mef()]);
    attribute(record, "ENTEleveLibelleMEF", &[level]);
    attribute(record, "ENTEleveNivFormation", &[level]);
    attribute(record, "ENTEleveFiliere", &[""]);
    attribute(
        record,
        "ENTEleveRegime",
        &["DEMI-PENSIONNAIRE DANS L'ETABLISSEMENT"],
    );
    attribute(record, "ENTEleveBoursier", &["N"]);
    attribute(record, "ENTEleveTransport", &["N"]);
    attribute(
        record,
        "ENTEleveEnseignements",
        &["ANGLAIS LV1", "EDUCATION MUSICALE", "FRANCAIS", "MATHEMATIQUES"],
    );
    attribute(record, "ENTEleveClasses", &[&class]);
    attribute(record, "ENTEleveGroupes", &[""]);
    attribute(record, "ENTElevePersRelEleve", &[&mother, &father]);
    attribute(record, "ENTEleveDateEntreeClasses", &[&entry]);
    end(record);
    out.write_all(record.as_bytes())
}
