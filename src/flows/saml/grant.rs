//! What comes of a request whose person is signed in: the service is closed to them, they have a page to read first, or an
//! assertion.

use super::sso::{Addressed, Outcome, WAITS, refuse};
use super::{Partner, entity_id, form, name, partner};
use crate::base::time::Timestamp;
use crate::base::url::Url;
use crate::domain::audit::{Actor, Event, Kind};
use crate::domain::enrolment::Enrolment;
use crate::flows::admission::{self, Admission, Arrival, Refusal};
use crate::flows::keys::Keyring;
use crate::flows::notice::Wanted;
use crate::flows::session::SignedIn;
use crate::flows::{Context, Failure, id_token, release, subject};
use crate::release::{About, AllListed, disclose};
use crate::saml::attribute::{self, Login};
use crate::saml::authn_request::{PageError, refusal};
use crate::saml::name_id::{NameId, NameIdFormat};
use crate::saml::response::{self, Envelope, Protection, Said};
use crate::saml::status::Status;
use crate::saml::xml::Element;
use crate::saml::xmlsec::redirect;
use crate::store;
use crate::store::db::Tx;
use crate::store::used_proof::{self, Proof};

/// Answers the party, where the service is open for the person and they have read what they must: what they read, subject,
/// participation and journal in one transaction.
pub(super) async fn grant(
    context: &Context,
    keyring: &Keyring,
    asked: Addressed<'_>,
    signed_in: &SignedIn,
) -> Result<Outcome, Failure> {
    let now = context.now();
    let partner = &asked.partner;
    let Ok(protection) = protection(partner) else {
        return refuse(context, partner, &asked.address, refusal::NO_ENCRYPTION).await;
    };
    let mut tx = context.db.begin().await?;
    let live = match admitted(context, &mut tx, &asked, signed_in, now).await? {
        Ok(live) => live,
        Err(instead) => {
            tx.commit().await?;
            return instead.outcome(context, &asked).await;
        }
    };
    let told = match tell(context, &mut tx, keyring, &asked, (signed_in, &live), now).await? {
        Ok(told) => told,
        Err(status) => {
            tx.commit().await?;
            return refuse(context, partner, &asked.address, status).await;
        }
    };
    tx.commit().await?;
    let signer = super::signer(context, partner).await?;
    let (issuer, random) = (entity_id(context), context.random.clone());
    let (session, class) = (signed_in.session.clone(), asked.class);
    let (address, audience) = (asked.address, asked.partner.provider.entity_id);
    let answer = super::blocking(move || {
        let envelope = Envelope {
            issuer: &issuer,
            destination: address.consumer(),
            in_response_to: address.in_response_to(),
            now,
        };
        let said = Said {
            audience: &audience,
            name_id: told.name_id,
            session_index: &told.session_index,
            authenticated_at: session.authenticated_at,
            session_until: session.expires_at,
            class: &class,
            attributes: told.attributes,
        };
        let response = response::success(&envelope, said, &protection, &signer, &*random)?;
        let relay_state = address.relay_state();
        Ok(form(
            redirect::Kind::Response,
            address.consumer(),
            &response,
            relay_state,
        ))
    });
    Ok(Outcome::Answer(answer.await?))
}

fn protection(partner: &Partner) -> Result<Protection, response::CannotEncrypt> {
    let keys = partner.provider.encryption_keys.iter();
    let keys = keys.filter_map(|key| Some((partner::public_key(&key.spki)?, key.methods.as_slice())));
    Protection::of(&partner.saml, keys.collect())
}

/// What comes in the place of an assertion.
enum Instead {
    Outcome(Outcome),
    Status(Status),
}

impl Instead {
    async fn outcome(self, context: &Context, asked: &Addressed<'_>) -> Result<Outcome, Failure> {
        match self {
            Self::Outcome(outcome) => Ok(outcome),
            Self::Status(status) => refuse(context, &asked.partner, &asked.address, status).await,
        }
    }
}

/// Whether the person is let through, once for each request.
async fn admitted(
    context: &Context,
    tx: &mut Tx,
    asked: &Addressed<'_>,
    signed_in: &SignedIn,
    now: Timestamp,
) -> Result<Result<Vec<Enrolment>, Instead>, Failure> {
    let party = &asked.partner.party;
    let may_show = !asked.request.is_passive;
    let arrival = Arrival {
        party,
        signed_in,
        wanted: Wanted::AllListed,
        address: asked.address.consumer(),
        may_show,
        waiting: &asked.waiting,
        step: asked.step,
    };
    let service = party.name.clone();
    let outcome = |outcome| Ok(Err(Instead::Outcome(outcome)));
    let status = |status| Ok(Err(Instead::Status(status)));
    match admission::admit(context, tx, arrival, now).await? {
        Admission::Open(live) => {
            if is_first(tx, asked, now).await? {
                Ok(Ok(live))
            } else {
                status(refusal::REPLAYED)
            }
        }
        Admission::Notice { continuation } => outcome(Outcome::Notice { continuation }),
        Admission::Read(page) => outcome(Outcome::Read(page)),
        Admission::Refused(refused) => match refused {
            Refusal::Closed if may_show => outcome(Outcome::Closed { service }),
            Refusal::ClosedToPupils if may_show => outcome(Outcome::ClosedToPupils { service }),
            Refusal::Closed | Refusal::ClosedToPupils => status(refusal::CLOSED),
            Refusal::OpensOn(day) if may_show => outcome(Outcome::OpensOn(day)),
            Refusal::OpensOn(_) => status(refusal::NOT_YET),
            Refusal::ToBeTold | Refusal::ToBeAsked => status(refusal::TO_BE_SHOWN),
            Refusal::Declined => status(refusal::DECLINED),
            Refusal::TooLong => outcome(Outcome::Page(PageError::TooLong)),
        },
    }
}

/// Whether the request was not answered before, on any node: it is taken for answered from now on.
async fn is_first(tx: &mut Tx, asked: &Addressed<'_>, now: Timestamp) -> Result<bool, Failure> {
    let Some(id) = asked.address.in_response_to() else {
        return Ok(true);
    };
    let party = &asked.partner.party.id;
    let proof = Proof {
        kind: "saml request",
        owner: party.as_str(),
        jti: id,
    };
    // A request that waited as long as any may is past its own time before it is forgotten.
    if used_proof::claim(tx, proof, now.plus(2 * WAITS)).await? {
        return Ok(true);
    }
    let event =
        Event::new(Kind::ProofReplayed, Actor::RelyingParty(party.to_string())).with("protocol", "saml");
    store::audit::append(tx, now, &event).await?;
    Ok(false)
}

/// What the party is told.
struct Told {
    name_id: NameId,
    session_index: String,
    attributes: Vec<Element>,
}

async fn tell(
    context: &Context,
    tx: &mut Tx,
    keyring: &Keyring,
    asked: &Addressed<'_>,
    (signed_in, live): (&SignedIn, &[Enrolment]),
    now: Timestamp,
) -> Result<Result<Told, Status>, Failure> {
    let (session, identity) = (&signed_in.session, &signed_in.identity);
    let named = asked.request.named;
    let party = release::agreed(tx, &asked.partner.party, &signed_in.identity).await?;
    let met = subject::known(tx, &party, identity.id).await?.is_some();
    if named.format == NameIdFormat::Persistent && !named.may_create && !met {
        return Ok(Err(refusal::NOT_CREATED));
    }
    let subject = subject::issue(context, tx, keyring.subjects(), &party, identity.id, now).await?;
    let who = (session.id, identity.id);
    let Some(name_id) = name::of(context, tx, &party, who, named.format).await? else {
        return Ok(Err(refusal::NO_EMAIL));
    };
    let contact = store::contact::find(tx, identity.id).await?;
    let keys = release::keys_for(tx, &party, &AllListed, identity).await?;
    let about = About {
        identity,
        contact: contact.as_ref().map(|kept| &kept.contact),
        live,
        keys: &keys,
    };
    let host = Url::parse(&context.settings.public_url).ok();
    let host = host.as_ref().and_then(|url| url.host_str()).unwrap_or_default();
    // The domain that our metadata say we speak for, else the one that we are found under.
    let scope = context.settings.saml.scopes.first().map_or(host, String::as_str);
    let login = Login {
        subject: &subject,
        scope,
        leave: &super::endpoint(context, "/sign-out"),
        authenticated_at: session.authenticated_at,
    };
    let saml = &asked.partner.saml;
    let disclosure = disclose(&party, &AllListed, about);
    let attributes = attribute::attributes(saml.preset, saml.names, &login, &disclosure);
    store::session::join_named(tx, session.id, &party.id, named.format.as_str(), now).await?;
    let event = Event::new(Kind::AuthorizationGranted, Actor::Identity(identity.id))
        .about(session.id)
        .with("client", &party.id)
        .with("protocol", "saml")
        .with("requested", asked.address.in_response_to().is_some())
        .with("name_id_format", named.format);
    store::audit::append(tx, now, &event).await?;
    Ok(Ok(Told {
        name_id,
        session_index: id_token::sid(context, session.id, &party.id)?,
        attributes,
    }))
}
