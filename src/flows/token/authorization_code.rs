//! The authorization code grant: everything it rests on is looked at again, the code is taken by one guarded statement,
//! and only then is anything issued.
//!
//! | what happens | reply | committed |
//! | --- | --- | --- |
//! | wrong client, wrong request, unknown code | an error | at most a journal entry |
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
//! | `FIND_REDEMPTION`: client, code, grant, person, login, subject, schools, end of the journal | client authentication and every check |
//! | `begin` | not owed: the driver does not send it along with the statement behind it |
//! | `CONSUME_CODE` | single use, on every node |
//! | `INSERT_ACCESS_TOKEN` | opaque tokens, which a revocation reaches at once |
//! | `INSERT_REFRESH_TOKEN`, where the client has refresh tokens | the same |
//! | `ADVANCE_FROM` | a journal that nobody can cut off unseen |
//! | `APPEND` | the journal |
//! | `commit` | all of it or nothing, and on disk |
//!
//! That is one round trip more than is owed. Besides: the first release of a subject has its own statements, and an entry
//! that somebody else wrote in the same lane of the journal between the read and the write costs three.

use super::{Call, Committed, Issue, Outcome, Refresh, issue};
use crate::base::time::Timestamp;
use crate::domain::audit::Kind;
use crate::domain::grant::{RefreshToken, Standing};
use crate::domain::relying_party::{GrantType, RelyingParty};
use crate::flows::{Failure, subject};
use crate::oauth::client_auth::AuthenticatedClient;
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
    let client = match call.client(found.party, GrantType::AuthorizationCode).await? {
        Ok(client) => client,
        Err(outcome) => return Ok(outcome),
    };
    let Some(held) = found.held else {
        return Ok(Outcome::refused(UNKNOWN_CODE, Committed::Nothing));
    };
    // The developer's mistake, and nobody else's: the code is not spent.
    let target = match call.target(&client, &held.standing.grant).await? {
        Ok(target) => target,
        Err(error) => return Ok(Outcome::refused(error, Committed::Nothing)),
    };
    let mut tx = context.db.begin().await?;
    // The gate: from here on this code is nobody else's, on any node.
    if held.is_used || !store::grant::consume(&mut tx, &digest, now).await? {
        return replayed(call, tx, &client, &held.standing).await;
    }
    if let Err(refused) = authorization_code::check(&client, &held, &request, call.jkt, now) {
        let reason = (refused.as_str(), refused.error());
        return spent(call, tx, &client, &held.standing, reason).await;
    }
    let (party, standing) = (client.party(), held.standing);
    if !access::is_open_at(party, standing.schools.iter()) {
        let reason = ("not open for a school of this person", UNKNOWN_CODE);
        return spent(call, tx, &client, &standing, reason).await;
    }
    let subject = match standing.subject.clone() {
        Some(known) => known,
        None => {
            let identity = standing.grant.identity;
            subject::issue(context, &mut tx, call.keyring.subjects(), party, identity, now).await?
        }
    };
    let issued = Issue {
        client: &client,
        grant: &standing.grant,
        scopes: &standing.grant.scopes,
        target,
        refresh: first_refresh(call, party, &standing, &subject, now),
        subject: &subject,
        kind: Kind::CodeRedeemed,
        journal: found.journal.as_ref(),
    };
    issue(call, tx, issued).await
}

/// The first refresh token of a grant, for a client that may use it.
fn first_refresh(
    call: &Call<'_>,
    party: &RelyingParty,
    standing: &Standing,
    subject: &str,
    now: Timestamp,
) -> Refresh {
    if !party.metadata.grant_types.contains(&GrantType::RefreshToken) {
        return Refresh::None;
    }
    let limit = call.context.settings.refresh_token_lifetime;
    Refresh::New(RefreshToken {
        sequence: 1,
        subject: subject.to_owned(),
        // RFC 9449 §5: of a client that can prove who it is, only the access token is bound.
        jkt: call.jkt.filter(|_| party.is_public()).map(str::to_owned),
        issued_at: now,
        expires_at: refresh_token::good_until(&standing.grant, standing.login_until, None, limit),
        used_at: None,
    })
}

/// RFC 6749 §4.1.2: a code that comes twice is denied, and what was issued for it revoked. Only its own client can do that:
/// a code found in somebody's log must not become a way to sign people out.
async fn replayed(
    call: &Call<'_>,
    mut tx: Tx,
    client: &AuthenticatedClient,
    standing: &Standing,
) -> Result<Outcome, Failure> {
    let grant = &standing.grant;
    if grant.client != client.party().id {
        return Ok(Outcome::refused(UNKNOWN_CODE, Committed::Nothing));
    }
    store::grant::revoke(&mut tx, grant.id, call.now).await?;
    let event = call.event(Kind::CodeReplayed, client, grant);
    store::audit::append(&mut tx, call.now, &event).await?;
    tx.commit().await?;
    Ok(Outcome::refused(UNKNOWN_CODE, Committed::FamilyRevoked))
}

async fn spent(
    call: &Call<'_>,
    mut tx: Tx,
    client: &AuthenticatedClient,
    standing: &Standing,
    (reason, error): (&'static str, OAuthError),
) -> Result<Outcome, Failure> {
    let event = call.event(Kind::AuthorizationRefused, client, &standing.grant);
    store::audit::append(&mut tx, call.now, &event.with("reason", reason)).await?;
    tx.commit().await?;
    Ok(Outcome::refused(error, Committed::CodeSpent))
}
