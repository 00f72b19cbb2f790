//! Upstream providers in declarations: how a file writes one, and how the installation is made so.
//!
//! A metadata file is read when it is declared and kept whole; an address is only written down here, and fetched by whoever
//! refreshes.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Deserialize;
use toml::Spanned;

use super::relying_party::ReadFile;
use super::saml::keys;
use super::value::{Parsed, SafeAddress, WebAddress, parsed, values, yes};
use super::{Declaration, Difference, Verb};
use crate::base::secret::Secret;
use crate::base::time::{Date, Timestamp};
use crate::domain::assurance::Acr;
use crate::domain::education::AcademyCode;
use crate::domain::relying_party::ClientAuthMethod;
use crate::domain::saml_source::{Location, MAX_AGE, MAX_VALIDITY, Terms};
use crate::domain::upstream::{
    Assurance, FixedEndpoints, Linking, OidcProvider, Otherwise, Population, Preset, Protocol, ProviderId,
    SamlProvider, UpstreamProvider, Userinfo,
};
use crate::flows::upstream::metadata::read_saml;
use crate::flows::{Context, Failure, upstream};
use crate::store;
use crate::store::db::Tx;
use crate::store::upstream_provider::Kept;
use crate::upstream::preset;

mod staff;

/// What differences call it.
const NOUN: &str = "upstream_provider";
/// What an error of a staff rule begins with, before its place and a dot.
pub(super) const STAFF: &str = "staff.";
/// The longest document that one provider is looked for in: an aggregate.
const MOST_BYTES: u64 = 256 * 1024 * 1024;

/// `[[upstream_provider]]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Entry {
    #[serde(deserialize_with = "parsed")]
    pub(super) id: ProviderId,
    name: String,
    #[serde(deserialize_with = "parsed")]
    preset: Preset,
    populations: Option<Vec<Parsed<Population>>>,
    #[serde(default)]
    linking: LinkingEntry,
    assurance: Option<Parsed<Acr>>,
    #[serde(default)]
    assurance_of: BTreeMap<String, Parsed<Acr>>,
    #[serde(default)]
    academies: Vec<Parsed<AcademyCode>>,
    #[serde(default)]
    pub(super) staff: Vec<Spanned<staff::Entry>>,
    convention: Option<String>,
    starts_on: Option<Parsed<Date>>,
    ends_on: Option<Parsed<Date>>,
    #[serde(default = "yes")]
    enabled: bool,
    #[serde(default)]
    logout: bool,
    // SAML.
    entity_id: Option<String>,
    metadata_file: Option<PathBuf>,
    metadata_url: Option<WebAddress>,
    #[serde(default)]
    metadata_certificates: Vec<PathBuf>,
    unsolicited: Option<bool>,
    name_id_format: Option<String>,
    #[serde(default)]
    authn_context: Vec<String>,
    encrypted: Option<bool>,
    // OpenID Connect.
    issuer: Option<SafeAddress>,
    client_id: Option<String>,
    secret_file: Option<PathBuf>,
    token_endpoint_auth_method: Option<Parsed<ClientAuthMethod>>,
    scopes: Option<Vec<String>>,
    acr_values: Option<String>,
    required_acr: Option<Vec<String>>,
    claims: Option<String>,
    pkce: Option<bool>,
    #[serde(default)]
    requires_iss: bool,
    userinfo: Option<Parsed<Userinfo>>,
    endpoints: Option<EndpointsEntry>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct LinkingEntry {
    by_source_key: Option<bool>,
    #[serde(default)]
    by_ine: bool,
    guardians_by_child: Option<bool>,
    otherwise: Option<Parsed<Otherwise>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct EndpointsEntry {
    authorization: SafeAddress,
    token: SafeAddress,
    userinfo: Option<SafeAddress>,
    jwks: SafeAddress,
    end_session: Option<SafeAddress>,
}

/// A provider as a file has it.
#[derive(Debug, Clone)]
pub struct DeclaredProvider {
    /// What is declared.
    pub provider: UpstreamProvider,
    /// Our secret there, where the file names one.
    pub secret: Option<Secret>,
    /// The text of its metadata file, where the file names one.
    pub metadata: Option<String>,
}

/// Whom a preset signs in, where a declaration says nothing.
fn populations(preset: Preset) -> Vec<Population> {
    match preset {
        Preset::EduConnectSaml => vec![Population::PupilSecond, Population::Guardian],
        // One client of EduConnect asks for one population (`acr_values`), and the preset asks for pupils.
        Preset::EduConnectOidc => vec![Population::PupilSecond],
        Preset::FimOidc | Preset::AgentsSaml | Preset::ProConnect => vec![Population::Staff],
        Preset::FranceConnect => vec![Population::Guardian],
        Preset::EntcoreOidc | Preset::GenericSaml | Preset::GenericOidc => Population::ALL.to_vec(),
    }
}

const fn states_keys(preset: Preset) -> bool {
    matches!(
        preset,
        Preset::EduConnectSaml | Preset::EduConnectOidc | Preset::EntcoreOidc | Preset::GenericSaml
    )
}

impl Entry {
    pub(super) fn read(mut self, read: ReadFile<'_>) -> Result<DeclaredProvider, String> {
        let populations = self.populations.as_ref().map_or_else(
            || populations(self.preset),
            |listed| listed.iter().map(|one| one.0).collect(),
        );
        if populations.is_empty() {
            return Err("populations: is empty: the way would be for nobody".to_owned());
        }
        let staff_rules = std::mem::take(&mut self.staff)
            .into_iter()
            .enumerate()
            .map(|(at, entry)| {
                let rule = entry.into_inner().read();
                rule.map_err(|error| format!("{STAFF}{at}.{error}"))
            })
            .collect::<Result<_, _>>()?;
        if self.linking.by_ine && self.convention.is_none() {
            return Err("convention: is needed where the INE is read".to_owned());
        }
        let is_known = states_keys(self.preset);
        let linking = Linking {
            by_source_key: self.linking.by_source_key.unwrap_or(is_known),
            by_ine: self.linking.by_ine,
            guardians_by_child: self.linking.guardians_by_child.unwrap_or(is_known),
            otherwise: self
                .linking
                .otherwise
                .as_ref()
                .map_or(Otherwise::Ask, |one| one.0),
        };
        let assurance = Assurance {
            default: self.assurance.as_ref().map_or(Acr::SingleFactor, |one| one.0),
            by_context: self
                .assurance_of
                .iter()
                .map(|(said, acr)| (said.clone(), acr.0))
                .collect(),
        };
        let (protocol, metadata) = if preset::is_saml(self.preset) {
            let (saml, metadata) = self.saml(read)?;
            (Protocol::Saml(saml), metadata)
        } else {
            (Protocol::Oidc(self.oidc()?), None)
        };
        let secret = self.secret_file.as_ref().map(|file| {
            let text = read(file).map_err(|error| format!("secret_file: {}: {error}", file.display()))?;
            let text = text.trim_end_matches(['\r', '\n']);
            let is_secret = !text.is_empty() && !text.contains(char::is_whitespace);
            is_secret
                .then(|| Secret::new(text))
                .ok_or_else(|| "secret_file: holds no secret".to_owned())
        });
        let provider = UpstreamProvider {
            id: self.id,
            name: self.name,
            preset: self.preset,
            populations,
            protocol,
            linking,
            assurance,
            academies: values(self.academies),
            staff_rules,
            convention: self.convention,
            starts_on: self.starts_on.map(|day| day.0),
            ends_on: self.ends_on.map(|day| day.0),
            enabled: self.enabled,
        };
        staff::check(&provider)?;
        Ok(DeclaredProvider {
            secret: secret.transpose()?,
            metadata,
            provider,
        })
    }

    fn saml(&self, read: ReadFile<'_>) -> Result<(SamlProvider, Option<String>), String> {
        if self.issuer.is_some() || self.client_id.is_some() || self.secret_file.is_some() {
            return Err("issuer: it, client_id and secret_file are of OpenID Connect".to_owned());
        }
        let entity_id = self.entity_id.clone().unwrap_or_default();
        if entity_id.is_empty() || entity_id.chars().any(char::is_whitespace) {
            return Err("entity_id: is missing, or holds spaces".to_owned());
        }
        let pinned = keys("metadata_certificates", &self.metadata_certificates, read)?;
        let (location, text) = match (&self.metadata_file, &self.metadata_url) {
            (Some(file), None) => {
                let text =
                    read(file).map_err(|error| format!("metadata_file: {}: {error}", file.display()))?;
                (Location::Declared, Some(text))
            }
            (None, Some(url)) => {
                // Without TLS, only a signature says whose they are.
                if pinned.is_empty() {
                    url.0.parse::<SafeAddress>().map_err(|error| {
                        format!("metadata_url: {error}, or metadata_certificates are needed")
                    })?;
                }
                (Location::Url(url.0.clone()), None)
            }
            _ => return Err("metadata_file: one of it and metadata_url is needed".to_owned()),
        };
        let terms = Terms {
            location,
            keys: pinned,
            entity_id: Some(entity_id.clone()),
            http_addresses: false,
            max_age: MAX_AGE,
            max_validity: MAX_VALIDITY,
            most_bytes: MOST_BYTES,
        };
        if let Some(text) = &text {
            let always = Timestamp::from_micros(i64::MIN);
            read_saml(text.as_bytes(), &terms, &entity_id, always)
                .map_err(|error| format!("metadata_file: {error}"))?;
        }
        let is_educonnect = self.preset == Preset::EduConnectSaml;
        let saml = SamlProvider {
            entity_id,
            terms,
            // Normal production use at EduConnect and at the portals of agents; a choice anywhere else.
            unsolicited: self
                .unsolicited
                .unwrap_or(is_educonnect || self.preset == Preset::AgentsSaml),
            name_id_format: self.name_id_format.clone(),
            authn_context: self.authn_context.clone(),
            encrypted: self.encrypted.unwrap_or(is_educonnect),
            logout: self.logout,
        };
        Ok((saml, text))
    }

    fn oidc(&self) -> Result<OidcProvider, String> {
        if self.entity_id.is_some() || self.metadata_file.is_some() || self.metadata_url.is_some() {
            return Err("entity_id: it and metadata_… are of SAML".to_owned());
        }
        let asking = preset::asking(self.preset);
        let texts = |listed: &[&str]| listed.iter().map(|text| (*text).to_owned()).collect();
        let text = |address: &SafeAddress| address.0.clone();
        let issuer = self.issuer.as_ref().map(text).ok_or("issuer: is missing")?;
        let client_id = self.client_id.clone().ok_or("client_id: is missing")?;
        let claims = self.claims.clone().or_else(|| asking.claims.map(str::to_owned));
        if let Some(claims) = &claims {
            serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(claims)
                .map_err(|error| format!("claims: {error}"))?;
        }
        let method = self.token_endpoint_auth_method.as_ref();
        let auth_method = method.map_or(ClientAuthMethod::SecretPost, |method| method.0);
        if auth_method == ClientAuthMethod::PrivateKeyJwt {
            return Err(
                "token_endpoint_auth_method: private_key_jwt is not spoken toward providers".to_owned(),
            );
        }
        Ok(OidcProvider {
            issuer,
            client_id,
            auth_method,
            scopes: self.scopes.clone().unwrap_or_else(|| texts(asking.scopes)),
            acr_values: self
                .acr_values
                .clone()
                .or_else(|| asking.acr_values.map(str::to_owned)),
            required_acr: self
                .required_acr
                .clone()
                .unwrap_or_else(|| texts(asking.required_acr)),
            claims,
            pkce: self.pkce.unwrap_or(asking.pkce),
            requires_iss: self.requires_iss,
            userinfo: self.userinfo.as_ref().map_or(asking.userinfo, |one| one.0),
            endpoints: self.endpoints.as_ref().map(|endpoints| FixedEndpoints {
                authorization: text(&endpoints.authorization),
                token: text(&endpoints.token),
                userinfo: endpoints.userinfo.as_ref().map(text),
                jwks: text(&endpoints.jwks),
                end_session: endpoints.end_session.as_ref().map(text),
            }),
            logout: self.logout,
        })
    }
}

/// Makes the providers as declared, in the order of the files.
pub(super) async fn apply(
    context: &Context,
    tx: &mut Tx,
    declaration: &Declaration,
    out: &mut Vec<Difference>,
) -> Result<(), Failure> {
    for (place, declared) in declaration.upstream_providers.iter().enumerate() {
        let difference = apply_one(context, tx, declared, i64::try_from(place).unwrap_or(i64::MAX)).await?;
        out.push(difference);
    }
    Ok(())
}

async fn apply_one(
    context: &Context,
    tx: &mut Tx,
    declared: &DeclaredProvider,
    place: i64,
) -> Result<Difference, Failure> {
    let now = context.now();
    let id = &declared.provider.id;
    let issuer = declared.provider.protocol.issuer();
    if let Some((other, _)) = store::upstream_provider::find_by_issuer(tx, issuer).await?
        && other.provider.id != *id
    {
        let note = format!("{} is that provider: nothing was changed", other.provider.id);
        return Ok(Difference::new(Verb::Kept, NOUN, id).noted(Some(note)));
    }
    let before = store::upstream_provider::find(tx, id).await?;
    let held = before.as_ref().map(|(kept, _)| kept);
    let secret = match &declared.secret {
        Some(new) => sealed(context, id, new, held)?,
        None => held.and_then(|held| held.secret.clone()),
    };
    let kept = Kept {
        provider: declared.provider.clone(),
        secret,
    };
    let verb = super::compare(held, &kept);
    // Its place may have changed alone.
    store::upstream_provider::save(tx, &kept, place).await?;
    let mut note = None;
    let is_elsewhere = held.is_some_and(|held| held.provider.protocol.issuer() != issuer);
    if is_elsewhere {
        store::upstream_provider::forget_metadata(tx, id).await?;
    }
    match (&declared.provider.protocol, &declared.metadata) {
        (Protocol::Saml(saml), Some(text)) => {
            let read = read_saml(text.as_bytes(), &saml.terms, &saml.entity_id, now);
            match read {
                Ok(fetched) => {
                    let state = fetched.into_state(now);
                    let same = before
                        .as_ref()
                        .is_some_and(|(_, before)| before.metadata == state.metadata);
                    if !same || is_elsewhere {
                        store::upstream_provider::put(tx, id, &state).await?;
                        note = Some("its metadata file was read".to_owned());
                    }
                }
                Err(why) => note = Some(format!("its metadata cannot be used: {why}")),
            }
        }
        _ if verb != Verb::Unchanged => {
            store::upstream_provider::expect(tx, id, now).await?;
            note = Some(format!(
                "fetched within a minute, or by: marelle upstream refresh {id}"
            ));
        }
        _ => {}
    }
    if verb == Verb::Updated {
        let gone = upstream::rights::follow_declaration(context, tx, &declared.provider).await?;
        note = match gone {
            0 => note,
            gone => Some(format!("rights of staff withdrawn: {gone}")),
        };
    }
    if let Protocol::Oidc(oidc) = &declared.provider.protocol
        && oidc.auth_method != ClientAuthMethod::None
        && kept.secret.is_none()
    {
        note = Some("has no secret yet: secret_file names one".to_owned());
    }
    let verb = match verb {
        Verb::Unchanged if note.is_some() => Verb::Updated,
        verb => verb,
    };
    Ok(Difference::new(verb, NOUN, id).noted(note))
}

/// The secret, sealed; as it was where it is the same.
fn sealed(
    context: &Context,
    id: &ProviderId,
    new: &Secret,
    held: Option<&Kept>,
) -> Result<Option<Vec<u8>>, Failure> {
    let purpose = upstream::sealed_for(id);
    if let Some(held) = held.and_then(|held| held.secret.as_ref()) {
        let same = context.vault.open(&purpose, held)?;
        if crate::base::secret::equal(&same, new.expose().as_bytes()) {
            return Ok(Some(held.clone()));
        }
    }
    let bytes = new.expose().as_bytes();
    Ok(Some(context.vault.seal(&purpose, bytes, &*context.random)?))
}

/// Removes those that are not declared and that nobody comes by.
pub(super) async fn prune(
    tx: &mut Tx,
    declaration: &Declaration,
    out: &mut Vec<Difference>,
) -> Result<(), Failure> {
    let declared = &declaration.upstream_providers;
    for kept in store::upstream_provider::all(tx).await? {
        let id = kept.provider.id;
        if declared.iter().any(|declared| declared.provider.id == id) {
            continue;
        }
        let removed = store::upstream_provider::delete(tx, &id).await?;
        let verb = if removed { Verb::Removed } else { Verb::Kept };
        let note = (!removed).then(|| "people are linked by it: enabled = false closes it".to_owned());
        out.push(Difference::new(verb, NOUN, &id).noted(note));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
