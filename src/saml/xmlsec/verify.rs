//! From a document of anyone to the element that a trusted key signed, and nothing else.
//!
//! | step | refuses |
//! | --- | --- |
//! | 1. a key is there | parties without (CVE-2026-16443 and its family) |
//! | 2. the document is read | [`Fault`](crate::saml::xml::Fault) |
//! | 3. the wanted element is at its place, and the only one | wrapping (XSW 1–10) |
//! | 4. no identifier is given twice | wrapping, pollution |
//! | 5. the signature it carries has the one form | `signature` |
//! | 6. a trusted key made it over this element | everything forged |
//! | 7. what was signed is read anew, and is the wanted element with its `ID` | an engine that differs from the reader |
//!
//! Must never give back the document that came.

use std::collections::HashSet;

use super::signature::Signature;
use super::{Claim, Engine, Native, PublicKey, Refused, SignatureAlgorithm};
use crate::saml::xml::{Document, Limits, Namespace, Node};

/// The element that is to be signed.
#[derive(Clone, Copy, Debug)]
pub struct Wanted {
    namespace: Namespace,
    name: &'static str,
    place: Place,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Root,
    InRoot,
}

impl Wanted {
    /// The root of the document.
    pub const fn root(namespace: Namespace, name: &'static str) -> Self {
        Self {
            namespace,
            name,
            place: Place::Root,
        }
    }

    /// The only element of that name in the document, directly in the root: the one assertion of a response.
    pub const fn only_child(namespace: Namespace, name: &'static str) -> Self {
        Self {
            namespace,
            name,
            place: Place::InRoot,
        }
    }

    fn find<'d>(&self, document: &'d Document) -> Result<Node<'d>, Refused> {
        let root = document.root();
        let named = |node: &Node<'_>| node.is(self.namespace, self.name);
        match self.place {
            Place::Root => Some(root).filter(named).ok_or(Refused::Element),
            Place::InRoot => {
                let mut found = document.elements().filter(named);
                match (found.next(), found.next()) {
                    (Some(node), None) if node.parent() == Some(root) => Ok(node),
                    _ => Err(Refused::Element),
                }
            }
        }
    }
}

/// What is accepted of a party.
#[derive(Clone, Copy, Debug)]
pub struct Policy {
    /// Whether signatures and digests by SHA-1 count: off, but for a party whose tolerance says so.
    pub sha1: bool,
    /// What its documents may cost.
    pub limits: Limits,
}

impl Policy {
    /// For messages of a party without tolerances.
    pub const MESSAGE: Self = Self {
        sha1: false,
        limits: Limits::MESSAGE,
    };
    /// For metadata.
    pub const METADATA: Self = Self {
        sha1: false,
        limits: Limits::METADATA,
    };
}

/// An element that a trusted key signed, as it was signed: without the signature, and without anything around.
#[derive(Clone, Debug)]
pub struct Signed {
    document: Document,
    /// Which of the keys signed, as they were given.
    pub key: usize,
    /// How.
    pub algorithm: SignatureAlgorithm,
}

impl Signed {
    /// The element, as the root of a document of its own.
    pub fn root(&self) -> Node<'_> {
        self.document.root()
    }

    /// The document of its own.
    pub const fn document(&self) -> &Document {
        &self.document
    }
}

/// What of a document as it came is signed by one of the keys.
///
/// # Errors
/// The first of the steps that fails.
pub fn verify(bytes: &[u8], wanted: Wanted, keys: &[PublicKey], policy: &Policy) -> Result<Signed, Refused> {
    verify_with(&Native, bytes, wanted, keys, policy)
}

/// The same by an engine of choice.
///
/// # Errors
/// The first of the steps that fails.
pub fn verify_with(
    engine: &dyn Engine,
    bytes: &[u8],
    wanted: Wanted,
    keys: &[PublicKey],
    policy: &Policy,
) -> Result<Signed, Refused> {
    if keys.is_empty() {
        return Err(Refused::NoKey);
    }
    let document = Document::read(bytes, &policy.limits)?;
    let found = check(engine, &document, bytes, wanted, keys, policy)?;
    // An aggregate is large: one tree at a time.
    drop(document);
    found.read(wanted, policy)
}

/// The same of a document that was read: of one that was decrypted, say.
///
/// # Errors
/// The first of the steps that fails.
pub fn verify_read(
    document: &Document,
    wanted: Wanted,
    keys: &[PublicKey],
    policy: &Policy,
) -> Result<Signed, Refused> {
    if keys.is_empty() {
        return Err(Refused::NoKey);
    }
    check(&Native, document, &[], wanted, keys, policy)?.read(wanted, policy)
}

/// What an engine says was signed.
struct Found {
    form: String,
    id: String,
    key: usize,
    algorithm: SignatureAlgorithm,
}

fn check(
    engine: &dyn Engine,
    document: &Document,
    bytes: &[u8],
    wanted: Wanted,
    keys: &[PublicKey],
    policy: &Policy,
) -> Result<Found, Refused> {
    let element = wanted.find(document)?;
    unique_ids(document)?;
    let signature = Signature::of(element, policy.sha1)?;
    let algorithm = signature.algorithm;
    let claim = Claim {
        bytes,
        element,
        signature,
    };
    let mut answers = keys.iter().enumerate();
    let (key, form) = answers
        .find_map(|(index, key)| Some((index, engine.signed_form(&claim, key)?)))
        .ok_or(Refused::Signature)?;
    Ok(Found {
        form,
        id: element.attribute("ID").unwrap_or_default().to_owned(),
        key,
        algorithm,
    })
}

impl Found {
    fn read(self, wanted: Wanted, policy: &Policy) -> Result<Signed, Refused> {
        // The canonical form of an acceptable document may be longer than the document.
        let limits = Limits {
            bytes: usize::MAX,
            ..policy.limits
        };
        let document = Document::read(self.form.as_bytes(), &limits)?;
        let root = document.root();
        if !root.is(wanted.namespace, wanted.name) || root.attribute("ID") != Some(&self.id) {
            return Err(Refused::Reference);
        }
        Ok(Signed {
            document,
            key: self.key,
            algorithm: self.algorithm,
        })
    }
}

/// That no identifier is given twice, in whatever way identifiers are written, and no element has two.
fn unique_ids(document: &Document) -> Result<(), Refused> {
    let mut seen = HashSet::new();
    for element in document.elements() {
        let mut ids = element
            .attributes()
            .filter(|attribute| attribute.name.eq_ignore_ascii_case("id"));
        let first = ids.next();
        if ids.next().is_some() || first.is_some_and(|id| !seen.insert(id.value)) {
            return Err(Refused::RepeatedId);
        }
    }
    Ok(())
}
