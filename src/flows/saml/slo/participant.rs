//! A service provider that takes part in a login that has ended: it is asked to end it too, in a frame of the farewell page,
//! and its answer comes back in that frame.

use serde::{Deserialize, Serialize};

use super::{Outcome, PageError, open, seal};
use crate::base::id::SessionId;
use crate::base::time::Timestamp;
use crate::base::url::{origin, with_parameters};
use crate::domain::audit::{Actor, Event, Kind};
use crate::domain::relying_party::RelyingPartyId;
use crate::domain::saml_entity::Binding;
use crate::flows::logout::AskedParty;
use crate::flows::saml::{Partner, entity_id, name, partner, send, signer};
use crate::flows::session::Participant;
use crate::flows::{Context, Failure, id_token};
use crate::saml::logout::{self as core, Addressed, Answered};
use crate::saml::message::new_id;
use crate::saml::xmlsec::redirect;
use crate::store;
use crate::store::db::Conn;

/// Where a frame begins.
pub const PATH: &str = "/saml/slo/ask";
const ASKING: &str = "saml logout asking";

/// What a participant said, or did not say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The login is over there.
    Confirmed,
    /// It says that it is not, or not everywhere.
    NotConfirmed,
}

/// Whom a frame asks.
#[derive(Debug, Serialize, Deserialize)]
struct Asking {
    session: String,
    party: String,
}

/// The frame in which a participant is asked; `None` where it has no way to be.
pub(in crate::flows) async fn frame(
    context: &Context,
    participant: &Participant,
) -> Result<Option<AskedParty>, Failure> {
    let Some(entity_id) = &participant.entity_id else {
        return Ok(None);
    };
    let mut conn = context.db.reader().await?;
    let Some(partner) = partner::find(&mut conn, entity_id, context.now()).await? else {
        return Ok(None);
    };
    // The connection goes back before the transaction takes one.
    drop(conn);
    let Some(origin) =
        core::service(&partner.provider, Binding::Redirect).and_then(|service| origin(&service.location))
    else {
        return Ok(None);
    };
    let asking = Asking {
        session: participant.session.to_string(),
        party: entity_id.clone(),
    };
    let sealed = seal(context, ASKING, asking)?;
    // The row is there from now on: who never even came to be asked has not confirmed.
    let mut tx = context.db.begin().await?;
    let (id, now) = (new_id(&*context.random), context.now());
    store::saml_logout::ask(&mut tx, participant.session, &participant.client, &id, now).await?;
    tx.commit().await?;
    Ok(Some(AskedParty {
        name: participant.name.clone(),
        frame: with_parameters(PATH, [("continue", &*sealed)]),
        origin,
    }))
}

/// Asks, in the frame.
///
/// # Errors
/// [`Failure`].
pub async fn ask(context: &Context, sealed: &str) -> Result<Outcome, Failure> {
    let asking = open::<Asking>(context, ASKING, sealed);
    let Some((asking, Ok(session))) = asking.map(|asking| {
        let session = asking.session.parse::<SessionId>();
        (asking, session)
    }) else {
        return Ok(Outcome::Page(PageError::Sealed));
    };
    let now = context.now();
    let mut conn = context.db.reader().await?;
    let Some(partner) = partner::find(&mut conn, &asking.party, now).await? else {
        return Ok(Outcome::Page(PageError::UnknownParty));
    };
    let name_id = name::known(context, &mut conn, &partner.party, session).await?;
    drop(conn);
    let service = core::service(&partner.provider, Binding::Redirect);
    let (Some(name_id), Some(service)) = (name_id, service) else {
        return Ok(Outcome::Answered(Verdict::NotConfirmed));
    };
    let id = new_id(&*context.random);
    let mut tx = context.db.begin().await?;
    let is_asked = store::saml_logout::ask(&mut tx, session, &partner.party.id, &id, now).await?;
    tx.commit().await?;
    if !is_asked {
        return Ok(Outcome::Page(PageError::NotAsked));
    }
    let request = core::request(Addressed {
        id: &id,
        issuer: &entity_id(context),
        party: &partner.provider.entity_id,
        destination: &service.location,
        name_id: &name_id,
        session_index: &id_token::sid(context, session, &partner.party.id)?,
        now,
    });
    let signer = signer(context, &partner).await?;
    let message = (redirect::Kind::Request, request);
    let sent = send(signer, service.binding, service.location.clone(), message, None);
    Ok(Outcome::Answer(sent.await?))
}

/// Keeps what a participant answered; `None` where nobody asked.
pub(super) async fn answered(
    context: &Context,
    partner: &Partner,
    answered: Answered,
    now: Timestamp,
) -> Result<Option<Verdict>, Failure> {
    let party = &partner.party.id;
    let mut tx = context.db.begin().await?;
    let (request, confirmed) = (&answered.in_response_to, answered.is_success);
    let Some(session) = store::saml_logout::answer(&mut tx, request, party, confirmed, now).await? else {
        return Ok(None);
    };
    let kind = if confirmed {
        Kind::LogoutDelivered
    } else {
        Kind::LogoutFailed
    };
    let event = Event::new(kind, Actor::RelyingParty(party.to_string()))
        .about(session)
        .with("client", party)
        .with("protocol", "saml");
    store::audit::append(&mut tx, now, &event).await?;
    tx.commit().await?;
    Ok(Some(if confirmed {
        Verdict::Confirmed
    } else {
        Verdict::NotConfirmed
    }))
}

/// Whether each participant but one has confirmed.
pub(super) async fn others(
    conn: &mut Conn,
    session: SessionId,
    but: &RelyingPartyId,
) -> Result<Vec<bool>, Failure> {
    let asked = store::saml_logout::of_session(conn, session).await?;
    let others = asked.into_iter().filter(|(client, _)| client != but);
    Ok(others.map(|(_, confirmed)| confirmed == Some(true)).collect())
}
