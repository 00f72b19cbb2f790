//! Taking back a run: what stands in the way, and the rows that go away with it.

use super::db::{Conn, Statement, Tx};
use super::value::text;
use super::{StoreError, statements};
use crate::base::id::ImportRunId;

statements! {
    // Rows this run made that another run has changed since.
    MADE_CHANGED = "SELECT CAST(COUNT(*) AS BIGINT) AS number FROM change h WHERE h.run_id <> $1 AND (
        (h.table_name = 'source_record' AND EXISTS
            (SELECT 1 FROM source_record r WHERE r.id = h.row_key AND r.created_run = $1))
        OR (h.table_name = 'enrolment' AND EXISTS
            (SELECT 1 FROM enrolment e WHERE e.id = h.row_key AND e.created_run = $1))
        OR (h.table_name = 'identity' AND EXISTS
            (SELECT 1 FROM identity i WHERE i.id = h.row_key AND i.created_run = $1))
        OR (h.table_name = 'class_group' AND EXISTS
            (SELECT 1 FROM class_group c WHERE c.id = h.row_key AND c.created_run = $1))
        OR (h.table_name = 'match_case' AND EXISTS
            (SELECT 1 FROM match_case m WHERE m.id = h.row_key AND m.created_run = $1))
        OR (h.table_name = 'school' AND EXISTS
            (SELECT 1 FROM school s WHERE s.uai = h.row_key AND s.created_run = $1))
        OR (h.table_name = 'adult_record' AND EXISTS
            (SELECT 1 FROM adult_record a WHERE a.id = h.row_key AND a.created_run = $1))
        OR (h.table_name = 'guardian_statement' AND EXISTS
            (SELECT 1 FROM guardian_statement g WHERE g.adult_id || '\t' || g.pupil_record_id = h.row_key
                AND g.created_run = $1))
        OR (h.table_name = 'structure' AND EXISTS
            (SELECT 1 FROM structure s WHERE s.structure_key || '\t' || s.academy = h.row_key
                AND s.created_run = $1)))";
    // What another run, or a person by hand, has hung on them. A row that was there before and that this run itself
    // moved there goes back by its journal.
    RECORDS_ON = "SELECT CAST(COUNT(*) AS BIGINT) AS number FROM identity i
        JOIN source_record r ON r.identity_id = i.id
        WHERE i.created_run = $1 AND (r.created_run IS NULL OR r.created_run <> $1) AND NOT EXISTS
            (SELECT 1 FROM change h WHERE h.run_id = $1 AND h.table_name = 'source_record' AND h.row_key = r.id)";
    ADULTS_ON = "SELECT CAST(COUNT(*) AS BIGINT) AS number FROM identity i
        JOIN adult_record a ON a.identity_id = i.id
        WHERE i.created_run = $1 AND (a.created_run IS NULL OR a.created_run <> $1) AND NOT EXISTS
            (SELECT 1 FROM change h WHERE h.run_id = $1 AND h.table_name = 'adult_record' AND h.row_key = a.id)";
    STATEMENTS_ON = "SELECT CAST(COUNT(*) AS BIGINT) AS number FROM guardian_statement g
        WHERE (g.created_run IS NULL OR g.created_run <> $1) AND (EXISTS
            (SELECT 1 FROM source_record r WHERE r.id = g.pupil_record_id AND r.created_run = $1)
            OR EXISTS (SELECT 1 FROM adult_record a WHERE a.id = g.adult_id AND a.created_run = $1))";
    ENROLMENTS_ON_IDENTITIES = "SELECT CAST(COUNT(*) AS BIGINT) AS number FROM identity i
        JOIN enrolment e ON e.identity_id = i.id
        WHERE i.created_run = $1 AND (e.created_run IS NULL OR e.created_run <> $1) AND NOT EXISTS
            (SELECT 1 FROM change h WHERE h.run_id = $1 AND h.table_name = 'enrolment' AND h.row_key = e.id)";
    ENROLMENTS_ON_RECORDS = "SELECT CAST(COUNT(*) AS BIGINT) AS number FROM source_record r
        JOIN enrolment e ON e.record_id = r.id
        WHERE r.created_run = $1 AND (e.created_run IS NULL OR e.created_run <> $1) AND NOT EXISTS
            (SELECT 1 FROM change h WHERE h.run_id = $1 AND h.table_name = 'enrolment' AND h.row_key = e.id)";
    ENROLMENTS_ON_CLASSES = "SELECT CAST(COUNT(*) AS BIGINT) AS number FROM class_group c
        JOIN enrolment e ON e.class_id = c.id
        WHERE c.created_run = $1 AND (e.created_run IS NULL OR e.created_run <> $1) AND NOT EXISTS
            (SELECT 1 FROM change h WHERE h.run_id = $1 AND h.table_name = 'enrolment' AND h.row_key = e.id)";
    CASES_ON = "SELECT CAST(COUNT(*) AS BIGINT) AS number FROM match_case m
        WHERE (m.created_run IS NULL OR m.created_run <> $1) AND EXISTS
            (SELECT 1 FROM source_record r WHERE r.id IN (m.record_a, m.record_b) AND r.created_run = $1)";
    ROWS_ON_SCHOOLS = "SELECT CAST(COUNT(*) AS BIGINT) AS number FROM school s
        JOIN source_record r ON r.uai = s.uai
        WHERE s.created_run = $1 AND (r.created_run IS NULL OR r.created_run <> $1) AND NOT EXISTS
            (SELECT 1 FROM change h WHERE h.run_id = $1 AND h.table_name = 'source_record' AND h.row_key = r.id)";
    // Identities it changed that were suspended or erased since; a merge of its own may be what changed them.
    STOPPED = "SELECT CAST(COUNT(*) AS BIGINT) AS number FROM identity i WHERE i.status IN ('suspended', 'erased')
        AND EXISTS (SELECT 1 FROM change h WHERE h.run_id = $1 AND h.table_name = 'identity' AND h.row_key = i.id
            AND h.before LIKE '%\"status\"%')";
    // Credentials that were set anew on identities it merged.
    CREDENTIALS_SET = "SELECT CAST(COUNT(*) AS BIGINT) AS number FROM merge m
        JOIN credential c ON c.identity_id IN (m.kept, m.absorbed)
        WHERE m.created_run = $1 AND m.undone_at IS NULL AND c.set_at > m.merged_at";
    // The same of contacts.
    CONTACTS_SET = "SELECT CAST(COUNT(*) AS BIGINT) AS number FROM merge m
        JOIN contact c ON c.identity_id IN (m.kept, m.absorbed)
        WHERE m.created_run = $1 AND m.undone_at IS NULL AND c.updated_at > m.merged_at";
    DELETE_CASES = "DELETE FROM match_case WHERE created_run = $1";
    DELETE_MERGES = "DELETE FROM merge WHERE created_run = $1";
    DELETE_ENROLMENTS = "DELETE FROM enrolment WHERE created_run = $1";
    DELETE_GUARDIANSHIPS = "DELETE FROM guardianship WHERE created_run = $1";
    DELETE_STATEMENTS = "DELETE FROM guardian_statement WHERE created_run = $1";
    DELETE_ORIGINS = "DELETE FROM adult_enrolment WHERE created_run = $1";
    DELETE_ADULTS = "DELETE FROM adult_record WHERE created_run = $1";
    DELETE_GUARDIAN_KEYS = "DELETE FROM guardian_key
        WHERE record_id IN (SELECT r.id FROM source_record r WHERE r.created_run = $1)";
    DELETE_RECORDS = "DELETE FROM source_record WHERE created_run = $1";
    DELETE_IDENTITIES = "DELETE FROM identity WHERE created_run = $1";
    DELETE_CLASSES = "DELETE FROM class_group WHERE created_run = $1";
    DELETE_STRUCTURES = "DELETE FROM structure WHERE created_run = $1";
    DELETE_SCHOOLS = "DELETE FROM school WHERE created_run = $1";
    DELETE_ACADEMIES = "DELETE FROM academy WHERE created_run = $1";
}

/// How many rows hang on what a run made or changed, so that it cannot be taken back alone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Dependents {
    /// Rows that another run changed, or hung on rows of this one.
    pub later: i64,
    /// Identities suspended or erased since.
    pub stopped: i64,
    /// Credentials set anew since.
    pub credentials: i64,
    /// Contacts changed since.
    pub contacts: i64,
}

/// Counts what hangs on a run's rows.
///
/// # Errors
/// [`StoreError`].
pub async fn dependents(conn: &mut Conn, run: ImportRunId) -> Result<Dependents, StoreError> {
    let mut later = super::journal::changed_later(conn, run).await?;
    let count: [Statement; 9] = [
        MADE_CHANGED,
        RECORDS_ON,
        ADULTS_ON,
        STATEMENTS_ON,
        ENROLMENTS_ON_IDENTITIES,
        ENROLMENTS_ON_RECORDS,
        ENROLMENTS_ON_CLASSES,
        CASES_ON,
        ROWS_ON_SCHOOLS,
    ];
    for statement in count {
        later += conn.number(statement, [text(run)]).await?;
    }
    Ok(Dependents {
        later,
        stopped: conn.number(STOPPED, [text(run)]).await?,
        credentials: conn.number(CREDENTIALS_SET, [text(run)]).await?,
        contacts: conn.number(CONTACTS_SET, [text(run)]).await?,
    })
}

/// Deletes every row that a run made; answers how many.
///
/// # Errors
/// [`StoreError`].
pub async fn delete_made(tx: &mut Tx, run: ImportRunId) -> Result<u64, StoreError> {
    // Derived from rows that go: nobody counts them.
    tx.execute(DELETE_GUARDIAN_KEYS, [text(run)]).await?;
    let mut deleted = 0;
    for statement in [
        DELETE_CASES,
        DELETE_MERGES,
        DELETE_ENROLMENTS,
        DELETE_GUARDIANSHIPS,
        DELETE_STATEMENTS,
        DELETE_ORIGINS,
        DELETE_ADULTS,
        DELETE_RECORDS,
        DELETE_IDENTITIES,
        DELETE_CLASSES,
        DELETE_STRUCTURES,
        DELETE_SCHOOLS,
        DELETE_ACADEMIES,
    ] {
        deleted += tx.execute(statement, [text(run)]).await?;
    }
    Ok(deleted)
}
