//! Counts what the model must know of all records: names, birth years, ways from school to school.
//!
//! Every record is told once ([`Census::count`]), in any order; [`Census::frequencies`] is then the same. The way from a school to another is
//! read off children of the same names and birth date in both: nearly all of them are the same child, and the few that are not go everywhere.
//! Holds numbers and hashes, never a name.

use std::collections::BTreeMap;

use chrono::Datelike;
use rustc_hash::FxHashMap;

use super::facts::Facts;
use super::frequency::{RARE_FAMILY, RARE_GIVEN};
use super::model::{COUNTED, Frequencies, half_bits, rare, share, shipped_family, shipped_given, way};
use super::name::mix;
use crate::domain::source::Source;
use crate::domain::uai::Uai;

/// Names and a birth date that more records than this share are no child's: somebody typed them where nothing was known.
const MOST_STAYS: usize = 100;

/// Where a child of given names and birth date is in one year.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Stay {
    /// A number for names and birth date.
    child: u64,
    year: i32,
    school: u32,
}

/// What was counted.
#[derive(Debug, Default)]
pub struct Census {
    records: u32,
    born: BTreeMap<i32, u32>,
    family: FxHashMap<u64, u32>,
    given: FxHashMap<u64, u32>,
    schools: FxHashMap<Uai, u32>,
    /// Records of a source, and of a source in a school.
    of_source: FxHashMap<Source, u32>,
    in_school: FxHashMap<(u32, Source), u32>,
    stays: Vec<Stay>,
}

impl Census {
    /// Counts a record.
    pub fn count(&mut self, facts: &Facts) {
        self.records = self.records.saturating_add(1);
        *self.born.entry(facts.birth_date.year()).or_default() += 1;
        *self.family.entry(facts.family.key()).or_default() += 1;
        *self.given.entry(facts.given.key()).or_default() += 1;
        let next = u32::try_from(self.schools.len()).unwrap_or(u32::MAX);
        let school = *self.schools.entry(facts.school.clone()).or_insert(next);
        *self.of_source.entry(facts.source).or_default() += 1;
        *self.in_school.entry((school, facts.source)).or_default() += 1;
        self.stays.push(Stay {
            child: mix(facts.blocks().family ^ facts.given.key()),
            year: facts.year.first(),
            school,
        });
    }

    /// How many records were counted.
    pub fn records(&self) -> u32 {
        self.records
    }

    /// The frequencies of what was counted.
    pub fn frequencies(mut self) -> Frequencies {
        let records = f64::from(self.records);
        let half = (2.0 * records.max(1.0).log2()).round();
        let (ways, no_way) = self.ways();
        let schools = self.shares();
        let names = |counts: FxHashMap<u64, u32>, shipped: fn(u64) -> f64| {
            counts
                .into_iter()
                .filter(|(_, borne)| *borne >= COUNTED)
                .map(|(key, borne)| (key, half_bits(share(f64::from(borne), records, shipped(key)))))
                .collect()
        };
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "at most 64"
        )]
        let power = half as u8;
        // What is rare follows from how many there are, in the same half bits: one more record changes nothing.
        let rounded = (f64::from(power) / 2.0).exp2();
        Frequencies {
            records: power,
            born: self
                .born
                .into_iter()
                .map(|(year, count)| (year, day_half_bits(f64::from(count) / 365.0)))
                .collect(),
            family: names(self.family, shipped_family),
            given: names(self.given, shipped_given),
            rare_family: rare(rounded, RARE_FAMILY),
            rare_given: rare(rounded, RARE_GIVEN),
            ways,
            no_way,
            schools,
        }
    }

    /// How many of the records of a source each school has; of several sources, the one in which it is largest.
    fn shares(&self) -> BTreeMap<Uai, u8> {
        let names: FxHashMap<u32, &Uai> = self.schools.iter().map(|(uai, number)| (*number, uai)).collect();
        let mut shares: BTreeMap<Uai, u8> = BTreeMap::new();
        for ((school, source), count) in &self.in_school {
            let all = self.of_source.get(source).copied().unwrap_or(*count);
            if let Some(uai) = names.get(school) {
                let half = half_bits(f64::from(*count) / f64::from(all.max(1)));
                shares
                    .entry((*uai).clone())
                    .and_modify(|least| *least = half.min(*least))
                    .or_insert(half);
            }
        }
        shares
    }

    /// How the children of each school go on, in the same year (another source) and to the next.
    #[expect(clippy::type_complexity, reason = "two tables that are made together")]
    fn ways(&mut self) -> (BTreeMap<(Uai, Uai, u8), i8>, BTreeMap<(Uai, u8), i8>) {
        self.stays.sort_unstable();
        let names: FxHashMap<u32, &Uai> = self.schools.iter().map(|(uai, number)| (*number, uai)).collect();
        let mut gone: FxHashMap<(u32, u32, u8), u32> = FxHashMap::default();
        let mut known: FxHashMap<(u32, u8), u32> = FxHashMap::default();
        let mut arrived: FxHashMap<(u32, u8), u32> = FxHashMap::default();
        let mut all = [0u32; 2];
        let children = self.stays.chunk_by(|one, other| one.child == other.child);
        for child in children.filter(|stays| stays.len() <= MOST_STAYS) {
            for (at, from) in child.iter().enumerate() {
                for to in child.iter().skip(at + 1) {
                    let gap = match to.year - from.year {
                        0 => 0u8,
                        1 => 1,
                        _ => continue,
                    };
                    // Within a year either school may be named first.
                    let mut ends = vec![(from.school, to.school)];
                    if gap == 0 && from.school != to.school {
                        ends.push((to.school, from.school));
                    }
                    for (from, to) in ends {
                        *gone.entry((from, to, gap)).or_default() += 1;
                        *known.entry((from, gap)).or_default() += 1;
                        *arrived.entry((to, gap)).or_default() += 1;
                        if let Some(all) = all.get_mut(usize::from(gap)) {
                            *all += 1;
                        }
                    }
                }
            }
        }
        let total = |gap: u8| f64::from(all.get(usize::from(gap)).copied().unwrap_or(0)).max(1.0);
        // How many go where at least one other of their school goes: where pupils are scattered a way says nothing.
        let mut habits = [0.0f64; 2];
        for ((_, _, gap), count) in &gone {
            if let Some(habit) = habits.get_mut(usize::from(*gap)).filter(|_| *count > 1) {
                *habit += f64::from(*count);
            }
        }
        let habit = |gap: u8| {
            let share = habits.get(usize::from(gap)).copied().unwrap_or(0.0) / total(gap);
            // In steps of one in fifty, so that it seldom changes; never certain.
            ((share * 50.0).floor() / 50.0).min(0.98)
        };
        let mut ways = BTreeMap::new();
        for ((from, to, gap), count) in &gone {
            let (Some(one), Some(other)) = (names.get(from), names.get(to)) else {
                continue;
            };
            let all_known = f64::from(known.get(&(*from, *gap)).copied().unwrap_or(0));
            let share = f64::from(arrived.get(&(*to, *gap)).copied().unwrap_or(0)) / total(*gap);
            // The pair that is asked about is among those counted: it does not speak for itself.
            let bits = way(f64::from(*count) - 1.0, all_known - 1.0, share, habit(*gap));
            ways.insert(((*one).clone(), (*other).clone(), *gap), bits);
        }
        let mut no_way = BTreeMap::new();
        for ((from, gap), count) in &known {
            if let Some(uai) = names.get(from).filter(|_| *count > 1) {
                no_way.insert(
                    ((*uai).clone(), *gap),
                    way(0.0, f64::from(*count), 1.0, habit(*gap)),
                );
            }
        }
        (ways, no_way)
    }
}

/// `2 log2` of how many are born on one day; at least one.
fn day_half_bits(born: f64) -> u8 {
    120 - half_bits((born.max(1.0) * (-60f64).exp2()).max((-60f64).exp2()))
}
