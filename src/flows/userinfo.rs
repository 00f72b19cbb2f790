//! The userinfo endpoint (OpenID Connect Core §5.3): what a relying party receives about a person, decided anew each time.

use serde_json::{Map, Value};

use super::{Context, Failure, dpop, release, subject};
use crate::domain::grant::TokenUse;
use crate::domain::relying_party::RelyingParty;
use crate::oauth::access_token::OPAQUE_PREFIX;
use crate::oauth::bearer::{self, INVALID, OTHER_KEY, Presented};
use crate::oauth::dpop::{MISSING, Shown};
use crate::oauth::error::OAuthError;
use crate::store;

/// A request for what is known.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// The access token.
    pub presented: &'a Presented,
    /// The proof of possession that goes with it.
    pub dpop: Shown<'a>,
    /// The method of the request.
    pub method: &'a str,
}

/// The claims an access token leads to. Grant, login, person, relying party and enrolments count as they stand at this
/// moment. Nothing is told of a token that is not good (any more), or good elsewhere, or brought by somebody without the
/// key that it is bound to (RFC 9449 §7.1).
///
/// # Errors
/// [`Failure`]; inside, why nothing is told.
pub async fn userinfo(
    context: &Context,
    asked: Asked<'_>,
) -> Result<Result<Map<String, Value>, OAuthError>, Failure> {
    let token = &asked.presented.token;
    // A signed token is always for somebody else; and what it is found by is no token.
    if !token.expose().starts_with(OPAQUE_PREFIX) {
        return Ok(Err(INVALID));
    }
    let mut conn = context.db.reader().await?;
    let found = store::grant::token_use(&mut conn, &token.digest()).await?;
    let good = |token: &TokenUse| bearer::is_good(token, context.now()) && token.audience.is_none();
    let Some(token) = found.filter(good) else {
        return Ok(Err(INVALID));
    };
    let party = store::relying_party::find(&mut conn, &token.grant.client).await?;
    let Some(party) = party.filter(|party| party.enabled) else {
        return Ok(Err(INVALID));
    };
    if !asked.presented.fits(token.jkt.as_deref()) {
        return Ok(Err(INVALID));
    }
    if let Some(jkt) = &token.jkt {
        // The connection goes back before the transaction takes one.
        drop(conn);
        if let Err(error) = prove(context, asked, &party, jkt).await? {
            return Ok(Err(error));
        }
        conn = context.db.reader().await?;
    }
    let Some(subject) = subject::known(&mut conn, &party, token.identity.id).await? else {
        return Ok(Err(INVALID));
    };
    let released = release::release(context, &mut conn, &party, &token.scopes, &token.identity).await?;
    let mut claims = released.claims;
    claims.insert("sub".to_owned(), subject.into());
    Ok(Ok(claims))
}

/// Whether the request proves to hold the key, by a proof that is then used up.
async fn prove(
    context: &Context,
    asked: Asked<'_>,
    party: &RelyingParty,
    jkt: &str,
) -> Result<Result<(), OAuthError>, Failure> {
    let request = dpop::Asked {
        method: asked.method,
        path: "/oauth/userinfo",
        access_token: Some(&asked.presented.token),
    };
    let proved = match dpop::check(context, asked.dpop, request, party)? {
        Ok(Some(proved)) => proved,
        Ok(None) => return Ok(Err(MISSING)),
        Err(error) => return Ok(Err(error)),
    };
    if proved.jkt != jkt {
        return Ok(Err(OTHER_KEY));
    }
    let mut tx = context.db.begin().await?;
    let taken = dpop::claim(&mut tx, &proved).await?;
    tx.commit().await?;
    Ok(taken)
}
