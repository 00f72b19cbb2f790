//! What people were told about services, or said yes to: one row for each person and service.

use super::db::{Conn, Row, Tx};
use super::value::text;
use super::{StoreError, statements};
use crate::base::id::IdentityId;
use crate::base::time::Timestamp;
use crate::domain::acknowledgement::{Acknowledgement, Covered};
use crate::domain::relying_party::RelyingPartyId;

statements! {
    FIND = "SELECT identity_id, client_id, kind, attributes, rights, since, given_at FROM acknowledgement
        WHERE identity_id = $1 AND client_id = $2";
    ALL_OF = "SELECT identity_id, client_id, kind, attributes, rights, since, given_at FROM acknowledgement
        WHERE identity_id = $1 ORDER BY client_id";
    // What was said before of the same kind has stood since; a yes is no older than the first yes.
    SAVE = "INSERT INTO acknowledgement (identity_id, client_id, kind, attributes, rights, since, given_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7)
        ON CONFLICT (identity_id, client_id) DO UPDATE SET
            since = CASE WHEN acknowledgement.kind = excluded.kind THEN acknowledgement.since ELSE excluded.since END,
            kind = excluded.kind, attributes = excluded.attributes, rights = excluded.rights,
            given_at = excluded.given_at";
    // Of whoever the person absorbed too, or the undoing of a merge would bring it back.
    FORGET = "WITH RECURSIVE absorbed (id) AS (
            SELECT id FROM identity WHERE status = 'merged' AND status_detail = $1
            UNION SELECT i.id FROM identity i JOIN absorbed a ON i.status = 'merged' AND i.status_detail = a.id)
        DELETE FROM acknowledgement WHERE client_id = $2 AND kind = 'consent'
            AND (identity_id = $1 OR identity_id IN (SELECT id FROM absorbed))";
}

fn acknowledgement(row: &Row) -> Result<Acknowledgement, StoreError> {
    let attributes: String = row.get("attributes")?;
    let rights: String = row.get("rights")?;
    Ok(Acknowledgement {
        identity: row.parse("identity_id")?,
        client: row.parse("client_id")?,
        kind: row.parse("kind")?,
        covered: Covered::read(&attributes, &rights)
            .map_err(|error| StoreError::corrupt("acknowledgement.attributes", error))?,
        since: Timestamp::from_micros(row.get("since")?),
        given_at: Timestamp::from_micros(row.get("given_at")?),
    })
}

/// What a person was told about a service, or said yes to.
///
/// # Errors
/// [`StoreError`].
pub async fn find(
    conn: &mut Conn,
    identity: IdentityId,
    client: &RelyingPartyId,
) -> Result<Option<Acknowledgement>, StoreError> {
    let row = conn.optional(FIND, [text(identity), text(client)]).await?;
    row.as_ref().map(acknowledgement).transpose()
}

/// Everything that a person was told, or said yes to.
///
/// # Errors
/// [`StoreError`].
pub async fn all_of(conn: &mut Conn, identity: IdentityId) -> Result<Vec<Acknowledgement>, StoreError> {
    let rows = conn.all(ALL_OF, [text(identity)]).await?;
    rows.iter().map(acknowledgement).collect()
}

/// Keeps what a person was told or said yes to, in the place of what was kept before; the first time of the same kind
/// stays.
///
/// # Errors
/// [`StoreError`].
pub async fn save(tx: &mut Tx, given: &Acknowledgement) -> Result<(), StoreError> {
    let values = [
        text(given.identity),
        text(&given.client),
        text(given.kind),
        given.covered.attribute_names().into(),
        given.covered.right_names().into(),
        given.since.into(),
        given.given_at.into(),
    ];
    tx.execute(SAVE, values).await.map(drop)
}

/// Forgets a consent, also of identities that went into this one; whether there was one and it was this call that did.
///
/// # Errors
/// [`StoreError`].
pub async fn forget_consent(
    tx: &mut Tx,
    identity: IdentityId,
    client: &RelyingPartyId,
) -> Result<bool, StoreError> {
    Ok(tx.execute(FORGET, [text(identity), text(client)]).await? > 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::acknowledgement::Kind;
    use crate::store::testing::{on_each_engine, person};

    #[tokio::test]
    async fn the_latest_word_counts_the_first_of_its_kind_dates_it_and_only_a_consent_is_forgotten() {
        on_each_engine(async |db| {
            let lina = person("Lina", 1).id;
            let given = |client: &str, kind, attributes: &str, at| Acknowledgement {
                identity: lina,
                client: client.parse().unwrap(),
                kind,
                covered: Covered::read(attributes, "offline_access").unwrap(),
                since: Timestamp::from_seconds(at),
                given_at: Timestamp::from_seconds(at),
            };
            let (club, ent) = ("club".parse().unwrap(), "ent".parse().unwrap());
            let mut tx = db.begin().await.unwrap();
            assert_eq!(find(&mut tx, lina, &club).await.unwrap(), None);
            let told = given("club", Kind::Information, "", 1);
            save(&mut tx, &told).await.unwrap();
            assert!(
                !forget_consent(&mut tx, lina, &club).await.unwrap(),
                "she was told only"
            );
            assert_eq!(find(&mut tx, lina, &club).await.unwrap(), Some(told));
            save(&mut tx, &given("club", Kind::Consent, "name", 2))
                .await
                .unwrap();
            save(&mut tx, &given("club", Kind::Consent, "name class", 3))
                .await
                .unwrap();
            let ent_told = given("ent", Kind::Information, "class", 4);
            save(&mut tx, &ent_told).await.unwrap();
            let consent = Acknowledgement {
                since: Timestamp::from_seconds(2),
                ..given("club", Kind::Consent, "name class", 3)
            };
            assert_eq!(all_of(&mut tx, lina).await.unwrap(), [consent, ent_told.clone()]);
            assert!(forget_consent(&mut tx, lina, &club).await.unwrap());
            assert!(!forget_consent(&mut tx, lina, &club).await.unwrap());
            assert!(!forget_consent(&mut tx, lina, &ent).await.unwrap());
            assert_eq!(all_of(&mut tx, lina).await.unwrap(), [ent_told]);
        })
        .await;
    }
}
