//! The authorization endpoint: from a request to a code, a login, a refusal or a page.
//!
//! | outcome | when | the browser goes |
//! | --- | --- | --- |
//! | [`Outcome::Page`] | client or redirect address are not right | nowhere |
//! | [`Outcome::Answer`], an error | anything else is not right, or no page may be shown and one is needed | to the party |
//! | [`Outcome::SignIn`] | the person has to sign in (again) | to the login page, and from there to [`resume`] |
//! | [`Outcome::Notice`] | the person has to be told or asked what the service learns | to the page of [`notice`] |
//! | [`Outcome::Read`] | the same, and the browser is there | nowhere until [`answer`] |
//! | [`Outcome::Closed`], [`Outcome::ClosedToPupils`] | the service is not open for the person | nowhere |
//! | [`Outcome::OpensOn`] | the school year has not begun for the person | nowhere |
//! | [`Outcome::Answer`], a code | else | to the party |
//!
//! Going back from the login page is [`cancel`]. The code is exchanged in [`super::token`].

mod grant;

use super::admission::Step;
pub use super::admission::{Choice, Reply};
use super::continuation::{self, Continuation, Protocol};
use super::keys::Keyring;
use super::session::SignedIn;
use super::upstream::ways;
use super::{Context, Failure, id_token, notice as page, pushed_request, request_object};
use crate::base::secret::{Digest, Secret};
use crate::base::time::{Date, Timestamp};
use crate::base::url;
use crate::domain::assurance::Acr;
use crate::domain::relying_party::RelyingParty;
use crate::oauth::parameters::Parameters;
use crate::oidc::authorization::decision::{Decision, Hinted, decide};
use crate::oidc::authorization::{
    self, Address, Answer, Came, Entrance, PageError, REFERENCE, RedirectError, Request, resource,
};
use crate::store;

/// What became of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// An answer to the relying party: a code, or an error.
    Answer(Answer),
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

/// Runs a request as it came, a query.
///
/// # Errors
/// [`Failure`].
pub async fn authorize(
    context: &Context,
    keyring: &Keyring,
    query: &str,
    cookie: Option<&Secret>,
) -> Result<Outcome, Failure> {
    let Ok(parameters) = Parameters::read(query) else {
        return Ok(Outcome::Page(PageError::TooLong));
    };
    let asked = match fetched(context, parameters).await? {
        Ok(asked) => asked,
        Err(error) => return Ok(Outcome::Page(error)),
    };
    run(context, keyring, asked, cookie, Step::Begin).await
}

/// Runs again a request that had to wait for its person. One that waited for more than an hour is run as if it had just
/// come: a stale tab still lands in the application.
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

/// What a person answered to the page of [`notice`]; the page again where it did not show all that would leave now.
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
    let asked = match waiting(context, sealed) {
        Ok(asked) => asked,
        Err(error) => return Ok(Outcome::Page(error)),
    };
    let party = party_of(context, &asked.parameters).await?;
    let address = match authorization::address(&asked.parameters, party.as_ref()) {
        Ok(address) => address,
        Err(error) => return Ok(Outcome::Page(error)),
    };
    if let Some(pushed) = &asked.pushed {
        let now = context.now();
        let mut tx = context.db.begin().await?;
        if !pushed_request::use_up(&mut tx, pushed, now).await? {
            return Ok(Outcome::Page(PageError::RequestUri));
        }
        tx.commit().await?;
    }
    let issuer = &context.settings.public_url;
    Ok(Outcome::Answer(Answer::error(
        address,
        issuer,
        RedirectError::CANCELLED,
    )))
}

async fn again(
    context: &Context,
    keyring: &Keyring,
    sealed: &str,
    cookie: Option<&Secret>,
    step: Step<'_>,
) -> Result<Outcome, Failure> {
    match waiting(context, sealed) {
        Ok(asked) => run(context, keyring, asked, cookie, step).await,
        Err(error) => Ok(Outcome::Page(error)),
    }
}

/// The request that waits in a continuation.
fn waiting(context: &Context, sealed: &str) -> Result<Asked, PageError> {
    let waiting = Continuation::open(context, sealed).ok_or(PageError::Continuation)?;
    let parameters = Parameters::read(&waiting.query).map_err(|_| PageError::TooLong)?;
    Ok(Asked {
        parameters,
        pushed: waiting.pushed(),
        is_signed: waiting.is_signed,
        at: waiting.is_fresh(context.now()).then(|| waiting.asked_at()),
    })
}

/// A request, wherever it stood.
struct Asked {
    parameters: Parameters,
    /// The digest of its `request_uri`, where it was pushed.
    pushed: Option<Digest>,
    /// Whether the client had signed it.
    is_signed: bool,
    /// When it first came, where the person has been to a page since.
    at: Option<Timestamp>,
}

impl Asked {
    fn came(&self) -> Came {
        Came {
            is_pushed: self.pushed.is_some(),
            is_signed: self.is_signed,
        }
    }
}

/// What a reference to a pushed request stands for. "The authorization server MUST ignore parameters outside" of it but
/// `client_id` (RFC 9126 §4, RFC 9101 §6.3).
async fn fetched(context: &Context, parameters: Parameters) -> Result<Result<Asked, PageError>, Failure> {
    let plain = |parameters| Asked {
        parameters,
        pushed: None,
        is_signed: false,
        at: None,
    };
    let reference = parameters.get("request_uri").map(str::to_owned);
    let Some(reference) = reference.filter(|reference| reference.starts_with(REFERENCE)) else {
        return Ok(Ok(plain(parameters)));
    };
    let Some(client) = parameters.get("client_id") else {
        return Ok(Err(PageError::ClientId));
    };
    let found = pushed_request::find(context, &reference, client, context.now()).await?;
    Ok(found
        .map(|(digest, parameters)| Asked {
            pushed: Some(digest),
            is_signed: true,
            ..plain(parameters)
        })
        .ok_or(PageError::RequestUri))
}

/// With what the client signed in the place of all that came beside it. An object that is refused is answered where the
/// parameters beside it lead; nothing inside it is believed.
async fn opened(
    context: &Context,
    asked: Asked,
    party: Option<&RelyingParty>,
) -> Result<Asked, Box<Outcome>> {
    let Some(party) = party.filter(|party| party.enabled) else {
        return Ok(asked);
    };
    let error = match request_object::open(context, &asked.parameters, party).await {
        Ok(None) => return Ok(asked),
        Ok(Some(parameters)) => {
            return Ok(Asked {
                parameters,
                is_signed: true,
                ..asked
            });
        }
        Err(error) => error,
    };
    let issuer = &context.settings.public_url;
    Err(Box::new(
        match authorization::address(&asked.parameters, Some(party)) {
            Ok(address) => Outcome::Answer(Answer::error(address, issuer, error.into())),
            Err(PageError::RedirectUri) => Outcome::Page(PageError::RequestObject(error.description)),
            Err(error) => Outcome::Page(error),
        },
    ))
}

/// A request whose client and redirect address are right.
struct Addressed<'a> {
    party: &'a RelyingParty,
    address: Address,
    request: Request,
    pushed: Option<Digest>,
    /// What takes it along to a page.
    waiting: Continuation,
    step: Step<'a>,
}

async fn run(
    context: &Context,
    keyring: &Keyring,
    asked: Asked,
    cookie: Option<&Secret>,
    step: Step<'_>,
) -> Result<Outcome, Failure> {
    let now = context.now();
    let issuer = &context.settings.public_url;
    let party = party_of(context, &asked.parameters).await?;
    let asked = match opened(context, asked, party.as_ref()).await {
        Ok(asked) => asked,
        Err(outcome) => return Ok(*outcome),
    };
    let parameters = &asked.parameters;
    let address = match authorization::address(parameters, party.as_ref()) {
        Ok(address) => address,
        Err(error) => return Ok(Outcome::Page(error)),
    };
    let Some(party) = &party else {
        return Ok(Outcome::Page(PageError::UnknownClient));
    };
    let mut request = match authorization::check(parameters, party, asked.came()) {
        Ok(request) => request,
        Err(error) => return Ok(Outcome::Answer(Answer::error(address, issuer, error))),
    };
    if let Err(error) = admit_resource(context, parameters, party, &mut request).await? {
        return Ok(Outcome::Answer(Answer::error(address, issuer, error)));
    }
    // Only what cannot be met here is looked for elsewhere.
    if !request.assurance.can_be_met() {
        let surest = ways::surest(context, &party.populations).await?;
        request.assurance = request.assurance.where_surest_is(surest);
    }
    let signed_in = match cookie {
        Some(cookie) => super::session::find(context, cookie).await?,
        None => None,
    };
    let hinted = hinted(context, keyring, party, &request, signed_in.as_ref()).await?;
    let session = signed_in.as_ref().map(|signed_in| &signed_in.session);
    let waiting = Continuation {
        protocol: Protocol::Oidc,
        client: party.id.to_string(),
        service: party.name.clone(),
        origin: url::origin(address.redirect_uri()),
        query: parameters.to_query(),
        pushed: asked.pushed.as_ref().map(continuation::pushed_text),
        needs_more_than_class: !request.assurance.is_met_by(Acr::Class),
        is_signed: asked.is_signed,
        hint: None,
        asked_at: asked.at.unwrap_or(now).micros(),
    };
    match (decide(&request, session, hinted, asked.at, now), signed_in) {
        (Decision::Refuse(error), _) => Ok(Outcome::Answer(Answer::error(address, issuer, error))),
        (Decision::Go, Some(signed_in)) => {
            let addressed = Addressed {
                party,
                address,
                request,
                pushed: asked.pushed,
                waiting,
                step,
            };
            grant::grant(context, addressed, &signed_in, now).await
        }
        (Decision::SignIn(_) | Decision::Go, _) => {
            let Some(continuation) = sealed(context, &waiting)? else {
                return Ok(Outcome::Page(PageError::TooLong));
            };
            let at = request.assurance.entrance(&request.acr_values);
            Ok(Outcome::SignIn { continuation, at })
        }
    }
}

/// A request that waits, sealed; `None` where that is more than fits into an address.
fn sealed(context: &Context, waiting: &Continuation) -> Result<Option<String>, Failure> {
    let continuation = waiting.seal(context)?;
    Ok(Some(continuation).filter(|sealed| sealed.len() <= continuation::LIMIT))
}

async fn party_of(context: &Context, parameters: &Parameters) -> Result<Option<RelyingParty>, Failure> {
    match parameters.get("client_id").map(str::parse) {
        Some(Ok(id)) => {
            let mut conn = context.db.reader().await?;
            Ok(store::relying_party::find(&mut conn, &id).await?)
        }
        _ => Ok(None),
    }
}

/// The resource server that is asked for (RFC 8707 §2.1), and its scopes.
async fn admit_resource(
    context: &Context,
    parameters: &Parameters,
    party: &RelyingParty,
    request: &mut Request,
) -> Result<Result<(), RedirectError>, Failure> {
    let audience = match resource::check(parameters, party, &context.settings.public_url) {
        Ok(Some(audience)) => audience,
        Ok(None) => return Ok(Ok(())),
        Err(error) => return Ok(Err(error)),
    };
    let mut conn = context.db.reader().await?;
    let server = store::resource_server::find(&mut conn, audience.as_str()).await?;
    Ok(resource::admit(request, parameters, server.as_ref()))
}

/// Whom the party means, by `id_token_hint` or by a `sub` with a value (OpenID Connect Core §3.1.2.2), seen from whoever is
/// signed in.
async fn hinted(
    context: &Context,
    keyring: &Keyring,
    party: &RelyingParty,
    request: &Request,
    signed_in: Option<&SignedIn>,
) -> Result<Hinted, Failure> {
    let mut named = None;
    if let Some(token) = &request.id_token_hint {
        let hint = id_token::hint(context, keyring, token).await?;
        let Some(hint) = hint.filter(|hint| hint.client == party.id.as_str()) else {
            return Ok(Hinted::Unreadable);
        };
        named = Some(hint.subject);
    }
    if named.is_none() && !request.names_a_subject() {
        return Ok(Hinted::Nobody);
    }
    let Some(signed_in) = signed_in else {
        return Ok(Hinted::SomebodyElse);
    };
    let mut conn = context.db.reader().await?;
    let subject = super::subject::known(&mut conn, party, signed_in.identity.id).await?;
    let is_meant =
        |subject: &String| named.as_ref().is_none_or(|named| named == subject) && request.means(subject);
    if subject.as_ref().is_some_and(is_meant) {
        Ok(Hinted::ThePersonThere)
    } else {
        Ok(Hinted::SomebodyElse)
    }
}
