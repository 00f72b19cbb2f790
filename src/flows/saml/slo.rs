//! Single logout through the browser: a service provider asks ([`by_address`], [`by_form`]), is asked
//! ([`participant::ask`]), or has answered.
//!
//! | step | |
//! | --- | --- |
//! | 1. the request is believed, and about the login of this browser | else the party is told so, and nothing ends |
//! | 2. the login ends here, by the one function that ends it | in one transaction, before anybody else is told |
//! | 3. every other participant is told, each on its own: in frames of the farewell page, or behind it | one that is dead keeps nobody waiting |
//! | 4. the party that asked is answered ([`finish`]): `Success`, or `PartialLogout` where one of them did not confirm | |
//!
//! A form of another site comes without our cookie (`SameSite=Lax`), so the browser is sent round by GET, which brings it.

pub mod participant;

use std::time::Duration;

use data_encoding::BASE64URL_NOPAD;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::{Outgoing, Partner, endpoint, entity_id, name, partner};
use crate::base::secret::Secret;
use crate::base::time::Timestamp;
use crate::base::url::with_parameters;
use crate::domain::audit::{Actor, Event, Kind};
use crate::domain::saml_entity::Binding;
use crate::flows::logout::{self, Farewell};
use crate::flows::session::SignedIn;
use crate::flows::{Context, Failure, id_token, session};
use crate::saml::incoming::{Incoming, Unreadable};
use crate::saml::logout::{self as core, Answered, Known, LogoutRequest};
use crate::saml::message::{FRESH, SKEW, Unacceptable};
use crate::saml::response::Envelope;
use crate::saml::status::Status;
use crate::saml::xmlsec::Refused;
use crate::saml::xmlsec::redirect::Kind as Travels;
use crate::store;
use crate::store::used_proof::{self, Proof};
pub use participant::Verdict;

/// The path of the endpoint.
pub const PATH: &str = "/saml/slo";
/// Where a browser comes again with its cookie.
pub const RESUME: &str = "/saml/slo/resume";
/// Where the party that asked is answered from.
pub const FINISH: &str = "/saml/slo/finish";
/// How long what is sealed into an address of ours may be used.
const SEALED: Duration = Duration::from_secs(900);

/// A message that goes nowhere: the person sees a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PageError {
    /// It is no message.
    #[error(transparent)]
    Unreadable(#[from] Unreadable),
    /// It is none that we take.
    #[error(transparent)]
    Unacceptable(#[from] Unacceptable),
    /// There is no such party, or it is out of use.
    #[error("no such service provider")]
    UnknownParty,
    /// No key of the party vouches for it.
    #[error("the signature is not accepted: {0}")]
    Signature(#[from] Refused),
    /// An answer to what nobody asked, or a second one.
    #[error("nobody asked for this answer")]
    NotAsked,
    /// What the browser brought cannot be read, or is too old.
    #[error("what was sealed cannot be opened")]
    Sealed,
}

/// What became of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The browser has to come again with its cookie: to this address of ours.
    SentRound(String),
    /// The login is over: the browser tells the others, and then goes on.
    Farewell {
        /// What the browser has to do before.
        farewell: Farewell,
        /// The name of the party that asked.
        service: String,
        /// Where it is answered from; none where it has no way to be.
        onward: Option<String>,
    },
    /// An answer to the party that asked.
    Answer(Outgoing),
    /// A participant has answered, in a frame.
    Answered(Verdict),
    /// An error that must not leave.
    Page(PageError),
}

/// What is sealed into addresses of ours.
#[derive(Debug, Serialize, Deserialize)]
struct Sealed<T> {
    at: i64,
    inside: T,
}

fn seal<T: Serialize>(context: &Context, purpose: &str, inside: T) -> Result<String, Failure> {
    let at = context.now().micros();
    let plain =
        serde_json::to_vec(&Sealed { at, inside }).map_err(|error| Failure::Task(error.to_string()))?;
    Ok(BASE64URL_NOPAD.encode(&context.vault.seal(purpose, &plain, &*context.random)?))
}

fn open<T: DeserializeOwned>(context: &Context, purpose: &str, sealed: &str) -> Option<T> {
    let bytes = Some(sealed).filter(|sealed| sealed.len() <= crate::flows::continuation::LIMIT)?;
    let bytes = BASE64URL_NOPAD.decode(bytes.as_bytes()).ok()?;
    let opened: Sealed<T> = serde_json::from_slice(&context.vault.open(purpose, &bytes).ok()?).ok()?;
    let age = context.now().since(Timestamp::from_micros(opened.at));
    (age <= SEALED).then_some(opened.inside)
}

const ASKED: &str = "saml logout asked";
const FINISHING: &str = "saml logout finishing";

/// A request that was believed.
#[derive(Debug, Serialize, Deserialize)]
struct Asked {
    request: LogoutRequest,
    relay_state: Option<String>,
    binding: Binding,
}

/// Takes a message that came in an address (saml-bindings §3.4).
///
/// # Errors
/// [`Failure`].
pub async fn by_address(context: &Context, query: &str, cookie: Option<&Secret>) -> Result<Outcome, Failure> {
    match Incoming::from_query(query) {
        Ok(incoming) => match arrived(context, incoming, Binding::Redirect).await? {
            Arrived::Asked(asked) => act(context, asked, cookie).await,
            Arrived::Answered(verdict) => Ok(Outcome::Answered(verdict)),
            Arrived::Wrong(error) => Ok(Outcome::Page(error)),
        },
        Err(error) => Ok(Outcome::Page(error.into())),
    }
}

/// Takes a message that came by form (saml-bindings §3.5).
///
/// # Errors
/// [`Failure`].
pub async fn by_form(context: &Context, body: &str) -> Result<Outcome, Failure> {
    match Incoming::from_form(body) {
        Ok(incoming) => match arrived(context, incoming, Binding::Post).await? {
            Arrived::Asked(asked) => {
                let sealed = seal(context, ASKED, asked)?;
                Ok(Outcome::SentRound(with_parameters(
                    RESUME,
                    [("continue", &*sealed)],
                )))
            }
            Arrived::Answered(verdict) => Ok(Outcome::Answered(verdict)),
            Arrived::Wrong(error) => Ok(Outcome::Page(error)),
        },
        Err(error) => Ok(Outcome::Page(error.into())),
    }
}

/// Goes on with a request that came by form.
///
/// # Errors
/// [`Failure`].
pub async fn resume(context: &Context, sealed: &str, cookie: Option<&Secret>) -> Result<Outcome, Failure> {
    match open(context, ASKED, sealed) {
        Some(asked) => act(context, asked, cookie).await,
        None => Ok(Outcome::Page(PageError::Sealed)),
    }
}

enum Arrived {
    Asked(Asked),
    Answered(Verdict),
    Wrong(PageError),
}

/// Who sends it, and whether it is believed.
async fn arrived(context: &Context, incoming: Incoming, binding: Binding) -> Result<Arrived, Failure> {
    let now = context.now();
    let issuer = match incoming.claimed_issuer() {
        Ok(issuer) => issuer,
        Err(error) => return Ok(Arrived::Wrong(error.into())),
    };
    let mut conn = context.db.reader().await?;
    let partner = partner::find(&mut conn, issuer, now).await?;
    drop(conn);
    let Some(partner) = partner else {
        return Ok(Arrived::Wrong(PageError::UnknownParty));
    };
    let (kind, relay_state, here) = (
        incoming.kind,
        incoming.relay_state.clone(),
        endpoint(context, PATH),
    );
    let expected = match kind {
        Travels::Request => LogoutRequest::NAME,
        Travels::Response => Answered::NAME,
    };
    let believed = match core::believe(incoming, expected, &partner.saml, &partner.keys) {
        Ok(believed) => believed,
        Err(error) => return Ok(Arrived::Wrong(error.into())),
    };
    match kind {
        Travels::Request => Ok(match LogoutRequest::read(&believed, &here, now) {
            Ok(request) => Arrived::Asked(Asked {
                request,
                relay_state,
                binding,
            }),
            Err(error) => Arrived::Wrong(error.into()),
        }),
        Travels::Response => match Answered::read(&believed, &here, now) {
            Ok(answered) => {
                let verdict = participant::answered(context, &partner, answered, now).await?;
                Ok(verdict.map_or(Arrived::Wrong(PageError::NotAsked), Arrived::Answered))
            }
            Err(error) => Ok(Arrived::Wrong(error.into())),
        },
    }
}

/// What is left to do when the others were told.
#[derive(Debug, Serialize, Deserialize)]
struct Finishing {
    party: String,
    request: String,
    relay_state: Option<String>,
    binding: Binding,
    session: Option<String>,
    is_partial: bool,
}

/// Ends the login, where the request is about the one of this browser.
async fn act(context: &Context, asked: Asked, cookie: Option<&Secret>) -> Result<Outcome, Failure> {
    let now = context.now();
    let mut conn = context.db.reader().await?;
    let Some(partner) = partner::find(&mut conn, &asked.request.issuer, now).await? else {
        return Ok(Outcome::Page(PageError::UnknownParty));
    };
    let signed_in = match cookie {
        Some(cookie) => session::find(context, cookie).await?,
        None => None,
    };
    let mut finishing = Finishing {
        party: asked.request.issuer.clone(),
        request: asked.request.id.clone(),
        relay_state: asked.relay_state.clone(),
        binding: asked.binding,
        session: None,
        is_partial: false,
    };
    // Nobody is signed in on this browser (any more): there is nothing left to end.
    let Some(signed_in) = signed_in else {
        return reply(context, &partner, finishing, Status::SUCCESS).await;
    };
    let session = signed_in.session.id;
    let named = name::known(context, &mut conn, &partner.party, session).await?;
    drop(conn);
    let (issuer, index) = (
        entity_id(context),
        id_token::sid(context, session, &partner.party.id)?,
    );
    let known = named.as_ref().map(|name_id| Known {
        name_id,
        session_index: &index,
        issuer: &issuer,
    });
    if let Err(status) = asked.request.means(known, now) {
        return reply(context, &partner, finishing, status).await;
    }
    let Some(ended) = end(context, &partner, &asked.request, &signed_in, now).await? else {
        let status = crate::saml::authn_request::refusal::REPLAYED;
        return reply(context, &partner, finishing, status).await;
    };
    let farewell = logout::farewell_of_others(context, ended, Some(&partner.party.id)).await?;
    finishing.session = Some(session.to_string());
    finishing.is_partial = !farewell.still_open.is_empty();
    if farewell.frames.is_empty() && farewell.asked.is_empty() && farewell.came_by.is_none() {
        let status = status(finishing.is_partial);
        return reply(context, &partner, finishing, status).await;
    }
    let has_a_way = core::service(&partner.provider, finishing.binding).is_some();
    let onward = if has_a_way {
        let sealed = seal(context, FINISHING, finishing)?;
        Some(with_parameters(FINISH, [("continue", &*sealed)]))
    } else {
        None
    };
    Ok(Outcome::Farewell {
        farewell,
        service: partner.party.name,
        onward,
    })
}

const fn status(is_partial: bool) -> Status {
    if is_partial {
        Status::PARTIAL_LOGOUT
    } else {
        Status::SUCCESS
    }
}

/// Ends the login by the one function that ends one; `None` where the request was followed before.
async fn end(
    context: &Context,
    partner: &Partner,
    request: &LogoutRequest,
    signed_in: &SignedIn,
    now: Timestamp,
) -> Result<Option<session::Ended>, Failure> {
    let party = &partner.party.id;
    let actor = Actor::RelyingParty(party.to_string());
    let mut tx = context.db.begin().await?;
    let proof = Proof {
        kind: "saml logout",
        owner: party.as_str(),
        jti: &request.id,
    };
    if !used_proof::claim(&mut tx, proof, now.plus(2 * (FRESH + SKEW) + SEALED)).await? {
        let event = Event::new(Kind::ProofReplayed, actor).with("protocol", "saml");
        store::audit::append(&mut tx, now, &event).await?;
        tx.commit().await?;
        return Ok(None);
    }
    // Two requests at once: the second finds nothing left to end.
    let ended = session::end(&mut tx, signed_in.session.id, now, actor, "relying party asked").await?;
    tx.commit().await?;
    let ended = ended.unwrap_or_default();
    if ended.is_to_be_delivered() {
        context.logout_bell.notify_one();
    }
    Ok(Some(ended))
}

/// Answers the party that asked, when the others were told.
///
/// # Errors
/// [`Failure`].
pub async fn finish(context: &Context, sealed: &str) -> Result<Outcome, Failure> {
    let Some(finishing) = open::<Finishing>(context, FINISHING, sealed) else {
        return Ok(Outcome::Page(PageError::Sealed));
    };
    let mut conn = context.db.reader().await?;
    let Some(partner) = partner::find(&mut conn, &finishing.party, context.now()).await? else {
        return Ok(Outcome::Page(PageError::UnknownParty));
    };
    let mut is_partial = finishing.is_partial;
    if let Some(Ok(session)) = finishing.session.as_ref().map(|session| session.parse()) {
        let asked = participant::others(&mut conn, session, &partner.party.id).await?;
        is_partial |= asked.into_iter().any(|confirmed| !confirmed);
    }
    drop(conn);
    reply(context, &partner, finishing, status(is_partial)).await
}

/// A `LogoutResponse`, to where the party takes one.
async fn reply(
    context: &Context,
    partner: &Partner,
    finishing: Finishing,
    status: Status,
) -> Result<Outcome, Failure> {
    let Some(service) = core::service(&partner.provider, finishing.binding) else {
        return Ok(Outcome::Farewell {
            farewell: Farewell::default(),
            service: partner.party.name.clone(),
            onward: None,
        });
    };
    let destination = service.response_location.as_ref().unwrap_or(&service.location);
    let envelope = Envelope {
        issuer: &entity_id(context),
        destination,
        in_response_to: Some(&finishing.request),
        now: context.now(),
    };
    let response = core::response(&envelope, status, &*context.random);
    let signer = super::signer(context, partner).await?;
    let (action, message) = (destination.clone(), (Travels::Response, response));
    let sent = super::send(signer, service.binding, action, message, finishing.relay_state);
    Ok(Outcome::Answer(sent.await?))
}
