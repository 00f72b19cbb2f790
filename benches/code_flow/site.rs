//! A house with four relying parties, and what a user does in it.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, Result, ensure};
use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use data_encoding::{BASE64, BASE64URL_NOPAD};
use marelle::base::secret::sha256;
use marelle::base::url::query;
use marelle::domain::relying_party::{ClientMetadata, GrantType, RelyingParty, SigningAlgorithm};

use super::house::{self, Browser, House, parameter};
use super::raw::Raw;

const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";

/// Codes that a user has before the watch starts: more than are exchanged in a second, and had in fewer than the sixty that
/// they live.
const CODES: usize = 800;

/// What is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Work {
    /// One row inserted and committed.
    Commit,
    /// A route of the site that asks nobody.
    Health,
    /// Authorization, token; ID Token by ES256.
    WarmEs256,
    /// The same; ID Token by RS256.
    WarmRs256,
    /// Userinfo, plain.
    Userinfo,
    /// The same, signed by ES256.
    UserinfoEs256,
    /// The same, signed by RS256.
    UserinfoRs256,
    /// A service asks about a token of its own.
    Introspection,
    /// A code exchanged, the code had before; ID Token by ES256.
    ExchangeEs256,
    /// The same; ID Token by RS256.
    ExchangeRs256,
    /// A refresh token exchanged for the next tokens; ID Token by ES256.
    RefreshEs256,
    /// The same; ID Token by RS256.
    RefreshRs256,
    /// A fresh browser: authorization, password, authorization resumed, token; ES256.
    Password,
}

impl Work {
    /// Everything but the bare commit.
    pub(super) const ALL: [Self; 12] = [
        Self::Health,
        Self::Introspection,
        Self::Userinfo,
        Self::UserinfoEs256,
        Self::UserinfoRs256,
        Self::RefreshEs256,
        Self::RefreshRs256,
        Self::ExchangeEs256,
        Self::ExchangeRs256,
        Self::WarmEs256,
        Self::WarmRs256,
        Self::Password,
    ];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Commit => "bare commit",
            Self::Health => "`GET /health/live`",
            Self::WarmEs256 => "code flow, warm session, ES256",
            Self::WarmRs256 => "code flow, warm session, RS256",
            Self::Userinfo => "userinfo",
            Self::UserinfoEs256 => "userinfo, ES256",
            Self::UserinfoRs256 => "userinfo, RS256",
            Self::Introspection => "introspection",
            Self::ExchangeEs256 => "code exchange, ES256",
            Self::ExchangeRs256 => "code exchange, RS256",
            Self::RefreshEs256 => "refresh, ES256",
            Self::RefreshRs256 => "refresh, RS256",
            Self::Password => "code flow with password login, ES256",
        }
    }

    /// How many durable commits it makes.
    pub(super) fn commits(self) -> u32 {
        match self {
            Self::Health
            | Self::Introspection
            | Self::Userinfo
            | Self::UserinfoEs256
            | Self::UserinfoRs256 => 0,
            Self::Commit
            | Self::RefreshEs256
            | Self::RefreshRs256
            | Self::ExchangeEs256
            | Self::ExchangeRs256 => 1,
            Self::WarmEs256 | Self::WarmRs256 => 2,
            Self::Password => 3,
        }
    }

    /// The raw rate that it can never exceed, with its name; one thread's for one user, of both cores for more.
    pub(super) fn bound(self, raw: &Raw, users: usize) -> Option<(&'static str, f64)> {
        match self {
            Self::Commit | Self::Introspection | Self::Userinfo => None,
            Self::Health if users > 1 => Some(("2 × bare route", 2.0 * raw.route)),
            Self::Health => Some(("bare route", raw.route)),
            Self::WarmEs256 | Self::RefreshEs256 | Self::UserinfoEs256 | Self::ExchangeEs256 if users > 1 => {
                Some(("2 × P-256", 2.0 * raw.p256))
            }
            Self::WarmEs256 | Self::RefreshEs256 | Self::UserinfoEs256 | Self::ExchangeEs256 => {
                Some(("P-256", raw.p256))
            }
            Self::WarmRs256 | Self::RefreshRs256 | Self::UserinfoRs256 | Self::ExchangeRs256 if users > 1 => {
                Some(("2 × RSA-2048", 2.0 * raw.rsa))
            }
            Self::WarmRs256 | Self::RefreshRs256 | Self::UserinfoRs256 | Self::ExchangeRs256 => {
                Some(("RSA-2048", raw.rsa))
            }
            Self::Password if users > 1 => Some(("Argon2id, 2 threads", raw.argon2_two)),
            Self::Password => Some(("Argon2id, 1 thread", raw.argon2)),
        }
    }
}

/// The site.
pub(super) struct Site(House);

impl Site {
    pub(super) async fn new(folder: &Path, url: Option<&str>) -> Result<Arc<Self>> {
        let (es256, rs256) = (SigningAlgorithm::Es256, SigningAlgorithm::Rs256);
        let parties: Result<Vec<_>> = [
            party("es256", es256, None),
            party("rs256", rs256, None),
            party("userinfo-es256", es256, Some(es256)),
            party("userinfo-rs256", es256, Some(rs256)),
        ]
        .into_iter()
        .collect();
        Ok(Arc::new(Self(House::new(folder, url, &parties?).await?)))
    }

    /// What the engine promises of a commit.
    pub(super) async fn durability(&self) -> Result<String> {
        self.0.durability().await
    }

    pub(super) async fn close(&self) {
        self.0.close().await;
    }

    /// A user who is where the work begins.
    pub(super) async fn user(&self, number: usize, work: Work) -> Result<User> {
        let mut user = User {
            username: self.0.username(number)?.to_owned(),
            browser: Browser::default(),
            tokens: Tokens::default(),
            codes: None,
        };
        if !matches!(work, Work::Commit | Work::Health | Work::Password) {
            user.browser.sign_in(&self.0, &user.username, &[]).await?;
            let client = match work {
                Work::WarmRs256 | Work::RefreshRs256 | Work::ExchangeRs256 => "rs256",
                Work::UserinfoEs256 => "userinfo-es256",
                Work::UserinfoRs256 => "userinfo-rs256",
                _ => "es256",
            };
            user.tokens = user.flow(self, client).await?;
            if matches!(work, Work::ExchangeEs256 | Work::ExchangeRs256) {
                let mut codes = Vec::new();
                for _ in 0..CODES {
                    codes.push(user.code(self, client).await?);
                }
                user.codes = Some(codes);
            }
        }
        Ok(user)
    }
}

/// Somebody with a browser, and the service they go to.
pub(super) struct User {
    username: String,
    browser: Browser,
    tokens: Tokens,
    /// Codes that wait to be exchanged, where that is the work.
    codes: Option<Vec<String>>,
}

/// What the service holds of them.
#[derive(Default)]
struct Tokens {
    access: String,
    refresh: String,
}

impl User {
    /// Whether there is anything left to do the work with.
    pub(super) fn has_more(&self) -> bool {
        self.codes.as_ref().is_none_or(|codes| !codes.is_empty())
    }

    /// Does the work once.
    pub(super) async fn once(&mut self, site: &Site, work: Work) -> Result<()> {
        match work {
            Work::Commit => site.0.commit(&self.username).await,
            Work::Health => site.0.health().await,
            Work::WarmEs256 => self.flow(site, "es256").await.map(drop),
            Work::WarmRs256 => self.flow(site, "rs256").await.map(drop),
            Work::Userinfo | Work::UserinfoEs256 | Work::UserinfoRs256 => {
                let request = Request::get("/oauth/userinfo")
                    .header(header::AUTHORIZATION, format!("Bearer {}", self.tokens.access));
                site.0
                    .send(request.body(Body::empty())?, StatusCode::OK)
                    .await
                    .map(drop)
            }
            Work::Introspection => {
                let form = query([("token", &*self.tokens.access)]);
                let body = asked(site, "es256", "/oauth/introspect", form).await?;
                ensure!(body.get("active") == Some(&true.into()), "not active");
                Ok(())
            }
            Work::ExchangeEs256 => self.exchange(site, "es256").await,
            Work::ExchangeRs256 => self.exchange(site, "rs256").await,
            Work::RefreshEs256 => self.refresh(site, "es256").await,
            Work::RefreshRs256 => self.refresh(site, "rs256").await,
            Work::Password => {
                self.browser = Browser::default();
                let to_login = self.browser.get(&site.0, &authorize_address("es256")).await?;
                let waiting = [("continue", &*parameter(&to_login, "continue")?)];
                let next = self.browser.sign_in(&site.0, &self.username, &waiting).await?;
                let answer = self.browser.get(&site.0, &next).await?;
                redeem(site, "es256", &parameter(&answer, "code")?)
                    .await
                    .map(drop)
            }
        }
    }

    /// The service exchanges its refresh token.
    async fn refresh(&mut self, site: &Site, client: &str) -> Result<()> {
        let form = query([
            ("grant_type", "refresh_token"),
            ("refresh_token", &*self.tokens.refresh),
        ]);
        self.tokens = tokens(site, client, form).await?;
        Ok(())
    }

    /// A code flow of a warm session; answers the tokens.
    async fn flow(&self, site: &Site, client: &str) -> Result<Tokens> {
        redeem(site, client, &self.code(site, client).await?).await
    }

    async fn code(&self, site: &Site, client: &str) -> Result<String> {
        let answer = self.browser.get(&site.0, &authorize_address(client)).await?;
        parameter(&answer, "code")
    }

    /// The service exchanges a code that it has.
    async fn exchange(&mut self, site: &Site, client: &str) -> Result<()> {
        let code = self
            .codes
            .as_mut()
            .and_then(Vec::pop)
            .context("no code is left")?;
        redeem(site, client, &code).await.map(drop)
    }
}

/// The service redeems a code; answers the tokens.
async fn redeem(site: &Site, client: &str, code: &str) -> Result<Tokens> {
    let form = query([
        ("grant_type", "authorization_code"),
        ("code", code),
        ("redirect_uri", &*redirect_uri(client)),
        ("code_verifier", VERIFIER),
    ]);
    tokens(site, client, form).await
}

/// What a service is answered that posts a form and proves who it is.
async fn asked(site: &Site, client: &str, path: &str, form: String) -> Result<serde_json::Value> {
    let credentials = BASE64.encode(format!("{client}:secret+of+{client}").as_bytes());
    let request = Request::post(path)
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .header(header::AUTHORIZATION, format!("Basic {credentials}"))
        .body(Body::from(form))?;
    let (_, body) = site.0.send(request, StatusCode::OK).await?;
    Ok(serde_json::from_slice(&body)?)
}

async fn tokens(site: &Site, client: &str, form: String) -> Result<Tokens> {
    let tokens = asked(site, client, "/oauth/token", form).await?;
    ensure!(tokens.get("id_token").is_some(), "no ID Token");
    let token = |name: &str| {
        let token = tokens.get(name).and_then(serde_json::Value::as_str);
        Ok::<_, anyhow::Error>(token.with_context(|| format!("no {name}"))?.to_owned())
    };
    Ok(Tokens {
        access: token("access_token")?,
        refresh: token("refresh_token")?,
    })
}

fn redirect_uri(client: &str) -> String {
    format!("https://{client}.example/cb")
}

fn authorize_address(client: &str) -> String {
    let query = query([
        ("client_id", client),
        ("redirect_uri", &*redirect_uri(client)),
        ("response_type", "code"),
        ("scope", "openid profile education"),
        ("state", "the state"),
        ("nonce", "the nonce"),
        (
            "code_challenge",
            &*BASE64URL_NOPAD.encode(&sha256(VERIFIER.as_bytes())),
        ),
        ("code_challenge_method", "S256"),
    ]);
    format!("/oauth/authorize?{query}")
}

fn party(
    id: &str,
    id_token_alg: SigningAlgorithm,
    userinfo_alg: Option<SigningAlgorithm>,
) -> Result<RelyingParty> {
    Ok(RelyingParty {
        redirect_uris: vec![redirect_uri(id)],
        id_token_alg,
        metadata: ClientMetadata {
            grant_types: vec![GrantType::AuthorizationCode, GrantType::RefreshToken],
            userinfo_alg,
            ..ClientMetadata::default()
        },
        ..house::party(id)?
    })
}
