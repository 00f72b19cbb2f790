//! Where relying parties take security events (RFC 8935), and what they let them in by.

use super::db::{Bulk, Conn, Row, Tx};
use super::value::text;
use super::{StoreError, statements};
use crate::domain::relying_party::RelyingPartyId;

statements! {
    FIND = "SELECT client_id, uri, token_sealed FROM event_receiver WHERE client_id = $1";
    SAVE = "INSERT INTO event_receiver (client_id, uri, token_sealed) VALUES ($1, $2, $3)
        ON CONFLICT (client_id) DO UPDATE SET uri = excluded.uri, token_sealed = excluded.token_sealed";
    DELETE = "DELETE FROM event_receiver WHERE client_id = $1";
}

// One that is out of use is told nothing.
const OF_SECTORS: Bulk = Bulk {
    name: "OF_SECTORS",
    head: "SELECT p.sector, r.client_id FROM event_receiver r JOIN relying_party p ON p.id = r.client_id
        WHERE p.enabled AND p.sector IN (",
    width: 1,
    rows: false,
    tail: ") ORDER BY r.client_id",
};

pub(super) const BULKS: &[Bulk] = &[OF_SECTORS];

/// Where a party takes events.
#[derive(Clone, PartialEq, Eq)]
pub struct Receiver {
    /// The address.
    pub uri: String,
    /// The token that it lets us in by, sealed.
    pub token: Option<Vec<u8>>,
}

impl std::fmt::Debug for Receiver {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Receiver")
            .field("uri", &self.uri)
            .field("has_token", &self.token.is_some())
            .finish()
    }
}

fn receiver(row: &Row) -> Result<Receiver, StoreError> {
    Ok(Receiver {
        uri: row.get("uri")?,
        token: row.get("token_sealed")?,
    })
}

/// Where a party takes events, where it does.
///
/// # Errors
/// [`StoreError`].
pub async fn find(conn: &mut Conn, client: &RelyingPartyId) -> Result<Option<Receiver>, StoreError> {
    conn.optional(FIND, [text(client)])
        .await?
        .as_ref()
        .map(receiver)
        .transpose()
}

/// Keeps where a party takes events from now on.
///
/// # Errors
/// [`StoreError`].
pub async fn save(tx: &mut Tx, client: &RelyingPartyId, receiver: &Receiver) -> Result<(), StoreError> {
    let values = [text(client), text(&receiver.uri), receiver.token.clone().into()];
    tx.execute(SAVE, values).await.map(drop)
}

/// A party takes no events any more; whether it did.
///
/// # Errors
/// [`StoreError`].
pub async fn delete(tx: &mut Tx, client: &RelyingPartyId) -> Result<bool, StoreError> {
    Ok(tx.execute(DELETE, [text(client)]).await? == 1)
}

/// The parties in use that take events, of some sectors: each with its sector, by id.
///
/// # Errors
/// [`StoreError`].
pub async fn of_sectors(
    conn: &mut Conn,
    sectors: &[&str],
) -> Result<Vec<(String, RelyingPartyId)>, StoreError> {
    let keys: Vec<_> = sectors.iter().map(|sector| text(*sector)).collect();
    let rows = conn.all_in(OF_SECTORS, &keys).await?;
    rows.iter()
        .map(|row| Ok((row.get("sector")?, row.parse("client_id")?)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::relying_party;
    use crate::store::testing::{on_each_engine, relying_party as sample};

    #[tokio::test]
    async fn a_receiver_is_kept_changed_found_by_sector_and_forgotten() {
        on_each_engine(async |db| {
            let mut tx = db.begin().await.unwrap();
            let mut told = Receiver {
                uri: "https://ent.example/events".into(),
                token: Some(vec![1, 2]),
            };
            for (id, enabled) in [("cantine", false), ("ent", true), ("notes", true)] {
                let mut party = sample(id);
                party.sector = "somme".into();
                party.enabled = enabled;
                relying_party::save(&mut tx, &party).await.unwrap();
            }
            let ent: RelyingPartyId = "ent".parse().unwrap();
            for id in ["ent", "cantine"] {
                save(&mut tx, &id.parse().unwrap(), &told).await.unwrap();
            }
            let expected = [("somme".to_owned(), ent.clone())];
            assert_eq!(of_sectors(&mut tx, &["somme", "rien"]).await.unwrap(), expected);
            assert_eq!(of_sectors(&mut tx, &["rien"]).await.unwrap(), []);
            assert_eq!(find(&mut tx, &ent).await.unwrap().as_ref(), Some(&told));
            told.token = None;
            save(&mut tx, &ent, &told).await.unwrap();
            assert_eq!(find(&mut tx, &ent).await.unwrap().as_ref(), Some(&told));
            assert!(delete(&mut tx, &ent).await.unwrap());
            assert!(!delete(&mut tx, &ent).await.unwrap());
            assert_eq!(find(&mut tx, &ent).await.unwrap(), None);
            assert!(!format!("{told:?}").contains("[1, 2]"));
        })
        .await;
    }
}
