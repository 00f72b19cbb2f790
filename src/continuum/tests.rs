//! Recognition over whole populations: the same people and the same cases whatever the order of loading, and the same
//! as when everything is looked at at once.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;

use proptest::prelude::*;

use super::facts::{Facts, IneHash, Record, guardian_key};
use super::model::Model;
use super::name::Name;
use super::neighbourhood::{Case, Neighbourhood, Pair, Touched};
use super::resolve::{Home, Resolution};
use crate::base::id::{IdentityId, MatchCaseId, SourceRecordId};
use crate::base::random::SeededRandom;
use crate::base::time::{Timestamp, parse_date};
use crate::domain::education::SchoolYear;
use crate::domain::matching::{CaseStatus, Reason};
use crate::domain::source::Source;

/// A store that forgets nothing and knows no index.
struct World {
    random: SeededRandom,
    time: i64,
    /// By the number a test gives each record.
    records: BTreeMap<usize, Record>,
    cases: BTreeMap<Pair, Case>,
    in_use: HashSet<IdentityId>,
    model: Arc<Model>,
}

impl World {
    fn new() -> Self {
        Self {
            model: Arc::new(Model::shipped()),
            random: SeededRandom::new(7),
            time: 1,
            records: BTreeMap::new(),
            cases: BTreeMap::new(),
            in_use: HashSet::new(),
        }
    }

    fn tick(&mut self) -> Timestamp {
        self.time += 1;
        Timestamp::from_seconds(self.time)
    }

    /// A feed arrives: each record with what it says.
    fn load(&mut self, rows: &[(usize, Facts)]) {
        let mut touched = Vec::new();
        let mut named = Vec::new();
        for (name, facts) in rows {
            let now = self.tick();
            let known = self.records.get(name).cloned();
            let before = known.as_ref().map(|record| record.facts.clone());
            if before.as_ref() == Some(facts) {
                continue;
            }
            let id = known
                .as_ref()
                .map_or_else(|| SourceRecordId::new(now, &self.random), |record| record.id);
            let record = Record {
                id,
                identity: known.and_then(|record| record.identity),
                facts: facts.clone(),
            };
            named.push((*name, record.clone()));
            touched.push(Touched { now: record, before });
        }
        let resolution = self.consider(&touched);
        self.records.extend(named);
        self.apply(resolution);
    }

    /// Grows the neighbourhood as a store would answer, and decides.
    fn consider(&self, touched: &[Touched]) -> Resolution {
        let mut around = Neighbourhood::new(Arc::clone(&self.model), touched.to_vec());
        loop {
            let wanted = around.wanted();
            if wanted.is_empty() {
                break;
            }
            let blocks = &wanted.blocks;
            let records = self.records.values().filter(|record| {
                let mine = record.facts.blocks();
                record
                    .facts
                    .ine
                    .is_some_and(|ine| wanted.ines.contains(&ine.whole))
                    || blocks.family.contains(&mine.family)
                    || mine.usage.is_some_and(|usage| blocks.family.contains(&usage))
                    || blocks.given.contains(&mine.given)
                    || blocks.names.contains(&mine.names)
                    || blocks.sound.contains(&mine.sound)
                    || record
                        .identity
                        .is_some_and(|identity| wanted.identities.contains(&identity))
                    || wanted.records.contains(&record.id)
            });
            let cases = self.cases.values().filter(|case| {
                wanted.cases_of.contains(&case.pair.first()) || wanted.cases_of.contains(&case.pair.second())
            });
            around.found(records.cloned().collect(), cases.copied().collect());
        }
        let decided = around.decide();
        let contested = decided.contested().into_iter();
        let in_use = contested
            .filter(|identity| self.in_use.contains(identity))
            .collect();
        decided.resolve(&in_use)
    }

    fn apply(&mut self, resolution: Resolution) {
        let mut new = BTreeMap::new();
        for (record, home) in resolution.moves {
            let now = self.tick();
            let identity = match home {
                Home::Known(identity) => identity,
                Home::New(number) => *new
                    .entry(number)
                    .or_insert_with(|| IdentityId::new(now, &self.random)),
            };
            let record = self.records.values_mut().find(|known| known.id == record);
            record.unwrap().identity = Some(identity);
        }
        for join in resolution.joins {
            assert!(join.kept < join.absorbed, "the older identity is kept");
            for record in self.records.values_mut() {
                if record.identity == Some(join.absorbed) {
                    record.identity = Some(join.kept);
                }
            }
        }
        for (pair, reason) in resolution.open {
            let now = self.tick();
            let case = self.cases.entry(pair).or_insert_with(|| Case {
                id: MatchCaseId::new(now, &self.random),
                pair,
                reason,
                status: CaseStatus::Open,
            });
            assert!(!matches!(case.status, CaseStatus::Accepted | CaseStatus::Refused));
            (case.reason, case.status) = (reason, CaseStatus::Open);
        }
        for id in resolution.moot {
            let case = self.cases.values_mut().find(|case| case.id == id).unwrap();
            case.status = CaseStatus::Moot;
        }
    }

    fn name_of(&self, id: SourceRecordId) -> usize {
        *self.records.iter().find(|(_, record)| record.id == id).unwrap().0
    }

    /// Every person as a set of records.
    fn people(&self) -> BTreeSet<Vec<usize>> {
        let mut people: BTreeMap<IdentityId, Vec<usize>> = BTreeMap::new();
        for (name, record) in &self.records {
            people.entry(record.identity.unwrap()).or_default().push(*name);
        }
        people.into_values().collect()
    }

    fn open_cases(&self) -> BTreeSet<(usize, usize, Reason)> {
        self.cases
            .values()
            .filter(|case| case.status == CaseStatus::Open)
            .map(|case| {
                let (one, two) = (self.name_of(case.pair.first()), self.name_of(case.pair.second()));
                (one.min(two), one.max(two), case.reason)
            })
            .collect()
    }

    /// A human decides between two records.
    fn decide(&mut self, one: usize, two: usize, status: CaseStatus) {
        let pair = Pair::new(self.records[&one].id, self.records[&two].id);
        let now = self.tick();
        let case = self.cases.entry(pair).or_insert_with(|| Case {
            id: MatchCaseId::new(now, &self.random),
            pair,
            reason: Reason::NamesWithoutIne,
            status,
        });
        case.status = status;
        let touched: Vec<Touched> = [one, two]
            .iter()
            .map(|name| Touched {
                now: self.records[name].clone(),
                before: None,
            })
            .collect();
        let resolution = self.consider(&touched);
        self.apply(resolution);
    }

    /// What looking at every record there is changes.
    fn reconsider_everything(&self) -> Resolution {
        let touched: Vec<Touched> = self
            .records
            .values()
            .map(|record| Touched {
                now: record.clone(),
                before: None,
            })
            .collect();
        self.consider(&touched)
    }
}

/// A child of August 2016: ONDE of 2026 for odd schools, AAF of 2027 for even ones.
pub(super) fn facts(ine: u8, family: &str, given: &str, day: u8, school: u32) -> Facts {
    let number = [ine; 32];
    let college = school.is_multiple_of(2);
    Facts {
        ine: (ine > 0).then_some(IneHash {
            whole: number,
            pieces: [u32::from(ine); 3],
        }),
        family: Name::new(family),
        usage: None,
        given: Name::new(given),
        others: Box::default(),
        birth_date: parse_date(&format!("2016-08-{day:02}")).unwrap(),
        sex: None,
        source: if college { Source::Aaf2d } else { Source::Onde },
        scope: if college {
            "20".into()
        } else {
            format!("{school}").into()
        },
        year: SchoolYear::new(if college { 2027 } else { 2026 }).unwrap(),
        school: crate::domain::uai::Uai::from_number(9_990_000 + school),
        previous_school: None,
        grade: None,
        guardians: Box::default(),
    }
}

fn guardians(names: &[&str]) -> Box<[u64]> {
    let stated = names.iter().filter(|name| !name.is_empty());
    let mut keys: Vec<u64> = stated.map(|name| guardian_key("legoff", name)).collect();
    keys.sort_unstable();
    keys.into()
}

/// Few names, days, numbers and schools, so that twins, homonyms and wrong numbers happen all the time.
fn any_facts() -> impl Strategy<Value = Facts> {
    (
        0..5u8,
        prop::sample::select(vec!["legoff", "legof", "martin"]),
        prop::sample::select(vec!["lina", "lila", "noe", "louis"]),
        prop::sample::select(vec![17u8, 18, 28]),
        1..5u32,
        prop::sample::select(vec!["", "maddi", "paul"]),
    )
        .prop_map(|(ine, family, given, day, school, guardian)| Facts {
            guardians: guardians(&[guardian]),
            ..facts(ine, family, given, day, school)
        })
}

/// Records, and for each the feed (of three) that brings it.
fn any_feeds(most: usize) -> impl Strategy<Value = Vec<(usize, Facts)>> {
    prop::collection::vec((0..3usize, any_facts()), 1..most)
}

fn loaded(population: &[(usize, Facts)], order: [usize; 3]) -> World {
    let mut world = World::new();
    for feed in order {
        let rows: Vec<(usize, Facts)> = population
            .iter()
            .enumerate()
            .filter(|(_, (of, _))| *of == feed)
            .map(|(name, (_, facts))| (name, facts.clone()))
            .collect();
        world.load(&rows);
    }
    world
}

const ORDERS: [[usize; 3]; 6] = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]];

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

    #[test]
    fn every_order_of_loading_gives_the_same_people_and_the_same_cases(population in any_feeds(10)) {
        let first = loaded(&population, ORDERS[0]);
        for order in &ORDERS[1..] {
            let other = loaded(&population, *order);
            prop_assert_eq!(first.people(), other.people());
            prop_assert_eq!(first.open_cases(), other.open_cases());
        }
        // One at a time, too.
        let mut single = World::new();
        for (name, (_, facts)) in population.iter().enumerate().rev() {
            single.load(&[(name, facts.clone())]);
        }
        prop_assert_eq!(first.people(), single.people());
        prop_assert_eq!(first.open_cases(), single.open_cases());
    }

    #[test]
    fn looking_at_what_changed_is_as_good_as_looking_at_everything(
        population in any_feeds(8),
        changes in prop::collection::vec((0..8usize, any_facts()), 0..6),
        verdicts in prop::collection::vec((0..8usize, 0..8usize, any::<bool>()), 0..4),
    ) {
        let mut world = loaded(&population, ORDERS[3]);
        for (at, (name, facts)) in changes.iter().enumerate() {
            world.load(&[(name % population.len(), facts.clone())]);
            if let Some((one, two, same)) = verdicts.get(at) {
                let (one, two) = (one % population.len(), two % population.len());
                let open = world.open_cases().iter().any(|(a, b, _)| (*a, *b) == (one, two));
                if open {
                    let status = if *same { CaseStatus::Accepted } else { CaseStatus::Refused };
                    world.decide(one, two, status);
                }
            }
            prop_assert_eq!(world.reconsider_everything(), Resolution::default());
        }
    }

    #[test]
    fn loading_again_changes_nothing(population in any_feeds(8)) {
        let world = loaded(&population, ORDERS[0]);
        let people = world.people();
        let mut again = world;
        for (name, (_, record)) in population.iter().enumerate() {
            again.load(&[(name, record.clone())]);
        }
        prop_assert_eq!(again.reconsider_everything(), Resolution::default());
        prop_assert_eq!(people, again.people());
    }

    #[test]
    fn no_person_holds_two_children_of_one_household(population in any_feeds(10)) {
        let world = loaded(&population, ORDERS[0]);
        for person in world.people() {
            for (one, two) in person.iter().flat_map(|one| person.iter().map(move |two| (one, two))) {
                let (one, two) = (&population[*one].1, &population[*two].1);
                prop_assert!(!one.is_twin_of(two));
            }
        }
    }
}

#[test]
fn twins_who_agree_in_everything_are_each_linked_and_those_whose_numbers_were_swapped_are_asked_about() {
    let at_ecole = [
        facts(1, "legoff", "lina", 17, 1),
        facts(2, "legoff", "lila", 17, 1),
    ];
    let mut world = World::new();
    world.load(&[(0, at_ecole[0].clone()), (1, at_ecole[1].clone())]);
    world.load(&[
        (2, facts(1, "legoff", "lina", 17, 2)),
        (3, facts(2, "legoff", "lila", 17, 2)),
    ]);
    assert_eq!(world.people(), BTreeSet::from([vec![0, 2], vec![1, 3]]));
    assert!(world.open_cases().is_empty());
    let mut world = World::new();
    world.load(&[(0, at_ecole[0].clone()), (1, at_ecole[1].clone())]);
    world.load(&[
        (2, facts(2, "legoff", "lina", 17, 2)),
        (3, facts(1, "legoff", "lila", 17, 2)),
    ]);
    assert_eq!(world.people().len(), 4, "nobody is joined");
    let open = world.open_cases();
    assert!(
        open.contains(&(0, 2, Reason::Twin)) && open.contains(&(1, 3, Reason::Twin)),
        "{open:?}"
    );
}

#[test]
fn a_rival_that_comes_later_takes_an_unused_link_apart_and_asks_about_a_used_one() {
    let ecole = facts(0, "legoff", "lina", 17, 1);
    let college = facts(0, "legoff", "lina", 17, 2);
    let homonym = facts(0, "legoff", "lina", 17, 4);
    for used in [false, true] {
        let mut world = World::new();
        world.load(&[(0, ecole.clone())]);
        world.load(&[(1, college.clone())]);
        assert_eq!(world.people(), BTreeSet::from([vec![0, 1]]));
        if used {
            world.in_use.insert(world.records[&0].identity.unwrap());
        }
        world.load(&[(2, homonym.clone())]);
        let expected = if used {
            BTreeSet::from([vec![0, 1], vec![2]])
        } else {
            BTreeSet::from([vec![0], vec![1], vec![2]])
        };
        assert_eq!(world.people(), expected);
        assert_eq!(
            world.open_cases(),
            BTreeSet::from([
                (0, 1, Reason::SeveralCandidates),
                (0, 2, Reason::SeveralCandidates),
                (1, 2, Reason::NamesWithoutIne)
            ])
        );
        // A human who says "two persons" separates them, in use or not.
        world.decide(0, 1, CaseStatus::Refused);
        assert_eq!(world.people(), BTreeSet::from([vec![0], vec![1], vec![2]]));
        assert_eq!(world.reconsider_everything(), Resolution::default());
    }
}

#[test]
fn a_used_identity_whose_records_no_longer_agree_stays_whole_draws_nobody_in_and_asks() {
    let mut world = World::new();
    world.load(&[
        (0, facts(1, "legoff", "lina", 17, 1)),
        (1, facts(1, "legoff", "lina", 17, 2)),
    ]);
    world.load(&[(2, facts(2, "martin", "lina", 17, 3))]);
    world.in_use.insert(world.records[&0].identity.unwrap());
    // The école corrects the number: it is now that of another person.
    world.load(&[(0, facts(2, "legoff", "lina", 17, 1))]);
    assert_eq!(world.people(), BTreeSet::from([vec![0, 1], vec![2]]));
    assert_eq!(
        world.open_cases(),
        BTreeSet::from([(0, 1, Reason::IneDiffers), (0, 2, Reason::IneContradicted)])
    );
    // Confirmed: the person is whole by a human's word; the number is a question of its own.
    world.decide(0, 1, CaseStatus::Accepted);
    assert_eq!(world.people(), BTreeSet::from([vec![0, 1], vec![2]]));
    world.decide(0, 2, CaseStatus::Accepted);
    assert_eq!(world.people(), BTreeSet::from([vec![0, 1, 2]]));
    assert!(world.open_cases().is_empty());
}

#[test]
fn an_accepted_case_joins_and_closes_what_it_makes_pointless() {
    let mut world = World::new();
    world.load(&[(0, facts(0, "legoff", "lina", 17, 1))]);
    world.load(&[(1, facts(1, "legoff", "lina", 17, 2))]);
    world.load(&[(2, facts(1, "legoff", "lina", 17, 3))]);
    assert_eq!(world.people(), BTreeSet::from([vec![0], vec![1, 2]]));
    assert_eq!(
        world.open_cases(),
        BTreeSet::from([(0, 2, Reason::NamesWithoutIne)])
    );
    world.decide(0, 2, CaseStatus::Accepted);
    assert_eq!(world.people(), BTreeSet::from([vec![0, 1, 2]]));
    assert!(world.open_cases().is_empty());
}

#[test]
fn a_refusal_speaks_for_the_two_persons_and_holds_back_what_would_join_them() {
    let mut world = World::new();
    world.load(&[
        (0, facts(0, "legoff", "lina", 17, 1)),
        (1, facts(1, "legoff", "lina", 17, 2)),
    ]);
    world.decide(0, 1, CaseStatus::Refused);
    // Another record of the second person raises no new question about the first.
    world.load(&[(2, facts(1, "legoff", "lina", 17, 3))]);
    assert_eq!(world.people(), BTreeSet::from([vec![0], vec![1, 2]]));
    assert!(world.open_cases().is_empty());
    // Now the first gets the number of the second: certain, were it not for the human.
    world.load(&[(0, facts(1, "legoff", "lina", 17, 1))]);
    assert!(
        !world
            .people()
            .iter()
            .any(|person| person.contains(&0) && person.contains(&1))
    );
    assert_eq!(world.reconsider_everything(), Resolution::default());
}
