//! Records in memory, found by id and by the blocks and numbers they share.
//!
//! A record never leaves and never changes. An index entry is a link in a chain, so that a cohort of a country fits in memory.

use std::collections::HashMap;

use super::facts::{Facts, Record};
use super::name::mix;
use crate::base::id::SourceRecordId;

/// Where a chain goes on.
#[derive(Clone, Copy, Debug)]
struct Link {
    record: u32,
    next: Option<u32>,
}

/// Records.
#[derive(Clone, Debug, Default)]
pub(super) struct Pool {
    records: Vec<Record>,
    places: HashMap<SourceRecordId, u32>,
    chains: HashMap<u64, u32>,
    links: Vec<Link>,
}

/// The numbers under which a record is found: its blocks, and its INE.
fn handles(facts: &Facts) -> impl Iterator<Item = u64> {
    let ine = facts.ine.map(|ine| {
        let mut start = [0; 8];
        start.copy_from_slice(ine.whole.split_at(8).0);
        mix(u64::from_le_bytes(start))
    });
    facts.blocks().all().chain(ine).collect::<Vec<u64>>().into_iter()
}

impl Pool {
    /// Takes a record; one whose id is known stays as it was.
    pub(super) fn insert(&mut self, record: Record) {
        if self.places.contains_key(&record.id) {
            return;
        }
        let place = u32::try_from(self.records.len()).unwrap_or(u32::MAX);
        for handle in handles(&record.facts) {
            let link = u32::try_from(self.links.len()).unwrap_or(u32::MAX);
            let next = self.chains.insert(handle, link);
            self.links.push(Link { record: place, next });
        }
        self.places.insert(record.id, place);
        self.records.push(record);
    }

    /// A record.
    pub(super) fn get(&self, id: &SourceRecordId) -> Option<&Record> {
        self.records.get(*self.places.get(id)? as usize)
    }

    /// Whether a record is there.
    pub(super) fn holds(&self, id: &SourceRecordId) -> bool {
        self.places.contains_key(id)
    }

    /// All records, in the order they came.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Record> {
        self.records.iter()
    }

    /// The records that share a block or a number with these facts, each once, in no order that means anything.
    pub(super) fn around(&self, facts: &Facts) -> Vec<&Record> {
        self.found(handles(facts))
    }

    /// Of these, those of its birth date that have a family name in common, or the sound of one: far fewer, since names alone
    /// bring together whole years.
    pub(super) fn household(&self, facts: &Facts) -> Vec<&Record> {
        let blocks = facts.blocks();
        self.found(
            [Some(blocks.family), blocks.usage, Some(blocks.sound)]
                .into_iter()
                .flatten(),
        )
    }

    fn found(&self, handles: impl Iterator<Item = u64>) -> Vec<&Record> {
        let mut places = Vec::new();
        for handle in handles {
            let mut at = self.chains.get(&handle).copied();
            while let Some(link) = at.and_then(|at| self.links.get(at as usize)) {
                places.push(link.record);
                at = link.next;
            }
        }
        places.sort_unstable();
        places.dedup();
        places
            .into_iter()
            .filter_map(|place| self.records.get(place as usize))
            .collect()
    }
}
