//! The files of one delivery, by their names: which are read, in which order, which are missing.
//!
//! `ENT_<project>_Complet_<date>_Eleve_0000.xml`; large categories are cut into 0000, 0001, … A missing last part
//! cannot be told from the names; a part cut short is told by its reader.

use std::collections::BTreeMap;
use std::fmt;

use crate::domain::education::Degree;
use crate::domain::stored_names;

/// What a file of a delivery holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AafKind {
    /// Schools.
    Schools,
    /// Pupils.
    Pupils,
    /// Adults in charge of pupils: behind the pupils, whose records say whose they are.
    Guardians,
    /// Staff.
    Staff,
    /// Courses of study (MEF).
    Courses,
    /// Subjects taught.
    Subjects,
}
stored_names!(AafKind, "AAF file category", {
    Schools => "EtabEducNat", Pupils => "Eleve", Staff => "PersEducNat", Guardians => "PersRelEleve",
    Courses => "MefEducNat", Subjects => "MatiereEducNat",
});

impl AafKind {
    /// Whether a load needs such a file; [`super::AafReader`] reads them all.
    pub const fn is_read(self) -> bool {
        matches!(self, Self::Schools | Self::Pupils | Self::Guardians | Self::Staff)
    }
}

/// The name of an AAF file, taken apart.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct AafFileName {
    /// What it holds.
    pub kind: AafKind,
    /// What stands before the category (`ENT_X_Complet_20260915`): the same for all files of one delivery.
    pub set: String,
    /// Its number among those of its category, from 0.
    pub part: u16,
    /// The whole name, without folders.
    pub name: String,
}

impl AafFileName {
    /// Takes a name (without folders) apart; `None` for one that is not of an AAF file.
    pub fn parse(name: &str) -> Option<Self> {
        let stem = name.strip_suffix(".xml").or(name.strip_suffix(".XML"))?;
        let (rest, part) = stem.rsplit_once('_')?;
        let (set, kind) = rest.rsplit_once('_')?;
        if part.len() != 4 || !part.bytes().all(|digit| digit.is_ascii_digit()) {
            return None;
        }
        Some(Self {
            kind: kind.parse().ok()?,
            set: set.to_owned(),
            part: part.parse().ok()?,
            name: name.to_owned(),
        })
    }

    /// Whether it belongs to a delivery of changes only.
    pub fn is_delta(&self) -> bool {
        self.words().any(|word| word.eq_ignore_ascii_case("delta"))
    }

    /// The degree, where the name says it (`ENT1D`, `ENT2DVA`, `1D`).
    pub fn degree(&self) -> Option<Degree> {
        self.words().find_map(|word| {
            let word = word.to_ascii_uppercase();
            let digit = word.strip_prefix("ENT").unwrap_or(&word);
            match (digit.get(..2), digit.get(2..)) {
                (Some("1D"), Some("" | "VA")) => Some(Degree::First),
                (Some("2D"), Some("" | "VA")) => Some(Degree::Second),
                _ => None,
            }
        })
    }

    fn words(&self) -> impl Iterator<Item = &str> {
        self.set.split(['_', '.', '-'])
    }
}

/// What is wrong with a set of files as a delivery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DeliveryProblem {
    /// Files of several deliveries.
    Mixed {
        /// Their sets, in order.
        sets: Vec<String>,
    },
    /// Files of a complete delivery and of one of changes.
    Kinds,
    /// Files of both degrees.
    Degrees,
    /// A part is not there though a later one is.
    MissingPart {
        /// Of which category.
        kind: AafKind,
        /// Its number.
        part: u16,
    },
    /// One name twice.
    Twice {
        /// The name.
        file: String,
    },
    /// Nothing that is read.
    Nothing,
}

impl fmt::Display for DeliveryProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Mixed { sets } => write!(f, "fichiers de plusieurs livraisons : {}", sets.join(", ")),
            Self::Kinds => {
                f.write_str("fichiers « Complet » et « Delta » mêlés : chargez-les l'un après l'autre")
            }
            Self::Degrees => {
                f.write_str("fichiers du premier et du second degré mêlés : chargez-les séparément")
            }
            Self::MissingPart { kind, part } => {
                write!(
                    f,
                    "livraison incomplète : il manque le fichier {kind}_{part:04}.xml"
                )
            }
            Self::Twice { file } => write!(f, "{file} : donné deux fois"),
            Self::Nothing => f.write_str("aucun fichier Eleve, EtabEducNat, PersRelEleve ou PersEducNat"),
        }
    }
}

/// The files of a delivery, sorted out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Delivery {
    /// Files to read, in the order to read them: schools, then pupils, each by part.
    pub read: Vec<AafFileName>,
    /// Names of files of other categories: not read today.
    pub set_aside: Vec<String>,
    /// Names that are not of an AAF file.
    pub foreign: Vec<String>,
    /// Why the set must not be applied; empty for a sound one.
    pub problems: Vec<DeliveryProblem>,
    /// Whether it is of changes only.
    pub delta: bool,
    /// The degree, where a name says it.
    pub degree: Option<Degree>,
}

/// Sorts out the files of a delivery by their names (without folders).
pub fn arrange<'a>(names: impl IntoIterator<Item = &'a str>) -> Delivery {
    let mut delivery = Delivery::default();
    let mut parts: BTreeMap<(String, AafKind), Vec<u16>> = BTreeMap::new();
    for name in names {
        let Some(file) = AafFileName::parse(name) else {
            delivery.foreign.push(name.to_owned());
            continue;
        };
        if !file.kind.is_read() {
            delivery.set_aside.push(file.name);
            continue;
        }
        parts
            .entry((file.set.clone(), file.kind))
            .or_default()
            .push(file.part);
        delivery.read.push(file);
    }
    delivery.read.sort();
    let mut sets: Vec<String> = delivery.read.iter().map(|file| file.set.clone()).collect();
    sets.sort();
    sets.dedup();
    let problems = &mut delivery.problems;
    if sets.is_empty() {
        problems.push(DeliveryProblem::Nothing);
    }
    if sets.len() > 1 {
        problems.push(DeliveryProblem::Mixed { sets });
    }
    delivery.delta = delivery.read.iter().any(AafFileName::is_delta);
    if delivery.delta && !delivery.read.iter().all(AafFileName::is_delta) {
        problems.push(DeliveryProblem::Kinds);
    }
    let mut degrees: Vec<Degree> = delivery.read.iter().filter_map(AafFileName::degree).collect();
    degrees.dedup();
    delivery.degree = degrees.first().copied();
    if degrees.len() > 1 {
        problems.push(DeliveryProblem::Degrees);
    }
    for (file, next) in delivery.read.iter().zip(delivery.read.iter().skip(1)) {
        if file == next {
            problems.push(DeliveryProblem::Twice {
                file: file.name.clone(),
            });
        }
    }
    for ((_, kind), parts) in &parts {
        let last = parts.iter().copied().max().unwrap_or(0);
        let missing = (0..last).filter(|part| !parts.contains(part));
        problems.extend(missing.map(|part| DeliveryProblem::MissingPart { kind: *kind, part }));
    }
    delivery
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_taken_apart() {
        let file = AafFileName::parse("ENT_0350001A_Complet_20260915_PersRelEleve_0012.xml").unwrap();
        assert_eq!(file.kind, AafKind::Guardians);
        assert_eq!(
            (file.set.as_str(), file.part),
            ("ENT_0350001A_Complet_20260915", 12)
        );
        assert!(!file.is_delta());
        assert!(
            AafFileName::parse("ENT2D_Delta_20260915_Eleve_0000.xml")
                .unwrap()
                .is_delta()
        );
        for foreign in [
            "Eleve_0000.xml",
            "x_Eleve_000.xml",
            "x_Eleve_0000.xml.gz",
            "x_Autre_0000.xml",
            "ficAlimMENESR.dtd",
        ] {
            assert_eq!(AafFileName::parse(foreign), None, "{foreign}");
        }
    }

    #[test]
    fn a_sound_delivery_is_ordered_schools_first() {
        let names = [
            "E_Complet_1_Eleve_0001.xml",
            "E_Complet_1_MefEducNat_0000.xml",
            "E_Complet_1_PersRelEleve_0000.xml",
            "E_Complet_1_PersEducNat_0000.xml",
            "E_Complet_1_Eleve_0000.xml",
            "ficAlimMENESR.dtd",
            "E_Complet_1_EtabEducNat_0000.xml",
        ];
        let delivery = arrange(names);
        let read: Vec<&str> = delivery.read.iter().map(|file| file.name.as_str()).collect();
        assert_eq!(
            read,
            [
                "E_Complet_1_EtabEducNat_0000.xml",
                "E_Complet_1_Eleve_0000.xml",
                "E_Complet_1_Eleve_0001.xml",
                "E_Complet_1_PersRelEleve_0000.xml",
                "E_Complet_1_PersEducNat_0000.xml"
            ]
        );
        assert_eq!(delivery.set_aside, ["E_Complet_1_MefEducNat_0000.xml"]);
        assert_eq!(delivery.foreign, ["ficAlimMENESR.dtd"]);
        assert!(delivery.problems.is_empty());
    }

    #[test]
    fn what_makes_a_delivery_unsound_is_said() {
        let gap = arrange(["E_Complet_1_Eleve_0000.xml", "E_Complet_1_Eleve_0003.xml"]);
        let said: Vec<String> = gap.problems.iter().map(ToString::to_string).collect();
        assert_eq!(
            said,
            [
                "livraison incomplète : il manque le fichier Eleve_0001.xml",
                "livraison incomplète : il manque le fichier Eleve_0002.xml"
            ]
        );
        let mixed = arrange(["E_Complet_1_Eleve_0000.xml", "E_Complet_2_EtabEducNat_0000.xml"]);
        assert!(matches!(
            mixed.problems.as_slice(),
            [DeliveryProblem::Mixed { .. }]
        ));
        let delta = arrange(["E_Delta_1_Eleve_0000.xml"]);
        assert!(delta.delta && delta.problems.is_empty());
        let kinds = arrange(["E_Delta_1_Eleve_0000.xml", "E_Complet_1_EtabEducNat_0000.xml"]);
        assert!(kinds.problems.contains(&DeliveryProblem::Kinds));
        let degrees = arrange(["ENT1D_1_Eleve_0000.xml", "ENT2DVA_1_EtabEducNat_0000.xml"]);
        assert!(degrees.problems.contains(&DeliveryProblem::Degrees));
        let named = |name| AafFileName::parse(name).unwrap().degree();
        assert_eq!(
            named("ENT1D.20260901_Complet_Eleve_0000.xml"),
            Some(Degree::First)
        );
        assert_eq!(named("ENT_x_Complet_1_1D_Eleve_0000.xml"), Some(Degree::First));
        assert_eq!(named("ENT2DVA.1_Eleve_0000.xml"), Some(Degree::Second));
        assert_eq!(named("ENT_0350001A_Complet_1_Eleve_0000.xml"), None);
        let twice = arrange(["E_Complet_1_Eleve_0000.xml", "E_Complet_1_Eleve_0000.xml"]);
        assert!(matches!(
            twice.problems.as_slice(),
            [DeliveryProblem::Twice { .. }]
        ));
        assert_eq!(arrange(["notes.txt"]).problems, [DeliveryProblem::Nothing]);
    }
}
