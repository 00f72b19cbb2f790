//! Two identities become one: the older is kept, everything of the other moves to it.
//!
//! | of the absorbed | becomes |
//! | --- | --- |
//! | source records, enrolments | the kept one's |
//! | subjects | the kept one's; in use unless it has one in use in that sector: then its parties are told (`security_event`) |
//! | credentials, login name | the kept one's where it has none of the kind; else they stay behind, unused |
//! | mail address, telephone number, postal address | the kept one's too where it has none; they stay behind as well, unused |
//! | what they were told or said yes to | the kept one's too, where it knows nothing of that service; its own stays as it is |
//! | logins at upstream providers, roles over schools and academies | the kept one's |
//! | children and guardians | the kept one's too |
//! | sessions | end |
//! | grants to services | are revoked: a token of theirs would name the person otherwise than before |
//! | the identity | `Merged{into}` |
//!
//! Every change is kept in `merge.undo`, whole enough to put it back exactly.

use std::collections::{BTreeSet, HashMap, HashSet};

use serde::{Deserialize, Serialize};

use super::{Work, refresh};
use crate::base::id::{IdentityId, MatchCaseId, MergeId, SourceRecordId};
use crate::continuum::resolve::Join;
use crate::domain::audit::{Event, Kind};
use crate::domain::contact::KeptContact;
use crate::domain::credential::CredentialKind;
use crate::domain::security_event::SecurityEvent;
use crate::flows::{Failure, security_event, session};
use crate::login::picture;
use crate::store::db::Tx;
use crate::store::image::{
    ACKNOWLEDGEMENT, ADULT_RECORD, ASSIGNMENT, CONTACT, CREDENTIAL, ENROLMENT, GUARDIANSHIP, IDENTITY, Image,
    SESSION, SOURCE_RECORD, SUBJECT, UPSTREAM_LINK,
};
use crate::store::journal::{Change, Journal};
use crate::store::merge::{self, Belongings, StoredMerge};
use crate::store::person::{self, Person};
use crate::store::roster::{self, LinkedBy, Lookup};
use crate::store::value::Value;
use crate::store::{StoreError, audit, contact, identity, membership};

/// Merges are numbered by the turn they were made in; more in one turn there never are.
const MERGES_IN_A_TURN: i64 = 1_000_000;

/// What undoes a merge.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Undo {
    /// The two records that brought the identities together.
    pub(crate) because: (String, String),
    /// The records that moved.
    pub(crate) records: Vec<String>,
    /// The records that the kept identity had.
    pub(crate) kept_records: Vec<String>,
    /// Everything that changed, in order.
    pub(crate) changes: Vec<Change>,
}

impl Undo {
    /// Reads the stored form.
    pub(crate) fn of(stored: &StoredMerge) -> Result<Self, StoreError> {
        serde_json::from_str(&stored.undo).map_err(|error| StoreError::corrupt("merge.undo", error))
    }

    /// The records that moved.
    pub(crate) fn moved(&self) -> Result<Vec<SourceRecordId>, StoreError> {
        let parsed = self.records.iter().map(|id| id.parse());
        parsed
            .collect::<Result<_, _>>()
            .map_err(|error| StoreError::corrupt("merge.undo", error))
    }
}

/// Makes two identities one. `extra` are changes made before that this merge brought about (a case that was accepted).
pub(crate) async fn join(
    tx: &mut Tx,
    work: &mut Work<'_>,
    found: &Join,
    case: Option<MatchCaseId>,
    extra: Vec<Change>,
) -> Result<MergeId, Failure> {
    let (kept, absorbed) = (found.kept, found.absorbed);
    let outer = std::mem::take(&mut work.journal);
    work.journal.extend(extra);

    let mine = roster::find(tx, Lookup::Identities(vec![kept])).await?;
    let kept_records = mine.iter().map(|record| record.id.to_string()).collect();
    let records = move_records(tx, work, found, case.is_some()).await?;
    let enrolments = membership::rows_of_identity(tx, absorbed).await?;
    pass_on(tx, &mut work.journal, (&ENROLMENT, &enrolments), kept).await?;
    let mine = merge::belongings(tx, kept).await?;
    let theirs = merge::belongings(tx, absorbed).await?;
    let changed = move_subjects(tx, &mut work.journal, kept, &mine, &theirs).await?;
    security_event::queue(tx, work.random, changed, work.now).await?;
    move_credentials(tx, work, found, &mine, &theirs).await?;
    give_contact(tx, work, kept, (&mine, &theirs)).await?;
    copy_acknowledgements(tx, &mut work.journal, kept, &mine, &theirs).await?;
    pass_on(tx, &mut work.journal, (&UPSTREAM_LINK, &theirs.links), kept).await?;
    pass_on(tx, &mut work.journal, (&ASSIGNMENT, &theirs.assignments), kept).await?;
    pass_on(tx, &mut work.journal, (&ADULT_RECORD, &theirs.adults), kept).await?;
    move_guardianships(tx, &mut work.journal, found, (&mine, &theirs)).await?;
    end_sessions(tx, work, absorbed, &theirs).await?;
    close(tx, work, found).await?;
    let run = work.run.take();
    // The run is set aside so that rows it made itself are journalled too: undoing the merge alone needs them.
    let refreshed = refresh::refresh(tx, work, &BTreeSet::from([kept])).await;
    work.run = run;
    refreshed?;

    let id = MergeId::new(work.now, work.random);
    let changes = std::mem::replace(&mut work.journal, outer).into_changes();
    work.journal.extend(changes.clone());
    let undo = Undo {
        because: (
            found.because.first().to_string(),
            found.because.second().to_string(),
        ),
        records,
        kept_records,
        changes,
    };
    let stored = StoredMerge {
        id,
        kept,
        absorbed,
        case,
        actor: work.by.clone(),
        undo: serde_json::to_string(&undo).map_err(|error| StoreError::corrupt("merge.undo", error))?,
        merged_at: work.now,
        undone_at: None,
        created_run: work.run,
        sequence: work.turn * MERGES_IN_A_TURN + work.merges,
    };
    work.merges += 1;
    merge::insert(tx, &stored).await?;
    let mut event = Event::new(Kind::IdentitiesMerged, work.actor.clone())
        .about(kept)
        .with("absorbed", absorbed)
        .with("merge", id)
        .with("by", &work.by);
    if let Some(case) = case {
        event = event.with("case", case);
    }
    audit::append(tx, work.now, &event).await?;
    Ok(id)
}

async fn move_records(
    tx: &mut Tx,
    work: &mut Work<'_>,
    found: &Join,
    by_human: bool,
) -> Result<Vec<String>, StoreError> {
    let mut moved = Vec::new();
    let mut ids = Vec::new();
    for before in roster::find(tx, Lookup::Identities(vec![found.absorbed])).await? {
        let mut after = before.clone();
        after.identity = found.kept;
        after.linked_by = if by_human {
            LinkedBy::Human
        } else {
            LinkedBy::Certain
        };
        work.journal
            .changes(&SOURCE_RECORD, &before.values(), &after.values());
        ids.push(after.id.to_string());
        moved.push(after);
    }
    roster::save(tx, &moved).await?;
    Ok(ids)
}

/// What the sectors are told that knew them as two comes back.
async fn move_subjects(
    tx: &mut Tx,
    journal: &mut Journal,
    kept: IdentityId,
    mine: &Belongings,
    theirs: &Belongings,
) -> Result<Vec<(String, SecurityEvent)>, StoreError> {
    let in_use = |row: &Vec<Value>| SUBJECT.truth(row, "in_use");
    let taken: HashMap<&str, &str> = mine
        .subjects
        .iter()
        .filter(|row| in_use(row))
        .map(|row| (SUBJECT.text(row, "sector"), SUBJECT.text(row, "value")))
        .collect();
    let mut changed = Vec::new();
    let mut moved = Vec::new();
    for before in &theirs.subjects {
        let after = SUBJECT.with(before, "identity_id", kept.to_string());
        let sector = SUBJECT.text(before, "sector");
        let instead = taken.get(sector);
        let after = SUBJECT.with(&after, "in_use", in_use(before) && instead.is_none());
        if let Some(new_value) = instead.filter(|_| in_use(before)) {
            let event = SecurityEvent::IdentifierChanged {
                subject: SUBJECT.text(before, "value").to_owned(),
                new_value: (*new_value).to_owned(),
            };
            changed.push((sector.to_owned(), event));
        }
        journal.changes(&SUBJECT, before, &after);
        moved.push(after);
    }
    SUBJECT.save(tx, moved).await?;
    Ok(changed)
}

async fn move_credentials(
    tx: &mut Tx,
    work: &mut Work<'_>,
    found: &Join,
    mine: &Belongings,
    theirs: &Belongings,
) -> Result<(), Failure> {
    let taken: HashSet<&str> = mine
        .credentials
        .iter()
        .map(|row| CREDENTIAL.text(row, "kind"))
        .collect();
    for before in &theirs.credentials {
        let kind = CREDENTIAL.text(before, "kind");
        if taken.contains(kind) {
            continue;
        }
        let mut after = CREDENTIAL.with(before, "identity_id", found.kept.to_string());
        if kind == CredentialKind::Picture.as_str() {
            let verifier = CREDENTIAL.text(before, "verifier");
            let carried = picture::carry(work.vault, verifier, found.absorbed, found.kept)?;
            after = CREDENTIAL.with(&after, "verifier", carried);
        }
        work.journal.removes(&CREDENTIAL, before);
        CREDENTIAL.delete(tx, &CREDENTIAL.key_of(before)).await?;
        work.journal.makes(&CREDENTIAL, &after);
        CREDENTIAL.save(tx, vec![after]).await?;
    }
    Ok(())
}

/// Copied, not moved: what is withdrawn later is forgotten of both (`acknowledgement::forget_consent`), so that no undoing
/// brings a consent back that was taken back since.
async fn copy_acknowledgements(
    tx: &mut Tx,
    journal: &mut Journal,
    kept: IdentityId,
    mine: &Belongings,
    theirs: &Belongings,
) -> Result<(), StoreError> {
    let client = |row: &Vec<Value>| ACKNOWLEDGEMENT.text(row, "client_id").to_owned();
    let known: HashSet<String> = mine.acknowledgements.iter().map(client).collect();
    let mut copies = Vec::new();
    for before in &theirs.acknowledgements {
        if known.contains(&client(before)) {
            continue;
        }
        let copy = ACKNOWLEDGEMENT.with(before, "identity_id", kept.to_string());
        journal.makes(&ACKNOWLEDGEMENT, &copy);
        copies.push(copy);
    }
    ACKNOWLEDGEMENT.save(tx, copies).await
}

/// Rows of the absorbed identity become the kept one's, each as it is.
async fn pass_on(
    tx: &mut Tx,
    journal: &mut Journal,
    (image, rows): (&'static Image, &[Vec<Value>]),
    kept: IdentityId,
) -> Result<(), StoreError> {
    let mut moved = Vec::new();
    for before in rows {
        let after = image.with(before, "identity_id", kept.to_string());
        journal.changes(image, before, &after);
        moved.push(after);
    }
    image.save(tx, moved).await
}

/// Nobody becomes their own guardian.
async fn move_guardianships(
    tx: &mut Tx,
    journal: &mut Journal,
    found: &Join,
    (mine, theirs): (&Belongings, &Belongings),
) -> Result<(), StoreError> {
    let (kept, absorbed) = (found.kept.to_string(), found.absorbed.to_string());
    let pair = |row: &Vec<Value>| {
        let of = |column| GUARDIANSHIP.text(row, column).to_owned();
        (of("guardian_id"), of("pupil_id"))
    };
    let known: HashSet<_> = mine.guardianships.iter().map(pair).collect();
    for before in &theirs.guardianships {
        let mut after = before.clone();
        for column in ["guardian_id", "pupil_id"] {
            if GUARDIANSHIP.text(before, column) == absorbed {
                after = GUARDIANSHIP.with(&after, column, kept.clone());
            }
        }
        journal.removes(&GUARDIANSHIP, before);
        GUARDIANSHIP.delete(tx, &GUARDIANSHIP.key_of(before)).await?;
        let (guardian, pupil) = pair(&after);
        if guardian == pupil || known.contains(&(guardian, pupil)) {
            continue;
        }
        journal.makes(&GUARDIANSHIP, &after);
        GUARDIANSHIP.save(tx, vec![after]).await?;
    }
    Ok(())
}

async fn give_contact(
    tx: &mut Tx,
    work: &mut Work<'_>,
    kept: IdentityId,
    (mine, theirs): (&Belongings, &Belongings),
) -> Result<(), StoreError> {
    let Some(theirs) = &theirs.contact else {
        return Ok(());
    };
    let before = mine.contact.as_ref();
    let own = before.map(|kept| kept.contact.clone()).unwrap_or_default();
    let after = KeptContact {
        contact: own.filled_from(&theirs.contact),
        updated_at: work.now,
    };
    if after.contact == own {
        return Ok(());
    }
    let row = contact::values(kept, &after);
    match before {
        Some(before) => {
            work.journal
                .changes(&CONTACT, &contact::values(kept, before), &row);
        }
        None => work.journal.makes(&CONTACT, &row),
    }
    contact::save(tx, kept, &after).await
}

async fn end_sessions(
    tx: &mut Tx,
    work: &mut Work<'_>,
    absorbed: IdentityId,
    theirs: &Belongings,
) -> Result<(), Failure> {
    for before in &theirs.sessions {
        let after = SESSION.with(before, "ended_at", work.now);
        work.journal.changes(&SESSION, before, &after);
    }
    session::end_all_of(tx, absorbed, work.now, work.actor.clone(), "identity merged").await?;
    Ok(())
}

/// The login name goes over where the kept one has none, and the absorbed one says where it went.
async fn close(tx: &mut Tx, work: &mut Work<'_>, found: &Join) -> Result<(), StoreError> {
    let people = person::find(tx, &[found.kept, found.absorbed]).await?;
    let (Some(mine), Some(theirs)) = (people.get(&found.kept), people.get(&found.absorbed)) else {
        return Err(StoreError::corrupt(
            "source_record.identity_id",
            "identity is gone",
        ));
    };
    let mut after = theirs.clone();
    after.identity.status = theirs
        .identity
        .status
        .clone()
        .merge(found.kept)
        .map_err(|error| StoreError::corrupt("identity.status", error))?;
    let name = theirs.identity.username.clone();
    let moves_name = name.is_some() && mine.identity.username.is_none();
    if moves_name {
        after.identity.username = None;
    }
    note(&mut work.journal, theirs, &after);
    identity::set_status(tx, found.absorbed, &after.identity.status).await?;
    if moves_name {
        let mut named = mine.clone();
        named.identity.username.clone_from(&name);
        note(&mut work.journal, mine, &named);
        merge::set_username(tx, found.absorbed, None).await?;
        merge::set_username(tx, found.kept, name.as_deref()).await?;
    }
    Ok(())
}

fn note(journal: &mut Journal, before: &Person, after: &Person) {
    journal.changes(&IDENTITY, &before.values(), &after.values());
}
