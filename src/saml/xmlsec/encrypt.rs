//! Encrypts an element for one recipient (saml-core §6.1): a fresh key for the content, carried inside by RSA-OAEP.
//!
//! The padding of OAEP takes its randomness from OpenSSL, which offers no other way. Must never encrypt without being
//! asked which cipher the recipient knows.

use data_encoding::BASE64;
use openssl::pkey_ctx::PkeyCtx;
use openssl::rsa::Padding;
use zeroize::Zeroizing;

use super::cipher::mask_uri;
use super::{Cipher, Digest, KeyError, KeyTransport, PublicKey};
use crate::base::random::Random;
use crate::saml::xml::{Element, Namespace};

/// What the content is (xmlenc-core §3.1): one element.
pub(super) const ELEMENT: &str = "http://www.w3.org/2001/04/xmlenc#Element";

/// Who is to read it, and how.
#[derive(Clone, Copy, Debug)]
pub struct Recipient<'a> {
    /// The key, an RSA one.
    pub key: &'a PublicKey,
    /// The cipher of the content.
    pub cipher: Cipher,
    /// How its key is carried.
    pub transport: KeyTransport,
}

/// `wrapper` (an `EncryptedAssertion`, an `EncryptedID`) with `content` encrypted in it.
///
/// # Errors
/// [`KeyError::Use`] for a key that cannot encrypt, and when the library refuses.
pub fn encrypt(
    content: &Element,
    wrapper: Element,
    recipient: &Recipient<'_>,
    random: &dyn Random,
) -> Result<Element, KeyError> {
    if !recipient.key.encrypts() {
        return Err(KeyError::Use);
    }
    let mut key = Zeroizing::new(vec![0; recipient.cipher.key_bytes()]);
    random.fill(&mut key);
    let sealed = recipient
        .cipher
        .encrypt(&key, content.write().as_bytes(), random)?;
    let carried = carry(&key, recipient)?;
    let encrypted_key = Element::new(Namespace::Xenc, "EncryptedKey")
        .child(key_method(recipient.transport))
        .child(value(&carried));
    let data = Element::new(Namespace::Xenc, "EncryptedData")
        .attribute("Type", ELEMENT)
        .child(method(recipient.cipher.uri()))
        .child(Element::new(Namespace::Ds, "KeyInfo").child(encrypted_key))
        .child(value(&sealed));
    Ok(wrapper.child(data))
}

fn carry(key: &[u8], recipient: &Recipient<'_>) -> Result<Vec<u8>, KeyError> {
    let mut context = PkeyCtx::new(&recipient.key.key)?;
    context.encrypt_init()?;
    context.set_rsa_padding(Padding::PKCS1_OAEP)?;
    context.set_rsa_oaep_md(md(recipient.transport.digest()))?;
    context.set_rsa_mgf1_md(md(recipient.transport.mask()))?;
    let mut carried = Vec::new();
    context.encrypt_to_vec(key, &mut carried)?;
    Ok(carried)
}

/// A digest as contexts want it.
pub(super) fn md(digest: Digest) -> &'static openssl::md::MdRef {
    use openssl::md::Md;
    match digest {
        Digest::Sha1 => Md::sha1(),
        Digest::Sha256 => Md::sha256(),
        Digest::Sha384 => Md::sha384(),
        Digest::Sha512 => Md::sha512(),
    }
}

fn method(uri: &str) -> Element {
    Element::new(Namespace::Xenc, "EncryptionMethod").attribute("Algorithm", uri)
}

/// xmlenc-core §5.5.2: the digest and, with the newer name, the mask generation.
fn key_method(transport: KeyTransport) -> Element {
    let digest = Element::new(Namespace::Ds, "DigestMethod").attribute("Algorithm", transport.digest().uri());
    let mask = match transport {
        KeyTransport::OaepMgf1p => None,
        KeyTransport::Oaep { mask, .. } => {
            Some(Element::new(Namespace::Xenc11, "MGF").attribute("Algorithm", mask_uri(mask)))
        }
    };
    method(transport.uri()).child(digest).child_if(mask)
}

fn value(bytes: &[u8]) -> Element {
    let value = Element::new(Namespace::Xenc, "CipherValue").text(BASE64.encode(bytes));
    Element::new(Namespace::Xenc, "CipherData").child(value)
}
