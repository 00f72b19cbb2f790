//! Signing keys, their private halves sealed.

use super::db::{Conn, Row, Tx};
use super::value::text;
use super::{StoreError, statements};
use crate::base::time::Timestamp;
use crate::domain::signing_key::{KeyState, SigningKey};
use crate::jose::Jwk;

statements! {
    PUBLISHED = "SELECT id, algorithm, state, public_jwk, private_sealed, created_at, activated_at, retired_at
        FROM signing_key WHERE retired_at IS NULL OR retired_at > $1 ORDER BY created_at, id";
    // Of two nodes that make the same state at once, the partial unique indexes let one.
    ADD = "INSERT INTO signing_key (id, algorithm, state, public_jwk, private_sealed, created_at, activated_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING";
    MOVE = "UPDATE signing_key SET state = $3, activated_at = $4, retired_at = $5 WHERE id = $1 AND state = $2";
    // What will never sign again can never leak.
    RETIRE = "UPDATE signing_key SET state = $3, activated_at = $4, retired_at = $5, private_sealed = $6
        WHERE id = $1 AND state = $2";
    ERASE_RETIRED = "UPDATE signing_key SET private_sealed = $1 WHERE state = 'retired' AND length(private_sealed) > 0";
}

/// A key as it is kept.
#[derive(Debug, Clone)]
pub struct Kept {
    /// The key and where it stands.
    pub key: SigningKey,
    /// Its public half.
    pub public: Jwk,
    /// Its private half, sealed for its id; nothing once it is retired.
    pub sealed: Vec<u8>,
}

impl Kept {
    /// Whether it holds what it can never use again.
    pub fn is_left_over(&self) -> bool {
        self.key.state.retired_at().is_some() && !self.sealed.is_empty()
    }
}

fn kept(row: &Row) -> Result<Kept, StoreError> {
    let at = |column| Ok::<_, StoreError>(row.get::<Option<i64>>(column)?.map(Timestamp::from_micros));
    let state = KeyState::from_stored(
        &row.get::<String>("state")?,
        at("activated_at")?,
        at("retired_at")?,
    );
    let json: serde_json::Value = serde_json::from_str(&row.get::<String>("public_jwk")?)
        .map_err(|error| StoreError::corrupt("public_jwk", error))?;
    Ok(Kept {
        key: SigningKey {
            id: row.parse("id")?,
            algorithm: row.parse("algorithm")?,
            state: state.map_err(|error| StoreError::corrupt("state", error))?,
            created_at: Timestamp::from_micros(row.get("created_at")?),
        },
        public: Jwk::from_json(&json).map_err(|error| StoreError::corrupt("public_jwk", error))?,
        sealed: row.get("private_sealed")?,
    })
}

/// Every key but those retired at or before `retired_before`, oldest first.
///
/// # Errors
/// [`StoreError`].
pub async fn published(conn: &mut Conn, retired_before: Timestamp) -> Result<Vec<Kept>, StoreError> {
    conn.all(PUBLISHED, [retired_before.into()])
        .await?
        .iter()
        .map(kept)
        .collect()
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
        text(new.public.to_json()),
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
pub async fn advance(tx: &mut Tx, from: &KeyState, key: &SigningKey) -> Result<bool, StoreError> {
    let [id, was, state] = [text(key.id), text(from.as_str()), text(key.state.as_str())];
    let (activated_at, retired_at) = (key.state.activated_at(), key.state.retired_at());
    let moved = match key.state {
        KeyState::Retired { .. } => {
            let values = [
                id,
                was,
                state,
                activated_at.into(),
                retired_at.into(),
                Vec::new().into(),
            ];
            tx.execute(RETIRE, values).await?
        }
        KeyState::Next | KeyState::Current { .. } => {
            let values = [id, was, state, activated_at.into(), retired_at.into()];
            tx.execute(MOVE, values).await?
        }
    };
    Ok(moved == 1)
}

/// Overwrites the private halves of retired keys that still have one; answers how many.
///
/// # Errors
/// [`StoreError`].
pub async fn erase_retired(tx: &mut Tx) -> Result<u64, StoreError> {
    tx.execute(ERASE_RETIRED, [Vec::new().into()]).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::id::KeyId;
    use crate::base::random::SeededRandom;
    use crate::domain::relying_party::SigningAlgorithm;
    use crate::jose::{Algorithm, PrivateKey};
    use crate::store::testing::on_each_engine;

    const NOW: Timestamp = Timestamp::from_seconds(1_790_000_000);

    fn new_key(seed: u64) -> Kept {
        Kept {
            key: SigningKey {
                id: KeyId::new(NOW, &SeededRandom::new(seed)),
                algorithm: SigningAlgorithm::Es256,
                state: KeyState::Next,
                created_at: NOW,
            },
            public: PrivateKey::generate(Algorithm::Es256).unwrap().public().clone(),
            sealed: vec![1, 2, 3],
        }
    }

    #[tokio::test]
    async fn one_key_of_an_algorithm_is_next_and_one_current() {
        on_each_engine(async |db| {
            let mut tx = db.begin().await.unwrap();
            let (first, second) = (new_key(1), new_key(2));
            assert!(add(&mut tx, &first).await.unwrap());
            assert!(!add(&mut tx, &second).await.unwrap(), "one is next already");
            let current = first.key.clone().promote(NOW, true).unwrap();
            assert!(advance(&mut tx, &first.key.state, &current).await.unwrap());
            assert!(
                !advance(&mut tx, &first.key.state, &current).await.unwrap(),
                "moved already"
            );
            assert!(add(&mut tx, &second).await.unwrap());
            let found = published(&mut tx, NOW).await.unwrap();
            assert_eq!(
                found.iter().map(|kept| &kept.key).collect::<Vec<_>>(),
                [&current, &second.key]
            );
            assert_eq!(
                (&found[0].public, &found[0].sealed),
                (&first.public, &first.sealed)
            );

            let retired = current.clone().retire(NOW).unwrap();
            assert!(advance(&mut tx, &current.state, &retired).await.unwrap());
            assert_eq!(published(&mut tx, NOW).await.unwrap().len(), 1);
            let before = NOW.minus(std::time::Duration::from_secs(1));
            let kept = published(&mut tx, before).await.unwrap();
            assert_eq!(
                (&kept[0].key, kept[0].sealed.len()),
                (&retired, 0),
                "the private half is gone"
            );
            assert_eq!(erase_retired(&mut tx).await.unwrap(), 0);
            let of_old = super::super::db::Statement {
                name: "of a version before",
                sql: "UPDATE signing_key SET private_sealed = $1 WHERE state = 'retired'",
            };
            tx.execute(of_old, [vec![1, 2, 3].into()]).await.unwrap();
            assert!(published(&mut tx, before).await.unwrap()[0].is_left_over());
            assert_eq!(erase_retired(&mut tx).await.unwrap(), 1);
            assert!(!published(&mut tx, before).await.unwrap()[0].is_left_over());
        })
        .await;
    }
}
