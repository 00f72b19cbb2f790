//! A relying party as a SAML 2.0 service provider: who it is there, and what it is held to or let off.

use serde::{Deserialize, Serialize};

/// What the operator says of a service provider; its keys and addresses stand in its metadata, which are kept apart.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SamlParty {
    /// Its entityID, byte for byte.
    pub entity_id: String,
}
