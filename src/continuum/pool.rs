//! Records in memory, found by id and by the blocks and numbers they share.
//!
//! A record never leaves and never changes. An index entry is a link in a chain, so that a cohort of a country fits in memory.

use rustc_hash::FxHashMap;

use super::facts::{Facts, Record};
use super::name::mix;
use crate::base::id::SourceRecordId;

/// Where a record is in its pool: its number in the order they came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Place(u32);

impl Place {
    /// As an index of a list that has an entry for each record.
    pub(super) fn index(self) -> usize {
        self.0 as usize
    }
}

/// Where a chain goes on: [`END`] nowhere, else at a link to a record that came before.
#[derive(Clone, Copy, Debug)]
struct Link {
    record: Place,
    next: u32,
}

/// The end of a chain.
const END: u32 = u32::MAX;

/// A chain: its last link, and how many there are.
#[derive(Clone, Copy, Debug)]
struct Chain {
    last: u32,
    length: u32,
}

/// What more records than this share says nothing of any of them: somebody typed it where nothing was known, and each two would
/// be compared. The most frequent names of a country of twelve million share a block of some thousand.
pub(super) const MOST_ALIKE: u32 = 4_096;

/// Records.
#[derive(Clone, Debug, Default)]
pub(super) struct Pool {
    records: Vec<Record>,
    places: FxHashMap<SourceRecordId, Place>,
    chains: FxHashMap<u64, Chain>,
    links: Vec<Link>,
}

/// The number under which a record is found by its INE.
fn number(facts: &Facts) -> Option<u64> {
    let ine = facts.ine?;
    Some(mix(u64::from_le_bytes(*ine.whole.first_chunk::<8>()?)))
}

impl Pool {
    /// All of these.
    pub(super) fn of(records: Vec<Record>) -> Self {
        let mut new = Self::default();
        new.places.reserve(records.len());
        new.links.reserve(records.len() * 5);
        new.records.reserve_exact(records.len());
        for record in records {
            new.insert(record);
        }
        new.links.shrink_to_fit();
        new
    }

    /// Takes a record; one whose id is known stays as it was.
    pub(super) fn insert(&mut self, record: Record) {
        if self.places.contains_key(&record.id) {
            return;
        }
        let place = Place(u32::try_from(self.records.len()).unwrap_or(END));
        for handle in record.facts.blocks().all().chain(number(&record.facts)) {
            let last = u32::try_from(self.links.len()).unwrap_or(END);
            let chain = self
                .chains
                .entry(handle)
                .or_insert(Chain { last: END, length: 0 });
            let next = std::mem::replace(&mut chain.last, last);
            chain.length += 1;
            self.links.push(Link { record: place, next });
        }
        self.places.insert(record.id, place);
        self.records.push(record);
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.records.len()
    }

    /// Where a record is.
    pub(super) fn place(&self, id: SourceRecordId) -> Option<Place> {
        self.places.get(&id).copied()
    }

    /// The record in a place.
    pub(super) fn at(&self, place: Place) -> Option<&Record> {
        self.records.get(place.index())
    }

    /// A record.
    pub(super) fn get(&self, id: &SourceRecordId) -> Option<&Record> {
        self.at(self.place(*id)?)
    }

    /// Whether a record is there.
    pub(super) fn holds(&self, id: &SourceRecordId) -> bool {
        self.places.contains_key(id)
    }

    /// All records, in the order they came.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Record> {
        self.records.iter()
    }

    /// The records that share a block or a number with these facts, each once, in the order they came. With `after`, only those that
    /// came after that one.
    pub(super) fn around(&self, facts: &Facts, after: Option<Place>) -> Vec<(Place, &Record)> {
        let handles = facts.blocks().all().chain(number(facts));
        // A chain leads from the last to the first.
        let is_later = |place: &Place| after.is_none_or(|after| *place > after);
        let mut places: Vec<Place> = handles
            .flat_map(|handle| self.chain(handle).take_while(is_later))
            .collect();
        places.sort_unstable();
        places.dedup();
        let found = places
            .into_iter()
            .filter_map(|place| Some((place, self.at(place)?)));
        found.collect()
    }

    /// The records of one birth date that have a family name in common, or the sound of one; some of them twice. Far fewer than are
    /// around, since names alone bring together whole years.
    pub(super) fn household(&self, facts: &Facts) -> impl Iterator<Item = &Record> {
        let blocks = facts.blocks();
        let handles = [Some(blocks.family), blocks.usage, Some(blocks.sound)];
        let chains = handles
            .into_iter()
            .flatten()
            .flat_map(|handle| self.chain(handle));
        chains.filter_map(|place| self.at(place))
    }

    /// The records under one number, from the last that came to the first; none where they are too many ([`MOST_ALIKE`]).
    fn chain(&self, handle: u64) -> impl Iterator<Item = Place> {
        let link = |at: u32| self.links.get(at as usize);
        let chain = self
            .chains
            .get(&handle)
            .filter(|chain| chain.length <= MOST_ALIKE);
        let first = chain.and_then(|chain| link(chain.last));
        std::iter::successors(first, move |found| link(found.next)).map(|found| found.record)
    }
}
