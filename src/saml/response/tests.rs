//! Answers as they are written: every element of the profile, signed and sealed as the party wants it.

use super::*;
use crate::base::random::SeededRandom;
use crate::saml::message::instant;
use crate::saml::name_id::NameIdFormat;
use crate::saml::status::Detail;
use crate::saml::testing::{IDP, Provider, assertion as believed, decryption_key, read};
use crate::saml::xml::{Document, Node};
use crate::saml::xmlsec::{Policy, PrivateKey, Wanted, verify};

const NOW: Timestamp = Timestamp::from_seconds(1_790_841_600);
const ACS: &str = "https://ent.example/acs/1";
const NO_METHODS: &[String] = &[];
const SP: &str = "https://ent.example/saml";

fn keys() -> [PrivateKey; 2] {
    [Provider::new("idp").signing, decryption_key().clone()]
}

fn envelope(in_response_to: Option<&str>) -> Envelope<'_> {
    Envelope {
        issuer: IDP,
        destination: ACS,
        in_response_to,
        now: NOW,
    }
}

fn said(value: &str) -> Said<'_> {
    Said {
        audience: SP,
        name_id: NameId {
            format: NameIdFormat::Transient,
            value: value.into(),
        },
        session_index: "the-login",
        authenticated_at: NOW.minus(Duration::from_secs(30)),
        session_until: NOW.plus(Duration::from_secs(3600)),
        class: "urn:x",
        attributes: vec![Element::new(Namespace::Saml, "Attribute").attribute("Name", "sn")],
    }
}

fn protection(signed: Signed, encrypted: bool) -> Protection {
    let party = SamlParty {
        signed,
        ..SamlParty::default()
    };
    let key = decryption_key().public().unwrap();
    let keys = if encrypted {
        vec![(key, NO_METHODS)]
    } else {
        vec![]
    };
    Protection::of(&party, keys).unwrap()
}

fn written(key: &PrivateKey, protection: &Protection) -> String {
    let signer = Signer {
        key: key.clone(),
        certificate: None,
    };
    let random = SeededRandom::new(3);
    success(&envelope(Some("_r1")), said("abc"), protection, &signer, &random).unwrap()
}

fn at<'d>(document: &'d Document, path: &[&str]) -> Node<'d> {
    path.iter().fold(document.root(), |node, name| {
        node.children()
            .find(|child| child.name() == *name)
            .unwrap_or_else(|| panic!("{name} in {node:?}"))
    })
}

#[test]
fn whatever_is_signed_and_encrypted_the_party_reads_the_same_assertion() {
    for key in keys() {
        for signed in Signed::ALL {
            for encrypted in [false, true] {
                let response = written(&key, &protection(*signed, encrypted));
                assert_eq!(response.contains("EncryptedAssertion"), encrypted);
                assert_eq!(response.contains("the-login"), !encrypted);
                let assertion = believed(&response, &key.public().unwrap());
                assert_eq!(
                    at(&assertion, &["Subject", "NameID"]).text(),
                    Some("abc"),
                    "{signed}"
                );
            }
        }
    }
}

#[test]
fn a_response_is_signed_where_the_party_wants_it_and_nowhere_else() {
    let [key, _] = keys();
    let public = [key.public().unwrap()];
    for (signed, of_response, of_assertion) in [
        (Signed::Both, true, true),
        (Signed::Response, true, false),
        (Signed::Assertion, false, true),
    ] {
        let response = written(&key, &protection(signed, false));
        let is = |wanted| verify(response.as_bytes(), wanted, &public, &Policy::MESSAGE).is_ok();
        assert_eq!(
            is(Wanted::root(Namespace::Samlp, "Response")),
            of_response,
            "{signed}"
        );
        assert_eq!(
            is(Wanted::only_child(Namespace::Saml, "Assertion")),
            of_assertion,
            "{signed}"
        );
    }
}

#[test]
fn profiles_section_4_1_4_2_all_that_an_assertion_must_say_is_there() {
    let [key, _] = keys();
    let response = written(&key, &protection(Signed::Response, false));
    let document = read(&response);
    let root = document.root();
    assert_eq!(
        (root.attribute("Destination"), root.attribute("InResponseTo")),
        (Some(ACS), Some("_r1"))
    );
    assert_eq!(at(&document, &["Issuer"]).text(), Some(IDP));
    let of = |path: &[&str], name: &str| {
        let path = [&["Assertion"] as &[&str], path].concat();
        at(&document, &path)
            .attribute(name)
            .unwrap_or_default()
            .to_owned()
    };
    let name = ["Subject", "NameID"];
    assert_eq!(of(&name, "NameQualifier"), IDP);
    assert_eq!(of(&name, "SPNameQualifier"), SP);
    let data = ["Subject", "SubjectConfirmation", "SubjectConfirmationData"];
    assert_eq!(
        (of(&data, "Recipient"), of(&data, "InResponseTo")),
        (ACS.into(), "_r1".into())
    );
    assert_eq!(of(&data, "NotBefore"), "");
    assert_eq!(of(&["Subject", "SubjectConfirmation"], "Method"), BEARER);
    let until = NOW.plus(LIFETIME);
    assert_eq!(instant(&of(&data, "NotOnOrAfter")), Some(until));
    assert_eq!(instant(&of(&["Conditions"], "NotOnOrAfter")), Some(until));
    let audience = at(
        &document,
        &["Assertion", "Conditions", "AudienceRestriction", "Audience"],
    );
    assert_eq!(audience.text(), Some(SP));
    let authentication = ["AuthnStatement"];
    assert_eq!(
        instant(&of(&authentication, "AuthnInstant")),
        Some(NOW.minus(Duration::from_secs(30)))
    );
    assert_eq!(of(&authentication, "SessionIndex"), "the-login");
    let session_until = instant(&of(&authentication, "SessionNotOnOrAfter"));
    assert_eq!(session_until, Some(NOW.plus(Duration::from_secs(3600))));
    let class = at(
        &document,
        &[
            "Assertion",
            "AuthnStatement",
            "AuthnContext",
            "AuthnContextClassRef",
        ],
    );
    assert_eq!(class.text(), Some("urn:x"));
    let ids = [root, at(&document, &["Assertion"])].map(|node| node.attribute("ID").unwrap().to_owned());
    assert!(ids[0] != ids[1] && ids.iter().all(|id| id.len() == 41));
}

#[test]
fn entcore_wants_not_before_strictly_past_and_both_ends_of_the_conditions() {
    let [key, _] = keys();
    let document = read(&written(&key, &protection(Signed::Response, false)));
    let conditions = at(&document, &["Assertion", "Conditions"]);
    let [from, to] = ["NotBefore", "NotOnOrAfter"].map(|name| instant(conditions.attribute(name).unwrap()));
    assert!(from.unwrap() < NOW.minus(Duration::from_secs(29)) && to.unwrap() > NOW);
    let assertions = document
        .root()
        .children()
        .filter(|child| child.name() == "Assertion");
    assert_eq!(assertions.count(), 1, "exactly one");
}

#[test]
fn without_a_request_nothing_is_answered_to() {
    let [key, _] = keys();
    let signer = Signer {
        key,
        certificate: None,
    };
    let random = SeededRandom::new(3);
    let protection = protection(Signed::Both, false);
    let response = success(&envelope(None), said("abc"), &protection, &signer, &random).unwrap();
    assert!(!response.contains("InResponseTo"));
}

#[test]
fn attack_33_no_name_becomes_markup_in_an_assertion() {
    let [key, _] = keys();
    let signer = Signer {
        key: key.clone(),
        certificate: None,
    };
    let evil = "x</saml:NameID><saml:NameID>admin<!-- & ]]> \u{1}";
    let mut about = said(evil);
    let value = Element::new(Namespace::Saml, "AttributeValue").text(evil);
    about.attributes = vec![
        Element::new(Namespace::Saml, "Attribute")
            .attribute("Name", evil)
            .child(value),
    ];
    let protection = protection(Signed::Both, false);
    let random = SeededRandom::new(4);
    let response = success(&envelope(None), about, &protection, &signer, &random).unwrap();
    let assertion = believed(&response, &key.public().unwrap());
    let readable = evil.replace('\u{1}', "");
    assert_eq!(
        at(&assertion, &["Subject", "NameID"]).text(),
        Some(readable.as_str())
    );
    let attribute = at(&assertion, &["AttributeStatement", "Attribute"]);
    assert_eq!(attribute.attribute("Name"), Some(readable.as_str()));
    assert_eq!(attribute.children().count(), 1);
}

#[test]
fn a_refusal_is_signed_and_says_both_levels() {
    for key in keys() {
        let signer = Signer {
            key: key.clone(),
            certificate: None,
        };
        let status = Status::responder(Detail::NoPassive, "the person has to sign in");
        let response = refusal(&envelope(Some("_r1")), status, &signer, &SeededRandom::new(5)).unwrap();
        let wanted = Wanted::root(Namespace::Samlp, "Response");
        let public = [key.public().unwrap()];
        let signed = verify(response.as_bytes(), wanted, &public, &Policy::MESSAGE).unwrap();
        let code = at(signed.document(), &["Status", "StatusCode"]);
        assert_eq!(
            code.attribute("Value"),
            Some("urn:oasis:names:tc:SAML:2.0:status:Responder")
        );
        assert!(!response.contains("Assertion>"));
    }
}

#[test]
fn what_is_encrypted_is_what_party_and_operator_can_agree_on() {
    const GCM: &str = "http://www.w3.org/2009/xmlenc11#aes256-gcm";
    const CBC: &str = "http://www.w3.org/2001/04/xmlenc#aes256-cbc";
    let methods = |all: &[&str]| all.iter().map(|uri| (*uri).to_owned()).collect::<Vec<_>>();
    for (listed, tolerated, expected) in [
        (&[] as &[&str], false, Some(Cipher::Aes128Gcm)),
        (&[], true, Some(Cipher::Aes128Cbc)),
        (&[CBC, GCM], false, Some(Cipher::Aes256Gcm)),
        (&[CBC, GCM], true, Some(Cipher::Aes256Gcm)),
        (&[CBC], true, Some(Cipher::Aes256Cbc)),
        (&[CBC], false, None),
        (&["urn:x"], false, Some(Cipher::Aes128Gcm)),
    ] {
        assert_eq!(
            cipher(&methods(listed), tolerated),
            expected,
            "{listed:?} {tolerated}"
        );
    }
    let mut party = SamlParty::default();
    assert!(Protection::of(&party, vec![]).unwrap().encrypted.is_none());
    party.encryption = Encryption::Required;
    assert!(Protection::of(&party, vec![]).is_err());
    let [ec, rsa] = keys().map(|key| key.public().unwrap());
    assert!(
        Protection::of(&party, vec![(ec, NO_METHODS)]).is_err(),
        "it cannot encrypt"
    );
    let cbc_only = methods(&[CBC]);
    assert!(Protection::of(&party, vec![(rsa.clone(), cbc_only.as_slice())]).is_err());
    party.encryption = Encryption::Never;
    assert!(
        Protection::of(&party, vec![(rsa, NO_METHODS)])
            .unwrap()
            .encrypted
            .is_none()
    );
}

#[test]
fn some_parties_reject_the_mask_so_it_is_written_only_where_the_operator_says_so() {
    let [key, _] = keys();
    let public = decryption_key().public().unwrap();
    for mgf in [false, true] {
        let party = SamlParty {
            mgf,
            ..SamlParty::default()
        };
        let protection = Protection::of(&party, vec![(public.clone(), NO_METHODS)]).unwrap();
        let response = written(&key, &protection);
        assert_eq!(response.contains("MGF"), mgf);
        believed(&response, &key.public().unwrap());
    }
}
