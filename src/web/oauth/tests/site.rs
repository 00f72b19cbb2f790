//! A whole site in this process, a browser, and relying parties that know what to ask.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Request, StatusCode, header};
use data_encoding::{BASE64, BASE64URL_NOPAD};
use serde_json::Value;
use tower::ServiceExt;

use crate::base::secret::{Secret, sha256};
use crate::base::time::ManualClock;
use crate::base::url;
use crate::domain::identity::Identity;
use crate::domain::relying_party::{ClientAuthMethod, RelyingParty};
use crate::domain::testing::party;
use crate::flows::Context;
use crate::flows::keys::{self, Keyring};
use crate::flows::testing::scene;
use crate::web::{WebState, router};

pub(in crate::web) const ISSUER: &str = "https://id.example.fr";
pub(in crate::web) const ECOLE: &str = "9990001X";
pub(in crate::web) const COLLEGE: &str = "9990101F";
pub(in crate::web) const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";

/// What a test of the flows stands on.
pub(in crate::web) type Scene = (Context, Arc<ManualClock>);

/// What came back.
#[derive(Debug)]
pub(in crate::web) struct Reply {
    pub(in crate::web) status: StatusCode,
    pub(in crate::web) headers: HeaderMap,
    pub(in crate::web) body: String,
}

impl Reply {
    pub(in crate::web) fn header(&self, name: header::HeaderName) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    /// Where the browser is sent; the answer must be 303.
    pub(in crate::web) fn location(&self) -> &str {
        assert_eq!(self.status, StatusCode::SEE_OTHER, "{self:?}");
        self.header(header::LOCATION).unwrap()
    }

    /// A parameter of the address the browser is sent to.
    pub(in crate::web) fn sent(&self, name: &str) -> Option<String> {
        let query = self
            .location()
            .split_once('?')
            .map(|(_, query)| query)
            .unwrap_or_default();
        let parameters = url::parameters(query);
        parameters
            .into_iter()
            .find(|(other, _)| other == name)
            .map(|(_, value)| value)
    }

    pub(in crate::web) fn json(&self) -> Value {
        assert_eq!(
            self.header(header::CONTENT_TYPE),
            Some("application/json"),
            "{self:?}"
        );
        serde_json::from_str(&self.body).unwrap()
    }

    /// The error of a token answer.
    pub(in crate::web) fn error(&self) -> String {
        self.json()["error"].as_str().unwrap().to_owned()
    }
}

/// The site and what is behind it.
pub(in crate::web) struct Site {
    pub(in crate::web) context: Context,
    pub(in crate::web) clock: Arc<ManualClock>,
    router: Router,
}

impl Site {
    /// A site with the parties `ent`, `cantine` and the public `tablette`.
    pub(in crate::web) async fn new((context, clock): Scene) -> Self {
        keys::testing::premade(&context).await;
        let keyring = Keyring::open(&context).await.unwrap();
        let state = WebState {
            context: context.clone(),
            keyring,
            brand: Arc::default(),
        };
        let site = Self {
            context,
            clock,
            router: router(state),
        };
        let mut tablette = party("tablette");
        tablette.auth_method = ClientAuthMethod::None;
        tablette.secrets.clear();
        for party in [party("ent"), party("cantine"), tablette] {
            site.declare(&party).await;
        }
        site
    }

    /// The same site as another node runs it: nothing is shared but the database.
    pub(in crate::web) async fn another_node(&self) -> Self {
        let context = scene::another_node(&self.context).await;
        let keyring = Keyring::open(&context).await.unwrap();
        let state = WebState {
            context: context.clone(),
            keyring,
            brand: Arc::default(),
        };
        Self {
            context,
            clock: Arc::clone(&self.clock),
            router: router(state),
        }
    }

    pub(in crate::web) async fn declare(&self, party: &RelyingParty) {
        scene::declare(&self.context, party).await;
    }

    /// An invented pupil of a school.
    pub(in crate::web) async fn pupil(&self, name: &str, number: i64, uai: &str) -> Identity {
        scene::pupil(&self.context, name, number, uai).await
    }

    /// Signs a pupil in, in a browser.
    pub(in crate::web) async fn sign_in(&self, browser: &mut Browser, who: &Identity) {
        browser.cookie = Some(scene::sign_in(&self.context, who, browser.cookie.as_ref()).await);
    }

    pub(in crate::web) fn advance(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }

    pub(in crate::web) async fn send(&self, request: Request<Body>) -> Reply {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = axum::body::to_bytes(body, 1 << 20).await.unwrap();
        Reply {
            status: parts.status,
            headers: parts.headers,
            body: String::from_utf8(bytes.to_vec()).unwrap(),
        }
    }

    /// How many journal entries are of a kind.
    pub(in crate::web) async fn journalled(&self, kind: &str) -> usize {
        scene::journalled(&self.context, kind).await
    }

    /// A token request of a client; `change` replaces, adds, or (empty) leaves out a parameter.
    pub(in crate::web) async fn token(&self, client: &str, code: &str, change: &[(&str, &str)]) -> Reply {
        let redirect_uri = format!("https://{client}.example/cb");
        let mut form = vec![
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", &*redirect_uri),
            ("code_verifier", VERIFIER),
        ];
        form = changed(form, change);
        self.send(asking(client, "/oauth/token", &form)).await
    }

    /// A form that a client posts.
    pub(in crate::web) async fn post(&self, client: &str, path: &str, form: &[(&str, &str)]) -> Reply {
        self.send(asking(client, path, form)).await
    }

    pub(in crate::web) async fn userinfo(&self, token: &str) -> Reply {
        let request =
            Request::get("/oauth/userinfo").header(header::AUTHORIZATION, format!("Bearer {token}"));
        self.send(request.body(Body::empty()).unwrap()).await
    }
}

/// A form of a client on its way; the public one says who it is, the others prove it.
pub(in crate::web) fn asking(client: &str, path: &str, form: &[(&str, &str)]) -> Request<Body> {
    let mut form = form.to_vec();
    if client == "tablette" && !form.iter().any(|(name, _)| *name == "client_id") {
        form.push(("client_id", client));
    }
    let mut request = Request::post(path).header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
    if client != "tablette" {
        let credentials = format!("{client}:secret+of+{client}");
        request = request.header(
            header::AUTHORIZATION,
            format!("Basic {}", BASE64.encode(credentials.as_bytes())),
        );
    }
    request.body(Body::from(url::query(form))).unwrap()
}

fn changed<'a>(mut all: Vec<(&'a str, &'a str)>, changes: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    for change in changes {
        all.retain(|(name, _)| *name != change.0);
        all.push(*change);
    }
    all.retain(|(_, value)| !value.is_empty());
    all
}

/// The address of a right authorization request of a client, changed.
pub(in crate::web) fn authorize_url(client: &str, change: &[(&str, &str)]) -> String {
    let challenge = BASE64URL_NOPAD.encode(&sha256(VERIFIER.as_bytes()));
    let redirect_uri = format!("https://{client}.example/cb");
    let all = vec![
        ("client_id", client),
        ("redirect_uri", &*redirect_uri),
        ("response_type", "code"),
        ("scope", "openid profile education"),
        ("state", "the state"),
        ("nonce", "the nonce"),
        ("code_challenge", &*challenge),
        ("code_challenge_method", "S256"),
    ];
    format!("/oauth/authorize?{}", url::query(changed(all, change)))
}

/// A browser: it keeps the session cookie.
#[derive(Debug, Clone, Default)]
pub(in crate::web) struct Browser {
    pub(in crate::web) cookie: Option<Secret>,
}

impl Browser {
    fn dressed(&self, request: axum::http::request::Builder) -> axum::http::request::Builder {
        match &self.cookie {
            Some(cookie) => request.header(header::COOKIE, format!("__Host-marelle={}", cookie.expose())),
            None => request,
        }
    }

    pub(in crate::web) async fn get(&self, site: &Site, address: &str) -> Reply {
        let request = self.dressed(Request::get(address));
        site.send(request.body(Body::empty()).unwrap()).await
    }

    pub(in crate::web) async fn post(&self, site: &Site, address: &str, form: String) -> Reply {
        let request = self.dressed(Request::post(address));
        let request = request.header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        site.send(request.body(Body::from(form)).unwrap()).await
    }

    /// Presses a button of the page that tells or asks what a service will know, where the answer leads to that page.
    pub(in crate::web) async fn press(&self, site: &Site, choice: &str, page: &Reply) -> Reply {
        let hidden = |name: &str| {
            let (_, field) = page
                .body
                .split_once(&format!("name=\"{name}\" value=\""))
                .unwrap();
            field.split('"').next().unwrap().to_owned()
        };
        let (sealed, shown) = (hidden("continue"), hidden("shown"));
        let form = [
            ("continue", sealed.as_str()),
            ("shown", &shown),
            ("choice", choice),
        ];
        self.post(site, "/notice", url::query(form)).await
    }

    /// The code a client gets for whoever is signed in here, who goes on where they are told what it will know.
    pub(in crate::web) async fn code(&self, site: &Site, client: &str, change: &[(&str, &str)]) -> String {
        let mut reply = self.get(site, &authorize_url(client, change)).await;
        if reply.location().starts_with("/notice") {
            let page = self.get(site, reply.location()).await;
            reply = self.press(site, "go-on", &page).await;
        }
        reply
            .sent("code")
            .unwrap_or_else(|| panic!("no code: {}", reply.location()))
    }

    /// The tokens a client gets for whoever is signed in here.
    pub(in crate::web) async fn tokens(&self, site: &Site, client: &str) -> Value {
        let code = self.code(site, client, &[]).await;
        site.token(client, &code, &[]).await.json()
    }
}

/// The claims of a token, its signature not looked at.
pub(in crate::web) fn claims(token: &Value) -> Value {
    let payload = token.as_str().unwrap().split('.').nth(1).unwrap();
    serde_json::from_slice(&BASE64URL_NOPAD.decode(payload.as_bytes()).unwrap()).unwrap()
}

/// A site with Lina of the école signed in.
pub(in crate::web) async fn with_lina(scene: Scene) -> (Site, Browser, Identity) {
    let site = Site::new(scene).await;
    let lina = site.pupil("Lina", 1, ECOLE).await;
    let mut browser = Browser::default();
    site.sign_in(&mut browser, &lina).await;
    site.advance(1);
    (site, browser, lina)
}
