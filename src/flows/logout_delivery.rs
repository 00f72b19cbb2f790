//! Telling relying parties of logouts (OpenID Connect Back-Channel Logout 1.0 §2.5–2.8): the deliveries that
//! `session::end` queued are claimed, sent and settled here, by a job on any node.
//!
//! | what the party answers | and so |
//! | --- | --- |
//! | 200, 204 | delivered |
//! | 400 | given up: it says that it will not (§2.8) |
//! | anything else, or nothing in five seconds | tried again after 10 s, 1 min, 5 min, 30 min; then given up |
//!
//! A delivery is claimed under a lease that outlives the attempt, so two nodes never send the same one at the same time.
//! Of one party only a few are under way at once: one that hangs keeps nobody else's waiting. Must never keep or log a
//! token; each attempt signs its own.

use std::collections::BTreeMap;
use std::time::Duration;

use data_encoding::BASE64URL_NOPAD;

use super::keys::Keyring;
use super::outbound::{OutboundError, Reach};
use super::{Context, Failure, id_token};
use crate::base::random;
use crate::base::time::Timestamp;
use crate::base::url;
use crate::domain::audit::{Actor, Event, Kind};
use crate::domain::relying_party::{RelyingParty, RelyingPartyId};
use crate::jose;
use crate::oidc::logout_token::{Contents, claims};
use crate::store;
pub use crate::store::logout_delivery::{Claimed, Status};

/// How long a party may take to answer.
const TIME: Duration = Duration::from_secs(5);
/// How long a claim holds: longer than the attempt, its reads and its writes.
const LEASE: Duration = Duration::from_secs(30);
/// The pauses after the first attempts; after one more it is given up.
const PAUSES: [Duration; 4] = [
    Duration::from_secs(10),
    Duration::from_secs(60),
    Duration::from_secs(300),
    Duration::from_secs(1800),
];
/// Deliveries to one party that a node has under way at once.
const OF_EACH: usize = 4;
/// Deliveries that a node has under way at once.
const AT_ONCE: usize = 32;

/// How many deliveries to each party the caller has under way.
pub type Busy = BTreeMap<RelyingPartyId, usize>;

/// Claims what is due and there is room for. Where nothing is due, this is one read.
///
/// # Errors
/// [`Failure`].
pub async fn claim(context: &Context, busy: &Busy) -> Result<Vec<Claimed>, Failure> {
    let mut room = AT_ONCE.saturating_sub(busy.values().sum());
    if room == 0 {
        return Ok(Vec::new());
    }
    let now = context.now();
    let mut conn = context.db.reader().await?;
    let due = store::logout_delivery::due(&mut conn, now, OF_EACH as i64).await?;
    drop(conn);
    let mut under_way = busy.clone();
    let mut chosen = Vec::new();
    for due in due {
        let of_party = under_way.entry(due.key.client.clone()).or_default();
        if room > 0 && *of_party < OF_EACH {
            *of_party += 1;
            room -= 1;
            chosen.push(due);
        }
    }
    if chosen.is_empty() {
        return Ok(Vec::new());
    }
    let mut tx = context.db.begin().await?;
    let mut claimed = Vec::new();
    for due in chosen {
        claimed.extend(store::logout_delivery::claim(&mut tx, due, now.plus(LEASE)).await?);
    }
    tx.commit().await?;
    Ok(claimed)
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
    let mut conn = context.db.reader().await?;
    let party = store::relying_party::find(&mut conn, &claimed.key.client).await?;
    drop(conn);
    let address = party
        .as_ref()
        .and_then(|party| party.metadata.backchannel_logout.as_ref());
    let met = match (&party, address) {
        (Some(party), Some(address)) => {
            let token = token(context, keyring, party, claimed).await?;
            send(context, Reach::of(party), &address.uri, &token).await
        }
        _ => Met {
            verdict: Verdict::Final,
            words: "takes no logout tokens any more".to_owned(),
        },
    };
    settle(context, claimed, met).await
}

/// The signed token of one attempt.
async fn token(
    context: &Context,
    keyring: &Keyring,
    party: &RelyingParty,
    claimed: &Claimed,
) -> Result<String, Failure> {
    let jti = BASE64URL_NOPAD.encode(&random::bytes::<16>(&*context.random));
    let claims = claims(&Contents {
        issuer: &context.settings.public_url,
        client: party.id.as_str(),
        subject: claimed.subject.as_deref(),
        sid: &id_token::sid(context, claimed.key.session, &party.id)?,
        jti: &jti,
        issued_at: context.now(),
    });
    // §2.6: as ID Tokens for the client are signed.
    keyring
        .sign(context, party.id_token_alg, jose::Kind::LogoutToken, claims)
        .await
}

/// What an attempt met.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Met {
    verdict: Verdict,
    /// For the operator.
    words: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Confirmed,
    Final,
    Passing,
}

/// §2.5: a form with the one parameter `logout_token`.
async fn send(context: &Context, reach: Reach, uri: &str, token: &str) -> Met {
    let request = http::Request::post(uri)
        .extension(reach)
        .header(http::header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(url::query([("logout_token", token)]).into_bytes());
    let Ok(request) = request else {
        return Met {
            verdict: Verdict::Final,
            words: "its address cannot be called".to_owned(),
        };
    };
    match tokio::time::timeout(TIME, context.outbound.send(request)).await {
        Ok(Ok(answer)) => judge(answer.status()),
        Ok(Err(error)) => {
            let words = match error {
                OutboundError::TooLong { .. } => "answered too much",
                OutboundError::Private { .. } => "leads into a private network",
                OutboundError::Unreachable { .. }
                | OutboundError::Setup { .. }
                | OutboundError::Unkept { .. } => "unreachable",
            };
            tracing::info!(cause = %error, "a logout token was not delivered");
            Met {
                verdict: Verdict::Passing,
                words: words.to_owned(),
            }
        }
        Err(_) => Met {
            verdict: Verdict::Passing,
            words: "no answer in time".to_owned(),
        },
    }
}

/// §2.8: 200 is a yes, and so is the 204 that frameworks make of it; 400 is a no. What else comes is not of this
/// specification: a proxy, a service that is being restarted.
fn judge(status: http::StatusCode) -> Met {
    let verdict = match status.as_u16() {
        200 | 204 => Verdict::Confirmed,
        400 => Verdict::Final,
        _ => Verdict::Passing,
    };
    Met {
        verdict,
        words: format!("HTTP {}", status.as_u16()),
    }
}

/// Where a delivery stands after an attempt.
fn next(verdict: Verdict, attempt: i64, now: Timestamp) -> Status {
    let pause = usize::try_from(attempt - 1)
        .ok()
        .and_then(|before| PAUSES.get(before));
    match (verdict, pause) {
        (Verdict::Confirmed, _) => Status::Delivered { at: now },
        (Verdict::Passing, Some(pause)) => Status::Waiting {
            due_at: now.plus(*pause),
        },
        (Verdict::Final, _) | (Verdict::Passing, None) => Status::GivenUp { at: now },
    }
}

async fn settle(context: &Context, claimed: &Claimed, met: Met) -> Result<Option<Status>, Failure> {
    let now = context.now();
    let status = next(met.verdict, claimed.attempt, now);
    let mut tx = context.db.begin().await?;
    if !store::logout_delivery::settle(&mut tx, claimed, &status, &met.words, now).await? {
        return Ok(None);
    }
    let kind = match status {
        Status::Waiting { .. } => None,
        Status::Delivered { .. } => Some(Kind::LogoutDelivered),
        Status::GivenUp { .. } => Some(Kind::LogoutFailed),
    };
    if let Some(kind) = kind {
        let event = Event::new(kind, Actor::System)
            .about(claimed.key.session)
            .with("client", &claimed.key.client)
            .with("attempts", claimed.attempt)
            .with("result", &met.words);
        store::audit::append(&mut tx, now, &event).await?;
    }
    tx.commit().await?;
    Ok(Some(status))
}

#[cfg(test)]
mod tests;
