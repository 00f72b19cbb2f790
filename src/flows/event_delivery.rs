//! Telling relying parties what happened to the people they know: the events that `security_event` queued are claimed, sent
//! (RFC 8935) and settled here, by a job on any node.
//!
//! | what the party answers | and so |
//! | --- | --- |
//! | 202, or another 2xx | delivered (§2.2) |
//! | 400 `invalid_request` | given up: it cannot read what we say (§2.4) |
//! | another 400, anything else, or nothing in five seconds | tried again, ten times over three days: keys are fetched anew, tokens are mended, services come back; then given up |
//!
//! What was given up is kept, `marelle doctor` says so, and `marelle client events --retry` begins anew.

use std::time::Duration;

pub use super::delivery::Busy;
use super::delivery::{self, Met, Queue, Verdict};
use super::keys::Keyring;
use super::outbound::Reach;
use super::{Context, Failure};
use crate::base::time::Timestamp;
use crate::domain::audit::{Actor, Event, Kind};
use crate::domain::relying_party::{RelyingParty, RelyingPartyId};
use crate::jose;
use crate::oidc::security_event::{self, Contents};
use crate::store;
use crate::store::StoreError;
use crate::store::db::{Conn, Tx};
pub use crate::store::event_delivery::{Claimed, Status};
use crate::store::event_receiver::Receiver;

const HOUR: u64 = 3600;
/// The pauses after the first attempts; after one more it is given up.
const PAUSES: [Duration; 9] = [
    Duration::from_secs(10),
    Duration::from_secs(60),
    Duration::from_secs(300),
    Duration::from_secs(1800),
    Duration::from_secs(2 * HOUR),
    Duration::from_secs(6 * HOUR),
    Duration::from_secs(12 * HOUR),
    Duration::from_secs(24 * HOUR),
    Duration::from_secs(24 * HOUR),
];

/// Whose token it is that a party lets us in by.
pub(super) fn sealed_for(client: &RelyingPartyId) -> String {
    format!("event receiver {client}")
}

/// Security events.
struct Events;

impl Queue for Events {
    type Due = store::event_delivery::Due;
    type Claimed = Claimed;
    const PAUSES: &[Duration] = &PAUSES;

    async fn due(conn: &mut Conn, now: Timestamp, of_each: i64) -> Result<Vec<Self::Due>, StoreError> {
        store::event_delivery::due(conn, now, of_each).await
    }

    fn party(due: &Self::Due) -> &RelyingPartyId {
        &due.client
    }

    async fn take(tx: &mut Tx, due: Self::Due, lease: Timestamp) -> Result<Option<Claimed>, StoreError> {
        store::event_delivery::claim(tx, due, lease).await
    }

    fn attempt(claimed: &Claimed) -> i64 {
        claimed.attempt
    }

    async fn write(
        tx: &mut Tx,
        claimed: &Claimed,
        (status, result): (&Status, &str),
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        store::event_delivery::settle(tx, claimed, status, result, now).await
    }

    fn event(claimed: &Claimed, is_delivered: bool) -> Event {
        let kind = if is_delivered {
            Kind::EventDelivered
        } else {
            Kind::EventFailed
        };
        Event::new(kind, Actor::System)
            .about(claimed.told.id)
            .with("event", claimed.told.event.kind())
            .with("client", &claimed.told.client)
    }
}

/// Claims what is due and there is room for. Where nothing is due, this is one read.
///
/// # Errors
/// [`Failure`].
pub async fn claim(context: &Context, busy: &Busy) -> Result<Vec<Claimed>, Failure> {
    delivery::claim::<Events>(context, busy).await
}

/// Tells a party what was claimed, and keeps and journals what came of it; `None` where the claim was lost meanwhile.
///
/// # Errors
/// [`Failure`]; the delivery comes back when its lease has run out.
pub async fn deliver(
    context: &Context,
    keyring: &Keyring,
    claimed: &Claimed,
) -> Result<Option<Status>, Failure> {
    let client = &claimed.told.client;
    let mut conn = context.db.reader().await?;
    let party = store::relying_party::find(&mut conn, client).await?;
    let receiver = store::event_receiver::find(&mut conn, client).await?;
    drop(conn);
    let met = match (party, receiver) {
        (Some(party), Some(receiver)) if party.enabled => {
            let token = token(context, keyring, &party, claimed).await?;
            push(context, &party, &receiver, token).await?
        }
        _ => Met {
            verdict: Verdict::Final,
            words: "takes no events any more".to_owned(),
        },
    };
    delivery::settle::<Events>(context, claimed, met).await
}

/// The signed token of one attempt.
async fn token(
    context: &Context,
    keyring: &Keyring,
    party: &RelyingParty,
    claimed: &Claimed,
) -> Result<String, Failure> {
    let claims = security_event::claims(&Contents {
        issuer: &context.settings.public_url,
        client: party.id.as_str(),
        event: &claimed.told.event,
        jti: &claimed.told.id.to_string(),
        issued_at: context.now(),
        happened_at: claimed.told.at,
    });
    keyring
        .sign(context, party.id_token_alg, jose::Kind::SecurityEvent, claims)
        .await
}

/// RFC 8935 §2.1.
async fn push(
    context: &Context,
    party: &RelyingParty,
    receiver: &Receiver,
    token: String,
) -> Result<Met, Failure> {
    let mut request = http::Request::post(&receiver.uri)
        .extension(Reach::of(party))
        .header(http::header::CONTENT_TYPE, "application/secevent+jwt")
        .header(http::header::ACCEPT, "application/json");
    if let Some(sealed) = &receiver.token {
        let bearer = context.vault.open(&sealed_for(&party.id), sealed)?;
        let value = [b"Bearer ".as_slice(), &bearer].concat();
        request = request.header(http::header::AUTHORIZATION, value);
    }
    Ok(match delivery::send(context, request, token.into_bytes()).await {
        Ok(answer) => judge(&answer),
        Err(met) => met,
    })
}

fn judge(answer: &http::Response<Vec<u8>>) -> Met {
    let status = answer.status();
    let words = delivery::words(status);
    if status.is_success() {
        return Met {
            verdict: Verdict::Confirmed,
            words,
        };
    }
    let refusal = (status == http::StatusCode::BAD_REQUEST)
        .then(|| security_event::refusal(answer.body()))
        .flatten();
    Met {
        verdict: match refusal {
            Some("invalid_request") => Verdict::Final,
            _ => Verdict::Passing,
        },
        words: refusal.map_or_else(|| words.clone(), |code| format!("{words} {code}")),
    }
}

#[cfg(test)]
mod tests;
