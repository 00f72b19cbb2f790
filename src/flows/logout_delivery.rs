//! Telling relying parties of logouts: the deliveries that `session::end` queued are claimed, sent and settled here, by a
//! job on any node. A party is told in each protocol in which it can be: by a logout token (OpenID Connect Back-Channel
//! Logout 1.0 §2.5–2.8), and by the tickets it validated (`cas::single_logout`, which says what their answers mean).
//!
//! | what the party answers to a logout token | and so |
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
use super::{Context, Failure, cas, id_token};
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
    let mut all = Vec::new();
    if let Some(party) = &party {
        if let Some(address) = &party.metadata.backchannel_logout {
            let token = token(context, keyring, party, claimed).await?;
            all.push(send(context, Reach::of(party), &address.uri, &token).await);
        }
        all.extend(cas::single_logout::tell(context, party, claimed.key.session).await?);
    }
    settle(context, claimed, together(all)).await
}

/// What several messages to one party come to: it is told when all of them were; one that may still be taken keeps the
/// others waiting.
fn together(all: Vec<Met>) -> Met {
    let worst = all.into_iter().max_by_key(|met| match met.verdict {
        Verdict::Confirmed => 0,
        Verdict::Final => 1,
        Verdict::Passing => 2,
    });
    worst.unwrap_or_else(|| Met {
        verdict: Verdict::Final,
        words: "takes no messages about logouts any more".to_owned(),
    })
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

/// §2.5: a form with the one parameter `logout_token`.
async fn send(context: &Context, reach: Reach, uri: &str, token: &str) -> Met {
    post(context, reach, uri, url::query([("logout_token", token)]), judge).await
}

/// Posts a form to a party, within the time it has; `judge` says what its answer means.
pub(super) async fn post(
    context: &Context,
    reach: Reach,
    uri: &str,
    form: String,
    judge: fn(http::StatusCode) -> Verdict,
) -> Met {
    let request = http::Request::post(uri)
        .extension(reach)
        .header(http::header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(form.into_bytes());
    let Ok(request) = request else {
        return Met {
            verdict: Verdict::Final,
            words: "its address cannot be called".to_owned(),
        };
    };
    match tokio::time::timeout(TIME, context.outbound.send(request)).await {
        Ok(Ok(answer)) => Met {
            verdict: judge(answer.status()),
            words: format!("HTTP {}", answer.status().as_u16()),
        },
        Ok(Err(error)) => {
            let words = match error {
                OutboundError::TooLong { .. } => "answered too much",
                OutboundError::Private { .. } => "leads into a private network",
                OutboundError::Unreachable { .. }
                | OutboundError::Setup { .. }
                | OutboundError::Unkept { .. } => "unreachable",
            };
            tracing::info!(cause = %error, "a party was not told of a logout");
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
fn judge(status: http::StatusCode) -> Verdict {
    match status.as_u16() {
        200 | 204 => Verdict::Confirmed,
        400 => Verdict::Final,
        _ => Verdict::Passing,
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
