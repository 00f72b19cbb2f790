//! Client assertions and proofs of possession that were seen: each is good once, on any node, until it expires by itself
//! (RFC 7523 §3 point 7, RFC 9449 §11.1).

use super::db::Tx;
use super::{StoreError, statements};
use crate::base::secret::sha256;
use crate::base::time::Timestamp;

statements! {
    // The single-use gate: one row is the caller's, none means that it was seen before.
    CLAIM = "INSERT INTO used_proof (proof_hash, expires_at) VALUES ($1, $2) ON CONFLICT DO NOTHING";
    PURGE = "DELETE FROM used_proof WHERE expires_at < $1";
}

/// What is used once: the kind keeps the identifiers of one kind of proof apart from those of another, the owner (a
/// client, a key) those of one party from those of another.
#[derive(Debug, Clone, Copy)]
pub struct Proof<'a> {
    /// `assertion`, `dpop`, `request`.
    pub kind: &'static str,
    /// Whose it is.
    pub owner: &'a str,
    /// Its own identifier (`jti`).
    pub jti: &'a str,
}

impl Proof<'_> {
    fn hash(self) -> [u8; 32] {
        let mut bytes = Vec::with_capacity(128);
        for part in [self.kind, self.owner, self.jti] {
            bytes.extend_from_slice(&(part.len() as u64).to_be_bytes());
            bytes.extend_from_slice(part.as_bytes());
        }
        sha256(&bytes)
    }
}

/// Takes a proof; whether it is the caller's. Of many callers at once, on any node, one gets it.
///
/// # Errors
/// [`StoreError`].
pub async fn claim(tx: &mut Tx, proof: Proof<'_>, expires_at: Timestamp) -> Result<bool, StoreError> {
    let values = [proof.hash().into(), expires_at.into()];
    Ok(tx.execute(CLAIM, values).await? == 1)
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
    use super::*;
    use crate::store::testing::on_each_engine;

    const NOW: Timestamp = Timestamp::from_seconds(1_790_000_000);

    #[tokio::test]
    async fn of_twenty_callers_at_once_one_takes_the_proof_and_kinds_and_owners_are_apart() {
        on_each_engine(async |db| {
            let proof = |kind, owner| Proof {
                kind,
                owner,
                jti: "1",
            };
            let tasks: Vec<_> = (0..20)
                .map(|_| {
                    let db = db.clone();
                    tokio::spawn(async move {
                        let mut tx = db.begin().await.unwrap();
                        let taken = claim(&mut tx, proof("assertion", "ent"), NOW).await.unwrap();
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
            let mut tx = db.begin().await.unwrap();
            assert!(claim(&mut tx, proof("dpop", "ent"), NOW).await.unwrap());
            assert!(claim(&mut tx, proof("assertion", "cantine"), NOW).await.unwrap());
            assert!(!claim(&mut tx, proof("assertion", "ent"), NOW).await.unwrap());
            assert_eq!(purge(&mut tx, NOW).await.unwrap(), 0);
            let later = NOW.plus(std::time::Duration::from_secs(1));
            assert_eq!(purge(&mut tx, later).await.unwrap(), 3);
        })
        .await;
    }
}
