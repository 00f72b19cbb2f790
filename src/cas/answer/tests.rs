//! The answers, against the examples of the specification and against people with unusual names.

use serde_json::{Value, json};

use super::*;
use crate::cas::attribute::tests::Lina;
use crate::domain::relying_party::{Attribute, CasPreset, CasSource, ValueFormat};
use crate::xml::{Document, Limits, Namespace, Node as Element};

const NOW: Timestamp = Timestamp::from_seconds(1_790_841_600);

fn success(shape: Shape) -> Success {
    Success {
        user: "abc".into(),
        shape,
        authenticated_at: NOW,
        is_from_login: true,
        proxies: Vec::new(),
        iou: None,
    }
}

fn bare() -> Success {
    success(Shape {
        facts: None,
        attributes: Vec::new(),
        beside: Vec::new(),
    })
}

fn written(answer: &Answer, endpoint: Endpoint, format: Format) -> String {
    let names = Names {
        issuer: "https://id.example.fr",
        service: "https://ent.example/?a=1&b=<2>",
        id: "0123",
        now: NOW,
    };
    answer.written(endpoint, format, names).body
}

fn xml(answer: &Answer) -> String {
    written(answer, Endpoint::Service, Format::Xml)
}

fn json(answer: &Answer) -> Value {
    serde_json::from_str(&written(answer, Endpoint::Proxy, Format::Json)).unwrap()
}

fn yes(success: Success) -> Answer {
    Answer::Validated(Box::new(success))
}

#[test]
fn section_2_5_2_a_success_as_in_the_specification() {
    let answer = yes(Success {
        user: "username".into(),
        iou: Some(Secret::new("PGTIOU-84678-8a9d...")),
        ..bare()
    });
    assert_eq!(
        xml(&answer),
        "<cas:serviceResponse xmlns:cas=\"http://www.yale.edu/tp/cas\"><cas:authenticationSuccess>\
         <cas:user>username</cas:user><cas:proxyGrantingTicket>PGTIOU-84678-8a9d...</cas:proxyGrantingTicket>\
         </cas:authenticationSuccess></cas:serviceResponse>"
    );
    let expected = json!({"serviceResponse": {"authenticationSuccess": {
        "user": "username", "proxyGrantingTicket": "PGTIOU-84678-8a9d...",
    }}});
    assert_eq!(json(&answer), expected);
    assert_eq!(
        written(&answer, Endpoint::Validate, Format::Xml),
        "yes\nusername\n",
        "§2.4.2"
    );
}

#[test]
fn section_2_5_2_a_failure_as_in_the_specification() {
    let refusal = Refusal::UNKNOWN;
    let answer = Answer::Refused(refusal);
    assert_eq!(
        xml(&answer),
        format!(
            "<cas:serviceResponse xmlns:cas=\"http://www.yale.edu/tp/cas\">\
             <cas:authenticationFailure code=\"INVALID_TICKET\">{}</cas:authenticationFailure>\
             </cas:serviceResponse>",
            refusal.description
        )
    );
    let expected = json!({"serviceResponse": {"authenticationFailure": {
        "code": "INVALID_TICKET", "description": refusal.description,
    }}});
    assert_eq!(json(&answer), expected);
    assert_eq!(
        written(&answer, Endpoint::Validate, Format::Xml),
        "no\n\n",
        "§2.4.2"
    );
    assert!(!answer.is_failure() && Answer::Refused(Refusal::INTERNAL).is_failure());
}

#[test]
fn section_2_6_2_proxies_are_listed_the_latest_first() {
    let answer = yes(Success {
        proxies: vec!["https://proxy2/pgtUrl".into(), "https://proxy1/pgtUrl".into()],
        ..bare()
    });
    assert!(xml(&answer).contains(
        "<cas:user>abc</cas:user><cas:proxies><cas:proxy>https://proxy2/pgtUrl</cas:proxy>\
         <cas:proxy>https://proxy1/pgtUrl</cas:proxy></cas:proxies>"
    ));
    let proxies = &json(&answer)["serviceResponse"]["authenticationSuccess"]["proxies"];
    assert_eq!(
        *proxies,
        json!(["https://proxy2/pgtUrl", "https://proxy1/pgtUrl"])
    );
}

#[test]
fn section_2_7_2_a_proxy_ticket_and_a_refusal_of_one() {
    let answer = Answer::Proxied(Secret::new("PT-1856392-b98xZrQN4p90ASrw96c8"));
    assert_eq!(
        xml(&answer),
        "<cas:serviceResponse xmlns:cas=\"http://www.yale.edu/tp/cas\"><cas:proxySuccess>\
         <cas:proxyTicket>PT-1856392-b98xZrQN4p90ASrw96c8</cas:proxyTicket></cas:proxySuccess>\
         </cas:serviceResponse>"
    );
    let refused = Answer::NotProxied(crate::cas::proxy::UNAUTHORIZED);
    assert!(xml(&refused).contains("<cas:proxyFailure code=\"UNAUTHORIZED_SERVICE\">"));
    assert_eq!(
        json(&refused)["serviceResponse"]["proxyFailure"]["code"],
        "UNAUTHORIZED_SERVICE"
    );
}

#[test]
fn appendix_a_attributes_stand_behind_the_facts_of_the_login() {
    let shape = Lina::new(CasPreset::Cas3)
        .only(&[Attribute::GivenName, Attribute::Uai])
        .shape();
    let answer = yes(success(shape));
    assert!(
        xml(&answer).contains(
            "<cas:user>abc</cas:user><cas:attributes>\
             <cas:authenticationDate>2026-10-01T08:00:00Z</cas:authenticationDate>\
             <cas:longTermAuthenticationRequestTokenUsed>false</cas:longTermAuthenticationRequestTokenUsed>\
             <cas:isFromNewLogin>true</cas:isFromNewLogin><cas:givenName>Lina</cas:givenName>\
             <cas:ENTPersonStructRattachUAI>9990001X</cas:ENTPersonStructRattachUAI>\
             <cas:ENTPersonStructRattachUAI>9990101F</cas:ENTPersonStructRattachUAI></cas:attributes>"
        ),
        "{}",
        xml(&answer)
    );
    let attributes = &json(&answer)["serviceResponse"]["authenticationSuccess"]["attributes"];
    assert_eq!(attributes["givenName"], "Lina");
    assert_eq!(
        attributes["ENTPersonStructRattachUAI"],
        json!(["9990001X", "9990101F"])
    );
}

#[test]
fn what_stands_inside_one_another_is_an_object_in_json() {
    let entcore = json(&yes(success(Lina::new(CasPreset::Entcore).shape())));
    let attributes = &entcore["serviceResponse"]["authenticationSuccess"]["attributes"];
    assert_eq!(attributes["isfromnewlogin"], "true");
    assert_eq!(
        attributes["userAttributes"]["schools"]["school"][0],
        json!({"UAI": "9990001X", "externalId": "9990001X", "classes": {"classe": "CM2 A"}})
    );
    let kne = json(&yes(success(Lina::new(CasPreset::Kne).shape())));
    let answer = &kne["serviceResponse"]["authenticationSuccess"];
    assert_eq!(answer["ENTPersonProfils"]["ENTPersonProfil"], "National_ELV");
    assert_eq!(answer["attributes"], Value::Null);
}

#[test]
fn section_4_2_5_an_assertion_names_the_person_the_service_and_each_attribute() {
    let answer = yes(success(Lina::new(CasPreset::Entcore).shape()));
    let text = written(&answer, Endpoint::Saml, Format::Xml);
    let document = Document::read(text.as_bytes(), &Limits::MESSAGE).unwrap();
    let first = |name: &str| {
        document
            .elements()
            .find(|element| element.name() == name)
            .unwrap()
    };
    assert_eq!(first("StatusCode").attribute("Value"), Some("samlp:Success"));
    assert_eq!(
        first("StatusCode").namespace_of("samlp"),
        Some(Namespace::Samlp1.uri())
    );
    assert_eq!(first("NameIdentifier").text(), Some("abc"));
    assert_eq!(first("Audience").text(), Some("https://ent.example/?a=1&b=<2>"));
    let validity = first("Conditions");
    assert_eq!(validity.attribute("NotOnOrAfter"), Some("2026-10-01T08:00:30Z"));
    let named = |name: &str| -> Vec<&str> {
        let attribute = document
            .elements()
            .find(|element| element.attribute("AttributeName") == Some(name));
        attribute.unwrap().children().filter_map(Element::text).collect()
    };
    assert_eq!(named("firstName"), ["Lina"]);
    assert_eq!(named("UAI"), ["9990001X", "9990101F"]);
    assert_eq!(named("classe"), ["CM2 A", "6E A"]);
    let refused = written(&Answer::Refused(Refusal::UNKNOWN), Endpoint::Saml, Format::Xml);
    let document = Document::read(refused.as_bytes(), &Limits::MESSAGE).unwrap();
    let codes: Vec<_> = document
        .elements()
        .filter_map(|element| element.attribute("Value"))
        .collect();
    assert_eq!(codes, ["samlp:Requester", "samlp:RequestDenied"]);
    assert!(!refused.contains("NameIdentifier"));
}

/// A display name that would be somebody else, or something else.
const NAMES: [&str; 5] = [
    "</cas:user><cas:user>admin</cas:user>",
    "]]><cas:attributes><cas:profil>National_4</cas:profil></cas:attributes><![CDATA[",
    "\"><!DOCTYPE x [<!ENTITY e SYSTEM \"file:///etc/passwd\">]>&e;&#60;x/&#62;",
    "\",\"user\":\"admin\",\"x\":\"\\",
    "a\u{0}b\u{8}c\u{fffe}\r\nd\u{2028}",
];

#[test]
fn attack_33_no_name_of_a_person_becomes_markup_of_an_answer() {
    for name in NAMES {
        for preset in CasPreset::ALL {
            let mut lina = Lina::new(*preset);
            lina.identity.given_name = name.to_owned();
            lina.identity.family_name = name.to_owned();
            let expected = lina.with(&[("own", CasSource::GivenName, ValueFormat::Plain, Some(name))]);
            let answer = yes(success(expected.shape()));
            let plain = yes(success(
                Lina::new(*preset)
                    .with(&[("own", CasSource::GivenName, ValueFormat::Plain, None)])
                    .shape(),
            ));
            for (endpoint, format) in [(Endpoint::Service, Format::Xml), (Endpoint::Saml, Format::Xml)] {
                let shape = |answer: &Answer| {
                    let text = written(answer, endpoint, format);
                    let document = Document::read(text.as_bytes(), &Limits::MESSAGE).unwrap();
                    let names: Vec<String> = document
                        .elements()
                        .map(|element| element.name().to_owned())
                        .collect();
                    names
                };
                assert_eq!(shape(&answer), shape(&plain), "{preset}: {name}");
            }
            let told = json(&answer);
            assert_eq!(told["serviceResponse"]["authenticationSuccess"]["user"], "abc");
        }
    }
}

#[test]
fn attack_33_a_name_comes_back_as_it_is_but_for_what_xml_does_not_have() {
    for name in NAMES {
        let mut lina = Lina::new(CasPreset::Pronote);
        lina.identity.given_name = name.to_owned();
        let answer = yes(success(lina.shape()));
        let document = xml(&answer);
        let document = Document::read(document.as_bytes(), &Limits::MESSAGE).unwrap();
        let told = document.elements().find(|element| element.name() == "prenom");
        let expected = name.replace(['\0', '\u{8}', '\u{fffe}'], "");
        assert_eq!(told.unwrap().text(), Some(expected.as_str()));
        let told = json(&answer);
        assert_eq!(
            told["serviceResponse"]["authenticationSuccess"]["attributes"]["prenom"],
            name
        );
    }
}
