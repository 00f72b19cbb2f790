//! Counts of failed logins.
//!
//! [`lock`] makes the transaction the only one that counts under a key until it ends, so that what is read is what is
//! written: forty guesses at once are judged one after the other.

use super::db::{Conn, Row, Tx};
use super::value::text;
use super::{StoreError, statements};
use crate::base::time::Timestamp;
use crate::domain::throttle::{Tally, ThrottleKey};

statements! {
    FIND = "SELECT failures, first_failure_at, last_failure_at, blocked_until, refused_at FROM throttle
        WHERE throttle_key = $1";
    // Touches the row without changing it: that takes its lock on PostgreSQL, and answers its newest state.
    LOCK = "INSERT INTO throttle (throttle_key, failures, first_failure_at, last_failure_at, blocked_until)
        VALUES ($1, 0, $2, $2, $2)
        ON CONFLICT (throttle_key) DO UPDATE SET failures = throttle.failures
        RETURNING failures, first_failure_at, last_failure_at, blocked_until, refused_at";
    SAVE = "UPDATE throttle SET failures = $2, first_failure_at = $3, last_failure_at = $4, blocked_until = $5,
        refused_at = $6 WHERE throttle_key = $1";
    NOTE_REFUSAL = "UPDATE throttle SET refused_at = $2 WHERE throttle_key = $1 AND blocked_until > $2
        AND (refused_at IS NULL OR refused_at < last_failure_at)";
    CLEAR = "DELETE FROM throttle WHERE throttle_key = $1";
    PURGE = "DELETE FROM throttle WHERE last_failure_at < $1 AND blocked_until < $1";
}

fn tally(row: &Row) -> Result<Tally, StoreError> {
    let failures: i64 = row.get("failures")?;
    let refused: Option<i64> = row.get("refused_at")?;
    Ok(Tally {
        failures: u32::try_from(failures).map_err(|error| StoreError::corrupt("throttle.failures", error))?,
        since: Timestamp::from_micros(row.get("first_failure_at")?),
        last: Timestamp::from_micros(row.get("last_failure_at")?),
        blocked_until: Timestamp::from_micros(row.get("blocked_until")?),
        refused_at: refused.map(Timestamp::from_micros),
    })
}

/// The count under a key, where there is one.
///
/// # Errors
/// [`StoreError`].
pub async fn find(conn: &mut Conn, key: &ThrottleKey) -> Result<Option<Tally>, StoreError> {
    conn.optional(FIND, [text(key.as_str())])
        .await?
        .as_ref()
        .map(tally)
        .transpose()
}

/// The count under a key (none yet: zero), which no other transaction may touch until this one ends. Whoever locks
/// writes: [`save`] or [`clear`].
///
/// # Errors
/// [`StoreError`].
pub async fn lock(tx: &mut Tx, key: &ThrottleKey, now: Timestamp) -> Result<Tally, StoreError> {
    match tx.optional(LOCK, [text(key.as_str()), now.into()]).await? {
        Some(row) => tally(&row),
        None => Err(StoreError::corrupt("throttle", "an upsert answered no row")),
    }
}

/// Writes the count under a locked key.
///
/// # Errors
/// [`StoreError`].
pub async fn save(tx: &mut Tx, key: &ThrottleKey, tally: &Tally) -> Result<(), StoreError> {
    let values = [
        text(key.as_str()),
        i64::from(tally.failures).into(),
        tally.since.into(),
        tally.last.into(),
        tally.blocked_until.into(),
        tally.refused_at.into(),
    ];
    tx.execute(SAVE, values).await.map(drop)
}

/// Notes that an attempt was refused without being looked at; whether it is the first of this wait.
///
/// # Errors
/// [`StoreError`].
pub async fn note_refusal(tx: &mut Tx, key: &ThrottleKey, now: Timestamp) -> Result<bool, StoreError> {
    Ok(tx.execute(NOTE_REFUSAL, [text(key.as_str()), now.into()]).await? == 1)
}

/// Forgets the count under a key.
///
/// # Errors
/// [`StoreError`].
pub async fn clear(tx: &mut Tx, key: &ThrottleKey) -> Result<(), StoreError> {
    tx.execute(CLEAR, [text(key.as_str())]).await.map(drop)
}

/// Removes counts whose last failure was before `before`; answers how many.
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
    use crate::base::id::IdentityId;
    use crate::base::random::SeededRandom;
    use crate::store::testing::on_each_engine;

    const NOW: Timestamp = Timestamp::from_seconds(1_790_000_000);

    fn key(seed: u64) -> ThrottleKey {
        ThrottleKey::account(IdentityId::new(NOW, &SeededRandom::new(seed)))
    }

    #[tokio::test]
    async fn a_count_is_locked_written_read_noted_once_cleared_and_purged() {
        on_each_engine(async |db| {
            let (one, two) = (key(1), key(2));
            let mut tx = db.begin().await.unwrap();
            assert_eq!(find(&mut tx, &one).await.unwrap(), None);
            assert_eq!(lock(&mut tx, &one, NOW).await.unwrap(), Tally::none(NOW));
            let counted = Tally {
                failures: 5,
                since: NOW,
                last: NOW.plus(Duration::from_secs(9)),
                blocked_until: NOW.plus(Duration::from_secs(39)),
                refused_at: None,
            };
            save(&mut tx, &one, &counted).await.unwrap();
            tx.commit().await.unwrap();

            let mut tx = db.begin().await.unwrap();
            assert_eq!(lock(&mut tx, &one, counted.last).await.unwrap(), counted);
            assert!(note_refusal(&mut tx, &one, counted.last).await.unwrap());
            assert!(
                !note_refusal(&mut tx, &one, counted.last.plus(Duration::from_secs(1)))
                    .await
                    .unwrap()
            );
            assert!(!note_refusal(&mut tx, &two, NOW).await.unwrap());
            let noted = find(&mut tx, &one).await.unwrap().unwrap();
            assert_eq!(noted.refused_at, Some(counted.last));

            save(
                &mut tx,
                &one,
                &Tally {
                    last: NOW.plus(Duration::from_secs(50)),
                    ..noted
                },
            )
            .await
            .unwrap();
            assert!(
                !note_refusal(&mut tx, &one, NOW.plus(Duration::from_secs(60)))
                    .await
                    .unwrap(),
                "the wait is over"
            );

            assert_eq!(purge(&mut tx, NOW).await.unwrap(), 0);
            assert_eq!(
                purge(&mut tx, NOW.plus(Duration::from_secs(51))).await.unwrap(),
                1
            );
            lock(&mut tx, &two, NOW).await.unwrap();
            clear(&mut tx, &two).await.unwrap();
            assert_eq!(find(&mut tx, &two).await.unwrap(), None);
        })
        .await;
    }

    #[tokio::test]
    async fn of_forty_at_once_none_overlooks_another() {
        on_each_engine(async |db| {
            let counts = (0..40).map(|_| {
                let db = db.clone();
                tokio::spawn(async move {
                    let mut tx = db.begin().await.unwrap();
                    let seen = lock(&mut tx, &key(1), NOW).await.unwrap();
                    let counted = Tally {
                        failures: seen.failures + 1,
                        ..seen
                    };
                    save(&mut tx, &key(1), &counted).await.unwrap();
                    tx.commit().await.unwrap();
                    seen.failures
                })
            });
            let mut seen = Vec::new();
            for count in counts.collect::<Vec<_>>() {
                seen.push(count.await.unwrap());
            }
            seen.sort_unstable();
            assert_eq!(seen, (0..40).collect::<Vec<_>>());
        })
        .await;
    }

    #[tokio::test]
    async fn a_count_cleared_by_one_is_counted_afresh_by_the_next() {
        on_each_engine(async |db| {
            let tasks: Vec<_> = (0..20)
                .map(|number| {
                    let db = db.clone();
                    tokio::spawn(async move {
                        let mut tx = db.begin().await.unwrap();
                        let seen = lock(&mut tx, &key(1), NOW).await.unwrap();
                        assert_eq!(seen.failures, 0);
                        // Half of them forget, half roll back: neither leaves a count.
                        if number % 2 == 0 {
                            clear(&mut tx, &key(1)).await.unwrap();
                            tx.commit().await.unwrap();
                        }
                    })
                })
                .collect();
            for task in tasks {
                task.await.unwrap();
            }
            let mut conn = db.reader().await.unwrap();
            assert_eq!(find(&mut conn, &key(1)).await.unwrap(), None);
        })
        .await;
    }
}
