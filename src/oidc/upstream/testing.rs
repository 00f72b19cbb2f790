//! For tests: a provider that answers as it should, and of which a test changes one thing.

use std::sync::LazyLock;

use data_encoding::BASE64URL_NOPAD;
use http::Response;
use serde_json::{Value, json};

use super::*;
use crate::base::parameters::Parameters;
use crate::base::secret::sha256;
use crate::base::time::Timestamp;
use crate::jose::{Algorithm, PrivateKey};

/// 2026-10-01 08:00:00 UTC.
pub(super) const NOW: Timestamp = Timestamp::from_seconds(1_790_841_600);
pub(super) const STATE: &str = "state-0123456789-0123456789-0123456789";
pub(super) const NONCE: &str = "nonce-0123456789-0123456789-0123456789";
pub(super) const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
pub(super) const ISSUER: &str = "https://idp.example";
pub(super) const BACK: &str = "https://id.example/login/upstream/callback";
pub(super) const CLIENT: &str = "marelle";
pub(super) const ACCESS: &str = "access-token-of-lina";

pub(super) static RSA: LazyLock<PrivateKey> =
    LazyLock::new(|| PrivateKey::generate(Algorithm::Rs256).unwrap());
pub(super) static EC: LazyLock<PrivateKey> =
    LazyLock::new(|| PrivateKey::generate(Algorithm::Es256).unwrap());
pub(super) static STRANGER: LazyLock<PrivateKey> =
    LazyLock::new(|| PrivateKey::generate(Algorithm::Es256).unwrap());

/// A compact JWS with any header.
pub(super) fn jws(header: &Value, claims: &Value, sign: impl FnOnce(&[u8]) -> Vec<u8>) -> String {
    let part = |bytes: &[u8]| BASE64URL_NOPAD.encode(bytes);
    let signed = format!(
        "{}.{}",
        part(header.to_string().as_bytes()),
        part(claims.to_string().as_bytes())
    );
    let signature = part(&sign(signed.as_bytes()));
    format!("{signed}.{signature}")
}

/// An answer.
pub(super) fn answer(status: u16, content_type: &str, body: impl Into<Vec<u8>>) -> Response<Vec<u8>> {
    let answer = Response::builder()
        .status(status)
        .header("content-type", content_type);
    answer.body(body.into()).unwrap()
}

/// An answer in JSON.
pub(super) fn good(body: &Value) -> Response<Vec<u8>> {
    answer(200, "application/json;charset=utf-8", body.to_string())
}

/// The parts of a login that goes well.
pub(super) struct Scene {
    pub(super) provider: OidcProvider,
    pub(super) secret: Option<Secret>,
    pub(super) discovery: Value,
    pub(super) jwks: Value,
    pub(super) header: Value,
    pub(super) claims: Value,
    pub(super) key: &'static PrivateKey,
    pub(super) tokens: Value,
    pub(super) userinfo: Value,
    pub(super) userinfo_header: Value,
    pub(super) userinfo_type: &'static str,
    pub(super) login_since: Option<Timestamp>,
}

impl Scene {
    pub(super) fn new() -> Self {
        let key = &*EC;
        let at_hash = BASE64URL_NOPAD.encode(&sha256(ACCESS.as_bytes())[..16]);
        let header = json!({ "alg": "ES256", "kid": key.public().kid(), "typ": "JWT" });
        Self {
            provider: OidcProvider {
                issuer: ISSUER.into(),
                client_id: CLIENT.into(),
                auth_method: ClientAuthMethod::SecretPost,
                scopes: vec!["profile".into()],
                acr_values: None,
                required_acr: Vec::new(),
                claims: None,
                pkce: true,
                requires_iss: false,
                userinfo: Userinfo::Json,
                endpoints: None,
                logout: true,
            },
            secret: Some(Secret::new("sesame, ouvre-toi")),
            discovery: json!({
                "issuer": ISSUER,
                "authorization_endpoint": "https://idp.example/authorize",
                "token_endpoint": "https://idp.example/token",
                "userinfo_endpoint": "https://idp.example/userinfo",
                "jwks_uri": "https://idp.example/jwks",
                "end_session_endpoint": "https://idp.example/session/end",
            }),
            jwks: json!({ "keys": [RSA.public().to_json(), EC.public().to_json()] }),
            header: header.clone(),
            claims: json!({
                "iss": ISSUER, "aud": CLIENT, "sub": "lina", "nonce": NONCE, "at_hash": at_hash,
                "iat": NOW.seconds(), "exp": NOW.seconds() + 300, "auth_time": NOW.seconds() - 5,
                "acr": "eidas1", "amr": ["pwd"], "sid": "session-1", "given_name": "Lina", "email": "of@idtoken.example",
            }),
            key,
            tokens: json!({ "access_token": ACCESS, "token_type": "Bearer", "expires_in": 60, "refresh_token": "r" }),
            userinfo: json!({ "sub": "lina", "family_name": "Le Goff", "email": "of@userinfo.example" }),
            userinfo_header: header,
            userinfo_type: "application/json",
            login_since: None,
        }
    }

    /// One whose userinfo is signed.
    pub(super) fn signed() -> Self {
        let mut scene = Self::new();
        scene.provider.userinfo = Userinfo::Signed;
        scene.userinfo["iss"] = ISSUER.into();
        scene.userinfo["aud"] = CLIENT.into();
        scene.userinfo["exp"] = (NOW.seconds() + 60).into();
        scene.userinfo_type = "application/jwt";
        scene
    }

    pub(super) fn client(&self) -> Client<'_> {
        Client {
            provider: &self.provider,
            discovery: &self.discovery,
            jwks: &self.jwks,
            secret: self.secret.as_ref(),
            redirect_uri: BACK,
        }
    }

    pub(super) fn id_token(&self) -> String {
        jws(&self.header, &self.claims, |message| {
            self.key.sign(message).unwrap()
        })
    }

    pub(super) fn token_answer(&self) -> Response<Vec<u8>> {
        let mut tokens = self.tokens.clone();
        if tokens.get("id_token").is_none() {
            tokens["id_token"] = self.id_token().into();
        }
        good(&tokens)
    }

    pub(super) fn tokens(&self) -> Result<Tokens, Rejected> {
        let expected = Expected {
            nonce: NONCE,
            login_since: self.login_since,
        };
        read_tokens(&self.client(), &self.token_answer(), expected, NOW)
    }

    pub(super) fn userinfo_answer(&self) -> Response<Vec<u8>> {
        let body = match self.userinfo_type {
            "application/jwt" => jws(&self.userinfo_header, &self.userinfo, |message| {
                self.key.sign(message).unwrap()
            }),
            _ => self.userinfo.to_string(),
        };
        answer(200, self.userinfo_type, body)
    }

    /// The whole of it.
    pub(super) fn login(&self) -> Result<Accepted, Rejected> {
        let tokens = self.tokens()?;
        let answer = self.userinfo_answer();
        let asked = userinfo_request(&self.client(), &tokens)?;
        finish(&self.client(), &tokens, asked.map(|_| &answer), NOW)
    }

    /// What the browser brings.
    pub(super) fn callback(&self, query: &str) -> Result<Code, Rejected> {
        read_callback(&self.client(), &Parameters::read(query).unwrap())
    }
}

/// Why a login fails in which one thing is otherwise.
pub(super) fn refused(change: impl FnOnce(&mut Scene)) -> Rejected {
    let mut scene = Scene::new();
    assert!(scene.login().is_ok());
    change(&mut scene);
    scene.login().unwrap_err()
}

/// The same with signed userinfo.
pub(super) fn refused_signed(change: impl FnOnce(&mut Scene)) -> Rejected {
    let mut scene = Scene::signed();
    assert!(scene.login().is_ok());
    change(&mut scene);
    scene.login().unwrap_err()
}

/// Takes a member out.
pub(super) fn without(object: &mut Value, name: &str) {
    object.as_object_mut().unwrap().remove(name).unwrap();
}
