//! How often a name is borne in France, for an installation that has not seen many yet.
//!
//! Of the family names of those born from 1971 to 2000 and of the given names of those born from 2005 to 2022, each borne by at least
//! 60 in a million, by Insee («Fichier des noms de famille», «Fichier des prénoms», Licence Ouverte): folded name and number in a million.

use rustc_hash::FxHashMap;

use super::name::Name;

/// A name that is not in the list, in a million.
pub const RARE_FAMILY: f64 = 15.0;
/// The same for given names.
pub const RARE_GIVEN: f64 = 20.0;

/// Names and how many in a million bear them.
#[derive(Debug)]
pub struct Shipped {
    /// Family names.
    pub family: FxHashMap<u64, f64>,
    /// Given names.
    pub given: FxHashMap<u64, f64>,
}

impl Shipped {
    /// Reads the lists.
    pub fn read() -> Self {
        Self {
            family: read(include_str!("frequency/family.txt")),
            given: read(include_str!("frequency/given.txt")),
        }
    }
}

fn read(list: &str) -> FxHashMap<u64, f64> {
    list.lines()
        .filter_map(|line| line.split_once(' '))
        .filter_map(|(name, number)| Some((Name::new(name).key(), number.parse().ok()?)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lists_are_whole() {
        let shipped = Shipped::read();
        assert!(shipped.family.len() > 1_500 && shipped.given.len() > 1_500);
        assert_eq!(shipped.family.get(&Name::new("Martin").key()), Some(&2997.0));
        assert!(shipped.given.contains_key(&Name::new("Léo").key()));
        for number in shipped.family.values().chain(shipped.given.values()) {
            assert!((60.0..10_000.0).contains(number));
        }
    }
}
