//! Files of écoles and collèges, written as the registers write them. Everyone is invented.

use marelle::domain::education::SchoolYear;
use marelle::domain::uai::Uai;
use marelle::flows::import::{Feed, File, Load};

/// A child as a test tells them: `family|given|birth|INE|class|level`; parts left out at the end are empty.
#[derive(Clone, Copy)]
pub(crate) struct Child<'a>(pub(crate) &'a str);

impl<'a> Child<'a> {
    fn part(&self, at: usize) -> &'a str {
        self.0.split('|').nth(at).unwrap_or("")
    }
}

const HEADER: &str = "Nom élève;Nom d'usage élève;Prénom élève;Date naissance;Sexe;INE;Adresse1;Cp1;Commune1;Pays1;\
    Adresse2;Cp2;Commune2;Pays2; Cycle;Niveau;Libellé classe;Identifiant classe;Attestation fournie;\
    Autorisation associations;Autorisation photo;Décision de passage";

/// An ONDE extraction.
pub(crate) fn onde(children: &[&str]) -> Vec<u8> {
    let mut text = format!("{HEADER}\r\n");
    for child in children.iter().copied().map(Child) {
        let class = if child.part(4).is_empty() {
            "CM2 A"
        } else {
            child.part(4)
        };
        let level = if child.part(5).is_empty() {
            "CM2"
        } else {
            child.part(5)
        };
        text.push_str(&format!(
            "{};;{};{};;{};;;;;;;;;;{level};{class};{};;;;\r\n",
            child.part(0),
            child.part(1),
            child.part(2),
            child.part(3),
            class.bytes().map(u32::from).sum::<u32>(),
        ));
    }
    text.into_bytes()
}

/// The load of one école's file.
pub(crate) fn ecole(school: &str, year: i32, children: &[&str]) -> Load {
    let school: Uai = school.parse().unwrap();
    load(
        Feed::Onde,
        year,
        vec![File::of_bytes("CSVExtraction.csv", Some(school), onde(children))],
    )
}

/// A load by the operator of the tests.
pub(crate) fn load(feed: Feed, year: i32, files: Vec<File>) -> Load {
    Load {
        feed,
        year: SchoolYear::new(year).unwrap(),
        files,
        operator: "Maddi".into(),
        override_reason: None,
        mapping: None,
    }
}

/// The same load, its guards set aside.
pub(crate) fn overriding(load: Load) -> Load {
    Load {
        override_reason: Some("vérifié avec l'école".into()),
        ..load
    }
}

fn attr(name: &str, value: &str) -> String {
    if value.is_empty() {
        return String::new();
    }
    format!("<attr name=\"{name}\"><value>{value}</value></attr>")
}

fn request(category: &str, kind: &str, id: &str, attributes: &str) -> String {
    format!(
        "<addRequest><operationalAttributes><attr name=\"{kind}\"><value>{category}</value></attr>\
         </operationalAttributes><identifier><id>{id}</id></identifier><attributes>{attributes}</attributes></addRequest>\n"
    )
}

fn document(requests: &str) -> Vec<u8> {
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<!DOCTYPE ficAlimMENESR SYSTEM \"ficAlimMENESR.dtd\">\n\
         <ficAlimMENESR>\n{requests}</ficAlimMENESR>\n"
    )
    .into_bytes()
}

/// `EtabEducNat` of some collèges: the structure key of each is the digits of its UAI.
pub(crate) fn etab(schools: &[&str]) -> Vec<u8> {
    let requests: String = schools
        .iter()
        .map(|uai| {
            let key = structure(uai);
            let attributes = [
                attr("ENTStructureJointure", &key),
                attr("ENTStructureUAI", uai),
                attr("ENTStructureNomCourant", &format!("Collège {key}")),
                attr("ENTStructureTypeStruct", "COLLEGE"),
                attr("ENTServAcAcademie", "AMIENS"),
            ];
            request("EtabEducNat", "categorieStructure", &key, &attributes.concat())
        })
        .collect();
    document(&requests)
}

pub(crate) fn structure(uai: &str) -> String {
    uai.trim_end_matches(char::is_alphabetic).to_owned()
}

/// `Eleve`: (jointure, UAI, child).
pub(crate) fn eleves(pupils: &[(u32, &str, &str)]) -> Vec<u8> {
    let requests: String = pupils
        .iter()
        .map(|(key, uai, child)| {
            let child = Child(child);
            let structure = structure(uai);
            let class = if child.part(4).is_empty() {
                "6EME A"
            } else {
                child.part(4)
            };
            let key = key.to_string();
            let attributes = [
                attr("ENTPersonJointure", &key),
                attr("ENTEleveINE", child.part(3)),
                attr("ENTPersonDateNaissance", child.part(2)),
                attr("sn", child.part(0)),
                attr("givenName", child.part(1)),
                attr("ENTPersonStructRattach", &structure),
                attr("ENTEleveClasses", &format!("{structure}${class}")),
                attr("ENTEleveNivFormation", "6EME"),
            ];
            request("Eleve", "categoriePersonne", &key, &attributes.concat())
        })
        .collect();
    document(&requests)
}

/// A complete AAF delivery of academy 20.
pub(crate) fn aaf(year: i32, schools: &[&str], pupils: &[(u32, &str, &str)]) -> Load {
    let set = format!("ENT2D_Complet_{year}0910");
    let files = vec![
        File::of_bytes(&format!("{set}_EtabEducNat_0000.xml"), None, etab(schools)),
        File::of_bytes(&format!("{set}_Eleve_0000.xml"), None, eleves(pupils)),
    ];
    let academy = "20".parse().unwrap();
    load(
        Feed::Aaf {
            academy,
            degree: None,
        },
        year,
        files,
    )
}
