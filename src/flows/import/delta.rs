//! Deliveries of changes: what they say is held until it is known of whom, then becomes rows like those of a complete
//! delivery.
//!
//! Nobody leaves but who is taken away by name. Must never make a pupil of a change to one who is not known: such a
//! change is set aside, and the next complete delivery says it whole.

use std::collections::{BTreeMap, HashMap};

use super::check::{Delivery, spooled};
use super::spool::Row;
use super::{Feed, ImportError};
use crate::base::id::{ClassGroupId, SourceRecordId};
use crate::domain::education::{Degree, SchoolYear};
use crate::domain::source::{
    ChildRef, ClassRef, GuardianLink, GuardianRow, PersonFacts, Place, RosterRow, SourceKey,
};
use crate::domain::uai::Uai;
use crate::roster::aaf::PupilChange;
use crate::roster::{RowIssue, Severity};
use crate::store::StoreError;
use crate::store::db::Conn;
use crate::store::membership::{self, Membership};
use crate::store::roster::{self, Lookup, StoredRecord};

/// The most people a delivery of changes may name; beyond it a complete one is due.
const MOST_CHANGES: usize = 500_000;
/// How many records are looked up at once.
const AT_ONCE: usize = 2_000;

/// What a delivery of changes says, by the key of the person, in its order.
#[derive(Debug, Default)]
pub(super) struct Changes {
    stated: BTreeMap<String, (RosterRow, u32)>,
    changed: BTreeMap<String, (Vec<PupilChange>, u32)>,
    gone: BTreeMap<String, (SourceKey, Place)>,
    links: BTreeMap<String, (Vec<GuardianLink>, u32)>,
    pub(super) guardians: Vec<(GuardianRow, u32)>,
}

fn issue(place: &Place, severity: Severity, message: &str) -> RowIssue {
    RowIssue {
        severity,
        place: place.clone(),
        message: message.to_owned(),
    }
}

impl Changes {
    fn check(&self) -> Result<(), ImportError> {
        let people = self.stated.len() + self.changed.len() + self.gone.len();
        if people + self.guardians.len() > MOST_CHANGES {
            return Err(ImportError::Usage(format!(
                "livraison « Delta » de plus de {MOST_CHANGES} personnes : chargez un « Complet »"
            )));
        }
        Ok(())
    }

    /// A pupil who is stated whole.
    pub(super) fn add(&mut self, row: RosterRow, file: u32) -> Result<(), ImportError> {
        let key = row.key.key.clone();
        self.changed.remove(&key);
        self.gone.remove(&key);
        self.stated.insert(key, (row, file));
        self.check()
    }

    /// All the adults of a pupil who is stated whole.
    pub(super) fn link(&mut self, links: Vec<GuardianLink>, file: u32) {
        if let Some(ChildRef::Key(child)) = links.first().map(|link| &link.child) {
            self.links.insert(child.clone(), (links, file));
        }
    }

    /// What changes of a pupil; an issue where they were taken away before.
    pub(super) fn change(&mut self, change: PupilChange, file: u32) -> Result<Option<RowIssue>, ImportError> {
        let key = change.key.key.clone();
        if self.gone.contains_key(&key) {
            let message = "modification d'un élève que la même livraison supprime : mise de côté";
            return Ok(Some(issue(&change.place, Severity::Error, message)));
        }
        if let Some(links) = &change.links {
            self.links.insert(key.clone(), (links.clone(), file));
        }
        let entry = self.changed.entry(key).or_default();
        entry.0.push(change);
        entry.1 = file;
        self.check()?;
        Ok(None)
    }

    /// A pupil who is there no more.
    pub(super) fn remove(&mut self, key: SourceKey, place: Place) -> Result<(), ImportError> {
        self.stated.remove(&key.key);
        self.changed.remove(&key.key);
        self.links.remove(&key.key);
        self.gone.insert(key.key.clone(), (key, place));
        self.check()
    }

    /// An adult in charge of pupils, with the names they have now.
    pub(super) fn guardian(&mut self, row: GuardianRow, file: u32) -> Result<(), ImportError> {
        self.guardians.push((row, file));
        self.check()
    }
}

/// A pupil as they are known: their record, where they are this year and in which class.
struct Known {
    record: StoredRecord,
    live: Option<Membership>,
    class: Option<ClassRef>,
}

/// Makes rows of what a delivery says, by what is known.
pub(super) async fn resolve(
    conn: &mut Conn,
    feed: &Feed,
    year: SchoolYear,
    delivery: &mut Delivery,
) -> Result<(), ImportError> {
    let Changes {
        stated,
        changed,
        gone,
        mut links,
        guardians,
    } = std::mem::take(&mut delivery.changes);
    let asked: Vec<SourceKey> = changed
        .values()
        .filter_map(|(changes, _)| changes.first().map(|change| change.key.clone()))
        .chain(gone.values().map(|(key, _)| key.clone()))
        .collect();
    let mut known = known(conn, feed, year, &asked).await?;
    let mut rows: Vec<(Uai, RosterRow, u32)> = Vec::new();
    let degree = feed.degree();
    let mut stated = stated;
    for (key, (changes, file)) in changed {
        let found = match stated.remove(&key) {
            Some((row, _)) => place_of(delivery, degree, row),
            None => restated(delivery, (feed, year), known.remove(&key), &changes),
        };
        let Some((school, mut row)) = found else {
            links.remove(&key);
            continue;
        };
        let mut school = school;
        for change in &changes {
            match apply(delivery, degree, (&mut row, &mut school), change) {
                Ok(()) => {}
                Err(refused) => delivery.issues.push(refused),
            }
        }
        rows.push((school, row, file));
    }
    for (_, (row, file)) in stated {
        if let Some((school, row)) = place_of(delivery, degree, row) {
            rows.push((school, row, file));
        }
    }
    for (school, row, file) in rows {
        delivery.keys.see(&row.key.key);
        *delivery.stated.entry(school.clone()).or_default() += 1;
        if let Some((links, file)) = links.remove(&row.key.key) {
            let pushed = delivery.adults.links(&school, links, file);
            pushed.map_err(|error| spooled(&error))?;
        }
        let pushed = delivery.spool.push(&school, Row::new(row, file));
        pushed.map_err(|error| spooled(&error))?;
    }
    for (key, (_, place)) in gone {
        let Some(Known { live: Some(live), .. }) = known.remove(&key) else {
            let message = "suppression d'un élève qui n'est inscrit nulle part cette année : sans effet";
            delivery.issues.push(issue(&place, Severity::Warning, message));
            continue;
        };
        delivery.keys.take_away(&key);
        delivery.left.entry(live.school).or_default().push(key);
    }
    delivery.adults.sort();
    for (row, file) in guardians {
        let pushed = delivery.adults.guardian(&row, file);
        pushed.map_err(|error| spooled(&error))?;
    }
    Ok(())
}

/// The school of a row that says it; otherwise it is set aside.
fn place_of(delivery: &mut Delivery, degree: Degree, row: RosterRow) -> Option<(Uai, RosterRow)> {
    let school = delivery.structures.school(degree, &row.school).cloned();
    if school.is_none() {
        let message = "établissement inconnu : absent d'EtabEducNat et des livraisons précédentes";
        delivery.issues.push(issue(&row.place, Severity::Error, message));
        delivery.keys.set_aside(&row.key.key);
    }
    Some((school?, row))
}

/// A row that says what is known of a pupil; otherwise the changes are set aside.
fn restated(
    delivery: &mut Delivery,
    (feed, year): (&Feed, SchoolYear),
    known: Option<Known>,
    changes: &[PupilChange],
) -> Option<(Uai, RosterRow)> {
    let place = changes.first().map(|change| change.place.clone())?;
    let refused = match &known {
        None => Some("modification d'un élève inconnu : mise de côté, le prochain « Complet » la portera"),
        Some(Known { live: None, .. }) => {
            Some("modification d'un élève qui n'est inscrit nulle part cette année : mise de côté")
        }
        Some(_) => None,
    };
    if let Some(message) = refused {
        delivery.issues.push(issue(&place, Severity::Error, message));
        return None;
    }
    let Known { record, live, class } = known?;
    let live = live?;
    let other_names = serde_json::from_str(&record.other_names).unwrap_or_default();
    let row = RosterRow {
        key: SourceKey {
            source: feed.source(),
            scope: feed.scope(&live.school),
            key: record.key.key.clone(),
        },
        profile: live.profile,
        school: live.school.to_string(),
        facts: PersonFacts {
            family_name: record.family_name,
            usage_name: record.usage_name,
            given_name: record.given_name,
            other_names,
            birth_date: record.birth_date,
            sex: record.sex,
            // A row without a number says nothing about it: the one that is known stays.
            ine: None,
        },
        class,
        level: live.level,
        attachment: record.attachment,
        previous_school: None,
        ordinal: None,
        year,
        place,
    };
    Some((live.school, row))
}

fn apply(
    delivery: &Delivery,
    degree: Degree,
    (row, school): (&mut RosterRow, &mut Uai),
    change: &PupilChange,
) -> Result<(), RowIssue> {
    change.apply(&mut row.facts);
    if let Some(structure) = &change.structure {
        let Some(named) = delivery.structures.school(degree, structure) else {
            let message = "établissement inconnu : l'élève reste où il était";
            return Err(issue(&change.place, Severity::Warning, message));
        };
        if named != school {
            school.clone_from(named);
            row.class = None;
        }
    }
    if let Some(classes) = &change.classes {
        let is_here = |structure: &str| delivery.structures.school(degree, structure) == Some(&*school);
        let here = classes.iter().find(|(structure, _)| is_here(structure));
        row.class = here.map(|(_, class)| class.clone());
    }
    if let Some(level) = &change.level {
        row.level.clone_from(level);
    }
    if change.attachment.is_some() {
        row.attachment.clone_from(&change.attachment);
    }
    row.place.clone_from(&change.place);
    Ok(())
}

async fn known(
    conn: &mut Conn,
    feed: &Feed,
    year: SchoolYear,
    keys: &[SourceKey],
) -> Result<HashMap<String, Known>, StoreError> {
    let mut known = HashMap::new();
    let mut classes: HashMap<Uai, HashMap<ClassGroupId, ClassRef>> = HashMap::new();
    for keys in keys.chunks(AT_ONCE) {
        let records = roster::find(conn, Lookup::Keys(keys.to_vec())).await?;
        let ids: Vec<SourceRecordId> = records.iter().map(|record| record.id).collect();
        let mut live: HashMap<SourceRecordId, Membership> = HashMap::new();
        if !ids.is_empty() {
            for theirs in membership::of_records(conn, &ids).await? {
                if theirs.year == year && theirs.ends_on >= year.overlap_end() {
                    live.insert(theirs.record, theirs);
                }
            }
        }
        for record in records {
            let live = live.remove(&record.id);
            if let Some(live) = &live
                && !classes.contains_key(&live.school)
            {
                let theirs = membership::classes(conn, &live.school, year, feed.source()).await?;
                let named = theirs.into_iter().map(|class| {
                    let named = ClassRef {
                        key: class.key,
                        label: class.label,
                    };
                    (class.id, named)
                });
                classes.insert(live.school.clone(), named.collect());
            }
            let class = live.as_ref().and_then(|live| {
                let id = live.class?;
                classes.get(&live.school)?.get(&id).cloned()
            });
            known.insert(record.key.key.clone(), Known { record, live, class });
        }
    }
    Ok(known)
}
