//! What recognition looks at of those who answer for a pupil, beside the record: derived from `guardian_statement`, never
//! journalled, made anew where it does not fit. It goes with its record (`run_undo`, `erasure`).

use super::db::{Bulk, Conn, Tx};
use super::value::text;
use super::{StoreError, statements};
use crate::base::id::SourceRecordId;

statements! {
    ANY = "SELECT CASE WHEN EXISTS (SELECT 1 FROM guardian_statement) OR EXISTS (SELECT 1 FROM guardian_key)
        THEN CAST(1 AS BIGINT) ELSE CAST(0 AS BIGINT) END AS number";
    STATED = "SELECT r.id, k.keys, a.family_name, a.usage_name, a.given_name FROM source_record r
        LEFT JOIN guardian_key k ON k.record_id = r.id
        LEFT JOIN guardian_statement s ON s.pupil_record_id = r.id
        LEFT JOIN adult_record a ON a.id = s.adult_id
        WHERE r.id > $1 AND (k.keys IS NOT NULL OR a.id IS NOT NULL) ORDER BY r.id, a.id LIMIT $2";
}

const SAVE: Bulk = Bulk {
    name: "SAVE",
    head: "INSERT INTO guardian_key (record_id, keys) VALUES ",
    width: 2,
    rows: true,
    tail: " ON CONFLICT (record_id) DO UPDATE SET keys = excluded.keys",
};
const FORGET: Bulk = Bulk {
    name: "FORGET",
    head: "DELETE FROM guardian_key WHERE record_id IN (",
    width: 1,
    rows: false,
    tail: ")",
};

pub(super) const BULKS: &[Bulk] = &[SAVE, FORGET];

/// A record that somebody answers for, or of which that was known.
#[derive(Clone, PartialEq, Eq)]
pub struct Stated {
    /// The record.
    pub record: SourceRecordId,
    /// The keys that are kept.
    pub kept: Option<Vec<u8>>,
    /// Family name, usage name and given name of each who answers for the pupil today.
    pub adults: Vec<(String, Option<String>, String)>,
}

impl std::fmt::Debug for Stated {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "[{} guardians of record {}]", self.adults.len(), self.record)
    }
}

/// Whether anybody is said to answer for anybody.
///
/// # Errors
/// [`StoreError`].
pub async fn any(conn: &mut Conn) -> Result<bool, StoreError> {
    Ok(conn.number(ANY, []).await? == 1)
}

/// Some of the records that somebody answers for, after one of them, by id; none where there are no more. A page has about
/// `rows` adults, each record of it all of its own.
///
/// # Errors
/// [`StoreError`].
pub async fn stated(
    conn: &mut Conn,
    after: Option<SourceRecordId>,
    rows: i64,
) -> Result<Vec<Stated>, StoreError> {
    let after = after.map_or_else(String::new, |id| id.to_string());
    let page = conn.all(STATED, [after.into(), rows.into()]).await?;
    let is_full = i64::try_from(page.len()).is_ok_and(|count| count == rows);
    let mut found: Vec<Stated> = Vec::new();
    for row in &page {
        let record = row.parse("id")?;
        if found.last().is_none_or(|last| last.record != record) {
            found.push(Stated {
                record,
                kept: row.get("keys")?,
                adults: Vec::new(),
            });
        }
        let family: Option<String> = row.get("family_name")?;
        let given: Option<String> = row.get("given_name")?;
        if let (Some(last), Some((family, given))) = (found.last_mut(), family.zip(given)) {
            last.adults.push((family, row.get("usage_name")?, given));
        }
    }
    // The last one may go on behind the page; it comes whole with the next.
    if is_full && found.len() > 1 {
        found.pop();
    }
    Ok(found)
}

/// Keeps keys, and forgets those of records that nobody answers for any more.
///
/// # Errors
/// [`StoreError`].
pub async fn keep(tx: &mut Tx, keys: &[(SourceRecordId, Option<Vec<u8>>)]) -> Result<(), StoreError> {
    let (mut kept, mut gone) = (Vec::new(), Vec::new());
    for (record, keys) in keys {
        match keys {
            Some(keys) => kept.push(vec![text(record), keys.clone().into()]),
            None => gone.push(vec![text(record)]),
        }
    }
    tx.execute_many(SAVE, kept).await?;
    tx.execute_many(FORGET, gone).await.map(drop)
}
