//! The plan of the Config OpenID Provider profile (`OIDCCConfigTestPlan`): one module, about the discovery document.

use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use serde_json::Value;

use super::plan;
use super::relying_party::Suite;
use super::user_agent::Delivery;
use crate::web::oauth::tests::site::ISSUER;

plan! { Delivery::Query; modules::{oidcc_discovery_endpoint_verification}; }

mod modules {
    use super::*;

    pub(super) async fn oidcc_discovery_endpoint_verification(suite: Suite) {
        let request = Request::get("/.well-known/openid-configuration").body(Body::empty());
        let reply = suite.site.send(request.unwrap()).await;
        assert_eq!(reply.status, StatusCode::OK);
        assert_eq!(reply.header(header::CONTENT_TYPE), Some("application/json"));
        let document = reply.json();
        // Discovery §4.3: the issuer is the address the document was found under.
        assert_eq!(document["issuer"], ISSUER);
        has(&document, "response_types_supported", "code");
        has(&document, "id_token_signing_alg_values_supported", "RS256");
        has(&document, "scopes_supported", "openid");
        has(&document, "grant_types_supported", "authorization_code");
        has(&document, "code_challenge_methods_supported", "S256");
        has(&document, "claims_supported", "sub");
        for kind in list(&document, "subject_types_supported") {
            assert!(matches!(kind, "public" | "pairwise"), "{kind}");
        }
        for member in [
            "authorization_endpoint",
            "token_endpoint",
            "userinfo_endpoint",
            "jwks_uri",
        ] {
            assert!(document[member].is_string(), "{member}");
        }
        if document.get("userinfo_signing_alg_values_supported").is_some() {
            has(&document, "userinfo_signing_alg_values_supported", "RS256");
        }
        for (member, value) in document.as_object().unwrap() {
            check_member(member, value);
        }
        check_keys(&suite).await;
    }
}

fn list<'a>(document: &'a Value, member: &str) -> impl Iterator<Item = &'a str> {
    let values = document[member]
        .as_array()
        .unwrap_or_else(|| panic!("{member} is not a list"));
    assert!(!values.is_empty(), "{member}");
    values.iter().map(|value| value.as_str().unwrap())
}

fn has(document: &Value, member: &str, wanted: &str) {
    assert!(
        list(document, member).any(|value| value == wanted),
        "{member} lacks {wanted}"
    );
}

/// RFC 8414 §2: the type of a member goes by its name.
fn check_member(member: &str, value: &Value) {
    if member.ends_with("_endpoint") || member.ends_with("_uri") {
        assert!(
            value.as_str().unwrap().starts_with("https://"),
            "{member}: {value}"
        );
    } else if member.ends_with("_alg_values_supported") {
        let values = value.as_array().unwrap();
        assert!(!values.contains(&"none".into()), "{member}");
    } else if member.ends_with("s_supported") && !value.is_boolean() {
        let values = value.as_array().unwrap();
        assert!(values.iter().all(Value::is_string), "{member}: {value}");
    } else if member.starts_with("require_") || member.ends_with("_parameter_supported") {
        assert!(value.is_boolean(), "{member}: {value}");
    }
    assert!(
        !value.is_null() && *value != "" && value.as_array().is_none_or(|values| !values.is_empty()),
        "{member}"
    );
}

/// OpenID Connect Core §10.1, RFC 7517: each key has a name of its own, and its private half stays at home.
async fn check_keys(suite: &Suite) {
    let request = Request::get(suite.endpoint("jwks_uri")).body(Body::empty());
    let keys = suite.site.send(request.unwrap()).await.json();
    let keys = keys["keys"].as_array().unwrap();
    let mut names = std::collections::BTreeSet::new();
    for key in keys {
        assert!(names.insert(key["kid"].as_str().unwrap()), "{key}");
        assert_eq!(key["use"], "sig");
        assert!(matches!(key["kty"].as_str(), Some("RSA" | "EC")), "{key}");
        for private in ["d", "p", "q", "dp", "dq", "qi", "oth", "k"] {
            assert_eq!(key.get(private), None, "{private}");
        }
    }
    assert!(keys.iter().any(|key| key["alg"] == "RS256"));
}
