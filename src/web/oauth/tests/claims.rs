//! The `claims` parameter (OpenID Connect Core §5.5): what comes of it at userinfo and in the ID Token, and what never does.

use axum::http::StatusCode;
use serde_json::{Value, json};

use super::site::*;
use crate::domain::relying_party::{Attribute, GrantType, RelyingParty};
use crate::domain::testing::party;
use crate::flows::testing::scene::on_each_engine;

/// A party that may have the name, nothing else, and refreshes.
fn of_names(id: &str) -> RelyingParty {
    let mut party = party(id);
    party.release.0.retain(|line| line.attribute == Attribute::Name);
    party.metadata.grant_types.push(GrantType::RefreshToken);
    party
}

/// The tokens of a login with `openid` alone and these claims.
async fn granted(site: &Site, browser: &Browser, claims: &Value) -> Value {
    let change = [("scope", "openid"), ("claims", &*claims.to_string())];
    let code = browser.code(site, "ent", &change).await;
    site.token("ent", &code, &[]).await.json()
}

/// What userinfo says of the person.
async fn userinfo(site: &Site, tokens: &Value) -> Value {
    let reply = site.userinfo(tokens["access_token"].as_str().unwrap()).await;
    assert_eq!(reply.status, StatusCode::OK);
    without_sub(reply.json())
}

fn without_sub(mut userinfo: Value) -> Value {
    assert!(userinfo.as_object_mut().unwrap().remove("sub").is_some());
    userinfo
}

/// What an ID Token says of the person.
fn attributes(tokens: &Value) -> Value {
    let mut claims = claims(&tokens["id_token"]);
    let claims = claims.as_object_mut().unwrap();
    for protocol in [
        "iss",
        "sub",
        "aud",
        "exp",
        "iat",
        "auth_time",
        "nonce",
        "acr",
        "amr",
        "sid",
        "at_hash",
    ] {
        claims.remove(protocol);
    }
    json!(claims)
}

#[tokio::test]
async fn what_is_asked_for_at_one_place_stands_at_that_place_alone() {
    on_each_engine(async |context, clock| {
        let (site, browser, _) = with_lina((context, clock)).await;
        site.declare(&of_names("ent")).await;
        let (name, nothing) = (json!({ "name": "Lina Le Goff" }), json!({}));
        let essential = json!({ "name": { "essential": true }, "birthdate": { "essential": true } });
        let tokens = granted(&site, &browser, &json!({ "userinfo": essential })).await;
        assert_eq!(
            (userinfo(&site, &tokens).await, attributes(&tokens)),
            (name.clone(), nothing.clone())
        );
        let tokens = granted(&site, &browser, &json!({ "id_token": essential })).await;
        assert_eq!(
            (userinfo(&site, &tokens).await, attributes(&tokens)),
            (nothing.clone(), name.clone())
        );
        let both = json!({ "id_token": { "name": null, "nickname": null }, "userinfo": { "name": null } });
        let tokens = granted(&site, &browser, &both).await;
        assert_eq!(
            (userinfo(&site, &tokens).await, attributes(&tokens)),
            (name.clone(), name.clone())
        );
        assert_eq!(tokens["scope"], "openid", "a claim is no scope");

        let form = [
            ("grant_type", "refresh_token"),
            ("refresh_token", tokens["refresh_token"].as_str().unwrap()),
        ];
        let next = site.post("ent", "/oauth/token", &form).await.json();
        assert_eq!(
            (userinfo(&site, &next).await, attributes(&next)),
            (name.clone(), name)
        );
        // Decided anew at each use: what the party may have no longer does not leave.
        let mut less = of_names("ent");
        less.release.0.clear();
        site.declare(&less).await;
        assert_eq!(userinfo(&site, &next).await, nothing);
        let form = [
            ("grant_type", "refresh_token"),
            ("refresh_token", next["refresh_token"].as_str().unwrap()),
        ];
        let last = site.post("ent", "/oauth/token", &form).await.json();
        assert_eq!(attributes(&last), nothing);
    })
    .await;
}

#[tokio::test]
async fn no_claim_opens_what_the_policy_does_not_list() {
    on_each_engine(async |context, clock| {
        let (site, browser, _) = with_lina((context, clock)).await;
        let mut closed = party("ent");
        closed.release.0.clear();
        site.declare(&closed).await;
        let every: Value = [
            "name",
            "given_name",
            "family_name",
            "preferred_username",
            "birthdate",
            "locale",
            "email",
            "phone_number",
            "address",
            "education",
            "uai",
            "level",
            "class",
            "profile",
            "ine",
            "sex",
            "gender",
        ]
        .iter()
        .map(|name| ((*name).to_owned(), json!({ "essential": true })))
        .collect::<serde_json::Map<_, _>>()
        .into();
        let asked = json!({ "userinfo": every, "id_token": every });
        let tokens = granted(&site, &browser, &asked).await;
        assert_eq!(
            (userinfo(&site, &tokens).await, attributes(&tokens)),
            (json!({}), json!({}))
        );
        // Nor does one take the place of what the protocol says.
        let protocol =
            json!({ "id_token": { "iss": { "value": "https://evil.example" }, "exp": { "value": "0" } } });
        let tokens = granted(&site, &browser, &protocol).await;
        assert_eq!(claims(&tokens["id_token"])["iss"], ISSUER);
    })
    .await;
}

#[tokio::test]
async fn what_cannot_be_read_is_told_to_the_party() {
    on_each_engine(async |context, clock| {
        let (site, browser, _) = with_lina((context, clock)).await;
        let long = format!(r#"{{"x":"{}"}}"#, "x".repeat(4096));
        for wrong in [
            "{",
            "[]",
            "name",
            r#"{"userinfo":{"name":null,"name":null}}"#,
            &long,
        ] {
            let reply = browser
                .get(&site, &authorize_url("ent", &[("claims", wrong)]))
                .await;
            assert_eq!(reply.sent("error").as_deref(), Some("invalid_request"), "{wrong}");
            assert_eq!(reply.sent("state").as_deref(), Some("the state"));
        }
    })
    .await;
}

#[tokio::test]
async fn core_section_3_1_2_2_a_subject_with_a_value_is_that_person_or_nobody() {
    on_each_engine(async |context, clock| {
        let (site, mut browser, lina) = with_lina((context, clock)).await;
        let tokens = browser.tokens(&site, "ent").await;
        let subject = claims(&tokens["id_token"])["sub"].clone();
        let hint = tokens["id_token"].as_str().unwrap();
        let meant =
            |place: &str, subject: &Value| json!({ place: { "sub": { "value": subject } } }).to_string();
        let maddi = site.pupil("Maddi", 2, ECOLE).await;
        for place in ["id_token", "userinfo"] {
            let (right, wrong) = (meant(place, &subject), meant(place, &json!("somebody")));
            let ask = |claims, prompt| authorize_url("ent", &[("claims", claims), ("prompt", prompt)]);
            site.sign_in(&mut browser, &lina).await;
            assert!(
                browser
                    .get(&site, &ask(&right, "none"))
                    .await
                    .sent("code")
                    .is_some()
            );
            let reply = browser.get(&site, &ask(&wrong, "none")).await;
            assert_eq!(reply.sent("error").as_deref(), Some("login_required"));
            let both = [("claims", &*wrong), ("prompt", "none"), ("id_token_hint", hint)];
            let reply = browser.get(&site, &authorize_url("ent", &both)).await;
            assert_eq!(
                reply.sent("error").as_deref(),
                Some("login_required"),
                "one of them means another"
            );

            site.sign_in(&mut browser, &maddi).await;
            let reply = browser.get(&site, &ask(&right, "none")).await;
            assert_eq!(reply.sent("error").as_deref(), Some("login_required"));
            let sent = browser.get(&site, &ask(&right, "")).await;
            let waiting = sent.location().replacen("/login?", "/oauth/authorize/resume?", 1);
            site.advance(5);
            site.sign_in(&mut browser, &maddi).await;
            let reply = browser.get(&site, &waiting).await;
            assert_eq!(
                reply.sent("error").as_deref(),
                Some("login_required"),
                "no circle"
            );
            site.sign_in(&mut browser, &lina).await;
            assert!(browser.get(&site, &waiting).await.sent("code").is_some());
            let nobody = Browser::default();
            let reply = nobody.get(&site, &ask(&right, "none")).await;
            assert_eq!(reply.sent("error").as_deref(), Some("login_required"));
        }
    })
    .await;
}
