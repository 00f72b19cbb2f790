//! Upstream providers: what is declared of each, what was fetched of it, and how logins by it go.
//!
//! A declaration writes the first, a refresh the second, a login the third: none of them ever writes another's. A refresh
//! holds a claim, and every write of it asks whether it still does.

use super::db::{Conn, Row, Tx};
use super::value::{Value, text};
use super::{StoreError, statements};
use crate::base::time::Timestamp;
use crate::domain::upstream::{Health, MetadataState, ProviderId, UpstreamProvider};

statements! {
    ALL = "SELECT p.declared, p.secret_sealed FROM upstream_provider p ORDER BY p.place, p.id";
    FIND = "SELECT p.declared, p.secret_sealed, m.metadata, m.next_at, m.succeeded_at, m.failed_at, m.failure, m.valid_until,
            m.changed_at, m.change
        FROM upstream_provider p LEFT JOIN upstream_metadata m ON m.provider = p.id WHERE p.id = $1";
    FIND_BY_ISSUER = "SELECT p.declared, p.secret_sealed, m.metadata, m.next_at, m.succeeded_at, m.failed_at, m.failure,
            m.valid_until, m.changed_at, m.change
        FROM upstream_provider p LEFT JOIN upstream_metadata m ON m.provider = p.id WHERE p.issuer = $1";
    SAVE = "INSERT INTO upstream_provider (id, place, issuer, declared, secret_sealed) VALUES ($1, $2, $3, $4, $5)
        ON CONFLICT (id) DO UPDATE SET place = excluded.place, issuer = excluded.issuer, declared = excluded.declared,
            secret_sealed = excluded.secret_sealed";
    DELETE = "DELETE FROM upstream_provider WHERE id = $1";
    FORGET_METADATA = "DELETE FROM upstream_metadata WHERE provider = $1";
    FORGET_HEALTH = "DELETE FROM upstream_health WHERE provider = $1";
    LINKS = "SELECT CAST(COUNT(*) AS BIGINT) AS number FROM upstream_link WHERE provider = $1 AND ended_at IS NULL";
    EXPECT = "INSERT INTO upstream_metadata (provider, next_at, change) VALUES ($1, $2, '{}')
        ON CONFLICT (provider) DO UPDATE SET next_at = excluded.next_at, claim = NULL, claimed_until = NULL";
    PUT = "INSERT INTO upstream_metadata (provider, metadata, succeeded_at, valid_until, changed_at, change)
        VALUES ($1, $2, $3, $4, $5, $6)
        ON CONFLICT (provider) DO UPDATE SET metadata = excluded.metadata, next_at = NULL, claim = NULL,
            claimed_until = NULL, succeeded_at = excluded.succeeded_at, failed_at = NULL, failure = NULL,
            valid_until = excluded.valid_until, changed_at = excluded.changed_at, change = excluded.change";
    DUE = "SELECT provider FROM upstream_metadata WHERE next_at <= $1 AND (claimed_until IS NULL OR claimed_until <= $1)
        ORDER BY next_at";
    CLAIM = "UPDATE upstream_metadata SET claim = $2, claimed_until = $3
        WHERE provider = $1 AND (claimed_until IS NULL OR claimed_until <= $4)";
    SUCCEED = "UPDATE upstream_metadata SET claim = NULL, claimed_until = NULL, metadata = $3, next_at = $4, succeeded_at = $5,
            failed_at = NULL, failure = NULL, valid_until = $6, changed_at = $7, change = $8
        WHERE provider = $1 AND claim = $2";
    FAIL = "UPDATE upstream_metadata SET claim = NULL, claimed_until = NULL, next_at = $3, failed_at = $4, failure = $5
        WHERE provider = $1 AND claim = $2";
    HEALTH = "SELECT succeeded_at, failed_at, failure, failures FROM upstream_health WHERE provider = $1";
    WORKS = "INSERT INTO upstream_health (provider, succeeded_at, failures) VALUES ($1, $2, 0)
        ON CONFLICT (provider) DO UPDATE SET succeeded_at = excluded.succeeded_at, failures = 0";
    FAILS = "INSERT INTO upstream_health (provider, failed_at, failure, failures) VALUES ($1, $2, $3, 1)
        ON CONFLICT (provider) DO UPDATE SET failed_at = excluded.failed_at, failure = excluded.failure,
            failures = upstream_health.failures + 1";
}

/// A provider as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// What is declared.
    pub provider: UpstreamProvider,
    /// Our secret there, sealed.
    pub secret: Option<Vec<u8>>,
}

fn json<T: for<'de> serde::Deserialize<'de>>(column: &str, text: &str) -> Result<T, StoreError> {
    serde_json::from_str(text).map_err(|error| StoreError::corrupt(column, error))
}

fn written(column: &'static str, value: &impl serde::Serialize) -> Result<Value, StoreError> {
    let json = serde_json::to_string(value).map_err(|error| StoreError::corrupt(column, error))?;
    Ok(text(json))
}

fn kept(row: &Row) -> Result<Kept, StoreError> {
    Ok(Kept {
        provider: json("declared", &row.get::<String>("declared")?)?,
        secret: row.get("secret_sealed")?,
    })
}

fn state(row: &Row) -> Result<MetadataState, StoreError> {
    let at = |column| Ok::<_, StoreError>(row.get::<Option<i64>>(column)?.map(Timestamp::from_micros));
    let change: Option<String> = row.get("change")?;
    let metadata: Option<String> = row.get("metadata")?;
    Ok(MetadataState {
        metadata: metadata.map(|text| json("metadata", &text)).transpose()?,
        next_at: at("next_at")?,
        succeeded_at: at("succeeded_at")?,
        failed_at: at("failed_at")?,
        failure: row.get("failure")?,
        valid_until: at("valid_until")?,
        changed_at: at("changed_at")?,
        change: match change.as_deref() {
            None | Some("{}") => Default::default(),
            Some(text) => json("change", text)?,
        },
    })
}

/// Every provider, in the order of the declaration.
///
/// # Errors
/// [`StoreError`].
pub async fn all(conn: &mut Conn) -> Result<Vec<Kept>, StoreError> {
    conn.all(ALL, []).await?.iter().map(kept).collect()
}

/// A provider and what was fetched of it.
///
/// # Errors
/// [`StoreError`].
pub async fn find(conn: &mut Conn, id: &ProviderId) -> Result<Option<(Kept, MetadataState)>, StoreError> {
    let row = conn.optional(FIND, [text(id)]).await?;
    row.map(|row| Ok((kept(&row)?, state(&row)?))).transpose()
}

/// The provider of an entityID or issuer, byte for byte.
///
/// # Errors
/// [`StoreError`].
pub async fn find_by_issuer(
    conn: &mut Conn,
    issuer: &str,
) -> Result<Option<(Kept, MetadataState)>, StoreError> {
    let row = conn.optional(FIND_BY_ISSUER, [text(issuer)]).await?;
    row.map(|row| Ok((kept(&row)?, state(&row)?))).transpose()
}

/// Keeps what is declared of a provider; `place` is its place in the order.
///
/// # Errors
/// [`StoreError::Conflict`] where another provider has its issuer.
pub async fn save(tx: &mut Tx, new: &Kept, place: i64) -> Result<(), StoreError> {
    let values = [
        text(&new.provider.id),
        place.into(),
        text(new.provider.protocol.issuer()),
        written("declared", &new.provider)?,
        new.secret.clone().into(),
    ];
    tx.execute(SAVE, values).await.map(drop)
}

/// Removes a provider that nobody comes by; whether it did. One that people are linked by stays.
///
/// # Errors
/// [`StoreError`].
pub async fn delete(tx: &mut Tx, id: &ProviderId) -> Result<bool, StoreError> {
    if links(tx, id).await? > 0 {
        return Ok(false);
    }
    for statement in [FORGET_METADATA, FORGET_HEALTH, DELETE] {
        tx.execute(statement, [text(id)]).await?;
    }
    Ok(true)
}

/// How many people are linked by a provider.
///
/// # Errors
/// [`StoreError`].
pub async fn links(conn: &mut Conn, id: &ProviderId) -> Result<i64, StoreError> {
    conn.number(LINKS, [text(id)]).await
}

/// Has the metadata of a provider looked at, at an instant; whatever was taken stays until then.
///
/// # Errors
/// [`StoreError`].
pub async fn expect(tx: &mut Tx, id: &ProviderId, at: Timestamp) -> Result<(), StoreError> {
    tx.execute(EXPECT, [text(id), at.into()]).await.map(drop)
}

/// Forgets what was fetched of a provider.
///
/// # Errors
/// [`StoreError`].
pub async fn forget_metadata(tx: &mut Tx, id: &ProviderId) -> Result<(), StoreError> {
    tx.execute(FORGET_METADATA, [text(id)]).await.map(drop)
}

/// The providers whose metadata are due and that no other node is taking.
///
/// # Errors
/// [`StoreError`].
pub async fn due(conn: &mut Conn, now: Timestamp) -> Result<Vec<ProviderId>, StoreError> {
    let rows = conn.all(DUE, [now.into()]).await?;
    rows.iter().map(|row| row.parse("provider")).collect()
}

/// Claims the metadata of a provider until an instant; whether it is the caller's.
///
/// # Errors
/// [`StoreError`].
pub async fn claim(
    tx: &mut Tx,
    id: &ProviderId,
    (claim, until): (&str, Timestamp),
    now: Timestamp,
) -> Result<bool, StoreError> {
    let values = [text(id), text(claim), until.into(), now.into()];
    Ok(tx.execute(CLAIM, values).await? == 1)
}

/// Keeps what was fetched; whether the claim was still the caller's.
///
/// # Errors
/// [`StoreError`].
pub async fn succeed(
    tx: &mut Tx,
    id: &ProviderId,
    claim: &str,
    state: &MetadataState,
) -> Result<bool, StoreError> {
    let metadata = state.metadata.as_ref();
    let values = [
        text(id),
        text(claim),
        match metadata {
            Some(metadata) => written("metadata", metadata)?,
            None => Value::Text(None),
        },
        state.next_at.into(),
        state.succeeded_at.into(),
        state.valid_until.into(),
        state.changed_at.into(),
        written("change", &state.change)?,
    ];
    Ok(tx.execute(SUCCEED, values).await? == 1)
}

/// Keeps what stands in a declaration: nothing is fetched for it.
///
/// # Errors
/// [`StoreError`].
pub async fn put(tx: &mut Tx, id: &ProviderId, state: &MetadataState) -> Result<(), StoreError> {
    let metadata = match &state.metadata {
        Some(metadata) => written("metadata", metadata)?,
        None => Value::Text(None),
    };
    let values = [
        text(id),
        metadata,
        state.succeeded_at.into(),
        state.valid_until.into(),
        state.changed_at.into(),
        written("change", &state.change)?,
    ];
    tx.execute(PUT, values).await.map(drop)
}

/// Writes down that fetching failed; whether the claim was still the caller's.
///
/// # Errors
/// [`StoreError`].
pub async fn fail(
    tx: &mut Tx,
    (id, claim): (&ProviderId, &str),
    (next_at, now): (Timestamp, Timestamp),
    why: &str,
) -> Result<bool, StoreError> {
    let values = [text(id), text(claim), next_at.into(), now.into(), text(why)];
    Ok(tx.execute(FAIL, values).await? == 1)
}

/// How logins by a provider go.
///
/// # Errors
/// [`StoreError`].
pub async fn health(conn: &mut Conn, id: &ProviderId) -> Result<Health, StoreError> {
    let Some(row) = conn.optional(HEALTH, [text(id)]).await? else {
        return Ok(Health::default());
    };
    let at = |column| Ok::<_, StoreError>(row.get::<Option<i64>>(column)?.map(Timestamp::from_micros));
    Ok(Health {
        succeeded_at: at("succeeded_at")?,
        failed_at: at("failed_at")?,
        failure: row.get("failure")?,
        failures: u64::try_from(row.get::<i64>("failures")?)
            .map_err(|error| StoreError::corrupt("failures", error))?,
    })
}

/// Somebody came back signed in.
///
/// # Errors
/// [`StoreError`].
pub async fn works(tx: &mut Tx, id: &ProviderId, now: Timestamp) -> Result<(), StoreError> {
    tx.execute(WORKS, [text(id), now.into()]).await.map(drop)
}

/// An answer was refused.
///
/// # Errors
/// [`StoreError`].
pub async fn fails(tx: &mut Tx, id: &ProviderId, now: Timestamp, why: &str) -> Result<(), StoreError> {
    tx.execute(FAILS, [text(id), now.into(), text(why)])
        .await
        .map(drop)
}
