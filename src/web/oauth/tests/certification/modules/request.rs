//! Authorization requests: what must be understood, what must be ignored, what must be refused.

use axum::http::{StatusCode, header};
use data_encoding::BASE64URL_NOPAD;

use crate::base::secret::sha256;
use crate::web::oauth::tests::certification::relying_party::{Asked, Client, Suite};

async fn asked(suite: &Suite) -> (Client, Asked) {
    let client = suite.client("suite").await;
    let asked = suite.request(&client);
    (client, asked)
}

pub(in crate::web::oauth::tests::certification) async fn oidcc_response_type_missing(mut suite: Suite) {
    let (client, asked) = asked(&suite).await;
    let error = suite.error(&client, &asked.without("response_type")).await;
    assert!(
        matches!(error.as_str(), "invalid_request" | "unsupported_response_type"),
        "{error}"
    );
    assert_eq!(suite.agent.logins, 0, "nobody had to sign in for that");
}

pub(in crate::web::oauth::tests::certification) async fn oidcc_ensure_request_without_nonce_succeeds_for_code_flow(
    mut suite: Suite,
) {
    let (client, asked) = asked(&suite).await;
    let tokens = suite.flow(&client, &asked.without("nonce")).await;
    assert_eq!(tokens.claims.get("nonce"), None);
}

/// Asks with one more parameter, which must not stand in the way of a flow.
async fn succeeds_with(mut suite: Suite, name: &str, value: &str) -> Suite {
    let (client, asked) = asked(&suite).await;
    suite.flow(&client, &asked.with(name, value)).await;
    assert_eq!(suite.agent.logins, 1);
    suite
}

pub(in crate::web::oauth::tests::certification) async fn oidcc_display_page(suite: Suite) {
    succeeds_with(suite, "display", "page").await;
}

pub(in crate::web::oauth::tests::certification) async fn oidcc_display_popup(suite: Suite) {
    succeeds_with(suite, "display", "popup").await;
}

pub(in crate::web::oauth::tests::certification) async fn oidcc_ensure_request_with_unknown_parameter_succeeds(
    suite: Suite,
) {
    succeeds_with(suite, "extra", "foobar").await;
}

pub(in crate::web::oauth::tests::certification) async fn oidcc_login_hint(suite: Suite) {
    succeeds_with(suite, "login_hint", "maddi@id.example.fr").await;
}

/// A language we do not have.
pub(in crate::web::oauth::tests::certification) async fn oidcc_ui_locales(suite: Suite) {
    succeeds_with(suite, "ui_locales", "se").await;
}

pub(in crate::web::oauth::tests::certification) async fn oidcc_claims_locales(suite: Suite) {
    succeeds_with(suite, "claims_locales", "se").await;
}

/// With every class that discovery announces: the one that was reached is among them.
pub(in crate::web::oauth::tests::certification) async fn oidcc_ensure_request_with_acr_values_succeeds(
    mut suite: Suite,
) {
    let announced = suite.provider["acr_values_supported"].clone();
    let values: Vec<_> = announced
        .as_array()
        .unwrap()
        .iter()
        .map(|value| value.as_str().unwrap())
        .collect();
    let (client, asked) = asked(&suite).await;
    let tokens = suite
        .flow(&client, &asked.with("acr_values", &values.join(" ")))
        .await;
    let reached = tokens.claims["acr"].as_str().unwrap();
    assert!(values.contains(&reached), "{reached}");
    assert_eq!(reached, "https://refeds.org/profile/sfa", "a password");
}

/// The challenge of RFC 7636 by a client that need not send one.
pub(in crate::web::oauth::tests::certification) async fn oidcc_ensure_request_with_valid_pkce_succeeds(
    mut suite: Suite,
) {
    let (client, asked) = asked(&suite).await;
    let verifier = suite.draw();
    let challenge = BASE64URL_NOPAD.encode(&sha256(verifier.as_bytes()));
    let asked = asked
        .with("code_challenge", &challenge)
        .with("code_challenge_method", "S256");
    let code = suite.code(&client, &asked).await;
    let reply = suite
        .present(&client, &code, &[("code_verifier", &verifier)])
        .await;
    let tokens = suite.tokens_of(&client, asked.get("nonce"), &reply).await;
    suite.userinfo(&tokens).await;
}

/// The browser posts the request, and its cookies stay behind.
pub(in crate::web::oauth::tests::certification) async fn oidcc_ensure_post_request_succeeds(
    mut suite: Suite,
) {
    let (client, asked) = asked(&suite).await;
    for logins in [1, 1] {
        let endpoint = suite.endpoint("authorization_endpoint");
        let landing = suite
            .agent
            .post_from_elsewhere(&suite.site, &endpoint, asked.query())
            .await;
        let code = suite.code_of(&client, &asked, &landing.callback());
        suite.redeem(&client, &asked, &code).await;
        assert_eq!(
            suite.agent.logins, logins,
            "the login of the browser is found again"
        );
    }
}

pub(in crate::web::oauth::tests::certification) async fn oidcc_ensure_registered_redirect_uri(
    mut suite: Suite,
) {
    let (client, asked) = asked(&suite).await;
    for wrong in [
        format!("{}/{}", client.redirect_uri, suite.draw()),
        format!("{}?x=y", client.redirect_uri),
        "https://elsewhere.example/cb".to_owned(),
    ] {
        let page = suite
            .authorize(&asked.clone().with("redirect_uri", &wrong))
            .await
            .page();
        assert_eq!(page.status, StatusCode::BAD_REQUEST);
        assert_eq!(page.header(header::LOCATION), None);
        assert!(!page.body.contains(&wrong), "no link to it either");
    }
    assert_eq!(suite.agent.logins, 0);
}
