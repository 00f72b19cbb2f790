//! The authorization code grant: the code is taken by one guarded statement, then everything it rests on is looked at
//! again, and only then is anything issued.
//!
//! | what happens | reply | committed |
//! | --- | --- | --- |
//! | wrong client, wrong request, unknown code | an error | at most a journal entry |
//! | a used code comes again from its client | `invalid_grant` | the family is revoked |
//! | a fresh code, but something is not right (any more) | `invalid_grant` | the code is spent |
//! | a fresh code, all right | tokens | code spent, token, first subject |
//!
//! A code that was shown with a wrong verifier, or by another client, has leaked: it is spent rather than left for a
//! second try.

use super::{Committed, Outcome, TOKEN_PREFIX, Tokens};
use crate::base::secret::Secret;
use crate::base::time::Timestamp;
use crate::domain::audit::{Actor, Event, Kind};
use crate::domain::grant::Grant;
use crate::flows::keys::Keyring;
use crate::flows::{Context, Failure, id_token, subject};
use crate::oauth::client_auth::AuthenticatedClient;
use crate::oauth::error::{ErrorCode, OAuthError};
use crate::oauth::grant::authorization_code::{self, Request};
use crate::oidc::access;
use crate::store;
use crate::store::db::Tx;

const UNKNOWN_CODE: OAuthError = OAuthError::new(ErrorCode::InvalidGrant, "the code is not valid (any more)");

/// Exchanges a code for tokens.
///
/// # Errors
/// [`Failure`].
pub(super) async fn redeem(
    context: &Context,
    keyring: &Keyring,
    client: &AuthenticatedClient,
    request: &Request,
) -> Result<Outcome, Failure> {
    let (now, party) = (context.now(), client.party());
    let digest = request.code.digest();
    let mut tx = context.db.begin().await?;
    // The gate: from here on this code is nobody else's, on any node.
    let taken = store::grant::consume(&mut tx, &digest, now).await?;
    let Some(held) = store::grant::redemption(&mut tx, &digest, now).await? else {
        return Ok(Outcome::refused(UNKNOWN_CODE, Committed::Nothing));
    };
    if !taken {
        return replayed(tx, client, &held.grant, now).await;
    }
    if let Err(refused) = authorization_code::check(client, &held, request, now) {
        return spent(tx, client, &held.grant, (refused.as_str(), refused.error()), now).await;
    }
    let live = store::enrolment::live_of(&mut tx, held.identity.id, now.date()).await?;
    if !access::is_open(party, &live) {
        let reason = ("not open for a school of this person", UNKNOWN_CODE);
        return spent(tx, client, &held.grant, reason, now).await;
    }
    let grant = held.grant;
    let subject = subject::issue(context, &mut tx, keyring.subjects(), party, grant.identity, now).await?;
    let access_token = Secret::generate(TOKEN_PREFIX, &*context.random);
    let expires_in = context.settings.access_token_lifetime;
    store::grant::add_token(&mut tx, grant.id, &access_token.digest(), now.plus(expires_in)).await?;
    let event = Event::new(Kind::CodeRedeemed, Actor::RelyingParty(party.id.to_string())).about(grant.id);
    store::audit::append(&mut tx, now, &event).await?;
    tx.commit().await?;
    // Signed after the commit: an RSA signature would keep SQLite's one writer waiting.
    let id_token = id_token::issue(context, keyring, party, &grant, (&subject, &access_token), now).await?;
    let tokens = Tokens {
        access_token,
        expires_in,
        id_token,
        scopes: grant.scopes,
    };
    Ok(Outcome {
        reply: Ok(tokens),
        committed: Committed::Issued,
    })
}

/// RFC 6749 §4.1.2: a code that comes twice is denied, and what was issued for it revoked. Only its own client can do that:
/// a code found in somebody's log must not become a way to sign people out.
async fn replayed(
    mut tx: Tx,
    client: &AuthenticatedClient,
    grant: &Grant,
    now: Timestamp,
) -> Result<Outcome, Failure> {
    let party = client.party();
    if grant.client != party.id {
        return Ok(Outcome::refused(UNKNOWN_CODE, Committed::Nothing));
    }
    store::grant::revoke(&mut tx, grant.id, now).await?;
    let event = Event::new(Kind::CodeReplayed, Actor::RelyingParty(party.id.to_string())).about(grant.id);
    store::audit::append(&mut tx, now, &event).await?;
    tx.commit().await?;
    Ok(Outcome::refused(UNKNOWN_CODE, Committed::FamilyRevoked))
}

async fn spent(
    mut tx: Tx,
    client: &AuthenticatedClient,
    grant: &Grant,
    (reason, error): (&'static str, OAuthError),
    now: Timestamp,
) -> Result<Outcome, Failure> {
    let actor = Actor::RelyingParty(client.party().id.to_string());
    let event = Event::new(Kind::AuthorizationRefused, actor)
        .about(grant.id)
        .with("reason", reason);
    store::audit::append(&mut tx, now, &event).await?;
    tx.commit().await?;
    Ok(Outcome::refused(error, Committed::CodeSpent))
}
