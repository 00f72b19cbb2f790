//! What records know of those who answer for the child, brought up to date at the end of a load: adults come after pupils, from
//! files of their own.

use crate::base::id::SourceRecordId;
use crate::continuum::facts::guardian_key;
use crate::flows::{Context, Failure};
use crate::store::db::Conn;
use crate::store::{StoreError, guardian_key as store, import_run, recognition_model};

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

async fn stale(conn: &mut Conn) -> Result<Stale, StoreError> {
    let mut found = Vec::new();
    if !store::any(conn).await? {
        return Ok(found);
    }
    let mut after = None;
    loop {
        let page = store::stated(conn, after, PAGE).await?;
        let Some(last) = page.last() else {
            return Ok(found);
        };
        after = Some(last.record);
        for stated in page {
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
            if wanted != stated.kept {
                found.push((stated.record, wanted));
            }
        }
    }
}
