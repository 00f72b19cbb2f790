//! L4: one file per thing someone does. A flow loads, asks a core, writes, audits and commits: one transaction.
//!
//! Flows know no HTTP and shape no page. A flow that must keep something although it refuses (a counted failure, a
//! revoked family) commits it first and says so in its outcome.

mod access_token;
pub mod account;
pub mod admission;
pub mod audit;
pub mod authorize;
pub mod cas;
pub mod class_code;
pub mod class_page;
pub mod classroom;
pub mod client;
pub mod client_authentication;
pub mod client_keys;
pub mod contact;
pub mod continuation;
pub mod credential;
pub mod declaration;
mod delivery;
pub mod dpop;
pub mod drop_folder;
pub mod event_delivery;
pub mod home;
pub mod id_token;
pub mod import;
pub mod installation;
pub mod introspection;
pub mod keys;
pub mod logout;
pub mod logout_delivery;
pub mod matching;
pub mod merge;
pub mod notice;
pub mod outbound;
pub mod overview;
pub mod password_gate;
pub mod person;
pub mod purge;
pub mod pushed_request;
mod recognition;
pub mod registration;
pub mod release;
pub mod request_object;
pub mod revocation;
pub mod saml;
pub mod security_event;
pub mod session;
pub mod sign_in;
pub mod subject;
pub mod token;
pub mod undo;
pub mod upstream;
pub mod userinfo;
pub mod year;

#[cfg(test)]
pub(crate) mod testing;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;

use self::recognition::model::Models;
use self::saml::SamlState;
use crate::base::random::Random;
use crate::base::secret::{SecretError, Vault};
use crate::base::time::{Clock, Timestamp};
use crate::domain::session::Lifetimes;
use crate::jose::JoseError;
use crate::saml::metadata::Presentation;
use crate::saml::xmlsec::KeyError;
use crate::store::StoreError;
use crate::store::db::Db;
use client_keys::FetchedKeys;
use outbound::Outbound;
use password_gate::PasswordGate;

/// What every flow needs: made once by the composition root, cheap to clone.
#[derive(Clone)]
pub struct Context {
    /// The database.
    pub db: Db,
    /// Seals and indexes under the master key.
    pub vault: Vault,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub random: Arc<dyn Random>,
    /// Where passwords are hashed.
    pub passwords: Arc<PasswordGate>,
    /// The way to other hosts.
    pub outbound: Arc<dyn Outbound>,
    /// Keys of relying parties that were fetched.
    pub client_keys: FetchedKeys,
    /// Rung after a commit that left logout tokens waiting, so that this node's job does not sleep its second out.
    pub logout_bell: Arc<Notify>,
    /// What agreement weighs when records are recognised.
    pub models: Models,
    /// The keys of SAML and our metadata.
    pub saml: SamlState,
    /// What the installation decided.
    pub settings: Arc<Settings>,
}

impl Context {
    /// The present instant.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }
}

/// What the installation decided, as flows need it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The issuer: `https://id.example.fr`, no slash at the end. Frozen at first start.
    pub public_url: String,
    /// How long sessions live.
    pub sessions: Lifetimes,
    /// How long an authorization code may wait (RFC 6749 §4.1.2 advises at most ten minutes).
    pub code_lifetime: Duration,
    /// How long an access token is good.
    pub access_token_lifetime: Duration,
    /// How long an ID Token is good.
    pub id_token_lifetime: Duration,
    /// How long a refresh token is good that outlives its login (`offline_access`).
    pub refresh_token_lifetime: Duration,
    /// How long a pushed request waits for its browser (RFC 9126 §2.2).
    pub pushed_request_lifetime: Duration,
    /// How long a ticket may wait to be validated (CAS Protocol 3.0 §3.1.1 advises at most five minutes).
    pub ticket_lifetime: Duration,
    /// Whether proofs of possession must hold a nonce of ours (RFC 9449 §8).
    pub needs_dpop_nonce: bool,
    /// After how long a signing key is rotated by itself; `None` for never.
    pub key_rotation: Option<Duration>,
    /// The folders into which feeds are dropped.
    pub feeds: drop_folder::Feeds,
    /// How many days after they left people are erased.
    pub departed_days: u32,
    /// What SAML federations and partners are told of the installation.
    pub saml: Presentation,
    /// How long our SAML metadata hold from the day they are asked for.
    pub saml_metadata_lifetime: Duration,
}

/// What no flow can do anything about: the person sees one generic sentence, the operator the cause.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The cryptographic library, or a master key that does not fit the data.
    #[error(transparent)]
    Secret(#[from] SecretError),
    /// A signing key that does not work.
    #[error(transparent)]
    Jose(#[from] JoseError),
    /// A key of SAML that does not work.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// A background task did not come back.
    #[error("task: {0}")]
    Task(String),
}

impl Failure {
    /// Whether the same request may succeed in a moment.
    pub fn is_unavailable(&self) -> bool {
        matches!(self, Self::Store(StoreError::Unavailable { .. }))
    }
}
