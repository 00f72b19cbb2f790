//! Signed XML: as it comes, or a signed document of the samples after a program has been at it.
//!
//! Three looks at the same bytes: ours; ours with cryptography taken for granted, which goes as far as structure goes and so sees
//! wrapping that a wrong digest would hide; and another implementation's. Nobody but the samples' makers has their keys, so what
//! is given back as signed must be one of the documents that they signed, to the byte.

use std::collections::HashSet;
use std::sync::LazyLock;

use marelle::saml::xml::{Document, Flaw, Limits, Namespace, Node, Rendering, Stream, Token, canonical};
use marelle::saml::xmlsec::{
    Claim, Engine, Policy, PublicKey, Refused, Wanted, verify, verify_read, verify_with,
};

use crate::markup;
use crate::samples::{KEYS, SIGNED};

/// Elements that may be wanted: where, namespace, name.
const WANTED: &[(Wanted, bool, Namespace, &str)] = &[
    (
        Wanted::root(Namespace::Samlp, "Response"),
        true,
        Namespace::Samlp,
        "Response",
    ),
    (
        Wanted::root(Namespace::Samlp, "AuthnRequest"),
        true,
        Namespace::Samlp,
        "AuthnRequest",
    ),
    (
        Wanted::root(Namespace::Saml, "Assertion"),
        true,
        Namespace::Saml,
        "Assertion",
    ),
    (
        Wanted::only_child(Namespace::Saml, "Assertion"),
        false,
        Namespace::Saml,
        "Assertion",
    ),
    (
        Wanted::root(Namespace::Md, "EntitiesDescriptor"),
        true,
        Namespace::Md,
        "EntitiesDescriptor",
    ),
];

const LAX: Policy = Policy {
    sha1: true,
    limits: Limits::METADATA,
};

/// What was ever signed by the keys, as it is given back.
static FORMS: LazyLock<HashSet<String>> = LazyLock::new(|| {
    let mut forms = HashSet::new();
    for text in SIGNED {
        for (wanted, ..) in WANTED {
            if let Ok(signed) = verify(text.as_bytes(), *wanted, &*KEYS, &LAX) {
                forms.insert(canonical(signed.root(), None, &[]));
            }
        }
    }
    assert!(forms.len() > 10, "the samples are read");
    forms
});

/// The first byte says whether the rest is a document or a program.
///
/// # Panics
/// Where a property does not hold.
pub fn check(data: &[u8]) {
    let Some((how, rest)) = data.split_first() else {
        return;
    };
    let mixed;
    let text = if how % 2 == 0 {
        rest
    } else {
        mixed = markup::mixed(SIGNED, rest).unwrap_or_default();
        mixed.as_bytes()
    };
    forms(text);
    let policy = match how & 6 {
        0 => Policy::MESSAGE,
        2 => Policy::METADATA,
        _ => LAX,
    };
    signatures(text, &policy, how & 0x80 != 0);
}

/// Reading, canonical form, and reading again: by the tree, by the stream, and by another implementation.
pub(crate) fn forms(text: &[u8]) {
    let read = Document::read(text, &Limits::METADATA);
    let form = read
        .as_ref()
        .ok()
        .map(|document| canonical(document.root(), None, &[]));
    assert_eq!(form, streamed(text), "the stream reads what the tree reads");
    if let Ok(strict) = Document::read(text, &Limits::MESSAGE) {
        assert_eq!(
            form,
            Some(canonical(strict.root(), None, &[])),
            "limits change nothing"
        );
    }
    let Some(form) = form else {
        return;
    };
    let again = match Document::read(form.as_bytes(), &Limits::METADATA) {
        Ok(again) => again,
        // A canonical form declares on each tag what was declared around it.
        Err(fault) if matches!(fault.flaw, Flaw::TooManyAttributes | Flaw::TooManyNamespaces) => return,
        Err(fault) => panic!("{fault}: {form}"),
    };
    assert_eq!(
        canonical(again.root(), None, &[]),
        form,
        "a canonical form is its own"
    );
    if let Some(theirs) = second_look(&form) {
        assert_eq!(
            theirs, form,
            "a second implementation has the same canonical form"
        );
    }
}

fn streamed(text: &[u8]) -> Option<String> {
    let mut stream = Stream::new(text, Limits::METADATA);
    let mut rendering = Rendering::new(Vec::new(), &[]);
    loop {
        match stream.next_token().ok()? {
            Token::Open(tag) => rendering.open(&tag, stream.scope()),
            Token::Text(text) => rendering.text(&text),
            Token::Close => rendering.close(),
            Token::End => return String::from_utf8(rendering.finish().ok()?).ok(),
        }
        .ok()?;
    }
}

/// bergshamra's canonical form; `None` where its parser does not take what ours does.
fn second_look(text: &str) -> Option<String> {
    let document = bergshamra::xml::uppsala::parse(text).ok()?;
    let set = bergshamra::xml::NodeSet::tree_without_comments(document.document_element()?, &document);
    let none: &[&str] = &[];
    let form = bergshamra::c14n::exclusive::canonicalize(&document, false, Some(&set), none).ok()?;
    String::from_utf8(form).ok()
}

/// Takes every signature for true.
struct Trusting;

impl Engine for Trusting {
    fn signed_form(&self, claim: &Claim<'_>, _: &PublicKey) -> Option<String> {
        let signature = claim.element.child(Namespace::Ds, "Signature")?;
        Some(canonical(claim.element, Some(signature), &prefixes(signature)))
    }
}

/// The list of the last transform of a signature.
fn prefixes(signature: Node<'_>) -> Vec<&str> {
    let lists = signature.descendants().filter(|node| {
        let transform = node.parent();
        node.is(Namespace::Ec, "InclusiveNamespaces")
            && transform.is_some_and(|transform| transform.is(Namespace::Ds, "Transform"))
    });
    let list = lists.last().and_then(|list| list.attribute("PrefixList"));
    list.unwrap_or_default().split_ascii_whitespace().collect()
}

/// `all` asks for elements too that are not there by their names, which is seldom worth the time.
fn signatures(text: &[u8], policy: &Policy, all: bool) {
    let document = Document::read(text, &policy.limits);
    for (wanted, is_root, namespace, name) in WANTED {
        let is_there = document.as_ref().is_ok_and(|document| {
            let mut elements = document.elements();
            document.root().is(*namespace, name) || !is_root && elements.any(|node| node.is(*namespace, name))
        });
        if !is_there && !all {
            continue;
        }
        let trusting = verify_with(&Trusting, text, *wanted, &KEYS[..1], policy);
        let real = verify(text, *wanted, &*KEYS, policy);
        if let Ok(signed) = &trusting {
            let document = document.as_ref().expect("it was read");
            nothing_around(document, signed.root(), *is_root, (*namespace, name));
        }
        let Ok(signed) = real else {
            let is_of_structure = !matches!(real, Err(Refused::Signature));
            assert!(
                trusting.is_err() || !is_of_structure,
                "{real:?}, but only cryptography was left out"
            );
            continue;
        };
        let form = canonical(signed.root(), None, &[]);
        assert!(FORMS.contains(&form), "nobody signed this: {form}");
        let trusting = trusting.expect("what is signed is of the right structure");
        assert_eq!(canonical(trusting.root(), None, &[]), form);
        let document = document.as_ref().expect("it was read");
        let again = verify_read(document, *wanted, &*KEYS, policy).expect("it was verified");
        assert_eq!(
            canonical(again.root(), None, &[]),
            form,
            "a tree that was read is verified alike"
        );
        assert_eq!(
            verify(
                text,
                *wanted,
                std::slice::from_ref(&*crate::samples::FOREIGN),
                policy
            )
            .err(),
            Some(Refused::Signature)
        );
    }
}

/// What is given back is the one element that carries its signature, at its place; all that stands in it stood in there, and what
/// stood around it is gone.
fn nothing_around(document: &Document, given: Node<'_>, is_root: bool, (namespace, name): (Namespace, &str)) {
    assert!(given.is(namespace, name));
    let id = given.attribute("ID").expect("what is signed has an ID");
    let is_id = |name: &str| name.eq_ignore_ascii_case("id");
    let called = document
        .elements()
        .filter(|node| node.attributes().any(|one| is_id(one.name) && one.value == id));
    let called: Vec<_> = called.collect();
    let [signed] = called.as_slice() else {
        panic!("{} elements are called {id}", called.len());
    };
    assert!(signed.is(namespace, name));
    if is_root {
        assert!(*signed == document.root());
    } else {
        assert!(signed.parent() == Some(document.root()));
        let others = document.elements().filter(|node| node.is(namespace, name));
        assert_eq!(others.count(), 1, "another one could be meant");
    }
    let signatures: Vec<_> = signed.children_named(Namespace::Ds, "Signature").collect();
    let [signature] = signatures.as_slice() else {
        panic!("{} signatures", signatures.len());
    };
    let references: Vec<_> = signature
        .descendants()
        .filter(|node| node.is(Namespace::Ds, "Reference"))
        .filter_map(|node| node.attribute("URI"))
        .collect();
    // What KeyInfo says is nobody's business, and not counted.
    assert_eq!(references.first().copied(), Some(format!("#{id}").as_str()));
    // Element by element, the same in the same order, but for the signature.
    let outside = |node: &Node<'_>| !signature.descendants().any(|inside| inside == *node);
    let kept: Vec<_> = signed.descendants().filter(outside).collect();
    let given: Vec<_> = given.descendants().collect();
    assert_eq!(kept.len(), given.len());
    for (kept, given) in kept.iter().zip(&given) {
        assert_eq!((kept.namespace(), kept.name()), (given.namespace(), given.name()));
        let values = |node: &Node<'_>| {
            let mut all: Vec<_> = node
                .attributes()
                .map(|one| {
                    (
                        one.namespace.to_owned(),
                        one.name.to_owned(),
                        one.value.to_owned(),
                    )
                })
                .collect();
            all.sort_unstable();
            all
        };
        assert_eq!(values(kept), values(given));
        if kept.children().next().is_none() {
            assert_eq!(kept.text(), given.text());
        }
    }
}
