//! What is known of a school before a feed is applied to it.

use std::collections::HashSet;

use super::spool::Row;
use super::{Feed, Frame};
use crate::base::id::SourceRecordId;
use crate::continuum::rekey::makes_its_keys;
use crate::domain::source::SourceKey;
use crate::domain::uai::Uai;
use crate::store::StoreError;
use crate::store::db::Conn;
use crate::store::membership::{self, Membership, StatedClass};
use crate::store::roster::{self, Lookup, StoredRecord};

/// What is known of a school, of the feed's source.
#[derive(Debug, Default)]
pub(super) struct Situation {
    /// The records the source ever stated there, and those with the rows' keys wherever they are.
    pub(super) records: Vec<StoredRecord>,
    /// Enrolments of the year: all of the school, and those of its rows' records elsewhere.
    pub(super) memberships: Vec<Membership>,
    /// Its classes of the year.
    pub(super) classes: Vec<StatedClass>,
}

/// The key of a row in its source and scope.
pub(super) fn key_of(feed: &Feed, school: &Uai, key: &str) -> SourceKey {
    SourceKey {
        source: feed.source(),
        scope: feed.scope(school),
        key: key.to_owned(),
    }
}

/// Loads what is known of a school; with `arrivals`, also of those who come to it from elsewhere. Of a delivery of changes, which
/// says nothing of the others, only of those whom it names: its rows, and `left`, whom it takes away.
pub(super) async fn load(
    conn: &mut Conn,
    frame: &Frame,
    school: &Uai,
    (rows, left): (&[Row], &[String]),
    arrivals: bool,
) -> Result<Situation, StoreError> {
    let source = frame.feed.source();
    let classes = membership::classes(conn, school, frame.year, source).await?;
    // Only sources with keys of their own deliver changes.
    if frame.delta {
        let named = rows.iter().map(|row| &row.key).chain(left);
        let (records, memberships) = named_so(conn, frame, school, named).await?;
        return Ok(Situation {
            records,
            memberships,
            classes,
        });
    }
    let mut records = roster::of_school(conn, school, source).await?;
    let mut memberships = membership::of_school(conn, school, frame.year, source).await?;
    // Who is enrolled here this year may be stated elsewhere for the next.
    let here: HashSet<SourceRecordId> = records.iter().map(|record| record.id).collect();
    let mut gone: Vec<SourceRecordId> = memberships
        .iter()
        .map(|membership| membership.record)
        .filter(|record| !here.contains(record))
        .collect();
    gone.sort();
    gone.dedup();
    records.extend(roster::find(conn, Lookup::Ids(gone)).await?);
    // Keys that the source makes itself are of this school; its own may come from another one.
    if arrivals && !makes_its_keys(source) {
        let here: HashSet<&str> = records.iter().map(|record| &*record.key.key).collect();
        let elsewhere = rows
            .iter()
            .map(|row| &row.key)
            .filter(|key| !here.contains(&***key));
        let (arriving, mut theirs) = named_so(conn, frame, school, elsewhere).await?;
        theirs.retain(|theirs| theirs.school != *school);
        memberships.extend(theirs);
        records.extend(arriving);
    }
    Ok(Situation {
        records,
        memberships,
        classes,
    })
}

/// The records with these keys, wherever they are, and their enrolments of the year.
async fn named_so(
    conn: &mut Conn,
    frame: &Frame,
    school: &Uai,
    keys: impl Iterator<Item = &String>,
) -> Result<(Vec<StoredRecord>, Vec<Membership>), StoreError> {
    let keys: Vec<SourceKey> = keys.map(|key| key_of(&frame.feed, school, key)).collect();
    let records = roster::find(conn, Lookup::Keys(keys)).await?;
    let ids: Vec<SourceRecordId> = records.iter().map(|record| record.id).collect();
    let mut memberships = membership::of_records(conn, &ids).await?;
    memberships.retain(|theirs| theirs.year == frame.year);
    Ok((records, memberships))
}
