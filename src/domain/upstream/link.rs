//! A link: a login at a provider is of this person. Made by a proof, ended by a human or by what proves otherwise; never
//! changed into somebody else's.

use super::ProviderId;
use crate::base::id::{IdentityId, UpstreamLinkId};
use crate::base::time::Timestamp;
use crate::domain::stored_names;

/// What bound it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Binding {
    /// A key of a feed of the ministry that the provider stated.
    SourceKey,
    /// The INE that the provider stated.
    Ine,
    /// The person signed in here once as before.
    Credential,
    /// A human said so.
    Human,
    /// The person came to be known by it.
    Created,
}
stored_names!(Binding, "link binding", {
    SourceKey => "source_key", Ine => "ine", Credential => "credential", Human => "human", Created => "created",
});

/// Why it is none any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LinkEnd {
    /// A human took it apart.
    Unlinked,
    /// The provider gave the person another identifier.
    Rekeyed,
}
stored_names!(LinkEnd, "link end", { Unlinked => "unlinked", Rekeyed => "rekeyed" });

/// A login at a provider is of this person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// Its id.
    pub id: UpstreamLinkId,
    /// The provider.
    pub provider: ProviderId,
    /// The person as the provider names them, byte for byte: `A` is not `a`.
    pub subject: String,
    /// The person.
    pub identity: IdentityId,
    /// What bound it.
    pub binding: Binding,
    /// The convention it was made under.
    pub convention: Option<String>,
    /// When.
    pub linked_at: Timestamp,
    /// When somebody last came by it.
    pub used_at: Option<Timestamp>,
}
