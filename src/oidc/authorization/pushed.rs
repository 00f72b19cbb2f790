//! RFC 9126 §6 (`require_pushed_authorization_requests`), FAPI 2.0 Security Profile §5.3.2.2: a client that is held to it
//! asks nothing in the address bar.

use super::RedirectError;
use crate::domain::relying_party::RelyingParty;

/// What a `request_uri` of ours begins with (RFC 9126 §2.2); anything else would be an address to fetch, and none is
/// (attack case 37).
pub const REFERENCE: &str = "urn:ietf:params:oauth:request_uri:";

pub(super) fn check(party: &RelyingParty, is_pushed: bool) -> Result<(), RedirectError> {
    if party.metadata.must_push() && !is_pushed {
        return Err(RedirectError::invalid_request(
            "requests of this client must be pushed",
        ));
    }
    Ok(())
}
