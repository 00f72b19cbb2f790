//! The relying party of the modules: it discovers the provider, asks, takes the answer from the browser, redeems, and
//! looks at everything it gets as closely as the published modules do for every flow.
//!
//! Signatures and the claims that protect a client are verified by the `openidconnect` crate, so that the provider does
//! not judge itself.

use std::cell::Cell;
use std::sync::Arc;

use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use data_encoding::{BASE64, BASE64URL_NOPAD};
use openidconnect::core::{CoreIdToken, CoreIdTokenVerifier, CoreJsonWebKeySet, CoreJwsSigningAlgorithm};
use openidconnect::{ClientId, ClientSecret, IssuerUrl};
use serde_json::Value;

pub(super) use super::asked::Asked;
use super::checks::check_times;
pub(super) use super::checks::{check_description, check_userinfo, token_error};
use super::registered::Signer;
use super::user_agent::{Callback, Delivery, Landing, PASSWORD, USERNAME, UserAgent};
use crate::base::secret::sha256;
use crate::base::url;
use crate::domain::relying_party::{ClientAuthMethod, RelyingParty, SigningAlgorithm};
use crate::domain::testing::{contact, party};
use crate::flows::testing::{Partners, scene};
use crate::oauth::client_assertion;
use crate::oauth::dpop::testing::{Draft, Holder};
use crate::web::oauth::tests::site::{ECOLE, ISSUER, Reply, Scene, Site, VERIFIER, claims};

/// What an ID Token may say that nobody asked for (OpenID Connect Core §2, §3.1.3.6; Front-Channel Logout §3).
const PROTOCOL_CLAIMS: &[&str] = &[
    "iss",
    "sub",
    "aud",
    "exp",
    "iat",
    "auth_time",
    "nonce",
    "acr",
    "amr",
    "azp",
    "at_hash",
    "sid",
    "jti",
];

/// The header field of a proof of possession, and the scheme of a token that is bound to its key (RFC 9449 §4.1, §7.1).
pub(super) const DPOP: &str = "DPoP";

/// A client, as it knows itself.
#[derive(Debug, Clone)]
pub(super) struct Client {
    pub(super) id: String,
    pub(super) redirect_uri: String,
    pub(super) secret: String,
    pub(super) auth_method: ClientAuthMethod,
    /// What it proves itself with, where that is no secret.
    pub(super) signer: Option<Signer>,
    /// Whom its tokens are bound to, where they are; such a client sends PKCE too.
    pub(super) holder: Option<Holder>,
}

/// A token answer that was looked at.
#[derive(Debug, Clone)]
pub(super) struct Tokens {
    /// The whole answer.
    pub(super) answer: Value,
    /// The access token.
    pub(super) access_token: String,
    /// The ID Token.
    pub(super) id_token: String,
    /// Its claims.
    pub(super) claims: Value,
    /// Whom the access token is bound to, where it is.
    pub(super) holder: Option<Holder>,
}

/// A provider, a person with a browser, and what a module needs to ask.
pub(super) struct Suite {
    pub(super) site: Site,
    pub(super) agent: UserAgent,
    /// The discovery document.
    pub(super) provider: Value,
    /// The other hosts there are: what clients publish.
    pub(super) partners: Arc<Partners>,
    delivery: Delivery,
    drawn: Cell<u32>,
}

impl Suite {
    /// A provider whose answers are wanted in this way, and a person who has a password and can be reached.
    pub(super) async fn new((mut context, clock): Scene, delivery: Delivery) -> Self {
        let partners = Arc::new(Partners::default());
        context.outbound = partners.clone();
        let site = Site::new((context, clock)).await;
        let maddi = site.pupil("Maddi", 7, ECOLE).await;
        scene::reach(&site.context, maddi.id, &contact("maddi")).await;
        scene::with_password(&site.context, &maddi, USERNAME, PASSWORD).await;
        let provider = get(&site, "/.well-known/openid-configuration").await;
        Self {
            site,
            agent: UserAgent::default(),
            provider,
            partners,
            delivery,
            drawn: Cell::new(0),
        }
    }

    /// Registers a client, as an operator would from what the plan asks for: PKCE is not sent, nothing but the default
    /// algorithm is expected.
    pub(super) async fn client(&self, id: &str) -> Client {
        self.client_with(id, |_| {}).await
    }

    /// The same, changed.
    pub(super) async fn client_with(&self, id: &str, change: impl FnOnce(&mut RelyingParty)) -> Client {
        let mut party = party(id);
        party.pkce_required = false;
        party.id_token_alg = SigningAlgorithm::Rs256;
        change(&mut party);
        self.site.declare(&party).await;
        Client {
            id: id.to_owned(),
            redirect_uri: party.redirect_uris[0].clone(),
            secret: format!("secret of {id}"),
            auth_method: party.auth_method,
            signer: None,
            holder: None,
        }
    }

    /// The path of an endpoint, from the discovery document.
    pub(super) fn endpoint(&self, name: &str) -> String {
        let address = self.provider[name]
            .as_str()
            .unwrap_or_else(|| panic!("no {name}"));
        address.strip_prefix(ISSUER).unwrap().to_owned()
    }

    /// The key set.
    pub(super) async fn keys(&self) -> Value {
        get(&self.site, &self.endpoint("jwks_uri")).await
    }

    /// A text that was not drawn before.
    pub(super) fn draw(&self) -> String {
        self.drawn.set(self.drawn.get() + 1);
        BASE64URL_NOPAD.encode(&sha256(&self.drawn.get().to_be_bytes()))
    }

    /// Lets time pass.
    pub(super) fn wait(&self, seconds: u64) {
        self.site.advance(seconds);
    }

    /// The request every module starts from.
    pub(super) fn request(&self, client: &Client) -> Asked {
        let mut asked = Asked::default()
            .with("client_id", &client.id)
            .with("redirect_uri", &client.redirect_uri)
            .with("scope", "openid")
            .with("state", &self.draw())
            .with("nonce", &self.draw())
            .with("response_type", "code");
        if self.delivery == Delivery::FormPost {
            asked = asked.with("response_mode", "form_post");
        }
        if client.holder.is_some() {
            let challenge = BASE64URL_NOPAD.encode(&sha256(VERIFIER.as_bytes()));
            asked = asked
                .with("code_challenge", &challenge)
                .with("code_challenge_method", "S256");
        }
        asked
    }

    /// Sends the browser to the authorization endpoint.
    pub(super) async fn authorize(&mut self, asked: &Asked) -> Landing {
        let address = format!("{}?{}", self.endpoint("authorization_endpoint"), asked.query());
        self.agent.visit(&self.site, &address).await
    }

    /// The code of a request that is answered with one.
    pub(super) async fn code(&mut self, client: &Client, asked: &Asked) -> String {
        let callback = self.authorize(asked).await.callback();
        self.code_of(client, asked, &callback)
    }

    /// The code of an answer.
    pub(super) fn code_of(&self, client: &Client, asked: &Asked, callback: &Callback) -> String {
        self.check_answer(client, asked, callback);
        assert_eq!(callback.get("error"), None, "{callback:?}");
        let code = callback
            .get("code")
            .unwrap_or_else(|| panic!("no code: {callback:?}"));
        // RFC 6749 §10.10, RFC 6819 §5.1.4.2.2: 128 bits, which take 22 characters of base64url.
        assert!(code.len() >= 22, "{code}");
        code.to_owned()
    }

    /// The error of a request that is refused, as every module that expects one looks at it (RFC 6749 §4.1.2.1).
    pub(super) async fn error(&mut self, client: &Client, asked: &Asked) -> String {
        let callback = self.authorize(asked).await.callback();
        self.error_of(client, asked, &callback)
    }

    /// The error of an answer.
    pub(super) fn error_of(&self, client: &Client, asked: &Asked, callback: &Callback) -> String {
        self.check_answer(client, asked, callback);
        assert_eq!(callback.get("code"), None, "{callback:?}");
        let expected = ["error", "error_description", "error_uri", "state", "iss"];
        let (_, query) = client.redirect_uri.split_once('?').unwrap_or_default();
        let registered = url::parameters(query);
        let is_registered = |name: &str| registered.iter().any(|(other, _)| other == name);
        assert!(
            callback
                .names()
                .all(|name| expected.contains(&name) || is_registered(name)),
            "{callback:?}"
        );
        if let Some(description) = callback.get("error_description") {
            check_description(description);
        }
        callback
            .get("error")
            .unwrap_or_else(|| panic!("no error: {callback:?}"))
            .to_owned()
    }

    /// What is looked at in every answer: where it came, how, and what must come back unchanged.
    fn check_answer(&self, client: &Client, asked: &Asked, callback: &Callback) {
        let (address, query) = client
            .redirect_uri
            .split_once('?')
            .unwrap_or((&client.redirect_uri, ""));
        assert_eq!(callback.address, address);
        assert_eq!(callback.delivery, self.delivery, "{callback:?}");
        let of_address = match self.delivery {
            Delivery::Query => &callback.parameters,
            Delivery::FormPost => &callback.query,
        };
        for registered in url::parameters(query) {
            assert!(
                of_address.contains(&registered),
                "{registered:?} was registered: {callback:?}"
            );
        }
        if self.delivery == Delivery::FormPost {
            assert_eq!(
                callback.query,
                url::parameters(query),
                "nothing leaks into the address"
            );
        }
        assert_eq!(callback.get("state"), asked.get("state"), "{callback:?}");
        // RFC 9207 §2.4: discovery says that it comes.
        assert_eq!(callback.get("iss"), Some(ISSUER), "{callback:?}");
    }

    /// A token request for a code, changed: an empty value leaves a parameter out.
    pub(super) async fn present(&self, client: &Client, code: &str, change: &[(&str, &str)]) -> Reply {
        let mut form = vec![
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", client.redirect_uri.as_str()),
        ];
        if client.holder.is_some() {
            form.push(("code_verifier", VERIFIER));
        }
        for (name, value) in change {
            form.retain(|(other, _)| other != name);
            form.push((name, value));
        }
        form.retain(|(_, value)| !value.is_empty());
        self.token_request(client, &form).await
    }

    /// A token request with the proof of the client.
    pub(super) async fn token_request(&self, client: &Client, form: &[(&str, &str)]) -> Reply {
        let mut form = form.to_vec();
        let signer = client.signer.as_ref();
        let assertion = signer.map_or_else(String::new, |signer| signer.assertion(self, client));
        let mut request = Request::post(self.endpoint("token_endpoint"))
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(header::ACCEPT, "application/json");
        match client.auth_method {
            ClientAuthMethod::SecretBasic => {
                // RFC 6749 §2.3.1: both are encoded as in a form before they are joined.
                let encoded = |text: &str| url::query([("", text)])[1..].to_owned();
                let pair = format!("{}:{}", encoded(&client.id), encoded(&client.secret));
                let value = format!("Basic {}", BASE64.encode(pair.as_bytes()));
                request = request.header(header::AUTHORIZATION, value);
            }
            ClientAuthMethod::SecretPost => {
                form.extend([
                    ("client_id", client.id.as_str()),
                    ("client_secret", client.secret.as_str()),
                ]);
            }
            ClientAuthMethod::None => form.push(("client_id", client.id.as_str())),
            ClientAuthMethod::PrivateKeyJwt => form.extend([
                ("client_assertion", assertion.as_str()),
                ("client_assertion_type", client_assertion::TYPE),
            ]),
        }
        if let Some(holder) = &client.holder {
            let proof = self.proof(holder, "POST", &self.endpoint("token_endpoint"));
            request = request.header(DPOP, proof.sign());
        }
        self.site
            .send(request.body(Body::from(url::query(form))).unwrap())
            .await
    }

    /// A proof of possession that nobody has seen yet (RFC 9449 §4.2).
    pub(super) fn proof<'a>(&self, holder: &'a Holder, method: &str, path: &str) -> Draft<'a> {
        let now = self.site.context.now();
        holder.proof(method, &format!("{ISSUER}{path}"), &self.draw(), now)
    }

    /// Redeems a code and looks at everything that comes.
    pub(super) async fn redeem(&self, client: &Client, asked: &Asked, code: &str) -> Tokens {
        let reply = self.present(client, code, &[]).await;
        self.tokens_of(client, asked.get("nonce"), &reply).await
    }

    /// The tokens of an answer of the token endpoint (RFC 6749 §5.1, OpenID Connect Core §3.1.3.3).
    pub(super) async fn tokens_of(&self, client: &Client, nonce: Option<&str>, reply: &Reply) -> Tokens {
        assert_eq!(reply.status, StatusCode::OK, "{reply:?}");
        assert_eq!(reply.header(header::CACHE_CONTROL), Some("no-store"));
        assert_eq!(reply.header(header::PRAGMA), Some("no-cache"));
        let answer = reply.json();
        let text = |name: &str| {
            answer[name]
                .as_str()
                .unwrap_or_else(|| panic!("no {name}"))
                .to_owned()
        };
        let scheme = if client.holder.is_some() { DPOP } else { "Bearer" };
        assert!(text("token_type").eq_ignore_ascii_case(scheme), "{answer}");
        assert!(answer["expires_in"].as_u64().unwrap() > 0);
        let (access_token, id_token) = (text("access_token"), text("id_token"));
        // RFC 6749 appendix A.12, and 128 bits.
        assert!(
            access_token.len() >= 22 && access_token.bytes().all(|symbol| (0x20..=0x7e).contains(&symbol))
        );
        let claims = self.verified(client, nonce, &id_token).await;
        if let Some(hash) = claims.get("at_hash") {
            let half = &sha256(access_token.as_bytes())[..16];
            assert_eq!(*hash, BASE64URL_NOPAD.encode(half), "OpenID Connect Core 3.1.3.6");
        }
        Tokens {
            answer,
            access_token,
            id_token,
            claims,
            holder: client.holder.clone(),
        }
    }

    /// The claims of an ID Token that a client would believe (OpenID Connect Core §3.1.3.7), and that says no more than
    /// it should.
    async fn verified(&self, client: &Client, nonce: Option<&str>, token: &str) -> Value {
        let keys = self.keys().await;
        let keys: CoreJsonWebKeySet = serde_json::from_value(keys).unwrap();
        let now = self.site.context.now().seconds();
        let verifier = CoreIdTokenVerifier::new_confidential_client(
            ClientId::new(client.id.clone()),
            ClientSecret::new(client.secret.clone()),
            IssuerUrl::new(self.provider["issuer"].as_str().unwrap().to_owned()).unwrap(),
            keys,
        )
        .set_allowed_algs([
            CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha256,
            CoreJwsSigningAlgorithm::EcdsaP256Sha256,
        ])
        .set_time_fn(move || chrono::DateTime::from_timestamp(now, 0).unwrap());
        let parsed: CoreIdToken = token.parse().unwrap();
        let same_nonce = |came: Option<&openidconnect::Nonce>| {
            let came = came.map(|nonce| nonce.secret().as_str());
            if came == nonce {
                Ok(())
            } else {
                Err(format!("nonce {came:?}"))
            }
        };
        parsed.claims(&verifier, same_nonce).unwrap();
        let header = BASE64URL_NOPAD
            .decode(token.split('.').next().unwrap().as_bytes())
            .unwrap();
        let header: Value = serde_json::from_slice(&header).unwrap();
        assert!(header["kid"].is_string(), "OpenID Connect Core 10.1: {header}");
        let claims = claims(&token.into());
        check_times(&claims, now);
        let subject = claims["sub"].as_str().unwrap();
        assert!(
            !subject.is_empty() && subject.len() <= 255 && subject.is_ascii(),
            "{subject}"
        );
        assert_ne!(claims["acr"], "");
        for name in claims.as_object().unwrap().keys() {
            assert!(
                PROTOCOL_CLAIMS.contains(&name.as_str()),
                "{name} was not asked for"
            );
        }
        claims
    }

    /// Calls the userinfo endpoint, and looks at the answer (OpenID Connect Core §5.3.2, §5.1).
    pub(super) async fn userinfo(&self, tokens: &Tokens) -> Value {
        let reply = self
            .site
            .send(self.bearer(Request::get(self.userinfo_endpoint()), tokens))
            .await;
        check_userinfo(&reply, tokens)
    }

    pub(super) fn userinfo_endpoint(&self) -> String {
        self.endpoint("userinfo_endpoint")
    }

    /// A request with an access token in its header.
    pub(super) fn bearer(&self, request: axum::http::request::Builder, tokens: &Tokens) -> Request<Body> {
        let mut request = request;
        let mut scheme = "Bearer";
        if let Some(holder) = &tokens.holder {
            let method = request.method_ref().unwrap().as_str();
            let proof = self.proof(holder, method, request.uri_ref().unwrap().path());
            let proof = proof.of_token(&tokens.access_token).sign();
            (scheme, request) = (DPOP, request.header(DPOP, proof));
        }
        let value = format!("{scheme} {}", tokens.access_token);
        request
            .header(header::AUTHORIZATION, value)
            .body(Body::empty())
            .unwrap()
    }

    /// The whole flow: from the request to userinfo.
    pub(super) async fn flow(&mut self, client: &Client, asked: &Asked) -> Tokens {
        let code = self.code(client, asked).await;
        let tokens = self.redeem(client, asked, &code).await;
        self.userinfo(&tokens).await;
        tokens
    }
}

async fn get(site: &Site, path: &str) -> Value {
    let reply = site.send(Request::get(path).body(Body::empty()).unwrap()).await;
    assert_eq!(reply.status, StatusCode::OK, "{path}");
    reply.json()
}
