//! Grants with their codes and access tokens, kept as digests only; refresh tokens are in [`super::refresh_token`].
//!
//! A token request is decided on one read: the client it names, what it shows, and everything that rests on, so that
//! client authentication and every check need no other. Enrolments make its rows repeat.

use super::audit::{self, Head};
use super::db::{Conn, Row, Statement, Tx};
use super::value::{text, text_or_null};
use super::{StoreError, enrolment, relying_party, statements};
use crate::base::id::{GrantId, IdentityId};
use crate::base::secret::Digest;
use crate::base::time::{Date, Timestamp};
use crate::domain::grant::{AuthorizationCode, Grant, Redemption, Scopes, Standing, TokenUse};
use crate::domain::relying_party::{RelyingParty, RelyingPartyId};

/// The columns of a grant that stands in a statement as `g`.
macro_rules! grant_columns {
    () => {
        "g.id AS grant_id, g.client_id, g.identity_id, g.session_id, g.scope, g.claims, g.resource, g.nonce, g.authenticated_at, g.acr, g.amr,
        g.created_at AS granted_at, g.revoked_at"
    };
}

/// The columns of what an access token leads to; [`read_token_use`] reads them.
macro_rules! token_use_columns {
    () => {
        concat!(
            "t.issued_at, t.expires_at, t.revoked_at AS token_revoked_at, t.scope AS token_scope, t.audience, t.jkt, ",
            $crate::store::grant::grant_columns!(),
            ", CAST(CASE WHEN s.ended_at IS NULL THEN 0 ELSE 1 END AS BIGINT) AS session_was_ended,
        i.status, i.status_detail, i.family_name, i.usage_name, i.given_name, i.birth_date, i.sex, i.username, i.locale,
        i.created_at"
        )
    };
}

/// Where [`token_use_columns`] are.
macro_rules! token_use_joins {
    () => {
        "access_token t JOIN oauth_grant g ON g.id = t.grant_id JOIN identity i ON i.id = g.identity_id
        LEFT JOIN session s ON s.id = g.session_id"
    };
}

/// What [`found`] reads besides a statement's own columns.
macro_rules! found_columns {
    () => {
        concat!(
            $crate::store::relying_party::columns!(),
            ", ",
            $crate::store::grant::grant_columns!(),
            ", i.status, i.status_detail, CASE WHEN s.ended_at IS NULL THEN s.expires_at END AS login_until,
        u.value AS known_subject, a.sequence AS journal_sequence, a.hash AS journal_hash, ",
            $crate::store::enrolment::live_columns!()
        )
    };
}

/// Where [`found`] reads it, behind what leads from the party `p` ($1) and the digest ($2) to the grant `g`.
macro_rules! found_joins {
    () => {
        "LEFT JOIN identity i ON i.id = g.identity_id
        LEFT JOIN session s ON s.id = g.session_id
        LEFT JOIN subject u ON u.sector = p.sector AND u.identity_id = g.identity_id AND u.in_use
        LEFT JOIN enrolment e ON e.identity_id = g.identity_id AND e.starts_on <= $3 AND e.ends_on > $3
        LEFT JOIN class_group k ON k.id = e.class_id
        LEFT JOIN audit_head a ON a.lane = $4
        WHERE p.id = $1"
    };
}
pub(super) use {found_columns, found_joins, grant_columns, token_use_columns, token_use_joins};

statements! {
    INSERT = "INSERT INTO oauth_grant (id, client_id, identity_id, session_id, scope, nonce, authenticated_at, acr, amr,
            created_at, resource, claims) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)";
    INSERT_CODE = "INSERT INTO authorization_code (code_hash, grant_id, redirect_uri, code_challenge, expires_at,
            dpop_jkt) VALUES ($1, $2, $3, $4, $5, $6)";
    // The single-use gate: one row is the caller's, none means that the code was used before or never was.
    CONSUME_CODE = "UPDATE authorization_code SET used_at = $2 WHERE code_hash = $1 AND used_at IS NULL";
    FIND_REDEMPTION = concat!("SELECT c.redirect_uri, c.code_challenge, c.dpop_jkt, c.expires_at, c.used_at, ", found_columns!(), "
        FROM relying_party p LEFT JOIN authorization_code c ON c.code_hash = $2
        LEFT JOIN oauth_grant g ON g.id = c.grant_id ", found_joins!());
    REVOKE = "UPDATE oauth_grant SET revoked_at = $2 WHERE id = $1 AND revoked_at IS NULL";
    REVOKE_OF_IDENTITY = "UPDATE oauth_grant SET revoked_at = $2 WHERE identity_id = $1 AND revoked_at IS NULL";
    REVOKE_OF_CLIENT = "UPDATE oauth_grant SET revoked_at = $3 WHERE identity_id = $1 AND client_id = $2
        AND revoked_at IS NULL";
    INSERT_ACCESS_TOKEN = "INSERT INTO access_token (token_hash, grant_id, issued_at, expires_at, scope, audience, jkt)
        VALUES ($1, $2, $3, $4, $5, $6, $7)";
    REVOKE_TOKEN = "UPDATE access_token SET revoked_at = $2 WHERE token_hash = $1 AND revoked_at IS NULL";
    FIND_TOKEN_USE = concat!("SELECT ", token_use_columns!(), " FROM ", token_use_joins!(), " WHERE t.token_hash = $1");
    PURGE_TOKENS = "DELETE FROM access_token WHERE expires_at < $1";
    PURGE_CODES = "DELETE FROM authorization_code WHERE expires_at < $1
        AND NOT EXISTS (SELECT 1 FROM access_token t WHERE t.grant_id = authorization_code.grant_id)
        AND NOT EXISTS (SELECT 1 FROM refresh_token r WHERE r.grant_id = authorization_code.grant_id)";
    PURGE_GRANTS = "DELETE FROM oauth_grant WHERE created_at < $1
        AND NOT EXISTS (SELECT 1 FROM access_token t WHERE t.grant_id = oauth_grant.id)
        AND NOT EXISTS (SELECT 1 FROM refresh_token r WHERE r.grant_id = oauth_grant.id)
        AND NOT EXISTS (SELECT 1 FROM authorization_code c WHERE c.grant_id = oauth_grant.id)";
}

fn moment(row: &Row, column: &str) -> Result<Option<Timestamp>, StoreError> {
    Ok(row.get::<Option<i64>>(column)?.map(Timestamp::from_micros))
}

fn grant(row: &Row) -> Result<Grant, StoreError> {
    Ok(Grant {
        id: row.parse("grant_id")?,
        client: row.parse("client_id")?,
        identity: row.parse("identity_id")?,
        session: row.parse("session_id")?,
        scopes: Scopes::all_of(&row.get::<String>("scope")?),
        resource: row.parse_optional("resource")?,
        claims: row.parse_optional("claims")?.unwrap_or_default(),
        nonce: row.get("nonce")?,
        authenticated_at: Timestamp::from_micros(row.get("authenticated_at")?),
        acr: row.parse("acr")?,
        amr: row.parse("amr")?,
        created_at: Timestamp::from_micros(row.get("granted_at")?),
        revoked_at: moment(row, "revoked_at")?,
    })
}

/// Keeps a new grant and its code.
///
/// # Errors
/// [`StoreError`].
pub async fn insert(
    tx: &mut Tx,
    grant: &Grant,
    digest: &Digest,
    code: &AuthorizationCode,
) -> Result<(), StoreError> {
    let values = [
        text(grant.id),
        text(&grant.client),
        text(grant.identity),
        text(grant.session),
        text(&grant.scopes),
        grant.nonce.as_deref().into(),
        grant.authenticated_at.into(),
        text(grant.acr),
        text(grant.amr),
        grant.created_at.into(),
        text_or_null(grant.resource.as_ref()),
        text_or_null(Some(&grant.claims).filter(|claims| !claims.is_empty())),
    ];
    tx.execute(INSERT, values).await?;
    let values = [
        digest.as_bytes().into(),
        text(grant.id),
        text(&code.redirect_uri),
        code.code_challenge.as_deref().into(),
        code.expires_at.into(),
        code.dpop_jkt.as_deref().into(),
    ];
    tx.execute(INSERT_CODE, values).await.map(drop)
}

/// Takes a code; whether it was there and is the caller's. Of many callers at once, on any node, one gets it.
///
/// # Errors
/// [`StoreError`].
pub async fn consume(tx: &mut Tx, code: &Digest, now: Timestamp) -> Result<bool, StoreError> {
    Ok(tx
        .execute(CONSUME_CODE, [code.as_bytes().into(), now.into()])
        .await?
        == 1)
}

/// What one read found for a token request.
#[derive(Debug)]
pub struct Found<T> {
    /// The client that the request names, where there is one.
    pub party: Option<RelyingParty>,
    /// What the request shows, where it is something of ours; whose it is has not been looked at.
    pub held: Option<T>,
    /// Where the journal's lane of this moment ends.
    pub journal: Option<Head>,
}

/// Runs a statement made of [`found_columns`] and [`found_joins`].
///
/// # Errors
/// [`StoreError`].
pub(super) async fn found<T>(
    conn: &mut Conn,
    statement: Statement,
    (client, digest): (&RelyingPartyId, &Digest),
    now: Timestamp,
    held: impl Fn(&Row, Standing) -> Result<T, StoreError>,
) -> Result<Found<T>, StoreError> {
    let lane = audit::lane(now);
    let values = [
        text(client),
        digest.as_bytes().into(),
        now.date().into(),
        lane.into(),
    ];
    let rows = conn.all(statement, values).await?;
    let Some(first) = rows.first() else {
        return Ok(Found {
            party: None,
            held: None,
            journal: None,
        });
    };
    let held = match first.get::<Option<String>>("grant_id")? {
        Some(_) => Some(held(first, standing(first, &rows, now.date())?)?),
        None => None,
    };
    Ok(Found {
        party: Some(relying_party::relying_party(first)?),
        held,
        journal: Head::of_row(lane, first)?,
    })
}

fn standing(first: &Row, rows: &[Row], day: Date) -> Result<Standing, StoreError> {
    Ok(Standing {
        grant: grant(first)?,
        person: super::identity::status(first)?,
        login_until: moment(first, "login_until")?,
        subject: first.get("known_subject")?,
        live: enrolment::live(rows, day)?,
    })
}

/// The client of that id, and what a code leads to, used or not.
///
/// # Errors
/// [`StoreError`].
pub async fn redemption(
    conn: &mut Conn,
    client: &RelyingPartyId,
    code: &Digest,
    now: Timestamp,
) -> Result<Found<Redemption>, StoreError> {
    let read = |row: &Row, standing| {
        Ok(Redemption {
            code: AuthorizationCode {
                redirect_uri: row.get("redirect_uri")?,
                code_challenge: row.get("code_challenge")?,
                dpop_jkt: row.get("dpop_jkt")?,
                expires_at: Timestamp::from_micros(row.get("expires_at")?),
            },
            is_used: row.get::<Option<i64>>("used_at")?.is_some(),
            standing,
        })
    };
    found(conn, FIND_REDEMPTION, (client, code), now, read).await
}

/// Takes a grant back with everything that came of it; whether it was this call that did.
///
/// # Errors
/// [`StoreError`].
pub async fn revoke(tx: &mut Tx, id: GrantId, now: Timestamp) -> Result<bool, StoreError> {
    Ok(tx.execute(REVOKE, [text(id), now.into()]).await? == 1)
}

/// Takes one access token back; whether it was this call that did.
///
/// # Errors
/// [`StoreError`].
pub async fn revoke_token(tx: &mut Tx, token: &Digest, now: Timestamp) -> Result<bool, StoreError> {
    let values = [token.as_bytes().into(), now.into()];
    Ok(tx.execute(REVOKE_TOKEN, values).await? == 1)
}

/// Takes every grant about a person back; answers how many.
///
/// # Errors
/// [`StoreError`].
pub async fn revoke_of_identity(
    tx: &mut Tx,
    identity: IdentityId,
    now: Timestamp,
) -> Result<u64, StoreError> {
    tx.execute(REVOKE_OF_IDENTITY, [text(identity), now.into()]).await
}

/// Takes every grant about a person to one client back; answers how many.
///
/// # Errors
/// [`StoreError`].
pub async fn revoke_of_client(
    tx: &mut Tx,
    identity: IdentityId,
    client: &RelyingPartyId,
    now: Timestamp,
) -> Result<u64, StoreError> {
    let values = [text(identity), text(client), now.into()];
    tx.execute(REVOKE_OF_CLIENT, values).await
}

/// A new access token of a grant.
#[derive(Debug, Clone, Copy)]
pub struct AccessToken<'a> {
    /// Its digest.
    pub digest: &'a Digest,
    /// The grant it comes from.
    pub grant: GrantId,
    /// When it is made.
    pub issued_at: Timestamp,
    /// Until when it is good.
    pub expires_at: Timestamp,
    /// What it is good for, where that is less than what was granted.
    pub scopes: Option<&'a Scopes>,
    /// The resource server it is for (RFC 8707), where it is not this provider.
    pub audience: Option<&'a str>,
    /// The thumbprint of the key it is bound to (RFC 9449 §6), where it is.
    pub jkt: Option<&'a str>,
}

/// Keeps a new access token.
///
/// # Errors
/// [`StoreError`].
pub async fn add_token(tx: &mut Tx, token: &AccessToken<'_>) -> Result<(), StoreError> {
    let values = [
        token.digest.as_bytes().into(),
        text(token.grant),
        token.issued_at.into(),
        token.expires_at.into(),
        text_or_null(token.scopes),
        token.audience.into(),
        token.jkt.into(),
    ];
    tx.execute(INSERT_ACCESS_TOKEN, values).await.map(drop)
}

/// What an access token leads to, good or not.
///
/// # Errors
/// [`StoreError`].
pub async fn token_use(conn: &mut Conn, token: &Digest) -> Result<Option<TokenUse>, StoreError> {
    let found = conn.optional(FIND_TOKEN_USE, [token.as_bytes().into()]).await?;
    found.as_ref().map(read_token_use).transpose()
}

/// Reads what an access token leads to from a row that has [`token_use_columns`].
///
/// # Errors
/// [`StoreError::Corrupt`] for an impossible row.
pub(super) fn read_token_use(row: &Row) -> Result<TokenUse, StoreError> {
    let grant = grant(row)?;
    let narrowed: Option<String> = row.get("token_scope")?;
    Ok(TokenUse {
        issued_at: moment(row, "issued_at")?,
        expires_at: Timestamp::from_micros(row.get("expires_at")?),
        revoked_at: moment(row, "token_revoked_at")?,
        scopes: narrowed.map_or_else(|| grant.scopes.clone(), |list| Scopes::all_of(&list)),
        audience: row.get("audience")?,
        jkt: row.get("jkt")?,
        grant,
        identity: super::identity::identity_of(row, "identity_id")?,
        session_was_ended: row.get::<i64>("session_was_ended")? == 1,
    })
}

/// Removes what expired before `before`: tokens, then codes, then grants that nothing is left of. A code stays as long as
/// a token of its grant, so that its replay still finds what is to be revoked. Answers the number of grants.
///
/// # Errors
/// [`StoreError`].
pub async fn purge(tx: &mut Tx, before: Timestamp) -> Result<u64, StoreError> {
    tx.execute(PURGE_TOKENS, [before.into()]).await?;
    super::refresh_token::purge(tx, before).await?;
    tx.execute(PURGE_CODES, [before.into()]).await?;
    tx.execute(PURGE_GRANTS, [before.into()]).await
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::base::secret::Secret;
    use crate::domain::identity::Status;
    use crate::domain::testing::{enrolment, grant, party, person};
    use crate::store::db::Db;
    use crate::store::testing::on_each_engine;

    fn code(grant: &Grant) -> AuthorizationCode {
        AuthorizationCode {
            redirect_uri: "https://ent.example/cb".into(),
            code_challenge: Some("challenge".into()),
            dpop_jkt: Some("thumbprint".into()),
            expires_at: grant.created_at.plus(Duration::from_secs(60)),
        }
    }

    async fn kept(db: &Db, secret: &Secret) -> Grant {
        let (mut grant, lina) = (grant("ent"), person("Lina", 1));
        grant.resource = Some("https://cantine.example/api".parse().unwrap());
        grant.scopes = Scopes::all_of("openid profile education menus:read");
        grant.claims = r#"{"userinfo":{"name":{"essential":true}},"id_token":{"birthdate":null}}"#
            .parse()
            .unwrap();
        let mut tx = db.begin().await.unwrap();
        crate::store::identity::insert(&mut tx, &lina).await.unwrap();
        crate::store::relying_party::save(&mut tx, &party("ent"))
            .await
            .unwrap();
        for uai in ["9990001X", "9990101F"] {
            crate::store::enrolment::insert(&mut tx, &enrolment(&lina, uai, "CM2"))
                .await
                .unwrap();
        }
        insert(&mut tx, &grant, &secret.digest(), &code(&grant))
            .await
            .unwrap();
        tx.commit().await.unwrap();
        grant
    }

    fn token<'a>(digest: &'a Digest, grant: &Grant, seconds: u64) -> AccessToken<'a> {
        AccessToken {
            digest,
            grant: grant.id,
            issued_at: grant.created_at,
            expires_at: grant.created_at.plus(Duration::from_secs(seconds)),
            scopes: None,
            audience: None,
            jkt: None,
        }
    }

    #[tokio::test]
    async fn one_read_gives_the_client_and_all_that_a_code_leads_to() {
        on_each_engine(async |db| {
            let secret = Secret::new("code");
            let grant = kept(&db, &secret).await;
            let now = grant.created_at;
            let mut tx = db.begin().await.unwrap();
            crate::store::subject::add(&mut tx, "ent", "abc", grant.identity, now)
                .await
                .unwrap();
            crate::store::subject::add(&mut tx, "cantine", "xyz", grant.identity, now)
                .await
                .unwrap();
            let found = redemption(&mut tx, &party("ent").id, &secret.digest(), now)
                .await
                .unwrap();
            assert_eq!(found.party, Some(party("ent")));
            assert_eq!(found.journal, None, "nothing was journalled yet");
            let held = found.held.unwrap();
            assert_eq!((&held.standing.grant, &held.code), (&grant, &code(&grant)));
            assert!(!held.is_used && held.standing.person == Status::Active);
            assert_eq!(held.standing.login_until, None, "there is no such session");
            assert_eq!(held.standing.subject.as_deref(), Some("abc"));
            let schools: Vec<_> = held
                .standing
                .live
                .iter()
                .map(|live| live.school.as_str())
                .collect();
            assert_eq!(schools, ["9990001X", "9990101F"]);
            assert!(consume(&mut tx, &secret.digest(), now).await.unwrap());
            let unknown = redemption(&mut tx, &party("ent").id, &Secret::new("no code").digest(), now)
                .await
                .unwrap();
            assert!(unknown.party.is_some() && unknown.held.is_none());
            let nobody = redemption(&mut tx, &party("nobody").id, &secret.digest(), now)
                .await
                .unwrap();
            assert!(nobody.party.is_none() && nobody.held.is_none());
            let after = now.plus(Duration::from_secs(2 * 365 * 24 * 3600));
            let found = redemption(&mut tx, &party("ent").id, &secret.digest(), after)
                .await
                .unwrap();
            let held = found.held.unwrap();
            assert!(held.is_used && held.standing.live.is_empty());
        })
        .await;
    }

    #[tokio::test]
    async fn a_grant_reads_back_through_its_token() {
        on_each_engine(async |db| {
            let (secret, plain, narrow) = (
                Secret::new("code").digest(),
                Secret::new("plain").digest(),
                Secret::new("narrow").digest(),
            );
            let mut grant = kept(&db, &Secret::new("code")).await;
            let now = grant.created_at;
            let mut tx = db.begin().await.unwrap();
            add_token(&mut tx, &token(&plain, &grant, 600)).await.unwrap();
            let openid = Scopes::known_of("openid");
            let narrowed = AccessToken {
                scopes: Some(&openid),
                audience: Some("https://api.example"),
                jkt: Some("key"),
                ..token(&narrow, &grant, 600)
            };
            add_token(&mut tx, &narrowed).await.unwrap();
            assert!(
                token_use(&mut tx, &secret).await.unwrap().is_none(),
                "a code is no token"
            );
            assert!(revoke(&mut tx, grant.id, now).await.unwrap());
            assert!(!revoke(&mut tx, grant.id, now).await.unwrap());
            assert_eq!(revoke_of_identity(&mut tx, grant.identity, now).await.unwrap(), 0);
            grant.revoked_at = Some(now);
            let found = token_use(&mut tx, &plain).await.unwrap().unwrap();
            assert_eq!((&found.grant, &found.scopes), (&grant, &grant.scopes));
            assert_eq!((found.issued_at, found.revoked_at), (Some(now), None));
            assert!(!found.session_was_ended && found.identity.given_name == "Lina");
            let found = token_use(&mut tx, &narrow).await.unwrap().unwrap();
            assert_eq!((&found.grant, found.scopes), (&grant, openid));
            assert_eq!(found.audience.as_deref(), Some("https://api.example"));
            assert_eq!(found.jkt.as_deref(), Some("key"));
        })
        .await;
    }

    #[tokio::test]
    async fn of_forty_callers_at_once_one_takes_the_code() {
        on_each_engine(async |db| {
            let secret = Secret::new("code");
            let grant = kept(&db, &secret).await;
            let tasks: Vec<_> = (0..40)
                .map(|_| {
                    let (db, digest) = (db.clone(), secret.digest());
                    tokio::spawn(async move {
                        let mut tx = db.begin().await.unwrap();
                        let taken = consume(&mut tx, &digest, grant.created_at).await.unwrap();
                        tx.commit().await.unwrap();
                        u32::from(taken)
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
    async fn a_purge_keeps_a_code_as_long_as_its_token() {
        on_each_engine(async |db| {
            let secret = Secret::new("code");
            let grant = kept(&db, &secret).await;
            let at = |seconds| grant.created_at.plus(Duration::from_secs(seconds));
            let mut tx = db.begin().await.unwrap();
            add_token(&mut tx, &token(&Secret::new("token").digest(), &grant, 600))
                .await
                .unwrap();
            assert_eq!(purge(&mut tx, at(300)).await.unwrap(), 0);
            let found = redemption(&mut tx, &party("ent").id, &secret.digest(), at(300)).await;
            assert!(found.unwrap().held.is_some());
            assert_eq!(purge(&mut tx, at(601)).await.unwrap(), 1);
            let found = redemption(&mut tx, &party("ent").id, &secret.digest(), at(601)).await;
            assert!(found.unwrap().held.is_none());
        })
        .await;
    }
}
