//! SAML metadata (saml-metadata): reading service providers, one or a federation of thousands, and writing our own.
//!
//! | | |
//! | --- | --- |
//! | [`take`] | a document as it came → its canonical bytes, once a pinned key is known to have signed them; in bounded memory |
//! | [`Entities`] | those bytes → one entity after the other, each read or said why not |
//! | [`read`] | one `EntityDescriptor` → a [`ServiceProvider`] |
//! | [`provider`] | those bytes → the one identity provider that is meant |
//! | [`Ours`] | what we say of ourselves, as an identity provider and as a service provider |
//!
//! What was verified is what is read: the second step sees only what the first one digested. One bad entity costs nothing
//! but itself. Must never release or permit anything because metadata ask for it, and must never follow an address in them.

mod address;
mod entities;
mod entity;
mod key;
mod label;
mod moment;
mod ours;
mod provider;
mod take;

pub use entities::{Entities, Found, Group};
pub use entity::{Allowed, ReadEntity, ReadProvider, Unusable, read, read_provider};
pub use key::pinned;
pub use moment::{duration, moment};
pub use ours::{Contact, Logo, Organization, Ours, Presentation, Role, Words};
pub use provider::{NotProvided, provider};
pub use take::{Names, NotTaken, Taken, take};

#[cfg(test)]
mod tests;

use crate::domain::saml_entity::ServiceProvider;
