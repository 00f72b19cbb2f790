//! Secrets in memory and at rest: plain ones that print nothing, hashed ones, and the sealed and indexed forms made
//! under the master key.
//!
//! A plain secret and a stored one are different types, so that one cannot be written where the other belongs. Must
//! never hold a protocol rule, and never log.

use std::fmt;

use data_encoding::BASE64URL_NOPAD;
use hmac::{Hmac, KeyInit, Mac};
use openssl::symm::{Cipher, decrypt_aead, encrypt_aead};
use sha2::Sha256;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::random::{self, Random};

/// The cryptographic library refused, or what was sealed does not open.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// The library's own failure.
    #[error("cryptographic library: {0}")]
    Library(#[from] openssl::error::ErrorStack),
    /// A key that makes no keyed hash.
    #[error("this key makes no keyed hash")]
    Key,
    /// Wrong key, wrong context, or changed bytes: which of them is not told apart.
    #[error("sealed value does not open under this master key")]
    Sealed,
}

/// A secret in clear: prints as `[secret]`, is wiped when dropped.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Takes a secret in clear.
    pub fn new(text: impl Into<String>) -> Self {
        Self(Zeroizing::new(text.into()))
    }

    /// 256 random bits in base64url, behind a prefix that tells what kind of token it is (and lets scanners find
    /// leaked ones).
    pub fn generate(prefix: &str, random: &dyn Random) -> Self {
        Self::new(format!(
            "{prefix}{}",
            BASE64URL_NOPAD.encode(&random::bytes::<32>(random))
        ))
    }

    /// The text itself; the caller answers for where it goes.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// What is stored of a secret with at least 128 bits of its own: its SHA-256. Never for a password.
    pub fn digest(&self) -> Digest {
        Digest(sha256(self.0.as_bytes()))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

/// The stored form of a high-entropy secret.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Digest([u8; 32]);

impl Digest {
    /// The bytes as stored.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// From stored bytes; `None` where they are not 32.
    pub fn from_stored(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    /// Whether `secret` is the one this was made from, in constant time.
    pub fn matches(&self, secret: &Secret) -> bool {
        equal(&self.0, secret.digest().as_bytes())
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[digest]")
    }
}

/// SHA-256 (FIPS 180-4).
pub fn sha256(bytes: &[u8]) -> [u8; 32] {
    openssl::sha::sha256(bytes)
}

/// Equality in constant time; lengths are not secret.
pub fn equal(left: &[u8], right: &[u8]) -> bool {
    left.ct_eq(right).into()
}

/// HMAC-SHA-256 (RFC 2104), by RustCrypto: OpenSSL 3 looks its algorithms up anew for each keyed hash, which costs
/// more than the hash when a feed needs millions.
///
/// # Errors
/// When the library refuses the key.
pub fn hmac_sha256(key: &[u8], parts: &[&[u8]]) -> Result<[u8; 32], SecretError> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).map_err(|_| SecretError::Key)?;
    for part in parts {
        mac.update(part);
    }
    Ok(mac.finalize().into_bytes().into())
}

/// The 256-bit key of an installation, from which every other symmetric key is derived.
#[derive(Clone)]
pub struct MasterKey(Zeroizing<[u8; 32]>);

impl MasterKey {
    /// A new one.
    pub fn generate(random: &dyn Random) -> Self {
        Self(Zeroizing::new(random::bytes(random)))
    }

    /// From its written form: 64 hexadecimal digits, white space around ignored.
    pub fn from_hex(text: &str) -> Option<Self> {
        let bytes = Zeroizing::new(
            data_encoding::HEXLOWER_PERMISSIVE
                .decode(text.trim().as_bytes())
                .ok()?,
        );
        bytes
            .as_slice()
            .try_into()
            .ok()
            .map(|key| Self(Zeroizing::new(key)))
    }

    /// The written form, to be kept in a file with tight rights.
    pub fn to_hex(&self) -> Secret {
        Secret::new(data_encoding::HEXLOWER.encode(self.0.as_slice()))
    }

    fn derive(&self, label: &str) -> Result<Zeroizing<[u8; 32]>, SecretError> {
        Ok(Zeroizing::new(hmac_sha256(
            self.0.as_slice(),
            &[b"marelle 1 ", label.as_bytes()],
        )?))
    }
}

impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[master key]")
    }
}

/// What the master key does: seal values that must be read again, index values that must only be found again.
#[derive(Clone)]
pub struct Vault {
    seal: Zeroizing<[u8; 32]>,
    index: Zeroizing<[u8; 32]>,
}

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[vault]")
    }
}

const NONCE: usize = 12;
const TAG: usize = 16;

impl Vault {
    /// The vault of an installation.
    ///
    /// # Errors
    /// When the library refuses.
    pub fn new(master: &MasterKey) -> Result<Self, SecretError> {
        Ok(Self {
            seal: master.derive("seal")?,
            index: master.derive("index")?,
        })
    }

    /// Seals `plain` with AES-256-GCM (NIST SP 800-38D) under a random nonce. `context` (what it is, whose it is) must
    /// be given again to open it. Output: 12 bytes nonce, cipher text, 16 bytes tag.
    ///
    /// # Errors
    /// When the library refuses.
    pub fn seal(&self, context: &str, plain: &[u8], random: &dyn Random) -> Result<Vec<u8>, SecretError> {
        let nonce: [u8; NONCE] = random::bytes(random);
        let mut tag = [0; TAG];
        let text = encrypt_aead(
            Cipher::aes_256_gcm(),
            self.seal.as_slice(),
            Some(&nonce),
            context.as_bytes(),
            plain,
            &mut tag,
        )?;
        Ok([nonce.as_slice(), &text, &tag].concat())
    }

    /// Opens what [`Vault::seal`] made for the same `context`.
    ///
    /// # Errors
    /// [`SecretError::Sealed`] for anything else.
    pub fn open(&self, context: &str, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, SecretError> {
        let (nonce, rest) = sealed.split_at_checked(NONCE).ok_or(SecretError::Sealed)?;
        let cut = rest.len().checked_sub(TAG).ok_or(SecretError::Sealed)?;
        let (text, tag) = rest.split_at_checked(cut).ok_or(SecretError::Sealed)?;
        let aad = context.as_bytes();
        decrypt_aead(
            Cipher::aes_256_gcm(),
            self.seal.as_slice(),
            Some(nonce),
            aad,
            text,
            tag,
        )
        .map(Zeroizing::new)
        .map_err(|_| SecretError::Sealed)
    }

    /// A keyed hash by which `value` can be found again, and by which nothing can be told of it without the key.
    /// `context` keeps indexes of different things apart.
    ///
    /// # Errors
    /// When the library refuses.
    pub fn index(&self, context: &str, value: &str) -> Result<[u8; 32], SecretError> {
        hmac_sha256(
            self.index.as_slice(),
            &[context.as_bytes(), &[0], value.as_bytes()],
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::random::SeededRandom;

    fn vault() -> Vault {
        Vault::new(&MasterKey::generate(&SeededRandom::new(1))).unwrap()
    }

    #[test]
    fn hmac_sha256_answers_rfc_4231_case_2() {
        let mac = hmac_sha256(b"Jefe", &[b"what do ya want ", b"for nothing?"]).unwrap();
        assert_eq!(
            data_encoding::HEXLOWER.encode(&mac),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        );
    }

    #[test]
    fn a_sealed_value_opens_only_in_its_context_and_unchanged() {
        let vault = vault();
        let random = SeededRandom::new(2);
        let sealed = vault.seal("ine:1", b"123456789AB", &random).unwrap();
        assert_eq!(vault.open("ine:1", &sealed).unwrap().as_slice(), b"123456789AB");
        assert!(vault.open("ine:2", &sealed).is_err());
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert!(vault.open("ine:1", &changed).is_err(), "byte {at}");
        }
        assert!(vault.open("ine:1", &sealed[..20]).is_err());
    }

    #[test]
    fn nothing_secret_prints() {
        let random = SeededRandom::new(3);
        let secret = Secret::generate("mrl_", &random);
        let master = MasterKey::generate(&random);
        let printed = format!("{secret:?}{:?}{master:?}{:?}", secret.digest(), vault());
        assert!(!printed.contains(secret.expose()));
        assert_eq!(printed, "[secret][digest][master key][vault]");
    }

    #[test]
    fn a_master_key_reads_back_and_refuses_other_lengths() {
        let key = MasterKey::generate(&SeededRandom::new(4));
        let again = MasterKey::from_hex(key.to_hex().expose()).unwrap();
        assert_eq!(key.to_hex(), again.to_hex());
        assert!(MasterKey::from_hex("00ff").is_none());
    }
}
