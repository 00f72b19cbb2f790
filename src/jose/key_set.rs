//! Sets of public keys (RFC 7517 §5).

use serde_json::{Value, json};

use super::jwk::is_private;
use super::{Algorithm, JoseError, Jwk, PublicKey};

/// The most keys of a set that are read.
const MOST: usize = 50;

/// Public keys, each found by its `kid`.
#[derive(Clone, Debug, Default)]
pub struct KeySet(Vec<PublicKey>);

impl KeySet {
    /// A set of these keys.
    ///
    /// # Errors
    /// [`JoseError`] where one is not usable.
    pub fn new(keys: impl IntoIterator<Item = Jwk>) -> Result<Self, JoseError> {
        keys.into_iter()
            .map(PublicKey::new)
            .collect::<Result<_, _>>()
            .map(Self)
    }

    /// The usable keys of somebody else's `jwks` document: keys of other kinds and for other uses are passed over.
    ///
    /// # Errors
    /// [`JoseError::Key`] where it is no key set, is too long, or holds a private key.
    pub fn read(document: &Value) -> Result<Self, JoseError> {
        let keys = document.get("keys").and_then(Value::as_array);
        let keys = keys.ok_or(JoseError::Key("not a key set"))?;
        if keys.len() > MOST {
            return Err(JoseError::Key("more than 50 keys"));
        }
        if keys.iter().any(is_private) {
            return Err(JoseError::Key("a private key was made public"));
        }
        let usable = keys
            .iter()
            .filter_map(|key| PublicKey::new(Jwk::from_json(key).ok()?).ok());
        Ok(Self(usable.collect()))
    }

    /// The keys that a token may be signed with: those of its `kid`, or, where it names none, all.
    pub(super) fn candidates<'a>(
        &'a self,
        kid: Option<&'a str>,
        algorithm: Algorithm,
    ) -> impl Iterator<Item = &'a PublicKey> {
        self.0
            .iter()
            .filter(move |key| kid.is_none_or(|kid| key.jwk().kid() == kid) && key.jwk().may_sign(algorithm))
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The key of a name.
    pub fn find(&self, kid: &str) -> Option<&PublicKey> {
        self.0.iter().find(|key| key.jwk().kid() == kid)
    }

    /// The `jwks` document.
    pub fn to_json(&self) -> Value {
        json!({ "keys": self.0.iter().map(|key| key.jwk().to_json()).collect::<Vec<_>>() })
    }
}
