//! For tests: a service provider that signs, reads what it gets, and can be made to get anything wrong.

use std::sync::OnceLock;

use data_encoding::BASE64;

use super::incoming::Incoming;
use super::wire;
use super::xml::{Document, Element, Limits, Namespace};
use super::xmlsec::redirect::{self, Kind};
use super::xmlsec::{self, Decryption, PrivateKey, PublicKey, Signer};
use crate::base::random::SystemRandom;
use crate::base::url;
use crate::domain::saml_entity::{AssertionConsumer, Binding, EncryptionKey, LogoutService, ServiceProvider};
use crate::jose::{self, Algorithm};

/// Our issuer in tests of the cores.
pub(crate) const IDP: &str = "https://id.example.fr/saml/metadata";
/// When messages are sent.
pub(crate) const INSTANT: &str = "2026-10-01T08:00:00Z";

/// A service provider `https://<id>.example/saml`.
#[derive(Clone)]
pub(crate) struct Provider {
    pub(crate) entity_id: String,
    pub(crate) signing: PrivateKey,
    host: String,
}

fn key(algorithm: Algorithm) -> PrivateKey {
    let key = jose::PrivateKey::generate(algorithm).unwrap();
    PrivateKey::from_pkcs8(&key.to_pkcs8().unwrap()).unwrap()
}

/// RSA keys take long to make: all share one to decrypt with.
pub(crate) fn decryption_key() -> &'static PrivateKey {
    static KEY: OnceLock<PrivateKey> = OnceLock::new();
    KEY.get_or_init(|| key(Algorithm::Rs256))
}

pub(crate) fn spki(key: &PrivateKey) -> String {
    BASE64.encode(&key.public().unwrap().to_der().unwrap())
}

impl Provider {
    pub(crate) fn new(id: &str) -> Self {
        Self {
            entity_id: format!("https://{id}.example/saml"),
            signing: key(Algorithm::Es256),
            host: format!("https://{id}.example"),
        }
    }

    /// Its address of an assertion consumer.
    pub(crate) fn acs(&self, index: u16) -> String {
        format!("{}/acs/{index}", self.host)
    }

    /// Where it takes logout messages.
    pub(crate) fn slo(&self) -> String {
        format!("{}/slo", self.host)
    }

    /// Its metadata: signs, decrypts nothing, two assertion consumers, logout by both bindings.
    pub(crate) fn metadata(&self) -> ServiceProvider {
        let consumer = |index, is_default| AssertionConsumer {
            location: self.acs(index),
            index,
            is_default,
        };
        let logout = |binding| LogoutService {
            binding,
            location: self.slo(),
            response_location: (binding == Binding::Post).then(|| format!("{}/done", self.slo())),
        };
        ServiceProvider {
            entity_id: self.entity_id.clone(),
            assertion_consumers: vec![consumer(0, None), consumer(1, Some(true))],
            logout_services: vec![logout(Binding::Redirect), logout(Binding::Post)],
            signing_keys: vec![spki(&self.signing)],
            signs_requests: true,
            ..ServiceProvider::default()
        }
    }

    /// The same, with a key to encrypt for.
    pub(crate) fn with_encryption(&self, methods: &[&str]) -> ServiceProvider {
        ServiceProvider {
            encryption_keys: vec![EncryptionKey {
                spki: spki(decryption_key()),
                methods: methods.iter().map(|uri| (*uri).to_owned()).collect(),
            }],
            ..self.metadata()
        }
    }

    /// What a message of its begins with.
    pub(crate) fn message(&self, name: &'static str, id: &str, destination: &str) -> Element {
        Element::new(Namespace::Samlp, name)
            .attribute("ID", id)
            .attribute("Version", "2.0")
            .attribute("IssueInstant", INSTANT)
            .attribute("Destination", destination)
            .child(Element::new(Namespace::Saml, "Issuer").text(self.entity_id.as_str()))
    }

    /// A request to sign in, with nothing in it.
    pub(crate) fn authn_request(&self, id: &str) -> Element {
        self.message("AuthnRequest", id, "https://id.example.fr/saml/sso")
    }

    /// The query that carries a message, signed.
    pub(crate) fn query(&self, kind: Kind, message: &Element, relay_state: Option<&str>) -> String {
        redirect::write(kind, &message.write(), relay_state, Some(&self.signing)).unwrap()
    }

    /// The form that carries a message, signed.
    pub(crate) fn form(&self, kind: Kind, message: &Element, relay_state: Option<&str>) -> String {
        let signer = Signer {
            key: self.signing.clone(),
            certificate: None,
        };
        let signed = xmlsec::sign(message.clone(), &signer).unwrap();
        form(kind, &signed.write(), relay_state)
    }
}

/// The query that carries a message, unsigned.
pub(crate) fn query(kind: Kind, message: &Element, relay_state: Option<&str>) -> String {
    redirect::write(kind, &message.write(), relay_state, None).unwrap()
}

/// The form that carries a message, as it is.
pub(crate) fn form(kind: Kind, message: &str, relay_state: Option<&str>) -> String {
    let name = match kind {
        Kind::Request => "SAMLRequest",
        Kind::Response => "SAMLResponse",
    };
    let message = wire::to_form(message);
    let state = relay_state.map(|state| ("RelayState", state));
    url::query([(name, &*message)].into_iter().chain(state))
}

/// A message that came in an address.
pub(crate) fn incoming(query: &str) -> Incoming {
    Incoming::from_query(query).unwrap()
}

/// What a service provider that got XML reads in it.
pub(crate) fn read(xml: &str) -> Document {
    Document::read(xml.as_bytes(), &Limits::MESSAGE).unwrap()
}

/// The assertion of a response, decrypted where it is encrypted, believed by the signature on the response, on itself, or on
/// both: each that is there must be right, and one must be there.
pub(crate) fn assertion(response: &str, key: &PublicKey) -> Document {
    let keys = std::slice::from_ref(key);
    let policy = &xmlsec::Policy::MESSAGE;
    let bytes = response.as_bytes();
    let root = xmlsec::Wanted::root(Namespace::Samlp, "Response");
    let of_response = xmlsec::verify(bytes, root, keys, policy);
    let document = match &of_response {
        Ok(signed) => signed.document().clone(),
        Err(xmlsec::Refused::Unsigned) => read(response),
        Err(error) => panic!("{error}"),
    };
    let wanted = xmlsec::Wanted::root(Namespace::Saml, "Assertion");
    let inside = document.root().children().find(|child| {
        child.is(Namespace::Saml, "EncryptedAssertion") || child.is(Namespace::Saml, "Assertion")
    });
    let inside = inside.expect("an assertion");
    let plain = if inside.name() == "EncryptedAssertion" {
        let with = Decryption {
            keys: std::slice::from_ref(decryption_key()),
            inside: None,
            limits: &Limits::MESSAGE,
            random: &SystemRandom,
        };
        xmlsec::decrypt(inside, &with).unwrap()
    } else {
        read(&super::xml::canonical(inside, None, &["xs"]))
    };
    match xmlsec::verify_read(&plain, wanted, keys, policy) {
        Ok(signed) => signed.document().clone(),
        Err(xmlsec::Refused::Unsigned) if of_response.is_ok() => plain,
        Err(error) => panic!("{error}"),
    }
}
