//! Sources that give no key: the key is made from names and birth date, so a correction of either changes it. A key
//! that vanished and one that appeared in the same school are the same record when the number says so.
//!
//! Must never carry a record from one twin to the other: where the school knows a twin of either side, the new key is
//! a new record and recognition asks a human.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::facts::Facts;
use crate::domain::source::Source;

/// Whether a source's keys are made from what the person is called.
pub fn makes_its_keys(source: Source) -> bool {
    matches!(source, Source::Onde | Source::Csv)
}

/// A record or a row of a feed: its key and what it says.
#[derive(Clone, Debug)]
pub struct Keyed {
    /// The key in its source and scope.
    pub key: String,
    /// What it says.
    pub facts: Facts,
}

/// What a row of a feed is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assigned {
    /// The place of the record it continues; `None` for a new one.
    pub record: Option<usize>,
    /// The key it has from now on.
    pub key: String,
}

/// Says for each row of one school (and one scope) which of the known records it continues, and under which key.
/// `records` are all that the source ever stated there; where a source gives keys of its own, those with the rows' keys
/// are enough.
pub fn assign(source: Source, rows: &[Keyed], records: &[Keyed]) -> Vec<Assigned> {
    let by_key: HashMap<&str, usize> = records.iter().map(|record| &*record.key).zip(0..).collect();
    if !makes_its_keys(source) {
        return rows
            .iter()
            .map(|row| Assigned {
                record: by_key.get(&*row.key).copied(),
                key: row.key.clone(),
            })
            .collect();
    }
    let mut matched = same_base(rows, records);
    corrected(rows, records, &mut matched);
    let mut taken: HashSet<String> = by_key.keys().map(|key| (*key).to_owned()).collect();
    rows.iter()
        .zip(matched)
        .map(|(row, record)| {
            let kept = record.and_then(|at| records.get(at));
            let key = match kept.filter(|record| base(&record.key) == base(&row.key)) {
                Some(record) => record.key.clone(),
                None => free(base(&row.key), &taken),
            };
            taken.insert(key.clone());
            Assigned { record, key }
        })
        .collect()
}

/// A made key without the number that tells homonyms apart.
fn base(key: &str) -> &str {
    key.split_once('#').map_or(key, |(base, _)| base)
}

/// The first key of a base that nobody has.
fn free(base: &str, taken: &HashSet<String>) -> String {
    let mut key = base.to_owned();
    let mut number = 1u32;
    while taken.contains(&key) {
        number += 1;
        key = format!("{base}#{number}");
    }
    key
}

/// Rows and records of the same names and birth date. The number tells homonyms apart, never their order in the file.
fn same_base(rows: &[Keyed], records: &[Keyed]) -> Vec<Option<usize>> {
    let mut groups: BTreeMap<&str, (Vec<usize>, Vec<usize>)> = BTreeMap::new();
    for (at, row) in rows.iter().enumerate() {
        groups.entry(base(&row.key)).or_default().0.push(at);
    }
    for (at, record) in records.iter().enumerate() {
        if let Some((_, known)) = groups.get_mut(base(&record.key)) {
            known.push(at);
        }
    }
    let row_ine = |at: &usize| rows.get(*at).and_then(|row| row.facts.ine).map(|ine| ine.whole);
    let record_ine = |at: &usize| {
        records
            .get(*at)
            .and_then(|record| record.facts.ine)
            .map(|ine| ine.whole)
    };
    let mut matched = vec![None; rows.len()];
    for (stated, mut known) in groups.into_values() {
        known.sort_by_key(|at| {
            records
                .get(*at)
                .map(|record| (record.key.len(), record.key.clone()))
        });
        let alone = stated.len() == 1 && known.len() == 1;
        let compatible =
            |row: &usize, record: &usize| alone || row_ine(row).is_none() || record_ine(record).is_none();
        let mut left = Vec::new();
        for row in stated {
            let same = known
                .iter()
                .position(|record| row_ine(&row).is_some() && record_ine(record) == row_ine(&row));
            match same {
                Some(at) => set(&mut matched, row, known.remove(at)),
                None => left.push(row),
            }
        }
        for row in left {
            if let Some(at) = known.iter().position(|record| compatible(&row, record)) {
                set(&mut matched, row, known.remove(at));
            }
        }
    }
    matched
}

fn set(matched: &mut [Option<usize>], row: usize, record: usize) {
    if let Some(slot) = matched.get_mut(row) {
        *slot = Some(record);
    }
}

/// Rows under a new key whose number was under one that vanished.
fn corrected(rows: &[Keyed], records: &[Keyed], matched: &mut [Option<usize>]) {
    let known: HashSet<usize> = matched.iter().copied().flatten().collect();
    let mut by_ine: BTreeMap<[u8; 32], (Vec<usize>, Vec<usize>)> = BTreeMap::new();
    for (at, record) in records.iter().enumerate().filter(|(at, _)| !known.contains(at)) {
        if let Some(ine) = record.facts.ine {
            by_ine.entry(ine.whole).or_default().0.push(at);
        }
    }
    for (at, row) in rows.iter().enumerate() {
        let new = matched.get(at).is_some_and(Option::is_none);
        if let Some(found) = row
            .facts
            .ine
            .filter(|_| new)
            .and_then(|ine| by_ine.get_mut(&ine.whole))
        {
            found.1.push(at);
        }
    }
    let twinned = |one: &Facts, skip: &Facts| {
        rows.iter()
            .chain(records)
            .map(|keyed| &keyed.facts)
            .any(|other| !std::ptr::eq(one, other) && !std::ptr::eq(skip, other) && other.is_twin_of(one))
    };
    for (vanished, appeared) in by_ine.values() {
        // Several under one number: which of them goes on is for a human.
        let ([before], [after]) = (vanished.as_slice(), appeared.as_slice()) else {
            continue;
        };
        let (Some(record), Some(row)) = (records.get(*before), rows.get(*after)) else {
            continue;
        };
        let (old, new) = (&record.facts, &row.facts);
        let agrees = old.given.key() == new.given.key() || old.birth_date == new.birth_date;
        if agrees && !twinned(old, new) && !twinned(new, old) {
            set(matched, *after, *before);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::time::parse_date;

    /// A row or record: its number, `family|given|birth` and the `#n` of its key.
    fn keyed(ine: u8, names: &str, suffix: &str) -> Keyed {
        let mut parts = names.split('|');
        let [family, given, birth] = [(); 3].map(|()| parts.next().unwrap());
        let birth_date = parse_date(birth).unwrap();
        Keyed {
            key: format!("{names}{suffix}"),
            facts: Facts {
                birth_date,
                ..crate::continuum::tests::facts(ine, family, given, 17, 1)
            },
        }
    }

    fn onde(rows: &[Keyed], records: &[Keyed]) -> Vec<(Option<usize>, String)> {
        assign(Source::Onde, rows, records)
            .into_iter()
            .map(|assigned| (assigned.record, assigned.key))
            .collect()
    }

    #[test]
    fn a_corrected_name_or_birth_date_continues_the_record_under_a_new_key() {
        let records = [
            keyed(1, "legof|lina|2016-08-17", ""),
            keyed(2, "martin|noe|2015-01-02", ""),
            keyed(3, "petit|ines|2016-03-04", ""),
            keyed(0, "roux|tom|2016-03-04", ""),
        ];
        let rows = [
            keyed(2, "martin|noe|2015-02-01", ""),
            keyed(1, "legoff|lina|2016-08-17", ""),
            // Only the number agrees; no number.
            keyed(3, "petit|maya|2017-03-04", ""),
            keyed(0, "rou|tom|2016-03-04", ""),
        ];
        let found = onde(&rows, &records);
        let places: Vec<_> = found.iter().map(|(record, _)| *record).collect();
        assert_eq!(places, [Some(1), Some(0), None, None]);
        assert_eq!(found[1].1, "legoff|lina|2016-08-17");
    }

    #[test]
    fn the_same_names_that_gain_lose_or_correct_a_number_are_the_same_record() {
        for (before, after) in [(0, 1), (1, 0), (1, 2)] {
            let records = [keyed(before, "legoff|lina|2016-08-17", "")];
            let rows = [keyed(after, "legoff|lina|2016-08-17", "")];
            assert_eq!(onde(&rows, &records)[0].0, Some(0));
        }
    }

    #[test]
    fn homonyms_are_told_apart_by_number_whatever_their_order_in_the_file() {
        let names = "legoff|lina|2016-08-17";
        let records = [keyed(1, names, ""), keyed(2, names, "#2")];
        let rows = [keyed(2, names, ""), keyed(1, names, "#2")];
        assert_eq!(
            onde(&rows, &records),
            [(Some(1), format!("{names}#2")), (Some(0), names.into())]
        );
        // The first has left; the second is not taken for her.
        assert_eq!(onde(&rows[..1], &records), [(Some(1), format!("{names}#2"))]);
        // A third number is a third child.
        let third = [keyed(2, names, ""), keyed(3, names, "#2")];
        assert_eq!(
            onde(&third, &records),
            [(Some(1), format!("{names}#2")), (None, format!("{names}#3"))]
        );
    }

    #[test]
    fn a_twin_never_takes_over_the_record_of_the_other() {
        let lina = keyed(1, "legoff|lina|2016-08-17", "");
        let rows = [keyed(1, "legoff|lila|2016-08-17", "")];
        assert_eq!(
            onde(&rows, std::slice::from_ref(&lina))[0].0,
            Some(0),
            "alone, it is a correction"
        );
        let records = [lina, keyed(2, "legoff|lola|2016-08-17", "")];
        assert_eq!(onde(&rows, &records)[0].0, None);
    }

    #[test]
    fn one_number_on_two_rows_continues_nothing() {
        let records = [keyed(1, "legoff|lina|2016-08-17", "")];
        let rows = [
            keyed(1, "legoff|lila|2016-08-17", ""),
            keyed(1, "le|lina|2016-08-17", ""),
        ];
        assert!(onde(&rows, &records).iter().all(|(record, _)| record.is_none()));
    }

    #[test]
    fn keys_of_the_source_are_taken_as_they_are() {
        let records = [keyed(1, "legoff|lina|2016-08-17", "")];
        let mut row = keyed(1, "legoff|lina|2016-08-17", "");
        row.key = "7000101".into();
        let found = assign(Source::Aaf2d, &[row], &records);
        assert_eq!(
            found,
            [Assigned {
                record: None,
                key: "7000101".into()
            }]
        );
    }
}
