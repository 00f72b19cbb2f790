//! XML signatures and encryption as far as SAML uses them (saml-core §5, §6; xmldsig-core; xmlenc-core).
//!
//! | | |
//! | --- | --- |
//! | [`verify`] | the signed element and nothing else, or a refusal |
//! | [`sign`] | an enveloped signature on an [`Element`](super::xml::Element) of ours |
//! | [`encrypt`], [`decrypt`] | an element for one recipient, and back |
//! | [`redirect`] | the signature of the Redirect binding, which is none of XML |
//! | [`Certificate`], [`PublicKey`], [`PrivateKey`] | keys, of metadata and ours |
//!
//! Keys come from stored metadata, never out of the document: `KeyInfo` is not read. What is not on the list of
//! algorithms does not exist. Must never say "valid" of a document: it gives back what was signed, and who asked reads
//! only that.

mod algorithm;
mod certificate;
mod cipher;
mod decrypt;
mod detached;
mod encrypt;
mod engine;
mod key;
pub mod redirect;
mod sign;
mod signature;
mod verify;

#[cfg(test)]
mod attacks;
#[cfg(test)]
mod second_opinion;
#[cfg(test)]
pub(super) mod testing;

pub use algorithm::{Digest, SignatureAlgorithm};
pub use certificate::{Certificate, SelfSigned};
pub use cipher::{Cipher, KeyTransport};
pub use decrypt::{Decryption, decrypt};
pub use detached::{Detached, Hasher};
pub use encrypt::{Recipient, encrypt};
pub use engine::{Claim, Engine, Native};
pub use key::{PrivateKey, PublicKey};
pub use sign::{Signer, sign};
pub use verify::{Policy, Signed, Wanted, verify, verify_read, verify_with};

/// Why a signature is not accepted. Says nothing of what the document holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The document is not readable.
    #[error("the document is refused: {0}")]
    Document(#[from] super::xml::Fault),
    /// There is no key to trust: whoever has none signs nothing.
    #[error("there is no key that could have signed")]
    NoKey,
    /// The element that should be signed is not where it should be, or not alone.
    #[error("the element that should be signed is missing or not the only one")]
    Element,
    /// It carries no signature.
    #[error("the element is not signed")]
    Unsigned,
    /// More than one signature, or a signature of an unexpected form (saml-core §5.4).
    #[error("the signature has a form that is not accepted: {0}")]
    Form(&'static str),
    /// The signature is about something else than the element that carries it (saml-core §5.4.2).
    #[error("the signature does not refer to the element that carries it")]
    Reference,
    /// An identifier is given twice.
    #[error("an identifier is not unique")]
    RepeatedId,
    /// An algorithm that is not on the list, or not for this party.
    #[error("an algorithm is not accepted")]
    Algorithm,
    /// No trusted key made the signature, or the element was changed since.
    #[error("the signature is not that of a trusted key over this element")]
    Signature,
}

/// Why a key cannot be used or an operation with it failed.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The cryptographic library's own failure.
    #[error("cryptographic library: {0}")]
    Library(#[from] openssl::error::ErrorStack),
    /// Not a certificate or not a key.
    #[error("not a certificate or key that can be read")]
    Unreadable,
    /// Neither RSA nor EC on one of the NIST curves.
    #[error("only RSA keys and EC keys on P-256, P-384 and P-521 are used")]
    Kind,
    /// An RSA key outside 2048 to 8192 bits.
    #[error("RSA keys have 2048 to 8192 bits")]
    Size,
    /// A key is asked for what it cannot do: an EC key to encrypt, an RSA key for ECDSA.
    #[error("the key does not fit the algorithm")]
    Use,
}

/// A message cannot be decrypted. There is no more to say: every cause more told is a question answered for whoever
/// sends forged ciphertexts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("cannot be decrypted")]
pub struct CannotDecrypt;
