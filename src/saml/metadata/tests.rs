//! A federation's aggregate that another program signed, and what attack 30 tries with metadata.

use proptest::prelude::*;

use super::*;
use crate::base::time::Timestamp;
use crate::domain::saml_entity::Binding;
use crate::saml::xml::{Document, Limits};
use crate::saml::xmlsec::{Certificate, Policy, PublicKey, Refused, Wanted, verify};

const NOW: Timestamp = Timestamp::from_seconds(1_790_841_600);
const OWN: &str = "https://id.example.fr/saml/metadata";
const POST: &str = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST";

fn sample(name: &str) -> String {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/samples/saml/");
    std::fs::read_to_string(format!("{folder}{name}")).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn key(name: &str) -> PublicKey {
    let certificate = Certificate::from_base64(&sample(&format!("{name}.crt"))).unwrap();
    certificate.public_key().unwrap()
}

fn spki(name: &str) -> String {
    pinned(&sample(&format!("{name}.crt"))).unwrap()
}

fn taken(text: &str, keys: &[&str]) -> Result<(Taken, Vec<u8>), NotTaken> {
    let keys: Vec<_> = keys.iter().map(|name| key(name)).collect();
    let mut out = Vec::new();
    let taken = take(text.as_bytes(), Some(&keys), Limits::METADATA, &mut out)?;
    Ok((taken, out))
}

fn entities(bytes: &[u8], repeated: Names) -> Entities<&[u8]> {
    Entities::new(bytes, Allowed::default(), OWN.into(), repeated, NOW)
}

/// An entity of a service provider with these attributes and this role.
fn entity(attributes: &str, role_attributes: &str, role: &str) -> String {
    format!(
        "<md:EntityDescriptor xmlns:md='urn:oasis:names:tc:SAML:2.0:metadata' \
         xmlns:ds='http://www.w3.org/2000/09/xmldsig#' {attributes}>\
         <md:SPSSODescriptor protocolSupportEnumeration='urn:oasis:names:tc:SAML:2.0:protocol' {role_attributes}>\
         {role}</md:SPSSODescriptor></md:EntityDescriptor>"
    )
}

fn consumer(location: &str) -> String {
    format!("<md:AssertionConsumerService Binding='{POST}' Location='{location}' index='0'/>")
}

fn key_descriptor(usage: &str, name: &str) -> String {
    let pem = sample(&format!("{name}.crt"));
    let bare: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    format!(
        "<md:KeyDescriptor{usage}><ds:KeyInfo><ds:X509Data><ds:X509Certificate>{bare}</ds:X509Certificate>\
         </ds:X509Data></ds:KeyInfo></md:KeyDescriptor>"
    )
}

fn read_text(text: &str) -> Result<ReadEntity, Unusable> {
    let document = Document::read(text.as_bytes(), &Limits::METADATA)?;
    read(document.root(), Allowed::default(), NOW)
}

/// A service with this in its role and an address.
fn service(role: &str) -> Result<ServiceProvider, Unusable> {
    let role = format!("{role}{}", consumer("https://a.example/acs"));
    read_text(&entity("entityID='https://a.example/'", "", &role)).map(|read| read.provider)
}

#[test]
fn an_aggregate_that_another_program_signed_is_read_entity_by_entity() {
    let text = sample("renater-aggregate.xml");
    let (taken, bytes) = taken(&text, &["foreign", "rsa"]).unwrap();
    assert_eq!(taken.key, Some(1), "the second of the pinned keys");
    assert_eq!(taken.valid_until, moment("2026-10-10T08:00:00Z"));
    let mut all = entities(&bytes, taken.repeated);
    let (mut services, mut left_out, mut ours, mut others) = (Vec::new(), Vec::new(), Vec::new(), 0);
    for found in all.by_ref() {
        match found.unwrap() {
            Found::Service(entity) => services.push(*entity),
            Found::Unusable { entity_id, reason } => left_out.push((entity_id.unwrap(), reason)),
            Found::Ourselves(keys) => ours.extend(keys),
            Found::Other => others += 1,
        }
    }
    let root = all.root().unwrap();
    assert_eq!(root.cache_duration, duration("PT1H"));
    assert_eq!((ours, others), (vec![spki("rsa")], 0));

    let library = &services[0];
    assert_eq!((library.valid_until, library.cache_duration), (None, None));
    let library = &library.provider;
    assert_eq!(library.entity_id, "https://biblio.example/shibboleth");
    assert_eq!(library.signing_keys, [spki("rsa"), spki("ec")]);
    let encryption: Vec<_> = library.encryption_keys.iter().map(|key| &key.spki).collect();
    assert_eq!(encryption, [&spki("foreign")], "an EC key encrypts nothing here");
    assert!(library.signs_requests && library.wants_signed_assertions);
    let consumers: Vec<_> = library
        .assertion_consumers
        .iter()
        .map(|one| (one.index, one.is_default))
        .collect();
    assert_eq!(consumers, [(1, None), (2, Some(true))]);
    assert_eq!(library.logout_services.len(), 1);
    assert_eq!(library.logout_services[0].binding, Binding::Redirect);
    assert_eq!(
        library.logout_services[0].response_location.as_deref(),
        Some("https://biblio.example/slo/done")
    );
    assert_eq!(library.name_id_formats.len(), 2);
    assert_eq!(library.requested_attributes, ["urn:oid:1.3.6.1.4.1.5923.1.1.1.9"]);
    assert_eq!(library.display_name.as_deref(), Some("Bibliothèque numérique"));
    assert_eq!(library.display_name_en.as_deref(), Some("Digital library"));
    assert_eq!(
        library.privacy_url.as_deref(),
        Some("https://biblio.example/donnees")
    );
    assert_eq!(library.categories.len(), 2);
    assert_eq!(
        library.registration_authority.as_deref(),
        Some("https://federation.renater.example/")
    );
    let names: Vec<_> = services
        .iter()
        .map(|one| one.provider.entity_id.as_str())
        .collect();
    assert_eq!(names[1..], ["https://nu.example/sp", "https://dedans.example/sp"]);
    assert_eq!(
        services[2].valid_until,
        moment("2026-10-05T08:00:00Z"),
        "of the group inside"
    );

    let reasons: Vec<_> = left_out
        .iter()
        .map(|(id, reason)| {
            (
                id.trim_start_matches("https://").split('.').next().unwrap(),
                reason.to_string(),
            )
        })
        .collect();
    let expected = [
        ("faible", "2048"),
        ("script", "javascript:alert(1)"),
        ("clair", "http://clair.example/acs"),
        ("deux", "another entity"),
        ("fini", "validUntil"),
        ("deux", "another entity"),
        ("artefact", "HTTP-POST"),
    ];
    assert_eq!(reasons.len(), expected.len(), "{reasons:?}");
    for ((id, reason), (name, part)) in reasons.iter().zip(expected) {
        assert!(*id == name && reason.contains(part), "{id}: {reason}");
    }
}

#[test]
fn the_stream_and_the_reader_of_whole_documents_accept_the_same_and_see_the_same() {
    for (name, element) in [
        ("renater-aggregate.xml", "EntitiesDescriptor"),
        ("xmlsec1-aggregate.xml", "EntitiesDescriptor"),
    ] {
        let text = sample(name);
        let wanted = Wanted::root(crate::saml::xml::Namespace::Md, element);
        let whole = verify(text.as_bytes(), wanted, &[key("rsa")], &Policy::METADATA).unwrap();
        let (_, bytes) = taken(&text, &["rsa"]).unwrap();
        let streamed = Document::read(&bytes, &Limits::METADATA).unwrap();
        let form = |node| crate::saml::xml::canonical(node, None, &[]);
        assert_eq!(form(whole.root()), form(streamed.root()), "{name}");
    }
}

#[test]
fn attack_30_an_unsigned_aggregate_or_one_that_nobody_pinned_is_not_taken() {
    let text = sample("renater-aggregate.xml");
    let (start, end) = (
        text.find("<ds:Signature ").unwrap(),
        text.find("</ds:Signature>").unwrap(),
    );
    let mut unsigned = text.clone();
    unsigned.replace_range(start..end + "</ds:Signature>".len(), "");
    let refused = |text: &str, keys: &[&str]| match taken(text, keys).unwrap_err() {
        NotTaken::Signature(refused) => refused,
        other => panic!("{other}"),
    };
    assert_eq!(refused(&unsigned, &["rsa"]), Refused::Unsigned);
    assert_eq!(refused(&text, &["foreign", "ec"]), Refused::Signature);
    assert_eq!(refused(&text, &[]), Refused::NoKey);
    for changed in [
        text.replace("https://biblio.example/acs\"", "https://evil.example/acs\""),
        text.replace("2026-10-10", "2036-10-10"),
        text.replace(
            "</md:EntitiesDescriptor>\n",
            "<md:Extensions/></md:EntitiesDescriptor>\n",
        ),
        text.replace(" xmlns:unused=\"urn:example:unused\"", ""),
    ] {
        assert_ne!(changed, text);
        assert_eq!(refused(&changed, &["rsa"]), Refused::Signature);
    }
    // A comment is no part of what was signed, and no part of what is read.
    let commented = text.replace("biblio.example/acs\"", "biblio.example/acs\"<!-- x -->");
    assert!(taken(&commented, &["rsa"]).is_err());
    assert!(taken(&text.replace("<!-- the <b>first</b> -->", "<!---->"), &["rsa"]).is_ok());
    // The signature moved, copied, or wrapped around something else.
    let signature = text.get(start..end + "</ds:Signature>".len()).unwrap();
    let twice = text.replacen("<md:Extensions>", &format!("{signature}<md:Extensions>"), 1);
    assert!(matches!(refused(&twice, &["rsa"]), Refused::Form(_)));
    let moved = unsigned.replacen(
        "<md:Extensions>",
        &format!("<md:Extensions/>{signature}<md:Extensions>"),
        1,
    );
    assert_eq!(refused(&moved, &["rsa"]), Refused::Unsigned);
    let wrapped = format!(
        "<md:EntitiesDescriptor xmlns:md='urn:oasis:names:tc:SAML:2.0:metadata' ID='_renater1'>{}</md:EntitiesDescriptor>",
        text.get(text.find("<md:Entities").unwrap()..).unwrap()
    );
    assert_eq!(refused(&wrapped, &["rsa"]), Refused::Unsigned);
}

#[test]
fn attack_30_without_a_signing_key_a_service_cannot_sign_and_nothing_else_changes() {
    let provider = service("").unwrap();
    assert!(provider.signing_keys.is_empty() && provider.encryption_keys.is_empty());
    let named = "<md:KeyDescriptor><ds:KeyInfo><ds:KeyName>x</ds:KeyName></ds:KeyInfo></md:KeyDescriptor>";
    assert!(
        service(named).unwrap().signing_keys.is_empty(),
        "a name is no key"
    );
}

#[test]
fn attack_30_a_key_without_use_is_of_both_and_one_for_encryption_never_signs() {
    let provider = service(&key_descriptor("", "rsa")).unwrap();
    assert_eq!(provider.signing_keys, [spki("rsa")]);
    assert_eq!(provider.encryption_keys[0].spki, spki("rsa"));
    let provider = service(&key_descriptor(" use='encryption'", "rsa")).unwrap();
    assert!(provider.signing_keys.is_empty());
    let provider = service(&key_descriptor(" use='signing'", "rsa")).unwrap();
    assert!(provider.encryption_keys.is_empty());
    for usage in ["", " use='signing'", " use='encryption'"] {
        let refused = service(&key_descriptor(usage, "weak")).unwrap_err();
        assert_eq!(refused, Unusable::Key("an RSA key outside 2048 to 8192 bits"));
    }
    assert!(matches!(
        service(&key_descriptor(" use='both'", "rsa")),
        Err(Unusable::Key(_))
    ));
    let broken = key_descriptor("", "rsa").replace("MII", "AAA");
    assert_eq!(service(&broken).unwrap_err(), Unusable::Key("cannot be read"));
}

#[test]
fn attack_30_what_is_over_is_not_used() {
    for (attributes, role_attributes) in [
        ("validUntil='2026-10-01T08:00:00Z'", ""),
        ("", "validUntil='2026-10-01T08:00:00Z'"),
        (
            "validUntil='2027-10-01T08:00:00Z'",
            "validUntil='2025-10-01T08:00:00Z'",
        ),
    ] {
        let attributes = format!("entityID='https://a.example/' {attributes}");
        let text = entity(&attributes, role_attributes, &consumer("https://a.example/acs"));
        assert!(matches!(read_text(&text), Err(Unusable::Expired(_))), "{text}");
    }
    let wrong = entity(
        "entityID='x' validUntil='soon'",
        "",
        &consumer("https://a.example/acs"),
    );
    assert_eq!(read_text(&wrong).unwrap_err(), Unusable::Moment("validUntil"));
    let text = sample("renater-aggregate.xml");
    let (taken, bytes) = taken(&text, &["rsa"]).unwrap();
    let late = moment("2026-10-10T08:00:00Z").unwrap();
    let all = Entities::new(
        bytes.as_slice(),
        Allowed::default(),
        OWN.into(),
        taken.repeated,
        late,
    );
    assert!(!all.flatten().any(|found| matches!(found, Found::Service(_))));
}

#[test]
fn attack_30_answers_go_to_safe_addresses_only() {
    let at = |location: &str, allowed| {
        let text = entity("entityID='https://a.example/'", "", &consumer(location));
        let document = Document::read(text.as_bytes(), &Limits::METADATA).unwrap();
        read(document.root(), allowed, NOW).is_ok()
    };
    for location in [
        "https://a.example/acs?x=1",
        "http://127.0.0.1:8081/acs",
        "http://localhost/acs",
    ] {
        assert!(at(location, Allowed::default()), "{location}");
    }
    let lenient = Allowed { http_addresses: true };
    assert!(at("http://a.example/acs", lenient) && !at("http://a.example/acs", Allowed::default()));
    for location in [
        "",
        "javascript:alert(1)",
        "JavaScript:alert(1)",
        "data:text/html,x",
        "//a.example/acs",
        "/acs",
        "https://u@a.example/",
        "https://u:p@a.example/",
        "https://a.example/#x",
        "ftp://a.example/",
        "https:///",
        "https://a.example/&#10;x",
    ] {
        assert!(!at(location, lenient), "{location}");
    }
    let logout = "<md:SingleLogoutService Binding='urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST' \
        Location='https://a.example/' ResponseLocation='javascript:x'/>";
    assert!(matches!(service(logout), Err(Unusable::Address(_))));
}

#[test]
fn an_entity_that_no_answer_could_be_sent_to_is_no_service() {
    let text = |role: &str| entity("entityID='https://a.example/'", "", role);
    assert_eq!(read_text(&text("")).unwrap_err(), Unusable::NoConsumer);
    let two = format!("{0}{0}", consumer("https://a.example/acs"));
    assert_eq!(read_text(&text(&two)).unwrap_err(), Unusable::Index);
    let none = consumer("https://a.example/acs").replace("index='0'", "");
    assert_eq!(read_text(&text(&none)).unwrap_err(), Unusable::Index);
    let saml1 = text(&consumer("https://a.example/acs")).replace("SAML:2.0:protocol", "SAML:1.1:protocol");
    assert_eq!(read_text(&saml1).unwrap_err(), Unusable::NotAService);
    let nameless = entity("", "", &consumer("https://a.example/acs"));
    assert_eq!(read_text(&nameless).unwrap_err(), Unusable::EntityId);
    let vague = entity(
        "entityID='x'",
        "AuthnRequestsSigned='yes'",
        &consumer("https://a.example/acs"),
    );
    assert_eq!(
        read_text(&vague).unwrap_err(),
        Unusable::Boolean("AuthnRequestsSigned")
    );
}

#[test]
fn an_entity_of_any_length_costs_a_bounded_memory_and_only_itself() {
    let one = |id: &str, more: &str| {
        entity(
            &format!("entityID='{id}'"),
            "",
            &format!("{}{more}", consumer("https://a.example/acs")),
        )
    };
    let long = format!("<md:X>{}</md:X>", "é ".repeat(400_000));
    let text = format!(
        "<md:EntitiesDescriptor xmlns:md='urn:oasis:names:tc:SAML:2.0:metadata'>{}{}</md:EntitiesDescriptor>",
        one("https://long.example/", &long),
        one("https://next.example/", "")
    );
    let mut bytes = Vec::new();
    let taken = take(text.as_bytes(), None, Limits::METADATA, &mut bytes).unwrap();
    assert_eq!((taken.key, taken.valid_until), (None, None));
    let found: Vec<_> = entities(&bytes, taken.repeated).map(Result::unwrap).collect();
    assert!(matches!(
        &found[0],
        Found::Unusable {
            reason: Unusable::TooLong(_),
            ..
        }
    ));
    assert!(
        matches!(&found[1], Found::Service(entity) if entity.provider.entity_id == "https://next.example/")
    );
    // Six bytes each, of which canonicalisation makes two hundred and sixty.
    let namespace = format!("urn:{}", "x".repeat(240));
    let many = format!(
        "<md:EntitiesDescriptor xmlns:md='urn:oasis:names:tc:SAML:2.0:metadata' xmlns:a='{namespace}'>{}</md:EntitiesDescriptor>",
        "<a:b/>".repeat(10_000)
    );
    let grown = Limits {
        bytes: many.len(),
        ..Limits::METADATA
    };
    assert!(matches!(
        take(many.as_bytes(), None, grown, Vec::new()),
        Err(NotTaken::Output(_))
    ));
    let small = Limits {
        bytes: 1000,
        ..Limits::METADATA
    };
    assert!(matches!(
        take(text.as_bytes(), None, small, Vec::new()),
        Err(NotTaken::Xml(_))
    ));
}

proptest! {
    #[test]
    fn reading_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        drop(take(bytes.as_slice(), Some(&[key("ec")]), Limits::METADATA, Vec::new()));
        for found in entities(&bytes, Names::default()).take(100) {
            drop(found);
        }
    }

    #[test]
    fn reading_never_panics_on_what_looks_like_metadata(cut in 0..12_000_usize, with in "[<>/='\" &a-z]{0,8}") {
        let text = sample("renater-aggregate.xml");
        let mut bytes = text.into_bytes();
        let cut = cut.min(bytes.len());
        bytes.splice(cut..(cut + with.len()).min(bytes.len()), with.bytes());
        prop_assert!(take(bytes.as_slice(), Some(&[key("ec")]), Limits::METADATA, Vec::new()).is_err());
        for found in entities(&bytes, Names::default()).take(100) {
            drop(found);
        }
    }
}
