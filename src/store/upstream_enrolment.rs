//! The enrolments that came by logins at upstream providers. An enrolment ends on a day and is never deleted here, so that a
//! merge can be undone exactly.

use super::db::{Conn, Row, Tx};
use super::value::text;
use super::{StoreError, statements};
use crate::base::id::{EnrolmentId, IdentityId, UpstreamLinkId};
use crate::base::time::Date;
use crate::domain::assignment::Origin;
use crate::domain::education::{Profile, SchoolYear};
use crate::domain::uai::Uai;
use crate::domain::upstream::ProviderId;

macro_rules! given {
    () => {
        "SELECT e.id AS enrolment_id, e.identity_id, e.uai, e.profile, e.year, e.ends_on, u.provider, u.link_id, u.rule
        FROM upstream_enrolment u JOIN enrolment e ON e.id = u.enrolment_id"
    };
}

statements! {
    KEEP = "INSERT INTO upstream_enrolment (enrolment_id, provider, link_id, rule) VALUES ($1, $2, $3, $4)";
    OF_LINK = concat!(given!(), " WHERE u.link_id = $1 AND e.ends_on > $2 ORDER BY e.uai, e.profile, e.id");
    OF_PROVIDER = concat!(given!(), " WHERE u.provider = $1 AND e.ends_on > $2 ORDER BY e.id");
    SET_END = "UPDATE enrolment SET ends_on = $2 WHERE id = $1";
    SET_RULE = "UPDATE upstream_enrolment SET rule = $2 WHERE enrolment_id = $1";
    // What came by a login is of whom the login is of.
    FOLLOW = "UPDATE enrolment SET identity_id = (SELECT l.identity_id FROM upstream_enrolment u
            JOIN upstream_link l ON l.id = u.link_id WHERE u.enrolment_id = enrolment.id)
        WHERE identity_id IN ($1, $2) AND id IN (SELECT u.enrolment_id FROM upstream_enrolment u
            JOIN upstream_link l ON l.id = u.link_id WHERE l.identity_id IN ($1, $2) AND l.ended_at IS NULL)";
}

/// An enrolment that came by a login.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Given {
    /// The enrolment.
    pub id: EnrolmentId,
    /// Whose.
    pub identity: IdentityId,
    /// Where.
    pub school: Uai,
    /// As what.
    pub profile: Profile,
    /// In which school year.
    pub year: SchoolYear,
    /// The first day it no longer counts.
    pub ends_on: Date,
    /// By which login, and by which rule.
    pub origin: Origin,
}

fn given(row: &Row) -> Result<Given, StoreError> {
    Ok(Given {
        id: row.parse("enrolment_id")?,
        identity: row.parse("identity_id")?,
        school: row.parse("uai")?,
        profile: row.parse("profile")?,
        year: super::enrolment::year(row)?,
        ends_on: row.parse("ends_on")?,
        origin: Origin {
            provider: row.parse("provider")?,
            link: row.parse("link_id")?,
            rule: row.get("rule")?,
        },
    })
}

/// Keeps by which login an enrolment came.
///
/// # Errors
/// [`StoreError`].
pub async fn keep(tx: &mut Tx, enrolment: EnrolmentId, origin: &Origin) -> Result<(), StoreError> {
    let values = [
        text(enrolment),
        text(&origin.provider),
        text(origin.link),
        text(&origin.rule),
    ];
    tx.execute(KEEP, values).await.map(drop)
}

/// The enrolments that came by a login and are not over on a day.
///
/// # Errors
/// [`StoreError`].
pub async fn of_link(conn: &mut Conn, link: UpstreamLinkId, day: Date) -> Result<Vec<Given>, StoreError> {
    let rows = conn.all(OF_LINK, [text(link), day.into()]).await?;
    rows.iter().map(given).collect()
}

/// The enrolments that came by any login at a provider and are not over on a day.
///
/// # Errors
/// [`StoreError`].
pub async fn of_provider(
    conn: &mut Conn,
    provider: &ProviderId,
    day: Date,
) -> Result<Vec<Given>, StoreError> {
    let rows = conn.all(OF_PROVIDER, [text(provider), day.into()]).await?;
    rows.iter().map(given).collect()
}

/// Writes on which day an enrolment no longer counts, and by which rule it came.
///
/// # Errors
/// [`StoreError`].
pub async fn set_end(
    tx: &mut Tx,
    enrolment: EnrolmentId,
    (ends_on, rule): (Date, &str),
) -> Result<(), StoreError> {
    tx.execute(SET_END, [text(enrolment), ends_on.into()]).await?;
    tx.execute(SET_RULE, [text(enrolment), text(rule)])
        .await
        .map(drop)
}

/// Gives what came by logins of two people to whom each login is of: after a merge of the two is undone.
///
/// # Errors
/// [`StoreError`].
pub async fn follow_links(tx: &mut Tx, (one, other): (IdentityId, IdentityId)) -> Result<u64, StoreError> {
    tx.execute(FOLLOW, [text(one), text(other)]).await
}
