//! The SAML 1.1 of §4.2.5, in a SOAP envelope. It is not signed: it is an answer to who asked, over TLS.

use std::time::Duration;

use super::{Answer, Names, Success};
use crate::cas::attribute::{Content, Node};
use crate::cas::validation::Refusal;
use crate::xml::{Element, Namespace};

/// §4.2.5 gives the assertion half a minute.
const VALIDITY: Duration = Duration::from_secs(30);
/// The namespace that CAS servers put their attributes in (§4.2.5).
const ATTRIBUTES: &str = "http://www.ja-sig.org/products/cas/";

pub(super) fn write(answer: &Answer, names: Names<'_>) -> String {
    let response = protocol("Response")
        .attribute("IssueInstant", names.now.to_string())
        .attribute("MajorVersion", "1")
        .attribute("MinorVersion", "1")
        .attribute("Recipient", names.service)
        .attribute("ResponseID", format!("_r{}", names.id));
    let response = match answer {
        Answer::Validated(success) => response
            .child(protocol("Status").child(protocol("StatusCode").attribute("Value", "samlp:Success")))
            .child(assertion(success, names)),
        Answer::Refused(refusal) | Answer::NotProxied(refusal) => response.child(status(*refusal)),
        Answer::Proxied(_) => response.child(status(Refusal::INTERNAL)),
    };
    let soap = |name| Element::new(Namespace::Soap11, name);
    soap("Envelope")
        .child(soap("Header"))
        .child(soap("Body").child(response))
        .write()
}

const fn protocol(name: &'static str) -> Element {
    Element::new(Namespace::Samlp1, name)
}

const fn saml(name: &'static str) -> Element {
    Element::new(Namespace::Saml1, name)
}

/// SAML 1.1 core §3.4.3: who asked did something wrong, and was refused.
fn status(refusal: Refusal) -> Element {
    let denied = protocol("StatusCode").attribute("Value", "samlp:RequestDenied");
    let code = protocol("StatusCode")
        .attribute("Value", "samlp:Requester")
        .child(denied);
    let message = protocol("StatusMessage").text(refusal.to_string());
    protocol("Status").child(code).child(message)
}

fn assertion(success: &Success, names: Names<'_>) -> Element {
    let now = names.now.to_string();
    let audience = saml("AudienceRestrictionCondition").child(saml("Audience").text(names.service));
    let conditions = saml("Conditions")
        .attribute("NotBefore", now.as_str())
        .attribute("NotOnOrAfter", names.now.plus(VALIDITY).to_string())
        .child(audience);
    let authentication = saml("AuthenticationStatement")
        .attribute("AuthenticationInstant", success.authenticated_at.to_string())
        .attribute(
            "AuthenticationMethod",
            "urn:oasis:names:tc:SAML:1.0:am:unspecified",
        )
        .child(subject(success));
    let attributes = attributes(success);
    let statement = (!attributes.is_empty()).then(|| {
        saml("AttributeStatement")
            .child(subject(success))
            .children(attributes)
    });
    saml("Assertion")
        .attribute("AssertionID", format!("_a{}", names.id))
        .attribute("IssueInstant", now)
        .attribute("Issuer", names.issuer)
        .attribute("MajorVersion", "1")
        .attribute("MinorVersion", "1")
        .child(conditions)
        .child_if(statement)
        .child(authentication)
}

fn subject(success: &Success) -> Element {
    let method = saml("ConfirmationMethod").text("urn:oasis:names:tc:SAML:1.0:cm:artifact");
    saml("Subject")
        .child(saml("NameIdentifier").text(success.user.as_str()))
        .child(saml("SubjectConfirmation").child(method))
}

/// SAML 1.1 has names and values and nothing inside one another: what a shape nests is told under its innermost names.
fn attributes(success: &Success) -> Vec<Element> {
    let mut found: Vec<(&str, Vec<&str>)> = Vec::new();
    let nodes = success.attributes();
    for node in nodes.iter().chain(&success.shape.beside) {
        collect(node, &mut found);
    }
    let element = |(name, values): (&str, Vec<&str>)| {
        let values = values.into_iter().map(|value| saml("AttributeValue").text(value));
        saml("Attribute")
            .attribute("AttributeName", name)
            .attribute("AttributeNamespace", ATTRIBUTES)
            .children(values)
    };
    found.into_iter().map(element).collect()
}

fn collect<'a>(node: &'a Node, found: &mut Vec<(&'a str, Vec<&'a str>)>) {
    let mut add = |name: &'a str, value: &'a str| match found.iter_mut().find(|(known, _)| *known == name) {
        Some((_, values)) => values.push(value),
        None => found.push((name, vec![value])),
    };
    for (name, value) in &node.marks {
        add(name, value);
    }
    match &node.content {
        Content::Text(text) => add(&node.name, text),
        Content::Nodes(nodes) => nodes.iter().for_each(|node| collect(node, found)),
    }
}
