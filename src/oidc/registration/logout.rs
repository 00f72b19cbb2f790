//! Where a client is told of logouts (Back-Channel Logout §2.2, Front-Channel Logout §2).

use super::{RegistrationError, Request, address};
use crate::domain::registration::Policy;
use crate::domain::relying_party::{LogoutAddress, RelyingParty};

/// Settles both addresses.
pub(super) fn check(
    request: &Request,
    policy: &Policy,
    party: &mut RelyingParty,
) -> Result<(), RegistrationError> {
    let read = |uri, session| -> Result<Option<LogoutAddress>, RegistrationError> {
        let session_required = request.flag(session)?;
        Ok(address::own(request, policy, uri)?.map(|uri| LogoutAddress {
            uri,
            session_required,
        }))
    };
    party.metadata.backchannel_logout =
        read("backchannel_logout_uri", "backchannel_logout_session_required")?;
    party.metadata.frontchannel_logout =
        read("frontchannel_logout_uri", "frontchannel_logout_session_required")?;
    Ok(())
}
