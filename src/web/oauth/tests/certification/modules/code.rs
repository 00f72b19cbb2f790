//! A code is good once.

use axum::http::{Request, StatusCode};

use crate::web::oauth::tests::certification::relying_party::{Suite, token_error};

/// Uses a code, waits, uses it again.
async fn twice(mut suite: Suite, wait: u64) {
    let client = suite.client("suite").await;
    let asked = suite.request(&client);
    let code = suite.code(&client, &asked).await;
    let tokens = suite.redeem(&client, &asked, &code).await;
    suite.userinfo(&tokens).await;
    suite.wait(wait);
    let again = suite.present(&client, &code, &[]).await;
    assert_eq!(token_error(&again), "invalid_grant");
    // RFC 6749 §4.1.2: "SHOULD revoke … all tokens previously issued based on that authorization code".
    let request = suite.bearer(Request::get(suite.userinfo_endpoint()), &tokens);
    assert_eq!(suite.site.send(request).await.status, StatusCode::UNAUTHORIZED);
}

pub(in crate::web::oauth::tests::certification) async fn oidcc_codereuse(suite: Suite) {
    twice(suite, 0).await;
}

pub(in crate::web::oauth::tests::certification) async fn oidcc_codereuse_30seconds(suite: Suite) {
    twice(suite, 30).await;
}
