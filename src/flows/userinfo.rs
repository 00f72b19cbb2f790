//! The userinfo endpoint (OpenID Connect Core §5.3): what a relying party receives about a person, decided anew each time.
//!
//! Token, grant, login, person, relying party, subject and contact come in one read; enrolments in a second, where the
//! party may receive something of them. Nothing is written, but that a proof of possession is used up. A signature (§5.3.2) is made when the connection is back.

use serde_json::{Map, Value};

use super::keys::Keyring;
use super::{Context, Failure, dpop, release};
use crate::domain::claims_request::NO_CLAIMS;
use crate::domain::grant::Scope;
use crate::domain::relying_party::RelyingParty;
use crate::jose;
use crate::oauth::access_token::OPAQUE_PREFIX;
use crate::oauth::bearer::{self, INVALID, OTHER_KEY, Presented};
use crate::oauth::dpop::{MISSING, Shown};
use crate::oauth::error::OAuthError;
use crate::oidc::claims;
use crate::store;

/// A userinfo answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// Claims, for a party that trusts its connection.
    Plain(Map<String, Value>),
    /// The same, signed, for a party that wants proof of them.
    Signed(String),
}

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

/// The answer that an access token leads to. Grant, login, person, relying party and enrolments count as they stand at
/// this moment. Nothing is told of a token that is not good (any more), or good elsewhere, or brought by somebody without
/// the key that it is bound to (RFC 9449 §7.1).
///
/// # Errors
/// [`Failure`]; inside, why nothing is told.
pub async fn userinfo(
    context: &Context,
    keyring: &Keyring,
    asked: Asked<'_>,
) -> Result<Result<Answer, OAuthError>, Failure> {
    let token = &asked.presented.token;
    // A signed token is always for somebody else; and what it is found by is no token.
    if !token.expose().starts_with(OPAQUE_PREFIX) {
        return Ok(Err(INVALID));
    }
    let mut conn = context.db.reader().await?;
    let found = store::userinfo::find(&mut conn, &token.digest()).await?;
    let good = |found: &store::userinfo::Found| {
        let token = &found.token;
        found.party.enabled && bearer::is_good(token, context.now()) && token.audience.is_none()
    };
    let Some(found) = found.filter(good) else {
        return Ok(Err(INVALID));
    };
    // A party that does not know the person by a subject has no link to them.
    let Some(subject) = found.subject else {
        return Ok(Err(INVALID));
    };
    let (token, party) = (found.token, found.party);
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
    let about = (&token.identity, found.contact.as_ref());
    let asked = claims::Asked {
        scopes: &token.scopes,
        // They came with an OpenID Connect request; a token that was narrowed to less has none of it.
        claims: if token.scopes.contains(Scope::OpenId) {
            &token.grant.claims.userinfo
        } else {
            &NO_CLAIMS
        },
    };
    let released = release::release(context, &mut conn, &party, asked, about).await?;
    drop(conn);
    let mut answer = released.claims;
    answer.insert("sub".to_owned(), subject.into());
    let Some(algorithm) = party.metadata.userinfo_alg else {
        return Ok(Ok(Answer::Plain(answer)));
    };
    claims::address(&mut answer, &context.settings.public_url, &party.id);
    let signed = keyring.sign(context, algorithm, jose::Kind::Jwt, answer).await?;
    Ok(Ok(Answer::Signed(signed)))
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
