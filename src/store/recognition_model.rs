//! The model that recognition weighs with: one row, replaced when the records there are have changed enough.

use super::db::{Conn, Tx};
use super::{StoreError, statements};
use crate::base::time::Timestamp;

statements! {
    VERSION = "SELECT version, pending FROM recognition_model WHERE id = 1";
    BODY = "SELECT version, body FROM recognition_model WHERE id = 1";
    SAVE = "INSERT INTO recognition_model (id, version, body, pending, made_at) VALUES (1, $1, $2, $3, $4)
        ON CONFLICT (id) DO UPDATE SET version = excluded.version, body = excluded.body, pending = excluded.pending,
        made_at = excluded.made_at";
    LOOK_AGAIN = "UPDATE recognition_model SET pending = $1 WHERE id = 1";
    LOOKED = "UPDATE recognition_model SET pending = $2 WHERE id = 1 AND version = $1";
}

/// Which model is in force.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Version {
    /// Its number; 0 where there is none yet.
    pub number: i64,
    /// Whether records have not all been looked at under it yet.
    pub pending: bool,
}

/// Which model is in force.
///
/// # Errors
/// [`StoreError`].
pub async fn version(conn: &mut Conn) -> Result<Version, StoreError> {
    let row = conn.optional(VERSION, []).await?;
    row.map_or(Ok(Version::default()), |row| {
        Ok(Version {
            number: row.get("version")?,
            pending: row.get("pending")?,
        })
    })
}

/// The stored form of the model in force, with its number.
///
/// # Errors
/// [`StoreError`].
pub async fn body(conn: &mut Conn) -> Result<Option<(i64, Vec<u8>)>, StoreError> {
    let row = conn.optional(BODY, []).await?;
    row.map(|row| Ok((row.get("version")?, row.get("body")?)))
        .transpose()
}

/// Puts a model in force, under which nothing has been looked at yet.
///
/// # Errors
/// [`StoreError`].
pub async fn save(tx: &mut Tx, number: i64, body: Vec<u8>, now: Timestamp) -> Result<(), StoreError> {
    let values = [number.into(), body.into(), true.into(), now.into()];
    tx.execute(SAVE, values).await.map(drop)
}

/// Says that records have not all been looked at under the model in force; nothing where there is none yet, since the first one
/// looks at all of them.
///
/// # Errors
/// [`StoreError`].
pub async fn look_again(tx: &mut Tx) -> Result<(), StoreError> {
    tx.execute(LOOK_AGAIN, [true.into()]).await.map(drop)
}

/// Says that all records have been looked at under a model.
///
/// # Errors
/// [`StoreError`].
pub async fn looked(tx: &mut Tx, number: i64) -> Result<(), StoreError> {
    tx.execute(LOOKED, [number.into(), false.into()]).await.map(drop)
}
