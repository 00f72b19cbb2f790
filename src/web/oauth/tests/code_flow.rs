//! The whole flow, from a stranger at the service to their claims.

use axum::http::{StatusCode, header};
use serde_json::json;

use super::site::*;
use crate::domain::relying_party::SigningAlgorithm;
use crate::domain::testing::{enrolment, party};
use crate::flows::testing::scene::{self, on_each_engine};
use crate::jose::{self, Algorithm, Jwk, KeySet};

#[tokio::test]
async fn from_a_stranger_at_the_service_to_their_claims() {
    on_each_engine(async |context, clock| {
        let site = Site::new((context, clock)).await;
        let lina = site.pupil("Lina", 1, ECOLE).await;
        let mut browser = Browser::default();

        let sent_to_login = browser.get(&site, &authorize_url("ent", &[])).await;
        assert!(sent_to_login.location().starts_with("/login?continue="));
        let waiting = sent_to_login.sent("continue").unwrap();
        let login = browser.get(&site, sent_to_login.location()).await;
        assert_eq!(login.status, StatusCode::OK);
        let policy = login.header(header::CONTENT_SECURITY_POLICY).unwrap();
        assert!(
            policy.contains("form-action 'self' https://ent.example;"),
            "{policy}"
        );

        site.advance(20);
        site.sign_in(&mut browser, &lina).await;
        let resume = crate::base::url::with_parameters("/oauth/authorize/resume", [("continue", &*waiting)]);
        let answer = browser.get(&site, &resume).await;
        assert!(answer.location().starts_with("https://ent.example/cb?code="));
        assert_eq!(answer.sent("state").as_deref(), Some("the state"));
        assert_eq!(answer.sent("iss").as_deref(), Some(ISSUER));
        assert_eq!(answer.header(header::CACHE_CONTROL), Some("no-store"));

        let reply = site.token("ent", &answer.sent("code").unwrap(), &[]).await;
        assert_eq!(reply.header(header::CACHE_CONTROL), Some("no-store"));
        let tokens = reply.json();
        assert_eq!(
            (&tokens["token_type"], &tokens["expires_in"]),
            (&json!("Bearer"), &json!(600))
        );
        assert_eq!(tokens["scope"], "openid profile education");

        let id_token = verified(&site, &tokens["id_token"]).await;
        assert_eq!(
            (&id_token["iss"], &id_token["aud"]),
            (&json!(ISSUER), &json!("ent"))
        );
        assert_eq!(
            (&id_token["nonce"], &id_token["acr"]),
            (&json!("the nonce"), &json!("urn:marelle:acr:class"))
        );
        assert_eq!(id_token["amr"], json!(["kba"]));
        assert_eq!(id_token["auth_time"], site.context.now().seconds());
        assert!(
            !id_token.to_string().contains("Lina"),
            "no attribute in the ID Token"
        );

        let userinfo = site
            .userinfo(tokens["access_token"].as_str().unwrap())
            .await
            .json();
        assert_eq!(userinfo["sub"], id_token["sub"]);
        assert_eq!(userinfo["given_name"], "Lina");
        assert_eq!(
            userinfo["education"][0],
            json!({
                "uai": ECOLE, "level": "CM2", "class": "CM2 A", "profile": "National_ELV",
            })
        );
        let posted = format!("access_token={}", tokens["access_token"].as_str().unwrap());
        assert_eq!(
            Browser::default()
                .post(&site, "/oauth/userinfo", posted)
                .await
                .json(),
            userinfo
        );
        for (kind, count) in [
            ("authorization.granted", 1),
            ("code.redeemed", 1),
            ("subject.issued", 1),
        ] {
            assert_eq!(site.journalled(kind).await, count, "{kind}");
        }
    })
    .await;
}

/// The claims of an ID Token, verified by the key set the site publishes.
async fn verified(site: &Site, token: &serde_json::Value) -> serde_json::Value {
    let published = Browser::default().get(site, "/oauth/jwks.json").await.json();
    let keys = published["keys"]
        .as_array()
        .unwrap()
        .iter()
        .map(|key| Jwk::from_json(key).unwrap());
    let keys = KeySet::new(keys).unwrap();
    jose::verify(token.as_str().unwrap(), &keys, Algorithm::ALL, jose::Kind::Jwt)
        .unwrap()
        .into()
}

#[tokio::test]
async fn each_party_has_its_algorithm_and_its_own_subject_and_sid() {
    on_each_engine(async |context, clock| {
        let (site, browser, _) = with_lina((context, clock)).await;
        let mut rsa = party("cantine");
        rsa.id_token_alg = SigningAlgorithm::Rs256;
        site.declare(&rsa).await;
        let (ent, cantine) = (
            browser.tokens(&site, "ent").await,
            browser.tokens(&site, "cantine").await,
        );
        let (ent, cantine) = (
            verified(&site, &ent["id_token"]).await,
            verified(&site, &cantine["id_token"]).await,
        );
        for claim in ["sub", "sid"] {
            assert_ne!(ent[claim], cantine[claim], "{claim}");
        }
        let again = browser.tokens(&site, "ent").await;
        let again = verified(&site, &again["id_token"]).await;
        assert_eq!((&again["sub"], &again["sid"]), (&ent["sub"], &ent["sid"]));
    })
    .await;
}

#[tokio::test]
async fn a_public_client_with_pkce_completes_the_flow() {
    on_each_engine(async |context, clock| {
        let (site, browser, _) = with_lina((context, clock)).await;
        let mut tablette = party("tablette");
        tablette.auth_method = crate::domain::relying_party::ClientAuthMethod::None;
        tablette.secrets.clear();
        tablette.redirect_uris = vec!["http://127.0.0.1/cb".into()];
        site.declare(&tablette).await;
        let here = ("redirect_uri", "http://127.0.0.1:49152/cb");
        let code = browser.code(&site, "tablette", &[here]).await;
        assert!(site.token("tablette", &code, &[here]).await.json()["id_token"].is_string());
        let plain = ("code_challenge", "");
        let refused = browser
            .get(&site, &authorize_url("tablette", &[here, plain]))
            .await;
        assert_eq!(refused.sent("error").as_deref(), Some("invalid_request"));
    })
    .await;
}

#[tokio::test]
async fn the_child_who_changes_schools_is_the_same_to_a_service_of_both() {
    on_each_engine(async |context, clock| {
        let (site, mut browser, lina) = with_lina((context, clock)).await;
        let before = browser.tokens(&site, "ent").await;
        let mut college = enrolment(&lina, COLLEGE, "6EME");
        college.year = college.year.next();
        college.starts_on = crate::base::time::parse_date("2027-09-01").unwrap();
        college.ends_on = crate::base::time::parse_date("2028-09-15").unwrap();
        scene::enrol(&site.context, &college).await;
        site.advance(360 * 24 * 3600);
        site.sign_in(&mut browser, &lina).await;
        let after = browser.tokens(&site, "ent").await;
        assert_eq!(
            claims(&before["id_token"])["sub"],
            claims(&after["id_token"])["sub"]
        );
        let userinfo = site
            .userinfo(after["access_token"].as_str().unwrap())
            .await
            .json();
        assert_eq!(userinfo["education"].as_array().unwrap().len(), 1);
        assert_eq!(userinfo["education"][0]["uai"], COLLEGE);
    })
    .await;
}
