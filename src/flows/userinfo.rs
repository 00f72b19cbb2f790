//! The userinfo endpoint (OpenID Connect Core §5.3): what a relying party receives about a person, decided anew each time.

use serde_json::{Map, Value};

use super::{Context, Failure, release, subject};
use crate::base::secret::Secret;
use crate::oauth::bearer;
use crate::store;

/// The claims an access token leads to; `None` for a token that is not good (any more). Grant, login, person, relying party
/// and enrolments count as they stand at this moment.
///
/// # Errors
/// [`Failure`].
pub async fn userinfo(context: &Context, token: &Secret) -> Result<Option<Map<String, Value>>, Failure> {
    let mut conn = context.db.reader().await?;
    let found = store::grant::token_use(&mut conn, &token.digest()).await?;
    let Some(token) = found.filter(|token| bearer::is_good(token, context.now())) else {
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
