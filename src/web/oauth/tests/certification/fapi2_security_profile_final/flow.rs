//! The whole way, and what is at its ends.

use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use serde_json::{Map, Value, json};

use super::client::{brought, is_refused};
use crate::oauth::dpop::testing::Holder;
use crate::web::oauth::tests::certification::checks::{check_standard_claims, check_userinfo};
use crate::web::oauth::tests::certification::relying_party::{Asked, Client, DPOP, Suite, Tokens};
use crate::web::oauth::tests::certification::user_agent::AtLogin;
use crate::web::oauth::tests::site::claims;

/// The algorithms of FAPI 2.0 Security Profile §5.4.1.
const ALGORITHMS: &[&str] = &["PS256", "ES256", "EdDSA", "Ed25519"];

/// The plan's second address, whose query must come back.
const WITH_QUERY: &str = "https://suite-2.example/cb?dummy1=lorem&dummy2=ipsum";

pub(super) async fn discovery_end_point_verification(suite: Suite) {
    let provider = &suite.provider;
    let lists = |member: &str, value: &str| {
        provider[member]
            .as_array()
            .is_some_and(|values| values.contains(&json!(value)))
    };
    for (member, value) in [
        ("response_types_supported", "code"),
        ("token_endpoint_auth_methods_supported", "private_key_jwt"),
        ("code_challenge_methods_supported", "S256"),
        ("scopes_supported", "openid"),
        ("grant_types_supported", "authorization_code"),
    ] {
        assert!(lists(member, value), "{member}: {value}");
    }
    for member in [
        "dpop_signing_alg_values_supported",
        "id_token_signing_alg_values_supported",
        "token_endpoint_auth_signing_alg_values_supported",
        "userinfo_signing_alg_values_supported",
    ] {
        assert!(
            ALGORITHMS.iter().any(|algorithm| lists(member, algorithm)),
            "{member}"
        );
    }
    for kind in provider["subject_types_supported"].as_array().unwrap() {
        assert!(*kind == "pairwise" || *kind == "public", "{kind}");
    }
    assert_eq!(provider["authorization_response_iss_parameter_supported"], true);
    assert!(provider["require_pushed_authorization_requests"].is_boolean());
    for endpoint in [
        "authorization_endpoint",
        "pushed_authorization_request_endpoint",
        "token_endpoint",
        "registration_endpoint",
        "jwks_uri",
    ] {
        suite.endpoint(endpoint);
    }
}

async fn second(suite: &Suite) -> Client {
    suite
        .strict_with("suite-2", |party| party.redirect_uris = vec![WITH_QUERY.into()])
        .await
}

pub(super) async fn happy_flow(mut suite: Suite) {
    let (one, asked) = suite.strict_request().await;
    let first = suite.strict_flow(&one, &asked).await;
    assert_eq!(suite.agent.logins, 1);
    assert_eq!(claims(&first.id_token.as_str().into())["aud"], one.id);

    // A token in an address ends in logs: RFC 6750 §2.3 is not offered.
    let address = format!(
        "{}?access_token={}",
        suite.userinfo_endpoint(),
        first.access_token
    );
    let reply = suite
        .site
        .send(Request::get(address).body(Body::empty()).unwrap())
        .await;
    assert!(reply.status.is_client_error(), "{reply:?}");
    for accepted in ["application/json;charset=UTF-8", "application/json, */*"] {
        let request = Request::get(suite.userinfo_endpoint())
            .header(header::ACCEPT, accepted)
            .header("x-fapi-customer-ip-address", "2001:db8::1893:25c8:1946");
        check_userinfo(&suite.site.send(suite.bearer(request, &first)).await, &first);
    }

    // The second client names its key by `dpop_jkt` alone.
    let two = second(&suite).await;
    let nonce = suite.draw();
    assert_eq!(nonce.len(), 43);
    let asked = suite
        .request(&two)
        .with("nonce", &nonce)
        .with("dpop_jkt", &two.holder().jkt());
    let tokens = suite.strict_flow(&two, &asked).await;
    of_another_key(&suite, &one, &tokens).await;
}

/// The key of a client, and the token of another.
async fn of_another_key(suite: &Suite, client: &Client, tokens: &Tokens) {
    let proof = suite.proof_of(client.holder(), &tokens.access_token).sign();
    let reply = suite.resource(DPOP, &tokens.access_token, &[&proof]).await;
    assert_eq!(reply.status, StatusCode::UNAUTHORIZED);
    assert_eq!(reply.error(), "invalid_token");
}

/// Twice: the address of the second client has a query, which comes back too.
pub(super) async fn user_rejects_authentication(mut suite: Suite) {
    suite.agent.at_login = AtLogin::Cancel;
    let one = suite.strict("suite").await;
    let two = second(&suite).await;
    for client in [&one, &two] {
        let state = format!("{}{}{}", suite.draw(), suite.draw(), suite.draw());
        let asked = suite.request(client).with("state", &state[..128]);
        let reference = suite.pushed(client, &asked).await;
        let callback = suite.authorize(&brought(client, &reference)).await.callback();
        assert_eq!(suite.error_of(client, &asked, &callback), "access_denied");
    }
    assert_eq!(suite.agent.logins, 0);
}

/// Every standard claim that is supported, wished for in each way there is, and some that nobody knows.
pub(super) async fn test_claims_parameter_identity_claims(mut suite: Suite) {
    assert_eq!(suite.provider["claims_parameter_supported"], true);
    let ways = [
        json!(null),
        json!({ "essential": true }),
        json!({ "essential": false }),
    ];
    let ways = ways.iter().cycle();
    let supported = suite.provider["claims_supported"].as_array().unwrap();
    let standard = [
        "name",
        "given_name",
        "family_name",
        "preferred_username",
        "email",
        "email_verified",
        "gender",
        "birthdate",
        "locale",
        "phone_number",
        "phone_number_verified",
        "address",
    ];
    let standard: Vec<&str> = standard
        .into_iter()
        .filter(|claim| supported.contains(&json!(claim)))
        .collect();
    let mut wanted: Map<String, Value> = standard
        .iter()
        .zip(ways)
        .map(|(claim, way)| ((*claim).to_owned(), way.clone()))
        .collect();
    wanted.insert(suite.draw(), json!(null));
    let asked_for = json!({ "id_token": wanted, "userinfo": wanted, "s0mewhere": { "else": null } });

    let (client, asked) = suite.strict_request().await;
    let asked = asked.with("claims", &asked_for.to_string());
    let code = suite.strict_code(&client, &asked).await;
    let reply = suite.present(&client, &code, &[]).await;
    assert_eq!(reply.status, StatusCode::OK, "{reply:?}");
    let answer = reply.json();
    let id_token = claims(&answer["id_token"]);
    let token = answer["access_token"].as_str().unwrap();
    let proof = suite.proof_of(client.holder(), token).sign();
    let userinfo = suite.resource(DPOP, token, &[&proof]).await.json();
    assert_eq!(userinfo["sub"], id_token["sub"]);
    check_standard_claims(&userinfo);
    for claim in &standard {
        // Nobody knows the gender of the person of the suite, nor the language they read.
        let is_known = !["gender", "locale"].contains(claim);
        assert_eq!(userinfo.get(claim).is_some(), is_known, "{claim}");
        assert_eq!(userinfo.get(claim), id_token.get(claim), "{claim}");
    }
}

/// RFC 9110 §11.1: the name of a scheme is read without regard to case.
pub(super) async fn access_token_type_header_case_sensitivity(mut suite: Suite) {
    let (client, asked) = suite.strict_request().await;
    let tokens = suite.strict_flow(&client, &asked).await;
    let proof = suite.proof_of(client.holder(), &tokens.access_token).sign();
    let reply = suite.resource("dpOp", &tokens.access_token, &[&proof]).await;
    check_userinfo(&reply, &tokens);
}

/// Two clients: each refreshes with a new key, and what is one's is of no use to the other (FAPI 2.0 Security Profile
/// §5.3.2.1: no rotation).
pub(super) async fn refresh_token(mut suite: Suite) {
    let (one, two) = (suite.strict("suite").await, suite.strict("suite-2").await);
    let mut last = None;
    for client in [&one, &two] {
        let asked = suite
            .request(client)
            .with("scope", "openid offline_access")
            .with("prompt", "consent");
        let first = suite.strict_flow(client, &asked).await;
        let token = first.answer["refresh_token"].as_str().unwrap().to_owned();
        assert!(token.len() >= 22 && token.bytes().all(|symbol| (0x20..=0x7e).contains(&symbol)));
        suite.wait(1);
        let renewed = client.held_by(Holder::new());
        let reply = suite.token_request(&renewed, &refreshing(&token)).await;
        let next = suite.tokens_of(&renewed, None, &reply).await;
        assert_ne!(next.access_token, first.access_token);
        for same in ["iss", "sub", "aud", "auth_time"] {
            assert_eq!(next.claims[same], first.claims[same], "{same}");
        }
        assert_ne!(next.claims["iat"], first.claims["iat"]);
        assert_eq!(next.answer["refresh_token"], token.as_str());
        suite.userinfo(&next).await;

        // Nobody proves to be the client; nobody proves to hold a key.
        let unproved = Asked::default()
            .with("grant_type", "refresh_token")
            .with("refresh_token", &token)
            .with("client_id", &client.id);
        let proof = suite.proof_at(client, "token_endpoint").sign();
        let reply = suite.call("token_endpoint", &unproved, &[&proof]).await;
        is_refused(&reply, &["invalid_client", "invalid_grant", "invalid_request"]);
        let unheld = suite.proved(client, &unproved);
        let reply = suite.call("token_endpoint", &unheld, &[]).await;
        is_refused(
            &reply,
            &["invalid_request", "invalid_grant", "invalid_dpop_proof"],
        );
        last = Some((token, next));
    }
    let (token, tokens) = last.unwrap();
    of_another_key(&suite, &one, &tokens).await;
    let stolen = suite.token_request(&one, &refreshing(&token)).await;
    is_refused(&stolen, &["invalid_grant"]);
}

fn refreshing(token: &str) -> [(&str, &str); 2] {
    [("grant_type", "refresh_token"), ("refresh_token", token)]
}
