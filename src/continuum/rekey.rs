//! Sources that give no key: the key is made from names and birth date, so a correction of either changes it. A key
//! that vanished and one that appeared in the same school are the same record when the number says so.
//!
//! Must never carry a record from one twin to the other: where the school knows a twin of either side, the new key is
//! a new record and recognition asks a human.

use std::collections::BTreeMap;

use super::pair::Facts;
use crate::domain::source::Source;

/// Whether a source's keys are made from what the person is called.
pub fn makes_its_keys(source: Source) -> bool {
    matches!(source, Source::Onde)
}

/// For each appeared key (by its place in `appeared`), the place in `vanished` of the record it continues. `present`
/// are the facts of every other record that the school's source states or stated.
pub fn continued(vanished: &[Facts], appeared: &[Facts], present: &[Facts]) -> BTreeMap<usize, usize> {
    let mut by_ine: BTreeMap<[u8; 32], (Vec<usize>, Vec<usize>)> = BTreeMap::new();
    for (at, facts) in vanished.iter().enumerate() {
        if let Some(ine) = facts.ine {
            by_ine.entry(ine).or_default().0.push(at);
        }
    }
    for (at, facts) in appeared.iter().enumerate() {
        if let Some(found) = facts.ine.and_then(|ine| by_ine.get_mut(&ine)) {
            found.1.push(at);
        }
    }
    let everyone = || vanished.iter().chain(appeared).chain(present);
    let twinned = |one: &Facts, skip: &Facts| {
        everyone().any(|other| {
            !std::ptr::eq(one, other)
                && !std::ptr::eq(skip, other)
                && other.household_key == one.household_key
                && (other.given_key != one.given_key
                    || matches!((other.ine, one.ine), (Some(left), Some(right)) if left != right))
        })
    };
    let mut pairs = BTreeMap::new();
    for (before, after) in by_ine.values() {
        // Two records under one number: which of them goes on is for a human.
        let ([before], [after]) = (before.as_slice(), after.as_slice()) else {
            continue;
        };
        let (Some(old), Some(new)) = (vanished.get(*before), appeared.get(*after)) else {
            continue;
        };
        let agrees = old.given_key == new.given_key || old.birth_date == new.birth_date;
        if agrees && !twinned(old, new) && !twinned(new, old) {
            pairs.insert(*after, *before);
        }
    }
    pairs
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::time::parse_date;

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
    fn a_corrected_name_or_birth_date_continues_the_record() {
        let vanished = [
            facts(1, "legof", "lina", "2016-08-17"),
            facts(2, "martin", "noe", "2015-01-02"),
            facts(3, "petit", "ines", "2016-03-04"),
            facts(0, "roux", "tom", "2016-03-04"),
        ];
        let appeared = [
            facts(2, "martin", "noe", "2015-02-01"),
            facts(1, "legoff", "lina", "2016-08-17"),
            facts(3, "petit", "maya", "2017-03-04"),
            facts(0, "rou", "tom", "2016-03-04"),
        ];
        let pairs = continued(&vanished, &appeared, &[]);
        assert_eq!(
            pairs,
            BTreeMap::from([(0, 1), (1, 0)]),
            "not the third: only the number agrees; not the fourth: no number"
        );
    }

    #[test]
    fn a_twin_never_takes_over_the_record_of_the_other() {
        let vanished = [facts(1, "legoff", "lina", "2016-08-17")];
        let appeared = [facts(1, "legoff", "lila", "2016-08-17")];
        let twin = [facts(2, "legoff", "lila", "2016-08-17")];
        assert_eq!(
            continued(&vanished, &appeared, &[]).len(),
            1,
            "alone, it is a correction"
        );
        assert!(continued(&vanished, &appeared, &twin).is_empty());
    }

    #[test]
    fn one_number_on_two_records_continues_none() {
        let vanished = [facts(1, "legoff", "lina", "2016-08-17")];
        let appeared = [
            facts(1, "legoff", "lila", "2016-08-17"),
            facts(1, "le", "lina", "2016-08-17"),
        ];
        assert!(continued(&vanished, &appeared, &[]).is_empty());
    }
}
