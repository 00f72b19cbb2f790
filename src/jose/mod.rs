//! L1: JSON Object Signing and Encryption, as far as Marelle needs it: JWK (RFC 7517, 7518, thumbprints of RFC 7638),
//! compact JWS (RFC 7515) with typed headers (RFC 8725 §3.11), and sets of keys.
//!
//! Built on OpenSSL, whose signatures are the fastest at hand and are not open to the timing attack on the `rsa`
//! crate (RUSTSEC-2023-0071). Must never sign or accept anything outside [`Algorithm`]: no `none`, no `HS*`, and no key
//! that travels inside the token it is to verify.

mod algorithm;
mod jwk;
mod jws;
mod key;
mod key_set;
mod members;

pub use algorithm::Algorithm;
pub use jwk::Jwk;
pub use jws::{Kind, Unverified, sign, verify, verify_from_client, verify_proof};
pub use key::{PrivateKey, PublicKey};
pub use key_set::KeySet;

/// Why a key or a token is refused. Says nothing of what a token holds.
#[derive(Debug, thiserror::Error)]
pub enum JoseError {
    /// The cryptographic library's own failure.
    #[error("cryptographic library: {0}")]
    Library(#[from] openssl::error::ErrorStack),
    /// Not a JWK, or one of a kind that is not used here.
    #[error("not a usable key: {0}")]
    Key(&'static str),
    /// Not a compact JWS, or not the kind that was expected.
    #[error("not the expected token: {0}")]
    Token(&'static str),
    /// An algorithm outside the list, or not the one of the key.
    #[error("algorithm not allowed")]
    Algorithm,
    /// No key of the set is named.
    #[error("no such key")]
    UnknownKey,
    /// The signature is not that key's over these bytes.
    #[error("wrong signature")]
    Signature,
}
