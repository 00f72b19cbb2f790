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

/// Loads what is known of a school; with `arrivals`, also of those who come to it from elsewhere.
pub(super) async fn load(
    conn: &mut Conn,
    frame: &Frame,
    school: &Uai,
    rows: &[Row],
    arrivals: bool,
) -> Result<Situation, StoreError> {
    let source = frame.feed.source();
    let mut records = roster::of_school(conn, school, source).await?;
    let mut memberships = membership::of_school(conn, school, frame.year, source).await?;
    let classes = membership::classes(conn, school, frame.year, source).await?;
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
        let elsewhere: Vec<SourceKey> = rows
            .iter()
            .filter(|row| !here.contains(&*row.key))
            .map(|row| key_of(&frame.feed, school, &row.key))
            .collect();
        let arriving = roster::find(conn, Lookup::Keys(elsewhere)).await?;
        let ids: Vec<SourceRecordId> = arriving.iter().map(|record| record.id).collect();
        if !ids.is_empty() {
            let theirs = membership::of_records(conn, &ids).await?;
            memberships.extend(
                theirs
                    .into_iter()
                    .filter(|theirs| theirs.year == frame.year && theirs.school != *school),
            );
        }
        records.extend(arriving);
    }
    Ok(Situation {
        records,
        memberships,
        classes,
    })
}
