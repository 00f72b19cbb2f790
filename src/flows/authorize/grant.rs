//! What comes of a request whose person is signed in: the service is closed to them, they have a page to read first, or
//! the code.

use super::{Addressed, Outcome};
use crate::base::id::GrantId;
use crate::base::secret::Secret;
use crate::base::time::Timestamp;
use crate::domain::audit::{Actor, Event, Kind};
use crate::domain::grant::{AuthorizationCode, Grant};
use crate::flows::admission::{self, Admission, Arrival, Refusal};
use crate::flows::notice::Wanted;
use crate::flows::session::SignedIn;
use crate::flows::{Context, Failure, pushed_request};
use crate::oidc::authorization::{Answer, PageError, RedirectError};
use crate::oidc::claims;
use crate::store;
use crate::store::db::Tx;

/// What an authorization code begins with.
const CODE_PREFIX: &str = "mrlc_";

/// Grants what was asked to the party, where the service is open for the person and they have read what they must: what
/// they read, grant, code, participation and journal in one transaction.
pub(super) async fn grant(
    context: &Context,
    asked: Addressed<'_>,
    signed_in: &SignedIn,
    now: Timestamp,
) -> Result<Outcome, Failure> {
    let mut tx = context.db.begin().await?;
    if let Some(outcome) = before_grant(context, &mut tx, &asked, signed_in, now).await? {
        tx.commit().await?;
        return Ok(outcome);
    }
    let Addressed {
        party,
        address,
        request,
        pushed,
        ..
    } = asked;
    let (session, identity) = (&signed_in.session, &signed_in.identity);
    let issuer = &context.settings.public_url;
    let actor = Actor::Identity(identity.id);
    if let Some(pushed) = &pushed
        && !pushed_request::use_up(&mut tx, pushed, now).await?
    {
        return Ok(Outcome::Page(PageError::RequestUri));
    }
    let grant = Grant {
        id: GrantId::new(now, &*context.random),
        client: party.id.clone(),
        identity: identity.id,
        session: session.id,
        scopes: request.scopes,
        resource: request.resource,
        // What was asked of the protocol has been answered; what is left is about the person.
        claims: request.claims.only(claims::is_about_a_person),
        nonce: request.nonce,
        authenticated_at: session.authenticated_at,
        acr: session.acr,
        amr: session.amr,
        created_at: now,
        revoked_at: None,
    };
    let kept = AuthorizationCode {
        redirect_uri: address.redirect_uri().to_owned(),
        code_challenge: request.code_challenge,
        dpop_jkt: request.dpop_jkt,
        expires_at: now.plus(context.settings.code_lifetime),
    };
    let code = Secret::generate(CODE_PREFIX, &*context.random);
    store::grant::insert(&mut tx, &grant, &code.digest(), &kept).await?;
    store::session::join(&mut tx, session.id, party.id.as_str(), now).await?;
    let mut event = Event::new(Kind::AuthorizationGranted, actor)
        .about(grant.id)
        .with("client", &party.id)
        .with("scope", &grant.scopes);
    for (place, asked) in [
        ("userinfo_claims", &grant.claims.userinfo),
        ("id_token_claims", &grant.claims.id_token),
    ] {
        if !asked.is_empty() {
            event = event.with(place, asked.names().collect::<Vec<_>>().join(" "));
        }
    }
    store::audit::append(&mut tx, now, &event).await?;
    tx.commit().await?;
    Ok(Outcome::Answer(Answer::code(address, issuer, code.expose())))
}

/// What comes in the place of a grant: the service is closed, or there is a page to read. Where it was read, this is kept,
/// and nothing comes in its place.
async fn before_grant(
    context: &Context,
    tx: &mut Tx,
    asked: &Addressed<'_>,
    signed_in: &SignedIn,
    now: Timestamp,
) -> Result<Option<Outcome>, Failure> {
    let Addressed { party, request, .. } = asked;
    let may_show = !request.prompts.none();
    let arrival = Arrival {
        party,
        signed_in,
        wanted: Wanted::Request(request),
        address: asked.address.redirect_uri(),
        may_show,
        waiting: &asked.waiting,
        step: asked.step,
    };
    let refusal = match admission::admit(context, tx, arrival, now).await? {
        Admission::Open(_) => return Ok(None),
        Admission::Notice { continuation } => return Ok(Some(Outcome::Notice { continuation })),
        Admission::Read(page) => return Ok(Some(Outcome::Read(page))),
        Admission::Refused(refusal) => refusal,
    };
    let error = |error| {
        let issuer = &context.settings.public_url;
        Outcome::Answer(Answer::error(asked.address.clone(), issuer, error))
    };
    let service = party.name.clone();
    Ok(Some(match refusal {
        Refusal::Closed if may_show => Outcome::Closed { service },
        Refusal::ClosedToPupils if may_show => Outcome::ClosedToPupils { service },
        Refusal::Closed | Refusal::ClosedToPupils => error(RedirectError::CLOSED),
        Refusal::OpensOn(day) if may_show => Outcome::OpensOn(day),
        Refusal::OpensOn(_) => error(RedirectError::NOT_YET),
        Refusal::ToBeTold => error(RedirectError::TO_BE_TOLD),
        Refusal::ToBeAsked => error(RedirectError::TO_BE_ASKED),
        Refusal::TooLong => Outcome::Page(PageError::TooLong),
        Refusal::Declined => {
            if let Some(pushed) = &asked.pushed
                && !pushed_request::use_up(tx, pushed, now).await?
            {
                return Ok(Some(Outcome::Page(PageError::RequestUri)));
            }
            error(RedirectError::REFUSED)
        }
    }))
}
