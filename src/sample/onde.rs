//! Writes an école's `CSVExtraction.csv` as ONDE and BE1D write it: literal headers, line ends, quotes and encodings.

use std::borrow::Cow;
use std::io::{self, Write};

use super::level::Level;
use super::person::Person;
use super::plan::{Class, Dress, Ecole};
use crate::domain::source::Sex;

const HEADER_A: &str = "\"Nom Elève\";\"Nom d'usage Elève\";\"Prénom Elève\";\"Date naissance\";\"Sexe\";\"Adresse1\";\
    \"Cp1\";\"Commune1\";\"Pays1\";\"Adresse2\";\"Cp2\";\"Commune2\";\"Pays2\";\" Cycle\";\"Niveau\";\"Classe\";\
    \"Attestation fournie\";\"Autorisations associations\";\"Autorisations photos\";\"Décision de passage\"";
const HEADER_B: &str = "Nom élève;Nom d'usage élève;Prénom élève;Date naissance;Sexe;INE;Adresse1;Cp1;Commune1;Pays1;\
    Adresse2;Cp2;Commune2;Pays2; Cycle;Niveau;Libellé classe;Identifiant classe;Attestation fournie;\
    Autorisation associations;Autorisation photo;Décision de passage";

/// Writes one line in the encoding of the file.
fn line(out: &mut dyn Write, dress: Dress, text: &str) -> io::Result<()> {
    let bytes = match dress {
        Dress::MarkedUtf8 => Cow::Borrowed(text.as_bytes()),
        Dress::Windows1252 | Dress::GenerationA => encoding_rs::WINDOWS_1252.encode(text).0,
    };
    out.write_all(&bytes)?;
    out.write_all(b"\r\n")
}

/// Writes the header line, with its mark where there is one.
pub(super) fn header(out: &mut dyn Write, dress: Dress) -> io::Result<()> {
    if dress == Dress::MarkedUtf8 {
        out.write_all("\u{feff}".as_bytes())?;
    }
    let header = match dress {
        Dress::GenerationA => HEADER_A,
        Dress::MarkedUtf8 | Dress::Windows1252 => HEADER_B,
    };
    line(out, dress, header)
}

/// A cell, quoted where it must be (generation A quotes all that is not empty).
fn cell(text: &str, always: bool) -> Cow<'_, str> {
    if (always && !text.is_empty()) || text.contains([';', '"', '\n', '\r']) {
        Cow::Owned(format!("\"{}\"", text.replace('"', "\"\"")))
    } else {
        Cow::Borrowed(text)
    }
}

/// Writes the line of one pupil.
pub(super) fn pupil(
    out: &mut dyn Write,
    ecole: &Ecole,
    class: &Class,
    level: Level,
    person: &Person,
) -> io::Result<()> {
    let old = ecole.dress == Dress::GenerationA;
    let family_name = person.family_name.to_uppercase();
    let usage_name = person.usage_name.as_deref().unwrap_or_default().to_uppercase();
    let birth_date = person
        .birth_date
        .format(if old { "%Y-%m-%d" } else { "%d/%m/%Y" })
        .to_string();
    let sex = match (person.sex, old) {
        (Sex::Female, _) => "F",
        (Sex::Male, true) => "H",
        (Sex::Male, false) => "M",
    };
    let ine = if person.ine_at_first {
        person.ine.as_str()
    } else {
        ""
    };
    let address = address(person.household);
    let id = class.id.to_string();
    let passage = if level == Level::Cm2 { "Collège" } else { "" };
    let head = [
        family_name.as_str(),
        &usage_name,
        person.given_name,
        &birth_date,
        sex,
    ];
    let home = [
        address.as_str(),
        "80999",
        &ecole.commune,
        "FRANCE",
        "",
        "",
        "",
        "",
    ];
    let place = [level.cycle(), level.as_str(), &class.label];
    let tail = [
        "Oui",
        "Non",
        if person.number.is_multiple_of(7) {
            "Non"
        } else {
            "Oui"
        },
        passage,
    ];
    let cells: Vec<&str> = if old {
        [&head[..], &home, &place, &tail].concat()
    } else {
        [&head[..], &[ine], &home, &place, &[&id], &tail].concat()
    };
    let written: Vec<Cow<'_, str>> = cells.into_iter().map(|text| cell(text, old)).collect();
    line(out, ecole.dress, &written.join(";"))
}

/// An address; one in forty has what makes sloppy readers stumble.
fn address(household: u64) -> String {
    let house = household % 90 + 1;
    match household % 40 {
        13 => format!("{house}, rue \"basse\"; bât. A"),
        27 => format!("{house} rue du Lavoir\r\nRésidence des Prés"),
        _ => format!("{house} rue de l'École"),
    }
}
