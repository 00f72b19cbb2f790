//! What every delivery of a message to a relying party shares: how much is under way at once, one attempt within its time,
//! and what comes after it. The queues are `logout_delivery` and `event_delivery`.
//!
//! A delivery is claimed under a lease that outlives the attempt, so two nodes never send the same one at the same time.
//! Of one party only a few are under way at once: one that hangs keeps nobody else's waiting. Must never keep or log a
//! token; each attempt signs its own.

use std::collections::BTreeMap;
use std::time::Duration;

use super::Context;
use super::outbound::OutboundError;
use crate::base::time::Timestamp;
use crate::domain::relying_party::RelyingPartyId;
use crate::store::delivery::Status;

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

/// Whether there is room for anything.
pub(super) fn has_room(busy: &Busy) -> bool {
    busy.values().sum::<usize>() < AT_ONCE
}

/// Of what is due, what there is room for.
pub(super) fn choose<T>(due: Vec<T>, busy: &Busy, party: impl Fn(&T) -> &RelyingPartyId) -> Vec<T> {
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
pub(super) fn next(verdict: Verdict, attempt: i64, pauses: &[Duration], now: Timestamp) -> Status {
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
