//! For tests: somebody who holds a key and makes proofs by it, right ones and wrong ones.

use data_encoding::BASE64URL_NOPAD;
use serde_json::{Value, json};

use crate::base::secret::sha256;
use crate::base::time::Timestamp;
use crate::jose::{Algorithm, PrivateKey};

/// Somebody with a key.
#[derive(Debug, Clone)]
pub(crate) struct Holder {
    key: PrivateKey,
}

impl Holder {
    pub(crate) fn new() -> Self {
        Self::of(Algorithm::Es256)
    }

    pub(crate) fn of(algorithm: Algorithm) -> Self {
        let key = PrivateKey::generate(algorithm).unwrap();
        Self { key }
    }

    pub(crate) fn jkt(&self) -> String {
        self.key.public().thumbprint()
    }

    /// A right proof.
    pub(crate) fn proof(&self, method: &str, address: &str, jti: &str, now: Timestamp) -> Draft<'_> {
        let mut jwk = self.key.public().to_json();
        for member in ["use", "alg", "kid"] {
            jwk.as_object_mut().unwrap().remove(member);
        }
        let alg = self.key.public().algorithm().as_str();
        Draft {
            signer: &self.key,
            header: json!({ "typ": "dpop+jwt", "alg": alg, "jwk": jwk }),
            claims: json!({ "jti": jti, "htm": method, "htu": address, "iat": now.seconds() }),
        }
    }
}

/// A proof that is not signed yet.
#[derive(Debug, Clone)]
pub(crate) struct Draft<'a> {
    signer: &'a PrivateKey,
    pub(crate) header: Value,
    pub(crate) claims: Value,
}

impl<'a> Draft<'a> {
    /// One claim more, or another; `null` leaves it out.
    pub(crate) fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        set(&mut self.claims, name, value.into());
        self
    }

    /// The same of the header.
    pub(crate) fn with_header(mut self, name: &str, value: impl Into<Value>) -> Self {
        set(&mut self.header, name, value.into());
        self
    }

    /// For a request that brings an access token.
    pub(crate) fn of_token(self, token: &str) -> Self {
        let hash = BASE64URL_NOPAD.encode(&sha256(token.as_bytes()));
        self.with("ath", hash)
    }

    /// By another key than the one in the header.
    pub(crate) fn signed_by(self, other: &'a Holder) -> Self {
        let signer = &other.key;
        Self { signer, ..self }
    }

    pub(crate) fn sign(&self) -> String {
        let part = |value: &Value| BASE64URL_NOPAD.encode(value.to_string().as_bytes());
        let signed = format!("{}.{}", part(&self.header), part(&self.claims));
        let signature = self.signer.sign(signed.as_bytes()).unwrap();
        format!("{signed}.{}", BASE64URL_NOPAD.encode(&signature))
    }
}

fn set(members: &mut Value, name: &str, value: Value) {
    let members = members.as_object_mut().unwrap();
    if value.is_null() {
        members.remove(name);
    } else {
        members.insert(name.to_owned(), value);
    }
}
