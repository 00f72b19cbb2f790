//! What recognition changes: who belongs to whom, which cases are open.
//!
//! People are the connected components of certain pairs and of pairs a human accepted. A component in which a human
//! refused a pair keeps only its human links; its certain ones wait for a human ([`Reason::Contradicted`]). An identity
//! that is in use is never taken apart by itself: its records stay together, a case is opened, and until it is decided
//! no other identity joins it by itself.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use rustc_hash::FxHashSet;

use super::birth::BirthLikeness;
use super::edge::Edge;
use super::facts::{Facts, twin_known};
use super::name::Likeness;
use super::neighbourhood::{Neighbourhood, Pair, in_parts};
use super::pair::{Around, Relation, decide, is_number_worth_a_question};
use super::pool::Place;
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

/// A record of an identity: the identity, then the record, so that those of one lie together, the oldest first.
type Member = (IdentityId, SourceRecordId);

/// A neighbourhood whose relations were decided.
#[derive(Debug)]
pub struct Decided {
    around: Neighbourhood,
    /// The core's records, by their ids.
    core: Vec<SourceRecordId>,
    /// The core's records of each identity.
    members: Vec<Member>,
    relations: Relations,
    /// People as they are where nobody is in use.
    natural: People,
}

/// Pairs by what they are.
#[derive(Debug)]
struct Relations {
    /// Pairs that are certain or ambiguous, in their order.
    pairs: Vec<(Pair, Relation)>,
    accepted: Vec<Pair>,
    refused: Vec<Pair>,
}

/// People as sets of records, and the certain pairs that were not followed.
#[derive(Debug, Default)]
struct People {
    sets: Sets,
    held: BTreeSet<Pair>,
}

impl Neighbourhood {
    /// Decides what each pair is, and who is one person by that.
    pub fn decide(self) -> Decided {
        let relations = self.relations();
        let mut core: Vec<SourceRecordId> = self.core.iter().copied().collect();
        core.sort_unstable();
        let mut members: Vec<Member> = core
            .iter()
            .filter_map(|id| Some((self.pool.get(id)?.identity?, *id)))
            .collect();
        members.sort_unstable();
        let mut decided = Decided {
            around: self,
            core,
            members,
            relations,
            natural: People::default(),
        };
        decided.natural = decided.people(&HashSet::new());
        decided
    }

    fn relations(&self) -> Relations {
        let edges = self.edges.all();
        let mut asked: Vec<Place> = edges
            .iter()
            .filter(|edge| edge.is_possible())
            .flat_map(|edge| edge.ends)
            .collect();
        asked.sort_unstable();
        asked.dedup();
        let twins: FxHashSet<Place> = in_parts(&asked, |part| {
            let records = part
                .iter()
                .filter_map(|place| Some((*place, self.pool.at(*place)?)));
            let twins = records.filter(|(_, record)| twin_known(record, self.pool.household(&record.facts)));
            twins.map(|(place, _)| place).collect()
        })
        .into_iter()
        .collect();
        let mut pairs = in_parts(edges, |part| {
            let possible = part.iter().filter(|edge| edge.is_possible());
            possible.filter_map(|edge| self.relation(edge, &twins)).collect()
        });
        pairs.sort_unstable_by_key(|(pair, _)| *pair);
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

    /// What a pair is, unless it is nothing.
    fn relation(&self, edge: &Edge, twins: &FxHashSet<Place>) -> Option<(Pair, Relation)> {
        let [one, other] = edge.ends;
        let (mine, theirs) = (self.pool.at(one)?, self.pool.at(other)?);
        let mut around = Around {
            twin: twins.contains(&one) || twins.contains(&other),
            ..Around::default()
        };
        self.look_beside(one, (other, &theirs.facts), &mut around);
        self.look_beside(other, (one, &mine.facts), &mut around);
        let relation = decide(&edge.comparison, around);
        (relation != Relation::None).then(|| (Pair::new(mine.id, theirs.id), relation))
    }

    /// What the other candidates of a record say of one of them: the best that stands beside it and is not known to be the same child as
    /// it, since files of one kind and year state a child once; and whether one that is hardly the same child carries the record's number.
    fn look_beside(&self, record: Place, (candidate, facts): (Place, &Facts), around: &mut Around) {
        for (other, comparison) in self.edges.of(record) {
            around.number_taken |= is_number_worth_a_question(comparison)
                && (comparison.family == Likeness::Other
                    || comparison.given == Likeness::Other
                    || comparison.birth == BirthLikeness::Other);
            let weight = Some(comparison.weight);
            let named = comparison.given == Likeness::Same;
            let matters = weight > around.rival || (named && weight > around.namesake);
            if other == candidate || !matters {
                continue;
            }
            let stands_beside = self
                .pool
                .at(other)
                .is_some_and(|other| other.facts.is_of_year(facts) && !other.facts.is_known_as(facts));
            if stands_beside {
                around.rival = around.rival.max(weight);
                if named {
                    around.namesake = around.namesake.max(weight);
                }
            }
        }
    }

    /// Two children of one name in files of one kind and year are no question where each is certainly another one of a year
    /// before or after.
    fn explain(&self, pairs: &mut Vec<(Pair, Relation)>) {
        let facts = |id: SourceRecordId| self.pool.get(&id).map(|record| &record.facts);
        let is_certain = |relation: &Relation| *relation == Relation::Certain;
        let stand_beside = |pair: &Pair| {
            let both = facts(pair.first()).zip(facts(pair.second()));
            both.is_some_and(|(one, other)| one.is_of_year(other))
        };
        let asked: HashSet<SourceRecordId> = pairs
            .iter()
            .filter(|(pair, relation)| !is_certain(relation) && stand_beside(pair))
            .flat_map(|(pair, _)| [pair.first(), pair.second()])
            .collect();
        if asked.is_empty() {
            return;
        }
        let mut partners: HashMap<SourceRecordId, Vec<SourceRecordId>> = HashMap::new();
        for (pair, _) in pairs.iter().filter(|(_, relation)| is_certain(relation)) {
            for (one, other) in [(pair.first(), pair.second()), (pair.second(), pair.first())] {
                if asked.contains(&one) {
                    partners.entry(one).or_default().push(other);
                }
            }
        }
        let apart = |one: SourceRecordId, other: SourceRecordId| match (facts(one), facts(other)) {
            (Some(mine), Some(theirs)) => {
                one != other && mine.is_of_year(theirs) && !mine.is_known_as(theirs)
            }
            _ => false,
        };
        let theirs = |id: SourceRecordId| partners.get(&id).map_or(&[][..], Vec::as_slice);
        pairs.retain(|(pair, relation)| {
            let (mine, yours) = (theirs(pair.first()), theirs(pair.second()));
            let explained = || {
                mine.iter()
                    .any(|mine| yours.iter().any(|yours| apart(*mine, *yours)))
            };
            is_certain(relation) || !stand_beside(pair) || !explained()
        });
    }
}

impl Decided {
    /// Identities whose records no longer hold together by themselves. Where there are any, [`Decided::resolve`]
    /// must be told which of these are in use.
    pub fn contested(&self) -> Vec<IdentityId> {
        let several = || self.members().filter(|records| records.len() > 1);
        // Keeping one together can hold back another's links: all are asked about as soon as one is torn.
        if several().any(|records| is_torn(&self.natural.sets, records)) {
            let identities = several().filter_map(|records| records.first());
            identities.map(|(identity, _)| *identity).collect()
        } else {
            Vec::new()
        }
    }

    /// Decides. `in_use` are the contested identities that must not be taken apart.
    pub fn resolve(&self, in_use: &HashSet<IdentityId>) -> Resolution {
        let kept = (!in_use.is_empty()).then(|| self.people(in_use));
        let people = kept.as_ref().unwrap_or(&self.natural);
        let mut resolution = Resolution::default();
        self.settle(people, &mut resolution);
        self.file(people, &mut resolution);
        resolution
    }

    /// The two records of each case it knows.
    pub fn case_pairs(&self) -> HashMap<MatchCaseId, Pair> {
        let cases = self.around.cases.values();
        cases.map(|case| (case.id, case.pair)).collect()
    }

    /// The core's records of each identity, oldest first.
    fn members(&self) -> impl Iterator<Item = &[Member]> {
        self.members.chunk_by(|(one, _), (other, _)| one == other)
    }

    fn identity(&self, id: SourceRecordId) -> Option<IdentityId> {
        self.around.pool.get(&id)?.identity
    }

    /// Certain pairs, in their order.
    fn certain(&self) -> impl Iterator<Item = Pair> {
        let pairs = self.relations.pairs.iter();
        pairs
            .filter(|(_, relation)| *relation == Relation::Certain)
            .map(|(pair, _)| *pair)
    }

    fn people(&self, in_use: &HashSet<IdentityId>) -> People {
        let relations = &self.relations;
        let mut human = Sets::default();
        for pair in &relations.accepted {
            human.join(pair.first(), pair.second());
        }
        // What a human has separated is not held together by being in use.
        let kept_whole: Vec<&[Member]> = self
            .members()
            .filter(|records| {
                records
                    .first()
                    .is_some_and(|(identity, _)| in_use.contains(identity))
            })
            .filter(|records| {
                let holds = |wanted| records.iter().any(|(_, record)| *record == wanted);
                let mut refused = relations.refused.iter();
                !refused.any(|pair| holds(pair.first()) && holds(pair.second()))
            })
            .collect();
        for records in &kept_whole {
            for two in records.windows(2) {
                if let [(_, one), (_, other)] = two {
                    human.join(*one, *other);
                }
            }
        }
        let mut all = human.clone();
        for pair in self.certain() {
            all.join(pair.first(), pair.second());
        }
        let refused: HashSet<SourceRecordId> = relations
            .refused
            .iter()
            .filter(|pair| all.root(pair.first()) == all.root(pair.second()))
            .map(|pair| all.root(pair.first()))
            .collect();
        let strained = self.strained(&all, &kept_whole);
        if refused.is_empty() && strained.is_empty() {
            return People {
                sets: all,
                held: BTreeSet::new(),
            };
        }
        let mut sets = human;
        let mut held = BTreeSet::new();
        for pair in self.certain() {
            let root = all.root(pair.first());
            let draws_in = || self.identity(pair.first()) != self.identity(pair.second());
            if refused.contains(&root) || (strained.contains(&root) && draws_in()) {
                held.insert(pair);
            } else {
                sets.join(pair.first(), pair.second());
            }
        }
        People { sets, held }
    }

    /// Sets in which an identity is held together only because it is in use, and which would draw in another one.
    fn strained(&self, all: &Sets, kept_whole: &[&[Member]]) -> HashSet<SourceRecordId> {
        let mut drawing: HashMap<SourceRecordId, usize> = kept_whole
            .iter()
            .filter(|records| is_torn(&self.natural.sets, records))
            .filter_map(|records| records.first())
            .map(|(_, record)| (all.root(*record), 0))
            .collect();
        if !drawing.is_empty() {
            for records in self.members() {
                let roots: BTreeSet<SourceRecordId> =
                    records.iter().map(|(_, record)| all.root(*record)).collect();
                for root in roots {
                    drawing.entry(root).and_modify(|identities| *identities += 1);
                }
            }
        }
        let strained = drawing.into_iter().filter(|(_, identities)| *identities > 1);
        strained.map(|(root, _)| root).collect()
    }

    /// Says which identity each person keeps, which records move, which identities become one.
    fn settle(&self, people: &People, resolution: &mut Resolution) {
        let sets = &people.sets;
        // An identity goes on in the set of its oldest record; the others leave it.
        let oldest = self.members().filter_map(|records| records.first());
        let mut owned: Vec<(SourceRecordId, IdentityId)> = oldest
            .map(|(identity, record)| (sets.root(*record), *identity))
            .collect();
        owned.sort_unstable();
        let of = |root: SourceRecordId| {
            let start = owned.partition_point(|(other, _)| *other < root);
            owned
                .get(start..)
                .unwrap_or_default()
                .iter()
                .map_while(move |(other, identity)| (*other == root).then_some(*identity))
        };
        let mut new = BTreeMap::new();
        for id in &self.core {
            let root = sets.root(*id);
            let identity = self.identity(*id);
            if identity.is_some() && of(root).any(|mine| Some(mine) == identity) {
                continue;
            }
            let home = match of(root).next() {
                Some(kept) => Home::Known(kept),
                None => {
                    let next = new.len();
                    Home::New(*new.entry(root).or_insert(next))
                }
            };
            resolution.moves.push((*id, home));
        }
        let joining: Vec<&[(SourceRecordId, IdentityId)]> = owned
            .chunk_by(|(one, _), (other, _)| one == other)
            .filter(|identities| identities.len() > 1)
            .collect();
        let witnesses = self.witnesses(people, &joining);
        for identities in joining {
            let Some(((root, kept), rest)) = identities.split_first() else {
                continue;
            };
            for (_, absorbed) in rest {
                let is_absorbed = |id| self.identity(id) == Some(*absorbed);
                let mut links = witnesses.get(root).into_iter().flatten();
                let because = links.find(|pair| is_absorbed(pair.first()) != is_absorbed(pair.second()));
                if let Some(because) = because {
                    resolution.joins.push(Join {
                        kept: *kept,
                        absorbed: *absorbed,
                        because: *because,
                    });
                }
            }
        }
    }

    /// The links inside the sets in which identities become one.
    fn witnesses(
        &self,
        people: &People,
        joining: &[&[(SourceRecordId, IdentityId)]],
    ) -> HashMap<SourceRecordId, Vec<Pair>> {
        let roots = joining.iter().filter_map(|identities| identities.first());
        let mut links: HashMap<SourceRecordId, Vec<Pair>> =
            roots.map(|(root, _)| (*root, Vec::new())).collect();
        if !links.is_empty() {
            let certain = self.certain().filter(|pair| !people.held.contains(pair));
            for pair in certain.chain(self.relations.accepted.iter().copied()) {
                if let Some(links) = links.get_mut(&people.sets.root(pair.first())) {
                    links.push(pair);
                }
            }
        }
        links
    }

    /// Opens and closes cases.
    fn file(&self, people: &People, resolution: &mut Resolution) {
        let mut wanted = self.wanted_cases(people);
        let core = |id| self.around.core.contains(&id);
        for case in self.around.cases.values() {
            let evaluated = core(case.pair.first()) || core(case.pair.second());
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

    fn wanted_cases(&self, people: &People) -> BTreeMap<Pair, Reason> {
        let root = |id| people.sets.root(id);
        let natural_root = |id| self.natural.sets.root(id);
        let refused = self.relations.refused.iter();
        let apart: HashSet<Pair> = refused
            .map(|pair| Pair::new(root(pair.first()), root(pair.second())))
            .collect();
        let mut wanted: BTreeMap<Pair, Reason> = BTreeMap::new();
        let mut doubted: HashSet<Pair> = HashSet::new();
        for (pair, relation) in &self.relations.pairs {
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
        for records in self.members() {
            let Some(((_, oldest), rest)) = records.split_first() else {
                continue;
            };
            for (_, record) in rest.iter().filter(|(_, record)| root(*record) == root(*oldest)) {
                let parts = Pair::new(natural_root(*oldest), natural_root(*record));
                if parts.first() != parts.second() && doubted.insert(parts) {
                    wanted.insert(Pair::new(*oldest, *record), Reason::Contradicted);
                }
            }
        }
        wanted
    }
}

/// Whether records of one identity are in several sets.
fn is_torn(sets: &Sets, records: &[Member]) -> bool {
    let mut roots = records.iter().map(|(_, record)| sets.root(*record));
    let first = roots.next();
    roots.any(|root| Some(root) != first)
}
