//! Keys of metadata. A certificate is only the wrapping of one (SAML V2.0 Metadata Interoperability Profile §2.6.1): its
//! dates and issuer are not looked at.

use data_encoding::BASE64;
use openssl::bn::BigNum;
use openssl::rsa::Rsa;

use super::Unusable;
use crate::base::time::Timestamp;
use crate::domain::saml_entity::{EncryptionKey, ServiceProvider};
use crate::saml::xml::{Namespace, Node};
use crate::saml::xmlsec::{Certificate, KeyError, PublicKey};

/// The most keys of one use.
const MOST: usize = 20;
/// The longest name of an algorithm.
const LONGEST_METHOD: usize = 200;

/// The key of a certificate that an operator pins (PEM, or its base64 alone), as it is kept.
///
/// # Errors
/// What is wrong with it.
pub fn pinned(text: &str) -> Result<String, KeyError> {
    spki(&Certificate::from_base64(text)?.public_key()?)
}

fn spki(key: &PublicKey) -> Result<String, KeyError> {
    Ok(BASE64.encode(&key.to_der()?))
}

/// Takes the keys of a role (saml-metadata §2.4.1.1). A descriptor without `use` is of both; one for encryption never
/// verifies a signature.
pub(super) fn take(role: Node<'_>, out: &mut ServiceProvider) -> Result<(), Unusable> {
    for descriptor in role.children_named(Namespace::Md, "KeyDescriptor") {
        let (signs, encrypts) = match descriptor.attribute("use") {
            None => (true, true),
            Some("signing") => (true, false),
            Some("encryption") => (false, true),
            Some(_) => return Err(Unusable::Key("a use that is neither signing nor encryption")),
        };
        let Some(key) = of_descriptor(descriptor)? else {
            continue;
        };
        let spki = spki(&key).map_err(|_| Unusable::Key("cannot be read"))?;
        // Whoever publishes an EC key for both has one that signs only.
        if encrypts && key.encrypts() && !out.encryption_keys.iter().any(|known| known.spki == spki) {
            out.encryption_keys.push(EncryptionKey {
                spki: spki.clone(),
                methods: methods(descriptor),
            });
        }
        if signs && !out.signing_keys.contains(&spki) {
            out.signing_keys.push(spki);
        }
        if out.signing_keys.len() > MOST || out.encryption_keys.len() > MOST {
            return Err(Unusable::TooMany("keys"));
        }
    }
    Ok(())
}

/// When the first certificate of a signing key ends. Nothing is refused because of it: a key counts as long as the metadata
/// name it. But whoever let a certificate end is about to change it.
pub(super) fn first_end(role: Node<'_>) -> Option<Timestamp> {
    role.children_named(Namespace::Md, "KeyDescriptor")
        .filter(|descriptor| descriptor.attribute("use") != Some("encryption"))
        .filter_map(|descriptor| {
            let info = descriptor.child(Namespace::Ds, "KeyInfo")?;
            let data = info.child(Namespace::Ds, "X509Data")?;
            let text = data.child(Namespace::Ds, "X509Certificate")?.text()?;
            Certificate::from_base64(text).ok()?.not_after()
        })
        .min()
}

/// The algorithms that the entity can read, in its order.
fn methods(descriptor: Node<'_>) -> Vec<String> {
    descriptor
        .children_named(Namespace::Md, "EncryptionMethod")
        .filter_map(|method| method.attribute("Algorithm"))
        .filter(|method| method.len() <= LONGEST_METHOD)
        .take(MOST)
        .map(str::to_owned)
        .collect()
}

/// The key of a descriptor; `None` where it only names one, which is nothing to verify with.
fn of_descriptor(descriptor: Node<'_>) -> Result<Option<PublicKey>, Unusable> {
    let unusable = |error: KeyError| {
        Unusable::Key(match error {
            KeyError::Size => "an RSA key outside 2048 to 8192 bits",
            KeyError::Kind => "neither RSA nor EC on a NIST curve",
            _ => "cannot be read",
        })
    };
    let Some(info) = descriptor.child(Namespace::Ds, "KeyInfo") else {
        return Err(Unusable::Key("a KeyDescriptor without KeyInfo"));
    };
    let certificate = info
        .children_named(Namespace::Ds, "X509Data")
        .find_map(|data| data.child(Namespace::Ds, "X509Certificate"));
    if let Some(certificate) = certificate {
        let text = certificate.text().unwrap_or_default();
        let key = Certificate::from_base64(text).and_then(|certificate| certificate.public_key());
        return key.map(Some).map_err(unusable);
    }
    let value = info
        .child(Namespace::Ds, "KeyValue")
        .and_then(|value| value.child(Namespace::Ds, "RSAKeyValue"));
    value.map(rsa_value).transpose().map_err(unusable)
}

/// xmldsig-core §4.4.2.2.
fn rsa_value(value: Node<'_>) -> Result<PublicKey, KeyError> {
    let part = |name| {
        let text = value
            .child(Namespace::Ds, name)
            .and_then(Node::text)
            .unwrap_or_default();
        let bare: String = text.split_ascii_whitespace().collect();
        let bytes = BASE64.decode(bare.as_bytes()).map_err(|_| KeyError::Unreadable)?;
        Ok::<_, KeyError>(BigNum::from_slice(&bytes)?)
    };
    let key = Rsa::from_public_components(part("Modulus")?, part("Exponent")?)?;
    PublicKey::from_der(&key.public_key_to_der()?)
}
