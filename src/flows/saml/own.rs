//! Our metadata, signed: made once a day for each set of keys, and the same for everybody who asks.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use data_encoding::{BASE64URL_NOPAD, HEXLOWER};

use super::keys::Published;
use crate::base::secret::sha256;
use crate::base::time::Timestamp;
use crate::domain::relying_party::SigningAlgorithm;
use crate::flows::{Context, Failure};
use crate::saml::metadata::Ours;
pub use crate::saml::metadata::Role;
use crate::saml::xmlsec::sign;

/// How long partners keep it: a quarter of a day, so that a next key is known long before it signs.
const CACHE_DURATION: &str = "PT6H";
const A_DAY: Duration = Duration::from_secs(24 * 3600);

/// The document in memory. Cheap to clone.
#[derive(Clone, Default)]
pub struct OwnMetadata {
    as_provider: Held,
    as_service: Held,
}

type Held = Arc<RwLock<Option<Arc<Document>>>>;

/// Our metadata.
#[derive(Debug)]
pub struct Document {
    /// The document.
    pub xml: String,
    /// A name of this version.
    pub etag: String,
    /// What it was made of.
    id: String,
}

/// Our metadata as they are today.
///
/// # Errors
/// [`Failure`].
pub async fn document(context: &Context, role: Role) -> Result<Arc<Document>, Failure> {
    let published = context.saml.keys.published(context).await?;
    let certificates: Vec<String> = published
        .iter()
        .map(|one| one.certificate.to_base64())
        .collect::<Result<_, _>>()?;
    let is_rsa = |one: &&Published| one.key.algorithm == SigningAlgorithm::Rs256;
    let encryption: Vec<String> = match role {
        Role::IdentityProvider => Vec::new(),
        Role::ServiceProvider => published
            .iter()
            .filter(is_rsa)
            .map(|one| one.certificate.to_base64())
            .collect::<Result<_, _>>()?,
    };
    let today = Timestamp::from_seconds(context.now().seconds().div_euclid(86_400) * 86_400);
    // An ID begins with no digit (xml-names §3).
    let made_of = format!("{today} {} {}", role.path(), certificates.join(" "));
    let id = format!("_{}", HEXLOWER.encode(&sha256(made_of.as_bytes())));
    let cache = match role {
        Role::IdentityProvider => &context.saml.own.as_provider,
        Role::ServiceProvider => &context.saml.own.as_service,
    };
    let held = cache.read().unwrap_or_else(PoisonError::into_inner).clone();
    if let Some(held) = held.filter(|held| held.id == id) {
        return Ok(held);
    }
    let signer = context.saml.keys.signer(context, SigningAlgorithm::Rs256).await?;
    let settings = context.settings.clone();
    let made = tokio::task::spawn_blocking(move || {
        let ours = Ours {
            public_url: &settings.public_url,
            id: id.clone(),
            role,
            certificates,
            encryption,
            presentation: &settings.saml,
            valid_until: today.plus(A_DAY + settings.saml_metadata_lifetime),
            cache_duration: CACHE_DURATION,
        };
        let xml = sign(ours.element(), &signer)?.write();
        let etag = format!("\"{}\"", BASE64URL_NOPAD.encode(&sha256(xml.as_bytes())));
        Ok::<_, Failure>(Arc::new(Document { xml, etag, id }))
    });
    let made = made.await.map_err(|error| Failure::Task(error.to_string()))??;
    *cache.write().unwrap_or_else(PoisonError::into_inner) = Some(made.clone());
    Ok(made)
}
