//! Requests that a client has signed (RFC 9101), as a browser and a client's server bring them, and what attackers make
//! of them.

use std::sync::Arc;

use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use serde_json::{Value, json};

use super::site::*;
use crate::base::secret::sha256;
use crate::base::url;
use crate::domain::relying_party::{ClientKeys, RelyingParty};
use crate::domain::testing::party;
use crate::flows::testing::Partners;
use crate::flows::testing::scene::on_each_engine;
use crate::jose::{self, Algorithm, Kind, PrivateKey};

const CALLBACK: &str = "https://ent.example/cb";

fn new_key() -> PrivateKey {
    PrivateKey::generate(Algorithm::Es256).unwrap()
}

/// The party `ent`, which has this key besides its secret.
fn keyed(key: &PrivateKey) -> RelyingParty {
    let mut ent = party("ent");
    let jwks = json!({ "keys": [key.public().to_json()] }).to_string();
    ent.metadata.keys = ClientKeys::Jwks(jwks);
    ent
}

/// A right object of `ent`, with members changed (`null` leaves one out).
fn object(site: &Site, key: &PrivateKey, changes: &[(&str, Value)]) -> String {
    let now = site.context.now().seconds();
    let mut claims = json!({
        "iss": "ent", "aud": ISSUER, "client_id": "ent", "exp": now + 60, "nbf": now,
        "redirect_uri": CALLBACK, "response_type": "code", "scope": "openid profile",
        "state": "inside", "nonce": "inside", "code_challenge_method": "S256",
        "code_challenge": data_encoding::BASE64URL_NOPAD.encode(&sha256(VERIFIER.as_bytes())),
    });
    for (name, value) in changes {
        claims[*name] = value.clone();
    }
    let mut claims = claims.as_object().unwrap().clone();
    claims.retain(|_, value| !value.is_null());
    jose::sign(key, Kind::RequestObject, &claims).unwrap()
}

/// An address that brings it, with whatever beside it.
fn brought(object: &str, beside: &[(&str, &str)]) -> String {
    let all = [("client_id", "ent"), ("request", object)];
    let all = all.into_iter().chain(beside.iter().copied());
    format!("/oauth/authorize?{}", url::query(all))
}

/// What stands in the address bar and nobody has signed.
const SMUGGLED: &[(&str, &str)] = &[
    ("state", "outside"),
    ("nonce", "outside"),
    ("redirect_uri", "https://evil.example/cb"),
    ("scope", "openid education"),
    ("scope", "openid"),
    ("prompt", "none"),
    ("response_mode", "form_post"),
    ("code_challenge", "x"),
];

async fn is_right(site: &Site, reply: &Reply) {
    assert!(reply.location().starts_with(CALLBACK), "{reply:?}");
    assert_eq!(reply.sent("state").as_deref(), Some("inside"));
    let code = reply.sent("code").unwrap();
    let tokens = site.token("ent", &code, &[]).await.json();
    assert_eq!(tokens["scope"], "openid profile");
    assert_eq!(claims(&tokens["id_token"])["nonce"], "inside");
}

#[tokio::test]
async fn what_is_signed_counts_and_nothing_beside_it() {
    on_each_engine(async |context, clock| {
        let (site, browser, lina) = with_lina((context, clock)).await;
        let key = new_key();
        let mut ent = keyed(&key);
        ent.metadata.signed_request_required = true;
        site.declare(&ent).await;
        let signed = object(&site, &key, &[]);
        for beside in [SMUGGLED, &[]] {
            let reply = browser.get(&site, &brought(&signed, beside)).await;
            is_right(&site, &reply).await;
        }
        // By a form of another site, which is sent round.
        let (path, form) = brought(&signed, SMUGGLED)
            .split_once('?')
            .map(|(path, form)| (path.to_owned(), form.to_owned()))
            .unwrap();
        let round = browser.post(&site, &path, form).await;
        is_right(&site, &browser.get(&site, round.location()).await).await;
        // Someone who has to sign in first takes what was signed along, not the object: it may expire on the way.
        let mut other = Browser::default();
        let page = other.get(&site, &brought(&signed, SMUGGLED)).await;
        let waiting = page.sent("continue").unwrap();
        site.advance(600);
        site.sign_in(&mut other, &lina).await;
        let resume = url::query([("continue", waiting.as_str())]);
        let reply = other
            .get(&site, &format!("/oauth/authorize/resume?{resume}"))
            .await;
        is_right(&site, &reply).await;

        let unsigned = browser.get(&site, &authorize_url("ent", &[])).await;
        assert_eq!(unsigned.sent("error").as_deref(), Some("invalid_request"));
    })
    .await;
}

#[tokio::test]
async fn one_that_is_refused_goes_where_the_request_beside_it_may_go_and_else_nowhere() {
    on_each_engine(async |context, clock| {
        let (site, browser, _) = with_lina((context, clock)).await;
        let (key, of_cantine) = (new_key(), new_key());
        site.declare(&keyed(&key)).await;
        let mut cantine = party("cantine");
        cantine.metadata.keys =
            ClientKeys::Jwks(json!({ "keys": [of_cantine.public().to_json()] }).to_string());
        site.declare(&cantine).await;
        let now = site.context.now().seconds();
        let right = object(&site, &key, &[]);
        let (signed, _) = right.rsplit_once('.').unwrap();
        for (wrong, why) in [
            (object(&site, &of_cantine, &[]), "the key of another client"),
            (
                object(
                    &site,
                    &of_cantine,
                    &[("iss", json!("cantine")), ("client_id", json!("cantine"))],
                ),
                "another client",
            ),
            (object(&site, &key, &[("exp", json!(now - 1))]), "expired"),
            (
                object(&site, &key, &[("aud", json!("https://other.example"))]),
                "another provider",
            ),
            (
                object(&site, &key, &[("request", json!(right.clone()))]),
                "nested",
            ),
            (
                object(&site, &key, &[("request_uri", json!("https://ent.example/r"))]),
                "a reference inside",
            ),
            (
                object(&site, &key, &[("padding", json!("é".repeat(1500)))]),
                "too long",
            ),
            (format!("{signed}."), "no signature"),
            (format!("{signed}.AAAA"), "another signature"),
        ] {
            let bare = browser.get(&site, &brought(&wrong, &[])).await;
            assert_eq!(bare.status, StatusCode::BAD_REQUEST, "{why}");
            let evil = browser
                .get(
                    &site,
                    &brought(&wrong, &[("redirect_uri", "https://evil.example/cb")]),
                )
                .await;
            assert_eq!(evil.status, StatusCode::BAD_REQUEST, "{why}");
            let told = browser
                .get(
                    &site,
                    &brought(&wrong, &[("redirect_uri", CALLBACK), ("state", "outside")]),
                )
                .await;
            assert!(told.location().starts_with(CALLBACK));
            assert_eq!(
                told.sent("error").as_deref(),
                Some("invalid_request_object"),
                "{why}"
            );
            assert_eq!(
                (told.sent("state").as_deref(), told.sent("code")),
                (Some("outside"), None)
            );
        }
        // Signed, and so believed: what is wrong inside is answered as if it had come in the open.
        let elsewhere = object(&site, &key, &[("redirect_uri", json!("https://evil.example/cb"))]);
        let page = browser
            .get(&site, &brought(&elsewhere, &[("redirect_uri", CALLBACK)]))
            .await;
        assert_eq!(page.status, StatusCode::BAD_REQUEST);
        for (name, value, error) in [
            ("max_age", json!(true), "invalid_request"),
            ("prompt", json!(["none"]), "invalid_request"),
            ("code_challenge", Value::Null, "invalid_request"),
            ("response_type", json!("token"), "unsupported_response_type"),
        ] {
            let told = object(&site, &key, &[(name, value)]);
            let told = browser.get(&site, &brought(&told, &[])).await;
            assert_eq!(told.sent("error").as_deref(), Some(error), "{name}");
            assert_eq!(told.sent("state").as_deref(), Some("inside"));
        }
        // A client_id beside it is needed, even where the object names one; and one object is enough.
        let nobody = format!("/oauth/authorize?{}", url::query([("request", right.as_str())]));
        assert_eq!(browser.get(&site, &nobody).await.status, StatusCode::BAD_REQUEST);
        let twice = brought(&right, &[("request", &right), ("redirect_uri", CALLBACK)]);
        assert_eq!(
            browser.get(&site, &twice).await.sent("error").as_deref(),
            Some("invalid_request")
        );
        let mut disabled = keyed(&key);
        disabled.enabled = false;
        site.declare(&disabled).await;
        assert_eq!(
            browser.get(&site, &brought(&right, &[])).await.status,
            StatusCode::BAD_REQUEST
        );
    })
    .await;
}

#[tokio::test]
async fn an_object_may_be_used_again_while_it_lasts() {
    on_each_engine(async |context, clock| {
        let (site, browser, _) = with_lina((context, clock)).await;
        let key = new_key();
        site.declare(&keyed(&key)).await;
        let address = brought(&object(&site, &key, &[]), &[]);
        let first = browser.get(&site, &address).await;
        is_right(&site, &first).await;
        let second = browser.get(&site, &address).await;
        is_right(&site, &second).await;
        assert_ne!(first.sent("code"), second.sent("code"));
        site.advance(60);
        assert_eq!(browser.get(&site, &address).await.status, StatusCode::BAD_REQUEST);
    })
    .await;
}

#[tokio::test]
async fn keys_that_a_client_publishes_serve_for_its_requests() {
    on_each_engine(async |mut context, clock| {
        let partners = Arc::new(Partners::default());
        context.outbound = partners.clone();
        let (site, browser, _) = with_lina((context, clock)).await;
        let key = new_key();
        let jwks = json!({ "keys": [key.public().to_json()] }).to_string();
        partners.answer("https://ent.example/jwks", move |_| {
            http::Response::new(jwks.clone().into_bytes())
        });
        let mut ent = keyed(&key);
        ent.metadata.keys = ClientKeys::JwksUri("https://ent.example/jwks".into());
        site.declare(&ent).await;
        for _ in 0..3 {
            let reply = browser.get(&site, &brought(&object(&site, &key, &[]), &[])).await;
            is_right(&site, &reply).await;
        }
        // A storm of objects by unknown keys has the address asked no more than that.
        for _ in 0..10 {
            let stranger = object(&site, &new_key(), &[]);
            let reply = browser.get(&site, &brought(&stranger, &[])).await;
            assert_eq!(reply.status, StatusCode::BAD_REQUEST);
        }
        assert_eq!(partners.asked().len(), 1);
    })
    .await;
}

/// Pushes a form as a client that proves itself by its secret.
async fn push(site: &Site, client: &str, form: &[(&str, &str)]) -> Reply {
    site.post(client, "/oauth/par", form).await
}

#[tokio::test]
async fn rfc_9126_section_3_a_signed_request_is_pushed_whole() {
    on_each_engine(async |context, clock| {
        let (site, browser, _) = with_lina((context, clock)).await;
        let key = new_key();
        let mut ent = keyed(&key);
        ent.metadata.signed_request_required = true;
        ent.metadata.par_required = true;
        site.declare(&ent).await;
        let right = object(&site, &key, &[]);
        for beside in [SMUGGLED, &[("client_id", "ent")]] {
            let mut form = vec![("request", right.as_str())];
            form.extend(beside);
            let pushed = push(&site, "ent", &form).await;
            assert_eq!(pushed.status, StatusCode::CREATED, "{pushed:?}");
            let reference = pushed.json()["request_uri"].as_str().unwrap().to_owned();
            let address = [("client_id", "ent"), ("request_uri", reference.as_str())];
            let address = url::query(address.into_iter().chain(SMUGGLED.iter().copied()));
            let reply = browser.get(&site, &format!("/oauth/authorize?{address}")).await;
            is_right(&site, &reply).await;
        }
        let stranger = object(&site, &new_key(), &[]);
        let nested = object(&site, &key, &[("request", json!(right.clone()))]);
        let elsewhere = object(&site, &key, &[("redirect_uri", json!("https://evil.example/cb"))]);
        for (form, error) in [
            (vec![("request", stranger.as_str())], "invalid_request_object"),
            (vec![("request", nested.as_str())], "invalid_request_object"),
            (vec![("request", "x")], "invalid_request_object"),
            (vec![("request", elsewhere.as_str())], "invalid_request"),
            (
                vec![("request", right.as_str()), ("request", right.as_str())],
                "invalid_request",
            ),
            (
                vec![("request", right.as_str()), ("request_uri", "x")],
                "invalid_request",
            ),
            (
                vec![
                    ("redirect_uri", CALLBACK),
                    ("response_type", "code"),
                    ("scope", "openid"),
                ],
                "invalid_request",
            ),
        ] {
            let reply = push(&site, "ent", &form).await;
            assert_eq!(
                (reply.status, reply.error()),
                (StatusCode::BAD_REQUEST, error.to_owned()),
                "{form:?}"
            );
        }
        // The object of one client in the hands of another, and in nobody's.
        let stolen = push(&site, "cantine", &[("request", &right)]).await;
        assert_eq!(stolen.error(), "invalid_request_object");
        let request = Request::post("/oauth/par")
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(Body::from(url::query([
                ("client_id", "ent"),
                ("request", right.as_str()),
            ])));
        let unproved = site.send(request.unwrap()).await;
        assert_eq!(
            (unproved.status, unproved.error()),
            (StatusCode::UNAUTHORIZED, "invalid_client".into())
        );
        // Pushed or not, nothing of this client goes by the address bar alone.
        let reply = browser.get(&site, &brought(&right, &[])).await;
        assert_eq!(reply.sent("error").as_deref(), Some("invalid_request"));
    })
    .await;
}
