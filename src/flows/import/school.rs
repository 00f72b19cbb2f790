//! One school of a load, in one transaction: everything of it, or nothing.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use super::absence::Around;
use super::adults::{self, AdultsOf};
use super::draft::Drawing;
use super::recognise::recognise;
use super::report::Counts;
use super::spool::Row;
use super::{Frame, ImportError, situation};
use crate::base::id::{IdentityId, SourceRecordId};
use crate::continuum::model::Model;
use crate::domain::audit::{Actor, Event, Kind};
use crate::domain::ine::Ine;
use crate::domain::uai::Uai;
use crate::flows::recognition::{Work, refresh, settle};
use crate::flows::{Context, Failure};
use crate::roster::RowIssue;
use crate::store::db::Tx;
use crate::store::image::{CLASS_GROUP, ENROLMENT, SOURCE_RECORD};
use crate::store::journal::Journal;
use crate::store::membership::{self, Membership};
use crate::store::roster::{self, LinkedBy, StoredRecord};
use crate::store::{audit, import_run, journal};

/// What is done on behalf of a load.
pub(super) fn work<'a>(context: &'a Context, frame: &Frame, turn: i64) -> Work<'a> {
    work_under(context, frame, turn, Arc::clone(&frame.model))
}

/// What is done on behalf of a load, under another model than it began with.
pub(super) fn work_under<'a>(context: &'a Context, frame: &Frame, turn: i64, model: Arc<Model>) -> Work<'a> {
    Work {
        model,
        run: Some(frame.run),
        now: frame.now,
        today: frame.today,
        random: &*context.random,
        vault: &context.vault,
        actor: Actor::Operator,
        by: frame.operator.clone(),
        journal: Journal::default(),
        turn,
        merges: 0,
    }
}

/// What a delivery says of one school.
pub(super) struct Part<'p> {
    /// Its pupils; none where the delivery is not about them.
    pub(super) rows: Option<&'p [Row]>,
    /// Whom a delivery of changes takes away.
    pub(super) left: &'p [String],
    pub(super) around: Around<'p>,
    pub(super) adults: &'p AdultsOf,
    /// Whether records of staff could not be read.
    pub(super) partial_staff: bool,
}

/// Applies a school, pupils and then adults; answers what changed, and rows of adults that could not be taken.
pub(super) async fn apply(
    context: &Context,
    frame: &Frame,
    school: &Uai,
    part: Part<'_>,
) -> Result<(Counts, Vec<RowIssue>), ImportError> {
    let mut tx = context.db.begin().await?;
    let turn = import_run::take_turn(&mut tx).await?;
    // Ids begin with the moment they are made at: those of one school lie together and behind those of the school before,
    // where an academy's, all of one moment, would go to any page of every index.
    let frame = &Frame {
        now: context.now(),
        ..frame.clone()
    };
    let mut work = work(context, frame, turn);
    let pupils = match part.rows {
        Some(rows) => {
            let stated = (rows, part.left);
            pupils(
                context,
                (&mut tx, &mut work),
                (frame, school),
                stated,
                part.around,
            )
            .await?
        }
        None => Pupils::default(),
    };
    let staff = (part.adults, part.partial_staff);
    let done = adults::load(&mut tx, &mut work, (frame, school), staff, pupils.affected).await?;
    let mut counts = pupils.counts;
    counts += done.counts;
    if pupils.wrote || done.wrote {
        close(&mut tx, frame, work, (school, &counts)).await?;
        tx.commit().await?;
    }
    // Otherwise dropped, not committed: not even the turn was taken.
    Ok((counts, done.issues))
}

/// What the pupils of one school did.
#[derive(Default)]
struct Pupils {
    counts: Counts,
    /// Identities whose records changed.
    affected: BTreeSet<IdentityId>,
    wrote: bool,
}

async fn pupils(
    context: &Context,
    (tx, work): (&mut Tx, &mut Work<'_>),
    (frame, school): (&Frame, &Uai),
    (rows, left): (&[Row], &[String]),
    around: Around<'_>,
) -> Result<Pupils, ImportError> {
    let situation = situation::load(tx, frame, school, (rows, left), true).await?;
    let drawing = Drawing {
        frame,
        school,
        around,
        vault: &context.vault,
        random: &*context.random,
    };
    let mut draft = drawing.draw(rows, &situation)?;
    let nothing = draft.new.is_empty()
        && draft.changed.is_empty()
        && draft.enrolled.is_empty()
        && draft.reenrolled.is_empty()
        && draft.classes.is_empty();
    if nothing {
        return Ok(Pupils {
            counts: draft.counts,
            ..Pupils::default()
        });
    }
    let numbers: HashMap<SourceRecordId, Ine> = std::mem::take(&mut draft.numbers).into_iter().collect();
    let changed = draft.changed.iter_mut().map(|(_, after)| after);
    for record in draft.new.iter_mut().chain(changed) {
        if let Some(ine) = numbers.get(&record.id) {
            let context_of = format!("ine:{}", record.id);
            let sealed = context
                .vault
                .seal(&context_of, ine.expose().as_bytes(), &*context.random)?;
            record.ine_sealed = Some(sealed);
        }
    }
    let mut seen = recognise(tx, frame, &mut draft).await?;
    let homes = settle::homes(&seen.resolution.moves, &seen.records, work);

    save_classes(tx, work, &draft.classes).await?;
    let mut affected: BTreeSet<IdentityId> = BTreeSet::new();
    let identities: HashMap<SourceRecordId, IdentityId> = homes
        .of
        .iter()
        .map(|(record, (identity, _))| (*record, *identity))
        .collect();
    // Whom this load makes is shown as their record says and is here, unless the year is over.
    let is_over = frame.year.overlap_end() <= frame.today;
    for record in &mut draft.new {
        if let Some((identity, new)) = homes.of.get(&record.id) {
            record.identity = *identity;
            if !new {
                record.linked_by = LinkedBy::Certain;
            }
            if !new || is_over {
                affected.insert(*identity);
            }
        }
        // It is kept with its identity at once: nothing is left to move.
        seen.records.insert(record.id, record.clone());
    }
    save_records(tx, work, &draft.new, &draft.changed).await?;
    affected.extend(draft.changed.iter().map(|(before, _)| before.identity));
    for membership in &mut draft.enrolled {
        if let Some(identity) = identities.get(&membership.record) {
            membership.identity = *identity;
        } else {
            affected.insert(membership.identity);
        }
    }
    save_memberships(tx, work, &draft.enrolled, &draft.reenrolled).await?;
    let status = draft
        .reenrolled
        .iter()
        .filter(|(before, after)| before.ends_on != after.ends_on);
    affected.extend(status.map(|(before, _)| before.identity));

    let settled = settle::settle(tx, work, &seen, &homes, None).await?;
    affected.extend(settled.affected);
    refresh::refresh(tx, work, &affected).await?;
    Ok(Pupils {
        counts: draft.counts,
        affected,
        wrote: true,
    })
}

async fn save_classes(
    tx: &mut Tx,
    work: &mut Work<'_>,
    classes: &[(Option<membership::StatedClass>, membership::StatedClass)],
) -> Result<(), Failure> {
    for (before, after) in classes {
        if let Some(before) = before {
            work.changes(
                &CLASS_GROUP,
                before.created_run,
                &before.values(),
                &after.values(),
            );
        }
    }
    let saved: Vec<_> = classes.iter().map(|(_, after)| after.clone()).collect();
    membership::save_classes(tx, &saved).await?;
    Ok(())
}

async fn save_records(
    tx: &mut Tx,
    work: &mut Work<'_>,
    new: &[StoredRecord],
    changed: &[(StoredRecord, StoredRecord)],
) -> Result<(), Failure> {
    roster::save(tx, new).await?;
    for (before, after) in changed {
        work.changes(
            &SOURCE_RECORD,
            before.created_run,
            &before.values(),
            &after.values(),
        );
    }
    let saved: Vec<StoredRecord> = changed.iter().map(|(_, after)| after.clone()).collect();
    roster::save(tx, &saved).await?;
    Ok(())
}

async fn save_memberships(
    tx: &mut Tx,
    work: &mut Work<'_>,
    new: &[Membership],
    changed: &[(Membership, Membership)],
) -> Result<(), Failure> {
    membership::save(tx, new).await?;
    for (before, after) in changed {
        work.changes(&ENROLMENT, before.created_run, &before.values(), &after.values());
    }
    let saved: Vec<Membership> = changed.iter().map(|(_, after)| after.clone()).collect();
    membership::save(tx, &saved).await?;
    Ok(())
}

/// Journal, audit and progress, in the transaction of the school.
async fn close(
    tx: &mut Tx,
    frame: &Frame,
    work: Work<'_>,
    (school, counts): (&Uai, &Counts),
) -> Result<(), Failure> {
    journal::append(tx, frame.run, work.turn, work.journal.into_changes()).await?;
    let mut event = Event::new(Kind::SchoolImported, Actor::Operator)
        .about(frame.run)
        .with("school", school)
        .with("source", frame.feed.source())
        .with("year", frame.year)
        .with("by", &frame.operator);
    for (name, count) in counts.named() {
        if count > 0 {
            event = event.with(name, count);
        }
    }
    audit::append(tx, frame.now, &event).await?;
    import_run::school_done(tx, frame.run).await?;
    Ok(())
}
