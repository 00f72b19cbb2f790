//! Which records must be looked at when some arrive or change, and no more.
//!
//! Starts from the records that arrived or changed and grows until nothing outside can be touched by them: those they could be, or
//! be a rival of (now or before), and from there those that these could be; those of the same identity, those a case stands between, and
//! those whose twin has appeared or gone. The caller answers what is [`Wanted`] from its store until nothing is; the result is the
//! same as looking at every record there is.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::num::NonZero;
use std::sync::Arc;

use super::comparison::{Comparison, IneLikeness};
use super::facts::{Facts, Record};
use super::model::{Centibits, Model};
use super::pair::{POSSIBLE, RIVAL};
use super::pool::Pool;
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

/// A candidate of a record.
#[derive(Clone, Copy, Debug)]
pub(super) struct Edge {
    pub(super) other: SourceRecordId,
    pub(super) comparison: Comparison,
}

impl Edge {
    /// What is kept of a comparison: what can be a pair, a rival, or carries the same number.
    fn of(one: &Facts, other: &Record, model: &Model) -> Option<Self> {
        let comparison = Comparison::of(one, &other.facts, model);
        let kept = comparison.weight >= RIVAL || comparison.ine == IneLikeness::Same;
        kept.then_some(Self {
            other: other.id,
            comparison,
        })
    }

    /// Whether the two could be one child.
    pub(super) fn is_possible(&self) -> bool {
        self.weight() >= POSSIBLE || self.comparison.ine == IneLikeness::Same
    }

    pub(super) fn weight(&self) -> Centibits {
        self.comparison.weight
    }
}

/// From so many records on they are compared on every processor.
const MANY: usize = 20_000;

/// The records around those that arrived or changed.
#[derive(Debug)]
pub struct Neighbourhood {
    model: Arc<Model>,
    /// Every record seen, the touched ones as they are now.
    pub(super) pool: Pool,
    /// The records whose relations are decided anew.
    pub(super) core: BTreeSet<SourceRecordId>,
    pub(super) cases: BTreeMap<Pair, Case>,
    /// The candidates of core records.
    pub(super) edges: HashMap<SourceRecordId, Vec<Edge>>,
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
            core: BTreeSet::new(),
            cases: BTreeMap::new(),
            edges: HashMap::new(),
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
    pub fn whole(model: Arc<Model>, records: Vec<Record>, cases: Vec<Case>) -> Self {
        let mut new = Self::new(model, Vec::new());
        for record in records {
            new.core.insert(record.id);
            new.asked.push(record.id);
            new.pool.insert(record);
        }
        for case in cases {
            new.cases.insert(case.pair, case);
        }
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
            let once = self.pool.around(&former).into_iter();
            joining.extend(
                once.filter_map(|other| Edge::of(&former, other, &self.model))
                    .map(|edge| edge.other),
            );
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

    /// The candidates of records, compared on every processor where there are many.
    fn compare(&self, ids: &[SourceRecordId]) -> Vec<(SourceRecordId, Vec<Edge>)> {
        let (pool, model) = (&self.pool, &self.model);
        let compare = |ids: &[SourceRecordId]| -> Vec<(SourceRecordId, Vec<Edge>)> {
            let records = ids.iter().filter_map(|id| pool.get(id));
            let edges = records.map(|record| {
                let others = pool.around(&record.facts).into_iter();
                let edges = others
                    .filter(|other| other.id != record.id)
                    .filter_map(|other| Edge::of(&record.facts, other, model));
                (record.id, edges.collect())
            });
            edges.collect()
        };
        let processors = std::thread::available_parallelism().map_or(1, NonZero::get);
        if ids.len() < MANY || processors < 2 {
            return compare(ids);
        }
        std::thread::scope(|scope| {
            let parts: Vec<_> = ids
                .chunks(ids.len().div_ceil(processors))
                .map(|part| (part, scope.spawn(move || compare(part))))
                .collect();
            // A thread that came to grief is made up for here.
            parts
                .into_iter()
                .flat_map(|(part, done)| done.join().unwrap_or_else(|_| compare(part)))
                .collect()
        })
    }

    /// Holds core records whose blocks are known against all they share a block with.
    fn look(&mut self) {
        let mut joining = Vec::new();
        let asked = std::mem::take(&mut self.asked);
        for (id, edges) in self.compare(&asked) {
            let touched = self.touched.contains(&id);
            joining.extend(
                edges
                    .iter()
                    .filter(|edge| touched || edge.is_possible())
                    .map(|edge| edge.other),
            );
            self.edges.insert(id, edges);
        }
        self.join(joining);
    }

    /// The two records of each case it knows.
    pub fn case_pairs(&self) -> HashMap<MatchCaseId, Pair> {
        self.cases.values().map(|case| (case.id, case.pair)).collect()
    }
}
