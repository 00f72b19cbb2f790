//! Enrolments and classes as feeds write them: by record, in bulk.

use super::db::{Conn, Row, Tx};
use super::image::{CLASS_GROUP, ENROLMENT};
use super::roster::own_key;
use super::value::{Value, text, text_or_null};
use super::{StoreError, lists, statements};
use crate::base::id::{ClassGroupId, EnrolmentId, IdentityId, ImportRunId, SourceRecordId};
use crate::base::time::Date;
use crate::domain::education::{Profile, SchoolYear};
use crate::domain::source::Source;
use crate::domain::uai::Uai;

/// An enrolment that a record states.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Membership {
    /// Its id.
    pub id: EnrolmentId,
    /// Who.
    pub identity: IdentityId,
    /// By which record.
    pub record: SourceRecordId,
    /// Where.
    pub school: Uai,
    /// In which class.
    pub class: Option<ClassGroupId>,
    /// At which level.
    pub level: Option<String>,
    /// As what.
    pub profile: Profile,
    /// In which year.
    pub year: SchoolYear,
    /// First day.
    pub starts_on: Date,
    /// First day it no longer counts.
    pub ends_on: Date,
    /// The run that made it.
    pub created_run: Option<ImportRunId>,
}

/// A class that a feed states.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatedClass {
    /// Its id.
    pub id: ClassGroupId,
    /// Its school.
    pub school: Uai,
    /// Its year.
    pub year: SchoolYear,
    /// The source that states it.
    pub source: Source,
    /// The source's key of it.
    pub key: String,
    /// Its label.
    pub label: String,
    /// The level most of its pupils are in.
    pub level: Option<String>,
    /// The run that made it.
    pub created_run: Option<ImportRunId>,
}

statements! {
    OF_SCHOOL = "SELECT e.id, e.identity_id, e.record_id, e.uai, e.class_id, e.level, e.profile, e.year, e.starts_on,
        e.ends_on, e.created_run
        FROM enrolment e JOIN source_record r ON r.id = e.record_id WHERE e.uai = $1 AND e.year = $2 AND r.source = $3";
    KEYS = "SELECT r.scope, r.record_key, e.ends_on FROM enrolment e JOIN source_record r ON r.id = e.record_id
        WHERE e.uai = $1 AND e.year = $2 AND r.source = $3";
    CLASSES = "SELECT id, uai, year, source, source_key, label, level, created_run FROM class_group
        WHERE uai = $1 AND year = $2 AND source = $3";
    // What a record brings with it when it goes to another identity.
    OF_IDENTITY = "SELECT id, identity_id, record_id, uai, class_id, level, profile, year, starts_on, ends_on,
        created_run FROM enrolment WHERE identity_id = $1 ORDER BY id";
}

lists! {
    OF_RECORDS = "SELECT id, identity_id, record_id, uai, class_id, level, profile, year, starts_on, ends_on, created_run
        FROM enrolment WHERE record_id IN (";
    OF_IDENTITIES = "SELECT id, identity_id, record_id, uai, class_id, level, profile, year, starts_on, ends_on, created_run
        FROM enrolment WHERE identity_id IN (";
}

fn membership(row: &Row) -> Result<Membership, StoreError> {
    Ok(Membership {
        id: row.parse("id")?,
        identity: row.parse("identity_id")?,
        record: row.parse("record_id")?,
        school: row.parse("uai")?,
        class: row.parse_optional("class_id")?,
        level: row.get("level")?,
        profile: row.parse("profile")?,
        year: super::enrolment::year(row)?,
        starts_on: row.parse("starts_on")?,
        ends_on: row.parse("ends_on")?,
        created_run: row.parse_optional("created_run")?,
    })
}

impl Membership {
    /// The row, in the order of [`ENROLMENT`].
    pub fn values(&self) -> Vec<Value> {
        vec![
            text(self.id),
            text(self.identity),
            text(self.record),
            text(&self.school),
            text_or_null(self.class),
            self.level.as_deref().into(),
            text(self.profile),
            i64::from(self.year.first()).into(),
            self.starts_on.into(),
            self.ends_on.into(),
            text_or_null(self.created_run),
        ]
    }
}

impl StatedClass {
    /// The row, in the order of [`CLASS_GROUP`].
    pub fn values(&self) -> Vec<Value> {
        vec![
            text(self.id),
            text(&self.school),
            i64::from(self.year.first()).into(),
            text(self.source),
            text(&self.key),
            text(&self.label),
            self.level.as_deref().into(),
            text_or_null(self.created_run),
        ]
    }
}

/// The enrolments that a source states in a school for a year, ended ones too.
///
/// # Errors
/// [`StoreError`].
pub async fn of_school(
    conn: &mut Conn,
    school: &Uai,
    year: SchoolYear,
    source: Source,
) -> Result<Vec<Membership>, StoreError> {
    let values = [text(school), i64::from(year.first()).into(), text(source)];
    conn.all(OF_SCHOOL, values)
        .await?
        .iter()
        .map(membership)
        .collect()
}

/// Of these, the key of the pupil and the first day that no longer counts: all that guards look at.
///
/// # Errors
/// [`StoreError`].
pub async fn keys_of_school(
    conn: &mut Conn,
    school: &Uai,
    year: SchoolYear,
    source: Source,
) -> Result<Vec<(String, Date)>, StoreError> {
    let values = [text(school), i64::from(year.first()).into(), text(source)];
    let rows = conn.all(KEYS, values).await?;
    rows.iter()
        .map(|row| {
            let scope: String = row.get("scope")?;
            Ok((own_key(row, source, &scope)?, row.parse("ends_on")?))
        })
        .collect()
}

/// The enrolments of records, of every school and year.
///
/// # Errors
/// [`StoreError`].
pub async fn of_records(conn: &mut Conn, records: &[SourceRecordId]) -> Result<Vec<Membership>, StoreError> {
    let keys: Vec<Value> = records.iter().map(text).collect();
    conn.all_in(OF_RECORDS, &keys)
        .await?
        .iter()
        .map(membership)
        .collect()
}

/// Every enrolment of an identity as a row of [`ENROLMENT`], those made by hand too.
///
/// # Errors
/// [`StoreError`].
pub async fn rows_of_identity(conn: &mut Conn, identity: IdentityId) -> Result<Vec<Vec<Value>>, StoreError> {
    let rows = conn.all(OF_IDENTITY, [text(identity)]).await?;
    rows.iter().map(|row| ENROLMENT.values(row)).collect()
}

/// Every enrolment of many identities as rows of [`ENROLMENT`], in no order.
///
/// # Errors
/// [`StoreError`].
pub async fn rows_of_identities(
    conn: &mut Conn,
    identities: &[IdentityId],
) -> Result<Vec<Vec<Value>>, StoreError> {
    let keys: Vec<Value> = identities.iter().map(text).collect();
    let rows = conn.all_in(OF_IDENTITIES, &keys).await?;
    rows.iter().map(|row| ENROLMENT.values(row)).collect()
}

/// The classes that a source states in a school for a year.
///
/// # Errors
/// [`StoreError`].
pub async fn classes(
    conn: &mut Conn,
    school: &Uai,
    year: SchoolYear,
    source: Source,
) -> Result<Vec<StatedClass>, StoreError> {
    let values = [text(school), i64::from(year.first()).into(), text(source)];
    conn.all(CLASSES, values)
        .await?
        .iter()
        .map(|row| {
            Ok(StatedClass {
                id: row.parse("id")?,
                school: row.parse("uai")?,
                year: super::enrolment::year(row)?,
                source: row.parse("source")?,
                key: row.get("source_key")?,
                label: row.get("label")?,
                level: row.get("level")?,
                created_run: row.parse_optional("created_run")?,
            })
        })
        .collect()
}

/// Keeps enrolments, new or changed.
///
/// # Errors
/// [`StoreError`].
pub async fn save(tx: &mut Tx, memberships: &[Membership]) -> Result<(), StoreError> {
    let rows = memberships.iter().map(Membership::values).collect();
    ENROLMENT.save(tx, rows).await
}

/// Keeps classes, new or changed.
///
/// # Errors
/// [`StoreError`].
pub async fn save_classes(tx: &mut Tx, classes: &[StatedClass]) -> Result<(), StoreError> {
    let rows = classes.iter().map(StatedClass::values).collect();
    CLASS_GROUP.save(tx, rows).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::random::SeededRandom;
    use crate::base::time::{Timestamp, parse_date};
    use crate::domain::enrolment::Enrolment;
    use crate::store::testing::{on_each_engine, person};

    #[tokio::test]
    async fn the_enrolments_of_many_are_those_of_each() {
        on_each_engine(async |db| {
            let random = SeededRandom::new(8);
            let day = |text| parse_date(text).unwrap();
            let mut tx = db.begin().await.unwrap();
            let (mut people, mut each) = (Vec::new(), Vec::new());
            for number in 0..30 {
                let teacher = person("Maddi", number + 1);
                crate::store::identity::insert(&mut tx, &teacher).await.unwrap();
                for _ in 0..number % 3 {
                    let enrolment = Enrolment {
                        id: EnrolmentId::new(Timestamp::from_seconds(1), &random),
                        identity: teacher.id,
                        school: "9990001X".parse().unwrap(),
                        class: None,
                        class_label: None,
                        level: None,
                        profile: Profile::Teacher,
                        year: SchoolYear::new(2026).unwrap(),
                        starts_on: day("2026-09-01"),
                        ends_on: day("2027-09-15"),
                        opens_on: None,
                        is_current: true,
                    };
                    crate::store::enrolment::insert(&mut tx, &enrolment)
                        .await
                        .unwrap();
                }
                each.extend(rows_of_identity(&mut tx, teacher.id).await.unwrap());
                people.push(teacher.id);
            }
            let mut together = rows_of_identities(&mut tx, &people).await.unwrap();
            let key = |row: &Vec<Value>| ENROLMENT.key_of(row);
            together.sort_by_key(key);
            each.sort_by_key(key);
            assert_eq!(together.len(), 30);
            assert_eq!(together, each);
            assert!(rows_of_identities(&mut tx, &[]).await.unwrap().is_empty());
        })
        .await;
    }
}
