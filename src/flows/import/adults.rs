//! The adults of a load: on their way from the files to the schools of their pupils, and into the store.
//!
//! | step | where | what |
//! | --- | --- | --- |
//! | from the files to the schools | [`spool`] | an adult goes where they answer for a pupil, or work |
//! | children | [`child`] | which child a link is about |
//! | who answers for them already | [`candidate`] | found by the child |
//! | guardians | [`guardian`] | who they are is told by the children: same child, same names, same adult |
//! | what follows for people | [`project`] | of all that feeds say of a child, who answers for them |
//! | staff | [`staff`] | who works in the school, and teaches which class |
//!
//! Runs behind the pupils of a school, in its transaction. Must never link two adults by names alone, nor make one of
//! two adults whom one source tells apart.

mod candidate;
mod child;
mod guardian;
mod project;
mod settled;
mod spool;
mod staff;

use settled::Pending;
pub(super) use spool::{AdultSpool, AdultsOf};

use std::collections::{BTreeSet, HashSet};

use super::report::Counts;
use super::{Frame, ImportError};
use crate::base::id::{EnrolmentId, IdentityId};
use crate::domain::education::Profile;
use crate::domain::source::Source;
use crate::domain::uai::Uai;
use crate::flows::recognition::{Work, refresh};
use crate::roster::RowIssue;
use crate::store::adult;
use crate::store::db::{Conn, Tx};
use crate::store::value::{Value, text};

/// What the adults of one school did.
#[derive(Debug, Default)]
pub(super) struct Done {
    pub(super) counts: Counts,
    /// Rows that could not be taken.
    pub(super) issues: Vec<RowIssue>,
    /// Identities whose status may have changed.
    affected: BTreeSet<IdentityId>,
    /// Whether anything was written.
    pub(super) wrote: bool,
}

/// A school, while its adults are loaded.
struct Loading<'l, 'w> {
    frame: &'l Frame,
    school: &'l Uai,
    tx: &'l mut Tx,
    work: &'l mut Work<'w>,
    done: Done,
    pending: Pending,
    /// Identities that this load made, and those it newly enrolled.
    born: HashSet<IdentityId>,
    enrolled: HashSet<IdentityId>,
}

/// Loads the adults of a school. `children` are pupils whose records have moved in this transaction: what follows of
/// them for adults is drawn anew.
pub(super) async fn load(
    tx: &mut Tx,
    work: &mut Work<'_>,
    (frame, school): (&Frame, &Uai),
    (adults, partial_staff): (&AdultsOf, bool),
    children: BTreeSet<IdentityId>,
) -> Result<Done, ImportError> {
    let mut loading = Loading {
        frame,
        school,
        tx,
        work,
        done: Done::default(),
        pending: Pending::default(),
        born: HashSet::new(),
        enrolled: HashSet::new(),
    };
    let mut moved = children;
    let states_guardians = !adults.guardians.is_empty() || !adults.links.is_empty();
    if states_guardians {
        moved.extend(loading.guardians(adults).await?);
    }
    let concerned = loading.project(moved).await?;
    if frame.delta {
        loading.enrol_guardians(Some(concerned)).await?;
    } else if states_guardians {
        loading.enrol_guardians(None).await?;
    }
    if !adults.staff.is_empty() {
        loading.staff(&adults.staff, partial_staff).await?;
    }
    let mut affected = std::mem::take(&mut loading.done.affected);
    // Whom this load makes and enrols is shown as their record says and is here, unless the year is over.
    if frame.today < frame.year.overlap_end() {
        affected.retain(|identity| !(loading.born.contains(identity) && loading.enrolled.contains(identity)));
    }
    refresh::refresh(loading.tx, loading.work, &affected).await?;
    Ok(loading.done)
}

/// What a preview can say of adults before anybody is recognised: how many there are, and how many of their keys nobody
/// knows. Where keys are made here only the load can tell who is new.
pub(super) async fn foresee(
    conn: &mut Conn,
    frame: &Frame,
    school: &Uai,
    adults: &AdultsOf,
) -> Result<Counts, ImportError> {
    let mut counts = Counts {
        adults: (adults.guardians.len() + adults.staff.len()) as u64,
        ..Counts::default()
    };
    if guardian::makes_its_keys(frame.feed.source()) {
        return Ok(counts);
    }
    let staff = adults.staff.iter().map(|one| &*one.adult.key);
    let keys: BTreeSet<&str> = adults
        .guardians
        .iter()
        .map(|one| &*one.key)
        .chain(staff)
        .collect();
    let keys: Vec<_> = keys
        .into_iter()
        .map(|key| settled::key_of(frame, school, key))
        .collect();
    for keys in keys.chunks(1_000) {
        let known = adult::find(conn, adult::Lookup::Keys(keys.to_vec())).await?;
        counts.adults_new += keys.len().saturating_sub(known.len()) as u64;
    }
    Ok(counts)
}

impl Loading<'_, '_> {
    fn source(&self) -> Source {
        self.frame.feed.source()
    }

    fn file(&self, number: u32) -> std::sync::Arc<str> {
        let at = usize::try_from(number).ok();
        let name = at.and_then(|at| self.frame.files.get(at));
        name.cloned().unwrap_or_else(|| "".into())
    }

    fn complain(&mut self, (file, line): (u32, u64), message: &str) {
        let place = crate::domain::source::Place {
            file: self.file(file),
            line,
            column: 1,
        };
        self.done.issues.push(RowIssue {
            severity: crate::roster::Severity::Warning,
            place,
            message: message.to_owned(),
        });
    }

    /// A new enrolment of an adult in the school.
    fn enrolment(&mut self, identity: IdentityId, profile: Profile, class: Option<String>) -> Vec<Value> {
        self.done.affected.insert(identity);
        self.enrolled.insert(identity);
        let id = EnrolmentId::new(self.frame.now, self.work.random);
        vec![
            text(id),
            text(identity),
            Value::Text(None),
            text(self.school),
            Value::Text(class),
            Value::Text(None),
            text(profile),
            i64::from(self.frame.year.first()).into(),
            self.frame.today.into(),
            self.frame.year.overlap_end().into(),
            text(self.frame.run),
        ]
    }
}
