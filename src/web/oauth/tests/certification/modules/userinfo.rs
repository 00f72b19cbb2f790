//! The userinfo endpoint, and the scopes whose claims it answers.

use std::collections::BTreeSet;

use axum::body::Body;
use axum::http::{Request, header};
use serde_json::{Value, json};

use crate::base::url;
use crate::web::oauth::tests::certification::relying_party::{Asked, Client, Suite, Tokens, check_userinfo};

async fn tokens(suite: &mut Suite) -> Tokens {
    let client = suite.client("suite").await;
    let asked = suite.request(&client);
    let code = suite.code(&client, &asked).await;
    suite.redeem(&client, &asked, &code).await
}

pub(in crate::web::oauth::tests::certification) async fn oidcc_userinfo_get(mut suite: Suite) {
    let tokens = tokens(&mut suite).await;
    let request = suite.bearer(Request::get(suite.userinfo_endpoint()), &tokens);
    let userinfo = check_userinfo(&suite.site.send(request).await, &tokens);
    assert_eq!(
        userinfo,
        json!({ "sub": tokens.claims["sub"] }),
        "nothing but openid was asked for"
    );
}

pub(in crate::web::oauth::tests::certification) async fn oidcc_userinfo_post_header(mut suite: Suite) {
    let tokens = tokens(&mut suite).await;
    let request = suite.bearer(Request::post(suite.userinfo_endpoint()), &tokens);
    check_userinfo(&suite.site.send(request).await, &tokens);
}

pub(in crate::web::oauth::tests::certification) async fn oidcc_userinfo_post_body(mut suite: Suite) {
    let tokens = tokens(&mut suite).await;
    let form = url::query([("access_token", tokens.access_token.as_str())]);
    let request = Request::post(suite.userinfo_endpoint())
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(Body::from(form));
    check_userinfo(&suite.site.send(request.unwrap()).await, &tokens);
}

/// What userinfo answers to a scope; the ID Token, looked at in every flow, has none of it.
async fn released(suite: &mut Suite, scope: &str) -> Value {
    let supported = suite.provider["scopes_supported"].as_array().unwrap();
    assert!(
        scope.split(' ').all(|scope| supported.contains(&json!(scope))),
        "{scope}"
    );
    let client = suite.client("suite").await;
    let asked = suite.request(&client).with("scope", scope);
    answered(suite, &client, &asked).await
}

/// The same of a request.
async fn answered(suite: &mut Suite, client: &Client, asked: &Asked) -> Value {
    let code = suite.code(client, asked).await;
    let tokens = suite.redeem(client, asked, &code).await;
    let scope = asked.get("scope").unwrap();
    let granted = tokens.answer["scope"].as_str().unwrap();
    let words = |scopes: &str| scopes.split(' ').map(str::to_owned).collect::<BTreeSet<_>>();
    assert_eq!(words(granted), words(scope));
    suite.userinfo(&tokens).await
}

/// What the person of the suite has, of the fourteen claims of `profile` (OpenID Connect Core §5.4).
pub(in crate::web::oauth::tests::certification) async fn oidcc_scope_profile(mut suite: Suite) {
    let userinfo = released(&mut suite, "openid profile").await;
    for (claim, value) in [
        ("name", "Maddi Le Goff"),
        ("given_name", "Maddi"),
        ("family_name", "Le Goff"),
        ("preferred_username", "maddi.legoff"),
        ("birthdate", "2016-08-17"),
    ] {
        assert_eq!(userinfo[claim], value, "{claim}");
    }
    for claim in ["email", "address", "phone_number", "education"] {
        assert_eq!(userinfo.get(claim), None, "{claim}");
    }
}

/// The names of what userinfo says besides `sub`.
fn named(userinfo: &Value) -> BTreeSet<&str> {
    let names = userinfo.as_object().unwrap().keys().map(String::as_str);
    names.filter(|name| *name != "sub").collect()
}

pub(in crate::web::oauth::tests::certification) async fn oidcc_scope_email(mut suite: Suite) {
    let userinfo = released(&mut suite, "openid email").await;
    assert_eq!(named(&userinfo), BTreeSet::from(["email", "email_verified"]));
}

pub(in crate::web::oauth::tests::certification) async fn oidcc_scope_address(mut suite: Suite) {
    let userinfo = released(&mut suite, "openid address").await;
    assert_eq!(named(&userinfo), BTreeSet::from(["address"]));
    let members = [
        "formatted",
        "street_address",
        "locality",
        "region",
        "postal_code",
        "country",
    ];
    for (name, value) in userinfo["address"].as_object().unwrap() {
        assert!(
            members.contains(&name.as_str()),
            "OpenID Connect Core 5.1.1: {name}"
        );
        assert!(value.as_str().is_some_and(|line| !line.is_empty()), "{name}");
    }
}

pub(in crate::web::oauth::tests::certification) async fn oidcc_scope_phone(mut suite: Suite) {
    let userinfo = released(&mut suite, "openid phone").await;
    let expected = BTreeSet::from(["phone_number", "phone_number_verified"]);
    assert_eq!(named(&userinfo), expected);
}

pub(in crate::web::oauth::tests::certification) async fn oidcc_scope_all(mut suite: Suite) {
    let userinfo = released(&mut suite, "openid profile email address phone").await;
    for claim in [
        "name",
        "preferred_username",
        "email",
        "email_verified",
        "address",
        "phone_number",
        "phone_number_verified",
    ] {
        assert!(userinfo.get(claim).is_some(), "{claim}");
    }
}

/// The scopes of `oidcc-scope-email` the other way round, in parameters in another order (RFC 6749 §3.3: the order of
/// scopes means nothing).
pub(in crate::web::oauth::tests::certification) async fn oidcc_alternate_happy_flow(mut suite: Suite) {
    let client = suite.client("suite").await;
    let asked = suite.request(&client).with("scope", "email openid").reordered();
    let userinfo = answered(&mut suite, &client, &asked).await;
    assert_eq!(named(&userinfo), BTreeSet::from(["email", "email_verified"]));
}

/// One claim is asked for by name, and cannot be done without, they say.
pub(in crate::web::oauth::tests::certification) async fn oidcc_claims_essential(mut suite: Suite) {
    assert_eq!(suite.provider["claims_parameter_supported"], true);
    let claims = suite.provider["claims_supported"].as_array().unwrap();
    assert!(claims.contains(&json!("name")));
    let client = suite.client("suite").await;
    let asked = suite
        .request(&client)
        .with("claims", r#"{"userinfo":{"name":{"essential":true}}}"#);
    let code = suite.code(&client, &asked).await;
    // What stands in the ID Token is looked at by every redemption: nobody asked for the name there.
    let tokens = suite.redeem(&client, &asked, &code).await;
    let userinfo = suite.userinfo(&tokens).await;
    let expected = json!({ "sub": tokens.claims["sub"], "name": "Maddi Le Goff" });
    assert_eq!(userinfo, expected, "and nothing else of the profile");
}
