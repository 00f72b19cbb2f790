//! The keys that SAML messages and our metadata are signed with, their private halves sealed, each with its certificate.

use super::db::{Conn, Row, Tx};
use super::value::text;
use super::{StoreError, statements};
use crate::base::time::Timestamp;
use crate::domain::signing_key::{KeyState, SigningKey};

statements! {
    ALL = "SELECT id, algorithm, state, certificate, private_sealed, created_at, activated_at, retired_at
        FROM saml_key ORDER BY created_at, id";
    // Of two nodes that make the same state at once, the partial unique indexes let one.
    ADD = "INSERT INTO saml_key (id, algorithm, state, certificate, private_sealed, created_at, activated_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING";
    MOVE = "UPDATE saml_key SET state = $3, activated_at = $4, retired_at = $5, private_sealed = $6
        WHERE id = $1 AND state = $2";
}

/// A key as it is kept.
#[derive(Debug, Clone)]
pub struct Kept {
    /// The key and where it stands.
    pub key: SigningKey,
    /// Its certificate, DER.
    pub certificate: Vec<u8>,
    /// Its private half, sealed for its id; nothing once it is retired.
    pub sealed: Vec<u8>,
}

fn kept(row: &Row) -> Result<Kept, StoreError> {
    let at = |column| Ok::<_, StoreError>(row.get::<Option<i64>>(column)?.map(Timestamp::from_micros));
    let state = KeyState::from_stored(
        &row.get::<String>("state")?,
        at("activated_at")?,
        at("retired_at")?,
    );
    Ok(Kept {
        key: SigningKey {
            id: row.parse("id")?,
            algorithm: row.parse("algorithm")?,
            state: state.map_err(|error| StoreError::corrupt("state", error))?,
            created_at: Timestamp::from_micros(row.get("created_at")?),
        },
        certificate: row.get("certificate")?,
        sealed: row.get("private_sealed")?,
    })
}

/// Every key, oldest first.
///
/// # Errors
/// [`StoreError`].
pub async fn all(conn: &mut Conn) -> Result<Vec<Kept>, StoreError> {
    conn.all(ALL, []).await?.iter().map(kept).collect()
}

/// Keeps a new key that is next or current; whether it was this call that did.
///
/// # Errors
/// [`StoreError`].
pub async fn add(tx: &mut Tx, new: &Kept) -> Result<bool, StoreError> {
    let values = [
        text(new.key.id),
        text(new.key.algorithm),
        text(new.key.state.as_str()),
        new.certificate.clone().into(),
        new.sealed.clone().into(),
        new.key.created_at.into(),
        new.key.state.activated_at().into(),
    ];
    Ok(tx.execute(ADD, values).await? == 1)
}

/// Moves a key from the state it was loaded in to its new one, and overwrites the private half of one that is retired;
/// whether nobody else had moved it.
///
/// # Errors
/// [`StoreError::Conflict`] where another key is in that state.
pub async fn advance(tx: &mut Tx, from: &Kept, key: &SigningKey) -> Result<bool, StoreError> {
    let sealed = match key.state {
        KeyState::Retired { .. } => Vec::new(),
        KeyState::Next | KeyState::Current { .. } => from.sealed.clone(),
    };
    let values = [
        text(key.id),
        text(from.key.state.as_str()),
        text(key.state.as_str()),
        key.state.activated_at().into(),
        key.state.retired_at().into(),
        sealed.into(),
    ];
    Ok(tx.execute(MOVE, values).await? == 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::id::KeyId;
    use crate::base::random::SeededRandom;
    use crate::domain::relying_party::SigningAlgorithm;
    use crate::store::testing::on_each_engine;

    const NOW: Timestamp = Timestamp::from_seconds(1_790_000_000);

    fn new_key(seed: u64) -> Kept {
        Kept {
            key: SigningKey {
                id: KeyId::new(NOW, &SeededRandom::new(seed)),
                algorithm: SigningAlgorithm::Rs256,
                state: KeyState::Next,
                created_at: NOW,
            },
            certificate: vec![9],
            sealed: vec![1, 2, 3],
        }
    }

    #[tokio::test]
    async fn one_key_of_an_algorithm_is_next_and_one_current_and_a_retired_one_is_erased() {
        on_each_engine(async |db| {
            let mut tx = db.begin().await.unwrap();
            let (first, second) = (new_key(1), new_key(2));
            assert!(add(&mut tx, &first).await.unwrap());
            assert!(!add(&mut tx, &second).await.unwrap(), "one is next already");
            let current = first.key.clone().promote(NOW, true).unwrap();
            assert!(advance(&mut tx, &first, &current).await.unwrap());
            assert!(
                !advance(&mut tx, &first, &current).await.unwrap(),
                "moved already"
            );
            assert!(add(&mut tx, &second).await.unwrap());
            let found = all(&mut tx).await.unwrap();
            assert_eq!((&found[0].key, &found[0].sealed), (&current, &first.sealed));
            let retired = current.clone().retire(NOW).unwrap();
            assert!(advance(&mut tx, &found[0], &retired).await.unwrap());
            let found = all(&mut tx).await.unwrap();
            assert_eq!((&found[0].key, found[0].sealed.len()), (&retired, 0));
            assert_eq!(found[0].certificate, [9]);
        })
        .await;
    }
}
