//! The client information response (RFC 7591 §3.2.1, RFC 7592 §3): everything that was registered, and nothing else.

use serde_json::{Map, Value, json};

use crate::base::secret::Secret;
use crate::domain::registration::SubjectType;
use crate::domain::relying_party::{ClientAuthMethod, ClientKeys, GrantType, LogoutAddress, RelyingParty};

/// What is shown besides the metadata, at most once or to who has it already.
#[derive(Debug, Clone, Copy)]
pub struct Shown<'a> {
    /// The issuer, which the configuration endpoint stands under.
    pub issuer: &'a str,
    /// A secret that was made just now.
    pub secret: Option<&'a Secret>,
    /// The registration access token that was made just now, or that the request came with.
    pub access_token: &'a Secret,
}

/// Where a client reads and changes its registration.
pub fn configuration_uri(issuer: &str, party: &RelyingParty) -> String {
    format!("{issuer}/oauth/register/{}", party.id)
}

/// The document.
pub fn write(party: &RelyingParty, shown: Shown<'_>) -> Value {
    let metadata = &party.metadata;
    let uses_code = metadata.allows(GrantType::AuthorizationCode);
    let mut members = Map::new();
    let mut put = |name: &str, value: Value| {
        if !value.is_null() {
            members.insert(name.to_owned(), value);
        }
    };
    put("client_id", party.id.as_str().into());
    put(
        "client_id_issued_at",
        json!(party.registration.as_ref().map(|known| known.at.seconds())),
    );
    put("client_secret", json!(shown.secret.map(Secret::expose)));
    if matches!(
        party.auth_method,
        ClientAuthMethod::SecretBasic | ClientAuthMethod::SecretPost
    ) {
        // It never expires by itself.
        put("client_secret_expires_at", 0.into());
    }
    put("registration_access_token", shown.access_token.expose().into());
    put(
        "registration_client_uri",
        configuration_uri(shown.issuer, party).into(),
    );
    put("client_name", party.name.as_str().into());
    put("client_uri", json!(party.home));
    put("application_type", metadata.application_type.as_str().into());
    put("redirect_uris", json!(party.redirect_uris));
    put(
        "post_logout_redirect_uris",
        some(&party.post_logout_redirect_uris),
    );
    put(
        "response_types",
        if uses_code { json!(["code"]) } else { json!([]) },
    );
    put("grant_types", json!(metadata.grant_types));
    put("token_endpoint_auth_method", party.auth_method.as_str().into());
    put(
        "token_endpoint_auth_signing_alg",
        json!(metadata.auth_signing_alg),
    );
    match &metadata.keys {
        ClientKeys::None => {}
        ClientKeys::Jwks(text) => put("jwks", serde_json::from_str(text).unwrap_or_default()),
        ClientKeys::JwksUri(uri) => put("jwks_uri", uri.as_str().into()),
    }
    put(
        "subject_type",
        SubjectType::of(party.subject_strategy).as_str().into(),
    );
    put("sector_identifier_uri", json!(metadata.sector_identifier_uri));
    put("id_token_signed_response_alg", party.id_token_alg.as_str().into());
    put("userinfo_signed_response_alg", json!(metadata.userinfo_alg));
    put(
        "introspection_signed_response_alg",
        json!(metadata.introspection_alg),
    );
    put("request_object_signing_alg", json!(metadata.request_object_alg));
    put(
        "require_signed_request_object",
        metadata.signed_request_required.into(),
    );
    put(
        "require_pushed_authorization_requests",
        metadata.par_required.into(),
    );
    put("dpop_bound_access_tokens", metadata.dpop_required.into());
    put("default_max_age", json!(metadata.default_max_age));
    put("require_auth_time", metadata.require_auth_time.into());
    put("default_acr_values", some(&metadata.default_acr_values));
    put("initiate_login_uri", json!(metadata.initiate_login_uri));
    put("logo_uri", json!(metadata.logo_uri));
    put("policy_uri", json!(metadata.policy_uri));
    put("tos_uri", json!(metadata.tos_uri));
    put("contacts", some(&metadata.contacts));
    for (name, address) in [
        ("backchannel_logout", &metadata.backchannel_logout),
        ("frontchannel_logout", &metadata.frontchannel_logout),
    ] {
        if let Some(LogoutAddress {
            uri,
            session_required,
        }) = address
        {
            put(&format!("{name}_uri"), uri.as_str().into());
            put(&format!("{name}_session_required"), (*session_required).into());
        }
    }
    Value::Object(members)
}

/// A list, where there is anything in it.
fn some(list: &[String]) -> Value {
    if list.is_empty() { Value::Null } else { json!(list) }
}
