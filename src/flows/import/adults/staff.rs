//! Who works in a school, and teaches which class.
//!
//! A record of staff is found by its key, of either degree (an academy numbers its staff once), else by names and birth
//! date among the staff of the same school. Names alone link nobody.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::settled::{Whose, key_of};
use super::spool::Staff;
use super::{ImportError, Loading};
use crate::base::id::{AdultRecordId, ClassGroupId, IdentityId};
use crate::domain::education::Profile;
use crate::domain::source::{Source, SourceKey};
use crate::store::adult::{self, AdultRecord, Lookup};
use crate::store::image::ENROLMENT;
use crate::store::membership;
use crate::store::value::Value;

/// Fewer than this may always leave at once.
const FEW: usize = 5;

impl Loading<'_, '_> {
    /// Loads the staff.
    pub(super) async fn staff(&mut self, staff: &[Staff], partial: bool) -> Result<(), ImportError> {
        let classes = self.classes().await?;
        let keys: Vec<SourceKey> = staff
            .iter()
            .map(|one| key_of(self.frame, self.school, &one.adult.key))
            .collect();
        let mut known: HashMap<String, AdultRecord> = HashMap::new();
        for record in adult::find(self.tx, Lookup::Keys(keys.clone())).await? {
            known.insert(record.key.key.clone(), record);
        }
        let elsewhere = self.elsewhere(&keys).await?;
        let colleagues = self.colleagues().await?;
        let mut wanted: BTreeMap<(IdentityId, String, String), AdultRecordId> = BTreeMap::new();
        for one in staff {
            let profiles: Vec<Profile> = one
                .profiles
                .iter()
                .filter_map(|profile| profile.parse().ok())
                .collect();
            let Some(main) = profiles.first().copied() else {
                continue;
            };
            let before = known.get(&one.adult.key);
            let whose = match before {
                Some(record) => Whose::Known(record.identity),
                None => self.whose(one, &elsewhere, &colleagues),
            };
            if before.is_none() && whose != Whose::New {
                self.done.counts.adults_recognised += 1;
            }
            let record = self.settle((&one.adult, main), before, whose);
            known.insert(one.adult.key.clone(), record.clone());
            for profile in &profiles {
                let place = (record.identity, profile.as_str().to_owned(), String::new());
                wanted.insert(place, record.id);
            }
            let teaches = profiles
                .iter()
                .copied()
                .find(|profile| *profile == Profile::Teacher)
                .unwrap_or(main);
            for (key, _) in &one.classes {
                match classes.get(key) {
                    Some(class) => {
                        let place = (record.identity, teaches.as_str().to_owned(), class.to_string());
                        wanted.insert(place, record.id);
                    }
                    None => self.done.counts.adults_unclear += 1,
                }
            }
        }
        self.write().await?;
        self.done.counts.adults += staff.len() as u64;
        self.enrol_staff(wanted, partial).await
    }

    /// Whose a record is that is not known by its key.
    fn whose(
        &self,
        one: &Staff,
        elsewhere: &HashMap<String, AdultRecord>,
        colleagues: &[AdultRecord],
    ) -> Whose {
        let facts = one.adult.facts();
        if let Some(same) = elsewhere.get(&one.adult.key)
            && same.facts.is_named_like(&facts)
        {
            return Whose::Known(same.identity);
        }
        let Some(birth) = facts.birth_date else {
            return Whose::New;
        };
        let alike: BTreeSet<IdentityId> = colleagues
            .iter()
            .filter(|other| other.facts.birth_date == Some(birth) && other.facts.is_named_like(&facts))
            .map(|other| other.identity)
            .collect();
        match alike.into_iter().collect::<Vec<_>>().as_slice() {
            [one] => Whose::Known(*one),
            _ => Whose::New,
        }
    }

    /// The same keys in the feed of the other degree.
    async fn elsewhere(&mut self, keys: &[SourceKey]) -> Result<HashMap<String, AdultRecord>, ImportError> {
        let other = match self.source() {
            Source::Aaf1d => Source::Aaf2d,
            Source::Aaf2d => Source::Aaf1d,
            _ => return Ok(HashMap::new()),
        };
        let keys = keys
            .iter()
            .map(|key| SourceKey {
                source: other,
                ..key.clone()
            })
            .collect();
        let found = adult::find(self.tx, Lookup::Keys(keys)).await?;
        Ok(found
            .into_iter()
            .map(|record| (record.key.key.clone(), record))
            .collect())
    }

    /// The staff whom other sources state in the school this year.
    async fn colleagues(&mut self) -> Result<Vec<AdultRecord>, ImportError> {
        let mut ids: BTreeSet<AdultRecordId> = BTreeSet::new();
        for source in [Source::Sts, Source::Aaf2d, Source::Aaf1d, Source::OneRoster] {
            if source == self.source() {
                continue;
            }
            let enrolled = adult::staff_enrolments(self.tx, self.school, self.frame.year, source).await?;
            ids.extend(enrolled.into_iter().map(|(adult, _)| adult));
        }
        Ok(adult::find(self.tx, Lookup::Ids(ids.into_iter().collect())).await?)
    }

    /// The classes of the school by the keys that the feed calls them, those of its own pupils first.
    async fn classes(&mut self) -> Result<HashMap<String, ClassGroupId>, ImportError> {
        let mut classes = HashMap::new();
        for source in [self.source(), Source::Siecle, Source::Aaf2d, Source::Aaf1d] {
            for class in membership::classes(self.tx, self.school, self.frame.year, source).await? {
                classes.entry(class.key).or_insert(class.id);
            }
        }
        Ok(classes)
    }

    /// Makes the enrolments of the staff what they are said to be.
    async fn enrol_staff(
        &mut self,
        mut wanted: BTreeMap<(IdentityId, String, String), AdultRecordId>,
        partial: bool,
    ) -> Result<(), ImportError> {
        let (end, today, source) = (self.frame.year.overlap_end(), self.frame.today, self.source());
        let known = adult::staff_enrolments(self.tx, self.school, self.frame.year, source).await?;
        let (mut changed, mut leaving) = (Vec::new(), Vec::new());
        for (_, row) in &known {
            let Ok(identity) = ENROLMENT.text(row, "identity_id").parse::<IdentityId>() else {
                continue;
            };
            let place = (
                identity,
                ENROLMENT.text(row, "profile").to_owned(),
                ENROLMENT.text(row, "class_id").to_owned(),
            );
            let is_live = ENROLMENT.text(row, "ends_on") >= end.to_string().as_str();
            match (wanted.remove(&place), is_live) {
                (Some(_), false) => changed.push((identity, row, ENROLMENT.with(row, "ends_on", end))),
                (None, true) => leaving.push((identity, row, ENROLMENT.with(row, "ends_on", today))),
                _ => {}
            }
        }
        // Half of a school's staff does not leave in a night, and changes only say who came.
        if partial || self.frame.delta || (leaving.len() > FEW && leaving.len() * 2 > known.len()) {
            self.done.counts.held += leaving.len() as u64;
            leaving.clear();
        }
        let mut saved = Vec::new();
        for (identity, before, after) in changed.into_iter().chain(leaving) {
            let made_by = ENROLMENT.text(before, "created_run").parse().ok();
            self.work.changes(&ENROLMENT, made_by, before, &after);
            self.done.affected.insert(identity);
            saved.push(after);
        }
        self.done.wrote |= !saved.is_empty();
        ENROLMENT.save(self.tx, saved).await?;
        let mut new: Vec<(AdultRecordId, Vec<Value>)> = Vec::new();
        for ((identity, profile, class), adult) in wanted {
            let Ok(profile) = profile.parse::<Profile>() else {
                continue;
            };
            let class = Some(class).filter(|class| !class.is_empty());
            new.push((adult, self.enrolment(identity, profile, class)));
        }
        self.done.wrote |= !new.is_empty();
        adult::enrol(self.tx, new, self.frame.run).await?;
        Ok(())
    }
}
