//! Sessions: opening one at login, finding the one of a cookie, ending one.
//!
//! [`end`] is the one function that ends a session, whoever asks: the person, an administrator, a relying party's
//! logout, a new login by somebody else on the same browser; [`end_all_of`] is the same for every session of a person.
//! What hangs on the end of a session hangs on these two, for every protocol, in the transaction that ends it:
//!
//! | what | how |
//! | --- | --- |
//! | the browser's cookie | opens nothing from then on ([`find`]) |
//! | codes and tokens of the session | are looked at together with it and are dead with it |
//! | parties with a back-channel address | a logout token waits for each, delivered by a job (`logout_delivery`) |
//! | services that validated a ticket (CAS) | a message waits for each, in the same queue |
//! | parties with a front-channel address | [`Ended`] names them: the page that follows tells them (`logout::farewell`) |
//!
//! A session that only expires ends nothing elsewhere: the specifications ask for no message then, and a party that
//! wants to know asks again (`prompt=none`).

use super::{Context, Failure};
use crate::base::id::{IdentityId, SessionId};
use crate::base::secret::Secret;
use crate::base::time::Timestamp;
use crate::domain::assurance::{Acr, Amr};
use crate::domain::audit::{Actor, Event, Kind};
use crate::domain::identity::Identity;
use crate::domain::session::{Device, Session};
use crate::store;
use crate::store::db::Tx;
use crate::store::logout_delivery::Key;
pub use crate::store::session::Participant;

/// Someone who is signed in.
#[derive(Debug, Clone, PartialEq, Eq)]
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

/// A session, or every session of a person, that has just been ended.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ended {
    /// The login, where it was one.
    pub session: Option<SessionId>,
    /// The relying parties that had joined.
    pub participants: Vec<Participant>,
}

impl Ended {
    /// Whether messages to parties wait since.
    pub fn is_to_be_delivered(&self) -> bool {
        self.participants.iter().any(Participant::is_told)
    }
}

/// Ends a session, with its reason; `None` where it had ended before.
///
/// # Errors
/// [`Failure`].
pub async fn end(
    tx: &mut Tx,
    id: SessionId,
    now: Timestamp,
    actor: Actor,
    reason: &'static str,
) -> Result<Option<Ended>, Failure> {
    if !store::session::end(tx, id, now).await? {
        return Ok(None);
    }
    let mut ended = take_leave(tx, &[id], now).await?;
    ended.session = Some(id);
    let event = Event::new(Kind::SessionEnded, actor)
        .about(id)
        .with("reason", reason)
        .with("parties", ended.participants.len());
    store::audit::append(tx, now, &event).await?;
    Ok(Some(ended))
}

/// Ends every session of a person and takes every grant about them back, those that outlive a login included, because what
/// they proved themselves with is no longer theirs alone; answers how many sessions.
///
/// # Errors
/// [`Failure`].
pub async fn end_all_of(
    tx: &mut Tx,
    identity: IdentityId,
    now: Timestamp,
    actor: Actor,
    reason: &'static str,
) -> Result<usize, Failure> {
    let sessions = store::session::end_of_identity(tx, identity, now).await?;
    let revoked = store::grant::revoke_of_identity(tx, identity, now).await?;
    let ended = take_leave(tx, &sessions, now).await?;
    if !sessions.is_empty() || revoked > 0 {
        let event = Event::new(Kind::SessionEnded, actor)
            .about(identity)
            .with("sessions", sessions.len())
            .with("grants", revoked)
            .with("reason", reason)
            .with("parties", ended.participants.len());
        store::audit::append(tx, now, &event).await?;
    }
    Ok(sessions.len())
}

/// What is owed to the relying parties of sessions that were ended: one statement reads them all, and one more queues
/// what is to be sent to those of them that are told.
async fn take_leave(tx: &mut Tx, sessions: &[SessionId], now: Timestamp) -> Result<Ended, Failure> {
    let participants = store::session::participants(tx, sessions).await?;
    let told = participants.iter().filter(|participant| participant.is_told());
    let told = told.map(|participant| {
        let (session, client) = (participant.session, participant.client.clone());
        (Key { session, client }, participant.subject.clone())
    });
    store::logout_delivery::queue(tx, told.collect(), now).await?;
    Ok(Ended {
        session: None,
        participants,
    })
}
