//! What the program `xmlsec1` says of what we sign and encrypt, where `MARELLE_TEST_XMLSEC1` names it (`make test` does).

use std::path::Path;
use std::process::Command;

use data_encoding::BASE64;
use marelle::base::random::SystemRandom;
use marelle::saml::xml::{Document, Element, Limits, Namespace, canonical};
use marelle::saml::xmlsec::{
    Certificate, Cipher, KeyTransport, PrivateKey, Recipient, Signer, encrypt, sign,
};

/// The program, where one is named.
fn xmlsec1(arguments: &[&str]) -> Option<std::process::Output> {
    #[expect(clippy::disallowed_methods, reason = "the tests' own switch")]
    let program = std::env::var("MARELLE_TEST_XMLSEC1").ok()?;
    let output = Command::new(&program).args(arguments).output();
    Some(output.unwrap_or_else(|error| panic!("{program} does not run; apt-get install xmlsec1: {error}")))
}

fn sample(name: &str) -> String {
    format!("{}/tests/samples/saml/{name}", env!("CARGO_MANIFEST_DIR"))
}

fn certificate(name: &str) -> Certificate {
    Certificate::from_base64(&std::fs::read_to_string(sample(&format!("{name}.crt"))).unwrap()).unwrap()
}

fn signer(name: &str) -> Signer {
    let pem = std::fs::read_to_string(sample(&format!("{name}.key"))).unwrap();
    let base64: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    Signer {
        key: PrivateKey::from_pkcs8(&BASE64.decode(base64.as_bytes()).unwrap()).unwrap(),
        certificate: Some(certificate(name)),
    }
}

fn assertion() -> Element {
    let value = Element::new(Namespace::Saml, "AttributeValue")
        .attribute_in(Namespace::Xsi, "type", "xs:string")
        .declaring(Namespace::Xs)
        .text("Tom & <Jerry> é\r\n");
    let attribute = Element::new(Namespace::Saml, "Attribute")
        .attribute("FriendlyName", "s\t\"n\"")
        .child(value);
    Element::new(Namespace::Saml, "Assertion")
        .attribute("ID", "_assertion")
        .child(Element::new(Namespace::Saml, "Issuer").text("https://idp.example/m"))
        .child(Element::new(Namespace::Saml, "AttributeStatement").child(attribute))
}

fn response(inside: Element) -> Element {
    Element::new(Namespace::Samlp, "Response")
        .attribute("ID", "_response")
        .child(Element::new(Namespace::Saml, "Issuer").text("https://idp.example/m"))
        .child(inside)
}

/// Writes the document where the program can read it.
fn written(folder: &Path, document: &str) -> String {
    let path = folder.join("document.xml");
    std::fs::write(&path, document).unwrap();
    path.to_str().unwrap().to_owned()
}

#[test]
fn xmlsec1_verifies_what_we_sign_and_not_what_was_changed() {
    let folder = tempfile::tempdir().unwrap();
    for key in ["rsa", "ec"] {
        let signer = signer(key);
        let inner = response(sign(assertion(), &signer).unwrap());
        let both = sign(inner.clone(), &signer).unwrap();
        let documents = [
            (sign(response(assertion()), &signer).unwrap(), "Response"),
            (inner, "Assertion"),
            (both.clone(), "Response"),
            (both, "Assertion"),
        ];
        let certificate = sample(&format!("{key}.crt"));
        for (document, signed) in documents {
            let text = document.write();
            let (namespace, path) = match signed {
                "Response" => (Namespace::Samlp, "/*/*[local-name()='Signature']"),
                _ => (Namespace::Saml, "/*/*/*[local-name()='Signature']"),
            };
            let element = format!("{}:{signed}", namespace.uri());
            let verify = |text: &str| {
                let file = written(folder.path(), text);
                let key = ["--verify", "--pubkey-cert-pem", &certificate];
                let what = ["--id-attr:ID", &element, "--node-xpath", path, &file];
                xmlsec1(&[&key[..], &what].concat())
            };
            let Some(output) = verify(&text) else { return };
            let said = String::from_utf8_lossy(&output.stderr);
            assert!(output.status.success(), "{key} {signed}: {said}\n{text}");
            assert!(!verify(&text.replace("Jerry", "jerry")).unwrap().status.success());
        }
    }
}

#[test]
fn xmlsec1_decrypts_what_we_encrypt() {
    let folder = tempfile::tempdir().unwrap();
    let key = certificate("rsa").public_key().unwrap();
    for cipher in Cipher::ALL {
        let recipient = Recipient {
            key: &key,
            cipher: *cipher,
            transport: KeyTransport::OaepMgf1p,
        };
        let wrapper = Element::new(Namespace::Saml, "EncryptedAssertion");
        let document = encrypt(&assertion(), wrapper, &recipient, &SystemRandom).unwrap();
        let file = written(folder.path(), &response(document).write());
        let Some(output) = xmlsec1(&["--decrypt", "--privkey-pem", &sample("rsa.key"), &file]) else {
            return;
        };
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{cipher:?}: {said}");
        let plain = Document::read(&output.stdout, &Limits::MESSAGE).unwrap();
        let inside = plain.root().children().last().unwrap();
        let opened = inside.child(Namespace::Saml, "Assertion").unwrap();
        assert_eq!(
            canonical(opened, None, &["xs"]),
            assertion().write(),
            "{cipher:?}"
        );
    }
}
