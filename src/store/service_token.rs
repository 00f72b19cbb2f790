//! Access tokens of services in their own name, kept as digests only.

use super::db::{Conn, Row, Tx};
use super::value::{text, text_or_null};
use super::{StoreError, statements};
use crate::base::secret::Digest;
use crate::base::time::Timestamp;
use crate::domain::grant::Scopes;
use crate::domain::service_token::ServiceToken;

statements! {
    INSERT = "INSERT INTO service_token (token_hash, client_id, scope, audience, jkt, issued_at, expires_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7)";
    FIND = "SELECT client_id, scope, audience, jkt, issued_at, expires_at, revoked_at
        FROM service_token WHERE token_hash = $1";
    REVOKE = "UPDATE service_token SET revoked_at = $2 WHERE token_hash = $1 AND revoked_at IS NULL";
    PURGE = "DELETE FROM service_token WHERE expires_at < $1";
}

fn service_token(row: &Row) -> Result<ServiceToken, StoreError> {
    let revoked: Option<i64> = row.get("revoked_at")?;
    Ok(ServiceToken {
        client: row.parse("client_id")?,
        scopes: Scopes::all_of(&row.get::<String>("scope")?),
        audience: row.parse_optional("audience")?,
        jkt: row.get("jkt")?,
        issued_at: Timestamp::from_micros(row.get("issued_at")?),
        expires_at: Timestamp::from_micros(row.get("expires_at")?),
        revoked_at: revoked.map(Timestamp::from_micros),
    })
}

/// Keeps a new token.
///
/// # Errors
/// [`StoreError`].
pub async fn insert(tx: &mut Tx, digest: &Digest, token: &ServiceToken) -> Result<(), StoreError> {
    let values = [
        digest.as_bytes().into(),
        text(&token.client),
        text(&token.scopes),
        text_or_null(token.audience.as_ref()),
        token.jkt.as_deref().into(),
        token.issued_at.into(),
        token.expires_at.into(),
    ];
    tx.execute(INSERT, values).await.map(drop)
}

/// A token, good or not.
///
/// # Errors
/// [`StoreError`].
pub async fn find(conn: &mut Conn, digest: &Digest) -> Result<Option<ServiceToken>, StoreError> {
    let found = conn.optional(FIND, [digest.as_bytes().into()]).await?;
    found.as_ref().map(service_token).transpose()
}

/// Takes a token back; whether it was this call that did.
///
/// # Errors
/// [`StoreError`].
pub async fn revoke(tx: &mut Tx, digest: &Digest, now: Timestamp) -> Result<bool, StoreError> {
    let values = [digest.as_bytes().into(), now.into()];
    Ok(tx.execute(REVOKE, values).await? == 1)
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
    use std::time::Duration;

    use super::*;
    use crate::base::secret::Secret;
    use crate::store::testing::on_each_engine;

    #[tokio::test]
    async fn a_token_reads_back_is_revoked_once_and_forgotten() {
        on_each_engine(async |db| {
            let now = Timestamp::from_seconds(1_790_000_000);
            let digest = Secret::new("token").digest();
            let mut token = ServiceToken {
                client: "cantine".parse().unwrap(),
                scopes: Scopes::all_of("menus:read"),
                audience: Some("https://cantine.example/api".parse().unwrap()),
                jkt: Some("thumbprint".into()),
                issued_at: now,
                expires_at: now.plus(Duration::from_secs(60)),
                revoked_at: None,
            };
            let mut tx = db.begin().await.unwrap();
            insert(&mut tx, &digest, &token).await.unwrap();
            assert_eq!(find(&mut tx, &digest).await.unwrap(), Some(token.clone()));
            assert!(token.is_good(now) && !token.is_good(token.expires_at));
            assert!(revoke(&mut tx, &digest, now).await.unwrap());
            assert!(!revoke(&mut tx, &digest, token.expires_at).await.unwrap());
            token.revoked_at = Some(now);
            assert_eq!(find(&mut tx, &digest).await.unwrap(), Some(token.clone()));
            assert!(!token.is_good(now));
            assert_eq!(purge(&mut tx, token.expires_at).await.unwrap(), 0);
            let later = token.expires_at.plus(Duration::from_secs(1));
            assert_eq!(purge(&mut tx, later).await.unwrap(), 1);
        })
        .await;
    }
}
