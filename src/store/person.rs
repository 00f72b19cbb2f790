//! Identities as feeds make and refresh them, and what they are already used for.

use std::collections::{HashMap, HashSet};

use super::db::{Bulk, Conn, Tx};
use super::image::IDENTITY;
use super::value::{Value, text, text_or_null};
use super::{StoreError, statements};
use crate::base::id::{IdentityId, ImportRunId};
use crate::domain::identity::Identity;

const BY_ID: Bulk = Bulk {
    name: "BY_ID",
    head: "SELECT id, status, status_detail, family_name, usage_name, given_name, birth_date, sex, username, locale,
        created_at, created_run FROM identity WHERE id IN (",
    width: 1,
    rows: false,
    tail: ")",
};
// A feed refreshes what it states and nothing else, and lifts no suspension, whatever was decided meanwhile.
const REFRESH: Bulk = Bulk {
    name: "REFRESH",
    head: "INSERT INTO identity (id, status, status_detail, family_name, usage_name, given_name, birth_date, sex,
        username, locale, created_at, created_run) VALUES ",
    width: 12,
    rows: true,
    tail: " ON CONFLICT (id) DO UPDATE SET family_name = excluded.family_name, usage_name = excluded.usage_name,
        given_name = excluded.given_name, birth_date = excluded.birth_date, sex = excluded.sex,
        status = CASE WHEN identity.status IN ('active', 'departed') THEN excluded.status ELSE identity.status END,
        status_detail = CASE WHEN identity.status IN ('active', 'departed') THEN excluded.status_detail
            ELSE identity.status_detail END",
};
const USED_BY_SUBJECT: Bulk = used(
    "USED_BY_SUBJECT",
    "SELECT DISTINCT identity_id FROM subject WHERE identity_id IN (",
);
const USED_BY_CREDENTIAL: Bulk = used(
    "USED_BY_CREDENTIAL",
    "SELECT DISTINCT identity_id FROM credential WHERE identity_id IN (",
);
const USED_BY_SESSION: Bulk = used(
    "USED_BY_SESSION",
    "SELECT DISTINCT identity_id FROM session WHERE identity_id IN (",
);
const USED_BY_GRANT: Bulk = used(
    "USED_BY_GRANT",
    "SELECT DISTINCT identity_id FROM oauth_grant WHERE identity_id IN (",
);
const USED_BY_CONTACT: Bulk = used(
    "USED_BY_CONTACT",
    "SELECT identity_id FROM contact WHERE identity_id IN (",
);
const USED_BY_LINK: Bulk = used(
    "USED_BY_LINK",
    "SELECT DISTINCT identity_id FROM upstream_link WHERE identity_id IN (",
);
// What a feed says it can say otherwise; what a login said is somebody's use.
const USED_AS_GUARDIAN: Bulk = used(
    "USED_AS_GUARDIAN",
    "SELECT DISTINCT guardian_id AS identity_id FROM guardianship WHERE created_run IS NULL AND guardian_id IN (",
);
const USED_AS_CHILD: Bulk = used(
    "USED_AS_CHILD",
    "SELECT DISTINCT pupil_id AS identity_id FROM guardianship WHERE created_run IS NULL AND pupil_id IN (",
);
const DECIDED_FIRST: Bulk = used(
    "DECIDED_FIRST",
    "SELECT DISTINCT r.identity_id FROM match_case c JOIN source_record r ON r.id = c.record_a
        WHERE c.decided_by IS NOT NULL AND r.identity_id IN (",
);
const DECIDED_SECOND: Bulk = used(
    "DECIDED_SECOND",
    "SELECT DISTINCT r.identity_id FROM match_case c JOIN source_record r ON r.id = c.record_b
        WHERE c.decided_by IS NOT NULL AND r.identity_id IN (",
);

const fn used(name: &'static str, head: &'static str) -> Bulk {
    Bulk {
        name,
        head,
        width: 1,
        rows: false,
        tail: ")",
    }
}

pub(super) const BULKS: &[Bulk] = &[
    BY_ID,
    REFRESH,
    USED_BY_SUBJECT,
    USED_BY_CREDENTIAL,
    USED_BY_SESSION,
    USED_BY_GRANT,
    USED_BY_CONTACT,
    USED_BY_LINK,
    USED_AS_GUARDIAN,
    USED_AS_CHILD,
    DECIDED_FIRST,
    DECIDED_SECOND,
];

statements! {
    // An undo leaves nothing of a person behind that something else holds on to.
    IN_USE_OF_RUN = "SELECT
        (SELECT CAST(COUNT(*) AS BIGINT) FROM subject u JOIN identity i ON i.id = u.identity_id
            WHERE i.created_run = $1) AS subjects,
        (SELECT CAST(COUNT(*) AS BIGINT) FROM credential u JOIN identity i ON i.id = u.identity_id
            WHERE i.created_run = $1)
            + (SELECT CAST(COUNT(*) AS BIGINT) FROM upstream_link u JOIN identity i ON i.id = u.identity_id
            WHERE i.created_run = $1)
            + (SELECT CAST(COUNT(*) AS BIGINT) FROM guardianship u JOIN identity i ON i.id IN (u.guardian_id, u.pupil_id)
            WHERE i.created_run = $1 AND u.created_run IS NULL) AS credentials,
        (SELECT CAST(COUNT(*) AS BIGINT) FROM session u JOIN identity i ON i.id = u.identity_id
            WHERE i.created_run = $1) AS sessions,
        (SELECT CAST(COUNT(*) AS BIGINT) FROM oauth_grant u JOIN identity i ON i.id = u.identity_id
            WHERE i.created_run = $1)
            + (SELECT CAST(COUNT(*) AS BIGINT) FROM acknowledgement u JOIN identity i ON i.id = u.identity_id
            WHERE i.created_run = $1) AS grants,
        (SELECT CAST(COUNT(*) AS BIGINT) FROM contact u JOIN identity i ON i.id = u.identity_id
            WHERE i.created_run = $1) AS contacts,
        (SELECT CAST(COUNT(*) AS BIGINT) FROM identity WHERE created_run = $1 AND username IS NOT NULL) AS usernames,
        (SELECT CAST(COUNT(*) AS BIGINT) FROM class_code u JOIN class_group c ON c.id = u.class_id
            WHERE c.created_run = $1) AS class_codes";
}

/// A new identity as a row of [`IDENTITY`].
pub fn values(identity: &Identity, run: Option<ImportRunId>) -> Vec<Value> {
    vec![
        text(identity.id),
        text(identity.status.as_str()),
        identity.status.detail().into(),
        text(&identity.family_name),
        identity.usage_name.as_deref().into(),
        text(&identity.given_name),
        identity.birth_date.into(),
        text_or_null(identity.sex),
        identity.username.as_deref().into(),
        identity.locale.as_deref().into(),
        identity.created_at.into(),
        text_or_null(run),
    ]
}

/// An identity with the run that made it.
#[derive(Clone, Debug)]
pub struct Person {
    /// The identity.
    pub identity: Identity,
    /// The run that made it.
    pub created_run: Option<ImportRunId>,
}

impl Person {
    /// The row, in the order of [`IDENTITY`].
    pub fn values(&self) -> Vec<Value> {
        values(&self.identity, self.created_run)
    }
}

/// Identities by id.
///
/// # Errors
/// [`StoreError`].
pub async fn find(conn: &mut Conn, ids: &[IdentityId]) -> Result<HashMap<IdentityId, Person>, StoreError> {
    let keys: Vec<Value> = ids.iter().map(text).collect();
    conn.all_in(BY_ID, &keys)
        .await?
        .iter()
        .map(|row| {
            let identity = super::identity::identity(row)?;
            let created_run = row.parse_optional("created_run")?;
            Ok((
                identity.id,
                Person {
                    identity,
                    created_run,
                },
            ))
        })
        .collect()
}

/// Keeps new identities.
///
/// # Errors
/// [`StoreError`].
pub async fn insert(tx: &mut Tx, people: &[Person]) -> Result<(), StoreError> {
    let rows = people.iter().map(Person::values).collect();
    IDENTITY.save(tx, rows).await
}

/// Writes names and, unless a human set it, the status of identities.
///
/// # Errors
/// [`StoreError`].
pub async fn refresh(tx: &mut Tx, people: &[Person]) -> Result<(), StoreError> {
    let rows = people.iter().map(Person::values).collect();
    tx.execute_many(REFRESH, rows).await.map(drop)
}

/// Those of the identities for which something was released, set, opened or decided.
///
/// # Errors
/// [`StoreError`].
pub async fn in_use(conn: &mut Conn, ids: &[IdentityId]) -> Result<HashSet<IdentityId>, StoreError> {
    let keys: Vec<Value> = ids.iter().map(text).collect();
    let mut used = HashSet::new();
    for bulk in [
        USED_BY_SUBJECT,
        USED_BY_CREDENTIAL,
        USED_BY_SESSION,
        USED_BY_GRANT,
        USED_BY_CONTACT,
        USED_BY_LINK,
        USED_AS_GUARDIAN,
        USED_AS_CHILD,
        DECIDED_FIRST,
        DECIDED_SECOND,
    ] {
        for row in conn.all_in(bulk, &keys).await? {
            used.insert(row.parse("identity_id")?);
        }
    }
    Ok(used)
}

/// What already hangs on the identities and classes that a run made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Uses {
    /// Subjects released.
    pub subjects: i64,
    /// Credentials set, logins at upstream providers linked, guardians stated.
    pub credentials: i64,
    /// Sessions opened.
    pub sessions: i64,
    /// Authorizations granted, and what people were told of services.
    pub grants: i64,
    /// Contacts given.
    pub contacts: i64,
    /// Login names given.
    pub usernames: i64,
    /// Class codes issued.
    pub class_codes: i64,
}

/// Counts what hangs on the identities and classes that a run made.
///
/// # Errors
/// [`StoreError`].
pub async fn uses_of_run(conn: &mut Conn, run: ImportRunId) -> Result<Uses, StoreError> {
    let Some(row) = conn.optional(IN_USE_OF_RUN, [text(run)]).await? else {
        return Ok(Uses::default());
    };
    Ok(Uses {
        subjects: row.get("subjects")?,
        credentials: row.get("credentials")?,
        sessions: row.get("sessions")?,
        grants: row.get("grants")?,
        contacts: row.get("contacts")?,
        usernames: row.get("usernames")?,
        class_codes: row.get("class_codes")?,
    })
}
