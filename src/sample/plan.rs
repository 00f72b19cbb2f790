//! The plan of an invented territory: which schools, which classes of which levels and sizes, which collège takes
//! whom. Holds schools and classes, never pupils: those are computed from their numbers.

use crate::domain::uai::Uai;

use super::chance::{Chance, Draw};
use super::level::Level;
use super::person::{Seat, Twin};
use super::pool::Pools;
use super::{SampleError, SampleSpec};

/// How an école's file is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dress {
    /// Generation B, UTF-8 with a byte order mark.
    MarkedUtf8,
    /// Generation B, windows-1252.
    Windows1252,
    /// Generation A: quoted, no INE, no class identifier.
    GenerationA,
}

/// An école.
#[derive(Debug)]
pub(super) struct Ecole {
    pub(super) uai: Uai,
    pub(super) name: String,
    pub(super) commune: String,
    pub(super) dress: Dress,
    pub(super) classes: Vec<Class>,
}

/// A class of an école.
#[derive(Debug)]
pub(super) struct Class {
    /// Its identifier in ONDE.
    pub(super) id: u64,
    pub(super) label: String,
    levels: &'static [Level],
    first: u64,
    size: u64,
}

/// A collège.
#[derive(Debug)]
pub(super) struct College {
    pub(super) uai: Uai,
    /// The academy's key.
    pub(super) structure: u64,
    pub(super) name: String,
    pub(super) commune: String,
    /// The écoles (from, to) whose CM2 pupils it takes.
    sector: (usize, usize),
    /// How many pupils of each level, those of its écoles counted.
    pub(super) levels: [u64; 4],
    first_other: u64,
}

/// A territory.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) ecoles: Vec<Ecole>,
    pub(super) colleges: Vec<College>,
    chance: Chance,
    year: i32,
}

/// A pupil of a collège: who, in which level, in which division (from 0).
#[derive(Clone, Copy, Debug)]
pub(super) struct Collegian {
    pub(super) seat: Seat,
    pub(super) level: Level,
    pub(super) division: u64,
}

/// The most schools: the room for invented codes.
const MOST_SCHOOLS: u64 = 100_000;
/// About how many pupils a division of a collège has.
const DIVISION: u64 = 26;

/// The code of the school with this number: of the Somme (department 080) in a stretch without real schools for the
/// academy of Amiens, of no department beyond that and elsewhere.
fn code(academy: u8, number: u64) -> Uai {
    let number = match (academy, number) {
        (20, 0..2_000) => 808_000 + number,
        (20, _) => 9_900_000 + number - 2_000,
        _ => 9_900_000 + number,
    };
    Uai::from_number(u32::try_from(number).unwrap_or(u32::MAX))
}

/// Shares `total` out in proportion to weights, exactly.
fn shares(total: u64, weights: &[u64]) -> Vec<u64> {
    let all: u128 = weights.iter().map(|weight| u128::from(*weight)).sum();
    let mut before = 0u128;
    let mut given = 0;
    let mut out = Vec::with_capacity(weights.len());
    for weight in weights {
        before += u128::from(*weight);
        let upto = (u128::from(total) * before).checked_div(all).unwrap_or(0);
        let upto = u64::try_from(upto).unwrap_or(total);
        out.push(upto - given);
        given = upto;
    }
    out
}

/// The levels of class `number` of an école of `classes` classes: several in a small école, one where there are enough.
/// Where they do not divide evenly, the fuller classes are the first or the last ones.
fn levels_of(levels: &'static [Level], number: u64, classes: u64, fuller_first: bool) -> &'static [Level] {
    let count = levels.len() as u64;
    let bound = |at: u64| {
        if fuller_first {
            (at * count).div_ceil(classes)
        } else {
            at * count / classes
        }
    };
    let (from, to) = if classes < count {
        (bound(number), bound(number + 1))
    } else {
        let only = number * count / classes;
        (only, only + 1)
    };
    levels.get(from as usize..to as usize).unwrap_or(levels)
}

impl Plan {
    pub(super) fn new(spec: &SampleSpec, pools: &Pools) -> Result<Self, SampleError> {
        check(spec)?;
        let chance = Chance::new(spec.seed);
        let year = spec.year.first();
        let ecoles = ecoles(spec, chance, pools);
        let colleges = colleges(spec, chance, pools, &ecoles)?;
        Ok(Self {
            ecoles,
            colleges,
            chance,
            year,
        })
    }

    /// The pupils of a class, in order.
    pub(super) fn pupils<'a>(&'a self, class: &'a Class) -> impl Iterator<Item = Seat> + 'a {
        (0..class.size).map(move |at| class.seat(at, self.chance, self.year))
    }

    /// The pupils of a collège in the year after: those of its écoles first.
    pub(super) fn collegians<'a>(&'a self, college: &'a College) -> impl Iterator<Item = Collegian> + 'a {
        let from_ecoles = self.cm2(college.sector);
        let [sixth, ..] = college.levels;
        let known = from_ecoles.clone().count() as u64;
        let newcomers = (known..sixth).map(|at| (Level::Sixth, at));
        let [_, fifth, fourth, third] = college.levels;
        let others = [
            (Level::Fifth, fifth),
            (Level::Fourth, fourth),
            (Level::Third, third),
        ]
        .into_iter()
        .flat_map(|(level, count)| (0..count).map(move |at| (level, at)));
        let strangers =
            newcomers
                .chain(others)
                .zip(college.first_other..)
                .map(move |((level, at), number)| {
                    let seat = Seat {
                        number,
                        level,
                        year: self.year + 1,
                        twin: Twin::No,
                    };
                    (seat, level, at)
                });
        from_ecoles
            .zip(0..)
            .map(|(seat, at)| (seat, Level::Sixth, at))
            .chain(strangers)
            .map(|(seat, level, at)| Collegian {
                seat,
                level,
                division: at % college.divisions(level),
            })
    }

    fn cm2(&self, sector: (usize, usize)) -> impl Iterator<Item = Seat> + Clone + '_ {
        let (from, to) = sector;
        self.ecoles
            .get(from..to)
            .unwrap_or_default()
            .iter()
            .flat_map(|ecole| &ecole.classes)
            .filter(|class| class.levels.contains(&Level::Cm2))
            .flat_map(move |class| (0..class.size).map(move |at| class.seat(at, self.chance, self.year)))
            .filter(|seat| seat.level == Level::Cm2)
    }
}

impl Class {
    fn level(&self, at: u64) -> Level {
        let within = at * self.levels.len() as u64 / self.size.max(1);
        self.levels.get(within as usize).copied().unwrap_or(Level::Cm2)
    }

    fn seat(&self, at: u64, chance: Chance, year: i32) -> Seat {
        let number = self.first + at;
        let level = self.level(at);
        // Twins sit side by side: an even place and the one behind it, in one level.
        let even = at - at % 2;
        let paired = even + 1 < self.size
            && self.level(even) == self.level(even + 1)
            && chance.draw("twins", self.first + even).once_in(36);
        let twin = match (paired, at == even) {
            (false, _) => Twin::No,
            (true, true) => Twin::First,
            (true, false) => Twin::Second,
        };
        Seat {
            number,
            level,
            year,
            twin,
        }
    }

    fn cm2(&self) -> u64 {
        (0..self.size).filter(|at| self.level(*at) == Level::Cm2).count() as u64
    }
}

impl College {
    /// How many divisions a level has.
    pub(super) fn divisions(&self, level: Level) -> u64 {
        let mut levels = Level::COLLEGE.into_iter().zip(self.levels);
        let pupils = levels
            .find(|(known, _)| *known == level)
            .map_or(0, |(_, pupils)| pupils);
        pupils.div_ceil(DIVISION).max(1)
    }

    /// What a division is called: `6EME B`, and numbers once there are no letters left.
    pub(super) fn division_label(level: Level, division: u64) -> String {
        match u8::try_from(division) {
            Ok(letter @ 0..26) => format!("{} {}", level.as_str(), char::from(b'A' + letter)),
            _ => format!("{} {}", level.as_str(), division + 1),
        }
    }
}

fn check(spec: &SampleSpec) -> Result<(), SampleError> {
    let refuse = |why: &str| Err(SampleError::Spec(why.to_owned()));
    if spec.ecoles == 0 || spec.colleges == 0 {
        return refuse("il faut au moins une école et un collège");
    }
    if spec.classes < spec.ecoles || spec.pupils < spec.classes {
        return refuse("il faut au moins une classe par école et un élève par classe");
    }
    if spec.ecoles.saturating_add(spec.colleges) > MOST_SCHOOLS {
        return refuse("plus de 100 000 établissements");
    }
    if spec.pupils.saturating_add(spec.secondary_pupils) > 1_000_000_000 {
        return refuse("plus d'un milliard d'élèves : les INE ne seraient plus uniques");
    }
    if !(1..100).contains(&spec.academy) {
        return refuse("code d'académie hors de 01 à 99");
    }
    Ok(())
}

fn ecoles(spec: &SampleSpec, chance: Chance, pools: &Pools) -> Vec<Ecole> {
    let weigh = |matter: &str, count: u64, least: u64, span: u64| -> Vec<u64> {
        (0..count)
            .map(|at| least + chance.draw(matter, at).below(span))
            .collect()
    };
    let extra_classes = shares(
        spec.classes - spec.ecoles,
        &weigh("size of école", spec.ecoles, 1, 30),
    );
    let extra_pupils = shares(
        spec.pupils - spec.classes,
        &weigh("size of class", spec.classes, 70, 60),
    );
    let mut sizes = extra_pupils.into_iter().map(|extra| extra + 1);
    let (mut first, mut class_number) = (0, 0);
    let mut out = Vec::with_capacity(extra_classes.len());
    for (number, extra) in (0..).zip(extra_classes) {
        let count = extra + 1;
        let mut draw = chance.draw("école", number);
        let (kind, levels) = kind(number, count, &mut draw);
        let fuller_first = number == 0 || draw.once_in(2);
        let teachers = draw.below(10_000);
        let mut classes = Vec::with_capacity(count as usize);
        for (at, size) in (0..count).zip(sizes.by_ref()) {
            let levels = levels_of(levels, at, count, fuller_first);
            classes.push(Class {
                id: 100_000 + class_number,
                label: class_label(levels, pools.teacher(teachers, at), &mut draw),
                levels,
                first,
                size,
            });
            first += size;
            class_number += 1;
        }
        out.push(Ecole {
            uai: code(spec.academy, number),
            name: format!("{kind} {}", pools.eponym(&mut draw)),
            commune: pools.commune(&mut draw),
            dress: match number % 10 {
                9 => Dress::GenerationA,
                even if even % 2 == 0 => Dress::Windows1252,
                _ => Dress::MarkedUtf8,
            },
            classes,
        });
    }
    out
}

fn kind(number: u64, classes: u64, draw: &mut Draw) -> (&'static str, &'static [Level]) {
    match (number, classes, draw.below(20)) {
        // The école of the demonstration: a class of CE1 and CE2, and one of CM2.
        (0, 2, _) => ("École élémentaire", Level::SHARED),
        (_, _, 0 | 1) => ("École maternelle", Level::NURSERY),
        (_, _, 2..9) => ("École élémentaire", Level::ELEMENTARY),
        _ => ("École primaire", Level::PRIMARY),
    }
}

fn class_label(levels: &[Level], teacher: &str, draw: &mut Draw) -> String {
    let names: Vec<&str> = levels.iter().map(|level| level.as_str()).collect();
    let title = if draw.once_in(5) { "M." } else { "Mme" };
    format!("{} {title} {teacher}", names.join("-"))
}

fn colleges(
    spec: &SampleSpec,
    chance: Chance,
    pools: &Pools,
    ecoles: &[Ecole],
) -> Result<Vec<College>, SampleError> {
    let sector = |at: u64| (at * spec.ecoles).div_ceil(spec.colleges) as usize;
    let cm2_of = |(from, to): (usize, usize)| -> u64 {
        let ecoles = ecoles.get(from..to).unwrap_or_default();
        ecoles
            .iter()
            .flat_map(|ecole| &ecole.classes)
            .map(Class::cm2)
            .sum()
    };
    let cm2 = cm2_of((0, ecoles.len()));
    let Some(strangers) = spec.secondary_pupils.checked_sub(cm2) else {
        return Err(SampleError::Spec(format!(
            "{} élèves de collège ne suffisent pas aux {cm2} élèves de CM2",
            spec.secondary_pupils
        )));
    };
    let weights: Vec<u64> = (0..spec.colleges)
        .map(|at| 70 + chance.draw("size of collège", at).below(60))
        .collect();
    let mut first_other = spec.pupils;
    let mut out = Vec::with_capacity(weights.len());
    for (number, strangers) in (0..).zip(shares(strangers, &weights)) {
        let sector = (sector(number), sector(number + 1));
        let known = cm2_of(sector);
        let sixth = known.max((known + strangers) / 4);
        let above = known + strangers - sixth;
        let [fifth, fourth] = [above.div_ceil(3), (above - above.div_ceil(3)).div_ceil(2)];
        let mut draw = chance.draw("collège", number);
        out.push(College {
            uai: code(spec.academy, spec.ecoles + number),
            structure: 20_001 + number,
            name: format!("Collège {}", pools.eponym(&mut draw)),
            commune: pools.commune(&mut draw),
            sector,
            levels: [sixth, fifth, fourth, above - fifth - fourth],
            first_other,
        });
        first_other += strangers;
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_exact() {
        assert_eq!(shares(10, &[1, 1, 1]), [3, 3, 4]);
        assert_eq!(shares(0, &[5, 5]), [0, 0]);
        let weights: Vec<u64> = (0..494).map(|at| 70 + at % 60).collect();
        assert_eq!(shares(9_206, &weights).iter().sum::<u64>(), 9_206);
    }

    #[test]
    fn small_ecoles_have_classes_of_several_levels() {
        assert_eq!(levels_of(Level::SHARED, 0, 2, true), [Level::Ce1, Level::Ce2]);
        assert_eq!(levels_of(Level::SHARED, 1, 2, true), [Level::Cm2]);
        assert_eq!(levels_of(Level::PRIMARY, 0, 1, false), Level::PRIMARY);
        for (classes, fuller_first) in (1..12).flat_map(|classes| [(classes, true), (classes, false)]) {
            let of = |number| levels_of(Level::PRIMARY, number, classes, fuller_first);
            let mut seen: Vec<Level> = (0..classes).flat_map(of).copied().collect();
            seen.dedup();
            assert_eq!(seen, Level::PRIMARY, "{classes} classes leave no level out");
            assert!((0..classes).all(|number| !of(number).is_empty()));
        }
    }

    #[test]
    fn codes_are_valid_and_of_the_somme() {
        assert_eq!(&code(20, 0).as_str()[..3], "080");
        for number in [0, 1_999, 2_000, 99_999] {
            assert!(code(20, number).has_valid_key());
        }
        assert!(code(14, 0).as_str().starts_with("99"));
        assert_ne!(code(20, 1_999), code(20, 2_000));
    }
}
