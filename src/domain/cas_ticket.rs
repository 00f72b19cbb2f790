//! The tickets of CAS: what a service or a proxy was given for one login, and shows to be told whose it is.

use super::relying_party::RelyingPartyId;
use super::stored_names;
use crate::base::id::SessionId;
use crate::base::time::Timestamp;

/// The kinds of ticket that are kept (CAS Protocol 3.0 §3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TicketKind {
    /// Brought by the browser, good once (§3.1).
    Service,
    /// Made for a service that acts for the person, good once (§3.2).
    Proxy,
    /// By which a service gets proxy tickets as long as the login stands (§3.3).
    ProxyGranting,
}
stored_names!(TicketKind, "kind of ticket", { Service => "ST", Proxy => "PT", ProxyGranting => "PGT" });

/// A ticket as it is kept, under its digest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ticket {
    /// Its kind.
    pub kind: TicketKind,
    /// The party it was made for.
    pub client: RelyingPartyId,
    /// The address it was made for; of a proxy-granting ticket, the one it was delivered to.
    pub service: String,
    /// The login.
    pub session: SessionId,
    /// Whether the person had just proved who they are, for this ticket.
    pub is_from_login: bool,
    /// Who acts for the person, the latest first (§2.6.2).
    pub proxies: Vec<String>,
    /// When it was made.
    pub issued_at: Timestamp,
    /// Until when it is good.
    pub expires_at: Timestamp,
    /// When it was shown, where it was.
    pub used_at: Option<Timestamp>,
}
