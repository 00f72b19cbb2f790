//! The keys that SAML messages and our metadata are signed with: their own, because partners pin them (docs/adr/0015).
//!
//! | state | in our metadata | signs | becomes |
//! | --- | --- | --- | --- |
//! | next | yes | no | current, when an operator says so, two weeks after it was published at the earliest |
//! | current | yes | yes | retired, by the same word |
//! | retired | no | never again: its private half is erased | |
//!
//! Nothing here ever happens by itself but the making of the first keys: a partner that was handed a certificate must be
//! written to before it changes. Must never sign with a next key.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use crate::base::id::KeyId;
use crate::base::time::Timestamp;
use crate::base::url::Url;
use crate::domain::audit::{Actor, Event, Kind};
use crate::domain::relying_party::SigningAlgorithm;
use crate::domain::saml_source::Origin;
use crate::domain::signing_key::{KeyState, SAML_PUBLISHED_AHEAD, SigningKey};
use crate::flows::keys::{Rotation, of};
use crate::flows::{Context, Failure};
use crate::saml::xmlsec::{Certificate, PrivateKey, SelfSigned, Signer};
use crate::store;
use crate::store::db::Tx;
use crate::store::saml_key::Kept;

/// How old what is held in memory may be.
const REFRESH: Duration = Duration::from_secs(10);
/// How long a certificate says to be valid. Nobody should look; some do, and must not be cut off by it.
const CERTIFICATE: Duration = Duration::from_secs(20 * 365 * 24 * 3600);

/// The keys in memory. Cheap to clone.
#[derive(Clone, Default)]
pub struct SamlKeys(Arc<RwLock<Option<Arc<Loaded>>>>);

/// A key in our metadata.
#[derive(Clone, Debug)]
pub struct Published {
    /// The key and where it stands.
    pub key: SigningKey,
    /// Its certificate.
    pub certificate: Certificate,
}

struct Loaded {
    at: Timestamp,
    published: Vec<Published>,
    signers: Vec<(SigningAlgorithm, Signer)>,
    /// What assertions for us are decrypted with: a provider may take the next key already.
    decrypters: Vec<PrivateKey>,
}

impl SamlKeys {
    /// What signs by an algorithm now.
    ///
    /// # Errors
    /// [`Failure`].
    pub async fn signer(&self, context: &Context, algorithm: SigningAlgorithm) -> Result<Signer, Failure> {
        let loaded = self.fresh(context).await?;
        let found = loaded.signers.iter().find(|(of, _)| *of == algorithm);
        let found = found.map(|(_, signer)| signer.clone());
        found.ok_or_else(|| Failure::Task(format!("no current {algorithm} key of SAML")))
    }

    /// The keys in our metadata, those that sign first.
    ///
    /// # Errors
    /// [`Failure`].
    pub async fn published(&self, context: &Context) -> Result<Vec<Published>, Failure> {
        Ok(self.fresh(context).await?.published.clone())
    }

    /// The keys that assertions for us may be encrypted for, the current one first.
    ///
    /// # Errors
    /// [`Failure`].
    pub async fn decrypters(&self, context: &Context) -> Result<Vec<PrivateKey>, Failure> {
        Ok(self.fresh(context).await?.decrypters.clone())
    }

    async fn fresh(&self, context: &Context) -> Result<Arc<Loaded>, Failure> {
        let held = self.0.read().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(held) = held
            && context.now().since(held.at) < REFRESH
        {
            return Ok(held);
        }
        let loaded = Arc::new(load(context).await?);
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Some(loaded.clone());
        Ok(loaded)
    }
}

async fn load(context: &Context) -> Result<Loaded, Failure> {
    make_missing(context).await?;
    let mut conn = context.db.reader().await?;
    let kept = store::saml_key::all(&mut conn).await?;
    let (mut published, mut signers, mut decrypters) = (Vec::new(), Vec::new(), Vec::new());
    for kept in kept {
        let certificate = Certificate::from_der(&kept.certificate)?;
        let is_current = matches!(kept.key.state, KeyState::Current { .. });
        let decrypts = kept.key.algorithm == SigningAlgorithm::Rs256 && kept.key.state.retired_at().is_none();
        if is_current || decrypts {
            let der = context.vault.open(&sealed_for(kept.key.id), &kept.sealed)?;
            let key = PrivateKey::from_pkcs8(&der)?;
            if decrypts {
                decrypters.insert(if is_current { 0 } else { decrypters.len() }, key.clone());
            }
            if is_current {
                let certificate = Some(certificate.clone());
                signers.push((kept.key.algorithm, Signer { key, certificate }));
            }
        }
        if kept.key.state.retired_at().is_none() {
            let key = kept.key;
            published.push(Published { key, certificate });
        }
    }
    // RSA first: a partner that takes only the first key takes the one that most answers are signed with.
    published.sort_by_key(|one| {
        (
            one.key.state == KeyState::Next,
            one.key.algorithm == SigningAlgorithm::Es256,
        )
    });
    Ok(Loaded {
        at: context.now(),
        published,
        signers,
        decrypters,
    })
}

fn sealed_for(id: KeyId) -> String {
    format!("saml key {id}")
}

/// A new key with its certificate, sealed, in the state *next*.
async fn make(context: &Context, algorithm: SigningAlgorithm, now: Timestamp) -> Result<Kept, Failure> {
    let host = Url::parse(&context.settings.public_url)
        .ok()
        .and_then(|url| url.host_str().map(str::to_owned));
    let mut serial = [0; 16];
    context.random.fill(&mut serial);
    let made = tokio::task::spawn_blocking(move || {
        let key = crate::jose::PrivateKey::generate(of(algorithm))?;
        let der = key.to_pkcs8()?;
        let said = SelfSigned {
            name: host.as_deref().unwrap_or("marelle"),
            serial,
            not_before: now,
            not_after: now.plus(CERTIFICATE),
        };
        let certificate = Certificate::self_signed(&PrivateKey::from_pkcs8(&der)?, &said)?;
        Ok::<_, Failure>((der, certificate.to_der()?))
    });
    let (der, certificate) = made.await.map_err(|error| Failure::Task(error.to_string()))??;
    let id = KeyId::new(now, &*context.random);
    Ok(Kept {
        key: SigningKey {
            id,
            algorithm,
            state: KeyState::Next,
            created_at: now,
        },
        certificate,
        sealed: context.vault.seal(&sealed_for(id), &der, &*context.random)?,
    })
}

/// First use: a current and a next key of each algorithm. Of two nodes that do so at once, each state of each algorithm is
/// made by one of them.
async fn make_missing(context: &Context) -> Result<(), Failure> {
    let now = context.now();
    let mut conn = context.db.reader().await?;
    let kept = store::saml_key::all(&mut conn).await?;
    drop(conn);
    let mut made = Vec::new();
    for algorithm in SigningAlgorithm::ALL {
        for state in ["current", "next"] {
            let has = |kept: &Kept| kept.key.algorithm == *algorithm && kept.key.state.as_str() == state;
            if kept.iter().any(has) {
                continue;
            }
            let mut new = make(context, *algorithm, now).await?;
            if state == "current" {
                // The very first key: nobody can have pinned another.
                new.key = new
                    .key
                    .promote(now, true)
                    .map_err(|error| Failure::Task(error.to_string()))?;
            }
            made.push(new);
        }
    }
    if made.is_empty() {
        return Ok(());
    }
    let mut tx = context.db.begin().await?;
    for new in &made {
        if store::saml_key::add(&mut tx, new).await? {
            journal(&mut tx, now, Actor::System, &new.key).await?;
        }
    }
    Ok(tx.commit().await?)
}

async fn journal(tx: &mut Tx, now: Timestamp, actor: Actor, key: &SigningKey) -> Result<(), Failure> {
    let event = Event::new(Kind::KeyRotated, actor)
        .about(key.id)
        .with("use", "saml")
        .with("algorithm", key.algorithm)
        .with("state", key.state.as_str());
    Ok(store::audit::append(tx, now, &event).await?)
}

/// A key as people are shown it.
#[derive(Debug, Clone)]
pub struct Listed {
    /// The key and where it stands.
    pub key: SigningKey,
    /// The SHA-256 of its certificate, in hexadecimal.
    pub fingerprint: String,
    /// When it may sign, for a next one.
    pub ready_at: Option<Timestamp>,
    /// The federations whose metadata of us have it, and those that have us without it.
    pub federations: (Vec<String>, Vec<String>),
}

/// Every key there ever was, oldest first, and which federations tell their members of it: what must be known before a next
/// key signs.
///
/// # Errors
/// [`Failure`].
pub async fn list(context: &Context) -> Result<Vec<Listed>, Failure> {
    make_missing(context).await?;
    let mut conn = context.db.reader().await?;
    let kept = store::saml_key::all(&mut conn).await?;
    let sources = store::saml_source::all(&mut conn).await?;
    let mut listed = Vec::new();
    for kept in kept {
        let certificate = Certificate::from_der(&kept.certificate)?;
        let spki = data_encoding::BASE64.encode(&certificate.public_key()?.to_der()?);
        let telling = sources
            .iter()
            .filter(|(source, state)| source.origin == Origin::Federation && !state.our_keys.is_empty());
        let (with, without): (Vec<_>, Vec<_>) =
            telling.partition(|(_, state)| state.our_keys.contains(&spki));
        let ids = |sources: Vec<&(crate::domain::saml_source::Source, _)>| {
            sources.into_iter().map(|(source, _)| source.id.clone()).collect()
        };
        let is_next = kept.key.state == KeyState::Next;
        listed.push(Listed {
            fingerprint: data_encoding::HEXLOWER.encode(&crate::base::secret::sha256(&kept.certificate)),
            ready_at: is_next.then(|| kept.key.created_at.plus(SAML_PUBLISHED_AHEAD)),
            federations: (ids(with), ids(without)),
            key: kept.key,
        });
    }
    Ok(listed)
}

/// Rotates the keys of an algorithm: next becomes current, current is retired and its private half erased, a new next is
/// published. `forced` skips the time that partners have to see the next key.
///
/// # Errors
/// [`Failure`].
pub async fn rotate(
    context: &Context,
    algorithm: SigningAlgorithm,
    forced: bool,
    actor: Actor,
) -> Result<Rotation, Failure> {
    let now = context.now();
    make_missing(context).await?;
    let new = make(context, algorithm, now).await?;
    let mut tx = context.db.begin().await?;
    let (mut current, mut next) = (None, None);
    for kept in store::saml_key::all(&mut tx).await? {
        match kept.key.state {
            _ if kept.key.algorithm != algorithm => {}
            KeyState::Current { .. } => current = Some(kept),
            KeyState::Next => next = Some(kept),
            KeyState::Retired { .. } => {}
        }
    }
    let (Some(current), Some(next)) = (current, next) else {
        return Ok(Rotation::Overtaken);
    };
    let promoted = match next.key.clone().promote_after(SAML_PUBLISHED_AHEAD, now, forced) {
        Ok(promoted) => promoted,
        Err(refused) => return Ok(Rotation::Refused(refused)),
    };
    let retired = match current.key.clone().retire(now) {
        Ok(retired) => retired,
        Err(refused) => return Ok(Rotation::Refused(refused.into())),
    };
    let moved = store::saml_key::advance(&mut tx, &current, &retired).await?
        && store::saml_key::advance(&mut tx, &next, &promoted).await?
        && store::saml_key::add(&mut tx, &new).await?;
    if !moved {
        return Ok(Rotation::Overtaken);
    }
    let keys = vec![retired, promoted, new.key];
    for key in &keys {
        journal(&mut tx, now, actor.clone(), key).await?;
    }
    tx.commit().await?;
    Ok(Rotation::Done(keys))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flows::testing::scene::{another_node, on_each_engine};

    #[tokio::test]
    async fn saml_keys_rotate_on_a_word_only_and_two_weeks_after_they_were_published() {
        on_each_engine(async |context, clock| {
            let other = another_node(&context).await;
            let es256 = SigningAlgorithm::Es256;
            let (one, two) = tokio::join!(
                context.saml.keys.published(&context),
                other.saml.keys.published(&other)
            );
            let ids =
                |published: Vec<Published>| published.into_iter().map(|one| one.key.id).collect::<Vec<_>>();
            let (one, two) = (ids(one.unwrap()), ids(two.unwrap()));
            assert_eq!(
                (one.len(), &one),
                (4, &two),
                "two nodes that start at once make one set"
            );
            let first = context.saml.keys.signer(&context, es256).await.unwrap();
            let der = |signer: &Signer| signer.certificate.as_ref().unwrap().to_der().unwrap();

            let refused = rotate(&context, es256, false, Actor::Operator).await.unwrap();
            assert!(matches!(refused, Rotation::Refused(_)), "{refused:?}");
            clock.advance(SAML_PUBLISHED_AHEAD);
            let done = rotate(&context, es256, false, Actor::Operator).await.unwrap();
            assert!(matches!(done, Rotation::Done(_)), "{done:?}");
            let second = context.saml.keys.signer(&context, es256).await.unwrap();
            assert_ne!(der(&first), der(&second));
            assert_eq!(
                context.saml.keys.published(&context).await.unwrap().len(),
                4,
                "the retired one is gone"
            );
            let forced = rotate(&context, es256, true, Actor::Operator).await.unwrap();
            assert!(matches!(forced, Rotation::Done(_)));
            let listed = list(&context).await.unwrap();
            assert_eq!(listed.len(), 6);
            assert!(listed.iter().all(|line| line.fingerprint.len() == 64));
        })
        .await;
    }

    #[tokio::test]
    async fn a_federation_that_still_tells_the_old_key_is_named_before_a_rotation() {
        on_each_engine(async |context, _clock| {
            let published = context.saml.keys.published(&context).await.unwrap();
            let current = &published[0].certificate;
            let spki = data_encoding::BASE64.encode(&current.public_key().unwrap().to_der().unwrap());
            let source = store::testing::metadata_source("federation:renater", Origin::Federation);
            let state = crate::domain::saml_source::SourceState {
                our_keys: vec![spki],
                ..Default::default()
            };
            let mut tx = context.db.begin().await.unwrap();
            store::saml_source::declare(&mut tx, &source, None).await.unwrap();
            store::saml_source::succeed(&mut tx, &source.id, &state, &[])
                .await
                .unwrap();
            tx.commit().await.unwrap();
            let listed = list(&context).await.unwrap();
            let of = |state: &str| {
                let found = listed.iter().find(|line| {
                    line.key.algorithm == SigningAlgorithm::Rs256 && line.key.state.as_str() == state
                });
                found.unwrap().federations.clone()
            };
            let renater = vec!["federation:renater".to_owned()];
            assert_eq!(of("current"), (renater.clone(), vec![]));
            assert_eq!(of("next"), (vec![], renater));
        })
        .await;
    }
}
