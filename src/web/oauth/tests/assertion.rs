//! `private_key_jwt`: attack case 38 at the endpoint, keys that a client publishes, and their rotation.

use std::sync::{Arc, Mutex};

use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use data_encoding::BASE64URL_NOPAD;
use serde_json::{Value, json};

use super::site::*;
use crate::base::secret::hmac_sha256;
use crate::base::url;
use crate::domain::relying_party::{ClientAuthMethod, ClientKeys, RelyingParty};
use crate::domain::testing::party;
use crate::flows::testing::Partners;
use crate::flows::testing::scene::on_each_engine;
use crate::jose::{self, Algorithm, PrivateKey};
use crate::oauth::client_assertion::TYPE;

const JWKS: &str = "https://ent.example/jwks";

fn keyed(keys: ClientKeys) -> RelyingParty {
    let mut ent = party("ent");
    ent.auth_method = ClientAuthMethod::PrivateKeyJwt;
    ent.secrets.clear();
    ent.metadata.keys = keys;
    ent
}

fn assertion(site: &Site, key: &PrivateKey, change: &[(&str, Value)]) -> String {
    let now = site.context.now().seconds();
    let mut claims = json!({
        "iss": "ent", "sub": "ent", "aud": ISSUER, "jti": url::query([("n", "1")]), "iat": now, "exp": now + 60,
    });
    for (name, value) in change {
        claims[*name] = value.clone();
    }
    jose::sign(key, jose::Kind::Jwt, claims.as_object().unwrap()).unwrap()
}

async fn redeem(site: &Site, code: &str, assertion: &str) -> Reply {
    let form = url::query([
        ("grant_type", "authorization_code"),
        ("code", code),
        ("redirect_uri", "https://ent.example/cb"),
        ("code_verifier", VERIFIER),
        ("client_assertion", assertion),
        ("client_assertion_type", TYPE),
    ]);
    let request =
        Request::post("/oauth/token").header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
    site.send(request.body(Body::from(form)).unwrap()).await
}

#[tokio::test]
async fn case_38_an_assertion_of_the_client_is_good_once_and_a_secret_is_no_way_round() {
    on_each_engine(async |context, clock| {
        let (site, browser, _) = with_lina((context, clock)).await;
        let key = PrivateKey::generate(Algorithm::Es256).unwrap();
        let jwks = json!({ "keys": [key.public().to_json()] }).to_string();
        site.declare(&keyed(ClientKeys::Jwks(jwks))).await;
        let code = browser.code(&site, "ent", &[]).await;
        let thief = PrivateKey::generate(Algorithm::Es256).unwrap();
        for (wrong, why) in [
            (assertion(&site, &thief, &[]), "a stranger's key"),
            (
                assertion(&site, &key, &[("aud", json!("https://other.example"))]),
                "another audience",
            ),
            (
                assertion(&site, &key, &[("sub", json!("cantine"))]),
                "another client",
            ),
            ("x.y.z".to_owned(), "no token"),
        ] {
            let reply = redeem(&site, &code, &wrong).await;
            assert_eq!(
                (reply.status, reply.error()),
                (StatusCode::UNAUTHORIZED, "invalid_client".into()),
                "{why}"
            );
        }
        assert_eq!(
            site.token("ent", &code, &[]).await.error(),
            "invalid_client",
            "a secret where a key was registered"
        );
        let right = assertion(&site, &key, &[]);
        assert!(redeem(&site, &code, &right).await.json()["id_token"].is_string());
        let second = browser.code(&site, "ent", &[]).await;
        assert_eq!(redeem(&site, &second, &right).await.error(), "invalid_client");
        let fresh = assertion(&site, &key, &[("jti", json!("2"))]);
        assert!(redeem(&site, &second, &fresh).await.json()["id_token"].is_string());
    })
    .await;
}

#[tokio::test]
async fn case_38_no_algorithm_and_the_public_key_as_a_secret_prove_nothing() {
    on_each_engine(async |context, clock| {
        let (site, browser, _) = with_lina((context, clock)).await;
        let key = PrivateKey::generate(Algorithm::Es256).unwrap();
        let public = key.public().to_json();
        let jwks = json!({ "keys": [public] }).to_string();
        site.declare(&keyed(ClientKeys::Jwks(jwks))).await;
        let code = browser.code(&site, "ent", &[]).await;
        let right = assertion(&site, &key, &[]);
        let claims = right.split('.').nth(1).unwrap();
        let signature = right.rsplit_once('.').unwrap().1;
        let part = |value: &Value| BASE64URL_NOPAD.encode(value.to_string().as_bytes());
        let hs256 = |secret: &[u8]| {
            let signed = format!(
                "{}.{claims}",
                part(&json!({ "alg": "HS256", "kid": public["kid"] }))
            );
            let by_secret = hmac_sha256(secret, &[signed.as_bytes()]).unwrap();
            format!("{signed}.{}", BASE64URL_NOPAD.encode(&by_secret))
        };
        let none =
            |alg: &str, signature: &str| format!("{}.{claims}.{signature}", part(&json!({ "alg": alg })));
        let forged = [
            none("none", ""),
            none("None", ""),
            none("none", signature),
            none("RS256", signature),
            hs256(public.to_string().as_bytes()),
            hs256(public["x"].as_str().unwrap().as_bytes()),
            hs256(b"secret of ent"),
            hs256(b""),
        ];
        for wrong in forged {
            let reply = redeem(&site, &code, &wrong).await;
            assert_eq!(
                (reply.status, reply.error()),
                (StatusCode::UNAUTHORIZED, "invalid_client".into()),
                "{wrong}"
            );
        }
        // The code is still there.
        assert!(redeem(&site, &code, &right).await.json()["id_token"].is_string());
    })
    .await;
}

#[tokio::test]
async fn case_38_an_assertion_that_was_used_at_one_endpoint_is_used_at_all_of_them() {
    on_each_engine(async |context, clock| {
        let (site, browser, _) = with_lina((context, clock)).await;
        let node = site.another_node().await;
        let key = PrivateKey::generate(Algorithm::Es256).unwrap();
        let jwks = json!({ "keys": [key.public().to_json()] }).to_string();
        site.declare(&keyed(ClientKeys::Jwks(jwks))).await;
        let used = assertion(&site, &key, &[]);
        let request = authorize_url("ent", &[]);
        let pushed = request.split_once('?').unwrap().1;
        let send = async |site: &Site, path: &str, form: &str| {
            let proof = url::query([("client_assertion", &*used), ("client_assertion_type", TYPE)]);
            let request =
                Request::post(path).header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
            let body = Body::from(format!("{form}&{proof}"));
            site.send(request.body(body).unwrap()).await
        };
        assert_eq!(
            send(&site, "/oauth/par", pushed).await.status,
            StatusCode::CREATED
        );
        for site in [&site, &node] {
            for (path, form) in [
                ("/oauth/par", pushed),
                ("/oauth/introspect", "token=x"),
                ("/oauth/revoke", "token=x"),
            ] {
                let reply = send(site, path, form).await;
                assert_eq!(
                    (reply.status, reply.error()),
                    (StatusCode::UNAUTHORIZED, "invalid_client".into()),
                    "{path}"
                );
            }
            let code = browser.code(site, "ent", &[]).await;
            assert_eq!(redeem(site, &code, &used).await.error(), "invalid_client");
        }
        node.context.db.close().await;
    })
    .await;
}

#[tokio::test]
async fn a_client_that_publishes_its_keys_changes_them_by_itself() {
    on_each_engine(async |mut context, clock| {
        let partners = Arc::new(Partners::default());
        context.outbound = partners.clone();
        let (site, browser, _) = with_lina((context, clock)).await;
        let published = Arc::new(Mutex::new(json!({ "keys": [] })));
        let answer = published.clone();
        partners.answer(JWKS, move |_| {
            http::Response::new(answer.lock().unwrap().to_string().into_bytes())
        });
        site.declare(&keyed(ClientKeys::JwksUri(JWKS.into()))).await;
        let mut asked = 0;
        for number in 0..3 {
            let key = PrivateKey::generate(Algorithm::Es256).unwrap();
            *published.lock().unwrap() = json!({ "keys": [key.public().to_json()] });
            site.advance(6);
            for use_of_it in 0..3 {
                let code = browser.code(&site, "ent", &[]).await;
                let jti = json!(format!("{number} {use_of_it}"));
                let reply = redeem(&site, &code, &assertion(&site, &key, &[("jti", jti)])).await;
                assert!(reply.json()["id_token"].is_string(), "{reply:?}");
            }
            asked += 1;
            assert_eq!(
                partners.asked().len(),
                asked,
                "a key that is held is not fetched again"
            );
        }
        // A storm of unknown keys costs one request in five seconds.
        site.advance(6);
        for number in 0..20 {
            let stranger = PrivateKey::generate(Algorithm::Es256).unwrap();
            let wrong = assertion(&site, &stranger, &[("jti", json!(format!("storm {number}")))]);
            assert_eq!(redeem(&site, "mrlc_x", &wrong).await.error(), "invalid_client");
        }
        assert_eq!(partners.asked().len(), asked + 1);
    })
    .await;
}

#[tokio::test]
async fn keys_that_cannot_be_fetched_any_more_serve_for_a_day() {
    on_each_engine(async |mut context, clock| {
        let partners = Arc::new(Partners::default());
        context.outbound = partners.clone();
        let (site, mut browser, lina) = with_lina((context, clock)).await;
        let key = PrivateKey::generate(Algorithm::Es256).unwrap();
        let jwks = json!({ "keys": [key.public().to_json()] }).to_string();
        partners.answer(JWKS, move |_| http::Response::new(jwks.clone().into_bytes()));
        site.declare(&keyed(ClientKeys::JwksUri(JWKS.into()))).await;
        let mut number = 0;
        for (wait, outcome) in [(0, true), (3600, true), (22 * 3600, true), (2 * 3600, false)] {
            site.advance(wait);
            site.sign_in(&mut browser, &lina).await;
            let code = browser.code(&site, "ent", &[]).await;
            number += 1;
            let fresh = assertion(&site, &key, &[("jti", json!(number.to_string()))]);
            let reply = redeem(&site, &code, &fresh).await;
            assert_eq!(
                reply.status == StatusCode::OK,
                outcome,
                "after {wait} s: {reply:?}"
            );
            partners.answer(JWKS, |_| {
                let mut down = http::Response::new(Vec::new());
                *down.status_mut() = http::StatusCode::BAD_GATEWAY;
                down
            });
        }
    })
    .await;
}
