//! Pushed authorization requests (RFC 9126): a client's server leaves a request here, and the browser brings only a
//! reference to it.
//!
//! | moment | what happens to the request |
//! | --- | --- |
//! | [`push`] | checked as at the authorization endpoint, kept sealed; bound to a key where one was proved |
//! | [`find`], by a browser, in time | read, not used up: a page may be opened twice |
//! | [`use_up`], with the code | gone, on every node |
//!
//! A login that takes longer than the reference lives still ends well: the request travels on in the continuation.

use std::time::Duration;

use super::{Context, Failure, client_authentication, dpop};
use crate::base::secret::{Digest, Secret};
use crate::base::time::Timestamp;
use crate::domain::relying_party::RelyingParty;
use crate::oauth::dpop::{OTHER_KEY, Proved, Shown};
use crate::oauth::error::{ErrorCode, OAuthError};
use crate::oauth::parameters::Parameters;
use crate::oidc::authorization::{self, PageError, REFERENCE};
use crate::store;
use crate::store::db::Tx;
use crate::store::pushed_request::Kept;

const CONTEXT: &str = "pushed request";

/// Parameters that prove who the client is and are no part of what it asks (RFC 9126 §2.1).
const PROOFS: &[&str] = &["client_secret", "client_assertion", "client_assertion_type"];

/// What a client is answered (RFC 9126 §2.2).
#[derive(Debug, Clone)]
pub struct Pushed {
    /// To be brought by the browser.
    pub request_uri: Secret,
    /// For how long.
    pub expires_in: Duration,
}

const fn invalid(description: &'static str) -> OAuthError {
    OAuthError::new(ErrorCode::InvalidRequest, description)
}

/// Takes a request in: the value of the `Authorization` header, the proof of possession, and the form. A proof binds the
/// code that is to come to its key, as `dpop_jkt` does (RFC 9449 §10.1).
///
/// # Errors
/// [`Failure`].
pub async fn push(
    context: &Context,
    authorization: Option<&str>,
    shown: Shown<'_>,
    form: &str,
) -> Result<Result<Pushed, OAuthError>, Failure> {
    let Ok(form) = Parameters::read(form) else {
        return Ok(Err(invalid("the request is too long")));
    };
    let client = match client_authentication::authenticate(context, authorization, &form).await? {
        Ok(client) => client,
        Err(refused) => return Ok(Err(refused.error)),
    };
    // RFC 9126 §2.1: "The request_uri authorization request parameter … MUST NOT be provided".
    if form.get("request_uri").is_some() || form.is_repeated("request_uri") {
        return Ok(Err(invalid("request_uri cannot be pushed")));
    }
    let mut asked = form.only(|name| !PROOFS.contains(&name));
    if asked.get("client_id").is_none() {
        asked = asked.with("client_id", client.party().id.as_str());
    }
    let party = client.party();
    let proved = match dpop::check(context, shown, dpop::Asked::post("/oauth/par"), party)? {
        Ok(proved) => proved,
        Err(error) => return Ok(Err(error)),
    };
    if let Some(proved) = &proved {
        match asked.get("dpop_jkt") {
            None => asked = asked.with("dpop_jkt", &proved.jkt),
            Some(jkt) if jkt == proved.jkt => {}
            Some(_) => return Ok(Err(OTHER_KEY)),
        }
    }
    if let Err(error) = check(&asked, party) {
        return Ok(Err(error));
    }
    keep(context, party, &asked, proved.as_ref()).await
}

/// The checks of the authorization endpoint; whatever is wrong is told to the client's server, which is known.
fn check(asked: &Parameters, party: &RelyingParty) -> Result<(), OAuthError> {
    authorization::address(asked, Some(party)).map_err(|error| match error {
        PageError::RedirectUri => invalid("redirect_uri is missing or came twice"),
        PageError::UnregisteredRedirectUri => invalid("redirect_uri is not registered"),
        _ => invalid("the request cannot be read"),
    })?;
    authorization::check(asked, party, true)
        .map(drop)
        .map_err(|error| OAuthError::new(error.code, error.description))
}

async fn keep(
    context: &Context,
    party: &RelyingParty,
    asked: &Parameters,
    proved: Option<&Proved>,
) -> Result<Result<Pushed, OAuthError>, Failure> {
    let now = context.now();
    let expires_in = context.settings.pushed_request_lifetime;
    let request_uri = Secret::generate(REFERENCE, &*context.random);
    let plain = asked.to_query();
    let kept = Kept {
        client: party.id.clone(),
        sealed: context.vault.seal(CONTEXT, plain.as_bytes(), &*context.random)?,
        expires_at: now.plus(expires_in),
        is_used: false,
    };
    let mut tx = context.db.begin().await?;
    if let Some(proved) = proved
        && let Err(error) = dpop::claim(&mut tx, proved).await?
    {
        return Ok(Err(error));
    }
    store::pushed_request::add(&mut tx, &request_uri.digest(), &kept).await?;
    tx.commit().await?;
    Ok(Ok(Pushed {
        request_uri,
        expires_in,
    }))
}

/// What was pushed under a reference by this very client, where a browser may still bring it.
///
/// # Errors
/// [`Failure`].
pub async fn find(
    context: &Context,
    reference: &str,
    client: &str,
    now: Timestamp,
) -> Result<Option<(Digest, Parameters)>, Failure> {
    let digest = Secret::new(reference).digest();
    let mut conn = context.db.reader().await?;
    let kept = store::pushed_request::find(&mut conn, &digest).await?;
    let good = |kept: &Kept| !kept.is_used && now < kept.expires_at && kept.client.as_str() == client;
    let Some(kept) = kept.filter(good) else {
        return Ok(None);
    };
    let plain = context.vault.open(CONTEXT, &kept.sealed)?;
    let asked = std::str::from_utf8(&plain)
        .ok()
        .and_then(|query| Parameters::read(query).ok());
    Ok(asked.map(|asked| (digest, asked)))
}

/// Uses a request up in the transaction that issues its code; whether it was this call that did.
///
/// # Errors
/// [`Failure`].
pub async fn use_up(tx: &mut Tx, pushed: &Digest, now: Timestamp) -> Result<bool, Failure> {
    Ok(store::pushed_request::consume(tx, pushed, now).await?)
}
