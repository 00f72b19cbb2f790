//! Logout messages as participants send them, and those that nobody may send.

use super::*;
use crate::base::random::SeededRandom;
use crate::base::time::Timestamp;
use crate::saml::message::Unacceptable;
use crate::saml::name_id::{NameId, NameIdFormat};
use crate::saml::response::Envelope;
use crate::saml::status::{Detail, Status};
use crate::saml::testing::{IDP, Provider, incoming, query, read};
use crate::saml::xml::{Element, Namespace};
use crate::saml::xmlsec::redirect::Kind;

const NOW: Timestamp = Timestamp::from_seconds(1_790_841_600);
const HERE: &str = "https://id.example.fr/saml/slo";

fn lina() -> NameId {
    NameId {
        format: NameIdFormat::Persistent,
        value: "abc".into(),
    }
}

/// A request of a party about somebody.
fn asked(ent: &Provider, name: Option<Element>, sessions: &[&str]) -> Element {
    let index = |index: &&str| Element::new(Namespace::Samlp, "SessionIndex").text(*index);
    ent.message("LogoutRequest", "_l1", HERE)
        .child_if(name)
        .children(sessions.iter().map(index))
}

fn name(ent: &Provider) -> Option<Element> {
    Some(lina().element(IDP, &ent.entity_id))
}

fn read_signed(ent: &Provider, message: &Element) -> Result<LogoutRequest, Unacceptable> {
    let keys = [ent.signing.public().unwrap()];
    let query = ent.query(Kind::Request, message, None);
    let believed = believe(
        incoming(&query),
        LogoutRequest::NAME,
        &SamlParty::default(),
        &keys,
    )
    .unwrap();
    LogoutRequest::read(&believed, HERE, NOW)
}

fn means(request: &LogoutRequest, session_index: &str, now: Timestamp) -> Result<(), Status> {
    let name_id = &lina();
    let known = Known {
        name_id,
        session_index,
        issuer: IDP,
    };
    request.means(Some(known), now)
}

#[test]
fn attack_32_a_request_that_nobody_vouches_for_ends_nothing() {
    let (ent, evil) = (Provider::new("ent"), Provider::new("evil"));
    let message = asked(&ent, name(&ent), &["login"]);
    let keys = [ent.signing.public().unwrap()];
    let mut saml = SamlParty::default();
    let believed = |query: &str, saml: &SamlParty, keys: &[PublicKey]| {
        believe(incoming(query), LogoutRequest::NAME, saml, keys).map(|believed| believed.is_signed)
    };
    let (unsigned, forged) = (
        query(Kind::Request, &message, None),
        evil.query(Kind::Request, &message, None),
    );
    assert_eq!(believed(&unsigned, &saml, &keys), Err(Refused::Unsigned));
    assert_eq!(
        believed(&unsigned, &saml, &[]),
        Err(Refused::Unsigned),
        "no key is no reason"
    );
    assert_eq!(believed(&forged, &saml, &keys), Err(Refused::Signature));
    saml.tolerances.unsigned_logout = true;
    assert_eq!(believed(&unsigned, &saml, &keys), Ok(false));
    assert_eq!(
        believed(&forged, &saml, &keys),
        Err(Refused::Signature),
        "wrong is not none"
    );
}

#[test]
fn attack_32_a_request_means_this_login_of_this_person_or_nobody() {
    let ent = Provider::new("ent");
    let request =
        |name: Option<Element>, sessions: &[&str]| read_signed(&ent, &asked(&ent, name, sessions)).unwrap();
    let detail = |result: Result<(), Status>| result.err().and_then(|status| status.detail);
    let nobody = Some(Detail::UnknownPrincipal);
    assert_eq!(means(&request(name(&ent), &["login"]), "login", NOW), Ok(()));
    assert_eq!(
        means(&request(name(&ent), &[]), "login", NOW),
        Ok(()),
        "all of them"
    );
    assert_eq!(
        means(&request(name(&ent), &["x", " login "]), "login", NOW),
        Ok(())
    );
    assert_eq!(
        detail(means(&request(name(&ent), &["another"]), "login", NOW)),
        nobody
    );
    let maddi = Element::new(Namespace::Saml, "NameID").text("maddi");
    assert_eq!(
        detail(means(&request(Some(maddi), &["login"]), "login", NOW)),
        nobody
    );
    let of_another = lina().element(IDP, "https://cantine.example/saml");
    assert_eq!(
        detail(means(&request(Some(of_another), &["login"]), "login", NOW)),
        nobody
    );
    assert_eq!(detail(request(name(&ent), &[]).means(None, NOW)), nobody);
    let unnamed = detail(means(&request(None, &["login"]), "login", NOW));
    assert_eq!(unnamed, Some(Detail::RequestUnsupported));
}

#[test]
fn core_section_3_7_1_a_request_that_is_over_is_not_followed() {
    let ent = Provider::new("ent");
    let until = |instant: &str| asked(&ent, name(&ent), &[]).attribute("NotOnOrAfter", instant);
    let open = read_signed(&ent, &until("2026-10-01T08:05:00Z")).unwrap();
    assert_eq!(means(&open, "login", NOW), Ok(()));
    let over = read_signed(&ent, &until("2026-10-01T07:00:00Z")).unwrap();
    assert_eq!(
        means(&over, "login", NOW).unwrap_err().detail,
        Some(Detail::RequestDenied)
    );
    assert_eq!(read_signed(&ent, &until("soon")), Err(Unacceptable::Instant));
    let elsewhere = asked(&ent, name(&ent), &[]).attribute("Destination", "https://other.example/slo");
    assert_eq!(read_signed(&ent, &elsewhere), Err(Unacceptable::Destination));
}

#[test]
fn our_own_messages_are_what_a_party_reads() {
    let ent = Provider::new("ent");
    let ours = request(Addressed {
        id: "_1",
        issuer: IDP,
        party: &ent.entity_id,
        destination: &ent.slo(),
        name_id: &lina(),
        session_index: "login",
        now: NOW,
    });
    let document = read(&ours.write());
    let root = document.root();
    assert_eq!(root.attribute("Destination"), Some(ent.slo().as_str()));
    assert_eq!(root.child(Namespace::Saml, "NameID").unwrap().text(), Some("abc"));
    assert_eq!(
        root.child(Namespace::Samlp, "SessionIndex").unwrap().text(),
        Some("login")
    );
    let envelope = Envelope {
        issuer: IDP,
        destination: &ent.slo(),
        in_response_to: Some("_l1"),
        now: NOW,
    };
    let answer = response(&envelope, Status::PARTIAL_LOGOUT, &SeededRandom::new(1)).write();
    assert!(answer.contains("InResponseTo=\"_l1\"") && answer.contains("status:PartialLogout"));
}

#[test]
fn what_a_participant_answers_is_read_for_success_only() {
    let ent = Provider::new("ent");
    let keys = [ent.signing.public().unwrap()];
    let read = |status: Status, request: Option<&str>| {
        let message = ent
            .message("LogoutResponse", "_a1", HERE)
            .attribute_if("InResponseTo", request)
            .child(status.element());
        let query = ent.query(Kind::Response, &message, None);
        let believed = believe(incoming(&query), Answered::NAME, &SamlParty::default(), &keys).unwrap();
        Answered::read(&believed, HERE, NOW)
    };
    let yes = read(Status::SUCCESS, Some("_1")).unwrap();
    assert!(yes.is_success && yes.in_response_to == "_1" && yes.issuer == ent.entity_id);
    let no = Status::responder(Detail::RequestDenied, "no");
    assert!(!read(no, Some("_1")).unwrap().is_success);
    assert!(!read(Status::PARTIAL_LOGOUT, Some("_1")).unwrap().is_success);
    assert_eq!(read(Status::SUCCESS, None), Err(Unacceptable::Id));
}

#[test]
fn messages_go_by_the_wished_binding_or_by_the_one_there_is() {
    let ent = Provider::new("ent");
    let mut metadata = ent.metadata();
    assert_eq!(service(&metadata, Binding::Post).unwrap().binding, Binding::Post);
    metadata
        .logout_services
        .retain(|service| service.binding == Binding::Redirect);
    assert_eq!(
        service(&metadata, Binding::Post).unwrap().binding,
        Binding::Redirect
    );
    metadata.logout_services.clear();
    assert!(service(&metadata, Binding::Redirect).is_none());
}
