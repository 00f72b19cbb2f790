//! Service providers as sources of metadata have them: the last good copies.
//!
//! A copy counts until its own end or that of its source, whichever comes first. Where several sources know one entity,
//! a file of the operator wins over an address of the party, and that over a federation ([`Origin::rank`]).

use super::db::{Bulk, Conn, Row, Tx};
use super::value::{Value, text};
use super::{StoreError, statements};
use crate::base::secret::sha256;
use crate::base::time::Timestamp;
use crate::domain::saml_entity::ServiceProvider;
use crate::domain::saml_source::{Origin, Source};

/// The columns of an entity `e` of a source `s`.
macro_rules! columns {
    () => {
        "e.source AS entity_source, s.origin AS entity_origin, e.provider AS entity_provider,
        e.valid_until AS entity_valid_until, s.valid_until AS source_valid_until, s.succeeded_at AS entity_fetched_at"
    };
}
pub(super) use columns;

statements! {
    FIND = concat!("SELECT ", columns!(), " FROM saml_entity e JOIN saml_source s ON s.id = e.source
        WHERE e.entity_id = $1 AND (e.valid_until IS NULL OR e.valid_until > $2)
            AND (s.valid_until IS NULL OR s.valid_until > $2)
        ORDER BY e.rank, e.source");
    OF_SOURCE = "SELECT entity_id FROM saml_entity WHERE source = $1 ORDER BY entity_id";
    REMOVE = "DELETE FROM saml_entity WHERE source = $1 AND entity_id = $2";
}

const DIGESTS: Bulk = Bulk {
    name: "DIGESTS",
    head: "SELECT entity_id, source, digest, provider FROM saml_entity WHERE entity_id IN (",
    width: 1,
    rows: false,
    tail: ")",
};
const SAVE: Bulk = Bulk {
    name: "SAVE",
    head: "INSERT INTO saml_entity (entity_id, source, rank, provider, digest, valid_until, changed_at) VALUES ",
    width: 7,
    rows: true,
    tail: " ON CONFLICT (entity_id, source) DO UPDATE SET rank = excluded.rank, provider = excluded.provider,
        digest = excluded.digest, valid_until = excluded.valid_until, changed_at = excluded.changed_at",
};

pub(super) const BULKS: &[Bulk] = &[DIGESTS, SAVE];

/// A service provider, and where it comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredEntity {
    /// What its metadata say.
    pub provider: ServiceProvider,
    /// The id of the source.
    pub source: String,
    /// The kind of the source.
    pub origin: Origin,
    /// Until when this copy counts.
    pub valid_until: Option<Timestamp>,
    /// When the source was last taken.
    pub fetched_at: Option<Timestamp>,
}

/// A service provider to be kept.
#[derive(Debug, Clone)]
pub struct NewEntity {
    /// What its metadata say.
    pub provider: ServiceProvider,
    /// Its own end.
    pub valid_until: Option<Timestamp>,
}

impl NewEntity {
    /// What it says, as it is kept, and a digest of it: two that say the same have the same.
    ///
    /// # Errors
    /// [`StoreError`] where it cannot be written.
    pub fn written(&self) -> Result<Written, StoreError> {
        let json =
            serde_json::to_string(&self.provider).map_err(|error| StoreError::corrupt("provider", error))?;
        let end = self.valid_until.map_or(0, Timestamp::micros);
        let digest = sha256(format!("{end} {json}").as_bytes());
        Ok(Written {
            entity_id: self.provider.entity_id.clone(),
            json,
            digest,
            valid_until: self.valid_until,
        })
    }
}

/// A service provider as it is kept.
#[derive(Debug, Clone)]
pub struct Written {
    /// Its entityID.
    pub entity_id: String,
    json: String,
    digest: [u8; 32],
    valid_until: Option<Timestamp>,
}

/// What is kept of an entity already.
#[derive(Debug, Clone)]
pub struct Known {
    /// Its entityID.
    pub entity_id: String,
    /// What its metadata said.
    pub provider: ServiceProvider,
    digest: Vec<u8>,
}

impl Known {
    /// Whether nothing changed.
    pub fn says(&self, written: &Written) -> bool {
        self.digest == written.digest
    }
}

/// An entity in a row that has all its columns; `None` where a join found none, or one that is over.
pub(super) fn entity(row: &Row, now: Timestamp) -> Result<Option<StoredEntity>, StoreError> {
    let Some(json) = row.get::<Option<String>>("entity_provider")? else {
        return Ok(None);
    };
    let at = |column| Ok::<_, StoreError>(row.get::<Option<i64>>(column)?.map(Timestamp::from_micros));
    let ends = [at("entity_valid_until")?, at("source_valid_until")?];
    let valid_until = ends.into_iter().flatten().min();
    if valid_until.is_some_and(|end| end <= now) {
        return Ok(None);
    }
    Ok(Some(StoredEntity {
        provider: serde_json::from_str(&json).map_err(|error| StoreError::corrupt("provider", error))?,
        source: row.get("entity_source")?,
        origin: row.parse("entity_origin")?,
        valid_until,
        fetched_at: at("entity_fetched_at")?,
    }))
}

/// The copy of an entity that counts now, whoever speaks for it.
///
/// # Errors
/// [`StoreError`].
pub async fn find(
    conn: &mut Conn,
    entity_id: &str,
    now: Timestamp,
) -> Result<Option<StoredEntity>, StoreError> {
    match conn.optional(FIND, [text(entity_id), now.into()]).await? {
        Some(row) => entity(&row, now),
        None => Ok(None),
    }
}

/// What a source has of these entities already.
///
/// # Errors
/// [`StoreError`].
pub async fn known(conn: &mut Conn, source: &str, entities: &[Written]) -> Result<Vec<Known>, StoreError> {
    let keys: Vec<Value> = entities.iter().map(|one| text(&one.entity_id)).collect();
    let mut found = Vec::new();
    for row in conn.all_in(DIGESTS, &keys).await? {
        if row.get::<String>("source")? == source {
            let json: String = row.get("provider")?;
            found.push(Known {
                entity_id: row.get("entity_id")?,
                provider: serde_json::from_str(&json)
                    .map_err(|error| StoreError::corrupt("provider", error))?,
                digest: row.get("digest")?,
            });
        }
    }
    Ok(found)
}

/// The entityIDs of a source, in their order.
///
/// # Errors
/// [`StoreError`].
pub async fn of_source(conn: &mut Conn, source: &str) -> Result<Vec<String>, StoreError> {
    let rows = conn.all(OF_SOURCE, [text(source)]).await?;
    rows.iter().map(|row| row.get("entity_id")).collect()
}

/// Keeps entities of a source, new or changed. No entity may be there twice.
///
/// # Errors
/// [`StoreError`].
pub async fn save(
    tx: &mut Tx,
    source: &Source,
    entities: Vec<Written>,
    now: Timestamp,
) -> Result<(), StoreError> {
    let rows = entities.into_iter().map(|one| {
        vec![
            one.entity_id.into(),
            text(&source.id),
            source.origin.rank().into(),
            one.json.into(),
            one.digest.into(),
            one.valid_until.into(),
            now.into(),
        ]
    });
    tx.execute_many(SAVE, rows.collect()).await.map(drop)
}

/// Forgets an entity of a source.
///
/// # Errors
/// [`StoreError`].
pub async fn remove(tx: &mut Tx, source: &str, entity_id: &str) -> Result<(), StoreError> {
    tx.execute(REMOVE, [text(source), text(entity_id)])
        .await
        .map(drop)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::store::testing::{metadata_source, on_each_engine};
    use crate::store::{relying_party, saml_source};

    const NOW: Timestamp = Timestamp::from_seconds(1_790_000_000);
    const HOUR: Duration = Duration::from_secs(3600);
    const ENT: &str = "https://ent.example/saml";

    fn named(name: &str, valid_until: Option<Timestamp>) -> Written {
        let provider = ServiceProvider {
            entity_id: ENT.into(),
            display_name: Some(name.into()),
            ..ServiceProvider::default()
        };
        NewEntity {
            provider,
            valid_until,
        }
        .written()
        .unwrap()
    }

    async fn put(tx: &mut Tx, id: &str, origin: Origin, valid_until: Option<Timestamp>) -> Source {
        let source = metadata_source(id, origin);
        saml_source::declare(tx, &source, None).await.unwrap();
        save(tx, &source, vec![named(id, valid_until)], NOW)
            .await
            .unwrap();
        source
    }

    #[tokio::test]
    async fn a_file_wins_over_an_address_and_that_over_a_federation_while_each_is_valid() {
        on_each_engine(async |db| {
            let mut tx = db.begin().await.unwrap();
            put(&mut tx, "federation:a", Origin::Federation, None).await;
            put(&mut tx, "party:url", Origin::Url, Some(NOW.plus(HOUR * 2))).await;
            put(&mut tx, "party:file", Origin::File, Some(NOW.plus(HOUR))).await;
            for (at, expected) in [
                (NOW, "party:file"),
                (NOW.plus(HOUR), "party:url"),
                (NOW.plus(HOUR * 2), "federation:a"),
            ] {
                let found = find(&mut tx, ENT, at).await.unwrap().unwrap();
                assert_eq!(found.source, expected);
                assert_eq!(found.provider.display_name.as_deref(), Some(expected));
            }
            assert!(find(&mut tx, "https://other", NOW).await.unwrap().is_none());
        })
        .await;
    }

    #[tokio::test]
    async fn the_end_of_a_source_is_the_end_of_what_came_from_it() {
        on_each_engine(async |db| {
            let mut tx = db.begin().await.unwrap();
            let source = put(&mut tx, "federation:a", Origin::Federation, None).await;
            let (_, mut state) = saml_source::find(&mut tx, &source.id).await.unwrap().unwrap();
            state.valid_until = Some(NOW.plus(HOUR));
            saml_source::succeed(&mut tx, &source.id, &state, &[])
                .await
                .unwrap();
            let found = find(&mut tx, ENT, NOW).await.unwrap().unwrap();
            assert_eq!(found.valid_until, Some(NOW.plus(HOUR)));
            assert!(find(&mut tx, ENT, NOW.plus(HOUR)).await.unwrap().is_none());
        })
        .await;
    }

    #[tokio::test]
    async fn what_is_known_is_told_from_what_changed() {
        on_each_engine(async |db| {
            let mut tx = db.begin().await.unwrap();
            let source = put(&mut tx, "federation:a", Origin::Federation, None).await;
            put(&mut tx, "federation:b", Origin::Federation, None).await;
            let (same, other) = (
                named("federation:a", None),
                named("federation:a", Some(NOW.plus(HOUR))),
            );
            let known = known(&mut tx, &source.id, std::slice::from_ref(&same))
                .await
                .unwrap();
            assert_eq!(known.len(), 1);
            assert!(known[0].says(&same) && !known[0].says(&other));
            assert_eq!(of_source(&mut tx, &source.id).await.unwrap(), [ENT]);
            remove(&mut tx, &source.id, ENT).await.unwrap();
            assert!(of_source(&mut tx, &source.id).await.unwrap().is_empty());
            let left = find(&mut tx, ENT, NOW).await.unwrap().unwrap();
            assert_eq!(left.source, "federation:b");
        })
        .await;
    }

    #[tokio::test]
    async fn a_party_is_found_with_its_metadata_in_one_round_trip() {
        on_each_engine(async |db| {
            let mut tx = db.begin().await.unwrap();
            let mut party = crate::store::testing::relying_party("ent");
            party.saml = Some(crate::domain::relying_party::SamlParty {
                entity_id: ENT.into(),
                federation: Some("a".into()),
                ..Default::default()
            });
            relying_party::save(&mut tx, &party).await.unwrap();
            let id = party.id.clone();
            let (found, entity) = relying_party::find_by_entity(&mut tx, ENT, NOW)
                .await
                .unwrap()
                .unwrap();
            assert_eq!((found.id, entity), (id.clone(), None));
            // Nobody else speaks for it: neither another party nor another federation.
            put(&mut tx, "federation:b", Origin::Federation, None).await;
            put(&mut tx, "party:other", Origin::File, None).await;
            let found = relying_party::find_by_entity(&mut tx, ENT, NOW).await.unwrap();
            assert_eq!(found.unwrap().1, None);
            put(&mut tx, "federation:a", Origin::Federation, None).await;
            put(&mut tx, "party:ent", Origin::Url, Some(NOW.plus(HOUR))).await;
            let source = async |tx: &mut Tx, at| {
                let seen = crate::store::db::record::round_trips(relying_party::find_by_entity(tx, ENT, at));
                let (found, trips) = seen.await;
                assert_eq!(trips.len(), 1);
                found.unwrap().unwrap().1.unwrap().source
            };
            assert_eq!(source(&mut tx, NOW).await, "party:ent");
            assert_eq!(source(&mut tx, NOW.plus(HOUR)).await, "federation:a");
            assert!(
                relying_party::find_by_entity(&mut tx, "https://x", NOW)
                    .await
                    .unwrap()
                    .is_none()
            );
            let mut second = crate::store::testing::relying_party("second");
            second.saml = party.saml.clone();
            let refused = relying_party::save(&mut tx, &second).await;
            assert!(matches!(refused, Err(StoreError::Conflict { .. })));
        })
        .await;
    }
}
