//! Who has left, who is gone long enough, and what still holds on to them.

use std::collections::{HashMap, HashSet};

use super::db::{Conn, Row, Tx};
use super::value::{Value, text};
use super::{StoreError, lists, statements};
use crate::base::id::IdentityId;
use crate::base::time::{Date, Timestamp};
use crate::domain::departure::LastEnrolment;
use crate::domain::identity::Status;

statements! {
    // Somebody who never was enrolled (an administrator, a parent who came by a login) has not left.
    LAPSED = "SELECT i.id FROM identity i WHERE i.status = 'active' AND i.id > $1
        AND EXISTS (SELECT 1 FROM enrolment e WHERE e.identity_id = i.id)
        AND NOT EXISTS (SELECT 1 FROM enrolment e WHERE e.identity_id = i.id AND e.ends_on > $2)
        ORDER BY i.id LIMIT $3";
    GONE = "SELECT i.id, i.status, i.status_detail FROM identity i WHERE i.status IN ('departed', 'suspended')
        AND i.id > $1 AND (i.status = 'suspended' OR i.status_detail <= $2) ORDER BY i.id LIMIT $3";
    DEPART = "UPDATE identity SET status = 'departed', status_detail = $2 WHERE id = $1 AND status = 'active'";
    AT_WORK = "SELECT CAST(COUNT(*) AS BIGINT) AS number FROM import_run WHERE status = 'applying' AND started_at > $1";
}

lists! {
    ENROLMENTS = "SELECT e.identity_id, e.profile, e.level, e.year, e.ends_on, e.record_id, x.adult_id, s.degree
        FROM enrolment e LEFT JOIN adult_enrolment x ON x.enrolment_id = e.id LEFT JOIN school s ON s.uai = e.uai WHERE e.identity_id IN (";
    ROLES = "SELECT identity_id, until FROM assignment WHERE ended_at IS NULL AND identity_id IN (";
    CHILDREN = "SELECT DISTINCT g.guardian_id AS identity_id FROM guardianship g JOIN identity p ON p.id = g.pupil_id
        WHERE p.status IN ('active', 'suspended') AND g.guardian_id IN (";
    // An interrupted run is brought to its end or taken back first: until then every row of it is needed.
    MADE_BY_RUN = "SELECT i.id AS identity_id FROM identity i JOIN import_run n ON n.id = i.created_run
        WHERE n.status = 'applying' AND i.id IN (";
    STATED_BY_RUN = "SELECT DISTINCT r.identity_id FROM source_record r JOIN import_run n ON n.id = r.created_run
        WHERE n.status = 'applying' AND r.identity_id IN (";
    ADULT_OF_RUN = "SELECT DISTINCT a.identity_id FROM adult_record a JOIN import_run n ON n.id = a.created_run
        WHERE n.status = 'applying' AND a.identity_id IN (";
    CHANGED_BY_RUN = "SELECT DISTINCT h.row_key AS identity_id FROM change h JOIN import_run n ON n.id = h.run_id
        WHERE n.status = 'applying' AND h.table_name = 'identity' AND h.row_key IN (";
    RESTATED_BY_RUN = "SELECT DISTINCT r.identity_id FROM source_record r
        JOIN change h ON h.table_name = 'source_record' AND h.row_key = r.id JOIN import_run n ON n.id = h.run_id
        WHERE n.status = 'applying' AND r.identity_id IN (";
}

/// The enrolment that ends last of each person who ever had one.
///
/// # Errors
/// [`StoreError`].
pub async fn last_of(
    conn: &mut Conn,
    identities: &[IdentityId],
) -> Result<HashMap<IdentityId, LastEnrolment>, StoreError> {
    let keys: Vec<Value> = identities.iter().map(text).collect();
    let mut last: HashMap<IdentityId, LastEnrolment> = HashMap::new();
    for row in conn.all_in(ENROLMENTS, &keys).await? {
        let (identity, enrolment) = (row.parse("identity_id")?, enrolment(&row)?);
        let is_later = last
            .get(&identity)
            .is_none_or(|other| enrolment.later(other).is_gt());
        if is_later {
            last.insert(identity, enrolment);
        }
    }
    Ok(last)
}

fn enrolment(row: &Row) -> Result<LastEnrolment, StoreError> {
    Ok(LastEnrolment {
        profile: row.parse("profile")?,
        degree: row.parse_optional("degree")?,
        level: row.get("level")?,
        year: super::enrolment::year(row)?,
        ends_on: row.parse("ends_on")?,
        is_stated: row.get::<Option<String>>("record_id")?.is_some()
            || row.get::<Option<String>>("adult_id")?.is_some(),
    })
}

/// People who are active although every enrolment of theirs is over; after one, in the order of their ids.
///
/// # Errors
/// [`StoreError`].
pub async fn lapsed(
    conn: &mut Conn,
    after: Option<IdentityId>,
    today: Date,
    count: i64,
) -> Result<Vec<IdentityId>, StoreError> {
    let rows = conn
        .all(LAPSED, [from(after), today.into(), count.into()])
        .await?;
    rows.iter().map(|row| row.parse("id")).collect()
}

/// People who departed on a day or before, and those who are suspended; after one, in the order of their ids.
///
/// # Errors
/// [`StoreError`].
pub async fn gone(
    conn: &mut Conn,
    after: Option<IdentityId>,
    day: Date,
    count: i64,
) -> Result<Vec<(IdentityId, Status)>, StoreError> {
    let rows = conn.all(GONE, [from(after), day.into(), count.into()]).await?;
    rows.iter()
        .map(|row| Ok((row.parse("id")?, super::identity::status(row)?)))
        .collect()
}

fn from(after: Option<IdentityId>) -> Value {
    after.map_or_else(String::new, |id| id.to_string()).into()
}

/// Somebody active has departed; whether they were.
///
/// # Errors
/// [`StoreError`].
pub async fn depart(tx: &mut Tx, id: IdentityId, on: Date) -> Result<bool, StoreError> {
    Ok(tx.execute(DEPART, [text(id), on.into()]).await? == 1)
}

/// Those of the people whom something other than an enrolment holds here: a role that counts, or a child who is here.
///
/// # Errors
/// [`StoreError`].
pub async fn held(
    conn: &mut Conn,
    identities: &[IdentityId],
    today: Date,
) -> Result<HashSet<IdentityId>, StoreError> {
    let keys: Vec<Value> = identities.iter().map(text).collect();
    let mut held = HashSet::new();
    for row in conn.all_in(ROLES, &keys).await? {
        let until: Option<Date> = row.parse_optional("until")?;
        if until.is_none_or(|until| today < until) {
            held.insert(row.parse("identity_id")?);
        }
    }
    for row in conn.all_in(CHILDREN, &keys).await? {
        held.insert(row.parse("identity_id")?);
    }
    Ok(held)
}

/// Those of the people whom a run made or changed that is not at its end.
///
/// # Errors
/// [`StoreError`].
pub async fn in_runs(conn: &mut Conn, identities: &[IdentityId]) -> Result<HashSet<IdentityId>, StoreError> {
    let keys: Vec<Value> = identities.iter().map(text).collect();
    let mut touched = HashSet::new();
    for bulk in [
        MADE_BY_RUN,
        STATED_BY_RUN,
        ADULT_OF_RUN,
        CHANGED_BY_RUN,
        RESTATED_BY_RUN,
    ] {
        for row in conn.all_in(bulk, &keys).await? {
            touched.insert(row.parse("identity_id")?);
        }
    }
    Ok(touched)
}

/// How many runs that began after an instant are applying.
///
/// # Errors
/// [`StoreError`].
pub async fn at_work(conn: &mut Conn, since: Timestamp) -> Result<i64, StoreError> {
    conn.number(AT_WORK, [since.into()]).await
}
