//! What every delivery of a message to a relying party shares: how much is under way at once, one attempt within its time,
//! and what comes after it. The queues are `logout_delivery` and `event_delivery`.
//!
//! A delivery is claimed under a lease that outlives the attempt, so two nodes never send the same one at the same time.
//! Of one party only a few are under way at once: one that hangs keeps nobody else's waiting. Must never keep or log a
//! token; each attempt signs its own.

use std::collections::BTreeMap;
use std::time::Duration;

use super::outbound::OutboundError;
use super::{Context, Failure};
use crate::base::time::Timestamp;
use crate::domain::audit::Event;
use crate::domain::relying_party::RelyingPartyId;
use crate::store::db::{Conn, Tx};
use crate::store::delivery::Status;
use crate::store::{StoreError, audit};

/// How long a party may take to answer.
const TIME: Duration = Duration::from_secs(5);
/// How long a claim holds: longer than the attempt, its reads and its writes.
pub(super) const LEASE: Duration = Duration::from_secs(30);
/// Deliveries to one party that a node has under way at once.
pub(super) const OF_EACH: usize = 4;
/// Deliveries that a node has under way at once.
pub(super) const AT_ONCE: usize = 32;

/// How many deliveries to each party the caller has under way.
pub type Busy = BTreeMap<RelyingPartyId, usize>;

/// A queue of deliveries, as its store keeps it.
pub(super) trait Queue {
    /// A delivery that may be claimed.
    type Due: Send;
    /// One that was.
    type Claimed: Send + Sync;
    /// The pauses after the first attempts; after one more it is given up.
    const PAUSES: &[Duration];

    /// What is due, at most `of_each` of one party.
    fn due(
        conn: &mut Conn,
        now: Timestamp,
        of_each: i64,
    ) -> impl Future<Output = Result<Vec<Self::Due>, StoreError>> + Send;

    /// To whom it goes.
    fn party(due: &Self::Due) -> &RelyingPartyId;

    /// Takes it until `lease`; nothing where somebody else has it or it is over.
    fn take(
        tx: &mut Tx,
        due: Self::Due,
        lease: Timestamp,
    ) -> impl Future<Output = Result<Option<Self::Claimed>, StoreError>> + Send;

    /// Which attempt it is, from 1.
    fn attempt(claimed: &Self::Claimed) -> i64;

    /// Writes what an attempt came to; whether it was still the caller's to say.
    fn write(
        tx: &mut Tx,
        claimed: &Self::Claimed,
        came: (&Status, &str),
        now: Timestamp,
    ) -> impl Future<Output = Result<bool, StoreError>> + Send;

    /// What is journalled of one that is over, but for its attempts and its result.
    fn event(claimed: &Self::Claimed, is_delivered: bool) -> Event;
}

/// Claims what is due and there is room for. Where nothing is due, this is one read.
pub(super) async fn claim<Q: Queue>(context: &Context, busy: &Busy) -> Result<Vec<Q::Claimed>, Failure> {
    if !has_room(busy) {
        return Ok(Vec::new());
    }
    let now = context.now();
    let mut conn = context.db.reader().await?;
    let due = Q::due(&mut conn, now, OF_EACH as i64).await?;
    drop(conn);
    let chosen = choose(due, busy, Q::party);
    if chosen.is_empty() {
        return Ok(Vec::new());
    }
    let mut tx = context.db.begin().await?;
    let mut claimed = Vec::new();
    for due in chosen {
        claimed.extend(Q::take(&mut tx, due, now.plus(LEASE)).await?);
    }
    tx.commit().await?;
    Ok(claimed)
}

/// Keeps and journals what an attempt met; `None` where the claim was lost meanwhile.
pub(super) async fn settle<Q: Queue>(
    context: &Context,
    claimed: &Q::Claimed,
    met: Met,
) -> Result<Option<Status>, Failure> {
    let now = context.now();
    let attempt = Q::attempt(claimed);
    let status = next(met.verdict, attempt, Q::PAUSES, now);
    let mut tx = context.db.begin().await?;
    if !Q::write(&mut tx, claimed, (&status, &met.words), now).await? {
        return Ok(None);
    }
    let is_delivered = match status {
        Status::Waiting { .. } => None,
        Status::Delivered { .. } => Some(true),
        Status::GivenUp { .. } => Some(false),
    };
    if let Some(is_delivered) = is_delivered {
        let event = Q::event(claimed, is_delivered)
            .with("attempts", attempt)
            .with("result", &met.words);
        audit::append(&mut tx, now, &event).await?;
    }
    tx.commit().await?;
    Ok(Some(status))
}

/// Whether there is room for anything.
fn has_room(busy: &Busy) -> bool {
    busy.values().sum::<usize>() < AT_ONCE
}

/// Of what is due, what there is room for.
fn choose<T>(due: Vec<T>, busy: &Busy, party: impl Fn(&T) -> &RelyingPartyId) -> Vec<T> {
    let mut room = AT_ONCE.saturating_sub(busy.values().sum());
    let mut under_way = busy.clone();
    let mut chosen = Vec::new();
    for due in due {
        let of_party = under_way.entry(party(&due).clone()).or_default();
        if room > 0 && *of_party < OF_EACH {
            *of_party += 1;
            room -= 1;
            chosen.push(due);
        }
    }
    chosen
}

/// What an attempt met.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Met {
    /// Whether it was taken.
    pub(super) verdict: Verdict,
    /// For the operator.
    pub(super) words: String,
}

/// Whether a message was taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It was.
    Confirmed,
    /// It was not, and will not be.
    Final,
    /// It was not, and may be.
    Passing,
}

/// Sends a request to a party, within the time it has; its answer, or why there is none.
pub(super) async fn send(
    context: &Context,
    request: http::request::Builder,
    body: Vec<u8>,
) -> Result<http::Response<Vec<u8>>, Met> {
    let request = request.body(body).map_err(|_| Met {
        verdict: Verdict::Final,
        words: "its address cannot be called".to_owned(),
    })?;
    let passing = |words: &str| Met {
        verdict: Verdict::Passing,
        words: words.to_owned(),
    };
    match tokio::time::timeout(TIME, context.outbound.send(request)).await {
        Ok(Ok(answer)) => Ok(answer),
        Ok(Err(error)) => {
            let words = match error {
                OutboundError::TooLong { .. } => "answered too much",
                OutboundError::Private { .. } => "leads into a private network",
                OutboundError::Unreachable { .. }
                | OutboundError::Setup { .. }
                | OutboundError::Unkept { .. } => "unreachable",
            };
            tracing::info!(cause = %error, "a party could not be told");
            Err(passing(words))
        }
        Err(_) => Err(passing("no answer in time")),
    }
}

/// The words for an answer of which only the status says anything.
pub(super) fn words(status: http::StatusCode) -> String {
    format!("HTTP {}", status.as_u16())
}

/// Where a delivery stands after an attempt (from 1): tried again after each of the pauses, and then no more.
fn next(verdict: Verdict, attempt: i64, pauses: &[Duration], now: Timestamp) -> Status {
    let pause = usize::try_from(attempt - 1)
        .ok()
        .and_then(|before| pauses.get(before));
    match (verdict, pause) {
        (Verdict::Confirmed, _) => Status::Delivered { at: now },
        (Verdict::Passing, Some(pause)) => Status::Waiting {
            due_at: now.plus(*pause),
        },
        (Verdict::Final, _) | (Verdict::Passing, None) => Status::GivenUp { at: now },
    }
}
