//! Classes as class pages and their printed cards need them. Feeds write theirs in bulk (`store::roster`).

use super::db::{Conn, Row};
use super::identity::identity;
use super::value::text;
use super::{StoreError, statements};
use crate::base::id::ClassGroupId;
use crate::base::time::Date;
use crate::domain::class_group::ClassGroup;
use crate::domain::education::SchoolYear;
use crate::domain::identity::Identity;
use crate::domain::uai::Uai;

statements! {
    FIND = "SELECT c.id, c.uai, c.year, c.label, c.level, s.name AS school_name
        FROM class_group c LEFT JOIN school s ON s.uai = c.uai WHERE c.id = $1";
    OF_SCHOOL = "SELECT c.id, c.uai, c.year, c.label, c.level, s.name AS school_name
        FROM class_group c LEFT JOIN school s ON s.uai = c.uai WHERE c.uai = $1 AND c.year = $2
        ORDER BY c.label, c.id";
    // Two feeds may state the same child in the same class: EXISTS answers one row.
    PUPILS = "SELECT i.id, i.status, i.status_detail, i.family_name, i.usage_name, i.given_name, i.birth_date, i.sex,
        i.username, i.locale, i.created_at FROM identity i WHERE i.status = 'active' AND EXISTS
        (SELECT 1 FROM enrolment e WHERE e.identity_id = i.id AND e.class_id = $1 AND e.profile = 'National_ELV'
            AND e.starts_on <= $2 AND e.ends_on > $2)
        ORDER BY i.id";
}

/// A class with the name of its school.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedClass {
    /// The class.
    pub class: ClassGroup,
    /// The school's name; its UAI where no school is declared.
    pub school_name: String,
}

fn named(row: &Row) -> Result<NamedClass, StoreError> {
    let school: Uai = row.parse("uai")?;
    let school_name: Option<String> = row.get("school_name")?;
    Ok(NamedClass {
        school_name: school_name.unwrap_or_else(|| school.to_string()),
        class: ClassGroup {
            id: row.parse("id")?,
            school,
            year: super::enrolment::year(row)?,
            label: row.get("label")?,
            level: row.get("level")?,
        },
    })
}

/// One class.
///
/// # Errors
/// [`StoreError`].
pub async fn find(conn: &mut Conn, id: ClassGroupId) -> Result<Option<NamedClass>, StoreError> {
    conn.optional(FIND, [text(id)])
        .await?
        .as_ref()
        .map(named)
        .transpose()
}

/// The classes of a school in a year, by label.
///
/// # Errors
/// [`StoreError`].
pub async fn of_school(
    conn: &mut Conn,
    school: &Uai,
    year: SchoolYear,
) -> Result<Vec<NamedClass>, StoreError> {
    conn.all(OF_SCHOOL, [text(school), i64::from(year.first()).into()])
        .await?
        .iter()
        .map(named)
        .collect()
}

/// The pupils of a class on a day who may sign in.
///
/// # Errors
/// [`StoreError`].
pub async fn pupils(conn: &mut Conn, class: ClassGroupId, day: Date) -> Result<Vec<Identity>, StoreError> {
    conn.all(PUPILS, [text(class), day.into()])
        .await?
        .iter()
        .map(identity)
        .collect()
}
