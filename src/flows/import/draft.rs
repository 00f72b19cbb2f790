//! What a feed changes in one school, before anybody is recognised: records, enrolments and classes, each as it was and
//! as it is to be. Pure but for new ids.
//!
//! A year never touches the enrolments of another: the feeds of two years stand side by side from June to September.
//! Facts are taken from the most recent year that states them, whatever was loaded last.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::Frame;
use super::absence::{Absence, Around, is_live};
use super::guard::Figures;
use super::report::Counts;
use super::situation::{Situation, key_of};
use super::spool::Row;
use crate::base::id::{ClassGroupId, EnrolmentId, IdentityId, SourceRecordId};
use crate::base::random::Random;
use crate::base::secret::{SecretError, Vault};
use crate::base::time::Date;
use crate::continuum::facts::{Facts, Record};
use crate::continuum::name::Name;
use crate::continuum::neighbourhood::Touched;
use crate::continuum::rekey::{Keyed, assign};
use crate::domain::education::{Profile, grade};
use crate::domain::ine::Ine;
use crate::domain::source::{PersonFacts, Source};
use crate::domain::uai::Uai;
use crate::flows::recognition::look;
use crate::store::membership::{Membership, StatedClass};
use crate::store::roster::{LinkedBy, StoredRecord};

/// What a feed changes in one school.
#[derive(Debug, Default)]
pub(super) struct Draft {
    /// Records that are not known; their identity stands for nobody yet.
    pub(super) new: Vec<StoredRecord>,
    /// Records that change, before and after.
    pub(super) changed: Vec<(StoredRecord, StoredRecord)>,
    /// Numbers to be sealed, by record.
    pub(super) numbers: Vec<(SourceRecordId, Ine)>,
    /// New enrolments; those of new records have their identity's place to be filled.
    pub(super) enrolled: Vec<Membership>,
    /// Enrolments that change, before and after.
    pub(super) reenrolled: Vec<(Membership, Membership)>,
    /// Classes, before (where known) and after.
    pub(super) classes: Vec<(Option<StatedClass>, StatedClass)>,
    /// Records that recognition must look at.
    pub(super) touched: Vec<Touched>,
    pub(super) counts: Counts,
    pub(super) figures: Figures,
}

/// Draws up what changes in a school.
pub(super) struct Drawing<'a> {
    pub(super) frame: &'a Frame,
    pub(super) school: &'a Uai,
    pub(super) around: Around<'a>,
    pub(super) vault: &'a Vault,
    pub(super) random: &'a dyn Random,
}

impl Drawing<'_> {
    /// Draws.
    pub(super) fn draw(&self, rows: &[Row], situation: &Situation) -> Result<Draft, SecretError> {
        let mut draft = Draft::default();
        let classes = self.classes(rows, situation, &mut draft);
        let keyed = rows
            .iter()
            .map(|row| {
                let facts = self.facts(row)?;
                Ok(Keyed {
                    key: row.key.clone(),
                    facts,
                })
            })
            .collect::<Result<Vec<Keyed>, SecretError>>()?;
        let known: Vec<Keyed> = situation.records.iter().map(keyed_record).collect();
        let mut memberships: HashMap<SourceRecordId, Vec<&Membership>> = HashMap::new();
        for membership in &situation.memberships {
            memberships.entry(membership.record).or_default().push(membership);
        }
        let mut stated: HashSet<SourceRecordId> = HashSet::new();
        let assigned = assign(self.frame.feed.source(), &keyed, &known);
        for ((row, keyed), assigned) in rows.iter().zip(keyed).zip(assigned) {
            let class = row
                .class
                .as_ref()
                .and_then(|class| classes.get(&*class.key))
                .copied();
            let record = assigned.record.and_then(|at| situation.records.get(at));
            match record {
                Some(before) => {
                    stated.insert(before.id);
                    let theirs = memberships.get(&before.id).map_or(&[][..], Vec::as_slice);
                    self.known(
                        &mut draft,
                        before,
                        theirs,
                        (row, keyed.facts, assigned.key, class),
                    );
                }
                None => self.unknown(&mut draft, (row, keyed.facts, assigned.key, class)),
            }
        }
        self.absent(&mut draft, situation, &stated);
        self.size(&mut draft, rows, situation);
        Ok(draft)
    }

    fn size(&self, draft: &mut Draft, rows: &[Row], situation: &Situation) {
        draft.counts.stated = rows.len() as u64;
        draft.figures.stated = rows.len() as u64;
        draft.figures.first_load = !situation
            .memberships
            .iter()
            .any(|membership| membership.school == *self.school);
    }

    fn facts(&self, row: &Row) -> Result<Facts, SecretError> {
        let person = &row.facts;
        let ine = match &person.ine {
            Some(ine) => Some(look::ine(self.vault, ine)?),
            None => None,
        };
        let family = Name::new(&person.family_name);
        let usage = person.usage_name.as_deref().map(Name::new);
        let school = self.school.clone();
        Ok(Facts {
            ine,
            usage: usage.filter(|usage| !usage.is_empty() && usage.key() != family.key()),
            family,
            given: Name::new(&person.given_name),
            others: person.other_names.iter().map(|name| Name::new(name)).collect(),
            birth_date: person.birth_date,
            sex: person.sex,
            source: self.frame.feed.source(),
            scope: self.frame.feed.scope(self.school).into(),
            year: self.frame.year,
            previous_school: row.previous_school.clone(),
            grade: row.level.as_deref().and_then(grade),
            school,
            // Those who answer for a child come after it.
            guardians: Box::default(),
        })
    }

    /// The classes of the rows, new or with another label or level; answers their ids by key.
    fn classes<'r>(
        &self,
        rows: &'r [Row],
        situation: &Situation,
        draft: &mut Draft,
    ) -> HashMap<&'r str, ClassGroupId> {
        let mut stated: BTreeMap<&str, (&str, BTreeMap<&str, u32>)> = BTreeMap::new();
        for row in rows {
            let Some(class) = &row.class else { continue };
            let (_, levels) = stated
                .entry(&class.key)
                .or_insert_with(|| (&class.label, BTreeMap::new()));
            if let Some(level) = &row.level {
                *levels.entry(level).or_default() += 1;
            }
        }
        let mut ids = HashMap::new();
        for (key, (label, levels)) in stated {
            let known = situation.classes.iter().find(|class| class.key == key);
            // Of several levels with as many pupils, the first by name: never the first in the file.
            let most = levels
                .iter()
                .max_by(|one, two| one.1.cmp(two.1).then(two.0.cmp(one.0)));
            let mut level = most.map(|(level, _)| (*level).to_owned());
            // Changes name a few pupils of a class.
            if let Some(class) = known.filter(|_| self.frame.delta) {
                level.clone_from(&class.level);
            }
            let id = known.map_or_else(
                || ClassGroupId::new(self.frame.now, self.random),
                |class| class.id,
            );
            let after = StatedClass {
                id,
                school: self.school.clone(),
                year: self.frame.year,
                source: self.frame.feed.source(),
                key: key.to_owned(),
                label: label.to_owned(),
                level,
                created_run: known.map_or(Some(self.frame.run), |class| class.created_run),
            };
            ids.insert(key, id);
            if known != Some(&after) {
                draft.counts.classes += 1;
                draft.classes.push((known.cloned(), after));
            }
        }
        ids
    }

    fn unknown(&self, draft: &mut Draft, stated: Stated<'_>) {
        let (row, facts, key, class) = stated;
        let id = SourceRecordId::new(self.frame.now, self.random);
        let record = StoredRecord {
            id,
            key: key_of(&self.frame.feed, self.school, &key),
            identity: IdentityId::new(self.frame.now, self.random),
            profile: Profile::Pupil,
            school: self.school.clone(),
            year: self.frame.year,
            family_name: row.facts.family_name.clone(),
            usage_name: row.facts.usage_name.clone(),
            given_name: row.facts.given_name.clone(),
            other_names: other_names(&row.facts),
            birth_date: row.facts.birth_date,
            sex: row.facts.sex,
            given_key: row.facts.given_key(),
            household_key: row.facts.household_key(),
            ine_index: facts.ine.map(|ine| ine.whole),
            ine_sealed: None,
            linked_by: LinkedBy::New,
            missing_since: None,
            file: self.file(row),
            line: line(row),
            created_run: Some(self.frame.run),
            attachment: row.attachment.clone(),
            previous_school: facts.previous_school.clone(),
            grade: facts.grade.map(i64::from),
            ordinal: ordinal(row),
            ine_pieces: facts.ine.as_ref().map(look::kept_pieces),
            blocks: look::blocks(&facts),
            guardians: Vec::new(),
        };
        draft.counts.new += 1;
        draft.numbers.extend(row.facts.ine.clone().map(|ine| (id, ine)));
        draft.enrolled.push(self.enrolment(&record, row, class));
        draft.touched.push(Touched {
            now: Record {
                id,
                identity: None,
                facts,
            },
            before: None,
        });
        draft.new.push(record);
    }

    fn known(
        &self,
        draft: &mut Draft,
        before: &StoredRecord,
        memberships: &[&Membership],
        stated: Stated<'_>,
    ) {
        let (row, facts, key, class) = stated;
        let mut after = before.clone();
        let mut changed = false;
        // What a later year says of the person stands.
        if before.year <= self.frame.year {
            after.key = key_of(&self.frame.feed, self.school, &key);
            after.school = self.school.clone();
            after.year = self.frame.year;
            after.missing_since = None;
            changed = restate(&mut after, row, &facts);
        }
        // A file without a number says nothing about it: one that is known stays, one that was missing is taken.
        let whole = facts.ine.map(|ine| ine.whole);
        if whole.is_some() && whole != before.ine_index {
            let newer = before.year <= self.frame.year;
            if newer || before.ine_index.is_none() {
                after.ine_index = whole;
                after.ine_pieces = facts.ine.as_ref().map(look::kept_pieces);
                after.ine_sealed = None;
                changed = true;
                draft
                    .numbers
                    .extend(row.facts.ine.clone().map(|ine| (before.id, ine)));
            }
        }
        let (were, are) = (look::facts(before), look::facts(&after));
        if were != are {
            draft.touched.push(Touched {
                now: Record {
                    id: before.id,
                    identity: Some(before.identity),
                    facts: are,
                },
                before: Some(were),
            });
        }
        if changed {
            draft.counts.changed += 1;
            (after.file, after.line, after.ordinal) = (self.file(row), line(row), ordinal(row));
        }
        let mut quiet = after == *before;
        if !quiet {
            draft.changed.push((before.clone(), after));
        }
        let here = memberships.iter().find(|theirs| theirs.school == *self.school);
        match here {
            Some(theirs) => quiet &= !self.again(draft, theirs, row, class),
            None => {
                quiet = false;
                draft.enrolled.push(self.enrolment(before, row, class));
                if memberships.is_empty() && before.year < self.frame.year {
                    draft.counts.entering += 1;
                }
            }
        }
        if before.year <= self.frame.year {
            self.leave_others(draft, memberships, here.is_none());
        }
        draft.counts.unchanged += u64::from(quiet);
    }

    /// Somebody who comes from another school leaves it.
    fn leave_others(&self, draft: &mut Draft, memberships: &[&Membership], arrives: bool) {
        let others = || memberships.iter().filter(|theirs| theirs.school != *self.school);
        if arrives && others().next().is_some() {
            draft.counts.moved += 1;
        }
        for theirs in others().filter(|theirs| is_live(self.frame, theirs.ends_on)) {
            draft
                .reenrolled
                .push(((*theirs).clone(), ended(theirs, self.frame.today)));
        }
    }

    /// Somebody who is or was in the school this year; whether anything changes.
    fn again(&self, draft: &mut Draft, before: &Membership, row: &Row, class: Option<ClassGroupId>) -> bool {
        let mut after = before.clone();
        after.class = class;
        after.level.clone_from(&row.level);
        after.ends_on = self.frame.year.overlap_end();
        if after == *before {
            return false;
        }
        draft.counts.returning += u64::from(after.ends_on != before.ends_on);
        draft.counts.moved += u64::from(after.class != before.class);
        draft.reenrolled.push((before.clone(), after));
        true
    }

    /// Those whom the file no longer states.
    fn absent(&self, draft: &mut Draft, situation: &Situation, stated: &HashSet<SourceRecordId>) {
        let records: HashMap<SourceRecordId, &StoredRecord> = situation
            .records
            .iter()
            .map(|record| (record.id, record))
            .collect();
        let here = situation.memberships.iter().filter(|membership| {
            membership.school == *self.school && is_live(self.frame, membership.ends_on)
        });
        for membership in here {
            draft.figures.live += 1;
            if stated.contains(&membership.record) {
                continue;
            }
            let record = records.get(&membership.record);
            let key = record.map(|record| &*record.key.key);
            match self.around.absence(self.frame, key) {
                Absence::Stays => continue,
                Absence::SetAside => {
                    draft.counts.held += 1;
                    continue;
                }
                Absence::Elsewhere => {
                    let gone = ended(membership, self.frame.today);
                    draft.reenrolled.push((membership.clone(), gone));
                    continue;
                }
                Absence::Absent => {}
            }
            draft.figures.absent += 1;
            if self.around.marred && !self.frame.delta {
                draft.counts.held += 1;
                continue;
            }
            draft.counts.departing += 1;
            let gone = ended(membership, self.frame.today);
            draft.reenrolled.push((membership.clone(), gone));
            if let Some(record) = record.filter(|record| record.year == self.frame.year) {
                let mut after = (*record).clone();
                after.missing_since = after.missing_since.or(Some(self.frame.now));
                draft.changed.push(((*record).clone(), after));
            }
        }
    }

    fn enrolment(&self, record: &StoredRecord, row: &Row, class: Option<ClassGroupId>) -> Membership {
        Membership {
            id: EnrolmentId::new(self.frame.now, self.random),
            identity: record.identity,
            record: record.id,
            school: self.school.clone(),
            class,
            level: row.level.clone(),
            profile: Profile::Pupil,
            year: self.frame.year,
            starts_on: self.frame.today,
            ends_on: self.frame.year.overlap_end(),
            created_run: Some(self.frame.run),
        }
    }

    fn file(&self, row: &Row) -> String {
        let name = usize::try_from(row.file)
            .ok()
            .and_then(|at| self.frame.files.get(at));
        name.map_or_else(String::new, ToString::to_string)
    }
}

/// A row with its facts, its key from now on, and its class.
type Stated<'a> = (&'a Row, Facts, String, Option<ClassGroupId>);

fn keyed_record(record: &StoredRecord) -> Keyed {
    Keyed {
        key: record.key.key.clone(),
        facts: look::facts(record),
    }
}

/// Takes what a row says of a person, but for the number; whether any of it is new.
fn restate(after: &mut StoredRecord, row: &Row, facts: &Facts) -> bool {
    let (before, person) = (after.clone(), &row.facts);
    after.family_name.clone_from(&person.family_name);
    after.usage_name.clone_from(&person.usage_name);
    after.given_name.clone_from(&person.given_name);
    after.other_names = other_names(person);
    after.birth_date = person.birth_date;
    after.sex = person.sex.or(before.sex);
    // ONDE states no number: one that came otherwise, by a human's word or the pupil's own login, stays.
    if after.key.source != Source::Onde {
        after.attachment.clone_from(&row.attachment);
    }
    after.given_key = person.given_key();
    after.household_key = person.household_key();
    after.previous_school.clone_from(&facts.previous_school);
    after.grade = facts.grade.map(i64::from);
    after.blocks = look::blocks(facts);
    *after != before
}

fn ended(membership: &Membership, today: Date) -> Membership {
    let mut after = membership.clone();
    after.ends_on = today;
    after
}

fn other_names(person: &PersonFacts) -> String {
    serde_json::Value::from(person.other_names.clone()).to_string()
}

fn ordinal(row: &Row) -> Option<i64> {
    row.ordinal.and_then(|ordinal| i64::try_from(ordinal).ok())
}

fn line(row: &Row) -> i64 {
    i64::try_from(row.line).unwrap_or(i64::MAX)
}
