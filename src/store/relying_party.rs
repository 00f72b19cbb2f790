//! Relying parties, each whole in one row: lists are JSON, loaded with it.

use serde::{Deserialize, Serialize};

use super::db::{Conn, Row, Tx};
use super::saml_entity::{self, StoredEntity};
use super::value::text;
use super::{StoreError, statements};
use crate::base::secret::Digest;
use crate::base::time::Timestamp;
use crate::domain::relying_party::{Registration, Release, ReleasePolicy, RelyingParty, RelyingPartyId};
use crate::domain::saml_source::Source;

/// Every column of a party that stands in a statement as `p`, under its own name.
macro_rules! columns {
    () => {
        "p.id, p.name, p.home, p.sector, p.subject_strategy, p.auth_method, p.pkce_required, p.id_token_alg,
        p.redirect_uris, p.post_logout_redirect_uris, p.schools, p.release, p.secrets, p.enabled, p.basis, p.metadata,
        p.registration_policy, p.registration_token, p.registered_at, p.saml, p.cas, p.populations"
    };
}
pub(super) use columns;

statements! {
    FIND = concat!("SELECT ", columns!(), " FROM relying_party p WHERE p.id = $1");
    ALL = concat!("SELECT ", columns!(), " FROM relying_party p ORDER BY p.id");
    // The host narrows it down; which address belongs to whom is decided above.
    ALL_OF_CAS = concat!("SELECT ", columns!(), " FROM relying_party p WHERE p.cas LIKE $1 ORDER BY p.id");
    SAVE = "INSERT INTO relying_party (id, name, home, sector, subject_strategy, auth_method, pkce_required,
            id_token_alg, redirect_uris, post_logout_redirect_uris, schools, release, secrets, enabled, basis, metadata,
            registration_policy, registration_token, registered_at, saml, cas, saml_entity_id, populations)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23)
        ON CONFLICT (id) DO UPDATE SET name = excluded.name, home = excluded.home, sector = excluded.sector,
            subject_strategy = excluded.subject_strategy, auth_method = excluded.auth_method,
            pkce_required = excluded.pkce_required, id_token_alg = excluded.id_token_alg,
            redirect_uris = excluded.redirect_uris,
            post_logout_redirect_uris = excluded.post_logout_redirect_uris, schools = excluded.schools,
            release = excluded.release, secrets = excluded.secrets, enabled = excluded.enabled,
            basis = excluded.basis, metadata = excluded.metadata,
            registration_policy = excluded.registration_policy,
            registration_token = excluded.registration_token, registered_at = excluded.registered_at,
            saml = excluded.saml, cas = excluded.cas, saml_entity_id = excluded.saml_entity_id,
            populations = excluded.populations";
    DELETE = "DELETE FROM relying_party WHERE id = $1";
    // A party is spoken for by its own source and by the federation that it names; which one counts is seen in the rows.
    BY_ENTITY = concat!("SELECT ", columns!(), ", ", super::saml_entity::columns!(), " FROM relying_party p
        LEFT JOIN saml_entity e ON e.entity_id = p.saml_entity_id
        LEFT JOIN saml_source s ON s.id = e.source
        WHERE p.saml_entity_id = $1 ORDER BY e.rank, e.source");
    // Whoever changes this row first has it until the end of the transaction, on any node.
    HOLD = "UPDATE relying_party SET enabled = enabled WHERE id = $1";
}

/// A protocol that a party does not speak.
const NOTHING: super::value::Value = super::value::Value::Text(None);

/// A line of a release policy, as stored.
#[derive(Debug, Serialize, Deserialize)]
struct StoredRelease {
    attribute: String,
    purpose: String,
    convention: String,
}

pub(super) fn json<T: Serialize>(value: &T) -> Result<super::value::Value, StoreError> {
    serde_json::to_string(value)
        .map(text)
        .map_err(|error| StoreError::corrupt("relying_party", error))
}

pub(super) fn list<T: for<'de> Deserialize<'de>>(row: &Row, column: &str) -> Result<Vec<T>, StoreError> {
    serde_json::from_str(&row.get::<String>(column)?).map_err(|error| StoreError::corrupt(column, error))
}

fn release(stored: StoredRelease) -> Result<Release, StoreError> {
    let attribute = stored
        .attribute
        .parse()
        .map_err(|error| StoreError::corrupt("release", error))?;
    Ok(Release {
        attribute,
        purpose: stored.purpose,
        convention: stored.convention,
    })
}

/// The release policy in the column `release`.
pub(super) fn read_releases(row: &Row) -> Result<ReleasePolicy, StoreError> {
    let lines = list(row, "release")?.into_iter().map(release);
    lines.collect::<Result<_, _>>().map(ReleasePolicy)
}

/// A release policy as it is written.
pub(super) fn written_releases(policy: &ReleasePolicy) -> Result<super::value::Value, StoreError> {
    let lines = policy.0.iter().map(|release| StoredRelease {
        attribute: release.attribute.to_string(),
        purpose: release.purpose.clone(),
        convention: release.convention.clone(),
    });
    json(&lines.collect::<Vec<_>>())
}

fn secret(hex: &String) -> Result<Digest, StoreError> {
    let bytes = data_encoding::HEXLOWER.decode(hex.as_bytes()).ok();
    bytes
        .and_then(|bytes| Digest::from_stored(&bytes))
        .ok_or_else(|| StoreError::corrupt("secrets", "not a digest"))
}

/// Reads a party from a row that has all its columns.
///
/// # Errors
/// [`StoreError::Corrupt`] for an impossible row.
pub(super) fn relying_party(row: &Row) -> Result<RelyingParty, StoreError> {
    let schools = list::<String>(row, "schools")?;
    Ok(RelyingParty {
        id: row.parse("id")?,
        name: row.get("name")?,
        home: row.get("home")?,
        redirect_uris: list(row, "redirect_uris")?,
        post_logout_redirect_uris: list(row, "post_logout_redirect_uris")?,
        sector: row.get("sector")?,
        subject_strategy: row.parse("subject_strategy")?,
        auth_method: row.parse("auth_method")?,
        secrets: list::<String>(row, "secrets")?
            .iter()
            .map(secret)
            .collect::<Result<_, _>>()?,
        pkce_required: row.get("pkce_required")?,
        id_token_alg: row.parse("id_token_alg")?,
        release: read_releases(row)?,
        schools: schools
            .iter()
            .map(|uai| uai.parse().map_err(|error| StoreError::corrupt("schools", error)))
            .collect::<Result<_, _>>()?,
        populations: part(row, "populations")?.unwrap_or_default(),
        basis: row.parse("basis")?,
        metadata: serde_json::from_str(&row.get::<String>("metadata")?)
            .map_err(|error| StoreError::corrupt("metadata", error))?,
        saml: part(row, "saml")?,
        cas: part(row, "cas")?,
        registration: registration(row)?,
        enabled: row.get("enabled")?,
    })
}

/// What a party is by one protocol, where it is anything.
fn part<T: for<'de> Deserialize<'de>>(row: &Row, column: &str) -> Result<Option<T>, StoreError> {
    let text: Option<String> = row.get(column)?;
    text.map(|text| serde_json::from_str(&text).map_err(|error| StoreError::corrupt(column, error)))
        .transpose()
}

fn registration(row: &Row) -> Result<Option<Registration>, StoreError> {
    let policy: Option<String> = row.get("registration_policy")?;
    let token: Option<Vec<u8>> = row.get("registration_token")?;
    let at: Option<i64> = row.get("registered_at")?;
    match (policy, token.as_deref().and_then(Digest::from_stored), at) {
        (None, None, None) => Ok(None),
        (Some(policy), Some(access_token), Some(at)) => Ok(Some(Registration {
            policy,
            access_token,
            at: Timestamp::from_micros(at),
        })),
        _ => Err(StoreError::corrupt("registration_policy", "half a registration")),
    }
}

/// One relying party.
///
/// # Errors
/// [`StoreError`].
pub async fn find(conn: &mut Conn, id: &RelyingPartyId) -> Result<Option<RelyingParty>, StoreError> {
    conn.optional(FIND, [text(id)])
        .await?
        .as_ref()
        .map(relying_party)
        .transpose()
}

/// The relying party that is a SAML service provider by this entityID, with the copy of its metadata that counts now: its
/// own, else its federation's; without any where there is none, or none that is valid.
///
/// # Errors
/// [`StoreError`].
pub async fn find_by_entity(
    conn: &mut Conn,
    entity_id: &str,
    now: Timestamp,
) -> Result<Option<(RelyingParty, Option<StoredEntity>)>, StoreError> {
    let rows = conn.all(BY_ENTITY, [text(entity_id)]).await?;
    let Some(first) = rows.first() else {
        return Ok(None);
    };
    let party = relying_party(first)?;
    let own = Source::id_of_party(&party.id);
    let federation = party.saml.as_ref().and_then(|saml| saml.federation.as_ref());
    let federation = federation.map(|id| Source::id_of_federation(id));
    for row in &rows {
        let source: Option<String> = row.get("entity_source")?;
        if source.is_none() || (source.as_ref() != Some(&own) && source != federation) {
            continue;
        }
        if let Some(entity) = saml_entity::entity(row, now)? {
            return Ok(Some((party, Some(entity))));
        }
    }
    Ok(Some((party, None)))
}

/// One relying party, held until the end of the transaction: nobody else changes it meanwhile, on any node. Whoever
/// changes a part of a party begins here, so that no change is lost to another.
///
/// # Errors
/// [`StoreError`].
pub async fn hold(tx: &mut Tx, id: &RelyingPartyId) -> Result<Option<RelyingParty>, StoreError> {
    if tx.execute(HOLD, [text(id)]).await? == 0 {
        return Ok(None);
    }
    find(tx, id).await
}

/// Every relying party, by id.
///
/// # Errors
/// [`StoreError`].
pub async fn all(conn: &mut Conn) -> Result<Vec<RelyingParty>, StoreError> {
    conn.all(ALL, []).await?.iter().map(relying_party).collect()
}

/// Every CAS service that has an address on a host, by id; some others may be among them.
///
/// # Errors
/// [`StoreError`].
pub async fn cas_services(conn: &mut Conn, host: &str) -> Result<Vec<RelyingParty>, StoreError> {
    let rows = conn.all(ALL_OF_CAS, [text(format!("%//{host}%"))]).await?;
    rows.iter().map(relying_party).collect()
}

/// Keeps a relying party, new or changed.
///
/// # Errors
/// [`StoreError`].
pub async fn save(tx: &mut Tx, party: &RelyingParty) -> Result<(), StoreError> {
    let secrets: Vec<String> = party
        .secrets
        .iter()
        .map(|secret| data_encoding::HEXLOWER.encode(secret.as_bytes()))
        .collect();
    let schools: Vec<&str> = party.schools.iter().map(|school| school.as_str()).collect();
    let registration = party.registration.as_ref();
    let values = [
        text(&party.id),
        text(&party.name),
        party.home.as_deref().into(),
        text(&party.sector),
        text(party.subject_strategy),
        text(party.auth_method),
        party.pkce_required.into(),
        text(party.id_token_alg),
        json(&party.redirect_uris)?,
        json(&party.post_logout_redirect_uris)?,
        json(&schools)?,
        written_releases(&party.release)?,
        json(&secrets)?,
        party.enabled.into(),
        text(party.basis),
        json(&party.metadata)?,
        registration.map(|known| known.policy.as_str()).into(),
        registration
            .map(|known| known.access_token.as_bytes().as_slice())
            .into(),
        registration.map(|known| known.at).into(),
        party.saml.as_ref().map(json).transpose()?.unwrap_or(NOTHING),
        party.cas.as_ref().map(json).transpose()?.unwrap_or(NOTHING),
        party.saml.as_ref().map(|saml| saml.entity_id.as_str()).into(),
        json(&party.populations)?,
    ];
    tx.execute(SAVE, values).await.map(drop)
}

/// Forgets a relying party, and where it takes events; whether it was there. Its sector's subjects stay.
///
/// # Errors
/// [`StoreError`].
pub async fn delete(tx: &mut Tx, id: &RelyingPartyId) -> Result<bool, StoreError> {
    super::event_receiver::delete(tx, id).await?;
    Ok(tx.execute(DELETE, [text(id)]).await? == 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::relying_party::{CasService, SamlParty};
    use crate::store::testing::{on_each_engine, relying_party as sample};

    #[tokio::test]
    async fn a_relying_party_reads_back_whole_changes_and_goes() {
        on_each_engine(async |db| {
            let mut party = sample("ent-college");
            let mut tx = db.begin().await.unwrap();
            save(&mut tx, &party).await.unwrap();
            assert_eq!(find(&mut tx, &party.id).await.unwrap(), Some(party.clone()));
            assert_eq!(hold(&mut tx, &party.id).await.unwrap(), Some(party.clone()));
            assert_eq!(hold(&mut tx, &"nobody".parse().unwrap()).await.unwrap(), None);
            party.enabled = false;
            party.schools.clear();
            party.metadata.par_required = true;
            party.saml = Some(SamlParty {
                entity_id: "https://ent.example/auth/saml/metadata/idp.xml".into(),
                ..SamlParty::default()
            });
            party.cas = Some(CasService {
                services: vec!["https://ent.example/cas".into()],
                ..CasService::default()
            });
            party.registration = Some(Registration {
                policy: "somme".into(),
                access_token: party.secrets[0],
                at: Timestamp::from_seconds(1_790_000_000),
            });
            save(&mut tx, &party).await.unwrap();
            assert_eq!(all(&mut tx).await.unwrap(), std::slice::from_ref(&party));
            let found = cas_services(&mut tx, "ent.example").await.unwrap();
            assert_eq!(found, std::slice::from_ref(&party));
            assert_eq!(cas_services(&mut tx, "cantine.example").await.unwrap(), []);
            assert!(delete(&mut tx, &party.id).await.unwrap());
            assert!(!delete(&mut tx, &party.id).await.unwrap());
        })
        .await;
    }
}
