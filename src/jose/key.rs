//! Keys as OpenSSL holds them: parsed once, used many times.
//!
//! Key generation and the ECDSA nonce take their randomness from OpenSSL, the one exception to randomness as an
//! argument: the library offers no other way.

use openssl::bn::{BigNum, BigNumContext};
use openssl::ec::{EcGroup, EcKey};
use openssl::ecdsa::EcdsaSig;
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::{Id, PKey, Private, Public};
use openssl::rsa::{Padding, Rsa};
use openssl::sign::{RsaPssSaltlen, Signer, Verifier};
use zeroize::Zeroizing;

use super::jwk::Material;
use super::{Algorithm, JoseError, Jwk};

/// RSA keys have 2048 bits: RFC 7518 §3.3 and NIST SP 800-57 accept them to 2030, keys here live for months, and 3072
/// bits would cost three times the processor time on each ID Token, which is most of a code exchange.
const RSA_BITS: u32 = 2048;
/// Bytes of one coordinate, and of one half of a signature, on P-256.
const P256_BYTES: i32 = 32;

/// A key that signs.
#[derive(Clone)]
pub struct PrivateKey {
    key: PKey<Private>,
    public: Jwk,
}

impl std::fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "PrivateKey({})", self.public.kid())
    }
}

impl PrivateKey {
    /// Makes a new key. An RSA key takes a good part of a second: not for a thread that serves requests.
    ///
    /// # Errors
    /// When the library refuses.
    pub fn generate(algorithm: Algorithm) -> Result<Self, JoseError> {
        let key = match algorithm {
            Algorithm::Rs256 => PKey::from_rsa(Rsa::generate(RSA_BITS)?)?,
            Algorithm::Es256 => PKey::from_ec_key(EcKey::generate(&*p256()?)?)?,
            Algorithm::Ps256 | Algorithm::EdDsa => return Err(JoseError::Algorithm),
        };
        Self::new(key)
    }

    /// Reads the PKCS #8 form.
    ///
    /// # Errors
    /// [`JoseError::Key`] for anything but an RSA or P-256 key.
    pub fn from_pkcs8(der: &[u8]) -> Result<Self, JoseError> {
        Self::new(PKey::private_key_from_pkcs8(der)?)
    }

    /// The PKCS #8 form, to be sealed.
    ///
    /// # Errors
    /// When the library refuses.
    pub fn to_pkcs8(&self) -> Result<Zeroizing<Vec<u8>>, JoseError> {
        Ok(Zeroizing::new(self.key.private_key_to_pkcs8()?))
    }

    pub(super) fn new(key: PKey<Private>) -> Result<Self, JoseError> {
        let material = if let Ok(rsa) = key.rsa() {
            Material::Rsa {
                n: rsa.n().to_vec(),
                e: rsa.e().to_vec(),
            }
        } else {
            let ec = key.ec_key().map_err(|_| JoseError::Key("neither RSA nor EC"))?;
            if ec.group().curve_name() != Some(Nid::X9_62_PRIME256V1) {
                return Err(JoseError::Key("not on P-256"));
            }
            let (mut x, mut y, mut work) = (BigNum::new()?, BigNum::new()?, BigNumContext::new()?);
            ec.public_key()
                .affine_coordinates(ec.group(), &mut x, &mut y, &mut work)?;
            Material::P256 {
                x: x.to_vec_padded(P256_BYTES)?,
                y: y.to_vec_padded(P256_BYTES)?,
            }
        };
        Ok(Self {
            key,
            public: Jwk::new(material),
        })
    }

    /// Its public half.
    pub fn public(&self) -> &Jwk {
        &self.public
    }

    /// The signature over `message`, in the form of a JWS (RFC 7518 §3.3, §3.4: r‖s, not DER).
    ///
    /// # Errors
    /// When the library refuses.
    pub fn sign(&self, message: &[u8]) -> Result<Vec<u8>, JoseError> {
        let signature = Signer::new(MessageDigest::sha256(), &self.key)?.sign_oneshot_to_vec(message)?;
        match self.public.algorithm() {
            Algorithm::Rs256 => Ok(signature),
            Algorithm::Ps256 | Algorithm::EdDsa => Err(JoseError::Algorithm),
            Algorithm::Es256 => {
                let parsed = EcdsaSig::from_der(&signature)?;
                let mut halves = parsed.r().to_vec_padded(P256_BYTES)?;
                halves.extend(parsed.s().to_vec_padded(P256_BYTES)?);
                Ok(halves)
            }
        }
    }
}

/// A key that verifies.
#[derive(Clone, Debug)]
pub struct PublicKey {
    key: PKey<Public>,
    jwk: Jwk,
}

impl PublicKey {
    /// The key of a JWK.
    ///
    /// # Errors
    /// [`JoseError::Key`] for a weak RSA key (RFC 7518 §3.3: 2048 bits or more), a point that is not on the curve.
    pub fn new(jwk: Jwk) -> Result<Self, JoseError> {
        let key = match jwk.material() {
            Material::Rsa { n, e } => {
                let n = BigNum::from_slice(n)?;
                if !(2048..=8192).contains(&n.num_bits()) {
                    return Err(JoseError::Key("RSA keys have 2048 to 8192 bits"));
                }
                PKey::from_rsa(Rsa::from_public_components(n, BigNum::from_slice(e)?)?)?
            }
            Material::P256 { x, y } => {
                let (x, y) = (BigNum::from_slice(x)?, BigNum::from_slice(y)?);
                let key = EcKey::from_public_key_affine_coordinates(&*p256()?, &x, &y);
                PKey::from_ec_key(key.map_err(|_| JoseError::Key("not a point of P-256"))?)?
            }
            Material::Ed25519 { x } => PKey::public_key_from_raw_bytes(x, Id::ED25519)
                .map_err(|_| JoseError::Key("not a key of Ed25519"))?,
        };
        Ok(Self { key, jwk })
    }

    /// Its JSON form.
    pub fn jwk(&self) -> &Jwk {
        &self.jwk
    }

    /// Checks a signature by an algorithm, in the form of a JWS.
    ///
    /// # Errors
    /// [`JoseError::Algorithm`] where the key is not used with it, [`JoseError::Signature`] where the signature is not this
    /// key's over `message`.
    pub fn verify(&self, algorithm: Algorithm, message: &[u8], signature: &[u8]) -> Result<(), JoseError> {
        if !self.jwk.may_sign(algorithm) {
            return Err(JoseError::Algorithm);
        }
        let der;
        let signature = match algorithm {
            Algorithm::Es256 => {
                der = ecdsa_der(signature)?;
                &der
            }
            Algorithm::Rs256 | Algorithm::Ps256 | Algorithm::EdDsa => signature,
        };
        let mut verifier = match algorithm {
            Algorithm::EdDsa => Verifier::new_without_digest(&self.key)?,
            _ => Verifier::new(MessageDigest::sha256(), &self.key)?,
        };
        if algorithm == Algorithm::Ps256 {
            // RFC 7518 §3.5: MGF1 with the same hash (the library's default), a salt as long as its output.
            verifier.set_rsa_padding(Padding::PKCS1_PSS)?;
            verifier.set_rsa_pss_saltlen(RsaPssSaltlen::DIGEST_LENGTH)?;
        }
        // A signature that cannot be one (r or s of zero, a wrong length) is an error to the library: for us it is wrong.
        match verifier.verify_oneshot(signature, message) {
            Ok(true) => Ok(()),
            Ok(false) | Err(_) => Err(JoseError::Signature),
        }
    }
}

/// RFC 7518 §3.4: two halves of 32 bytes, as OpenSSL wants them.
fn ecdsa_der(signature: &[u8]) -> Result<Vec<u8>, JoseError> {
    let half = P256_BYTES.unsigned_abs() as usize;
    let (r, s) = signature.split_at_checked(half).ok_or(JoseError::Signature)?;
    if s.len() != half {
        return Err(JoseError::Signature);
    }
    let parsed = EcdsaSig::from_private_components(BigNum::from_slice(r)?, BigNum::from_slice(s)?)?;
    Ok(parsed.to_der()?)
}

fn p256() -> Result<EcGroup, JoseError> {
    Ok(EcGroup::from_curve_name(Nid::X9_62_PRIME256V1)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_comes_back_from_pkcs8_and_signs_for_its_public_half_alone() {
        for algorithm in Algorithm::ALL {
            let key = PrivateKey::generate(*algorithm).unwrap();
            let again = PrivateKey::from_pkcs8(&key.to_pkcs8().unwrap()).unwrap();
            assert_eq!(again.public(), key.public());
            assert_eq!(key.public().algorithm(), *algorithm);
            let public = PublicKey::new(key.public().clone()).unwrap();
            let signature = again.sign(b"square by square").unwrap();
            assert!(public.verify(*algorithm, b"square by square", &signature).is_ok());
            assert!(
                public
                    .verify(*algorithm, b"square by squarE", &signature)
                    .is_err()
            );
            for wrong in [&signature[1..], &[], &vec![0; signature.len()]] {
                assert!(public.verify(*algorithm, b"square by square", wrong).is_err());
            }
            let other = PrivateKey::generate(*algorithm).unwrap();
            let other = PublicKey::new(other.public().clone()).unwrap();
            assert!(other.verify(*algorithm, b"square by square", &signature).is_err());
        }
    }

    #[test]
    fn es256_signatures_always_have_64_bytes() {
        let key = PrivateKey::generate(Algorithm::Es256).unwrap();
        for number in 0..300u32 {
            // One half in 256 begins with a zero byte, which DER leaves out.
            assert_eq!(key.sign(&number.to_be_bytes()).unwrap().len(), 64);
        }
    }

    #[test]
    fn weak_and_impossible_keys_are_refused() {
        let weak = Rsa::generate(1024).unwrap();
        let material = Material::Rsa {
            n: weak.n().to_vec(),
            e: weak.e().to_vec(),
        };
        assert!(matches!(
            PublicKey::new(Jwk::new(material)),
            Err(JoseError::Key(_))
        ));
        let off_curve = Material::P256 {
            x: vec![1; 32],
            y: vec![1; 32],
        };
        assert!(matches!(
            PublicKey::new(Jwk::new(off_curve)),
            Err(JoseError::Key(_))
        ));
    }
}
