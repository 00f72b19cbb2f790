//! ID Tokens as flows meet them: issuing one, and believing one that comes back as a hint.

use data_encoding::BASE64URL_NOPAD;

use super::keys::Keyring;
use super::{Context, Failure};
use crate::base::id::SessionId;
use crate::base::secret::Secret;
use crate::base::time::Timestamp;
use crate::domain::grant::Grant;
use crate::domain::relying_party::{RelyingParty, RelyingPartyId};
use crate::jose::{self, Algorithm};
use crate::oidc::id_token::{Contents, Hint, claims};

/// The `sid` of a login toward a client: a keyed hash of both, so that two clients cannot tell by it that the same
/// browser is with both of them.
///
/// # Errors
/// [`Failure`].
pub fn sid(context: &Context, session: SessionId, client: &RelyingPartyId) -> Result<String, Failure> {
    let hash = context.vault.index("sid", &format!("{session} {client}"))?;
    Ok(BASE64URL_NOPAD.encode(&hash))
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
    released: (&str, &Secret),
    now: Timestamp,
) -> Result<Secret, Failure> {
    let (subject, access_token) = released;
    let contents = Contents {
        issuer: &context.settings.public_url,
        subject,
        sid: &sid(context, grant.session, &party.id)?,
        access_token,
        issued_at: now,
        expires_at: now.plus(context.settings.id_token_lifetime),
    };
    let claims = claims(grant, &contents);
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
