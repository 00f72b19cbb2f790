//! Sources of SAML metadata: what is declared of each, how its last taking went, and which node is taking it now.
//!
//! A declaration writes the terms, a refresh all the rest. A refresh holds a claim, and every write of it asks whether it
//! still does: what a slow node found never replaces what another has found since.

use super::db::{Bulk, Conn, Row, Tx};
use super::value::{Value, text};
use super::{StoreError, statements};
use crate::base::time::Timestamp;
use crate::domain::saml_source::{Changes, Quarantined, Source, SourceState};

/// The columns of a source.
macro_rules! columns {
    () => {
        "s.id, s.origin, s.terms, s.next_at, s.succeeded_at, s.failed_at, s.failure, s.valid_until, s.etag, s.signed_by,
        s.entities, s.quarantined, s.changed_at, s.changes, s.our_keys"
    };
}

statements! {
    FIND = concat!("SELECT ", columns!(), " FROM saml_source s WHERE s.id = $1");
    ALL = concat!("SELECT ", columns!(), " FROM saml_source s ORDER BY s.id");
    DUE = "SELECT id FROM saml_source WHERE next_at <= $1 AND (claimed_until IS NULL OR claimed_until <= $1) ORDER BY next_at";
    DECLARE = "INSERT INTO saml_source (id, origin, terms, next_at, entities, quarantined, changes, our_keys)
        VALUES ($1, $2, $3, $4, 0, 0, '{}', '[]')
        ON CONFLICT (id) DO UPDATE SET origin = excluded.origin, terms = excluded.terms, next_at = excluded.next_at,
            etag = NULL, claim = NULL, claimed_until = NULL";
    FORGET = "DELETE FROM saml_source WHERE id = $1";
    FORGET_ENTITIES = "DELETE FROM saml_entity WHERE source = $1";
    FORGET_QUARANTINE = "DELETE FROM saml_quarantine WHERE source = $1";
    CLAIM = "UPDATE saml_source SET claim = $2, claimed_until = $3
        WHERE id = $1 AND (claimed_until IS NULL OR claimed_until <= $4)";
    // Whoever holds the claim has the row until the end of the transaction.
    HOLD = "UPDATE saml_source SET claimed_until = $3 WHERE id = $1 AND claim = $2";
    SUCCEED = "UPDATE saml_source SET claim = NULL, claimed_until = NULL, next_at = $2, succeeded_at = $3, failed_at = NULL,
            failure = NULL, valid_until = $4, etag = $5, signed_by = $6, entities = $7, quarantined = $8,
            changed_at = $9, changes = $10, our_keys = $11
        WHERE id = $1";
    FAIL = "UPDATE saml_source SET claim = NULL, claimed_until = NULL, next_at = $2, failed_at = $3, failure = $4 WHERE id = $1";
    STILL = "UPDATE saml_source SET claim = NULL, claimed_until = NULL, next_at = $2, succeeded_at = $3, failed_at = NULL,
            failure = NULL
        WHERE id = $1";
    QUARANTINE = "SELECT entity_id, reason FROM saml_quarantine WHERE source = $1 ORDER BY place";
}

const PUT_ASIDE: Bulk = Bulk {
    name: "PUT_ASIDE",
    head: "INSERT INTO saml_quarantine (source, place, entity_id, reason) VALUES ",
    width: 4,
    rows: true,
    tail: "",
};

pub(super) const BULKS: &[Bulk] = &[PUT_ASIDE];

fn number(row: &Row, column: &str) -> Result<u64, StoreError> {
    u64::try_from(row.get::<i64>(column)?).map_err(|error| StoreError::corrupt(column, error))
}

fn json<T: for<'de> serde::Deserialize<'de>>(row: &Row, column: &str) -> Result<T, StoreError> {
    serde_json::from_str(&row.get::<String>(column)?).map_err(|error| StoreError::corrupt(column, error))
}

fn written(column: &'static str, value: &impl serde::Serialize) -> Result<Value, StoreError> {
    let json = serde_json::to_string(value).map_err(|error| StoreError::corrupt(column, error))?;
    Ok(text(json))
}

fn source(row: &Row) -> Result<(Source, SourceState), StoreError> {
    let at = |column| Ok::<_, StoreError>(row.get::<Option<i64>>(column)?.map(Timestamp::from_micros));
    let changes: Option<Changes> = match row.get::<String>("changes")?.as_str() {
        "{}" => None,
        _ => Some(json(row, "changes")?),
    };
    let declared = Source {
        id: row.get("id")?,
        origin: row.parse("origin")?,
        terms: json(row, "terms")?,
    };
    let state = SourceState {
        next_at: at("next_at")?,
        succeeded_at: at("succeeded_at")?,
        failed_at: at("failed_at")?,
        failure: row.get("failure")?,
        valid_until: at("valid_until")?,
        etag: row.get("etag")?,
        signed_by: row.get("signed_by")?,
        entities: number(row, "entities")?,
        quarantined: number(row, "quarantined")?,
        changed_at: at("changed_at")?,
        changes: changes.unwrap_or_default(),
        our_keys: json(row, "our_keys")?,
    };
    Ok((declared, state))
}

/// One source and how it stands.
///
/// # Errors
/// [`StoreError`].
pub async fn find(conn: &mut Conn, id: &str) -> Result<Option<(Source, SourceState)>, StoreError> {
    conn.optional(FIND, [text(id)])
        .await?
        .as_ref()
        .map(source)
        .transpose()
}

/// Every source and how it stands, by id.
///
/// # Errors
/// [`StoreError`].
pub async fn all(conn: &mut Conn) -> Result<Vec<(Source, SourceState)>, StoreError> {
    conn.all(ALL, []).await?.iter().map(source).collect()
}

/// The ids of the sources that are due and that no node is taking, the longest overdue first.
///
/// # Errors
/// [`StoreError`].
pub async fn due(conn: &mut Conn, now: Timestamp) -> Result<Vec<String>, StoreError> {
    let rows = conn.all(DUE, [now.into()]).await?;
    rows.iter().map(|row| row.get("id")).collect()
}

/// Keeps a source, new or with other terms; it is due at `next_at`, whoever may be taking it under its old terms.
///
/// # Errors
/// [`StoreError`].
pub async fn declare(tx: &mut Tx, source: &Source, next_at: Option<Timestamp>) -> Result<(), StoreError> {
    let values = [
        text(&source.id),
        text(source.origin),
        written("terms", &source.terms)?,
        next_at.into(),
    ];
    tx.execute(DECLARE, values).await.map(drop)
}

/// Forgets a source and all that came from it; whether it was there.
///
/// # Errors
/// [`StoreError`].
pub async fn forget(tx: &mut Tx, id: &str) -> Result<bool, StoreError> {
    let was = tx.execute(FORGET, [text(id)]).await? == 1;
    tx.execute(FORGET_ENTITIES, [text(id)]).await?;
    tx.execute(FORGET_QUARANTINE, [text(id)]).await?;
    Ok(was)
}

/// Takes the claim on a source until a moment; whether nobody else has it.
///
/// # Errors
/// [`StoreError`].
pub async fn claim(
    tx: &mut Tx,
    id: &str,
    claim: &str,
    until: Timestamp,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let values = [text(id), text(claim), until.into(), now.into()];
    Ok(tx.execute(CLAIM, values).await? == 1)
}

/// Prolongs a claim and holds the source until the end of the transaction; whether the claim is still there.
///
/// # Errors
/// [`StoreError`].
pub async fn hold(tx: &mut Tx, id: &str, claim: &str, until: Timestamp) -> Result<bool, StoreError> {
    Ok(tx.execute(HOLD, [text(id), text(claim), until.into()]).await? == 1)
}

/// A source was taken: its new state, and what was left out of it. For whoever holds the source.
///
/// # Errors
/// [`StoreError`].
pub async fn succeed(
    tx: &mut Tx,
    id: &str,
    state: &SourceState,
    quarantined: &[Quarantined],
) -> Result<(), StoreError> {
    let count = |count: u64| Value::Int(Some(i64::try_from(count).unwrap_or(i64::MAX)));
    let values = [
        text(id),
        state.next_at.into(),
        state.succeeded_at.into(),
        state.valid_until.into(),
        state.etag.as_deref().into(),
        state.signed_by.as_deref().into(),
        count(state.entities),
        count(state.quarantined),
        state.changed_at.into(),
        written("changes", &state.changes)?,
        written("our_keys", &state.our_keys)?,
    ];
    tx.execute(SUCCEED, values).await?;
    tx.execute(FORGET_QUARANTINE, [text(id)]).await?;
    let rows = quarantined.iter().zip(0_i64..).map(|(one, place)| {
        vec![
            text(id),
            place.into(),
            one.entity_id.as_deref().into(),
            text(&one.reason),
        ]
    });
    tx.execute_many(PUT_ASIDE, rows.collect()).await.map(drop)
}

/// A source was asked and has nothing new. For whoever holds the source.
///
/// # Errors
/// [`StoreError`].
pub async fn still(tx: &mut Tx, id: &str, next_at: Timestamp, now: Timestamp) -> Result<(), StoreError> {
    tx.execute(STILL, [text(id), next_at.into(), now.into()])
        .await
        .map(drop)
}

/// A source could not be taken: what was taken before stays. For whoever holds the source.
///
/// # Errors
/// [`StoreError`].
pub async fn fail(
    tx: &mut Tx,
    id: &str,
    next_at: Timestamp,
    failed_at: Timestamp,
    failure: &str,
) -> Result<(), StoreError> {
    let values = [text(id), next_at.into(), failed_at.into(), text(failure)];
    tx.execute(FAIL, values).await.map(drop)
}

/// What was left out of a source at its last taking.
///
/// # Errors
/// [`StoreError`].
pub async fn quarantine(conn: &mut Conn, id: &str) -> Result<Vec<Quarantined>, StoreError> {
    let rows = conn.all(QUARANTINE, [text(id)]).await?;
    let read = |row: &Row| {
        Ok(Quarantined {
            entity_id: row.get("entity_id")?,
            reason: row.get("reason")?,
        })
    };
    rows.iter().map(read).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::saml_source::Origin;
    use crate::store::testing::{metadata_source as sample, on_each_engine};
    use std::time::Duration;

    const NOW: Timestamp = Timestamp::from_seconds(1_790_000_000);
    const HOUR: Duration = Duration::from_secs(3600);

    #[tokio::test]
    async fn a_source_is_claimed_by_one_and_reads_back_whole() {
        on_each_engine(async |db| {
            let mut tx = db.begin().await.unwrap();
            let renater = sample("federation:renater", Origin::Federation);
            declare(&mut tx, &renater, Some(NOW)).await.unwrap();
            declare(&mut tx, &sample("party:ent", Origin::File), None)
                .await
                .unwrap();
            assert_eq!(due(&mut tx, NOW).await.unwrap(), ["federation:renater"]);
            assert!(due(&mut tx, NOW.minus(HOUR)).await.unwrap().is_empty());
            let id = renater.id.as_str();
            assert!(claim(&mut tx, id, "one", NOW.plus(HOUR), NOW).await.unwrap());
            assert!(!claim(&mut tx, id, "two", NOW.plus(HOUR), NOW).await.unwrap());
            assert!(due(&mut tx, NOW).await.unwrap().is_empty());
            assert!(!hold(&mut tx, id, "two", NOW).await.unwrap());
            assert!(hold(&mut tx, id, "one", NOW.plus(HOUR)).await.unwrap());
            let state = SourceState {
                next_at: Some(NOW.plus(HOUR)),
                succeeded_at: Some(NOW),
                valid_until: Some(NOW.plus(HOUR * 24)),
                etag: Some("\"1\"".into()),
                signed_by: Some("key".into()),
                entities: 3,
                quarantined: 1,
                changed_at: Some(NOW),
                our_keys: vec!["ours".into()],
                ..SourceState::default()
            };
            let left_out = [Quarantined {
                entity_id: None,
                reason: "no entityID".into(),
            }];
            succeed(&mut tx, id, &state, &left_out).await.unwrap();
            assert_eq!(find(&mut tx, id).await.unwrap(), Some((renater.clone(), state)));
            assert_eq!(quarantine(&mut tx, id).await.unwrap(), left_out);

            fail(&mut tx, id, NOW, NOW, "status 500").await.unwrap();
            let (_, state) = find(&mut tx, id).await.unwrap().unwrap();
            assert_eq!(
                (state.failure.as_deref(), state.entities),
                (Some("status 500"), 3)
            );
            still(&mut tx, id, NOW.plus(HOUR), NOW).await.unwrap();
            let (_, state) = find(&mut tx, id).await.unwrap().unwrap();
            assert_eq!((state.failure, state.failed_at), (None, None));
            assert_eq!(all(&mut tx).await.unwrap().len(), 2);
            assert!(forget(&mut tx, id).await.unwrap());
            assert!(!forget(&mut tx, id).await.unwrap());
            assert!(quarantine(&mut tx, id).await.unwrap().is_empty());
        })
        .await;
    }

    #[tokio::test]
    async fn new_terms_take_the_claim_of_whoever_works_under_the_old_ones() {
        on_each_engine(async |db| {
            let mut tx = db.begin().await.unwrap();
            let mut renater = sample("federation:renater", Origin::Federation);
            declare(&mut tx, &renater, Some(NOW)).await.unwrap();
            assert!(
                claim(&mut tx, &renater.id, "one", NOW.plus(HOUR), NOW)
                    .await
                    .unwrap()
            );
            renater.terms.keys = vec!["other".into()];
            declare(&mut tx, &renater, Some(NOW)).await.unwrap();
            assert!(!hold(&mut tx, &renater.id, "one", NOW).await.unwrap());
        })
        .await;
    }
}
