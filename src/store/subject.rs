//! Subjects: what each sector got for each person, for life. No statement here deletes.

use super::db::{Conn, Tx};
use super::value::text;
use super::{StoreError, statements};
use crate::base::id::IdentityId;
use crate::base::time::Timestamp;

statements! {
    FIND = "SELECT value FROM subject WHERE sector = $1 AND identity_id = $2 AND in_use";
    // Nothing happens where the person has a subject there, or where anybody ever had this value.
    ADD = "INSERT INTO subject (sector, value, identity_id, in_use, issued_at) VALUES ($1, $2, $3, TRUE, $4)
        ON CONFLICT DO NOTHING";
    SECTORS_OF = "SELECT sector, value, in_use FROM subject WHERE identity_id = $1 ORDER BY sector, issued_at, value";
    MET = "SELECT sector, MIN(issued_at) AS since FROM subject WHERE identity_id = $1 GROUP BY sector ORDER BY sector";
}

/// The value in use for a person toward a sector.
///
/// # Errors
/// [`StoreError`].
pub async fn find(conn: &mut Conn, sector: &str, identity: IdentityId) -> Result<Option<String>, StoreError> {
    let row = conn.optional(FIND, [text(sector), text(identity)]).await?;
    row.map(|row| row.get("value")).transpose()
}

/// Keeps a value for a person who has none toward the sector; whether it was this call that did.
///
/// # Errors
/// [`StoreError`].
pub async fn add(
    tx: &mut Tx,
    sector: &str,
    value: &str,
    identity: IdentityId,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let values = [text(sector), text(value), text(identity), now.into()];
    Ok(tx.execute(ADD, values).await? == 1)
}

/// A row of the table, as merges move it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issued {
    /// The sector.
    pub sector: String,
    /// What it got.
    pub value: String,
    /// Whether it is what the sector gets today.
    pub in_use: bool,
}

/// Everything that was ever issued for a person.
///
/// # Errors
/// [`StoreError`].
pub async fn all_of(conn: &mut Conn, identity: IdentityId) -> Result<Vec<Issued>, StoreError> {
    let rows = conn.all(SECTORS_OF, [text(identity)]).await?;
    rows.iter()
        .map(|row| {
            Ok(Issued {
                sector: row.get("sector")?,
                value: row.get("value")?,
                in_use: row.get("in_use")?,
            })
        })
        .collect()
}

/// The sectors that know a person, each with the moment since when.
///
/// # Errors
/// [`StoreError`].
pub async fn met(conn: &mut Conn, identity: IdentityId) -> Result<Vec<(String, Timestamp)>, StoreError> {
    let rows = conn.all(MET, [text(identity)]).await?;
    rows.iter()
        .map(|row| Ok((row.get("sector")?, Timestamp::from_micros(row.get("since")?))))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::testing::{on_each_engine, person};

    const NOW: Timestamp = Timestamp::from_seconds(1_790_000_000);

    #[tokio::test]
    async fn the_first_value_stays_and_is_nobody_elses() {
        on_each_engine(async |db| {
            let (lina, maddi) = (person("Lina", 1).id, person("Maddi", 2).id);
            let mut tx = db.begin().await.unwrap();
            assert!(add(&mut tx, "ent", "a", lina, NOW).await.unwrap());
            assert!(!add(&mut tx, "ent", "b", lina, NOW).await.unwrap(), "she has one");
            assert!(
                !add(&mut tx, "ent", "a", maddi, NOW).await.unwrap(),
                "it is Lina's"
            );
            assert!(
                add(&mut tx, "cantine", "a", maddi, NOW).await.unwrap(),
                "another sector"
            );
            assert_eq!(find(&mut tx, "ent", lina).await.unwrap().as_deref(), Some("a"));
            assert_eq!(find(&mut tx, "ent", maddi).await.unwrap(), None);
            assert_eq!(met(&mut tx, lina).await.unwrap(), [("ent".to_owned(), NOW)]);
        })
        .await;
    }
}
