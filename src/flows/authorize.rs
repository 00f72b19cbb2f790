//! The authorization endpoint: from a request to a code, a login, a refusal or a page.
//!
//! | outcome | when | the browser goes |
//! | --- | --- | --- |
//! | [`Outcome::Page`] | client or redirect address are not right | nowhere |
//! | [`Outcome::Answer`], an error | anything else is not right, or no page may be shown and one is needed | to the party |
//! | [`Outcome::SignIn`] | the person has to sign in (again) | to the login page, and from there to [`resume`] |
//! | [`Outcome::Closed`] | the service is not open for the person | nowhere |
//! | [`Outcome::Answer`], a code | else | to the party |
//!
//! The code is exchanged in [`super::token`].

use super::continuation::{self, Continuation};
use super::keys::Keyring;
use super::session::SignedIn;
use super::{Context, Failure, id_token, pushed_request};
use crate::base::id::GrantId;
use crate::base::secret::{Digest, Secret};
use crate::base::time::Timestamp;
use crate::base::url;
use crate::domain::assurance::Acr;
use crate::domain::audit::{Actor, Event, Kind};
use crate::domain::grant::{AuthorizationCode, Grant};
use crate::domain::relying_party::RelyingParty;
use crate::oauth::parameters::Parameters;
use crate::oidc::authorization::decision::{Decision, Hinted, decide};
use crate::oidc::authorization::{
    self, Address, Answer, Entrance, PageError, REFERENCE, RedirectError, Request, resource,
};
use crate::oidc::{access, claims};
use crate::store;

/// What an authorization code begins with.
const CODE_PREFIX: &str = "mrlc_";

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
    /// The service is not open for this person's school.
    Closed {
        /// The name of the service.
        service: String,
    },
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
    run(context, keyring, asked, cookie).await
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
    let Some(waiting) = Continuation::open(context, sealed) else {
        return Ok(Outcome::Page(PageError::Continuation));
    };
    let Ok(parameters) = Parameters::read(&waiting.query) else {
        return Ok(Outcome::Page(PageError::TooLong));
    };
    let asked = Asked {
        parameters,
        pushed: waiting.pushed(),
        at: waiting.is_fresh(context.now()).then(|| waiting.asked_at()),
    };
    run(context, keyring, asked, cookie).await
}

/// A request, wherever it stood.
struct Asked {
    parameters: Parameters,
    /// The digest of its `request_uri`, where it was pushed.
    pushed: Option<Digest>,
    /// When it first came, where the person has been to a page since.
    at: Option<Timestamp>,
}

/// What a reference to a pushed request stands for. "The authorization server MUST ignore parameters outside" of it but
/// `client_id` (RFC 9126 §4, RFC 9101 §6.3).
async fn fetched(context: &Context, parameters: Parameters) -> Result<Result<Asked, PageError>, Failure> {
    let plain = |parameters| Asked {
        parameters,
        pushed: None,
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
            ..plain(parameters)
        })
        .ok_or(PageError::RequestUri))
}

/// A request whose client and redirect address are right.
struct Addressed<'a> {
    party: &'a RelyingParty,
    address: Address,
    request: Request,
    pushed: Option<Digest>,
}

async fn run(
    context: &Context,
    keyring: &Keyring,
    asked: Asked,
    cookie: Option<&Secret>,
) -> Result<Outcome, Failure> {
    let now = context.now();
    let issuer = &context.settings.public_url;
    let parameters = &asked.parameters;
    let party = party_of(context, parameters).await?;
    let address = match authorization::address(parameters, party.as_ref()) {
        Ok(address) => address,
        Err(error) => return Ok(Outcome::Page(error)),
    };
    let Some(party) = &party else {
        return Ok(Outcome::Page(PageError::UnknownClient));
    };
    let mut request = match authorization::check(parameters, party, asked.pushed.is_some()) {
        Ok(request) => request,
        Err(error) => return Ok(Outcome::Answer(Answer::error(address, issuer, error))),
    };
    if let Err(error) = admit_resource(context, parameters, party, &mut request).await? {
        return Ok(Outcome::Answer(Answer::error(address, issuer, error)));
    }
    let signed_in = match cookie {
        Some(cookie) => super::session::find(context, cookie).await?,
        None => None,
    };
    let hinted = hinted(context, keyring, party, &request, signed_in.as_ref()).await?;
    let session = signed_in.as_ref().map(|signed_in| &signed_in.session);
    match (decide(&request, session, hinted, asked.at, now), signed_in) {
        (Decision::Refuse(error), _) => Ok(Outcome::Answer(Answer::error(address, issuer, error))),
        (Decision::Go, Some(signed_in)) => {
            let addressed = Addressed {
                party,
                address,
                request,
                pushed: asked.pushed,
            };
            grant(context, addressed, &signed_in, now).await
        }
        (Decision::SignIn(_) | Decision::Go, _) => {
            let waiting = Continuation {
                client: party.id.to_string(),
                service: party.name.clone(),
                origin: url::origin(address.redirect_uri()),
                query: parameters.to_query(),
                pushed: asked.pushed.as_ref().map(continuation::pushed_text),
                needs_more_than_class: !request.assurance.is_met_by(Acr::Class),
                asked_at: asked.at.unwrap_or(now).micros(),
            };
            let continuation = waiting.seal(context)?;
            if continuation.len() > continuation::LIMIT {
                return Ok(Outcome::Page(PageError::TooLong));
            }
            let at = request.assurance.entrance(&request.acr_values);
            Ok(Outcome::SignIn { continuation, at })
        }
    }
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

/// Grants what was asked to the party, where the service is open for the person: grant, code, participation and journal
/// in one transaction.
async fn grant(
    context: &Context,
    asked: Addressed<'_>,
    signed_in: &SignedIn,
    now: Timestamp,
) -> Result<Outcome, Failure> {
    let Addressed {
        party,
        address,
        request,
        pushed,
    } = asked;
    let (session, identity) = (&signed_in.session, &signed_in.identity);
    let issuer = &context.settings.public_url;
    let actor = Actor::Identity(identity.id);
    let mut tx = context.db.begin().await?;
    let live = store::enrolment::live_of(&mut tx, identity.id, now.date()).await?;
    if !access::is_open(party, &live) {
        let event = Event::new(Kind::AuthorizationRefused, actor)
            .about(&party.id)
            .with("reason", "not open for a school of this person");
        store::audit::append(&mut tx, now, &event).await?;
        tx.commit().await?;
        return Ok(if request.prompts.none() {
            Outcome::Answer(Answer::error(address, issuer, RedirectError::CLOSED))
        } else {
            let service = party.name.clone();
            Outcome::Closed { service }
        });
    }
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
