//! Tickets of CAS, kept as digests only; and the tickets that services validated in a login, sealed, because the message
//! that tells them of its end carries them.

use super::db::{Conn, Row, Tx};
use super::value::text;
use super::{StoreError, relying_party, statements};
use crate::base::id::SessionId;
use crate::base::secret::Digest;
use crate::base::time::Timestamp;
use crate::domain::cas_ticket::Ticket;
use crate::domain::relying_party::RelyingPartyId;

/// Every column of a ticket.
macro_rules! columns {
    () => {
        "kind, client_id, service, session_id, is_from_login, proxies, issued_at, expires_at, used_at"
    };
}

statements! {
    INSERT = "INSERT INTO cas_ticket (ticket_hash, kind, client_id, service, session_id, is_from_login, proxies, issued_at,
            expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
    // The single-use gate: one row is the caller's, none means that it was shown before, is forgotten, or never was.
    CONSUME = concat!("UPDATE cas_ticket SET used_at = $2 WHERE ticket_hash = $1 AND used_at IS NULL AND kind <> 'PGT'
        RETURNING ", columns!());
    FIND = concat!("SELECT ", columns!(), " FROM cas_ticket WHERE ticket_hash = $1");
    PURGE = "DELETE FROM cas_ticket WHERE expires_at < $1";
    // A service that lets somebody in a second time knows them by the later ticket.
    KEEP_LOGIN = "INSERT INTO cas_login (session_id, client_id, place, service, sealed, validated_at)
        VALUES ($1, $2, $3, $4, $5, $6)
        ON CONFLICT (session_id, client_id, place) DO UPDATE SET service = excluded.service, sealed = excluded.sealed,
            validated_at = excluded.validated_at";
    LOGINS = "SELECT place, service, sealed FROM cas_login WHERE session_id = $1 AND client_id = $2 ORDER BY place";
    FORGET_LOGIN = "DELETE FROM cas_login WHERE session_id = $1 AND client_id = $2 AND place = $3";
    PURGE_LOGINS = "DELETE FROM cas_login WHERE session_id IN (SELECT id FROM session WHERE expires_at < $1)";
}

fn ticket(row: &Row) -> Result<Ticket, StoreError> {
    let used: Option<i64> = row.get("used_at")?;
    Ok(Ticket {
        kind: row.parse("kind")?,
        client: row.parse("client_id")?,
        service: row.get("service")?,
        session: row.parse("session_id")?,
        is_from_login: row.get("is_from_login")?,
        proxies: relying_party::list(row, "proxies")?,
        issued_at: Timestamp::from_micros(row.get("issued_at")?),
        expires_at: Timestamp::from_micros(row.get("expires_at")?),
        used_at: used.map(Timestamp::from_micros),
    })
}

/// Keeps a new ticket under its digest.
///
/// # Errors
/// [`StoreError`].
pub async fn insert(tx: &mut Tx, digest: &Digest, ticket: &Ticket) -> Result<(), StoreError> {
    let values = [
        digest.as_bytes().into(),
        text(ticket.kind),
        text(&ticket.client),
        text(&ticket.service),
        text(ticket.session),
        ticket.is_from_login.into(),
        relying_party::json(&ticket.proxies)?,
        ticket.issued_at.into(),
        ticket.expires_at.into(),
    ];
    tx.execute(INSERT, values).await.map(drop)
}

/// Takes a ticket that is good once; `None` where it is not the caller's. Of many callers at once, on any node, one gets it.
///
/// # Errors
/// [`StoreError`].
pub async fn consume(tx: &mut Tx, digest: &Digest, now: Timestamp) -> Result<Option<Ticket>, StoreError> {
    let row = tx
        .optional(CONSUME, [digest.as_bytes().into(), now.into()])
        .await?;
    row.as_ref().map(ticket).transpose()
}

/// A ticket, used and expired ones included.
///
/// # Errors
/// [`StoreError`].
pub async fn find(conn: &mut Conn, digest: &Digest) -> Result<Option<Ticket>, StoreError> {
    let row = conn.optional(FIND, [digest.as_bytes().into()]).await?;
    row.as_ref().map(ticket).transpose()
}

/// Forgets tickets that expired before `before`; answers how many.
///
/// # Errors
/// [`StoreError`].
pub async fn purge(tx: &mut Tx, before: Timestamp) -> Result<u64, StoreError> {
    tx.execute(PURGE, [before.into()]).await
}

/// A login as one address of a service knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Login {
    /// The declared address.
    pub place: String,
    /// The address the ticket was made for.
    pub service: String,
    /// The ticket, sealed.
    pub sealed: Vec<u8>,
}

/// Keeps by which ticket a service knows a login.
///
/// # Errors
/// [`StoreError`].
pub async fn keep_login(
    tx: &mut Tx,
    (session, client): (SessionId, &RelyingPartyId),
    login: &Login,
    now: Timestamp,
) -> Result<(), StoreError> {
    let values = [
        text(session),
        text(client),
        text(&login.place),
        text(&login.service),
        login.sealed.clone().into(),
        now.into(),
    ];
    tx.execute(KEEP_LOGIN, values).await.map(drop)
}

/// By which tickets a service knows a login, by place.
///
/// # Errors
/// [`StoreError`].
pub async fn logins(
    conn: &mut Conn,
    session: SessionId,
    client: &RelyingPartyId,
) -> Result<Vec<Login>, StoreError> {
    let rows = conn.all(LOGINS, [text(session), text(client)]).await?;
    let login = |row: &Row| {
        Ok(Login {
            place: row.get("place")?,
            service: row.get("service")?,
            sealed: row.get("sealed")?,
        })
    };
    rows.iter().map(login).collect()
}

/// Forgets a login as one address of a service knew it.
///
/// # Errors
/// [`StoreError`].
pub async fn forget_login(
    tx: &mut Tx,
    (session, client): (SessionId, &RelyingPartyId),
    place: &str,
) -> Result<(), StoreError> {
    let values = [text(session), text(client), text(place)];
    tx.execute(FORGET_LOGIN, values).await.map(drop)
}

/// Forgets what services knew of logins that expired before `before`; answers how much. Before the logins themselves.
///
/// # Errors
/// [`StoreError`].
pub async fn purge_logins(tx: &mut Tx, before: Timestamp) -> Result<u64, StoreError> {
    tx.execute(PURGE_LOGINS, [before.into()]).await
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::base::random::SeededRandom;
    use crate::base::secret::Secret;
    use crate::domain::assurance::{Acr, Amr};
    use crate::domain::cas_ticket::TicketKind;
    use crate::domain::session::{Device, Session};
    use crate::store::session;
    use crate::store::testing::{on_each_engine, person, relying_party as sample};

    const NOW: Timestamp = Timestamp::from_seconds(1_790_000_000);

    fn sample_ticket(kind: TicketKind) -> Ticket {
        Ticket {
            kind,
            client: "ent".parse().unwrap(),
            service: "https://ent.example/app?a=b".into(),
            session: SessionId::new(NOW, &SeededRandom::new(1)),
            is_from_login: true,
            proxies: vec!["https://b.example/pgt".into(), "https://a.example/pgt".into()],
            issued_at: NOW,
            expires_at: NOW.plus(Duration::from_secs(60)),
            used_at: None,
        }
    }

    #[tokio::test]
    async fn a_ticket_reads_back_is_taken_once_and_goes() {
        on_each_engine(async |db| {
            let digest = Secret::new("ST-1").digest();
            let mut kept = sample_ticket(TicketKind::Service);
            let mut tx = db.begin().await.unwrap();
            insert(&mut tx, &digest, &kept).await.unwrap();
            assert_eq!(find(&mut tx, &digest).await.unwrap().as_ref(), Some(&kept));
            kept.used_at = Some(NOW);
            assert_eq!(
                consume(&mut tx, &digest, NOW).await.unwrap().as_ref(),
                Some(&kept)
            );
            assert_eq!(consume(&mut tx, &digest, NOW).await.unwrap(), None);
            assert_eq!(find(&mut tx, &digest).await.unwrap(), Some(kept.clone()));
            let granting = Secret::new("PGT-1").digest();
            insert(&mut tx, &granting, &sample_ticket(TicketKind::ProxyGranting))
                .await
                .unwrap();
            assert_eq!(
                consume(&mut tx, &granting, NOW).await.unwrap(),
                None,
                "good more than once"
            );
            let never = Secret::new("ST-2").digest();
            assert_eq!(consume(&mut tx, &never, NOW).await.unwrap(), None);
            assert_eq!(purge(&mut tx, kept.expires_at).await.unwrap(), 0);
            let later = kept.expires_at.plus(Duration::from_secs(1));
            assert_eq!(purge(&mut tx, later).await.unwrap(), 2);
        })
        .await;
    }

    #[tokio::test]
    async fn attack_34_of_forty_callers_at_once_one_takes_the_ticket() {
        on_each_engine(async |db| {
            let digest = Secret::new("ST-1").digest();
            let mut tx = db.begin().await.unwrap();
            insert(&mut tx, &digest, &sample_ticket(TicketKind::Service))
                .await
                .unwrap();
            tx.commit().await.unwrap();
            let tasks: Vec<_> = (0..40)
                .map(|_| {
                    let db = db.clone();
                    tokio::spawn(async move {
                        let mut tx = db.begin().await.unwrap();
                        let taken = consume(&mut tx, &digest, NOW).await.unwrap();
                        tx.commit().await.unwrap();
                        u32::from(taken.is_some())
                    })
                })
                .collect();
            let mut taken = 0;
            for task in tasks {
                taken += task.await.unwrap();
            }
            assert_eq!(taken, 1);
        })
        .await;
    }

    #[tokio::test]
    async fn a_login_is_known_by_its_latest_ticket_at_each_address_and_its_party_is_told() {
        on_each_engine(async |db| {
            let lina = person("Lina", 1);
            let random = SeededRandom::new(1);
            let login = Session {
                id: SessionId::new(NOW, &random),
                identity: lina.id,
                authenticated_at: NOW,
                acr: Acr::Class,
                amr: Amr::Picture,
                device: Device::Shared,
                expires_at: NOW.plus(Duration::from_secs(60)),
                ended_at: None,
            };
            let ent = sample("ent");
            let known = |place: &str, sealed: u8| Login {
                place: place.into(),
                service: format!("{place}/page"),
                sealed: vec![sealed],
            };
            let mut tx = db.begin().await.unwrap();
            crate::store::identity::insert(&mut tx, &lina).await.unwrap();
            relying_party::save(&mut tx, &ent).await.unwrap();
            session::insert(&mut tx, &login, &Secret::new("cookie").digest())
                .await
                .unwrap();
            session::join(&mut tx, login.id, "ent", NOW).await.unwrap();
            let key = (login.id, &ent.id);
            let told = async |tx: &mut Tx| session::participants(tx, &[login.id]).await.unwrap()[0].is_told();
            assert!(!told(&mut tx).await);
            for one in [
                known("https://b", 1),
                known("https://a", 2),
                known("https://b", 3),
            ] {
                keep_login(&mut tx, key, &one, NOW).await.unwrap();
            }
            assert!(told(&mut tx).await);
            let kept = logins(&mut tx, login.id, &ent.id).await.unwrap();
            assert_eq!(kept, [known("https://a", 2), known("https://b", 3)]);
            forget_login(&mut tx, key, "https://a").await.unwrap();
            assert_eq!(logins(&mut tx, login.id, &ent.id).await.unwrap().len(), 1);

            let (held, who) = session::hold(&mut tx, login.id, NOW).await.unwrap().unwrap();
            assert_eq!((held, who), (login.clone(), lina));
            let over = login.expires_at;
            assert_eq!(session::hold(&mut tx, login.id, over).await.unwrap(), None);
            assert_eq!(purge_logins(&mut tx, over).await.unwrap(), 0);
            let later = over.plus(Duration::from_secs(1));
            assert_eq!(purge_logins(&mut tx, later).await.unwrap(), 1);
        })
        .await;
    }
}
