//! What comes of a request whose person is signed in: the service is closed to them, they have a page to read first, or
//! the code.

use super::{Addressed, Choice, Outcome, Step, sealed};
use crate::base::id::GrantId;
use crate::base::secret::Secret;
use crate::base::time::Timestamp;
use crate::domain::acknowledgement::Kind as Word;
use crate::domain::audit::{Actor, Event, Kind};
use crate::domain::grant::{AuthorizationCode, Grant};
use crate::domain::relying_party::{Basis, RelyingParty};
use crate::flows::session::SignedIn;
use crate::flows::{Context, Failure, notice as page, pushed_request};
use crate::oidc::authorization::{Answer, PageError, RedirectError};
use crate::oidc::notice::Notice;
use crate::oidc::{access, claims};
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
    let error = |error| {
        let issuer = &context.settings.public_url;
        Outcome::Answer(Answer::error(asked.address.clone(), issuer, error))
    };
    let live = store::enrolment::live_of(tx, signed_in.identity.id, now.date()).await?;
    let service = || party.name.clone();
    if !access::is_open(party, &live) {
        refused(tx, party, signed_in, "not open for a school of this person", now).await?;
        let closed = Outcome::Closed { service: service() };
        return Ok(Some(if may_show {
            closed
        } else {
            error(RedirectError::CLOSED)
        }));
    }
    let looked = page::look(tx, party, request, signed_in, &live, now).await?;
    let choice = match asked.step {
        Step::Answered(reply) => Some((reply.choice, reply.shown)),
        Step::Begin | Step::Reading => None,
    };
    let word = match looked.decision {
        // A no is a no, also where another tab said yes meanwhile.
        Notice::Nothing | Notice::Page(Word::Consent)
            if party.basis == Basis::Consent && matches!(choice, Some((Choice::Refuse, _))) =>
        {
            if let Some(pushed) = &asked.pushed
                && !pushed_request::use_up(tx, pushed, now).await?
            {
                return Ok(Some(Outcome::Page(PageError::RequestUri)));
            }
            let event =
                Event::new(Kind::ConsentRefused, Actor::Identity(signed_in.identity.id)).about(&party.id);
            store::audit::append(tx, now, &event).await?;
            return Ok(Some(error(RedirectError::REFUSED)));
        }
        Notice::Nothing => return Ok(None),
        Notice::Closed => {
            refused(tx, party, signed_in, "rests on consent, and this is a pupil", now).await?;
            let closed = Outcome::ClosedToPupils { service: service() };
            return Ok(Some(if may_show {
                closed
            } else {
                error(RedirectError::CLOSED)
            }));
        }
        Notice::Page(word) => word,
    };
    match (word, choice) {
        (Word::Consent, Some((Choice::Allow, shown))) | (Word::Information, Some((Choice::GoOn, shown)))
            if looked.was_shown(context, party, signed_in, shown) =>
        {
            looked.keep(tx, word, party, signed_in, now).await?;
            return Ok(None);
        }
        _ => {}
    }
    if !may_show {
        return Ok(Some(error(match word {
            Word::Information => RedirectError::TO_BE_TOLD,
            Word::Consent => RedirectError::TO_BE_ASKED,
        })));
    }
    let Some(continuation) = sealed(context, &asked.waiting)? else {
        return Ok(Some(Outcome::Page(PageError::TooLong)));
    };
    Ok(Some(match asked.step {
        Step::Begin => Outcome::Notice { continuation },
        Step::Reading | Step::Answered(_) => {
            let address = asked.address.redirect_uri();
            let page = looked.page(context, word, (party, address), signed_in, continuation)?;
            Outcome::Read(Box::new(page))
        }
    }))
}

async fn refused(
    tx: &mut Tx,
    party: &RelyingParty,
    signed_in: &SignedIn,
    reason: &'static str,
    now: Timestamp,
) -> Result<(), Failure> {
    let event = Event::new(Kind::AuthorizationRefused, Actor::Identity(signed_in.identity.id))
        .about(&party.id)
        .with("reason", reason);
    Ok(store::audit::append(tx, now, &event).await?)
}
