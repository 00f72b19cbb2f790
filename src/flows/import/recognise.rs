//! Who the new and changed records of a school are.

use std::collections::HashMap;

use super::Frame;
use super::draft::Draft;
use crate::base::id::SourceRecordId;
use crate::domain::matching::CaseStatus;
use crate::flows::recognition::look::{self, Seen};
use crate::store::StoreError;
use crate::store::db::Conn;
use crate::store::roster::StoredRecord;

/// Looks at what a draft touches; `seen.records` then holds each record as the draft leaves it.
pub(super) async fn recognise(conn: &mut Conn, frame: &Frame, draft: &mut Draft) -> Result<Seen, StoreError> {
    let mut seen = look::look(conn, &frame.model, std::mem::take(&mut draft.touched)).await?;
    for (_, after) in &draft.changed {
        seen.records.insert(after.id, after.clone());
    }
    for record in &draft.new {
        seen.records.insert(record.id, record.clone());
    }
    count(draft, &seen);
    Ok(seen)
}

fn count(draft: &mut Draft, seen: &Seen) {
    let new: HashMap<SourceRecordId, &StoredRecord> =
        draft.new.iter().map(|record| (record.id, record)).collect();
    for (record, home) in &seen.resolution.moves {
        match home {
            crate::continuum::resolve::Home::Known(_) if new.contains_key(record) => {
                draft.counts.recognised += 1;
            }
            _ if new.contains_key(record) => {}
            _ => draft.counts.separated += 1,
        }
    }
    let opened = seen.resolution.open.iter().filter(|(pair, _)| {
        let before = seen.cases.get(pair);
        before.is_none_or(|before| before.status != CaseStatus::Open)
    });
    draft.counts.cases += opened.count() as u64;
    draft.counts.merges += seen.resolution.joins.len() as u64;
}
