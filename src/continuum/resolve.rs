//! What recognition changes: who belongs to whom, which cases are open.
//!
//! People are the connected components of certain pairs and of pairs a human accepted. A component in which a human
//! refused a pair keeps only its human links; its certain ones wait for a human ([`Reason::Contradicted`]). An identity
//! that is in use is never taken apart by itself: its records stay together, a case is opened, and until it is decided
//! no other identity joins it by itself.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use super::birth::BirthLikeness;
use super::facts::twin_known;
use super::model::Centibits;
use super::name::Likeness;
use super::neighbourhood::{Edge, Neighbourhood, Pair};
use super::pair::{Around, Relation, decide, is_number_worth_a_question};
use super::union::Sets;
use crate::base::id::{IdentityId, MatchCaseId, SourceRecordId};
use crate::domain::matching::{CaseStatus, Reason};

/// Where a record goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Home {
    /// An identity that exists.
    Known(IdentityId),
    /// A new identity, the same for all records with this number.
    New(usize),
}

/// Two identities that are one human being.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Join {
    /// The older one.
    pub kept: IdentityId,
    /// The one that goes into it.
    pub absorbed: IdentityId,
    /// Two records, one of each side or linked through others, that brought them together.
    pub because: Pair,
}

/// What recognition found; applied in the order of the fields.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Resolution {
    /// Records that go to an identity that is not their present one.
    pub moves: Vec<(SourceRecordId, Home)>,
    /// Identities that become one.
    pub joins: Vec<Join>,
    /// Pairs for which a case opens, or opens again, or changes its reason.
    pub open: Vec<(Pair, Reason)>,
    /// Cases in which nothing is left to decide.
    pub moot: Vec<MatchCaseId>,
}

/// The relations of a neighbourhood, evaluated once.
#[derive(Debug)]
struct Relations {
    /// Pairs with at least one core record that are certain or ambiguous.
    pairs: BTreeMap<Pair, Relation>,
    accepted: Vec<Pair>,
    refused: Vec<Pair>,
}

/// People as sets of records, and the certain pairs that were not followed.
struct People {
    sets: Sets,
    held: BTreeSet<Pair>,
}

impl Neighbourhood {
    /// Identities whose records no longer hold together by themselves. Where there are any, [`Neighbourhood::resolve`]
    /// must be told which of these are in use.
    pub fn contested(&self) -> Vec<IdentityId> {
        let people = self.people(&self.relations(), &HashSet::new());
        let torn = self
            .members()
            .values()
            .any(|records| roots(&people.sets, records).len() > 1);
        // Keeping one together can hold back another's links: all are asked about as soon as one is torn.
        if torn {
            let members = self.members();
            let several = members.iter().filter(|(_, records)| records.len() > 1);
            several.map(|(identity, _)| *identity).collect()
        } else {
            Vec::new()
        }
    }

    /// Decides. `in_use` are the contested identities that must not be taken apart.
    pub fn resolve(&self, in_use: &HashSet<IdentityId>) -> Resolution {
        let relations = self.relations();
        let natural = self.people(&relations, &HashSet::new());
        let people = self.people(&relations, in_use);
        let mut resolution = Resolution::default();
        self.settle(&people, &relations, &mut resolution);
        self.file(&relations, &natural, &people, &mut resolution);
        resolution
    }

    fn relations(&self) -> Relations {
        let twins: HashSet<SourceRecordId> = self
            .core
            .iter()
            .filter_map(|id| self.pool.get(id))
            .filter(|record| twin_known(record, self.pool.household(&record.facts)))
            .map(|record| record.id)
            .collect();
        let named = |edge: &Edge| edge.comparison.given == Likeness::Same;
        let mut pairs = BTreeMap::new();
        for (id, edges) in &self.edges {
            for edge in edges.iter().filter(|edge| *id < edge.other && edge.is_possible()) {
                let around = Around {
                    twin: twins.contains(id) || twins.contains(&edge.other),
                    rival: self
                        .rival(*id, edge.other, |_| true)
                        .max(self.rival(edge.other, *id, |_| true)),
                    namesake: self
                        .rival(*id, edge.other, named)
                        .max(self.rival(edge.other, *id, named)),
                    number_taken: self.number_is_taken(*id) || self.number_is_taken(edge.other),
                };
                let relation = decide(&edge.comparison, around);
                if relation != Relation::None {
                    pairs.insert(Pair::new(*id, edge.other), relation);
                }
            }
        }
        self.explain(&mut pairs);
        let decided = |status| {
            let cases = self.cases.values().filter(move |case| case.status == status);
            cases.map(|case| case.pair).collect()
        };
        Relations {
            pairs,
            accepted: decided(CaseStatus::Accepted),
            refused: decided(CaseStatus::Refused),
        }
    }

    /// Two children of one name in files of one kind and year are no question where each is certainly another one of a year
    /// before or after.
    fn explain(&self, pairs: &mut BTreeMap<Pair, Relation>) {
        let facts = |id: SourceRecordId| self.pool.get(&id).map(|record| &record.facts);
        let mut partners: BTreeMap<SourceRecordId, Vec<SourceRecordId>> = BTreeMap::new();
        for (pair, _) in pairs
            .iter()
            .filter(|(_, relation)| **relation == Relation::Certain)
        {
            partners.entry(pair.first()).or_default().push(pair.second());
            partners.entry(pair.second()).or_default().push(pair.first());
        }
        let apart = |one: SourceRecordId, other: SourceRecordId| match (facts(one), facts(other)) {
            (Some(mine), Some(theirs)) => {
                one != other && mine.is_of_year(theirs) && !mine.is_known_as(theirs)
            }
            _ => false,
        };
        let theirs = |id: SourceRecordId| partners.get(&id).map_or(&[][..], Vec::as_slice);
        pairs.retain(|pair, relation| {
            let (one, other) = (pair.first(), pair.second());
            let beside = facts(one)
                .zip(facts(other))
                .is_some_and(|(one, other)| one.is_of_year(other));
            *relation == Relation::Certain
                || !beside
                || !theirs(one)
                    .iter()
                    .any(|mine| theirs(other).iter().any(|yours| apart(*mine, *yours)))
        });
    }

    /// Whether a record that is hardly the same child carries the number of `record`.
    fn number_is_taken(&self, record: SourceRecordId) -> bool {
        let edges = self.edges.get(&record);
        edges.into_iter().flatten().any(|edge| {
            let comparison = &edge.comparison;
            is_number_worth_a_question(comparison)
                && (comparison.family == Likeness::Other
                    || comparison.given == Likeness::Other
                    || comparison.birth == BirthLikeness::Other)
        })
    }

    /// The weight of the best candidate of `record` that stands beside `candidate` and is not known to be the same child as it: files of one kind
    /// and year state a child once.
    fn rival(
        &self,
        record: SourceRecordId,
        candidate: SourceRecordId,
        counts: impl Fn(&Edge) -> bool,
    ) -> Option<Centibits> {
        let this = &self.pool.get(&candidate)?.facts;
        let edges = self.edges.get(&record)?;
        let rivals = edges
            .iter()
            .filter(|edge| edge.other != candidate && counts(edge));
        rivals
            .filter(|edge| {
                let other = self.pool.get(&edge.other);
                other.is_some_and(|other| other.facts.is_of_year(this) && !other.facts.is_known_as(this))
            })
            .map(|edge| edge.weight())
            .max()
    }

    /// The core's records of each identity, oldest first.
    fn members(&self) -> BTreeMap<IdentityId, Vec<SourceRecordId>> {
        let mut members: BTreeMap<IdentityId, Vec<SourceRecordId>> = BTreeMap::new();
        for record in self.core.iter().filter_map(|id| self.pool.get(id)) {
            if let Some(identity) = record.identity {
                members.entry(identity).or_default().push(record.id);
            }
        }
        members
    }

    fn people(&self, relations: &Relations, in_use: &HashSet<IdentityId>) -> People {
        let members = self.members();
        let mut human = Sets::default();
        for pair in &relations.accepted {
            human.join(pair.first(), pair.second());
        }
        // What a human has separated is not held together by being in use.
        let kept_whole: Vec<&Vec<SourceRecordId>> = members
            .iter()
            .filter(|(identity, _)| in_use.contains(identity))
            .map(|(_, records)| records)
            .filter(|records| {
                let inside =
                    |pair: &Pair| records.contains(&pair.first()) && records.contains(&pair.second());
                !relations.refused.iter().any(inside)
            })
            .collect();
        for records in &kept_whole {
            for two in records.windows(2) {
                if let [one, other] = two {
                    human.join(*one, *other);
                }
            }
        }
        let certain: Vec<Pair> = relations
            .pairs
            .iter()
            .filter(|(_, relation)| **relation == Relation::Certain)
            .map(|(pair, _)| *pair)
            .collect();
        let mut all = human.clone();
        for pair in &certain {
            all.join(pair.first(), pair.second());
        }
        let refused: HashSet<SourceRecordId> = relations
            .refused
            .iter()
            .filter(|pair| all.root(pair.first()) == all.root(pair.second()))
            .map(|pair| all.root(pair.first()))
            .collect();
        let strained = self.strained(&all, relations, &kept_whole, &members);
        let identity = |id| self.pool.get(&id).and_then(|record| record.identity);
        let mut sets = human;
        let mut held = BTreeSet::new();
        for pair in certain {
            let root = all.root(pair.first());
            let draws_in = identity(pair.first()) != identity(pair.second());
            if refused.contains(&root) || (strained.contains(&root) && draws_in) {
                held.insert(pair);
            } else {
                sets.join(pair.first(), pair.second());
            }
        }
        People { sets, held }
    }

    /// Sets in which an identity is held together only because it is in use, and which would draw in another one.
    fn strained(
        &self,
        all: &Sets,
        relations: &Relations,
        kept_whole: &[&Vec<SourceRecordId>],
        members: &BTreeMap<IdentityId, Vec<SourceRecordId>>,
    ) -> HashSet<SourceRecordId> {
        if kept_whole.is_empty() {
            return HashSet::new();
        }
        let natural = self.people(relations, &HashSet::new());
        let torn = kept_whole
            .iter()
            .filter(|records| roots(&natural.sets, records).len() > 1);
        torn.filter_map(|records| records.first())
            .map(|record| all.root(*record))
            .filter(|root| {
                let inside = members
                    .values()
                    .filter(|records| records.iter().any(|record| all.root(*record) == *root));
                inside.count() > 1
            })
            .collect()
    }

    /// Says which identity each person keeps, which records move, which identities become one.
    fn settle(&self, people: &People, relations: &Relations, resolution: &mut Resolution) {
        let sets = &people.sets;
        // An identity goes on in the set of its oldest record; the others leave it.
        let mut owned: BTreeMap<SourceRecordId, BTreeSet<IdentityId>> = BTreeMap::new();
        for (identity, records) in self.members() {
            if let Some(oldest) = records.first() {
                owned.entry(sets.root(*oldest)).or_default().insert(identity);
            }
        }
        let mut new = BTreeMap::new();
        for record in self.core.iter().filter_map(|id| self.pool.get(id)) {
            let root = sets.root(record.id);
            let mine = owned.get(&root);
            let stays = record
                .identity
                .is_some_and(|identity| mine.is_some_and(|identities| identities.contains(&identity)));
            if stays {
                continue;
            }
            let home = match mine.and_then(BTreeSet::first) {
                Some(kept) => Home::Known(*kept),
                None => {
                    let next = new.len();
                    Home::New(*new.entry(root).or_insert(next))
                }
            };
            resolution.moves.push((record.id, home));
        }
        for (root, identities) in owned {
            let mut identities = identities.into_iter();
            let Some(kept) = identities.next() else { continue };
            for absorbed in identities {
                if let Some(because) = self.witness(people, root, relations, absorbed) {
                    resolution.joins.push(Join {
                        kept,
                        absorbed,
                        because,
                    });
                }
            }
        }
    }

    /// A link between a record of `absorbed` and one of another identity, or of none, in the same set.
    fn witness(
        &self,
        people: &People,
        root: SourceRecordId,
        relations: &Relations,
        absorbed: IdentityId,
    ) -> Option<Pair> {
        let is_absorbed = |id| {
            let record = self.pool.get(&id);
            record.and_then(|record| record.identity) == Some(absorbed)
        };
        let certain = relations.pairs.iter();
        certain
            .filter(|(pair, relation)| **relation == Relation::Certain && !people.held.contains(pair))
            .map(|(pair, _)| *pair)
            .chain(relations.accepted.iter().copied())
            .find(|pair| {
                people.sets.root(pair.first()) == root
                    && is_absorbed(pair.first()) != is_absorbed(pair.second())
            })
    }

    /// Opens and closes cases.
    fn file(&self, relations: &Relations, natural: &People, people: &People, resolution: &mut Resolution) {
        let mut wanted = self.wanted_cases(relations, natural, people);
        for case in self.cases.values() {
            let evaluated = self.core.contains(&case.pair.first()) || self.core.contains(&case.pair.second());
            match (case.status, wanted.get(&case.pair)) {
                (CaseStatus::Accepted | CaseStatus::Refused, _) => {
                    wanted.remove(&case.pair);
                }
                (CaseStatus::Open, Some(reason)) if *reason == case.reason => {
                    wanted.remove(&case.pair);
                }
                (CaseStatus::Open, None) if evaluated => resolution.moot.push(case.id),
                (CaseStatus::Open | CaseStatus::Moot, _) => {}
            }
        }
        resolution.open = wanted.into_iter().collect();
    }

    fn wanted_cases(
        &self,
        relations: &Relations,
        natural: &People,
        people: &People,
    ) -> BTreeMap<Pair, Reason> {
        let root = |id| people.sets.root(id);
        let natural_root = |id| natural.sets.root(id);
        let apart: HashSet<Pair> = relations
            .refused
            .iter()
            .map(|pair| Pair::new(root(pair.first()), root(pair.second())))
            .collect();
        let mut wanted: BTreeMap<Pair, Reason> = BTreeMap::new();
        let mut doubted: HashSet<Pair> = HashSet::new();
        for (pair, relation) in &relations.pairs {
            let reason = match relation {
                Relation::Ambiguous(reason) => *reason,
                Relation::Certain if people.held.contains(pair) => Reason::Contradicted,
                Relation::Certain | Relation::None => continue,
            };
            let (first, second) = (root(pair.first()), root(pair.second()));
            // Records of one person that only hold together because the identity is in use: a human confirms.
            let (one, other) = (natural_root(pair.first()), natural_root(pair.second()));
            if !apart.contains(&Pair::new(first, second)) && (first != second || one != other) {
                wanted.insert(*pair, reason);
                doubted.insert(Pair::new(one, other));
            }
        }
        // Where nothing at all speaks for such a link any more, a human is asked all the same.
        for records in self.members().values() {
            let Some(oldest) = records.first() else { continue };
            for record in records.iter().filter(|record| root(**record) == root(*oldest)) {
                let parts = Pair::new(natural_root(*oldest), natural_root(*record));
                if parts.first() != parts.second() && doubted.insert(parts) {
                    wanted.insert(Pair::new(*oldest, *record), Reason::Contradicted);
                }
            }
        }
        wanted
    }
}

fn roots(sets: &Sets, records: &[SourceRecordId]) -> BTreeSet<SourceRecordId> {
    records.iter().map(|record| sets.root(*record)).collect()
}
