//! Every document is put to two other implementations, libxmlsec1 (by samael) and bergshamra, and the three must give
//! the same answer: the same bytes as signed, or none.
//!
//! Neither is in the program; docs/adr/0014 says why.

use openssl::asn1::Asn1Time;
use openssl::hash::MessageDigest;
use openssl::x509::X509Builder;
use proptest::prelude::*;
use samael::crypto::{AllowedSignatureAlgorithm, CertificateDer, Crypto, CryptoProvider, ReduceMode};

use super::testing::{assertion, public, response, sample, signer};
use super::{Claim, Digest, Engine, Native, Policy, PublicKey, Refused, SignatureAlgorithm, Wanted};
use super::{sign, verify_with};
use crate::saml::xml::{Document, Element, Limits, Namespace, canonical};

/// libxmlsec1: its answer is what it fed to the digest.
struct Libxmlsec;

impl Engine for Libxmlsec {
    fn signed_form(&self, claim: &Claim<'_>, key: &PublicKey) -> Option<String> {
        let algorithm = match claim.algorithm() {
            SignatureAlgorithm::Rsa(Digest::Sha256) => AllowedSignatureAlgorithm::RsaSha256,
            SignatureAlgorithm::Rsa(Digest::Sha384) => AllowedSignatureAlgorithm::RsaSha384,
            SignatureAlgorithm::Rsa(Digest::Sha512) => AllowedSignatureAlgorithm::RsaSha512,
            SignatureAlgorithm::Ecdsa(Digest::Sha256) => AllowedSignatureAlgorithm::EcdsaSha256,
            SignatureAlgorithm::Ecdsa(Digest::Sha384) => AllowedSignatureAlgorithm::EcdsaSha384,
            SignatureAlgorithm::Ecdsa(Digest::Sha512) => AllowedSignatureAlgorithm::EcdsaSha512,
            SignatureAlgorithm::Rsa(Digest::Sha1) | SignatureAlgorithm::Ecdsa(Digest::Sha1) => return None,
        };
        let text = std::str::from_utf8(claim.bytes).unwrap();
        Crypto::reduce_xml_to_signed_with_allowed_algorithms(
            text,
            &[wrapped(key)],
            ReduceMode::PreDigest,
            Some(&[algorithm]),
        )
        .ok()
    }
}

/// It wants keys in certificates, by whomever.
fn wrapped(key: &PublicKey) -> CertificateDer {
    let mut builder = X509Builder::new().unwrap();
    builder.set_version(2).unwrap();
    builder.set_pubkey(&key.key).unwrap();
    builder
        .set_not_before(&Asn1Time::days_from_now(0).unwrap())
        .unwrap();
    builder
        .set_not_after(&Asn1Time::days_from_now(2).unwrap())
        .unwrap();
    builder
        .sign(&signer("foreign").key.key, MessageDigest::sha256())
        .unwrap();
    builder.build().to_der().unwrap().into()
}

/// bergshamra: parser, signatures and canonical form all of its own.
struct Bergshamra;

impl Engine for Bergshamra {
    fn signed_form(&self, claim: &Claim<'_>, key: &PublicKey) -> Option<String> {
        use bergshamra::{DsigContext, KeysManager, VerifyResult, xml::NodeSet};
        let text = std::str::from_utf8(claim.bytes).unwrap();
        let mut keys = KeysManager::new();
        keys.add_key(bergshamra::keys::loader::load_spki_der(&key.to_der().unwrap()).ok()?);
        let document = bergshamra::xml::uppsala::parse(text).ok()?;
        let context = DsigContext::new(keys);
        let results =
            bergshamra::dsig::verify::verify_all_document_with_source(&context, &document, Some(text))
                .ok()?;
        let wanted = format!("#{}", claim.element.attribute("ID").unwrap());
        results.into_iter().find_map(|result| {
            let VerifyResult::Valid {
                signature_node,
                references,
                ..
            } = result
            else {
                return None;
            };
            let [reference] = references.as_slice() else {
                return None;
            };
            let node = reference.resolved_node.filter(|_| reference.uri == wanted)?;
            let all = NodeSet::tree_without_comments(node, &document);
            let set = all.subtract(&NodeSet::tree_with_comments(signature_node, &document));
            let prefixes = &claim.signature.prefixes;
            let form =
                bergshamra::c14n::exclusive::canonicalize(&document, false, Some(&set), prefixes).ok()?;
            Some(String::from_utf8(form).unwrap())
        })
    }
}

const RESPONSE: Wanted = Wanted::root(Namespace::Samlp, "Response");
const ASSERTION: Wanted = Wanted::only_child(Namespace::Saml, "Assertion");
const REQUEST: Wanted = Wanted::root(Namespace::Samlp, "AuthnRequest");
const AGGREGATE: Wanted = Wanted::root(Namespace::Md, "EntitiesDescriptor");

/// What the engine says is signed.
fn form(
    engine: &dyn Engine,
    text: &str,
    wanted: Wanted,
    key: &PublicKey,
    policy: &Policy,
) -> Result<String, Refused> {
    let signed = verify_with(engine, text.as_bytes(), wanted, std::slice::from_ref(key), policy)?;
    Ok(canonical(signed.root(), None, &[]))
}

/// The engines agree on a document; what they say.
fn agreed(text: &str, wanted: Wanted, key: &PublicKey, policy: &Policy) -> Result<String, Refused> {
    let ours = form(&Native, text, wanted, key, policy);
    assert_eq!(form(&Bergshamra, text, wanted, key, policy), ours, "bergshamra");
    let samael_counts = !policy.sha1;
    if samael_counts {
        assert_eq!(form(&Libxmlsec, text, wanted, key, policy), ours, "libxmlsec1");
    }
    ours
}

#[test]
fn what_xmlsec1_pysaml2_and_signxml_signed_is_accepted_alike_and_a_changed_byte_refused_alike() {
    let vectors = [
        ("xmlsec1-response-rsa-sha256.xml", RESPONSE, "rsa"),
        ("xmlsec1-response-rsa-sha384.xml", RESPONSE, "rsa"),
        ("xmlsec1-response-rsa-sha512.xml", RESPONSE, "rsa"),
        ("xmlsec1-response-ec-sha256.xml", RESPONSE, "ec"),
        ("xmlsec1-response-ec384-sha384.xml", RESPONSE, "ec384"),
        ("xmlsec1-response-ec521-sha512.xml", RESPONSE, "ec521"),
        ("xmlsec1-assertion.xml", ASSERTION, "rsa"),
        ("xmlsec1-both.xml", RESPONSE, "rsa"),
        ("xmlsec1-aggregate.xml", AGGREGATE, "rsa"),
        ("signxml-response-rsa.xml", RESPONSE, "rsa"),
        ("signxml-response-ec.xml", RESPONSE, "ec"),
        ("pysaml2-authn-request.xml", REQUEST, "rsa"),
        ("pysaml2-response.xml", RESPONSE, "rsa"),
        ("pysaml2-assertion.xml", ASSERTION, "rsa"),
        ("pysaml2-both.xml", RESPONSE, "rsa"),
    ];
    let foreign = public("foreign");
    for (name, wanted, key) in vectors {
        let text = sample(name);
        let policy = if name.contains("aggregate") {
            Policy::METADATA
        } else {
            Policy::MESSAGE
        };
        let signed =
            agreed(&text, wanted, &public(key), &policy).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(
            !signed.contains("<ds:Signature ") || name.contains("both"),
            "{name}"
        );
        assert_eq!(
            agreed(&text, wanted, &foreign, &policy),
            Err(Refused::Signature),
            "{name}"
        );
        for (from, to) in [("example", "exampIe"), ("Version=\"2.0\"", "Version=\"2.1\"")] {
            let at = text.rfind(from).unwrap_or_else(|| text.find("deux").unwrap());
            let end = if text[at..].starts_with(from) {
                at + from.len()
            } else {
                at + 4
            };
            let changed = format!("{}{to}{}", &text[..at], &text[end..]);
            assert_eq!(
                agreed(&changed, wanted, &public(key), &policy),
                Err(Refused::Signature),
                "{name} {to}"
            );
        }
    }
}

#[test]
fn both_signatures_of_a_response_count_each_for_its_element() {
    for name in ["xmlsec1-both.xml", "pysaml2-both.xml"] {
        let text = sample(name);
        let inner = form(&Native, &text, ASSERTION, &public("rsa"), &Policy::MESSAGE).unwrap();
        assert!(
            !inner.contains(":Response") && !inner.contains("StatusCode"),
            "{name}"
        );
        assert_eq!(
            form(&Bergshamra, &text, ASSERTION, &public("rsa"), &Policy::MESSAGE).unwrap(),
            inner
        );
    }
}

#[test]
fn attack_19_sha1_counts_for_nobody_but_a_party_that_knows_no_better() {
    let policy = Policy {
        sha1: true,
        ..Policy::METADATA
    };
    for (name, wanted) in [
        ("xmlsec1-response-rsa-sha1.xml", RESPONSE),
        ("pysaml2-aggregate.xml", AGGREGATE),
    ] {
        let text = sample(name);
        assert!(agreed(&text, wanted, &public("rsa"), &policy).is_ok(), "{name}");
        let strict = form(&Native, &text, wanted, &public("rsa"), &Policy::METADATA);
        assert_eq!(strict, Err(Refused::Algorithm), "{name}");
    }
}

#[test]
fn what_we_sign_the_others_accept() {
    for key in ["rsa", "ec"] {
        let signer = signer(key);
        let plain = response(assertion("lina.petit"));
        let both = sign(response(sign(assertion("lina.petit"), &signer).unwrap()), &signer).unwrap();
        let documents = [
            (sign(plain.clone(), &signer).unwrap(), RESPONSE),
            (
                response(sign(assertion("lina.petit"), &signer).unwrap()),
                ASSERTION,
            ),
            (both, RESPONSE),
        ];
        for (document, wanted) in documents {
            let text = document.write();
            let signed = agreed(&text, wanted, &public(key), &Policy::MESSAGE).unwrap();
            assert!(signed.contains("lina.petit"));
            // saml-core §2.3.3, §3.2.2: the signature stands behind the issuer.
            let read = Document::read(text.as_bytes(), &Limits::MESSAGE).unwrap();
            for signature in read.elements().filter(|node| node.is(Namespace::Ds, "Signature")) {
                let names: Vec<_> = signature
                    .parent()
                    .unwrap()
                    .children()
                    .map(|node| node.name())
                    .collect();
                assert_eq!(names[..2], ["Issuer", "Signature"]);
            }
        }
    }
}

/// Elements of ours with everything that makes canonical forms hard.
fn elements() -> impl Strategy<Value = Element> {
    let namespace = prop::sample::select(vec![
        Namespace::Saml,
        Namespace::Samlp,
        Namespace::Ds,
        Namespace::Md,
    ]);
    let name = prop::sample::select(vec!["Issuer", "Response", "A", "b"]);
    let value = "[a-zA-Zé&<>\"' \t\n\r\u{0}\u{8}\u{FFFE}\u{1F600}]{0,12}";
    let attributes = prop::collection::vec(
        (
            prop::option::of(prop::sample::select(vec![
                Namespace::Xsi,
                Namespace::Xml,
                Namespace::Xenc,
            ])),
            prop::sample::select(vec!["ID", "type", "lang", "a", "Z"]),
            value,
        ),
        0..4,
    );
    let bare = (namespace, name, attributes, value, any::<bool>()).prop_map(
        |(namespace, name, attributes, text, declares)| {
            let mut element = Element::new(namespace, name);
            for (of, called, value) in attributes {
                element = match of {
                    Some(of) => element.attribute_in(of, called, value),
                    None => element.attribute(called, value),
                };
            }
            if declares {
                element = element.declaring(Namespace::Xs);
            }
            element.text(text)
        },
    );
    bare.clone().prop_recursive(4, 24, 4, move |inner| {
        (bare.clone(), prop::collection::vec(inner, 0..4), "[a&\r ]{0,3}")
            .prop_map(|(element, children, text)| element.children(children).text(text))
    })
}

/// Documents of anybody, with prefixes and default namespaces declared anew and in vain.
fn foreign_documents() -> impl Strategy<Value = String> {
    let declared = prop::collection::vec(
        (
            prop::sample::select(vec!["xmlns", "xmlns:a", "xmlns:b", "xmlns:c"]),
            prop::sample::select(vec!["urn:one", "urn:two", "http://three/x?y=z"]),
        ),
        0..4,
    );
    let name = prop::sample::select(vec!["x", "a:x", "b:y", "z"]);
    // No line end as it is: xml §3.3.3 makes it a space, bergshamra 0.11.1 leaves it.
    let attribute = prop::sample::select(vec![
        "",
        " a:k='v&#9;w'",
        " k=\"&lt;&quot;'\" b:k='1'",
        " xml:lang='fr' k='  '",
    ]);
    let text = prop::sample::select(vec!["", "t&amp;<![CDATA[<]]>&#13;", "\r\n&gt;", "é"]);
    let leaf = (name, declared, attribute, text, any::<bool>()).prop_map(
        |(name, mut declared, attribute, text, undo)| {
            declared.sort_unstable();
            declared.dedup_by_key(|(prefix, _)| *prefix);
            let mut tag = format!("<{name}");
            for (prefix, uri) in &declared {
                tag.push_str(&format!(" {prefix}='{uri}'"));
            }
            if undo && !declared.iter().any(|(prefix, _)| *prefix == "xmlns") {
                tag.push_str(" xmlns=''");
            }
            (format!("{tag}{attribute}>{text}"), name)
        },
    );
    leaf.clone()
        .prop_map(|(open, name)| format!("{open}</{name}>"))
        .prop_recursive(5, 32, 4, move |inner| {
            (leaf.clone(), prop::collection::vec(inner, 0..4))
                .prop_map(|((open, name), children)| format!("{open}{}</{name}>", children.concat()))
        })
        .prop_map(|inside| {
            format!(
                "<r xmlns:a='urn:one' xmlns:b='urn:two' xmlns='urn:d' xmlns:unused='urn:u'>{inside}<Q/></r>"
            )
        })
}

/// bergshamra's canonical form of the first element in the root, or of the root.
fn theirs(text: &str, of_child: bool, prefixes: &[&str]) -> String {
    let document = bergshamra::xml::uppsala::parse(text).unwrap();
    let root = document.document_element().unwrap();
    let node = if of_child {
        document.children(root).into_iter().next().unwrap()
    } else {
        root
    };
    let set = bergshamra::xml::NodeSet::tree_without_comments(node, &document);
    let form = bergshamra::c14n::exclusive::canonicalize(&document, false, Some(&set), prefixes).unwrap();
    String::from_utf8(form).unwrap()
}

proptest! {
    #[test]
    fn what_is_written_is_canonical_and_reads_back_as_it_was(element in elements()) {
        let written = element.write();
        let read = Document::read(written.as_bytes(), &Limits::MESSAGE).unwrap();
        prop_assert_eq!(canonical(read.root(), None, &element.declared_prefixes()), written.clone());
        prop_assert_eq!(theirs(&written, false, &element.declared_prefixes()), written);
    }

    #[test]
    fn canonical_forms_are_those_of_a_second_implementation(text in foreign_documents()) {
        let read = Document::read(text.as_bytes(), &Limits::MESSAGE).unwrap();
        let child = read.root().children().next().unwrap();
        for prefixes in [&[][..], &["b", "unused"], &["#default", "a"]] {
            prop_assert_eq!(canonical(read.root(), None, prefixes), theirs(&text, false, prefixes), "{}", text);
            prop_assert_eq!(canonical(child, None, prefixes), theirs(&text, true, prefixes), "{}", text);
        }
    }

    #[test]
    fn no_bytes_make_the_reader_or_the_check_fall(bytes in prop::collection::vec(any::<u8>(), 0..200), at in 0usize..4000) {
        let keys = [public("rsa")];
        let _ = super::verify(&bytes, RESPONSE, &keys, &Policy::MESSAGE);
        let mut text = sample("pysaml2-both.xml").into_bytes();
        let at = at.min(text.len() - 1);
        let end = (at + bytes.len() / 8).min(text.len());
        text.splice(at..end, bytes.iter().copied().take(6));
        let _ = super::verify(&text, RESPONSE, &keys, &Policy::MESSAGE);
        let _ = super::verify(&text, ASSERTION, &keys, &Policy::METADATA);
    }
}
