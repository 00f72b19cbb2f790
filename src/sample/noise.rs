//! What the register of the year after makes of a child: the errors, delays and removals that real registers are known to have.
//!
//! Computed, like the child, from the seed and the child's number: the same spec always makes the same errors.

use chrono::{Datelike, Days, NaiveDate};

use super::chance::{Chance, Draw};
use super::person::Twin;
use super::person::{Person, ine};
use super::plan::Collegian;
use super::pool::Pools;
use crate::base::time::Date;
use crate::domain::source::Sex;

/// How many of a thousand children each happens to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Noise {
    /// The INE is missing in the year after.
    pub missing_ine: u64,
    /// It is a wrong one: a typing error, another child's, the twin's.
    pub wrong_ine: u64,
    /// Names, birth dates and sexes have the errors of registers, and children go elsewhere.
    pub registers: bool,
}

impl Noise {
    /// Eight in a hundred without INE, two with a wrong one.
    pub const fn usual() -> Self {
        Self {
            missing_ine: 80,
            wrong_ine: 20,
            registers: true,
        }
    }
}

/// A child as a register states it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Stated {
    pub(super) family_name: String,
    pub(super) usage_name: Option<String>,
    pub(super) given_name: String,
    pub(super) other_names: Vec<String>,
    pub(super) birth_date: Date,
    pub(super) sex: Sex,
    /// Empty where there is none.
    pub(super) ine: String,
}

/// The child as it is.
pub(super) fn exact(person: &Person) -> Stated {
    Stated {
        family_name: person.family_name.clone(),
        usage_name: person.usage_name.clone(),
        given_name: person.given_name.to_owned(),
        other_names: person.other_names.iter().map(|name| (*name).to_owned()).collect(),
        birth_date: person.birth_date,
        sex: person.sex,
        ine: if person.ine_later {
            person.ine.clone()
        } else {
            String::new()
        },
    }
}

/// One in so many leaves for good before the collège; somebody else has the seat.
const LEAVES: u64 = 25;
/// One in so many goes to a collège that is not that of their école.
const ELSEWHERE: u64 = 12;

/// The number of whoever has the seat of a pupil in the year after.
pub(super) fn seated(noise: Option<Noise>, chance: Chance, collegian: &Collegian) -> u64 {
    let number = collegian.seat.number;
    let leaves = noise.is_some_and(|noise| noise.registers) && chance.draw("leaves", number).once_in(LEAVES);
    if leaves { number + 500_000_000 } else { number }
}

/// Which of so many collèges a pupil goes to, where it is not that of the sector.
pub(super) fn elsewhere(noise: Option<Noise>, chance: Chance, number: u64, colleges: u64) -> Option<u64> {
    let mut draw = chance.draw("elsewhere", number);
    (noise.is_some_and(|noise| noise.registers) && draw.once_in(ELSEWHERE)).then(|| draw.below(colleges))
}

/// The child as the register of the year after states it.
pub(super) fn stated(person: &Person, (noise, twin): (Noise, Twin), chance: Chance, pools: &Pools) -> Stated {
    let mut stated = exact(person);
    let mut draw = chance.draw("noise", person.number);
    let in_a_thousand = draw.below(1000);
    stated.ine = if in_a_thousand < noise.missing_ine {
        String::new()
    } else if in_a_thousand < noise.missing_ine + noise.wrong_ine {
        wrong_ine(person, twin, chance, &mut draw)
    } else {
        person.ine.clone()
    };
    if !noise.registers {
        return stated;
    }
    let mut happens = |in_ten_thousand: u64| draw.below(10_000) < in_ten_thousand;
    let [typed, cut, changed, known_as] = [happens(150), happens(1_500), happens(40), happens(150)];
    let [given_typed, given_cut, given_spelt, given_second] =
        [happens(120), happens(800), happens(60), happens(40)];
    let [swapped, digit, other_date, other_sex] = [happens(60), happens(110), happens(20), happens(30)];
    if let Some(usage) = stated.usage_name.clone().filter(|_| known_as) {
        stated.family_name = usage;
        stated.usage_name = None;
    }
    if changed {
        stated.family_name = pools.family(&mut draw);
    } else if cut && let Some((first, _)) = stated.family_name.split_once('-') {
        stated.family_name = first.to_owned();
    } else if typed {
        stated.family_name = mistyped(&stated.family_name, &mut draw);
    }
    if given_second && let Some(second) = stated.other_names.first().cloned() {
        stated.given_name = second;
    } else if given_cut && let Some((first, _)) = stated.given_name.split_once('-') {
        stated.given_name = first.to_owned();
    } else if given_spelt {
        stated.given_name = respelt(&stated.given_name);
    } else if given_typed {
        stated.given_name = mistyped(&stated.given_name, &mut draw);
    }
    if swapped {
        let (day, month) = (stated.birth_date.day(), stated.birth_date.month());
        let year = stated.birth_date.year();
        stated.birth_date = NaiveDate::from_ymd_opt(year, day, month).unwrap_or(stated.birth_date);
    } else if digit {
        stated.birth_date = other_digit(stated.birth_date, &mut draw);
    } else if other_date {
        let days = Days::new(1 + draw.below(300));
        stated.birth_date = stated
            .birth_date
            .checked_sub_days(days)
            .unwrap_or(stated.birth_date);
    }
    if other_sex {
        stated.sex = match stated.sex {
            Sex::Female => Sex::Male,
            Sex::Male => Sex::Female,
        };
    }
    stated
}

fn wrong_ine(person: &Person, twin: Twin, chance: Chance, draw: &mut Draw) -> String {
    let other = match twin {
        Twin::First if draw.once_in(2) => Some(person.number + 1),
        Twin::Second if draw.once_in(2) => Some(person.number - 1),
        _ if draw.once_in(5) => Some(person.number.wrapping_add(1 + draw.below(2_000)) % 1_000_000_000),
        _ => None,
    };
    if let Some(other) = other {
        return ine(other, chance);
    }
    let mut digits: Vec<char> = person.ine.chars().collect();
    let at = draw.below(8) as usize;
    if draw.once_in(3) {
        digits.swap(at, at + 1);
    } else if let Some(digit) = digits.get_mut(at) {
        let value = (digit.to_digit(10).unwrap_or(0) + 1 + u32::try_from(draw.below(9)).unwrap_or(0)) % 10;
        *digit = char::from_digit(value, 10).unwrap_or('0');
    }
    digits.into_iter().collect()
}

/// A letter left out, doubled, replaced, or two that changed places.
fn mistyped(name: &str, draw: &mut Draw) -> String {
    let mut letters: Vec<char> = name.chars().collect();
    if letters.len() < 3 {
        return name.to_owned();
    }
    let at = 1 + draw.below(letters.len() as u64 - 2) as usize;
    match draw.below(4) {
        0 => {
            letters.remove(at);
        }
        1 => {
            if let Some(letter) = letters.get(at).copied() {
                letters.insert(at, letter);
            }
        }
        2 => letters.swap(at, at + 1),
        _ => {
            let other = char::from(b'a' + u8::try_from(draw.below(26)).unwrap_or(0));
            if let Some(letter) = letters.get_mut(at) {
                *letter = other;
            }
        }
    }
    letters.into_iter().collect()
}

/// The same name as other parents spell it.
fn respelt(name: &str) -> String {
    for (one, other) in [
        ("ph", "f"),
        ("y", "i"),
        ("th", "t"),
        ("c", "k"),
        ("i", "y"),
        ("nn", "n"),
        ("ll", "l"),
    ] {
        if name.contains(one) {
            return name.replacen(one, other, 1);
        }
    }
    format!("{name}e")
}

fn other_digit(date: Date, draw: &mut Draw) -> Date {
    let (year, month, day) = (date.year(), date.month(), date.day());
    let unit = u32::try_from(draw.below(10)).unwrap_or(0);
    let changed = match draw.below(3) {
        0 => NaiveDate::from_ymd_opt(year, month, day / 10 * 10 + unit),
        1 => NaiveDate::from_ymd_opt(year, month / 10 * 10 + unit, day),
        _ => NaiveDate::from_ymd_opt(year - 1, month, day),
    };
    changed.unwrap_or(date)
}

#[cfg(test)]
mod tests {
    use super::super::level::Level;
    use super::super::person::{Seat, person};
    use super::*;

    #[test]
    fn as_many_are_wrong_as_was_said_and_each_is_wrong_in_a_way_of_its_own() {
        let (chance, pools) = (Chance::new(5), Pools::new());
        let (mut missing, mut wrong, mut names, mut dates) = (0, 0, 0, 0);
        for number in 0..20_000 {
            let seat = Seat {
                number,
                level: Level::Cm2,
                year: 2026,
                twin: Twin::No,
            };
            let child = person(&seat, chance, &pools);
            let said = stated(&child, (Noise::usual(), Twin::No), chance, &pools);
            missing += u32::from(said.ine.is_empty());
            wrong += u32::from(!said.ine.is_empty() && said.ine != child.ine);
            names += u32::from(said.family_name != child.family_name || said.given_name != child.given_name);
            dates += u32::from(said.birth_date != child.birth_date);
        }
        assert!((1_400..1_800).contains(&missing), "{missing}");
        assert!((300..500).contains(&wrong), "{wrong}");
        assert!((600..1_600).contains(&names), "{names}");
        assert!((200..500).contains(&dates), "{dates}");
    }
}
