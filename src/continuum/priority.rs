//! In which order open cases are shown: those first whose decision helps most.
//!
//! | first | because |
//! | --- | --- |
//! | the two records are one person today, and somebody may be wrong there | two children may share an account |
//! | both persons are in use, then one of them | somebody works under two accounts, each day a little more |
//! | more other open cases hang on the same records | one answer settles them all |
//! | what speaks for one child weighs more | the answer is easy, and a child is one again |
//! | older | |

use std::collections::{HashMap, HashSet};

use crate::base::id::{IdentityId, MatchCaseId, SourceRecordId};

/// A case that waits for a human.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OpenCase {
    /// Its id; ids are made in the order of opening.
    pub id: MatchCaseId,
    /// Its records.
    pub records: [SourceRecordId; 2],
    /// Whose they are today.
    pub identities: [IdentityId; 2],
    /// What speaks for one child, in hundredths of a bit, where it was weighed.
    pub weight: Option<i64>,
}

/// What hangs on the decision of a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stake {
    /// The case.
    pub case: OpenCase,
    /// Of how many of the two persons somebody knows anything: a service, a credential, a login. 0 to 2.
    pub in_use: usize,
    /// How many other open cases are about one of the two records.
    pub settles: usize,
}

impl Stake {
    /// Whether the two records are one person today.
    pub fn is_joined(&self) -> bool {
        let [one, other] = self.case.identities;
        one == other
    }
}

/// Open cases, the one first whose decision helps most; the order does not depend on that of `cases`.
pub fn ranked(cases: &[OpenCase], used: &HashSet<IdentityId>) -> Vec<Stake> {
    let mut of_record: HashMap<SourceRecordId, usize> = HashMap::new();
    for record in cases.iter().flat_map(|case| case.records) {
        *of_record.entry(record).or_default() += 1;
    }
    let others = |record: &SourceRecordId| of_record.get(record).map_or(0, |count| count - 1);
    let mut stakes: Vec<Stake> = cases
        .iter()
        .map(|case| {
            let people: HashSet<IdentityId> = case.identities.into_iter().collect();
            Stake {
                case: *case,
                in_use: people.intersection(used).count(),
                settles: case.records.iter().map(others).sum(),
            }
        })
        .collect();
    stakes.sort_by_key(|stake| {
        let weight = stake.case.weight.unwrap_or(i64::MIN);
        let first = (stake.is_joined(), stake.in_use, stake.settles, weight);
        (std::cmp::Reverse(first), stake.case.id)
    });
    stakes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::random::SeededRandom;
    use crate::base::time::Timestamp;

    fn id<T>(make: impl Fn(Timestamp, &SeededRandom) -> T, number: u32) -> T {
        let at = Timestamp::from_seconds(1_790_000_000 + i64::from(number));
        make(at, &SeededRandom::new(u64::from(number)))
    }

    fn case(number: u32, records: [u32; 2], people: [u32; 2], weight: Option<i64>) -> OpenCase {
        OpenCase {
            id: id(|at, random| MatchCaseId::new(at, random), number),
            records: records.map(|record| id(|at, random| SourceRecordId::new(at, random), record)),
            identities: people.map(person),
            weight,
        }
    }

    fn person(number: u32) -> IdentityId {
        id(|at, random| IdentityId::new(at, random), number)
    }

    #[test]
    fn the_case_whose_decision_helps_most_comes_first_whatever_the_order_they_come_in() {
        let joined = case(9, [1, 2], [1, 1], Some(-300));
        let both = case(8, [3, 4], [3, 4], Some(-300));
        let one = case(7, [5, 6], [5, 6], Some(-300));
        let hub = case(6, [7, 8], [7, 8], Some(-100));
        let spoke = case(5, [7, 9], [7, 9], Some(-200));
        let likely = case(4, [10, 11], [10, 11], Some(400));
        let older = case(2, [12, 13], [12, 13], Some(-50));
        let newer = case(3, [14, 15], [14, 15], Some(-50));
        let unweighed = case(1, [16, 17], [16, 17], None);
        let used: HashSet<IdentityId> = [3, 4, 6].map(person).into();
        let expected = [joined, both, one, hub, spoke, likely, older, newer, unweighed];
        let mut cases = expected.to_vec();
        for turn in 0..cases.len() {
            cases.rotate_left(turn);
            let found: Vec<OpenCase> = ranked(&cases, &used).iter().map(|stake| stake.case).collect();
            assert_eq!(found, expected);
        }
        let stakes = ranked(&cases, &used);
        assert_eq!((stakes[1].in_use, stakes[2].in_use), (2, 1));
        assert_eq!((stakes[3].settles, stakes[5].settles), (1, 0));
        assert!(stakes[0].is_joined() && !stakes[1].is_joined());
    }
}
