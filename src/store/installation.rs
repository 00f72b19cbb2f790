//! What belongs to the installation as a whole: the frozen issuer, and secrets made at first start.

use super::db::{Conn, Tx};
use super::value::text;
use super::{StoreError, statements};

statements! {
    FIND = "SELECT value FROM installation WHERE name = $1";
    ADD = "INSERT INTO installation (name, value) VALUES ($1, $2) ON CONFLICT DO NOTHING";
    REPLACE = "UPDATE installation SET value = $2 WHERE name = $1";
    FIND_SECRET = "SELECT sealed FROM installation_secret WHERE name = $1";
    ADD_SECRET = "INSERT INTO installation_secret (name, sealed) VALUES ($1, $2) ON CONFLICT DO NOTHING";
}

/// The value kept under a name.
///
/// # Errors
/// [`StoreError`].
pub async fn find(conn: &mut Conn, name: &str) -> Result<Option<String>, StoreError> {
    conn.optional(FIND, [text(name)])
        .await?
        .map(|row| row.get("value"))
        .transpose()
}

/// Keeps a value under a name that has none yet; whether it was this call that did.
///
/// # Errors
/// [`StoreError`].
pub async fn add(tx: &mut Tx, name: &str, value: &str) -> Result<bool, StoreError> {
    Ok(tx.execute(ADD, [text(name), text(value)]).await? == 1)
}

/// Replaces the value under a name.
///
/// # Errors
/// [`StoreError`].
pub async fn replace(tx: &mut Tx, name: &str, value: &str) -> Result<(), StoreError> {
    tx.execute(REPLACE, [text(name), text(value)]).await.map(drop)
}

/// The sealed secret kept under a name.
///
/// # Errors
/// [`StoreError`].
pub async fn find_secret(conn: &mut Conn, name: &str) -> Result<Option<Vec<u8>>, StoreError> {
    conn.optional(FIND_SECRET, [text(name)])
        .await?
        .map(|row| row.get("sealed"))
        .transpose()
}

/// Keeps a sealed secret under a name that has none yet; of two nodes that start at once, one does.
///
/// # Errors
/// [`StoreError`].
pub async fn add_secret(tx: &mut Tx, name: &str, sealed: Vec<u8>) -> Result<bool, StoreError> {
    Ok(tx.execute(ADD_SECRET, [text(name), sealed.into()]).await? == 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::testing::on_each_engine;

    #[tokio::test]
    async fn the_first_value_stays() {
        on_each_engine(async |db| {
            let mut tx = db.begin().await.unwrap();
            assert!(add(&mut tx, "issuer", "https://a.example").await.unwrap());
            assert!(!add(&mut tx, "issuer", "https://b.example").await.unwrap());
            assert!(add_secret(&mut tx, "subject", vec![1, 2]).await.unwrap());
            assert!(!add_secret(&mut tx, "subject", vec![3]).await.unwrap());
            tx.commit().await.unwrap();
            let mut conn = db.reader().await.unwrap();
            assert_eq!(
                find(&mut conn, "issuer").await.unwrap().as_deref(),
                Some("https://a.example")
            );
            assert_eq!(find_secret(&mut conn, "subject").await.unwrap(), Some(vec![1, 2]));
            assert_eq!(find(&mut conn, "other").await.unwrap(), None);
            drop(conn);
            let mut tx = db.begin().await.unwrap();
            replace(&mut tx, "issuer", "https://b.example").await.unwrap();
            assert_eq!(
                find(&mut tx, "issuer").await.unwrap().as_deref(),
                Some("https://b.example")
            );
        })
        .await;
    }
}
