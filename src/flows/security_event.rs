//! Which relying parties are told what happened to a person they know: queued in the transaction in which it happens, sent by
//! `event_delivery`. Only parties that declared a receiver are told, and only of identifiers that their own sector was given.
//!
//! | what happens | who is told | what |
//! | --- | --- | --- |
//! | two identities become one that a sector knew as two | the parties of that sector | `identifier_changed` |
//! | such a merge is undone, or the load that made it | the same | `identifier_restored`; nothing where the former never left |
//! | personal data are erased | the parties of every sector that knew the person | `account_purged` for each identifier |
//!
//! A sector that knew one of the two is told nothing by a merge: what it calls the person stays.

use std::collections::BTreeSet;

use super::{Context, Failure};
use crate::base::id::{EventId, IdentityId};
use crate::base::random::Random;
use crate::base::time::Timestamp;
use crate::domain::audit::{Actor, Event, Kind};
use crate::domain::relying_party::RelyingPartyId;
use crate::domain::security_event::{EventKind, SecurityEvent};
use crate::store;
use crate::store::StoreError;
use crate::store::db::Tx;
pub use crate::store::event_delivery::{Delivery, Status, Told};
use crate::store::image::SUBJECT;
use crate::store::journal::Change;

/// Queues events, each for every receiver of its sector; answers how many deliveries that makes.
pub(super) async fn queue(
    tx: &mut Tx,
    random: &dyn Random,
    events: Vec<(String, SecurityEvent)>,
    now: Timestamp,
) -> Result<u64, StoreError> {
    if events.is_empty() {
        return Ok(0);
    }
    let sectors: BTreeSet<&str> = events.iter().map(|(sector, _)| sector.as_str()).collect();
    let sectors: Vec<&str> = sectors.into_iter().collect();
    let receivers = store::event_receiver::of_sectors(tx, &sectors).await?;
    let mut told = Vec::new();
    for (sector, event) in &events {
        for (_, client) in receivers.iter().filter(|(of, _)| of == sector) {
            if takes_back(tx, client, event).await? {
                continue;
            }
            told.push(Told {
                id: EventId::new(now, random),
                client: client.clone(),
                event: event.clone(),
                at: now,
            });
        }
    }
    store::event_delivery::queue(tx, &told).await
}

/// Whether an event only takes back what was not told yet, so that both are dropped.
async fn takes_back(tx: &mut Tx, client: &RelyingPartyId, event: &SecurityEvent) -> Result<bool, StoreError> {
    let SecurityEvent::IdentifierRestored { subject, .. } = event else {
        return Ok(false);
    };
    store::event_delivery::withdraw(tx, client, subject, EventKind::IdentifierChanged).await
}

/// What is told of identifiers that come into use again because `changes` are about to be put back. Asked before they are,
/// while the rows still say whose the identifiers were made.
pub(super) async fn restored(
    tx: &mut Tx,
    changes: &[Change],
) -> Result<Vec<(String, SecurityEvent)>, StoreError> {
    let keys: Vec<String> = changes
        .iter()
        .filter(|change| change.table == SUBJECT.table && was_in_use(change))
        .map(|change| change.key.clone())
        .collect();
    let mut events = Vec::new();
    for row in SUBJECT.load(tx, &keys).await?.into_values() {
        let sector = SUBJECT.text(&row, "sector");
        let holder = SUBJECT.text(&row, "identity_id").parse::<IdentityId>();
        let holder = holder.map_err(|error| StoreError::corrupt("subject.identity_id", error))?;
        let now_used = store::subject::find(tx, sector, holder).await?;
        let subject = SUBJECT.text(&row, "value").to_owned();
        if let Some(separated_from) = now_used.filter(|used| *used != subject) {
            let event = SecurityEvent::IdentifierRestored {
                subject,
                separated_from,
            };
            events.push((sector.to_owned(), event));
        }
    }
    events.sort_by(|one, other| (&one.0, one.1.subject()).cmp(&(&other.0, other.1.subject())));
    Ok(events)
}

fn was_in_use(change: &Change) -> bool {
    let before = change.before.as_deref().map(serde_json::from_str);
    let before: Option<serde_json::Value> = before.and_then(Result::ok);
    before.and_then(|before| before.get("in_use")?.as_bool()) == Some(true)
}

/// What is told when the personal data of people are erased: every identifier that anybody was given for them, those of
/// former times included, since a party may still keep something under one.
pub(super) async fn purged(
    tx: &mut Tx,
    people: &[IdentityId],
) -> Result<Vec<(String, SecurityEvent)>, StoreError> {
    let mut events = Vec::new();
    for id in people {
        for issued in store::subject::all_of(tx, *id).await? {
            let event = SecurityEvent::AccountPurged {
                subject: issued.value,
            };
            events.push((issued.sector, event));
        }
    }
    Ok(events)
}

/// What became of telling a party, latest first.
///
/// # Errors
/// [`Failure`].
pub async fn of_client(context: &Context, id: &RelyingPartyId, count: i64) -> Result<Vec<Delivery>, Failure> {
    let mut conn = context.db.reader().await?;
    Ok(store::event_delivery::of_client(&mut conn, id, count).await?)
}

/// Where a party takes events, where it does.
///
/// # Errors
/// [`Failure`].
pub async fn receiver(context: &Context, id: &RelyingPartyId) -> Result<Option<String>, Failure> {
    let mut conn = context.db.reader().await?;
    let found = store::event_receiver::find(&mut conn, id).await?;
    Ok(found.map(|receiver| receiver.uri))
}

/// How much was given up, of each party.
///
/// # Errors
/// [`Failure`].
pub async fn given_up(context: &Context) -> Result<Vec<(RelyingPartyId, i64)>, Failure> {
    let mut conn = context.db.reader().await?;
    Ok(store::event_delivery::given_up(&mut conn).await?)
}

/// Queues an event that says nothing but that this works; `None` where the party takes none.
///
/// # Errors
/// [`Failure`].
pub async fn verify(context: &Context, id: &RelyingPartyId) -> Result<Option<EventId>, Failure> {
    let now = context.now();
    let mut tx = context.db.begin().await?;
    if store::event_receiver::find(&mut tx, id).await?.is_none() {
        return Ok(None);
    }
    let told = Told {
        id: EventId::new(now, &*context.random),
        client: id.clone(),
        event: SecurityEvent::Verification,
        at: now,
    };
    store::event_delivery::queue(&mut tx, std::slice::from_ref(&told)).await?;
    tx.commit().await?;
    Ok(Some(told.id))
}

/// Lets everything that was given up for a party wait again, once it listens; answers how much.
///
/// # Errors
/// [`Failure`].
pub async fn retry(context: &Context, id: &RelyingPartyId) -> Result<u64, Failure> {
    let now = context.now();
    let mut tx = context.db.begin().await?;
    let waiting = store::event_delivery::retry(&mut tx, id, now).await?;
    if waiting > 0 {
        let event = Event::new(Kind::EventsRetried, Actor::Operator)
            .about(id)
            .with("events", waiting);
        store::audit::append(&mut tx, now, &event).await?;
        tx.commit().await?;
    }
    Ok(waiting)
}
