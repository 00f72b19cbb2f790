//! `[[relying_party]]` of a declaration file: every member under the name its specification registered
//! (RFC 7591 §2, OpenID Connect Dynamic Registration §2, and the specifications they name).

use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::Value;
use toml::Spanned;

use super::cas::CasEntry;
use super::event_receiver::{DeclaredReceiver, EventReceiverEntry, event_receiver};
use super::saml::{self, DeclaredMetadata, SamlEntry};
use super::value::{
    AlgorithmName, HexDigest, Parsed, RedirectAddress, SafeAddress, WebAddress, parsed, strings, values, yes,
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
use crate::domain::upstream::Population;
use crate::oidc::registration::{coherence, keys};

/// A client secret shorter than this is somebody's password: its digest could be searched.
const SECRET_LENGTH: usize = 32;

/// What errors about `[relying_party.saml]` begin with.
pub(super) const SAML: &str = "saml.";

/// A relying party as it is declared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeclaredParty {
    /// The party. Where its secrets are empty and its method needs one, those it has stay: they were made by
    /// `marelle client secret`.
    pub party: RelyingParty,
    /// Whether it is in use, where the file says so; else it stays as it is, and a new one is in use.
    pub enabled: Option<bool>,
    /// The SAML metadata of its own, where the file names any.
    pub metadata: Option<DeclaredMetadata>,
    /// Where it takes security events, where it does.
    pub receiver: Option<DeclaredReceiver>,
}

impl From<RelyingParty> for DeclaredParty {
    fn from(party: RelyingParty) -> Self {
        let enabled = Some(party.enabled);
        Self {
            party,
            enabled,
            metadata: None,
            receiver: None,
        }
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
    populations: Vec<Parsed<Population>>,
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
    pub(super) saml: Option<Spanned<SamlEntry>>,
    cas: Option<CasEntry>,
    event_receiver: Option<EventReceiverEntry>,
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
    let saml = entry
        .saml
        .take()
        .map(|saml| saml::saml(&entry.id, saml.into_inner(), read));
    let saml = saml.transpose().map_err(|error| format!("{SAML}{error}"))?;
    let (saml, saml_metadata) = saml.unzip();
    let receiver = entry
        .event_receiver
        .take()
        .map(|entry| event_receiver(entry, read))
        .transpose()
        .map_err(|error| format!("event_receiver: {error}"))?;
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
        populations: values(entry.populations),
        basis: entry.basis.map_or(Basis::default(), |basis| basis.0),
        metadata,
        saml,
        cas: entry.cas.map(|entry| entry.0),
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
        metadata: saml_metadata.flatten(),
        receiver,
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
        resources: strings(std::mem::take(&mut entry.resources)),
        service_scopes: strings(std::mem::take(&mut entry.service_scopes)),
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::domain::relying_party::ClientMetadata;
    use crate::flows::declaration::file::Reader;

    const EC: &str = r#"{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}"#;

    /// The party of a table with these lines, or why there is none.
    fn read(lines: &str) -> Result<RelyingParty, String> {
        let text = format!("[[relying_party]]\nid = \"ent\"\nname = \"ENT\"\n{lines}\n");
        let file = |path: &Path| match path.to_str() {
            Some("keys.json") => Ok(format!("{{\"keys\":[{EC}]}}")),
            Some("private.json") => Ok(json!({"keys": [{"kty": "EC", "d": "x"}]}).to_string()),
            _ => Err(std::io::ErrorKind::NotFound.into()),
        };
        let mut reader = Reader::default();
        reader.add(&text, &file).map_err(|error| error.to_string())?;
        Ok(reader.finish().relying_parties.remove(0).party)
    }

    const EVERYTHING: &str = r#"
home = "https://ent.example/"
redirect_uris = ["https://ent.example/cb", "example.ent:/cb"]
post_logout_redirect_uris = ["https://ent.example/bye"]
sector = "somme"
subject = "persistent_uuid"
token_endpoint_auth_method = "private_key_jwt"
token_endpoint_auth_signing_alg = "ES256"
pkce_required = true
id_token_signed_response_alg = "ES256"
userinfo_signed_response_alg = "ES256"
introspection_signed_response_alg = "ES256"
request_object_signing_alg = "ES256"
require_signed_request_object = true
require_pushed_authorization_requests = true
dpop_bound_access_tokens = true
profile = "fapi2"
application_type = "native"
grant_types = ["authorization_code", "refresh_token", "client_credentials"]
jwks_uri = "https://ent.example/jwks"
default_max_age = 3600
require_auth_time = true
default_acr_values = ["https://refeds.org/profile/sfa"]
minimum_acr = "https://refeds.org/profile/sfa"
resources = ["https://cantine.example/api"]
service_scopes = ["menus:read"]
backchannel_logout_uri = "https://ent.example/back"
backchannel_logout_session_required = true
frontchannel_logout_uri = "https://ent.example/front"
frontchannel_logout_session_required = true
initiate_login_uri = "https://ent.example/start"
logo_uri = "https://ent.example/logo.svg"
policy_uri = "https://ent.example/policy"
tos_uri = "https://ent.example/terms"
contacts = ["ent@ent.example"]
basis = "consent"
schools = ["9990001X"]
enabled = false
"#;

    #[test]
    fn every_member_can_be_declared() {
        let party = read(EVERYTHING).unwrap();
        let logout = |path: &str| {
            Some(LogoutAddress {
                uri: format!("https://ent.example/{path}"),
                session_required: true,
            })
        };
        let page = |path: &str| Some(format!("https://ent.example/{path}"));
        // Written out whole: a member that is added must be thought of here.
        assert_eq!(
            party.metadata,
            ClientMetadata {
                grant_types: vec![
                    GrantType::AuthorizationCode,
                    GrantType::RefreshToken,
                    GrantType::ClientCredentials
                ],
                application_type: ApplicationType::Native,
                profile: SecurityProfile::Fapi2,
                keys: ClientKeys::JwksUri("https://ent.example/jwks".into()),
                par_required: true,
                signed_request_required: true,
                request_object_alg: Some("ES256".into()),
                auth_signing_alg: Some("ES256".into()),
                dpop_required: true,
                userinfo_alg: Some(SigningAlgorithm::Es256),
                introspection_alg: Some(SigningAlgorithm::Es256),
                default_max_age: Some(3600),
                require_auth_time: true,
                default_acr_values: vec!["https://refeds.org/profile/sfa".into()],
                minimum_acr: Some(Acr::SingleFactor),
                resources: vec!["https://cantine.example/api".into()],
                service_scopes: vec!["menus:read".into()],
                backchannel_logout: logout("back"),
                frontchannel_logout: logout("front"),
                initiate_login_uri: page("start"),
                logo_uri: page("logo.svg"),
                policy_uri: page("policy"),
                tos_uri: page("terms"),
                contacts: vec!["ent@ent.example".into()],
                // A declared party says its sector by name.
                sector_identifier_uri: None,
            }
        );
        assert_eq!((party.sector.as_str(), party.basis), ("somme", Basis::Consent));
        assert_eq!(party.subject_strategy, SubjectStrategy::PersistentUuid);
        assert!(!party.enabled && party.pkce_required && party.secrets.is_empty());
    }

    #[test]
    fn the_profile_chooses_what_the_file_does_not_say() {
        let fapi = read(
            "redirect_uris = [\"https://ent.example/cb\"]\nprofile = \"fapi2\"\njwks_file = \"keys.json\"",
        );
        let fapi = fapi.unwrap();
        assert_eq!(
            (fapi.auth_method, fapi.id_token_alg),
            (ClientAuthMethod::PrivateKeyJwt, SigningAlgorithm::Es256)
        );
        let plain = read("redirect_uris = [\"https://ent.example/cb\"]").unwrap();
        assert_eq!(
            (plain.auth_method, plain.id_token_alg),
            (ClientAuthMethod::SecretBasic, SigningAlgorithm::Rs256)
        );
        assert_eq!(plain.metadata, ClientMetadata::default());
    }

    #[test]
    fn keys_are_a_set_written_there_or_beside_or_published() {
        let with = |line: &str| {
            let lines = "redirect_uris = [\"https://ent.example/cb\"]\ntoken_endpoint_auth_method = \"private_key_jwt\"";
            read(&format!("{lines}\n{line}")).map(|party| party.metadata.keys)
        };
        let text = format!("jwks = '{{\"keys\":[{EC}]}}'");
        let table = "jwks = { keys = [{ kty = \"EC\", crv = \"P-256\", x = \"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\", \
                     y = \"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\" }] }";
        for line in [&text, table, "jwks_file = \"keys.json\""] {
            let kept = with(line).unwrap();
            let ClientKeys::Jwks(kept) = kept else {
                panic!("{line}: {kept:?}")
            };
            assert_eq!(keys::usable(&kept).len(), 1, "{line}");
        }
        for (line, expected) in [
            ("", "jwks"),
            (
                "jwks_file = \"keys.json\"\njwks_uri = \"https://ent.example/k\"",
                "one of",
            ),
            ("jwks_file = \"private.json\"", "private"),
            ("jwks_file = \"missing.json\"", "missing.json"),
            ("jwks = \"no\"", "jwks"),
            ("jwks_uri = \"http://ent.example/k\"", "https"),
        ] {
            let refused = with(line).unwrap_err();
            assert!(refused.contains(expected), "{expected}: {refused}");
        }
    }

    #[test]
    fn members_that_do_not_go_together_are_refused() {
        let base = "redirect_uris = [\"https://ent.example/cb\"]\n";
        for (lines, expected) in [
            (
                "backchannel_logout_session_required = true",
                "goes with backchannel_logout_uri",
            ),
            ("frontchannel_logout_uri = \"https://other.example/f\"", "origin"),
            ("service_scopes = [\"menus:read\"]", "client_credentials"),
            ("resources = [\"https://cantine.example/#x\"]", "audience"),
            ("service_scopes = [\"openid\"]", "scope"),
            ("sector = \"public\"", "sector"),
            ("sector = \"\"", "sector"),
            ("require_signed_request_object = true", "jwks"),
            ("token_endpoint_auth_signing_alg = \"ES256\"", "private_key_jwt"),
            ("request_object_signing_alg = \"none\"", "signing algorithm"),
            ("id_token_signed_response_alg = \"none\"", "line 5"),
            (
                "profile = \"fapi2\"\ntoken_endpoint_auth_method = \"client_secret_basic\"",
                "private_key_jwt",
            ),
            ("grant_types = [\"client_credentials\"]", "redirect_uris"),
            ("logo_uri = \"javascript:alert(1)\"", "http"),
            ("contact = \"x\"", "contact"),
        ] {
            let refused = read(&format!("{base}{lines}")).unwrap_err();
            assert!(refused.contains(expected), "{expected}: {refused}");
        }
    }
}
