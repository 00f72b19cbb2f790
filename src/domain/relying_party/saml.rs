//! A relying party as a SAML 2.0 service provider: who it is there, what it gets, and what it is let off.
//!
//! Its keys and addresses stand in its metadata ([`crate::domain::saml_entity`]), which change by themselves. Every
//! tolerance is off until an operator switches it on for one party.

use serde::{Deserialize, Serialize};

use crate::domain::stored_names;

/// Which parts of an answer are signed (saml-core §5.2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Signed {
    /// Response and assertion.
    #[default]
    Both,
    /// The response alone.
    Response,
    /// The assertion alone.
    Assertion,
}
stored_names!(Signed, "signed part", { Both => "both", Response => "response", Assertion => "assertion" });

/// Whether assertions are encrypted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Encryption {
    /// Where the party publishes a key for it.
    #[default]
    WhereThereIsAKey,
    /// Always: no answer goes out without.
    Required,
    /// Never.
    Never,
}
stored_names!(Encryption, "encryption", {
    WhereThereIsAKey => "optional", Required => "required", Never => "never",
});

/// By which names attributes are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum AttributeNames {
    /// Short names of the annuaire ENT (SDET), NameFormat `basic`.
    #[default]
    Short,
    /// Names by OID, NameFormat `uri`, with the short one as FriendlyName.
    Oid,
    /// Each attribute twice.
    Both,
}
stored_names!(AttributeNames, "attribute names", { Short => "short", Oid => "oid", Both => "both" });

/// Which attributes an assertion is made of, and how they are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Preset {
    /// What the policy lists and nothing else.
    #[default]
    Bare,
    /// An ENT on entcore: `FrEduIdENT` or a vector, short names.
    Entcore,
    /// Somebody who expects EduConnect: `FrEduCtRefId`, `FrEduVecteur`, `FrEduUrlRetour`.
    EduConnect,
    /// A service of the RENATER federation: `pairwise-id`, `eduPersonScopedAffiliation`, names by OID.
    Renater,
}
stored_names!(Preset, "preset", {
    Bare => "bare", Entcore => "entcore", EduConnect => "educonnect", Renater => "renater",
});

/// What one party is let off, for the engines that really exist.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Tolerances {
    /// Requests without a signature although it publishes a key.
    pub unsigned_requests: bool,
    /// Logout requests without a signature.
    pub unsigned_logout: bool,
    /// Signatures with SHA-1 on its requests.
    pub sha1_requests: bool,
    /// The address and the number of an assertion consumer in one request (saml-core §3.4.1 forbids it), where they agree.
    pub index_and_url: bool,
    /// AES in CBC mode, where it can read nothing better.
    pub cbc: bool,
    /// Addresses without TLS in the metadata that are its own (never in a federation's).
    pub http_addresses: bool,
}

/// What the operator says of a service provider.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SamlParty {
    /// Its entityID, byte for byte.
    pub entity_id: String,
    /// The federation whose metadata speak for it, where it has none of its own; no other federation is believed of it.
    pub federation: Option<String>,
    /// Which parts of an answer are signed.
    pub signed: Signed,
    /// Whether ECDSA with SHA-256 takes the place of RSA with SHA-256.
    pub ecdsa: bool,
    /// Whether assertions are encrypted.
    pub encryption: Encryption,
    /// Whether the mask generation function of OAEP is written (`xenc11:MGF`); some parties refuse it.
    pub mgf: bool,
    /// The format of NameID where its request names none.
    pub name_id_format: Option<String>,
    /// By which names attributes are written.
    pub names: AttributeNames,
    /// Which attributes, and how.
    pub preset: Preset,
    /// Whether people may be sent to it without a request of its own.
    pub idp_initiated: bool,
    /// What its people's logins are called toward it (`AuthnContextClassRef`), where it knows one name only.
    pub authn_context: Option<String>,
    /// What is let pass.
    pub tolerances: Tolerances,
}

impl Default for SamlParty {
    fn default() -> Self {
        Self {
            entity_id: String::new(),
            federation: None,
            signed: Signed::default(),
            ecdsa: false,
            encryption: Encryption::default(),
            mgf: false,
            name_id_format: None,
            names: AttributeNames::default(),
            preset: Preset::default(),
            idp_initiated: true,
            authn_context: None,
            tolerances: Tolerances::default(),
        }
    }
}
