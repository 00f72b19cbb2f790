//! The endpoint where a request is pushed, and the reference that comes back (RFC 9126).

use axum::http::{Method, StatusCode};
use serde_json::{Value, json};

use super::client::{brought, is_refused};
use crate::web::oauth::tests::certification::relying_party::{Asked, Suite};
use crate::web::oauth::tests::certification::user_agent::AtLogin;
use crate::web::oauth::tests::site::{ISSUER, Reply};

const PAR: &str = "pushed_authorization_request_endpoint";

/// Somebody only looks at the login page, and comes again to sign in.
pub(super) async fn par_ensure_reused_request_uri_prior_to_auth_completion_succeeds(mut suite: Suite) {
    let (client, asked) = suite.strict_request().await;
    let reference = suite.pushed(&client, &asked).await;
    suite.agent.at_login = AtLogin::Wait;
    let page = suite.authorize(&brought(&client, &reference)).await.page();
    assert!(page.body.contains("id=\"sign-in\""), "{page:?}");
    suite.agent.at_login = AtLogin::SignIn;
    let code = suite.code_at(&client, &asked, &reference).await;
    suite.redeem(&client, &asked, &code).await;
    assert_eq!(suite.agent.logins, 1);
}

/// A reference that is not good is told to the person: whose address should be gone to is not known from it.
async fn leads_nowhere(suite: &mut Suite, asked: &Asked) {
    let page = suite.authorize(asked).await.page();
    assert_eq!(page.status, StatusCode::BAD_REQUEST);
}

pub(super) async fn par_attempt_reuse_request_uri(mut suite: Suite) {
    let (client, asked) = suite.strict_request().await;
    let reference = suite.pushed(&client, &asked).await;
    let code = suite.code_at(&client, &asked, &reference).await;
    suite.redeem(&client, &asked, &code).await;
    leads_nowhere(&mut suite, &brought(&client, &reference)).await;
}

pub(super) async fn par_attempt_to_use_expired_request_uri(mut suite: Suite) {
    let (client, asked) = suite.strict_request().await;
    let reply = suite.push(&client, &asked, &[]).await;
    let reference = suite.reference(&reply);
    suite.wait(reply.json()["expires_in"].as_u64().unwrap());
    leads_nowhere(&mut suite, &brought(&client, &reference)).await;
    assert_eq!(suite.agent.logins, 0);
}

pub(super) async fn par_attempt_to_use_request_uri_for_different_client(mut suite: Suite) {
    let (client, asked) = suite.strict_request().await;
    let other = suite.strict("suite-2").await;
    let reference = suite.pushed(&client, &asked).await;
    leads_nowhere(&mut suite, &brought(&other, &reference)).await;
    assert_eq!(suite.agent.logins, 0);
}

/// Pushes with an assertion that says this too.
async fn assertion_with(suite: &Suite, change: &[(&str, Value)]) -> (Asked, Reply) {
    let (client, asked) = suite.strict_request().await;
    let mut claims = client.signer().claims(suite, &client);
    for (name, value) in change {
        claims[*name] = value.clone();
    }
    let form = suite.proved_by(&asked, &client.signer().sign(&claims));
    (asked, suite.call(PAR, &form, &[]).await)
}

/// FAPI 2.0 Security Profile §5.3.2.1: clocks are not all right.
pub(super) async fn par_ensure_jwt_client_assertions_nbf_8_seconds_in_the_future_is_accepted(suite: Suite) {
    let soon = suite.site.context.now().seconds() + 8;
    let (_, reply) = assertion_with(&suite, &[("iat", json!(soon)), ("nbf", json!(soon))]).await;
    suite.reference(&reply);
}

async fn is_not_believed(suite: &Suite, change: &[(&str, Value)]) {
    let (_, reply) = assertion_with(suite, change).await;
    is_refused(&reply, &["invalid_client", "invalid_request"]);
}

pub(super) async fn par_ensure_jwt_client_assertions_nbf_over_60_seconds_in_the_future_fails(suite: Suite) {
    let late = suite.site.context.now().seconds() + 61;
    let change = [
        ("iat", json!(late)),
        ("nbf", json!(late)),
        ("exp", json!(late + 60)),
    ];
    is_not_believed(&suite, &change).await;
}

/// FAPI 2.0 Security Profile §5.3.2.1: the audience is the issuer, as one string.
pub(super) async fn par_test_array_as_audience_fails(suite: Suite) {
    let several = json!([ISSUER, format!("{ISSUER}{}", suite.endpoint("token_endpoint"))]);
    is_not_believed(&suite, &[("aud", several)]).await;
}

pub(super) async fn par_test_par_endpoint_url_as_audience_fails(suite: Suite) {
    let endpoint = format!("{ISSUER}{}", suite.endpoint(PAR));
    is_not_believed(&suite, &[("aud", json!(endpoint))]).await;
}

pub(super) async fn par_test_token_endpoint_url_as_audience_fails(suite: Suite) {
    let endpoint = format!("{ISSUER}{}", suite.endpoint("token_endpoint"));
    is_not_believed(&suite, &[("aud", json!(endpoint))]).await;
}

pub(super) async fn par_authorization_request_containing_request_uri_form_param(suite: Suite) {
    let (client, asked) = suite.strict_request().await;
    let reference = format!("urn:ietf:params:oauth:request_uri:{}", suite.draw());
    let reply = suite
        .push(&client, &asked.with("request_uri", &reference), &[])
        .await;
    let errors = [
        "invalid_request",
        "invalid_request_object",
        "request_uri_not_supported",
    ];
    is_refused(&reply, &errors);
}

/// RFC 9126 §2.3.
pub(super) async fn par_attempt_invalid_http_method(suite: Suite) {
    let (client, asked) = suite.strict_request().await;
    let form = suite.proved(&client, &asked);
    for method in [Method::PUT, Method::GET, Method::DELETE] {
        let reply = suite.call_by(method, PAR, &form, &[]).await;
        assert_eq!(reply.status, StatusCode::METHOD_NOT_ALLOWED);
    }
}

pub(super) async fn par_ensure_pkce_required(suite: Suite) {
    let (client, asked) = suite.strict_request().await;
    let asked = asked.without("code_challenge").without("code_challenge_method");
    is_refused(&suite.push(&client, &asked, &[]).await, &["invalid_request"]);
}

pub(super) async fn par_plain_pkce_rejected(suite: Suite) {
    let (client, asked) = suite.strict_request().await;
    let plain = asked
        .with("code_challenge", &suite.draw())
        .with("code_challenge_method", "plain");
    is_refused(&suite.push(&client, &plain, &[]).await, &["invalid_request"]);
    // RFC 7636 §4.3: left out, the method would be `plain`.
    let unsaid = plain.without("code_challenge_method");
    is_refused(&suite.push(&client, &unsaid, &[]).await, &["invalid_request"]);
}

/// RFC 9101 §5: `client_id` and the reference are enough.
pub(super) async fn par_without_duplicate_parameters(mut suite: Suite) {
    let (client, asked) = suite.strict_request().await;
    let reference = suite.pushed(&client, &asked).await;
    let outside: Vec<String> = brought(&client, &reference)
        .each()
        .map(|(name, _)| name.to_owned())
        .collect();
    assert_eq!(outside, ["client_id", "request_uri"]);
    let code = suite.code_at(&client, &asked, &reference).await;
    let tokens = suite.redeem(&client, &asked, &code).await;
    suite.userinfo(&tokens).await;
}
