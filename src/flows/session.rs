//! Sessions: opening one at login, finding the one of a cookie, ending one.
//!
//! [`end`] is the one function that ends a session, whoever asks: the person, an administrator, a relying party's
//! logout, a new login by somebody else on the same browser.

use super::{Context, Failure};
use crate::base::id::{IdentityId, SessionId};
use crate::base::secret::Secret;
use crate::domain::assurance::{Acr, Amr};
use crate::domain::audit::{Actor, Event, Kind};
use crate::domain::identity::Identity;
use crate::domain::session::{Device, Session};
use crate::store;
use crate::store::db::Tx;

/// Someone who is signed in.
#[derive(Debug, Clone)]
pub struct SignedIn {
    /// Their login.
    pub session: Session,
    /// Who they are.
    pub identity: Identity,
}

/// What a login proved.
#[derive(Debug, Clone, Copy)]
pub struct Proof {
    /// How surely.
    pub acr: Acr,
    /// How.
    pub amr: Amr,
    /// On what.
    pub device: Device,
}

/// The person of a cookie: a live session of someone who may be signed in.
///
/// # Errors
/// [`Failure`].
pub async fn find(context: &Context, cookie: &Secret) -> Result<Option<SignedIn>, Failure> {
    let mut conn = context.db.reader().await?;
    let found = store::session::find_live(&mut conn, &cookie.digest(), context.now()).await?;
    Ok(found
        .filter(|(_, identity)| identity.status.may_sign_in())
        .map(|(session, identity)| SignedIn { session, identity }))
}

/// Opens a session for someone whose login has just been proved, inside the transaction of that login; answers the new
/// cookie. The browser's former session goes on under the new cookie where it is the same person's, and ends where it
/// is somebody else's; its cookie is dead either way (no fixation).
///
/// # Errors
/// [`Failure`].
pub async fn open(
    context: &Context,
    tx: &mut Tx,
    identity: &Identity,
    proof: Proof,
    former: Option<&Secret>,
) -> Result<Secret, Failure> {
    let now = context.now();
    let cookie = Secret::generate("", &*context.random);
    let mut session = Session {
        id: SessionId::new(now, &*context.random),
        identity: identity.id,
        authenticated_at: now,
        acr: proof.acr,
        amr: proof.amr,
        device: proof.device,
        expires_at: now.plus(context.settings.sessions.of(proof.device)),
        ended_at: None,
    };
    let former = match former {
        Some(cookie) => store::session::find_live(tx, &cookie.digest(), now).await?,
        None => None,
    };
    let mut renewed = false;
    if let Some((old, _)) = former {
        if old.identity == identity.id {
            session.id = old.id;
            renewed = store::session::renew(tx, &session, &cookie.digest()).await?;
        } else {
            end(
                tx,
                old.id,
                now,
                Actor::Identity(identity.id),
                "another person signed in",
            )
            .await?;
        }
    }
    if !renewed {
        store::session::insert(tx, &session, &cookie.digest()).await?;
    }
    let event = Event::new(Kind::LoginSucceeded, Actor::Identity(identity.id))
        .about(session.id)
        .with("acr", proof.acr)
        .with("amr", proof.amr)
        .with("device", proof.device);
    store::audit::append(tx, now, &event).await?;
    Ok(cookie)
}

/// The person says that they are done: ends the session of a cookie.
///
/// # Errors
/// [`Failure`].
pub async fn sign_out(context: &Context, cookie: &Secret) -> Result<(), Failure> {
    let now = context.now();
    let mut tx = context.db.begin().await?;
    if let Some((session, _)) = store::session::find_live(&mut tx, &cookie.digest(), now).await? {
        end(
            &mut tx,
            session.id,
            now,
            Actor::Identity(session.identity),
            "signed out",
        )
        .await?;
        tx.commit().await?;
    }
    Ok(())
}

/// Ends a session, with its reason; whether it was this call that did.
///
/// # Errors
/// [`Failure`].
pub async fn end(
    tx: &mut Tx,
    id: SessionId,
    now: crate::base::time::Timestamp,
    actor: Actor,
    reason: &'static str,
) -> Result<bool, Failure> {
    let ended = store::session::end(tx, id, now).await?;
    if ended {
        let event = Event::new(Kind::SessionEnded, actor)
            .about(id)
            .with("reason", reason);
        store::audit::append(tx, now, &event).await?;
    }
    Ok(ended)
}

/// Ends every session of a person and takes every grant about them back, those that outlive a login included, because what
/// they proved themselves with is no longer theirs alone; answers how many sessions.
///
/// # Errors
/// [`Failure`].
pub async fn end_all_of(
    tx: &mut Tx,
    identity: IdentityId,
    now: crate::base::time::Timestamp,
    actor: Actor,
    reason: &'static str,
) -> Result<u64, Failure> {
    let ended = store::session::end_of_identity(tx, identity, now).await?;
    let revoked = store::grant::revoke_of_identity(tx, identity, now).await?;
    if ended > 0 || revoked > 0 {
        let event = Event::new(Kind::SessionEnded, actor)
            .about(identity)
            .with("sessions", ended)
            .with("grants", revoked)
            .with("reason", reason);
        store::audit::append(tx, now, &event).await?;
    }
    Ok(ended)
}
