//! SAML in declarations: `[relying_party.saml]` with the metadata it names, and `[[saml_federation]]`.
//!
//! A metadata file is read when it is declared and kept whole; an address and a federation are only written down here, and
//! fetched by whoever refreshes.

use std::path::PathBuf;
use std::time::Duration;

use serde::Deserialize;

use super::relying_party::ReadFile;
use super::value::{Parsed, SafeAddress, WebAddress, parsed, yes};
use super::{Declaration, Difference, Verb};
use crate::base::time::Timestamp;
use crate::domain::relying_party::{
    AttributeNames, Encryption, Preset, RelyingParty, RelyingPartyId, SamlParty, Signed, Tolerances,
};
use crate::domain::saml_source::{
    Location, MAX_AGE, MAX_VALIDITY, MOST_BYTES, Origin, Source, SourceState, Terms,
};
use crate::flows::{Context, Failure};
use crate::saml::metadata::{Allowed, Entities, Found, ReadEntity, pinned, take};
use crate::saml::xml::Limits;
use crate::store;
use crate::store::db::Tx;
use crate::store::saml_entity::NewEntity;

/// What differences call a federation.
const FEDERATION: &str = "saml_federation";
/// The longest metadata file of a party.
const MOST_OF_A_PARTY: u64 = 16 * 1024 * 1024;
const HOUR: u64 = 3600;

/// `[relying_party.saml]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SamlEntry {
    entity_id: Option<String>,
    metadata_file: Option<PathBuf>,
    metadata_url: Option<WebAddress>,
    #[serde(default)]
    metadata_certificates: Vec<PathBuf>,
    metadata_max_age_hours: Option<u32>,
    federation: Option<Parsed<RelyingPartyId>>,
    signed: Option<Parsed<Signed>>,
    #[serde(default)]
    ecdsa: bool,
    encryption: Option<Parsed<Encryption>>,
    #[serde(default)]
    mgf: bool,
    name_id_format: Option<String>,
    names: Option<Parsed<AttributeNames>>,
    preset: Option<Parsed<Preset>>,
    #[serde(default = "yes")]
    idp_initiated: bool,
    authn_context: Option<String>,
    #[serde(default)]
    tolerances: TolerancesEntry,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct TolerancesEntry {
    unsigned_requests: bool,
    unsigned_logout: bool,
    sha1_requests: bool,
    index_and_url: bool,
    cbc: bool,
    http_addresses: bool,
}

/// `[[saml_federation]]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FederationEntry {
    #[serde(deserialize_with = "parsed")]
    pub(super) id: RelyingPartyId,
    url: Option<WebAddress>,
    file: Option<PathBuf>,
    certificates: Vec<PathBuf>,
    max_age_hours: Option<u32>,
    max_validity_days: Option<u32>,
    most_megabytes: Option<u32>,
}

/// The metadata of a party's own that its declaration names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeclaredMetadata {
    /// Where they come from.
    pub source: Source,
    /// What a file said.
    pub entity: Option<ReadEntity>,
}

fn hours(count: Option<u32>) -> Duration {
    count.map_or(MAX_AGE, |count| Duration::from_secs(u64::from(count) * HOUR))
}

/// The keys of certificate files.
pub(super) fn keys(field: &str, files: &[PathBuf], read: ReadFile<'_>) -> Result<Vec<String>, String> {
    let key = |file: &PathBuf| {
        let field = format!("{field}: {}", file.display());
        let text = read(file).map_err(|error| format!("{field}: {error}"))?;
        pinned(&text).map_err(|error| format!("{field}: {error}"))
    };
    files.iter().map(key).collect()
}

/// The two halves of what a table says: the party, and the metadata of its own.
pub(super) fn saml(
    party: &RelyingPartyId,
    entry: SamlEntry,
    read: ReadFile<'_>,
) -> Result<(SamlParty, Option<DeclaredMetadata>), String> {
    let tolerances = tolerances(&entry.tolerances);
    let pinned = keys("metadata_certificates", &entry.metadata_certificates, read)?;
    let mut terms = Terms {
        location: Location::Declared,
        keys: pinned,
        entity_id: entry.entity_id.clone(),
        http_addresses: tolerances.http_addresses,
        max_age: hours(entry.metadata_max_age_hours),
        max_validity: MAX_VALIDITY,
        most_bytes: MOST_OF_A_PARTY,
    };
    let id = Source::id_of_party(party);
    let metadata = match (&entry.metadata_file, &entry.metadata_url) {
        (Some(_), Some(_)) => return Err("metadata_url: goes without metadata_file".to_owned()),
        (None, None) if !terms.keys.is_empty() => {
            return Err("metadata_certificates: goes with metadata_file or metadata_url".to_owned());
        }
        (None, None) => None,
        (Some(file), None) => {
            let field = format!("metadata_file: {}", file.display());
            let text = read(file).map_err(|error| format!("{field}: {error}"))?;
            let entity = from_text(&text, &terms).map_err(|error| format!("{field}: {error}"))?;
            terms.entity_id = Some(entity.provider.entity_id.clone());
            let origin = Origin::File;
            let source = Source { id, origin, terms };
            let entity = Some(entity);
            Some(DeclaredMetadata { source, entity })
        }
        (None, Some(url)) => {
            // Without TLS, only a signature says whose they are.
            if terms.keys.is_empty() {
                url.0
                    .parse::<SafeAddress>()
                    .map_err(|error| format!("metadata_url: {error}, or metadata_certificates are needed"))?;
            }
            terms.location = Location::Url(url.0.clone());
            let origin = Origin::Url;
            let source = Source { id, origin, terms };
            Some(DeclaredMetadata { source, entity: None })
        }
    };
    let from_file = metadata
        .as_ref()
        .and_then(|metadata| metadata.source.terms.entity_id.clone());
    let entity_id = entry.entity_id.or(from_file).unwrap_or_default();
    let is_sound = !entity_id.is_empty()
        && entity_id.chars().count() <= 1024
        && !entity_id
            .chars()
            .any(|symbol| symbol.is_whitespace() || symbol.is_control());
    if !is_sound {
        return Err("entity_id: is missing, too long, or holds spaces".to_owned());
    }
    if metadata.is_none() && entry.federation.is_none() {
        return Err("metadata_file: it, metadata_url or federation is needed".to_owned());
    }
    let party = SamlParty {
        entity_id,
        federation: entry.federation.map(|id| id.0.to_string()),
        signed: entry.signed.map_or_else(Signed::default, |value| value.0),
        ecdsa: entry.ecdsa,
        encryption: entry.encryption.map_or_else(Encryption::default, |value| value.0),
        mgf: entry.mgf,
        name_id_format: entry.name_id_format,
        names: entry.names.map_or_else(AttributeNames::default, |value| value.0),
        preset: entry.preset.map_or_else(Preset::default, |value| value.0),
        idp_initiated: entry.idp_initiated,
        authn_context: entry.authn_context,
        tolerances,
    };
    Ok((party, metadata))
}

const fn tolerances(entry: &TolerancesEntry) -> Tolerances {
    Tolerances {
        unsigned_requests: entry.unsigned_requests,
        unsigned_logout: entry.unsigned_logout,
        sha1_requests: entry.sha1_requests,
        index_and_url: entry.index_and_url,
        cbc: entry.cbc,
        http_addresses: entry.http_addresses,
    }
}

/// The one service provider that a file is about, or the one of many that was named. Whether it is over is told when it
/// is applied.
fn from_text(text: &str, terms: &Terms) -> Result<ReadEntity, String> {
    let limits = Limits {
        bytes: usize::try_from(terms.most_bytes).unwrap_or(usize::MAX),
        ..Limits::METADATA
    };
    let keys: Vec<_> = terms
        .keys
        .iter()
        .filter_map(|key| data_encoding::BASE64.decode(key.as_bytes()).ok())
        .filter_map(|der| crate::saml::xmlsec::PublicKey::from_der(&der).ok())
        .collect();
    let wanted = (!terms.keys.is_empty()).then_some(keys.as_slice());
    let mut bytes = Vec::new();
    let taken = take(text.as_bytes(), wanted, limits, &mut bytes).map_err(|error| error.to_string())?;
    let allowed = Allowed {
        http_addresses: terms.http_addresses,
    };
    let always = Timestamp::from_micros(i64::MIN);
    let entities = Entities::new(bytes.as_slice(), allowed, "".into(), taken.repeated, always);
    let (mut services, mut why) = (Vec::new(), None);
    for found in entities {
        match found.map_err(|error| error.to_string())? {
            Found::Service(entity) => services.push(*entity),
            Found::Unusable { entity_id, reason } => {
                let is_it = terms.entity_id.is_none() || entity_id == terms.entity_id;
                why = why.or_else(|| is_it.then(|| reason.to_string()));
            }
            Found::Ourselves(_) | Found::Other => {}
        }
    }
    if let Some(wanted) = &terms.entity_id {
        services.retain(|entity| entity.provider.entity_id == *wanted);
    }
    let mut services = services.into_iter();
    match (services.next(), services.next()) {
        (Some(mut entity), None) => {
            entity.valid_until = entity.valid_until.into_iter().chain(taken.valid_until).min();
            Ok(entity)
        }
        (Some(_), Some(_)) => {
            Err("has several service providers: entity_id says which one is meant".to_owned())
        }
        (None, _) => Err(why.unwrap_or_else(|| "has no service provider of that entity_id".to_owned())),
    }
}

pub(super) fn federation(entry: FederationEntry, read: ReadFile<'_>) -> Result<Source, String> {
    let keys = keys("certificates", &entry.certificates, read)?;
    if keys.is_empty() {
        return Err("certificates: is empty: nothing would say whose metadata they are".to_owned());
    }
    let location = match (entry.url, entry.file) {
        (Some(url), None) => Location::Url(url.0),
        (None, Some(file)) if file.is_absolute() => Location::Path(file.display().to_string()),
        (None, Some(_)) => return Err("file: must be absolute, and there on each node".to_owned()),
        _ => return Err("url: one of url and file".to_owned()),
    };
    let megabytes = |count: u32| u64::from(count) * 1024 * 1024;
    let days = |count: u32| Duration::from_secs(u64::from(count) * 24 * HOUR);
    Ok(Source {
        id: Source::id_of_federation(entry.id.as_str()),
        origin: Origin::Federation,
        terms: Terms {
            location,
            keys,
            entity_id: None,
            http_addresses: false,
            max_age: hours(entry.max_age_hours),
            max_validity: entry.max_validity_days.map_or(MAX_VALIDITY, days),
            most_bytes: entry.most_megabytes.map_or(MOST_BYTES, megabytes),
        },
    })
}

/// Makes the federations as declared.
pub(super) async fn apply_federations(
    context: &Context,
    tx: &mut Tx,
    declaration: &Declaration,
    out: &mut Vec<Difference>,
) -> Result<(), Failure> {
    for source in &declaration.saml_federations {
        let before = store::saml_source::find(tx, &source.id).await?;
        let verb = super::compare(before.as_ref().map(|(before, _)| before), source);
        let mut note = None;
        if verb != Verb::Unchanged {
            let mut words = String::new();
            let signed_by = before.as_ref().and_then(|(_, state)| state.signed_by.as_ref());
            // Whoever unpins a key does not trust what it signed.
            if signed_by.is_some_and(|key| !source.terms.keys.contains(key)) {
                store::saml_source::forget(tx, &source.id).await?;
                words.push_str("what a key that is pinned no more had signed is forgotten; ");
            }
            store::saml_source::declare(tx, source, Some(context.now())).await?;
            note = Some(format!(
                "{words}fetched within a minute, or by: marelle saml refresh {}",
                source.id
            ));
        }
        out.push(Difference::new(verb, FEDERATION, name_of(source)).noted(note));
    }
    Ok(())
}

fn name_of(source: &Source) -> &str {
    source.id.strip_prefix("federation:").unwrap_or(&source.id)
}

/// Makes the metadata of a party's own as declared; answers what the operator should know, where something changed.
pub(super) async fn apply_metadata(
    context: &Context,
    tx: &mut Tx,
    party: &RelyingParty,
    declared: Option<&DeclaredMetadata>,
) -> Result<Option<String>, Failure> {
    let id = Source::id_of_party(&party.id);
    let before = store::saml_source::find(tx, &id).await?;
    let Some(declared) = declared else {
        let was = store::saml_source::forget(tx, &id).await?;
        return Ok(was.then(|| "metadata of its own forgotten".to_owned()));
    };
    let mut source = declared.source.clone();
    source.terms.entity_id = party.saml.as_ref().map(|saml| saml.entity_id.clone());
    let is_same = before.as_ref().is_some_and(|(before, _)| *before == source);
    let now = context.now();
    let Some(entity) = &declared.entity else {
        if is_same {
            return Ok(None);
        }
        store::saml_source::declare(tx, &source, Some(now)).await?;
        return Ok(Some(format!(
            "metadata fetched within a minute, or by: marelle saml refresh {id}"
        )));
    };
    let written = NewEntity {
        provider: entity.provider.clone(),
        valid_until: entity.valid_until,
    }
    .written()?;
    let known = store::saml_entity::known(tx, &id, std::slice::from_ref(&written)).await?;
    if is_same && known.iter().any(|known| known.says(&written)) {
        return Ok(None);
    }
    store::saml_source::forget(tx, &id).await?;
    store::saml_source::declare(tx, &source, None).await?;
    store::saml_entity::save(tx, &source, vec![written], now).await?;
    let state = SourceState {
        succeeded_at: Some(now),
        changed_at: Some(now),
        valid_until: entity.valid_until,
        entities: 1,
        ..SourceState::default()
    };
    store::saml_source::succeed(tx, &id, &state, &[]).await?;
    Ok(Some(match entity.valid_until {
        Some(end) if end <= now => format!("its metadata are over since {end}: nobody can sign in there"),
        _ => "metadata read".to_owned(),
    }))
}

/// Why a party cannot be the service provider that it says, where somebody else is, or what is missing for it.
pub(super) async fn concern(tx: &mut Tx, party: &RelyingParty, now: Timestamp) -> Result<Concern, Failure> {
    let Some(saml) = &party.saml else {
        return Ok(Concern::None);
    };
    if let Some((other, _)) = store::relying_party::find_by_entity(tx, &saml.entity_id, now).await?
        && other.id != party.id
    {
        return Ok(Concern::Taken(other.id));
    }
    if let Some(federation) = &saml.federation
        && store::saml_source::find(tx, &Source::id_of_federation(federation))
            .await?
            .is_none()
    {
        return Ok(Concern::NoFederation(federation.clone()));
    }
    Ok(Concern::None)
}

/// What stands in the way of a service provider.
pub(super) enum Concern {
    /// Nothing.
    None,
    /// Another party has its entityID.
    Taken(RelyingPartyId),
    /// The federation that it names is not declared.
    NoFederation(String),
}

/// Forgets the federations that are not declared.
pub(super) async fn prune(
    tx: &mut Tx,
    declaration: &Declaration,
    out: &mut Vec<Difference>,
) -> Result<(), Failure> {
    let declared = &declaration.saml_federations;
    for (source, _) in store::saml_source::all(tx).await? {
        let is_declared = declared.iter().any(|declared| declared.id == source.id);
        if source.origin == Origin::Federation && !is_declared {
            store::saml_source::forget(tx, &source.id).await?;
            out.push(Difference::new(Verb::Removed, FEDERATION, name_of(&source)));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
