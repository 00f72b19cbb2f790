//! Signed requests by value (RFC 9101) at the authorization endpoint and the one for pushed requests: finds the keys of
//! the client, and what it signed takes the place of what came beside it.

use super::{Context, client_keys};
use crate::domain::relying_party::RelyingParty;
use crate::oauth::error::OAuthError;
use crate::oauth::parameters::Parameters;
use crate::oauth::request_object::RequestObject;

/// The parameters that the client has signed; `None` where the request has no such object.
///
/// # Errors
/// What the client is told.
pub async fn open(
    context: &Context,
    outside: &Parameters,
    party: &RelyingParty,
) -> Result<Option<Parameters>, OAuthError> {
    let Some(object) = RequestObject::read(outside)? else {
        return Ok(None);
    };
    let keys = client_keys::keys_of(context, party, object.kid.as_deref()).await;
    let issuer = &context.settings.public_url;
    object.open(party, &keys, issuer, context.now()).map(Some)
}
