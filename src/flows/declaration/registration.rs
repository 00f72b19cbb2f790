//! `[[registration]]` of a declaration file: what a project may register by itself.

use serde::Deserialize;

use super::relying_party::{ReleaseEntry, release};
use super::value::{Parsed, parsed, values, yes};
use crate::domain::registration::{HostPattern, Policy, PolicyId, SubjectType};
use crate::domain::relying_party::{Basis, ClientAuthMethod, GrantType};
use crate::domain::resource_server::{Audience, ScopeName};
use crate::domain::uai::Uai;

/// More clients than any project has.
const MOST: u32 = 10_000;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RegistrationEntry {
    #[serde(deserialize_with = "parsed")]
    pub(super) id: PolicyId,
    name: String,
    hosts: Vec<Parsed<HostPattern>>,
    most: u32,
    grant_types: Option<Vec<Parsed<GrantType>>>,
    token_endpoint_auth_methods: Option<Vec<Parsed<ClientAuthMethod>>>,
    subject_types: Option<Vec<Parsed<SubjectType>>>,
    #[serde(default = "yes")]
    pkce_required: bool,
    basis: Option<Parsed<Basis>>,
    #[serde(default)]
    resources: Vec<Parsed<Audience>>,
    #[serde(default)]
    service_scopes: Vec<Parsed<ScopeName>>,
    #[serde(default)]
    schools: Vec<Parsed<Uai>>,
    #[serde(default)]
    release: Vec<ReleaseEntry>,
    #[serde(default = "yes")]
    enabled: bool,
}

pub(super) fn policy(entry: RegistrationEntry) -> Result<Policy, String> {
    let policy = Policy {
        id: entry.id,
        name: entry.name,
        hosts: values(entry.hosts),
        most: entry.most,
        grant_types: entry.grant_types.map_or_else(
            || vec![GrantType::AuthorizationCode, GrantType::RefreshToken],
            values,
        ),
        auth_methods: entry.token_endpoint_auth_methods.map_or_else(
            || {
                vec![
                    ClientAuthMethod::SecretBasic,
                    ClientAuthMethod::SecretPost,
                    ClientAuthMethod::PrivateKeyJwt,
                ]
            },
            values,
        ),
        subject_types: entry
            .subject_types
            .map_or_else(|| vec![SubjectType::Pairwise], values),
        pkce_required: entry.pkce_required,
        basis: entry.basis.map_or(Basis::default(), |basis| basis.0),
        resources: entry
            .resources
            .into_iter()
            .map(|resource| resource.0.to_string())
            .collect(),
        service_scopes: entry
            .service_scopes
            .into_iter()
            .map(|scope| scope.0.to_string())
            .collect(),
        release: release(entry.release),
        schools: values(entry.schools),
        enabled: entry.enabled,
    };
    for (field, is_empty) in [
        ("hosts", policy.hosts.is_empty()),
        ("grant_types", policy.grant_types.is_empty()),
        ("token_endpoint_auth_methods", policy.auth_methods.is_empty()),
        ("subject_types", policy.subject_types.is_empty()),
    ] {
        if is_empty {
            return Err(format!("{field}: is empty"));
        }
    }
    if !(1..=MOST).contains(&policy.most) {
        return Err(format!("most: expected 1 to {MOST}"));
    }
    if !policy.service_scopes.is_empty() && !policy.grant_types.contains(&GrantType::ClientCredentials) {
        return Err("service_scopes: goes with the grant client_credentials".to_owned());
    }
    Ok(policy)
}
