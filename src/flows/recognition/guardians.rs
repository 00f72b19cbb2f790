//! What records know of those who answer for the child, brought up to date at the end of a load: adults come after pupils, from
//! files of their own.

use crate::base::id::SourceRecordId;
use crate::continuum::facts::guardian_key;
use crate::flows::{Context, Failure};
use crate::store::db::Conn;
use crate::store::guardian_key::{self as store, Stated};
use crate::store::{import_run, recognition_model};

/// How many adults are read at once.
const PAGE: i64 = 10_000;
/// How many records one transaction writes.
const STEP: usize = 5_000;

/// Keys that do not fit any more, with what they should be.
type Stale = Vec<(SourceRecordId, Option<Vec<u8>>)>;

/// Brings them up to date; whether any were not. What changed is looked at by the renewal that follows, by this process or, where
/// it dies in between, by the next.
pub(super) async fn refresh(context: &Context) -> Result<bool, Failure> {
    let mut conn = context.db.reader().await?;
    let stale = stale(&mut conn).await?;
    drop(conn);
    let mut is_first = true;
    for step in stale.chunks(STEP) {
        let mut tx = context.db.begin().await?;
        import_run::take_turn(&mut tx).await?;
        if std::mem::take(&mut is_first) {
            recognition_model::look_again(&mut tx).await?;
        }
        store::keep(&mut tx, step).await?;
        tx.commit().await?;
    }
    Ok(!stale.is_empty())
}

/// Keys that do not fit any more: while a page is looked at the next is read.
async fn stale(conn: &mut Conn) -> Result<Stale, Failure> {
    let mut found = Vec::new();
    if !store::any(conn).await? {
        return Ok(found);
    }
    let mut page = store::stated(conn, None, PAGE).await?;
    while let Some(last) = page.last().map(|stated| stated.record) {
        let looking = tokio::task::spawn_blocking(move || page.iter().filter_map(due).collect::<Stale>());
        let next = store::stated(conn, Some(last), PAGE).await;
        let stale = looking.await;
        found.extend(stale.map_err(|error| Failure::Task(error.to_string()))?);
        page = next?;
    }
    Ok(found)
}

/// What the keys of a record should be, where they are not.
fn due(stated: &Stated) -> Option<(SourceRecordId, Option<Vec<u8>>)> {
    let mut keys: Vec<u64> = stated
        .adults
        .iter()
        .flat_map(|(family, usage, given)| {
            let families = std::iter::once(family).chain(usage);
            families.map(|family| guardian_key(family, given))
        })
        .collect();
    keys.sort_unstable();
    keys.dedup();
    let bytes: Vec<u8> = keys.iter().flat_map(|key| key.to_le_bytes()).collect();
    let wanted = (!bytes.is_empty()).then_some(bytes);
    (wanted != stated.kept).then_some((stated.record, wanted))
}
