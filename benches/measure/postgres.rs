//! A schema of its own on the server that `MARELLE_TEST_POSTGRES` names.

use anyhow::Result;
use marelle::base::random::{self, SystemRandom};
use marelle::base::secret::Secret;
use marelle::store::db::{Address, Db, Statement};

/// Makes a schema; answers the URL that leads into it.
pub(crate) async fn fresh_schema(url: &str) -> Result<String> {
    let letters = random::symbols(&SystemRandom, b"abcdefghijklmnopqrstuvwxyz", 16);
    let server = Db::open(&Address::Url(Secret::new(url))).await?;
    execute(&server, format!("CREATE SCHEMA bench_{letters}").leak()).await?;
    server.close().await;
    let joint = if url.contains('?') { '&' } else { '?' };
    Ok(format!("{url}{joint}options=-csearch_path%3Dbench_{letters}"))
}

/// Runs a statement and commits.
pub(crate) async fn execute(db: &Db, sql: &'static str) -> Result<()> {
    let mut tx = db.begin().await?;
    tx.execute(Statement { name: "bench", sql }, []).await?;
    Ok(tx.commit().await?)
}
