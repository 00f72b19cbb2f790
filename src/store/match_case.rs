//! Match cases: pairs of records that a human decides about.

use super::db::{Conn, Row, Tx};
use super::image::MATCH_CASE;
use super::value::{Value, text, text_or_null};
use super::{StoreError, lists, statements};
use crate::base::id::{IdentityId, ImportRunId, MatchCaseId, SourceRecordId};
use crate::base::time::Timestamp;
use crate::domain::matching::{CaseStatus, Reason};

macro_rules! columns {
    () => {
        "id, record_a, record_b, reason, evidence, status, opened_at, decided_at, decided_by, created_run"
    };
}

lists! {
    OF_FIRST = concat!("SELECT ", columns!(), " FROM match_case WHERE record_a IN (");
    OF_SECOND = concat!("SELECT ", columns!(), " FROM match_case WHERE record_b IN (");
    OF_IDS = concat!("SELECT ", columns!(), " FROM match_case WHERE id IN (");
}

statements! {
    FIND = concat!("SELECT ", columns!(), " FROM match_case WHERE id = $1");
    PAGE = concat!("SELECT ", columns!(), " FROM match_case WHERE status = $1 AND id > $2 ORDER BY id LIMIT $3");
    EVERY = concat!("SELECT ", columns!(), " FROM match_case");
    OPEN = "SELECT c.id, c.record_a, c.record_b, c.evidence, a.identity_id AS one, b.identity_id AS other FROM match_case c
        JOIN source_record a ON a.id = c.record_a JOIN source_record b ON b.id = c.record_b
        WHERE c.status = 'open' ORDER BY c.id";
    COUNT = "SELECT CAST(COUNT(*) AS BIGINT) AS number FROM match_case WHERE status = $1";
    // Decisions of humans about anything that a run made or changed.
    DECIDED_ON_RUN = "SELECT CAST(COUNT(*) AS BIGINT) AS number FROM match_case c
        WHERE c.decided_by IS NOT NULL AND c.decided_at >= $2 AND (c.created_run = $1
            OR EXISTS (SELECT 1 FROM source_record r WHERE r.id IN (c.record_a, c.record_b) AND r.created_run = $1)
            OR EXISTS (SELECT 1 FROM change h WHERE h.run_id = $1 AND h.table_name = 'source_record'
                AND h.row_key IN (c.record_a, c.record_b)))";
}

/// What the order of open cases goes by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenPair {
    /// The case.
    pub id: MatchCaseId,
    /// Its records.
    pub records: [SourceRecordId; 2],
    /// Whose they are.
    pub identities: [IdentityId; 2],
    /// What speaks for and against, as it is kept.
    pub evidence: String,
}

/// A case as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredCase {
    /// Its id.
    pub id: MatchCaseId,
    /// The smaller record.
    pub first: SourceRecordId,
    /// The larger record.
    pub second: SourceRecordId,
    /// Why it was opened.
    pub reason: Reason,
    /// What speaks for and against: a JSON array of stable terms.
    pub evidence: String,
    /// Where it stands.
    pub status: CaseStatus,
    /// When it was opened.
    pub opened_at: Timestamp,
    /// When a human decided.
    pub decided_at: Option<Timestamp>,
    /// Who.
    pub decided_by: Option<String>,
    /// The run that opened it first.
    pub created_run: Option<ImportRunId>,
}

fn case(row: &Row) -> Result<StoredCase, StoreError> {
    let decided: Option<i64> = row.get("decided_at")?;
    Ok(StoredCase {
        id: row.parse("id")?,
        first: row.parse("record_a")?,
        second: row.parse("record_b")?,
        reason: row.parse("reason")?,
        evidence: row.get("evidence")?,
        status: row.parse("status")?,
        opened_at: Timestamp::from_micros(row.get("opened_at")?),
        decided_at: decided.map(Timestamp::from_micros),
        decided_by: row.get("decided_by")?,
        created_run: row.parse_optional("created_run")?,
    })
}

impl StoredCase {
    /// The row, in the order of [`MATCH_CASE`].
    pub fn values(&self) -> Vec<Value> {
        vec![
            text(self.id),
            text(self.first),
            text(self.second),
            text(self.reason),
            text(&self.evidence),
            text(self.status),
            self.opened_at.into(),
            self.decided_at.into(),
            self.decided_by.as_deref().into(),
            text_or_null(self.created_run),
        ]
    }
}

/// One case.
///
/// # Errors
/// [`StoreError`].
pub async fn find(conn: &mut Conn, id: MatchCaseId) -> Result<Option<StoredCase>, StoreError> {
    conn.optional(FIND, [text(id)])
        .await?
        .as_ref()
        .map(case)
        .transpose()
}

/// Cases in a state, by id (the order they were opened in), after one of them.
///
/// # Errors
/// [`StoreError`].
pub async fn page(
    conn: &mut Conn,
    status: CaseStatus,
    after: Option<MatchCaseId>,
    count: i64,
) -> Result<Vec<StoredCase>, StoreError> {
    let after = after.map_or_else(String::new, |id| id.to_string());
    let values = [text(status), after.into(), count.into()];
    conn.all(PAGE, values).await?.iter().map(case).collect()
}

/// Every open case whose records are there, by id, with whose they are.
///
/// # Errors
/// [`StoreError`].
pub async fn open(conn: &mut Conn) -> Result<Vec<OpenPair>, StoreError> {
    let rows = conn.all(OPEN, []).await?;
    rows.iter()
        .map(|row| {
            Ok(OpenPair {
                id: row.parse("id")?,
                records: [row.parse("record_a")?, row.parse("record_b")?],
                identities: [row.parse("one")?, row.parse("other")?],
                evidence: row.get("evidence")?,
            })
        })
        .collect()
}

/// Some cases, in no order.
///
/// # Errors
/// [`StoreError`].
pub async fn of_ids(conn: &mut Conn, ids: &[MatchCaseId]) -> Result<Vec<StoredCase>, StoreError> {
    let keys: Vec<Value> = ids.iter().map(text).collect();
    conn.all_in(OF_IDS, &keys).await?.iter().map(case).collect()
}

/// Every case, whatever its state.
///
/// # Errors
/// [`StoreError`].
pub async fn every(conn: &mut Conn) -> Result<Vec<StoredCase>, StoreError> {
    conn.all(EVERY, []).await?.iter().map(case).collect()
}

/// How many cases are in a state.
///
/// # Errors
/// [`StoreError`].
pub async fn count(conn: &mut Conn, status: CaseStatus) -> Result<i64, StoreError> {
    conn.number(COUNT, [text(status)]).await
}

/// Every case that one of the records is in, whatever its state, in the order of their ids.
///
/// # Errors
/// [`StoreError`].
pub async fn of_records(conn: &mut Conn, records: &[SourceRecordId]) -> Result<Vec<StoredCase>, StoreError> {
    let keys: Vec<Value> = records.iter().map(text).collect();
    let mut rows = conn.all_in(OF_FIRST, &keys).await?;
    rows.extend(conn.all_in(OF_SECOND, &keys).await?);
    let mut cases: Vec<StoredCase> = rows.iter().map(case).collect::<Result<_, _>>()?;
    // One between two of the records is found by either.
    cases.sort_by_key(|case| case.id);
    cases.dedup_by_key(|case| case.id);
    Ok(cases)
}

/// How many decisions humans have made, since a run began, about anything it made or changed.
///
/// # Errors
/// [`StoreError`].
pub async fn decided_on_run(conn: &mut Conn, run: ImportRunId, since: Timestamp) -> Result<i64, StoreError> {
    conn.number(DECIDED_ON_RUN, [text(run), since.into()]).await
}

/// Keeps cases, new or changed.
///
/// # Errors
/// [`StoreError::Conflict`] where a pair has another case.
pub async fn save(tx: &mut Tx, cases: &[StoredCase]) -> Result<(), StoreError> {
    let rows = cases.iter().map(StoredCase::values).collect();
    MATCH_CASE.save(tx, rows).await
}
