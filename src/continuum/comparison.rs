//! Two records held side by side: in what they agree, and what that weighs.
//!
//! [`Comparison::of`] is symmetric. Its weight is the logarithm of the odds that the two are one child, against those who are born on the same
//! day: `log2(m/u)` of each observation summed up (Fellegi and Sunter 1969), agreement on a name counting as much as the name is rare.

use chrono::Datelike;

use super::birth::{self, BirthLikeness};
use super::facts::Facts;
use super::model::{BIT, Centibits, Model, weight};
use super::name::{Likeness, Name};

/// What two INE are to each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IneLikeness {
    /// The same.
    Same,
    /// A typing error apart.
    Close,
    /// Two numbers.
    Other,
    /// At least one is not stated.
    Missing,
}

/// What two schools are to each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// The school stated for the year before is that of the other record.
    Stated,
    /// It is another one.
    Denied,
    /// Pupils of the one are known to be in the other, then or the year after, more than chance would have it.
    Usual,
    /// They are known to go elsewhere.
    Unusual,
    /// Nothing is known.
    Unknown,
}

/// Two records side by side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Comparison {
    /// INE.
    pub ine: IneLikeness,
    /// Birth date.
    pub birth: BirthLikeness,
    /// Family name; a usage name that is the other's family name is a part.
    pub family: Likeness,
    /// First given name; one that is another given name of the other record is a part.
    pub given: Likeness,
    /// Sex, where both state it.
    pub sex: Option<bool>,
    /// Another given name in common, where both state some.
    pub others: Option<bool>,
    /// Schools.
    pub way: Way,
    /// Whether the levels are as many apart as the years, where both are known.
    pub level: Option<u8>,
    /// Whether both stand in files of one kind and year.
    pub same_files: bool,
    /// How rare the names are that agree.
    pub rare: Centibits,
    /// The weight of all.
    pub weight: Centibits,
}

/// An INE that two children share by a mistake of a register, twins aside: one in a million.
const SHARED_INE: f64 = 1e-6;
/// Two children whose different numbers share two pieces of three: those of one year begin alike.
const CLOSE_INE: f64 = 2e-4;
/// One child in this many stands in two files of one kind at once: a transfer that one side has not noted.
const TWO_FILES: f64 = 0.015;
/// One in this many has two records in one file set.
const TWICE: f64 = 0.002;
/// How many names are a typing error away from a name.
const NEIGHBOURS: f64 = 4e-4;
/// The same for given names, which are shorter and more alike.
const GIVEN_NEIGHBOURS: f64 = 3e-3;
/// How many days are a typing error away from a day.
const NEAR_DAYS: f64 = 20.0;

impl Comparison {
    /// Compares.
    pub fn of(one: &Facts, two: &Facts, model: &Model) -> Self {
        let ine = ine(one, two);
        let birth = birth::likeness(one.birth_date, two.birth_date);
        let (family, given) = (families(one, two), givens(one, two));
        // Names that changed places agree in part, if both did.
        let crossed = family == Likeness::Other && given == Likeness::Other && is_crossed(one, two);
        let (family, given) = if crossed {
            (Likeness::Part, Likeness::Part)
        } else {
            (family, given)
        };
        let sex = one.sex.zip(two.sex).map(|(one, two)| one == two);
        let others = others(one, two);
        let (way, way_weight) = way(one, two, model);
        let level = level(one, two);
        let rates = model.rates();

        let (family_weight, family_rare) = name_weight(
            (family, rates.family),
            shared(one.families(), two.families(), |name| model.family(name)),
            NEIGHBOURS,
        );
        let (given_weight, given_rare) = name_weight(
            (given, rates.given),
            shared(std::iter::once(&one.given), std::iter::once(&two.given), |name| {
                model.given(name)
            }),
            GIVEN_NEIGHBOURS,
        );
        let mut sum = births(birth, rates.birth) - day(one, two, model);
        sum += match ine {
            IneLikeness::Same => weight(at(&rates.ine, 0), SHARED_INE),
            IneLikeness::Close => weight(at(&rates.ine, 1), CLOSE_INE),
            IneLikeness::Other => weight(at(&rates.ine, 2), 1.0),
            IneLikeness::Missing => 0,
        };
        sum += family_weight + given_weight;
        sum += match sex {
            // A given name says the sex already.
            Some(true) if given == Likeness::Same => 0,
            Some(true) => weight(at(&rates.sex, 0), 0.5),
            Some(false) if given == Likeness::Same => weight(at(&rates.sex, 1), 0.05),
            Some(false) => weight(at(&rates.sex, 1), 0.5),
            None => 0,
        };
        sum += match others {
            Some(true) => weight(at(&rates.others, 0), 0.05),
            Some(false) => weight(at(&rates.others, 1), 0.95),
            None => 0,
        };
        sum += way_weight;
        sum += match level {
            Some(0) | None => 0,
            Some(1) => -BIT / 2,
            Some(_) => -4 * BIT,
        };
        sum += if one.is_beside(two) {
            weight(TWICE, 1.0)
        } else if one.is_of_year(two) {
            weight(TWO_FILES, 1.0)
        } else {
            0
        };
        Self {
            ine,
            birth,
            family,
            given,
            sex,
            others,
            way,
            level,
            same_files: one.is_of_year(two),
            rare: family_rare + given_rare,
            weight: sum,
        }
    }
}

fn at<const N: usize>(rates: &[f64; N], index: usize) -> f64 {
    rates.get(index).copied().unwrap_or(1.0)
}

fn ine(one: &Facts, two: &Facts) -> IneLikeness {
    match (&one.ine, &two.ine) {
        (Some(one), Some(two)) if one.whole == two.whole => IneLikeness::Same,
        (Some(one), Some(two)) if one.is_close_to(two) => IneLikeness::Close,
        (Some(_), Some(_)) => IneLikeness::Other,
        _ => IneLikeness::Missing,
    }
}

/// The best agreement of any family or usage name of one with any of the other.
fn families(one: &Facts, two: &Facts) -> Likeness {
    if one.family.key() == two.family.key() {
        return Likeness::Same;
    }
    let crossed = one
        .families()
        .flat_map(|mine| two.families().map(move |theirs| mine.likeness(theirs)))
        .min()
        .unwrap_or(Likeness::Other);
    crossed.max(Likeness::Part)
}

/// The first given name, or a first given name that the other record has further back.
fn givens(one: &Facts, two: &Facts) -> Likeness {
    let first = one.given.likeness(&two.given);
    if first <= Likeness::Part {
        return first;
    }
    let further = |name: &Name, others: &[Name]| others.iter().any(|other| other.key() == name.key());
    if further(&one.given, &two.others) || further(&two.given, &one.others) {
        return Likeness::Part;
    }
    first
}

fn is_crossed(one: &Facts, two: &Facts) -> bool {
    one.family.key() == two.given.key() && one.given.key() == two.family.key()
}

fn others(one: &Facts, two: &Facts) -> Option<bool> {
    if one.others.is_empty() || two.others.is_empty() {
        return None;
    }
    let shared = one
        .others
        .iter()
        .any(|mine| two.others.iter().any(|theirs| mine.key() == theirs.key()));
    Some(shared)
}

/// How rare the name is that two sides share; where they share none, the most frequent of all.
fn shared<'n>(
    one: impl Iterator<Item = &'n Name> + Clone,
    two: impl Iterator<Item = &'n Name> + Clone,
    rarity: impl Fn(&Name) -> Centibits,
) -> Centibits {
    let both = one
        .clone()
        .filter(|mine| two.clone().any(|theirs| mine.key() == theirs.key()));
    let most_rare = both.map(&rarity).max();
    most_rare.unwrap_or_else(|| one.chain(two).map(&rarity).min().unwrap_or(0))
}

/// The weight of a name, and how rare it is where it agrees.
fn name_weight(
    (likeness, rates): (Likeness, [f64; 4]),
    rarity: Centibits,
    neighbours: f64,
) -> (Centibits, Centibits) {
    match likeness {
        Likeness::Same => (Model::seen(at(&rates, 0)) + rarity, rarity),
        // A name shares a part with a few times as many as bear it.
        Likeness::Part => (Model::seen(at(&rates, 1)) + rarity - 2 * BIT, rarity / 2),
        // Two frequent names that happen to be alike are two names.
        Likeness::Close => {
            let by_chance = Model::seen(neighbours).max(3 * BIT - rarity);
            (Model::seen(at(&rates, 2)) - by_chance, 0)
        }
        Likeness::Other => (Model::seen(at(&rates, 3)), 0),
    }
}

fn births(likeness: BirthLikeness, rates: [f64; 4]) -> Centibits {
    match likeness {
        BirthLikeness::Same => Model::seen(at(&rates, 0)),
        BirthLikeness::Swapped => Model::seen(at(&rates, 1)),
        BirthLikeness::Close => weight(at(&rates, 2), NEAR_DAYS),
        BirthLikeness::Other => weight(at(&rates, 3), 365.0 * 3.0),
    }
}

/// How many others there are to be mistaken for: those born on one day.
fn day(one: &Facts, two: &Facts, model: &Model) -> Centibits {
    model
        .born_on_a_day(one.birth_date.year())
        .max(model.born_on_a_day(two.birth_date.year()))
}

fn level(one: &Facts, two: &Facts) -> Option<u8> {
    let (first, second) = (i32::from(one.grade?), i32::from(two.grade?));
    let years = two.year.first() - one.year.first();
    u8::try_from((second - first - years).unsigned_abs().min(200)).ok()
}

/// Schools of one year and the same or the next.
fn way(one: &Facts, two: &Facts, model: &Model) -> (Way, Centibits) {
    let (earlier, later) = if (one.year, &one.school) <= (two.year, &two.school) {
        (one, two)
    } else {
        (two, one)
    };
    let gap = later.year.first() - earlier.year.first();
    let rates = model.rates();
    if gap == 1
        && let Some(previous) = &later.previous_school
    {
        return if *previous == earlier.school {
            // One of the schools that children of this birth date are in: about one in two hundred.
            (Way::Stated, weight(at(&rates.previous, 0), 0.005))
        } else {
            (Way::Denied, weight(at(&rates.previous, 1), 1.0))
        };
    }
    let Some(weight) = u8::try_from(gap)
        .ok()
        .and_then(|gap| model.way(&earlier.school, &later.school, gap))
    else {
        return (Way::Unknown, 0);
    };
    (if weight > 0 { Way::Usual } else { Way::Unusual }, weight)
}
