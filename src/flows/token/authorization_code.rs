//! The authorization code grant: everything it rests on is looked at again, the code is taken by one guarded statement,
//! and only then is anything issued.
//!
//! | what happens | reply | committed |
//! | --- | --- | --- |
//! | wrong client, wrong request, unknown code | an error | at most a journal entry |
//! | a proof of possession that is missing, wrong or used | `invalid_dpop_proof` | nothing |
//! | a used code comes again from its client | `invalid_grant` | the family is revoked |
//! | a fresh code, but something is not right (any more) | `invalid_grant` | the code is spent |
//! | a fresh code, all right | tokens | code spent, tokens, first subject |
//!
//! A code that was shown with a wrong verifier, or by another client, has leaked: it is spent rather than left for a
//! second try. What is issued to a grant that is revoked in the same moment is dead: its use looks at the grant.
//!
//! # Round trips to the database
//!
//! | statement | owed to |
//! | --- | --- |
//! | `FIND_REDEMPTION`: client, code, grant, person, login, subject, enrolments with their access dates, end of the journal | client authentication and every check |
//! | `begin` | not owed: the driver does not send it along with the statement behind it |
//! | `CLAIM`, where the request proves to hold a key | single use of the proof, on every node |
//! | `CONSUME_CODE` | single use, on every node |
//! | `INSERT_ACCESS_TOKEN` | opaque tokens, which a revocation reaches at once |
//! | `INSERT_REFRESH_TOKEN`, where the client has refresh tokens | the same |
//! | `ADVANCE_FROM` | a journal that nobody can cut off unseen |
//! | `APPEND` | the journal |
//! | `commit` | all of it or nothing, and on disk |
//!
//! That is one round trip more than is owed. Besides: the first release of a subject has its own statements, and an entry
//! that somebody else wrote in the same lane of the journal between the read and the write costs three. A client that asked
//! for attributes in the ID Token has person and enrolments read for them.

use super::{Call, Caller, Committed, Issue, Outcome, Refresh, issue};
use crate::domain::audit::Kind;
use crate::domain::grant::{Redemption, RefreshToken, Standing};
use crate::domain::relying_party::GrantType;
use crate::flows::{Failure, subject};
use crate::oauth::error::{ErrorCode, OAuthError};
use crate::oauth::grant::authorization_code::{self, Request};
use crate::oauth::grant::refresh_token;
use crate::oidc::access;
use crate::store;
use crate::store::db::Tx;

const UNKNOWN_CODE: OAuthError = OAuthError::new(ErrorCode::InvalidGrant, "the code is not valid (any more)");

/// Exchanges a code for tokens.
///
/// # Errors
/// [`Failure`].
pub(super) async fn redeem(call: &Call<'_>) -> Result<Outcome, Failure> {
    let request = match Request::read(call.form) {
        Ok(request) => request,
        Err(error) => return call.refuse(error).await,
    };
    let (context, now) = (call.context, call.now);
    let digest = request.code.digest();
    // The connection goes back before the transaction takes one: of a full pool nobody waits for themselves.
    let found = {
        let mut conn = context.db.reader().await?;
        store::grant::redemption(&mut conn, &call.client_id, &digest, now).await?
    };
    let caller = match call.client(found.party, GrantType::AuthorizationCode).await? {
        Ok(caller) => caller,
        Err(outcome) => return Ok(outcome),
    };
    let Some(held) = found.held else {
        return Ok(Outcome::refused(UNKNOWN_CODE, Committed::Nothing));
    };
    // The developer's mistake, and nobody else's: the code is not spent.
    let target = match call.target(caller.party(), &held.standing.grant).await? {
        Ok(target) => target,
        Err(error) => return Ok(Outcome::refused(error, Committed::Nothing)),
    };
    let mut tx = match call.begin(&caller).await? {
        Ok(tx) => tx,
        Err(outcome) => return Ok(outcome),
    };
    // The gate: from here on this code is nobody else's, on any node.
    if held.is_used || !store::grant::consume(&mut tx, &digest, now).await? {
        return replayed(call, tx, &caller, &held).await;
    }
    if let Err(refused) = authorization_code::check(&caller.client, &held, &request, caller.jkt(), now) {
        let reason = (refused.as_str(), refused.error());
        return spent(call, tx, &caller, &held.standing, reason).await;
    }
    let standing = held.standing;
    if let Err(closed) = access::check(caller.party(), &standing.live, now) {
        let reason = (closed.reason(), UNKNOWN_CODE);
        return spent(call, tx, &caller, &standing, reason).await;
    }
    let subject = match standing.subject.clone() {
        Some(known) => known,
        None => {
            let identity = standing.grant.identity;
            let sectors = call.keyring.subjects();
            subject::issue(context, &mut tx, sectors, caller.party(), identity, now).await?
        }
    };
    let issued = Issue {
        caller: &caller,
        grant: &standing.grant,
        scopes: &standing.grant.scopes,
        target,
        refresh: first_refresh(call, &caller, &standing, &subject),
        subject: &subject,
        kind: Kind::CodeRedeemed,
        journal: found.journal.as_ref(),
    };
    issue(call, tx, issued).await
}

/// The first refresh token of a grant, for a client that may use it.
fn first_refresh(call: &Call<'_>, caller: &Caller, standing: &Standing, subject: &str) -> Refresh {
    if !caller
        .party()
        .metadata
        .grant_types
        .contains(&GrantType::RefreshToken)
    {
        return Refresh::None;
    }
    let limit = call.context.settings.refresh_token_lifetime;
    Refresh::New(RefreshToken {
        sequence: 1,
        subject: subject.to_owned(),
        jkt: caller.key_of_refresh_token(),
        issued_at: call.now,
        expires_at: refresh_token::good_until(&standing.grant, standing.login_until, None, limit),
        used_at: None,
    })
}

/// RFC 6749 §4.1.2: a code that comes twice is denied, and what was issued for it revoked. Only its own client can do that:
/// a code found in somebody's log must not become a way to sign people out. Of a code that is bound to a key, only whoever
/// holds that key is its client.
async fn replayed(
    call: &Call<'_>,
    mut tx: Tx,
    caller: &Caller,
    held: &Redemption,
) -> Result<Outcome, Failure> {
    let grant = &held.standing.grant;
    let bound_to = held.code.dpop_jkt.as_deref();
    if grant.client != caller.party().id || bound_to.is_some_and(|jkt| caller.jkt() != Some(jkt)) {
        return Ok(Outcome::refused(UNKNOWN_CODE, Committed::Nothing));
    }
    store::grant::revoke(&mut tx, grant.id, call.now).await?;
    let event = Call::event(Kind::CodeReplayed, caller, grant);
    store::audit::append(&mut tx, call.now, &event).await?;
    tx.commit().await?;
    Ok(Outcome::refused(UNKNOWN_CODE, Committed::FamilyRevoked))
}

async fn spent(
    call: &Call<'_>,
    mut tx: Tx,
    caller: &Caller,
    standing: &Standing,
    (reason, error): (&'static str, OAuthError),
) -> Result<Outcome, Failure> {
    let event = Call::event(Kind::AuthorizationRefused, caller, &standing.grant);
    store::audit::append(&mut tx, call.now, &event.with("reason", reason)).await?;
    tx.commit().await?;
    Ok(Outcome::refused(error, Committed::CodeSpent))
}
