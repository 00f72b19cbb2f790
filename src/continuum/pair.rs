//! Two records among all that could be the same child: of one human being, perhaps, or not.
//!
//! [`decide`] looks at the comparison of the two, at the best rival of either (another record of the same kind of file and year), and at
//! whether a school knows a twin. A link needs a weight above [`SURE`], a rival at least [`MARGIN`] below, and observations that no twin, sibling
//! or homonym can make: never a given name that differs, never a number alone.

use super::birth::BirthLikeness;
use super::comparison::{Comparison, IneLikeness, Way};
use super::model::{BIT, Centibits};
use super::name::Likeness;
use crate::domain::matching::Reason;

/// From here on a link is made: odds of 32 to one against all who are born on the same day.
pub const SURE: Centibits = 5 * BIT;
/// From here on a human is asked: one in twenty-three of those born on the same day would be as likely by chance, but who has no better
/// candidate is rare.
pub const POSSIBLE: Centibits = -9 * BIT / 2;
/// What a candidate must be ahead of its rivals: odds of thirty-two to one.
pub const MARGIN: Centibits = 5 * BIT;
/// What can be a rival of a possible pair.
pub(super) const RIVAL: Centibits = POSSIBLE - MARGIN;

/// What two records are to each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Relation {
    /// One human being.
    Certain,
    /// Perhaps one human being; a human decides.
    Ambiguous(Reason),
    /// Nothing says so, or another record is the better one.
    None,
}

/// What is around a pair.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Around {
    /// The weight of the best other candidate of either record, beside the one or the other.
    pub rival: Option<Centibits>,
    /// The same, of candidates with the same given name.
    pub namesake: Option<Centibits>,
    /// Whether a school that holds one of the two knows a twin of it.
    pub twin: bool,
    /// Whether a record that is somebody else carries the number of one of the two.
    pub number_taken: bool,
}

/// The ladder.
pub fn decide(comparison: &Comparison, around: Around) -> Relation {
    let Around {
        rival,
        namesake,
        twin,
        number_taken,
    } = around;
    let weight = comparison.weight;
    if weight < POSSIBLE && !is_number_worth_a_question(comparison) {
        return Relation::None;
    }
    // One kind of file states both in one year, under two numbers: two children of one name.
    // Twins may have numbers that follow one another.
    let two_numbers = match comparison.ine {
        IneLikeness::Other => true,
        IneLikeness::Close => comparison.given != Likeness::Same,
        IneLikeness::Same | IneLikeness::Missing => false,
    };
    // A file set states a child once: two given names in it are two children, of one family often.
    let two_names =
        comparison.beside && comparison.given != Likeness::Same && comparison.ine != IneLikeness::Same;
    if comparison.same_files && (two_numbers || two_names) {
        return Relation::None;
    }
    // Between twins whose numbers were swapped the number does not say which name is right: only another of the name outdoes one.
    let better = if twin && comparison.given == Likeness::Same {
        namesake
    } else {
        rival
    };
    if better.is_some_and(|better| better >= POSSIBLE && better - weight >= MARGIN) {
        return Relation::None;
    }
    let ahead = rival.is_none_or(|rival| weight - rival >= MARGIN);
    // Two numbers that are both somebody's are two children's, whatever the names say.
    let is_told = is_from_there(comparison) && !twin;
    let both_right = number_taken && comparison.ine != IneLikeness::Same && !is_told;
    if weight >= SURE && ahead && !both_right && is_sure(comparison, twin) {
        return Relation::Certain;
    }
    Relation::Ambiguous(reason(comparison, twin, ahead))
}

/// Whether one number on two records is a question although the rest speaks against: something of the rest agrees, two things where the
/// two stand in files of one kind and year. Where nothing does, the number is wrong, and no human could say more of the two.
pub(super) fn is_number_worth_a_question(comparison: &Comparison) -> bool {
    if comparison.ine != IneLikeness::Same {
        return false;
    }
    let agreeing = u8::from(comparison.birth != BirthLikeness::Other)
        + u8::from(comparison.given != Likeness::Other)
        + u8::from(comparison.family != Likeness::Other);
    agreeing > u8::from(comparison.same_files)
}

/// Whether the observations are such as only the same child makes.
fn is_sure(comparison: &Comparison, twin: bool) -> bool {
    use IneLikeness::{Close, Missing, Other, Same};
    let given = comparison.given;
    let family = comparison.family;
    let birth = comparison.birth;
    if comparison.same_files {
        // Two schools state them at once: a transfer, or two children of one name; with one number, a transfer or twins.
        return comparison.ine == Same
            && given == Likeness::Same
            && family <= Likeness::Part
            && birth == BirthLikeness::Same
            && !twin;
    }
    if comparison.way == Way::Elsewhere && comparison.ine != Same {
        // A child from elsewhere has the names and the birthday of one who left: rare names do not make two schools one.
        return false;
    }
    if twin {
        // Feeds swap twins' numbers, and their names look alike: the given name must be the same letter for letter, and what is wrong
        // in the rest must be a typing error. A number that is the twin's was seen before (`number_taken`).
        return given == Likeness::Same
            && family <= Likeness::Close
            && match comparison.ine {
                Same => birth <= BirthLikeness::Close,
                Missing | Close => birth == BirthLikeness::Same,
                Other => false,
            };
    }
    // The school of the year before is the other's: one wrong letter more, wherever it is, does not make another child of this one.
    let stated = comparison.way == Way::Stated && comparison.sex != Some(false);
    match comparison.ine {
        Same if stated && family <= Likeness::Close && birth <= BirthLikeness::Close => {
            given <= Likeness::Close || (family == Likeness::Same && birth == BirthLikeness::Same)
        }
        Same => match birth {
            BirthLikeness::Same => {
                given <= Likeness::Close && (family <= Likeness::Close || given == Likeness::Same)
            }
            BirthLikeness::Swapped | BirthLikeness::Close => {
                given <= Likeness::Part && family <= Likeness::Close
            }
            // Corrected altogether, and all names are the same.
            BirthLikeness::Other => given == Likeness::Same && family <= Likeness::Part,
        },
        Missing | Close => {
            // A misspelt given name and nothing but names: a little more is asked of the rest.
            let misspelt = given == Likeness::Close
                && (family == Likeness::Same || stated)
                && birth == BirthLikeness::Same
                && comparison.weight >= SURE + BIT;
            // A child has another name than the year before, and the same parents, or comes from the same school.
            let is_vouched_for = comparison.guardians == Some(true) || comparison.way == Way::Stated;
            let renamed = is_vouched_for && given == Likeness::Same && birth == BirthLikeness::Same;
            // Another birth date altogether (many are 1 January until a paper comes), and the school of the year before is that of
            // the other record.
            let redated =
                comparison.way == Way::Stated && given == Likeness::Same && family == Likeness::Same;
            (given <= Likeness::Part || misspelt)
                && (family <= Likeness::Close || renamed)
                && (birth <= BirthLikeness::Close || redated)
        }
        // Two numbers are two children's, unless a school or a parent says that this one came from there.
        Other => {
            let came =
                matches!(comparison.way, Way::Stated | Way::Usual) || comparison.guardians == Some(true);
            given == Likeness::Same && family <= Likeness::Part && birth == BirthLikeness::Same && came
        }
    }
}

/// Whether names and birth date are the same to the letter, and the school of the year before is the other's.
fn is_from_there(comparison: &Comparison) -> bool {
    comparison.way == Way::Stated
        && comparison.given == Likeness::Same
        && comparison.family == Likeness::Same
        && comparison.birth == BirthLikeness::Same
}

fn reason(comparison: &Comparison, twin: bool, ahead: bool) -> Reason {
    if twin {
        return Reason::Twin;
    }
    if !ahead {
        return Reason::SeveralCandidates;
    }
    match comparison.ine {
        IneLikeness::Same => Reason::IneContradicted,
        IneLikeness::Other | IneLikeness::Close => Reason::IneDiffers,
        IneLikeness::Missing => Reason::NamesWithoutIne,
    }
}
