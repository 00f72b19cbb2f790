//! `[[relying_party]]` of a declaration file: every member under the name its specification registered
//! (RFC 7591 §2, OpenID Connect Dynamic Registration §2, and the specifications they name).

use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::Value;

use super::value::{
    AlgorithmName, HexDigest, Parsed, RedirectAddress, SafeAddress, WebAddress, parsed, values, yes,
};
use crate::base::secret::{Digest, Secret};
use crate::domain::assurance::Acr;
use crate::domain::registration::PUBLIC_SECTOR;
use crate::domain::relying_party::{
    ApplicationType, Attribute, Basis, ClientAuthMethod, ClientKeys, ClientMetadata, GrantType,
    LogoutAddress, Release, ReleasePolicy, RelyingParty, RelyingPartyId, SecurityProfile, SigningAlgorithm,
    SubjectStrategy,
};
use crate::domain::resource_server::{Audience, ScopeName};
use crate::domain::uai::Uai;
use crate::oidc::registration::{coherence, keys};

/// A client secret shorter than this is somebody's password: its digest could be searched.
const SECRET_LENGTH: usize = 32;

/// A relying party as it is declared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeclaredParty {
    /// The party. Where its secrets are empty and its method needs one, those it has stay: they were made by
    /// `marelle client secret`.
    pub party: RelyingParty,
    /// Whether it is in use, where the file says so; else it stays as it is, and a new one is in use.
    pub enabled: Option<bool>,
}

impl From<RelyingParty> for DeclaredParty {
    fn from(party: RelyingParty) -> Self {
        let enabled = Some(party.enabled);
        Self { party, enabled }
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RelyingPartyEntry {
    #[serde(deserialize_with = "parsed")]
    pub(super) id: RelyingPartyId,
    name: String,
    home: Option<WebAddress>,
    #[serde(default)]
    redirect_uris: Vec<RedirectAddress>,
    #[serde(default)]
    post_logout_redirect_uris: Vec<RedirectAddress>,
    sector: Option<String>,
    subject: Option<Parsed<SubjectStrategy>>,
    token_endpoint_auth_method: Option<Parsed<ClientAuthMethod>>,
    secret_file: Option<PathBuf>,
    #[serde(default)]
    secret_sha256: Vec<HexDigest>,
    #[serde(default = "yes")]
    pkce_required: bool,
    id_token_signed_response_alg: Option<Parsed<SigningAlgorithm>>,
    #[serde(default)]
    schools: Vec<Parsed<Uai>>,
    #[serde(default)]
    release: Vec<ReleaseEntry>,
    basis: Option<Parsed<Basis>>,
    enabled: Option<bool>,
    profile: Option<Parsed<SecurityProfile>>,
    application_type: Option<Parsed<ApplicationType>>,
    grant_types: Option<Vec<Parsed<GrantType>>>,
    jwks: Option<Value>,
    jwks_file: Option<PathBuf>,
    jwks_uri: Option<SafeAddress>,
    #[serde(default)]
    require_pushed_authorization_requests: bool,
    #[serde(default)]
    require_signed_request_object: bool,
    request_object_signing_alg: Option<AlgorithmName>,
    token_endpoint_auth_signing_alg: Option<AlgorithmName>,
    #[serde(default)]
    dpop_bound_access_tokens: bool,
    userinfo_signed_response_alg: Option<Parsed<SigningAlgorithm>>,
    introspection_signed_response_alg: Option<Parsed<SigningAlgorithm>>,
    default_max_age: Option<u32>,
    #[serde(default)]
    require_auth_time: bool,
    #[serde(default)]
    default_acr_values: Vec<String>,
    minimum_acr: Option<Parsed<Acr>>,
    #[serde(default)]
    resources: Vec<Parsed<Audience>>,
    #[serde(default)]
    service_scopes: Vec<Parsed<ScopeName>>,
    backchannel_logout_uri: Option<SafeAddress>,
    #[serde(default)]
    backchannel_logout_session_required: bool,
    frontchannel_logout_uri: Option<SafeAddress>,
    #[serde(default)]
    frontchannel_logout_session_required: bool,
    initiate_login_uri: Option<SafeAddress>,
    logo_uri: Option<WebAddress>,
    policy_uri: Option<WebAddress>,
    tos_uri: Option<WebAddress>,
    #[serde(default)]
    contacts: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ReleaseEntry {
    #[serde(deserialize_with = "parsed")]
    attribute: Attribute,
    purpose: String,
    convention: String,
}

/// A release policy.
pub(super) fn release(lines: Vec<ReleaseEntry>) -> ReleasePolicy {
    let lines = lines.into_iter().map(|line| Release {
        attribute: line.attribute,
        purpose: line.purpose,
        convention: line.convention,
    });
    ReleasePolicy(lines.collect())
}

/// Reads a file that an entry names.
pub(super) type ReadFile<'a> = &'a dyn Fn(&Path) -> std::io::Result<String>;

pub(super) fn relying_party(
    mut entry: RelyingPartyEntry,
    read: ReadFile<'_>,
) -> Result<DeclaredParty, String> {
    let metadata = metadata(&mut entry, read)?;
    let is_fapi2 = metadata.profile == SecurityProfile::Fapi2;
    // What a profile asks for is what is meant where the file says nothing.
    let (method, algorithm) = if is_fapi2 {
        (ClientAuthMethod::PrivateKeyJwt, SigningAlgorithm::Es256)
    } else {
        (ClientAuthMethod::SecretBasic, SigningAlgorithm::Rs256)
    };
    // Clients that register themselves for public identifiers share this sector: nobody joins it unawares.
    let says_sector = entry.sector.is_some();
    let subject_strategy = entry
        .subject
        .map_or(SubjectStrategy::Pairwise, |subject| subject.0);
    let party = RelyingParty {
        sector: entry.sector.unwrap_or_else(|| entry.id.to_string()),
        name: entry.name,
        home: entry.home.map(|address| address.0),
        redirect_uris: entry.redirect_uris.into_iter().map(|address| address.0).collect(),
        post_logout_redirect_uris: entry
            .post_logout_redirect_uris
            .into_iter()
            .map(|address| address.0)
            .collect(),
        subject_strategy,
        auth_method: entry.token_endpoint_auth_method.map_or(method, |method| method.0),
        secrets: secrets(&entry.secret_sha256, entry.secret_file.as_deref(), read)?,
        pkce_required: entry.pkce_required,
        id_token_alg: entry
            .id_token_signed_response_alg
            .map_or(algorithm, |name| name.0),
        release: release(entry.release),
        schools: values(entry.schools),
        basis: entry.basis.map_or(Basis::default(), |basis| basis.0),
        metadata,
        registration: None,
        enabled: entry.enabled.unwrap_or(true),
        id: entry.id,
    };
    if party.sector == PUBLIC_SECTOR && (!says_sector || subject_strategy == SubjectStrategy::Pairwise) {
        return Err(
            "sector: «public» is the sector of those that have subject = \"persistent_uuid\"".to_owned(),
        );
    }
    coherence::check(&party).map_err(|error| error.to_string())?;
    Ok(DeclaredParty {
        party,
        enabled: entry.enabled,
    })
}

fn secrets(digests: &[HexDigest], file: Option<&Path>, read: ReadFile<'_>) -> Result<Vec<Digest>, String> {
    let mut secrets: Vec<Digest> = digests.iter().map(|digest| digest.0).collect();
    if let Some(file) = file {
        let text = read(file).map_err(|error| format!("secret_file {}: {error}", file.display()))?;
        let text = text.trim_end_matches(['\r', '\n']);
        if text.len() < SECRET_LENGTH {
            return Err(format!(
                "secret_file {}: shorter than {SECRET_LENGTH} characters",
                file.display()
            ));
        }
        secrets.push(Secret::new(text).digest());
    }
    Ok(secrets)
}

/// Takes the metadata out of an entry.
fn metadata(entry: &mut RelyingPartyEntry, read: ReadFile<'_>) -> Result<ClientMetadata, String> {
    let default = ClientMetadata::default();
    let logout = |uri: Option<SafeAddress>, session_required| {
        uri.map(|uri| LogoutAddress {
            uri: uri.0,
            session_required,
        })
    };
    if entry.backchannel_logout_uri.is_none() && entry.backchannel_logout_session_required {
        return Err("backchannel_logout_session_required: goes with backchannel_logout_uri".to_owned());
    }
    if entry.frontchannel_logout_uri.is_none() && entry.frontchannel_logout_session_required {
        return Err("frontchannel_logout_session_required: goes with frontchannel_logout_uri".to_owned());
    }
    Ok(ClientMetadata {
        grant_types: entry.grant_types.take().map_or(default.grant_types, values),
        application_type: entry
            .application_type
            .take()
            .map_or_else(Default::default, |kind| kind.0),
        profile: entry
            .profile
            .take()
            .map_or_else(Default::default, |profile| profile.0),
        keys: client_keys(entry, read)?,
        par_required: entry.require_pushed_authorization_requests,
        signed_request_required: entry.require_signed_request_object,
        request_object_alg: entry.request_object_signing_alg.take().map(|name| name.0),
        auth_signing_alg: entry.token_endpoint_auth_signing_alg.take().map(|name| name.0),
        dpop_required: entry.dpop_bound_access_tokens,
        userinfo_alg: entry.userinfo_signed_response_alg.take().map(|name| name.0),
        introspection_alg: entry.introspection_signed_response_alg.take().map(|name| name.0),
        default_max_age: entry.default_max_age,
        require_auth_time: entry.require_auth_time,
        default_acr_values: std::mem::take(&mut entry.default_acr_values),
        minimum_acr: entry.minimum_acr.take().map(|acr| acr.0),
        resources: entry
            .resources
            .drain(..)
            .map(|resource| resource.0.to_string())
            .collect(),
        service_scopes: entry
            .service_scopes
            .drain(..)
            .map(|scope| scope.0.to_string())
            .collect(),
        backchannel_logout: logout(
            entry.backchannel_logout_uri.take(),
            entry.backchannel_logout_session_required,
        ),
        frontchannel_logout: logout(
            entry.frontchannel_logout_uri.take(),
            entry.frontchannel_logout_session_required,
        ),
        initiate_login_uri: entry.initiate_login_uri.take().map(|address| address.0),
        logo_uri: entry.logo_uri.take().map(|address| address.0),
        policy_uri: entry.policy_uri.take().map(|address| address.0),
        tos_uri: entry.tos_uri.take().map(|address| address.0),
        contacts: std::mem::take(&mut entry.contacts),
        sector_identifier_uri: None,
    })
}

/// The keys: written there, in a file beside, or published by the party; one of the three.
fn client_keys(entry: &mut RelyingPartyEntry, read: ReadFile<'_>) -> Result<ClientKeys, String> {
    let (set, field) = match (entry.jwks.take(), entry.jwks_file.take(), entry.jwks_uri.take()) {
        (None, None, None) => return Ok(ClientKeys::None),
        (None, None, Some(uri)) => return Ok(ClientKeys::JwksUri(uri.0)),
        (Some(Value::String(text)), None, None) => (text, "jwks".to_owned()),
        (Some(table), None, None) => (table.to_string(), "jwks".to_owned()),
        (None, Some(file), None) => {
            let field = format!("jwks_file {}", file.display());
            (read(&file).map_err(|error| format!("{field}: {error}"))?, field)
        }
        _ => return Err("jwks: one of jwks, jwks_file and jwks_uri".to_owned()),
    };
    let set: Value = serde_json::from_str(&set).map_err(|error| format!("{field}: {error}"))?;
    keys::read(&set)
        .map(ClientKeys::Jwks)
        .map_err(|reason| format!("{field}: {reason}"))
}
