//! Pairs of records that could be one child, or stand in the way of such a pair, found by either of the two.
//!
//! Each pair is kept once, and is a link of two chains, that of the one record and that of the other: a cohort of a country has some
//! ten million. Must never say what a pair is: [`super::pair`] does.

use super::comparison::{Comparison, IneLikeness};
use super::facts::Facts;
use super::model::Model;
use super::pair::{POSSIBLE, RIVAL};
use super::pool::Place;

/// The end of a chain.
const END: u32 = u32::MAX;

/// Two records and what they are to each other.
#[derive(Clone, Copy, Debug)]
pub(super) struct Edge {
    /// The two.
    pub(super) ends: [Place; 2],
    /// How the chain of either goes on.
    next: [u32; 2],
    /// The comparison.
    pub(super) comparison: Comparison,
}

impl Edge {
    /// Whether the two could be one child.
    pub(super) fn is_possible(&self) -> bool {
        is_possible(&self.comparison)
    }
}

/// Whether two records could be one child.
pub(super) fn is_possible(comparison: &Comparison) -> bool {
    comparison.weight >= POSSIBLE || comparison.ine == IneLikeness::Same
}

/// What is kept of two records: what can be a pair, a rival, or carries the same number.
pub(super) fn kept(one: &Facts, other: &Facts, model: &Model) -> Option<Comparison> {
    let comparison = Comparison::of(one, other, model);
    let kept = comparison.weight >= RIVAL || comparison.ine == IneLikeness::Same;
    kept.then_some(comparison)
}

/// The candidates of records.
#[derive(Debug, Default)]
pub(super) struct Edges {
    found: Vec<Edge>,
    /// Where the chain of each record begins.
    first: Vec<u32>,
    /// Whether all candidates of a record are there.
    complete: Vec<bool>,
}

impl Edges {
    /// Makes room for so many records.
    pub(super) fn grow(&mut self, records: usize) {
        self.first.resize(records, END);
        self.complete.resize(records, false);
    }

    /// Takes a pair.
    pub(super) fn push(&mut self, ends: [Place; 2], comparison: Comparison) {
        let at = u32::try_from(self.found.len()).unwrap_or(END);
        let next = ends.map(|end| {
            let first = self.first.get_mut(end.index());
            first.map_or(END, |first| std::mem::replace(first, at))
        });
        self.found.push(Edge {
            ends,
            next,
            comparison,
        });
    }

    /// Says that all candidates of a record are there.
    pub(super) fn complete(&mut self, place: Place) {
        if let Some(complete) = self.complete.get_mut(place.index()) {
            *complete = true;
        }
    }

    /// Whether all candidates of a record are there.
    pub(super) fn is_complete(&self, place: Place) -> bool {
        self.complete.get(place.index()).copied().unwrap_or(false)
    }

    /// All pairs.
    pub(super) fn all(&self) -> &[Edge] {
        &self.found
    }

    /// The candidates of a record.
    pub(super) fn of(&self, place: Place) -> impl Iterator<Item = (Place, &Comparison)> {
        let edge = |at: u32| self.found.get(at as usize);
        let first = self.first.get(place.index()).and_then(|at| edge(*at));
        let next = move |found: &&Edge| {
            let [one, _] = found.ends;
            let [after_one, after_other] = found.next;
            edge(if one == place { after_one } else { after_other })
        };
        std::iter::successors(first, next).map(move |found| {
            let [one, other] = found.ends;
            (if one == place { other } else { one }, &found.comparison)
        })
    }
}
