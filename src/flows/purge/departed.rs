//! Those who left: noticed when their enrolments are over, erased when they have been gone long enough.
//!
//! Once a day, on whichever node is first; another one that is at it too does no harm, because each batch is one
//! transaction that takes the turn which loads take, and looks again inside it. Nothing is erased while a load is at work:
//! it may be about to state somebody. What an interrupted load has touched stays until that load is brought to its end or
//! taken back.
//!
//! Who counts as departed, and when it is over, is decided in [`crate::domain::departure`].

use std::collections::BTreeSet;
use std::time::Duration;

use super::Purged;
use crate::base::id::IdentityId;
use crate::base::random::Random;
use crate::base::time::{Date, Timestamp};
use crate::domain::audit::{Actor, Event, Kind};
use crate::domain::departure::{gone_since, is_over};
use crate::flows::{Context, Failure, security_event, session};
use crate::store::db::Tx;
use crate::store::{audit, departure, erasure, identity, import_run, installation};

/// The day of the last sweep.
const SWEPT: &str = "departures_swept_on";
/// A run that has been applying for longer was interrupted.
const LONGEST_LOAD: Duration = Duration::from_secs(24 * 3600);
/// People looked at in one transaction, and erased in one.
const PAGE: i64 = 500;
const BATCH: i64 = 50;

/// Sweeps, where that was not done today.
pub(super) async fn sweep(context: &Context, purged: &mut Purged) -> Result<(), Failure> {
    let (now, today) = (context.now(), context.now().date());
    let mut conn = context.db.reader().await?;
    let swept = installation::find(&mut conn, SWEPT).await?;
    if swept.as_deref() == Some(&*today.to_string()) {
        return Ok(());
    }
    if departure::at_work(&mut conn, now.minus(LONGEST_LOAD)).await? > 0 {
        tracing::info!("a load is at work: who left is looked at when it is done");
        return Ok(());
    }
    drop(conn);
    purged.departed = notice(context, now, today).await?;
    purged.erased = erase(context, now, today).await?;
    let mut tx = context.db.begin().await?;
    erasure::forget_orphaned(&mut tx).await?;
    if !installation::add(&mut tx, SWEPT, &today.to_string()).await? {
        installation::replace(&mut tx, SWEPT, &today.to_string()).await?;
    }
    tx.commit().await?;
    Ok(())
}

/// Notices whose enrolments are over: no feed says so, the days do.
async fn notice(context: &Context, now: Timestamp, today: Date) -> Result<u64, Failure> {
    let (mut after, mut count) = (None, 0);
    loop {
        let mut tx = context.db.begin().await?;
        import_run::take_turn(&mut tx).await?;
        let lapsed = departure::lapsed(&mut tx, after, today, PAGE).await?;
        let Some(reached) = lapsed.last() else {
            return Ok(count);
        };
        after = Some(*reached);
        let last = departure::last_of(&mut tx, &lapsed).await?;
        let held = departure::held(&mut tx, &lapsed, today).await?;
        let mut left = 0;
        for id in lapsed.iter().filter(|id| !held.contains(id)) {
            let Some(on) = last.get(id).map(|last| last.departs_on()) else {
                continue;
            };
            if on <= today {
                left += u64::from(depart(&mut tx, *id, on, now).await?);
            }
        }
        if left > 0 {
            tx.commit().await?;
            count += left;
        }
    }
}

async fn depart(tx: &mut Tx, id: IdentityId, on: Date, now: Timestamp) -> Result<bool, Failure> {
    if !departure::depart(tx, id, on).await? {
        return Ok(false);
    }
    let event = Event::new(Kind::IdentityDeparted, Actor::System)
        .about(id)
        .with("on", on);
    audit::append(tx, now, &event).await?;
    session::end_all_of(tx, id, now, Actor::System, "departed").await?;
    Ok(true)
}

/// Erases those who have been gone long enough and whom nothing claims.
async fn erase(context: &Context, now: Timestamp, today: Date) -> Result<u64, Failure> {
    let kept_days = context.settings.departed_days;
    let (mut after, mut count) = (None, 0);
    loop {
        let mut tx = context.db.begin().await?;
        import_run::take_turn(&mut tx).await?;
        let gone = departure::gone(&mut tx, after, today, BATCH).await?;
        let Some((reached, _)) = gone.last() else {
            return Ok(count);
        };
        after = Some(*reached);
        let ids: Vec<IdentityId> = gone.iter().map(|(id, _)| *id).collect();
        let last = departure::last_of(&mut tx, &ids).await?;
        let held = departure::held(&mut tx, &ids, today).await?;
        let in_runs = departure::in_runs(&mut tx, &ids).await?;
        let mut over: Vec<(IdentityId, Date)> = Vec::new();
        for (id, status) in &gone {
            let theirs = last.get(id);
            let is_claimed = theirs.is_some_and(|last| last.claims(today)) || held.contains(id);
            match gone_since(status, theirs) {
                Some(since) if is_over(since, kept_days, today) && !is_claimed && !in_runs.contains(id) => {
                    over.push((*id, since));
                }
                _ => {}
            }
        }
        if !over.is_empty() {
            erase_these(&mut tx, &*context.random, &over, now).await?;
            tx.commit().await?;
            count += over.len() as u64;
        }
    }
}

async fn erase_these(
    tx: &mut Tx,
    random: &dyn Random,
    over: &[(IdentityId, Date)],
    now: Timestamp,
) -> Result<(), Failure> {
    let today = now.date();
    let mut people: Vec<IdentityId> = Vec::new();
    for (id, since) in over {
        let absorbed = erasure::absorbed_by(tx, &[*id]).await?;
        session::end_all_of(tx, *id, now, Actor::System, "erased").await?;
        let event = Event::new(Kind::IdentityErased, Actor::System)
            .about(id)
            .with("since", since)
            .with("absorbed", absorbed.len());
        audit::append(tx, now, &event).await?;
        people.push(*id);
        people.extend(absorbed);
    }
    let guardians: BTreeSet<IdentityId> = erasure::guardians_of(tx, &people).await?.into_iter().collect();
    let identifiers = security_event::purged(tx, &people).await?;
    erasure::erase(tx, &people, now).await?;
    security_event::queue(tx, random, identifiers, now).await?;
    // A parent who was here for this child alone, and whom no school enrols, has left with them.
    let guardians: Vec<IdentityId> = guardians.into_iter().filter(|id| !people.contains(id)).collect();
    let enrolled = departure::last_of(tx, &guardians).await?;
    let held = departure::held(tx, &guardians, today).await?;
    for id in guardians {
        if !enrolled.contains_key(&id) && !held.contains(&id) && identity::find(tx, id).await?.is_some() {
            depart(tx, id, today, now).await?;
        }
    }
    Ok(())
}
