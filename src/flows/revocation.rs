//! The revocation endpoint (RFC 7009): a client gives a token back.
//!
//! | token | what happens |
//! | --- | --- |
//! | an access token of the client | that token is good no more |
//! | a refresh token of the client, used or not | its grant is revoked with everything that came of it |
//! | a token of another client | nothing, and the journal says who tried |
//! | unknown, or not good any more | nothing |
//!
//! The client is told the same each time: whatever it named, it is not good now (RFC 7009 §2.2).

use super::access_token::{self, Held};
use super::introspection::{NO_TOKEN, REFRESH_TOKEN_PREFIX, read};
use super::keys::Keyring;
use super::{Context, Failure, client_authentication};
use crate::base::secret::{Digest, Secret};
use crate::domain::audit::{Actor, Event, Kind};
use crate::domain::relying_party::RelyingParty;
use crate::oauth::error::OAuthError;
use crate::store;

/// What a request left behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Revoked {
    /// Nothing: there was nothing to take back.
    Nothing,
    /// An entry of the journal: the token is another client's.
    Refused,
    /// One access token.
    Token,
    /// A grant and everything that came of it.
    Family,
}

/// Takes a token back: the value of the `Authorization` header, and the form.
///
/// # Errors
/// [`Failure`]; inside, what a caller is told that asks wrongly or is nobody.
pub async fn revoke(
    context: &Context,
    keyring: &Keyring,
    authorization: Option<&str>,
    form: &str,
) -> Result<Result<Revoked, OAuthError>, Failure> {
    let form = match read(form) {
        Ok(form) => form,
        Err(error) => return Ok(Err(error)),
    };
    let client = match client_authentication::authenticate(context, authorization, &form).await? {
        Ok(client) => client,
        Err(refused) => return Ok(Err(refused.error)),
    };
    let Some(token) = form.get("token").map(Secret::new) else {
        return Ok(Err(NO_TOKEN));
    };
    // What a token is stands in itself, so `token_type_hint` is not needed (RFC 7009 §2.1: "MAY ignore").
    if token.expose().starts_with(REFRESH_TOKEN_PREFIX) {
        return family(context, client.party(), &token).await.map(Ok);
    }
    match access_token::digest(context, keyring, &token).await? {
        Some(digest) => one(context, client.party(), &digest).await.map(Ok),
        None => Ok(Ok(Revoked::Nothing)),
    }
}

async fn one(context: &Context, party: &RelyingParty, digest: &Digest) -> Result<Revoked, Failure> {
    let now = context.now();
    let found = {
        let mut conn = context.db.reader().await?;
        access_token::find(&mut conn, digest).await?
    };
    let Some(held) = found.filter(|held| held.is_good(now)) else {
        return Ok(Revoked::Nothing);
    };
    let about = match &held {
        Held::Person(token) => token.grant.id.to_string(),
        Held::Service(token) => token.client.to_string(),
    };
    if held.client() != &party.id {
        return refused(context, party, about).await;
    }
    let mut tx = context.db.begin().await?;
    let taken = match held {
        Held::Person(_) => store::grant::revoke_token(&mut tx, digest, now).await?,
        Held::Service(_) => store::service_token::revoke(&mut tx, digest, now).await?,
    };
    if !taken {
        return Ok(Revoked::Nothing);
    }
    let event = event(Kind::TokenRevoked, party)
        .about(about)
        .with("what", "access token");
    store::audit::append(&mut tx, now, &event).await?;
    tx.commit().await?;
    Ok(Revoked::Token)
}

/// RFC 7009 §2.1: "If the particular token is a refresh token …, then the authorization server SHOULD also invalidate all
/// access tokens based on the same authorization grant".
async fn family(context: &Context, party: &RelyingParty, token: &Secret) -> Result<Revoked, Failure> {
    let now = context.now();
    let found = {
        let mut conn = context.db.reader().await?;
        store::refresh_token::renewal(&mut conn, &party.id, &token.digest(), now).await?
    };
    let Some(held) = found.held else {
        return Ok(Revoked::Nothing);
    };
    let grant = held.standing.grant;
    if grant.client != party.id {
        return refused(context, party, grant.id.to_string()).await;
    }
    let mut tx = context.db.begin().await?;
    if !store::grant::revoke(&mut tx, grant.id, now).await? {
        return Ok(Revoked::Nothing);
    }
    let event = event(Kind::TokenRevoked, party)
        .about(grant.id)
        .with("what", "family");
    store::audit::append(&mut tx, now, &event).await?;
    tx.commit().await?;
    Ok(Revoked::Family)
}

async fn refused(context: &Context, party: &RelyingParty, about: String) -> Result<Revoked, Failure> {
    let event = event(Kind::AuthorizationRefused, party)
        .about(about)
        .with("reason", "revocation of a token of another client");
    let mut tx = context.db.begin().await?;
    store::audit::append(&mut tx, context.now(), &event).await?;
    tx.commit().await?;
    Ok(Revoked::Refused)
}

fn event(kind: Kind, party: &RelyingParty) -> Event {
    Event::new(kind, Actor::RelyingParty(party.id.to_string()))
}
