//! Client authentication at every endpoint that a relying party's server calls (RFC 6749 §2.3): token, pushed request,
//! introspection, revocation.

use super::{Context, Failure, client_keys};
use crate::domain::audit::{Actor, Event, Kind};
use crate::domain::relying_party::RelyingParty;
use crate::oauth::client_assertion::Audience;
use crate::oauth::client_auth::{self, AuthenticatedClient, Candidate, ClientRefused, Presented};
use crate::oauth::error::OAuthError;
use crate::oauth::parameters::Parameters;
use crate::store;
use crate::store::used_proof::Proof;

/// A client that was not authenticated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refused {
    /// What it is told.
    pub error: OAuthError,
    /// Whether the journal has an entry of it: a party there is was tried with a wrong proof.
    pub journalled: bool,
}

/// Settles who asks: the value of the `Authorization` header, and the form. Reads only, unless a party there is was
/// tried with a wrong proof: that is journalled.
///
/// # Errors
/// [`Failure`].
pub async fn authenticate(
    context: &Context,
    authorization: Option<&str>,
    form: &Parameters,
) -> Result<Result<AuthenticatedClient, Refused>, Failure> {
    let presented = match Presented::read(authorization, form) {
        Ok(presented) => presented,
        Err(error) => {
            let journalled = false;
            return Ok(Err(Refused { error, journalled }));
        }
    };
    let party = match presented.client_id.parse() {
        Ok(id) => {
            let mut conn = context.db.reader().await?;
            store::relying_party::find(&mut conn, &id).await?
        }
        Err(_) => None,
    };
    prove(context, &presented, party).await
}

/// The second half of [`authenticate`], for whoever has loaded the party with more besides.
///
/// # Errors
/// [`Failure`].
pub async fn prove(
    context: &Context,
    presented: &Presented,
    party: Option<RelyingParty>,
) -> Result<Result<AuthenticatedClient, Refused>, Failure> {
    let refused = match client_auth::candidate(presented, party) {
        Err(refused) => refused,
        Ok(candidate) => match by_its_method(context, candidate).await? {
            Ok(client) => return Ok(Ok(client)),
            Err(refused) => refused,
        },
    };
    let error = refused.error;
    let Some(reason) = refused.reason else {
        let journalled = false;
        return Ok(Err(Refused { error, journalled }));
    };
    let event = Event::new(Kind::ClientRefused, Actor::Anonymous)
        .about(&presented.client_id)
        .with("reason", reason);
    let mut tx = context.db.begin().await?;
    store::audit::append(&mut tx, context.now(), &event).await?;
    tx.commit().await?;
    let journalled = true;
    Ok(Err(Refused { error, journalled }))
}

/// By its secret, or by an assertion that is used up on every node before anything is done for the client.
async fn by_its_method(
    context: &Context,
    candidate: Candidate<'_>,
) -> Result<Result<AuthenticatedClient, ClientRefused>, Failure> {
    let Some(assertion) = candidate.assertion() else {
        return Ok(candidate.by_secret());
    };
    let kid = assertion.kid.as_deref();
    let keys = client_keys::keys_of(context, candidate.party(), kid).await;
    let issuer = &context.settings.public_url;
    let (client, accepted) = match candidate.by_assertion(&keys, Audience { issuer }, context.now()) {
        Ok(proved) => proved,
        Err(refused) => return Ok(Err(refused)),
    };
    let proof = Proof {
        kind: "assertion",
        owner: client.party().id.as_str(),
        jti: &accepted.jti,
    };
    let mut tx = context.db.begin().await?;
    let is_first = store::used_proof::claim(&mut tx, proof, accepted.expires_at).await?;
    tx.commit().await?;
    Ok(if is_first {
        Ok(client)
    } else {
        Err(client_auth::REPLAYED)
    })
}
