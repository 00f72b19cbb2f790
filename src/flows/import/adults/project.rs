//! What follows for people of all that feeds say of children: who answers for whom, and who is a guardian in the
//! school.
//!
//! Statements are between records and go where records go; this is drawn anew from them for every child of whom
//! something changed. What a login said stays.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::{ImportError, Loading};
use crate::base::id::{AdultRecordId, IdentityId, SourceRecordId};
use crate::domain::education::Profile;
use crate::store::adult::{self, AdultRecord, GuardianStatement};
use crate::store::image::{ENROLMENT, GUARDIANSHIP};
use crate::store::value::{Value, text};
use crate::store::{guardianship, membership, owner};

impl Loading<'_, '_> {
    /// Draws anew who answers for these children; who did or does.
    pub(super) async fn project(
        &mut self,
        children: BTreeSet<IdentityId>,
    ) -> Result<BTreeSet<IdentityId>, ImportError> {
        let mut concerned = BTreeSet::new();
        if children.is_empty() {
            return Ok(concerned);
        }
        let children: Vec<IdentityId> = children.into_iter().collect();
        let of: HashMap<SourceRecordId, IdentityId> = owner::of_identities(self.tx, &children)
            .await?
            .into_iter()
            .map(|owned| (owned.record, owned.identity))
            .collect();
        let ids: Vec<SourceRecordId> = of.keys().copied().collect();
        let statements = adult::statements_of(self.tx, &ids).await?;
        let adults: BTreeSet<AdultRecordId> = statements.iter().map(|statement| statement.adult).collect();
        let adults: HashMap<AdultRecordId, AdultRecord> =
            adult::find(self.tx, adult::Lookup::Ids(adults.into_iter().collect()))
                .await?
                .into_iter()
                .map(|record| (record.id, record))
                .collect();
        let mut wanted: BTreeMap<(IdentityId, IdentityId), (&AdultRecord, &GuardianStatement)> =
            BTreeMap::new();
        for statement in &statements {
            let (Some(adult), Some(child)) = (adults.get(&statement.adult), of.get(&statement.pupil)) else {
                continue;
            };
            if adult.identity == *child {
                continue;
            }
            let pair = (adult.identity, *child);
            // Of several feeds, the one that says most, then the latest year, then by name: never by order of arrival.
            let rank = |(adult, statement): (&AdultRecord, &GuardianStatement)| {
                let says = u8::from(statement.kinship.is_some()) + u8::from(statement.legal.is_some());
                (says, statement.year, adult.key.clone())
            };
            let better = wanted
                .get(&pair)
                .is_none_or(|known| rank(*known) < rank((adult, statement)));
            if better {
                wanted.insert(pair, (adult, statement));
            }
        }
        let mut saved = Vec::new();
        for row in guardianship::rows_of_pupils(self.tx, &children).await? {
            let pair = (
                GUARDIANSHIP.text(&row, "guardian_id").parse(),
                GUARDIANSHIP.text(&row, "pupil_id").parse(),
            );
            let (Ok(guardian), Ok(pupil)) = pair else { continue };
            concerned.insert(guardian);
            let made_by = GUARDIANSHIP.text(&row, "created_run").parse().ok();
            match wanted.remove(&(guardian, pupil)) {
                Some((_, statement)) => {
                    let after = described(&row, statement);
                    if self.work.changes(&GUARDIANSHIP, made_by, &row, &after) {
                        saved.push(after);
                    }
                }
                // By a login, not by a feed.
                None if made_by.is_none() => {}
                None => {
                    self.work.journal.removes(&GUARDIANSHIP, &row);
                    GUARDIANSHIP.delete(self.tx, &GUARDIANSHIP.key_of(&row)).await?;
                    self.done.affected.insert(guardian);
                    self.done.wrote = true;
                }
            }
        }
        for ((guardian, pupil), (adult, statement)) in wanted {
            concerned.insert(guardian);
            let row = vec![
                text(guardian),
                text(pupil),
                text(adult.key.source),
                self.frame.now.into(),
                Value::Text(None),
                Value::Bool(None),
                text(self.frame.run),
            ];
            // The audit says it with the school (`tied`), as it does of pupils: an academy has two million pairs.
            saved.push(described(&row, statement));
        }
        self.done.wrote |= !saved.is_empty();
        GUARDIANSHIP.save(self.tx, saved).await?;
        Ok(concerned)
    }

    /// Who answers for a pupil of the school is a guardian there; who did by this source and does no more is not. `among` are those
    /// whom changes are about: the others are as they were.
    pub(super) async fn enrol_guardians(
        &mut self,
        among: Option<BTreeSet<IdentityId>>,
    ) -> Result<(), ImportError> {
        let (source, year, school) = (self.source(), self.frame.year, self.school);
        let (adults, known) = match among {
            Some(people) => {
                let people: Vec<IdentityId> = people.into_iter().collect();
                let adults = adult::guardians_among(self.tx, &people, school, year, source).await?;
                let known = adult::guardian_enrolments_among(self.tx, &people, school, year, source).await?;
                (adults, known)
            }
            None => {
                let adults = adult::guardians(self.tx, school, year, source).await?;
                let known = adult::guardian_enrolments(self.tx, school, year, source).await?;
                (adults, known)
            }
        };
        let present: HashSet<IdentityId> = adults.iter().map(|(_, identity)| *identity).collect();
        let end: Value = self.frame.year.overlap_end().into();
        let mut enrolled: HashSet<IdentityId> = HashSet::new();
        let mut changed = Vec::new();
        for row in known {
            let Ok(identity) = ENROLMENT.text(&row, "identity_id").parse::<IdentityId>() else {
                continue;
            };
            let is_there = present.contains(&identity);
            enrolled.extend(is_there.then_some(identity));
            let is_live =
                ENROLMENT.text(&row, "ends_on") >= self.frame.year.overlap_end().to_string().as_str();
            let ends: Value = match (is_there, is_live) {
                (true, true) | (false, false) => continue,
                (true, false) => end.clone(),
                (false, true) => self.frame.today.into(),
            };
            let after = ENROLMENT.with(&row, "ends_on", ends);
            let made_by = ENROLMENT.text(&row, "created_run").parse().ok();
            self.work.changes(&ENROLMENT, made_by, &row, &after);
            changed.push(after);
            self.done.affected.insert(identity);
        }
        self.done.wrote |= !changed.is_empty();
        ENROLMENT.save(self.tx, changed).await?;
        let missing: Vec<(AdultRecordId, IdentityId)> = adults
            .into_iter()
            .filter(|(_, identity)| enrolled.insert(*identity))
            .collect();
        let ids: Vec<IdentityId> = missing.iter().map(|(_, identity)| *identity).collect();
        let there = self.guardians_here(&ids).await?;
        let mut new = Vec::new();
        for (adult, identity) in missing.into_iter().filter(|(_, who)| !there.contains(who)) {
            new.push((adult, self.enrolment(identity, Profile::Guardian, None)));
        }
        self.done.wrote |= !new.is_empty();
        adult::enrol(self.tx, new, self.frame.run).await?;
        Ok(())
    }

    /// Those of the people who are guardians in the school today, whoever said it.
    async fn guardians_here(&mut self, ids: &[IdentityId]) -> Result<HashSet<IdentityId>, ImportError> {
        let (year, today) = (i64::from(self.frame.year.first()), self.frame.today.to_string());
        let mut here = HashSet::new();
        for row in membership::rows_of_identities(self.tx, ids).await? {
            let is_here = ENROLMENT.text(&row, "uai") == self.school.as_str()
                && ENROLMENT.text(&row, "profile") == Profile::Guardian.as_str()
                && ENROLMENT.number(&row, "year") == year
                && ENROLMENT.text(&row, "starts_on") <= today.as_str()
                && today.as_str() < ENROLMENT.text(&row, "ends_on");
            if is_here {
                here.extend(ENROLMENT.text(&row, "identity_id").parse::<IdentityId>());
            }
        }
        Ok(here)
    }
}

/// A row with what a feed says the adult is to the child.
fn described(row: &[Value], statement: &GuardianStatement) -> Vec<Value> {
    let kinship: Value = statement
        .kinship
        .map(|kinship| kinship.as_str().to_owned())
        .into();
    let row = GUARDIANSHIP.with(row, "kinship", kinship);
    GUARDIANSHIP.with(&row, "legal", Value::Bool(statement.legal))
}
