//! SAML: what partners' metadata say and ours, and the keys we sign with.

pub mod keys;
pub mod metadata;
pub mod own;

/// What is held in memory of SAML: each node for itself, read again from the database.
#[derive(Clone, Default)]
pub struct SamlState {
    /// The keys.
    pub keys: keys::SamlKeys,
    /// Our metadata.
    pub own: own::OwnMetadata,
}
