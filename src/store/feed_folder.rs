//! Drop folders: which node looks at one, and how the last deliveries went.

use std::collections::HashMap;

use super::db::{Conn, Row, Tx};
use super::value::{text, text_or_null};
use super::{StoreError, statements};
use crate::base::id::ImportRunId;
use crate::base::time::Timestamp;

statements! {
    WATCH = "INSERT INTO feed_folder (id, watched_since) VALUES ($1, $2) ON CONFLICT DO NOTHING";
    CLAIM = "UPDATE feed_folder SET claim = $2, claimed_until = $3
        WHERE id = $1 AND (claimed_until IS NULL OR claimed_until <= $4)";
    RENEW = "UPDATE feed_folder SET claimed_until = $3 WHERE id = $1 AND claim = $2";
    RELEASE = "UPDATE feed_folder SET claim = NULL, claimed_until = NULL WHERE id = $1 AND claim = $2";
    DONE = "UPDATE feed_folder SET done_at = $2, delivery = $3, run_id = $4, refused_at = NULL, refused_delivery = NULL,
        refusal = NULL, failed_at = NULL, failure = NULL WHERE id = $1";
    REFUSED = "UPDATE feed_folder SET refused_at = $2, refused_delivery = $3, refusal = $4, failed_at = NULL,
        failure = NULL WHERE id = $1";
    FAILED = "UPDATE feed_folder SET failed_at = $2, failure = $3 WHERE id = $1";
    RECOVER = "UPDATE feed_folder SET failed_at = NULL, failure = NULL WHERE id = $1 AND failed_at IS NOT NULL";
    ALL = "SELECT id, watched_since, done_at, delivery, run_id, refused_at, refused_delivery, refusal, failed_at, failure
        FROM feed_folder";
}

/// What is known of a folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct State {
    /// Since when it is watched.
    pub watched_since: Timestamp,
    /// When a delivery was last loaded.
    pub done_at: Option<Timestamp>,
    /// Which.
    pub delivery: Option<String>,
    /// By which run, where it was applied.
    pub run: Option<ImportRunId>,
    /// When, which and why one was refused, where none was loaded since.
    pub refused: Option<(Timestamp, String, String)>,
    /// When and why the last look failed.
    pub failed: Option<(Timestamp, String)>,
}

fn state(row: &Row) -> Result<State, StoreError> {
    let at = |column| Ok::<_, StoreError>(row.get::<Option<i64>>(column)?.map(Timestamp::from_micros));
    let words = |column| row.get::<Option<String>>(column);
    Ok(State {
        watched_since: Timestamp::from_micros(row.get("watched_since")?),
        done_at: at("done_at")?,
        delivery: words("delivery")?,
        run: row.parse_optional("run_id")?,
        refused: at("refused_at")?
            .zip(words("refused_delivery")?)
            .zip(words("refusal")?)
            .map(|((at, delivery), cause)| (at, delivery, cause)),
        failed: at("failed_at")?.zip(words("failure")?),
    })
}

/// A folder is watched, from now on where it was not before.
///
/// # Errors
/// [`StoreError`].
pub async fn watch(tx: &mut Tx, id: &str, now: Timestamp) -> Result<(), StoreError> {
    tx.execute(WATCH, [text(id), now.into()]).await.map(drop)
}

/// Claims a folder until an instant; whether nobody else has it now.
///
/// # Errors
/// [`StoreError`].
pub async fn claim(
    tx: &mut Tx,
    id: &str,
    claim: &str,
    (now, until): (Timestamp, Timestamp),
) -> Result<bool, StoreError> {
    let values = [text(id), text(claim), until.into(), now.into()];
    Ok(tx.execute(CLAIM, values).await? == 1)
}

/// Keeps a claim for longer; whether it still stood.
///
/// # Errors
/// [`StoreError`].
pub async fn renew(tx: &mut Tx, id: &str, claim: &str, until: Timestamp) -> Result<bool, StoreError> {
    Ok(tx.execute(RENEW, [text(id), text(claim), until.into()]).await? == 1)
}

/// Gives a claim up.
///
/// # Errors
/// [`StoreError`].
pub async fn release(tx: &mut Tx, id: &str, claim: &str) -> Result<(), StoreError> {
    tx.execute(RELEASE, [text(id), text(claim)]).await.map(drop)
}

/// A delivery was loaded.
///
/// # Errors
/// [`StoreError`].
pub async fn done(
    tx: &mut Tx,
    id: &str,
    delivery: &str,
    run: Option<ImportRunId>,
    now: Timestamp,
) -> Result<(), StoreError> {
    let values = [text(id), now.into(), text(delivery), text_or_null(run)];
    tx.execute(DONE, values).await.map(drop)
}

/// A delivery was refused.
///
/// # Errors
/// [`StoreError`].
pub async fn refused(
    tx: &mut Tx,
    id: &str,
    delivery: &str,
    cause: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    let values = [text(id), now.into(), text(delivery), text(cause)];
    tx.execute(REFUSED, values).await.map(drop)
}

/// A look did not come to its end.
///
/// # Errors
/// [`StoreError`].
pub async fn failed(tx: &mut Tx, id: &str, cause: &str, now: Timestamp) -> Result<(), StoreError> {
    tx.execute(FAILED, [text(id), now.into(), text(cause)])
        .await
        .map(drop)
}

/// A look came to its end.
///
/// # Errors
/// [`StoreError`].
pub async fn recovered(tx: &mut Tx, id: &str) -> Result<(), StoreError> {
    tx.execute(RECOVER, [text(id)]).await.map(drop)
}

/// Every folder that was ever watched.
///
/// # Errors
/// [`StoreError`].
pub async fn all(conn: &mut Conn) -> Result<HashMap<String, State>, StoreError> {
    let rows = conn.all(ALL, []).await?;
    rows.iter().map(|row| Ok((row.get("id")?, state(row)?))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::testing::on_each_engine;

    #[tokio::test]
    async fn one_node_has_a_folder_until_it_gives_it_up_or_its_time_is_over() {
        on_each_engine(async |db| {
            let at = Timestamp::from_seconds;
            let mut tx = db.begin().await.unwrap();
            watch(&mut tx, "aaf", at(1)).await.unwrap();
            watch(&mut tx, "aaf", at(9)).await.unwrap();
            assert!(claim(&mut tx, "aaf", "a", (at(10), at(20))).await.unwrap());
            assert!(!claim(&mut tx, "aaf", "b", (at(19), at(29))).await.unwrap());
            assert!(renew(&mut tx, "aaf", "a", at(30)).await.unwrap());
            assert!(!claim(&mut tx, "aaf", "b", (at(29), at(39))).await.unwrap());
            assert!(claim(&mut tx, "aaf", "b", (at(30), at(40))).await.unwrap());
            assert!(!renew(&mut tx, "aaf", "a", at(50)).await.unwrap());
            release(&mut tx, "aaf", "a").await.unwrap();
            assert!(!claim(&mut tx, "aaf", "c", (at(31), at(41))).await.unwrap());
            release(&mut tx, "aaf", "b").await.unwrap();
            assert!(claim(&mut tx, "aaf", "c", (at(31), at(41))).await.unwrap());

            refused(&mut tx, "aaf", "lundi", "vide", at(32)).await.unwrap();
            failed(&mut tx, "aaf", "disk", at(33)).await.unwrap();
            let known = all(&mut tx).await.unwrap().remove("aaf").unwrap();
            assert_eq!(known.watched_since, at(1));
            assert_eq!(known.refused, Some((at(32), "lundi".into(), "vide".into())));
            assert_eq!(known.failed, Some((at(33), "disk".into())));
            recovered(&mut tx, "aaf").await.unwrap();
            assert_eq!(all(&mut tx).await.unwrap()["aaf"].failed, None);
            done(&mut tx, "aaf", "mardi", None, at(34)).await.unwrap();
            let known = all(&mut tx).await.unwrap().remove("aaf").unwrap();
            assert_eq!((known.refused, known.failed), (None, None));
            assert_eq!(
                (known.done_at, known.delivery.as_deref()),
                (Some(at(34)), Some("mardi"))
            );
        })
        .await;
    }
}
