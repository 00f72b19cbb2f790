//! RFC 6749 §4.1.1: `client_id` is required and names a client that is in use.

use super::PageError;
use crate::domain::relying_party::RelyingParty;
use crate::oauth::parameters::Parameters;

pub(super) fn check<'a>(
    parameters: &Parameters,
    party: Option<&'a RelyingParty>,
) -> Result<&'a RelyingParty, PageError> {
    let id = parameters.get("client_id").ok_or(PageError::ClientId)?;
    let party = party
        .filter(|party| party.id.as_str() == id)
        .ok_or(PageError::UnknownClient)?;
    if party.enabled {
        Ok(party)
    } else {
        Err(PageError::DisabledClient)
    }
}
