//! Match cases: what a human sees of them, and what a human decides.
//!
//! | decision | what follows |
//! | --- | --- |
//! | accept | the two identities become one (`recognition::join`); can be undone ([`super::merge::undo`]) |
//! | refuse | the two are two persons for ever; where they were one, they are separated |
//!
//! Names are shown to whoever decides, and to nobody else: none is logged or journalled.

mod family;
mod report;
mod view;

pub use crate::continuum::evaluation::Evaluation;
pub use family::{Family, Guardian};
pub use report::{Reported, ReportedCase, evaluate, open_cases, records};
pub use view::{CaseView, Listed, Side, Stakes, count_open, find, list};

use std::collections::HashSet;

use crate::base::id::{IdentityId, MatchCaseId, MergeId, SourceRecordId};
use crate::continuum::estimation::Estimation;
use crate::continuum::model::Rates;
use crate::continuum::neighbourhood::Touched;
use crate::domain::audit::{Actor, Event, Kind};
use crate::domain::matching::CaseStatus;
use crate::flows::recognition::{Work, look, model, refresh, settle};
use crate::flows::{Context, Failure};
use crate::store::db::{Conn, Tx};
use crate::store::image::MATCH_CASE;
use crate::store::journal::{Change, Journal};
use crate::store::match_case::{self, StoredCase};
use crate::store::roster::{self, Lookup, StoredRecord};
use crate::store::{StoreError, audit, import_run};

/// Why a decision was not taken; nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum DecisionError {
    /// There is no such case.
    #[error("aucun dossier {0}")]
    Unknown(MatchCaseId),
    /// It is decided, or nothing is left to decide.
    #[error("ce dossier n'est plus à trancher ({0})")]
    Settled(CaseStatus),
    /// A human has said that two records of these two persons are of two persons.
    #[error("le dossier {0} dit que ce sont deux personnes : il a été refusé")]
    Contradicts(MatchCaseId),
    /// One of the two records is gone.
    #[error("l'une des deux fiches n'existe plus")]
    Gone,
    /// Nothing can be done about it.
    #[error(transparent)]
    Failure(#[from] Failure),
}

impl From<StoreError> for DecisionError {
    fn from(error: StoreError) -> Self {
        Self::Failure(error.into())
    }
}

/// What an accepted case brought about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Accepted {
    /// The identity of both records from now on.
    pub identity: IdentityId,
    /// Merges made; none where the two were one person already.
    pub merges: Vec<MergeId>,
}

/// Estimates from the records there are how often each degree of agreement is seen between two records of one child.
///
/// # Errors
/// [`Failure`].
pub async fn estimate(context: &Context) -> Result<Estimation, Failure> {
    model::estimate(context).await
}

/// Weighs with other rates from now on, and looks at every record again; how many were settled anew.
///
/// # Errors
/// [`Failure`].
pub async fn weigh_with(context: &Context, rates: Rates, by: &str) -> Result<u64, Failure> {
    let by = by.to_owned();
    let mut tx = context.db.begin().await?;
    let event = Event::new(Kind::WeightsEstimated, Actor::Operator).with("by", &by);
    audit::append(&mut tx, context.now(), &event).await?;
    tx.commit().await?;
    let begin = move |turn, model| Work::by_hand(context, &by, turn, model);
    model::renew_with(context, Some(rates), &begin).await
}

/// A case under decision.
struct Bench {
    case: StoredCase,
    records: [StoredRecord; 2],
}

/// One person.
///
/// # Errors
/// [`DecisionError`].
pub async fn accept(context: &Context, id: MatchCaseId, by: &str) -> Result<Accepted, DecisionError> {
    let mut tx = context.db.begin().await?;
    let mut work = work(context, &mut tx, by).await?;
    let bench = bench(&mut tx, id).await?;
    if bench.case.status.accept().is_err() {
        return Err(DecisionError::Settled(bench.case.status));
    }
    if let Some(refused) = refused_between(&mut tx, &bench.records).await? {
        return Err(DecisionError::Contradicts(refused));
    }
    let decided = decide(&mut tx, &mut work, &bench, CaseStatus::Accepted).await?;
    let merges = follow(&mut tx, &mut work, &bench, Some((id, decided))).await?;
    let after = roster::find(&mut tx, Lookup::Ids(vec![bench.case.first])).await?;
    let identity = after.first().ok_or(DecisionError::Gone)?.identity;
    let event = Event::new(Kind::MatchAccepted, Actor::Operator)
        .about(id)
        .with("identity", identity)
        .with("by", by);
    audit::append(&mut tx, work.now, &event).await?;
    tx.commit().await?;
    Ok(Accepted { identity, merges })
}

/// Two persons, for ever.
///
/// # Errors
/// [`DecisionError`].
pub async fn refuse(context: &Context, id: MatchCaseId, by: &str) -> Result<(), DecisionError> {
    let mut tx = context.db.begin().await?;
    let mut work = work(context, &mut tx, by).await?;
    let bench = bench(&mut tx, id).await?;
    if bench.case.status.refuse().is_err() {
        return Err(DecisionError::Settled(bench.case.status));
    }
    decide(&mut tx, &mut work, &bench, CaseStatus::Refused).await?;
    follow(&mut tx, &mut work, &bench, None).await?;
    let event = Event::new(Kind::MatchRefused, Actor::Operator)
        .about(id)
        .with("by", by);
    audit::append(&mut tx, work.now, &event).await?;
    tx.commit().await?;
    Ok(())
}

async fn work<'a>(context: &'a Context, tx: &mut Tx, by: &str) -> Result<Work<'a>, StoreError> {
    let turn = import_run::take_turn(tx).await?;
    let model = model::current(context, tx).await?;
    Ok(Work::by_hand(context, by, turn, model))
}

async fn bench(conn: &mut Conn, id: MatchCaseId) -> Result<Bench, DecisionError> {
    let case = match_case::find(conn, id)
        .await?
        .ok_or(DecisionError::Unknown(id))?;
    let records = roster::find(conn, Lookup::Ids(vec![case.first, case.second])).await?;
    let records = <[StoredRecord; 2]>::try_from(records).map_err(|_| DecisionError::Gone)?;
    Ok(Bench { case, records })
}

/// A refused case between the persons of two records.
async fn refused_between(
    conn: &mut Conn,
    records: &[StoredRecord; 2],
) -> Result<Option<MatchCaseId>, StoreError> {
    let [one, other] = records;
    if one.identity == other.identity {
        return Ok(None);
    }
    let both = roster::find(conn, Lookup::Identities(vec![one.identity, other.identity])).await?;
    let of = |identity: IdentityId| -> HashSet<SourceRecordId> {
        let records = both.iter().filter(|record| record.identity == identity);
        records.map(|record| record.id).collect()
    };
    let (mine, theirs) = (of(one.identity), of(other.identity));
    let ids: Vec<SourceRecordId> = mine.iter().copied().collect();
    let cases = match_case::of_records(conn, &ids).await?;
    let between = |case: &&StoredCase| {
        case.status == CaseStatus::Refused
            && (mine.contains(&case.first) && theirs.contains(&case.second)
                || mine.contains(&case.second) && theirs.contains(&case.first))
    };
    Ok(cases.iter().find(between).map(|case| case.id))
}

/// Keeps a human's word; answers the change.
async fn decide(
    tx: &mut Tx,
    work: &mut Work<'_>,
    bench: &Bench,
    status: CaseStatus,
) -> Result<Vec<Change>, StoreError> {
    let mut after = bench.case.clone();
    after.status = status;
    after.decided_at = Some(work.now);
    after.decided_by = Some(work.by.clone());
    let mut journal = Journal::default();
    journal.changes(&MATCH_CASE, &bench.case.values(), &after.values());
    match_case::save(tx, &[after]).await?;
    Ok(journal.into_changes())
}

/// Lets recognition draw the consequences; answers the merges made.
async fn follow(
    tx: &mut Tx,
    work: &mut Work<'_>,
    bench: &Bench,
    case: Option<(MatchCaseId, Vec<Change>)>,
) -> Result<Vec<MergeId>, Failure> {
    let touched = bench
        .records
        .iter()
        .map(|stored| Touched {
            now: look::record(stored),
            before: None,
        })
        .collect();
    let seen = look::look(tx, &work.model, touched).await?;
    let homes = settle::homes(&seen.resolution.moves, &seen.records, work);
    let settled = settle::settle(tx, work, &seen, &homes, case).await?;
    refresh::refresh(tx, work, &settled.affected).await?;
    Ok(settled.merges)
}
