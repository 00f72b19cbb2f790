//! Import runs, and the turn that everything takes which changes who is whom.

use super::db::{Conn, Row, Tx};
use super::value::{text, text_or_null};
use super::{StoreError, statements};
use crate::base::id::ImportRunId;
use crate::base::time::Timestamp;
use crate::domain::education::SchoolYear;
use crate::domain::import::RunStatus;
use crate::domain::source::Source;

statements! {
    // Holds the row's lock until the transaction ends: recognition sees one state of the world at a time.
    TAKE_TURN = "UPDATE recognition SET turn = turn + 1 WHERE id = 1 RETURNING turn";
    INSERT = "INSERT INTO import_run (id, source, scope, year, status, actor, override_reason, summary, schools,
        schools_done, started_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 0, $10)";
    FIND = "SELECT id, source, scope, year, status, actor, override_reason, summary, schools, schools_done, started_at,
        ended_at FROM import_run WHERE id = $1";
    RECENT = "SELECT id, source, scope, year, status, actor, override_reason, summary, schools, schools_done,
        started_at, ended_at FROM import_run ORDER BY started_at DESC, id DESC LIMIT $1";
    SCHOOL_DONE = "UPDATE import_run SET schools_done = schools_done + 1 WHERE id = $1";
    FINISH = "UPDATE import_run SET status = 'applied', summary = $2, ended_at = $3
        WHERE id = $1 AND status = 'applying'";
    // What an interrupted load left over, the same load has now brought to its end.
    FINISH_INTERRUPTED = "UPDATE import_run SET status = 'applied', ended_at = $6 WHERE status = 'applying'
        AND source = $1 AND scope = $2 AND year = $3 AND started_at <= $4 AND id <> $5";
    UNDONE = "UPDATE import_run SET status = 'undone', ended_at = $2 WHERE id = $1 AND status IN ('applying', 'applied')";
}

/// A run as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// Its id.
    pub id: ImportRunId,
    /// What was loaded.
    pub source: Source,
    /// Academy code, or the schools' UAIs with spaces between.
    pub scope: String,
    /// For which year.
    pub year: SchoolYear,
    /// Where it stands.
    pub status: RunStatus,
    /// Who loaded it.
    pub actor: String,
    /// Why a guard was overridden, where one was.
    pub override_reason: Option<String>,
    /// What it did, as JSON.
    pub summary: String,
    /// Schools it has to apply.
    pub schools: i64,
    /// Schools it has applied with changes.
    pub schools_done: i64,
    /// When it began.
    pub started_at: Timestamp,
    /// When it ended, or was undone.
    pub ended_at: Option<Timestamp>,
}

fn run(row: &Row) -> Result<Run, StoreError> {
    let ended: Option<i64> = row.get("ended_at")?;
    Ok(Run {
        id: row.parse("id")?,
        source: row.parse("source")?,
        scope: row.get("scope")?,
        year: super::enrolment::year(row)?,
        status: row.parse("status")?,
        actor: row.get("actor")?,
        override_reason: row.get("override_reason")?,
        summary: row.get("summary")?,
        schools: row.get("schools")?,
        schools_done: row.get("schools_done")?,
        started_at: Timestamp::from_micros(row.get("started_at")?),
        ended_at: ended.map(Timestamp::from_micros),
    })
}

/// Waits for everything else that changes who is whom, and keeps it waiting until this transaction ends. Answers the
/// number of the turn.
///
/// # Errors
/// [`StoreError`].
pub async fn take_turn(tx: &mut Tx) -> Result<i64, StoreError> {
    match tx.optional(TAKE_TURN, []).await? {
        Some(row) => row.get("turn"),
        None => Err(StoreError::corrupt("recognition.turn", "no row")),
    }
}

/// Keeps a new run, applying.
///
/// # Errors
/// [`StoreError`].
pub async fn insert(tx: &mut Tx, run: &Run) -> Result<(), StoreError> {
    let values = [
        text(run.id),
        text(run.source),
        text(&run.scope),
        i64::from(run.year.first()).into(),
        text(run.status),
        text(&run.actor),
        text_or_null(run.override_reason.as_deref()),
        text(&run.summary),
        run.schools.into(),
        run.started_at.into(),
    ];
    tx.execute(INSERT, values).await.map(drop)
}

/// One run.
///
/// # Errors
/// [`StoreError`].
pub async fn find(conn: &mut Conn, id: ImportRunId) -> Result<Option<Run>, StoreError> {
    conn.optional(FIND, [text(id)])
        .await?
        .as_ref()
        .map(run)
        .transpose()
}

/// The latest runs, newest first.
///
/// # Errors
/// [`StoreError`].
pub async fn recent(conn: &mut Conn, count: i64) -> Result<Vec<Run>, StoreError> {
    conn.all(RECENT, [count.into()]).await?.iter().map(run).collect()
}

/// One more school is applied.
///
/// # Errors
/// [`StoreError`].
pub async fn school_done(tx: &mut Tx, id: ImportRunId) -> Result<(), StoreError> {
    tx.execute(SCHOOL_DONE, [text(id)]).await.map(drop)
}

/// Every school is applied; so is what earlier, interrupted runs of the same source, scope and year had begun.
///
/// # Errors
/// [`StoreError`].
pub async fn finish(tx: &mut Tx, run: &Run, summary: &str, now: Timestamp) -> Result<(), StoreError> {
    tx.execute(FINISH, [text(run.id), text(summary), now.into()])
        .await?;
    let values = [
        text(run.source),
        text(&run.scope),
        i64::from(run.year.first()).into(),
        run.started_at.into(),
        text(run.id),
        now.into(),
    ];
    tx.execute(FINISH_INTERRUPTED, values).await.map(drop)
}

/// Marks a run as taken back; whether it was this call that did.
///
/// # Errors
/// [`StoreError`].
pub async fn undone(tx: &mut Tx, id: ImportRunId, now: Timestamp) -> Result<bool, StoreError> {
    Ok(tx.execute(UNDONE, [text(id), now.into()]).await? == 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::random::SeededRandom;
    use crate::store::testing::on_each_engine;

    #[tokio::test]
    async fn a_run_is_finished_by_itself_or_by_the_next_one_like_it() {
        on_each_engine(async |db| {
            let random = SeededRandom::new(3);
            let new = |at: i64, year| Run {
                id: ImportRunId::new(Timestamp::from_seconds(at), &random),
                source: Source::Onde,
                scope: "9990001X".into(),
                year: SchoolYear::new(year).unwrap(),
                status: RunStatus::Applying,
                actor: "operator".into(),
                override_reason: None,
                summary: "{}".into(),
                schools: 1,
                schools_done: 0,
                started_at: Timestamp::from_seconds(at),
                ended_at: None,
            };
            let (interrupted, other, last) = (new(1, 2026), new(2, 2027), new(3, 2026));
            let mut tx = db.begin().await.unwrap();
            let turn = take_turn(&mut tx).await.unwrap();
            assert_eq!(take_turn(&mut tx).await.unwrap(), turn + 1);
            for run in [&interrupted, &other, &last] {
                insert(&mut tx, run).await.unwrap();
            }
            school_done(&mut tx, last.id).await.unwrap();
            let now = Timestamp::from_seconds(9);
            finish(&mut tx, &last, r#"{"new":1}"#, now).await.unwrap();
            let found = recent(&mut tx, 10).await.unwrap();
            let status: Vec<_> = found.iter().map(|run| (run.status, run.ended_at)).collect();
            assert_eq!(
                status,
                [
                    (RunStatus::Applied, Some(now)),
                    (RunStatus::Applying, None),
                    (RunStatus::Applied, Some(now))
                ]
            );
            assert_eq!(found[0].schools_done, 1);
            assert_eq!(found[0].summary, r#"{"new":1}"#);
            assert!(
                undone(&mut tx, other.id, now).await.unwrap(),
                "an interrupted run can be undone"
            );
            assert!(!undone(&mut tx, other.id, now).await.unwrap());
            assert_eq!(
                find(&mut tx, other.id).await.unwrap().unwrap().status,
                RunStatus::Undone
            );
        })
        .await;
    }
}
