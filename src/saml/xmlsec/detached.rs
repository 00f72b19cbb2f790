//! A signature whose element does not fit in memory: who signed is decided here, what was signed by whoever digests the
//! canonical form as it passes by.
//!
//! The same rules as [`verify`](super::verify)'s, by the same code: the element is represented by its own tag with nothing
//! inside but the signature. Must never be used for what fits in memory.

use data_encoding::BASE64;
use openssl::hash::Hasher as Digesting;

use super::signature::Signature;
use super::{KeyError, PublicKey, Refused};
use crate::base::secret::equal;
use crate::saml::xml::{Node, canonical};

/// What a trusted key has said of an element: the digest of its canonical form.
#[derive(Clone, Debug)]
pub struct Detached {
    /// Which of the keys signed, as they were given.
    pub key: usize,
    /// The prefixes of the list with which the element is to be canonicalised.
    pub prefixes: Vec<String>,
    digest: super::Digest,
    value: Vec<u8>,
}

impl Detached {
    /// What one of the keys has signed by the one signature in `element`, which stands for an element with the same tag.
    ///
    /// # Errors
    /// [`Refused`].
    pub fn read(element: Node<'_>, keys: &[PublicKey]) -> Result<Self, Refused> {
        if keys.is_empty() {
            return Err(Refused::NoKey);
        }
        let signature = Signature::of(element, false)?;
        let info = canonical(signature.signed_info, None, &signature.info_prefixes);
        let signed = |key: &PublicKey| key.verifies(signature.algorithm, info.as_bytes(), &signature.value);
        let key = keys.iter().position(signed).ok_or(Refused::Signature)?;
        Ok(Self {
            key,
            prefixes: signature.prefixes.iter().map(ToString::to_string).collect(),
            digest: signature.digest,
            value: signature.digest_value,
        })
    }

    /// What digests the canonical form.
    ///
    /// # Errors
    /// When the library refuses.
    pub fn hasher(&self) -> Result<Hasher, KeyError> {
        Ok(Hasher(Digesting::new(self.digest.message_digest())?))
    }

    /// Whether the canonical form that was digested is the signed one.
    pub fn is(&self, hasher: Hasher) -> bool {
        let mut hasher = hasher.0;
        hasher.finish().is_ok_and(|digest| equal(&digest, &self.value))
    }

    /// The digest that was signed, for people.
    pub fn digest(&self) -> String {
        BASE64.encode(&self.value)
    }
}

/// A digest of what passes by.
pub struct Hasher(Digesting);

impl Hasher {
    /// Takes more bytes.
    ///
    /// # Errors
    /// When the library refuses.
    pub fn update(&mut self, bytes: &[u8]) -> Result<(), KeyError> {
        Ok(self.0.update(bytes)?)
    }
}
