//! The discovery document (OpenID Connect Discovery 1.0 §3, RFC 8414, RFC 9449 §5.1, RP-Initiated Logout §2.1, Back-Channel Logout §2.1,
//! Front-Channel Logout §3, RFC 9207 §3). It says what is true of this version and nothing else: libraries act on it.

use serde_json::{Map, Value, json};

use super::authorization::{Prompt, ResponseMode};
use super::claims;
use crate::domain::assurance::Acr;
use crate::domain::grant::Scope;
use crate::domain::registration::SubjectType;
use crate::domain::relying_party::{ClientAuthMethod, GrantType, SigningAlgorithm};
use crate::jose::Algorithm;
use crate::oauth::pkce;

/// Claims of every ID Token.
const PROTOCOL_CLAIMS: &[&str] = &[
    "iss",
    "sub",
    "aud",
    "exp",
    "iat",
    "auth_time",
    "nonce",
    "acr",
    "amr",
    "sid",
    "at_hash",
];

/// The document of an issuer. `surest` is how surely, at best, anybody can sign in: here, or at a provider that people come from.
pub fn document(issuer: &str, surest: Acr) -> Value {
    let groups = [endpoints(issuer), requests(), proofs(), answers(surest)];
    groups.into_iter().flatten().collect()
}

/// Where things are.
fn endpoints(issuer: &str) -> Map<String, Value> {
    let at = |path: &str| format!("{issuer}{path}");
    members(json!({
        "issuer": issuer,
        "authorization_endpoint": at("/oauth/authorize"),
        "token_endpoint": at("/oauth/token"),
        "userinfo_endpoint": at("/oauth/userinfo"),
        "jwks_uri": at("/oauth/jwks.json"),
        "end_session_endpoint": at("/oauth/logout"),
        "registration_endpoint": at("/oauth/register"),
        "revocation_endpoint": at("/oauth/revoke"),
        "introspection_endpoint": at("/oauth/introspect"),
        "pushed_authorization_request_endpoint": at("/oauth/par"),
    }))
}

/// What an authorization request may say.
fn requests() -> Map<String, Value> {
    members(json!({
        "scopes_supported": names(Scope::ALL, Scope::as_str),
        "response_types_supported": ["code"],
        "response_modes_supported": names(ResponseMode::ALL, ResponseMode::as_str),
        "grant_types_supported": names(GrantType::ALL, GrantType::as_str),
        "code_challenge_methods_supported": [pkce::METHOD],
        "prompt_values_supported": names(Prompt::ALL, Prompt::as_str),
        // Pages fit any window; what a page cannot be is a text for a telephone of 2000 (`wap`).
        "display_values_supported": ["page", "popup", "touch"],
        "ui_locales_supported": ["fr", "en"],
        "claims_parameter_supported": true,
        "request_parameter_supported": true,
        "request_object_signing_alg_values_supported": names(Algorithm::OF_CLIENTS, Algorithm::as_str),
        "require_signed_request_object": false,
        "request_uri_parameter_supported": false,
        "require_pushed_authorization_requests": false,
        "authorization_response_iss_parameter_supported": true,
    }))
}

/// How clients prove who they are.
fn proofs() -> Map<String, Value> {
    let methods = names(ClientAuthMethod::ALL, ClientAuthMethod::as_str);
    let confidential: Vec<&str> = methods
        .iter()
        .copied()
        .filter(|method| *method != ClientAuthMethod::None.as_str())
        .collect();
    let algorithms = names(Algorithm::OF_CLIENTS, Algorithm::as_str);
    members(json!({
        "revocation_endpoint_auth_methods_supported": methods,
        "revocation_endpoint_auth_signing_alg_values_supported": algorithms,
        "introspection_endpoint_auth_methods_supported": confidential,
        "introspection_endpoint_auth_signing_alg_values_supported": algorithms,
        "token_endpoint_auth_methods_supported": methods,
        "token_endpoint_auth_signing_alg_values_supported": algorithms,
        "dpop_signing_alg_values_supported": algorithms,
    }))
}

/// What is told of people, and how it is signed.
fn answers(surest: Acr) -> Map<String, Value> {
    let claims: Vec<&str> = PROTOCOL_CLAIMS.iter().copied().chain(claims::names()).collect();
    let algorithms = names(SigningAlgorithm::ALL, SigningAlgorithm::as_str);
    members(json!({
        "backchannel_logout_supported": true,
        "backchannel_logout_session_supported": true,
        "frontchannel_logout_supported": true,
        "frontchannel_logout_session_supported": true,
        "introspection_signing_alg_values_supported": algorithms,
        "subject_types_supported": names(SubjectType::ALL, SubjectType::as_str),
        "userinfo_signing_alg_values_supported": algorithms,
        "id_token_signing_alg_values_supported": algorithms,
        "acr_values_supported": surest.and_below().map(Acr::as_str).collect::<Vec<_>>(),
        "claim_types_supported": ["normal"],
        "claims_supported": claims,
    }))
}

fn members(object: Value) -> Map<String, Value> {
    match object {
        Value::Object(members) => members,
        _ => Map::new(),
    }
}

fn names<T: Copy>(all: &[T], name: impl Fn(T) -> &'static str) -> Vec<&'static str> {
    all.iter().map(|value| name(*value)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn discovery_section_3_required_members_are_there() {
        let document = document("https://id.example", Acr::MultiFactor);
        for member in [
            "issuer",
            "authorization_endpoint",
            "token_endpoint",
            "jwks_uri",
            "response_types_supported",
            "subject_types_supported",
            "id_token_signing_alg_values_supported",
        ] {
            assert!(document.get(member).is_some(), "{member}");
        }
        assert_eq!(document["issuer"], "https://id.example");
        let algorithms = document["id_token_signing_alg_values_supported"]
            .as_array()
            .unwrap();
        assert!(algorithms.contains(&"RS256".into()), "RS256 MUST be included");
        assert!(
            document["scopes_supported"]
                .as_array()
                .unwrap()
                .contains(&"openid".into())
        );
    }
}
