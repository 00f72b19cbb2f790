//! ID Tokens as flows meet them: issuing one, and believing one that comes back as a hint.

use data_encoding::BASE64URL_NOPAD;
use serde_json::{Map, Value};

use super::keys::Keyring;
use super::release::release;
use super::{Context, Failure};
use crate::base::id::SessionId;
use crate::base::secret::Secret;
use crate::base::time::Timestamp;
use crate::domain::grant::{Grant, Scope, Scopes};
use crate::domain::relying_party::{RelyingParty, RelyingPartyId};
use crate::jose::{self, Algorithm};
use crate::oidc::claims::{Asked, may_leave};
use crate::oidc::id_token::{Contents, Hint, claims};
use crate::store;

/// The `sid` of a login toward a client: a keyed hash of both, so that two clients cannot tell by it that the same
/// browser is with both of them.
///
/// # Errors
/// [`Failure`].
pub fn sid(context: &Context, session: SessionId, client: &RelyingPartyId) -> Result<String, Failure> {
    let hash = context.vault.index("sid", &format!("{session} {client}"))?;
    Ok(BASE64URL_NOPAD.encode(&hash))
}

/// What an ID Token says besides what its grant knows.
#[derive(Debug)]
pub struct Said<'a> {
    /// The person, as the client knows them.
    pub subject: &'a str,
    /// The access token that goes with it.
    pub access_token: &'a Secret,
    /// The attributes that were asked for in it, as they may be released.
    pub attributes: Map<String, Value>,
}

/// What of a person may stand in the ID Token of a grant: what was asked for there (OpenID Connect Core §5.5), as far as it
/// may be released today. Nothing is read where nothing was asked.
///
/// # Errors
/// [`Failure`].
pub async fn attributes(
    context: &Context,
    party: &RelyingParty,
    grant: &Grant,
) -> Result<Map<String, Value>, Failure> {
    let claims = &grant.claims.id_token;
    if claims.is_empty() {
        return Ok(Map::new());
    }
    let mut conn = context.db.reader().await?;
    let Some(identity) = store::identity::find(&mut conn, grant.identity).await? else {
        return Ok(Map::new());
    };
    let scopes = &Scopes::default();
    let asked = Asked { scopes, claims };
    let reached = [Scope::Email, Scope::Phone, Scope::Address];
    let kept = if reached.iter().any(|scope| may_leave(party, asked, *scope)) {
        store::contact::find(&mut conn, identity.id).await?
    } else {
        None
    };
    let about = (&identity, kept.as_ref().map(|kept| &kept.contact));
    Ok(release(context, &mut conn, party, asked, about).await?.claims)
}

/// Signs the ID Token of a grant.
///
/// # Errors
/// [`Failure`].
pub async fn issue(
    context: &Context,
    keyring: &Keyring,
    party: &RelyingParty,
    grant: &Grant,
    said: Said<'_>,
    now: Timestamp,
) -> Result<Secret, Failure> {
    let contents = Contents {
        issuer: &context.settings.public_url,
        subject: said.subject,
        sid: &sid(context, grant.session, &party.id)?,
        access_token: said.access_token,
        attributes: said.attributes,
        issued_at: now,
        expires_at: now.plus(context.settings.id_token_lifetime),
    };
    let claims = claims(grant, contents);
    let token = keyring
        .sign(context, party.id_token_alg, jose::Kind::Jwt, claims)
        .await?;
    Ok(Secret::new(token))
}

/// What an ID Token of ours that came back says; `None` where it is not one. An expired one is still one.
///
/// # Errors
/// [`Failure`].
pub async fn hint(context: &Context, keyring: &Keyring, token: &str) -> Result<Option<Hint>, Failure> {
    let keys = keyring.published(context).await?;
    // Whatever is wrong with what a stranger sends, it is not a failure of ours.
    let verified = jose::verify(token, &keys, Algorithm::ALL, jose::Kind::Jwt).ok();
    Ok(verified.and_then(|claims| Hint::read(&claims, &context.settings.public_url)))
}
