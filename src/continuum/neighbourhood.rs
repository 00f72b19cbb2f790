//! Which records must be looked at when some arrive or change, and no more.
//!
//! Starts from the records that arrived or changed and grows until nothing outside can be touched by them: those with
//! the same number (now or before), those of the same identity, those a case stands between, and those whose twin has
//! appeared or gone. The caller answers what is [`Wanted`] from its store until nothing is; the result is the same as
//! looking at every record there is.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use super::pair::{Facts, Record};
use crate::base::id::{IdentityId, MatchCaseId, SourceRecordId};
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
    /// Every record of these households (family name and birth date).
    pub households: Vec<String>,
    /// Every record of these identities.
    pub identities: Vec<IdentityId>,
    /// Every case one of these records is in, whatever its state.
    pub cases_of: Vec<SourceRecordId>,
    /// These records.
    pub records: Vec<SourceRecordId>,
}

impl Wanted {
    /// Whether nothing is wanted any more.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// The records around those that arrived or changed.
#[derive(Clone, Debug, Default)]
pub struct Neighbourhood {
    /// Every record seen, the touched ones as they are now.
    pub(super) pool: BTreeMap<SourceRecordId, Record>,
    /// The records whose relations are decided anew.
    pub(super) core: BTreeSet<SourceRecordId>,
    pub(super) cases: BTreeMap<Pair, Case>,
    /// Where a twin may have appeared or gone.
    shaken: HashSet<(String, Uai)>,
    /// Numbers and households to ask for that no record in the core has any more.
    former: Vec<Facts>,
    /// Core records not looked at since the last question.
    fresh: Vec<SourceRecordId>,
    asked_ines: HashSet<[u8; 32]>,
    asked_households: HashSet<String>,
    asked_identities: HashSet<IdentityId>,
    asked_cases: HashSet<SourceRecordId>,
    asked_records: HashSet<SourceRecordId>,
}

impl Neighbourhood {
    /// Begins with what arrived or changed.
    pub fn new(touched: Vec<Touched>) -> Self {
        let mut new = Self::default();
        for Touched { now, before } in touched {
            new.shaken
                .insert((now.facts.household_key.clone(), now.facts.school.clone()));
            if let Some(before) = before {
                new.shaken
                    .insert((before.household_key.clone(), before.school.clone()));
                new.former.push(before);
            }
            new.core.insert(now.id);
            new.fresh.push(now.id);
            new.pool.insert(now.id, now);
        }
        new
    }

    /// What to ask the store for; nothing wanted means that all is known.
    pub fn wanted(&mut self) -> Wanted {
        let mut wanted = Wanted::default();
        for former in std::mem::take(&mut self.former) {
            self.want_facts(&former, &mut wanted);
        }
        for id in std::mem::take(&mut self.fresh) {
            let Some(record) = self.pool.get(&id).cloned() else {
                continue;
            };
            self.want_facts(&record.facts, &mut wanted);
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
                let needed = self.core.contains(&one) && !self.pool.contains_key(&other);
                if needed && self.asked_records.insert(other) {
                    wanted.records.push(other);
                }
            }
        }
        wanted
    }

    fn want_facts(&mut self, facts: &Facts, wanted: &mut Wanted) {
        if let Some(ine) = facts.ine
            && self.asked_ines.insert(ine)
        {
            wanted.ines.push(ine);
        }
        if self.asked_households.insert(facts.household_key.clone()) {
            wanted.households.push(facts.household_key.clone());
        }
    }

    /// Takes what the store answered. A record known already stays as it is: the touched ones are newer than the
    /// store's.
    pub fn found(&mut self, records: Vec<Record>, cases: Vec<Case>) {
        for record in records {
            self.pool.entry(record.id).or_insert(record);
        }
        for case in cases {
            self.cases.insert(case.pair, case);
        }
        let partners: HashSet<SourceRecordId> = self
            .cases
            .keys()
            .flat_map(|pair| [pair.first(), pair.second()])
            .collect();
        let joining: Vec<SourceRecordId> = self
            .pool
            .values()
            .filter(|record| !self.core.contains(&record.id))
            .filter(|record| {
                record.facts.ine.is_some_and(|ine| self.asked_ines.contains(&ine))
                    || record
                        .identity
                        .is_some_and(|identity| self.asked_identities.contains(&identity))
                    || partners.contains(&record.id)
                    || self.is_shaken(&record.facts)
            })
            .map(|record| record.id)
            .collect();
        for id in joining {
            self.core.insert(id);
            self.fresh.push(id);
        }
    }

    fn is_shaken(&self, facts: &Facts) -> bool {
        !self.shaken.is_empty()
            && self
                .shaken
                .contains(&(facts.household_key.clone(), facts.school.clone()))
    }

    /// The records that are looked at anew, for a caller that must load more of them.
    pub fn core(&self) -> impl Iterator<Item = SourceRecordId> + '_ {
        self.core.iter().copied()
    }
}
