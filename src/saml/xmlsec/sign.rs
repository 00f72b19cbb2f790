//! Signs an element of ours (saml-core §5.4): written in canonical form it is digested as it is, and the signature goes
//! where the schemas want it, behind the issuer or before all else. Must never sign with SHA-1.

use data_encoding::BASE64;
use openssl::hash::hash;

use super::signature::{ENVELOPED, EXCLUSIVE};
use super::{Certificate, KeyError, PrivateKey};
use crate::saml::xml::{Element, Namespace};

/// A key of ours with the certificate that says so to those who look.
#[derive(Clone, Debug)]
pub struct Signer {
    /// The key.
    pub key: PrivateKey,
    /// The certificate that goes into `KeyInfo`.
    pub certificate: Option<Certificate>,
}

/// The element with a signature over it. It must have an `ID`.
///
/// # Errors
/// [`KeyError::Use`] for an element without `ID`, and when the library refuses.
pub fn sign(element: Element, signer: &Signer) -> Result<Element, KeyError> {
    let id = element
        .value("ID")
        .filter(|id| !id.is_empty())
        .ok_or(KeyError::Use)?;
    let uri = format!("#{id}");
    let algorithm = signer.key.algorithm();
    let digest = hash(algorithm.digest().message_digest(), element.write().as_bytes())?;
    let method = |name, uri: &str| Element::new(Namespace::Ds, name).attribute("Algorithm", uri);
    let prefixes = element.declared_prefixes();
    // xml-exc-c14n §4: prefixes that only values use are said, or a verifier would leave their declarations out.
    let list = (!prefixes.is_empty()).then(|| {
        Element::new(Namespace::Ec, "InclusiveNamespaces").attribute("PrefixList", prefixes.join(" "))
    });
    let transforms = Element::new(Namespace::Ds, "Transforms")
        .child(method("Transform", ENVELOPED))
        .child(method("Transform", EXCLUSIVE).child_if(list));
    let reference = Element::new(Namespace::Ds, "Reference")
        .attribute("URI", uri)
        .child(transforms)
        .child(method("DigestMethod", algorithm.digest().uri()))
        .child(Element::new(Namespace::Ds, "DigestValue").text(BASE64.encode(&digest)));
    let signed_info = Element::new(Namespace::Ds, "SignedInfo")
        .child(method("CanonicalizationMethod", EXCLUSIVE))
        .child(method("SignatureMethod", algorithm.uri()))
        .child(reference);
    let value = signer.key.sign(signed_info.write().as_bytes())?;
    let certificate = signer
        .certificate
        .as_ref()
        .map(Certificate::to_base64)
        .transpose()?;
    let signature = Element::new(Namespace::Ds, "Signature")
        .child(signed_info)
        .child(Element::new(Namespace::Ds, "SignatureValue").text(BASE64.encode(&value)))
        .child_if(certificate.map(key_info));
    Ok(element.insert_after(Namespace::Saml, "Issuer", signature))
}

fn key_info(certificate: String) -> Element {
    let certificate = Element::new(Namespace::Ds, "X509Certificate").text(certificate);
    Element::new(Namespace::Ds, "KeyInfo").child(Element::new(Namespace::Ds, "X509Data").child(certificate))
}
