//! For tests: a fresh, migrated database on each engine. PostgreSQL takes part where `MARELLE_TEST_POSTGRES` names a
//! server (`make test` starts one); SQLite always does.

pub(crate) use crate::domain::testing::person;

use super::db::{Address, Db, Statement};
use crate::base::random::{self, SystemRandom};
use crate::base::secret::Secret;

/// A migrated SQLite database in a file of its own, which lives as long as the returned folder.
pub(crate) async fn sqlite() -> (Db, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let db = Db::open(&Address::File(folder.path().join("test.db")))
        .await
        .unwrap();
    db.migrate().await.unwrap();
    (db, folder)
}

/// A migrated PostgreSQL schema of its own, where a server is named.
pub(crate) async fn postgres() -> Option<Db> {
    #[expect(clippy::disallowed_methods, reason = "the tests' own switch")]
    let url = std::env::var("MARELLE_TEST_POSTGRES").ok()?;
    let schema = format!(
        "t{}",
        random::symbols(&SystemRandom, b"abcdefghijklmnopqrstuvwxyz", 16)
    );
    let admin = Db::open(&Address::Url(Secret::new(url.clone()))).await.unwrap();
    let mut tx = admin.begin().await.unwrap();
    let sql: &'static str = format!("CREATE SCHEMA {schema}").leak();
    tx.execute(Statement { name: "schema", sql }, []).await.unwrap();
    tx.commit().await.unwrap();
    admin.close().await;
    let joint = if url.contains('?') { '&' } else { '?' };
    let url = format!("{url}{joint}options=-csearch_path%3D{schema}");
    let db = Db::open(&Address::Url(Secret::new(url))).await.unwrap();
    db.migrate().await.unwrap();
    Some(db)
}

/// A second handle on the same database, as another node has: connections of its own where the engine serves several
/// nodes.
pub(crate) async fn another_node(db: &Db) -> Db {
    match db {
        Db::Sqlite { .. } => db.clone(),
        Db::Postgres(pool) => {
            let options = sqlx::postgres::PgPoolOptions::new().max_connections(4);
            let connected = options.connect_with((*pool.connect_options()).clone()).await;
            Db::Postgres(connected.unwrap())
        }
    }
}

/// Runs a test on each engine in turn.
pub(crate) async fn on_each_engine(test: impl AsyncFn(Db)) {
    let (db, _folder) = sqlite().await;
    test(db.clone()).await;
    db.close().await;
    if let Some(db) = postgres().await {
        test(db.clone()).await;
        db.close().await;
    }
}

/// A relying party that asks for everything and has a secret `"s" × 40`.
pub(crate) fn relying_party(id: &str) -> crate::domain::relying_party::RelyingParty {
    use crate::domain::relying_party::{
        Attribute, Basis, ClientAuthMethod, ClientMetadata, Release, ReleasePolicy, RelyingParty,
        SigningAlgorithm, SubjectStrategy,
    };
    let releases = Attribute::ALL.iter().map(|attribute| Release {
        attribute: *attribute,
        purpose: "essai".into(),
        convention: "2026-01".into(),
    });
    RelyingParty {
        id: id.parse().unwrap(),
        name: "ENT du collège".into(),
        home: Some("https://ent.example/".into()),
        redirect_uris: vec!["https://ent.example/cb".into()],
        post_logout_redirect_uris: vec!["https://ent.example/bye".into()],
        sector: id.into(),
        subject_strategy: SubjectStrategy::Pairwise,
        auth_method: ClientAuthMethod::SecretBasic,
        secrets: vec![Secret::new("s".repeat(40)).digest()],
        pkce_required: true,
        id_token_alg: SigningAlgorithm::Rs256,
        release: ReleasePolicy(releases.collect()),
        schools: vec!["9990101F".parse().unwrap()],
        basis: Basis::Convention,
        metadata: ClientMetadata::default(),
        saml: None,
        cas: None,
        populations: Vec::new(),
        registration: None,
        enabled: true,
    }
}

/// A source of metadata.
pub(crate) fn metadata_source(
    id: &str,
    origin: crate::domain::saml_source::Origin,
) -> crate::domain::saml_source::Source {
    use crate::domain::saml_source::{Location, MAX_AGE, MAX_VALIDITY, MOST_BYTES, Source, Terms};
    Source {
        id: id.into(),
        origin,
        terms: Terms {
            location: Location::Url("https://metadata.example/".into()),
            keys: Vec::new(),
            entity_id: None,
            http_addresses: false,
            max_age: MAX_AGE,
            max_validity: MAX_VALIDITY,
            most_bytes: MOST_BYTES,
        },
    }
}
