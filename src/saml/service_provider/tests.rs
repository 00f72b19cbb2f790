//! Answers that prove something, and the attacks of the project's list on those that read them (cases 20 to 27), each made
//! from a good answer by one change. Attacks on the signature itself are with [`xmlsec`](crate::saml::xmlsec).

use std::time::Duration;

use super::*;
use crate::base::random::SeededRandom;
use crate::base::time::Timestamp;
use crate::saml::message::{SKEW, Unacceptable};
use crate::saml::name_id::issuer;
use crate::saml::status::{Detail, Status};
use crate::saml::xml::{Element, Namespace};
use crate::saml::xmlsec::testing::{private, public, signer};
use crate::saml::xmlsec::{Cipher, KeyTransport, PublicKey, Recipient, Refused, encrypt, sign};

const NOW: Timestamp = Timestamp::from_seconds(1_790_841_600);
const IDP: &str = "https://educonnect.example/idp";
const SP: &str = "https://id.example.fr/saml/sp/metadata";
const ACS: &str = "https://id.example.fr/saml/sp/acs";
const MINUTE: Duration = Duration::from_secs(60);

/// An answer, every part of which a test may change.
#[derive(Clone)]
struct Answer {
    issuer: &'static str,
    status: Status,
    destination: &'static str,
    in_response_to: Option<&'static str>,
    recipient: &'static str,
    end: Timestamp,
    start: Timestamp,
    audiences: Vec<&'static str>,
    conditions: bool,
    session_end: Option<Timestamp>,
    more: Option<Element>,
    name: Element,
}

impl Answer {
    fn good() -> Self {
        Self {
            issuer: IDP,
            status: Status::SUCCESS,
            destination: ACS,
            in_response_to: Some("_asked"),
            recipient: ACS,
            start: NOW.minus(MINUTE),
            end: NOW.plus(MINUTE * 5),
            audiences: vec![SP],
            conditions: true,
            session_end: None,
            more: None,
            name: Element::new(Namespace::Saml, "NameID").text("lina"),
        }
    }

    fn assertion(&self) -> Element {
        let data = Element::new(Namespace::Saml, "SubjectConfirmationData")
            .attribute("Recipient", self.recipient)
            .attribute("NotOnOrAfter", self.end.to_string())
            .attribute_if("InResponseTo", self.in_response_to);
        let confirmation = Element::new(Namespace::Saml, "SubjectConfirmation")
            .attribute("Method", "urn:oasis:names:tc:SAML:2.0:cm:bearer")
            .child(data);
        let subject = Element::new(Namespace::Saml, "Subject")
            .child(self.name.clone())
            .child(confirmation);
        let restriction = |audience: &&'static str| {
            Element::new(Namespace::Saml, "AudienceRestriction")
                .child(Element::new(Namespace::Saml, "Audience").text(*audience))
        };
        let conditions = Element::new(Namespace::Saml, "Conditions")
            .attribute("NotBefore", self.start.to_string())
            .attribute("NotOnOrAfter", self.end.to_string())
            .children(self.audiences.iter().map(restriction))
            .child_if(self.more.clone());
        let class = Element::new(Namespace::Saml, "AuthnContextClassRef").text("urn:x:password");
        let statement = Element::new(Namespace::Saml, "AuthnStatement")
            .attribute("AuthnInstant", NOW.minus(MINUTE).to_string())
            .attribute("SessionIndex", "_login")
            .attribute_if("SessionNotOnOrAfter", self.session_end.map(|end| end.to_string()))
            .child(Element::new(Namespace::Saml, "AuthnContext").child(class));
        let value = Element::new(Namespace::Saml, "AttributeValue").text("{AAF}14||1037745");
        let attribute = Element::new(Namespace::Saml, "Attribute")
            .attribute("Name", "urn:oid:1.3.6.1.4.1.20326.10.999.1.1")
            .attribute("FriendlyName", "FrEduCtRefId")
            .child(value);
        Element::new(Namespace::Saml, "Assertion")
            .attribute("ID", "_assertion")
            .attribute("Version", "2.0")
            .attribute("IssueInstant", NOW.to_string())
            .child(issuer(self.issuer))
            .child(subject)
            .child_if(self.conditions.then_some(conditions))
            .child(statement)
            .child(Element::new(Namespace::Saml, "AttributeStatement").child(attribute))
    }

    fn around(&self, inside: Option<Element>) -> Element {
        Element::new(Namespace::Samlp, "Response")
            .attribute("ID", "_response")
            .attribute("Version", "2.0")
            .attribute("IssueInstant", NOW.to_string())
            .attribute("Destination", self.destination)
            .attribute_if("InResponseTo", self.in_response_to)
            .child(issuer(self.issuer))
            .child(self.status.element())
            .child_if(inside)
    }

    /// Signed as a whole.
    fn whole(&self) -> String {
        signed(self.around(Some(self.assertion())))
    }

    /// The assertion signed, and nothing around it.
    fn alone(&self) -> String {
        self.around(Some(sign(self.assertion(), &signer("rsa")).unwrap()))
            .write()
    }
}

fn signed(element: Element) -> String {
    sign(element, &signer("rsa")).unwrap().write()
}

fn sealed(assertion: &Element) -> Element {
    let recipient = Recipient {
        key: &public("foreign"),
        cipher: Cipher::Aes256Gcm,
        transport: KeyTransport::OaepMgf1p,
    };
    let wrapper = Element::new(Namespace::Saml, "EncryptedAssertion");
    encrypt(assertion, wrapper, &recipient, &SeededRandom::new(1)).unwrap()
}

fn accepted_at(text: &str, request: Option<&str>, now: Timestamp) -> Result<Asserted, Rejected> {
    accepted_by(text, request, now, &[public("rsa")])
}

fn accepted_by(
    text: &str,
    in_response_to: Option<&str>,
    now: Timestamp,
    keys: &[PublicKey],
) -> Result<Asserted, Rejected> {
    let expected = Expected {
        issuer: IDP,
        keys,
        decryption_keys: &[private("foreign")],
        random: &SeededRandom::new(2),
        audience: SP,
        recipient: ACS,
        in_response_to,
        now,
    };
    accept(text.as_bytes(), &expected)
}

fn accepted(text: &str) -> Result<Asserted, Rejected> {
    accepted_at(text, Some("_asked"), NOW)
}

/// The same change is refused wherever the signature is.
fn refused(change: impl Fn(&mut Answer)) -> Rejected {
    let mut answer = Answer::good();
    change(&mut answer);
    let (whole, alone) = (
        accepted(&answer.whole()).unwrap_err(),
        accepted(&answer.alone()).unwrap_err(),
    );
    assert_eq!(whole, alone);
    whole
}

#[test]
fn a_good_answer_is_believed_however_it_is_signed_and_sealed() {
    let good = Answer::good();
    let inside = sign(good.assertion(), &signer("rsa")).unwrap();
    for text in [
        good.whole(),
        good.alone(),
        signed(good.around(Some(inside.clone()))),
        signed(good.around(Some(sealed(&good.assertion())))),
        signed(good.around(Some(sealed(&inside)))),
        good.around(Some(sealed(&inside))).write(),
    ] {
        let asserted = accepted(&text).unwrap();
        assert_eq!(
            (asserted.name.value.as_str(), asserted.id.as_str()),
            ("lina", "_assertion")
        );
        assert_eq!(asserted.session_index.as_deref(), Some("_login"));
        assert_eq!(asserted.authn_context.as_deref(), Some("urn:x:password"));
        assert_eq!(asserted.values("FrEduCtRefId"), ["{AAF}14||1037745"]);
        assert!(asserted.values("mail").is_empty());
    }
}

#[test]
fn attack_11_without_a_signature_or_by_another_key_nothing_is_believed() {
    let good = Answer::good();
    let bare = good.around(Some(good.assertion())).write();
    assert_eq!(accepted(&bare), Err(Rejected::Signature(Refused::Unsigned)));
    for text in [good.whole(), good.alone()] {
        let other = accepted_by(&text, Some("_asked"), NOW, &[public("foreign")]);
        assert_eq!(other, Err(Rejected::Signature(Refused::Signature)));
        let nobody = accepted_by(&text, Some("_asked"), NOW, &[]);
        assert_eq!(nobody, Err(Rejected::Signature(Refused::NoKey)));
    }
}

#[test]
fn attack_20_a_sealed_assertion_that_nobody_signed_proves_nothing() {
    let good = Answer::good();
    let injected = good.around(Some(sealed(&good.assertion()))).write();
    assert_eq!(accepted(&injected), Err(Rejected::Signature(Refused::Unsigned)));
    // Beside a genuine one, it is not even opened.
    let genuine = sign(good.assertion(), &signer("rsa")).unwrap();
    let both = good
        .around(Some(genuine))
        .child(sealed(&good.assertion()))
        .write();
    assert_eq!(accepted(&both), Err(Rejected::Assertion));
    let for_others = Recipient {
        key: &public("rsa"),
        cipher: Cipher::Aes128Gcm,
        transport: KeyTransport::OaepMgf1p,
    };
    let wrapper = Element::new(Namespace::Saml, "EncryptedAssertion");
    let other = encrypt(&good.assertion(), wrapper, &for_others, &SeededRandom::new(3)).unwrap();
    assert_eq!(
        accepted(&signed(good.around(Some(other)))),
        Err(Rejected::Encryption)
    );
}

#[test]
fn attack_21_a_signed_refusal_vouches_for_no_assertion_beside_it() {
    let mut answer = Answer::good();
    answer.status = Status::responder(Detail::AuthnFailed, "no");
    assert_eq!(accepted(&answer.whole()), Err(Rejected::Status));
    let refusal = signed(answer.around(None));
    assert_eq!(accepted(&refusal), Err(Rejected::Status));
    let assertion = Answer::good().assertion().write();
    let forged = refusal.replace("</samlp:Response>", &format!("{assertion}</samlp:Response>"));
    assert_eq!(accepted(&forged), Err(Rejected::Signature(Refused::Signature)));
}

#[test]
fn attack_22_an_answer_of_another_provider_is_none() {
    assert_eq!(
        refused(|answer| answer.issuer = "https://other.example/idp"),
        Rejected::Issuer
    );
}

#[test]
fn attack_23_audience_recipient_and_destination_name_us() {
    assert_eq!(
        refused(|answer| answer.audiences = vec!["https://other.example"]),
        Rejected::Audience
    );
    assert_eq!(refused(|answer| answer.audiences.clear()), Rejected::Audience);
    assert_eq!(
        refused(|answer| answer.audiences.push("https://other.example")),
        Rejected::Audience
    );
    assert_eq!(refused(|answer| answer.conditions = false), Rejected::Conditions);
    assert_eq!(
        refused(|answer| answer.recipient = "https://other.example/acs"),
        Rejected::Recipient
    );
    let unknown = Element::new(Namespace::Saml, "Condition");
    assert_eq!(
        refused(|answer| answer.more = Some(unknown.clone())),
        Rejected::Conditions
    );
    let mut elsewhere = Answer::good();
    elsewhere.destination = "https://other.example/acs";
    let misled = accepted(&elsewhere.whole());
    assert_eq!(misled, Err(Rejected::Message(Unacceptable::Destination)));
}

#[test]
fn attack_24_it_is_of_now_with_three_minutes_either_way_and_not_a_second_more() {
    let (good, second) = (Answer::good(), Duration::from_secs(1));
    let at = |now| accepted_at(&good.alone(), Some("_asked"), now);
    let (first, last) = (good.start.minus(SKEW), good.end.plus(SKEW).minus(second));
    assert!(at(first).is_ok() && at(last).is_ok());
    assert_eq!(at(first.minus(second)), Err(Rejected::Expired));
    assert_eq!(at(last.plus(second)), Err(Rejected::Expired));
    assert_eq!(
        refused(|answer| answer.session_end = Some(NOW.minus(MINUTE * 10))),
        Rejected::Expired
    );
    let mut without_end = good.whole();
    assert!(without_end.contains("Recipient"));
    without_end = without_end.replace(" Recipient=", " x=");
    assert_eq!(
        accepted(&without_end),
        Err(Rejected::Signature(Refused::Signature))
    );
}

#[test]
fn attack_26_it_answers_this_request_and_one_that_nobody_asked_for_names_none() {
    assert_eq!(
        refused(|answer| answer.in_response_to = Some("_other")),
        Rejected::InResponseTo
    );
    assert_eq!(
        refused(|answer| answer.in_response_to = None),
        Rejected::InResponseTo
    );
    let mut unasked = Answer::good();
    unasked.in_response_to = None;
    assert!(accepted_at(&unasked.alone(), None, NOW).is_ok());
    assert_eq!(
        accepted_at(&Answer::good().alone(), None, NOW),
        Err(Rejected::InResponseTo)
    );
}

#[test]
fn somebody_is_named_once_and_in_clear() {
    let empty = Element::new(Namespace::Saml, "NameID");
    assert_eq!(refused(|answer| answer.name = empty.clone()), Rejected::Subject);
    let other = Element::new(Namespace::Saml, "BaseID").text("lina");
    assert_eq!(refused(|answer| answer.name = other.clone()), Rejected::Subject);
}

#[test]
fn a_request_says_who_asks_where_to_and_how_the_answer_comes() {
    let asked = Request {
        id: "_asked",
        issuer: SP,
        destination: "https://educonnect.example/idp/sso",
        assertion_consumer: ACS,
        force_authn: true,
        name_id_format: Some("urn:oasis:names:tc:SAML:2.0:nameid-format:transient"),
        authn_context: &["urn:x:password".to_owned()],
        now: NOW,
    };
    let written = request(asked).write();
    for part in [
        "ID=\"_asked\"",
        "ForceAuthn=\"true\"",
        ACS,
        SP,
        "nameid-format:transient",
        ">urn:x:password</",
    ] {
        assert!(written.contains(part), "{part} in {written}");
    }
}
