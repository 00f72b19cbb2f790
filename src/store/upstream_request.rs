//! Requests to upstream providers that wait for their answer.

use super::db::{Conn, Row, Tx};
use super::value::text;
use super::{StoreError, statements};
use crate::base::secret::Digest;
use crate::base::time::Timestamp;
use crate::domain::upstream::ProviderId;

statements! {
    INSERT = "INSERT INTO upstream_request (id, provider, browser, sealed, expires_at) VALUES ($1, $2, $3, $4, $5)";
    FIND = "SELECT provider, browser, sealed, expires_at FROM upstream_request WHERE id = $1 AND used_at IS NULL
        AND expires_at > $2";
    // The single-use gate: one row is the caller's, none means that it was answered, is forgotten, or never was.
    CONSUME = "UPDATE upstream_request SET used_at = $2 WHERE id = $1 AND used_at IS NULL AND expires_at > $2
        RETURNING provider, browser, sealed, expires_at";
    // One browser has as many tabs as people have; what it asked for longer ago gives way.
    TRIM = "DELETE FROM upstream_request WHERE browser = $1 AND used_at IS NULL AND id NOT IN (
        SELECT id FROM upstream_request WHERE browser = $1 AND used_at IS NULL ORDER BY expires_at DESC, id LIMIT $2)";
    PURGE = "DELETE FROM upstream_request WHERE expires_at < $1";
}

/// A request that waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    /// Whom it went to.
    pub provider: ProviderId,
    /// The digest of the cookie of the browser that it went by.
    pub browser: Digest,
    /// What is needed when the answer comes, sealed.
    pub sealed: Vec<u8>,
    /// Until when it waits.
    pub expires_at: Timestamp,
}

fn waiting(row: &Row) -> Result<Waiting, StoreError> {
    let browser: Vec<u8> = row.get("browser")?;
    Ok(Waiting {
        provider: row.parse("provider")?,
        browser: Digest::from_stored(&browser)
            .ok_or_else(|| StoreError::corrupt("browser", "not a digest"))?,
        sealed: row.get("sealed")?,
        expires_at: Timestamp::from_micros(row.get("expires_at")?),
    })
}

/// Keeps a request.
///
/// # Errors
/// [`StoreError`].
pub async fn insert(tx: &mut Tx, id: &str, new: &Waiting) -> Result<(), StoreError> {
    let values = [
        text(id),
        text(&new.provider),
        new.browser.as_bytes().into(),
        new.sealed.clone().into(),
        new.expires_at.into(),
    ];
    tx.execute(INSERT, values).await.map(drop)
}

/// Forgets what one browser asked for longest ago and nobody answered, but for the latest `most`; answers how many.
///
/// # Errors
/// [`StoreError`].
pub async fn trim(tx: &mut Tx, browser: &Digest, most: i64) -> Result<u64, StoreError> {
    tx.execute(TRIM, [browser.as_bytes().into(), most.into()]).await
}

/// A request that still waits, left as it is: what an answer claims to answer, before it is believed.
///
/// # Errors
/// [`StoreError`].
pub async fn find(conn: &mut Conn, id: &str, now: Timestamp) -> Result<Option<Waiting>, StoreError> {
    let row = conn.optional(FIND, [text(id), now.into()]).await?;
    row.as_ref().map(waiting).transpose()
}

/// Takes a request; `None` where it is not the caller's. Of many callers at once, on any node, one gets it.
///
/// # Errors
/// [`StoreError`].
pub async fn consume(tx: &mut Tx, id: &str, now: Timestamp) -> Result<Option<Waiting>, StoreError> {
    let row = tx.optional(CONSUME, [text(id), now.into()]).await?;
    row.as_ref().map(waiting).transpose()
}

/// Forgets requests that nobody answered, or that were answered long ago; answers how many.
///
/// # Errors
/// [`StoreError`].
pub async fn purge(tx: &mut Tx, before: Timestamp) -> Result<u64, StoreError> {
    tx.execute(PURGE, [before.into()]).await
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::base::secret::Secret;
    use crate::store::testing::on_each_engine;

    const NOW: Timestamp = Timestamp::from_seconds(1_790_000_000);

    #[tokio::test]
    async fn one_browser_has_the_latest_of_its_requests_and_nobody_elses_are_touched() {
        on_each_engine(async |db| {
            let new = |cookie: &str, seconds: u64| Waiting {
                provider: "educonnect".parse().unwrap(),
                browser: Secret::new(cookie).digest(),
                sealed: vec![1],
                expires_at: NOW.plus(Duration::from_secs(seconds)),
            };
            let mut tx = db.begin().await.unwrap();
            for (id, seconds) in [("_a", 1), ("_b", 2), ("_c", 3)] {
                insert(&mut tx, id, &new("cookie", seconds)).await.unwrap();
            }
            insert(&mut tx, "_other", &new("another", 1)).await.unwrap();
            let browser = Secret::new("cookie").digest();
            assert_eq!(trim(&mut tx, &browser, 2).await.unwrap(), 1);
            assert_eq!(trim(&mut tx, &browser, 2).await.unwrap(), 0);
            for (id, is_there) in [("_a", false), ("_b", true), ("_c", true), ("_other", true)] {
                assert_eq!(find(&mut tx, id, NOW).await.unwrap().is_some(), is_there, "{id}");
            }
            tx.commit().await.unwrap();
        })
        .await;
    }

    #[tokio::test]
    async fn a_request_is_answered_once_in_time_and_then_forgotten() {
        on_each_engine(async |db| {
            let new = Waiting {
                provider: "educonnect".parse().unwrap(),
                browser: Secret::new("cookie").digest(),
                sealed: vec![1, 2],
                expires_at: NOW.plus(Duration::from_secs(600)),
            };
            let mut tx = db.begin().await.unwrap();
            for id in ["_a", "_b"] {
                insert(&mut tx, id, &new).await.unwrap();
            }
            assert_eq!(find(&mut tx, "_a", NOW).await.unwrap().as_ref(), Some(&new));
            assert_eq!(consume(&mut tx, "_a", NOW).await.unwrap().as_ref(), Some(&new));
            assert_eq!(consume(&mut tx, "_a", NOW).await.unwrap(), None);
            assert_eq!(find(&mut tx, "_a", NOW).await.unwrap(), None);
            assert_eq!(consume(&mut tx, "_A", NOW).await.unwrap(), None);
            let late = new.expires_at;
            assert_eq!(consume(&mut tx, "_b", late).await.unwrap(), None);
            assert_eq!(
                purge(&mut tx, late.plus(Duration::from_secs(1))).await.unwrap(),
                2
            );
            tx.commit().await.unwrap();
        })
        .await;
    }
}
