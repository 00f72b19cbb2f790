//! People whom an upstream provider signed in and a human has to recognise. What the provider said of them is sealed.

use super::db::{Conn, Row, Tx};
use super::value::text;
use super::{StoreError, statements};
use crate::base::id::{IdentityId, UpstreamCaseId};
use crate::base::time::Timestamp;
use crate::domain::upstream::ProviderId;

statements! {
    // Whoever comes again while nobody has looked is the same case.
    OPEN = "INSERT INTO upstream_case (id, provider, subject, doubt, candidates, introduction, opened_at, seen_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $7)
        ON CONFLICT (provider, subject) WHERE decided_at IS NULL DO UPDATE SET doubt = excluded.doubt,
            candidates = excluded.candidates, seen_at = excluded.seen_at
        RETURNING id, provider, subject, doubt, candidates, introduction, opened_at, seen_at";
    ALL = "SELECT id, provider, subject, doubt, candidates, introduction, opened_at, seen_at FROM upstream_case
        WHERE decided_at IS NULL ORDER BY opened_at, id";
    FIND = "SELECT id, provider, subject, doubt, candidates, introduction, opened_at, seen_at FROM upstream_case
        WHERE id = $1 AND decided_at IS NULL";
    DECIDE = "UPDATE upstream_case SET decided_at = $2, decided_by = $3, decision = $4, introduction = $5
        WHERE id = $1 AND decided_at IS NULL";
    REFUSED = "SELECT CAST(COUNT(*) AS BIGINT) AS number FROM upstream_case
        WHERE provider = $1 AND subject = $2 AND decision = 'refused'";
}

/// A case that is open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Case {
    /// Its id.
    pub id: UpstreamCaseId,
    /// The provider.
    pub provider: ProviderId,
    /// The person as the provider names them.
    pub subject: String,
    /// Why a human has to look.
    pub doubt: String,
    /// Who may be meant.
    pub candidates: Vec<IdentityId>,
    /// What the provider said of them, sealed.
    pub introduction: Vec<u8>,
    /// When they first came.
    pub opened_at: Timestamp,
    /// When they last came.
    pub seen_at: Timestamp,
}

fn case(row: &Row) -> Result<Case, StoreError> {
    let candidates: Vec<String> = super::relying_party::list(row, "candidates")?;
    let candidates = candidates.iter().map(|id| {
        id.parse()
            .map_err(|error| StoreError::corrupt("candidates", error))
    });
    Ok(Case {
        id: row.parse("id")?,
        provider: row.parse("provider")?,
        subject: row.get("subject")?,
        doubt: row.get("doubt")?,
        candidates: candidates.collect::<Result<_, _>>()?,
        introduction: row.get("introduction")?,
        opened_at: Timestamp::from_micros(row.get("opened_at")?),
        seen_at: Timestamp::from_micros(row.get("seen_at")?),
    })
}

/// Opens a case, or has the one that is open seen again; answers it. Whether it is new is seen by its id.
///
/// # Errors
/// [`StoreError`].
pub async fn open(tx: &mut Tx, new: &Case) -> Result<Case, StoreError> {
    let candidates: Vec<String> = new.candidates.iter().map(IdentityId::to_string).collect();
    let values = [
        text(new.id),
        text(&new.provider),
        text(&new.subject),
        text(&new.doubt),
        super::relying_party::json(&candidates)?,
        new.introduction.clone().into(),
        new.opened_at.into(),
    ];
    let row = tx.optional(OPEN, values).await?;
    let row = row.ok_or_else(|| StoreError::corrupt("upstream_case", "neither made nor found"))?;
    case(&row)
}

/// Every open case, oldest first.
///
/// # Errors
/// [`StoreError`].
pub async fn all(conn: &mut Conn) -> Result<Vec<Case>, StoreError> {
    conn.all(ALL, []).await?.iter().map(case).collect()
}

/// An open case.
///
/// # Errors
/// [`StoreError`].
pub async fn find(conn: &mut Conn, id: UpstreamCaseId) -> Result<Option<Case>, StoreError> {
    let row = conn.optional(FIND, [text(id)]).await?;
    row.as_ref().map(case).transpose()
}

/// What a human said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Decision {
    /// It is this person.
    Linked,
    /// It is nobody whom we know: they became a new identity.
    Created,
    /// They are not to come in by this.
    Refused,
}
crate::domain::stored_names!(Decision, "case decision", {
    Linked => "linked", Created => "created", Refused => "refused",
});

/// Decides a case, and forgets what the provider said of the person; whether it was still open.
///
/// # Errors
/// [`StoreError`].
pub async fn decide(
    tx: &mut Tx,
    id: UpstreamCaseId,
    decision: Decision,
    by: &str,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let values = [text(id), now.into(), text(by), text(decision), Vec::new().into()];
    Ok(tx.execute(DECIDE, values).await? == 1)
}

/// Whether a human said that this one is not to come in.
///
/// # Errors
/// [`StoreError`].
pub async fn is_refused(conn: &mut Conn, provider: &ProviderId, subject: &str) -> Result<bool, StoreError> {
    Ok(conn.number(REFUSED, [text(provider), text(subject)]).await? > 0)
}
