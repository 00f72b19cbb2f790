//! Resource servers, each whole in one row: lists are JSON, loaded with it.

use super::db::{Conn, Row, Tx};
use super::value::{Value, text};
use super::{StoreError, statements};
use crate::domain::resource_server::{Audience, ResourceServer};

statements! {
    FIND = "SELECT audience, name, scopes, token_format, token_alg, introspectors, enabled
        FROM resource_server WHERE audience = $1";
    ALL = "SELECT audience, name, scopes, token_format, token_alg, introspectors, enabled
        FROM resource_server ORDER BY audience";
    SAVE = "INSERT INTO resource_server (audience, name, scopes, token_format, token_alg, introspectors, enabled)
        VALUES ($1, $2, $3, $4, $5, $6, $7)
        ON CONFLICT (audience) DO UPDATE SET name = excluded.name, scopes = excluded.scopes,
            token_format = excluded.token_format, token_alg = excluded.token_alg,
            introspectors = excluded.introspectors, enabled = excluded.enabled";
    DELETE = "DELETE FROM resource_server WHERE audience = $1";
}

fn written<T: std::fmt::Display>(list: &[T]) -> Value {
    let list = list
        .iter()
        .map(|value| serde_json::Value::String(value.to_string()))
        .collect();
    text(serde_json::Value::Array(list))
}

fn list<T: std::str::FromStr<Err: std::fmt::Display>>(row: &Row, column: &str) -> Result<Vec<T>, StoreError> {
    let stored: Vec<String> = serde_json::from_str(&row.get::<String>(column)?)
        .map_err(|error| StoreError::corrupt(column, error))?;
    let read = |value: &String| value.parse().map_err(|error| StoreError::corrupt(column, error));
    stored.iter().map(read).collect()
}

fn resource_server(row: &Row) -> Result<ResourceServer, StoreError> {
    Ok(ResourceServer {
        audience: row.parse("audience")?,
        name: row.get("name")?,
        scopes: list(row, "scopes")?,
        token_format: row.parse("token_format")?,
        token_alg: row.parse("token_alg")?,
        introspectors: list(row, "introspectors")?,
        enabled: row.get("enabled")?,
    })
}

/// One resource server.
///
/// # Errors
/// [`StoreError`].
pub async fn find(conn: &mut Conn, audience: &str) -> Result<Option<ResourceServer>, StoreError> {
    let found = conn.optional(FIND, [text(audience)]).await?;
    found.as_ref().map(resource_server).transpose()
}

/// Every resource server, by audience.
///
/// # Errors
/// [`StoreError`].
pub async fn all(conn: &mut Conn) -> Result<Vec<ResourceServer>, StoreError> {
    conn.all(ALL, []).await?.iter().map(resource_server).collect()
}

/// Keeps a resource server, new or changed.
///
/// # Errors
/// [`StoreError`].
pub async fn save(tx: &mut Tx, server: &ResourceServer) -> Result<(), StoreError> {
    let values = [
        text(&server.audience),
        text(&server.name),
        written(&server.scopes),
        text(server.token_format),
        text(server.token_alg),
        written(&server.introspectors),
        server.enabled.into(),
    ];
    tx.execute(SAVE, values).await.map(drop)
}

/// Forgets a resource server; whether it was there. Tokens for it are good nowhere from then on.
///
/// # Errors
/// [`StoreError`].
pub async fn delete(tx: &mut Tx, audience: &Audience) -> Result<bool, StoreError> {
    Ok(tx.execute(DELETE, [text(audience)]).await? == 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::resource_server::TokenFormat;
    use crate::domain::testing::resource_server as sample;
    use crate::store::testing::on_each_engine;

    #[tokio::test]
    async fn a_resource_server_reads_back_whole_changes_and_goes() {
        on_each_engine(async |db| {
            let mut server = sample("cantine");
            let mut tx = db.begin().await.unwrap();
            save(&mut tx, &server).await.unwrap();
            assert_eq!(
                find(&mut tx, server.audience.as_str()).await.unwrap(),
                Some(server.clone())
            );
            server.token_format = TokenFormat::AtJwt;
            server.enabled = false;
            server.scopes.pop();
            save(&mut tx, &server).await.unwrap();
            assert_eq!(all(&mut tx).await.unwrap(), std::slice::from_ref(&server));
            assert!(delete(&mut tx, &server.audience).await.unwrap());
            assert!(!delete(&mut tx, &server.audience).await.unwrap());
            assert_eq!(find(&mut tx, server.audience.as_str()).await.unwrap(), None);
        })
        .await;
    }
}
