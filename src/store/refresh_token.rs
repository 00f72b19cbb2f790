//! Refresh tokens, kept as digests only, and for as long as one of their grant is good: the reuse of a used one must be
//! noticed. That a whole family is revoked stands in its grant.

use super::db::{Conn, Row, Tx};
use super::grant::{self, Found};
use super::value::text;
use super::{StoreError, statements};
use crate::base::id::GrantId;
use crate::base::secret::Digest;
use crate::base::time::Timestamp;
use crate::domain::grant::{RefreshToken, Renewal};
use crate::domain::relying_party::RelyingPartyId;

statements! {
    INSERT_REFRESH_TOKEN = "INSERT INTO refresh_token (token_hash, grant_id, sequence, subject, jkt, issued_at, expires_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7)";
    // The single-use gate: one row is the caller's.
    SPEND_REFRESH_TOKEN = "UPDATE refresh_token SET used_at = $3
        WHERE grant_id = $1 AND sequence = $2 AND used_at IS NULL";
    FIND_RENEWAL = concat!("SELECT t.sequence, t.subject, t.jkt, t.issued_at, t.expires_at, t.used_at, ",
        grant::found_columns!(), "
        FROM relying_party p LEFT JOIN refresh_token t ON t.token_hash = $2
        LEFT JOIN oauth_grant g ON g.id = t.grant_id ", grant::found_joins!());
    USED_AT = "SELECT used_at FROM refresh_token WHERE grant_id = $1 AND sequence = $2";
    PURGE = "DELETE FROM refresh_token WHERE expires_at < $1 AND NOT EXISTS
        (SELECT 1 FROM refresh_token r WHERE r.grant_id = refresh_token.grant_id AND r.expires_at >= $1)";
}

/// Keeps a new refresh token of a grant.
///
/// # Errors
/// [`StoreError::Conflict`] where the grant has one of that sequence.
pub async fn add(
    tx: &mut Tx,
    grant: GrantId,
    digest: &Digest,
    token: &RefreshToken,
) -> Result<(), StoreError> {
    let values = [
        digest.as_bytes().into(),
        text(grant),
        token.sequence.into(),
        text(&token.subject),
        token.jkt.as_deref().into(),
        token.issued_at.into(),
        token.expires_at.into(),
    ];
    tx.execute(INSERT_REFRESH_TOKEN, values).await.map(drop)
}

/// Uses a refresh token up; whether it was this call that did. Of many callers at once, on any node, one is told so.
///
/// # Errors
/// [`StoreError`].
pub async fn spend(tx: &mut Tx, grant: GrantId, sequence: i64, now: Timestamp) -> Result<bool, StoreError> {
    let values = [text(grant), sequence.into(), now.into()];
    Ok(tx.execute(SPEND_REFRESH_TOKEN, values).await? == 1)
}

/// When a refresh token was used, as it stands now; `None` where it was not.
///
/// # Errors
/// [`StoreError`].
pub async fn used_at(
    conn: &mut Conn,
    grant: GrantId,
    sequence: i64,
) -> Result<Option<Timestamp>, StoreError> {
    let row = conn.optional(USED_AT, [text(grant), sequence.into()]).await?;
    let used: Option<i64> = match row {
        Some(row) => row.get("used_at")?,
        None => None,
    };
    Ok(used.map(Timestamp::from_micros))
}

/// The client of that id, and what a refresh token leads to, used or not.
///
/// # Errors
/// [`StoreError`].
pub async fn renewal(
    conn: &mut Conn,
    client: &RelyingPartyId,
    token: &Digest,
    now: Timestamp,
) -> Result<Found<Renewal>, StoreError> {
    let read = |row: &Row, standing| {
        Ok(Renewal {
            token: RefreshToken {
                sequence: row.get("sequence")?,
                subject: row.get("subject")?,
                jkt: row.get("jkt")?,
                issued_at: Timestamp::from_micros(row.get("issued_at")?),
                expires_at: Timestamp::from_micros(row.get("expires_at")?),
                used_at: row.get::<Option<i64>>("used_at")?.map(Timestamp::from_micros),
            },
            standing,
        })
    };
    grant::found(conn, FIND_RENEWAL, (client, token), now, read).await
}

/// Removes the families of which no token is good since `before`.
///
/// # Errors
/// [`StoreError`].
pub(super) async fn purge(tx: &mut Tx, before: Timestamp) -> Result<(), StoreError> {
    tx.execute(PURGE, [before.into()]).await.map(drop)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::base::secret::Secret;
    use crate::domain::grant::AuthorizationCode;
    use crate::domain::testing::{grant, party, person};
    use crate::store::testing::on_each_engine;

    fn token(sequence: i64, issued_at: Timestamp, seconds: u64) -> RefreshToken {
        RefreshToken {
            sequence,
            subject: "abc".into(),
            jkt: Some("key".into()),
            issued_at,
            expires_at: issued_at.plus(Duration::from_secs(seconds)),
            used_at: None,
        }
    }

    /// A grant with a code and a first refresh token.
    async fn kept(tx: &mut Tx) -> (GrantId, Timestamp) {
        let grant = grant("ent");
        crate::store::identity::insert(tx, &person("Lina", 1))
            .await
            .unwrap();
        crate::store::relying_party::save(tx, &party("ent"))
            .await
            .unwrap();
        let code = AuthorizationCode {
            redirect_uri: "https://ent.example/cb".into(),
            code_challenge: None,
            dpop_jkt: None,
            expires_at: grant.created_at,
        };
        grant::insert(tx, &grant, &Secret::new("code").digest(), &code)
            .await
            .unwrap();
        let first = token(1, grant.created_at, 600);
        add(tx, grant.id, &Secret::new("first").digest(), &first)
            .await
            .unwrap();
        (grant.id, grant.created_at)
    }

    #[tokio::test]
    async fn a_refresh_token_reads_back_and_is_spent_once() {
        on_each_engine(async |db| {
            let mut tx = db.begin().await.unwrap();
            let (grant, now) = kept(&mut tx).await;
            let first = Secret::new("first").digest();
            let found = renewal(&mut tx, &party("ent").id, &first, now).await.unwrap();
            assert_eq!(found.party, Some(party("ent")));
            let held = found.held.unwrap();
            assert_eq!(held.token, token(1, now, 600));
            assert_eq!(held.standing.grant.id, grant);
            assert_eq!(used_at(&mut tx, grant, 1).await.unwrap(), None);
            assert!(spend(&mut tx, grant, 1, now).await.unwrap());
            assert!(!spend(&mut tx, grant, 1, now).await.unwrap());
            assert!(!spend(&mut tx, grant, 2, now).await.unwrap(), "there is none");
            assert_eq!(used_at(&mut tx, grant, 1).await.unwrap(), Some(now));
            assert_eq!(used_at(&mut tx, grant, 2).await.unwrap(), None);
            let other = renewal(&mut tx, &party("ent").id, &Secret::new("code").digest(), now).await;
            assert!(other.unwrap().held.is_none(), "a code is no refresh token");
        })
        .await;
    }

    #[tokio::test]
    async fn a_used_token_stays_as_long_as_one_of_its_family_is_good() {
        on_each_engine(async |db| {
            let mut tx = db.begin().await.unwrap();
            let (grant, now) = kept(&mut tx).await;
            let second = token(2, now, 1200);
            add(&mut tx, grant, &Secret::new("second").digest(), &second)
                .await
                .unwrap();
            let at = |seconds| now.plus(Duration::from_secs(seconds));
            assert_eq!(grant::purge(&mut tx, at(900)).await.unwrap(), 0);
            for name in ["first", "second"] {
                let found = renewal(&mut tx, &party("ent").id, &Secret::new(name).digest(), at(900)).await;
                assert!(found.unwrap().held.is_some(), "{name}");
            }
            let code =
                grant::redemption(&mut tx, &party("ent").id, &Secret::new("code").digest(), at(900)).await;
            assert!(code.unwrap().held.is_some(), "its replay still finds the family");
            assert_eq!(grant::purge(&mut tx, at(1201)).await.unwrap(), 1);
            let found = renewal(
                &mut tx,
                &party("ent").id,
                &Secret::new("second").digest(),
                at(1201),
            )
            .await;
            assert!(found.unwrap().held.is_none());
        })
        .await;
    }
}
