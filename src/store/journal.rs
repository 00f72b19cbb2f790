//! What a run of imports or a merge changed in rows that were there before, so that it can be put back exactly.

use std::collections::{HashMap, HashSet};

use super::db::{Bulk, Conn, Row, Tx};
use super::image::{Image, by_table};
use super::value::{Value, text};
use super::{StoreError, statements};
use crate::base::id::ImportRunId;

statements! {
    // Latest first: what was changed twice is put back twice.
    PAGE = "SELECT turn, sequence, table_name, row_key, before FROM change WHERE run_id = $1
        AND (turn < $2 OR (turn = $2 AND sequence < $3)) ORDER BY turn DESC, sequence DESC LIMIT 500";
    OF_TABLE = "SELECT table_name, row_key, before FROM change WHERE run_id = $1 AND table_name = $2
        ORDER BY turn DESC, sequence DESC";
    COUNT = "SELECT CAST(COUNT(*) AS BIGINT) AS number FROM change WHERE run_id = $1";
    FORGET = "DELETE FROM change WHERE run_id = $1";
    // Rows that another run changed after this one did.
    CHANGED_LATER = "SELECT CAST(COUNT(*) AS BIGINT) AS number FROM change mine
        JOIN change later ON later.table_name = mine.table_name AND later.row_key = mine.row_key
        WHERE mine.run_id = $1 AND later.run_id <> $1 AND later.turn > mine.turn";
}

const ADD: Bulk = Bulk {
    name: "ADD",
    head: "INSERT INTO change (run_id, turn, sequence, table_name, row_key, before) VALUES ",
    width: 6,
    rows: true,
    tail: "",
};

pub(super) const BULKS: &[Bulk] = &[ADD];

/// A journalled change of one row.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Change {
    /// The table.
    pub table: String,
    /// The key of the row.
    pub key: String,
    /// The changed columns as they were (JSON); `None` where there was no row.
    pub before: Option<String>,
}

/// The stored form of "there was no row".
const NO_ROW: &str = "null";

/// Changes in the order they are made.
#[derive(Debug, Default)]
pub struct Journal(Vec<Change>);

impl Journal {
    /// Notes that a row is about to change; nothing where it does not. Whether it does.
    pub fn changes(&mut self, image: &Image, before: &[Value], after: &[Value]) -> bool {
        let difference = image.difference(before, after);
        let changed = difference.is_some();
        if changed {
            self.0.push(Change {
                table: image.table.to_owned(),
                key: image.key_of(before),
                before: difference,
            });
        }
        changed
    }

    /// Notes that a row is about to be made that no undo would find by itself.
    pub fn makes(&mut self, image: &Image, row: &[Value]) {
        self.0.push(Change {
            table: image.table.to_owned(),
            key: image.key_of(row),
            before: None,
        });
    }

    /// Notes that a row is about to go away.
    pub fn removes(&mut self, image: &Image, row: &[Value]) {
        self.0.push(Change {
            table: image.table.to_owned(),
            key: image.key_of(row),
            before: Some(image.whole(row)),
        });
    }

    /// Notes changes that were made elsewhere, after the ones noted.
    pub fn extend(&mut self, changes: Vec<Change>) {
        self.0.extend(changes);
    }

    /// The changes, in order.
    pub fn into_changes(self) -> Vec<Change> {
        self.0
    }
}

/// Keeps the changes that a run made in a turn.
///
/// # Errors
/// [`StoreError`].
pub async fn append(
    tx: &mut Tx,
    run: ImportRunId,
    turn: i64,
    changes: Vec<Change>,
) -> Result<(), StoreError> {
    let rows = changes
        .into_iter()
        .zip(0i64..)
        .map(|(change, sequence)| {
            vec![
                text(run),
                turn.into(),
                sequence.into(),
                change.table.into(),
                change.key.into(),
                change.before.unwrap_or_else(|| NO_ROW.to_owned()).into(),
            ]
        })
        .collect();
    tx.execute_many(ADD, rows).await.map(drop)
}

fn change(row: &Row) -> Result<Change, StoreError> {
    Ok(Change {
        table: row.get("table_name")?,
        key: row.get("row_key")?,
        before: Some(row.get::<String>("before")?).filter(|before| before != NO_ROW),
    })
}

/// What a run changed in one table of which it changes few rows, latest first.
///
/// # Errors
/// [`StoreError`].
pub async fn of_table(conn: &mut Conn, run: ImportRunId, table: &str) -> Result<Vec<Change>, StoreError> {
    let rows = conn.all(OF_TABLE, [text(run), text(table)]).await?;
    rows.iter().map(change).collect()
}

/// How many changes of a run are kept.
///
/// # Errors
/// [`StoreError`].
pub async fn count(conn: &mut Conn, run: ImportRunId) -> Result<i64, StoreError> {
    conn.number(COUNT, [text(run)]).await
}

/// How many of a run's changed rows another run has changed since.
///
/// # Errors
/// [`StoreError`].
pub async fn changed_later(conn: &mut Conn, run: ImportRunId) -> Result<i64, StoreError> {
    conn.number(CHANGED_LATER, [text(run)]).await
}

/// Puts back everything a run changed, latest first, and forgets its changes; answers how many there were.
///
/// # Errors
/// [`StoreError`].
pub async fn restore_run(tx: &mut Tx, run: ImportRunId) -> Result<i64, StoreError> {
    let (mut turn, mut sequence, mut count) = (i64::MAX, i64::MAX, 0);
    loop {
        let page = tx.all(PAGE, [text(run), turn.into(), sequence.into()]).await?;
        let mut changes = Vec::with_capacity(page.len());
        for row in &page {
            (turn, sequence) = (row.get("turn")?, row.get("sequence")?);
            changes.push(change(row)?);
            count += 1;
        }
        if changes.is_empty() {
            tx.execute(FORGET, [text(run)]).await?;
            return Ok(count);
        }
        restore(tx, &changes).await?;
    }
}

/// Puts back changes, given latest first.
///
/// # Errors
/// [`StoreError::Corrupt`] where a row is gone of which only a part is known.
pub async fn restore(tx: &mut Tx, changes: &[Change]) -> Result<(), StoreError> {
    let mut tables: Vec<&str> = Vec::new();
    for change in changes {
        if !tables.contains(&change.table.as_str()) {
            tables.push(&change.table);
        }
    }
    for table in tables {
        let image = by_table(table)?;
        let of_table = || changes.iter().filter(|change| change.table == table);
        let mut keys: Vec<String> = of_table().map(|change| change.key.clone()).collect();
        keys.sort();
        keys.dedup();
        let mut rows: HashMap<String, Option<Vec<Value>>> = image
            .load(tx, &keys)
            .await?
            .into_iter()
            .map(|(key, row)| (key, Some(row)))
            .collect();
        for change in of_table() {
            let row = rows.get(&change.key).and_then(|row| row.as_deref());
            let restored = match &change.before {
                Some(_) if row.is_none() && image.is_purged() => None,
                Some(before) => Some(image.restored(row, before)?),
                None => None,
            };
            rows.insert(change.key.clone(), restored);
        }
        // Rows are written in the order of their last change, so that a name goes free before it is taken again.
        let mut order: Vec<&String> = Vec::with_capacity(keys.len());
        let mut seen = HashSet::new();
        for change in changes.iter().rev().filter(|change| change.table == table) {
            if seen.insert(&change.key) {
                order.push(&change.key);
            }
        }
        order.reverse();
        let mut saved = Vec::new();
        for key in order {
            match rows.remove(key).flatten() {
                Some(row) => saved.push(row),
                None => image.delete(tx, key).await?,
            }
        }
        image.save(tx, saved).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::random::SeededRandom;
    use crate::base::time::Timestamp;
    use crate::store::image::{CREDENTIAL, IDENTITY};
    use crate::store::testing::{on_each_engine, person};

    #[tokio::test]
    async fn a_run_is_put_back_in_reverse_even_where_a_login_name_moved() {
        on_each_engine(async |db| {
            let run = ImportRunId::new(Timestamp::from_seconds(1), &SeededRandom::new(1));
            let mut tx = db.begin().await.unwrap();
            let (mut lina, maddi) = (person("Lina", 1), person("Maddi", 2));
            lina.username = Some("lina".into());
            for person in [&lina, &maddi] {
                crate::store::identity::insert(&mut tx, person).await.unwrap();
            }
            let keys = [lina.id.to_string(), maddi.id.to_string()];
            let before = IDENTITY.load(&mut tx, &keys).await.unwrap();
            let [first, second] = keys.clone().map(|key| before[&key].clone());
            let name = IDENTITY_USERNAME;
            let (mut without, mut with) = (first.clone(), second.clone());
            (without[name], with[name]) = (Value::Text(None), text("lina"));
            let credential = vec![
                keys[0].clone().into(),
                text("password"),
                text("hash"),
                5i64.into(),
            ];
            let moved = vec![
                keys[1].clone().into(),
                text("password"),
                text("hash"),
                5i64.into(),
            ];
            CREDENTIAL.save(&mut tx, vec![credential.clone()]).await.unwrap();

            let mut journal = Journal::default();
            assert!(journal.changes(&IDENTITY, &first, &without));
            assert!(!journal.changes(&IDENTITY, &first, &first));
            IDENTITY.save(&mut tx, vec![without]).await.unwrap();
            journal.removes(&CREDENTIAL, &credential);
            CREDENTIAL
                .delete(&mut tx, &CREDENTIAL.key_of(&credential))
                .await
                .unwrap();
            append(&mut tx, run, 1, journal.into_changes()).await.unwrap();
            let mut journal = Journal::default();
            journal.changes(&IDENTITY, &second, &with);
            IDENTITY.save(&mut tx, vec![with]).await.unwrap();
            journal.makes(&CREDENTIAL, &moved);
            CREDENTIAL.save(&mut tx, vec![moved]).await.unwrap();
            append(&mut tx, run, 2, journal.into_changes()).await.unwrap();
            assert_eq!(count(&mut tx, run).await.unwrap(), 4);

            assert_eq!(restore_run(&mut tx, run).await.unwrap(), 4);
            assert_eq!(IDENTITY.load(&mut tx, &keys).await.unwrap(), before);
            let credentials = CREDENTIAL
                .load(
                    &mut tx,
                    &[format!("{}\tpassword", keys[0]), format!("{}\tpassword", keys[1])],
                )
                .await
                .unwrap();
            assert_eq!(credentials.into_values().collect::<Vec<_>>(), [credential]);
            assert_eq!(count(&mut tx, run).await.unwrap(), 0);
        })
        .await;
    }

    const IDENTITY_USERNAME: usize = 8;
}
