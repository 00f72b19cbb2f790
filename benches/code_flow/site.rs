//! A whole site in this process with eight teachers and four relying parties, and what a user does on it.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, Result, bail, ensure};
use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Request, StatusCode, header};
use data_encoding::{BASE64, BASE64URL_NOPAD};
use marelle::app;
use marelle::base::random::{self, SystemRandom};
use marelle::base::secret::{Secret, sha256};
use marelle::base::url::{parameters, query};
use marelle::config::Config;
use marelle::domain::audit::Actor;
use marelle::domain::education::{Academy, Degree, Profile, School};
use marelle::domain::relying_party::{
    Attribute, Basis, ClientAuthMethod, ClientMetadata, GrantType, Release, ReleasePolicy, RelyingParty,
    SigningAlgorithm, SubjectStrategy,
};
use marelle::flows::{Context, person};
use marelle::store;
use marelle::store::db::{Db, Statement};
use tower::ServiceExt as _;

use super::postgres::{execute, fresh_schema};
use super::raw::Raw;

const ORIGIN: &str = "https://id.example.fr";
const PASSWORD: &str = "le chat dort à midi";
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";

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
    /// A refresh token exchanged for the next tokens; ID Token by ES256.
    RefreshEs256,
    /// The same; ID Token by RS256.
    RefreshRs256,
    /// A fresh browser: authorization, password, authorization resumed, token; ES256.
    Password,
}

impl Work {
    /// Everything but the bare commit.
    pub(super) const ALL: [Self; 10] = [
        Self::Health,
        Self::Introspection,
        Self::Userinfo,
        Self::UserinfoEs256,
        Self::UserinfoRs256,
        Self::RefreshEs256,
        Self::RefreshRs256,
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
            Self::Commit | Self::RefreshEs256 | Self::RefreshRs256 => 1,
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
            Self::WarmEs256 | Self::RefreshEs256 | Self::UserinfoEs256 if users > 1 => {
                Some(("2 × P-256", 2.0 * raw.p256))
            }
            Self::WarmEs256 | Self::RefreshEs256 | Self::UserinfoEs256 => Some(("P-256", raw.p256)),
            Self::WarmRs256 | Self::RefreshRs256 | Self::UserinfoRs256 if users > 1 => {
                Some(("2 × RSA-2048", 2.0 * raw.rsa))
            }
            Self::WarmRs256 | Self::RefreshRs256 | Self::UserinfoRs256 => Some(("RSA-2048", raw.rsa)),
            Self::Password if users > 1 => Some(("Argon2id, 2 threads", raw.argon2_two)),
            Self::Password => Some(("Argon2id, 1 thread", raw.argon2)),
        }
    }
}

/// The site.
pub(super) struct Site {
    router: Router,
    context: Context,
    usernames: Vec<String>,
}

impl Site {
    pub(super) async fn new(folder: &Path, url: Option<&str>) -> Result<Arc<Self>> {
        let mut config = Config::default();
        config.http.public_url = ORIGIN.into();
        config.database.file = folder.join("marelle.db");
        if let Some(url) = url {
            config.database.url = Some(fresh_schema(url).await?);
            config.keys.master_key_file = Some(folder.join("other.key"));
        }
        let context = app::open(&config).await?;
        let usernames = populate(&context).await?;
        let router = app::router(context.clone()).await?;
        Ok(Arc::new(Self {
            router,
            context,
            usernames,
        }))
    }

    /// What the engine promises of a commit.
    pub(super) async fn durability(&self) -> Result<String> {
        match &self.context.db {
            Db::Sqlite { .. } => Ok("WAL, synchronous FULL".to_owned()),
            Db::Postgres(_) => {
                let sql =
                    "SELECT current_setting('fsync') AS fsync, current_setting('synchronous_commit') AS sync";
                let mut conn = self.context.db.reader().await?;
                let shown = conn
                    .optional(
                        Statement {
                            name: "durability",
                            sql,
                        },
                        [],
                    )
                    .await?;
                let shown = shown.context("no settings")?;
                let (fsync, sync): (String, String) = (shown.get("fsync")?, shown.get("sync")?);
                Ok(format!("fsync {fsync}, synchronous_commit {sync}"))
            }
        }
    }

    pub(super) async fn close(&self) {
        self.context.db.close().await;
    }

    /// A user who is where the work begins.
    pub(super) async fn user(&self, number: usize, work: Work) -> Result<User> {
        let username = self.usernames.get(number).context("too many users")?;
        let mut user = User {
            username: username.clone(),
            cookie: None,
            tokens: Tokens::default(),
        };
        if !matches!(work, Work::Commit | Work::Health | Work::Password) {
            user.sign_in(self, "/login", &[]).await?;
            let client = match work {
                Work::WarmRs256 | Work::RefreshRs256 => "rs256",
                Work::UserinfoEs256 => "userinfo-es256",
                Work::UserinfoRs256 => "userinfo-rs256",
                _ => "es256",
            };
            user.tokens = user.flow(self, client).await?;
        }
        Ok(user)
    }

    async fn send(&self, request: Request<Body>, expected: StatusCode) -> Result<(HeaderMap, Vec<u8>)> {
        let path = request.uri().path().to_owned();
        let answer = self.router.clone().oneshot(request).await?;
        let (parts, body) = answer.into_parts();
        let body = axum::body::to_bytes(body, 1 << 20).await?;
        ensure!(parts.status == expected, "{path}: {}", parts.status);
        Ok((parts.headers, body.into()))
    }
}

/// Somebody with a browser, and the service they go to.
pub(super) struct User {
    username: String,
    cookie: Option<String>,
    tokens: Tokens,
}

/// What the service holds of them.
#[derive(Default)]
struct Tokens {
    access: String,
    refresh: String,
}

impl User {
    /// Does the work once.
    pub(super) async fn once(&mut self, site: &Site, work: Work) -> Result<()> {
        match work {
            Work::Commit => commit(site, &self.username).await,
            Work::Health => {
                let request = Request::get("/health/live").body(Body::empty())?;
                site.send(request, StatusCode::OK).await.map(drop)
            }
            Work::WarmEs256 => self.flow(site, "es256").await.map(drop),
            Work::WarmRs256 => self.flow(site, "rs256").await.map(drop),
            Work::Userinfo | Work::UserinfoEs256 | Work::UserinfoRs256 => {
                let request = Request::get("/oauth/userinfo")
                    .header(header::AUTHORIZATION, format!("Bearer {}", self.tokens.access));
                site.send(request.body(Body::empty())?, StatusCode::OK)
                    .await
                    .map(drop)
            }
            Work::Introspection => {
                let form = query([("token", &*self.tokens.access)]);
                let body = asked(site, "es256", "/oauth/introspect", form).await?;
                ensure!(body.get("active") == Some(&true.into()), "not active");
                Ok(())
            }
            Work::RefreshEs256 => self.refresh(site, "es256").await,
            Work::RefreshRs256 => self.refresh(site, "rs256").await,
            Work::Password => {
                self.cookie = None;
                let to_login = self.get(site, &authorize_address("es256")).await?;
                let waiting = parameter(&to_login, "continue")?;
                let next = self.sign_in(site, "/login", &[("continue", &waiting)]).await?;
                let answer = self.get(site, &next).await?;
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
        let answer = self.get(site, &authorize_address(client)).await?;
        redeem(site, client, &parameter(&answer, "code")?).await
    }

    /// Gets an address; answers where it leads.
    async fn get(&self, site: &Site, address: &str) -> Result<String> {
        let mut request = Request::get(address);
        if let Some(cookie) = &self.cookie {
            request = request.header(header::COOKIE, cookie);
        }
        let (headers, _) = site
            .send(request.body(Body::empty())?, StatusCode::SEE_OTHER)
            .await?;
        location(&headers)
    }

    /// Signs in by password; answers where that leads.
    async fn sign_in(&mut self, site: &Site, address: &str, more: &[(&str, &str)]) -> Result<String> {
        let mut fields = vec![("username", &*self.username), ("password", PASSWORD)];
        fields.extend(more);
        let request = Request::post(address)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(header::ORIGIN, ORIGIN)
            .body(Body::from(query(fields)))?;
        let (headers, _) = site.send(request, StatusCode::SEE_OTHER).await?;
        let cookie = headers.get(header::SET_COOKIE).context("no cookie")?.to_str()?;
        self.cookie = cookie.split(';').next().map(str::to_owned);
        location(&headers)
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
    let (_, body) = site.send(request, StatusCode::OK).await?;
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

async fn commit(site: &Site, text: &str) -> Result<()> {
    let sql = "INSERT INTO bench_commit (number, text) VALUES ($1, $2)";
    let number = i64::from_le_bytes(random::bytes(&SystemRandom));
    let mut tx = site.context.db.begin().await?;
    let values = [number.into(), store::value::text(text)];
    tx.execute(Statement { name: "bench", sql }, values).await?;
    Ok(tx.commit().await?)
}

fn location(headers: &HeaderMap) -> Result<String> {
    let location = headers.get(header::LOCATION).context("leads nowhere")?;
    Ok(location.to_str()?.to_owned())
}

fn parameter(address: &str, name: &str) -> Result<String> {
    let (_, query) = address.split_once('?').context("no query")?;
    match parameters(query).into_iter().find(|(other, _)| other == name) {
        Some((_, value)) => Ok(value),
        None => bail!("no {name} in the answer"),
    }
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

/// A school, four parties, eight teachers; answers their login names.
async fn populate(context: &Context) -> Result<Vec<String>> {
    execute(
        &context.db,
        "CREATE TABLE bench_commit (number BIGINT, text TEXT)",
    )
    .await?;
    let academy = Academy {
        code: "99".parse()?,
        name: "Académie fictive".into(),
    };
    let school = School {
        uai: "9990001X".parse()?,
        name: "École des Marronniers".into(),
        degree: Degree::First,
        commune: None,
        academy: academy.code.clone(),
    };
    let mut tx = context.db.begin().await?;
    store::school::save_academy(&mut tx, &academy).await?;
    store::school::save(&mut tx, &school, None).await?;
    for (id, algorithm, userinfo) in [
        ("es256", SigningAlgorithm::Es256, None),
        ("rs256", SigningAlgorithm::Rs256, None),
        (
            "userinfo-es256",
            SigningAlgorithm::Es256,
            Some(SigningAlgorithm::Es256),
        ),
        (
            "userinfo-rs256",
            SigningAlgorithm::Es256,
            Some(SigningAlgorithm::Rs256),
        ),
    ] {
        let mut party = party(id, algorithm)?;
        party.metadata.userinfo_alg = userinfo;
        store::relying_party::save(&mut tx, &party).await?;
    }
    tx.commit().await?;
    let mut usernames = Vec::new();
    for given_name in ["Maddi", "Anne", "Yann", "Lucie", "Paul", "Ines", "Marc", "Zoé"] {
        let teacher = person::NewPerson {
            given_name: given_name.into(),
            family_name: "Etxeberria".into(),
            profile: Profile::Teacher,
            school: school.uai.clone(),
            username: None,
            password: Secret::new(PASSWORD),
            is_another: false,
        };
        match person::create(context, &teacher, &Actor::Operator).await? {
            person::Creation::Created(made) => usernames.extend(made.username),
            other => bail!("{given_name}: {other:?}"),
        }
    }
    Ok(usernames)
}

fn party(id: &str, id_token_alg: SigningAlgorithm) -> Result<RelyingParty> {
    let release = |attribute: &Attribute| Release {
        attribute: *attribute,
        purpose: "mesurer".into(),
        convention: "2026-17".into(),
    };
    Ok(RelyingParty {
        id: id.parse()?,
        name: format!("Service {id}"),
        home: None,
        redirect_uris: vec![redirect_uri(id)],
        post_logout_redirect_uris: Vec::new(),
        sector: id.into(),
        subject_strategy: SubjectStrategy::Pairwise,
        auth_method: ClientAuthMethod::SecretBasic,
        secrets: vec![Secret::new(format!("secret of {id}")).digest()],
        pkce_required: true,
        id_token_alg,
        release: ReleasePolicy(Attribute::ALL.iter().map(release).collect()),
        schools: Vec::new(),
        basis: Basis::Convention,
        metadata: ClientMetadata {
            grant_types: vec![GrantType::AuthorizationCode, GrantType::RefreshToken],
            ..ClientMetadata::default()
        },
        saml: None,
        cas: None,
        registration: None,
        enabled: true,
    })
}
