//! The refresh token grant: a refresh token is taken by one guarded statement and gives way to the next, so that a copy
//! is noticed when both come (RFC 9700 §4.14.2).
//!
//! | what happens | reply | committed |
//! | --- | --- | --- |
//! | wrong client, wrong request, unknown token, a grant at its end | an error | at most a journal entry |
//! | a proof of possession that is missing, wrong or used | `invalid_dpop_proof` | nothing |
//! | a used token comes again from its client | `invalid_grant` | the family is revoked |
//! | the same, within half a minute, its successor unused | tokens | the successor is used up, tokens |
//! | a fresh token, but something is not right (any more) | `invalid_grant`, `invalid_scope` | at most a journal entry |
//! | a fresh token, all right | tokens | token used up, tokens |
//!
//! A refusal does not use a token up: whoever is suspended today, or has an access date to wait for, may be back tomorrow. The answer that was lost is believed
//! once: its successor is used up by that, so a third time is a replay.
//!
//! Round trips to the database: as in [`super::authorization_code`], with `FIND_RENEWAL` and `SPEND_REFRESH_TOKEN` in
//! place of the code's.

use super::{Call, Caller, Committed, Issue, Outcome, Refresh, issue};
use crate::domain::audit::Kind;
use crate::domain::grant::{RefreshToken, Renewal};
use crate::domain::relying_party::GrantType;
use crate::flows::Failure;
use crate::oauth::grant::refresh_token::{self, Refused, Request, UNKNOWN};
use crate::oidc::access;
use crate::store;
use crate::store::db::Tx;

/// Exchanges a refresh token for the next tokens.
///
/// # Errors
/// [`Failure`].
pub(super) async fn renew(call: &Call<'_>) -> Result<Outcome, Failure> {
    let request = match Request::read(call.form) {
        Ok(request) => request,
        Err(error) => return call.refuse(error).await,
    };
    let (context, now) = (call.context, call.now);
    // The connection goes back before the transaction takes one.
    let found = {
        let mut conn = context.db.reader().await?;
        let digest = request.token.digest();
        store::refresh_token::renewal(&mut conn, &call.client_id, &digest, now).await?
    };
    let caller = match call.client(found.party, GrantType::RefreshToken).await? {
        Ok(caller) => caller,
        Err(outcome) => return Ok(outcome),
    };
    let Some(mut held) = found.held else {
        return Ok(Outcome::refused(UNKNOWN, Committed::Nothing));
    };
    let party = caller.party();
    if let Err(refused) = refresh_token::belongs(&caller.client, &held, caller.jkt()) {
        return self::refused(call, &caller, &held, refused).await;
    }
    // A replay is one whatever else is not right, so this comes before everything that may change again.
    if let Some(used_at) = held.token.used_at
        && !refresh_token::may_be_lost(used_at, now)
    {
        return match call.begin(&caller).await? {
            Ok(tx) => replayed(call, tx, &caller, &held).await,
            Err(outcome) => Ok(outcome),
        };
    }
    let checked = refresh_token::check(&held, &request, now);
    let open = || access::check(party, &held.standing.live, now);
    let checked = checked.and_then(|scopes| match open() {
        Ok(()) => Ok(scopes),
        Err(closed) => Err(Refused::Closed(closed.reason())),
    });
    let scopes = match checked {
        Ok(scopes) => scopes,
        Err(refused) => return self::refused(call, &caller, &held, refused).await,
    };
    let target = match call.target(party, &held.standing.grant).await? {
        Ok(target) => target,
        Err(error) => return Ok(Outcome::refused(error, Committed::Nothing)),
    };
    let mut tx = match call.begin(&caller).await? {
        Ok(tx) => tx,
        Err(outcome) => return Ok(outcome),
    };
    let refresh = if held.token.used_at.is_none() && !refresh_token::rotates(party) {
        Refresh::Same(request.token)
    } else {
        match take(call, &mut tx, &held).await? {
            Some(sequence) => Refresh::New(successor(call, &caller, &held, sequence)),
            None => return replayed(call, tx, &caller, &held).await,
        }
    };
    // Core §12.2: it "SHOULD NOT have a nonce Claim, even when the ID Token issued at the time of the original
    // authentication contained nonce".
    held.standing.grant.nonce = None;
    let issued = Issue {
        caller: &caller,
        grant: &held.standing.grant,
        scopes: &scopes,
        target,
        subject: &held.token.subject,
        refresh,
        kind: Kind::TokensRefreshed,
        journal: found.journal.as_ref(),
    };
    issue(call, tx, issued).await
}

/// The gate: makes the token, or the answer to its first use that was lost, the caller's and nobody else's on any node.
/// Answers the sequence of the next token; `None` for a replay.
async fn take(call: &Call<'_>, tx: &mut Tx, held: &Renewal) -> Result<Option<i64>, Failure> {
    let (grant, sequence, now) = (held.standing.grant.id, held.token.sequence, call.now);
    if store::refresh_token::spend(tx, grant, sequence, now).await? {
        return Ok(Some(sequence + 1));
    }
    // Somebody was first: before the read, or since.
    let used_at = store::refresh_token::used_at(tx, grant, sequence).await?;
    let lost = used_at.is_some_and(|used_at| refresh_token::may_be_lost(used_at, now));
    let successor = sequence + 1;
    if lost && store::refresh_token::spend(tx, grant, successor, now).await? {
        return Ok(Some(successor + 1));
    }
    Ok(None)
}

fn successor(call: &Call<'_>, caller: &Caller, held: &Renewal, sequence: i64) -> RefreshToken {
    let (token, standing) = (&held.token, &held.standing);
    let limit = call.context.settings.refresh_token_lifetime;
    let former = Some(token.expires_at);
    RefreshToken {
        sequence,
        subject: token.subject.clone(),
        jkt: caller.key_of_refresh_token(),
        issued_at: call.now,
        expires_at: refresh_token::good_until(&standing.grant, standing.login_until, former, limit),
        used_at: None,
    }
}

/// RFC 9700 §4.14.2: nobody can tell which of the two is the thief, so nobody keeps anything.
async fn replayed(call: &Call<'_>, mut tx: Tx, caller: &Caller, held: &Renewal) -> Result<Outcome, Failure> {
    let grant = &held.standing.grant;
    store::grant::revoke(&mut tx, grant.id, call.now).await?;
    let event = Call::event(Kind::RefreshReplayed, caller, grant);
    store::audit::append(&mut tx, call.now, &event).await?;
    tx.commit().await?;
    Ok(Outcome::refused(UNKNOWN, Committed::FamilyRevoked))
}

async fn refused(
    call: &Call<'_>,
    caller: &Caller,
    held: &Renewal,
    refused: Refused,
) -> Result<Outcome, Failure> {
    let Some(reason) = refused.noted() else {
        return Ok(Outcome::refused(refused.error(), Committed::Nothing));
    };
    let event = Call::event(Kind::AuthorizationRefused, caller, &held.standing.grant);
    let mut tx = match call.begin(caller).await? {
        Ok(tx) => tx,
        Err(outcome) => return Ok(outcome),
    };
    store::audit::append(&mut tx, call.now, &event.with("reason", reason)).await?;
    tx.commit().await?;
    Ok(Outcome::refused(refused.error(), Committed::GrantRefused))
}
