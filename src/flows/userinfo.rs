//! The userinfo endpoint (OpenID Connect Core §5.3): what a relying party receives about a person, decided anew each time.
//!
//! Token, grant, login, person, relying party, subject and contact come in one read; enrolments in a second, where the
//! party may receive something of them. Nothing is written. A signature (§5.3.2) is made when the connection is back.

use serde_json::{Map, Value};

use super::keys::Keyring;
use super::{Context, Failure, release};
use crate::base::secret::Secret;
use crate::jose;
use crate::oauth::access_token::OPAQUE_PREFIX;
use crate::oauth::bearer;
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

/// The answer that an access token leads to; `None` for a token that is not good (any more), or good elsewhere. Grant,
/// login, person, relying party and enrolments count as they stand at this moment.
///
/// # Errors
/// [`Failure`].
pub async fn userinfo(
    context: &Context,
    keyring: &Keyring,
    token: &Secret,
) -> Result<Option<Answer>, Failure> {
    // A signed token is always for somebody else; and what it is found by is no token.
    if !token.expose().starts_with(OPAQUE_PREFIX) {
        return Ok(None);
    }
    let mut conn = context.db.reader().await?;
    let found = store::userinfo::find(&mut conn, &token.digest()).await?;
    let good = |found: &store::userinfo::Found| {
        let token = &found.token;
        found.party.enabled && bearer::is_good(token, context.now()) && token.audience.is_none()
    };
    let Some(found) = found.filter(good) else {
        return Ok(None);
    };
    // A party that does not know the person by a subject has no link to them.
    let Some(subject) = found.subject else {
        return Ok(None);
    };
    let (token, party) = (found.token, found.party);
    let about = (&token.identity, found.contact.as_ref());
    let released = release::release(context, &mut conn, &party, &token.scopes, about).await?;
    drop(conn);
    let mut answer = released.claims;
    answer.insert("sub".to_owned(), subject.into());
    let Some(algorithm) = party.metadata.userinfo_alg else {
        return Ok(Some(Answer::Plain(answer)));
    };
    claims::address(&mut answer, &context.settings.public_url, &party.id);
    let signed = keyring.sign(context, algorithm, jose::Kind::Jwt, answer).await?;
    Ok(Some(Answer::Signed(signed)))
}
