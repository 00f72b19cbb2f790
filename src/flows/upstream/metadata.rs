//! Keys and addresses of providers: fetched when they are due, kept as long as they hold, and what changed is said.
//!
//! | of | is fetched | believed because |
//! | --- | --- | --- |
//! | SAML | a file of the declaration, an address, or an aggregate | a pinned key signed it, or the address is the provider's own |
//! | OpenID Connect | the discovery document and the keys that it names | the address is the issuer's own |
//!
//! The last good copy is used until a better one comes or it ends. A refresh never writes what is declared.

use std::io::{BufReader, Cursor};
use std::time::Duration;

use data_encoding::BASE64;
use http::StatusCode;

use super::{Context, Failure, Provider};
use crate::base::random;
use crate::base::secret::sha256;
use crate::base::time::Timestamp;
use crate::domain::audit::{Actor, Event, Kind};
use crate::domain::saml_source::{Location, Terms};
use crate::domain::upstream::{
    Metadata, MetadataChange, MetadataState, OidcProvider, Protocol, ProviderId, SamlProvider,
};
use crate::flows::outbound::{Limit, Reach};
use crate::oidc::upstream as oidc;
use crate::saml::metadata::{Allowed, ReadProvider, provider as read_provider, take};
use crate::saml::xml::Limits;
use crate::saml::xmlsec::PublicKey;
use crate::store;

/// How long a node may work on a provider without a sign of life.
const CLAIM: Duration = Duration::from_secs(10 * 60);
/// How often a provider is looked at that does not say how long it may be kept; and the bounds of what one says.
const USUAL: Duration = Duration::from_secs(3600);
const SOONEST: Duration = Duration::from_secs(15 * 60);
const LATEST: Duration = Duration::from_secs(24 * 3600);
/// How soon one that failed is looked at again.
const AGAIN: Duration = Duration::from_secs(300);
/// The longest a download may take.
const TIME: Duration = Duration::from_secs(120);
/// The age at which somebody has to look.
const OLD: Duration = Duration::from_secs(2 * 24 * 3600);
/// How long before a certificate ends somebody is told.
const CERTIFICATE_WARNING: Duration = Duration::from_secs(30 * 24 * 3600);

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It was taken.
    Taken(MetadataChange),
    /// It could not be taken, and why.
    Failed(String),
    /// Another node is taking it.
    Busy,
    /// There is nothing to fetch: it stands in the declaration.
    Declared,
}

/// Takes the metadata of every provider that is due and that no other node is taking.
///
/// # Errors
/// [`Failure`].
pub async fn refresh_due(context: &Context) -> Result<Vec<(ProviderId, Outcome)>, Failure> {
    let mut conn = context.db.reader().await?;
    let due = store::upstream_provider::due(&mut conn, context.now()).await?;
    drop(conn);
    let mut done = Vec::new();
    for id in due {
        if let Some(outcome) = refresh(context, &id).await? {
            done.push((id, outcome));
        }
    }
    Ok(done)
}

/// Takes the metadata of a provider now, due or not; `None` where there is none of that id.
///
/// # Errors
/// [`Failure`].
pub async fn refresh(context: &Context, id: &ProviderId) -> Result<Option<Outcome>, Failure> {
    let now = context.now();
    let claim = random::symbols(&*context.random, b"abcdefghijklmnopqrstuvwxyz0123456789", 20);
    let mut tx = context.db.begin().await?;
    let is_ours = store::upstream_provider::claim(&mut tx, id, (&claim, now.plus(CLAIM)), now).await?;
    let found = store::upstream_provider::find(&mut tx, id)
        .await?
        .map(Provider::of);
    tx.commit().await?;
    let Some(provider) = found else {
        return Ok(None);
    };
    if matches!(&provider.declared.protocol, Protocol::Saml(saml) if saml.terms.location == Location::Declared)
    {
        return Ok(Some(Outcome::Declared));
    }
    if !is_ours {
        return Ok(Some(Outcome::Busy));
    }
    let fetched = match &provider.declared.protocol {
        Protocol::Saml(saml) => of_saml(context, saml).await?,
        Protocol::Oidc(oidc) => of_oidc(context, oidc).await,
    };
    match fetched {
        Ok(fetched) => succeed(context, &provider, &claim, fetched).await.map(Some),
        Err(why) => fail(context, &provider, &claim, why).await.map(Some),
    }
}

/// What was fetched.
pub(in crate::flows) struct Fetched {
    metadata: Metadata,
    valid_until: Option<Timestamp>,
    cache: Option<Duration>,
}

async fn succeed(
    context: &Context,
    provider: &Provider,
    claim: &str,
    fetched: Fetched,
) -> Result<Outcome, Failure> {
    let now = context.now();
    let id = &provider.declared.id;
    let before = provider.state.metadata.as_ref();
    let change = before.map_or_else(MetadataChange::default, |before| diff(before, &fetched.metadata));
    let is_new = before.is_none();
    let state = MetadataState {
        next_at: Some(next_at(&fetched, now)),
        succeeded_at: Some(now),
        failed_at: None,
        failure: None,
        valid_until: fetched.valid_until,
        changed_at: if is_new || !change.is_empty() {
            Some(now)
        } else {
            provider.state.changed_at
        },
        change: if change.is_empty() {
            provider.state.change.clone()
        } else {
            change.clone()
        },
        metadata: Some(fetched.metadata),
    };
    let mut tx = context.db.begin().await?;
    if !store::upstream_provider::succeed(&mut tx, id, claim, &state).await? {
        return Ok(Outcome::Busy);
    }
    if is_new || !change.is_empty() {
        let event = Event::new(Kind::UpstreamMetadataChanged, Actor::System)
            .about(id)
            .with("new_keys", change.new_keys.join(" "))
            .with("gone_keys", change.gone_keys.join(" "))
            .with("changed", change.changed.join(" "));
        store::audit::append(&mut tx, now, &event).await?;
    }
    tx.commit().await?;
    warn(id, &state, now);
    Ok(Outcome::Taken(change))
}

async fn fail(context: &Context, provider: &Provider, claim: &str, why: String) -> Result<Outcome, Failure> {
    let now = context.now();
    let id = &provider.declared.id;
    let mut tx = context.db.begin().await?;
    if !store::upstream_provider::fail(&mut tx, (id, claim), (now.plus(AGAIN), now), &why).await? {
        return Ok(Outcome::Busy);
    }
    // The journal has each cause once, however often it comes again.
    if provider.state.failure.as_ref() != Some(&why) {
        let event = Event::new(Kind::UpstreamMetadataRefused, Actor::System)
            .about(id)
            .with("cause", &why);
        store::audit::append(&mut tx, now, &event).await?;
    }
    tx.commit().await?;
    tracing::warn!(provider = %id, cause = %why, "metadata were not taken; what was there before stays");
    warn(id, &provider.state, now);
    Ok(Outcome::Failed(why))
}

/// What somebody should know of the metadata of a provider, worst first.
pub fn warnings(state: &MetadataState, now: Timestamp) -> Vec<String> {
    let mut said = Vec::new();
    if state.metadata.is_none() {
        said.push("never fetched: nobody can come by it".to_owned());
    } else if state.current(now).is_none() {
        said.push("over: nobody can come by it".to_owned());
    }
    if state.age(now).is_some_and(|age| age > OLD) {
        said.push("fetched longer than two days ago".to_owned());
    }
    if let Some(Metadata::Saml {
        certificate_ends: Some(end),
        ..
    }) = &state.metadata
        && *end <= now.plus(CERTIFICATE_WARNING)
    {
        said.push(format!("a certificate ends at {end}: another key will come"));
    }
    said
}

fn warn(id: &ProviderId, state: &MetadataState, now: Timestamp) {
    for warning in warnings(state, now) {
        tracing::warn!(provider = %id, warning, "an upstream provider needs somebody to look at it");
    }
}

fn next_at(fetched: &Fetched, now: Timestamp) -> Timestamp {
    let half = fetched.valid_until.map(|end| end.since(now) / 2);
    let pause = [Some(fetched.cache.unwrap_or(USUAL)), half]
        .into_iter()
        .flatten()
        .min();
    now.plus(pause.unwrap_or(USUAL).clamp(SOONEST, LATEST))
}

/// What became otherwise.
fn diff(before: &Metadata, after: &Metadata) -> MetadataChange {
    match (before, after) {
        (
            Metadata::Oidc { discovery, jwks },
            Metadata::Oidc {
                discovery: new_discovery,
                jwks: new_jwks,
            },
        ) => oidc::change((discovery, jwks), (new_discovery, new_jwks)),
        (
            Metadata::Saml {
                signing_keys,
                sign_on,
                logout,
                ..
            },
            Metadata::Saml {
                signing_keys: new_keys,
                sign_on: new_sign_on,
                logout: new_logout,
                ..
            },
        ) => {
            let short = |key: &String| {
                let digest = data_encoding::HEXLOWER.encode(&sha256(key.as_bytes()));
                digest.chars().take(16).collect()
            };
            let missing = |keys: &[String], there: &[String]| {
                let gone = keys.iter().filter(|key| !there.contains(key));
                gone.map(short).collect()
            };
            let mut changed = Vec::new();
            if sign_on != new_sign_on {
                changed.push("SingleSignOnService".to_owned());
            }
            if logout != new_logout {
                changed.push("SingleLogoutService".to_owned());
            }
            MetadataChange {
                new_keys: missing(new_keys, signing_keys),
                gone_keys: missing(signing_keys, new_keys),
                changed,
            }
        }
        _ => MetadataChange {
            changed: vec!["protocol".to_owned()],
            ..MetadataChange::default()
        },
    }
}

async fn of_saml(context: &Context, saml: &SamlProvider) -> Result<Result<Fetched, String>, Failure> {
    let bytes = match &saml.terms.location {
        // It was read when it was applied.
        Location::Declared => return Ok(Err("it stands in the declaration".to_owned())),
        Location::Path(path) => tokio::fs::read(path)
            .await
            .map_err(|error| format!("{path}: {error}")),
        Location::Url(address) => download(context, address, saml.terms.most_bytes).await,
    };
    let bytes = match bytes {
        Ok(bytes) => bytes,
        Err(why) => return Ok(Err(why)),
    };
    let (saml, now) = (saml.clone(), context.now());
    crate::flows::saml::blocking(move || Ok(read_saml(&bytes, &saml.terms, &saml.entity_id, now))).await
}

/// The metadata of an identity provider out of a document, under terms.
pub(in crate::flows) fn read_saml(
    bytes: &[u8],
    terms: &Terms,
    entity_id: &str,
    now: Timestamp,
) -> Result<Fetched, String> {
    let key = |text: &String| {
        let der = BASE64
            .decode(text.as_bytes())
            .map_err(|error| error.to_string())?;
        PublicKey::from_der(&der).map_err(|error| error.to_string())
    };
    let keys: Vec<PublicKey> = terms.keys.iter().map(key).collect::<Result<_, _>>()?;
    let wanted = (!keys.is_empty()).then_some(keys.as_slice());
    let limits = Limits {
        bytes: usize::try_from(terms.most_bytes).unwrap_or(usize::MAX),
        ..Limits::METADATA
    };
    let mut canonical = Vec::new();
    let taken = take(BufReader::new(Cursor::new(bytes)), wanted, limits, &mut canonical)
        .map_err(|error| error.to_string())?;
    if let Some(end) = taken.valid_until.filter(|end| *end <= now) {
        return Err(format!("its validUntil has passed: {end}"));
    }
    let allowed = Allowed {
        http_addresses: terms.http_addresses,
    };
    let read = read_provider(canonical.as_slice(), &taken.repeated, entity_id, allowed, now)
        .map_err(|error| error.to_string())?;
    Ok(Fetched {
        valid_until: read.valid_until.into_iter().chain(taken.valid_until).min(),
        cache: read.cache_duration,
        metadata: of_provider(read),
    })
}

impl Fetched {
    /// What is kept of what stands in a declaration.
    pub(in crate::flows) fn into_state(self, now: Timestamp) -> MetadataState {
        MetadataState {
            metadata: Some(self.metadata),
            succeeded_at: Some(now),
            valid_until: self.valid_until,
            changed_at: Some(now),
            ..MetadataState::default()
        }
    }
}

fn of_provider(read: ReadProvider) -> Metadata {
    Metadata::Saml {
        signing_keys: read.signing_keys,
        sign_on: read.sign_on,
        logout: read.logout,
        wants_signed_requests: read.wants_signed_requests,
        certificate_ends: read.certificate_ends,
    }
}

async fn download(context: &Context, address: &str, most: u64) -> Result<Vec<u8>, String> {
    // An operator wrote the address down.
    let request = http::Request::get(address).extension(Reach::Anywhere);
    let request = request.body(Vec::new()).map_err(|error| error.to_string())?;
    let limit = Limit {
        bytes: most,
        time: TIME,
    };
    let mut bytes = Vec::new();
    let answer = context.outbound.download(request, limit, &mut bytes).await;
    let answer = answer.map_err(|error| error.to_string())?;
    match answer.status() {
        StatusCode::OK => Ok(bytes),
        status => Err(format!("status {status}")),
    }
}

async fn ask(
    context: &Context,
    mut request: http::Request<Vec<u8>>,
) -> Result<http::Response<Vec<u8>>, String> {
    // An operator declared the issuer.
    request.extensions_mut().insert(Reach::Anywhere);
    let answer = context.outbound.send(request).await;
    answer.map_err(|error| error.to_string())
}

async fn of_oidc(context: &Context, declared: &OidcProvider) -> Result<Fetched, String> {
    let wrong = |error: oidc::Rejected| error.to_string();
    let discovery = match &declared.endpoints {
        Some(endpoints) => oidc::fixed(endpoints, &declared.issuer).map_err(wrong)?,
        None => {
            let request = oidc::discovery_request(&declared.issuer).map_err(wrong)?;
            let answer = ask(context, request).await?;
            oidc::read_discovery(&declared.issuer, &answer).map_err(wrong)?
        }
    };
    let request = oidc::jwks_request(&discovery).map_err(wrong)?;
    let jwks = oidc::read_jwks(&ask(context, request).await?).map_err(wrong)?;
    Ok(Fetched {
        metadata: Metadata::Oidc { discovery, jwks },
        valid_until: None,
        cache: None,
    })
}
