//! Keys as OpenSSL holds them, and the two operations of signatures.
//!
//! The ECDSA nonce and the blinding of RSA take their randomness from OpenSSL, as in `jose`: the library offers no
//! other way. Must never accept a weak key: a party with one has none.

use openssl::bn::BigNum;
use openssl::ecdsa::EcdsaSig;
use openssl::nid::Nid;
use openssl::pkey::{HasPublic, PKey, PKeyRef, Private, Public};
use openssl::sign::{Signer, Verifier};

use super::{Digest, KeyError, SignatureAlgorithm};

/// What kind a key is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Rsa,
    /// With the bytes of one half of a signature (RFC 6931 §2.3.6).
    Ec(i32),
}

impl Kind {
    fn of<T: HasPublic>(key: &PKeyRef<T>) -> Result<Self, KeyError> {
        if let Ok(rsa) = key.rsa() {
            return match rsa.n().num_bits() {
                2048..=8192 => Ok(Self::Rsa),
                _ => Err(KeyError::Size),
            };
        }
        match key.ec_key().map_err(|_| KeyError::Kind)?.group().curve_name() {
            Some(Nid::X9_62_PRIME256V1) => Ok(Self::Ec(32)),
            Some(Nid::SECP384R1) => Ok(Self::Ec(48)),
            Some(Nid::SECP521R1) => Ok(Self::Ec(66)),
            _ => Err(KeyError::Kind),
        }
    }

    const fn fits(self, algorithm: SignatureAlgorithm) -> bool {
        matches!(
            (self, algorithm),
            (Self::Rsa, SignatureAlgorithm::Rsa(_)) | (Self::Ec(_), SignatureAlgorithm::Ecdsa(_))
        )
    }
}

/// A key that is trusted for one party: it verifies, and encrypts for it.
#[derive(Clone, Debug)]
pub struct PublicKey {
    pub(super) key: PKey<Public>,
    pub(super) kind: Kind,
}

impl PublicKey {
    pub(super) fn new(key: PKey<Public>) -> Result<Self, KeyError> {
        let kind = Kind::of(&key)?;
        Ok(Self { key, kind })
    }

    /// Reads a `SubjectPublicKeyInfo`.
    ///
    /// # Errors
    /// What is wrong with the key.
    pub fn from_der(der: &[u8]) -> Result<Self, KeyError> {
        Self::new(PKey::public_key_from_der(der).map_err(|_| KeyError::Unreadable)?)
    }

    /// Its `SubjectPublicKeyInfo`.
    ///
    /// # Errors
    /// When the library refuses.
    pub fn to_der(&self) -> Result<Vec<u8>, KeyError> {
        Ok(self.key.public_key_to_der()?)
    }

    /// Whether something can be encrypted for it.
    pub const fn encrypts(&self) -> bool {
        matches!(self.kind, Kind::Rsa)
    }

    /// Whether `signature`, in the form of XML signatures, is this key's over `message`.
    pub(super) fn verifies(&self, algorithm: SignatureAlgorithm, message: &[u8], signature: &[u8]) -> bool {
        if !self.kind.fits(algorithm) {
            return false;
        }
        let check = || {
            let der;
            let signature = match self.kind {
                Kind::Rsa => signature,
                Kind::Ec(half) => {
                    der = from_halves(signature, half)?;
                    &der
                }
            };
            let digest = algorithm.digest().message_digest();
            Ok::<_, KeyError>(Verifier::new(digest, &self.key)?.verify_oneshot(signature, message)?)
        };
        // To the library, a signature that cannot be one is an error: for us it is wrong.
        check().unwrap_or(false)
    }
}

/// A key of ours: it signs, and decrypts what was encrypted for us.
#[derive(Clone)]
pub struct PrivateKey {
    pub(super) key: PKey<Private>,
    pub(super) kind: Kind,
}

impl std::fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "PrivateKey({:?})", self.kind)
    }
}

impl PrivateKey {
    /// Reads the PKCS #8 form, as [`crate::jose::PrivateKey::to_pkcs8`] gives it.
    ///
    /// # Errors
    /// What is wrong with the key.
    pub fn from_pkcs8(der: &[u8]) -> Result<Self, KeyError> {
        Self::new(PKey::private_key_from_pkcs8(der).map_err(|_| KeyError::Unreadable)?)
    }

    pub(super) fn new(key: PKey<Private>) -> Result<Self, KeyError> {
        let kind = Kind::of(&key)?;
        Ok(Self { key, kind })
    }

    /// Its public half.
    ///
    /// # Errors
    /// When the library refuses.
    pub fn public(&self) -> Result<PublicKey, KeyError> {
        PublicKey::from_der(&self.key.public_key_to_der()?)
    }

    /// How it signs.
    pub const fn algorithm(&self) -> SignatureAlgorithm {
        match self.kind {
            Kind::Rsa => SignatureAlgorithm::Rsa(Digest::Sha256),
            Kind::Ec(_) => SignatureAlgorithm::Ecdsa(Digest::Sha256),
        }
    }

    /// The signature over `message` by [`PrivateKey::algorithm`], in the form of XML signatures (RFC 6931 §2.3: for
    /// ECDSA r‖s, not DER).
    ///
    /// # Errors
    /// When the library refuses.
    pub(super) fn sign(&self, message: &[u8]) -> Result<Vec<u8>, KeyError> {
        let digest = self.algorithm().digest().message_digest();
        let signature = Signer::new(digest, &self.key)?.sign_oneshot_to_vec(message)?;
        match self.kind {
            Kind::Rsa => Ok(signature),
            Kind::Ec(half) => {
                let parsed = EcdsaSig::from_der(&signature)?;
                let mut halves = parsed.r().to_vec_padded(half)?;
                halves.extend(parsed.s().to_vec_padded(half)?);
                Ok(halves)
            }
        }
    }
}

/// RFC 6931 §2.3.6: two halves, each as long as the order of the curve, as OpenSSL wants them.
fn from_halves(signature: &[u8], half: i32) -> Result<Vec<u8>, KeyError> {
    let half = half.unsigned_abs() as usize;
    let (r, s) = signature.split_at_checked(half).ok_or(KeyError::Unreadable)?;
    if s.len() != half {
        return Err(KeyError::Unreadable);
    }
    let parsed = EcdsaSig::from_private_components(BigNum::from_slice(r)?, BigNum::from_slice(s)?)?;
    Ok(parsed.to_der()?)
}
