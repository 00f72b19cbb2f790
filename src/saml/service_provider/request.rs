//! An `AuthnRequest` of ours (saml-core §3.4.1).

use crate::base::time::Timestamp;
use crate::saml::name_id::issuer;
use crate::saml::xml::{Element, Namespace};

/// What is asked.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// Its identifier, which the answer names.
    pub id: &'a str,
    /// Our entityID as a service provider.
    pub issuer: &'a str,
    /// The provider's address.
    pub destination: &'a str,
    /// Where the answer comes to, by form.
    pub assertion_consumer: &'a str,
    /// Whether the person is to prove themselves again: on shared devices, after somebody has left.
    pub force_authn: bool,
    /// The format of NameID that is wished for.
    pub name_id_format: Option<&'a str>,
    /// The contexts of which one is wanted, exactly (saml-core §3.3.2.2.1); empty for any.
    pub authn_context: &'a [String],
    /// The present instant.
    pub now: Timestamp,
}

/// `samlp:AuthnRequest`, not signed.
pub fn request(asked: Request<'_>) -> Element {
    let policy = asked.name_id_format.map(|format| {
        Element::new(Namespace::Samlp, "NameIDPolicy")
            .attribute("AllowCreate", "true")
            .attribute("Format", format)
    });
    let contexts = (!asked.authn_context.is_empty()).then(|| {
        let class = |name: &String| Element::new(Namespace::Saml, "AuthnContextClassRef").text(name.as_str());
        Element::new(Namespace::Samlp, "RequestedAuthnContext")
            .attribute("Comparison", "exact")
            .children(asked.authn_context.iter().map(class))
    });
    Element::new(Namespace::Samlp, "AuthnRequest")
        .attribute("ID", asked.id)
        .attribute("Version", "2.0")
        .attribute("IssueInstant", asked.now.to_string())
        .attribute("Destination", asked.destination)
        .attribute_if("ForceAuthn", asked.force_authn.then_some("true"))
        .attribute(
            "ProtocolBinding",
            "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST",
        )
        .attribute("AssertionConsumerServiceURL", asked.assertion_consumer)
        .child(issuer(asked.issuer))
        .child_if(policy)
        .child_if(contexts)
}
