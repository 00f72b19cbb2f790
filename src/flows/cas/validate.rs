//! A ticket that is shown: taken by one guarded statement, then everything it rests on is looked at again, and only then is
//! anything said.
//!
//! | what happens | answer | committed |
//! | --- | --- | --- |
//! | no ticket, no service, an unknown ticket | a refusal | nothing |
//! | a ticket that was shown before | `INVALID_TICKET` | a journal entry |
//! | a fresh ticket, but something is not right (any more) | a refusal | the ticket is spent, a journal entry |
//! | a fresh ticket, all right | success | ticket spent, first subject, by which ticket the service knows the login, journal |
//! | the same, and a proxy-granting ticket is asked for | success, or `INVALID_PROXY_CALLBACK` | first the spent ticket; then, once the callback took it, the rest |
//!
//! The login is held while this is decided: it ends before, and nothing is said, or after, and the service is told.

use super::single_logout;
use crate::base::random;
use crate::base::secret::Secret;
use crate::base::time::Timestamp;
use crate::base::url::with_parameters;
use crate::cas::address::{self, Address};
use crate::cas::answer::{Answer, Names, Success, Written};
use crate::cas::validation::{self, Endpoint, Format, Refusal, Request};
use crate::cas::{attribute, proxy, ticket};
use crate::domain::audit::{Actor, Event, Kind};
use crate::domain::cas_ticket::{Ticket, TicketKind};
use crate::domain::enrolment::Enrolment;
use crate::domain::identity::Identity;
use crate::domain::relying_party::{CasService, RelyingParty, RelyingPartyId};
use crate::domain::session::Session;
use crate::flows::keys::Keyring;
use crate::flows::outbound::Reach;
use crate::flows::{Context, Failure, release, subject};
use crate::oidc::access;
use crate::release::{About, AllListed, disclose};
use crate::store;
use crate::store::cas_ticket::Login;
use crate::store::db::Tx;

/// Answers a ticket that is shown.
///
/// # Errors
/// [`Failure`].
pub async fn validate(
    context: &Context,
    keyring: &Keyring,
    endpoint: Endpoint,
    request: &Request,
) -> Result<Answer, Failure> {
    let Some(secret) = &request.ticket else {
        return Ok(Answer::Refused(Refusal::UNKNOWN));
    };
    let now = context.now();
    let digest = secret.digest();
    let mut tx = context.db.begin().await?;
    // The gate: from here on this ticket is nobody else's, on any node.
    let Some(ticket) = store::cas_ticket::consume(&mut tx, &digest, now).await? else {
        let known = store::cas_ticket::find(&mut tx, &digest).await?;
        if let Some(ticket) = known.filter(|ticket| ticket.used_at.is_some()) {
            return refuse(tx, &ticket, Refusal::UNKNOWN, "shown before", now).await;
        }
        return Ok(Answer::Refused(Refusal::UNKNOWN));
    };
    let held = match look(context, &mut tx, endpoint, &ticket, request, now).await? {
        Ok(held) => held,
        Err((refusal, reason)) => return refuse(tx, &ticket, refusal, reason, now).await,
    };
    let Some(callback) = &held.callback else {
        let success = tell(context, keyring, &mut tx, &held, (&ticket, secret)).await?;
        tx.commit().await?;
        return Ok(Answer::Validated(Box::new(success)));
    };
    // Nobody waits in a transaction for another host.
    tx.commit().await?;
    let (granting, iou) = (
        ticket::generate(TicketKind::ProxyGranting, &*context.random),
        ticket::iou(&*context.random),
    );
    let taken = deliver(context, &held.party, callback, &granting, &iou).await;
    let mut tx = context.db.begin().await?;
    if !taken {
        return refuse(
            tx,
            &ticket,
            Refusal::CALLBACK,
            "the callback did not take it",
            context.now(),
        )
        .await;
    }
    if store::session::hold(&mut tx, ticket.session, context.now())
        .await?
        .is_none()
    {
        return refuse(
            tx,
            &ticket,
            Refusal::UNKNOWN,
            "the login has ended",
            context.now(),
        )
        .await;
    }
    let kept = Ticket {
        kind: TicketKind::ProxyGranting,
        service: callback.as_str().to_owned(),
        proxies: proxy::chain(callback, &ticket.proxies),
        is_from_login: false,
        issued_at: now,
        expires_at: held.session.expires_at,
        used_at: None,
        ..ticket.clone()
    };
    store::cas_ticket::insert(&mut tx, &granting.digest(), &kept).await?;
    let success = tell(context, keyring, &mut tx, &held, (&ticket, secret)).await?;
    tx.commit().await?;
    Ok(Answer::Validated(Box::new(Success {
        iou: Some(iou),
        ..success
    })))
}

/// An answer as its endpoint writes it.
pub fn written(
    context: &Context,
    answer: &Answer,
    (endpoint, format): (Endpoint, Format),
    service: &str,
) -> Written {
    let id = random::symbols(&*context.random, b"0123456789abcdef", 32);
    let names = Names {
        issuer: &context.settings.public_url,
        service,
        id: &id,
        now: context.now(),
    };
    answer.written(endpoint, format, names)
}

async fn refuse(
    mut tx: Tx,
    ticket: &Ticket,
    refusal: Refusal,
    reason: &'static str,
    now: Timestamp,
) -> Result<Answer, Failure> {
    let event = Event::new(
        Kind::TicketRefused,
        Actor::RelyingParty(ticket.client.to_string()),
    )
    .about(ticket.session)
    .with("kind", ticket.kind)
    .with("code", refusal.code.as_str())
    .with("reason", reason);
    store::audit::append(&mut tx, now, &event).await?;
    tx.commit().await?;
    Ok(Answer::Refused(refusal))
}

/// What a ticket rests on, as it is now.
struct Held {
    party: RelyingParty,
    service: CasService,
    /// The declared address that covers the one of the ticket.
    place: String,
    session: Session,
    identity: Identity,
    live: Vec<Enrolment>,
    /// Where a proxy-granting ticket is to go.
    callback: Option<Address>,
}

type Looked = Result<Held, (Refusal, &'static str)>;

async fn look(
    context: &Context,
    tx: &mut Tx,
    endpoint: Endpoint,
    ticket: &Ticket,
    request: &Request,
    now: Timestamp,
) -> Result<Looked, Failure> {
    if let Err(refusal) = validation::check(endpoint, ticket, request, now) {
        return Ok(Err((refusal, refusal.description)));
    }
    let Some((party, service, place)) = party_of(tx, &ticket.client, &ticket.service).await? else {
        return Ok(Err((Refusal::UNKNOWN, "the service is out of use")));
    };
    let callback = match &request.pgt_url {
        None => None,
        Some(pgt_url) => match validation::check_callback(&service, pgt_url) {
            Ok(address) => Some(address),
            Err(refusal) => return Ok(Err((refusal, refusal.description))),
        },
    };
    let (session, identity, live) = match person(context, tx, &party, ticket, now).await? {
        Ok(found) => found,
        Err(reason) => return Ok(Err((Refusal::UNKNOWN, reason))),
    };
    Ok(Ok(Held {
        party,
        service,
        place,
        session,
        identity,
        live,
        callback,
    }))
}

/// The party of a ticket, where it is in use and the address is still one of its own.
async fn party_of(
    tx: &mut Tx,
    client: &RelyingPartyId,
    address: &str,
) -> Result<Option<(RelyingParty, CasService, String)>, Failure> {
    let party = store::relying_party::find(tx, client).await?;
    let Some(party) = party.filter(|party| party.enabled) else {
        return Ok(None);
    };
    let Some(service) = party.cas.clone() else {
        return Ok(None);
    };
    let Ok(address) = Address::read(address) else {
        return Ok(None);
    };
    let place = address::covering(&service.services, &address).map(|declared| declared.key());
    Ok(place.map(|place| (party, service, place)))
}

/// The person behind a ticket, where their login stands and the party is open for them; the login is held.
pub(super) async fn person(
    context: &Context,
    tx: &mut Tx,
    party: &RelyingParty,
    ticket: &Ticket,
    now: Timestamp,
) -> Result<Result<(Session, Identity, Vec<Enrolment>), &'static str>, Failure> {
    let Some((session, identity)) = store::session::hold(tx, ticket.session, now).await? else {
        return Ok(Err("the login has ended"));
    };
    if !identity.status.may_sign_in() {
        return Ok(Err("this person may not sign in"));
    }
    if party
        .metadata
        .minimum_acr
        .is_some_and(|minimum| session.acr < minimum)
    {
        return Ok(Err("the login is not sure enough"));
    }
    let live = store::enrolment::live_of(tx, identity.id, context.now().date()).await?;
    if let Err(closed) = access::check(party, &live, context.now()) {
        return Ok(Err(closed.reason()));
    }
    Ok(Ok((session, identity, live)))
}

/// What the service is told, and what is kept of that.
async fn tell(
    context: &Context,
    keyring: &Keyring,
    tx: &mut Tx,
    held: &Held,
    (ticket, secret): (&Ticket, &Secret),
) -> Result<Success, Failure> {
    let (party, identity, now) = (&held.party, &held.identity, context.now());
    let user = subject::issue(context, tx, keyring.subjects(), party, identity.id, now).await?;
    let agreed = release::agreed(tx, party, identity).await?;
    let contact = store::contact::find(tx, identity.id).await?;
    let about = About {
        identity,
        contact: contact.as_ref().map(|kept| &kept.contact),
        live: &held.live,
        // No shape has words for who somebody is in the feeds of the ministry.
        keys: &[],
    };
    let leaves = disclose(&agreed, &AllListed, about);
    // It was read when the ticket was made.
    let address = Address::read(&ticket.service)
        .map_err(|error| store::StoreError::corrupt("cas_ticket.service", error))?;
    let shape = attribute::shape(&held.service, &leaves, &user, &address);
    if held.service.single_logout {
        let login = Login {
            place: held.place.clone(),
            service: ticket.service.clone(),
            sealed: single_logout::seal(context, ticket, secret)?,
        };
        store::cas_ticket::keep_login(tx, (ticket.session, &party.id), &login, now).await?;
    }
    let event = Event::new(Kind::TicketValidated, Actor::RelyingParty(party.id.to_string()))
        .about(ticket.session)
        .with("kind", ticket.kind);
    store::audit::append(tx, now, &event).await?;
    Ok(Success {
        user,
        shape,
        authenticated_at: held.session.authenticated_at,
        is_from_login: ticket.is_from_login,
        proxies: ticket.proxies.clone(),
        iou: None,
    })
}

/// Hands a proxy-granting ticket to its callback (§2.5.4): whether it was taken. A redirect is no answer.
async fn deliver(
    context: &Context,
    party: &RelyingParty,
    callback: &Address,
    granting: &Secret,
    iou: &Secret,
) -> bool {
    let tickets = [("pgtId", granting.expose()), ("pgtIou", iou.expose())];
    let request = http::Request::get(with_parameters(callback.as_str(), tickets))
        .extension(Reach::of(party))
        .body(Vec::new());
    let Ok(request) = request else { return false };
    match context.outbound.send(request).await {
        Ok(answer) => answer.status() == http::StatusCode::OK,
        Err(error) => {
            tracing::info!(cause = %error, "a proxy-granting ticket was not delivered");
            false
        }
    }
}
