//! What agreement and disagreement weigh: the probabilities of the Fellegi–Sunter model, and how often names, birth years and ways
//! from school to school occur among the records there are.
//!
//! All weights are in hundredths of a bit (100 doubles the odds), so that sums are exact and do not depend on their order. Frequencies are kept in
//! half bits: a model changes only where a number changed enough to matter. A model is a function of the records
//! ([`super::census`]), never of the order in which they came.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};

use super::comparison::Weights;
use super::frequency::{RARE_FAMILY, RARE_GIVEN, Shipped};
use super::name::Name;
use crate::domain::uai::Uai;

/// Hundredths of a bit.
pub type Centibits = i32;

/// One bit.
pub const BIT: Centibits = 100;

/// How many records the shipped frequencies count for.
const PRIOR_RECORDS: f64 = 20_000.0;
/// Names borne by fewer records count as borne by [`UNCOUNTED`].
pub(super) const COUNTED: u32 = 4;
const UNCOUNTED: f64 = 2.0;

static SHIPPED: LazyLock<Shipped> = LazyLock::new(Shipped::read);

/// How often each degree of agreement is seen between two records of one child (m), and where it does not follow from
/// frequencies, between records of two (u). Shipped values were estimated on invented populations with the errors that
/// registers are known to have; `marelle match estimate` estimates them from one's own.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Rates {
    /// Birth date: same, swapped, close, other.
    pub birth: [f64; 4],
    /// Family name: same, part or usage name, close, other.
    pub family: [f64; 4],
    /// Given name: same, part or another given name, close, other.
    pub given: [f64; 4],
    /// INE where both have one: same, close, other.
    pub ine: [f64; 3],
    /// Sex where both state it: same, other.
    pub sex: [f64; 2],
    /// Other given names where both state some: one in common, none.
    pub others: [f64; 2],
    /// The stated school of the year before is the other record's: yes, no.
    pub previous: [f64; 2],
}

impl Rates {
    /// What Marelle ships with.
    pub fn shipped() -> Self {
        Self {
            birth: [0.976, 0.006, 0.013, 0.005],
            family: [0.93, 0.035, 0.025, 0.01],
            given: [0.94, 0.025, 0.025, 0.01],
            ine: [0.975, 0.012, 0.013],
            sex: [0.99, 0.01],
            others: [0.9, 0.1],
            previous: [0.95, 0.05],
        }
    }
}

/// How often names, years and ways occur; in half bits (what is `p` of all is `-2 log2 p`).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Frequencies {
    /// How many records were counted, as a power of two in half bits.
    pub records: u8,
    /// Records born on one day of each year, in half bits above one.
    pub born: BTreeMap<i32, u8>,
    /// Names borne by some.
    pub family: BTreeMap<u64, u8>,
    /// Names borne by some.
    pub given: BTreeMap<u64, u8>,
    /// A name borne by few.
    pub rare_family: u8,
    /// A name borne by few.
    pub rare_given: u8,
    /// From the school of one year to that of the same (0) or the next (1): how much likelier than by chance, in whole
    /// bits.
    pub ways: BTreeMap<(Uai, Uai, u8), i8>,
    /// Ways nobody went from a school whose pupils' ways are known.
    pub no_way: BTreeMap<(Uai, u8), i8>,
    /// How many of the records of a source a school has.
    pub schools: BTreeMap<Uai, u8>,
}

/// A model as it is stored.
#[derive(Serialize, Deserialize)]
struct Stored {
    rates: Rates,
    records: u8,
    born: Vec<(i32, u8)>,
    family: Vec<(u64, u8)>,
    given: Vec<(u64, u8)>,
    rare: (u8, u8),
    ways: Vec<(String, String, u8, i8)>,
    no_way: Vec<(String, u8, i8)>,
    #[serde(default)]
    schools: Vec<(String, u8)>,
}

/// A model.
#[derive(Clone, Debug, PartialEq)]
pub struct Model {
    rates: Rates,
    weights: Weights,
    frequencies: Frequencies,
    family: FxHashMap<u64, u8>,
    given: FxHashMap<u64, u8>,
    ways: FxHashMap<(Uai, Uai, u8), i8>,
    no_way: FxHashMap<(Uai, u8), i8>,
    schools: FxHashMap<Uai, u8>,
}

fn centibits(ratio: f64) -> Centibits {
    // Between 2^-60 and 2^60: far inside the range.
    #[expect(clippy::cast_possible_truncation, reason = "a logarithm is small")]
    let bits = (ratio.max(1e-18).log2() * f64::from(BIT)).round() as Centibits;
    bits
}

/// `-2 log2 p`, as it is kept.
pub(super) fn half_bits(share: f64) -> u8 {
    let value = (-2.0 * share.max(1e-18).log2()).round().clamp(0.0, 120.0);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped")]
    let half = value as u8;
    half
}

/// The share of a name among all: the records that bear it and, for as many as the shipped list counts for, the list.
pub(super) fn share(borne: f64, records: f64, in_a_million: f64) -> f64 {
    (borne + PRIOR_RECORDS * in_a_million / 1e6) / (records + PRIOR_RECORDS)
}

/// The half bits of a name borne by few, of `records`.
pub(super) fn rare(records: f64, in_a_million: f64) -> u8 {
    half_bits(share(UNCOUNTED, records, in_a_million))
}

/// How much likelier than by chance it is that a pupil of one school is in another, in whole bits: `gone` of `known` pupils went
/// there, where `share` of all are, and `habit` of all pupils go where others of their school go.
pub(super) fn way(gone: f64, known: f64, share: f64, habit: f64) -> i8 {
    let likely = habit * gone / known.max(1.0) + (1.0 - habit) * share;
    let value = (likely / share.max(1e-9)).log2().round().clamp(-5.0, 9.0);
    #[expect(clippy::cast_possible_truncation, reason = "clamped")]
    let bits = value as i8;
    bits
}

/// What the shipped lists say of a name, in a million.
pub(super) fn shipped_family(key: u64) -> f64 {
    SHIPPED.family.get(&key).copied().unwrap_or(RARE_FAMILY)
}

/// The same for given names.
pub(super) fn shipped_given(key: u64) -> f64 {
    SHIPPED.given.get(&key).copied().unwrap_or(RARE_GIVEN)
}

impl Model {
    /// The model of rates and frequencies.
    pub fn new(rates: Rates, frequencies: Frequencies) -> Self {
        let table = |names: &BTreeMap<u64, u8>| names.iter().map(|(key, half)| (*key, *half)).collect();
        let ways = frequencies.ways.iter().map(|(way, bits)| (way.clone(), *bits));
        let no_way = frequencies
            .no_way
            .iter()
            .map(|(school, bits)| (school.clone(), *bits));
        Self {
            family: table(&frequencies.family),
            given: table(&frequencies.given),
            ways: ways.collect(),
            no_way: no_way.collect(),
            schools: frequencies
                .schools
                .iter()
                .map(|(school, half)| (school.clone(), *half))
                .collect(),
            weights: Weights::of(&rates),
            rates,
            frequencies,
        }
    }

    /// The model of an installation that knows nobody yet.
    pub fn shipped() -> Self {
        Self::new(Rates::shipped(), super::census::Census::default().frequencies())
    }

    /// The stored form.
    ///
    /// # Errors
    /// Where it cannot be written as JSON.
    pub fn to_bytes(&self) -> Result<Vec<u8>, serde_json::Error> {
        let frequencies = &self.frequencies;
        let ways = frequencies.ways.iter();
        serde_json::to_vec(&Stored {
            rates: self.rates.clone(),
            records: frequencies.records,
            born: frequencies
                .born
                .iter()
                .map(|(year, half)| (*year, *half))
                .collect(),
            family: frequencies
                .family
                .iter()
                .map(|(key, half)| (*key, *half))
                .collect(),
            given: frequencies
                .given
                .iter()
                .map(|(key, half)| (*key, *half))
                .collect(),
            rare: (frequencies.rare_family, frequencies.rare_given),
            ways: ways
                .map(|((from, to, gap), bits)| (from.to_string(), to.to_string(), *gap, *bits))
                .collect(),
            no_way: frequencies
                .no_way
                .iter()
                .map(|((from, gap), bits)| (from.to_string(), *gap, *bits))
                .collect(),
            schools: frequencies
                .schools
                .iter()
                .map(|(school, half)| (school.to_string(), *half))
                .collect(),
        })
    }

    /// Reads the stored form.
    ///
    /// # Errors
    /// Where it is not one.
    pub fn of_bytes(bytes: &[u8]) -> Result<Self, serde_json::Error> {
        let stored: Stored = serde_json::from_slice(bytes)?;
        let uai = |text: String| text.parse::<Uai>().map_err(serde::de::Error::custom);
        let mut ways = BTreeMap::new();
        for (from, to, gap, bits) in stored.ways {
            ways.insert((uai(from)?, uai(to)?, gap), bits);
        }
        let mut no_way = BTreeMap::new();
        for (from, gap, bits) in stored.no_way {
            no_way.insert((uai(from)?, gap), bits);
        }
        let mut schools = BTreeMap::new();
        for (school, half) in stored.schools {
            schools.insert(uai(school)?, half);
        }
        let frequencies = Frequencies {
            records: stored.records,
            born: stored.born.into_iter().collect(),
            family: stored.family.into_iter().collect(),
            given: stored.given.into_iter().collect(),
            rare_family: stored.rare.0,
            rare_given: stored.rare.1,
            ways,
            no_way,
            schools,
        };
        Ok(Self::new(stored.rates, frequencies))
    }

    /// Its rates.
    pub fn rates(&self) -> &Rates {
        &self.rates
    }

    pub(super) fn weights(&self) -> &Weights {
        &self.weights
    }

    /// Its frequencies.
    pub fn frequencies(&self) -> &Frequencies {
        &self.frequencies
    }

    /// `-log2` of how often a family name is borne.
    pub(super) fn family(&self, name: &Name) -> Centibits {
        let half = self.family.get(&name.key()).copied().unwrap_or_else(|| {
            let listed = SHIPPED.family.get(&name.key());
            listed.map_or(self.frequencies.rare_family, |number| {
                half_bits(share(UNCOUNTED, self.counted(), *number))
            })
        });
        Centibits::from(half) * BIT / 2
    }

    /// `-log2` of how often a given name is borne.
    pub(super) fn given(&self, name: &Name) -> Centibits {
        let half = self.given.get(&name.key()).copied().unwrap_or_else(|| {
            let listed = SHIPPED.given.get(&name.key());
            listed.map_or(self.frequencies.rare_given, |number| {
                half_bits(share(UNCOUNTED, self.counted(), *number))
            })
        });
        Centibits::from(half) * BIT / 2
    }

    fn counted(&self) -> f64 {
        (f64::from(self.frequencies.records) / 2.0).exp2()
    }

    /// `log2` of how many records are born on one day of a year; at least one.
    pub(super) fn born_on_a_day(&self, year: i32) -> Centibits {
        let half = self.frequencies.born.get(&year).copied().unwrap_or(0);
        Centibits::from(half) * BIT / 2
    }

    /// `-log2` of how many of the records of its source a school has; nothing where it is in no feed.
    pub(super) fn school(&self, school: &Uai) -> Option<Centibits> {
        let half = self.schools.get(school)?;
        Some(Centibits::from(*half) * BIT / 2)
    }

    /// Whether the ways of some who leave a school are known: it is in a feed.
    pub fn knows_ways_from(&self, school: &Uai, gap: u8) -> bool {
        self.no_way.contains_key(&(school.clone(), gap))
    }

    /// What the way from a school to another weighs, `gap` (0 or 1) years later.
    pub(super) fn way(&self, from: &Uai, to: &Uai, gap: u8) -> Option<Centibits> {
        let known = self.ways.get(&(from.clone(), to.clone(), gap));
        let bits = known.or_else(|| self.no_way.get(&(from.clone(), gap)))?;
        Some(Centibits::from(*bits) * BIT)
    }
}

/// `log2(m / u)` of two rates.
pub(super) fn weight(seen: f64, by_chance: f64) -> Centibits {
    centibits(seen / by_chance)
}
