//! The whole flow, and the ID Token it ends with.

use serde_json::{Value, json};

use crate::domain::relying_party::{ClientAuthMethod, SigningAlgorithm};
use crate::web::oauth::tests::certification::relying_party::Suite;

pub(in crate::web::oauth::tests::certification) async fn oidcc_server(mut suite: Suite) {
    let client = suite.client("suite").await;
    let asked = suite.request(&client);
    let tokens = suite.flow(&client, &asked).await;
    assert_eq!(suite.agent.logins, 1);
    assert!(tokens.claims["at_hash"].is_string());
    assert_eq!(tokens.answer["scope"], "openid");
    let again = suite.request(&client);
    let others = suite.flow(&client, &again).await;
    assert_eq!(others.claims["sub"], tokens.claims["sub"]);
    assert_ne!(others.access_token, tokens.access_token);
}

pub(in crate::web::oauth::tests::certification) async fn oidcc_server_client_secret_post(mut suite: Suite) {
    let methods = &suite.provider["token_endpoint_auth_methods_supported"];
    assert!(methods.as_array().unwrap().contains(&json!("client_secret_post")));
    let client = suite
        .client_with("suite-post", |party| {
            party.auth_method = ClientAuthMethod::SecretPost;
        })
        .await;
    let asked = suite.request(&client);
    suite.flow(&client, &asked).await;
}

/// Without a word about algorithms the ID Token is signed by RS256, and says with which key.
pub(in crate::web::oauth::tests::certification) async fn oidcc_idtoken_signature(mut suite: Suite) {
    let client = suite.client("suite").await;
    let asked = suite.request(&client);
    let tokens = suite.flow(&client, &asked).await;
    let header = header(&tokens.id_token);
    assert_eq!(header["alg"], "RS256");
    let keys = suite.site.send(
        axum::http::Request::get(suite.endpoint("jwks_uri"))
            .body(axum::body::Body::empty())
            .unwrap(),
    );
    let keys = keys.await.json();
    let named: Vec<_> = keys["keys"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|key| key["kid"] == header["kid"])
        .collect();
    assert_eq!(named.len(), 1);
    assert_eq!(
        (&named[0]["kty"], &named[0]["use"]),
        (&json!("RSA"), &json!("sig"))
    );
}

/// The module is left out where a provider does not announce `none`, which this one must never do.
pub(in crate::web::oauth::tests::certification) async fn oidcc_idtoken_unsigned(suite: Suite) {
    let announced = suite.provider["id_token_signing_alg_values_supported"]
        .as_array()
        .unwrap();
    assert!(!announced.contains(&json!("none")));
    assert!(
        SigningAlgorithm::ALL
            .iter()
            .all(|algorithm| announced.contains(&json!(algorithm.as_str())))
    );
}

fn header(token: &str) -> Value {
    let header = data_encoding::BASE64URL_NOPAD.decode(token.split('.').next().unwrap().as_bytes());
    serde_json::from_slice(&header.unwrap()).unwrap()
}
