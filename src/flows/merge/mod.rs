//! Undoing a merge: the absorbed identity comes back with everything that was its own.
//!
//! A merge is undone as long as what it moved is where it put it. What the kept identity was given since (a new
//! password, a new name) stays with it. Undoing a merge that recognition made by itself is a human's word that the two
//! are two persons: it is kept as a refused case, so that no feed joins them again.

use std::collections::{BTreeSet, HashSet};
use std::fmt;

use crate::base::id::{MatchCaseId, MergeId, SourceRecordId};
use crate::continuum::comparison::Comparison;
use crate::continuum::model::Model;
use crate::continuum::neighbourhood::{Pair, Touched};
use crate::continuum::pair::{Around, Relation, decide};
use crate::domain::audit::{Actor, Event, Kind};
use crate::domain::contact::KeptContact;
use crate::domain::identity::Status;
use crate::domain::matching::{CaseStatus, Reason};
use crate::flows::recognition::join::Undo;
use crate::flows::recognition::{Work, look, model, refresh, settle};
use crate::flows::{Context, Failure, security_event};
use crate::store::db::{Conn, Tx};
use crate::store::image::{ACKNOWLEDGEMENT, CONTACT, CREDENTIAL, IDENTITY};
use crate::store::journal::{self, Change};
use crate::store::match_case::{self, StoredCase};
use crate::store::merge::{self, StoredMerge};
use crate::store::roster::{self, Lookup, StoredRecord};
use crate::store::{StoreError, assignment, audit, contact, import_run, person, upstream_enrolment};

/// Why a merge cannot be undone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Obstacle {
    /// It was undone already.
    AlreadyUndone,
    /// A later merge has one of the two identities: undo that one first.
    LaterMerge(MergeId),
    /// Records it moved belong to somebody else since, or are gone.
    RecordsMoved(usize),
    /// Records that came later hold the two together.
    RecordsBetween(usize),
    /// Personal data of one of the two was erased.
    Erased,
    /// The login name it moved was given to somebody else.
    LoginNameTaken,
}

impl Obstacle {
    /// A stable word for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::AlreadyUndone => "already_undone",
            Self::LaterMerge(_) => "later_merge",
            Self::RecordsMoved(_) => "records_moved",
            Self::RecordsBetween(_) => "records_between",
            Self::Erased => "erased",
            Self::LoginNameTaken => "login_name_taken",
        }
    }
}

impl fmt::Display for Obstacle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AlreadyUndone => f.write_str("cette fusion est déjà défaite"),
            Self::LaterMerge(id) => write!(
                f,
                "une fusion plus récente touche ces personnes : défaites d'abord {id}"
            ),
            Self::RecordsMoved(count) => {
                write!(
                    f,
                    "{count} fiche(s) déplacée(s) par cette fusion ont changé de personne depuis"
                )
            }
            Self::RecordsBetween(count) => {
                write!(
                    f,
                    "{count} fiche(s) arrivée(s) depuis relient les deux personnes avec certitude"
                )
            }
            Self::Erased => f.write_str("les données de l'une des deux personnes ont été effacées"),
            Self::LoginNameTaken => f.write_str("le nom de connexion a été donné à quelqu'un d'autre"),
        }
    }
}

/// Why a merge was not undone; nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum MergeError {
    /// There is no such merge.
    #[error("aucune fusion {0}")]
    Unknown(MergeId),
    /// Something stands in the way.
    #[error("{0}")]
    Refused(Obstacle),
    /// Nothing can be done about it.
    #[error(transparent)]
    Failure(#[from] Failure),
}

impl From<StoreError> for MergeError {
    fn from(error: StoreError) -> Self {
        Self::Failure(error.into())
    }
}

/// The latest merges, newest first.
///
/// # Errors
/// [`Failure`].
pub async fn recent(context: &Context, count: i64) -> Result<Vec<StoredMerge>, Failure> {
    let mut conn = context.db.reader().await?;
    Ok(merge::recent(&mut conn, count).await?)
}

/// Undoes a merge.
///
/// # Errors
/// [`MergeError`].
pub async fn undo(context: &Context, id: MergeId, by: &str) -> Result<(), MergeError> {
    let now = context.now();
    let mut tx = context.db.begin().await?;
    let turn = import_run::take_turn(&mut tx).await?;
    let stored = merge::find(&mut tx, id).await?.ok_or(MergeError::Unknown(id))?;
    let undo = Undo::of(&stored)?;
    let model = model::current(context, &mut tx).await?;
    if let Some(obstacle) = obstacle(&mut tx, &model, &stored, &undo).await? {
        return Err(MergeError::Refused(obstacle));
    }
    let mut changes = still_ours(&mut tx, &stored, undo.changes.clone()).await?;
    changes.reverse();
    let restored = security_event::restored(&mut tx, &changes).await?;
    journal::restore(&mut tx, &changes).await?;
    security_event::queue(&mut tx, &*context.random, restored, now).await?;
    // What a login brought while the two were one is of whom the login is of again.
    let two = (stored.kept, stored.absorbed);
    assignment::follow_links(&mut tx, two).await?;
    upstream_enrolment::follow_links(&mut tx, two).await?;
    merge::undone(&mut tx, id, now).await?;

    let mut work = Work::by_hand(context, by, turn, model);
    let both = BTreeSet::from([stored.kept, stored.absorbed]);
    refresh::refresh(&mut tx, &mut work, &both).await?;
    if stored.case.is_none() {
        keep_apart(&mut tx, &mut work, &undo).await?;
    }
    let event = Event::new(Kind::MergeUndone, Actor::Operator)
        .about(stored.kept)
        .with("absorbed", stored.absorbed)
        .with("merge", id)
        .with("by", by);
    audit::append(&mut tx, now, &event).await?;
    tx.commit().await?;
    Ok(())
}

async fn obstacle(
    conn: &mut Conn,
    model: &Model,
    stored: &StoredMerge,
    undo: &Undo,
) -> Result<Option<Obstacle>, StoreError> {
    if stored.undone_at.is_some() {
        return Ok(Some(Obstacle::AlreadyUndone));
    }
    if let Some(later) = merge::later(conn, stored).await? {
        return Ok(Some(Obstacle::LaterMerge(later.id)));
    }
    let people = person::find(conn, &[stored.kept, stored.absorbed]).await?;
    let whole = |person: &person::Person| person.identity.status != Status::Erased;
    if people.len() < 2 || !people.values().all(whole) {
        return Ok(Some(Obstacle::Erased));
    }
    let moved: HashSet<SourceRecordId> = undo.moved()?.into_iter().collect();
    let now_kept = roster::find(conn, Lookup::Identities(vec![stored.kept])).await?;
    let (theirs, mine): (Vec<StoredRecord>, Vec<StoredRecord>) = now_kept
        .into_iter()
        .partition(|record| moved.contains(&record.id));
    if theirs.len() < moved.len() {
        return Ok(Some(Obstacle::RecordsMoved(moved.len() - theirs.len())));
    }
    // What was the kept one's at the merge is part of what is undone; what came later is not.
    let between = mine
        .iter()
        .filter(|record| !undo.kept_records.contains(&record.id.to_string()))
        .filter(|record| {
            theirs.iter().any(|other| {
                let comparison = Comparison::of(&look::facts(record), &look::facts(other), model);
                decide(&comparison, Around::default()) == Relation::Certain
            })
        })
        .count();
    if between > 0 {
        return Ok(Some(Obstacle::RecordsBetween(between)));
    }
    let name = undo.changes.iter().find_map(|change| moved_name(change, stored));
    if let Some(name) = name {
        let holder = crate::store::identity::find_by_username(conn, &name).await?;
        if holder.is_some_and(|holder| holder.id != stored.kept) {
            return Ok(Some(Obstacle::LoginNameTaken));
        }
    }
    Ok(None)
}

/// The login name that a change took from the absorbed identity.
fn moved_name(change: &Change, stored: &StoredMerge) -> Option<String> {
    let of_absorbed = change.table == IDENTITY.table && change.key == stored.absorbed.to_string();
    let before: serde_json::Value =
        serde_json::from_str(change.before.as_deref().filter(|_| of_absorbed)?).ok()?;
    before.get("username")?.as_str().map(ToOwned::to_owned)
}

/// The changes to put back: without those of things that the kept identity was given anew since.
async fn still_ours(
    conn: &mut Conn,
    stored: &StoredMerge,
    changes: Vec<Change>,
) -> Result<Vec<Change>, StoreError> {
    let name = changes.iter().find_map(|change| moved_name(change, stored));
    let kept_key = stored.kept.to_string();
    let people = person::find(conn, &[stored.kept]).await?;
    let current_name = people
        .get(&stored.kept)
        .and_then(|person| person.identity.username.clone());
    let renamed = name.is_some() && current_name != name;
    let mut ours = Vec::with_capacity(changes.len());
    'changes: for mut change in changes {
        for (image, moment) in [(&CREDENTIAL, "set_at"), (&ACKNOWLEDGEMENT, "given_at")] {
            if change.table == image.table && change.before.is_none() {
                let rows = image.load(conn, std::slice::from_ref(&change.key)).await?;
                let made_at = rows.get(&change.key).map(|row| image.number(row, moment));
                if made_at.is_some_and(|made_at| made_at > stored.merged_at.micros()) {
                    continue 'changes;
                }
            }
        }
        if change.table == CONTACT.table {
            match contact_before(conn, stored, &change).await? {
                Some(before) => change.before = before,
                // It was erased since.
                None => continue,
            }
        }
        if change.table == IDENTITY.table && change.key == kept_key && renamed {
            change.before = change.before.map(|before| without_username(&before));
        }
        ours.push(change);
    }
    Ok(ours)
}

/// The contact to put back: without what came of the absorbed identity, with what the kept one was given since.
async fn contact_before(
    conn: &mut Conn,
    stored: &StoredMerge,
    change: &Change,
) -> Result<Option<Option<String>>, StoreError> {
    let Some(now) = contact::find(conn, stored.kept).await? else {
        return Ok(None);
    };
    let absorbed = contact::find(conn, stored.absorbed).await?;
    let before = match &change.before {
        Some(before) => Some(contact::of_values(
            &CONTACT.restored(Some(&contact::values(stored.kept, &now)), before)?,
        )?),
        None => None,
    };
    let parts = |kept: Option<&KeptContact>| kept.map(|kept| kept.contact.clone()).unwrap_or_default();
    let left = now
        .contact
        .undone(&parts(before.as_ref()), &parts(absorbed.as_ref()));
    if left.is_empty() {
        return Ok(Some(None));
    }
    let as_before = before.filter(|before| before.contact == left);
    let put_back = KeptContact {
        updated_at: as_before.map_or(now.updated_at, |before| before.updated_at),
        contact: left,
    };
    let row = contact::values(stored.kept, &put_back);
    Ok(Some(Some(CONTACT.whole(&row))))
}

fn without_username(before: &str) -> String {
    match serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(before) {
        Ok(mut columns) => {
            columns.remove("username");
            serde_json::Value::Object(columns).to_string()
        }
        Err(_) => before.to_owned(),
    }
}

/// Keeps as a human's word that two records are of two persons.
async fn keep_apart(tx: &mut Tx, work: &mut Work<'_>, undo: &Undo) -> Result<(), Failure> {
    let parse = |id: &String| {
        id.parse::<SourceRecordId>()
            .map_err(|error| StoreError::corrupt("merge.undo", error))
    };
    let pair = Pair::new(parse(&undo.because.0)?, parse(&undo.because.1)?);
    let both = vec![pair.first(), pair.second()];
    let records = roster::find(tx, Lookup::Ids(both.clone())).await?;
    let [one, other] = records.as_slice() else {
        return Ok(());
    };
    let known = match_case::of_records(tx, &both).await?;
    let before = known.into_iter().find(|case| look::pair(case) == pair);
    let comparison = Comparison::of(&look::facts(one), &look::facts(other), &work.model);
    let new = StoredCase {
        id: MatchCaseId::new(work.now, work.random),
        first: pair.first(),
        second: pair.second(),
        reason: Reason::Contradicted,
        evidence: settle::written(&comparison, Reason::Contradicted),
        status: CaseStatus::Refused,
        opened_at: work.now,
        decided_at: Some(work.now),
        decided_by: Some(work.by.clone()),
        created_run: None,
    };
    let refused = StoredCase {
        status: CaseStatus::Refused,
        decided_at: Some(work.now),
        decided_by: Some(work.by.clone()),
        ..before.unwrap_or(new)
    };
    match_case::save(tx, &[refused]).await?;
    let touched = records
        .iter()
        .map(|stored| Touched {
            now: look::record(stored),
            before: None,
        })
        .collect();
    let seen = look::look(tx, &work.model, touched).await?;
    let homes = settle::homes(&seen.resolution.moves, &seen.records, work);
    let settled = settle::settle(tx, work, &seen, &homes, None).await?;
    refresh::refresh(tx, work, &settled.affected).await?;
    Ok(())
}
