//! SAML: what a partner's metadata say and ours, and the keys we sign with.

pub mod metadata;
