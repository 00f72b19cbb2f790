//! The lists that names are drawn from: first names of today's children, family names, eponyms, communes.
//!
//! The people are invented: any likeness comes from the lists being those of the country.

use crate::domain::source::Sex;

use super::chance::Draw;

/// Two first names that look alike, with the sexes of those who bear them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Alike {
    pub(super) names: [&'static str; 2],
    pub(super) sexes: [Sex; 2],
}

/// The lists, split.
#[derive(Debug)]
pub(super) struct Pools {
    feminine: Vec<&'static str>,
    masculine: Vec<&'static str>,
    families: Vec<&'static str>,
    alike: Vec<Alike>,
    eponyms: Vec<&'static str>,
    communes: Vec<&'static str>,
    commune_ends: Vec<&'static str>,
}

fn split(list: &'static str) -> Vec<&'static str> {
    list.split([',', '\n'])
        .map(str::trim)
        .filter(|name| !name.is_empty())
        .collect()
}

fn alike(list: &'static str) -> Vec<Alike> {
    let mut out = Vec::new();
    for line in list.lines() {
        let Some((sexes, pairs)) = line.split_once(':') else {
            continue;
        };
        let sexes = match sexes {
            "F" => [Sex::Female, Sex::Female],
            "M" => [Sex::Male, Sex::Male],
            _ => [Sex::Female, Sex::Male],
        };
        let pairs = pairs.split(',').filter_map(|pair| pair.trim().split_once(' '));
        out.extend(pairs.map(|(first, second)| Alike {
            names: [first, second],
            sexes,
        }));
    }
    out
}

impl Pools {
    pub(super) fn new() -> Self {
        let (starts, ends) = include_str!("pools/communes.txt")
            .split_once('\n')
            .unwrap_or_default();
        Self {
            feminine: split(include_str!("pools/feminine.txt")),
            masculine: split(include_str!("pools/masculine.txt")),
            families: split(include_str!("pools/families.txt")),
            alike: alike(include_str!("pools/alike.txt")),
            eponyms: split(include_str!("pools/eponyms.txt")),
            communes: split(starts),
            commune_ends: split(ends),
        }
    }

    /// A first name, today's frequent ones more often.
    pub(super) fn given(&self, sex: Sex, draw: &mut Draw) -> &'static str {
        draw.pick_low(match sex {
            Sex::Female => &self.feminine,
            Sex::Male => &self.masculine,
        })
    }

    /// A family name; one in twenty is of two.
    pub(super) fn family(&self, draw: &mut Draw) -> String {
        let first = draw.pick_low(&self.families);
        if !draw.once_in(20) {
            return first.to_owned();
        }
        let joint = if draw.once_in(2) { "-" } else { " " };
        format!("{first}{joint}{}", draw.pick_low(&self.families))
    }

    /// Two first names for twins.
    pub(super) fn alike(&self, draw: &mut Draw) -> Alike {
        let at = draw.below(self.alike.len() as u64);
        self.alike.get(at as usize).copied().unwrap_or(Alike {
            names: ["Lina", "Lila"],
            sexes: [Sex::Female, Sex::Female],
        })
    }

    /// The teacher of a class, another for each number below the length of the list.
    pub(super) fn teacher(&self, from: u64, number: u64) -> &'static str {
        let at = (from + number) % (self.families.len() as u64).max(1);
        self.families.get(at as usize).copied().unwrap_or_default()
    }

    /// What a school is called after.
    pub(super) fn eponym(&self, draw: &mut Draw) -> &'static str {
        draw.pick(&self.eponyms)
    }

    /// A commune.
    pub(super) fn commune(&self, draw: &mut Draw) -> String {
        let start = draw.pick(&self.communes);
        if draw.once_in(3) {
            return start.to_owned();
        }
        format!("{start}{}", draw.pick(&self.commune_ends))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn the_lists_are_large_without_repeats_and_writable_in_every_encoding_of_the_field() {
        let pools = Pools::new();
        for (list, least) in [
            (&pools.feminine, 200),
            (&pools.masculine, 200),
            (&pools.families, 800),
            (&pools.eponyms, 50),
            (&pools.communes, 30),
            (&pools.commune_ends, 10),
        ] {
            assert!(list.len() >= least, "{}", list.len());
            assert_eq!(list.iter().collect::<HashSet<_>>().len(), list.len());
            for name in list {
                for spelling in [(*name).to_owned(), name.to_uppercase()] {
                    let windows = encoding_rs::WINDOWS_1252.encode(&spelling).2;
                    let latin = encoding_rs::ISO_8859_15.encode(&spelling).2;
                    assert!(!windows && !latin, "{spelling}");
                }
            }
        }
        assert!(pools.alike.len() > 30);
    }
}
