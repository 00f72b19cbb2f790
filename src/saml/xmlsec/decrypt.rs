//! Decrypts an element that was encrypted for us (saml-core §6.1).
//!
//! Galois/counter mode notices a change. Cipher block chaining does not, and an answer to a changed ciphertext tells
//! what it held; so it is decrypted only inside what a trusted key has signed. A key that cannot be unwrapped is
//! replaced by a random one, and all goes on as if it were good: one error, and one way to it. Must never know RSA
//! PKCS #1 v1.5, nor follow a reference to a key or to a content elsewhere.

use data_encoding::BASE64;
use openssl::pkey_ctx::PkeyCtx;
use openssl::rsa::Padding;
use zeroize::Zeroizing;

use super::cipher::{OAEP, OAEP_MGF1P, mask_from_uri};
use super::encrypt::{ELEMENT, md};
use super::{CannotDecrypt, Cipher, Digest, KeyError, PrivateKey, Signed};
use crate::base::random::Random;
use crate::saml::xml::{Document, Limits, Namespace, Node};

/// How many encrypted keys are tried: one a recipient, and we are mostly the only one.
const MOST_KEYS: usize = 4;

/// With what, and what is accepted.
#[derive(Clone, Copy)]
pub struct Decryption<'a> {
    /// Our keys: the present one and those before it.
    pub keys: &'a [PrivateKey],
    /// What was signed and holds the encrypted element: only there is cipher block chaining decrypted.
    pub inside: Option<&'a Signed>,
    /// What the content may cost.
    pub limits: &'a Limits,
    /// For the keys that stand in for unreadable ones.
    pub random: &'a dyn Random,
}

/// The content of an encrypted element (`EncryptedAssertion`, `EncryptedID`, `EncryptedAttribute`) as a document of its
/// own. Nothing is known yet of who wrote it.
///
/// # Errors
/// The one that there is.
pub fn decrypt(encrypted: Node<'_>, with: &Decryption<'_>) -> Result<Document, CannotDecrypt> {
    let data = encrypted
        .child(Namespace::Xenc, "EncryptedData")
        .ok_or(CannotDecrypt)?;
    if data.attribute("Type").is_some_and(|kind| kind != ELEMENT) {
        return Err(CannotDecrypt);
    }
    let cipher = method(data)
        .and_then(|method| Cipher::from_uri(method.attribute("Algorithm")?))
        .ok_or(CannotDecrypt)?;
    let is_signed = with
        .inside
        .is_some_and(|signed| encrypted.is_of(signed.document()));
    if !cipher.is_authenticated() && !is_signed {
        return Err(CannotDecrypt);
    }
    let sealed = value(data).ok_or(CannotDecrypt)?;
    let inside = data
        .child(Namespace::Ds, "KeyInfo")
        .into_iter()
        .flat_map(|info| info.children_named(Namespace::Xenc, "EncryptedKey"));
    // saml-core §2.3.4: keys may also stand beside the content.
    let carried = inside.chain(encrypted.children_named(Namespace::Xenc, "EncryptedKey"));
    let mut outcome = Err(CannotDecrypt);
    for encrypted_key in carried.take(MOST_KEYS) {
        for ours in with.keys {
            let key = content_key(encrypted_key, ours, cipher, with.random);
            let opened = cipher.decrypt(&key, &sealed).and_then(|plain| {
                Document::read_in(&plain, with.limits, &encrypted.scope()).map_err(|_| CannotDecrypt)
            });
            outcome = outcome.or(opened);
        }
    }
    outcome
}

fn method(node: Node<'_>) -> Option<Node<'_>> {
    node.child(Namespace::Xenc, "EncryptionMethod")
}

fn value(node: Node<'_>) -> Option<Vec<u8>> {
    let text = node
        .child(Namespace::Xenc, "CipherData")?
        .child(Namespace::Xenc, "CipherValue")?
        .text()?;
    let bare: String = text.split_ascii_whitespace().collect();
    BASE64.decode(bare.as_bytes()).ok()
}

/// The key of the content, or a random one.
fn content_key(node: Node<'_>, ours: &PrivateKey, cipher: Cipher, random: &dyn Random) -> Zeroizing<Vec<u8>> {
    let mut stand_in = Zeroizing::new(vec![0; cipher.key_bytes()]);
    random.fill(&mut stand_in);
    match unwrapped(node, ours) {
        Ok(key) if key.len() == stand_in.len() => key,
        Ok(_) | Err(_) => stand_in,
    }
}

fn unwrapped(node: Node<'_>, ours: &PrivateKey) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    let method = method(node).ok_or(KeyError::Unreadable)?;
    let (digest, mask) = transport(method).ok_or(KeyError::Use)?;
    let carried = value(node).ok_or(KeyError::Unreadable)?;
    let mut context = PkeyCtx::new(&ours.key)?;
    context.decrypt_init()?;
    context.set_rsa_padding(Padding::PKCS1_OAEP)?;
    context.set_rsa_oaep_md(md(digest))?;
    context.set_rsa_mgf1_md(md(mask))?;
    let mut key = Zeroizing::new(Vec::new());
    context.decrypt_to_vec(&carried, &mut key)?;
    Ok(key)
}

/// xmlenc-core §5.5.2: the digest and that of the mask generation, each SHA-1 where nothing is said.
fn transport(method: Node<'_>) -> Option<(Digest, Digest)> {
    // A label binds the key to something we do not know.
    if method.child(Namespace::Xenc, "OAEPparams").is_some() {
        return None;
    }
    let digest = match method.child(Namespace::Ds, "DigestMethod") {
        Some(digest) => Digest::from_uri(digest.attribute("Algorithm")?)?,
        None => Digest::Sha1,
    };
    match method.attribute("Algorithm")? {
        // Its mask generation is by SHA-1, as its name says, whatever the digest is.
        OAEP_MGF1P => Some((digest, Digest::Sha1)),
        OAEP => match method.child(Namespace::Xenc11, "MGF") {
            Some(mask) => Some((digest, mask_from_uri(mask.attribute("Algorithm")?)?)),
            None => Some((digest, Digest::Sha1)),
        },
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{assertion, private, public, response, sample, signer};
    use super::super::{KeyTransport, Policy, Recipient, Wanted, encrypt, sign, verify, verify_read};
    use super::*;
    use crate::base::random::{SeededRandom, SystemRandom};
    use crate::saml::xml::Element;

    fn read(text: &str) -> Document {
        Document::read(text.as_bytes(), &Limits::MESSAGE).unwrap()
    }

    fn wrapped(document: &Document) -> Node<'_> {
        document
            .root()
            .child(Namespace::Saml, "EncryptedAssertion")
            .unwrap()
    }

    fn with<'a>(keys: &'a [PrivateKey], inside: Option<&'a Signed>) -> Decryption<'a> {
        Decryption {
            keys,
            inside,
            limits: &Limits::MESSAGE,
            random: &SystemRandom,
        }
    }

    fn encrypted(cipher: Cipher, transport: KeyTransport) -> Element {
        let recipient = Recipient {
            key: &public("rsa"),
            cipher,
            transport,
        };
        let wrapper = Element::new(Namespace::Saml, "EncryptedAssertion");
        let inside = sign(assertion("lina"), &signer("ec")).unwrap();
        response(encrypt(&inside, wrapper, &recipient, &SeededRandom::new(1)).unwrap())
    }

    const TRANSPORTS: [KeyTransport; 3] = [
        KeyTransport::OaepMgf1p,
        KeyTransport::Oaep {
            digest: Digest::Sha256,
            mask: Digest::Sha256,
        },
        KeyTransport::Oaep {
            digest: Digest::Sha512,
            mask: Digest::Sha1,
        },
    ];

    #[test]
    fn what_is_encrypted_is_decrypted_with_its_signature() {
        let keys = [private("foreign"), private("rsa")];
        for transport in TRANSPORTS {
            for cipher in [Cipher::Aes128Gcm, Cipher::Aes256Gcm] {
                let document = read(&encrypted(cipher, transport).write());
                let opened = decrypt(wrapped(&document), &with(&keys, None)).unwrap();
                let wanted = Wanted::root(Namespace::Saml, "Assertion");
                assert!(verify_read(&opened, wanted, &[public("ec")], &Policy::MESSAGE).is_ok());
            }
        }
        let text = encrypted(Cipher::Aes128Gcm, KeyTransport::OaepMgf1p).write();
        assert!(!text.contains("MGF") && text.contains("http://www.w3.org/2000/09/xmldsig#sha1"));
        assert!(encrypt_for("ec").is_err());
    }

    fn encrypt_for(name: &str) -> Result<Element, KeyError> {
        let recipient = Recipient {
            key: &public(name),
            cipher: Cipher::Aes128Gcm,
            transport: KeyTransport::OaepMgf1p,
        };
        let wrapper = Element::new(Namespace::Saml, "EncryptedAssertion");
        encrypt(&assertion("lina"), wrapper, &recipient, &SystemRandom)
    }

    #[test]
    fn what_xmlsec1_encrypted_is_decrypted_where_it_is_authenticated() {
        let keys = [private("rsa")];
        for cipher in ["aes128-gcm", "aes256-gcm"] {
            let document = read(&sample(&format!("xmlsec1-encrypted-{cipher}-rsa-oaep-mgf1p.xml")));
            let opened = decrypt(wrapped(&document), &with(&keys, None)).unwrap();
            let wanted = Wanted::root(Namespace::Saml, "Assertion");
            let signed = verify_read(&opened, wanted, &[public("rsa")], &Policy::MESSAGE).unwrap();
            assert_eq!(signed.root().attribute("ID"), Some("_assertion"));
        }
    }

    #[test]
    fn attacks_19_and_20_cbc_is_decrypted_only_inside_what_is_signed_and_rsa15_never() {
        let keys = [private("rsa")];
        let wanted = Wanted::root(Namespace::Samlp, "Response");
        for cipher in ["aes128-cbc", "aes256-cbc"] {
            let document = read(&sample(&format!("xmlsec1-encrypted-{cipher}-rsa-oaep-mgf1p.xml")));
            assert!(
                decrypt(wrapped(&document), &with(&keys, None)).is_err(),
                "{cipher}"
            );
        }
        for cipher in [Cipher::Aes128Cbc, Cipher::Aes256Cbc] {
            let document = sign(encrypted(cipher, KeyTransport::OaepMgf1p), &signer("rsa")).unwrap();
            let text = document.write();
            let signed = verify(text.as_bytes(), wanted, &[public("rsa")], &Policy::MESSAGE).unwrap();
            let inside = with(&keys, Some(&signed));
            assert!(decrypt(wrapped(signed.document()), &inside).is_ok());
            // Another document, be it the very one that was verified, has not been signed.
            assert!(decrypt(wrapped(&read(&text)), &inside).is_err());
        }
        let document = read(&sample("xmlsec1-encrypted-aes128-gcm-rsa-1_5.xml"));
        assert_eq!(
            decrypt(wrapped(&document), &with(&keys, None)).unwrap_err(),
            CannotDecrypt
        );
    }

    #[test]
    fn attack_20_every_failure_is_the_same_and_none_falls() {
        let keys = [private("rsa")];
        let good = encrypted(Cipher::Aes128Gcm, KeyTransport::OaepMgf1p).write();
        let values: Vec<_> = good
            .split("<xenc:CipherValue>")
            .skip(1)
            .map(|rest| rest.split('<').next().unwrap())
            .collect();
        let mut bad = Vec::new();
        for value in &values {
            let bytes = BASE64.decode(value.as_bytes()).unwrap();
            for length in [0, 1, 11, 12, 27, 28, 29, bytes.len() - 1] {
                bad.push(good.replace(value, &BASE64.encode(bytes.get(..length).unwrap_or(&bytes[1..]))));
            }
            for at in [0, bytes.len() / 2, bytes.len() - 1] {
                let mut changed = bytes.clone();
                changed[at] ^= 1;
                bad.push(good.replace(value, &BASE64.encode(&changed)));
            }
            bad.push(good.replace(value, "!"));
        }
        bad.push(good.replace("#aes128-gcm", "#aes256-gcm"));
        bad.push(good.replace("#aes128-gcm", "#tripledes-cbc"));
        bad.push(good.replace("#rsa-oaep-mgf1p", "#rsa-1_5"));
        bad.push(good.replace("xmlenc#Element", "xmlenc#Content"));
        bad.push(good.replace("xenc:EncryptedKey", "xenc:Encrypted"));
        for text in bad {
            let document = read(&text);
            assert_eq!(
                decrypt(wrapped(&document), &with(&keys, None)).unwrap_err(),
                CannotDecrypt
            );
        }
        let document = read(&good);
        assert!(decrypt(wrapped(&document), &with(&[], None)).is_err());
        assert!(decrypt(wrapped(&document), &with(&[private("ec")], None)).is_err());
        assert!(decrypt(document.root(), &with(&keys, None)).is_err());
    }
}
