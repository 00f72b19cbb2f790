//! A service that acts for a person at another (CAS Protocol 3.0 §2.7): it shows its proxy-granting ticket and gets a proxy
//! ticket for that other one, where the person could go there themselves without being shown anything.

use super::{keep, services, validate};
use crate::cas::address::{self, Found};
use crate::cas::answer::Answer;
use crate::cas::proxy::{self, Request, UNAUTHORIZED};
use crate::cas::validation::Refusal;
use crate::domain::audit::{Actor, Event, Kind};
use crate::domain::cas_ticket::{Ticket, TicketKind};
use crate::flows::admission::{self, Admission, Arrival, Step};
use crate::flows::continuation::{Continuation, Protocol};
use crate::flows::notice::Wanted;
use crate::flows::session::SignedIn;
use crate::flows::{Context, Failure};
use crate::store;

/// Answers a request for a proxy ticket.
///
/// # Errors
/// [`Failure`].
pub async fn proxy(context: &Context, request: &Request) -> Result<Answer, Failure> {
    let refused = |refusal| Ok(Answer::NotProxied(refusal));
    let Some(granting) = &request.pgt else {
        return refused(Refusal::UNKNOWN);
    };
    let now = context.now();
    let parties = services(context, &request.target).await?;
    let mut tx = context.db.begin().await?;
    let Some(granting) = store::cas_ticket::find(&mut tx, &granting.digest()).await? else {
        return refused(Refusal::UNKNOWN);
    };
    let party = store::relying_party::find(&mut tx, &granting.client).await?;
    let Some(party) = party.filter(|party| party.enabled) else {
        return refused(Refusal::UNKNOWN);
    };
    if let Err(refusal) = proxy::check(&granting, party.cas.as_ref(), now) {
        return refused(refusal);
    }
    let Ok((session, identity, _)) = validate::person(context, &mut tx, &party, &granting, now).await? else {
        return refused(Refusal::UNKNOWN);
    };
    let Some(Found { party: target, .. }) = address::find(&parties, &request.target) else {
        return refused(UNAUTHORIZED);
    };
    let minimum = target.metadata.minimum_acr;
    if minimum.is_some_and(|minimum| session.acr < minimum) {
        return refused(UNAUTHORIZED);
    }
    let signed_in = SignedIn { session, identity };
    let arrival = Arrival {
        party: target,
        signed_in: &signed_in,
        wanted: Wanted::AllListed,
        address: request.target.as_str(),
        may_show: false,
        waiting: &nobody_waits(target.id.to_string()),
        step: Step::Begin,
    };
    let Admission::Open(_) = admission::admit(context, &mut tx, arrival, now).await? else {
        // A refusal is journalled.
        tx.commit().await?;
        return refused(UNAUTHORIZED);
    };
    let ticket = Ticket {
        kind: TicketKind::Proxy,
        client: target.id.clone(),
        service: request.target.as_str().to_owned(),
        session: signed_in.session.id,
        is_from_login: false,
        proxies: granting.proxies,
        issued_at: now,
        expires_at: now.plus(context.settings.ticket_lifetime),
        used_at: None,
    };
    let secret = keep(context, &mut tx, &ticket).await?;
    store::session::join(&mut tx, ticket.session, target.id.as_str(), now).await?;
    let event = Event::new(Kind::ProxyTicketIssued, Actor::RelyingParty(party.id.to_string()))
        .about(ticket.session)
        .with("client", &target.id);
    store::audit::append(&mut tx, now, &event).await?;
    tx.commit().await?;
    Ok(Answer::Proxied(secret))
}

/// No browser is there to be sent to a page; this is never sealed.
fn nobody_waits(client: String) -> Continuation {
    Continuation {
        protocol: Protocol::Cas,
        client,
        service: String::new(),
        origin: None,
        query: String::new(),
        pushed: None,
        needs_more_than_class: false,
        is_signed: false,
        asked_at: 0,
        hint: None,
    }
}
