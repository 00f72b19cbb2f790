//! For tests: the documents of `tests/samples/saml`, which other programs made, and the keys they were made with.

use openssl::pkey::PKey;

use super::{Certificate, PrivateKey, PublicKey, Signer};
use crate::saml::xml::{Element, Namespace};

/// A file of the folder.
pub(in crate::saml) fn sample(name: &str) -> String {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/samples/saml/");
    std::fs::read_to_string(format!("{folder}{name}")).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// The certificate of a name.
pub(in crate::saml) fn certificate(name: &str) -> Certificate {
    Certificate::from_base64(&sample(&format!("{name}.crt"))).unwrap()
}

/// The key in it.
pub(in crate::saml) fn public(name: &str) -> PublicKey {
    certificate(name).public_key().unwrap()
}

/// Its private half.
pub(in crate::saml) fn private(name: &str) -> PrivateKey {
    let key = PKey::private_key_from_pem(sample(&format!("{name}.key")).as_bytes()).unwrap();
    PrivateKey::new(key).unwrap()
}

/// Both, to sign with.
pub(in crate::saml) fn signer(name: &str) -> Signer {
    Signer {
        key: private(name),
        certificate: Some(certificate(name)),
    }
}

/// An assertion of ours about someone, not signed.
pub(in crate::saml) fn assertion(person: &str) -> Element {
    let value = Element::new(Namespace::Saml, "AttributeValue")
        .attribute_in(Namespace::Xsi, "type", "xs:string")
        .declaring(Namespace::Xs)
        .text("Tom & <Jerry>\r\n");
    let attribute = Element::new(Namespace::Saml, "Attribute")
        .attribute("Name", "urn:oid:2.5.4.4")
        .attribute("FriendlyName", "s\t\"n\"")
        .child(value);
    let name = Element::new(Namespace::Saml, "NameID").text(person);
    Element::new(Namespace::Saml, "Assertion")
        .attribute("ID", "_assertion")
        .attribute("Version", "2.0")
        .child(Element::new(Namespace::Saml, "Issuer").text("https://idp.example/m"))
        .child(Element::new(Namespace::Saml, "Subject").child(name))
        .child(Element::new(Namespace::Saml, "AttributeStatement").child(attribute))
}

/// A response of ours around it, not signed.
pub(in crate::saml) fn response(inside: Element) -> Element {
    let code = Element::new(Namespace::Samlp, "StatusCode")
        .attribute("Value", "urn:oasis:names:tc:SAML:2.0:status:Success");
    Element::new(Namespace::Samlp, "Response")
        .attribute("Version", "2.0")
        .attribute("ID", "_response")
        .child(Element::new(Namespace::Saml, "Issuer").text("https://idp.example/m"))
        .child(Element::new(Namespace::Samlp, "Status").child(code))
        .child(inside)
}
