//! Grants with their codes and access tokens. Codes and tokens are kept as digests only.

use super::db::{Conn, Row, Tx};
use super::value::text;
use super::{StoreError, statements};
use crate::base::id::GrantId;
use crate::base::secret::Digest;
use crate::base::time::Timestamp;
use crate::domain::grant::{AuthorizationCode, Grant, Redemption, Scopes, TokenUse};

statements! {
    INSERT = "INSERT INTO oauth_grant (id, client_id, identity_id, session_id, scope, nonce, authenticated_at, acr, amr,
            created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
    INSERT_CODE = "INSERT INTO authorization_code (code_hash, grant_id, redirect_uri, code_challenge, expires_at)
        VALUES ($1, $2, $3, $4, $5)";
    // The single-use gate: one row is the caller's, none means that the code was used before or never was.
    CONSUME = "UPDATE authorization_code SET used_at = $2 WHERE code_hash = $1 AND used_at IS NULL";
    // One round trip gives all that a redemption is decided on.
    FIND_REDEMPTION = "SELECT c.redirect_uri, c.code_challenge, c.expires_at,
        g.id AS grant_id, g.client_id, g.session_id, g.scope, g.nonce, g.authenticated_at, g.acr, g.amr,
        g.created_at AS granted_at, g.revoked_at,
        CAST(CASE WHEN s.id IS NOT NULL AND s.ended_at IS NULL AND s.expires_at > $2 THEN 1 ELSE 0 END AS BIGINT) AS session_is_live,
        i.id, i.status, i.status_detail, i.family_name, i.usage_name, i.given_name, i.birth_date, i.sex, i.username,
        i.locale, i.created_at
        FROM authorization_code c JOIN oauth_grant g ON g.id = c.grant_id JOIN identity i ON i.id = g.identity_id
        LEFT JOIN session s ON s.id = g.session_id
        WHERE c.code_hash = $1";
    REVOKE = "UPDATE oauth_grant SET revoked_at = $2 WHERE id = $1 AND revoked_at IS NULL";
    INSERT_TOKEN = "INSERT INTO access_token (token_hash, grant_id, expires_at) VALUES ($1, $2, $3)";
    FIND_TOKEN_USE = "SELECT t.expires_at,
        g.id AS grant_id, g.client_id, g.session_id, g.scope, g.nonce, g.authenticated_at, g.acr, g.amr,
        g.created_at AS granted_at, g.revoked_at,
        CAST(CASE WHEN s.ended_at IS NULL THEN 0 ELSE 1 END AS BIGINT) AS session_was_ended,
        i.id, i.status, i.status_detail, i.family_name, i.usage_name, i.given_name, i.birth_date, i.sex, i.username,
        i.locale, i.created_at
        FROM access_token t JOIN oauth_grant g ON g.id = t.grant_id JOIN identity i ON i.id = g.identity_id
        LEFT JOIN session s ON s.id = g.session_id
        WHERE t.token_hash = $1";
    PURGE_TOKENS = "DELETE FROM access_token WHERE expires_at < $1";
    PURGE_CODES = "DELETE FROM authorization_code WHERE expires_at < $1
        AND NOT EXISTS (SELECT 1 FROM access_token t WHERE t.grant_id = authorization_code.grant_id)";
    PURGE_GRANTS = "DELETE FROM oauth_grant WHERE created_at < $1
        AND NOT EXISTS (SELECT 1 FROM access_token t WHERE t.grant_id = oauth_grant.id)
        AND NOT EXISTS (SELECT 1 FROM authorization_code c WHERE c.grant_id = oauth_grant.id)";
}

fn grant(row: &Row) -> Result<Grant, StoreError> {
    let revoked: Option<i64> = row.get("revoked_at")?;
    Ok(Grant {
        id: row.parse("grant_id")?,
        client: row.parse("client_id")?,
        identity: row.parse("id")?,
        session: row.parse("session_id")?,
        scopes: Scopes::known_of(&row.get::<String>("scope")?),
        nonce: row.get("nonce")?,
        authenticated_at: Timestamp::from_micros(row.get("authenticated_at")?),
        acr: row.parse("acr")?,
        amr: row.parse("amr")?,
        created_at: Timestamp::from_micros(row.get("granted_at")?),
        revoked_at: revoked.map(Timestamp::from_micros),
    })
}

/// Keeps a new grant and its code.
///
/// # Errors
/// [`StoreError`].
pub async fn insert(
    tx: &mut Tx,
    grant: &Grant,
    digest: &Digest,
    code: &AuthorizationCode,
) -> Result<(), StoreError> {
    let values = [
        text(grant.id),
        text(&grant.client),
        text(grant.identity),
        text(grant.session),
        text(&grant.scopes),
        grant.nonce.as_deref().into(),
        grant.authenticated_at.into(),
        text(grant.acr),
        text(grant.amr),
        grant.created_at.into(),
    ];
    tx.execute(INSERT, values).await?;
    let values = [
        digest.as_bytes().into(),
        text(grant.id),
        text(&code.redirect_uri),
        code.code_challenge.as_deref().into(),
        code.expires_at.into(),
    ];
    tx.execute(INSERT_CODE, values).await.map(drop)
}

/// Takes a code; whether it was there and is the caller's. Of many callers at once, on any node, one gets it.
///
/// # Errors
/// [`StoreError`].
pub async fn consume(tx: &mut Tx, code: &Digest, now: Timestamp) -> Result<bool, StoreError> {
    Ok(tx.execute(CONSUME, [code.as_bytes().into(), now.into()]).await? == 1)
}

/// What a code leads to, used or not.
///
/// # Errors
/// [`StoreError`].
pub async fn redemption(
    conn: &mut Conn,
    code: &Digest,
    now: Timestamp,
) -> Result<Option<Redemption>, StoreError> {
    let found = conn
        .optional(FIND_REDEMPTION, [code.as_bytes().into(), now.into()])
        .await?;
    let read = |row: &Row| {
        Ok(Redemption {
            code: AuthorizationCode {
                redirect_uri: row.get("redirect_uri")?,
                code_challenge: row.get("code_challenge")?,
                expires_at: Timestamp::from_micros(row.get("expires_at")?),
            },
            grant: grant(row)?,
            identity: super::identity::identity(row)?,
            session_is_live: row.get::<i64>("session_is_live")? == 1,
        })
    };
    found.as_ref().map(read).transpose()
}

/// Takes a grant back with everything that came of it; whether it was this call that did.
///
/// # Errors
/// [`StoreError`].
pub async fn revoke(tx: &mut Tx, id: GrantId, now: Timestamp) -> Result<bool, StoreError> {
    Ok(tx.execute(REVOKE, [text(id), now.into()]).await? == 1)
}

/// Keeps a new access token of a grant.
///
/// # Errors
/// [`StoreError`].
pub async fn add_token(
    tx: &mut Tx,
    grant: GrantId,
    token: &Digest,
    expires_at: Timestamp,
) -> Result<(), StoreError> {
    let values = [token.as_bytes().into(), text(grant), expires_at.into()];
    tx.execute(INSERT_TOKEN, values).await.map(drop)
}

/// What an access token leads to, good or not.
///
/// # Errors
/// [`StoreError`].
pub async fn token_use(conn: &mut Conn, token: &Digest) -> Result<Option<TokenUse>, StoreError> {
    let found = conn.optional(FIND_TOKEN_USE, [token.as_bytes().into()]).await?;
    let read = |row: &Row| {
        Ok(TokenUse {
            expires_at: Timestamp::from_micros(row.get("expires_at")?),
            grant: grant(row)?,
            identity: super::identity::identity(row)?,
            session_was_ended: row.get::<i64>("session_was_ended")? == 1,
        })
    };
    found.as_ref().map(read).transpose()
}

/// Removes what expired before `before`: tokens, then codes, then grants that nothing is left of. A code stays as long as
/// a token of its grant, so that its replay still finds what is to be revoked. Answers the number of grants.
///
/// # Errors
/// [`StoreError`].
pub async fn purge(tx: &mut Tx, before: Timestamp) -> Result<u64, StoreError> {
    tx.execute(PURGE_TOKENS, [before.into()]).await?;
    tx.execute(PURGE_CODES, [before.into()]).await?;
    tx.execute(PURGE_GRANTS, [before.into()]).await
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::base::secret::Secret;
    use crate::domain::testing::{grant, person};
    use crate::store::db::Db;
    use crate::store::testing::on_each_engine;

    fn code(grant: &Grant) -> AuthorizationCode {
        AuthorizationCode {
            redirect_uri: "https://ent.example/cb".into(),
            code_challenge: Some("challenge".into()),
            expires_at: grant.created_at.plus(Duration::from_secs(60)),
        }
    }

    async fn kept(db: &Db, secret: &Secret) -> Grant {
        let grant = grant("ent");
        let mut tx = db.begin().await.unwrap();
        crate::store::identity::insert(&mut tx, &person("Lina", 1))
            .await
            .unwrap();
        insert(&mut tx, &grant, &secret.digest(), &code(&grant))
            .await
            .unwrap();
        tx.commit().await.unwrap();
        grant
    }

    #[tokio::test]
    async fn a_grant_reads_back_through_its_code_and_through_its_token() {
        on_each_engine(async |db| {
            let (secret, token) = (Secret::new("code"), Secret::new("token"));
            let mut grant = kept(&db, &secret).await;
            let now = grant.created_at;
            let mut tx = db.begin().await.unwrap();
            let found = redemption(&mut tx, &secret.digest(), now).await.unwrap().unwrap();
            assert_eq!((&found.grant, &found.code), (&grant, &code(&grant)));
            assert!(!found.session_is_live, "there is no such session");
            assert_eq!(found.identity.given_name, "Lina");
            assert!(
                redemption(&mut tx, &token.digest(), now).await.unwrap().is_none(),
                "a token is no code"
            );

            add_token(
                &mut tx,
                grant.id,
                &token.digest(),
                now.plus(Duration::from_secs(600)),
            )
            .await
            .unwrap();
            assert!(
                token_use(&mut tx, &secret.digest()).await.unwrap().is_none(),
                "a code is no token"
            );
            assert!(revoke(&mut tx, grant.id, now).await.unwrap());
            assert!(!revoke(&mut tx, grant.id, now).await.unwrap());
            grant.revoked_at = Some(now);
            let found = token_use(&mut tx, &token.digest()).await.unwrap().unwrap();
            assert_eq!(found.grant, grant);
            assert!(!found.session_was_ended);
        })
        .await;
    }

    #[tokio::test]
    async fn of_forty_callers_at_once_one_takes_the_code() {
        on_each_engine(async |db| {
            let secret = Secret::new("code");
            let grant = kept(&db, &secret).await;
            let tasks: Vec<_> = (0..40)
                .map(|_| {
                    let (db, digest) = (db.clone(), secret.digest());
                    tokio::spawn(async move {
                        let mut tx = db.begin().await.unwrap();
                        let taken = consume(&mut tx, &digest, grant.created_at).await.unwrap();
                        tx.commit().await.unwrap();
                        u32::from(taken)
                    })
                })
                .collect();
            let mut taken = 0;
            for task in tasks {
                taken += task.await.unwrap();
            }
            assert_eq!(taken, 1);
        })
        .await;
    }

    #[tokio::test]
    async fn a_purge_keeps_a_code_as_long_as_its_token() {
        on_each_engine(async |db| {
            let (secret, token) = (Secret::new("code"), Secret::new("token"));
            let grant = kept(&db, &secret).await;
            let at = |seconds| grant.created_at.plus(Duration::from_secs(seconds));
            let mut tx = db.begin().await.unwrap();
            add_token(&mut tx, grant.id, &token.digest(), at(600))
                .await
                .unwrap();
            assert_eq!(purge(&mut tx, at(300)).await.unwrap(), 0);
            assert!(
                redemption(&mut tx, &secret.digest(), at(300))
                    .await
                    .unwrap()
                    .is_some()
            );
            assert_eq!(purge(&mut tx, at(601)).await.unwrap(), 1);
            assert!(
                redemption(&mut tx, &secret.digest(), at(601))
                    .await
                    .unwrap()
                    .is_none()
            );
        })
        .await;
    }
}
