//! Adults whose identity is known: their record, and what the identity shows. They are written together, in a few statements
//! for a whole school.

use std::collections::{BTreeMap, HashSet};

use super::super::Frame;
use super::spool::Adult;
use super::{ImportError, Loading};
use crate::base::id::{AdultRecordId, IdentityId};
use crate::domain::education::Profile;
use crate::domain::identity::{Identity, Status};
use crate::domain::source::{AdultFacts, SourceKey};
use crate::store::adult::{self, AdultRecord};
use crate::store::image::{ADULT_RECORD, IDENTITY};
use crate::store::owner;
use crate::store::person::{self, Person};

/// Whose a record is to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Whose {
    /// Somebody who is known.
    Known(IdentityId),
    /// Nobody yet.
    New,
}

/// What is settled and not written yet.
#[derive(Debug, Default)]
pub(super) struct Pending {
    /// New identities.
    born: Vec<Person>,
    /// Records, new or changed, as they were settled last.
    records: BTreeMap<AdultRecordId, AdultRecord>,
    /// What identities are to show, in the order it was said.
    shown: Vec<(IdentityId, AdultFacts)>,
}

pub(super) fn key_of(frame: &Frame, school: &crate::domain::uai::Uai, key: &str) -> SourceKey {
    SourceKey {
        source: frame.feed.source(),
        scope: frame.feed.scope(school),
        key: key.to_owned(),
    }
}

impl Loading<'_, '_> {
    /// Takes an adult as a feed states them, to be written by [`Self::write`]; answers their record.
    pub(super) fn settle(
        &mut self,
        (adult, profile): (&Adult, Profile),
        before: Option<&AdultRecord>,
        whose: Whose,
    ) -> AdultRecord {
        let facts = adult.facts();
        let identity = match whose {
            Whose::Known(identity) => identity,
            Whose::New => self.born(&facts),
        };
        let id = before.map_or_else(
            || AdultRecordId::new(self.frame.now, self.work.random),
            |known| known.id,
        );
        let key = match before {
            Some(known) => known.key.clone(),
            // Keys that are made of names tell rows of one file apart and nothing else: two adults may have the same.
            None if super::guardian::makes_its_keys(self.source()) => {
                key_of(self.frame, self.school, &format!("{}#{id}", adult.key))
            }
            None => key_of(self.frame, self.school, &adult.key),
        };
        let mut after = AdultRecord {
            id,
            key,
            identity,
            profile,
            school: self.school.clone(),
            year: self.frame.year,
            facts: facts.clone(),
            file: self.file(adult.file).to_string(),
            line: i64::try_from(adult.line).unwrap_or(i64::MAX),
            created_run: before.map_or(Some(self.frame.run), |known| known.created_run),
        };
        after.facts.sex = facts.sex.or(before.and_then(|known| known.facts.sex));
        after.facts.birth_date = facts
            .birth_date
            .or(before.and_then(|known| known.facts.birth_date));
        if let Some(known) = before {
            // What a later year says of somebody stands.
            if known.year > self.frame.year {
                self.done.affected.insert(identity);
                return known.clone();
            }
            // Where it stands in a file, and in which of several schools, is no change by itself.
            let same = AdultRecord {
                file: known.file.clone(),
                line: known.line,
                school: known.school.clone(),
                profile: known.profile,
                ..after.clone()
            };
            if same == *known {
                self.done.affected.insert(identity);
                return known.clone();
            }
            self.work
                .changes(&ADULT_RECORD, known.created_run, &known.values(), &after.values());
            self.done.counts.adults_changed += u64::from(known.facts != after.facts);
        } else {
            self.done.counts.adults_new += 1;
        }
        self.pending.records.insert(id, after.clone());
        self.done.wrote = true;
        self.done.affected.insert(identity);
        if before.is_some() {
            self.pending.shown.push((identity, after.facts.clone()));
        }
        after
    }

    /// Writes what was settled.
    pub(super) async fn write(&mut self) -> Result<(), ImportError> {
        let Pending { born, records, shown } = std::mem::take(&mut self.pending);
        person::insert(self.tx, &born).await?;
        let records: Vec<AdultRecord> = records.into_values().collect();
        adult::save(self.tx, &records).await?;
        self.show(&shown).await
    }

    /// A new identity of an adult.
    fn born(&mut self, facts: &AdultFacts) -> IdentityId {
        let id = IdentityId::new(self.frame.now, self.work.random);
        self.born.insert(id);
        self.pending.born.push(Person {
            identity: Identity {
                id,
                status: Status::Active,
                family_name: facts.family_name.clone(),
                usage_name: facts.usage_name.clone(),
                given_name: facts.given_name.clone(),
                birth_date: facts.birth_date,
                sex: facts.sex,
                username: None,
                locale: None,
                created_at: self.frame.now,
            },
            created_run: Some(self.frame.run),
        });
        id
    }

    /// Shows what was said last of adults, unless the identity is a pupil's as well.
    async fn show(&mut self, shown: &[(IdentityId, AdultFacts)]) -> Result<(), ImportError> {
        if shown.is_empty() {
            return Ok(());
        }
        let ids: Vec<IdentityId> = shown.iter().map(|(identity, _)| *identity).collect();
        let pupils = owner::of_identities(self.tx, &ids).await?;
        let pupils: HashSet<IdentityId> = pupils.iter().map(|owned| owned.identity).collect();
        let mut people = person::find(self.tx, &ids).await?;
        let mut changed = BTreeMap::new();
        for (identity, facts) in shown {
            let Some(person) = people.get_mut(identity).filter(|_| !pupils.contains(identity)) else {
                continue;
            };
            let before = person.clone();
            let after = &mut person.identity;
            after.family_name.clone_from(&facts.family_name);
            after.usage_name.clone_from(&facts.usage_name);
            after.given_name.clone_from(&facts.given_name);
            after.birth_date = facts.birth_date.or(after.birth_date);
            after.sex = facts.sex.or(after.sex);
            let (before, after) = ((before.created_run, before.values()), person.values());
            if self.work.changes(&IDENTITY, before.0, &before.1, &after) {
                changed.insert(*identity, person.clone());
            }
        }
        let changed: Vec<Person> = changed.into_values().collect();
        person::refresh(self.tx, &changed).await?;
        Ok(())
    }
}
