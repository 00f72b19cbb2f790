//! `[[registration]]` of a declaration file: what a project may register by itself.

use serde::Deserialize;

use super::relying_party::{ReleaseEntry, release};
use super::value::{Parsed, parsed, strings, values, yes};
use crate::domain::registration::{HostPattern, Policy, PolicyId, SubjectType};
use crate::domain::relying_party::{Basis, ClientAuthMethod, GrantType, SecurityProfile};
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
    profile: Option<Parsed<SecurityProfile>>,
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
    let profile = entry.profile.map_or_else(Default::default, |profile| profile.0);
    let policy = Policy {
        id: entry.id,
        name: entry.name,
        hosts: values(entry.hosts),
        most: entry.most,
        grant_types: entry.grant_types.map_or_else(
            || vec![GrantType::AuthorizationCode, GrantType::RefreshToken],
            values,
        ),
        auth_methods: entry
            .token_endpoint_auth_methods
            .map_or_else(|| methods(profile), values),
        subject_types: entry
            .subject_types
            .map_or_else(|| vec![SubjectType::Pairwise], values),
        profile,
        pkce_required: entry.pkce_required,
        basis: entry.basis.map_or_else(Default::default, |basis| basis.0),
        resources: strings(entry.resources),
        service_scopes: strings(entry.service_scopes),
        release: release(entry.release),
        schools: values(entry.schools),
        enabled: entry.enabled,
    };
    check(&policy).map(|()| policy)
}

/// How its clients may prove who they are, where the file does not say.
fn methods(profile: SecurityProfile) -> Vec<ClientAuthMethod> {
    match profile {
        SecurityProfile::Standard => vec![
            ClientAuthMethod::SecretBasic,
            ClientAuthMethod::SecretPost,
            ClientAuthMethod::PrivateKeyJwt,
        ],
        SecurityProfile::Fapi2 => vec![ClientAuthMethod::PrivateKeyJwt],
    }
}

fn check(policy: &Policy) -> Result<(), String> {
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
    if policy.profile == SecurityProfile::Fapi2 {
        if policy.auth_methods != [ClientAuthMethod::PrivateKeyJwt] {
            return Err("token_endpoint_auth_methods: fapi2 wants private_key_jwt alone".to_owned());
        }
        if !policy.pkce_required {
            return Err("pkce_required: fapi2 wants PKCE".to_owned());
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flows::declaration::file::Reader;

    fn read(lines: &str) -> Result<Policy, String> {
        let text = format!(
            "[[registration]]\nid = \"somme\"\nname = \"Somme\"\nhosts = [\"*.somme.example\"]\n{lines}\n"
        );
        let nothing = |_: &std::path::Path| Err(std::io::ErrorKind::NotFound.into());
        let mut reader = Reader::default();
        reader.add(&text, &nothing).map_err(|error| error.to_string())?;
        Ok(reader.finish().registrations.remove(0))
    }

    #[test]
    fn a_policy_is_read_with_safe_defaults() {
        let somme = read("most = 3").unwrap();
        assert!(
            somme.pkce_required && somme.enabled && somme.release.0.is_empty() && somme.schools.is_empty()
        );
        assert_eq!(
            somme.grant_types,
            [GrantType::AuthorizationCode, GrantType::RefreshToken]
        );
        assert!(
            !somme.auth_methods.contains(&ClientAuthMethod::None),
            "no public clients unasked"
        );
        assert_eq!(
            (somme.subject_types, somme.basis),
            (vec![SubjectType::Pairwise], Basis::Convention)
        );
        let fapi = read("most = 3\nprofile = \"fapi2\"").unwrap();
        assert_eq!(fapi.auth_methods, [ClientAuthMethod::PrivateKeyJwt]);
    }

    #[test]
    fn everything_a_policy_decides_can_be_declared() {
        let somme = read(
            "most = 3\ngrant_types = [\"authorization_code\", \"client_credentials\"]\n\
             token_endpoint_auth_methods = [\"client_secret_post\"]\nsubject_types = [\"public\", \"pairwise\"]\n\
             pkce_required = false\nbasis = \"consent\"\nresources = [\"https://cantine.example/api\"]\n\
             service_scopes = [\"menus:read\"]\nschools = [\"9990001X\"]\nenabled = false\nprofile = \"standard\"\n\
             [[registration.release]]\nattribute = \"given_name\"\npurpose = \"greet\"\nconvention = \"2026-01\"",
        )
        .unwrap();
        assert_eq!(somme.auth_methods, [ClientAuthMethod::SecretPost]);
        assert_eq!(somme.subject_types, [SubjectType::Public, SubjectType::Pairwise]);
        assert!(!somme.pkce_required && !somme.enabled && somme.basis == Basis::Consent);
        assert_eq!(
            (
                somme.resources.len(),
                somme.service_scopes.len(),
                somme.schools.len()
            ),
            (1, 1, 1)
        );
        assert_eq!(somme.release.0.len(), 1);
    }

    #[test]
    fn what_is_wrong_is_named_with_its_line() {
        for (lines, expected) in [
            ("", "most"),
            ("most = 0", "line 5"),
            ("most = 10001", "line 5"),
            ("most = 3\nsubject_types = []", "line 6"),
            ("most = 3\ngrant_types = [\"password\"]", "line 6"),
            (
                "most = 3\nservice_scopes = [\"menus:read\"]",
                "client_credentials",
            ),
            ("most = 3\nprofile = \"fapi2\"\npkce_required = false", "line 7"),
            (
                "most = 3\nprofile = \"fapi2\"\ntoken_endpoint_auth_methods = [\"none\"]",
                "line 7",
            ),
            ("most = 3\nclients = 4", "clients"),
        ] {
            let refused = read(lines).unwrap_err();
            assert!(refused.contains(expected), "{expected}: {refused}");
        }
    }
}
