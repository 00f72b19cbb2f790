//! An invented child: names, birth date, INE, all computed from the seed and the child's number.

use chrono::NaiveDate;

use crate::base::time::Date;
use crate::domain::source::Sex;

use super::chance::Chance;
use super::level::Level;
use super::pool::Pools;

/// Where a child stands among all children.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Seat {
    /// The child's number, for life.
    pub(super) number: u64,
    /// The level in the year the child is first seen.
    pub(super) level: Level,
    /// The calendar year in which that school year begins.
    pub(super) year: i32,
    /// The place in a pair of twins.
    pub(super) twin: Twin,
}

/// The place in a pair of twins; they have numbers that follow one another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Twin {
    No,
    First,
    Second,
}

/// A child.
#[derive(Clone, Debug)]
pub(super) struct Person {
    pub(super) number: u64,
    /// The number of the household: twins share address and adults.
    pub(super) household: u64,
    pub(super) family_name: String,
    pub(super) usage_name: Option<String>,
    pub(super) given_name: &'static str,
    pub(super) other_names: Vec<&'static str>,
    pub(super) birth_date: Date,
    pub(super) sex: Sex,
    pub(super) ine: String,
    /// Whether the first register the child is in has the INE yet.
    pub(super) ine_at_first: bool,
    /// Whether the register of the year after has it.
    pub(super) ine_later: bool,
}

/// One child in so many is the homonym of a few others: same names, same birth date.
const HOMONYMS: u64 = 800;
/// Within how many children homonyms are found.
const NEIGHBOURHOOD: u64 = 4_000;

/// Makes the child of a seat.
pub(super) fn person(seat: &Seat, chance: Chance, pools: &Pools) -> Person {
    let living_at = seat.number - u64::from(seat.twin == Twin::Second);
    let homonym = seat.twin == Twin::No && chance.draw("homonym", seat.number).once_in(HOMONYMS);
    let (own, household) = if homonym {
        // Shared by the homonyms of one level and neighbourhood.
        let shared = seat.number / NEIGHBOURHOOD * 16 + seat.level as u64;
        (shared, shared)
    } else {
        (seat.number, seat.number - u64::from(seat.twin == Twin::Second))
    };
    let (own_matter, home_matter) = if homonym {
        ("homonym self", "homonym home")
    } else {
        ("self", "home")
    };
    let mut home = chance.draw(home_matter, household);
    let family_name = pools.family(&mut home);
    let usage_name = home.once_in(18).then(|| pools.family(&mut home));
    let birth_date = birth_date(seat, &mut home);
    let pair = pools.alike(&mut home);

    let mut own = chance.draw(own_matter, own);
    let [first, second] = [0, 1].map(|at| pair.names.get(at).copied().zip(pair.sexes.get(at).copied()));
    let twin = match seat.twin {
        Twin::No => None,
        Twin::First => first,
        Twin::Second => second,
    };
    let (given_name, sex) = twin.unwrap_or_else(|| {
        let sex = if own.once_in(2) { Sex::Female } else { Sex::Male };
        (pools.given(sex, &mut own), sex)
    });
    let other_names = (0..own.below(3))
        .map(|_| pools.given(sex, &mut own))
        .filter(|other| *other != given_name);
    let other_names = other_names.collect();

    let mut register = chance.draw("register", seat.number);
    let ine_at_first = !register.once_in(33);
    Person {
        number: seat.number,
        household: living_at,
        family_name,
        usage_name,
        given_name,
        other_names,
        birth_date,
        sex,
        ine: ine(seat.number, chance),
        ine_at_first,
        // Half of those who waited have it a year later; no register loses one.
        ine_later: ine_at_first || register.once_in(2),
    }
}

/// Most children are of the year of their level, some a year ahead or behind.
fn birth_date(seat: &Seat, home: &mut super::chance::Draw) -> Date {
    let shift = match home.below(50) {
        0 | 1 => -1,
        2 => 1,
        _ => 0,
    };
    let day = u32::try_from(home.below(365)).unwrap_or(0) + 1;
    NaiveDate::from_yo_opt(seat.year - seat.level.age() + shift, day).unwrap_or_default()
}

/// An INE of the RNIE shape. Multiplying by a number that shares no factor with 10⁹ keeps the digits of different
/// children different.
pub(super) fn ine(number: u64, chance: Chance) -> String {
    const SPREAD: u64 = 387_420_489;
    const SPACE: u64 = 1_000_000_000;
    let shift = chance.draw("ine", 0).below(SPACE);
    let digits = (number % SPACE * SPREAD + shift) % SPACE;
    let mut letters = chance.draw("ine letters", number);
    let mut letter = || char::from(b'A' + u8::try_from(letters.below(26)).unwrap_or(0));
    format!("{digits:09}{}{}", letter(), letter())
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::domain::ine::Ine;

    fn seat(number: u64, twin: Twin) -> Seat {
        Seat {
            number,
            level: Level::Cm2,
            year: 2026,
            twin,
        }
    }

    #[test]
    fn a_thousand_children_are_well_formed_and_of_their_level() {
        let (chance, pools) = (Chance::new(1), Pools::new());
        let mut ines = HashSet::new();
        let (mut girls, mut waiting, mut on_time, mut names) = (0, 0, 0, HashSet::new());
        for number in 0..1000 {
            let child = person(&seat(number, Twin::No), chance, &pools);
            assert!(child.ine.parse::<Ine>().is_ok());
            assert!(ines.insert(child.ine[..9].to_owned()), "digits alone are unique");
            girls += u32::from(child.sex == Sex::Female);
            waiting += u32::from(!child.ine_at_first);
            assert!(child.ine_later || !child.ine_at_first);
            on_time += u32::from(child.birth_date.to_string().starts_with("2016"));
            names.insert((child.given_name, child.family_name));
        }
        assert!((400..600).contains(&girls));
        assert!((15..50).contains(&waiting), "{waiting}");
        assert!((900..970).contains(&on_time), "{on_time}");
        assert!(names.len() > 950);
    }

    #[test]
    fn twins_share_a_household_and_look_alike() {
        let (chance, pools) = (Chance::new(1), Pools::new());
        let first = person(&seat(10, Twin::First), chance, &pools);
        let second = person(&seat(11, Twin::Second), chance, &pools);
        assert_eq!(first.family_name, second.family_name);
        assert_eq!(first.household, second.household);
        assert_eq!(first.usage_name, second.usage_name);
        assert_eq!(first.birth_date, second.birth_date);
        assert_ne!(first.given_name, second.given_name);
        assert_ne!(first.ine, second.ine);
    }
}
