//! Who computes: one trait, so that the same claim can be put to another implementation and the answers compared.
//!
//! [`Native`] is the one that decides (docs/adr/0014): it computes over the very tree that is read, so there are no two
//! parsers that could differ. Must never decide what is to be signed: that is `verify`'s.

use openssl::hash::hash;

use super::signature::Signature;
use super::{Digest, PublicKey, SignatureAlgorithm};
use crate::base::secret::equal;
use crate::saml::xml::{Node, canonical};

/// A signature of an acceptable form on an element: not yet one that is true.
#[derive(Debug)]
pub struct Claim<'d> {
    /// The document as it came.
    pub bytes: &'d [u8],
    /// The element that carries the signature and is said to be signed.
    pub element: Node<'d>,
    pub(super) signature: Signature<'d>,
}

impl Claim<'_> {
    /// How it is signed.
    pub const fn algorithm(&self) -> SignatureAlgorithm {
        self.signature.algorithm
    }

    /// How it is digested.
    pub const fn digest(&self) -> Digest {
        self.signature.digest
    }
}

/// An implementation of XML signatures.
pub trait Engine {
    /// What `key` has signed: the canonical form of the element, the signature left out. `None` where it has not.
    fn signed_form(&self, claim: &Claim<'_>, key: &PublicKey) -> Option<String>;
}

/// Our own: canonical form by [`canonical`], digest and signature by OpenSSL (xmldsig-core §3.2).
#[derive(Clone, Copy, Debug, Default)]
pub struct Native;

impl Engine for Native {
    fn signed_form(&self, claim: &Claim<'_>, key: &PublicKey) -> Option<String> {
        let signature = &claim.signature;
        // First who signed, which costs the same whatever a stranger sends; then what.
        let info = canonical(signature.signed_info, None, &signature.info_prefixes);
        if !key.verifies(signature.algorithm, info.as_bytes(), &signature.value) {
            return None;
        }
        let form = canonical(claim.element, Some(signature.node), &signature.prefixes);
        let digest = hash(signature.digest.message_digest(), form.as_bytes()).ok()?;
        equal(&digest, &signature.digest_value).then_some(form)
    }
}
