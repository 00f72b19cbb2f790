//! Two records: of one human being, perhaps, or not.
//!
//! [`decide`] is symmetric and looks at nothing but the two records and whether a school knows a twin of either. A
//! shared name, birth date or address is never enough to link; INE, birth date and first given name together are,
//! unless there is a twin, because feeds do swap the numbers of twins.

use std::fmt;

use crate::base::id::{IdentityId, SourceRecordId};
use crate::base::time::Date;
use crate::domain::matching::Reason;
use crate::domain::uai::Uai;

/// What recognition looks at in a record.
#[derive(Clone, PartialEq, Eq)]
pub struct Facts {
    /// The keyed hash of the INE, where the record has one.
    pub ine: Option<[u8; 32]>,
    /// Folded first given name (`PersonFacts::given_key`).
    pub given_key: String,
    /// Folded family name and birth date (`PersonFacts::household_key`).
    pub household_key: String,
    /// Birth date.
    pub birth_date: Date,
    /// The school that states the record.
    pub school: Uai,
}

impl Facts {
    /// The folded family name.
    pub fn family_key(&self) -> &str {
        self.household_key
            .rsplit_once('|')
            .map_or(self.household_key.as_str(), |(family, _)| family)
    }

    /// Whether `other`, of the same school and household, looks like another child.
    pub(super) fn is_twin_of(&self, other: &Self) -> bool {
        let other_number = matches!((self.ine, other.ine), (Some(one), Some(two)) if one != two);
        self.school == other.school
            && self.household_key == other.household_key
            && (self.given_key != other.given_key || other_number)
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
pub fn twin_known<'r>(record: &Record, others: impl IntoIterator<Item = &'r Record>) -> bool {
    others
        .into_iter()
        .any(|other| other.id != record.id && other.facts.is_twin_of(&record.facts))
}

/// What two records are to each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Relation {
    /// One human being.
    Certain,
    /// Perhaps one human being; a human decides.
    Ambiguous(Reason),
    /// Nothing says so.
    None,
}

/// The ladder. `twin` says whether a school that holds one of the two knows a twin of it.
pub fn decide(one: &Facts, two: &Facts, twin: bool) -> Relation {
    match (one.ine, two.ine) {
        (Some(left), Some(right)) if left == right => {
            if one.birth_date != two.birth_date || one.given_key != two.given_key {
                Relation::Ambiguous(Reason::IneContradicted)
            } else if twin {
                Relation::Ambiguous(Reason::Twin)
            } else {
                Relation::Certain
            }
        }
        (Some(_), Some(_)) => Relation::None,
        _ if one.household_key == two.household_key && one.given_key == two.given_key => {
            Relation::Ambiguous(Reason::NamesWithoutIne)
        }
        _ => Relation::None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::random::SeededRandom;
    use crate::base::time::{Timestamp, parse_date};

    fn facts(ine: u8, family: &str, given: &str, birth: &str) -> Facts {
        let birth_date = parse_date(birth).unwrap();
        Facts {
            ine: (ine > 0).then_some([ine; 32]),
            given_key: given.into(),
            household_key: format!("{family}|{birth_date}"),
            birth_date,
            school: "9990001X".parse().unwrap(),
        }
    }

    #[test]
    fn each_rung_of_the_ladder() {
        let lina = facts(1, "legoff", "lina", "2016-08-17");
        let cases = [
            (facts(1, "legoff", "lina", "2016-08-17"), Relation::Certain),
            // The family name changed: INE, birth date and first name still agree.
            (facts(1, "martin", "lina", "2016-08-17"), Relation::Certain),
            (
                facts(1, "legoff", "lila", "2016-08-17"),
                Relation::Ambiguous(Reason::IneContradicted),
            ),
            (
                facts(1, "legoff", "lina", "2016-08-18"),
                Relation::Ambiguous(Reason::IneContradicted),
            ),
            (
                facts(0, "legoff", "lina", "2016-08-17"),
                Relation::Ambiguous(Reason::NamesWithoutIne),
            ),
            (facts(0, "martin", "lina", "2016-08-17"), Relation::None),
            (facts(0, "legoff", "lina", "2016-08-18"), Relation::None),
            // A homonym born on the same day has another number.
            (facts(2, "legoff", "lina", "2016-08-17"), Relation::None),
        ];
        for (other, expected) in cases {
            assert_eq!(decide(&lina, &other, false), expected);
            assert_eq!(decide(&other, &lina, false), expected, "symmetric");
        }
        assert_eq!(decide(&lina, &lina, true), Relation::Ambiguous(Reason::Twin));
        assert_eq!(
            lina.family_key(),
            "legoff",
            "the household key gives the family name back"
        );
    }

    #[test]
    fn a_twin_shares_school_name_and_birth_date_and_has_another_name_or_number() {
        let random = SeededRandom::new(1);
        let record = |facts| Record {
            id: SourceRecordId::new(Timestamp::from_seconds(1), &random),
            identity: None,
            facts,
        };
        let lina = record(facts(1, "legoff", "lina", "2016-08-17"));
        let twin = |other: Facts| twin_known(&lina, [&record(other)]);
        assert!(twin(facts(2, "legoff", "lila", "2016-08-17")));
        assert!(twin(facts(1, "legoff", "lila", "2016-08-17")));
        assert!(twin(facts(0, "legoff", "lila", "2016-08-17")));
        assert!(twin(facts(2, "legoff", "lina", "2016-08-17")), "a homonym");
        assert!(!twin(facts(0, "legoff", "lina", "2016-08-17")), "perhaps herself");
        assert!(!twin(facts(1, "legoff", "lina", "2016-08-17")), "herself");
        assert!(!twin(facts(2, "legoff", "lila", "2016-08-18")));
        let mut elsewhere = facts(2, "legoff", "lila", "2016-08-17");
        elsewhere.school = "9990002Y".parse().unwrap();
        assert!(!twin(elsewhere));
        assert!(!twin_known(&lina, [&lina]));
    }

    #[test]
    fn facts_do_not_print() {
        let printed = format!("{:?}", facts(1, "legoff", "lina", "2016-08-17"));
        assert_eq!(printed, "[facts]");
    }
}
