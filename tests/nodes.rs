//! Two nodes on one PostgreSQL: any node serves any request, and what is good once is good once on both.
//!
//! Each node is a whole program in this process (its own pool, keys in memory, caches) over the same database and master
//! key. SQLite has one node, so without `MARELLE_TEST_POSTGRES` the same requests meet one node twice.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "the whole file is tests and what they stand on"
)]

mod engines;

use std::collections::BTreeMap;
use std::path::Path;

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Request, StatusCode, header};
use data_encoding::{BASE64, BASE64URL_NOPAD};
use http_body_util::BodyExt as _;
use marelle::app;
use marelle::base::random::{self, SystemRandom};
use marelle::base::secret::{Secret, sha256};
use marelle::base::url;
use marelle::config::Config;
use marelle::domain::audit::Actor;
use marelle::domain::education::Profile;
use marelle::domain::relying_party::{ClientAuthMethod, ClientKeys, GrantType};
use marelle::flows::declaration::{self, file::Reader};
use marelle::flows::{Context, person};
use marelle::jose::{self, Algorithm, PrivateKey};
use marelle::store;
use serde_json::{Value, json};
use tower::ServiceExt as _;

const ISSUER: &str = "https://id.example.fr";
const CALLBACK: &str = "https://ent.example/cb";
const PASSWORD: &str = "le chat dort à midi";
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const TERRITORY: &str = r#"
[[academy]]
code = "15"
name = "Académie d'essai"

[[school]]
uai = "9990001X"
name = "École d'essai"
degree = "first"
academy = "15"

[[relying_party]]
id = "ent"
name = "ENT"
redirect_uris = ["https://ent.example/cb"]
secret_file = "secret"
"#;

/// Two nodes, and the context of the first.
struct Nodes {
    context: Context,
    routers: [Router; 2],
    secret: String,
    key: PrivateKey,
}

async fn with_nodes(test: impl AsyncFn(Nodes)) {
    let folder = tempfile::tempdir().unwrap();
    let mut config = Config::default();
    config.http.public_url = ISSUER.into();
    config.database.file = folder.path().join("marelle.db");
    test(nodes(&config).await).await;
    if let Some(url) = engines::fresh_postgres().await {
        config.database.url = Some(url);
        config.keys.master_key_file = Some(folder.path().join("other.key"));
        test(nodes(&config).await).await;
    }
}

async fn nodes(config: &Config) -> Nodes {
    let first = app::open(config).await.unwrap();
    let secret = random::symbols(&SystemRandom, b"abcdefghijklmnopqrstuvwxyz", 40);
    let key = PrivateKey::generate(Algorithm::Es256).unwrap();
    declare(&first, &secret, &key).await;
    let second = app::open(config).await.unwrap();
    let routers = [
        app::router(first.clone()).await.unwrap(),
        app::router(second).await.unwrap(),
    ];
    Nodes {
        context: first,
        routers,
        secret,
        key,
    }
}

/// A teacher, `ent` with a secret that may refresh, and `keyed` with a key.
async fn declare(context: &Context, secret: &str, key: &PrivateKey) {
    let mut reader = Reader::default();
    reader.add(TERRITORY, &|_: &Path| Ok(secret.to_owned())).unwrap();
    let mut declared = reader.finish();
    let ent = &mut declared.relying_parties[0];
    ent.party.metadata.grant_types.push(GrantType::RefreshToken);
    let mut keyed = ent.clone();
    keyed.party.id = "keyed".parse().unwrap();
    keyed.party.auth_method = ClientAuthMethod::PrivateKeyJwt;
    keyed.party.secrets.clear();
    keyed.party.metadata.keys = ClientKeys::Jwks(json!({ "keys": [key.public().to_json()] }).to_string());
    declared.relying_parties.push(keyed);
    declaration::apply(context, &declared, declaration::Options::default())
        .await
        .unwrap();
    let teacher = person::NewPerson {
        given_name: "Maddi".into(),
        family_name: "Etxeberria".into(),
        profile: Profile::Teacher,
        school: "9990001X".parse().unwrap(),
        username: Some("maddi".into()),
        password: Secret::new(PASSWORD),
        is_another: false,
    };
    let made = person::create(context, &teacher, &Actor::Operator).await.unwrap();
    assert!(matches!(made, person::Creation::Created(_)), "{made:?}");
}

struct Reply {
    status: StatusCode,
    headers: HeaderMap,
    body: String,
}

impl Reply {
    fn location(&self) -> String {
        assert_eq!(self.status, StatusCode::SEE_OTHER, "{}", self.body);
        self.headers[header::LOCATION].to_str().unwrap().to_owned()
    }

    fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }
}

fn parameter(address: &str, name: &str) -> String {
    let (_, query) = address.split_once('?').unwrap();
    let found = url::parameters(query)
        .into_iter()
        .find(|(other, _)| other == name);
    found.unwrap_or_else(|| panic!("no {name} in {address}")).1
}

/// A browser whose every request goes to the node that the test chooses.
#[derive(Default)]
struct Browser(BTreeMap<String, String>);

impl Browser {
    async fn send(&mut self, node: &Router, request: axum::http::request::Builder, body: String) -> Reply {
        let jar: Vec<String> = self
            .0
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let request = request
            .header(header::COOKIE, jar.join("; "))
            .body(Body::from(body));
        let reply = send(node, request.unwrap()).await;
        for line in reply.headers.get_all(header::SET_COOKIE) {
            let (name, rest) = line.to_str().unwrap().split_once('=').unwrap();
            let value = rest.split(';').next().unwrap();
            self.0.insert(name.to_owned(), value.to_owned());
        }
        reply
    }

    async fn get(&mut self, node: &Router, address: &str) -> Reply {
        self.send(node, Request::get(address), String::new()).await
    }

    async fn post(&mut self, node: &Router, address: &str, form: &[(&str, &str)]) -> Reply {
        let request =
            Request::post(address).header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        self.send(node, request, url::query(form.iter().copied())).await
    }
}

async fn send(node: &Router, request: Request<Body>) -> Reply {
    let (parts, body) = node.clone().oneshot(request).await.unwrap().into_parts();
    let bytes = body.collect().await.unwrap().to_bytes();
    Reply {
        status: parts.status,
        headers: parts.headers,
        body: String::from_utf8(bytes.to_vec()).unwrap(),
    }
}

impl Nodes {
    fn authorize(client: &str) -> String {
        let challenge = BASE64URL_NOPAD.encode(&sha256(VERIFIER.as_bytes()));
        let query = url::query([
            ("client_id", client),
            ("redirect_uri", CALLBACK),
            ("response_type", "code"),
            ("scope", "openid"),
            ("code_challenge", &challenge),
            ("code_challenge_method", "S256"),
        ]);
        format!("/oauth/authorize?{query}")
    }

    /// A login that is begun on the first node, proved on the second and ended on the first; answers its code.
    async fn sign_in(&self, browser: &mut Browser, client: &str) -> String {
        let [one, other] = &self.routers;
        let login = browser.get(one, &Self::authorize(client)).await.location();
        assert_eq!(browser.get(other, &login).await.status, StatusCode::OK);
        let waiting = parameter(&login, "continue");
        let form = [
            ("username", "maddi"),
            ("password", PASSWORD),
            ("continue", &*waiting),
        ];
        let resume = browser.post(other, "/login", &form).await.location();
        parameter(&browser.get(one, &resume).await.location(), "code")
    }

    async fn code(&self, browser: &mut Browser, client: &str) -> String {
        let reply = browser.get(&self.routers[0], &Self::authorize(client)).await;
        parameter(&reply.location(), "code")
    }

    async fn called(&self, node: usize, path: &str, form: &[(&str, &str)]) -> Reply {
        send(&self.routers[node], self.call(path, form)).await
    }

    /// A form of `ent` on its way.
    fn call(&self, path: &str, form: &[(&str, &str)]) -> Request<Body> {
        let credentials = BASE64.encode(format!("ent:{}", self.secret).as_bytes());
        let request = Request::post(path)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(header::AUTHORIZATION, format!("Basic {credentials}"));
        request
            .body(Body::from(url::query(form.iter().copied())))
            .unwrap()
    }

    async fn redeem(&self, node: usize, code: &str) -> Reply {
        let form = [
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", CALLBACK),
            ("code_verifier", VERIFIER),
        ];
        self.called(node, "/oauth/token", &form).await
    }

    async fn refresh(&self, node: usize, token: &str) -> Reply {
        let form = [("grant_type", "refresh_token"), ("refresh_token", token)];
        self.called(node, "/oauth/token", &form).await
    }

    async fn userinfo(&self, node: usize, token: &str) -> StatusCode {
        let request =
            Request::get("/oauth/userinfo").header(header::AUTHORIZATION, format!("Bearer {token}"));
        send(&self.routers[node], request.body(Body::empty()).unwrap())
            .await
            .status
    }

    /// An assertion of `keyed` (RFC 7523 §3).
    fn assertion(&self) -> String {
        let now = self.context.now().seconds();
        let claims = json!({
            "iss": "keyed", "sub": "keyed", "aud": ISSUER, "iat": now, "exp": now + 60,
            "jti": random::symbols(&SystemRandom, b"abcdefghijklmnop", 20),
        });
        jose::sign(&self.key, jose::Kind::Jwt, claims.as_object().unwrap()).unwrap()
    }

    /// A proof of possession of that key (RFC 9449 §4.2), for a request that may bring an access token.
    fn proof(&self, method: &str, path: &str, token: Option<&str>) -> String {
        let header = json!({ "typ": "dpop+jwt", "alg": "ES256", "jwk": self.key.public().to_json() });
        let mut claims = json!({
            "jti": random::symbols(&SystemRandom, b"abcdefghijklmnop", 20),
            "htm": method, "htu": format!("{ISSUER}{path}"), "iat": self.context.now().seconds(),
        });
        if let Some(token) = token {
            claims["ath"] = BASE64URL_NOPAD.encode(&sha256(token.as_bytes())).into();
        }
        let part = |value: &Value| BASE64URL_NOPAD.encode(value.to_string().as_bytes());
        let signed = format!("{}.{}", part(&header), part(&claims));
        let signature = self.key.sign(signed.as_bytes()).unwrap();
        format!("{signed}.{}", BASE64URL_NOPAD.encode(&signature))
    }

    async fn redeem_by_proof(&self, node: usize, code: &str, proof: &str) -> Reply {
        let form = [
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", CALLBACK),
            ("code_verifier", VERIFIER),
        ];
        let mut request = self.call("/oauth/token", &form);
        request.headers_mut().insert("dpop", proof.parse().unwrap());
        send(&self.routers[node], request).await
    }

    async fn userinfo_by_proof(&self, node: usize, token: &str, proof: &str) -> StatusCode {
        let request = Request::get("/oauth/userinfo")
            .header(header::AUTHORIZATION, format!("DPoP {token}"))
            .header("dpop", proof)
            .body(Body::empty());
        send(&self.routers[node], request.unwrap()).await.status
    }

    async fn redeem_by_assertion(&self, node: usize, code: &str, assertion: &str) -> Reply {
        let form = [
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", CALLBACK),
            ("code_verifier", VERIFIER),
            (
                "client_assertion_type",
                "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
            ),
            ("client_assertion", assertion),
        ];
        let request = Request::post("/oauth/token")
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(Body::from(url::query(form)));
        send(&self.routers[node], request.unwrap()).await
    }
}

#[tokio::test]
async fn a_login_begun_on_one_node_ends_on_the_other() {
    with_nodes(async |nodes| {
        let mut browser = Browser::default();
        let code = nodes.sign_in(&mut browser, "ent").await;
        let tokens = nodes.redeem(1, &code).await;
        assert_eq!(tokens.status, StatusCode::OK, "{}", tokens.body);
        let token = tokens.json()["access_token"].as_str().unwrap().to_owned();
        assert_eq!(nodes.userinfo(0, &token).await, StatusCode::OK);
        assert_eq!(nodes.userinfo(1, &token).await, StatusCode::OK);
    })
    .await;
}

#[tokio::test]
async fn case_36_a_code_is_good_once_over_both_nodes_whoever_is_first() {
    with_nodes(async |nodes| {
        let mut browser = Browser::default();
        let mut code = nodes.sign_in(&mut browser, "ent").await;
        for _ in 0..10 {
            let (left, right) = tokio::join!(nodes.redeem(0, &code), nodes.redeem(1, &code));
            let mut statuses = [left.status, right.status];
            statuses.sort();
            assert_eq!(statuses, [StatusCode::OK, StatusCode::BAD_REQUEST]);
            // The second one revoked what the first was given, on both nodes.
            let winner = if left.status == StatusCode::OK {
                left
            } else {
                right
            };
            let token = winner.json()["access_token"].as_str().unwrap().to_owned();
            assert_eq!(nodes.userinfo(0, &token).await, StatusCode::UNAUTHORIZED);
            assert_eq!(nodes.userinfo(1, &token).await, StatusCode::UNAUTHORIZED);
            code = nodes.code(&mut browser, "ent").await;
        }
    })
    .await;
}

#[tokio::test]
async fn case_39_of_a_refresh_token_used_on_both_nodes_one_line_lives_on() {
    with_nodes(async |nodes| {
        let mut browser = Browser::default();
        let code = nodes.sign_in(&mut browser, "ent").await;
        let tokens = nodes.redeem(0, &code).await.json();
        let mut token = tokens["refresh_token"].as_str().unwrap().to_owned();
        for _ in 0..5 {
            // An answer may be lost, so both may be answered; but only one of the answers is worth anything.
            let (left, right) = tokio::join!(nodes.refresh(0, &token), nodes.refresh(1, &token));
            let mut alive = Vec::new();
            for reply in [left, right] {
                let next = reply.json()["refresh_token"].as_str().map(str::to_owned);
                if let Some(next) = next {
                    alive.push(next);
                }
            }
            assert!(!alive.is_empty(), "one of them is answered");
            // The latest successor works; an earlier one was used up by it.
            let mut lived = Vec::new();
            for next in alive.iter().rev() {
                let reply = nodes.refresh(1, next).await;
                if reply.status == StatusCode::OK {
                    lived.push(reply.json()["refresh_token"].as_str().unwrap().to_owned());
                    break;
                }
            }
            let Some(next) = lived.pop() else {
                // The line was broken as theft: then nothing of it may live.
                let code = nodes.code(&mut browser, "ent").await;
                token = nodes.redeem(0, &code).await.json()["refresh_token"]
                    .as_str()
                    .unwrap()
                    .to_owned();
                continue;
            };
            token = next;
        }
    })
    .await;
}

#[tokio::test]
async fn case_38_an_assertion_is_good_once_over_both_nodes() {
    with_nodes(async |nodes| {
        let mut browser = Browser::default();
        let first = nodes.sign_in(&mut browser, "keyed").await;
        let second = nodes.code(&mut browser, "keyed").await;
        let assertion = nodes.assertion();
        let (left, right) = tokio::join!(
            nodes.redeem_by_assertion(0, &first, &assertion),
            nodes.redeem_by_assertion(1, &second, &assertion),
        );
        let mut statuses = [left.status, right.status];
        statuses.sort();
        assert_eq!(
            statuses,
            [StatusCode::OK, StatusCode::UNAUTHORIZED],
            "{} {}",
            left.body,
            right.body
        );
    })
    .await;
}

#[tokio::test]
async fn case_40_a_proof_of_possession_is_good_once_over_both_nodes() {
    with_nodes(async |nodes| {
        let mut browser = Browser::default();
        nodes.sign_in(&mut browser, "ent").await;
        for _ in 0..5 {
            let (first, second) = (
                nodes.code(&mut browser, "ent").await,
                nodes.code(&mut browser, "ent").await,
            );
            let proof = nodes.proof("POST", "/oauth/token", None);
            let (left, right) = tokio::join!(
                nodes.redeem_by_proof(0, &first, &proof),
                nodes.redeem_by_proof(1, &second, &proof),
            );
            let (taken, refused, unspent) = if left.status == StatusCode::OK {
                (left, right, &second)
            } else {
                (right, left, &first)
            };
            assert_eq!(taken.json()["token_type"], "DPoP", "{}", taken.body);
            assert_eq!(refused.json()["error"], "invalid_dpop_proof");
            // A refused proof costs its sender nothing: with another the code is still good, on either node.
            let fresh = nodes.proof("POST", "/oauth/token", None);
            let reply = nodes.redeem_by_proof(1, unspent, &fresh).await;
            assert_eq!(reply.status, StatusCode::OK, "{}", reply.body);

            let tokens = taken.json();
            let token = tokens["access_token"].as_str().unwrap();
            let proof = nodes.proof("GET", "/oauth/userinfo", Some(token));
            let (left, right) = tokio::join!(
                nodes.userinfo_by_proof(0, token, &proof),
                nodes.userinfo_by_proof(1, token, &proof),
            );
            let mut statuses = [left, right];
            statuses.sort();
            assert_eq!(statuses, [StatusCode::OK, StatusCode::UNAUTHORIZED]);
            for node in [0, 1] {
                let again = nodes.userinfo_by_proof(node, token, &proof).await;
                assert_eq!(again, StatusCode::UNAUTHORIZED);
                let fresh = nodes.proof("GET", "/oauth/userinfo", Some(token));
                let served = nodes.userinfo_by_proof(node, token, &fresh).await;
                assert_eq!(served, StatusCode::OK);
                assert_eq!(nodes.userinfo(node, token).await, StatusCode::UNAUTHORIZED);
            }
        }
    })
    .await;
}

#[tokio::test]
async fn case_47_what_is_revoked_on_one_node_is_over_on_the_other_at_once() {
    with_nodes(async |nodes| {
        let mut browser = Browser::default();
        let code = nodes.sign_in(&mut browser, "ent").await;
        let tokens = nodes.redeem(0, &code).await.json();
        let access = tokens["access_token"].as_str().unwrap();
        let refresh = tokens["refresh_token"].as_str().unwrap();
        assert_eq!(nodes.userinfo(1, access).await, StatusCode::OK);
        let revoked = nodes.called(0, "/oauth/revoke", &[("token", refresh)]).await;
        assert_eq!(revoked.status, StatusCode::OK);
        assert_eq!(nodes.userinfo(1, access).await, StatusCode::UNAUTHORIZED);
        assert_eq!(nodes.refresh(1, refresh).await.json()["error"], "invalid_grant");
        let seen = nodes.called(1, "/oauth/introspect", &[("token", access)]).await;
        assert_eq!(seen.json(), json!({ "active": false }));

        // A party that is taken out of use on one node, and a login that is ended on one.
        let code = nodes.code(&mut browser, "ent").await;
        let tokens = nodes.redeem(0, &code).await.json();
        let access = tokens["access_token"].as_str().unwrap();
        let mut tx = nodes.context.db.begin().await.unwrap();
        let mut ent = store::relying_party::find(&mut tx, &"ent".parse().unwrap())
            .await
            .unwrap()
            .unwrap();
        ent.enabled = false;
        store::relying_party::save(&mut tx, &ent).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(nodes.userinfo(1, access).await, StatusCode::UNAUTHORIZED);
        ent.enabled = true;
        let mut tx = nodes.context.db.begin().await.unwrap();
        store::relying_party::save(&mut tx, &ent).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(nodes.userinfo(1, access).await, StatusCode::OK);
        browser.post(&nodes.routers[0], "/sign-out", &[]).await;
        assert_eq!(nodes.userinfo(1, access).await, StatusCode::UNAUTHORIZED);
    })
    .await;
}
