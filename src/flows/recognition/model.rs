//! The model in force: kept in memory, made anew when a load has changed what names and ways are frequent, and every record looked at again
//! where it changed.
//!
//! A run recognises under the model it began with; at its end [`renew`] counts all records, and what a new model changes is settled in steps
//! of a transaction each. An interrupted renewal is taken up by the next run. Must never decide who is whom.

use std::collections::BTreeSet;
use std::sync::{Arc, RwLock};

use super::{Work, refresh, settle};
use super::{guardians, look};
use crate::base::id::SourceRecordId;
use crate::continuum::census::Census;
use crate::continuum::estimation::{self, Estimation};
use crate::continuum::facts::Record;
use crate::continuum::model::{Model, Rates};
use crate::continuum::neighbourhood::{Case, Neighbourhood, Touched};
use crate::continuum::resolve::Resolution;
use crate::domain::matching::CaseStatus;
use crate::flows::{Context, Failure};
use crate::store::db::{Conn, Tx};
use crate::store::recognition_model::{self, Version};
use crate::store::roster::{self, Lookup, StoredRecord};
use crate::store::{StoreError, import_run, match_case, person};

/// How many records are read at once.
const PAGE: i64 = 5_000;
/// How many records one step of a renewal settles.
const STEP: usize = 500;

/// The model in force on this node, by its number.
#[derive(Clone, Debug, Default)]
pub struct Models(Arc<RwLock<Option<Numbered>>>);

/// A model and its number.
type Numbered = (i64, Arc<Model>);

impl Models {
    fn kept(&self, number: i64) -> Option<Arc<Model>> {
        let kept = self.0.read().unwrap_or_else(std::sync::PoisonError::into_inner);
        kept.as_ref()
            .filter(|(known, _)| *known == number)
            .map(|(_, model)| Arc::clone(model))
    }

    fn keep(&self, number: i64, model: &Arc<Model>) {
        let mut kept = self.0.write().unwrap_or_else(std::sync::PoisonError::into_inner);
        *kept = Some((number, Arc::clone(model)));
    }
}

/// The model in force.
pub(crate) async fn current(context: &Context, conn: &mut Conn) -> Result<Arc<Model>, StoreError> {
    let Version { number, .. } = recognition_model::version(conn).await?;
    if let Some(model) = context.models.kept(number) {
        return Ok(model);
    }
    let (number, model) = match recognition_model::body(conn).await? {
        Some((number, body)) => {
            let model = Model::of_bytes(&body)
                .map_err(|error| StoreError::corrupt("recognition_model.body", error))?;
            (number, Arc::new(model))
        }
        None => (0, Arc::new(Model::shipped())),
    };
    context.models.keep(number, &model);
    Ok(model)
}

/// How a run's transaction begins: what it is done on behalf of, given the turn it took.
pub(crate) type Begin<'w> = dyn Fn(i64, Arc<Model>) -> Work<'w> + Send + Sync + 'w;

/// Counts all records, puts the model they make in force, and settles what it sees otherwise than it is kept; how many records
/// that were.
pub(crate) async fn renew(context: &Context, begin: &Begin<'_>) -> Result<u64, Failure> {
    renew_with(context, None, begin).await
}

/// The same, under other rates where they are given.
pub(crate) async fn renew_with(
    context: &Context,
    rates: Option<Rates>,
    begin: &Begin<'_>,
) -> Result<u64, Failure> {
    fill_blocks(context).await?;
    let is_told = guardians::refresh(context).await?;
    let mut conn = context.db.reader().await?;
    let model = current(context, &mut conn).await?;
    let in_force = recognition_model::version(&mut conn).await?;
    let (census, records) = count(&mut conn).await?;
    let frequencies = census.frequencies();
    let rates = rates.unwrap_or_else(|| model.rates().clone());
    let changed = frequencies != *model.frequencies() || rates != *model.rates();
    if !changed && !in_force.pending && !is_told {
        return Ok(0);
    }
    let number = if changed {
        in_force.number + 1
    } else {
        in_force.number
    };
    let renewed = Arc::new(Model::new(rates, frequencies));
    let body = renewed
        .to_bytes()
        .map_err(|error| StoreError::corrupt("recognition_model.body", error))?;
    let mut tx = context.db.begin().await?;
    recognition_model::save(&mut tx, number, body, context.now()).await?;
    tx.commit().await?;
    context.models.keep(number, &renewed);

    let cases = match_case::every(&mut conn).await?;
    drop(conn);
    let asked = cases.iter().filter(|case| case.status == CaseStatus::Open);
    let asked: Vec<SourceRecordId> = asked.flat_map(|case| [case.first, case.second]).collect();
    let cases: Vec<Case> = cases.iter().map(look::case).collect();
    let mut affected = affected(context, &renewed, records, cases).await?;
    // What speaks for and against them weighs otherwise now.
    affected.extend(asked);
    let count = affected.len() as u64;
    let ids: Vec<SourceRecordId> = affected.into_iter().collect();
    for step in ids.chunks(STEP) {
        let mut tx = context.db.begin().await?;
        let turn = import_run::take_turn(&mut tx).await?;
        let mut work = begin(turn, Arc::clone(&renewed));
        if reconsider(&mut tx, &mut work, step).await? {
            super::journal(&mut tx, work).await?;
            tx.commit().await?;
        }
    }
    let mut tx = context.db.begin().await?;
    recognition_model::looked(&mut tx, number).await?;
    tx.commit().await?;
    Ok(count)
}

/// Every record there is, counted: while a page is counted the next is read.
async fn count(conn: &mut Conn) -> Result<(Census, Vec<Record>), Failure> {
    let (mut census, mut records) = (Census::default(), Vec::new());
    let mut page = roster::page(conn, None, PAGE).await?;
    while let Some(last) = page.last().map(|stored| stored.id) {
        let counting = tokio::task::spawn_blocking(move || {
            for stored in &page {
                let record = look::record(stored);
                census.count(&record.facts);
                records.push(record);
            }
            (census, records)
        });
        let next = roster::page(conn, Some(last), PAGE).await;
        let counted = counting.await;
        (census, records) = counted.map_err(|error| Failure::Task(error.to_string()))?;
        page = next?;
    }
    Ok((census, records))
}

/// Estimates from the records there are how often each degree of agreement is seen; changes nothing.
pub(crate) async fn estimate(context: &Context) -> Result<Estimation, Failure> {
    fill_blocks(context).await?;
    let mut conn = context.db.reader().await?;
    let (census, records) = count(&mut conn).await?;
    drop(conn);
    let frequencies = census.frequencies();
    let estimated =
        tokio::task::spawn_blocking(move || estimation::estimate(records, &frequencies, &Rates::shipped()));
    estimated.await.map_err(|error| Failure::Task(error.to_string()))
}

/// The records that a model sees otherwise than they are kept.
async fn affected(
    context: &Context,
    model: &Arc<Model>,
    records: Vec<Record>,
    cases: Vec<Case>,
) -> Result<BTreeSet<SourceRecordId>, Failure> {
    let under = Arc::clone(model);
    let seen = tokio::task::spawn_blocking(move || {
        let decided = Neighbourhood::whole(under, records, cases).decide();
        let contested = decided.contested();
        (decided, contested)
    });
    let (decided, contested) = seen.await.map_err(|error| Failure::Task(error.to_string()))?;
    let mut conn = context.db.reader().await?;
    let in_use = if contested.is_empty() {
        Default::default()
    } else {
        person::in_use(&mut conn, &contested).await?
    };
    drop(conn);
    let resolved = tokio::task::spawn_blocking(move || (decided.resolve(&in_use), decided.case_pairs()));
    let (resolution, pairs) = resolved.await.map_err(|error| Failure::Task(error.to_string()))?;
    let Resolution {
        moves,
        joins,
        open,
        moot,
    } = resolution;
    let mut ids: BTreeSet<SourceRecordId> = moves.into_iter().map(|(id, _)| id).collect();
    ids.extend(
        joins
            .iter()
            .flat_map(|join| [join.because.first(), join.because.second()]),
    );
    ids.extend(open.iter().flat_map(|(pair, _)| [pair.first(), pair.second()]));
    ids.extend(
        moot.iter()
            .filter_map(|id| pairs.get(id))
            .flat_map(|pair| [pair.first(), pair.second()]),
    );
    Ok(ids)
}

/// Looks at records anew; whether anything changed.
async fn reconsider(tx: &mut Tx, work: &mut Work<'_>, ids: &[SourceRecordId]) -> Result<bool, Failure> {
    let records = roster::find(tx, Lookup::Ids(ids.to_vec())).await?;
    let touched = records
        .iter()
        .map(|stored| Touched {
            now: look::record(stored),
            before: None,
        })
        .collect();
    let seen = look::look(tx, &work.model, touched).await?;
    let asked = seen.cases.values().any(|case| case.status == CaseStatus::Open);
    if seen.resolution == Resolution::default() && !asked {
        return Ok(false);
    }
    let homes = settle::homes(&seen.resolution.moves, &seen.records, work);
    let settled = settle::settle(tx, work, &seen, &homes, None).await?;
    refresh::refresh(tx, work, &settled.affected).await?;
    Ok(true)
}

/// Gives blocks to records that a node of an earlier version wrote.
async fn fill_blocks(context: &Context) -> Result<(), Failure> {
    loop {
        let mut tx = context.db.begin().await?;
        let mut records: Vec<StoredRecord> = roster::blockless(&mut tx, PAGE).await?;
        if records.is_empty() {
            return Ok(());
        }
        for record in &mut records {
            record.blocks = look::blocks(&look::facts(record));
        }
        roster::save(&mut tx, &records).await?;
        tx.commit().await?;
    }
}
