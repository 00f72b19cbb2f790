//! What a request says.

use axum::http::StatusCode;

use super::client::{brought, is_refused};
use crate::web::oauth::tests::certification::relying_party::{Asked, Client, Suite, Tokens};

/// The whole way with a request that a module changes.
async fn succeeds(suite: &mut Suite, change: impl FnOnce(Asked) -> Asked) -> Tokens {
    let (client, asked) = suite.strict_request().await;
    suite.strict_flow(&client, &change(asked)).await
}

pub(super) async fn ensure_authorization_request_without_state_success(mut suite: Suite) {
    // That no state comes back is looked at in every answer.
    succeeds(&mut suite, |asked| asked.without("state")).await;
}

pub(super) async fn ensure_authorization_request_without_nonce_success(mut suite: Suite) {
    let tokens = succeeds(&mut suite, |asked| asked.without("nonce")).await;
    assert_eq!(tokens.claims.get("nonce"), None);
}

/// Random text of a length.
fn long(suite: &Suite, length: usize) -> String {
    let mut text = String::new();
    while text.len() < length {
        text.push_str(&suite.draw());
    }
    text[..length].to_owned()
}

/// FAPI 2.0 Security Profile §5.3.2.2: a nonce of 64 characters must be taken.
pub(super) async fn ensure_authorization_request_with_64_char_nonce_success(mut suite: Suite) {
    let nonce = long(&suite, 64);
    succeeds(&mut suite, |asked| asked.with("nonce", &nonce)).await;
}

/// It may be refused, never cut; here it is taken.
pub(super) async fn ensure_authorization_request_with_long_nonce(mut suite: Suite) {
    let nonce = long(&suite, 384);
    succeeds(&mut suite, |asked| asked.with("nonce", &nonce)).await;
}

/// The same.
pub(super) async fn ensure_authorization_request_with_long_state(mut suite: Suite) {
    let state = long(&suite, 1000);
    succeeds(&mut suite, |asked| asked.with("state", &state)).await;
}

pub(super) async fn ensure_other_scope_order_succeeds(mut suite: Suite) {
    let tokens = succeeds(&mut suite, |asked| asked.with("scope", "email openid")).await;
    let mut granted: Vec<&str> = tokens.answer["scope"].as_str().unwrap().split(' ').collect();
    granted.sort_unstable();
    assert_eq!(granted, ["email", "openid"]);
}

/// The whole way, with more beside the reference than belongs there; what was pushed counts, which every answer and
/// every ID Token is looked at for.
async fn beside(mut suite: Suite, name: &str, pushes: impl FnOnce(Asked) -> Asked) {
    let (client, asked) = suite.strict_request().await;
    let asked = pushes(asked);
    let reference = suite.pushed(&client, &asked).await;
    let outside = brought(&client, &reference).with(name, &suite.draw());
    let callback = suite.authorize(&outside).await.callback();
    let code = suite.code_of(&client, &asked, &callback);
    let tokens = suite.redeem(&client, &asked, &code).await;
    suite.userinfo(&tokens).await;
}

pub(super) async fn ensure_different_nonce_inside_and_outside_request_object(suite: Suite) {
    beside(suite, "nonce", |asked| asked).await;
}

pub(super) async fn ensure_different_state_inside_and_outside_request_object(suite: Suite) {
    beside(suite, "state", |asked| asked).await;
}

pub(super) async fn state_only_outside_request_object_not_used(suite: Suite) {
    beside(suite, "state", |asked| asked.without("state")).await;
}

/// A request that is refused where it is pushed: no reference comes of it, so no browser is sent anywhere.
async fn is_not_taken(suite: &Suite, client: &Client, asked: &Asked, errors: &[&str]) {
    is_refused(&suite.push(client, asked, &[]).await, errors);
}

async fn without_redirect_uri(suite: Suite) {
    let (client, asked) = suite.strict_request().await;
    let asked = asked.without("redirect_uri");
    is_not_taken(
        &suite,
        &client,
        &asked,
        &["invalid_request", "invalid_request_object"],
    )
    .await;
}

pub(super) async fn ensure_request_object_without_redirect_uri_fails(suite: Suite) {
    without_redirect_uri(suite).await;
}

/// In a request that is not signed, the same again.
pub(super) async fn ensure_redirect_uri_in_authorization_request(suite: Suite) {
    without_redirect_uri(suite).await;
}

/// RFC 9126 §2.4 lets a provider take it from a client that proves itself; this one does not.
pub(super) async fn plain_fapi_tolerate_unregistered_redirect_uri(suite: Suite) {
    let (client, asked) = suite.strict_request().await;
    let other = format!("{}/{}", client.redirect_uri, suite.draw());
    let asked = asked.with("redirect_uri", &other);
    is_not_taken(
        &suite,
        &client,
        &asked,
        &["invalid_request", "invalid_request_object"],
    )
    .await;
}

pub(super) async fn ensure_unsigned_authorization_request_without_using_par_fails(mut suite: Suite) {
    let (client, asked) = suite.strict_request().await;
    assert_eq!(suite.error(&client, &asked).await, "invalid_request");
    assert_eq!(suite.agent.logins, 0);
}

async fn response_type(suite: Suite, kind: &str) {
    let (client, asked) = suite.strict_request().await;
    let asked = asked.with("response_type", kind);
    let errors = [
        "unsupported_response_type",
        "invalid_request",
        "unauthorized_client",
    ];
    let reply = suite.push(&client, &asked, &[]).await;
    assert_eq!(reply.status, StatusCode::BAD_REQUEST);
    is_refused(&reply, &errors);
}

pub(super) async fn ensure_response_type_code_idtoken_fails(suite: Suite) {
    response_type(suite, "code id_token").await;
}

pub(super) async fn ensure_response_type_token_fails(suite: Suite) {
    response_type(suite, "token").await;
}
