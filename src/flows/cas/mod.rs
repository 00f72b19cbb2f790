//! The CAS server (CAS Protocol 3.0): from a service that sends somebody to a ticket, and from the ticket to who they are.
//!
//! `/cas/login` ([`login`]):
//!
//! | outcome | when | the browser goes |
//! | --- | --- | --- |
//! | [`Outcome::Unknown`] | the address belongs to no service | nowhere |
//! | [`Outcome::Home`] | no address, and somebody is signed in | home |
//! | [`Outcome::SignIn`] | the person has to sign in (again) | to the login page, and from there to [`resume`] |
//! | [`Outcome::Notice`], [`Outcome::Read`] | the person has to be told or asked what the service learns | to that page |
//! | [`Outcome::Closed`], [`Outcome::ClosedToPupils`], [`Outcome::NotSureEnough`] | the person may not go there so | nowhere |
//! | [`Outcome::OpensOn`] | the school year has not begun for the person | nowhere |
//! | [`Outcome::Back`], without a ticket | nobody may be asked anything (`gateway`), or the person did not want to | to the service |
//! | [`Outcome::Back`], with one | else | to the service, which shows it in [`validate`] |
//!
//! Acting for a person elsewhere is [`proxy`], leaving is [`logout`], and telling services that somebody left
//! `single_logout`.

pub mod logout;
pub(super) mod preview;
pub mod proxy;
pub(super) mod single_logout;
pub mod validate;

use super::admission::{self, Admission, Arrival, Refusal, Step};
pub use super::admission::{Choice, Reply};
use super::continuation::{self, Continuation, Protocol};
use super::notice::{self as page, Wanted};
use super::session::SignedIn;
use super::{Context, Failure};
use crate::base::parameters::Parameters;
use crate::base::secret::Secret;
use crate::base::time::{Date, Timestamp};
use crate::base::url;
use crate::cas::address::{self, Address, Found};
use crate::cas::login::{self as core, Decision, Method, Request};
use crate::cas::ticket;
use crate::domain::assurance::Acr;
use crate::domain::audit::{Actor, Event, Kind};
use crate::domain::cas_ticket::{Ticket, TicketKind};
use crate::domain::relying_party::RelyingParty;
use crate::store;
use crate::store::db::Tx;

/// What became of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Back to the service.
    Back {
        /// Its address, as it came.
        address: String,
        /// The ticket, where there is one.
        ticket: Option<Secret>,
        /// How.
        method: Method,
    },
    /// The person has to sign in; the login page takes this along.
    SignIn {
        /// The sealed [`Continuation`]; `None` where no service waits.
        continuation: Option<String>,
    },
    /// Somebody is signed in already, and no service waits.
    Home,
    /// The person has to read a page first; it takes this along.
    Notice {
        /// The sealed [`Continuation`].
        continuation: String,
    },
    /// The page that the person has to read.
    Read(Box<page::Notice>),
    /// The service rests on consent, and pupils are not asked for one.
    ClosedToPupils {
        /// The name of the service.
        service: String,
    },
    /// The service is not open for this person's school.
    Closed {
        /// The name of the service.
        service: String,
    },
    /// The service opens for this person on that day.
    OpensOn(Date),
    /// The person signed in, and the service needs a surer way.
    NotSureEnough {
        /// The name of the service.
        service: String,
    },
    /// The address belongs to no service that is in use.
    Unknown {
        /// Its host, where it has a plain one: for the operator who has to declare it.
        host: Option<String>,
    },
    /// What is to be resumed cannot be read, or is too long to be taken along.
    Malformed,
}

/// Runs a request as it came, a query.
///
/// # Errors
/// [`Failure`].
pub async fn login(context: &Context, query: &str, cookie: Option<&Secret>) -> Result<Outcome, Failure> {
    let Ok(parameters) = Parameters::read(query) else {
        return Ok(Outcome::Malformed);
    };
    let asked = Asked { parameters, at: None };
    run(context, asked, cookie, Step::Begin).await
}

/// Runs again a request that had to wait for its person.
///
/// # Errors
/// [`Failure`].
pub async fn resume(context: &Context, sealed: &str, cookie: Option<&Secret>) -> Result<Outcome, Failure> {
    again(context, sealed, cookie, Step::Begin).await
}

/// The page that a person has to read before the request goes on; what comes of the request where they need not (any more).
///
/// # Errors
/// [`Failure`].
pub async fn notice(context: &Context, sealed: &str, cookie: Option<&Secret>) -> Result<Outcome, Failure> {
    again(context, sealed, cookie, Step::Reading).await
}

/// What a person answered to the page of [`notice`].
///
/// # Errors
/// [`Failure`].
pub async fn answer(
    context: &Context,
    sealed: &str,
    cookie: Option<&Secret>,
    reply: Reply<'_>,
) -> Result<Outcome, Failure> {
    again(context, sealed, cookie, Step::Answered(reply)).await
}

/// A person goes back from the login page. CAS has no word for that, and a service that gets no ticket sends people here
/// again: they go where its own pages begin, where that is known.
///
/// # Errors
/// [`Failure`].
pub async fn cancel(context: &Context, sealed: &str) -> Result<Outcome, Failure> {
    let Some(asked) = waiting(context, sealed) else {
        return Ok(Outcome::Malformed);
    };
    let Some(Ok(address)) = core::service(&asked.parameters) else {
        return Ok(Outcome::Malformed);
    };
    let parties = services(context, &address).await?;
    let Some(found) = address::find(&parties, &address) else {
        return Ok(unknown(&address));
    };
    let home = found.party.home.clone();
    Ok(Outcome::Back {
        address: home.unwrap_or_else(|| address.as_str().to_owned()),
        ticket: None,
        method: Method::Get,
    })
}

/// A request, wherever it stood.
struct Asked {
    parameters: Parameters,
    /// When it first came, where the person has been to a page since.
    at: Option<Timestamp>,
}

async fn again(
    context: &Context,
    sealed: &str,
    cookie: Option<&Secret>,
    step: Step<'_>,
) -> Result<Outcome, Failure> {
    match waiting(context, sealed) {
        Some(asked) => run(context, asked, cookie, step).await,
        None => Ok(Outcome::Malformed),
    }
}

/// The request that waits in a continuation.
fn waiting(context: &Context, sealed: &str) -> Option<Asked> {
    let waiting = Continuation::open(context, sealed)?;
    if waiting.protocol != Protocol::Cas {
        return None;
    }
    Some(Asked {
        parameters: Parameters::read(&waiting.query).ok()?,
        at: waiting.is_fresh(context.now()).then(|| waiting.asked_at()),
    })
}

/// Those that may be meant by an address.
async fn services(context: &Context, address: &Address) -> Result<Vec<RelyingParty>, Failure> {
    let mut conn = context.db.reader().await?;
    Ok(store::relying_party::cas_services(&mut conn, address.host()).await?)
}

async fn run(
    context: &Context,
    asked: Asked,
    cookie: Option<&Secret>,
    step: Step<'_>,
) -> Result<Outcome, Failure> {
    let now = context.now();
    let signed_in = super::logout::signed_in(context, cookie).await?;
    let address = match core::service(&asked.parameters) {
        Some(Ok(address)) => address,
        Some(Err(_)) => return Ok(Outcome::Unknown { host: None }),
        None if signed_in.is_some() => return Ok(Outcome::Home),
        None => return Ok(Outcome::SignIn { continuation: None }),
    };
    let parties = services(context, &address).await?;
    let Some(Found { party, service, .. }) = address::find(&parties, &address) else {
        return Ok(unknown(&address));
    };
    let request = Request::read(&asked.parameters, service);
    let minimum = party.metadata.minimum_acr;
    let session = signed_in.as_ref().map(|signed_in| &signed_in.session);
    let decision = core::decide(&request, session, minimum, asked.at);
    let waiting = Continuation {
        protocol: Protocol::Cas,
        client: party.id.to_string(),
        service: party.name.clone(),
        origin: url::origin(address.as_str()),
        query: core::kept(asked.parameters, service).to_query(),
        pushed: None,
        needs_more_than_class: minimum.is_some_and(|minimum| minimum > Acr::Class),
        is_signed: false,
        asked_at: asked.at.unwrap_or(now).micros(),
        hint: request.hint.clone(),
    };
    match (decision, signed_in) {
        (Decision::Go { is_from_login }, Some(signed_in)) => {
            let arrived = Arrived {
                party,
                address: &address,
                request: &request,
                is_from_login,
                waiting: &waiting,
                step,
            };
            grant(context, arrived, &signed_in, now).await
        }
        (Decision::SignIn | Decision::Go { .. }, _) => {
            let continuation = waiting.seal(context)?;
            Ok(if continuation.len() > continuation::LIMIT {
                Outcome::Malformed
            } else {
                Outcome::SignIn {
                    continuation: Some(continuation),
                }
            })
        }
        (Decision::Back, _) => Ok(back(&address, &request, None)),
        (Decision::NotSureEnough, _) => Ok(Outcome::NotSureEnough {
            service: party.name.clone(),
        }),
    }
}

fn unknown(address: &Address) -> Outcome {
    Outcome::Unknown {
        host: Some(address.host().to_owned()),
    }
}

fn back(address: &Address, request: &Request, ticket: Option<Secret>) -> Outcome {
    Outcome::Back {
        address: address.as_str().to_owned(),
        // A form is for what an address must not carry.
        method: match ticket {
            Some(_) => request.method,
            None => Method::Get,
        },
        ticket,
    }
}

/// Somebody who is signed in, at the door of a service.
struct Arrived<'a> {
    party: &'a RelyingParty,
    address: &'a Address,
    request: &'a Request,
    is_from_login: bool,
    waiting: &'a Continuation,
    step: Step<'a>,
}

/// A ticket, where the service is open for the person and they have read what they must: what they read, ticket,
/// participation and journal in one transaction.
async fn grant(
    context: &Context,
    arrived: Arrived<'_>,
    signed_in: &SignedIn,
    now: Timestamp,
) -> Result<Outcome, Failure> {
    let (party, request) = (arrived.party, arrived.request);
    let arrival = Arrival {
        party,
        signed_in,
        wanted: Wanted::AllListed,
        address: arrived.address.as_str(),
        may_show: !request.gateway,
        waiting: arrived.waiting,
        step: arrived.step,
    };
    let mut tx = context.db.begin().await?;
    let service = party.name.clone();
    let outcome = match admission::admit(context, &mut tx, arrival, now).await? {
        Admission::Open(_) => {
            let ticket = Ticket {
                kind: TicketKind::Service,
                client: party.id.clone(),
                service: arrived.address.as_str().to_owned(),
                session: signed_in.session.id,
                is_from_login: arrived.is_from_login,
                proxies: Vec::new(),
                issued_at: now,
                expires_at: now.plus(context.settings.ticket_lifetime),
                used_at: None,
            };
            let secret = keep(context, &mut tx, &ticket).await?;
            store::session::join(&mut tx, signed_in.session.id, party.id.as_str(), now).await?;
            let event = Event::new(Kind::AuthorizationGranted, Actor::Identity(signed_in.identity.id))
                .about(signed_in.session.id)
                .with("client", &party.id)
                .with("protocol", "cas");
            store::audit::append(&mut tx, now, &event).await?;
            back(arrived.address, request, Some(secret))
        }
        Admission::Notice { continuation } => Outcome::Notice { continuation },
        Admission::Read(page) => Outcome::Read(page),
        Admission::Refused(Refusal::TooLong) => Outcome::Malformed,
        Admission::Refused(_) if request.gateway => back(arrived.address, request, None),
        Admission::Refused(Refusal::Closed) => Outcome::Closed { service },
        Admission::Refused(Refusal::ClosedToPupils) => Outcome::ClosedToPupils { service },
        Admission::Refused(Refusal::OpensOn(day)) => Outcome::OpensOn(day),
        // They said no: as if they had gone back.
        Admission::Refused(Refusal::Declined | Refusal::ToBeTold | Refusal::ToBeAsked) => Outcome::Back {
            address: party
                .home
                .clone()
                .unwrap_or_else(|| arrived.address.as_str().to_owned()),
            ticket: None,
            method: Method::Get,
        },
    };
    tx.commit().await?;
    Ok(outcome)
}

/// Makes a ticket and keeps its digest.
async fn keep(context: &Context, tx: &mut Tx, ticket: &Ticket) -> Result<Secret, Failure> {
    let secret = ticket::generate(ticket.kind, &*context.random);
    store::cas_ticket::insert(tx, &secret.digest(), ticket).await?;
    Ok(secret)
}
