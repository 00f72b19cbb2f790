//! Sessions and the relying parties that joined them.

use super::db::{Bulk, Conn, Row, Tx};
use super::value::{Value, text};
use super::{StoreError, statements};
use crate::base::id::{IdentityId, SessionId};
use crate::base::secret::Digest;
use crate::base::time::Timestamp;
use crate::domain::identity::Identity;
use crate::domain::relying_party::{ClientMetadata, LogoutAddress, RelyingPartyId, SamlParty};
use crate::domain::session::Session;

statements! {
    // One round trip gives the session and its person: this runs on every page.
    FIND_LIVE = "SELECT s.id AS session_id, s.authenticated_at, s.acr, s.amr, s.device, s.expires_at, s.ended_at,
        i.id, i.status, i.status_detail, i.family_name, i.usage_name, i.given_name, i.birth_date, i.sex, i.username,
        i.locale, i.created_at
        FROM session s JOIN identity i ON i.id = s.identity_id
        WHERE s.token_hash = $1 AND s.ended_at IS NULL AND s.expires_at > $2";
    FIND_LIVE_BY_ID = "SELECT s.id AS session_id, s.authenticated_at, s.acr, s.amr, s.device, s.expires_at, s.ended_at,
        i.id, i.status, i.status_detail, i.family_name, i.usage_name, i.given_name, i.birth_date, i.sex, i.username,
        i.locale, i.created_at
        FROM session s JOIN identity i ON i.id = s.identity_id
        WHERE s.id = $1 AND s.ended_at IS NULL AND s.expires_at > $2";
    // Whoever changes this row first has it until the end of the transaction, on any node.
    HOLD = "UPDATE session SET expires_at = expires_at WHERE id = $1 AND ended_at IS NULL AND expires_at > $2";
    INSERT = "INSERT INTO session (id, token_hash, identity_id, authenticated_at, acr, amr, device, expires_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
    RENEW = "UPDATE session SET token_hash = $2, authenticated_at = $3, acr = $4, amr = $5, device = $6,
        expires_at = $7 WHERE id = $1 AND ended_at IS NULL";
    END = "UPDATE session SET ended_at = $2 WHERE id = $1 AND ended_at IS NULL";
    END_OF_IDENTITY = "UPDATE session SET ended_at = $2 WHERE identity_id = $1 AND ended_at IS NULL RETURNING id";
    IS_LIVE = "SELECT CAST(COUNT(*) AS BIGINT) AS number FROM session
        WHERE id = $1 AND ended_at IS NULL AND expires_at > $2";
    JOIN = "INSERT INTO participation (session_id, client_id, joined_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING";
    JOIN_NAMED = "INSERT INTO participation (session_id, client_id, joined_at, name_id_format) VALUES ($1, $2, $3, $4)
        ON CONFLICT (session_id, client_id) DO UPDATE SET name_id_format = excluded.name_id_format";
    NAMED = "SELECT p.name_id_format, s.identity_id FROM participation p JOIN session s ON s.id = p.session_id
        WHERE p.session_id = $1 AND p.client_id = $2 AND p.name_id_format IS NOT NULL";
    PURGE_PARTICIPATIONS = "DELETE FROM participation WHERE session_id IN
        (SELECT id FROM session WHERE expires_at < $1)";
    PURGE = "DELETE FROM session WHERE expires_at < $1";
}

// One round trip gives, for any number of logins, everything that their end needs of the parties: whom to tell, where,
// and by which name they know the person.
const PARTICIPANTS: Bulk = Bulk {
    name: "PARTICIPANTS",
    head:
        "SELECT p.session_id, p.client_id, p.name_id_format, r.name, r.metadata, r.saml, u.value AS subject,
            (SELECT CAST(COUNT(*) AS BIGINT) FROM cas_login c
                WHERE c.session_id = p.session_id AND c.client_id = p.client_id) AS cas_logins
        FROM participation p JOIN session s ON s.id = p.session_id JOIN relying_party r ON r.id = p.client_id
        LEFT JOIN subject u ON u.sector = r.sector AND u.identity_id = s.identity_id AND u.in_use
        WHERE p.session_id IN (",
    width: 1,
    rows: false,
    tail: ") ORDER BY p.session_id, p.joined_at, p.client_id",
};

pub(super) const BULKS: &[Bulk] = &[PARTICIPANTS];

/// A relying party that joined a login.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Participant {
    /// The login.
    pub session: SessionId,
    /// The party.
    pub client: RelyingPartyId,
    /// Its name, as people are shown it.
    pub name: String,
    /// The person, as the party knows them.
    pub subject: Option<String>,
    /// Where logout tokens are sent.
    pub backchannel: Option<LogoutAddress>,
    /// Where the browser is sent, in a frame.
    pub frontchannel: Option<LogoutAddress>,
    /// Whether it validated a ticket (CAS) and wants to be told by it.
    pub has_cas_login: bool,
    /// Its entityID, where it joined as a SAML service provider.
    pub entity_id: Option<String>,
}

impl Participant {
    /// Whether it is told behind the browser, in whatever words.
    pub const fn is_told(&self) -> bool {
        self.backchannel.is_some() || self.has_cas_login
    }
}

fn participant(row: &Row) -> Result<Participant, StoreError> {
    let metadata: ClientMetadata = serde_json::from_str(&row.get::<String>("metadata")?)
        .map_err(|error| StoreError::corrupt("metadata", error))?;
    let joined_by_saml = row.get::<Option<String>>("name_id_format")?.is_some();
    let saml: Option<SamlParty> = match row.get::<Option<String>>("saml")?.filter(|_| joined_by_saml) {
        Some(text) => Some(serde_json::from_str(&text).map_err(|error| StoreError::corrupt("saml", error))?),
        None => None,
    };
    Ok(Participant {
        entity_id: saml.map(|saml| saml.entity_id),
        session: row.parse("session_id")?,
        client: row.parse("client_id")?,
        name: row.get("name")?,
        subject: row.get("subject")?,
        backchannel: metadata.backchannel_logout,
        frontchannel: metadata.frontchannel_logout,
        has_cas_login: row.get::<i64>("cas_logins")? > 0,
    })
}

fn session(row: &Row) -> Result<Session, StoreError> {
    let ended: Option<i64> = row.get("ended_at")?;
    Ok(Session {
        id: row.parse("session_id")?,
        identity: row.parse("id")?,
        authenticated_at: Timestamp::from_micros(row.get("authenticated_at")?),
        acr: row.parse("acr")?,
        amr: row.parse("amr")?,
        device: row.parse("device")?,
        expires_at: Timestamp::from_micros(row.get("expires_at")?),
        ended_at: ended.map(Timestamp::from_micros),
    })
}

/// The live session of a cookie, with its person.
///
/// # Errors
/// [`StoreError`].
pub async fn find_live(
    conn: &mut Conn,
    token: &Digest,
    now: Timestamp,
) -> Result<Option<(Session, Identity)>, StoreError> {
    match conn
        .optional(FIND_LIVE, [token.as_bytes().into(), now.into()])
        .await?
    {
        None => Ok(None),
        Some(row) => Ok(Some((session(&row)?, super::identity::identity(&row)?))),
    }
}

/// A session that stands, held until the end of the transaction, with its person: nobody ends it meanwhile, on any node, so
/// whoever ends it afterwards sees what was written with it.
///
/// # Errors
/// [`StoreError`].
pub async fn hold(
    tx: &mut Tx,
    id: SessionId,
    now: Timestamp,
) -> Result<Option<(Session, Identity)>, StoreError> {
    if tx.execute(HOLD, [text(id), now.into()]).await? == 0 {
        return Ok(None);
    }
    match tx.optional(FIND_LIVE_BY_ID, [text(id), now.into()]).await? {
        None => Ok(None),
        Some(row) => Ok(Some((session(&row)?, super::identity::identity(&row)?))),
    }
}

/// Whether a session still stands.
///
/// # Errors
/// [`StoreError`].
pub async fn is_live(conn: &mut Conn, id: SessionId, now: Timestamp) -> Result<bool, StoreError> {
    Ok(conn.number(IS_LIVE, [text(id), now.into()]).await? == 1)
}

/// Keeps a new session under the digest of its cookie.
///
/// # Errors
/// [`StoreError`].
pub async fn insert(tx: &mut Tx, session: &Session, token: &Digest) -> Result<(), StoreError> {
    tx.execute(
        INSERT,
        [
            text(session.id),
            token.as_bytes().into(),
            text(session.identity),
            session.authenticated_at.into(),
            text(session.acr),
            text(session.amr),
            text(session.device),
            session.expires_at.into(),
        ],
    )
    .await
    .map(drop)
}

/// The same person proved who they are again: the session goes on under a new cookie. Whether it still stood.
///
/// # Errors
/// [`StoreError`].
pub async fn renew(tx: &mut Tx, session: &Session, token: &Digest) -> Result<bool, StoreError> {
    let values = [
        text(session.id),
        token.as_bytes().into(),
        session.authenticated_at.into(),
        text(session.acr),
        text(session.amr),
        text(session.device),
        session.expires_at.into(),
    ];
    Ok(tx.execute(RENEW, values).await? == 1)
}

/// Ends a session; whether it was this call that did.
///
/// # Errors
/// [`StoreError`].
pub async fn end(tx: &mut Tx, id: SessionId, now: Timestamp) -> Result<bool, StoreError> {
    Ok(tx.execute(END, [text(id), now.into()]).await? == 1)
}

/// Ends every session of a person; answers which.
///
/// # Errors
/// [`StoreError`].
pub async fn end_of_identity(
    tx: &mut Tx,
    identity: IdentityId,
    now: Timestamp,
) -> Result<Vec<SessionId>, StoreError> {
    let ended = tx.all(END_OF_IDENTITY, [text(identity), now.into()]).await?;
    ended.iter().map(|row| row.parse("id")).collect()
}

/// A relying party takes part in a session from now on.
///
/// # Errors
/// [`StoreError`].
pub async fn join(tx: &mut Tx, id: SessionId, client: &str, now: Timestamp) -> Result<(), StoreError> {
    tx.execute(JOIN, [text(id), text(client), now.into()])
        .await
        .map(drop)
}

/// A SAML service provider takes part in a session from now on, and knows its person by a name of this format.
///
/// # Errors
/// [`StoreError`].
pub async fn join_named(
    tx: &mut Tx,
    id: SessionId,
    client: &RelyingPartyId,
    name_id_format: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    let values = [text(id), text(client), now.into(), text(name_id_format)];
    tx.execute(JOIN_NAMED, values).await.map(drop)
}

/// By which format of name a SAML service provider knows the person of a session, ended or not, and who they are; `None`
/// where it does not take part.
///
/// # Errors
/// [`StoreError`].
pub async fn named(
    conn: &mut Conn,
    id: SessionId,
    client: &RelyingPartyId,
) -> Result<Option<(String, IdentityId)>, StoreError> {
    match conn.optional(NAMED, [text(id), text(client)]).await? {
        Some(row) => Ok(Some((row.get("name_id_format")?, row.parse("identity_id")?))),
        None => Ok(None),
    }
}

/// The relying parties of logins, in the order they joined.
///
/// # Errors
/// [`StoreError`].
pub async fn participants(conn: &mut Conn, sessions: &[SessionId]) -> Result<Vec<Participant>, StoreError> {
    let keys: Vec<Value> = sessions.iter().map(text).collect();
    conn.all_in(PARTICIPANTS, &keys)
        .await?
        .iter()
        .map(participant)
        .collect()
}

/// Removes sessions that expired before `before`, with their participations; answers how many.
///
/// # Errors
/// [`StoreError`].
pub async fn purge(tx: &mut Tx, before: Timestamp) -> Result<u64, StoreError> {
    tx.execute(PURGE_PARTICIPATIONS, [before.into()]).await?;
    tx.execute(PURGE, [before.into()]).await
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::base::random::SeededRandom;
    use crate::base::secret::Secret;
    use crate::domain::assurance::{Acr, Amr};
    use crate::domain::session::Device;
    use crate::store::testing::{on_each_engine, person, relying_party};

    #[tokio::test]
    async fn a_session_lives_from_its_cookie_to_its_end() {
        on_each_engine(async |db| {
            let lina = person("Lina", 1);
            let random = SeededRandom::new(9);
            let now = Timestamp::from_seconds(1_790_000_000);
            let (first, second) = (Secret::generate("", &random), Secret::generate("", &random));
            let mut session = Session {
                id: SessionId::new(now, &random),
                identity: lina.id,
                authenticated_at: now,
                acr: Acr::Class,
                amr: Amr::Picture,
                device: Device::Shared,
                expires_at: now.plus(Duration::from_secs(60)),
                ended_at: None,
            };
            let mut tx = db.begin().await.unwrap();
            crate::store::identity::insert(&mut tx, &lina).await.unwrap();
            insert(&mut tx, &session, &first.digest()).await.unwrap();
            join(&mut tx, session.id, "ent", now).await.unwrap();
            join(&mut tx, session.id, "ent", now).await.unwrap();
            let (found, who) = find_live(&mut tx, &first.digest(), now).await.unwrap().unwrap();
            assert_eq!((&found, who.id), (&session, lina.id));
            let late = now.plus(Duration::from_secs(60));
            assert!(
                find_live(&mut tx, &first.digest(), late).await.unwrap().is_none(),
                "expired"
            );

            session.acr = Acr::SingleFactor;
            assert!(renew(&mut tx, &session, &second.digest()).await.unwrap());
            assert!(
                find_live(&mut tx, &first.digest(), now).await.unwrap().is_none(),
                "the old cookie is dead"
            );
            assert!(find_live(&mut tx, &second.digest(), now).await.unwrap().is_some());
            let mut ent = relying_party("ent");
            ent.metadata.backchannel_logout = Some(LogoutAddress {
                uri: "https://ent.example/out".into(),
                session_required: true,
            });
            crate::store::relying_party::save(&mut tx, &ent).await.unwrap();
            crate::store::subject::add(&mut tx, &ent.sector, "lina-there", lina.id, now)
                .await
                .unwrap();
            let told = participants(&mut tx, &[session.id]).await.unwrap();
            let expected = Participant {
                session: session.id,
                client: ent.id.clone(),
                name: ent.name.clone(),
                subject: Some("lina-there".into()),
                backchannel: ent.metadata.backchannel_logout.clone(),
                frontchannel: None,
                has_cas_login: false,
                entity_id: None,
            };
            assert_eq!(told, std::slice::from_ref(&expected));
            assert_eq!(named(&mut tx, session.id, &ent.id).await.unwrap(), None);
            ent.saml = Some(SamlParty {
                entity_id: "https://ent.example/sp".into(),
                ..SamlParty::default()
            });
            crate::store::relying_party::save(&mut tx, &ent).await.unwrap();
            assert_eq!(participants(&mut tx, &[session.id]).await.unwrap(), [expected]);
            join_named(&mut tx, session.id, &ent.id, "transient", now)
                .await
                .unwrap();
            let told = participants(&mut tx, &[session.id]).await.unwrap();
            assert_eq!(told[0].entity_id.as_deref(), Some("https://ent.example/sp"));
            let known = named(&mut tx, session.id, &ent.id).await.unwrap();
            assert_eq!(known, Some(("transient".to_owned(), lina.id)));

            assert!(is_live(&mut tx, session.id, now).await.unwrap());
            assert!(end(&mut tx, session.id, now).await.unwrap());
            assert!(!end(&mut tx, session.id, now).await.unwrap());
            assert!(!is_live(&mut tx, session.id, now).await.unwrap());
            assert!(find_live(&mut tx, &second.digest(), now).await.unwrap().is_none());
            assert!(
                !renew(&mut tx, &session, &first.digest()).await.unwrap(),
                "an ended session stays ended"
            );
            assert_eq!(end_of_identity(&mut tx, lina.id, now).await.unwrap(), []);
            let other = Session {
                id: SessionId::new(now, &random),
                ..session.clone()
            };
            insert(&mut tx, &other, &Secret::generate("", &random).digest())
                .await
                .unwrap();
            assert_eq!(end_of_identity(&mut tx, lina.id, now).await.unwrap(), [other.id]);

            assert_eq!(purge(&mut tx, now).await.unwrap(), 0);
            assert_eq!(
                purge(&mut tx, late.plus(Duration::from_secs(1))).await.unwrap(),
                2
            );
            assert!(participants(&mut tx, &[session.id]).await.unwrap().is_empty());
        })
        .await;
    }
}
