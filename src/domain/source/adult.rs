//! What a feed states about adults: who answers for a child, who works in a school.
//!
//! An adult has no INE and, mostly, no birth date: who they are is told by the children they answer for, or by the key
//! of an academy. Must never hold more of an adult than names and, where a register states it, the birth date.

use std::fmt;

use super::{ClassRef, Place, Sex, SourceKey};
use crate::base::text::fold_tight;
use crate::base::time::Date;
use crate::domain::education::{Profile, SchoolYear};
use crate::domain::stored_names;

/// Who an adult is, as one source states it.
#[derive(Clone, PartialEq, Eq)]
pub struct AdultFacts {
    /// Family name (nom de famille), as written; where the source states only the name in use, that one.
    pub family_name: String,
    /// Name in use, where the source has one that differs.
    pub usage_name: Option<String>,
    /// First name.
    pub given_name: String,
    /// What the civility says.
    pub sex: Option<Sex>,
    /// Birth date, which only registers of staff state.
    pub birth_date: Option<Date>,
}

impl fmt::Debug for AdultFacts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[adult]")
    }
}

impl AdultFacts {
    /// The folded first name.
    pub fn given_key(&self) -> String {
        fold_tight(&self.given_name)
    }

    /// The folded family name, and the folded name in use where there is one.
    pub fn family_keys(&self) -> Vec<String> {
        let names = [Some(&self.family_name), self.usage_name.as_ref()];
        names.into_iter().flatten().map(|name| fold_tight(name)).collect()
    }

    /// Whether two records may be of one adult as far as names say: the same first name, and a family name or name in
    /// use in common.
    pub fn is_named_like(&self, other: &Self) -> bool {
        let theirs = other.family_keys();
        self.given_key() == other.given_key() && self.family_keys().iter().any(|key| theirs.contains(key))
    }
}

/// What an adult is to a child.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kinship {
    /// Mère.
    Mother,
    /// Père.
    Father,
    /// Frère, sœur.
    Sibling,
    /// Ascendant: grand-parent.
    Ascendant,
    /// Autre membre de la famille.
    OtherFamily,
    /// Éducateur.
    Educator,
    /// Assistant familial.
    FosterCarer,
    /// Garde d'enfant.
    Childminder,
    /// Tuteur.
    Guardian,
    /// Aide sociale à l'enfance.
    ChildWelfare,
    /// Autre.
    Other,
}
stored_names!(Kinship, "kinship", {
    Mother => "mother", Father => "father", Sibling => "sibling", Ascendant => "ascendant",
    OtherFamily => "other_family", Educator => "educator", FosterCarer => "foster_carer",
    Childminder => "childminder", Guardian => "guardian", ChildWelfare => "child_welfare", Other => "other",
});

/// What a code of the national table N_LIEN_ELEVE_RESPONSABLE says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KinshipCode {
    /// An adult who is that to the child.
    Adult(Kinship),
    /// The pupil, of age, answers for themselves: there is no adult.
    Oneself,
    /// A code of neither table.
    Unknown,
}

impl KinshipCode {
    /// Reads a code of the old table (one digit) or of the new one (two).
    pub fn read(code: &str) -> Self {
        Self::Adult(match code.trim() {
            "1" | "20" => Kinship::Father,
            "2" | "10" => Kinship::Mother,
            "3" | "50" => Kinship::Guardian,
            "4" | "39" => Kinship::OtherFamily,
            "5" | "51" => Kinship::ChildWelfare,
            "6" | "90" => Kinship::Other,
            "37" => Kinship::Sibling,
            "38" => Kinship::Ascendant,
            "41" => Kinship::Educator,
            "42" => Kinship::FosterCarer,
            "43" => Kinship::Childminder,
            "7" | "70" => return Self::Oneself,
            _ => return Self::Unknown,
        })
    }
}

/// Which child an adult is tied to.
#[derive(Clone, PartialEq, Eq)]
pub enum ChildRef {
    /// By the key of the same source and scope.
    Key(String),
    /// By names, in the school of the file: all that ONDE and hand-made files give.
    Named {
        /// Family name or name in use.
        family_name: String,
        /// First name.
        given_name: String,
        /// The label of the class, where the file gives one.
        class: Option<String>,
    },
}

impl fmt::Debug for ChildRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Key(key) => write!(f, "[child {key}]"),
            Self::Named { .. } => f.write_str("[child]"),
        }
    }
}

/// That an adult answers for a child.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GuardianLink {
    /// The key of the adult in the source and scope.
    pub adult: String,
    /// The child.
    pub child: ChildRef,
    /// What the adult is to the child, where stated.
    pub kinship: Option<Kinship>,
    /// Whether they exercise parental authority (responsable légal), where stated.
    pub legal: Option<bool>,
    /// Where it stands.
    pub place: Place,
}

/// An adult in charge of children, as a feed states them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GuardianRow {
    /// The key of the record.
    pub key: SourceKey,
    /// The adult.
    pub facts: AdultFacts,
    /// The school year the feed was loaded for.
    pub year: SchoolYear,
    /// Where it stands.
    pub place: Place,
}

/// What somebody does in one school.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Post {
    /// UAI, or the academy's structure key (AAF).
    pub school: String,
    /// What they are there.
    pub profile: Profile,
}

/// A class that somebody teaches.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TaughtClass {
    /// UAI, or the academy's structure key (AAF).
    pub school: String,
    /// The class.
    pub class: ClassRef,
}

/// Somebody who works in schools, as a feed states them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StaffRow {
    /// The key of the record.
    pub key: SourceKey,
    /// The adult.
    pub facts: AdultFacts,
    /// What they do and where, without repetition.
    pub posts: Vec<Post>,
    /// What they teach, without repetition.
    pub classes: Vec<TaughtClass>,
    /// The school year the feed was loaded for.
    pub year: SchoolYear,
    /// Where it stands.
    pub place: Place,
}

/// What a code of function says somebody is; `None` for a code that no table knows.
pub fn profile_of_function(code: &str) -> Option<Profile> {
    Some(match code.trim().to_ascii_uppercase().as_str() {
        "ENS" => Profile::Teacher,
        "DOC" => Profile::Librarian,
        "DIR" => Profile::Head,
        "EDU" | "AED" | "SUR" => Profile::SchoolStaff,
        "ADF" | "LAB" | "ALB" | "MDS" | "OUV" | "CTR" | "ASE" | "ORI" | "CFC" | "ACP" | "AES" | "TEC" => {
            Profile::Staff
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn adult(family: &str, usage: Option<&str>, given: &str) -> AdultFacts {
        AdultFacts {
            family_name: family.into(),
            usage_name: usage.map(str::to_owned),
            given_name: given.into(),
            sex: None,
            birth_date: None,
        }
    }

    #[test]
    fn both_tables_of_kinship_say_the_same() {
        for (old, new) in [
            ("1", "20"),
            ("2", "10"),
            ("3", "50"),
            ("4", "39"),
            ("5", "51"),
            ("6", "90"),
            ("7", "70"),
        ] {
            assert_eq!(KinshipCode::read(old), KinshipCode::read(new), "{old} {new}");
        }
        assert_eq!(KinshipCode::read("2"), KinshipCode::Adult(Kinship::Mother));
        assert_eq!(KinshipCode::read("70"), KinshipCode::Oneself);
        assert_eq!(KinshipCode::read(""), KinshipCode::Unknown);
        assert_eq!(KinshipCode::read("99"), KinshipCode::Unknown);
    }

    #[test]
    fn an_adult_is_named_alike_by_either_name() {
        let maddi = adult("OYHENART", Some("LE GOFF"), "Maddi");
        assert!(maddi.is_named_like(&adult("Le Goff", None, "MADDI")));
        assert!(maddi.is_named_like(&adult("Oyhénart", None, "Maddi")));
        assert!(!maddi.is_named_like(&adult("Le Goff", None, "Bixente")));
        assert!(!maddi.is_named_like(&adult("Marchadel", None, "Maddi")));
        assert_eq!(format!("{maddi:?}"), "[adult]");
    }
}
