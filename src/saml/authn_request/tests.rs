//! Requests as services send them, right and wrong, through every check of the list.

mod decisions;
mod entcore;

use super::*;
use crate::domain::assurance::Acr;
use crate::domain::saml_entity::Binding;
use crate::domain::testing::party;
use crate::saml::incoming::Incoming;
use crate::saml::name_id::NameIdFormat;
use crate::saml::testing::{Provider, form, incoming, query};
use crate::saml::xml::Element;
use crate::saml::xmlsec::PublicKey;
use crate::saml::xmlsec::redirect::Kind;

const NOW: Timestamp = Timestamp::from_seconds(1_790_841_600);
const HERE: &str = "https://id.example.fr/saml/sso";
const PROTECTED_TRANSPORT: &str = "urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport";

/// A service provider, what the operator says of it, and its metadata.
struct Scene {
    ent: Provider,
    party: RelyingParty,
    metadata: ServiceProvider,
}

impl Scene {
    fn new() -> Self {
        let ent = Provider::new("ent");
        let mut party = party("ent");
        party.saml = Some(SamlParty {
            entity_id: ent.entity_id.clone(),
            ..SamlParty::default()
        });
        let metadata = ent.metadata();
        Self { ent, party, metadata }
    }

    fn saml(&mut self) -> &mut SamlParty {
        self.party.saml.as_mut().unwrap()
    }

    fn keys(&self) -> Vec<PublicKey> {
        let keys = self.metadata.signing_keys.iter();
        keys.map(|_| self.ent.signing.public().unwrap()).collect()
    }

    fn read(&self, incoming: Incoming) -> Result<AuthnRequest, PageError> {
        let relay_state = incoming.relay_state.clone();
        let saml = self.party.saml.as_ref().unwrap();
        let believed = believe(incoming, saml, &self.metadata, &self.keys())?;
        AuthnRequest::read(&believed, relay_state, HERE, NOW)
    }

    /// All three parts of the list, of a signed request.
    fn run(&self, message: &Element) -> Result<Result<(Address, Request), Status>, PageError> {
        let request = self.read(incoming(&self.ent.query(Kind::Request, message, Some("état"))))?;
        self.decide(&request)
    }

    fn decide(&self, request: &AuthnRequest) -> Result<Result<(Address, Request), Status>, PageError> {
        let saml = self.party.saml.as_ref().unwrap();
        let address = address(request, saml, &self.metadata)?;
        Ok(check(request, &self.party, saml, &self.metadata).map(|request| (address, request)))
    }

    fn request(&self) -> Element {
        self.ent.authn_request("_r1")
    }
}

fn policy(attributes: &[(&'static str, &str)]) -> Element {
    let policy = Element::new(Namespace::Samlp, "NameIDPolicy");
    attributes
        .iter()
        .fold(policy, |policy, (name, value)| policy.attribute(name, *value))
}

fn context(comparison: Option<&str>, classes: &[&str]) -> Element {
    let class = |class: &&str| Element::new(Namespace::Saml, "AuthnContextClassRef").text(*class);
    Element::new(Namespace::Samlp, "RequestedAuthnContext")
        .attribute_if("Comparison", comparison)
        .children(classes.iter().map(class))
}

#[test]
fn a_plain_request_is_answered_at_the_default_consumer_with_a_persistent_name() {
    let scene = Scene::new();
    let (address, request) = scene.run(&scene.request()).unwrap().unwrap();
    assert_eq!(address.consumer(), scene.ent.acs(1));
    assert_eq!(address.in_response_to(), Some("_r1"));
    assert_eq!(address.relay_state(), Some("état"));
    assert!(!request.force_authn && !request.is_passive && request.subject.is_none());
    assert_eq!(request.named.format, NameIdFormat::Persistent);
    assert!(request.named.may_create && request.assurance.is_met_by(Acr::Class));
}

#[test]
fn what_a_request_only_mentions_changes_nothing() {
    let scene = Scene::new();
    let scoping = Element::new(Namespace::Samlp, "Scoping")
        .attribute("ProxyCount", "0")
        .child(Element::new(Namespace::Samlp, "RequesterID").text("https://x"));
    let noisy = scene
        .request()
        .attribute("ProviderName", "ENT")
        .attribute("Consent", "urn:x")
        .attribute("AttributeConsumingServiceIndex", "7")
        .child(Element::new(Namespace::Samlp, "Extensions").child(Element::new(Namespace::Md, "x")))
        .child(scoping);
    assert_eq!(
        scene.run(&noisy).unwrap().unwrap(),
        scene.run(&scene.request()).unwrap().unwrap()
    );
}

#[test]
fn the_list_of_identity_providers_is_a_wish_of_which_ten_are_read() {
    let scene = Scene::new();
    let entry = |id: &str| Element::new(Namespace::Samlp, "IDPEntry").attribute("ProviderID", id);
    let mut list = Element::new(Namespace::Samlp, "IDPList").child(entry("https://educonnect.example/idp"));
    list = list.child(entry(&"x".repeat(1025)));
    for number in 0..20 {
        list = list.child(entry(&format!("https://idp{number}.example")));
    }
    let wishing = scene
        .request()
        .child(Element::new(Namespace::Samlp, "Scoping").child(list));
    let read = scene
        .read(incoming(&scene.ent.query(Kind::Request, &wishing, None)))
        .unwrap();
    assert_eq!(read.providers.len(), 10);
    assert_eq!(read.providers[0], "https://educonnect.example/idp");
    assert_eq!(read.providers[1], "https://idp0.example");
}

#[test]
fn attack_31_an_answer_goes_to_no_address_but_those_of_the_metadata() {
    let mut scene = Scene::new();
    let by_url = |url: &str| scene.request().attribute("AssertionConsumerServiceURL", url);
    let (address, _) = scene.run(&by_url(&scene.ent.acs(0))).unwrap().unwrap();
    assert_eq!(address.consumer(), scene.ent.acs(0));
    for evil in [
        "https://evil.example/acs",
        "https://ent.example/acs/0/",
        "https://ent.example/acs/0?x",
        "https://ent.example/ACS/0",
        "javascript:alert(1)",
        "",
    ] {
        assert_eq!(
            scene.run(&by_url(evil)),
            Err(PageError::AssertionConsumer),
            "{evil}"
        );
    }
    let by_index = |index: &str| scene.request().attribute("AssertionConsumerServiceIndex", index);
    let (address, _) = scene.run(&by_index("0")).unwrap().unwrap();
    assert_eq!(address.consumer(), scene.ent.acs(0));
    assert_eq!(scene.run(&by_index("7")), Err(PageError::AssertionConsumer));
    assert_eq!(scene.run(&by_index("-1")), Err(PageError::Schema));
    let both = |index: &str, url: &str| by_index(index).attribute("AssertionConsumerServiceURL", url);
    let (agree, differ) = (both("0", &scene.ent.acs(0)), both("1", &scene.ent.acs(0)));
    assert_eq!(scene.run(&agree), Err(PageError::TwoAssertionConsumers));
    scene.saml().tolerances.index_and_url = true;
    let (address, _) = scene.run(&agree).unwrap().unwrap();
    assert_eq!(address.consumer(), scene.ent.acs(0));
    assert_eq!(scene.run(&differ), Err(PageError::AssertionConsumer));
}

#[test]
fn attack_31_a_forged_issuer_is_not_believed() {
    let (scene, evil) = (Scene::new(), Provider::new("evil"));
    let forged = scene.request();
    let read = |query: String| scene.read(incoming(&query)).unwrap_err();
    assert_eq!(
        read(evil.query(Kind::Request, &forged, None)),
        PageError::Signature(Refused::Signature)
    );
    assert_eq!(read(query(Kind::Request, &forged, None)), PageError::Unsigned);
    let posted = Incoming::from_form(&evil.form(Kind::Request, &forged, None)).unwrap();
    assert_eq!(scene.read(posted), Err(PageError::Signature(Refused::Signature)));
}

#[test]
fn attack_31_a_signed_request_inside_a_forged_one_is_not_what_is_read() {
    let scene = Scene::new();
    let honest = scene.ent.form(Kind::Request, &scene.request(), None);
    let honest = Incoming::from_form(&honest).unwrap();
    assert!(scene.read(honest).is_ok());
    let signed = url_decoded(&scene.ent.form(Kind::Request, &scene.request(), None));
    let forged = format!(
        "<samlp:AuthnRequest xmlns:samlp=\"urn:oasis:names:tc:SAML:2.0:protocol\" ID=\"_evil\" Version=\"2.0\" \
         IssueInstant=\"2026-10-01T08:00:00Z\" Destination=\"{HERE}\" AssertionConsumerServiceURL=\"https://evil.example\">\
         <saml:Issuer xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\">{}</saml:Issuer>\
         <samlp:Extensions>{signed}</samlp:Extensions></samlp:AuthnRequest>",
        scene.ent.entity_id
    );
    let wrapped = Incoming::from_form(&form(Kind::Request, &forged, None)).unwrap();
    assert_eq!(scene.read(wrapped), Err(PageError::Unsigned));
}

fn url_decoded(form: &str) -> String {
    let fields = crate::base::url::parameters(form);
    let message = crate::saml::wire::from_form(&fields[0].1, 1 << 20).unwrap();
    String::from_utf8(message).unwrap()
}

#[test]
fn attack_28_a_signature_that_is_taken_away_or_moved_to_other_words_is_noticed() {
    let scene = Scene::new();
    let signed = scene.ent.query(Kind::Request, &scene.request(), Some("here"));
    let fault = |query: &str| scene.read(incoming(query)).unwrap_err();
    let without = signed.split("&SigAlg").next().unwrap();
    assert_eq!(fault(without), PageError::Unsigned);
    for changed in [
        signed.replace("RelayState=here", "RelayState=there"),
        signed.replace("&RelayState=here", ""),
        signed.replace("RelayState=here", "RelayState=%68ere"),
        signed.replace("ecdsa-sha256", "ecdsa-sha384"),
    ] {
        assert_ne!(changed, signed);
        assert_eq!(
            fault(&changed),
            PageError::Signature(Refused::Signature),
            "{changed}"
        );
    }
    let sha1 = signed.replace("ecdsa-sha256", "ecdsa-sha1");
    assert_eq!(fault(&sha1), PageError::Signature(Refused::Algorithm));
    let mut parts: Vec<_> = signed.split('&').collect();
    parts.reverse();
    assert!(
        scene.read(incoming(&parts.join("&"))).is_ok(),
        "the order of the address is nobody's"
    );
}

#[test]
fn who_publishes_a_key_signs_unless_the_operator_lets_it_pass() {
    let mut scene = Scene::new();
    let unsigned = query(Kind::Request, &scene.request(), None);
    scene.metadata.signs_requests = false;
    assert_eq!(
        scene.read(incoming(&unsigned)),
        Err(PageError::Unsigned),
        "a key is there"
    );
    scene.saml().tolerances.unsigned_requests = true;
    let read = scene.read(incoming(&unsigned)).unwrap();
    assert!(!read.is_signed);
    let mut broken = scene.ent.query(Kind::Request, &scene.request(), None);
    broken.push_str("AAAA");
    let refused = scene.read(incoming(&broken));
    assert!(
        matches!(refused, Err(PageError::Signature(_))),
        "wrong is not none: {refused:?}"
    );
    // No key, and no word of signing: nobody vouches, and nobody has to.
    scene.saml().tolerances.unsigned_requests = false;
    scene.metadata.signing_keys.clear();
    assert!(
        !scene
            .read(incoming(&scene.ent.query(Kind::Request, &scene.request(), None)))
            .unwrap()
            .is_signed
    );
    scene.metadata.signs_requests = true;
    let signed = scene.ent.query(Kind::Request, &scene.request(), None);
    assert_eq!(
        scene.read(incoming(&signed)),
        Err(PageError::Signature(Refused::NoKey))
    );
}

#[test]
fn a_form_says_what_its_signed_element_says() {
    let scene = Scene::new();
    let message = scene.request().attribute("ForceAuthn", "1");
    let posted = scene.ent.form(Kind::Request, &message, Some("a b"));
    let read = scene.read(Incoming::from_form(&posted).unwrap()).unwrap();
    assert!(read.is_signed && read.force_authn && read.relay_state.as_deref() == Some("a b"));
}

#[test]
fn bindings_are_by_form_and_names_are_of_three_kinds() {
    let scene = Scene::new();
    let detail = |message: Element| {
        scene
            .run(&message)
            .unwrap()
            .err()
            .and_then(|status| status.detail)
    };
    let bound = |uri: &str| scene.request().attribute("ProtocolBinding", uri);
    assert_eq!(detail(bound(Binding::Post.as_str())), None);
    for uri in [
        Binding::Redirect.as_str(),
        "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Artifact",
        "",
    ] {
        assert_eq!(detail(bound(uri)), Some(Detail::UnsupportedBinding), "{uri}");
    }
    let named = |attributes: &[(&'static str, &str)]| scene.request().child(policy(attributes));
    let format = |message: Element| {
        scene
            .run(&message)
            .unwrap()
            .map(|(_, request)| request.named.format)
    };
    for known in NameIdFormat::ALL {
        assert_eq!(format(named(&[("Format", known.as_str())])), Ok(*known));
    }
    let unspecified = [("Format", crate::saml::name_id::UNSPECIFIED)];
    assert_eq!(format(named(&unspecified)), Ok(NameIdFormat::Persistent));
    for wrong in [
        ("Format", "urn:oasis:names:tc:SAML:2.0:nameid-format:encrypted"),
        ("Format", "urn:oasis:names:tc:SAML:2.0:nameid-format:kerberos"),
        ("SPNameQualifier", "https://an.affiliation.example"),
    ] {
        assert_eq!(
            detail(named(&[wrong])),
            Some(Detail::InvalidNameIdPolicy),
            "{wrong:?}"
        );
    }
    assert_eq!(
        detail(named(&[("SPNameQualifier", scene.ent.entity_id.as_str())])),
        None
    );
    let may_create = |message: Element| scene.run(&message).unwrap().unwrap().1.named.may_create;
    assert!(may_create(named(&[])) && may_create(named(&[("AllowCreate", "true")])));
    assert!(!may_create(named(&[("AllowCreate", "false")])));
    assert_eq!(
        scene.run(&named(&[("AllowCreate", "perhaps")])),
        Err(PageError::Schema)
    );
}

#[test]
fn without_a_wish_the_operator_decides_the_name_then_the_metadata() {
    let mut scene = Scene::new();
    let format = |scene: &Scene| scene.run(&scene.request()).unwrap().unwrap().1.named.format;
    scene.metadata.name_id_formats = vec!["urn:x".into(), NameIdFormat::Transient.to_string()];
    assert_eq!(format(&scene), NameIdFormat::Transient);
    scene.saml().name_id_format = Some(NameIdFormat::EmailAddress.to_string());
    assert_eq!(format(&scene), NameIdFormat::EmailAddress);
}

#[test]
fn without_a_request_people_go_to_who_takes_them() {
    let mut scene = Scene::new();
    let request = AuthnRequest::unsolicited(&scene.ent.entity_id, Some("/cours".into()));
    let (address, _) = scene.decide(&request).unwrap().unwrap();
    assert_eq!(
        (address.in_response_to(), address.relay_state()),
        (None, Some("/cours"))
    );
    assert_eq!(address.consumer(), scene.ent.acs(1));
    scene.saml().idp_initiated = false;
    assert_eq!(scene.decide(&request), Err(PageError::NotInitiatedHere));
}
