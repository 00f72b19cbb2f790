//! The two nodes, a browser that goes to the one or the other, and the party that calls both.

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
use serde_json::{Value, json};
use tower::ServiceExt as _;

use crate::engines;

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
pub(super) struct Nodes {
    pub(super) context: Context,
    pub(super) routers: [Router; 2],
    secret: String,
    key: PrivateKey,
}

pub(super) async fn with_nodes(test: impl AsyncFn(Nodes)) {
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

pub(super) struct Reply {
    pub(super) status: StatusCode,
    headers: HeaderMap,
    pub(super) body: String,
}

impl Reply {
    pub(super) fn location(&self) -> String {
        assert_eq!(self.status, StatusCode::SEE_OTHER, "{}", self.body);
        self.headers[header::LOCATION].to_str().unwrap().to_owned()
    }

    pub(super) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }
}

pub(super) fn parameter(address: &str, name: &str) -> String {
    let (_, query) = address.split_once('?').unwrap();
    let found = url::parameters(query)
        .into_iter()
        .find(|(other, _)| other == name);
    found.unwrap_or_else(|| panic!("no {name} in {address}")).1
}

/// A browser whose every request goes to the node that the test chooses.
#[derive(Default)]
pub(super) struct Browser(BTreeMap<String, String>);

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

    pub(super) async fn get(&mut self, node: &Router, address: &str) -> Reply {
        self.send(node, Request::get(address), String::new()).await
    }

    pub(super) async fn post(&mut self, node: &Router, address: &str, form: &[(&str, &str)]) -> Reply {
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
    pub(super) fn authorize(client: &str) -> String {
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
    pub(super) async fn sign_in(&self, browser: &mut Browser, client: &str) -> String {
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

    pub(super) async fn code(&self, browser: &mut Browser, client: &str) -> String {
        let reply = browser.get(&self.routers[0], &Self::authorize(client)).await;
        parameter(&reply.location(), "code")
    }

    pub(super) async fn called(&self, node: usize, path: &str, form: &[(&str, &str)]) -> Reply {
        send(&self.routers[node], self.call(path, form)).await
    }

    /// A form of `ent` on its way.
    pub(super) fn call(&self, path: &str, form: &[(&str, &str)]) -> Request<Body> {
        let credentials = BASE64.encode(format!("ent:{}", self.secret).as_bytes());
        let request = Request::post(path)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(header::AUTHORIZATION, format!("Basic {credentials}"));
        request
            .body(Body::from(url::query(form.iter().copied())))
            .unwrap()
    }

    pub(super) async fn redeem(&self, node: usize, code: &str) -> Reply {
        let form = [
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", CALLBACK),
            ("code_verifier", VERIFIER),
        ];
        self.called(node, "/oauth/token", &form).await
    }

    pub(super) async fn refresh(&self, node: usize, token: &str) -> Reply {
        let form = [("grant_type", "refresh_token"), ("refresh_token", token)];
        self.called(node, "/oauth/token", &form).await
    }

    pub(super) async fn userinfo(&self, node: usize, token: &str) -> StatusCode {
        let request =
            Request::get("/oauth/userinfo").header(header::AUTHORIZATION, format!("Bearer {token}"));
        send(&self.routers[node], request.body(Body::empty()).unwrap())
            .await
            .status
    }

    /// An assertion of `keyed` (RFC 7523 §3).
    pub(super) fn assertion(&self) -> String {
        let now = self.context.now().seconds();
        let claims = json!({
            "iss": "keyed", "sub": "keyed", "aud": ISSUER, "iat": now, "exp": now + 60,
            "jti": random::symbols(&SystemRandom, b"abcdefghijklmnop", 20),
        });
        jose::sign(&self.key, jose::Kind::Jwt, claims.as_object().unwrap()).unwrap()
    }

    /// A proof of possession of that key (RFC 9449 §4.2), for a request that may bring an access token.
    pub(super) fn proof(&self, method: &str, path: &str, token: Option<&str>) -> String {
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

    pub(super) async fn redeem_by_proof(&self, node: usize, code: &str, proof: &str) -> Reply {
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

    pub(super) async fn userinfo_by_proof(&self, node: usize, token: &str, proof: &str) -> StatusCode {
        let request = Request::get("/oauth/userinfo")
            .header(header::AUTHORIZATION, format!("DPoP {token}"))
            .header("dpop", proof)
            .body(Body::empty());
        send(&self.routers[node], request.unwrap()).await.status
    }

    pub(super) async fn redeem_by_assertion(&self, node: usize, code: &str, assertion: &str) -> Reply {
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

    /// Pushes a request of `ent` to a node; answers where a browser brings its reference.
    pub(super) async fn pushed(&self, node: usize) -> String {
        let address = Self::authorize("ent");
        let form = url::parameters(address.split_once('?').unwrap().1);
        let form: Vec<_> = form.iter().map(|(name, value)| (&**name, &**value)).collect();
        let reply = self.called(node, "/oauth/par", &form).await;
        assert_eq!(reply.status, StatusCode::CREATED, "{}", reply.body);
        let answer = reply.json();
        let reference = answer["request_uri"].as_str().unwrap();
        format!(
            "/oauth/authorize?{}",
            url::query([("client_id", "ent"), ("request_uri", reference)])
        )
    }
}
