//! Logout tokens that wait to be delivered, and what became of those that were: one row for each relying party of a login
//! that was ended.
//!
//! A delivery is claimed by moving its `due_at` (a lease): of two nodes that see it due, one moves it. A node that dies
//! with a delivery in its hands gives it back by doing nothing.

use super::db::{Bulk, Conn, Row, Tx};
pub use super::delivery::Status;
use super::value::{Value, text};
use super::{StoreError, statements};
use crate::base::id::SessionId;
use crate::base::time::Timestamp;
use crate::domain::relying_party::RelyingPartyId;

statements! {
    // The first few of each party: one that has a thousand waiting hides nobody else's.
    DUE = "SELECT session_id, client_id, due_at FROM (
            SELECT session_id, client_id, due_at,
                ROW_NUMBER() OVER (PARTITION BY client_id ORDER BY due_at, session_id) AS place
            FROM logout_delivery WHERE status = 'waiting' AND due_at <= $1) AS waiting
        WHERE place <= $2 ORDER BY session_id, client_id LIMIT 1000";
    CLAIM = "UPDATE logout_delivery SET due_at = $4, attempts = attempts + 1
        WHERE session_id = $1 AND client_id = $2 AND status = 'waiting' AND due_at = $3 RETURNING subject, attempts";
    // Whoever holds a lease that ran out meanwhile changes nothing.
    SETTLE = "UPDATE logout_delivery SET status = $4, due_at = $5, ended_at = $6, result = $7
        WHERE session_id = $1 AND client_id = $2 AND status = 'waiting' AND attempts = $3";
    OF_SESSION = "SELECT client_id, status, attempts, due_at, ended_at, result FROM logout_delivery
        WHERE session_id = $1 ORDER BY client_id";
    PURGE = "DELETE FROM logout_delivery WHERE ended_at < $1";
}

// A login that an undone merge brought back to life can end a second time.
const QUEUE: Bulk = Bulk {
    name: "QUEUE",
    head: "INSERT INTO logout_delivery (session_id, client_id, subject, status, attempts, due_at, created_at) VALUES ",
    width: 7,
    rows: true,
    tail: " ON CONFLICT (session_id, client_id) DO UPDATE SET subject = excluded.subject, status = excluded.status,
        attempts = excluded.attempts, due_at = excluded.due_at, created_at = excluded.created_at,
        ended_at = NULL, result = NULL",
};

pub(super) const BULKS: &[Bulk] = &[QUEUE];

/// The name of a delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// The login that was ended.
    pub session: SessionId,
    /// The party that is to be told.
    pub client: RelyingPartyId,
}

/// A delivery that may be claimed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Due {
    /// Which.
    pub key: Key,
    /// Since when; the claim holds only where nobody has moved it.
    pub due_at: Timestamp,
}

/// A delivery that is the caller's until its lease runs out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claimed {
    /// Which.
    pub key: Key,
    /// The person, as the party knows them, where it knows them.
    pub subject: Option<String>,
    /// Which attempt this is, from 1.
    pub attempt: i64,
}

/// What became of telling one party.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// The party.
    pub client: RelyingPartyId,
    /// Where it stands.
    pub status: Status,
    /// How often it was tried.
    pub attempts: i64,
    /// What the last attempt met.
    pub result: Option<String>,
}

/// Queues a logout token for each party, due at once.
///
/// # Errors
/// [`StoreError`].
pub async fn queue(tx: &mut Tx, told: Vec<(Key, Option<String>)>, now: Timestamp) -> Result<u64, StoreError> {
    let rows = told.into_iter().map(|(key, subject)| {
        vec![
            text(key.session),
            text(key.client),
            Value::from(subject.as_deref()),
            text("waiting"),
            0.into(),
            now.into(),
            now.into(),
        ]
    });
    tx.execute_many(QUEUE, rows.collect()).await
}

fn key(row: &Row) -> Result<Key, StoreError> {
    Ok(Key {
        session: row.parse("session_id")?,
        client: row.parse("client_id")?,
    })
}

/// What is due, at most `of_each` of one party, in an order that is the same for every node.
///
/// # Errors
/// [`StoreError`].
pub async fn due(conn: &mut Conn, now: Timestamp, of_each: i64) -> Result<Vec<Due>, StoreError> {
    let rows = conn.all(DUE, [now.into(), of_each.into()]).await?;
    rows.iter()
        .map(|row| {
            Ok(Due {
                key: key(row)?,
                due_at: Timestamp::from_micros(row.get("due_at")?),
            })
        })
        .collect()
}

/// Claims a delivery until `lease`; `None` where somebody else has it or it is over.
///
/// # Errors
/// [`StoreError`].
pub async fn claim(tx: &mut Tx, due: Due, lease: Timestamp) -> Result<Option<Claimed>, StoreError> {
    let values = [
        text(due.key.session),
        text(&due.key.client),
        due.due_at.into(),
        lease.into(),
    ];
    match tx.optional(CLAIM, values).await? {
        None => Ok(None),
        Some(row) => Ok(Some(Claimed {
            key: due.key,
            subject: row.get("subject")?,
            attempt: row.get("attempts")?,
        })),
    }
}

/// Writes what an attempt came to; whether it was still the caller's to say.
///
/// # Errors
/// [`StoreError`].
pub async fn settle(
    tx: &mut Tx,
    claimed: &Claimed,
    status: &Status,
    result: &str,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let (name, due_at, ended_at) = status.stored(now);
    let values = [
        text(claimed.key.session),
        text(&claimed.key.client),
        claimed.attempt.into(),
        text(name),
        due_at.into(),
        ended_at.into(),
        text(result),
    ];
    Ok(tx.execute(SETTLE, values).await? == 1)
}

/// What became of telling each party of a login, by id.
///
/// # Errors
/// [`StoreError`].
pub async fn of_session(conn: &mut Conn, session: SessionId) -> Result<Vec<Delivery>, StoreError> {
    let rows = conn.all(OF_SESSION, [text(session)]).await?;
    rows.iter().map(delivery).collect()
}

fn delivery(row: &Row) -> Result<Delivery, StoreError> {
    Ok(Delivery {
        client: row.parse("client_id")?,
        status: Status::of(row)?,
        attempts: row.get("attempts")?,
        result: row.get("result")?,
    })
}

/// Forgets what was over before `before`; answers how much.
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
    use crate::base::random::SeededRandom;
    use crate::store::testing::on_each_engine;

    const NOW: Timestamp = Timestamp::from_seconds(1_790_000_000);

    fn keys(client: &str, count: u64) -> Vec<(Key, Option<String>)> {
        (0..count)
            .map(|seed| {
                let session = SessionId::new(NOW, &SeededRandom::new(seed));
                let client = client.parse().unwrap();
                (Key { session, client }, Some(format!("subject {seed}")))
            })
            .collect()
    }

    #[tokio::test]
    async fn a_delivery_waits_is_claimed_once_and_keeps_its_result() {
        on_each_engine(async |db| {
            let later = |seconds| NOW.plus(Duration::from_secs(seconds));
            let mut tx = db.begin().await.unwrap();
            let told = keys("ent", 1);
            assert_eq!(queue(&mut tx, told.clone(), NOW).await.unwrap(), 1);
            assert_eq!(queue(&mut tx, Vec::new(), NOW).await.unwrap(), 0);
            let waiting = due(&mut tx, NOW, 4).await.unwrap();
            let first = waiting[0].clone();
            let claimed = claim(&mut tx, first.clone(), later(30)).await.unwrap().unwrap();
            assert_eq!((&claimed.key, claimed.attempt), (&told[0].0, 1));
            assert_eq!(claimed.subject, told[0].1);
            assert_eq!(
                claim(&mut tx, first, later(30)).await.unwrap(),
                None,
                "one node has it"
            );
            assert_eq!(due(&mut tx, later(29), 4).await.unwrap(), []);

            let again = due(&mut tx, later(30), 4).await.unwrap();
            let second = claim(&mut tx, again[0].clone(), later(60))
                .await
                .unwrap()
                .unwrap();
            assert_eq!(second.attempt, 2, "the lease of a node that died ran out");
            let delivered = Status::Delivered { at: later(31) };
            assert!(
                !settle(&mut tx, &claimed, &delivered, "HTTP 200", later(31))
                    .await
                    .unwrap()
            );
            let retry = Status::Waiting { due_at: later(90) };
            assert!(
                settle(&mut tx, &second, &retry, "unreachable", later(31))
                    .await
                    .unwrap()
            );
            let third = due(&mut tx, later(90), 4).await.unwrap();
            let third = claim(&mut tx, third[0].clone(), later(120))
                .await
                .unwrap()
                .unwrap();
            assert!(
                settle(&mut tx, &third, &delivered, "HTTP 200", later(31))
                    .await
                    .unwrap()
            );
            let kept = of_session(&mut tx, told[0].0.session).await.unwrap();
            let expected = Delivery {
                client: "ent".parse().unwrap(),
                status: delivered,
                attempts: 3,
                result: Some("HTTP 200".into()),
            };
            assert_eq!(kept, [expected]);
            assert_eq!(due(&mut tx, later(1000), 4).await.unwrap(), []);
            assert_eq!(purge(&mut tx, later(31)).await.unwrap(), 0);

            assert_eq!(
                queue(&mut tx, told.clone(), later(40)).await.unwrap(),
                1,
                "ended a second time"
            );
            assert_eq!(due(&mut tx, later(40), 4).await.unwrap().len(), 1);
            let last = due(&mut tx, later(40), 4).await.unwrap();
            let last = claim(&mut tx, last[0].clone(), later(70)).await.unwrap().unwrap();
            let given_up = Status::GivenUp { at: later(41) };
            assert!(
                settle(&mut tx, &last, &given_up, "HTTP 400", later(41))
                    .await
                    .unwrap()
            );
            assert_eq!(
                of_session(&mut tx, told[0].0.session).await.unwrap()[0].status,
                given_up
            );
            assert_eq!(purge(&mut tx, later(42)).await.unwrap(), 1);
        })
        .await;
    }

    #[tokio::test]
    async fn a_party_with_much_waiting_hides_no_other() {
        on_each_engine(async |db| {
            let mut tx = db.begin().await.unwrap();
            queue(&mut tx, keys("dead", 1500), NOW).await.unwrap();
            let later = NOW.plus(Duration::from_secs(1));
            queue(&mut tx, keys("ent", 2), later).await.unwrap();
            let due = due(&mut tx, later, 4).await.unwrap();
            let of = |client: &str| due.iter().filter(|due| due.key.client.as_str() == client).count();
            assert_eq!((of("dead"), of("ent")), (4, 2));
        })
        .await;
    }
}
