//! What holds of every client, whoever wrote it down: members that only make sense together (RFC 7591 §2.1, OpenID Connect
//! Dynamic Registration §2, Front-Channel Logout §2, RFC 9700 §2.1.1, FAPI 2.0 Security Profile §5.3.2).

use super::{RegistrationError, address, keys};
use crate::base::url::{self, Url};
use crate::domain::registration::is_loopback;
use crate::domain::relying_party::{
    ApplicationType, ClientAuthMethod, ClientKeys, GrantType, RelyingParty, SecurityProfile, SigningAlgorithm,
};
use crate::jose::Algorithm;

type Rule = fn(&RelyingParty) -> Result<(), RegistrationError>;

const RULES: &[Rule] = &[grants, redirects, proof, sector, pages, logout, fapi2];

/// Checks a client as a whole.
///
/// # Errors
/// The first member that does not go with the others.
pub fn check(party: &RelyingParty) -> Result<(), RegistrationError> {
    RULES.iter().try_for_each(|rule| rule(party))
}

const fn wrong(field: &'static str, reason: &'static str) -> Result<(), RegistrationError> {
    Err(RegistrationError::wrong(field, reason))
}

fn grants(party: &RelyingParty) -> Result<(), RegistrationError> {
    let metadata = &party.metadata;
    if metadata.grant_types.is_empty() {
        return wrong("grant_types", "is empty");
    }
    let uses_code = metadata.allows(GrantType::AuthorizationCode);
    if metadata.allows(GrantType::RefreshToken) && !uses_code {
        return wrong("grant_types", "refresh_token goes with authorization_code");
    }
    // RFC 6749 §4.4: "The client credentials grant type MUST only be used by confidential clients."
    if metadata.allows(GrantType::ClientCredentials) && party.is_public() {
        return wrong("grant_types", "client_credentials is for confidential clients");
    }
    if !metadata.service_scopes.is_empty() && !metadata.allows(GrantType::ClientCredentials) {
        return wrong("service_scopes", "goes with the grant client_credentials");
    }
    Ok(())
}

fn redirects(party: &RelyingParty) -> Result<(), RegistrationError> {
    let uses_code = party.metadata.allows(GrantType::AuthorizationCode);
    // One that speaks another protocol need not speak this one.
    let speaks_another = party.saml.is_some() || party.cas.is_some();
    if uses_code && party.redirect_uris.is_empty() && !speaks_another {
        return wrong(address::REDIRECT_URIS, "is empty");
    }
    if !uses_code && !party.redirect_uris.is_empty() {
        return wrong(address::REDIRECT_URIS, "goes with the grant authorization_code");
    }
    let of_the_web = |uri: &String| uri.starts_with("http:") || uri.starts_with("https:");
    let native = party.metadata.application_type == ApplicationType::Native;
    if !native
        && party
            .redirect_uris
            .iter()
            .any(|uri| url::origin(uri).is_none() && !of_the_web(uri))
    {
        return wrong(
            address::REDIRECT_URIS,
            "a scheme of one's own is for native programs",
        );
    }
    Ok(())
}

fn proof(party: &RelyingParty) -> Result<(), RegistrationError> {
    const KEYS: &str = "jwks";
    let by_secret = matches!(
        party.auth_method,
        ClientAuthMethod::SecretBasic | ClientAuthMethod::SecretPost
    );
    if !by_secret && !party.secrets.is_empty() {
        return wrong("secret", "goes with client_secret_basic and client_secret_post");
    }
    if party.secrets.len() > 2 {
        return wrong("secret", "there are more than two");
    }
    // RFC 9700 §2.1.1: "Public clients MUST use PKCE".
    if party.is_public() && !party.pkce_required {
        return wrong("pkce_required", "a public client cannot do without PKCE");
    }
    let signs = party.auth_method == ClientAuthMethod::PrivateKeyJwt;
    if party.metadata.auth_signing_alg.is_some() && !signs {
        return wrong("token_endpoint_auth_signing_alg", "goes with private_key_jwt");
    }
    let required =
        signs || party.metadata.signed_request_required || party.metadata.request_object_alg.is_some();
    match &party.metadata.keys {
        ClientKeys::None if signs => wrong(KEYS, "private_key_jwt needs jwks or jwks_uri"),
        ClientKeys::None if required => wrong(KEYS, "signed requests need jwks or jwks_uri"),
        ClientKeys::None | ClientKeys::JwksUri(_) => Ok(()),
        ClientKeys::Jwks(text) if required => {
            let usable = keys::usable(text);
            let wanted = party
                .metadata
                .auth_signing_alg
                .as_deref()
                .and_then(Algorithm::from_name);
            if usable
                .iter()
                .any(|key| wanted.is_none_or(|wanted| key.may_sign(wanted)))
            {
                Ok(())
            } else {
                wrong(KEYS, "has no key that its signatures could be verified with here")
            }
        }
        ClientKeys::Jwks(_) => Ok(()),
    }
}

fn sector(party: &RelyingParty) -> Result<(), RegistrationError> {
    // Core §8.1, and how subjects are made: no zero byte stands in a sector.
    if party.sector.is_empty() || party.sector.chars().any(char::is_control) {
        return wrong("sector", "is empty or holds control characters");
    }
    Ok(())
}

fn pages(party: &RelyingParty) -> Result<(), RegistrationError> {
    let metadata = &party.metadata;
    // Dynamic Registration §2: "URI using the https scheme".
    safe("initiate_login_uri", metadata.initiate_login_uri.as_deref())?;
    if let ClientKeys::JwksUri(uri) = &metadata.keys {
        safe("jwks_uri", Some(uri))?;
    }
    for (field, uri) in [
        ("logo_uri", &metadata.logo_uri),
        ("policy_uri", &metadata.policy_uri),
        ("tos_uri", &metadata.tos_uri),
    ] {
        if uri.as_ref().is_some_and(|uri| url::origin(uri).is_none()) {
            return wrong(field, "must be http or https");
        }
    }
    Ok(())
}

/// An address that is called with what others must not read or change: `https`, or `http` on the loopback.
fn safe(field: &'static str, address: Option<&str>) -> Result<(), RegistrationError> {
    let Some(address) = address else { return Ok(()) };
    let is_safe = Url::parse(address).is_ok_and(|url| match url.scheme() {
        "https" => true,
        "http" => url.host_str().is_some_and(is_loopback),
        _ => false,
    });
    if is_safe {
        Ok(())
    } else {
        wrong(field, "must be https (http on the loopback only)")
    }
}

fn logout(party: &RelyingParty) -> Result<(), RegistrationError> {
    const FRONT: &str = "frontchannel_logout_uri";
    let metadata = &party.metadata;
    if let Some(back) = &metadata.backchannel_logout {
        safe("backchannel_logout_uri", Some(&back.uri))?;
        // Back-Channel Logout §2.2: "This URI MUST NOT include a fragment component."
        if back.uri.contains('#') {
            return wrong("backchannel_logout_uri", "must not have a fragment");
        }
    }
    if let Some(front) = &metadata.frontchannel_logout {
        safe(FRONT, Some(&front.uri))?;
        // Front-Channel Logout §2: "The domain, port, and scheme of this URL MUST be the same as that of a registered
        // Redirection URI value."
        let origin = url::origin(&front.uri);
        if !party.redirect_uris.iter().any(|uri| url::origin(uri) == origin) {
            return wrong(FRONT, "must have the origin of one of redirect_uris");
        }
    }
    Ok(())
}

/// FAPI 2.0 Security Profile §5.3.2.1: confidential clients with keys; §5.4.1: PS256, ES256 or EdDSA, so never RS256;
/// §5.3.2.2: PKCE.
fn fapi2(party: &RelyingParty) -> Result<(), RegistrationError> {
    let metadata = &party.metadata;
    if metadata.profile != SecurityProfile::Fapi2 {
        return Ok(());
    }
    if party.auth_method != ClientAuthMethod::PrivateKeyJwt {
        return wrong(
            "token_endpoint_auth_method",
            "fapi2 wants private_key_jwt: no secret, no public client",
        );
    }
    if !party.pkce_required {
        return wrong("pkce_required", "fapi2 wants PKCE");
    }
    if party.id_token_alg == SigningAlgorithm::Rs256 {
        return wrong("id_token_signed_response_alg", "fapi2 wants ES256");
    }
    for (field, is_rs256) in [
        (
            "userinfo_signed_response_alg",
            metadata.userinfo_alg == Some(SigningAlgorithm::Rs256),
        ),
        (
            "introspection_signed_response_alg",
            metadata.introspection_alg == Some(SigningAlgorithm::Rs256),
        ),
        (
            "request_object_signing_alg",
            metadata.request_object_alg.as_deref() == Some("RS256"),
        ),
        (
            "token_endpoint_auth_signing_alg",
            metadata.auth_signing_alg.as_deref() == Some("RS256"),
        ),
    ] {
        if is_rs256 {
            return wrong(field, "fapi2 forbids RS256");
        }
    }
    if let ClientKeys::Jwks(text) = &metadata.keys
        && !keys::usable(text).iter().any(|key| {
            Algorithm::OF_FAPI
                .iter()
                .any(|algorithm| key.may_sign(*algorithm))
        })
    {
        return wrong("jwks", "fapi2 forbids RS256, and there is no other key");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::relying_party::LogoutAddress;
    use crate::domain::testing::party;

    /// The field that is wrong after a change of a right client.
    fn refused(change: impl FnOnce(&mut RelyingParty)) -> Option<&'static str> {
        let mut ent = party("ent");
        change(&mut ent);
        check(&ent).err().map(|error| error.field)
    }

    const EC: &str = r#"{"keys":[{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}]}"#;

    fn fapi(ent: &mut RelyingParty) {
        ent.metadata.profile = SecurityProfile::Fapi2;
        ent.auth_method = ClientAuthMethod::PrivateKeyJwt;
        ent.secrets.clear();
        ent.metadata.keys = ClientKeys::Jwks(EC.into());
    }

    #[test]
    fn a_right_client_of_each_kind_is_let_through() {
        assert_eq!(refused(|_| {}), None);
        assert_eq!(refused(fapi), None);
        assert_eq!(
            refused(|ent| {
                ent.metadata.grant_types = vec![GrantType::ClientCredentials];
                ent.metadata.service_scopes = vec!["read".into()];
                ent.redirect_uris.clear();
            }),
            None,
            "a service in its own name needs no redirect address"
        );
        assert_eq!(
            refused(|ent| {
                ent.metadata.application_type = ApplicationType::Native;
                ent.redirect_uris = vec!["example.ent:/cb".into()];
            }),
            None
        );
    }

    #[test]
    fn members_that_do_not_go_together_are_named() {
        type Change = fn(&mut RelyingParty);
        let cases: &[(&str, Change)] = &[
            ("grant_types", |ent| ent.metadata.grant_types.clear()),
            ("grant_types", |ent| {
                ent.metadata.grant_types = vec![GrantType::RefreshToken];
            }),
            ("grant_types", |ent| {
                ent.metadata.grant_types.push(GrantType::ClientCredentials);
                ent.auth_method = ClientAuthMethod::None;
                ent.secrets.clear();
            }),
            ("service_scopes", |ent| {
                ent.metadata.service_scopes = vec!["read".into()];
            }),
            ("redirect_uris", |ent| ent.redirect_uris.clear()),
            ("redirect_uris", |ent| {
                ent.metadata.grant_types = vec![GrantType::ClientCredentials];
            }),
            ("redirect_uris", |ent| {
                ent.redirect_uris.push("example.ent:/cb".into());
            }),
            ("secret", |ent| ent.auth_method = ClientAuthMethod::None),
            ("secret", |ent| ent.secrets = vec![ent.secrets[0]; 3]),
            ("pkce_required", |ent| {
                ent.auth_method = ClientAuthMethod::None;
                ent.secrets.clear();
                ent.pkce_required = false;
            }),
            ("jwks", |ent| {
                ent.auth_method = ClientAuthMethod::PrivateKeyJwt;
                ent.secrets.clear();
            }),
            ("jwks", |ent| ent.metadata.signed_request_required = true),
            ("jwks", |ent| {
                fapi(ent);
                ent.metadata.keys = ClientKeys::Jwks(r#"{"keys":[{"kty":"oct"}]}"#.into());
            }),
            ("jwks", |ent| {
                fapi(ent);
                ent.metadata.profile = SecurityProfile::Standard;
                ent.metadata.auth_signing_alg = Some("RS256".into());
            }),
            ("token_endpoint_auth_signing_alg", |ent| {
                ent.metadata.auth_signing_alg = Some("ES256".into());
            }),
            ("jwks_uri", |ent| {
                ent.metadata.keys = ClientKeys::JwksUri("http://ent.example/jwks".into());
            }),
            ("sector", |ent| ent.sector = "a\0b".into()),
            ("initiate_login_uri", |ent| {
                ent.metadata.initiate_login_uri = Some("http://ent.example/".into());
            }),
            ("logo_uri", |ent| {
                ent.metadata.logo_uri = Some("javascript:alert(1)".into());
            }),
            ("policy_uri", |ent| {
                ent.metadata.policy_uri = Some("data:text/html,x".into());
            }),
            ("backchannel_logout_uri", |ent| {
                ent.metadata.backchannel_logout = Some(logout_at("http://ent.example/out"));
            }),
            ("backchannel_logout_uri", |ent| {
                ent.metadata.backchannel_logout = Some(logout_at("https://ent.example/out#x"));
            }),
            ("frontchannel_logout_uri", |ent| {
                ent.metadata.frontchannel_logout = Some(logout_at("https://other.example/out"));
            }),
            ("frontchannel_logout_uri", |ent| {
                ent.metadata.frontchannel_logout = Some(logout_at("https://ent.example:8443/out"));
            }),
            ("token_endpoint_auth_method", |ent| {
                ent.metadata.profile = SecurityProfile::Fapi2;
            }),
            ("id_token_signed_response_alg", |ent| {
                fapi(ent);
                ent.id_token_alg = SigningAlgorithm::Rs256;
            }),
            ("userinfo_signed_response_alg", |ent| {
                fapi(ent);
                ent.metadata.userinfo_alg = Some(SigningAlgorithm::Rs256);
            }),
            ("request_object_signing_alg", |ent| {
                fapi(ent);
                ent.metadata.request_object_alg = Some("RS256".into());
            }),
            ("pkce_required", |ent| {
                fapi(ent);
                ent.pkce_required = false;
            }),
        ];
        for (at, (field, change)) in cases.iter().enumerate() {
            assert_eq!(refused(change), Some(*field), "case {at}");
        }
    }

    fn logout_at(uri: &str) -> LogoutAddress {
        LogoutAddress {
            uri: uri.into(),
            session_required: false,
        }
    }
}
