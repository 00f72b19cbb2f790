//! Public keys in JSON (RFC 7517, RFC 7518 §6, RFC 8037 §2) and their thumbprints (RFC 7638), which serve as `kid`.

use data_encoding::BASE64URL_NOPAD;
use serde_json::{Value, json};

use super::{Algorithm, JoseError};
use crate::base::secret::sha256;

/// A public signing key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Jwk {
    material: Material,
    kid: String,
    /// The one algorithm it is used with, where its owner says so.
    alg: Option<Algorithm>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Material {
    /// RFC 7518 §6.3.1, big-endian without leading zeros.
    Rsa { n: Vec<u8>, e: Vec<u8> },
    /// RFC 7518 §6.2.1 on P-256: 32 bytes each.
    P256 { x: Vec<u8>, y: Vec<u8> },
    /// RFC 8037 §2: 32 bytes.
    Ed25519 { x: Vec<u8> },
}

impl Material {
    /// The algorithms that keys of this kind are used with, ours first.
    const fn algorithms(&self) -> &'static [Algorithm] {
        match self {
            Self::Rsa { .. } => &[Algorithm::Rs256, Algorithm::Ps256],
            Self::P256 { .. } => &[Algorithm::Es256],
            Self::Ed25519 { .. } => &[Algorithm::EdDsa],
        }
    }
}

/// Members that only a private or a symmetric key has (RFC 7518 §6.2.2, §6.3.2, §6.4.1; RFC 8037 §2).
const PRIVATE: &[&str] = &["d", "p", "q", "dp", "dq", "qi", "oth", "k"];

impl Jwk {
    /// A key named by its thumbprint, used with the first algorithm of its kind.
    pub(super) fn new(material: Material) -> Self {
        let kid = thumbprint(&material);
        let alg = material.algorithms().first().copied();
        Self { material, kid, alg }
    }

    /// Its thumbprint (RFC 7638), whatever its name is.
    pub fn thumbprint(&self) -> String {
        thumbprint(&self.material)
    }

    /// Whether it may sign by an algorithm.
    pub fn may_sign(&self, algorithm: Algorithm) -> bool {
        match self.alg {
            Some(alg) => alg == algorithm,
            None => self.material.algorithms().contains(&algorithm),
        }
    }

    pub(super) fn material(&self) -> &Material {
        &self.material
    }

    /// Its name.
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// The algorithm it is used with; where its owner does not say, the first of its kind.
    pub fn algorithm(&self) -> Algorithm {
        let first = self.material.algorithms().first().copied();
        self.alg.or(first).unwrap_or(Algorithm::Es256)
    }

    /// The JSON of the key, with `use`, `alg` and `kid`.
    pub fn to_json(&self) -> Value {
        let mut key = required(&self.material);
        if let Some(members) = key.as_object_mut() {
            members.insert("use".into(), "sig".into());
            members.insert("alg".into(), self.algorithm().as_str().into());
            members.insert("kid".into(), self.kid.as_str().into());
        }
        key
    }

    /// Reads a key. A `kid` of its own is kept, else it is named by its thumbprint; `use`, `key_ops` and `alg` must not
    /// say that it is for something else (RFC 7517 §4.2–§4.4).
    ///
    /// # Errors
    /// [`JoseError::Key`] for anything but an RSA, P-256 or Ed25519 signing key, and for one that is not public.
    pub fn from_json(key: &Value) -> Result<Self, JoseError> {
        if is_private(key) {
            return Err(JoseError::Key("a private key was made public"));
        }
        let text = |name: &str| key.get(name).and_then(Value::as_str);
        let bytes = |name: &str| {
            let decoded = text(name).and_then(|value| BASE64URL_NOPAD.decode(value.as_bytes()).ok());
            decoded.ok_or(JoseError::Key("a member is missing or not base64url"))
        };
        let material = match text("kty") {
            Some("RSA") => Material::Rsa {
                n: bytes("n")?,
                e: bytes("e")?,
            },
            Some("EC") if text("crv") == Some("P-256") => Material::P256 {
                x: bytes("x")?,
                y: bytes("y")?,
            },
            Some("OKP") if text("crv") == Some("Ed25519") => Material::Ed25519 { x: bytes("x")? },
            _ => return Err(JoseError::Key("only RSA, EC on P-256 and Ed25519 are used")),
        };
        let mut read = Self::new(material);
        if text("use").is_some_and(|purpose| purpose != "sig") {
            return Err(JoseError::Key("not for signatures"));
        }
        let verifies = |operation: &Value| operation == "verify";
        let operations = key.get("key_ops").and_then(Value::as_array);
        if operations.is_some_and(|operations| !operations.iter().any(verifies)) {
            return Err(JoseError::Key("not for verifying"));
        }
        read.alg = text("alg").map(named).transpose()?;
        if read
            .alg
            .is_some_and(|alg| !read.material.algorithms().contains(&alg))
        {
            return Err(JoseError::Algorithm);
        }
        if let Some(kid) = text("kid") {
            kid.clone_into(&mut read.kid);
        }
        Ok(read)
    }
}

fn named(name: &str) -> Result<Algorithm, JoseError> {
    Algorithm::from_name(name).ok_or(JoseError::Algorithm)
}

/// Whether a key holds what only its owner may know.
pub(super) fn is_private(key: &Value) -> bool {
    PRIVATE.iter().any(|member| key.get(member).is_some())
}

/// The required members alone; serde_json keeps members in alphabetical order, as RFC 7638 §3.3 wants them.
fn required(material: &Material) -> Value {
    let encode = |bytes: &[u8]| BASE64URL_NOPAD.encode(bytes);
    match material {
        Material::Rsa { n, e } => json!({ "e": encode(e), "kty": "RSA", "n": encode(n) }),
        Material::P256 { x, y } => json!({ "crv": "P-256", "kty": "EC", "x": encode(x), "y": encode(y) }),
        Material::Ed25519 { x } => json!({ "crv": "Ed25519", "kty": "OKP", "x": encode(x) }),
    }
}

/// RFC 7638 §3: SHA-256 over the required members, in order, without white space.
fn thumbprint(material: &Material) -> String {
    BASE64URL_NOPAD.encode(&sha256(required(material).to_string().as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc_7638_section_3_1() {
        let key = json!({
            "kty": "RSA",
            "n": "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCi\
                  FV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb\
                  9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls\
                  1jF44-csFCur-kEgU8awapJzKnqDKgw",
            "e": "AQAB",
            "alg": "RS256",
        });
        let read = Jwk::from_json(&key).unwrap();
        assert_eq!(read.kid(), "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
        assert_eq!(Jwk::from_json(&read.to_json()).unwrap(), read);
    }

    #[test]
    fn keys_for_something_else_are_refused() {
        let ec = json!({
            "kty": "EC", "crv": "P-256", "use": "sig",
            "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU", "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
        });
        assert!(Jwk::from_json(&ec).is_ok());
        for (member, wrong) in [
            ("use", "enc"),
            ("alg", "RS256"),
            ("alg", "HS256"),
            ("crv", "P-384"),
            ("kty", "oct"),
        ] {
            let mut key = ec.clone();
            key[member] = wrong.into();
            assert!(Jwk::from_json(&key).is_err(), "{member} {wrong}");
        }
    }

    #[test]
    fn rfc_8037_appendix_a_3_thumbprint_of_an_okp_key() {
        let key =
            json!({ "kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo" });
        let read = Jwk::from_json(&key).unwrap();
        assert_eq!(read.thumbprint(), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
        assert!(read.may_sign(Algorithm::EdDsa) && !read.may_sign(Algorithm::Es256));
    }

    #[test]
    fn an_rsa_key_is_used_with_what_its_owner_says_or_with_either() {
        let private = crate::jose::PrivateKey::generate(Algorithm::Rs256).unwrap();
        let mut key = private.public().to_json();
        let may = |key: &Value| {
            let read = Jwk::from_json(key).unwrap();
            [Algorithm::Rs256, Algorithm::Ps256, Algorithm::Es256].map(|algorithm| read.may_sign(algorithm))
        };
        assert_eq!(may(&key), [true, false, false]);
        key["alg"] = "PS256".into();
        assert_eq!(may(&key), [false, true, false]);
        key.as_object_mut().unwrap().remove("alg");
        assert_eq!(may(&key), [true, true, false]);
        key["d"] = "AQAB".into();
        assert!(Jwk::from_json(&key).is_err(), "a private key is nobody's proof");
    }
}
