//! The journal: append-only, hash-chained, written in the transaction of the decision it records.
//!
//! To keep concurrent decisions from waiting for one another, there are [`LANES`] chains; an event goes to the lane
//! its caller names (any, spread evenly). Changing, removing or inserting an entry breaks its lane's chain; cutting
//! off the end leaves the head ahead of the entries.

use super::db::{Conn, Tx};
use super::value::text;
use super::{StoreError, statements};
use crate::base::time::Timestamp;
use crate::domain::audit::{Event, chain};

/// Independent chains.
pub const LANES: i64 = 16;

statements! {
    OPEN_LANE = "INSERT INTO audit_head (lane, sequence, hash) VALUES ($1, 0, $2) ON CONFLICT DO NOTHING";
    // Takes the lane's row lock, so the chain has one writer until this transaction ends.
    ADVANCE = "UPDATE audit_head SET sequence = sequence + 1 WHERE lane = $1 RETURNING sequence, hash";
    APPEND = "INSERT INTO audit_event (lane, sequence, at, kind, actor, about, details, hash)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
    // Takes the lane's row lock too, but only where the lane ends where the caller believes. On PostgreSQL a writer that had
    // to wait for another looks at the row again as that left it, so the condition holds of what is committed.
    ADVANCE_FROM = "UPDATE audit_head SET sequence = $2, hash = $3 WHERE lane = $1 AND sequence = $4";
    SET_HEAD = "UPDATE audit_head SET hash = $2 WHERE lane = $1";
    HEADS = "SELECT lane, sequence, hash FROM audit_head ORDER BY lane";
    PAGE = "SELECT lane, sequence, at, kind, actor, about, details, hash FROM audit_event
        WHERE lane = $1 AND sequence > $2 ORDER BY sequence LIMIT 1000";
    RECENT = "SELECT lane, sequence, at, kind, actor, about, details, hash FROM audit_event
        ORDER BY at DESC, lane, sequence DESC LIMIT $1";
}

/// An entry as it stands in the journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its chain.
    pub lane: i64,
    /// Its place in the chain, from 1.
    pub sequence: i64,
    /// When.
    pub at: Timestamp,
    /// What happened.
    pub kind: String,
    /// Who decided.
    pub actor: String,
    /// What it was about; empty where nothing.
    pub about: String,
    /// Details, a JSON object.
    pub details: String,
    /// Its link of the chain.
    pub hash: Vec<u8>,
}

/// The lane that entries of this moment go to.
pub(super) fn lane(now: Timestamp) -> i64 {
    now.micros().rem_euclid(LANES)
}

/// Where a lane ended when it was read, by whoever wants to append there later.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    lane: i64,
    sequence: i64,
    hash: Vec<u8>,
}

impl Head {
    /// Reads `journal_sequence` and `journal_hash`; `None` where the lane has no entry yet.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] for an impossible row.
    pub(super) fn of_row(lane: i64, row: &super::db::Row) -> Result<Option<Self>, StoreError> {
        let (sequence, hash): (Option<i64>, Option<Vec<u8>>) =
            (row.get("journal_sequence")?, row.get("journal_hash")?);
        Ok(sequence
            .zip(hash)
            .map(|(sequence, hash)| Self { lane, sequence, hash }))
    }
}

/// [`append`] by one statement less, where nobody appended to the lane since `head` was read outside this transaction;
/// else as that does. One guarded statement decides, so a stale head costs a round trip and never a break of the chain.
///
/// # Errors
/// [`StoreError`].
pub async fn append_after(
    tx: &mut Tx,
    now: Timestamp,
    event: &Event,
    head: Option<&Head>,
) -> Result<(), StoreError> {
    let lane = lane(now);
    let Some(head) = head.filter(|head| head.lane == lane) else {
        return append(tx, now, event).await;
    };
    let written = Written::new(&head.hash, head.sequence + 1, now, event);
    let values = [
        lane.into(),
        written.sequence.into(),
        written.hash.into(),
        head.sequence.into(),
    ];
    if tx.execute(ADVANCE_FROM, values).await? == 1 {
        insert(tx, lane, now, event, &written).await
    } else {
        append(tx, now, event).await
    }
}

/// What an event becomes by its place in a chain.
struct Written {
    sequence: i64,
    actor: String,
    details: String,
    hash: [u8; 32],
}

impl Written {
    fn new(previous: &[u8], sequence: i64, now: Timestamp, event: &Event) -> Self {
        let (actor, details) = (event.actor.to_string(), event.details_json());
        let about = event.about.as_deref().unwrap_or_default();
        let fields = [event.kind.as_str(), &actor, about, &details];
        Self {
            sequence,
            hash: chain(previous, sequence, now, fields),
            actor,
            details,
        }
    }
}

async fn insert(
    tx: &mut Tx,
    lane: i64,
    now: Timestamp,
    event: &Event,
    written: &Written,
) -> Result<(), StoreError> {
    let values = [
        lane.into(),
        written.sequence.into(),
        now.into(),
        text(event.kind.as_str()),
        text(&written.actor),
        text(event.about.as_deref().unwrap_or_default()),
        text(&written.details),
        written.hash.into(),
    ];
    tx.execute(APPEND, values).await.map(drop)
}

/// Appends an event at the end of the lane that `now` falls into.
///
/// # Errors
/// [`StoreError`].
pub async fn append(tx: &mut Tx, now: Timestamp, event: &Event) -> Result<(), StoreError> {
    let lane = lane(now);
    let head = match tx.optional(ADVANCE, [lane.into()]).await? {
        Some(head) => head,
        None => {
            tx.execute(OPEN_LANE, [lane.into(), vec![0u8; 32].into()]).await?;
            let head = tx.optional(ADVANCE, [lane.into()]).await?;
            head.ok_or_else(|| StoreError::corrupt("audit_head.lane", lane))?
        }
    };
    let sequence: i64 = head.get("sequence")?;
    let previous: Vec<u8> = head.get("hash")?;
    let written = Written::new(&previous, sequence, now, event);
    insert(tx, lane, now, event, &written).await?;
    tx.execute(SET_HEAD, [lane.into(), written.hash.into()])
        .await
        .map(drop)
}

fn entry(row: &super::db::Row) -> Result<Entry, StoreError> {
    Ok(Entry {
        lane: row.get("lane")?,
        sequence: row.get("sequence")?,
        at: Timestamp::from_micros(row.get("at")?),
        kind: row.get("kind")?,
        actor: row.get("actor")?,
        about: row.get("about")?,
        details: row.get("details")?,
        hash: row.get("hash")?,
    })
}

/// The latest entries, newest first.
///
/// # Errors
/// [`StoreError`].
pub async fn recent(conn: &mut Conn, count: i64) -> Result<Vec<Entry>, StoreError> {
    conn.all(RECENT, [count.into()])
        .await?
        .iter()
        .map(entry)
        .collect()
}

/// Where a chain does not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Break {
    /// The chain.
    pub lane: i64,
    /// The first entry that does not follow from the one before, or the one that is missing.
    pub sequence: i64,
}

/// Follows every chain from its beginning; answers the number of entries, or the first break.
///
/// # Errors
/// [`StoreError`].
pub async fn verify(conn: &mut Conn) -> Result<Result<i64, Break>, StoreError> {
    let mut count = 0;
    for head in conn.all(HEADS, []).await? {
        let lane: i64 = head.get("lane")?;
        let (mut sequence, mut previous) = (0, vec![0u8; 32]);
        loop {
            let page = conn.all(PAGE, [lane.into(), sequence.into()]).await?;
            if page.is_empty() {
                break;
            }
            for row in &page {
                let entry = entry(row)?;
                let fields = [&*entry.kind, &*entry.actor, &*entry.about, &*entry.details];
                let expected = chain(&previous, sequence + 1, entry.at, fields);
                if entry.sequence != sequence + 1 || entry.hash != expected {
                    return Ok(Err(Break {
                        lane,
                        sequence: sequence + 1,
                    }));
                }
                (sequence, previous) = (entry.sequence, entry.hash);
                count += 1;
            }
        }
        let (last, hash): (i64, Vec<u8>) = (head.get("sequence")?, head.get("hash")?);
        if last != sequence || hash != previous {
            return Ok(Err(Break {
                lane,
                sequence: sequence + 1,
            }));
        }
    }
    Ok(Ok(count))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::audit::{Actor, Kind};
    use crate::store::db::Statement;
    use crate::store::testing::on_each_engine;

    async fn fill(db: &crate::store::db::Db) {
        for number in 0..40 {
            let mut tx = db.begin().await.unwrap();
            let event = Event::new(Kind::LoginFailed, Actor::Anonymous).with("number", number);
            append(&mut tx, Timestamp::from_micros(number / 2), &event)
                .await
                .unwrap();
            tx.commit().await.unwrap();
        }
    }

    async fn break_of(db: &crate::store::db::Db, sql: &'static str) -> Result<i64, Break> {
        let mut tx = db.begin().await.unwrap();
        tx.execute(Statement { name: "tamper", sql }, []).await.unwrap();
        verify(&mut tx).await.unwrap()
    }

    #[tokio::test]
    async fn each_kind_of_tampering_breaks_the_chain() {
        on_each_engine(async |db| {
            fill(&db).await;
            let mut conn = db.reader().await.unwrap();
            assert_eq!(verify(&mut conn).await.unwrap(), Ok(40));
            assert_eq!(recent(&mut conn, 3).await.unwrap().len(), 3);
            drop(conn);
            let changed = "UPDATE audit_event SET actor = 'system' WHERE lane = 1 AND sequence = 2";
            assert_eq!(break_of(&db, changed).await, Err(Break { lane: 1, sequence: 2 }));
            let removed = "DELETE FROM audit_event WHERE lane = 1 AND sequence = 1";
            assert_eq!(break_of(&db, removed).await, Err(Break { lane: 1, sequence: 1 }));
            let cut = "DELETE FROM audit_event WHERE lane = 2 AND sequence = 4";
            assert_eq!(break_of(&db, cut).await, Err(Break { lane: 2, sequence: 4 }));
        })
        .await;
    }

    #[tokio::test]
    async fn concurrent_appends_keep_every_chain_whole() {
        on_each_engine(async |db| {
            let tasks: Vec<_> = (0..40)
                .map(|number| {
                    let db = db.clone();
                    tokio::spawn(async move {
                        let mut tx = db.begin().await.unwrap();
                        let event = Event::new(Kind::LoginSucceeded, Actor::System);
                        append(&mut tx, Timestamp::from_micros(number % 3), &event)
                            .await
                            .unwrap();
                        tx.commit().await.unwrap();
                    })
                })
                .collect();
            for task in tasks {
                task.await.unwrap();
            }
            assert_eq!(verify(&mut db.reader().await.unwrap()).await.unwrap(), Ok(40));
        })
        .await;
    }

    async fn head(conn: &mut Conn, lane: i64) -> Head {
        let heads = conn.all(HEADS, []).await.unwrap();
        let row = heads
            .iter()
            .find(|row| row.get::<i64>("lane").unwrap() == lane)
            .unwrap();
        Head {
            lane,
            sequence: row.get("sequence").unwrap(),
            hash: row.get("hash").unwrap(),
        }
    }

    #[tokio::test]
    async fn an_append_after_a_head_that_was_read_keeps_the_chain_stale_or_not() {
        on_each_engine(async |db| {
            let (now, event) = (
                Timestamp::from_micros(5),
                Event::new(Kind::LoginSucceeded, Actor::System),
            );
            let mut tx = db.begin().await.unwrap();
            append_after(&mut tx, now, &event, None).await.unwrap();
            let first = head(&mut tx, 5).await;
            append_after(&mut tx, now, &event, Some(&first)).await.unwrap();
            append_after(&mut tx, now, &event, Some(&first)).await.unwrap();
            let of_another_lane = Head {
                lane: 6,
                ..head(&mut tx, 5).await
            };
            append_after(&mut tx, now, &event, Some(&of_another_lane))
                .await
                .unwrap();
            assert_eq!(verify(&mut tx).await.unwrap(), Ok(4));
        })
        .await;
    }

    #[tokio::test]
    async fn forty_appends_after_the_same_head_keep_the_chain() {
        on_each_engine(async |db| {
            let (now, event) = (
                Timestamp::from_micros(5),
                Event::new(Kind::LoginSucceeded, Actor::System),
            );
            let mut tx = db.begin().await.unwrap();
            append(&mut tx, now, &event).await.unwrap();
            let stale = head(&mut tx, 5).await;
            tx.commit().await.unwrap();
            let tasks: Vec<_> = (0..40)
                .map(|number| {
                    let (db, event, stale) = (db.clone(), event.clone(), stale.clone());
                    tokio::spawn(async move {
                        let mut tx = db.begin().await.unwrap();
                        append_after(&mut tx, now, &event, Some(&stale)).await.unwrap();
                        // A transaction that never was leaves the lane to those who wait.
                        if number % 4 != 0 {
                            tx.commit().await.unwrap();
                        }
                    })
                })
                .collect();
            for task in tasks {
                task.await.unwrap();
            }
            assert_eq!(verify(&mut db.reader().await.unwrap()).await.unwrap(), Ok(31));
        })
        .await;
    }
}
