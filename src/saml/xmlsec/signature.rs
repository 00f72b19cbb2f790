//! What a signature says of itself, before anything is computed: only one form is read, that of saml-core §5.4.
//!
//! | rule | of |
//! | --- | --- |
//! | `SignedInfo`, `SignatureValue`, perhaps `KeyInfo`, and nothing else | xmldsig-core §4.1; no `Object` (saml-core §5.4.2) |
//! | exclusive canonicalisation of `SignedInfo` | saml-core §5.4.3 |
//! | an algorithm of the list, SHA-1 where the party may | xmldsig-core §6 |
//! | one `Reference` | saml-core §5.4.2 |
//! | its `URI` is `#` and the `ID` of the element that carries the signature | saml-core §5.4.2 |
//! | two transforms: enveloped, exclusive | saml-core §5.4.4 |
//!
//! `KeyInfo` is never looked into. Must never search: what is read is a child at its place.

use data_encoding::BASE64;

use super::{Digest, Refused, SignatureAlgorithm};
use crate::saml::xml::{Namespace, Node};

/// Enveloped signatures (xmldsig-core §6.6.4).
pub(super) const ENVELOPED: &str = "http://www.w3.org/2000/09/xmldsig#enveloped-signature";
/// Exclusive canonicalisation (xml-exc-c14n §4).
pub(super) const EXCLUSIVE: &str = "http://www.w3.org/2001/10/xml-exc-c14n#";
/// The same, comments kept; a reference by `#ID` has dropped them already (xmldsig-core §4.3.3.3), and the reader has none.
const EXCLUSIVE_WITH_COMMENTS: &str = "http://www.w3.org/2001/10/xml-exc-c14n#WithComments";

/// The most prefixes that an `InclusiveNamespaces` list has.
const MOST_PREFIXES: usize = 32;
/// The longest Base64 that is a digest or a signature: RSA of 8192 bits, with line ends.
const LONGEST_VALUE: usize = 4096;

/// A signature that may be verified.
#[derive(Clone, Debug)]
pub(super) struct Signature<'d> {
    pub(super) node: Node<'d>,
    pub(super) signed_info: Node<'d>,
    /// The prefixes of the list for `SignedInfo`.
    pub(super) info_prefixes: Vec<&'d str>,
    pub(super) algorithm: SignatureAlgorithm,
    pub(super) value: Vec<u8>,
    pub(super) digest: Digest,
    pub(super) digest_value: Vec<u8>,
    /// The prefixes of the list for the element.
    pub(super) prefixes: Vec<&'d str>,
}

impl<'d> Signature<'d> {
    /// The one signature that `element` carries.
    pub(super) fn of(element: Node<'d>, sha1: bool) -> Result<Self, Refused> {
        let mut found = element.children_named(Namespace::Ds, "Signature");
        let node = match (found.next(), found.next()) {
            (None, _) => return Err(Refused::Unsigned),
            (Some(node), None) => node,
            (Some(_), Some(_)) => return Err(Refused::Form("more than one signature")),
        };
        let [signed_info, value] = match *elements(node, "SignedInfo, SignatureValue, KeyInfo")?.as_slice() {
            [info, value] => [info, value],
            [info, value, key] if key.is(Namespace::Ds, "KeyInfo") => [info, value],
            _ => return Err(Refused::Form("Signature")),
        };
        let [method, algorithm, reference] = *elements(signed_info, "SignedInfo")?.as_slice() else {
            return Err(Refused::Form("SignedInfo has other than one Reference"));
        };
        let named = [
            (signed_info, "SignedInfo"),
            (value, "SignatureValue"),
            (method, "CanonicalizationMethod"),
            (algorithm, "SignatureMethod"),
            (reference, "Reference"),
        ];
        if let Some((_, name)) = named
            .into_iter()
            .find(|(node, name)| !node.is(Namespace::Ds, name))
        {
            return Err(Refused::Form(name));
        }
        // xmldsig-core §4.3.2: no parameters, of which HMACOutputLength is one.
        if algorithm.text().is_none() {
            return Err(Refused::Form("SignatureMethod"));
        }
        let algorithm = algorithm
            .attribute("Algorithm")
            .and_then(SignatureAlgorithm::from_uri)
            .filter(|algorithm| sha1 || algorithm.digest() != Digest::Sha1)
            .ok_or(Refused::Algorithm)?;
        let read = Reference::read(reference, element, sha1)?;
        Ok(Self {
            node,
            signed_info,
            info_prefixes: exclusive(method)?,
            algorithm,
            value: decoded(value)?,
            digest: read.digest,
            digest_value: read.value,
            prefixes: read.prefixes,
        })
    }
}

struct Reference<'d> {
    digest: Digest,
    value: Vec<u8>,
    prefixes: Vec<&'d str>,
}

impl<'d> Reference<'d> {
    fn read(node: Node<'d>, element: Node<'_>, sha1: bool) -> Result<Self, Refused> {
        let id = element
            .attribute("ID")
            .filter(|id| is_id(id))
            .ok_or(Refused::Reference)?;
        if node.attribute("URI").and_then(|uri| uri.strip_prefix('#')) != Some(id) {
            return Err(Refused::Reference);
        }
        let [transforms, method, value] = *elements(node, "Reference")?.as_slice() else {
            return Err(Refused::Form("Reference"));
        };
        let named = [
            (transforms, "Transforms"),
            (method, "DigestMethod"),
            (value, "DigestValue"),
        ];
        if let Some((_, name)) = named
            .into_iter()
            .find(|(node, name)| !node.is(Namespace::Ds, name))
        {
            return Err(Refused::Form(name));
        }
        let [enveloped, canonical] = *elements(transforms, "Transforms")?.as_slice() else {
            return Err(Refused::Form("Transforms"));
        };
        let is_enveloped = enveloped.is(Namespace::Ds, "Transform")
            && enveloped.attribute("Algorithm") == Some(ENVELOPED)
            && enveloped.text().is_some();
        if !is_enveloped || !canonical.is(Namespace::Ds, "Transform") {
            return Err(Refused::Form("Transform"));
        }
        let digest = method
            .attribute("Algorithm")
            .and_then(Digest::from_uri)
            .filter(|digest| sha1 || *digest != Digest::Sha1)
            .ok_or(Refused::Algorithm)?;
        Ok(Self {
            digest,
            value: decoded(value)?,
            prefixes: exclusive(canonical)?,
        })
    }
}

/// An `ID` that no pointer can be mistaken for: the characters of xml-names §3, of which generators choose the first freely.
fn is_id(id: &str) -> bool {
    !id.is_empty()
        && id
            .chars()
            .all(|symbol| symbol.is_alphanumeric() || matches!(symbol, '_' | '-' | '.'))
}

/// The elements inside, where nothing else stands there.
fn elements<'d>(node: Node<'d>, what: &'static str) -> Result<Vec<Node<'d>>, Refused> {
    if node.has_text() {
        return Err(Refused::Form(what));
    }
    Ok(node.children().collect())
}

/// The prefixes of the list, where the method is the exclusive canonicalisation (xml-exc-c14n §4).
fn exclusive<'d>(method: Node<'d>) -> Result<Vec<&'d str>, Refused> {
    let uri = method.attribute("Algorithm");
    if !matches!(uri, Some(EXCLUSIVE | EXCLUSIVE_WITH_COMMENTS)) {
        return Err(Refused::Algorithm);
    }
    let list = match *elements(method, "Transform")?.as_slice() {
        [] => return Ok(Vec::new()),
        [list] if list.is(Namespace::Ec, "InclusiveNamespaces") => list,
        _ => return Err(Refused::Form("Transform")),
    };
    let prefixes: Vec<_> = list
        .attribute("PrefixList")
        .unwrap_or_default()
        .split_ascii_whitespace()
        .take(MOST_PREFIXES + 1)
        .collect();
    if prefixes.len() > MOST_PREFIXES {
        return Err(Refused::Form("InclusiveNamespaces"));
    }
    Ok(prefixes)
}

/// Base64 with white space (xmldsig-core §4.2, xmlschema-2 §3.2.16).
fn decoded(node: Node<'_>) -> Result<Vec<u8>, Refused> {
    let text = node.text().filter(|text| text.len() <= LONGEST_VALUE);
    let bare: String = text.unwrap_or_default().split_ascii_whitespace().collect();
    let bytes = BASE64.decode(bare.as_bytes()).unwrap_or_default();
    if bytes.is_empty() {
        return Err(Refused::Form("a value is not Base64"));
    }
    Ok(bytes)
}
