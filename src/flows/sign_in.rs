//! Signing in at Marelle itself, by password or by picture code; and the count of failures that both share.
//!
//! | what comes in | what is done, in this order |
//! | --- | --- |
//! | an attempt | find whom it is for → waiting? → look at the secret → count or forget → session |
//! | an attempt during a wait | refused unseen, not counted; the journal has one line for each wait |
//! | a wrong secret | counted in a transaction of its own before anybody learns that it was wrong |
//!
//! Somebody unknown, somebody without that credential and somebody who may not sign in are answered, counted and
//! journalled as a wrong secret is. Whoever is signed in goes on in `session::open`.

pub mod password;
pub mod picture;
#[cfg(test)]
pub(crate) mod testing;

use std::time::Duration;

use super::{Context, Failure};
use crate::base::secret::Secret;
use crate::base::time::Timestamp;
use crate::domain::audit::{Actor, Event, Kind};
use crate::domain::identity::Identity;
use crate::domain::throttle::{Tally, ThrottleKey};
use crate::login::throttle::{self, Pressure};
use crate::store;
use crate::store::db::Tx;

/// What became of an attempt.
#[derive(Debug)]
pub enum SignIn {
    /// Signed in; the new cookie of the browser.
    Done(Secret),
    /// Not the right name or secret.
    Refused,
    /// Not the right name or secret too often: nothing is looked at for this long.
    Wait(Duration),
    /// Too many people at once; come back in a moment.
    Busy,
}

/// Whom an attempt is for, as far as anybody knows.
struct Account {
    key: ThrottleKey,
    identity: Option<Identity>,
}

impl Account {
    fn of(identity: Identity) -> Self {
        Self {
            key: ThrottleKey::account(identity.id),
            identity: Some(identity),
        }
    }

    /// An event about this account. An unknown name stands there as a keyed hash: one can see that it was tried again,
    /// not what it was.
    fn event(&self, kind: Kind, actor: &Actor) -> Event {
        let event = Event::new(kind, actor.clone());
        match &self.identity {
            Some(identity) => event.about(identity.id),
            None => event.about(self.key.as_str()),
        }
    }
}

/// How long this account has to wait, if it has to; the first refusal of each wait is journalled.
async fn waiting(context: &Context, account: &Account, actor: &Actor) -> Result<Option<Duration>, Failure> {
    let now = context.now();
    let mut conn = context.db.reader().await?;
    let tally = store::throttle::find(&mut conn, &account.key).await?;
    drop(conn);
    let Some((tally, wait)) = tally.and_then(|tally| Some((tally, tally.wait(now)?))) else {
        return Ok(None);
    };
    if tally.refused_at.is_none_or(|at| at < tally.last) {
        let mut tx = context.db.begin().await?;
        journal_refusal(&mut tx, account, actor, now).await?;
        tx.commit().await?;
    }
    Ok(Some(wait))
}

async fn journal_refusal(
    tx: &mut Tx,
    account: &Account,
    actor: &Actor,
    now: Timestamp,
) -> Result<(), Failure> {
    if store::throttle::note_refusal(tx, &account.key, now).await? {
        let event = account.event(Kind::LoginThrottled, actor);
        store::audit::append(tx, now, &event).await?;
    }
    Ok(())
}

/// Counts a failure of an account whose tally this transaction has locked; answers what to tell the person.
async fn count_failure(
    tx: &mut Tx,
    (account, locked): (&Account, Tally),
    (pressure, now): (Pressure, Timestamp),
    failed: Event,
) -> Result<SignIn, Failure> {
    let tally = throttle::fail(locked, pressure, now);
    store::throttle::save(tx, &account.key, &tally).await?;
    let wait = tally.wait(now);
    let event = failed
        .with("failures", tally.failures)
        .with("wait_seconds", wait.unwrap_or_default().as_secs());
    store::audit::append(tx, now, &event).await?;
    Ok(wait.map_or(SignIn::Refused, SignIn::Wait))
}

/// Removes counts of accounts and classes that had no failure for so long that they are forgotten; answers how many.
///
/// # Errors
/// [`Failure`].
pub async fn purge(context: &Context) -> Result<u64, Failure> {
    let mut tx = context.db.begin().await?;
    let removed = store::throttle::purge(&mut tx, context.now().minus(throttle::QUIET)).await?;
    tx.commit().await?;
    Ok(removed)
}
