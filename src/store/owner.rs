//! Whose source records are, for whoever asks nothing of what they say: a school has a thousand, each of thirty columns.

use std::collections::HashMap;

use super::StoreError;
use super::db::{Bulk, Conn, Row};
use super::value::{Value, text};
use crate::base::id::{IdentityId, SourceRecordId};
use crate::domain::source::SourceKey;

const OF_IDENTITIES: Bulk = Bulk {
    name: "OF_IDENTITIES",
    head: "SELECT id, identity_id FROM source_record WHERE identity_id IN (",
    width: 1,
    rows: false,
    tail: ")",
};
const OF_KEYS: Bulk = Bulk {
    name: "OF_KEYS",
    head: "SELECT id, identity_id, record_key FROM source_record WHERE record_key IN (",
    width: 1,
    rows: false,
    tail: ")",
};
pub(super) const BULKS: &[Bulk] = &[OF_IDENTITIES, OF_KEYS];

/// A record and whose it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Owned {
    /// The record.
    pub record: SourceRecordId,
    /// Whose it is.
    pub identity: IdentityId,
}

fn owned(row: &Row) -> Result<Owned, StoreError> {
    Ok(Owned {
        record: row.parse("id")?,
        identity: row.parse("identity_id")?,
    })
}

/// The records of identities.
///
/// # Errors
/// [`StoreError`].
pub async fn of_identities(conn: &mut Conn, identities: &[IdentityId]) -> Result<Vec<Owned>, StoreError> {
    let keys: Vec<Value> = identities.iter().map(text).collect();
    let rows = conn.all_in(OF_IDENTITIES, &keys).await?;
    rows.iter().map(owned).collect()
}

/// The records with these keys, by the key as it is written.
///
/// # Errors
/// [`StoreError`].
pub async fn of_keys(conn: &mut Conn, keys: &[SourceKey]) -> Result<HashMap<String, Owned>, StoreError> {
    let keys: Vec<Value> = keys.iter().map(text).collect();
    let rows = conn.all_in(OF_KEYS, &keys).await?;
    rows.iter()
        .map(|row| Ok((row.get("record_key")?, owned(row)?)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::random::SeededRandom;
    use crate::base::time::{Timestamp, parse_date};
    use crate::domain::education::{Profile, SchoolYear};
    use crate::domain::source::Source;
    use crate::store::roster::{LinkedBy, StoredRecord, save};
    use crate::store::testing::on_each_engine;

    fn record(number: u8, random: &SeededRandom) -> StoredRecord {
        let now = Timestamp::from_seconds(i64::from(number));
        StoredRecord {
            id: SourceRecordId::new(now, random),
            key: SourceKey {
                source: Source::Aaf2d,
                scope: "20".into(),
                key: format!("{number}"),
            },
            identity: IdentityId::new(now, random),
            profile: Profile::Pupil,
            school: "9990001X".parse().unwrap(),
            year: SchoolYear::new(2026).unwrap(),
            family_name: "LE GOFF".into(),
            usage_name: None,
            given_name: "Lina".into(),
            other_names: "[]".into(),
            birth_date: parse_date("2015-04-03").unwrap(),
            sex: None,
            given_key: String::new(),
            household_key: String::new(),
            ine_index: None,
            ine_sealed: None,
            linked_by: LinkedBy::New,
            missing_since: None,
            file: "eleve.xml".into(),
            line: 1,
            created_run: None,
            attachment: None,
            previous_school: None,
            grade: None,
            ordinal: None,
            ine_pieces: None,
            blocks: Default::default(),
            guardians: Vec::new(),
        }
    }

    #[tokio::test]
    async fn records_are_found_by_whose_they_are_and_by_key() {
        on_each_engine(async |db| {
            let random = SeededRandom::new(5);
            let records = [1, 2, 3].map(|number| record(number, &random));
            let owned = records.each_ref().map(|record| Owned {
                record: record.id,
                identity: record.identity,
            });
            let mut tx = db.begin().await.unwrap();
            save(&mut tx, &records).await.unwrap();
            let some = [records[0].identity, records[2].identity];
            let mut found = of_identities(&mut tx, &some).await.unwrap();
            found.sort();
            assert_eq!(found, [owned[0], owned[2]]);
            let keys = records.each_ref().map(|record| record.key.clone());
            let by_key = of_keys(&mut tx, &keys).await.unwrap();
            assert_eq!(by_key.len(), 3);
            assert_eq!(by_key["aaf2d:20:2"], owned[1]);
        })
        .await;
    }
}
