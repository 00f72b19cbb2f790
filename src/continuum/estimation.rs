//! Estimates from one's own records how often each degree of agreement is seen between two records of one child (the m of
//! Fellegi and Sunter), by expectation and maximisation (Dempster, Laird and Rubin 1977; Winkler 1988).
//!
//! What is seen between two children (u) follows from frequencies and is not estimated. The rates begun with count for
//! a thousand pairs, so that few records change little. A function of the records: their order does not matter.

use std::collections::BTreeMap;

use super::birth::BirthLikeness;
use super::comparison::{Comparison, IneLikeness, Way};
use super::facts::Record;
use super::model::{Frequencies, Model, Rates};
use super::name::Likeness;
use super::pair::RIVAL;
use super::pool::Pool;

/// How many pairs the rates begun with count for.
const PRIOR: f64 = 1_000.0;
/// No rate falls below: a degree that was never seen can be seen tomorrow.
const LEAST: f64 = 5e-4;
/// More rounds change nothing that matters.
const ROUNDS: usize = 4;

/// What was estimated.
#[derive(Clone, Debug, PartialEq)]
pub struct Estimation {
    /// The rates.
    pub rates: Rates,
    /// How many pairs of one child are expected among the records.
    pub pairs: f64,
}

/// Expected numbers of pairs by degree.
#[derive(Clone, Debug, Default)]
struct Seen {
    pairs: f64,
    birth: [f64; 4],
    family: [f64; 4],
    given: [f64; 4],
    ine: [f64; 3],
    sex: [f64; 2],
    others: [f64; 2],
    previous: [f64; 2],
}

fn add<const N: usize>(counts: &mut [f64; N], degree: usize, share: f64) {
    if let Some(count) = counts.get_mut(degree) {
        *count += share;
    }
}

fn name_degree(likeness: Likeness) -> usize {
    match likeness {
        Likeness::Same => 0,
        Likeness::Part => 1,
        Likeness::Close => 2,
        Likeness::Other => 3,
    }
}

impl Seen {
    fn count(&mut self, comparison: &Comparison, share: f64) {
        self.pairs += share;
        let birth = match comparison.birth {
            BirthLikeness::Same => 0,
            BirthLikeness::Swapped => 1,
            BirthLikeness::Close => 2,
            BirthLikeness::Other => 3,
        };
        add(&mut self.birth, birth, share);
        add(&mut self.family, name_degree(comparison.family), share);
        add(&mut self.given, name_degree(comparison.given), share);
        match comparison.ine {
            IneLikeness::Same => add(&mut self.ine, 0, share),
            IneLikeness::Close => add(&mut self.ine, 1, share),
            IneLikeness::Other => add(&mut self.ine, 2, share),
            IneLikeness::Missing => {}
        }
        if let Some(same) = comparison.sex {
            add(&mut self.sex, usize::from(!same), share);
        }
        if let Some(shared) = comparison.others {
            add(&mut self.others, usize::from(!shared), share);
        }
        match comparison.way {
            Way::Stated => add(&mut self.previous, 0, share),
            Way::Denied | Way::Elsewhere => add(&mut self.previous, 1, share),
            Way::Usual | Way::Unusual | Way::Unknown => {}
        }
    }

    fn rates(&self, before: &Rates) -> Rates {
        Rates {
            birth: shares(&self.birth, &before.birth),
            family: shares(&self.family, &before.family),
            given: shares(&self.given, &before.given),
            ine: shares(&self.ine, &before.ine),
            sex: shares(&self.sex, &before.sex),
            others: shares(&self.others, &before.others),
            previous: shares(&self.previous, &before.previous),
        }
    }
}

/// Counts as shares, with those begun with as so many pairs.
fn shares<const N: usize>(counts: &[f64; N], before: &[f64; N]) -> [f64; N] {
    let all: f64 = counts.iter().sum::<f64>() + PRIOR;
    let mut shares = [0.0; N];
    for ((share, count), prior) in shares.iter_mut().zip(counts).zip(before) {
        *share = ((count + PRIOR * prior) / all).max(LEAST);
    }
    let whole: f64 = shares.iter().sum();
    shares.map(|share| share / whole)
}

/// Estimates the rates of records, beginning with those given. Pairs of one kind of file and year are left out: they are
/// hardly ever of one child.
pub fn estimate(records: Vec<Record>, frequencies: &Frequencies, begin: &Rates) -> Estimation {
    let pool = Pool::of(records);
    let mut found = Estimation {
        rates: begin.clone(),
        pairs: 0.0,
    };
    for _ in 0..ROUNDS {
        let model = Model::new(found.rates, frequencies.clone());
        let seen = expect(&pool, &model);
        found = Estimation {
            rates: seen.rates(begin),
            pairs: seen.pairs,
        };
    }
    found
}

/// The expected number of pairs of each degree, under a model: of the candidates of a record in one kind of file at most one is it.
fn expect(pool: &Pool, model: &Model) -> Seen {
    let mut seen = Seen::default();
    for record in pool.iter() {
        let mut candidates: BTreeMap<_, Vec<Comparison>> = BTreeMap::new();
        for (_, other) in pool.around(&record.facts, None) {
            let files = (other.facts.year, other.facts.source);
            // Each pair once: from the later file to the earlier.
            if files < (record.facts.year, record.facts.source) {
                let comparison = Comparison::of(&record.facts, &other.facts, model);
                if comparison.weight >= RIVAL {
                    candidates.entry(files).or_default().push(comparison);
                }
            }
        }
        for candidates in candidates.into_values() {
            let odds = |comparison: &Comparison| (f64::from(comparison.weight) / 100.0).min(60.0).exp2();
            let all: f64 = 1.0 + candidates.iter().map(odds).sum::<f64>();
            for comparison in &candidates {
                seen.count(comparison, odds(comparison) / all);
            }
        }
    }
    seen
}

#[cfg(test)]
mod tests {
    use super::super::census::Census;
    use super::super::facts::Facts;
    use super::super::tests::facts;
    use super::*;
    use crate::base::id::SourceRecordId;
    use crate::base::random::SeededRandom;
    use crate::base::time::Timestamp;

    #[test]
    fn the_errors_that_were_made_are_found_again() {
        let random = SeededRandom::new(3);
        let mut records = Vec::new();
        let mut census = Census::default();
        let mut push = |facts: Facts| {
            census.count(&facts);
            let at = i64::try_from(records.len()).unwrap();
            records.push(Record {
                id: SourceRecordId::new(Timestamp::from_seconds(at), &random),
                identity: None,
                facts,
            });
        };
        // Four thousand children, of whom one in five is misspelt in the year after.
        for child in 0..4_000u32 {
            let family = letters(child);
            let day = u8::try_from(child % 28 + 1).unwrap();
            push(facts(0, &family, "lina", day, 1));
            let stated = if child % 5 == 0 {
                format!("{family}x")
            } else {
                family
            };
            push(facts(0, &stated, "lina", day, 2));
        }
        let frequencies = census.frequencies();
        let found = estimate(records.clone(), &frequencies, &Rates::shipped());
        assert!((3_500.0..4_100.0).contains(&found.pairs), "{}", found.pairs);
        // With the thousand pairs that the shipped rates count for.
        let [same, _, close, _] = found.rates.family;
        assert!(
            (0.78..0.9).contains(&same) && (0.1..0.2).contains(&close),
            "{:?}",
            found.rates
        );
        records.reverse();
        let again = estimate(records, &frequencies, &Rates::shipped());
        assert!((again.pairs - found.pairs).abs() < 1e-6);
    }

    /// A name of nine letters, another and hardly alike for each number.
    fn letters(number: u32) -> String {
        let mut rest = super::super::name::mix(u64::from(number));
        let mut letter = || {
            let letter = char::from(b'a' + u8::try_from(rest % 26).unwrap());
            rest /= 26;
            letter
        };
        (0..9).map(|_| letter()).collect()
    }
}
