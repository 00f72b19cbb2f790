//! RFC 9101 §10.5 (`require_signed_request_object` of a client): a client that is held to it signs everything it asks.

use super::RedirectError;
use crate::domain::relying_party::RelyingParty;

pub(super) fn check(party: &RelyingParty, is_signed: bool) -> Result<(), RedirectError> {
    if party.metadata.signed_request_required && !is_signed {
        return Err(RedirectError::invalid_request(
            "requests of this client must be signed",
        ));
    }
    Ok(())
}
