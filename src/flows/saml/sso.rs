//! Single sign-on: from a request of a service provider, or from none, to a response, a login or a page.
//!
//! | outcome | when | the browser goes |
//! | --- | --- | --- |
//! | [`Outcome::Page`] | the party, its key or the assertion consumer are not right | nowhere |
//! | [`Outcome::SentRound`] | the request came by form, without our cookie | to [`resume`], which it brings to |
//! | [`Outcome::Answer`], a status | anything else is not right, or no page may be shown and one is needed | to the party |
//! | [`Outcome::SignIn`] | the person has to sign in (again) | to the login page, and from there to [`resume`] |
//! | [`Outcome::Notice`], [`Outcome::Read`] | the person has to be told or asked what the service learns | to that page |
//! | [`Outcome::Closed`], [`Outcome::ClosedToPupils`] | the service is not open for the person | nowhere |
//! | [`Outcome::OpensOn`] | the school year has not begun for the person | nowhere |
//! | [`Outcome::Answer`], an assertion | else | to the party |
//!
//! Going back from the login page is [`cancel`].

use std::time::Duration;

use super::{Outgoing, Partner, endpoint, entity_id, form, grant, partner};
use crate::base::secret::Secret;
use crate::base::time::{Date, Timestamp};
use crate::base::url;
use crate::domain::assurance::Acr;
use crate::flows::admission::{Reply, Step};
use crate::flows::continuation::{self, Continuation, Protocol};
use crate::flows::keys::Keyring;
use crate::flows::session::SignedIn;
use crate::flows::upstream::ways;
use crate::flows::{Context, Failure, notice as page, session, subject};
use crate::oidc::authorization::Entrance;
use crate::saml::authn_request::decision::{Decision, decide};
use crate::saml::authn_request::{self, Address, AuthnRequest, PageError, Request, refusal};
use crate::saml::incoming::{Incoming, MOST_RELAY_STATE};
use crate::saml::response::{self, Envelope};
use crate::saml::status::Status;
use crate::saml::xmlsec::redirect::Kind;
use crate::store;

/// The path of the endpoint.
pub const PATH: &str = "/saml/sso";
/// How long a request may wait for its person: until then it is kept that it was answered.
pub(super) const WAITS: Duration = Duration::from_secs(24 * 3600);

/// What became of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// An answer to the party: an assertion, or a status.
    Answer(Outgoing),
    /// The browser has to come again with its cookie.
    SentRound {
        /// The sealed [`Continuation`].
        continuation: String,
    },
    /// The person has to sign in; the login page takes this along.
    SignIn {
        /// The sealed [`Continuation`].
        continuation: String,
        /// Which login page it is.
        at: Entrance,
    },
    /// An error that must not leave.
    Page(PageError),
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
}

/// A request, wherever it stood.
#[derive(Debug)]
struct Waiting {
    request: AuthnRequest,
    /// When it first came.
    came_at: Timestamp,
    /// Whether a login since then answers what it asked of the person.
    is_fresh: bool,
}

/// Runs a request that came in an address (saml-bindings §3.4).
///
/// # Errors
/// [`Failure`].
pub async fn by_address(
    context: &Context,
    keyring: &Keyring,
    query: &str,
    cookie: Option<&Secret>,
) -> Result<Outcome, Failure> {
    let incoming = match Incoming::from_query(query) {
        Ok(incoming) => incoming,
        Err(error) => return Ok(Outcome::Page(error.into())),
    };
    match arrived(context, incoming).await? {
        Ok(waiting) => run(context, keyring, waiting, cookie, Step::Begin).await,
        Err(error) => Ok(Outcome::Page(error)),
    }
}

/// Takes a request that came by form (saml-bindings §3.5). A form of another site comes without our cookie
/// (`SameSite=Lax`), so the browser is sent round by GET, which brings it.
///
/// # Errors
/// [`Failure`].
pub async fn by_form(context: &Context, body: &str) -> Result<Outcome, Failure> {
    let incoming = match Incoming::from_form(body) {
        Ok(incoming) => incoming,
        Err(error) => return Ok(Outcome::Page(error.into())),
    };
    let waiting = match arrived(context, incoming).await? {
        Ok(waiting) => waiting,
        Err(error) => return Ok(Outcome::Page(error)),
    };
    let sealed = waiting.continuation(None)?.seal(context)?;
    Ok(if sealed.len() > continuation::LIMIT {
        Outcome::Page(PageError::TooLong)
    } else {
        Outcome::SentRound { continuation: sealed }
    })
}

/// Sends somebody to a party that did not ask for them (saml-profiles §4.1.5).
///
/// # Errors
/// [`Failure`].
pub async fn unsolicited(
    context: &Context,
    keyring: &Keyring,
    party: &str,
    target: Option<&str>,
    cookie: Option<&Secret>,
) -> Result<Outcome, Failure> {
    if target.is_some_and(|target| target.len() > MOST_RELAY_STATE) {
        return Ok(Outcome::Page(PageError::TooLong));
    }
    let waiting = Waiting {
        request: AuthnRequest::unsolicited(party, target.map(str::to_owned)),
        came_at: context.now(),
        is_fresh: false,
    };
    run(context, keyring, waiting, cookie, Step::Begin).await
}

/// Runs again a request that had to wait for its person.
///
/// # Errors
/// [`Failure`].
pub async fn resume(
    context: &Context,
    keyring: &Keyring,
    sealed: &str,
    cookie: Option<&Secret>,
) -> Result<Outcome, Failure> {
    again(context, keyring, sealed, cookie, Step::Begin).await
}

/// The page that a person has to read before the request goes on; what comes of the request where they need not (any more).
///
/// # Errors
/// [`Failure`].
pub async fn notice(
    context: &Context,
    keyring: &Keyring,
    sealed: &str,
    cookie: Option<&Secret>,
) -> Result<Outcome, Failure> {
    again(context, keyring, sealed, cookie, Step::Reading).await
}

/// What a person answered to the page of [`notice`].
///
/// # Errors
/// [`Failure`].
pub async fn answer(
    context: &Context,
    keyring: &Keyring,
    sealed: &str,
    cookie: Option<&Secret>,
    reply: Reply<'_>,
) -> Result<Outcome, Failure> {
    again(context, keyring, sealed, cookie, Step::Answered(reply)).await
}

/// A person goes back from the login page to the service that sent them: it is told that they did not sign in.
///
/// # Errors
/// [`Failure`].
pub async fn cancel(context: &Context, sealed: &str) -> Result<Outcome, Failure> {
    let Some(waiting) = Waiting::open(context, sealed) else {
        return Ok(Outcome::Page(PageError::Continuation));
    };
    match addressed(context, &waiting.request).await? {
        Ok((partner, address)) => refuse(context, &partner, &address, refusal::CANCELLED).await,
        Err(error) => Ok(Outcome::Page(error)),
    }
}

async fn again(
    context: &Context,
    keyring: &Keyring,
    sealed: &str,
    cookie: Option<&Secret>,
    step: Step<'_>,
) -> Result<Outcome, Failure> {
    match Waiting::open(context, sealed) {
        Some(waiting) => run(context, keyring, waiting, cookie, step).await,
        None => Ok(Outcome::Page(PageError::Continuation)),
    }
}

/// First part of the list: who asks, and what.
async fn arrived(context: &Context, incoming: Incoming) -> Result<Result<Waiting, PageError>, Failure> {
    let now = context.now();
    let issuer = match incoming.claimed_issuer() {
        Ok(issuer) => issuer,
        Err(error) => return Ok(Err(error.into())),
    };
    let mut conn = context.db.reader().await?;
    let partner = partner::find(&mut conn, issuer, now).await?;
    drop(conn);
    let Some(Partner {
        saml, provider, keys, ..
    }) = partner
    else {
        return Ok(Err(PageError::UnknownParty));
    };
    let here = endpoint(context, PATH);
    let relay_state = incoming.relay_state.clone();
    let read = authn_request::believe(incoming, &saml, &provider, &keys)
        .and_then(|believed| AuthnRequest::read(&believed, relay_state, &here, now));
    Ok(read.map(|request| Waiting {
        request,
        came_at: now,
        is_fresh: false,
    }))
}

impl Waiting {
    /// What takes it along; `partner` is known where a person reads it.
    fn continuation(&self, partner: Option<(&Partner, &Address)>) -> Result<Continuation, Failure> {
        let query = serde_json::to_string(&self.request).map_err(|error| Failure::Task(error.to_string()))?;
        Ok(Continuation {
            protocol: Protocol::Saml,
            client: partner
                .map(|(partner, _)| partner.party.id.to_string())
                .unwrap_or_default(),
            service: partner
                .map(|(partner, _)| partner.party.name.clone())
                .unwrap_or_default(),
            origin: partner.and_then(|(_, address)| url::origin(address.consumer())),
            query,
            pushed: None,
            hint: None,
            needs_more_than_class: false,
            is_signed: self.request.is_signed,
            asked_at: self.came_at.micros(),
        })
    }

    fn open(context: &Context, sealed: &str) -> Option<Self> {
        let now = context.now();
        let waiting = Continuation::open(context, sealed)?;
        // Beyond that, nobody knows any more whether it was answered.
        if waiting.protocol != Protocol::Saml || now.since(waiting.asked_at()) > WAITS {
            return None;
        }
        Some(Self {
            request: serde_json::from_str(&waiting.query).ok()?,
            came_at: waiting.asked_at(),
            is_fresh: waiting.is_fresh(now),
        })
    }
}

/// Second part of the list: where the answer goes.
async fn addressed(
    context: &Context,
    request: &AuthnRequest,
) -> Result<Result<(Partner, Address), PageError>, Failure> {
    let mut conn = context.db.reader().await?;
    let Some(partner) = partner::find(&mut conn, &request.issuer, context.now()).await? else {
        return Ok(Err(PageError::UnknownParty));
    };
    let address = authn_request::address(request, &partner.saml, &partner.provider);
    Ok(address.map(|address| (partner, address)))
}

/// The first provider of a wish that is one of ours.
async fn wished(context: &Context, entity_ids: &[String]) -> Result<Option<String>, Failure> {
    if entity_ids.is_empty() {
        return Ok(None);
    }
    let mut conn = context.db.reader().await?;
    for entity_id in entity_ids {
        if let Some((kept, _)) = store::upstream_provider::find_by_issuer(&mut conn, entity_id).await? {
            return Ok(Some(kept.provider.id.to_string()));
        }
    }
    Ok(None)
}

/// A request whose party and assertion consumer are right, and whose person is signed in as it was asked.
pub(super) struct Addressed<'a> {
    pub(super) partner: Partner,
    pub(super) address: Address,
    pub(super) request: Request,
    /// What the login is called.
    pub(super) class: String,
    /// What takes it along to a page.
    pub(super) waiting: Continuation,
    pub(super) step: Step<'a>,
}

async fn run(
    context: &Context,
    keyring: &Keyring,
    waiting: Waiting,
    cookie: Option<&Secret>,
    step: Step<'_>,
) -> Result<Outcome, Failure> {
    let (partner, address) = match addressed(context, &waiting.request).await? {
        Ok(found) => found,
        Err(error) => return Ok(Outcome::Page(error)),
    };
    let Partner {
        party,
        saml,
        provider,
        ..
    } = &partner;
    let mut request = match authn_request::check(&waiting.request, party, saml, provider) {
        Ok(request) => request,
        Err(status) => return refuse(context, &partner, &address, status).await,
    };
    // Only what cannot be met here is looked for elsewhere.
    if !request.assurance.can_be_met() {
        let surest = ways::surest(context, &party.populations).await?;
        request.assurance = request.assurance.where_surest_is(surest);
    }
    let signed_in = match cookie {
        Some(cookie) => session::find(context, cookie).await?,
        None => None,
    };
    let is_meant = is_meant(context, &partner, &request, signed_in.as_ref()).await?;
    let session = signed_in.as_ref().map(|signed_in| &signed_in.session);
    let asked_at = waiting.is_fresh.then_some(waiting.came_at);
    let mut continuation = waiting.continuation(Some((&partner, &address)))?;
    continuation.needs_more_than_class = !request.assurance.is_met_by(Acr::Class);
    continuation.hint = wished(context, &waiting.request.providers).await?;
    match (decide(&request, session, is_meant, asked_at), signed_in) {
        (Decision::Refuse(status), _) => refuse(context, &partner, &address, status).await,
        (Decision::Go(class), Some(signed_in)) => {
            let addressed = Addressed {
                partner,
                address,
                request,
                class,
                waiting: continuation,
                step,
            };
            grant::grant(context, keyring, addressed, &signed_in).await
        }
        (Decision::SignIn | Decision::Go(_), _) => {
            let at = if request.assurance.begins_at_class() {
                Entrance::Class
            } else {
                Entrance::Password
            };
            let continuation = continuation.seal(context)?;
            Ok(if continuation.len() > continuation::LIMIT {
                Outcome::Page(PageError::TooLong)
            } else {
                Outcome::SignIn { continuation, at }
            })
        }
    }
}

/// Whether the person who is signed in is the one whom the request means: by their subject, whatever name it asks for.
async fn is_meant(
    context: &Context,
    partner: &Partner,
    request: &Request,
    signed_in: Option<&SignedIn>,
) -> Result<bool, Failure> {
    let (Some(meant), Some(signed_in)) = (&request.subject, signed_in) else {
        return Ok(true);
    };
    let mut conn = context.db.reader().await?;
    let known = subject::known(&mut conn, &partner.party, signed_in.identity.id).await?;
    Ok(known.as_ref() == Some(meant))
}

/// The party is told why there is no assertion.
pub(super) async fn refuse(
    context: &Context,
    partner: &Partner,
    address: &Address,
    status: Status,
) -> Result<Outcome, Failure> {
    let signer = super::signer(context, partner).await?;
    let (issuer, now, random) = (entity_id(context), context.now(), context.random.clone());
    let address = address.clone();
    let answer = super::blocking(move || {
        let envelope = Envelope {
            issuer: &issuer,
            destination: address.consumer(),
            in_response_to: address.in_response_to(),
            now,
        };
        let response = response::refusal(&envelope, status, &signer, &*random)?;
        Ok(form(
            Kind::Response,
            address.consumer(),
            &response,
            address.relay_state(),
        ))
    });
    Ok(Outcome::Answer(answer.await?))
}
