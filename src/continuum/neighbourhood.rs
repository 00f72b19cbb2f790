//! Which records must be looked at when some arrive or change, and no more.
//!
//! Starts from the records that arrived or changed and grows until nothing outside can be touched by them: those they could be, or
//! be a rival of (now or before), and from there those that these could be; those of the same identity, those a case stands between, and
//! those whose twin has appeared or gone. The caller answers what is [`Wanted`] from its store until nothing is; the result is the
//! same as looking at every record there is.

use std::collections::{BTreeMap, HashSet};
use std::num::NonZero;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use rustc_hash::FxHashSet;

use super::comparison::Comparison;
use super::edge::{Edges, is_possible, kept};
use super::facts::{Facts, Record};
use super::model::Model;
use super::pool::{Place, Pool};
use crate::base::id::{IdentityId, MatchCaseId, SourceRecordId};
use crate::base::time::Date;
use crate::domain::matching::{CaseStatus, Reason};
use crate::domain::uai::Uai;

/// A record that arrived, or whose facts changed.
#[derive(Clone, Debug)]
pub struct Touched {
    /// What it says now.
    pub now: Record,
    /// What it said before, where it said something else.
    pub before: Option<Facts>,
}

/// A case that stands between two records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Case {
    /// Its id.
    pub id: MatchCaseId,
    /// The two records, the smaller first.
    pub pair: Pair,
    /// Why it was opened.
    pub reason: Reason,
    /// Where it stands.
    pub status: CaseStatus,
}

/// Two records, the smaller first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Pair(SourceRecordId, SourceRecordId);

impl Pair {
    /// The pair of two records, whichever comes first.
    pub fn new(one: SourceRecordId, two: SourceRecordId) -> Self {
        Self(one.min(two), one.max(two))
    }

    /// The smaller record.
    pub fn first(self) -> SourceRecordId {
        self.0
    }

    /// The larger record.
    pub fn second(self) -> SourceRecordId {
        self.1
    }
}

/// What the store must be asked for next.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// Every record with one of these numbers.
    pub ines: Vec<[u8; 32]>,
    /// Every record that shares one of these blocks.
    pub blocks: BlocksWanted,
    /// Every record of these identities.
    pub identities: Vec<IdentityId>,
    /// Every case one of these records is in, whatever its state.
    pub cases_of: Vec<SourceRecordId>,
    /// These records.
    pub records: Vec<SourceRecordId>,
}

/// Blocks to be asked for, by kind.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BlocksWanted {
    /// Family name and birth date; those of usage names among them, which may be the family name of the other.
    pub family: Vec<u64>,
    /// Given name and birth date.
    pub given: Vec<u64>,
    /// Both names, in any order.
    pub names: Vec<u64>,
    /// Sound of the family name and birth date.
    pub sound: Vec<u64>,
}

impl Wanted {
    /// Whether nothing is wanted any more.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// So many records are a part of some work.
const PART: usize = 8_192;
/// So many at once, so that what is found does not lie about twice.
const BATCH: usize = 32 * PART;

/// Does some work for parts of a list, on every processor where there are several; the results in the order of the list.
pub(super) fn in_parts<T: Sync, R: Send>(list: &[T], work: impl Fn(&[T]) -> Vec<R> + Sync) -> Vec<R> {
    let parts: Vec<&[T]> = list.chunks(PART).collect();
    let processors = std::thread::available_parallelism().map_or(1, NonZero::get);
    if parts.len() < 2 || processors < 2 {
        return work(list);
    }
    let next = AtomicUsize::new(0);
    let take = || {
        let mut done = Vec::new();
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            let Some(part) = parts.get(at) else { return done };
            done.push((at, work(part)));
        }
    };
    let mut done: BTreeMap<usize, Vec<R>> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..processors).map(|_| scope.spawn(take)).collect();
        let joined = threads.into_iter().filter_map(|thread| thread.join().ok());
        joined.flatten().collect()
    });
    // A thread that came to grief is made up for here.
    let all = parts.iter().enumerate();
    all.flat_map(|(at, part)| done.remove(&at).unwrap_or_else(|| work(part)))
        .collect()
}

/// The records around those that arrived or changed.
#[derive(Debug)]
pub struct Neighbourhood {
    model: Arc<Model>,
    /// Every record seen, the touched ones as they are now.
    pub(super) pool: Pool,
    /// The records whose relations are decided anew.
    pub(super) core: FxHashSet<SourceRecordId>,
    pub(super) cases: BTreeMap<Pair, Case>,
    /// The candidates of core records.
    pub(super) edges: Edges,
    touched: HashSet<SourceRecordId>,
    /// Where a twin may have appeared or gone.
    shaken: HashSet<(Date, Uai)>,
    /// What touched records said before.
    former: Vec<Facts>,
    /// Core records not asked about yet.
    fresh: Vec<SourceRecordId>,
    /// Core records whose blocks have been asked for, but not looked at yet.
    asked: Vec<SourceRecordId>,
    asked_former: Vec<Facts>,
    asked_ines: HashSet<[u8; 32]>,
    asked_blocks: [HashSet<u64>; 4],
    asked_identities: HashSet<IdentityId>,
    asked_cases: HashSet<SourceRecordId>,
    asked_records: HashSet<SourceRecordId>,
}

impl Neighbourhood {
    /// Begins with what arrived or changed.
    pub fn new(model: Arc<Model>, touched: Vec<Touched>) -> Self {
        let mut new = Self {
            model,
            pool: Pool::default(),
            core: FxHashSet::default(),
            cases: BTreeMap::new(),
            edges: Edges::default(),
            touched: HashSet::new(),
            shaken: HashSet::new(),
            former: Vec::new(),
            fresh: Vec::new(),
            asked: Vec::new(),
            asked_former: Vec::new(),
            asked_ines: HashSet::new(),
            asked_blocks: Default::default(),
            asked_identities: HashSet::new(),
            asked_cases: HashSet::new(),
            asked_records: HashSet::new(),
        };
        for Touched { now, before } in touched {
            new.shaken
                .insert((now.facts.birth_date, now.facts.school.clone()));
            if let Some(before) = before {
                new.shaken.insert((before.birth_date, before.school.clone()));
                new.former.push(before);
            }
            new.core.insert(now.id);
            new.touched.insert(now.id);
            new.fresh.push(now.id);
            new.pool.insert(now);
        }
        new
    }

    /// Begins with every record there is: nothing is left to ask for but cases.
    pub fn whole(model: Arc<Model>, mut records: Vec<Record>, cases: Vec<Case>) -> Self {
        // Those that will be held side by side lie side by side: a processor waits for memory far longer than it compares.
        records.sort_unstable_by_key(|record| (record.facts.birth_date, record.facts.family.key()));
        let mut new = Self::new(model, Vec::new());
        new.core.reserve(records.len());
        new.core.extend(records.iter().map(|record| record.id));
        new.asked = records.iter().map(|record| record.id).collect();
        new.pool = Pool::of(records);
        new.cases = cases.into_iter().map(|case| (case.pair, case)).collect();
        new.look();
        new.fresh.clear();
        new
    }

    /// What to ask the store for; nothing wanted means that all is known.
    pub fn wanted(&mut self) -> Wanted {
        let mut wanted = Wanted::default();
        for former in std::mem::take(&mut self.former) {
            self.want_facts(&former, &mut wanted);
            self.asked_former.push(former);
        }
        for id in std::mem::take(&mut self.fresh) {
            let Some(record) = self.pool.get(&id).cloned() else {
                continue;
            };
            self.want_facts(&record.facts, &mut wanted);
            self.asked.push(id);
            // A record that has no identity has just arrived: no case can stand on it yet.
            if let Some(identity) = record.identity {
                if self.asked_identities.insert(identity) {
                    wanted.identities.push(identity);
                }
                if self.asked_cases.insert(id) {
                    wanted.cases_of.push(id);
                }
            }
        }
        for pair in self.cases.keys() {
            for (one, other) in [(pair.first(), pair.second()), (pair.second(), pair.first())] {
                let needed = self.core.contains(&one) && !self.pool.holds(&other);
                if needed && self.asked_records.insert(other) {
                    wanted.records.push(other);
                }
            }
        }
        wanted
    }

    fn want_facts(&mut self, facts: &Facts, wanted: &mut Wanted) {
        if let Some(ine) = &facts.ine
            && self.asked_ines.insert(ine.whole)
        {
            wanted.ines.push(ine.whole);
        }
        let blocks = facts.blocks();
        let [families, givens, names, sounds] = &mut self.asked_blocks;
        let want = |asked: &mut HashSet<u64>, block: u64, list: &mut Vec<u64>| {
            if asked.insert(block) {
                list.push(block);
            }
        };
        want(families, blocks.family, &mut wanted.blocks.family);
        if let Some(usage) = blocks.usage {
            want(families, usage, &mut wanted.blocks.family);
        }
        want(givens, blocks.given, &mut wanted.blocks.given);
        want(names, blocks.names, &mut wanted.blocks.names);
        want(sounds, blocks.sound, &mut wanted.blocks.sound);
    }

    /// Takes what the store answered. A record known already stays as it is: the touched ones are newer than the
    /// store's.
    pub fn found(&mut self, records: Vec<Record>, cases: Vec<Case>) {
        let mut joining: Vec<SourceRecordId> = Vec::new();
        for record in records {
            let mate = record
                .identity
                .is_some_and(|identity| self.asked_identities.contains(&identity));
            let shaken = self
                .shaken
                .contains(&(record.facts.birth_date, record.facts.school.clone()));
            if mate || shaken {
                joining.push(record.id);
            }
            self.pool.insert(record);
        }
        for case in cases {
            self.cases.insert(case.pair, case);
        }
        joining.extend(self.cases.keys().flat_map(|pair| [pair.first(), pair.second()]));
        for former in std::mem::take(&mut self.asked_former) {
            let once = self.pool.around(&former, None).into_iter();
            let once = once.filter(|(_, other)| kept(&former, &other.facts, &self.model).is_some());
            joining.extend(once.map(|(_, other)| other.id));
        }
        self.join(joining);
        self.look();
        let mates: Vec<SourceRecordId> = self
            .pool
            .iter()
            .filter(|record| !self.core.contains(&record.id))
            .filter(|record| {
                record
                    .identity
                    .is_some_and(|identity| self.asked_identities.contains(&identity))
            })
            .map(|record| record.id)
            .collect();
        self.join(mates);
    }

    fn join(&mut self, ids: Vec<SourceRecordId>) {
        for id in ids {
            if self.pool.holds(&id) && self.core.insert(id) {
                self.fresh.push(id);
            }
        }
    }

    /// The candidates of these records with which they were not compared yet: each two are compared once.
    fn compare(&self, batch: &[Place], asked: &FxHashSet<Place>) -> Vec<([Place; 2], Comparison)> {
        in_parts(batch, |batch| {
            let mut found = Vec::new();
            for place in batch {
                let Some(record) = self.pool.at(*place) else {
                    continue;
                };
                // Where all are asked about, each looks at those that came after it.
                let after = (asked.len() == self.pool.len()).then_some(*place);
                let others = self.pool.around(&record.facts, after).into_iter();
                let others = others.filter(|(other, _)| {
                    let compares_itself = *other < *place && asked.contains(other);
                    *other != *place && !compares_itself && !self.edges.is_complete(*other)
                });
                found.extend(others.filter_map(|(place_of_other, other)| {
                    let comparison = kept(&record.facts, &other.facts, &self.model)?;
                    Some(([*place, place_of_other], comparison))
                }));
            }
            found
        })
    }

    /// Holds core records whose blocks are known against all they share a block with.
    fn look(&mut self) {
        let mut joining = Vec::new();
        let asked = std::mem::take(&mut self.asked);
        let asked: Vec<Place> = asked.into_iter().filter_map(|id| self.pool.place(id)).collect();
        let among: FxHashSet<Place> = asked.iter().copied().collect();
        self.edges.grow(self.pool.len());
        for batch in asked.chunks(BATCH) {
            for (ends, comparison) in self.compare(batch, &among) {
                let ids = ends.map(|place| self.pool.at(place).map(|record| record.id));
                let touched = ids.iter().flatten().any(|id| self.touched.contains(id));
                if touched || is_possible(&comparison) {
                    joining.extend(ids.into_iter().flatten());
                }
                self.edges.push(ends, comparison);
            }
        }
        for place in asked {
            self.edges.complete(place);
        }
        self.join(joining);
    }
}

#[cfg(test)]
mod tests {
    use super::super::pool::MOST_ALIKE;
    use super::super::tests::facts;
    use super::*;
    use crate::base::random::SeededRandom;
    use crate::base::time::Timestamp;

    #[test]
    fn what_thousands_share_is_nobodys_and_takes_no_time() {
        let random = SeededRandom::new(5);
        let mut at = 0;
        let mut record = |facts| {
            at += 1;
            Record {
                id: SourceRecordId::new(Timestamp::from_seconds(at), &random),
                identity: None,
                facts,
            }
        };
        let mut records: Vec<Record> = (0..=10 * MOST_ALIKE)
            .map(|number| record(facts(0, "inconnu", "inconnu", 1, 2 * number)))
            .collect();
        let lina = [1, 2].map(|school| record(facts(1, "oyhenart", "lina", 17, school)));
        records.extend(lina.clone());
        let decided = Neighbourhood::whole(Arc::new(Model::shipped()), records, Vec::new()).decide();
        let resolution = decided.resolve(&HashSet::new());
        assert_eq!(resolution.open, []);
        let homes: HashSet<_> = resolution.moves.iter().map(|(_, home)| home).collect();
        assert_eq!(
            homes.len() + 1,
            resolution.moves.len(),
            "only the two of Lina are one"
        );
        let of = |record: &Record| {
            resolution
                .moves
                .iter()
                .find(|(id, _)| *id == record.id)
                .map(|(_, home)| home)
        };
        assert_eq!(of(&lina[0]), of(&lina[1]));
    }
}
