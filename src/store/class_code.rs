//! Codes of class pages: found by a keyed hash, sealed so that they can be printed again.

use super::db::{Conn, Tx};
use super::value::text;
use super::{StoreError, statements};
use crate::base::id::ClassGroupId;
use crate::base::time::Timestamp;

statements! {
    FIND_CLASS = "SELECT class_id FROM class_code WHERE code_index = $1";
    FIND_SEALED = "SELECT code_sealed FROM class_code WHERE class_id = $1";
    ADD = "INSERT INTO class_code (class_id, code_index, code_sealed, issued_at) VALUES ($1, $2, $3, $4)
        ON CONFLICT (class_id) DO NOTHING";
    SET = "INSERT INTO class_code (class_id, code_index, code_sealed, issued_at) VALUES ($1, $2, $3, $4)
        ON CONFLICT (class_id) DO UPDATE SET code_index = excluded.code_index, code_sealed = excluded.code_sealed,
        issued_at = excluded.issued_at";
}

/// A code as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredCode {
    /// Its keyed hash.
    pub index: [u8; 32],
    /// The code, sealed.
    pub sealed: Vec<u8>,
    /// When it was made.
    pub issued_at: Timestamp,
}

/// The class whose code has this keyed hash.
///
/// # Errors
/// [`StoreError`].
pub async fn find_class(conn: &mut Conn, index: &[u8; 32]) -> Result<Option<ClassGroupId>, StoreError> {
    conn.optional(FIND_CLASS, [index.into()])
        .await?
        .map(|row| row.parse("class_id"))
        .transpose()
}

/// The sealed code of a class, where it has one.
///
/// # Errors
/// [`StoreError`].
pub async fn find_sealed(conn: &mut Conn, class: ClassGroupId) -> Result<Option<Vec<u8>>, StoreError> {
    conn.optional(FIND_SEALED, [text(class)])
        .await?
        .map(|row| row.get("code_sealed"))
        .transpose()
}

/// Gives a class that has none its code; whether it was this call that did.
///
/// # Errors
/// [`StoreError`].
pub async fn add(tx: &mut Tx, class: ClassGroupId, code: &StoredCode) -> Result<bool, StoreError> {
    let values = [
        text(class),
        (&code.index).into(),
        code.sealed.as_slice().into(),
        code.issued_at.into(),
    ];
    Ok(tx.execute(ADD, values).await? == 1)
}

/// Gives a class a new code; the former opens nothing any more.
///
/// # Errors
/// [`StoreError`].
pub async fn set(tx: &mut Tx, class: ClassGroupId, code: &StoredCode) -> Result<(), StoreError> {
    let values = [
        text(class),
        (&code.index).into(),
        code.sealed.as_slice().into(),
        code.issued_at.into(),
    ];
    tx.execute(SET, values).await.map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::random::SeededRandom;
    use crate::store::testing::on_each_engine;

    #[tokio::test]
    async fn the_first_code_stays_until_it_is_renewed() {
        on_each_engine(async |db| {
            let now = Timestamp::from_seconds(1);
            let class = ClassGroupId::new(now, &SeededRandom::new(1));
            let code = |byte: u8| StoredCode {
                index: [byte; 32],
                sealed: vec![byte; 40],
                issued_at: now,
            };
            let mut tx = db.begin().await.unwrap();
            assert!(add(&mut tx, class, &code(1)).await.unwrap());
            assert!(!add(&mut tx, class, &code(2)).await.unwrap());
            assert_eq!(find_class(&mut tx, &[1; 32]).await.unwrap(), Some(class));
            assert_eq!(find_class(&mut tx, &[2; 32]).await.unwrap(), None);
            set(&mut tx, class, &code(3)).await.unwrap();
            assert_eq!(find_class(&mut tx, &[1; 32]).await.unwrap(), None);
            assert_eq!(find_class(&mut tx, &[3; 32]).await.unwrap(), Some(class));
            assert_eq!(find_sealed(&mut tx, class).await.unwrap(), Some(vec![3; 40]));
        })
        .await;
    }
}
