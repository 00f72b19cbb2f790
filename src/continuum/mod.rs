//! L2: recognition. Which source records are of one human being, which may be, and why.
//!
//! Owns what two records say of each other ([`name`], [`birth`], [`comparison`]), what that weighs ([`model`], [`census`],
//! [`frequency`]), the ladder *certain → ambiguous → none* of DESIGN §4.2 ([`pair`]), what follows from it for people and cases
//! when records arrive or change ([`neighbourhood`], [`resolve`]), when a source's record is an earlier one under a
//! corrected key ([`rekey`]), which record's facts a person shows ([`precedence`]), and
//! what is missing for the opening of a year ([`year`]). Everything here is a function of
//! the records and of what humans decided, never of the order in which feeds came. Must never see an INE (only its
//! keyed hash), print a name, read a clock or a database.

pub mod birth;
pub mod census;
pub mod comparison;
mod edge;
pub mod estimation;
pub mod evaluation;
pub mod evidence;
pub mod facts;
pub mod frequency;
pub mod model;
pub mod name;
pub mod neighbourhood;
pub mod pair;
mod pool;
pub mod precedence;
pub mod priority;
pub mod rekey;
pub mod resolve;
mod union;
pub mod year;

#[cfg(test)]
mod tests;
