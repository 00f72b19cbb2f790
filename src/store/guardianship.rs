//! Adults and the pupils they answer for, as sources state them.

use super::db::{Bulk, Conn, Tx};
use super::image::GUARDIANSHIP;
use super::value::{Value, text};
use super::{StoreError, statements};
use crate::base::id::IdentityId;
use crate::base::time::Timestamp;

statements! {
    STATE = "INSERT INTO guardianship (guardian_id, pupil_id, source, stated_at) VALUES ($1, $2, $3, $4)
        ON CONFLICT DO NOTHING";
    PUPILS = "SELECT pupil_id FROM guardianship WHERE guardian_id = $1 ORDER BY pupil_id";
    GUARDIANS = "SELECT guardian_id FROM guardianship WHERE pupil_id = $1 ORDER BY guardian_id";
}

const OF_PUPILS: Bulk = Bulk {
    name: "OF_PUPILS",
    head: "SELECT guardian_id, pupil_id, source, stated_at, kinship, legal, created_run FROM guardianship
        WHERE pupil_id IN (",
    width: 1,
    rows: false,
    tail: ")",
};

const OF_GUARDIANS: Bulk = Bulk {
    name: "OF_GUARDIANS",
    head: "SELECT guardian_id, pupil_id, source, stated_at, kinship, legal, created_run FROM guardianship
        WHERE guardian_id IN (",
    width: 1,
    rows: false,
    tail: ")",
};

pub(super) const BULKS: &[Bulk] = &[OF_PUPILS, OF_GUARDIANS];

/// Who answers for pupils, as rows of [`GUARDIANSHIP`].
///
/// # Errors
/// [`StoreError`].
pub async fn rows_of_pupils(conn: &mut Conn, pupils: &[IdentityId]) -> Result<Vec<Vec<Value>>, StoreError> {
    let keys: Vec<Value> = pupils.iter().map(text).collect();
    let rows = conn.all_in(OF_PUPILS, &keys).await?;
    rows.iter().map(|row| GUARDIANSHIP.values(row)).collect()
}

/// For whom people answer, as rows of [`GUARDIANSHIP`].
///
/// # Errors
/// [`StoreError`].
pub async fn rows_of_guardians(
    conn: &mut Conn,
    guardians: &[IdentityId],
) -> Result<Vec<Vec<Value>>, StoreError> {
    let keys: Vec<Value> = guardians.iter().map(text).collect();
    let rows = conn.all_in(OF_GUARDIANS, &keys).await?;
    rows.iter().map(|row| GUARDIANSHIP.values(row)).collect()
}

/// Keeps that somebody answers for a pupil; whether nobody had said so before.
///
/// # Errors
/// [`StoreError`].
pub async fn state(
    tx: &mut Tx,
    (guardian, pupil): (IdentityId, IdentityId),
    source: &str,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let values = [text(guardian), text(pupil), text(source), now.into()];
    Ok(tx.execute(STATE, values).await? == 1)
}

/// The pupils somebody answers for.
///
/// # Errors
/// [`StoreError`].
pub async fn pupils(conn: &mut Conn, guardian: IdentityId) -> Result<Vec<IdentityId>, StoreError> {
    let rows = conn.all(PUPILS, [text(guardian)]).await?;
    rows.iter().map(|row| row.parse("pupil_id")).collect()
}

/// Those who answer for a pupil.
///
/// # Errors
/// [`StoreError`].
pub async fn guardians(conn: &mut Conn, pupil: IdentityId) -> Result<Vec<IdentityId>, StoreError> {
    let rows = conn.all(GUARDIANS, [text(pupil)]).await?;
    rows.iter().map(|row| row.parse("guardian_id")).collect()
}
