//! Links of people to logins at upstream providers, and the logins of sessions that came by one.

use super::db::{Conn, Row, Tx};
use super::value::text;
use super::{StoreError, statements};
use crate::base::id::{IdentityId, SessionId, UpstreamLinkId};
use crate::base::time::Timestamp;
use crate::domain::identity::Identity;
use crate::domain::upstream::{Link, LinkEnd, ProviderId};

macro_rules! columns {
    () => {
        "l.id AS link_id, l.provider, l.subject, l.identity_id, l.binding, l.convention, l.linked_at, l.used_at"
    };
}

statements! {
    // Bytes, not letters: no collation of either engine makes two names one.
    FIND = concat!("SELECT ", columns!(), ", i.id, i.status, i.status_detail, i.family_name, i.usage_name, i.given_name,
            i.birth_date, i.sex, i.username, i.locale, i.created_at
        FROM upstream_link l JOIN identity i ON i.id = l.identity_id
        WHERE l.provider = $1 AND l.subject = $2 AND l.ended_at IS NULL");
    OF_IDENTITY = concat!("SELECT ", columns!(), " FROM upstream_link l WHERE l.identity_id = $1 AND l.ended_at IS NULL
        ORDER BY l.linked_at, l.id");
    // Of two logins that make the same link at once, the index lets one.
    INSERT = "INSERT INTO upstream_link (id, provider, subject, identity_id, binding, convention, linked_at, used_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING";
    USED = "UPDATE upstream_link SET used_at = $2 WHERE id = $1";
    END = "UPDATE upstream_link SET ended_at = $2, end_reason = $3 WHERE id = $1 AND ended_at IS NULL";
    KEEP_LOGIN = "INSERT INTO upstream_login (session_id, provider, link_id, name_hash, index_hash, sealed, started_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7)
        ON CONFLICT (session_id) DO UPDATE SET provider = excluded.provider, link_id = excluded.link_id,
            name_hash = excluded.name_hash, index_hash = excluded.index_hash, sealed = excluded.sealed,
            started_at = excluded.started_at";
    LOGIN = "SELECT provider, link_id, name_hash, index_hash, sealed FROM upstream_login WHERE session_id = $1";
    SESSIONS_OF_NAME = "SELECT u.session_id, u.index_hash FROM upstream_login u JOIN session s ON s.id = u.session_id
        WHERE u.provider = $1 AND u.name_hash = $2 AND s.ended_at IS NULL AND s.expires_at > $3 ORDER BY u.session_id";
    SESSIONS_OF_INDEX = "SELECT u.session_id, u.index_hash FROM upstream_login u JOIN session s ON s.id = u.session_id
        WHERE u.provider = $1 AND u.index_hash = $2 AND s.ended_at IS NULL AND s.expires_at > $3 ORDER BY u.session_id";
    PURGE_LOGINS = "DELETE FROM upstream_login WHERE session_id IN (SELECT id FROM session WHERE expires_at < $1)";
}

fn link(row: &Row) -> Result<Link, StoreError> {
    let used: Option<i64> = row.get("used_at")?;
    Ok(Link {
        id: row.parse("link_id")?,
        provider: row.parse("provider")?,
        subject: row.get("subject")?,
        identity: row.parse("identity_id")?,
        binding: row.parse("binding")?,
        convention: row.get("convention")?,
        linked_at: Timestamp::from_micros(row.get("linked_at")?),
        used_at: used.map(Timestamp::from_micros),
    })
}

/// The live link of a provider's name for somebody, with its person.
///
/// # Errors
/// [`StoreError`].
pub async fn find(
    conn: &mut Conn,
    provider: &ProviderId,
    subject: &str,
) -> Result<Option<(Link, Identity)>, StoreError> {
    let row = conn.optional(FIND, [text(provider), text(subject)]).await?;
    row.map(|row| Ok((link(&row)?, super::identity::identity(&row)?)))
        .transpose()
}

/// The live links of a person, oldest first.
///
/// # Errors
/// [`StoreError`].
pub async fn of_identity(conn: &mut Conn, identity: IdentityId) -> Result<Vec<Link>, StoreError> {
    conn.all(OF_IDENTITY, [text(identity)])
        .await?
        .iter()
        .map(link)
        .collect()
}

/// Keeps a new link; whether the name had no live one.
///
/// # Errors
/// [`StoreError`].
pub async fn insert(tx: &mut Tx, new: &Link) -> Result<bool, StoreError> {
    let values = [
        text(new.id),
        text(&new.provider),
        text(&new.subject),
        text(new.identity),
        text(new.binding),
        new.convention.as_deref().into(),
        new.linked_at.into(),
        new.used_at.into(),
    ];
    Ok(tx.execute(INSERT, values).await? == 1)
}

/// Somebody came by a link.
///
/// # Errors
/// [`StoreError`].
pub async fn used(tx: &mut Tx, id: UpstreamLinkId, now: Timestamp) -> Result<(), StoreError> {
    tx.execute(USED, [text(id), now.into()]).await.map(drop)
}

/// Ends a link; whether it was this call that did.
///
/// # Errors
/// [`StoreError`].
pub async fn end(tx: &mut Tx, id: UpstreamLinkId, why: LinkEnd, now: Timestamp) -> Result<bool, StoreError> {
    Ok(tx.execute(END, [text(id), now.into(), text(why)]).await? == 1)
}

/// By which login at a provider a session came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Login {
    /// The provider.
    pub provider: ProviderId,
    /// The link.
    pub link: UpstreamLinkId,
    /// A keyed hash of the NameID or `sub`.
    pub name_hash: [u8; 32],
    /// A keyed hash of the SessionIndex or `sid`, where there was one.
    pub index_hash: Option<[u8; 32]>,
    /// What a logout there needs, sealed.
    pub sealed: Vec<u8>,
}

fn hash(column: &str, bytes: Vec<u8>) -> Result<[u8; 32], StoreError> {
    bytes
        .try_into()
        .map_err(|_| StoreError::corrupt(column, "not a hash"))
}

/// Keeps the login of a session; the one before, where it had one.
///
/// # Errors
/// [`StoreError`].
pub async fn keep_login(
    tx: &mut Tx,
    session: SessionId,
    login: &Login,
    now: Timestamp,
) -> Result<(), StoreError> {
    let values = [
        text(session),
        text(&login.provider),
        text(login.link),
        login.name_hash.into(),
        login.index_hash.into(),
        login.sealed.clone().into(),
        now.into(),
    ];
    tx.execute(KEEP_LOGIN, values).await.map(drop)
}

/// The login of a session.
///
/// # Errors
/// [`StoreError`].
pub async fn login(conn: &mut Conn, session: SessionId) -> Result<Option<Login>, StoreError> {
    let Some(row) = conn.optional(LOGIN, [text(session)]).await? else {
        return Ok(None);
    };
    let index: Option<Vec<u8>> = row.get("index_hash")?;
    Ok(Some(Login {
        provider: row.parse("provider")?,
        link: row.parse("link_id")?,
        name_hash: hash("name_hash", row.get("name_hash")?)?,
        index_hash: index.map(|bytes| hash("index_hash", bytes)).transpose()?,
        sealed: row.get("sealed")?,
    }))
}

/// The sessions that a logout of a provider is about.
#[derive(Debug, Clone, Copy)]
pub enum Meant<'a> {
    /// All of a person, or those of some of its logins.
    Name {
        /// The keyed hash of the name.
        name: &'a [u8; 32],
        /// The keyed hashes of the logins; empty for all.
        indexes: &'a [[u8; 32]],
    },
    /// Those of one login, whoever it is of.
    Index(&'a [u8; 32]),
}

/// The live sessions that came by a login there.
///
/// # Errors
/// [`StoreError`].
pub async fn sessions(
    conn: &mut Conn,
    provider: &ProviderId,
    meant: Meant<'_>,
    now: Timestamp,
) -> Result<Vec<SessionId>, StoreError> {
    let (statement, hash) = match meant {
        Meant::Name { name, .. } => (SESSIONS_OF_NAME, name),
        Meant::Index(index) => (SESSIONS_OF_INDEX, index),
    };
    let rows = conn
        .all(statement, [text(provider), hash.into(), now.into()])
        .await?;
    let mut found = Vec::new();
    for row in &rows {
        let index: Option<Vec<u8>> = row.get("index_hash")?;
        let is_meant = match meant {
            Meant::Name { indexes, .. } if !indexes.is_empty() => {
                index.is_some_and(|index| indexes.iter().any(|wanted| wanted.as_slice() == index))
            }
            Meant::Name { .. } | Meant::Index(_) => true,
        };
        if is_meant {
            found.push(row.parse("session_id")?);
        }
    }
    Ok(found)
}

/// Forgets logins of sessions that expired before `before`; answers how many.
///
/// # Errors
/// [`StoreError`].
pub async fn purge_logins(tx: &mut Tx, before: Timestamp) -> Result<u64, StoreError> {
    tx.execute(PURGE_LOGINS, [before.into()]).await
}
