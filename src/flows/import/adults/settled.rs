//! Adults whose identity is known, written: their record, and what the identity shows.

use super::super::Frame;
use super::spool::Adult;
use super::{ImportError, Loading};
use crate::base::id::{AdultRecordId, IdentityId};
use crate::domain::education::Profile;
use crate::domain::identity::{Identity, Status};
use crate::domain::source::{AdultFacts, SourceKey};
use crate::store::adult::{self, AdultRecord};
use crate::store::image::{ADULT_RECORD, IDENTITY};
use crate::store::person::{self, Person};
use crate::store::roster::{self, Lookup};

/// Whose a record is to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Whose {
    /// Somebody who is known.
    Known(IdentityId),
    /// Nobody yet.
    New,
}

pub(super) fn key_of(frame: &Frame, school: &crate::domain::uai::Uai, key: &str) -> SourceKey {
    SourceKey {
        source: frame.feed.source(),
        scope: frame.feed.scope(school),
        key: key.to_owned(),
    }
}

impl Loading<'_, '_> {
    /// Writes an adult as a feed states them; answers their record.
    pub(super) async fn settle(
        &mut self,
        (adult, profile): (&Adult, Profile),
        before: Option<&AdultRecord>,
        whose: Whose,
    ) -> Result<AdultRecord, ImportError> {
        let facts = adult.facts();
        let identity = match whose {
            Whose::Known(identity) => identity,
            Whose::New => self.born(&facts).await?,
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
                return Ok(known.clone());
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
                return Ok(known.clone());
            }
            self.work
                .changes(&ADULT_RECORD, known.created_run, &known.values(), &after.values());
            self.done.counts.adults_changed += u64::from(known.facts != after.facts);
        } else {
            self.done.counts.adults_new += 1;
        }
        adult::save(self.tx, std::slice::from_ref(&after)).await?;
        self.done.wrote = true;
        self.done.affected.insert(identity);
        if before.is_some() {
            self.show(identity, &after.facts).await?;
        }
        Ok(after)
    }

    /// A new identity of an adult.
    async fn born(&mut self, facts: &AdultFacts) -> Result<IdentityId, ImportError> {
        let id = IdentityId::new(self.frame.now, self.work.random);
        let person = Person {
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
        };
        person::insert(self.tx, &[person]).await?;
        Ok(id)
    }

    /// Shows what was said last of an adult, unless the identity is a pupil's as well.
    async fn show(&mut self, identity: IdentityId, facts: &AdultFacts) -> Result<(), ImportError> {
        let records = roster::find(self.tx, Lookup::Identities(vec![identity])).await?;
        if !records.is_empty() {
            return Ok(());
        }
        let found = person::find(self.tx, &[identity]).await?;
        let Some(before) = found.get(&identity) else {
            return Ok(());
        };
        let mut after = before.clone();
        after.identity.family_name.clone_from(&facts.family_name);
        after.identity.usage_name.clone_from(&facts.usage_name);
        after.identity.given_name.clone_from(&facts.given_name);
        after.identity.birth_date = facts.birth_date.or(after.identity.birth_date);
        after.identity.sex = facts.sex.or(after.identity.sex);
        let changes = self
            .work
            .changes(&IDENTITY, before.created_run, &before.values(), &after.values());
        if changes {
            person::refresh(self.tx, &[after]).await?;
        }
        Ok(())
    }
}
