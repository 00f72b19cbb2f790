//! The public keys of relying parties: registered with them, or published at their `jwks_uri` and fetched when needed.
//!
//! | what is asked | what happens |
//! | --- | --- |
//! | a key that is held, ten minutes old at most | nothing is fetched |
//! | a key that is not held | fetched anew, at most once in five seconds for an address: a storm of unknown names costs nothing |
//! | an address that does not answer | what was held before goes on being used for a day |
//!
//! What is held in memory is a cache and nothing else: each node fetches for itself. Where an address may point is
//! decided when it is declared or registered.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::Context;
use super::outbound::Reach;
use crate::base::time::Timestamp;
use crate::domain::relying_party::{ClientKeys, RelyingParty};
use crate::jose::KeySet;

/// How long fetched keys are used without asking again.
const FRESH: Duration = Duration::from_secs(600);
/// How soon an address is asked again, whoever wants what of it.
const PAUSE: Duration = Duration::from_secs(5);
/// How long keys are used whose address does not answer any more.
const STALE: Duration = Duration::from_secs(24 * 3600);
/// The longest key set that is read.
const BODY: usize = 64 * 1024;
/// The most addresses that are remembered; far above the relying parties of an academy.
const MOST: usize = 10_000;

/// Keys that were fetched, by address. Cheap to clone.
#[derive(Clone, Default)]
pub struct FetchedKeys(Arc<Mutex<HashMap<String, Held>>>);

#[derive(Clone)]
struct Held {
    keys: Arc<KeySet>,
    /// When they came.
    fetched_at: Timestamp,
    /// When the address was last asked, whatever came of it.
    asked_at: Timestamp,
}

impl FetchedKeys {
    fn find(&self, uri: &str) -> Option<Held> {
        let held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        held.get(uri).cloned()
    }

    fn keep(&self, uri: &str, held: Held) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= MOST && !all.contains_key(uri) {
            all.clear();
        }
        all.insert(uri.to_owned(), held);
    }
}

/// The keys of a party; `wanted` is the name of the one that is looked for, where the token says it. A party without
/// usable keys has an empty set: nothing verifies by it.
pub async fn keys_of(context: &Context, party: &RelyingParty, wanted: Option<&str>) -> Arc<KeySet> {
    match &party.metadata.keys {
        ClientKeys::None => Arc::default(),
        ClientKeys::Jwks(text) => Arc::new(read(text.as_bytes()).unwrap_or_else(|cause| {
            tracing::warn!(client = %party.id, %cause, "the registered keys cannot be read");
            KeySet::default()
        })),
        ClientKeys::JwksUri(uri) => fetched(context, party, uri, wanted).await,
    }
}

fn read(json: &[u8]) -> Result<KeySet, String> {
    let value: serde_json::Value = serde_json::from_slice(json).map_err(|error| error.to_string())?;
    KeySet::read(&value).map_err(|error| error.to_string())
}

async fn fetched(context: &Context, party: &RelyingParty, uri: &str, wanted: Option<&str>) -> Arc<KeySet> {
    let now = context.now();
    let held = context.client_keys.find(uri);
    if let Some(held) = &held {
        let has_it = wanted.is_none_or(|kid| held.keys.find(kid).is_some());
        let is_fresh = now.since(held.fetched_at) < FRESH && has_it;
        if is_fresh || now.since(held.asked_at) < PAUSE {
            return held.keys.clone();
        }
    }
    match fetch(context, Reach::of(party), uri).await {
        Ok(keys) => {
            let keys = Arc::new(keys);
            let held = Held {
                keys: keys.clone(),
                fetched_at: now,
                asked_at: now,
            };
            context.client_keys.keep(uri, held);
            keys
        }
        Err(cause) => {
            tracing::warn!(client = %party.id, %cause, "the keys of a relying party could not be fetched");
            let before = held.filter(|held| now.since(held.fetched_at) < STALE);
            let (keys, fetched_at) = match before {
                Some(held) => (held.keys, held.fetched_at),
                None => (Arc::default(), now.minus(FRESH)),
            };
            let held = Held {
                keys: keys.clone(),
                fetched_at,
                asked_at: now,
            };
            context.client_keys.keep(uri, held);
            keys
        }
    }
}

async fn fetch(context: &Context, reach: Reach, uri: &str) -> Result<KeySet, String> {
    let request = http::Request::get(uri)
        .extension(reach)
        .header(http::header::ACCEPT, "application/jwk-set+json, application/json")
        .body(Vec::new())
        .map_err(|error| error.to_string())?;
    let answer = context
        .outbound
        .send(request)
        .await
        .map_err(|error| error.to_string())?;
    if answer.status() != http::StatusCode::OK {
        return Err(format!("status {}", answer.status()));
    }
    if answer.body().len() > BODY {
        return Err(format!("longer than {BODY} bytes"));
    }
    read(answer.body())
}
