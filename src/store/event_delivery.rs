//! Security events that wait to be delivered, and what became of those that were: one row for each party and event.
//!
//! Claimed by a lease as logout tokens are (`logout_delivery`). What concerns one subject reaches a party in the order in
//! which it happened: a row waits for those before it.

use super::db::{Bulk, Conn, Row, Tx};
pub use super::delivery::Status;
use super::value::{Value, text};
use super::{StoreError, statements};
use crate::base::id::EventId;
use crate::base::time::Timestamp;
use crate::domain::relying_party::RelyingPartyId;
use crate::domain::security_event::{EventKind, SecurityEvent};

statements! {
    // The first few of each party: one that has a thousand waiting hides nobody else's.
    DUE = "SELECT id, client_id, due_at FROM (
            SELECT e.id, e.client_id, e.due_at,
                ROW_NUMBER() OVER (PARTITION BY e.client_id ORDER BY e.due_at, e.id) AS place
            FROM event_delivery e WHERE e.status = 'waiting' AND e.due_at <= $1
                AND NOT EXISTS (SELECT 1 FROM event_delivery b WHERE b.client_id = e.client_id AND b.subject = e.subject
                    AND b.status = 'waiting' AND b.happened_at < e.happened_at)) AS waiting
        WHERE place <= $2 ORDER BY id LIMIT 1000";
    CLAIM = "UPDATE event_delivery SET due_at = $3, attempts = attempts + 1
        WHERE id = $1 AND status = 'waiting' AND due_at = $2 RETURNING kind, subject, other, happened_at, attempts";
    // Whoever holds a lease that ran out meanwhile changes nothing.
    SETTLE = "UPDATE event_delivery SET status = $3, due_at = $4, ended_at = $5, result = $6
        WHERE id = $1 AND status = 'waiting' AND attempts = $2";
    WITHDRAW = "DELETE FROM event_delivery WHERE client_id = $1 AND subject = $2 AND kind = $3
        AND status = 'waiting' AND attempts = 0";
    RETRY = "UPDATE event_delivery SET status = 'waiting', attempts = 0, due_at = $2, ended_at = NULL
        WHERE client_id = $1 AND status = 'given_up'";
    OF_CLIENT = "SELECT id, kind, subject, other, happened_at, status, attempts, due_at, ended_at, result FROM event_delivery
        WHERE client_id = $1 ORDER BY happened_at DESC, id DESC LIMIT $2";
    GIVEN_UP = "SELECT client_id, CAST(COUNT(*) AS BIGINT) AS number FROM event_delivery WHERE status = 'given_up'
        GROUP BY client_id ORDER BY client_id";
    PURGE = "DELETE FROM event_delivery WHERE ended_at < $1";
}

const QUEUE: Bulk = Bulk {
    name: "QUEUE",
    head: "INSERT INTO event_delivery (id, client_id, kind, subject, other, happened_at, status, attempts, due_at) VALUES ",
    width: 9,
    rows: true,
    tail: "",
};

pub(super) const BULKS: &[Bulk] = &[QUEUE];

/// An event for one party.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// The `jti` of its token, the same at every attempt.
    pub id: EventId,
    /// The party.
    pub client: RelyingPartyId,
    /// What happened.
    pub event: SecurityEvent,
    /// When.
    pub at: Timestamp,
}

/// A delivery that may be claimed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Due {
    /// Which.
    pub id: EventId,
    /// To whom.
    pub client: RelyingPartyId,
    /// Since when; the claim holds only where nobody has moved it.
    pub due_at: Timestamp,
}

/// A delivery that is the caller's until its lease runs out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claimed {
    /// What is told, and to whom.
    pub told: Told,
    /// Which attempt this is, from 1.
    pub attempt: i64,
}

/// What became of telling a party.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// What is told, and to whom.
    pub told: Told,
    /// Where it stands.
    pub status: Status,
    /// How often it was tried.
    pub attempts: i64,
    /// What the last attempt met.
    pub result: Option<String>,
}

/// Queues events, due at once.
///
/// # Errors
/// [`StoreError`].
pub async fn queue(tx: &mut Tx, told: &[Told]) -> Result<u64, StoreError> {
    let rows = told.iter().map(|told| {
        vec![
            text(told.id),
            text(&told.client),
            text(told.event.kind()),
            Value::from(told.event.subject()),
            Value::from(told.event.other()),
            told.at.into(),
            text("waiting"),
            0.into(),
            told.at.into(),
        ]
    });
    tx.execute_many(QUEUE, rows.collect()).await
}

fn event(row: &Row) -> Result<(SecurityEvent, Timestamp), StoreError> {
    let kind: EventKind = row.parse("kind")?;
    let event = SecurityEvent::of(kind, row.get("subject")?, row.get("other")?)
        .map_err(|error| StoreError::corrupt("event_delivery", error))?;
    Ok((event, Timestamp::from_micros(row.get("happened_at")?)))
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
                id: row.parse("id")?,
                client: row.parse("client_id")?,
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
    let values = [text(due.id), due.due_at.into(), lease.into()];
    let Some(row) = tx.optional(CLAIM, values).await? else {
        return Ok(None);
    };
    let (event, at) = event(&row)?;
    Ok(Some(Claimed {
        told: Told {
            id: due.id,
            client: due.client,
            event,
            at,
        },
        attempt: row.get("attempts")?,
    }))
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
        text(claimed.told.id),
        claimed.attempt.into(),
        text(name),
        due_at.into(),
        ended_at.into(),
        text(result),
    ];
    Ok(tx.execute(SETTLE, values).await? == 1)
}

/// Takes back an event of a kind about a subject that nobody has tried to deliver yet; whether there was one.
///
/// # Errors
/// [`StoreError`].
pub async fn withdraw(
    tx: &mut Tx,
    client: &RelyingPartyId,
    subject: &str,
    kind: EventKind,
) -> Result<bool, StoreError> {
    let values = [text(client), text(subject), text(kind)];
    Ok(tx.execute(WITHDRAW, values).await? > 0)
}

/// Everything that was given up for a party waits again, due at once, with every attempt before it; answers how much.
///
/// # Errors
/// [`StoreError`].
pub async fn retry(tx: &mut Tx, client: &RelyingPartyId, now: Timestamp) -> Result<u64, StoreError> {
    tx.execute(RETRY, [text(client), now.into()]).await
}

/// What became of telling a party, latest first.
///
/// # Errors
/// [`StoreError`].
pub async fn of_client(
    conn: &mut Conn,
    client: &RelyingPartyId,
    count: i64,
) -> Result<Vec<Delivery>, StoreError> {
    let rows = conn.all(OF_CLIENT, [text(client), count.into()]).await?;
    rows.iter()
        .map(|row| {
            let (event, at) = event(row)?;
            Ok(Delivery {
                told: Told {
                    id: row.parse("id")?,
                    client: client.clone(),
                    event,
                    at,
                },
                status: Status::of(row)?,
                attempts: row.get("attempts")?,
                result: row.get("result")?,
            })
        })
        .collect()
}

/// How much was given up, of each party.
///
/// # Errors
/// [`StoreError`].
pub async fn given_up(conn: &mut Conn) -> Result<Vec<(RelyingPartyId, i64)>, StoreError> {
    let rows = conn.all(GIVEN_UP, []).await?;
    rows.iter()
        .map(|row| Ok((row.parse("client_id")?, row.get("number")?)))
        .collect()
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

    fn later(seconds: u64) -> Timestamp {
        NOW.plus(Duration::from_secs(seconds))
    }

    fn changed(subject: &str, new_value: &str) -> SecurityEvent {
        SecurityEvent::IdentifierChanged {
            subject: subject.into(),
            new_value: new_value.into(),
        }
    }

    fn told(client: &str, event: SecurityEvent, seed: u64) -> Told {
        let at = later(seed);
        Told {
            id: EventId::new(at, &SeededRandom::new(seed)),
            client: client.parse().unwrap(),
            event,
            at,
        }
    }

    #[tokio::test]
    async fn an_event_is_claimed_once_retried_given_up_and_put_back() {
        on_each_engine(async |db| {
            let ent: RelyingPartyId = "ent".parse().unwrap();
            let mut tx = db.begin().await.unwrap();
            let first = told("ent", changed("a", "b"), 0);
            assert_eq!(queue(&mut tx, std::slice::from_ref(&first)).await.unwrap(), 1);
            assert_eq!(queue(&mut tx, &[]).await.unwrap(), 0);
            let waiting = due(&mut tx, NOW, 4).await.unwrap();
            let claimed = claim(&mut tx, waiting[0].clone(), later(30))
                .await
                .unwrap()
                .unwrap();
            assert_eq!((&claimed.told, claimed.attempt), (&first, 1));
            let again = claim(&mut tx, waiting[0].clone(), later(30)).await.unwrap();
            assert_eq!(again, None, "one node has it");
            assert_eq!(due(&mut tx, later(29), 4).await.unwrap(), []);
            assert!(
                !withdraw(&mut tx, &ent, "a", EventKind::IdentifierChanged)
                    .await
                    .unwrap(),
                "it may have arrived"
            );
            let given_up_at = Status::GivenUp { at: later(40) };
            assert!(
                settle(&mut tx, &claimed, &given_up_at, "HTTP 500", later(40))
                    .await
                    .unwrap()
            );
            assert!(
                !settle(&mut tx, &claimed, &given_up_at, "HTTP 500", later(40))
                    .await
                    .unwrap()
            );
            let kept = of_client(&mut tx, &ent, 10).await.unwrap();
            let expected = Delivery {
                told: first.clone(),
                status: given_up_at,
                attempts: 1,
                result: Some("HTTP 500".into()),
            };
            assert_eq!(kept, [expected]);
            assert_eq!(given_up(&mut tx).await.unwrap(), [(ent.clone(), 1)]);
            assert_eq!(retry(&mut tx, &ent, later(50)).await.unwrap(), 1);
            assert_eq!(given_up(&mut tx).await.unwrap(), []);
            let waiting = due(&mut tx, later(50), 4).await.unwrap();
            let claimed = claim(&mut tx, waiting[0].clone(), later(80))
                .await
                .unwrap()
                .unwrap();
            assert_eq!(claimed.attempt, 1);
            let delivered = Status::Delivered { at: later(51) };
            assert!(
                settle(&mut tx, &claimed, &delivered, "HTTP 202", later(51))
                    .await
                    .unwrap()
            );
            assert_eq!(purge(&mut tx, later(51)).await.unwrap(), 0);
            assert_eq!(purge(&mut tx, later(52)).await.unwrap(), 1);
        })
        .await;
    }

    #[tokio::test]
    async fn what_concerns_one_subject_goes_in_its_order_and_hides_no_other() {
        on_each_engine(async |db| {
            let mut tx = db.begin().await.unwrap();
            let restored = SecurityEvent::IdentifierRestored {
                subject: "a".into(),
                separated_from: "b".into(),
            };
            let purged = SecurityEvent::AccountPurged { subject: "z".into() };
            let all = [
                told("ent", changed("a", "b"), 1),
                told("ent", restored, 2),
                told("ent", purged, 3),
                told("notes", changed("a", "b"), 4),
                told("notes", SecurityEvent::Verification, 5),
            ];
            queue(&mut tx, &all).await.unwrap();
            let ids = |due: &[Due]| due.iter().map(|due| due.id).collect::<Vec<_>>();
            let first = due(&mut tx, later(10), 4).await.unwrap();
            assert_eq!(ids(&first), [all[0].id, all[2].id, all[3].id, all[4].id]);
            let one_each = due(&mut tx, later(10), 1).await.unwrap();
            assert_eq!(one_each.len(), 2);
            let claimed = claim(&mut tx, first[0].clone(), later(60))
                .await
                .unwrap()
                .unwrap();
            assert_eq!(
                ids(&due(&mut tx, later(10), 4).await.unwrap()),
                [all[2].id, all[3].id, all[4].id],
                "the one before is under way"
            );
            let delivered = Status::Delivered { at: later(11) };
            settle(&mut tx, &claimed, &delivered, "HTTP 202", later(11))
                .await
                .unwrap();
            assert_eq!(
                ids(&due(&mut tx, later(11), 4).await.unwrap())[0],
                all[1].id,
                "now it may go"
            );
            let notes: RelyingPartyId = "notes".parse().unwrap();
            assert!(
                withdraw(&mut tx, &notes, "a", EventKind::IdentifierChanged)
                    .await
                    .unwrap()
            );
            assert_eq!(of_client(&mut tx, &notes, 10).await.unwrap().len(), 1);
        })
        .await;
    }
}
