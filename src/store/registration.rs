//! Registration policies and the initial access tokens that let a project use them. Digests only: a token is shown once.

use serde::{Deserialize, Serialize};

use super::db::{Conn, Row, Tx};
use super::relying_party::{json, list, read_releases, written_releases};
use super::value::text;
use super::{StoreError, statements};
use crate::base::secret::Digest;
use crate::base::time::Timestamp;
use crate::domain::registration::{InitialAccess, Policy, PolicyId, SubjectType};
use crate::domain::relying_party::{Basis, ClientAuthMethod, GrantType, RelyingPartyId};

statements! {
    FIND = "SELECT id, name, hosts, most, settings, release, schools, enabled FROM registration_policy WHERE id = $1";
    ALL = "SELECT id, name, hosts, most, settings, release, schools, enabled FROM registration_policy ORDER BY id";
    SAVE = "INSERT INTO registration_policy (id, name, hosts, most, settings, release, schools, enabled)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
        ON CONFLICT (id) DO UPDATE SET name = excluded.name, hosts = excluded.hosts, most = excluded.most,
            settings = excluded.settings, release = excluded.release, schools = excluded.schools,
            enabled = excluded.enabled";
    // A policy that clients live under is not forgotten: they would be nobody's.
    DELETE = "DELETE FROM registration_policy WHERE id = $1
        AND NOT EXISTS (SELECT 1 FROM relying_party WHERE registration_policy = $1)";
    DELETE_TOKENS = "DELETE FROM initial_access_token WHERE policy_id = $1";
    // Whoever changes this row first has it until the end of the transaction, on any node.
    HOLD = "UPDATE registration_policy SET most = most WHERE id = $1";
    CLIENTS = "SELECT CAST(COUNT(*) AS BIGINT) AS number FROM relying_party WHERE registration_policy = $1";
    CLIENT_IDS = "SELECT id FROM relying_party WHERE registration_policy = $1 ORDER BY id";
    ADD_TOKEN = "INSERT INTO initial_access_token (token_hash, policy_id, issued_at, expires_at) VALUES ($1, $2, $3, $4)";
    FIND_TOKEN = "SELECT policy_id, issued_at, expires_at, revoked_at FROM initial_access_token WHERE token_hash = $1";
    REVOKE_TOKENS = "UPDATE initial_access_token SET revoked_at = $2
        WHERE policy_id = $1 AND revoked_at IS NULL AND expires_at > $2";
    PURGE_TOKENS = "DELETE FROM initial_access_token WHERE expires_at < $1";
    REVOKE_GRANTS = "UPDATE oauth_grant SET revoked_at = $2 WHERE client_id = $1 AND revoked_at IS NULL";
    REVOKE_SERVICE_TOKENS = "UPDATE service_token SET revoked_at = $2 WHERE client_id = $1 AND revoked_at IS NULL";
}

/// What a policy decides besides hosts, number, release and schools, as stored.
#[derive(Debug, Serialize, Deserialize)]
struct Settings {
    grant_types: Vec<GrantType>,
    auth_methods: Vec<ClientAuthMethod>,
    subject_types: Vec<SubjectType>,
    pkce_required: bool,
    basis: Basis,
    #[serde(default)]
    resources: Vec<String>,
    #[serde(default)]
    service_scopes: Vec<String>,
}

fn policy(row: &Row) -> Result<Policy, StoreError> {
    let settings: Settings = serde_json::from_str(&row.get::<String>("settings")?)
        .map_err(|error| StoreError::corrupt("settings", error))?;
    let most = row.get::<i64>("most")?;
    let hosts = list::<String>(row, "hosts")?;
    let schools = list::<String>(row, "schools")?;
    Ok(Policy {
        id: row.parse("id")?,
        name: row.get("name")?,
        hosts: hosts
            .iter()
            .map(|host| host.parse().map_err(|error| StoreError::corrupt("hosts", error)))
            .collect::<Result<_, _>>()?,
        most: u32::try_from(most).map_err(|error| StoreError::corrupt("most", error))?,
        grant_types: settings.grant_types,
        auth_methods: settings.auth_methods,
        subject_types: settings.subject_types,
        pkce_required: settings.pkce_required,
        basis: settings.basis,
        resources: settings.resources,
        service_scopes: settings.service_scopes,
        release: read_releases(row)?,
        schools: schools
            .iter()
            .map(|uai| uai.parse().map_err(|error| StoreError::corrupt("schools", error)))
            .collect::<Result<_, _>>()?,
        enabled: row.get("enabled")?,
    })
}

/// One policy.
///
/// # Errors
/// [`StoreError`].
pub async fn find(conn: &mut Conn, id: &PolicyId) -> Result<Option<Policy>, StoreError> {
    conn.optional(FIND, [text(id)])
        .await?
        .as_ref()
        .map(policy)
        .transpose()
}

/// Every policy, by id.
///
/// # Errors
/// [`StoreError`].
pub async fn all(conn: &mut Conn) -> Result<Vec<Policy>, StoreError> {
    conn.all(ALL, []).await?.iter().map(policy).collect()
}

/// Keeps a policy, new or changed.
///
/// # Errors
/// [`StoreError`].
pub async fn save(tx: &mut Tx, policy: &Policy) -> Result<(), StoreError> {
    let hosts: Vec<String> = policy.hosts.iter().map(ToString::to_string).collect();
    let schools: Vec<&str> = policy.schools.iter().map(|school| school.as_str()).collect();
    let settings = Settings {
        grant_types: policy.grant_types.clone(),
        auth_methods: policy.auth_methods.clone(),
        subject_types: policy.subject_types.clone(),
        pkce_required: policy.pkce_required,
        basis: policy.basis,
        resources: policy.resources.clone(),
        service_scopes: policy.service_scopes.clone(),
    };
    let values = [
        text(&policy.id),
        text(&policy.name),
        json(&hosts)?,
        i64::from(policy.most).into(),
        json(&settings)?,
        written_releases(&policy.release)?,
        json(&schools)?,
        policy.enabled.into(),
    ];
    tx.execute(SAVE, values).await.map(drop)
}

/// Forgets a policy that no client lives under, with its tokens; whether it did.
///
/// # Errors
/// [`StoreError`].
pub async fn delete(tx: &mut Tx, id: &PolicyId) -> Result<bool, StoreError> {
    let deleted = tx.execute(DELETE, [text(id)]).await? == 1;
    if deleted {
        tx.execute(DELETE_TOKENS, [text(id)]).await?;
    }
    Ok(deleted)
}

/// One policy, held until the end of the transaction: nobody else registers under it or changes it meanwhile, on any
/// node. `None` where there is none.
///
/// # Errors
/// [`StoreError`].
pub async fn hold(tx: &mut Tx, id: &PolicyId) -> Result<Option<Policy>, StoreError> {
    if tx.execute(HOLD, [text(id)]).await? == 0 {
        return Ok(None);
    }
    find(tx, id).await
}

/// How many clients live under a policy.
///
/// # Errors
/// [`StoreError`].
pub async fn clients(conn: &mut Conn, id: &PolicyId) -> Result<u32, StoreError> {
    let number = conn.number(CLIENTS, [text(id)]).await?;
    u32::try_from(number).map_err(|error| StoreError::corrupt("number", error))
}

/// The clients that live under a policy.
///
/// # Errors
/// [`StoreError`].
pub async fn client_ids(conn: &mut Conn, id: &PolicyId) -> Result<Vec<RelyingPartyId>, StoreError> {
    let rows = conn.all(CLIENT_IDS, [text(id)]).await?;
    rows.iter().map(|row| row.parse("id")).collect()
}

/// Keeps an initial access token.
///
/// # Errors
/// [`StoreError`].
pub async fn add_token(tx: &mut Tx, token: &Digest, access: &InitialAccess) -> Result<(), StoreError> {
    let values = [
        token.as_bytes().into(),
        text(&access.policy),
        access.issued_at.into(),
        access.expires_at.into(),
    ];
    tx.execute(ADD_TOKEN, values).await.map(drop)
}

/// What an initial access token lets do.
///
/// # Errors
/// [`StoreError`].
pub async fn find_token(conn: &mut Conn, token: &Digest) -> Result<Option<InitialAccess>, StoreError> {
    let Some(row) = conn.optional(FIND_TOKEN, [token.as_bytes().into()]).await? else {
        return Ok(None);
    };
    Ok(Some(InitialAccess {
        policy: row.parse("policy_id")?,
        issued_at: Timestamp::from_micros(row.get("issued_at")?),
        expires_at: Timestamp::from_micros(row.get("expires_at")?),
        revoked_at: row.get::<Option<i64>>("revoked_at")?.map(Timestamp::from_micros),
    }))
}

/// Takes back every token of a policy that is still good; answers how many.
///
/// # Errors
/// [`StoreError`].
pub async fn revoke_tokens(tx: &mut Tx, id: &PolicyId, now: Timestamp) -> Result<u64, StoreError> {
    tx.execute(REVOKE_TOKENS, [text(id), now.into()]).await
}

/// Forgets tokens that expired before `before`; answers how many.
///
/// # Errors
/// [`StoreError`].
pub async fn purge_tokens(tx: &mut Tx, before: Timestamp) -> Result<u64, StoreError> {
    tx.execute(PURGE_TOKENS, [before.into()]).await
}

/// Revokes everything a client was ever granted (RFC 7592 §2.3); answers how many grants.
///
/// # Errors
/// [`StoreError`].
pub async fn revoke_everything_of(
    tx: &mut Tx,
    client: &RelyingPartyId,
    now: Timestamp,
) -> Result<u64, StoreError> {
    tx.execute(REVOKE_SERVICE_TOKENS, [text(client), now.into()])
        .await?;
    tx.execute(REVOKE_GRANTS, [text(client), now.into()]).await
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::base::secret::Secret;
    use crate::domain::relying_party::Registration;
    use crate::domain::testing::{grant, party, policy};
    use crate::store;
    use crate::store::testing::on_each_engine;

    const NOW: Timestamp = Timestamp::from_seconds(1_790_000_000);

    #[tokio::test]
    async fn a_policy_reads_back_whole_and_stays_while_clients_live_under_it() {
        on_each_engine(async |db| {
            let mut somme = policy("somme");
            somme.schools = vec!["9990001X".parse().unwrap()];
            somme.service_scopes = vec!["read".into()];
            let mut tx = db.begin().await.unwrap();
            assert_eq!(hold(&mut tx, &somme.id).await.unwrap(), None);
            save(&mut tx, &somme).await.unwrap();
            somme.most = 2;
            somme.enabled = false;
            save(&mut tx, &somme).await.unwrap();
            assert_eq!(find(&mut tx, &somme.id).await.unwrap(), Some(somme.clone()));
            assert_eq!(hold(&mut tx, &somme.id).await.unwrap(), Some(somme.clone()));
            assert_eq!(all(&mut tx).await.unwrap(), std::slice::from_ref(&somme));
            let mut client = party("client");
            client.registration = Some(Registration {
                policy: somme.id.to_string(),
                access_token: client.secrets[0],
                at: NOW,
            });
            store::relying_party::save(&mut tx, &client).await.unwrap();
            store::relying_party::save(&mut tx, &party("declared"))
                .await
                .unwrap();
            assert_eq!(clients(&mut tx, &somme.id).await.unwrap(), 1);
            assert_eq!(client_ids(&mut tx, &somme.id).await.unwrap(), [client.id.clone()]);
            assert!(!delete(&mut tx, &somme.id).await.unwrap());
            store::relying_party::delete(&mut tx, &client.id).await.unwrap();
            assert!(delete(&mut tx, &somme.id).await.unwrap());
        })
        .await;
    }

    #[tokio::test]
    async fn initial_access_tokens_are_found_by_digest_revoked_together_and_purged() {
        on_each_engine(async |db| {
            let token = Secret::new("mrli_test").digest();
            let access = InitialAccess {
                policy: "somme".parse().unwrap(),
                issued_at: NOW,
                expires_at: NOW.plus(Duration::from_secs(60)),
                revoked_at: None,
            };
            let mut tx = db.begin().await.unwrap();
            add_token(&mut tx, &token, &access).await.unwrap();
            assert_eq!(find_token(&mut tx, &token).await.unwrap(), Some(access.clone()));
            assert!(access.is_good(NOW) && !access.is_good(access.expires_at));
            let other = Secret::new("mrli_other").digest();
            assert_eq!(find_token(&mut tx, &other).await.unwrap(), None);
            assert_eq!(
                revoke_tokens(&mut tx, &"nord".parse().unwrap(), NOW)
                    .await
                    .unwrap(),
                0
            );
            assert_eq!(revoke_tokens(&mut tx, &access.policy, NOW).await.unwrap(), 1);
            assert_eq!(revoke_tokens(&mut tx, &access.policy, NOW).await.unwrap(), 0);
            let revoked = find_token(&mut tx, &token).await.unwrap().unwrap();
            assert!(!revoked.is_good(NOW));
            assert_eq!(purge_tokens(&mut tx, access.expires_at).await.unwrap(), 0);
            let later = access.expires_at.plus(Duration::from_secs(1));
            assert_eq!(purge_tokens(&mut tx, later).await.unwrap(), 1);
        })
        .await;
    }

    #[tokio::test]
    async fn everything_of_one_client_is_revoked_and_nothing_of_another() {
        on_each_engine(async |db| {
            let (one, mut other) = (grant("one"), grant("other"));
            let random = crate::base::random::SeededRandom::new(9);
            other.id = crate::base::id::GrantId::new(NOW, &random);
            let code = |text: &str| {
                (
                    Secret::new(text).digest(),
                    crate::domain::grant::AuthorizationCode {
                        redirect_uri: "https://one.example/cb".into(),
                        code_challenge: None,
                        expires_at: NOW,
                        dpop_jkt: None,
                    },
                )
            };
            let mut tx = db.begin().await.unwrap();
            for (grant, name) in [(&one, "a"), (&other, "b")] {
                let (digest, code) = code(name);
                store::grant::insert(&mut tx, grant, &digest, &code)
                    .await
                    .unwrap();
            }
            assert_eq!(revoke_everything_of(&mut tx, &one.client, NOW).await.unwrap(), 1);
            assert_eq!(revoke_everything_of(&mut tx, &one.client, NOW).await.unwrap(), 0);
            assert!(
                store::grant::revoke(&mut tx, other.id, NOW).await.unwrap(),
                "not revoked before"
            );
        })
        .await;
    }
}
