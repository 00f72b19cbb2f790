//! Pushed authorization requests (RFC 9126), sealed: a `login_hint` or an `id_token_hint` among their parameters names a
//! person.

use super::db::{Conn, Tx};
use super::value::text;
use super::{StoreError, statements};
use crate::base::secret::Digest;
use crate::base::time::Timestamp;
use crate::domain::relying_party::RelyingPartyId;

statements! {
    ADD = "INSERT INTO pushed_request (uri_hash, client_id, sealed, expires_at) VALUES ($1, $2, $3, $4)";
    FIND = "SELECT client_id, sealed, expires_at, used_at FROM pushed_request WHERE uri_hash = $1";
    // The single-use gate: one row is the caller's, none means that it was used before or is forgotten.
    CONSUME = "UPDATE pushed_request SET used_at = $2 WHERE uri_hash = $1 AND used_at IS NULL";
    PURGE = "DELETE FROM pushed_request WHERE expires_at < $1";
}

/// A pushed request as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// Who pushed it.
    pub client: RelyingPartyId,
    /// Its parameters, sealed.
    pub sealed: Vec<u8>,
    /// Until when a browser may bring it.
    pub expires_at: Timestamp,
    /// Whether a code was issued for it.
    pub is_used: bool,
}

/// Keeps a request under the digest of its `request_uri`.
///
/// # Errors
/// [`StoreError`].
pub async fn add(tx: &mut Tx, uri: &Digest, kept: &Kept) -> Result<(), StoreError> {
    let values = [
        uri.as_bytes().into(),
        text(&kept.client),
        kept.sealed.clone().into(),
        kept.expires_at.into(),
    ];
    tx.execute(ADD, values).await.map(drop)
}

/// The request of a `request_uri`, used and expired ones included.
///
/// # Errors
/// [`StoreError`].
pub async fn find(conn: &mut Conn, uri: &Digest) -> Result<Option<Kept>, StoreError> {
    let found = conn.optional(FIND, [uri.as_bytes().into()]).await?;
    let read = |row: &super::db::Row| {
        Ok(Kept {
            client: row.parse("client_id")?,
            sealed: row.get("sealed")?,
            expires_at: Timestamp::from_micros(row.get("expires_at")?),
            is_used: row.get::<Option<i64>>("used_at")?.is_some(),
        })
    };
    found.as_ref().map(read).transpose()
}

/// Uses a request up; whether it was this call that did. Of many callers at once, on any node, one does.
///
/// # Errors
/// [`StoreError`].
pub async fn consume(tx: &mut Tx, uri: &Digest, now: Timestamp) -> Result<bool, StoreError> {
    Ok(tx.execute(CONSUME, [uri.as_bytes().into(), now.into()]).await? == 1)
}

/// Forgets what expired before `before`; answers how many.
///
/// # Errors
/// [`StoreError`].
pub async fn purge(tx: &mut Tx, before: Timestamp) -> Result<u64, StoreError> {
    tx.execute(PURGE, [before.into()]).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::secret::Secret;
    use crate::store::testing::on_each_engine;

    #[tokio::test]
    async fn a_pushed_request_reads_back_and_is_used_once() {
        on_each_engine(async |db| {
            let now = Timestamp::from_seconds(1_790_000_000);
            let uri = Secret::new("urn:ietf:params:oauth:request_uri:x").digest();
            let mut kept = Kept {
                client: "ent".parse().unwrap(),
                sealed: vec![1, 2, 3],
                expires_at: now,
                is_used: false,
            };
            let mut tx = db.begin().await.unwrap();
            add(&mut tx, &uri, &kept).await.unwrap();
            assert_eq!(find(&mut tx, &uri).await.unwrap().as_ref(), Some(&kept));
            assert!(consume(&mut tx, &uri, now).await.unwrap());
            assert!(!consume(&mut tx, &uri, now).await.unwrap());
            kept.is_used = true;
            assert_eq!(find(&mut tx, &uri).await.unwrap(), Some(kept));
            assert_eq!(purge(&mut tx, now).await.unwrap(), 0);
            let later = now.plus(std::time::Duration::from_secs(1));
            assert_eq!(purge(&mut tx, later).await.unwrap(), 1);
            assert_eq!(find(&mut tx, &uri).await.unwrap(), None);
        })
        .await;
    }
}
