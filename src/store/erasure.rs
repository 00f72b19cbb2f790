//! What is kept of somebody, taken away. What stays is a row of `identity` that says `erased` and the rows of `subject`,
//! so that no service ever meets somebody else under an identifier that was theirs; and the journal of audit, which names
//! nobody.
//!
//! | table | |
//! | --- | --- |
//! | `source_record`, `adult_record`, `guardian_statement`, `adult_enrolment`, `enrolment`, `upstream_enrolment`, `credential`, `contact`, `acknowledgement`, `guardianship`, `assignment`, `upstream_link`, `upstream_case`, `match_case` | their rows go |
//! | `change` | rows about any of these go; of those about the identity it stays that there were some, so that taking back their run is refused |
//! | `merge` | what would undo it goes |
//! | `session` | has ended, and goes with those that are over (`purge`); so do grants and what hangs on either |

use super::db::{Bulk, Conn, Tx};
use super::value::{Value, text};
use super::{StoreError, lists, statements};
use crate::base::id::IdentityId;
use crate::base::time::Timestamp;

statements! {
    // Keys of two columns: the identity is one of them.
    FORGET_PAIRS = "DELETE FROM change WHERE table_name IN ('credential', 'acknowledgement', 'guardianship')
        AND row_key LIKE '%' || $1 || '%'";
    // The job that forgets sessions goes by the day they expire.
    EXPIRE_SESSIONS = "UPDATE session SET expires_at = $2 WHERE identity_id = $1 AND expires_at > $2";
    // An undoing may bring back that somebody answers for a child who was erased meanwhile.
    FORGET_ORPHANED = "DELETE FROM guardianship WHERE EXISTS (SELECT 1 FROM identity i
        WHERE i.status = 'erased' AND i.id IN (guardianship.guardian_id, guardianship.pupil_id))";
}

/// What undoes a merge, when there is nothing to undo any more.
macro_rules! no_undo {
    ($column:literal) => {
        concat!(
            r#"UPDATE merge SET undo = '{"because":["",""],"records":[],"kept_records":[],"changes":[]}' WHERE "#,
            $column,
            " IN ("
        )
    };
}

lists! {
    ABSORBED = "SELECT m.absorbed FROM merge m JOIN identity i ON i.id = m.absorbed
        WHERE m.undone_at IS NULL AND i.status = 'merged' AND m.kept IN (";
    GUARDIANS = "SELECT DISTINCT g.guardian_id FROM guardianship g WHERE g.pupil_id IN (";
    CHANGES_OF_RECORDS = "DELETE FROM change WHERE table_name = 'source_record'
        AND row_key IN (SELECT id FROM source_record WHERE identity_id IN (", ")";
    CHANGES_OF_ENROLMENTS = "DELETE FROM change WHERE table_name = 'enrolment'
        AND row_key IN (SELECT id FROM enrolment WHERE identity_id IN (", ")";
    CHANGES_OF_CASES = "DELETE FROM change WHERE table_name = 'match_case'
        AND row_key IN (SELECT c.id FROM match_case c JOIN source_record r ON r.id IN (c.record_a, c.record_b)
            WHERE r.identity_id IN (", ")";
    CHANGES_OF_ADULTS = "DELETE FROM change WHERE table_name = 'adult_record'
        AND row_key IN (SELECT id FROM adult_record WHERE identity_id IN (", ")";
    CHANGES_OF_ADULT_ENROLMENTS = "DELETE FROM change WHERE table_name = 'adult_enrolment'
        AND row_key IN (SELECT id FROM enrolment WHERE identity_id IN (", ")";
    CHANGES_OF_STATEMENTS_BY = "DELETE FROM change WHERE table_name = 'guardian_statement'
        AND row_key IN (SELECT g.adult_id || '\t' || g.pupil_record_id FROM guardian_statement g
            JOIN adult_record a ON a.id = g.adult_id WHERE a.identity_id IN (", ")";
    CHANGES_OF_STATEMENTS_ON = "DELETE FROM change WHERE table_name = 'guardian_statement'
        AND row_key IN (SELECT g.adult_id || '\t' || g.pupil_record_id FROM guardian_statement g
            JOIN source_record r ON r.id = g.pupil_record_id WHERE r.identity_id IN (", ")";
    CHANGES_OF_LINKS = "DELETE FROM change WHERE table_name = 'upstream_link'
        AND row_key IN (SELECT id FROM upstream_link WHERE identity_id IN (", ")";
    CHANGES_OF_ROLES = "DELETE FROM change WHERE table_name = 'assignment'
        AND row_key IN (SELECT id FROM assignment WHERE identity_id IN (", ")";
    CHANGES_OF_SESSIONS = "DELETE FROM change WHERE table_name = 'session'
        AND row_key IN (SELECT id FROM session WHERE identity_id IN (", ")";
    CHANGES_OF_CONTACTS = "DELETE FROM change WHERE table_name = 'contact' AND row_key IN (";
    CHANGES_OF_NAMES = "DELETE FROM change WHERE table_name = 'identity' AND before NOT LIKE '%\"status\"%'
        AND row_key IN (";
    CHANGES_OF_STATUS = "UPDATE change SET before = '{\"status\":\"erased\"}' WHERE table_name = 'identity'
        AND row_key IN (";
    MERGES_KEPT = no_undo!("kept");
    MERGES_ABSORBED = no_undo!("absorbed");
    CASES_FIRST = "DELETE FROM match_case WHERE record_a IN (SELECT id FROM source_record WHERE identity_id IN (", ")";
    CASES_SECOND = "DELETE FROM match_case WHERE record_b IN (SELECT id FROM source_record WHERE identity_id IN (", ")";
    CASES_OF_LOGINS = "DELETE FROM upstream_case WHERE EXISTS (SELECT 1 FROM upstream_link l
        WHERE l.provider = upstream_case.provider AND l.subject = upstream_case.subject AND l.identity_id IN (", ")";
    CREDENTIALS = "DELETE FROM credential WHERE identity_id IN (";
    CONTACTS = "DELETE FROM contact WHERE identity_id IN (";
    ACKNOWLEDGEMENTS = "DELETE FROM acknowledgement WHERE identity_id IN (";
    ROLES = "DELETE FROM assignment WHERE identity_id IN (";
    LINKS = "DELETE FROM upstream_link WHERE identity_id IN (";
    PUPILS_OF = "DELETE FROM guardianship WHERE guardian_id IN (";
    GUARDIANS_OF = "DELETE FROM guardianship WHERE pupil_id IN (";
    ORIGINS = "DELETE FROM upstream_enrolment WHERE enrolment_id IN (SELECT id FROM enrolment WHERE identity_id IN (", ")";
    STATEMENTS_BY = "DELETE FROM guardian_statement
        WHERE adult_id IN (SELECT id FROM adult_record WHERE identity_id IN (", ")";
    STATEMENTS_ON = "DELETE FROM guardian_statement
        WHERE pupil_record_id IN (SELECT id FROM source_record WHERE identity_id IN (", ")";
    ADULT_ENROLMENTS = "DELETE FROM adult_enrolment
        WHERE enrolment_id IN (SELECT id FROM enrolment WHERE identity_id IN (", ")";
    ADULTS = "DELETE FROM adult_record WHERE identity_id IN (";
    ENROLMENTS = "DELETE FROM enrolment WHERE identity_id IN (";
    GUARDIAN_KEYS = "DELETE FROM guardian_key
        WHERE record_id IN (SELECT id FROM source_record WHERE identity_id IN (", ")";
    RECORDS = "DELETE FROM source_record WHERE identity_id IN (";
    IDENTITIES = "UPDATE identity SET status = 'erased', status_detail = NULL, family_name = '', usage_name = NULL,
        given_name = '', birth_date = NULL, sex = NULL, username = NULL, locale = NULL, created_run = NULL
        WHERE status <> 'active' AND id IN (";
}

/// In this order: what is found by a row goes before the row.
const ERASE: [Bulk; 34] = [
    CHANGES_OF_RECORDS,
    CHANGES_OF_ENROLMENTS,
    CHANGES_OF_CASES,
    CHANGES_OF_ADULTS,
    CHANGES_OF_ADULT_ENROLMENTS,
    CHANGES_OF_STATEMENTS_BY,
    CHANGES_OF_STATEMENTS_ON,
    CHANGES_OF_LINKS,
    CHANGES_OF_ROLES,
    CHANGES_OF_SESSIONS,
    CHANGES_OF_CONTACTS,
    CHANGES_OF_NAMES,
    CHANGES_OF_STATUS,
    MERGES_KEPT,
    MERGES_ABSORBED,
    CASES_FIRST,
    CASES_SECOND,
    CASES_OF_LOGINS,
    CREDENTIALS,
    CONTACTS,
    ACKNOWLEDGEMENTS,
    ROLES,
    LINKS,
    PUPILS_OF,
    GUARDIANS_OF,
    ORIGINS,
    STATEMENTS_BY,
    STATEMENTS_ON,
    ADULT_ENROLMENTS,
    ADULTS,
    ENROLMENTS,
    GUARDIAN_KEYS,
    RECORDS,
    IDENTITIES,
];

/// The identities that were absorbed by these, and by those, and so on.
///
/// # Errors
/// [`StoreError`].
pub async fn absorbed_by(conn: &mut Conn, kept: &[IdentityId]) -> Result<Vec<IdentityId>, StoreError> {
    let mut absorbed: Vec<IdentityId> = Vec::new();
    let mut asked = kept.to_vec();
    while !asked.is_empty() {
        let keys: Vec<Value> = asked.iter().map(text).collect();
        let mut found = Vec::new();
        for row in conn.all_in(ABSORBED, &keys).await? {
            let id = row.parse("absorbed")?;
            if !absorbed.contains(&id) {
                absorbed.push(id);
                found.push(id);
            }
        }
        asked = found;
    }
    Ok(absorbed)
}

/// Those who answer for pupils.
///
/// # Errors
/// [`StoreError`].
pub async fn guardians_of(conn: &mut Conn, pupils: &[IdentityId]) -> Result<Vec<IdentityId>, StoreError> {
    let keys: Vec<Value> = pupils.iter().map(text).collect();
    let rows = conn.all_in(GUARDIANS, &keys).await?;
    rows.iter().map(|row| row.parse("guardian_id")).collect()
}

/// Erases people; whoever is active is left as they are but for what hangs on them, so nobody active may be among them.
///
/// # Errors
/// [`StoreError`].
pub async fn erase(tx: &mut Tx, people: &[IdentityId], now: Timestamp) -> Result<(), StoreError> {
    let keys = || people.iter().map(|id| vec![text(id)]).collect::<Vec<_>>();
    for bulk in ERASE {
        tx.execute_many(bulk, keys()).await?;
    }
    for id in people {
        tx.execute(FORGET_PAIRS, [text(id)]).await?;
        tx.execute(EXPIRE_SESSIONS, [text(id), now.into()]).await?;
    }
    Ok(())
}

/// Forgets who answered for whom where one of the two was erased.
///
/// # Errors
/// [`StoreError`].
pub async fn forget_orphaned(tx: &mut Tx) -> Result<u64, StoreError> {
    tx.execute(FORGET_ORPHANED, []).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::identity::Status;
    use crate::store::db::Statement;
    use crate::store::testing::{on_each_engine, person, sqlite};
    use crate::store::{credential, departure, guardianship, identity};

    /// Every column that names a person, and what becomes of its rows.
    const NAMED: [&str; 18] = [
        "acknowledgement.identity_id",
        "adult_enrolment.adult_id",
        "adult_record.identity_id",
        "assignment.identity_id",
        "contact.identity_id",
        "credential.identity_id",
        "enrolment.identity_id",
        "guardian_statement.adult_id",
        "guardianship.guardian_id",
        "guardianship.pupil_id",
        "merge.absorbed",
        "merge.kept",
        // Revoked; gone with the tokens.
        "oauth_grant.identity_id",
        // Expired; gone a day later.
        "session.identity_id",
        "source_record.identity_id",
        // Kept for ever.
        "subject.identity_id",
        "upstream_case.candidates",
        "upstream_link.identity_id",
    ];

    #[tokio::test]
    async fn a_new_column_that_names_people_is_thought_of_here() {
        let (db, _folder) = sqlite().await;
        let sql = "SELECT m.name || '.' || c.name AS line FROM sqlite_master m JOIN pragma_table_info(m.name) c
            WHERE m.type = 'table' AND c.name IN ('identity_id', 'guardian_id', 'pupil_id', 'adult_id', 'kept', 'absorbed',
                'candidates') ORDER BY 1";
        let mut conn = db.reader().await.unwrap();
        let rows = conn.all(Statement { name: "schema", sql }, []).await.unwrap();
        let found: Vec<String> = rows.iter().map(|row| row.get("line").unwrap()).collect();
        assert_eq!(found, NAMED);
    }

    #[tokio::test]
    async fn who_is_erased_keeps_nothing_and_who_is_active_is_not_erased() {
        on_each_engine(async |db| {
            let (mut lina, maddi) = (person("Lina", 1), person("Maddi", 2));
            let on = lina.created_at.date();
            lina.username = Some("lina".into());
            lina.status = Status::Departed { on };
            let now = lina.created_at;
            let mut tx = db.begin().await.unwrap();
            for one in [&lina, &maddi] {
                identity::insert(&mut tx, one).await.unwrap();
                let kind = crate::domain::credential::CredentialKind::Picture;
                credential::set(&mut tx, one.id, kind, "v", now).await.unwrap();
            }
            guardianship::state(&mut tx, (maddi.id, lina.id), "x", now)
                .await
                .unwrap();
            assert_eq!(guardians_of(&mut tx, &[lina.id]).await.unwrap(), [maddi.id]);
            let gone = departure::gone(&mut tx, None, on, 10).await.unwrap();
            assert_eq!(gone, [(lina.id, lina.status.clone())]);
            assert_eq!(
                departure::lapsed(&mut tx, None, on, 10).await.unwrap(),
                [],
                "she never was enrolled"
            );
            assert!(absorbed_by(&mut tx, &[lina.id]).await.unwrap().is_empty());
            erase(&mut tx, &[lina.id], now).await.unwrap();
            let erased = identity::find(&mut tx, lina.id).await.unwrap().unwrap();
            assert_eq!(erased.status, Status::Erased);
            assert_eq!(
                (&*erased.family_name, erased.username, erased.birth_date),
                ("", None, None)
            );
            let kind = crate::domain::credential::CredentialKind::Picture;
            assert_eq!(credential::find(&mut tx, lina.id, kind).await.unwrap(), None);
            assert!(credential::find(&mut tx, maddi.id, kind).await.unwrap().is_some());
            assert_eq!(guardianship::pupils(&mut tx, maddi.id).await.unwrap(), []);
            guardianship::state(&mut tx, (maddi.id, lina.id), "x", now)
                .await
                .unwrap();
            assert_eq!(forget_orphaned(&mut tx).await.unwrap(), 1);
            erase(&mut tx, &[maddi.id], now).await.unwrap();
            let maddi = identity::find(&mut tx, maddi.id).await.unwrap().unwrap();
            assert_eq!(maddi.status, Status::Active);
        })
        .await;
    }
}
