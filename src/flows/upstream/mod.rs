//! People who come from another provider: sending them there, believing what it says, and finding out who they are here.
//!
//! | file | someone |
//! | --- | --- |
//! | `ways` | sees which providers a page offers |
//! | `begin` | is sent to a provider |
//! | `saml`, `oidc` | comes back from one, or comes without having been sent |
//! | `settle` | is signed in, asked to prove who they are, put before a human, or sent away |
//! | `candidates` | may be meant |
//! | `link` | proves once who they are; is bound, taken apart, bound anew |
//! | `case` | is recognised by a human |
//! | `child` | is a child whom a provider knows by a number that no feed states |
//! | `rights` | works there, and what they may do here by its word |
//! | `logout` | leaves, here or there |
//! | `metadata` | is believed by these keys, at these addresses |
//!
//! A provider that is not open is closed on every path. Must never bind anybody but by what `upstream::linking` decided, and
//! never send anybody but to an address of the provider's metadata.

pub mod begin;
mod candidates;
pub mod case;
mod child;
pub mod link;
pub mod logout;
pub mod metadata;
pub mod oidc;
pub mod rights;
pub mod saml;
mod settle;
pub mod ways;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::{Context, Failure};
use crate::base::secret::Secret;
use crate::domain::audit::{Actor, Event, Kind};
use crate::domain::upstream::{Health, MetadataState, ProviderId, UpstreamProvider};
use crate::store;
use crate::store::db::Conn;
use crate::store::upstream_provider::Kept;

/// What became of somebody who came from a provider.
#[derive(Debug)]
pub enum Outcome {
    /// They are signed in.
    SignedIn {
        /// The new cookie of the browser.
        cookie: Secret,
        /// Where they go on.
        next: String,
        /// The way by which they came, for a device of their own to remember.
        provider: ProviderId,
    },
    /// The browser has to come again with its cookies: an answer by form of another site comes without.
    SentRound {
        /// What it brings, once.
        ticket: String,
    },
    /// They have to sign in once as before; the login page takes this along.
    Prove {
        /// The sealed [`Continuation`](super::continuation::Continuation).
        continuation: String,
    },
    /// A human has to say who they are.
    Waits {
        /// The name of the provider.
        provider: String,
    },
    /// They are not let in.
    Refused {
        /// The name of the provider.
        provider: String,
        /// Why, as far as they are told.
        why: Why,
    },
    /// What came is not believed, or belongs to nothing that waits: they begin again.
    NotBelieved,
}

/// Why somebody is not let in, as far as they are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// The way is not for people like them.
    Population,
    /// Nobody of that name can sign in here, or nobody knows them.
    Unknown,
    /// The person did not finish there.
    NotFinished,
}

/// A provider with all that is known of it.
#[derive(Debug, Clone)]
pub struct Provider {
    /// What is declared.
    pub declared: UpstreamProvider,
    /// What was fetched.
    pub state: MetadataState,
    secret: Option<Vec<u8>>,
}

impl Provider {
    fn of((kept, state): (Kept, MetadataState)) -> Self {
        Self {
            declared: kept.provider,
            state,
            secret: kept.secret,
        }
    }

    /// Our secret there.
    pub(super) fn secret(&self, context: &Context) -> Result<Option<Secret>, Failure> {
        let Some(sealed) = &self.secret else {
            return Ok(None);
        };
        let plain = context.vault.open(&sealed_for(&self.declared.id), sealed)?;
        Ok(Some(Secret::new(String::from_utf8_lossy(&plain).into_owned())))
    }
}

/// A provider and how it stands.
#[derive(Debug, Clone)]
pub struct Standing {
    /// What is declared.
    pub provider: UpstreamProvider,
    /// What was fetched.
    pub metadata: MetadataState,
    /// How its logins go.
    pub health: Health,
    /// How many people are linked by it.
    pub links: i64,
}

/// Every provider and how it stands.
///
/// # Errors
/// [`Failure`].
pub async fn standing(context: &Context) -> Result<Vec<Standing>, Failure> {
    let mut conn = context.db.reader().await?;
    let mut all = Vec::new();
    for kept in store::upstream_provider::all(&mut conn).await? {
        let id = &kept.provider.id;
        let found = store::upstream_provider::find(&mut conn, id).await?;
        all.push(Standing {
            metadata: found.map(|(_, state)| state).unwrap_or_default(),
            health: store::upstream_provider::health(&mut conn, id).await?,
            links: store::upstream_provider::links(&mut conn, id).await?,
            provider: kept.provider,
        });
    }
    Ok(all)
}

/// What a secret at a provider is sealed for.
pub(in crate::flows) fn sealed_for(id: &ProviderId) -> String {
    format!("upstream secret {id}")
}

/// A provider that people may come by today; `None` for one that is not declared or not open.
async fn open_provider(
    context: &Context,
    conn: &mut Conn,
    id: &ProviderId,
) -> Result<Option<Provider>, Failure> {
    let found = store::upstream_provider::find(conn, id).await?.map(Provider::of);
    let today = context.now().date();
    Ok(found.filter(|provider| provider.declared.is_open(today)))
}

/// Our entityID as a service provider of others.
pub fn entity_id(context: &Context) -> String {
    format!("{}/saml/sp/metadata", context.settings.public_url)
}

/// Where providers of SAML send people with an answer.
pub fn assertion_consumer(context: &Context) -> String {
    format!("{}/saml/sp/acs", context.settings.public_url)
}

/// Where an OpenID provider sends people: an address of its own for each, so that no answer is taken for another's.
pub fn redirect_uri(context: &Context, provider: &ProviderId) -> String {
    format!("{}/login/callback/{provider}", context.settings.public_url)
}

/// What waits, in the database, for the answer of a provider.
#[derive(Debug, Serialize, Deserialize)]
struct Waits {
    /// The sealed continuation of the service that the person comes from.
    continuation: Option<String>,
    /// The nonce of an ID Token.
    nonce: String,
    /// The verifier of PKCE.
    verifier: String,
    /// Since when a login there counts, in microseconds, where the person was sent to prove themselves again.
    login_since: Option<i64>,
}

/// An answer was not believed: it is journalled, and counts against the health of the provider. The person learns nothing of
/// the cause.
async fn note_failure(context: &Context, provider: &ProviderId, why: &str) -> Result<(), Failure> {
    tracing::warn!(%provider, cause = why, "an answer of a provider is not believed");
    let now = context.now();
    let mut tx = context.db.begin().await?;
    store::upstream_provider::fails(&mut tx, provider, now, why).await?;
    let event = Event::new(Kind::UpstreamAnswerRefused, Actor::Anonymous)
        .about(provider)
        .with("cause", why);
    store::audit::append(&mut tx, now, &event).await?;
    Ok(tx.commit().await?)
}

/// Seals what only we read.
fn seal<T: Serialize>(context: &Context, purpose: &str, inside: &T) -> Result<Vec<u8>, Failure> {
    let plain = serde_json::to_vec(inside).map_err(|error| Failure::Task(error.to_string()))?;
    Ok(context.vault.seal(purpose, &plain, &*context.random)?)
}

/// Opens what [`seal`] made; `None` for anything else.
fn unseal<T: DeserializeOwned>(context: &Context, purpose: &str, sealed: &[u8]) -> Option<T> {
    serde_json::from_slice(&context.vault.open(purpose, sealed).ok()?).ok()
}
