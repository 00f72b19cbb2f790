//! The documents of `tests/samples` that other programs made, and the keys they were made with.

use std::sync::LazyLock;

use marelle::base::time::Timestamp;
use marelle::saml::xmlsec::{Certificate, PrivateKey, PublicKey, Signer};
use openssl::pkey::PKey;

/// 2026-10-01 08:00:00 UTC.
pub(crate) const NOW: Timestamp = Timestamp::from_seconds(1_790_841_600);

macro_rules! sample {
    ($name:literal) => {
        include_str!(concat!("../../tests/samples/", $name))
    };
}
pub(crate) use sample;

fn certificate(pem: &str) -> Certificate {
    Certificate::from_base64(pem).expect("a certificate of the samples")
}

fn public(pem: &str) -> PublicKey {
    certificate(pem).public_key().expect("a key of the samples")
}

/// The keys that are trusted.
pub(crate) static KEYS: LazyLock<[PublicKey; 4]> = LazyLock::new(|| {
    [
        public(sample!("saml/rsa.crt")),
        public(sample!("saml/ec.crt")),
        public(sample!("saml/ec384.crt")),
        public(sample!("saml/ec521.crt")),
    ]
});

/// A key that is not.
pub(crate) static FOREIGN: LazyLock<PublicKey> = LazyLock::new(|| public(sample!("saml/foreign.crt")));

/// Signs by RSA, which is the same for the same.
pub(crate) static SIGNER: LazyLock<Signer> = LazyLock::new(|| Signer {
    key: private(sample!("saml/rsa.key")),
    certificate: Some(certificate(sample!("saml/rsa.crt"))),
});

/// The private half of a key of the samples.
pub(crate) fn private(pem: &str) -> PrivateKey {
    let key = PKey::private_key_from_pem(pem.as_bytes()).expect("a key of the samples");
    let der = key.private_key_to_pkcs8().expect("PKCS #8");
    PrivateKey::from_pkcs8(&der).expect("a key of the samples")
}

/// Signed documents.
pub(crate) const SIGNED: &[&str] = &[
    sample!("saml/xmlsec1-response-rsa-sha256.xml"),
    sample!("saml/xmlsec1-response-rsa-sha384.xml"),
    sample!("saml/xmlsec1-response-rsa-sha512.xml"),
    sample!("saml/xmlsec1-response-rsa-sha1.xml"),
    sample!("saml/xmlsec1-response-ec-sha256.xml"),
    sample!("saml/xmlsec1-response-ec384-sha384.xml"),
    sample!("saml/xmlsec1-response-ec521-sha512.xml"),
    sample!("saml/xmlsec1-assertion.xml"),
    sample!("saml/xmlsec1-both.xml"),
    sample!("saml/xmlsec1-aggregate.xml"),
    sample!("saml/signxml-response-rsa.xml"),
    sample!("saml/signxml-response-ec.xml"),
    sample!("saml/pysaml2-authn-request.xml"),
    sample!("saml/pysaml2-response.xml"),
    sample!("saml/pysaml2-assertion.xml"),
    sample!("saml/pysaml2-both.xml"),
    sample!("saml/pysaml2-aggregate.xml"),
    sample!("saml/renater-aggregate.xml"),
];
