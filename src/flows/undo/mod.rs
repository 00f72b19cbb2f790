//! Taking back an import run: everything it made goes, everything it changed is as it was, in one transaction.
//!
//! Refused where that would take something away from somebody: what the run made is in use, a later run or a human
//! built on it. A run that was interrupted can be taken back too.

use std::fmt;

use crate::base::id::ImportRunId;
use crate::domain::audit::{Actor, Event, Kind};
use crate::flows::recognition::{Work, model};
use crate::flows::{Context, Failure, security_event};
use crate::store::db::Conn;
use crate::store::image::SUBJECT;
use crate::store::import_run::{self, Run};
use crate::store::{StoreError, audit, journal, match_case, merge, person, run_undo};

/// Why a run cannot be taken back, with how many rows say so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hindrance {
    /// It was taken back already.
    AlreadyUndone,
    /// Later loads changed the same rows, or built on rows it made.
    LaterLoads(i64),
    /// Humans decided on people it made or changed.
    Decisions(i64),
    /// Merges made since stand on its people.
    Merges(i64),
    /// Services know people it made.
    Subjects(i64),
    /// People it made can sign in: a credential, a login name.
    Credentials(i64),
    /// People it made, or made one, have mail addresses, telephone numbers or postal addresses given by hand.
    Contacts(i64),
    /// People it made are or were signed in.
    Sessions(i64),
    /// Classes it made have a code.
    ClassCodes(i64),
    /// People it changed were suspended or erased since.
    Stopped(i64),
}

impl Hindrance {
    /// A stable word for programs.
    pub fn code(self) -> &'static str {
        match self {
            Self::AlreadyUndone => "already_undone",
            Self::LaterLoads(_) => "later_loads",
            Self::Decisions(_) => "decisions",
            Self::Merges(_) => "merges",
            Self::Subjects(_) => "subjects",
            Self::Credentials(_) => "credentials",
            Self::Contacts(_) => "contacts",
            Self::Sessions(_) => "sessions",
            Self::ClassCodes(_) => "class_codes",
            Self::Stopped(_) => "stopped",
        }
    }
}

impl fmt::Display for Hindrance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AlreadyUndone => f.write_str("ce chargement est déjà annulé"),
            Self::LaterLoads(count) => write!(
                f,
                "{count} ligne(s) modifiée(s) ou reprise(s) par un chargement plus récent : annulez-le d'abord"
            ),
            Self::Decisions(count) => {
                write!(
                    f,
                    "{count} décision(s) humaine(s) prise(s) depuis sur ces personnes"
                )
            }
            Self::Merges(count) => write!(
                f,
                "{count} fusion(s) faite(s) ou défaite(s) depuis sur ces personnes"
            ),
            Self::Subjects(count) => {
                write!(
                    f,
                    "{count} identifiant(s) déjà remis à des services pour ces personnes"
                )
            }
            Self::Credentials(count) => {
                write!(f, "{count} moyen(s) de connexion déjà donné(s) à ces personnes")
            }
            Self::Contacts(count) => write!(
                f,
                "coordonnées de {count} personne(s) données ou changées depuis, à la main"
            ),
            Self::Sessions(count) => write!(f, "{count} session(s) ouverte(s) par ces personnes"),
            Self::ClassCodes(count) => write!(f, "{count} code(s) de classe déjà distribué(s)"),
            Self::Stopped(count) => write!(f, "{count} compte(s) suspendu(s) ou effacé(s) depuis"),
        }
    }
}

/// Why a run was not taken back; nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum UndoError {
    /// There is no such run.
    #[error("aucun chargement {0}")]
    Unknown(ImportRunId),
    /// Something stands in the way.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ; "))]
    Refused(Vec<Hindrance>),
    /// Nothing can be done about it.
    #[error(transparent)]
    Failure(#[from] Failure),
}

impl From<StoreError> for UndoError {
    fn from(error: StoreError) -> Self {
        Self::Failure(error.into())
    }
}

/// What taking back a run did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Undone {
    /// Rows it had made, deleted.
    pub deleted: u64,
    /// Changes it had made, put back.
    pub restored: i64,
}

/// The latest runs, newest first. One that is still applying is at work, or was interrupted.
///
/// # Errors
/// [`Failure`].
pub async fn runs(context: &Context, count: i64) -> Result<Vec<Run>, Failure> {
    let mut conn = context.db.reader().await?;
    Ok(import_run::recent(&mut conn, count).await?)
}

/// Takes a run back.
///
/// # Errors
/// [`UndoError`].
pub async fn undo(context: &Context, id: ImportRunId, operator: &str) -> Result<Undone, UndoError> {
    let mut tx = context.db.begin().await?;
    import_run::take_turn(&mut tx).await?;
    let run = import_run::find(&mut tx, id)
        .await?
        .ok_or(UndoError::Unknown(id))?;
    let hindrances = hindrances(&mut tx, &run).await?;
    if !hindrances.is_empty() {
        return Err(UndoError::Refused(hindrances));
    }
    let now = context.now();
    let subjects = journal::of_table(&mut tx, id, SUBJECT.table).await?;
    let identifiers = security_event::restored(&mut tx, &subjects).await?;
    let restored = journal::restore_run(&mut tx, id).await?;
    let deleted = run_undo::delete_made(&mut tx, id).await?;
    security_event::queue(&mut tx, &*context.random, identifiers, now).await?;
    if !import_run::undone(&mut tx, id, now).await? {
        return Err(UndoError::Refused(vec![Hindrance::AlreadyUndone]));
    }
    let event = Event::new(Kind::ImportUndone, Actor::Operator)
        .about(id)
        .with("deleted", deleted)
        .with("restored", restored)
        .with("by", operator);
    audit::append(&mut tx, now, &event).await?;
    tx.commit().await?;
    // Names and ways are as frequent as before.
    let begin = |turn, model| Work::by_hand(context, operator, turn, model);
    model::renew(context, &begin).await?;
    Ok(Undone { deleted, restored })
}

async fn hindrances(conn: &mut Conn, run: &Run) -> Result<Vec<Hindrance>, StoreError> {
    if run.status.undo().is_err() {
        return Ok(vec![Hindrance::AlreadyUndone]);
    }
    let dependents = run_undo::dependents(conn, run.id).await?;
    let uses = person::uses_of_run(conn, run.id).await?;
    let decisions = match_case::decided_on_run(conn, run.id, run.started_at).await?;
    let merges = merge::others_on_run(conn, run.id, run.started_at).await?
        + merge::undone_of_run(conn, run.id).await?;
    let all = [
        (dependents.later, Hindrance::LaterLoads as fn(i64) -> Hindrance),
        (decisions, Hindrance::Decisions),
        (merges, Hindrance::Merges),
        (uses.subjects, Hindrance::Subjects),
        (
            uses.credentials + uses.usernames + dependents.credentials,
            Hindrance::Credentials,
        ),
        (uses.contacts + dependents.contacts, Hindrance::Contacts),
        (uses.sessions + uses.grants, Hindrance::Sessions),
        (uses.class_codes, Hindrance::ClassCodes),
        (dependents.stopped, Hindrance::Stopped),
    ];
    Ok(all
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, hindrance)| hindrance(count))
        .collect())
}
