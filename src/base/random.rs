//! Randomness as an argument: the [`Random`] source, its system implementation and a seeded one.
//!
//! Only this file asks the system for randomness. The seeded source is for tests and invented samples, never for
//! secrets.

use std::sync::{Mutex, PoisonError};

use rand::rngs::StdRng;
use rand::{RngCore, SeedableRng};

/// A source of random bytes.
pub trait Random: Send + Sync {
    /// Fills `out`.
    fn fill(&self, out: &mut [u8]);
}

/// The system's cryptographically secure source.
#[derive(Debug, Default, Clone, Copy)]
pub struct SystemRandom;

impl Random for SystemRandom {
    fn fill(&self, out: &mut [u8]) {
        #[expect(
            clippy::disallowed_methods,
            reason = "the one place that takes the system's randomness"
        )]
        rand::rng().fill_bytes(out);
    }
}

/// A reproducible source: the same seed gives the same bytes.
#[derive(Debug)]
pub struct SeededRandom(Mutex<StdRng>);

impl SeededRandom {
    /// A source started from `seed`.
    pub fn new(seed: u64) -> Self {
        Self(Mutex::new(StdRng::seed_from_u64(seed)))
    }
}

impl Random for SeededRandom {
    fn fill(&self, out: &mut [u8]) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .fill_bytes(out);
    }
}

/// `N` random bytes.
pub fn bytes<const N: usize>(random: &dyn Random) -> [u8; N] {
    let mut out = [0; N];
    random.fill(&mut out);
    out
}

/// A number below `bound` (0 where `bound` is 0), each with the same chance.
pub fn below(random: &dyn Random, bound: u32) -> u32 {
    if bound < 2 {
        return 0;
    }
    // Rejection keeps it uniform: values of the last, incomplete stretch are thrown away.
    let limit = u32::MAX - u32::MAX % bound;
    loop {
        let value = u32::from_le_bytes(bytes(random));
        if value < limit {
            return value % bound;
        }
    }
}

/// Puts `items` in a random order (Fisher–Yates).
pub fn shuffle<T>(random: &dyn Random, items: &mut [T]) {
    for last in (1..items.len()).rev() {
        let other = below(random, u32::try_from(last + 1).unwrap_or(u32::MAX)) as usize;
        items.swap(last, other);
    }
}

/// `length` symbols of `alphabet` (which must be ASCII), each with the same chance.
pub fn symbols(random: &dyn Random, alphabet: &[u8], length: usize) -> String {
    let bound = u32::try_from(alphabet.len()).unwrap_or(0);
    (0..length)
        .filter_map(|_| {
            alphabet
                .get(below(random, bound) as usize)
                .map(|symbol| char::from(*symbol))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_repeats_and_the_system_does_not() {
        assert_eq!(
            bytes::<16>(&SeededRandom::new(7)),
            bytes::<16>(&SeededRandom::new(7))
        );
        assert_ne!(bytes::<16>(&SystemRandom), bytes::<16>(&SystemRandom));
    }

    #[test]
    fn below_reaches_each_value_and_never_the_bound() {
        let random = SeededRandom::new(1);
        let mut seen = [0u32; 7];
        for _ in 0..7000 {
            seen[below(&random, 7) as usize] += 1;
        }
        assert!(seen.iter().all(|count| (850..1150).contains(count)), "{seen:?}");
    }

    #[test]
    fn a_shuffle_keeps_every_item() {
        let mut items: Vec<u32> = (0..16).collect();
        shuffle(&SeededRandom::new(3), &mut items);
        assert_ne!(items, (0..16).collect::<Vec<_>>());
        items.sort_unstable();
        assert_eq!(items, (0..16).collect::<Vec<_>>());
    }
}
