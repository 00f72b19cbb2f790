//! Verifiers of credentials: what is kept of a password or a picture code, never the secret itself.

use super::db::{Conn, Tx};
use super::value::{Value, text};
use super::{StoreError, statements};
use crate::base::id::IdentityId;
use crate::base::time::{Date, Timestamp};
use crate::domain::credential::CredentialKind;
use crate::domain::education::Profile;
use crate::domain::identity::Identity;
use crate::domain::uai::Uai;

statements! {
    FIND = "SELECT verifier FROM credential WHERE identity_id = $1 AND kind = $2";
    // One statement, so that a name nobody has takes as long as one that somebody has.
    FIND_LOGIN = "SELECT i.id, i.status, i.status_detail, i.family_name, i.usage_name, i.given_name, i.birth_date, i.sex,
        i.username, i.locale, i.created_at, c.verifier
        FROM identity i LEFT JOIN credential c ON c.identity_id = i.id AND c.kind = $2 WHERE i.username = $1";
    SET = "INSERT INTO credential (identity_id, kind, verifier, set_at) VALUES ($1, $2, $3, $4)
        ON CONFLICT (identity_id, kind) DO UPDATE SET verifier = excluded.verifier, set_at = excluded.set_at";
    HOLDERS = "SELECT i.id, i.status, i.status_detail, i.family_name, i.usage_name, i.given_name, i.birth_date, i.sex,
        i.username, i.locale, i.created_at, e.profile,
        (SELECT CAST(COUNT(*) AS BIGINT) FROM credential c WHERE c.identity_id = i.id AND c.kind = 'password')
            AS passwords,
        (SELECT CAST(COUNT(*) AS BIGINT) FROM credential c WHERE c.identity_id = i.id AND c.kind = 'picture')
            AS pictures
        FROM identity i JOIN (SELECT DISTINCT identity_id, profile FROM enrolment
            WHERE uai = $1 AND starts_on <= $2 AND ends_on > $2) e ON e.identity_id = i.id
        ORDER BY e.profile, i.family_name, i.given_name, i.id";
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

/// Whom a login name (folded already) is of, with the verifier of their credential where they have one.
///
/// # Errors
/// [`StoreError`].
pub async fn find_login(
    conn: &mut Conn,
    username: &str,
    kind: CredentialKind,
) -> Result<Option<(Identity, Option<String>)>, StoreError> {
    match conn.optional(FIND_LOGIN, [text(username), text(kind)]).await? {
        None => Ok(None),
        Some(row) => Ok(Some((super::identity::identity(&row)?, row.get("verifier")?))),
    }
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

/// A person of a school, and by what they can sign in.
#[derive(Debug, Clone)]
pub struct Holder {
    /// Who.
    pub identity: Identity,
    /// As what they are there.
    pub profile: Profile,
    /// Whether they have a password.
    pub password: bool,
    /// Whether they have a picture code.
    pub picture: bool,
}

/// The people of a school on a day, once for each profile they have there.
///
/// # Errors
/// [`StoreError`].
pub async fn holders(conn: &mut Conn, school: &Uai, day: Date) -> Result<Vec<Holder>, StoreError> {
    conn.all(HOLDERS, [text(school), day.into()])
        .await?
        .iter()
        .map(|row| {
            Ok(Holder {
                identity: super::identity::identity(row)?,
                profile: row.parse("profile")?,
                password: row.get::<i64>("passwords")? > 0,
                picture: row.get::<i64>("pictures")? > 0,
            })
        })
        .collect()
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
