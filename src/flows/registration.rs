//! Clients that a project registers by itself (RFC 7591) and changes afterwards (RFC 7592).
//!
//! | what happens | reply | committed |
//! | --- | --- | --- |
//! | no good token | refused | nothing |
//! | a request that is wrong by itself | an error | nothing |
//! | one that the policy does not allow, or one client too many | an error | a journal entry |
//! | a right one | the client's information | the client, a journal entry |
//!
//! A policy is held while its clients are counted, a client while it is changed, so that two nodes at once never make one
//! too many and never lose an operator's change. The registration access token stays the same for the life of a client: a
//! lost answer locks nobody out.

use std::time::Duration;

use http::StatusCode;

use super::{Context, Failure};
use crate::base::random;
use crate::base::secret::Secret;
use crate::base::time::Timestamp;
use crate::domain::audit::{Actor, Event, Kind};
use crate::domain::registration::{InitialAccess, Policy, PolicyId};
use crate::domain::relying_party::{ClientAuthMethod, Registration, RelyingParty, RelyingPartyId};
use crate::oidc::registration::{self, RegistrationError, Request, sector};
use crate::store;
use crate::store::db::Tx;

/// What a client secret begins with.
pub const SECRET_PREFIX: &str = "mrls_";
const INITIAL_PREFIX: &str = "mrli_";
const ACCESS_PREFIX: &str = "mrlr_";
/// What is refused for want of room.
const TOO_MANY: RegistrationError =
    RegistrationError::limit("client", "this project has as many clients as it may");

/// What is refused while its policy is out of use.
const CLOSED: RegistrationError =
    RegistrationError::limit("client", "this project registers nothing at present");

/// A client as its project is told of it.
#[derive(Debug, Clone)]
pub struct Registered {
    /// The client.
    pub party: RelyingParty,
    /// A secret that was made just now; it is not shown again.
    pub secret: Option<Secret>,
    /// The token its registration is read and changed with.
    pub access_token: Secret,
}

/// Why nothing was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refused {
    /// The token is not good (any more), or not for this client; which of them is not told.
    Token,
    /// The request.
    Request(RegistrationError),
}

impl From<RegistrationError> for Refused {
    fn from(error: RegistrationError) -> Self {
        Self::Request(error)
    }
}

type Answer<T> = Result<Result<T, Refused>, Failure>;

/// Gives a project a token to register clients with. `None` where there is no such policy.
///
/// # Errors
/// [`Failure`].
pub async fn invite(
    context: &Context,
    policy: &PolicyId,
    lifetime: Duration,
) -> Result<Option<(Secret, InitialAccess)>, Failure> {
    let now = context.now();
    let mut tx = context.db.begin().await?;
    if store::registration::hold(&mut tx, policy).await?.is_none() {
        return Ok(None);
    }
    let token = Secret::generate(INITIAL_PREFIX, &*context.random);
    let access = InitialAccess {
        policy: policy.clone(),
        issued_at: now,
        expires_at: now.plus(lifetime),
        revoked_at: None,
    };
    store::registration::add_token(&mut tx, &token.digest(), &access).await?;
    let event = Event::new(Kind::InitialTokenIssued, Actor::Operator)
        .about(policy)
        .with("expires_at", access.expires_at);
    store::audit::append(&mut tx, now, &event).await?;
    tx.commit().await?;
    Ok(Some((token, access)))
}

/// Takes back every token that a project could still register clients with; answers how many, `None` where there is no
/// such policy.
///
/// # Errors
/// [`Failure`].
pub async fn revoke_invites(context: &Context, policy: &PolicyId) -> Result<Option<u64>, Failure> {
    let now = context.now();
    let mut tx = context.db.begin().await?;
    if store::registration::hold(&mut tx, policy).await?.is_none() {
        return Ok(None);
    }
    let revoked = store::registration::revoke_tokens(&mut tx, policy, now).await?;
    let event = Event::new(Kind::InitialTokenRevoked, Actor::Operator)
        .about(policy)
        .with("revoked", revoked);
    store::audit::append(&mut tx, now, &event).await?;
    tx.commit().await?;
    Ok(Some(revoked))
}

/// Registers a client (RFC 7591 §3): the initial access token and the body of the request.
///
/// # Errors
/// [`Failure`].
pub async fn register(context: &Context, token: &Secret, body: &[u8]) -> Answer<Registered> {
    let mut conn = context.db.reader().await?;
    let access = store::registration::find_token(&mut conn, &token.digest()).await?;
    let policy = match access.filter(|access| access.is_good(context.now())) {
        Some(access) => store::registration::find(&mut conn, &access.policy).await?,
        None => None,
    };
    drop(conn);
    let Some(policy) = policy.filter(|policy| policy.enabled) else {
        return Ok(Err(Refused::Token));
    };
    let id = new_id(context)?;
    let request = match Request::read(body) {
        Ok(request) => request,
        Err(error) => return Ok(Err(error.into())),
    };
    match registration::check(&request, &policy, id.clone()) {
        Err(error) => return refused(context, &policy.id, None, error).await,
        Ok(party) => {
            if let Err(error) = check_sector(context, &party).await? {
                return Ok(Err(error.into()));
            }
        }
    }

    let now = context.now();
    let mut tx = context.db.begin().await?;
    // From here on nobody else registers under this policy, on any node, and no operator changes it.
    let held = store::registration::hold(&mut tx, &policy.id).await?;
    let access = store::registration::find_token(&mut tx, &token.digest()).await?;
    let policy = match (held, access) {
        (Some(held), Some(access)) if held.enabled && access.is_good(now) => held,
        _ => return Ok(Err(Refused::Token)),
    };
    // The policy may have changed while another host was asked.
    let mut party = match registration::check(&request, &policy, id) {
        Ok(party) => party,
        Err(error) => {
            drop(tx);
            return refused(context, &policy.id, None, error).await;
        }
    };
    if store::registration::clients(&mut tx, &policy.id).await? >= policy.most {
        drop(tx);
        return refused(context, &policy.id, None, TOO_MANY).await;
    }
    let access_token = Secret::generate(ACCESS_PREFIX, &*context.random);
    party.registration = Some(Registration {
        policy: policy.id.to_string(),
        access_token: access_token.digest(),
        at: now,
    });
    let secret = complete_secrets(context, &mut party, &[]);
    store::relying_party::save(&mut tx, &party).await?;
    let event = Event::new(Kind::ClientRegistered, Actor::RelyingParty(party.id.to_string()))
        .about(&party.id)
        .with("policy", &policy.id)
        .with("sector", &party.sector);
    store::audit::append(&mut tx, now, &event).await?;
    tx.commit().await?;
    Ok(Ok(Registered {
        party,
        secret,
        access_token,
    }))
}

/// A client reads its registration (RFC 7592 §2.1).
///
/// # Errors
/// [`Failure`].
pub async fn read(context: &Context, client: &str, token: &Secret) -> Answer<Registered> {
    let mut conn = context.db.reader().await?;
    let party = match client.parse() {
        Ok(id) => store::relying_party::find(&mut conn, &id).await?,
        Err(_) => None,
    };
    Ok(match party.filter(|party| is_its_own(party, token)) {
        Some(party) => Ok(Registered {
            party,
            secret: None,
            access_token: token.clone(),
        }),
        None => Err(Refused::Token),
    })
}

/// A client changes its registration (RFC 7592 §2.2): everything anew. What an operator decided stays.
///
/// # Errors
/// [`Failure`].
pub async fn change(context: &Context, client: &str, token: &Secret, body: &[u8]) -> Answer<Registered> {
    let before = match read(context, client, token).await? {
        Ok(registered) => registered.party,
        Err(refused) => return Ok(Err(refused)),
    };
    let request = match Request::read(body) {
        Ok(request) => request,
        Err(error) => return Ok(Err(error.into())),
    };
    let Some(policy) = policy_of(context, &before).await? else {
        return Ok(Err(CLOSED.into()));
    };
    match checked_change(&request, &policy, &before) {
        Err(error) => return refused(context, &policy.id, Some(&before.id), error).await,
        Ok(party) => {
            if let Err(error) = check_sector(context, &party).await? {
                return Ok(Err(error.into()));
            }
        }
    }

    let now = context.now();
    let mut tx = context.db.begin().await?;
    // In the order of every transaction that holds both: the policy first.
    let policy = store::registration::hold(&mut tx, &policy.id).await?;
    let Some(policy) = policy.filter(|policy| policy.enabled) else {
        return Ok(Err(CLOSED.into()));
    };
    let held = store::relying_party::hold(&mut tx, &before.id).await?;
    let Some(held) = held.filter(|held| is_its_own(held, token)) else {
        return Ok(Err(Refused::Token));
    };
    let mut party = match checked_change(&request, &policy, &held) {
        Ok(party) => party,
        Err(error) => {
            drop(tx);
            return refused(context, &policy.id, Some(&held.id), error).await;
        }
    };
    party.enabled = held.enabled;
    party.registration.clone_from(&held.registration);
    let secret = complete_secrets(context, &mut party, &held.secrets);
    store::relying_party::save(&mut tx, &party).await?;
    let event = Event::new(Kind::ClientChanged, Actor::RelyingParty(party.id.to_string())).about(&party.id);
    store::audit::append(&mut tx, now, &event).await?;
    tx.commit().await?;
    Ok(Ok(Registered {
        party,
        secret,
        access_token: token.clone(),
    }))
}

/// A client takes itself away (RFC 7592 §2.3), with everything it was ever granted.
///
/// # Errors
/// [`Failure`].
pub async fn delete(context: &Context, client: &str, token: &Secret) -> Answer<()> {
    let Ok(id) = client.parse::<RelyingPartyId>() else {
        return Ok(Err(Refused::Token));
    };
    let mut tx = context.db.begin().await?;
    let held = store::relying_party::hold(&mut tx, &id).await?;
    let Some(party) = held.filter(|held| is_its_own(held, token)) else {
        return Ok(Err(Refused::Token));
    };
    remove(
        &mut tx,
        &party,
        Actor::RelyingParty(id.to_string()),
        context.now(),
    )
    .await?;
    tx.commit().await?;
    Ok(Ok(()))
}

/// Forgets a client and revokes everything it was granted (RFC 7592 §2.3). The subjects it got stay, for ever.
pub(super) async fn remove(
    tx: &mut Tx,
    party: &RelyingParty,
    actor: Actor,
    now: Timestamp,
) -> Result<(), Failure> {
    store::registration::revoke_everything_of(tx, &party.id, now).await?;
    store::relying_party::delete(tx, &party.id).await?;
    let event = Event::new(Kind::ClientRemoved, actor).about(&party.id);
    store::audit::append(tx, now, &event).await?;
    Ok(())
}

/// RFC 7592 §2.2: a secret that comes with the change "MUST match the currently issued client secret".
fn checked_change(
    request: &Request,
    policy: &Policy,
    before: &RelyingParty,
) -> Result<RelyingParty, RegistrationError> {
    const FIELD: &str = "client_secret";
    if let Some(secret) = request.text(FIELD)? {
        let secret = Secret::new(secret);
        let is_live = before
            .secrets
            .iter()
            .fold(false, |live, digest| digest.matches(&secret) | live);
        if !is_live {
            return Err(RegistrationError::wrong(FIELD, "is not the current one"));
        }
    }
    registration::check_change(request, policy, before)
}

/// Whether a token is the one of a party's registration.
fn is_its_own(party: &RelyingParty, token: &Secret) -> bool {
    let registration = party.registration.as_ref();
    registration.is_some_and(|known| known.access_token.matches(token))
}

async fn policy_of(context: &Context, party: &RelyingParty) -> Result<Option<Policy>, Failure> {
    let id = party
        .registration
        .as_ref()
        .and_then(|known| known.policy.parse().ok());
    let Some(id) = id else { return Ok(None) };
    let mut conn = context.db.reader().await?;
    let policy = store::registration::find(&mut conn, &id).await?;
    Ok(policy.filter(|policy| policy.enabled))
}

/// Settles the secrets of a client whose method is settled: those it has stay where it needs one, one is made where it
/// has none, none stays where it needs none.
fn complete_secrets(
    context: &Context,
    party: &mut RelyingParty,
    before: &[crate::base::secret::Digest],
) -> Option<Secret> {
    let by_secret = matches!(
        party.auth_method,
        ClientAuthMethod::SecretBasic | ClientAuthMethod::SecretPost
    );
    party.secrets = if by_secret { before.to_vec() } else { Vec::new() };
    if !by_secret || !party.secrets.is_empty() {
        return None;
    }
    let secret = Secret::generate(SECRET_PREFIX, &*context.random);
    party.secrets.push(secret.digest());
    Some(secret)
}

/// 130 random bits: nobody guesses a client, and none looks like a person (RFC 9700 §4.15).
fn new_id(context: &Context) -> Result<RelyingPartyId, Failure> {
    let symbols = random::symbols(&*context.random, b"abcdefghijklmnopqrstuvwxyz234567", 26);
    let id = format!("c-{symbols}").parse();
    id.map_err(|error: crate::domain::InvalidValue| Failure::Task(error.to_string()))
}

/// Asks the address that lists the redirect addresses of a sector, where the client named one (OpenID Connect Dynamic
/// Registration §5). It was checked to be `https` on a host of the policy; a redirect from there is not followed.
async fn check_sector(
    context: &Context,
    party: &RelyingParty,
) -> Result<Result<(), RegistrationError>, Failure> {
    let Some(uri) = &party.metadata.sector_identifier_uri else {
        return Ok(Ok(()));
    };
    let request = http::Request::get(uri.as_str())
        .header(http::header::ACCEPT, "application/json")
        .body(Vec::new());
    let Ok(request) = request else {
        return Ok(Err(sector::UNREADABLE));
    };
    Ok(match context.outbound.send(request).await {
        Ok(answer) if answer.status() == StatusCode::OK => {
            sector::check_list(answer.body(), &party.redirect_uris)
        }
        Ok(answer) => {
            tracing::info!(
                status = answer.status().as_u16(),
                "sector_identifier_uri not answered"
            );
            Err(sector::UNREADABLE)
        }
        Err(error) => {
            tracing::info!(cause = %error, "sector_identifier_uri not answered");
            Err(sector::UNREADABLE)
        }
    })
}

/// Refuses, with a journal entry where the policy was the reason.
async fn refused<T>(
    context: &Context,
    policy: &PolicyId,
    client: Option<&RelyingPartyId>,
    error: RegistrationError,
) -> Answer<T> {
    if error.is_limit {
        let actor = client.map_or(Actor::Anonymous, |id| Actor::RelyingParty(id.to_string()));
        let event = Event::new(Kind::RegistrationRefused, actor)
            .about(policy)
            .with("field", error.field)
            .with("reason", error.reason);
        let mut tx = context.db.begin().await?;
        store::audit::append(&mut tx, context.now(), &event).await?;
        tx.commit().await?;
    }
    Ok(Err(error.into()))
}
