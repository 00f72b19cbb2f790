//! The userinfo endpoint (OpenID Connect Core §5.3): what a relying party receives about a person, decided anew each time.

use serde_json::{Map, Value};

use super::{Context, Failure, release, subject};
use crate::base::secret::Secret;
use crate::domain::grant::TokenUse;
use crate::oauth::access_token::OPAQUE_PREFIX;
use crate::oauth::bearer;
use crate::store;

/// The claims an access token leads to; `None` for a token that is not good (any more), or good elsewhere. Grant, login, person, relying party
/// and enrolments count as they stand at this moment.
///
/// # Errors
/// [`Failure`].
pub async fn userinfo(context: &Context, token: &Secret) -> Result<Option<Map<String, Value>>, Failure> {
    // A signed token is always for somebody else; and what it is found by is no token.
    if !token.expose().starts_with(OPAQUE_PREFIX) {
        return Ok(None);
    }
    let mut conn = context.db.reader().await?;
    let found = store::grant::token_use(&mut conn, &token.digest()).await?;
    let good = |token: &TokenUse| bearer::is_good(token, context.now()) && token.audience.is_none();
    let Some(token) = found.filter(good) else {
        return Ok(None);
    };
    let party = store::relying_party::find(&mut conn, &token.grant.client).await?;
    let Some(party) = party.filter(|party| party.enabled) else {
        return Ok(None);
    };
    let Some(subject) = subject::known(&mut conn, &party, token.identity.id).await? else {
        return Ok(None);
    };
    let released = release::release(context, &mut conn, &party, &token.scopes, &token.identity).await?;
    let mut claims = released.claims;
    claims.insert("sub".to_owned(), subject.into());
    Ok(Some(claims))
}
