//! A service provider as flows meet it: what the operator says of it, and what its metadata say.

use data_encoding::BASE64;

use crate::base::time::Timestamp;
use crate::domain::relying_party::{RelyingParty, SamlParty};
use crate::domain::saml_entity::ServiceProvider;
use crate::flows::Failure;
use crate::saml::xmlsec::PublicKey;
use crate::store;
use crate::store::db::Conn;

/// A service provider that is in use, with metadata that hold.
#[derive(Debug, Clone)]
pub struct Partner {
    /// The relying party.
    pub party: RelyingParty,
    /// What the operator says of it.
    pub saml: SamlParty,
    /// What its metadata say.
    pub provider: ServiceProvider,
    /// The keys it signs with, as far as they can be used.
    pub keys: Vec<PublicKey>,
}

/// The service provider of an entityID; `None` for one that nobody declared, that is out of use, or whose metadata do not
/// hold (any more).
///
/// # Errors
/// [`Failure`].
pub async fn find(conn: &mut Conn, entity_id: &str, now: Timestamp) -> Result<Option<Partner>, Failure> {
    let Some((party, Some(entity))) = store::relying_party::find_by_entity(conn, entity_id, now).await?
    else {
        return Ok(None);
    };
    let provider = entity.provider;
    let Some(saml) = party.saml.clone().filter(|_| party.enabled) else {
        return Ok(None);
    };
    let keys = provider
        .signing_keys
        .iter()
        .filter_map(|key| public_key(key))
        .collect();
    Ok(Some(Partner {
        party,
        saml,
        provider,
        keys,
    }))
}

/// A key as metadata are kept with it; one that cannot be used is none.
pub(in crate::flows) fn public_key(spki: &str) -> Option<PublicKey> {
    PublicKey::from_der(&BASE64.decode(spki.as_bytes()).ok()?).ok()
}
