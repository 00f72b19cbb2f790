//! Two records held side by side: in what they agree, and what that weighs.
//!
//! [`Comparison::of`] is symmetric. Its weight is the logarithm of the odds that the two are one child, against those who are born on the same
//! day: `log2(m/u)` of each observation summed up (Fellegi and Sunter 1969), agreement on a name counting as much as the name is rare.

use chrono::Datelike;

use super::birth::{self, BirthLikeness};
use super::facts::Facts;
use super::model::{BIT, Centibits, Model, Rates, weight};
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
    /// It states a school that no feed knows.
    Elsewhere,
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
    /// Whether somebody answers for both, where both records say who does.
    pub guardians: Option<bool>,
    /// Whether both stand in files of one kind and year.
    pub same_files: bool,
    /// Whether both stand in one file set, which states a child once.
    pub beside: bool,
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
/// Of two records of one child that both name who answers for it, so many name one adult alike; the rest write them otherwise,
/// or another parent.
const SAME_GUARDIAN: f64 = 0.93;
/// Two children, no brothers or sisters, whose parents have one name.
const NAMESAKES: f64 = 1e-3;
/// Of children with one first given name and somebody who answers for both, born on days that no typing error explains, so many are
/// two: Mohamed Amine and Mohamed Yassine are brothers.
const SIBLINGS: f64 = 0.5;
/// What is left of the odds where the school of the year before is told to be the one of this year.
const OWN_SCHOOL: f64 = 0.35;
/// Of the wrong schools of the year before, so many are in no feed: who errs writes a neighbour's.
const UNHEARD: f64 = 0.1;
/// What it is worth at least that the school of the year before is the other's: where few schools are loaded, the others are there all
/// the same, some two hundred of them.
const FEWEST_SCHOOLS: Centibits = 764;
/// And at most: who errs writes a neighbour's.
const MOST_SCHOOLS: Centibits = 12 * BIT;
/// How many days are a typing error away from a day.
const NEAR_DAYS: f64 = 20.0;

/// What each observation weighs under some rates, where that does not depend on the names: worked out once.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Weights {
    birth: [Centibits; 4],
    family: NameWeights,
    given: NameWeights,
    ine: [Centibits; 3],
    sex: [Centibits; 2],
    /// Where a given name that is the same says the sex already.
    other_sex_same_name: Centibits,
    others: [Centibits; 2],
    stated: Centibits,
    denied: Centibits,
    own_school: Centibits,
    elsewhere: Centibits,
    guardian_shared: Centibits,
    guardian_of_siblings: Centibits,
    guardian_other: Centibits,
    beside: Centibits,
    of_year: Centibits,
}

/// What the degrees of agreement on a name weigh, and how many names are alike by chance.
#[derive(Clone, Debug, PartialEq)]
struct NameWeights {
    seen: [Centibits; 4],
    neighbours: Centibits,
}

impl NameWeights {
    fn of(rates: [f64; 4], neighbours: f64) -> Self {
        Self {
            seen: rates.map(|rate| weight(rate, 1.0)),
            neighbours: weight(neighbours, 1.0),
        }
    }
}

impl Weights {
    /// Under these rates.
    pub(super) fn of(rates: &Rates) -> Self {
        let [same_day, swapped, close_day, other_day] = rates.birth;
        let [same_ine, close_ine, other_ine] = rates.ine;
        let [same_sex, other_sex] = rates.sex;
        let [shared, unshared] = rates.others;
        let [stated, denied] = rates.previous;
        Self {
            birth: [
                weight(same_day, 1.0),
                weight(swapped, 1.0),
                weight(close_day, NEAR_DAYS),
                weight(other_day, 365.0 * 3.0),
            ],
            family: NameWeights::of(rates.family, NEIGHBOURS),
            given: NameWeights::of(rates.given, GIVEN_NEIGHBOURS),
            ine: [
                weight(same_ine, SHARED_INE),
                weight(close_ine, CLOSE_INE),
                weight(other_ine, 1.0),
            ],
            sex: [weight(same_sex, 0.5), weight(other_sex, 0.5)],
            other_sex_same_name: weight(other_sex, 0.05),
            others: [weight(shared, 0.05), weight(unshared, 0.95)],
            stated: weight(stated, 1.0),
            denied: weight(denied, 1.0),
            own_school: weight(OWN_SCHOOL, 1.0),
            elsewhere: weight(denied * UNHEARD, 1.0),
            guardian_shared: weight(SAME_GUARDIAN, NAMESAKES),
            guardian_of_siblings: weight(SAME_GUARDIAN, SIBLINGS),
            guardian_other: weight(1.0 - SAME_GUARDIAN, 1.0),
            beside: weight(TWICE, 1.0),
            of_year: weight(TWO_FILES, 1.0),
        }
    }
}

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
        let guardians = guardians(one, two);
        let (same_files, beside) = (one.is_of_year(two), one.is_beside(two));
        let weights = model.weights();

        let (family_weight, family_rare) = name_weight(family, &weights.family, || {
            shared(one.families(), two.families(), |name| model.family(name))
        });
        let (given_weight, given_rare) = name_weight(given, &weights.given, || {
            shared(std::iter::once(&one.given), std::iter::once(&two.given), |name| {
                model.given(name)
            })
        });
        let mut sum = births(birth, weights) - day(one, two, model);
        let [same_ine, close_ine, other_ine] = weights.ine;
        sum += match ine {
            IneLikeness::Same => same_ine,
            IneLikeness::Close => close_ine,
            IneLikeness::Other => other_ine,
            IneLikeness::Missing => 0,
        };
        sum += family_weight + given_weight + way_weight;
        let [same_sex, other_sex] = weights.sex;
        sum += match sex {
            // A given name says the sex already.
            Some(true) if given == Likeness::Same => 0,
            Some(true) => same_sex,
            Some(false) if given == Likeness::Same => weights.other_sex_same_name,
            Some(false) => other_sex,
            None => 0,
        };
        let [shared_other, unshared_other] = weights.others;
        sum += match others {
            Some(true) => shared_other,
            Some(false) => unshared_other,
            None => 0,
        };
        sum += guardians.map_or(0, |shared| guardian_weight(shared, given, birth, weights));
        sum += match level {
            Some(0) | None => 0,
            // Who repeats a year or jumps one; of others, one in twelve.
            Some(1) => -3 * BIT / 2,
            Some(_) => -4 * BIT,
        };
        sum += match same_files {
            true if beside => weights.beside,
            true => weights.of_year,
            false => 0,
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
            guardians,
            same_files,
            beside,
            rare: family_rare + given_rare,
            weight: sum,
        }
    }
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

fn guardians(one: &Facts, two: &Facts) -> Option<bool> {
    if one.guardians.is_empty() || two.guardians.is_empty() {
        return None;
    }
    Some(one.guardians.iter().any(|key| two.guardians.contains(key)))
}

/// Brothers and sisters share who answers for them: where the given names are not the same, that says nothing.
fn guardian_weight(shared: bool, given: Likeness, birth: BirthLikeness, weights: &Weights) -> Centibits {
    match (shared, given, birth) {
        (false, _, _) => weights.guardian_other,
        (true, Likeness::Close | Likeness::Other, _) => 0,
        (true, _, BirthLikeness::Other) => weights.guardian_of_siblings,
        (true, _, _) => weights.guardian_shared,
    }
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
    likeness: Likeness,
    weights: &NameWeights,
    rarity: impl FnOnce() -> Centibits,
) -> (Centibits, Centibits) {
    let [same, part, close, other] = weights.seen;
    match likeness {
        Likeness::Same => {
            let rare = rarity();
            (same + rare, rare)
        }
        // A name shares a part with a few times as many as bear it.
        Likeness::Part => {
            let rare = rarity();
            (part + rare - 2 * BIT, rare / 2)
        }
        // Two frequent names that happen to be alike are two names.
        Likeness::Close => (close - weights.neighbours.max(3 * BIT - rarity()), 0),
        Likeness::Other => (other, 0),
    }
}

fn births(likeness: BirthLikeness, weights: &Weights) -> Centibits {
    let [same, swapped, close, other] = weights.birth;
    match likeness {
        BirthLikeness::Same => same,
        BirthLikeness::Swapped => swapped,
        BirthLikeness::Close => close,
        BirthLikeness::Other => other,
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
    let weights = model.weights();
    if gap == 1
        && let Some(previous) = &later.previous_school
    {
        return if *previous == earlier.school {
            // By chance, of those born on the same day, as many as are in that school.
            let by_chance = model.school(&earlier.school).unwrap_or(FEWEST_SCHOOLS);
            let rare = by_chance.clamp(FEWEST_SCHOOLS, MOST_SCHOOLS);
            (Way::Stated, weights.stated + rare)
        } else if *previous == later.school {
            // Some write the school of this year: it denies little.
            (Way::Denied, weights.own_school)
        } else if model.knows_ways_from(&earlier.school, 1) && !model.knows_ways_from(previous, 1) {
            // A school that no feed states: the child comes from elsewhere, and so does not from here.
            (Way::Elsewhere, weights.elsewhere)
        } else {
            (Way::Denied, weights.denied)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::continuum::census::Census;
    use crate::continuum::facts::guardian_key;
    use crate::continuum::pair::{Around, Relation, decide};
    use crate::continuum::tests::facts;
    use crate::domain::source::Sex;

    fn under(facts: Facts, guardian: &str) -> Facts {
        Facts {
            guardians: [guardian_key("oyhenart", guardian)].into(),
            ..facts
        }
    }

    fn weigh(one: &Facts, two: &Facts) -> Comparison {
        Comparison::of(one, two, &Model::shipped())
    }

    #[test]
    fn who_answers_for_a_child_speaks_for_one_and_says_nothing_of_brothers_and_sisters() {
        let (lina, six) = (
            facts(0, "legoff", "lina", 17, 1),
            facts(0, "legoff", "lina", 17, 2),
        );
        let untold = weigh(&lina, &six);
        assert_eq!(untold.guardians, None);
        let one_side = weigh(&under(lina.clone(), "maddi"), &six);
        assert_eq!((one_side.weight, one_side.guardians), (untold.weight, None));
        let shared = weigh(&under(lina.clone(), "maddi"), &under(six.clone(), "maddi"));
        let other = weigh(&under(lina.clone(), "maddi"), &under(six.clone(), "paul"));
        assert_eq!((shared.guardians, other.guardians), (Some(true), Some(false)));
        assert!(shared.weight > untold.weight + 9 * BIT && other.weight < untold.weight - 3 * BIT);

        let lila = facts(0, "legoff", "lila", 17, 2);
        let twins = weigh(&under(lina.clone(), "maddi"), &under(lila.clone(), "maddi"));
        assert_eq!(
            twins.weight,
            weigh(&lina, &lila).weight,
            "twins have the same parents"
        );
        let brother = facts(0, "legoff", "lina", 28, 2);
        let brothers = weigh(&under(lina.clone(), "maddi"), &under(brother.clone(), "maddi"));
        assert!(
            brothers.weight <= weigh(&lina, &brother).weight + BIT,
            "so have brothers of one first name"
        );
    }

    #[test]
    fn a_file_that_states_two_given_names_states_two_children() {
        let around = Around::default();
        let (maya, mayra) = (
            facts(0, "oyhenart", "maya", 17, 2),
            facts(0, "oyhenart", "mayra", 17, 2),
        );
        assert_eq!(decide(&weigh(&maya, &mayra), around), Relation::None);
        let twice = weigh(&maya, &facts(0, "oyhenart", "maya", 17, 4));
        assert!(
            matches!(decide(&twice, around), Relation::Ambiguous(_)),
            "two schools of it: a transfer"
        );
    }

    #[test]
    fn a_known_twin_is_linked_by_the_given_name_and_never_by_another() {
        let twin = Around {
            twin: true,
            ..Around::default()
        };
        let lina = facts(1, "oyhenart", "lina", 17, 1);
        let decided = |ine, given: &str, day, around| {
            decide(&weigh(&lina, &facts(ine, "oyhenart", given, day, 2)), around)
        };
        assert_eq!(decided(1, "lina", 17, twin), Relation::Certain);
        assert_eq!(
            decided(1, "lina", 18, twin),
            Relation::Certain,
            "a typing error in the date"
        );
        assert!(matches!(decided(1, "lila", 17, twin), Relation::Ambiguous(_)));
        assert!(
            matches!(decided(2, "lina", 17, twin), Relation::Ambiguous(_)),
            "another number"
        );
        let swapped = Around {
            number_taken: true,
            ..twin
        };
        assert!(
            matches!(decided(2, "lina", 17, swapped), Relation::Ambiguous(_)),
            "the twin's"
        );
    }

    #[test]
    fn a_stated_school_is_worth_as_much_as_it_is_small_and_lets_one_letter_more_be_wrong() {
        let model = |others: u32| {
            let mut census = Census::default();
            for number in 0..=others {
                census.count(&facts(0, &format!("martin {number}"), "lina", 1, 2 * number + 1));
            }
            Model::new(Rates::shipped(), census.frequencies())
        };
        let here = facts(0, "oyhenart", "linnea", 17, 1);
        let from_here = |given: &str, ine| Facts {
            previous_school: Some(here.school.clone()),
            ..facts(ine, "oyhenart", given, 17, 2)
        };
        let weight = |others| way(&here, &from_here("linnea", 0), &model(others)).1;
        assert_eq!(
            weight(1),
            weight(150),
            "some two hundred are there, loaded or not"
        );
        assert_eq!(
            weight(999) - weight(150),
            1_000 - FEWEST_SCHOOLS,
            "one in a thousand is ten bits"
        );
        assert_eq!(weight(99_999), weight(9_999), "who errs writes a neighbour's");
        // The number is the same: another given name altogether is a mistake, unless a twin is known or it is no boy's.
        let numbered = Facts {
            sex: Some(Sex::Female),
            ..from_here("maylis", 1)
        };
        let at_ecole = Facts {
            ine: numbered.ine,
            ..here.clone()
        };
        let decided = |one: &Facts, two: &Facts, twin| {
            let around = Around {
                twin,
                ..Around::default()
            };
            decide(&weigh(one, two), around)
        };
        assert_eq!(decided(&at_ecole, &numbered, false), Relation::Certain);
        assert!(matches!(
            decided(&at_ecole, &numbered, true),
            Relation::Ambiguous(_)
        ));
        let boy = Facts {
            sex: Some(Sex::Male),
            ..at_ecole.clone()
        };
        assert!(matches!(decided(&boy, &numbered, false), Relation::Ambiguous(_)));
        // A number that is somebody else's on the other side says nothing against the same names from the same school.
        let taken = Around {
            number_taken: true,
            ..Around::default()
        };
        assert_eq!(
            decide(&weigh(&here, &from_here("linnea", 0)), taken),
            Relation::Certain
        );
        let untold = facts(0, "oyhenart", "linnea", 17, 2);
        assert!(matches!(
            decide(&weigh(&here, &untold), taken),
            Relation::Ambiguous(_)
        ));
    }

    #[test]
    fn a_child_who_was_renamed_is_known_by_a_parent_and_nobody_else_is() {
        let here = facts(0, "legoff", "lina", 17, 1);
        let renamed = facts(0, "martin", "lina", 17, 2);
        let decided = |one: &Facts, two: &Facts| {
            let mut comparison = weigh(one, two);
            // As for a birth date and a given name that few have.
            comparison.weight += 10 * BIT;
            decide(&comparison, Around::default())
        };
        let certain = decided(&under(here.clone(), "maddi"), &under(renamed.clone(), "maddi"));
        assert_eq!(certain, Relation::Certain);
        assert_ne!(decided(&here, &renamed), Relation::Certain);
        // So they are by the school that says they came from there, where the given name is not everybody's.
        let from_there = Facts {
            previous_school: Some(here.school.clone()),
            ..renamed.clone()
        };
        assert_eq!(decided(&here, &from_there), Relation::Certain);
        let sister = facts(0, "legoff", "lou", 17, 2);
        assert_ne!(
            decided(&under(here, "maddi"), &under(sister, "maddi")),
            Relation::Certain
        );
    }
}
