//! A SAML service provider as its metadata describe it (saml-metadata §2.4.4), kept apart from what the operator says of it:
//! fetched metadata change by themselves, and must never change a policy.
//!
//! Keys are kept as public keys: a certificate is only their wrapping here, its dates and names are nobody's proof
//! (SAML V2.0 Metadata Interoperability Profile §2.6.1).

use serde::{Deserialize, Serialize};

use super::stored_names;

/// How a message travels (saml-bindings §3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Binding {
    /// In the address (§3.4).
    Redirect,
    /// In a form (§3.5).
    Post,
}
stored_names!(Binding, "binding", {
    Redirect => "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect",
    Post => "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST",
});

/// Where assertions go (saml-metadata §2.2.3): by form only, whatever else an entity lists.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AssertionConsumer {
    /// The address, byte for byte.
    pub location: String,
    /// Its number.
    pub index: u16,
    /// Whether it is the one for requests that name none.
    pub is_default: Option<bool>,
}

/// Where logout messages go (saml-metadata §2.2.2).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogoutService {
    /// How.
    pub binding: Binding,
    /// Where requests go.
    pub location: String,
    /// Where responses go, where that is elsewhere.
    pub response_location: Option<String>,
}

/// A public key that assertions may be encrypted for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EncryptionKey {
    /// SubjectPublicKeyInfo, DER, in base64.
    pub spki: String,
    /// The algorithms that the entity says it can read (saml-metadata §2.4.1.1), in its order; empty where it says none.
    pub methods: Vec<String>,
}

/// A service provider.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ServiceProvider {
    /// Its entityID, byte for byte.
    pub entity_id: String,
    /// Where assertions go; never empty.
    pub assertion_consumers: Vec<AssertionConsumer>,
    /// Where logout messages go.
    pub logout_services: Vec<LogoutService>,
    /// The keys it signs with: SubjectPublicKeyInfo, DER, in base64. A key without `use` is one of these and of the others.
    pub signing_keys: Vec<String>,
    /// The keys assertions may be encrypted for, in its order.
    pub encryption_keys: Vec<EncryptionKey>,
    /// The formats of NameID that it says it takes, in its order.
    pub name_id_formats: Vec<String>,
    /// Whether it says that its requests are signed.
    pub signs_requests: bool,
    /// Whether it says that it wants assertions signed.
    pub wants_signed_assertions: bool,
    /// What it says it needs, by name (`RequestedAttribute`); nothing is released because of it.
    pub requested_attributes: Vec<String>,
    /// Its name, in French where there is one (mdui §2.1.2).
    pub display_name: Option<String>,
    /// Its name in English.
    pub display_name_en: Option<String>,
    /// What it does with data (mdui §2.1.4).
    pub privacy_url: Option<String>,
    /// Categories that its registrar put it into (`http://macedir.org/entity-category`).
    pub categories: Vec<String>,
    /// Who registered it in its federation (saml-metadata-rpi §2.1.1).
    pub registration_authority: Option<String>,
}
