//! Access tokens that a service has in its own name (RFC 6749 §4.4): no person, no grant, no login behind them.

use super::grant::Scopes;
use super::relying_party::RelyingPartyId;
use super::resource_server::Audience;
use crate::base::time::Timestamp;

/// One, without the token itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceToken {
    /// Whose it is.
    pub client: RelyingPartyId,
    /// What it is good for.
    pub scopes: Scopes,
    /// The resource server it is for (RFC 8707), where it is not this provider.
    pub audience: Option<Audience>,
    /// The thumbprint of the key it is bound to (RFC 9449 §6), where it is.
    pub jkt: Option<String>,
    /// When it was made.
    pub issued_at: Timestamp,
    /// Until when it is good.
    pub expires_at: Timestamp,
    /// When it was taken back, if it was.
    pub revoked_at: Option<Timestamp>,
}

impl ServiceToken {
    /// Whether it is good at this moment. Whether its client still is, is for the caller to see.
    pub fn is_good(&self, now: Timestamp) -> bool {
        now < self.expires_at && self.revoked_at.is_none()
    }
}
