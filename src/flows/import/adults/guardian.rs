//! Who the guardians of a school's pupils are.
//!
//! The key of a feed says it where the feed has one. Otherwise, and across feeds, the children do: an adult of the same
//! names who already answers for one of them is the same adult, where there is one and only one such, and where the
//! source does not itself tell the two apart.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::candidate::Candidates;
use super::child::Child;
use super::settled::{Whose, key_of};
use super::spool::{Adult, AdultsOf, Link};
use super::{ImportError, Loading};
use crate::base::id::{AdultRecordId, IdentityId, SourceRecordId};
use crate::domain::education::Profile;
use crate::domain::source::{Kinship, Source, SourceKey};
use crate::store::adult::{self, AdultRecord, GuardianStatement};
use crate::store::guardianship;
use crate::store::image::{ADULT_RECORD, ENROLMENT, GUARDIAN_STATEMENT, IDENTITY};
use crate::store::membership;
use crate::store::person;
use crate::store::roster::{self, Lookup};

/// Sources whose adults have no key of their own.
pub(super) fn makes_its_keys(source: Source) -> bool {
    matches!(source, Source::Onde | Source::Csv)
}

impl Loading<'_, '_> {
    /// Loads the guardians; answers the children of whom something was said.
    pub(super) async fn guardians(&mut self, adults: &AdultsOf) -> Result<BTreeSet<IdentityId>, ImportError> {
        let children = self.children(&adults.links).await?;
        let mut of: BTreeMap<&str, Vec<(Child, &Link)>> = BTreeMap::new();
        for (link, child) in adults.links.iter().zip(&children) {
            if let Some(child) = child {
                of.entry(&*link.adult).or_default().push((*child, link));
            }
        }
        let everyone: BTreeSet<IdentityId> = children.iter().flatten().map(|child| child.identity).collect();
        let candidates = self.candidates(&everyone).await?;
        let known = self.known(adults).await?;
        let mut with: HashMap<IdentityId, Vec<&str>> = HashMap::new();
        for (key, links) in &of {
            for (child, _) in links {
                with.entry(child.identity).or_default().push(*key);
            }
        }
        let mut rows: BTreeMap<&str, &Adult> = BTreeMap::new();
        for adult in &adults.guardians {
            rows.insert(&*adult.key, adult);
        }
        let mut records: HashMap<&str, AdultRecord> = HashMap::new();
        let mut taken: HashSet<IdentityId> = known.values().map(|record| record.identity).collect();
        for (key, adult) in &rows {
            let Some(theirs) = of.get(key) else {
                self.done.counts.adults_unclear += 1;
                self.complain(
                    (adult.file, adult.line),
                    "responsable dont aucun enfant n'est reconnu dans l'établissement : mis de côté",
                );
                continue;
            };
            let kids: BTreeSet<IdentityId> = theirs.iter().map(|(child, _)| child.identity).collect();
            let facts = adult.facts();
            let generated = makes_its_keys(self.source());
            let others = kids.iter().filter_map(|kid| with.get(kid)).flatten().copied();
            let others: BTreeSet<&str> = others.filter(|other| other != key).collect();
            let doubles: Vec<&str> = others
                .into_iter()
                .filter(|other| {
                    rows.get(other)
                        .is_some_and(|row| row.facts().is_named_like(&facts))
                })
                .collect();
            // A source that has keys tells the two apart; without keys it is one adult who was typed twice.
            if let Some(same) = doubles
                .iter()
                .find_map(|other| records.get(other))
                .filter(|_| generated)
            {
                let same = same.clone();
                records.insert(*key, same);
                continue;
            }
            let has_double = !generated && !doubles.is_empty();
            let alike = candidates.alike(&kids, &facts);
            let own = known.get(*key);
            let record = self
                .one(adult, own, (&alike, &candidates, has_double), &taken)
                .await?;
            taken.insert(record.identity);
            records.insert(*key, record);
        }
        // Adults whom this delivery only ties to a child, and who are known.
        for (key, record) in &known {
            if let Some((key, _)) = of.get_key_value(key.as_str()) {
                records.entry(*key).or_insert_with(|| record.clone());
            }
        }
        self.write().await?;
        self.statements(&of, &records).await?;
        self.done.counts.adults += rows.len() as u64;
        Ok(everyone)
    }

    /// Who one adult is, and their record.
    async fn one(
        &mut self,
        adult: &Adult,
        own: Option<&AdultRecord>,
        (alike, candidates, has_double): (&[IdentityId], &Candidates, bool),
        taken: &HashSet<IdentityId>,
    ) -> Result<AdultRecord, ImportError> {
        let generated = makes_its_keys(self.source());
        // Without keys of its own, what the source said of the same child under the same names it says again.
        let again = alike
            .iter()
            .flat_map(|identity| candidates.keys_of(identity))
            .min_by_key(|record| record.id);
        if let Some(record) = again.filter(|_| generated) {
            let whose = Whose::Known(record.identity);
            return Ok(self.settle((adult, Profile::Guardian), Some(record), whose));
        }
        let others: Vec<IdentityId> = alike
            .iter()
            .filter(|identity| {
                candidates.keys_of(identity).is_empty() && own.is_none_or(|own| own.identity != **identity)
            })
            .copied()
            .collect();
        let only = match others.as_slice() {
            [one] if !has_double => Some(*one),
            _ => None,
        };
        let united = match (own, only) {
            (Some(own), Some(other)) => Some(self.unite(own, other).await?),
            _ => None,
        };
        let own = united.as_ref().or(own);
        let whose = match (own, only) {
            (Some(own), _) => Whose::Known(own.identity),
            (None, Some(one)) if !taken.contains(&one) => {
                self.done.counts.adults_recognised += 1;
                Whose::Known(one)
            }
            (None, _) => Whose::New,
        };
        Ok(self.settle((adult, Profile::Guardian), own, whose))
    }

    /// One adult whom two sources made two: what nobody uses yet goes to the other, the elder where both are unused. Where
    /// both are in use a human has to.
    async fn unite(&mut self, own: &AdultRecord, other: IdentityId) -> Result<AdultRecord, ImportError> {
        // What comes now reads what is kept.
        self.write().await?;
        let both = [own.identity, other];
        let used = person::in_use(self.tx, &both).await?;
        let people = person::find(self.tx, &both).await?;
        let (kept, absorbed) = match (used.contains(&own.identity), used.contains(&other)) {
            (true, true) => {
                self.done.counts.adults_unclear += 1;
                return Ok(own.clone());
            }
            (true, false) => (own.identity, other),
            (false, true) => (other, own.identity),
            (false, false) => (own.identity.min(other), own.identity.max(other)),
        };
        let pupils = roster::find(self.tx, Lookup::Identities(vec![absorbed])).await?;
        let Some(before) = people.get(&absorbed).filter(|_| pupils.is_empty()) else {
            return Ok(own.clone());
        };
        let Ok(status) = before.identity.status.clone().merge(kept) else {
            return Ok(own.clone());
        };
        let mut after = before.clone();
        after.identity.status = status;
        self.work
            .changes(&IDENTITY, before.created_run, &before.values(), &after.values());
        IDENTITY.save(self.tx, vec![after.values()]).await?;
        let mut moved = Vec::new();
        for theirs in adult::find(self.tx, adult::Lookup::Identities(vec![absorbed])).await? {
            let after = AdultRecord {
                identity: kept,
                ..theirs.clone()
            };
            self.work.changes(
                &ADULT_RECORD,
                theirs.created_run,
                &theirs.values(),
                &after.values(),
            );
            moved.push(after);
        }
        adult::save(self.tx, &moved).await?;
        let mut enrolments = Vec::new();
        for row in membership::rows_of_identity(self.tx, absorbed).await? {
            let after = ENROLMENT.with(&row, "identity_id", kept.to_string());
            let made_by = ENROLMENT.text(&row, "created_run").parse().ok();
            self.work.changes(&ENROLMENT, made_by, &row, &after);
            enrolments.push(after);
        }
        ENROLMENT.save(self.tx, enrolments).await?;
        // What follows of the statements is drawn anew for every child of either.
        let children = guardianship::pupils(self.tx, absorbed).await?;
        self.project(children.into_iter().collect()).await?;
        self.done.counts.adults_recognised += 1;
        self.done.wrote = true;
        self.done.affected.insert(kept);
        Ok(AdultRecord {
            identity: kept,
            ..own.clone()
        })
    }

    /// The adults of the delivery that are known by a key of the source's own.
    async fn known(&mut self, adults: &AdultsOf) -> Result<BTreeMap<String, AdultRecord>, ImportError> {
        let mut known = BTreeMap::new();
        if makes_its_keys(self.source()) {
            return Ok(known);
        }
        let keys: BTreeSet<&str> = adults
            .guardians
            .iter()
            .map(|adult| &*adult.key)
            .chain(adults.links.iter().map(|link| &*link.adult))
            .collect();
        let keys: Vec<SourceKey> = keys
            .into_iter()
            .map(|key| key_of(self.frame, self.school, key))
            .collect();
        for keys in keys.chunks(1_000) {
            for record in adult::find(self.tx, adult::Lookup::Keys(keys.to_vec())).await? {
                known.insert(record.key.key.clone(), record);
            }
        }
        Ok(known)
    }

    /// Writes who is said to answer for whom; of the children that are spoken of, what is said no more goes.
    async fn statements(
        &mut self,
        of: &BTreeMap<&str, Vec<(Child, &Link)>>,
        records: &HashMap<&str, AdultRecord>,
    ) -> Result<(), ImportError> {
        let mut stated: BTreeMap<(AdultRecordId, SourceRecordId), GuardianStatement> = BTreeMap::new();
        let mut children: BTreeSet<SourceRecordId> = BTreeSet::new();
        let mut untold = 0;
        for (key, links) in of {
            for (child, link) in links {
                children.insert(child.record);
                let Some(record) = records.get(key) else {
                    untold += 1;
                    continue;
                };
                let statement = GuardianStatement {
                    adult: record.id,
                    pupil: child.record,
                    kinship: link
                        .kinship
                        .as_deref()
                        .and_then(|kinship| kinship.parse::<Kinship>().ok()),
                    legal: link.legal,
                    year: self.frame.year,
                    created_run: Some(self.frame.run),
                };
                stated.insert((record.id, child.record), statement);
            }
        }
        // Links to adults whom neither this delivery nor an earlier one states.
        self.done.counts.adults_unclear += untold;
        let children: Vec<SourceRecordId> = children.into_iter().collect();
        let before = adult::statements_of(self.tx, &children).await?;
        let adults: BTreeSet<AdultRecordId> = before.iter().map(|statement| statement.adult).collect();
        let adults: Vec<AdultRecordId> = adults.into_iter().collect();
        let (source, scope) = (self.source(), self.frame.feed.scope(self.school));
        let ours: HashSet<AdultRecordId> = adult::find(self.tx, adult::Lookup::Ids(adults))
            .await?
            .into_iter()
            .filter(|record| record.key.source == source && record.key.scope == scope)
            .map(|record| record.id)
            .collect();
        let mut gone = Vec::new();
        for known in &before {
            match stated.get_mut(&(known.adult, known.pupil)) {
                Some(same) => {
                    same.created_run = known.created_run;
                    if *same == *known {
                        stated.remove(&(known.adult, known.pupil));
                    } else {
                        self.work.changes(
                            &GUARDIAN_STATEMENT,
                            known.created_run,
                            &known.values(),
                            &same.values(),
                        );
                    }
                }
                None if ours.contains(&known.adult) => gone.push(known),
                None => {}
            }
        }
        // A file that unties more than half of a school's children says more of the file than of the children.
        if gone.len() > 10 && gone.len() * 2 > before.len() {
            self.done.counts.held += gone.len() as u64;
            gone.clear();
        }
        for known in gone {
            self.work.journal.removes(&GUARDIAN_STATEMENT, &known.values());
            let key = GUARDIAN_STATEMENT.key_of(&known.values());
            GUARDIAN_STATEMENT.delete(self.tx, &key).await?;
            self.done.counts.untied += 1;
            self.done.wrote = true;
        }
        let stated: Vec<GuardianStatement> = stated.into_values().collect();
        self.done.counts.tied += stated.len() as u64;
        self.done.wrote |= !stated.is_empty();
        adult::save_statements(self.tx, &stated).await?;
        Ok(())
    }
}
