//! Sources of persons, their keys, and what a feed states about a pupil.
//!
//! A record is what one source says; it is never corrected here. Who it is, is decided in `continuum`.

use std::fmt;
use std::sync::Arc;

mod adult;

pub use adult::{
    AdultFacts, ChildRef, GuardianLink, GuardianRow, Kinship, KinshipCode, Post, StaffRow, TaughtClass,
    profile_of_function,
};

use super::education::{AcademyCode, Profile, SchoolYear};
use super::ine::Ine;
use super::stored_names;
use super::uai::Uai;
use crate::base::text::fold_tight;
use crate::base::time::Date;

/// Where a record comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Source {
    /// ONDE, the register of the écoles.
    Onde,
    /// AAF of the first degree.
    Aaf1d,
    /// AAF of the second degree.
    Aaf2d,
    /// SIECLE, the register of a collège or lycée.
    Siecle,
    /// STS, the teachers of a collège or lycée.
    Sts,
    /// OneRoster.
    OneRoster,
    /// A generic CSV file.
    Csv,
    /// SCIM.
    Scim,
    /// Typed by a person here.
    Manual,
}
stored_names!(Source, "source", {
    Onde => "onde", Aaf1d => "aaf1d", Aaf2d => "aaf2d", Siecle => "siecle", Sts => "sts",
    OneRoster => "oneroster", Csv => "csv", Scim => "scim", Manual => "manual",
});

/// The key of a record: unique in its source and scope. The scope is the academy code for AAF (jointures are unique
/// per academy only) and the UAI for the files of one school.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SourceKey {
    /// The source.
    pub source: Source,
    /// Academy code or UAI.
    pub scope: String,
    /// The source's own key, or one made from what does not change.
    pub key: String,
}

impl fmt::Display for SourceKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.source, self.scope, self.key)
    }
}

/// Who a person is in a feed of the ministry (AAF): what services of the schools know them by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AafKey {
    /// The feed: of the first degree or of the second.
    pub source: Source,
    /// The academy that keys are unique in.
    pub academy: AcademyCode,
    /// `ENTPersonJointure`.
    pub jointure: String,
    /// `ENTEleveStructRattachId`: the number of a pupil in the register of their school, where the feed states it.
    pub attachment: Option<String>,
    /// The school that states them.
    pub school: Uai,
    /// What they are there.
    pub profile: Profile,
}

impl AafKey {
    /// As the annuaire ENT writes it: `AC-RENNES$1234567`.
    pub fn jointure(&self) -> Option<String> {
        Some(format!("AC-{}${}", self.academy.directory_name()?, self.jointure))
    }

    /// As ENTs on entcore know their accounts: `RENNES-1234567`.
    pub fn external_id(&self) -> Option<String> {
        Some(format!("{}-{}", self.academy.directory_name()?, self.jointure))
    }

    /// As EduConnect writes it: `{AAF}14||1234567`.
    pub fn ref_id(&self) -> String {
        format!("{{AAF}}{}||{}", self.academy, self.jointure)
    }

    /// The vector of a pupil: `4|||1037745|0290009C`; the names are left out, as the ministry does.
    pub fn vecteur(&self) -> Option<String> {
        let kind = match (self.profile, self.source) {
            (Profile::Pupil, Source::Aaf1d) => 3,
            (Profile::Pupil, _) => 4,
            _ => return None,
        };
        let attachment = self.attachment.as_ref()?;
        Some(format!("{kind}|||{attachment}|{}", self.school))
    }
}

/// Sex as the registers carry it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Sex {
    /// Féminin.
    Female,
    /// Masculin.
    Male,
}
stored_names!(Sex, "sex", { Female => "F", Male => "M" });

/// Who a person is, as one source states it.
#[derive(Clone, PartialEq, Eq)]
pub struct PersonFacts {
    /// Family name (nom de famille), as written.
    pub family_name: String,
    /// Usage name, where the source has one that differs.
    pub usage_name: Option<String>,
    /// First given name, as written (`Jean-Noël`).
    pub given_name: String,
    /// Other given names, in order.
    pub other_names: Vec<String>,
    /// Birth date.
    pub birth_date: Date,
    /// Sex, where stated.
    pub sex: Option<Sex>,
    /// INE, where stated and well formed.
    pub ine: Option<Ine>,
}

impl fmt::Debug for PersonFacts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[person]")
    }
}

impl PersonFacts {
    /// The folded first given name, by which two records agree on it.
    pub fn given_key(&self) -> String {
        fold_tight(&self.given_name)
    }

    /// Folded family name and birth date: what twins share.
    pub fn household_key(&self) -> String {
        format!("{}|{}", fold_tight(&self.family_name), self.birth_date)
    }

    /// Folded names and birth date: what homonyms born on one day share. Also the stable part of a key for sources
    /// that give none.
    pub fn person_key(&self) -> String {
        format!(
            "{}|{}|{}",
            fold_tight(&self.family_name),
            fold_tight(&self.given_name),
            self.birth_date
        )
    }
}

/// A class as a source names it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClassRef {
    /// The source's key of the class in its school; where there is none, the folded label.
    pub key: String,
    /// Its label, as written.
    pub label: String,
}

/// Where in a delivery something stands, for a person to go and look.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Place {
    /// File name, without its folders.
    pub file: Arc<str>,
    /// Line, from 1.
    pub line: u64,
    /// Column (of text for XML, of the sheet for CSV), from 1.
    pub column: u64,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.file, self.line, self.column)
    }
}

/// One person in one school, as a feed states it. `school` is what the feed calls the school: a UAI, or a structure
/// key of its academy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RosterRow {
    /// The key of the record.
    pub key: SourceKey,
    /// What the person is there.
    pub profile: Profile,
    /// UAI, or the academy's structure key (AAF).
    pub school: String,
    /// The person.
    pub facts: PersonFacts,
    /// The class, where the feed gives one.
    pub class: Option<ClassRef>,
    /// The level (`CM2`, `6EME`), as written.
    pub level: Option<String>,
    /// The number in the register of the school, where the feed gives one.
    pub attachment: Option<String>,
    /// The school of the year before, where the feed states it (SIECLE).
    pub previous_school: Option<Uai>,
    /// The number of the row in its file, from 1, for sources that give no key of their own: what people find it by.
    pub ordinal: Option<u64>,
    /// The school year the feed was loaded for.
    pub year: SchoolYear,
    /// Where it stands.
    pub place: Place,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::time::parse_date;

    fn facts(family: &str, given: &str) -> PersonFacts {
        PersonFacts {
            family_name: family.into(),
            usage_name: None,
            given_name: given.into(),
            other_names: vec![],
            birth_date: parse_date("17/08/2016").unwrap(),
            sex: None,
            ine: None,
        }
    }

    #[test]
    fn keys_fold_spellings_together_and_keep_people_apart() {
        assert_eq!(
            facts("LE GOFF", "Lilwenn").person_key(),
            facts("Le-Goff", "LILWENN").person_key()
        );
        assert_eq!(
            facts("Le Goff", "Lina").household_key(),
            facts("Le Goff", "Lila").household_key()
        );
        assert_ne!(
            facts("Le Goff", "Lina").person_key(),
            facts("Le Goff", "Lila").person_key()
        );
        assert_eq!(facts("Le Goff", "Lina").person_key(), "legoff|lina|2016-08-17");
    }

    #[test]
    fn a_key_of_the_ministry_is_written_as_each_service_reads_it() {
        let mut key = AafKey {
            source: Source::Aaf2d,
            academy: "14".parse().unwrap(),
            jointure: "1234567".into(),
            attachment: Some("1037745".into()),
            school: "0290009C".parse().unwrap(),
            profile: Profile::Pupil,
        };
        assert_eq!(key.jointure().as_deref(), Some("AC-RENNES$1234567"));
        assert_eq!(key.external_id().as_deref(), Some("RENNES-1234567"));
        assert_eq!(key.ref_id(), "{AAF}14||1234567");
        assert_eq!(key.vecteur().as_deref(), Some("4|||1037745|0290009C"));
        key.attachment = None;
        assert_eq!(key.vecteur(), None);
        key.academy = "55".parse().unwrap();
        assert_eq!(
            (key.jointure(), key.external_id()),
            (None, None),
            "no such directory"
        );
    }

    #[test]
    fn a_person_does_not_print() {
        assert_eq!(format!("{:?}", facts("Le Goff", "Lina")), "[person]");
    }
}
