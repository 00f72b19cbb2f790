//! Sets of public keys (RFC 7517 §5).

use serde_json::{Value, json};

use super::{JoseError, Jwk, PublicKey};

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

    /// The key of a name.
    pub fn find(&self, kid: &str) -> Option<&PublicKey> {
        self.0.iter().find(|key| key.jwk().kid() == kid)
    }

    /// The `jwks` document.
    pub fn to_json(&self) -> Value {
        json!({ "keys": self.0.iter().map(|key| key.jwk().to_json()).collect::<Vec<_>>() })
    }
}
