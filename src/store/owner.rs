//! Whose source records are, for whoever asks nothing of what they say: a school has a thousand, each of thirty columns.

use std::collections::HashMap;

use super::db::{Bulk, Conn, Row};
use super::value::{Value, text};
use super::{StoreError, statements};
use crate::base::id::{IdentityId, SourceRecordId};
use crate::domain::education::SchoolYear;
use crate::domain::source::{Source, SourceKey};
use crate::domain::uai::Uai;

statements! {
    // Who is stated in a school in a year and not missing.
    PRESENT = "SELECT id, identity_id FROM source_record WHERE uai = $1 AND source = $2 AND year = $3
        AND missing_since IS NULL";
}

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

/// The records that a source states in a school for a year.
///
/// # Errors
/// [`StoreError`].
pub async fn present(
    conn: &mut Conn,
    school: &Uai,
    source: Source,
    year: SchoolYear,
) -> Result<Vec<Owned>, StoreError> {
    let values = [text(school), text(source), i64::from(year.first()).into()];
    let rows = conn.all(PRESENT, values).await?;
    rows.iter().map(owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::random::SeededRandom;
    use crate::base::time::{Timestamp, parse_date};
    use crate::domain::education::Profile;
    use crate::store::roster::{LinkedBy, StoredRecord, save};
    use crate::store::testing::on_each_engine;

    fn record(number: u8, missing: bool, random: &SeededRandom) -> StoredRecord {
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
            missing_since: missing.then_some(now),
            file: "eleve.xml".into(),
            line: 1,
            created_run: None,
            attachment: None,
            previous_school: None,
            grade: None,
            ordinal: None,
            ine_pieces: None,
            blocks: Default::default(),
        }
    }

    #[tokio::test]
    async fn records_are_found_by_whose_they_are_by_key_and_by_where_they_are_stated() {
        on_each_engine(async |db| {
            let random = SeededRandom::new(5);
            let records = [1, 2, 3].map(|number| record(number, number == 3, &random));
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
            let school = &records[0].school;
            let year = SchoolYear::new(2026).unwrap();
            let mut there = present(&mut tx, school, Source::Aaf2d, year).await.unwrap();
            there.sort();
            assert_eq!(there, [owned[0], owned[1]], "who is missing is not there");
            let next = present(&mut tx, school, Source::Aaf2d, year.next())
                .await
                .unwrap();
            assert!(next.is_empty());
        })
        .await;
    }
}
