//! The other engine for the tests of the whole program: a PostgreSQL schema of its own for each, where
//! `MARELLE_TEST_POSTGRES` names a server (`make test` starts one).

use marelle::base::random::{self, SystemRandom};
use marelle::base::secret::Secret;
use marelle::store::db::{Address, Db, Statement};

/// The URL of a schema of its own, where a server is named.
pub(crate) async fn fresh_postgres() -> Option<String> {
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
    Some(format!("{url}{joint}options=-csearch_path%3D{schema}"))
}
