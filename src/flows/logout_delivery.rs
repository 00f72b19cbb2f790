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
//! How many are under way at once, and what an attempt is, `delivery` says. Must never keep or log a token; each
//! attempt signs its own.

use std::time::Duration;

use data_encoding::BASE64URL_NOPAD;

pub use super::delivery::Busy;
use super::delivery::{self, Met, Queue, Verdict};
use super::keys::Keyring;
use super::outbound::Reach;
use super::{Context, Failure, cas, id_token};
use crate::base::random;
use crate::base::time::Timestamp;
use crate::base::url;
use crate::domain::audit::{Actor, Event, Kind};
use crate::domain::relying_party::{RelyingParty, RelyingPartyId};
use crate::jose;
use crate::oidc::logout_token::{Contents, claims};
use crate::store;
use crate::store::StoreError;
use crate::store::db::{Conn, Tx};
pub use crate::store::logout_delivery::{Claimed, Status};

/// The pauses after the first attempts; after one more it is given up.
const PAUSES: [Duration; 4] = [
    Duration::from_secs(10),
    Duration::from_secs(60),
    Duration::from_secs(300),
    Duration::from_secs(1800),
];

/// Messages about logouts.
struct Logouts;

impl Queue for Logouts {
    type Due = store::logout_delivery::Due;
    type Claimed = Claimed;
    const PAUSES: &[Duration] = &PAUSES;

    async fn due(conn: &mut Conn, now: Timestamp, of_each: i64) -> Result<Vec<Self::Due>, StoreError> {
        store::logout_delivery::due(conn, now, of_each).await
    }

    fn party(due: &Self::Due) -> &RelyingPartyId {
        &due.key.client
    }

    async fn take(tx: &mut Tx, due: Self::Due, lease: Timestamp) -> Result<Option<Claimed>, StoreError> {
        store::logout_delivery::claim(tx, due, lease).await
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
        store::logout_delivery::settle(tx, claimed, status, result, now).await
    }

    fn event(claimed: &Claimed, is_delivered: bool) -> Event {
        let kind = if is_delivered {
            Kind::LogoutDelivered
        } else {
            Kind::LogoutFailed
        };
        Event::new(kind, Actor::System)
            .about(claimed.key.session)
            .with("client", &claimed.key.client)
    }
}

/// Claims what is due and there is room for. Where nothing is due, this is one read.
///
/// # Errors
/// [`Failure`].
pub async fn claim(context: &Context, busy: &Busy) -> Result<Vec<Claimed>, Failure> {
    delivery::claim::<Logouts>(context, busy).await
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
    delivery::settle::<Logouts>(context, claimed, together(all)).await
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

/// §2.5: a form with the one parameter `logout_token`.
async fn send(context: &Context, reach: Reach, uri: &str, token: &str) -> Met {
    post(context, reach, uri, url::query([("logout_token", token)]), judge).await
}

/// Posts a form to a party, within the time it has; `judge` says what the status of its answer means.
pub(super) async fn post(
    context: &Context,
    reach: Reach,
    uri: &str,
    form: String,
    judge: fn(http::StatusCode) -> Verdict,
) -> Met {
    let request = http::Request::post(uri)
        .extension(reach)
        .header(http::header::CONTENT_TYPE, "application/x-www-form-urlencoded");
    match delivery::send(context, request, form.into_bytes()).await {
        Ok(answer) => Met {
            verdict: judge(answer.status()),
            words: delivery::words(answer.status()),
        },
        Err(met) => met,
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

#[cfg(test)]
mod tests;
