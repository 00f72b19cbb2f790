//! What is fetched of a provider: its keys and addresses, how old they are, and what changed.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::base::time::Timestamp;
use crate::domain::saml_entity::{Binding, LogoutService};

/// Where requests go (saml-metadata §2.4.3).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignOnService {
    /// How.
    pub binding: Binding,
    /// Where.
    pub location: String,
}

/// Keys and addresses.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Metadata {
    /// An identity provider of SAML 2.0.
    Saml {
        /// The keys it signs with: SubjectPublicKeyInfo, DER, in base64. Never empty.
        signing_keys: Vec<String>,
        /// Where requests go; never empty.
        sign_on: Vec<SignOnService>,
        /// Where logout messages go.
        logout: Vec<LogoutService>,
        /// Whether it says that it takes signed requests only.
        wants_signed_requests: bool,
        /// The first end of a certificate of a signing key, for a warning; nothing is refused because of it.
        certificate_ends: Option<Timestamp>,
    },
    /// An OpenID provider.
    Oidc {
        /// Its discovery document (Discovery 1.0 §3), as far as it is used, as JSON.
        discovery: serde_json::Value,
        /// Its keys (RFC 7517 §5).
        jwks: serde_json::Value,
    },
}

/// What a refresh changed, by name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MetadataChange {
    /// Keys that are new, by the beginning of their digest or their `kid`.
    pub new_keys: Vec<String>,
    /// Keys that are gone.
    pub gone_keys: Vec<String>,
    /// Addresses and other members that are otherwise.
    pub changed: Vec<String>,
}

impl MetadataChange {
    /// Whether nothing changed.
    pub const fn is_empty(&self) -> bool {
        self.new_keys.is_empty() && self.gone_keys.is_empty() && self.changed.is_empty()
    }
}

/// How the taking of metadata went.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MetadataState {
    /// What was taken last, as long as it holds.
    pub metadata: Option<Metadata>,
    /// When it is looked at next; `None` for what nothing is fetched for.
    pub next_at: Option<Timestamp>,
    /// When it was last taken.
    pub succeeded_at: Option<Timestamp>,
    /// When taking it last failed, since when it did not succeed.
    pub failed_at: Option<Timestamp>,
    /// Why.
    pub failure: Option<String>,
    /// Until when it holds, where it says so.
    pub valid_until: Option<Timestamp>,
    /// When something last changed.
    pub changed_at: Option<Timestamp>,
    /// What.
    pub change: MetadataChange,
}

impl MetadataState {
    /// What counts now: the last good copy, until it ends.
    pub fn current(&self, now: Timestamp) -> Option<&Metadata> {
        self.metadata
            .as_ref()
            .filter(|_| self.valid_until.is_none_or(|end| now < end))
    }

    /// Its age, where it was ever taken.
    pub fn age(&self, now: Timestamp) -> Option<Duration> {
        self.succeeded_at.map(|at| now.since(at))
    }
}

/// How logins by a provider go: counted by what really happens, not by asking whether it is there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Health {
    /// When somebody last came back signed in.
    pub succeeded_at: Option<Timestamp>,
    /// When an answer was last refused.
    pub failed_at: Option<Timestamp>,
    /// Why.
    pub failure: Option<String>,
    /// Failures since the last success.
    pub failures: u64,
}
