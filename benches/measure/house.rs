//! A whole installation in this process with an école and its eight teachers, and a browser that one of them sits at.

use std::path::Path;

use anyhow::{Context as _, Result, bail, ensure};
use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Request, StatusCode, header};
use marelle::app;
use marelle::base::random::{self, SystemRandom};
use marelle::base::secret::Secret;
use marelle::base::url::{parameters, query};
use marelle::config::Config;
use marelle::domain::audit::Actor;
use marelle::domain::education::{Academy, Degree, Profile, School};
use marelle::domain::relying_party::{
    Attribute, Basis, ClientAuthMethod, ClientMetadata, Release, ReleasePolicy, RelyingParty,
    SigningAlgorithm, SubjectStrategy,
};
use marelle::flows::{Context, person};
use marelle::store;
use marelle::store::db::{Db, Statement};
use tower::ServiceExt as _;

use super::postgres::{execute, fresh_schema};

const ORIGIN: &str = "https://id.example.fr";
const PASSWORD: &str = "le chat dort à midi";

/// The installation.
pub(crate) struct House {
    router: Router,
    context: Context,
    usernames: Vec<String>,
}

impl House {
    /// One with these parties, in SQLite or in a schema of its own on a PostgreSQL server.
    pub(crate) async fn new(folder: &Path, url: Option<&str>, parties: &[RelyingParty]) -> Result<Self> {
        let mut config = Config::default();
        config.http.public_url = ORIGIN.into();
        config.database.file = folder.join("marelle.db");
        // The longest that an operator may set: a bench has a stock of tickets.
        config.cas.ticket_seconds = 300;
        if let Some(url) = url {
            config.database.url = Some(fresh_schema(url).await?);
            config.keys.master_key_file = Some(folder.join("other.key"));
        }
        let context = app::open(&config).await?;
        execute(
            &context.db,
            "CREATE TABLE bench_commit (number BIGINT, text TEXT)",
        )
        .await?;
        let usernames = populate(&context, parties).await?;
        let router = app::router(context.clone()).await?;
        Ok(Self {
            router,
            context,
            usernames,
        })
    }

    /// What the engine promises of a commit.
    pub(crate) async fn durability(&self) -> Result<String> {
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

    pub(crate) async fn close(&self) {
        self.context.db.close().await;
    }

    /// The login name of a teacher.
    pub(crate) fn username(&self, number: usize) -> Result<&str> {
        let username = self.usernames.get(number).context("too many users")?;
        Ok(username)
    }

    /// Answers a request, which must have that status.
    pub(crate) async fn send(
        &self,
        request: Request<Body>,
        expected: StatusCode,
    ) -> Result<(HeaderMap, Vec<u8>)> {
        let path = request.uri().path().to_owned();
        let answer = self.router.clone().oneshot(request).await?;
        let (parts, body) = answer.into_parts();
        let body = axum::body::to_bytes(body, 1 << 20).await?;
        ensure!(parts.status == expected, "{path}: {}", parts.status);
        Ok((parts.headers, body.into()))
    }

    /// A route that asks nobody.
    pub(crate) async fn health(&self) -> Result<()> {
        let request = Request::get("/health/live").body(Body::empty())?;
        self.send(request, StatusCode::OK).await.map(drop)
    }

    /// One row inserted and committed.
    pub(crate) async fn commit(&self, text: &str) -> Result<()> {
        let sql = "INSERT INTO bench_commit (number, text) VALUES ($1, $2)";
        let number = i64::from_le_bytes(random::bytes(&SystemRandom));
        let mut tx = self.context.db.begin().await?;
        let values = [number.into(), store::value::text(text)];
        tx.execute(Statement { name: "bench", sql }, values).await?;
        Ok(tx.commit().await?)
    }
}

/// A browser: it keeps the session cookie.
#[derive(Default)]
pub(crate) struct Browser {
    cookie: Option<String>,
}

impl Browser {
    /// Gets an address; answers where it leads.
    pub(crate) async fn get(&self, house: &House, address: &str) -> Result<String> {
        let mut request = Request::get(address);
        if let Some(cookie) = &self.cookie {
            request = request.header(header::COOKIE, cookie);
        }
        let (headers, _) = house
            .send(request.body(Body::empty())?, StatusCode::SEE_OTHER)
            .await?;
        location(&headers)
    }

    /// Signs in by password; answers where that leads.
    pub(crate) async fn sign_in(
        &mut self,
        house: &House,
        username: &str,
        more: &[(&str, &str)],
    ) -> Result<String> {
        let mut fields = vec![("username", username), ("password", PASSWORD)];
        fields.extend(more);
        let request = Request::post("/login")
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(header::ORIGIN, ORIGIN)
            .body(Body::from(query(fields)))?;
        let (headers, _) = house.send(request, StatusCode::SEE_OTHER).await?;
        let cookie = headers.get(header::SET_COOKIE).context("no cookie")?.to_str()?;
        self.cookie = cookie.split(';').next().map(str::to_owned);
        location(&headers)
    }
}

fn location(headers: &HeaderMap) -> Result<String> {
    let location = headers.get(header::LOCATION).context("leads nowhere")?;
    Ok(location.to_str()?.to_owned())
}

/// A parameter of an address that somebody is sent to.
pub(crate) fn parameter(address: &str, name: &str) -> Result<String> {
    let (_, query) = address.split_once('?').context("no query")?;
    match parameters(query).into_iter().find(|(other, _)| other == name) {
        Some((_, value)) => Ok(value),
        None => bail!("no {name} in the answer"),
    }
}

/// The school, the parties, eight teachers; answers their login names.
async fn populate(context: &Context, parties: &[RelyingParty]) -> Result<Vec<String>> {
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
    for party in parties {
        store::relying_party::save(&mut tx, party).await?;
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

/// A party that may know everything and speaks nothing yet.
pub(crate) fn party(id: &str) -> Result<RelyingParty> {
    let release = |attribute: &Attribute| Release {
        attribute: *attribute,
        purpose: "mesurer".into(),
        convention: "2026-17".into(),
    };
    Ok(RelyingParty {
        id: id.parse()?,
        name: format!("Service {id}"),
        home: None,
        redirect_uris: Vec::new(),
        post_logout_redirect_uris: Vec::new(),
        sector: id.into(),
        subject_strategy: SubjectStrategy::Pairwise,
        auth_method: ClientAuthMethod::SecretBasic,
        secrets: vec![Secret::new(format!("secret of {id}")).digest()],
        pkce_required: true,
        id_token_alg: SigningAlgorithm::Es256,
        release: ReleasePolicy(Attribute::ALL.iter().map(release).collect()),
        schools: Vec::new(),
        basis: Basis::Convention,
        metadata: ClientMetadata::default(),
        saml: None,
        cas: None,
        populations: Vec::new(),
        registration: None,
        enabled: true,
    })
}
