//! Counts what recognition found against a truth: precision, recall, what is left to humans, and who was taken for whom.
//!
//! A pair of records is right where both are of one person. Holds counts only.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::hash::Hash;

/// A record, as recognition left it and as the truth has it.
#[derive(Clone, Debug)]
pub struct Judged<I> {
    /// The identity it has.
    pub identity: I,
    /// The person it is of.
    pub person: u64,
    /// Folded family name and birth date.
    pub household: String,
    /// Folded given name.
    pub given: String,
}

/// What was counted. Pairs are pairs of records.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Evaluation {
    /// Records.
    pub records: u64,
    /// Persons in the truth.
    pub persons: u64,
    /// Pairs of one person.
    pub true_pairs: u64,
    /// Of these, linked.
    pub linked: u64,
    /// Of these, linked or between two identities that an open case asks about.
    pub linked_or_asked: u64,
    /// Pairs that were linked though they are of two persons.
    pub false_pairs: u64,
    /// Of these: same family name and birth date, another given name.
    pub false_twins: u64,
    /// Of these: same names and birth date.
    pub false_homonyms: u64,
    /// Open cases.
    pub cases: u64,
    /// Of these, between records of one person.
    pub true_cases: u64,
}

impl Evaluation {
    /// Of the pairs that were linked, the share that is right; 1 where none was.
    pub fn precision(&self) -> f64 {
        ratio(self.linked, self.linked + self.false_pairs)
    }

    /// Of the pairs of one person, the share that was linked.
    pub fn recall(&self) -> f64 {
        ratio(self.linked, self.true_pairs)
    }

    /// The same, counting what a human is asked about.
    pub fn recall_with_review(&self) -> f64 {
        ratio(self.linked_or_asked, self.true_pairs)
    }

    /// The harmonic mean of precision and recall.
    pub fn f1(&self) -> f64 {
        let (precision, recall) = (self.precision(), self.recall());
        if precision + recall > 0.0 {
            2.0 * precision * recall / (precision + recall)
        } else {
            0.0
        }
    }

    /// Open cases for each thousand persons.
    pub fn cases_per_thousand(&self) -> f64 {
        1000.0 * ratio(self.cases, self.persons.max(1))
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts far below 2^52")]
fn ratio(part: u64, whole: u64) -> f64 {
    if whole == 0 {
        1.0
    } else {
        part as f64 / whole as f64
    }
}

fn pairs(count: u64) -> u64 {
    count * count.saturating_sub(1) / 2
}

/// Counts. `asked` are the open cases, as places in `records`.
pub fn evaluate<I: Copy + Eq + Hash + Ord>(records: &[Judged<I>], asked: &[(usize, usize)]) -> Evaluation {
    let mut identities: BTreeMap<I, Vec<&Judged<I>>> = BTreeMap::new();
    let mut persons: HashMap<u64, BTreeMap<I, u64>> = HashMap::new();
    for record in records {
        identities.entry(record.identity).or_default().push(record);
        *persons
            .entry(record.person)
            .or_default()
            .entry(record.identity)
            .or_default() += 1;
    }
    let between: HashSet<(I, I)> = asked
        .iter()
        .filter_map(|(one, other)| Some((records.get(*one)?.identity, records.get(*other)?.identity)))
        .flat_map(|(one, other)| [(one, other), (other, one)])
        .collect();
    let mut found = Evaluation {
        records: records.len() as u64,
        persons: persons.len() as u64,
        cases: asked.len() as u64,
        ..Evaluation::default()
    };
    for places in persons.values() {
        found.true_pairs += pairs(places.values().sum());
        found.linked += places.values().copied().map(pairs).sum::<u64>();
        let places: Vec<(&I, &u64)> = places.iter().collect();
        for (at, (one, mine)) in places.iter().enumerate() {
            for (other, theirs) in places.iter().skip(at + 1) {
                if between.contains(&(**one, **other)) {
                    found.linked_or_asked += *mine * *theirs;
                }
            }
        }
    }
    found.linked_or_asked += found.linked;
    for members in identities.values().filter(|members| members.len() > 1) {
        for (at, one) in members.iter().enumerate() {
            for other in members
                .iter()
                .skip(at + 1)
                .filter(|other| other.person != one.person)
            {
                found.false_pairs += 1;
                if one.household == other.household {
                    let named = one.given == other.given;
                    found.false_homonyms += u64::from(named);
                    found.false_twins += u64::from(!named);
                }
            }
        }
    }
    found.true_cases = asked
        .iter()
        .filter(|(one, other)| {
            let person = |at: &usize| records.get(*at).map(|record| record.person);
            person(one) == person(other)
        })
        .count() as u64;
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_are_counted_right_wrong_and_asked_about() {
        let record = |identity: u32, person, given: &str| Judged {
            identity,
            person,
            household: "legoff|2016-08-17".into(),
            given: given.into(),
        };
        let records = [
            record(1, 1, "lina"),
            record(1, 1, "lina"),
            record(2, 1, "lina"),
            // A twin taken for her, and a homonym.
            record(1, 2, "lila"),
            record(2, 3, "lina"),
            record(3, 4, "noe"),
            record(4, 4, "noe"),
        ];
        let found = evaluate(&records, &[(0, 2), (5, 3)]);
        assert_eq!(
            (found.records, found.persons, found.cases, found.true_cases),
            (7, 4, 2, 1)
        );
        assert_eq!((found.true_pairs, found.linked, found.linked_or_asked), (4, 1, 3));
        assert_eq!(
            (found.false_pairs, found.false_twins, found.false_homonyms),
            (3, 2, 1)
        );
        assert!((found.precision() - 0.25).abs() < 1e-9 && (found.recall() - 0.25).abs() < 1e-9);
        assert!((found.f1() - 0.25).abs() < 1e-9 && (found.recall_with_review() - 0.75).abs() < 1e-9);
    }
}
