//! Identities: loading one, making one by hand. Feeds write theirs in bulk (`store::roster`).

use super::db::{Conn, Row, Tx};
use super::value::{text, text_or_null};
use super::{StoreError, statements};
use crate::base::id::IdentityId;
use crate::base::time::Timestamp;
use crate::domain::identity::{Identity, Status};

statements! {
    FIND = "SELECT id, status, status_detail, family_name, usage_name, given_name, birth_date, sex, username, locale,
        created_at FROM identity WHERE id = $1";
    FIND_BY_USERNAME = "SELECT id, status, status_detail, family_name, usage_name, given_name, birth_date, sex,
        username, locale, created_at FROM identity WHERE username = $1";
    INSERT = "INSERT INTO identity (id, status, status_detail, family_name, usage_name, given_name, birth_date, sex,
        username, locale, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";
    SET_STATUS = "UPDATE identity SET status = $2, status_detail = $3 WHERE id = $1";
    SET_USERNAME = "UPDATE identity SET username = $2 WHERE id = $1";
}

/// Reads an identity from a row that has all its columns.
///
/// # Errors
/// [`StoreError::Corrupt`] for an impossible row.
pub(super) fn identity(row: &Row) -> Result<Identity, StoreError> {
    identity_of(row, "id")
}

/// The same, from a row that has its id in another column.
///
/// # Errors
/// [`StoreError::Corrupt`] for an impossible row.
pub(super) fn identity_of(row: &Row, id: &str) -> Result<Identity, StoreError> {
    Ok(Identity {
        id: row.parse(id)?,
        status: status(row)?,
        family_name: row.get("family_name")?,
        usage_name: row.get("usage_name")?,
        given_name: row.get("given_name")?,
        birth_date: row.parse_optional("birth_date")?,
        sex: row.parse_optional("sex")?,
        username: row.get("username")?,
        locale: row.get("locale")?,
        created_at: Timestamp::from_micros(row.get("created_at")?),
    })
}

/// Reads where an identity stands.
///
/// # Errors
/// [`StoreError::Corrupt`] for an impossible row.
pub(super) fn status(row: &Row) -> Result<Status, StoreError> {
    let detail: Option<String> = row.get("status_detail")?;
    Status::from_stored(&row.get::<String>("status")?, detail.as_deref())
        .map_err(|error| StoreError::corrupt("identity.status", error))
}

/// One identity.
///
/// # Errors
/// [`StoreError`].
pub async fn find(conn: &mut Conn, id: IdentityId) -> Result<Option<Identity>, StoreError> {
    conn.optional(FIND, [text(id)])
        .await?
        .as_ref()
        .map(identity)
        .transpose()
}

/// The identity with a login name (folded already).
///
/// # Errors
/// [`StoreError`].
pub async fn find_by_username(conn: &mut Conn, username: &str) -> Result<Option<Identity>, StoreError> {
    conn.optional(FIND_BY_USERNAME, [text(username)])
        .await?
        .as_ref()
        .map(identity)
        .transpose()
}

/// Keeps a new identity.
///
/// # Errors
/// [`StoreError::Conflict`] where the login name is taken.
pub async fn insert(tx: &mut Tx, identity: &Identity) -> Result<(), StoreError> {
    tx.execute(
        INSERT,
        [
            text(identity.id),
            text(identity.status.as_str()),
            identity.status.detail().into(),
            text(&identity.family_name),
            identity.usage_name.as_deref().into(),
            text(&identity.given_name),
            identity.birth_date.into(),
            text_or_null(identity.sex),
            identity.username.as_deref().into(),
            identity.locale.as_deref().into(),
            identity.created_at.into(),
        ],
    )
    .await
    .map(drop)
}

/// Writes where an identity stands.
///
/// # Errors
/// [`StoreError`].
pub async fn set_status(tx: &mut Tx, id: IdentityId, status: &Status) -> Result<(), StoreError> {
    tx.execute(
        SET_STATUS,
        [text(id), text(status.as_str()), status.detail().into()],
    )
    .await
    .map(drop)
}

/// Gives an identity a login name (folded already).
///
/// # Errors
/// [`StoreError::Conflict`] where it is taken.
pub async fn set_username(tx: &mut Tx, id: IdentityId, username: &str) -> Result<(), StoreError> {
    tx.execute(SET_USERNAME, [text(id), text(username)])
        .await
        .map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::testing::{on_each_engine, person};

    #[tokio::test]
    async fn an_identity_reads_back_and_its_login_name_is_its_own() {
        on_each_engine(async |db| {
            let (lina, other) = (person("Lina", 1), person("Lila", 2));
            let mut tx = db.begin().await.unwrap();
            insert(&mut tx, &lina).await.unwrap();
            insert(&mut tx, &other).await.unwrap();
            set_username(&mut tx, lina.id, "lina.legoff").await.unwrap();
            set_status(&mut tx, other.id, &Status::Merged { into: lina.id })
                .await
                .unwrap();
            tx.commit().await.unwrap();
            let mut conn = db.reader().await.unwrap();
            let found = find_by_username(&mut conn, "lina.legoff").await.unwrap().unwrap();
            assert_eq!(
                (found.id, found.given_name, found.birth_date),
                (lina.id, lina.given_name, lina.birth_date)
            );
            let merged = find(&mut conn, other.id).await.unwrap().unwrap();
            assert_eq!(merged.status, Status::Merged { into: lina.id });
            drop(conn);
            let mut tx = db.begin().await.unwrap();
            let taken = set_username(&mut tx, other.id, "lina.legoff").await;
            assert!(matches!(taken, Err(StoreError::Conflict { .. })), "{taken:?}");
        })
        .await;
    }
}
