//! What recognition looks at in a record, and the blocks in which it meets others.
//!
//! Two records are compared only where they share a block or a number: the same family name (or usage name) and birth date, the
//! same given name and birth date, the same two names in any order, a family name that sounds alike and the same birth date. An
//! error in any one of names and birth date leaves at least one block in common. Must never hold an INE, only keyed hashes.

use std::fmt;

use chrono::Datelike;
use smol_str::SmolStr;

use super::name::{Name, mix};
use crate::base::id::{IdentityId, SourceRecordId};
use crate::base::time::Date;
use crate::domain::education::SchoolYear;
use crate::domain::source::{Sex, Source};
use crate::domain::uai::Uai;

/// The keyed hash of an INE, and those of its three pieces: two numbers that share two pieces are a typing error apart.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct IneHash {
    /// Of the whole.
    pub whole: [u8; 32],
    /// Of its pieces (4, 4 and 3 characters), cut short; zero where they are not known.
    pub pieces: [u32; 3],
}

impl IneHash {
    /// Whether all but one of the pieces are the same, though the number is not.
    pub fn is_close_to(&self, other: &Self) -> bool {
        let same = |at: usize| {
            let (one, two) = (self.pieces.get(at), other.pieces.get(at));
            one == two && one.is_some_and(|piece| *piece != 0)
        };
        self.whole != other.whole && (0..3).filter(|at| same(*at)).count() == 2
    }
}

impl fmt::Debug for IneHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[ine]")
    }
}

/// What recognition looks at in a record. Prints nothing of it.
#[derive(Clone, PartialEq, Eq)]
pub struct Facts {
    /// The keyed hash of the INE, where the record has one.
    pub ine: Option<IneHash>,
    /// Family name.
    pub family: Name,
    /// Usage name, where there is one that differs.
    pub usage: Option<Name>,
    /// First given name.
    pub given: Name,
    /// Other given names.
    pub others: Box<[Name]>,
    /// Birth date.
    pub birth_date: Date,
    /// Sex, where stated.
    pub sex: Option<Sex>,
    /// The source that states it.
    pub source: Source,
    /// In what its keys are unique: an academy, a school.
    pub scope: SmolStr,
    /// The school year it was stated for last.
    pub year: SchoolYear,
    /// The school that states the record.
    pub school: Uai,
    /// The school of the year before, where stated.
    pub previous_school: Option<Uai>,
    /// The place of the level in the continuum, 1 for the first year of maternelle, 15 for terminale.
    pub grade: Option<u8>,
    /// Keys of the names of those who answer for the child ([`guardian_key`]), in order; none where nobody is stated.
    pub guardians: Box<[u64]>,
}

/// The key of somebody who answers for a child.
pub fn guardian_key(family: &str, given: &str) -> u64 {
    block(5, mix(Name::new(family).key()) ^ Name::new(given).key(), 0)
}

/// The blocks of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Blocks {
    /// Family name and birth date.
    pub family: u64,
    /// Usage name and birth date.
    pub usage: Option<u64>,
    /// Given name and birth date.
    pub given: u64,
    /// Both names in any order.
    pub names: u64,
    /// The sound of the family name, and birth date.
    pub sound: u64,
}

impl Blocks {
    /// All of them.
    pub fn all(self) -> impl Iterator<Item = u64> {
        [
            Some(self.family),
            self.usage,
            Some(self.given),
            Some(self.names),
            Some(self.sound),
        ]
        .into_iter()
        .flatten()
    }
}

/// Block kinds are kept apart by a number of their own: a given name is no family name. A usage name is.
fn block(kind: u64, key: u64, when: u64) -> u64 {
    mix(key ^ mix(kind.wrapping_add(when << 8)))
}

impl Facts {
    /// The blocks it meets others in.
    pub fn blocks(&self) -> Blocks {
        let day = u64::try_from(self.birth_date.num_days_from_ce()).unwrap_or(0);
        Blocks {
            family: block(1, self.family.key(), day),
            usage: self.usage.as_ref().map(|usage| block(1, usage.key(), day)),
            given: block(2, self.given.key(), day),
            names: block(3, self.family.key() ^ self.given.key(), 0),
            sound: block(4, self.family.sound(), day),
        }
    }

    /// The family and the usage name.
    pub fn families(&self) -> impl Iterator<Item = &Name> + Clone {
        std::iter::once(&self.family).chain(&self.usage)
    }

    /// Whether two records come from one file set: a source states a child once there.
    pub(super) fn is_beside(&self, other: &Self) -> bool {
        self.is_of_year(other) && self.scope == other.scope
    }

    /// Whether two records come from one kind of file of one year.
    pub(super) fn is_of_year(&self, other: &Self) -> bool {
        self.source == other.source && self.year == other.year
    }

    /// Whether two records of one number and given name are of one child, whatever the rest says.
    pub(super) fn is_known_as(&self, other: &Self) -> bool {
        let same_number = matches!((&self.ine, &other.ine), (Some(one), Some(two)) if one.whole == two.whole);
        same_number && self.given.key() == other.given.key()
    }

    /// Whether `other`, whom the same source states in the same school, is another child of the same family and
    /// birth date.
    pub(super) fn is_twin_of(&self, other: &Self) -> bool {
        let other_number =
            matches!((&self.ine, &other.ine), (Some(one), Some(two)) if one.whole != two.whole);
        self.school == other.school
            && self.source == other.source
            && self.birth_date == other.birth_date
            && (self.given.key() != other.given.key() || other_number)
            && self.is_of_family(other)
    }

    /// Whether a family name of one is one of the other, or sounds like it.
    fn is_of_family(&self, other: &Self) -> bool {
        let shared = self
            .families()
            .any(|one| other.families().any(|two| one.key() == two.key()));
        shared || self.family.sound() == other.family.sound()
    }
}

impl fmt::Debug for Facts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[facts]")
    }
}

/// A source record and the identity it belongs to; a record that has just arrived has none yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Its id.
    pub id: SourceRecordId,
    /// Whose it is.
    pub identity: Option<IdentityId>,
    /// What it says.
    pub facts: Facts,
}

/// Whether `record`'s school knows a twin of it among `others` (`record` itself among them does not matter).
pub(super) fn twin_known<'r>(record: &Record, others: impl IntoIterator<Item = &'r Record>) -> bool {
    others
        .into_iter()
        .any(|other| other.id != record.id && other.facts.is_twin_of(&record.facts))
}
