//! Verifiers of credentials: what is kept of a password or a picture code, never the secret itself.

use super::db::{Conn, Tx};
use super::value::{Value, text};
use super::{StoreError, statements};
use crate::base::id::IdentityId;
use crate::base::time::Timestamp;
use crate::domain::credential::CredentialKind;

statements! {
    FIND = "SELECT verifier FROM credential WHERE identity_id = $1 AND kind = $2";
    SET = "INSERT INTO credential (identity_id, kind, verifier, set_at) VALUES ($1, $2, $3, $4)
        ON CONFLICT (identity_id, kind) DO UPDATE SET verifier = excluded.verifier, set_at = excluded.set_at";
    REPLACE = "UPDATE credential SET verifier = $4 WHERE identity_id = $1 AND kind = $2 AND verifier = $3";
}

/// The verifier of a person's credential, where they have one.
///
/// # Errors
/// [`StoreError`].
pub async fn find(
    conn: &mut Conn,
    identity: IdentityId,
    kind: CredentialKind,
) -> Result<Option<String>, StoreError> {
    conn.optional(FIND, [text(identity), text(kind)])
        .await?
        .map(|row| row.get("verifier"))
        .transpose()
}

/// Gives a person a credential; a former one of its kind is gone.
///
/// # Errors
/// [`StoreError`].
pub async fn set(
    tx: &mut Tx,
    identity: IdentityId,
    kind: CredentialKind,
    verifier: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    tx.execute(SET, [text(identity), text(kind), text(verifier), now.into()])
        .await
        .map(drop)
}

/// Writes the same secret's new verifier (made at another cost); whether the old one was still there.
///
/// # Errors
/// [`StoreError`].
pub async fn replace(
    tx: &mut Tx,
    identity: IdentityId,
    kind: CredentialKind,
    old: &str,
    new: &str,
) -> Result<bool, StoreError> {
    let values: [Value; 4] = [text(identity), text(kind), text(old), text(new)];
    Ok(tx.execute(REPLACE, values).await? == 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::testing::{on_each_engine, person};

    #[tokio::test]
    async fn a_person_has_one_credential_of_each_kind() {
        on_each_engine(async |db| {
            let lina = person("Lina", 1).id;
            let now = Timestamp::from_seconds(1);
            let mut tx = db.begin().await.unwrap();
            set(&mut tx, lina, CredentialKind::Password, "a", now)
                .await
                .unwrap();
            set(&mut tx, lina, CredentialKind::Picture, "b", now)
                .await
                .unwrap();
            set(&mut tx, lina, CredentialKind::Password, "c", now)
                .await
                .unwrap();
            assert!(
                !replace(&mut tx, lina, CredentialKind::Password, "a", "d")
                    .await
                    .unwrap()
            );
            assert!(
                replace(&mut tx, lina, CredentialKind::Password, "c", "e")
                    .await
                    .unwrap()
            );
            let found = |kind| (lina, kind);
            for ((who, kind), expected) in [
                (found(CredentialKind::Password), Some("e")),
                (found(CredentialKind::Picture), Some("b")),
                ((person("Lila", 2).id, CredentialKind::Picture), None),
            ] {
                assert_eq!(find(&mut tx, who, kind).await.unwrap().as_deref(), expected);
            }
        })
        .await;
    }
}
