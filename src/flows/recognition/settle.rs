//! Makes what recognition said so: new identities, records that go elsewhere, identities that become one, cases.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::look::{Seen, facts};
use super::{Work, join, refresh};
use crate::base::id::{IdentityId, MatchCaseId, MergeId, SourceRecordId};
use crate::continuum::comparison::Comparison;
use crate::continuum::evidence;
use crate::continuum::model::Model;
use crate::continuum::neighbourhood::Pair;
use crate::continuum::precedence::precedence;
use crate::continuum::resolve::Home;
use crate::domain::matching::{CaseStatus, Reason};
use crate::flows::Failure;
use crate::store::StoreError;
use crate::store::db::Tx;
use crate::store::image::{ENROLMENT, MATCH_CASE, SOURCE_RECORD};
use crate::store::journal::Change;
use crate::store::match_case::{self, StoredCase};
use crate::store::membership;
use crate::store::person::{self, Person};
use crate::store::roster::{self, LinkedBy, StoredRecord};

/// Where each moving record goes, and the identities to be made for that.
#[derive(Debug, Default)]
pub(crate) struct Homes {
    /// Record → identity, and whether the identity is a new one.
    pub(crate) of: HashMap<SourceRecordId, (IdentityId, bool)>,
    /// Identities to be made.
    pub(crate) born: Vec<Person>,
}

/// Gives each moving record its identity. `records` must hold every record that recognition saw, as it is to be.
pub(crate) fn homes(
    moves: &[(SourceRecordId, Home)],
    records: &HashMap<SourceRecordId, StoredRecord>,
    work: &Work<'_>,
) -> Homes {
    let mut homes = Homes::default();
    let mut new: BTreeMap<usize, Vec<&StoredRecord>> = BTreeMap::new();
    for (id, home) in moves {
        match home {
            Home::Known(identity) => {
                homes.of.insert(*id, (*identity, false));
            }
            Home::New(number) => new.entry(*number).or_default().extend(records.get(id)),
        }
    }
    for group in new.into_values() {
        let identity = IdentityId::new(work.now, work.random);
        homes
            .of
            .extend(group.iter().map(|record| (record.id, (identity, true))));
        let shown = group
            .into_iter()
            .max_by(|one, two| precedence(one.year, &one.key).cmp(&precedence(two.year, &two.key)));
        homes
            .born
            .extend(shown.map(|record| refresh::born(record, identity, work)));
    }
    homes
}

/// How many things changed in who is whom.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Settled {
    /// Identities whose records changed, to be refreshed.
    pub(crate) affected: BTreeSet<IdentityId>,
    /// Merges made.
    pub(crate) merges: Vec<MergeId>,
}

/// Makes everything so that concerns records which are already kept, in the order new identities → moves → cases →
/// merges. `first` are changes that belong to the first merge (a human's decision), so that undoing it undoes them.
pub(crate) async fn settle(
    tx: &mut Tx,
    work: &mut Work<'_>,
    seen: &Seen,
    homes: &Homes,
    case: Option<(MatchCaseId, Vec<Change>)>,
) -> Result<Settled, Failure> {
    let mut settled = Settled::default();
    person::insert(tx, &homes.born).await?;
    move_known(tx, work, seen, homes, &mut settled).await?;
    let before_cases = std::mem::take(&mut work.journal);
    file(tx, work, seen).await?;
    // What a decision closes belongs to the merge it makes.
    let filed = std::mem::replace(&mut work.journal, before_cases).into_changes();
    let (case, mut extra) = match case {
        Some((case, mut changes)) => {
            changes.extend(filed);
            (Some(case), changes)
        }
        None => {
            work.journal.extend(filed);
            (None, Vec::new())
        }
    };
    for found in &seen.resolution.joins {
        let extra = std::mem::take(&mut extra);
        settled
            .merges
            .push(join::join(tx, work, found, case, extra).await?);
        settled.affected.insert(found.kept);
        settled.affected.remove(&found.absorbed);
    }
    work.journal.extend(extra);
    Ok(settled)
}

/// Records that were kept before and go to another identity, with their enrolments.
async fn move_known(
    tx: &mut Tx,
    work: &mut Work<'_>,
    seen: &Seen,
    homes: &Homes,
    settled: &mut Settled,
) -> Result<(), StoreError> {
    let mut moved = Vec::new();
    for (id, _) in &seen.resolution.moves {
        let (Some(before), Some((identity, new))) = (seen.records.get(id), homes.of.get(id)) else {
            continue;
        };
        if before.identity == *identity {
            continue;
        }
        let mut after = before.clone();
        after.identity = *identity;
        after.linked_by = if *new { LinkedBy::New } else { LinkedBy::Certain };
        work.changes(
            &SOURCE_RECORD,
            before.created_run,
            &before.values(),
            &after.values(),
        );
        settled.affected.extend([before.identity, *identity]);
        moved.push(after);
    }
    if moved.is_empty() {
        return Ok(());
    }
    roster::save(tx, &moved).await?;
    let identities: HashMap<SourceRecordId, IdentityId> =
        moved.iter().map(|record| (record.id, record.identity)).collect();
    let ids: Vec<SourceRecordId> = identities.keys().copied().collect();
    let mut memberships = membership::of_records(tx, &ids).await?;
    for membership in &mut memberships {
        let before = membership.values();
        if let Some(identity) = identities.get(&membership.record) {
            membership.identity = *identity;
        }
        work.changes(&ENROLMENT, membership.created_run, &before, &membership.values());
    }
    membership::save(tx, &memberships).await
}

/// Opens, reopens and closes cases.
async fn file(tx: &mut Tx, work: &mut Work<'_>, seen: &Seen) -> Result<(), StoreError> {
    let mut saved = Vec::new();
    for (pair, reason) in &seen.resolution.open {
        let evidence = evidence_of(&work.model, seen, *pair, *reason);
        match seen.cases.get(pair) {
            Some(before) => {
                let mut after = before.clone();
                (after.reason, after.evidence, after.status) = (*reason, evidence, CaseStatus::Open);
                work.changes(&MATCH_CASE, before.created_run, &before.values(), &after.values());
                saved.push(after);
            }
            None => {
                let case = StoredCase {
                    id: MatchCaseId::new(work.now, work.random),
                    first: pair.first(),
                    second: pair.second(),
                    reason: *reason,
                    evidence,
                    status: CaseStatus::Open,
                    opened_at: work.now,
                    decided_at: None,
                    decided_by: None,
                    created_run: work.run,
                };
                if work.run.is_none() {
                    work.journal.makes(&MATCH_CASE, &case.values());
                }
                saved.push(case);
            }
        }
    }
    let reopened: BTreeSet<Pair> = seen.resolution.open.iter().map(|(pair, _)| *pair).collect();
    for (pair, before) in &seen.cases {
        let mut after = before.clone();
        if seen.resolution.moot.contains(&before.id) {
            after.status = CaseStatus::Moot;
        } else if before.status == CaseStatus::Open
            && !reopened.contains(pair)
            && [pair.first(), pair.second()]
                .iter()
                .all(|id| seen.records.contains_key(id))
        {
            // The question stays; what speaks for and against may not.
            after.evidence = evidence_of(&work.model, seen, *pair, before.reason);
        }
        if after != *before {
            work.changes(&MATCH_CASE, before.created_run, &before.values(), &after.values());
            saved.push(after);
        }
    }
    match_case::save(tx, &saved).await
}

/// The evidence of a pair in stored form.
fn evidence_of(model: &Model, seen: &Seen, pair: Pair, reason: Reason) -> String {
    let record = |id| seen.records.get(&id).map(facts);
    match (record(pair.first()), record(pair.second())) {
        (Some(one), Some(two)) => written(&Comparison::of(&one, &two, model), reason),
        _ => "[]".to_owned(),
    }
}

/// What speaks for and against, and what it weighs, in stored form.
pub(crate) fn written(comparison: &Comparison, reason: Reason) -> String {
    let found = evidence::of(comparison, reason);
    let terms: Vec<&str> = found.iter().map(|evidence| evidence.as_str()).collect();
    serde_json::json!({ "weight": comparison.weight, "terms": terms }).to_string()
}
