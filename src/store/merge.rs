//! Merges: two identities that became one, with what undoes it.

use super::db::{Conn, Row, Tx};
use super::image::{
    ACKNOWLEDGEMENT, ASSIGNMENT, CREDENTIAL, GUARDIANSHIP, Image, SESSION, SUBJECT, UPSTREAM_LINK,
};
use super::value::{Value, text, text_or_null};
use super::{StoreError, statements};
use crate::base::id::{IdentityId, ImportRunId, MatchCaseId, MergeId};
use crate::base::time::Timestamp;
use crate::domain::contact::KeptContact;

statements! {
    INSERT = "INSERT INTO merge (id, kept, absorbed, case_id, actor, undo, merged_at, created_run, sequence)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
    FIND = "SELECT id, kept, absorbed, case_id, actor, undo, merged_at, undone_at, created_run,
        sequence FROM merge WHERE id = $1";
    RECENT = "SELECT id, kept, absorbed, case_id, actor, undo, merged_at, undone_at, created_run,
        sequence FROM merge ORDER BY sequence DESC LIMIT $1";
    // A merge that came after this one and has one of its identities: it must be undone first.
    LATER = "SELECT id, kept, absorbed, case_id, actor, undo, merged_at, undone_at, created_run, sequence
        FROM merge
        WHERE undone_at IS NULL AND sequence > $1
            AND (kept IN ($2, $3) OR absorbed IN ($2, $3)) ORDER BY sequence DESC LIMIT 1";
    UNDONE = "UPDATE merge SET undone_at = $2 WHERE id = $1 AND undone_at IS NULL";
    SUBJECTS = "SELECT value, sector, identity_id, in_use, issued_at FROM subject WHERE identity_id = $1
        ORDER BY sector, value";
    CREDENTIALS = "SELECT identity_id, kind, verifier, set_at FROM credential WHERE identity_id = $1 ORDER BY kind";
    ACKNOWLEDGEMENTS = "SELECT identity_id, client_id, kind, attributes, rights, since, given_at FROM acknowledgement
        WHERE identity_id = $1 ORDER BY client_id";
    LIVE_SESSIONS = "SELECT id, token_hash, identity_id, authenticated_at, acr, amr, device, expires_at, ended_at
        FROM session WHERE identity_id = $1 AND ended_at IS NULL ORDER BY id";
    LINKS = "SELECT id, provider, subject, identity_id, binding, convention, linked_at, used_at, ended_at, end_reason
        FROM upstream_link WHERE identity_id = $1 AND ended_at IS NULL ORDER BY id";
    ASSIGNMENTS = "SELECT id, identity_id, role, scope_kind, scope_key, provider, link_id, rule, since, until, ended_at
        FROM assignment WHERE identity_id = $1 AND ended_at IS NULL ORDER BY id";
    GUARDIANSHIPS = "SELECT guardian_id, pupil_id, source, stated_at, kinship, legal, created_run FROM guardianship
        WHERE guardian_id = $1 OR pupil_id = $1 ORDER BY guardian_id, pupil_id";
    SET_USERNAME = "UPDATE identity SET username = $2 WHERE id = $1";
    HUMAN_ON_RUN = "SELECT CAST(COUNT(*) AS BIGINT) AS number FROM merge m WHERE m.merged_at >= $2
        AND (m.created_run IS NULL OR m.created_run <> $1) AND m.undone_at IS NULL
        AND EXISTS (SELECT 1 FROM identity i WHERE i.id IN (m.kept, m.absorbed) AND (i.created_run = $1
            OR EXISTS (SELECT 1 FROM change h WHERE h.run_id = $1 AND h.table_name = 'identity' AND h.row_key = i.id)
            OR EXISTS (SELECT 1 FROM source_record r WHERE r.identity_id = i.id AND r.created_run = $1)
            OR EXISTS (SELECT 1 FROM enrolment e WHERE e.identity_id = i.id AND e.created_run = $1)))";
    UNDONE_OF_RUN = "SELECT CAST(COUNT(*) AS BIGINT) AS number FROM merge WHERE created_run = $1
        AND undone_at IS NOT NULL";
}

/// A merge as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredMerge {
    /// Its id.
    pub id: MergeId,
    /// The identity that lives on.
    pub kept: IdentityId,
    /// The one that went into it.
    pub absorbed: IdentityId,
    /// The case a human accepted; none where the records were certain.
    pub case: Option<MatchCaseId>,
    /// Who decided.
    pub actor: String,
    /// What undoes it, as JSON.
    pub undo: String,
    /// When.
    pub merged_at: Timestamp,
    /// When it was undone.
    pub undone_at: Option<Timestamp>,
    /// The run that found it.
    pub created_run: Option<ImportRunId>,
    /// Its place among all merges.
    pub sequence: i64,
}

fn merge(row: &Row) -> Result<StoredMerge, StoreError> {
    let undone: Option<i64> = row.get("undone_at")?;
    Ok(StoredMerge {
        id: row.parse("id")?,
        kept: row.parse("kept")?,
        absorbed: row.parse("absorbed")?,
        case: row.parse_optional("case_id")?,
        actor: row.get("actor")?,
        undo: row.get("undo")?,
        merged_at: Timestamp::from_micros(row.get("merged_at")?),
        undone_at: undone.map(Timestamp::from_micros),
        created_run: row.parse_optional("created_run")?,
        sequence: row.get("sequence")?,
    })
}

/// Keeps a merge.
///
/// # Errors
/// [`StoreError`].
pub async fn insert(tx: &mut Tx, merge: &StoredMerge) -> Result<(), StoreError> {
    let values = [
        text(merge.id),
        text(merge.kept),
        text(merge.absorbed),
        text_or_null(merge.case),
        text(&merge.actor),
        text(&merge.undo),
        merge.merged_at.into(),
        text_or_null(merge.created_run),
        merge.sequence.into(),
    ];
    tx.execute(INSERT, values).await.map(drop)
}

/// One merge.
///
/// # Errors
/// [`StoreError`].
pub async fn find(conn: &mut Conn, id: MergeId) -> Result<Option<StoredMerge>, StoreError> {
    conn.optional(FIND, [text(id)])
        .await?
        .as_ref()
        .map(merge)
        .transpose()
}

/// The latest merges, newest first.
///
/// # Errors
/// [`StoreError`].
pub async fn recent(conn: &mut Conn, count: i64) -> Result<Vec<StoredMerge>, StoreError> {
    conn.all(RECENT, [count.into()])
        .await?
        .iter()
        .map(merge)
        .collect()
}

/// The latest merge after `merge`, not undone, that has one of its identities.
///
/// # Errors
/// [`StoreError`].
pub async fn later(conn: &mut Conn, merge_before: &StoredMerge) -> Result<Option<StoredMerge>, StoreError> {
    let values = [
        merge_before.sequence.into(),
        text(merge_before.kept),
        text(merge_before.absorbed),
    ];
    conn.optional(LATER, values)
        .await?
        .as_ref()
        .map(merge)
        .transpose()
}

/// Marks a merge as undone; whether it was this call that did.
///
/// # Errors
/// [`StoreError`].
pub async fn undone(tx: &mut Tx, id: MergeId, now: Timestamp) -> Result<bool, StoreError> {
    Ok(tx.execute(UNDONE, [text(id), now.into()]).await? == 1)
}

/// Gives an identity a login name, or takes it away.
///
/// # Errors
/// [`StoreError::Conflict`] where the name is taken.
pub async fn set_username(tx: &mut Tx, id: IdentityId, username: Option<&str>) -> Result<(), StoreError> {
    tx.execute(SET_USERNAME, [text(id), username.into()])
        .await
        .map(drop)
}

/// How many merges others than a run itself made since it began stand on an identity it made or changed.
///
/// # Errors
/// [`StoreError`].
pub async fn others_on_run(conn: &mut Conn, run: ImportRunId, since: Timestamp) -> Result<i64, StoreError> {
    conn.number(HUMAN_ON_RUN, [text(run), since.into()]).await
}

/// How many merges that a run made a human has undone.
///
/// # Errors
/// [`StoreError`].
pub async fn undone_of_run(conn: &mut Conn, run: ImportRunId) -> Result<i64, StoreError> {
    conn.number(UNDONE_OF_RUN, [text(run)]).await
}

/// What hangs on an identity besides its records and enrolments, as rows of their images.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Belongings {
    /// Rows of [`SUBJECT`].
    pub subjects: Vec<Vec<Value>>,
    /// Rows of [`CREDENTIAL`].
    pub credentials: Vec<Vec<Value>>,
    /// Rows of [`ACKNOWLEDGEMENT`].
    pub acknowledgements: Vec<Vec<Value>>,
    /// Rows of [`UPSTREAM_LINK`] that have not ended.
    pub links: Vec<Vec<Value>>,
    /// Rows of [`ASSIGNMENT`] that have not ended.
    pub assignments: Vec<Vec<Value>>,
    /// Rows of [`GUARDIANSHIP`], as an adult and as a pupil.
    pub guardianships: Vec<Vec<Value>>,
    /// Rows of [`super::image::ADULT_RECORD`].
    pub adults: Vec<Vec<Value>>,
    /// Rows of [`SESSION`] that have not ended.
    pub sessions: Vec<Vec<Value>>,
    /// How to reach them.
    pub contact: Option<KeptContact>,
}

/// What hangs on an identity.
///
/// # Errors
/// [`StoreError`].
pub async fn belongings(conn: &mut Conn, identity: IdentityId) -> Result<Belongings, StoreError> {
    async fn rows(
        conn: &mut Conn,
        image: &Image,
        statement: super::db::Statement,
        identity: IdentityId,
    ) -> Result<Vec<Vec<Value>>, StoreError> {
        let rows = conn.all(statement, [text(identity)]).await?;
        rows.iter().map(|row| image.values(row)).collect()
    }
    Ok(Belongings {
        subjects: rows(conn, &SUBJECT, SUBJECTS, identity).await?,
        credentials: rows(conn, &CREDENTIAL, CREDENTIALS, identity).await?,
        acknowledgements: rows(conn, &ACKNOWLEDGEMENT, ACKNOWLEDGEMENTS, identity).await?,
        links: rows(conn, &UPSTREAM_LINK, LINKS, identity).await?,
        assignments: rows(conn, &ASSIGNMENT, ASSIGNMENTS, identity).await?,
        guardianships: rows(conn, &GUARDIANSHIP, GUARDIANSHIPS, identity).await?,
        adults: super::adult::rows_of_identity(conn, identity).await?,
        sessions: rows(conn, &SESSION, LIVE_SESSIONS, identity).await?,
        contact: super::contact::find(conn, identity).await?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::db::Statement;

    /// A table that grows a column grows it here too: else a merge of whoever has a row there fails.
    #[test]
    fn what_a_merge_reads_of_a_table_is_all_that_an_image_of_it_holds() {
        let of: [(&Image, Statement); 7] = [
            (&SUBJECT, SUBJECTS),
            (&CREDENTIAL, CREDENTIALS),
            (&ACKNOWLEDGEMENT, ACKNOWLEDGEMENTS),
            (&UPSTREAM_LINK, LINKS),
            (&ASSIGNMENT, ASSIGNMENTS),
            (&GUARDIANSHIP, GUARDIANSHIPS),
            (&SESSION, LIVE_SESSIONS),
        ];
        for (image, statement) in of {
            let words: Vec<&str> = statement.sql.split_whitespace().collect();
            let read = words.iter().skip(1).take_while(|word| **word != "FROM");
            let read: Vec<&str> = read.map(|word| word.trim_end_matches(',')).collect();
            assert_eq!(read, image.names(), "{}", image.table);
        }
    }
}
