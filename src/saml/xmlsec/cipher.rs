//! How content is encrypted and how its key is carried (xmlenc-core §5.2, §5.5): the two lists, and the content ciphers
//! themselves. Must never know RSA PKCS #1 v1.5 or Triple DES.

use openssl::symm;
use zeroize::Zeroizing;

use super::{CannotDecrypt, Digest, KeyError};
use crate::base::random::Random;

/// A cipher of content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cipher {
    /// AES-128 in Galois/counter mode.
    Aes128Gcm,
    /// AES-256 in Galois/counter mode.
    Aes256Gcm,
    /// AES-128 in cipher block chaining, which tells nobody when it was changed.
    Aes128Cbc,
    /// AES-256 in cipher block chaining.
    Aes256Cbc,
}

/// Bytes of the initialisation vector of GCM (xmlenc-core §5.2.4).
const GCM_IV: usize = 12;
/// Bytes of the authentication tag of GCM.
const GCM_TAG: usize = 16;
/// Bytes of a block of AES.
const BLOCK: usize = 16;

impl Cipher {
    /// All of them.
    pub const ALL: &'static [Self] = &[Self::Aes128Gcm, Self::Aes256Gcm, Self::Aes128Cbc, Self::Aes256Cbc];

    /// Its identifier (xmlenc-core §5.2).
    pub const fn uri(self) -> &'static str {
        match self {
            Self::Aes128Gcm => "http://www.w3.org/2009/xmlenc11#aes128-gcm",
            Self::Aes256Gcm => "http://www.w3.org/2009/xmlenc11#aes256-gcm",
            Self::Aes128Cbc => "http://www.w3.org/2001/04/xmlenc#aes128-cbc",
            Self::Aes256Cbc => "http://www.w3.org/2001/04/xmlenc#aes256-cbc",
        }
    }

    /// The cipher of that identifier.
    pub fn from_uri(uri: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|cipher| cipher.uri() == uri)
    }

    /// Whether a change of the ciphertext is noticed.
    pub const fn is_authenticated(self) -> bool {
        matches!(self, Self::Aes128Gcm | Self::Aes256Gcm)
    }

    pub(super) const fn key_bytes(self) -> usize {
        match self {
            Self::Aes128Gcm | Self::Aes128Cbc => 16,
            Self::Aes256Gcm | Self::Aes256Cbc => 32,
        }
    }

    fn of_library(self) -> symm::Cipher {
        match self {
            Self::Aes128Gcm => symm::Cipher::aes_128_gcm(),
            Self::Aes256Gcm => symm::Cipher::aes_256_gcm(),
            Self::Aes128Cbc => symm::Cipher::aes_128_cbc(),
            Self::Aes256Cbc => symm::Cipher::aes_256_cbc(),
        }
    }

    /// Initialisation vector, ciphertext and, for GCM, the tag (xmlenc-core §5.2.2, §5.2.4).
    pub(super) fn encrypt(self, key: &[u8], plain: &[u8], random: &dyn Random) -> Result<Vec<u8>, KeyError> {
        let mut iv = vec![0; if self.is_authenticated() { GCM_IV } else { BLOCK }];
        random.fill(&mut iv);
        let cipher = self.of_library();
        let sealed = if self.is_authenticated() {
            let mut tag = [0; GCM_TAG];
            let mut sealed = symm::encrypt_aead(cipher, key, Some(&iv), &[], plain, &mut tag)?;
            sealed.extend(tag);
            sealed
        } else {
            // PKCS #7 is one of the paddings that xmlenc-core §5.2.2 allows: the last byte counts.
            symm::encrypt(cipher, key, Some(&iv), plain)?
        };
        iv.extend(sealed);
        Ok(iv)
    }

    /// The reverse.
    pub(super) fn decrypt(self, key: &[u8], sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, CannotDecrypt> {
        let cipher = self.of_library();
        if self.is_authenticated() {
            let (iv, rest) = sealed.split_at_checked(GCM_IV).ok_or(CannotDecrypt)?;
            let end = rest.len().checked_sub(GCM_TAG).ok_or(CannotDecrypt)?;
            let (content, tag) = rest.split_at_checked(end).ok_or(CannotDecrypt)?;
            let plain = symm::decrypt_aead(cipher, key, Some(iv), &[], content, tag);
            return plain.map(Zeroizing::new).map_err(|_| CannotDecrypt);
        }
        let (iv, content) = sealed.split_at_checked(BLOCK).ok_or(CannotDecrypt)?;
        let mut crypter =
            symm::Crypter::new(cipher, symm::Mode::Decrypt, key, Some(iv)).map_err(|_| CannotDecrypt)?;
        crypter.pad(false);
        let mut plain = Zeroizing::new(vec![0; content.len() + BLOCK]);
        let written = crypter.update(content, &mut plain).map_err(|_| CannotDecrypt)?;
        let rest = plain.get_mut(written..).ok_or(CannotDecrypt)?;
        let last = crypter.finalize(rest).map_err(|_| CannotDecrypt)?;
        plain.truncate(written + last);
        // xmlenc-core §5.2.2: the last byte says how many are padding, whatever the others are.
        let padding = plain.last().copied().map_or(0, usize::from);
        let length = plain.len().checked_sub(padding).ok_or(CannotDecrypt)?;
        if !(1..=BLOCK).contains(&padding) {
            return Err(CannotDecrypt);
        }
        plain.truncate(length);
        Ok(plain)
    }
}

/// How the key of the content is encrypted for its recipient: RSA-OAEP, in one of its two names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyTransport {
    /// `rsa-oaep-mgf1p` with SHA-1, which every recipient knows; OAEP does not depend on SHA-1 being free of collisions.
    OaepMgf1p,
    /// `xenc11#rsa-oaep`, with a digest and a mask generation by a digest; some recipients reject the `MGF` element.
    Oaep {
        /// The digest.
        digest: Digest,
        /// That of the mask generation.
        mask: Digest,
    },
}

/// `xenc11#rsa-oaep` (xmlenc-core §5.5.2).
pub(super) const OAEP: &str = "http://www.w3.org/2009/xmlenc11#rsa-oaep";
/// `rsa-oaep-mgf1p` (xmlenc-core §5.5.2).
pub(super) const OAEP_MGF1P: &str = "http://www.w3.org/2001/04/xmlenc#rsa-oaep-mgf1p";

impl KeyTransport {
    /// Its identifier.
    pub const fn uri(self) -> &'static str {
        match self {
            Self::OaepMgf1p => OAEP_MGF1P,
            Self::Oaep { .. } => OAEP,
        }
    }

    pub(super) const fn digest(self) -> Digest {
        match self {
            Self::OaepMgf1p => Digest::Sha1,
            Self::Oaep { digest, .. } => digest,
        }
    }

    pub(super) const fn mask(self) -> Digest {
        match self {
            Self::OaepMgf1p => Digest::Sha1,
            Self::Oaep { mask, .. } => mask,
        }
    }
}

/// The mask generation functions (xmlenc-core §5.5.2, RFC 9231 §2.6.11).
pub(super) const fn mask_uri(mask: Digest) -> &'static str {
    match mask {
        Digest::Sha1 => "http://www.w3.org/2009/xmlenc11#mgf1sha1",
        Digest::Sha256 => "http://www.w3.org/2009/xmlenc11#mgf1sha256",
        Digest::Sha384 => "http://www.w3.org/2009/xmlenc11#mgf1sha384",
        Digest::Sha512 => "http://www.w3.org/2009/xmlenc11#mgf1sha512",
    }
}

/// The digest of a mask generation function.
pub(super) fn mask_from_uri(uri: &str) -> Option<Digest> {
    let all = [Digest::Sha1, Digest::Sha256, Digest::Sha384, Digest::Sha512];
    all.into_iter().find(|digest| mask_uri(*digest) == uri)
}
