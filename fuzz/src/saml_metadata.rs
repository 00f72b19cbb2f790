//! Metadata of partners: one entity, or a federation's aggregate as a stream.

use std::collections::HashSet;
use std::sync::LazyLock;

use data_encoding::BASE64;
use marelle::saml::metadata::{Allowed, Entities, Found, NotTaken, Taken, duration, moment, read, take};
use marelle::saml::xml::{Document, Flaw, Limits, Namespace, Node, canonical};
use marelle::saml::xmlsec::{PublicKey, Refused};
use url::Url;

use crate::markup;
use crate::samples::{FOREIGN, KEYS, NOW, SIGNED, sample};
use crate::xml_signature::forms;

const OWN: &str = "https://id.example.fr/saml/metadata";

/// The documents that the keys of the samples signed, as they are written once they are taken.
static GENUINE: LazyLock<HashSet<Vec<u8>>> = LazyLock::new(|| {
    let taken = SIGNED
        .iter()
        .filter_map(|text| taken(text.as_bytes(), Some(&*KEYS)).ok());
    let genuine: HashSet<_> = taken.map(|(_, bytes)| bytes).collect();
    assert_eq!(
        genuine.len(),
        2,
        "two aggregates of the samples are signed as we take them"
    );
    genuine
});

fn taken(text: &[u8], keys: Option<&[PublicKey]>) -> Result<(Taken, Vec<u8>), NotTaken> {
    let mut out = Vec::new();
    let taken = take(text, keys, Limits::METADATA, &mut out)?;
    Ok((taken, out))
}

/// The first byte says whether the rest is a document, a program, or a moment.
///
/// # Panics
/// Where a property does not hold.
pub fn check(data: &[u8]) {
    let Some((how, rest)) = data.split_first() else {
        return;
    };
    match how % 3 {
        0 => document(rest),
        1 => {
            const AGGREGATES: &[&str] = &[
                sample!("saml/renater-aggregate.xml"),
                sample!("saml/xmlsec1-aggregate.xml"),
                sample!("saml/pysaml2-aggregate.xml"),
            ];
            document(markup::mixed(AGGREGATES, rest).unwrap_or_default().as_bytes());
        }
        _ => {
            let Ok(text) = std::str::from_utf8(rest) else {
                return;
            };
            if let Some(moment) = moment(text) {
                // Written in whole seconds; a zone may reach out of the years that are read.
                let again = marelle::saml::metadata::moment(&moment.to_string());
                assert!(again.is_none_or(|again| again.to_string() == moment.to_string()));
            }
            duration(text);
        }
    }
}

fn document(text: &[u8]) {
    forms(text);
    let whole = Document::read(text, &Limits::METADATA);
    let unsigned = taken(text, None);
    match (&unsigned, &whole) {
        (Ok((_, bytes)), Ok(whole)) => {
            let form = canonical(whole.root(), signature(whole.root()), &[]);
            assert_eq!(
                String::from_utf8_lossy(bytes),
                form,
                "the stream takes what the tree holds"
            );
        }
        (Ok(_), Err(fault)) => panic!("the stream takes what the tree refuses: {fault}"),
        (Err(NotTaken::Xml(_)), Ok(_)) => assert!(is_beyond_limits(&unsigned), "{unsigned:?}"),
        _ => {}
    }
    if let Ok((_, bytes)) = taken(text, Some(&*KEYS)) {
        assert!(
            GENUINE.contains(&bytes),
            "nobody signed this: {}",
            String::from_utf8_lossy(&bytes)
        );
    }
    let foreign = taken(text, Some(std::slice::from_ref(&*FOREIGN)));
    assert!(foreign.is_err(), "nobody here has that key");
    assert!(matches!(
        taken(text, Some(&[])),
        Err(NotTaken::Signature(Refused::NoKey | Refused::Unsigned) | NotTaken::Xml(_) | NotTaken::Root)
    ));
    if let Ok((taken, bytes)) = unsigned {
        again(&taken, &bytes);
        let found = entities(&bytes, &taken);
        one(text, &found);
    }
}

/// A signature is held in memory with the limits of a message, of which metadata have more.
fn is_beyond_limits(taken: &Result<(Taken, Vec<u8>), NotTaken>) -> bool {
    matches!(taken, Err(NotTaken::Xml(fault)) if matches!(fault.flaw,
        Flaw::TooLong | Flaw::TooDeep | Flaw::TooManyNodes | Flaw::TooManyAttributes | Flaw::TooManyNamespaces))
}

/// The signature that is left out.
fn signature(root: Node<'_>) -> Option<Node<'_>> {
    root.children()
        .next()
        .filter(|first| first.is(Namespace::Ds, "Signature"))
}

/// What was taken is taken again, to the byte.
fn again(before: &Taken, bytes: &[u8]) {
    match taken(bytes, None) {
        Ok((after, again)) => {
            assert_eq!(again, bytes);
            assert_eq!(&after, before);
        }
        Err(NotTaken::Xml(fault)) => {
            assert!(
                matches!(fault.flaw, Flaw::TooManyAttributes | Flaw::TooManyNamespaces),
                "{fault}"
            );
        }
        Err(other) => panic!("{other}"),
    }
}

/// Every entity of a document that was taken: services are sound, and no two have a name.
fn entities(bytes: &[u8], taken: &Taken) -> Vec<Found> {
    let all = Entities::new(bytes, Allowed::default(), OWN.into(), taken.repeated.clone(), NOW);
    let found: Vec<Found> = all.map_while(Result::ok).collect();
    let mut names = HashSet::new();
    for one in &found {
        let Found::Service(entity) = one else { continue };
        let provider = &entity.provider;
        assert!(
            names.insert(provider.entity_id.clone()),
            "two services have a name"
        );
        assert!(!provider.entity_id.is_empty() && !provider.entity_id.contains(char::is_whitespace));
        assert!(provider.entity_id != OWN, "we are no service of our own");
        assert!(entity.valid_until.is_none_or(|end| end > NOW));
        assert!(!provider.assertion_consumers.is_empty());
        let mut indexes: Vec<u16> = provider.assertion_consumers.iter().map(|one| one.index).collect();
        indexes.sort_unstable();
        indexes.dedup();
        assert_eq!(
            indexes.len(),
            provider.assertion_consumers.len(),
            "a number means one address"
        );
        let consumers = provider.assertion_consumers.iter().map(|one| &one.location);
        let logouts = provider.logout_services.iter();
        let logouts = logouts.flat_map(|one| std::iter::once(&one.location).chain(&one.response_location));
        consumers.chain(logouts).for_each(|address| sent_to(address));
        let keys = provider.signing_keys.iter();
        for key in keys.chain(provider.encryption_keys.iter().map(|one| &one.spki)) {
            let der = BASE64.decode(key.as_bytes()).expect("a key that is kept");
            PublicKey::from_der(&der).expect("a key that is kept can be used");
        }
        let kept = serde_json::to_string(provider).expect("it can be kept");
        assert_eq!(serde_json::from_str(&kept).ok().as_ref(), Some(provider));
    }
    found
}

/// An address that a person is sent to with what they are.
fn sent_to(address: &str) {
    let url = Url::parse(address).expect("an address");
    let host = url.host_str().expect("a host");
    let is_local = host == "localhost" || host == "[::1]" || host.starts_with("127.");
    assert!(
        url.scheme() == "https" || (url.scheme() == "http" && is_local),
        "{address}"
    );
    assert!(url.username().is_empty() && url.password().is_none() && url.fragment().is_none());
    assert!(!address.contains(char::is_control));
}

/// A document of one entity says the same by itself.
fn one(text: &[u8], found: &[Found]) {
    let Ok(document) = Document::read(text, &Limits::METADATA) else {
        return;
    };
    if !document.root().is(Namespace::Md, "EntityDescriptor") {
        return;
    }
    let alone = read(document.root(), Allowed::default(), NOW);
    match (found, alone) {
        ([Found::Service(streamed)], Ok(alone)) => assert_eq!(**streamed, alone),
        ([Found::Service(streamed)], Err(why)) => panic!("{streamed:?}, but alone {why}"),
        _ => {}
    }
}
