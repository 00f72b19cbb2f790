//! The installation's own keys: made at first start, kept sealed, rotated, and held in memory by a [`Keyring`].
//!
//! | state | published | signs | becomes |
//! | --- | --- | --- | --- |
//! | next | yes | no | current, when it has been published long enough ([`PUBLISHED_AHEAD`]) |
//! | current | yes | yes | retired, by an operator or by age ([`rotate_old`]) |
//! | retired | for a week | never again: its private half is erased | forgotten |
//!
//! Nodes share nothing but the database, so a keyring reads it again when it is ten seconds old; a node that has not yet
//! seen a rotation signs with the key that was just retired, which is still published. A key signs only after it was
//! published for longer than anybody keeps a copy of the set: no node and no relying party meets a signature of a key it
//! cannot find.
//!
//! [`PUBLISHED_AHEAD`]: crate::domain::signing_key::PUBLISHED_AHEAD

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use serde_json::{Map, Value};

use super::{Context, Failure};
use crate::base::id::KeyId;
use crate::base::time::Timestamp;
use crate::domain::audit::{Actor, Event, Kind};
use crate::domain::relying_party::SigningAlgorithm;
use crate::domain::signing_key::{KeyState, PromotionRefused, RETIRED_KEPT, SigningKey};
use crate::jose::{self, Algorithm, KeySet, PrivateKey};
use crate::oidc::subject::SubjectSecret;
use crate::store;
use crate::store::db::Tx;
use crate::store::signing_key::Kept;

/// How old what a keyring holds may be.
const REFRESH: Duration = Duration::from_secs(10);

/// The keys in memory: parsed once, used by every request. Cheap to clone.
#[derive(Clone)]
pub struct Keyring {
    loaded: Arc<RwLock<Arc<Loaded>>>,
    subjects: SubjectSecret,
}

struct Loaded {
    at: Timestamp,
    signing: Vec<PrivateKey>,
    published: Arc<KeySet>,
}

impl Keyring {
    /// Makes at first start what is missing, and loads the keys.
    ///
    /// # Errors
    /// [`Failure`].
    pub async fn open(context: &Context) -> Result<Self, Failure> {
        make_missing(context).await?;
        let subjects = super::subject::secret(context).await?;
        let loaded = Arc::new(RwLock::new(Arc::new(load(context).await?)));
        Ok(Self { loaded, subjects })
    }

    /// The secret that subjects are made with.
    pub fn subjects(&self) -> &SubjectSecret {
        &self.subjects
    }

    /// The keys by which a signature of ours is known.
    ///
    /// # Errors
    /// [`Failure`].
    pub async fn published(&self, context: &Context) -> Result<Arc<KeySet>, Failure> {
        Ok(self.fresh(context).await?.published.clone())
    }

    /// Signs claims with the current key of an algorithm.
    ///
    /// An RSA signature takes a quarter of a millisecond, ten times what an async thread should spend without a pause:
    /// it goes to the blocking pool. An ECDSA signature takes a tenth of that, less than the way there and back.
    ///
    /// # Errors
    /// [`Failure`].
    pub async fn sign(
        &self,
        context: &Context,
        algorithm: SigningAlgorithm,
        kind: jose::Kind,
        claims: Map<String, Value>,
    ) -> Result<String, Failure> {
        let loaded = self.fresh(context).await?;
        let wanted = of(algorithm);
        let key = loaded
            .signing
            .iter()
            .find(|key| key.public().algorithm() == wanted)
            .cloned();
        let key = key.ok_or_else(|| Failure::Task(format!("no current {algorithm} key")))?;
        match wanted {
            Algorithm::Es256 => Ok(jose::sign(&key, kind, &claims)?),
            Algorithm::Rs256 | Algorithm::Ps256 | Algorithm::EdDsa => {
                blocking(move || jose::sign(&key, kind, &claims)).await
            }
        }
    }

    async fn fresh(&self, context: &Context) -> Result<Arc<Loaded>, Failure> {
        let held = self.loaded.read().unwrap_or_else(PoisonError::into_inner).clone();
        if context.now().since(held.at) < REFRESH {
            return Ok(held);
        }
        let loaded = Arc::new(load(context).await?);
        loaded.clone_into(&mut *self.loaded.write().unwrap_or_else(PoisonError::into_inner));
        Ok(loaded)
    }
}

async fn load(context: &Context) -> Result<Loaded, Failure> {
    let now = context.now();
    let mut conn = context.db.reader().await?;
    let kept = store::signing_key::published(&mut conn, now.minus(RETIRED_KEPT)).await?;
    let mut signing = Vec::new();
    for kept in kept
        .iter()
        .filter(|kept| matches!(kept.key.state, KeyState::Current { .. }))
    {
        let der = context.vault.open(&sealed_for(kept.key.id), &kept.sealed)?;
        signing.push(PrivateKey::from_pkcs8(&der)?);
    }
    let published = Arc::new(KeySet::new(kept.into_iter().map(|kept| kept.public))?);
    Ok(Loaded {
        at: now,
        signing,
        published,
    })
}

/// The algorithm of the cryptographic layer.
pub(super) const fn of(algorithm: SigningAlgorithm) -> Algorithm {
    match algorithm {
        SigningAlgorithm::Rs256 => Algorithm::Rs256,
        SigningAlgorithm::Es256 => Algorithm::Es256,
    }
}

fn sealed_for(id: KeyId) -> String {
    format!("signing key {id}")
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, jose::JoseError> + Send + 'static,
) -> Result<T, Failure> {
    let done = tokio::task::spawn_blocking(work).await;
    Ok(done.map_err(|error| Failure::Task(error.to_string()))??)
}

/// A new key, sealed, in the state *next*.
async fn make(context: &Context, algorithm: SigningAlgorithm, now: Timestamp) -> Result<Kept, Failure> {
    let private = blocking(move || PrivateKey::generate(of(algorithm))).await?;
    seal(context, algorithm, &private, now)
}

fn seal(
    context: &Context,
    algorithm: SigningAlgorithm,
    private: &PrivateKey,
    now: Timestamp,
) -> Result<Kept, Failure> {
    let id = KeyId::new(now, &*context.random);
    let sealed = context
        .vault
        .seal(&sealed_for(id), &private.to_pkcs8()?, &*context.random)?;
    let key = SigningKey {
        id,
        algorithm,
        state: KeyState::Next,
        created_at: now,
    };
    Ok(Kept {
        key,
        public: private.public().clone(),
        sealed,
    })
}

/// First start: a current and a next key of each algorithm. Of two nodes that start at once, each state of each
/// algorithm is made by one of them.
async fn make_missing(context: &Context) -> Result<(), Failure> {
    let now = context.now();
    let mut conn = context.db.reader().await?;
    let kept = store::signing_key::published(&mut conn, now).await?;
    drop(conn);
    let has = |algorithm, state| {
        let mut keys = kept.iter().map(|kept| &kept.key);
        keys.any(|key| key.algorithm == algorithm && key.state.as_str() == state)
    };
    let mut made = Vec::new();
    for algorithm in SigningAlgorithm::ALL {
        if !has(*algorithm, "current") {
            let mut first = make(context, *algorithm, now).await?;
            // The very first key: nobody can have cached a set without it.
            first.key = first
                .key
                .promote(now, true)
                .map_err(|error| Failure::Task(error.to_string()))?;
            made.push(first);
        }
        if !has(*algorithm, "next") {
            made.push(make(context, *algorithm, now).await?);
        }
    }
    if made.is_empty() {
        return Ok(());
    }
    let mut tx = context.db.begin().await?;
    for kept in &made {
        if store::signing_key::add(&mut tx, kept).await? {
            journal(&mut tx, now, Actor::System, &kept.key).await?;
        }
    }
    Ok(tx.commit().await?)
}

async fn journal(tx: &mut Tx, now: Timestamp, actor: Actor, key: &SigningKey) -> Result<(), Failure> {
    let event = Event::new(Kind::KeyRotated, actor)
        .about(key.id)
        .with("algorithm", key.algorithm)
        .with("state", key.state.as_str());
    Ok(store::audit::append(tx, now, &event).await?)
}

/// A key as people are shown it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// The key and where it stands.
    pub key: SigningKey,
    /// Its name in tokens and in the key set.
    pub kid: String,
    /// Whether it is in the key set.
    pub published: bool,
}

/// Every key there ever was, oldest first.
///
/// # Errors
/// [`Failure`].
pub async fn list(context: &Context) -> Result<Vec<Listed>, Failure> {
    let now = context.now();
    let mut conn = context.db.reader().await?;
    let kept = store::signing_key::published(&mut conn, Timestamp::from_micros(i64::MIN)).await?;
    let listed = kept.into_iter().map(|kept| Listed {
        kid: kept.public.kid().to_owned(),
        published: kept.key.is_published(now),
        key: kept.key,
    });
    Ok(listed.collect())
}

/// What a rotation did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rotation {
    /// These keys are in their new states: retired, current, next.
    Done(Vec<SigningKey>),
    /// Nothing was changed.
    Refused(PromotionRefused),
    /// Nothing was changed: somebody else is rotating.
    Overtaken,
}

/// Rotates the keys that are older than the installation wants them, each as soon as its successor has been published
/// long enough; and erases the private halves that a version before this one has kept. Does nothing where nothing is due,
/// or where another node does it; answers what changed.
///
/// # Errors
/// [`Failure`].
pub async fn rotate_old(context: &Context) -> Result<Vec<SigningKey>, Failure> {
    let now = context.now();
    let mut conn = context.db.reader().await?;
    let kept = store::signing_key::published(&mut conn, Timestamp::from_micros(i64::MIN)).await?;
    drop(conn);
    if kept.iter().any(Kept::is_left_over) {
        let mut tx = context.db.begin().await?;
        store::signing_key::erase_retired(&mut tx).await?;
        tx.commit().await?;
    }
    let Some(age) = context.settings.key_rotation else {
        return Ok(Vec::new());
    };
    let keys: Vec<_> = kept.into_iter().map(|kept| kept.key).collect();
    let mut changed = Vec::new();
    for algorithm in SigningAlgorithm::ALL {
        // Asked before a new key is made, which takes long.
        if is_due(&keys, *algorithm, age, now)
            && let Rotation::Done(moved) = rotate(context, *algorithm, false, Actor::System).await?
        {
            changed.extend(moved);
        }
    }
    Ok(changed)
}

/// Whether the current key is old enough and its successor may sign.
fn is_due(keys: &[SigningKey], algorithm: SigningAlgorithm, age: Duration, now: Timestamp) -> bool {
    let mut of_algorithm = keys.iter().filter(|key| key.algorithm == algorithm);
    let is_old = |key: &SigningKey| match key.state {
        KeyState::Current { activated_at } => now >= activated_at.plus(age),
        KeyState::Next | KeyState::Retired { .. } => false,
    };
    of_algorithm.clone().any(is_old) && of_algorithm.any(|key| key.clone().promote(now, false).is_ok())
}

/// Rotates the keys of an algorithm: next becomes current, current is retired and its private half erased, a new next is
/// published. `forced` skips the time that relying parties have to see the next key.
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
    let new = make(context, algorithm, now).await?;
    let mut tx = context.db.begin().await?;
    let kept = store::signing_key::published(&mut tx, now).await?;
    let (mut current, mut next) = (None, None);
    for key in kept
        .into_iter()
        .map(|kept| kept.key)
        .filter(|key| key.algorithm == algorithm)
    {
        match key.state {
            KeyState::Current { .. } => current = Some(key),
            KeyState::Next => next = Some(key),
            KeyState::Retired { .. } => {}
        }
    }
    let (Some(current), Some(next)) = (current, next) else {
        return Ok(Rotation::Overtaken);
    };
    let (was_current, was_next) = (current.state, next.state);
    let promoted = match next.promote(now, forced) {
        Ok(promoted) => promoted,
        Err(refused) => return Ok(Rotation::Refused(refused)),
    };
    let retired = match current.retire(now) {
        Ok(retired) => retired,
        Err(refused) => return Ok(Rotation::Refused(refused.into())),
    };
    let moved = store::signing_key::advance(&mut tx, &was_current, &retired).await?
        && store::signing_key::advance(&mut tx, &was_next, &promoted).await?
        && store::signing_key::add(&mut tx, &new).await?;
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
pub(crate) mod testing {
    //! RSA keys take long to make: tests of the provider share two.

    use std::sync::OnceLock;

    use super::*;

    static RSA: OnceLock<[PrivateKey; 2]> = OnceLock::new();

    /// Keeps the two shared RSA keys, current and next, so that [`Keyring::open`] need not make them.
    pub(crate) async fn premade(context: &Context) {
        let now = context.now();
        let keys = RSA.get_or_init(|| [(); 2].map(|()| PrivateKey::generate(Algorithm::Rs256).unwrap()));
        let mut tx = context.db.begin().await.unwrap();
        for (at, private) in keys.iter().enumerate() {
            let mut kept = seal(context, SigningAlgorithm::Rs256, private, now).unwrap();
            if at == 0 {
                kept.key = kept.key.promote(now, true).unwrap();
            }
            assert!(store::signing_key::add(&mut tx, &kept).await.unwrap());
        }
        tx.commit().await.unwrap();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::signing_key::PUBLISHED_AHEAD;
    use crate::flows::testing::context;
    use crate::store::testing::on_each_engine;

    fn states(listed: &[Listed], algorithm: SigningAlgorithm) -> Vec<&'static str> {
        let of_one = listed.iter().filter(|listed| listed.key.algorithm == algorithm);
        let mut states: Vec<_> = of_one.map(|listed| listed.key.state.as_str()).collect();
        states.sort_unstable();
        states
    }

    #[tokio::test]
    async fn two_nodes_that_start_at_once_make_one_set() {
        on_each_engine(async |db| {
            let (context, _clock) = context(db);
            let (one, two) = tokio::join!(Keyring::open(&context), Keyring::open(&context));
            let (one, two) = (one.unwrap(), two.unwrap());
            assert_eq!(one.subjects().as_bytes(), two.subjects().as_bytes());
            let listed = list(&context).await.unwrap();
            for algorithm in SigningAlgorithm::ALL {
                assert_eq!(states(&listed, *algorithm), ["current", "next"]);
                let token = one
                    .sign(&context, *algorithm, jose::Kind::Jwt, Map::new())
                    .await
                    .unwrap();
                let keys = two.published(&context).await.unwrap();
                assert!(jose::verify(&token, &keys, Algorithm::ALL, jose::Kind::Jwt).is_ok());
            }
        })
        .await;
    }

    #[tokio::test]
    async fn a_rotation_breaks_no_signature_and_is_seen_by_other_nodes() {
        on_each_engine(async |db| {
            let (context, clock) = context(db);
            let (one, two) = (
                Keyring::open(&context).await.unwrap(),
                Keyring::open(&context).await.unwrap(),
            );
            let es256 = SigningAlgorithm::Es256;
            let rotate = async |forced| rotate(&context, es256, forced, Actor::Operator).await.unwrap();
            assert!(matches!(
                rotate(false).await,
                Rotation::Refused(PromotionRefused::TooYoung { .. })
            ));
            let old = one
                .sign(&context, es256, jose::Kind::Jwt, Map::new())
                .await
                .unwrap();
            clock.advance(PUBLISHED_AHEAD);
            let known = two.published(&context).await.unwrap();

            assert!(matches!(rotate(false).await, Rotation::Done(_)));
            assert!(
                matches!(rotate(false).await, Rotation::Refused(_)),
                "the new next is young"
            );
            assert_eq!(
                states(&list(&context).await.unwrap(), es256),
                ["current", "next", "retired"]
            );
            clock.advance(REFRESH);
            let new = one
                .sign(&context, es256, jose::Kind::Jwt, Map::new())
                .await
                .unwrap();
            let header = |token: &str| token.split('.').next().unwrap().to_owned();
            assert_ne!(header(&new), header(&old), "another key signs");
            let verify =
                |token: &str, keys: &KeySet| jose::verify(token, keys, Algorithm::ALL, jose::Kind::Jwt);
            assert!(verify(&new, &known).is_ok(), "known before it signed");
            assert!(
                verify(&old, &two.published(&context).await.unwrap()).is_ok(),
                "retired, still published"
            );
            clock.advance(RETIRED_KEPT);
            assert!(
                verify(&old, &two.published(&context).await.unwrap()).is_err(),
                "forgotten in the end"
            );
            assert_eq!(
                list(&context)
                    .await
                    .unwrap()
                    .iter()
                    .filter(|listed| !listed.published)
                    .count(),
                1
            );
        })
        .await;
    }

    #[tokio::test]
    async fn of_two_rotations_at_once_one_happens() {
        on_each_engine(async |db| {
            let (context, clock) = context(db);
            Keyring::open(&context).await.unwrap();
            clock.advance(PUBLISHED_AHEAD);
            let es256 = SigningAlgorithm::Es256;
            let rotate = || super::rotate(&context, es256, false, Actor::Operator);
            let (one, two) = tokio::join!(rotate(), rotate());
            let done = [one, two]
                .into_iter()
                .filter(|result| matches!(result, Ok(Rotation::Done(_))))
                .count();
            assert_eq!(done, 1);
            assert_eq!(
                states(&list(&context).await.unwrap(), es256),
                ["current", "next", "retired"]
            );
        })
        .await;
    }

    /// A shared cache keeps the set for an hour, each client what it gets for a day; there is one for every hour at which
    /// it may ask. Two nodes sign, and both run the job.
    #[tokio::test]
    async fn who_keeps_the_key_set_for_a_day_never_meets_an_unknown_key_through_three_rotations() {
        on_each_engine(async |db| {
            let (mut context, clock) = context(db);
            let mut settings = (*context.settings).clone();
            settings.key_rotation = Some(Duration::from_secs(3 * 24 * 3600));
            context.settings = Arc::new(settings);
            testing::premade(&context).await;
            let nodes = [
                Keyring::open(&context).await.unwrap(),
                Keyring::open(&context).await.unwrap(),
            ];
            let first = nodes[0].published(&context).await.unwrap();
            let mut cache = first.clone();
            let mut clients = vec![first; 24];
            let mut rotations = 0;
            for hour in 0..14 * 24 {
                let (one, two) = tokio::join!(rotate_old(&context), rotate_old(&context));
                rotations += one.unwrap().len() + two.unwrap().len();
                for node in &nodes {
                    for algorithm in SigningAlgorithm::ALL {
                        let token = node.sign(&context, *algorithm, jose::Kind::Jwt, Map::new());
                        let token = token.await.unwrap();
                        for known in &clients {
                            let verified = jose::verify(&token, known, Algorithm::ALL, jose::Kind::Jwt);
                            assert!(verified.is_ok(), "{algorithm}, hour {hour}: {verified:?}");
                        }
                    }
                }
                clients[hour % 24] = cache;
                cache = nodes[hour % 2].published(&context).await.unwrap();
                clock.advance(Duration::from_secs(3600));
            }
            assert_eq!(
                rotations,
                4 * 2 * 3,
                "four of each algorithm, three keys moved in each"
            );
            let mut conn = context.db.reader().await.unwrap();
            let kept = store::signing_key::published(&mut conn, Timestamp::from_micros(i64::MIN)).await;
            for kept in kept.unwrap() {
                assert_eq!(kept.sealed.is_empty(), kept.key.state.retired_at().is_some());
            }
        })
        .await;
    }

    #[tokio::test]
    async fn keys_are_rotated_when_they_are_old_and_where_that_is_wanted() {
        on_each_engine(async |db| {
            let (context, clock) = context(db);
            Keyring::open(&context).await.unwrap();
            let never = Context {
                settings: Arc::new(crate::flows::Settings {
                    key_rotation: None,
                    ..(*context.settings).clone()
                }),
                ..context.clone()
            };
            let day = Duration::from_secs(24 * 3600);
            clock.advance(89 * day);
            assert_eq!(rotate_old(&context).await.unwrap(), []);
            clock.advance(day);
            assert_eq!(rotate_old(&never).await.unwrap(), []);
            // An operator was there a moment ago: the new next key is young, and the new current one too.
            assert!(matches!(
                rotate(&context, SigningAlgorithm::Rs256, false, Actor::Operator)
                    .await
                    .unwrap(),
                Rotation::Done(_)
            ));
            let changed = rotate_old(&context).await.unwrap();
            assert!(changed.iter().all(|key| key.algorithm == SigningAlgorithm::Es256));
            assert_eq!(changed.len(), 3);
            assert_eq!(rotate_old(&context).await.unwrap(), []);
        })
        .await;
    }
}
