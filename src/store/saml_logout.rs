//! SAML service providers that were asked, through the browser, to end a login, and what they answered.

use super::db::{Conn, Tx};
use super::value::text;
use super::{StoreError, statements};
use crate::base::id::SessionId;
use crate::base::time::Timestamp;
use crate::domain::relying_party::RelyingPartyId;

statements! {
    // A page that is loaded again asks again; who has answered is not asked any more.
    ASK = "INSERT INTO saml_logout (session_id, client_id, request_id, asked_at) VALUES ($1, $2, $3, $4)
        ON CONFLICT (session_id, client_id) DO UPDATE SET request_id = excluded.request_id, asked_at = excluded.asked_at
        WHERE saml_logout.answered_at IS NULL";
    // The single-use gate: a second answer finds nothing.
    ANSWER = "UPDATE saml_logout SET answered_at = $3, succeeded = $4
        WHERE request_id = $1 AND client_id = $2 AND answered_at IS NULL RETURNING session_id";
    OF_SESSION = "SELECT client_id, succeeded FROM saml_logout WHERE session_id = $1 ORDER BY client_id";
    PURGE = "DELETE FROM saml_logout WHERE asked_at < $1";
}

/// Keeps that a party is asked; `false` where it has answered before.
///
/// # Errors
/// [`StoreError`].
pub async fn ask(
    tx: &mut Tx,
    session: SessionId,
    client: &RelyingPartyId,
    request: &str,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let values = [text(session), text(client), text(request), now.into()];
    Ok(tx.execute(ASK, values).await? == 1)
}

/// Keeps what a party answered; the login that it is about, `None` where it was not asked so, or has answered before.
///
/// # Errors
/// [`StoreError`].
pub async fn answer(
    tx: &mut Tx,
    request: &str,
    client: &RelyingPartyId,
    succeeded: bool,
    now: Timestamp,
) -> Result<Option<SessionId>, StoreError> {
    let values = [text(request), text(client), now.into(), succeeded.into()];
    let rows = tx.all(ANSWER, values).await?;
    rows.first().map(|row| row.parse("session_id")).transpose()
}

/// What became of asking each party of a login: `None` where it has not answered.
///
/// # Errors
/// [`StoreError`].
pub async fn of_session(
    conn: &mut Conn,
    session: SessionId,
) -> Result<Vec<(RelyingPartyId, Option<bool>)>, StoreError> {
    let rows = conn.all(OF_SESSION, [text(session)]).await?;
    let one = |row: &super::db::Row| Ok((row.parse("client_id")?, row.get("succeeded")?));
    rows.iter().map(one).collect()
}

/// Forgets those that were asked before `before`; answers how many.
///
/// # Errors
/// [`StoreError`].
pub async fn purge(tx: &mut Tx, before: Timestamp) -> Result<u64, StoreError> {
    tx.execute(PURGE, [before.into()]).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::random::SeededRandom;
    use crate::store::testing::on_each_engine;

    #[tokio::test]
    async fn a_party_answers_once_and_only_to_what_it_was_asked() {
        on_each_engine(async |db| {
            let now = Timestamp::from_seconds(1_790_000_000);
            let session = SessionId::new(now, &SeededRandom::new(1));
            let (ent, cantine) = ("ent".parse().unwrap(), "cantine".parse().unwrap());
            let mut tx = db.begin().await.unwrap();
            assert!(ask(&mut tx, session, &ent, "_1", now).await.unwrap());
            assert!(ask(&mut tx, session, &ent, "_2", now).await.unwrap());
            assert!(ask(&mut tx, session, &cantine, "_3", now).await.unwrap());
            for (request, client) in [("_1", &ent), ("_2", &cantine), ("_4", &ent)] {
                let answered = answer(&mut tx, request, client, true, now).await.unwrap();
                assert_eq!(answered, None, "{request}");
            }
            assert_eq!(
                answer(&mut tx, "_2", &ent, true, now).await.unwrap(),
                Some(session)
            );
            assert_eq!(answer(&mut tx, "_2", &ent, false, now).await.unwrap(), None);
            assert!(!ask(&mut tx, session, &ent, "_5", now).await.unwrap());
            let all = of_session(&mut tx, session).await.unwrap();
            assert_eq!(all, [(cantine, None), (ent, Some(true))]);
            assert_eq!(purge(&mut tx, now).await.unwrap(), 0);
            let later = now.plus(std::time::Duration::from_secs(1));
            assert_eq!(purge(&mut tx, later).await.unwrap(), 2);
        })
        .await;
    }
}
