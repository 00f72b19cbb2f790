//! RFC 6749 §4.1.2.1, `unauthorized_client`: a service that only acts in its own name signs nobody in.

use super::RedirectError;
use crate::domain::relying_party::{GrantType, RelyingParty};
use crate::oauth::error::ErrorCode;

pub(super) fn check(party: &RelyingParty) -> Result<(), RedirectError> {
    if party.metadata.allows(GrantType::AuthorizationCode) {
        return Ok(());
    }
    Err(RedirectError::new(
        ErrorCode::UnauthorizedClient,
        "this client may not use the authorization_code grant",
    ))
}
