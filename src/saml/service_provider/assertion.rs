//! What an assertion says, and whether it says it to us, now (saml-core §2.3.3, saml-profiles §4.1.4.3).
//!
//! | check | section |
//! | --- | --- |
//! | `Version` 2.0, an `ID`, the expected `Issuer` | saml-core §2.3.3 |
//! | one `NameID`, in clear | saml-core §2.4.1 |
//! | a bearer confirmation: `Recipient`, `NotOnOrAfter`, no `NotBefore`, `InResponseTo` | saml-profiles §4.1.4.3 |
//! | `Conditions`: there, of now, every `AudienceRestriction` names us, none unknown | saml-core §2.5.1 |
//! | an `AuthnStatement` whose session has not ended | saml-core §2.7.2 |

use super::response::{Expected, Rejected};
use crate::base::time::Timestamp;
use crate::saml::message::{SKEW, claimed_issuer, instant};
use crate::saml::xml::{Element, Namespace, Node};

const BEARER: &str = "urn:oasis:names:tc:SAML:2.0:cm:bearer";
/// The most attributes, and values of each, that are read.
const MOST: usize = 200;

/// A name as a provider wrote it: given back to it byte for byte.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Named {
    /// The name.
    pub value: String,
    /// Its format.
    pub format: Option<String>,
    /// `NameQualifier`.
    pub name_qualifier: Option<String>,
    /// `SPNameQualifier`.
    pub sp_name_qualifier: Option<String>,
}

impl Named {
    pub(super) fn read(node: Node<'_>) -> Option<Self> {
        let said = |name: &str| node.attribute(name).map(str::to_owned);
        Some(Self {
            value: node.text().filter(|text| !text.is_empty())?.to_owned(),
            format: said("Format"),
            name_qualifier: said("NameQualifier"),
            sp_name_qualifier: said("SPNameQualifier"),
        })
    }

    /// The `saml:NameID`.
    pub fn element(&self) -> Element {
        Element::new(Namespace::Saml, "NameID")
            .attribute_if("Format", self.format.as_deref())
            .attribute_if("NameQualifier", self.name_qualifier.as_deref())
            .attribute_if("SPNameQualifier", self.sp_name_qualifier.as_deref())
            .text(self.value.as_str())
    }
}

/// An attribute as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attribute {
    /// Its name.
    pub name: String,
    /// Its name for people.
    pub friendly_name: Option<String>,
    /// Its values, in their order; one that holds elements is left out.
    pub values: Vec<String>,
}

/// What a provider asserts about a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asserted {
    /// The identifier of the assertion: it counts once.
    pub id: String,
    /// Until when it could come again.
    pub not_on_or_after: Timestamp,
    /// The person, as the provider names them.
    pub name: Named,
    /// The login there.
    pub session_index: Option<String>,
    /// When they proved who they are.
    pub authenticated_at: Timestamp,
    /// How, in the provider's words.
    pub authn_context: Option<String>,
    /// What else it says of them.
    pub attributes: Vec<Attribute>,
    /// Whether it came encrypted.
    pub was_encrypted: bool,
}

impl Asserted {
    /// Reads an assertion that is proven signed.
    pub(super) fn read(assertion: Node<'_>, expected: &Expected<'_>) -> Result<Self, Rejected> {
        if !assertion.is(Namespace::Saml, "Assertion") || assertion.attribute("Version") != Some("2.0") {
            return Err(Rejected::Assertion);
        }
        let id = assertion
            .attribute("ID")
            .filter(|id| !id.is_empty())
            .ok_or(Rejected::Assertion)?;
        if claimed_issuer(assertion)? != expected.issuer {
            return Err(Rejected::Issuer);
        }
        let subject = only(assertion, "Subject").ok_or(Rejected::Subject)?;
        let name = only(subject, "NameID")
            .and_then(Named::read)
            .ok_or(Rejected::Subject)?;
        let not_on_or_after = confirmed(subject, expected)?;
        conditions(assertion, expected)?;
        let statement = only(assertion, "AuthnStatement").ok_or(Rejected::Authentication)?;
        let moment = |name: &str| match statement.attribute(name) {
            Some(text) => instant(text).map(Some).ok_or(Rejected::Authentication),
            None => Ok(None),
        };
        let authenticated_at = moment("AuthnInstant")?.ok_or(Rejected::Authentication)?;
        if moment("SessionNotOnOrAfter")?.is_some_and(|end| expected.now >= end.plus(SKEW)) {
            return Err(Rejected::Expired);
        }
        let context =
            only(statement, "AuthnContext").and_then(|context| only(context, "AuthnContextClassRef"));
        Ok(Self {
            id: id.to_owned(),
            not_on_or_after: not_on_or_after.plus(SKEW),
            name,
            session_index: statement.attribute("SessionIndex").map(str::to_owned),
            authenticated_at,
            authn_context: context.and_then(Node::text).map(|text| text.trim().to_owned()),
            attributes: attributes(assertion),
            was_encrypted: false,
        })
    }

    /// The values of an attribute, by its name or its name for people.
    pub fn values(&self, name: &str) -> &[String] {
        let named = |attribute: &&Attribute| {
            attribute.name == name || attribute.friendly_name.as_deref() == Some(name)
        };
        self.attributes
            .iter()
            .find(named)
            .map_or(&[], |attribute| &attribute.values)
    }
}

/// The one element of that name of SAML's inside.
fn only<'d>(node: Node<'d>, name: &str) -> Option<Node<'d>> {
    let mut found = node.children_named(Namespace::Saml, name);
    match (found.next(), found.next()) {
        (Some(node), None) => Some(node),
        _ => None,
    }
}

/// Until when a bearer may bring it here: one confirmation must fit as a whole (saml-profiles §4.1.4.3).
fn confirmed(subject: Node<'_>, expected: &Expected<'_>) -> Result<Timestamp, Rejected> {
    let mut last = Rejected::Subject;
    for confirmation in subject.children_named(Namespace::Saml, "SubjectConfirmation") {
        if confirmation.attribute("Method") != Some(BEARER) {
            continue;
        }
        let Some(data) = only(confirmation, "SubjectConfirmationData") else {
            continue;
        };
        match fits(data, expected) {
            Ok(end) => return Ok(end),
            Err(why) => last = why,
        }
    }
    Err(last)
}

fn fits(data: Node<'_>, expected: &Expected<'_>) -> Result<Timestamp, Rejected> {
    if data.attribute("Recipient") != Some(expected.recipient) {
        return Err(Rejected::Recipient);
    }
    let end = data
        .attribute("NotOnOrAfter")
        .and_then(instant)
        .ok_or(Rejected::Expired)?;
    if expected.now >= end.plus(SKEW) || data.attribute("NotBefore").is_some() {
        return Err(Rejected::Expired);
    }
    // Absent where nobody asked (§4.1.5), and then only there.
    if data.attribute("InResponseTo") != expected.in_response_to {
        return Err(Rejected::InResponseTo);
    }
    Ok(end)
}

fn conditions(assertion: Node<'_>, expected: &Expected<'_>) -> Result<(), Rejected> {
    let conditions = only(assertion, "Conditions").ok_or(Rejected::Conditions)?;
    let moment = |name: &str| match conditions.attribute(name) {
        Some(text) => instant(text).map(Some).ok_or(Rejected::Conditions),
        None => Ok(None),
    };
    let early = moment("NotBefore")?.is_some_and(|start| expected.now.plus(SKEW) < start);
    let late = moment("NotOnOrAfter")?.is_some_and(|end| expected.now >= end.plus(SKEW));
    if early || late {
        return Err(Rejected::Expired);
    }
    let mut is_for_us = false;
    for condition in conditions.children() {
        if condition.is(Namespace::Saml, "AudienceRestriction") {
            // Several restrictions must all hold (saml-core §2.5.1.4).
            let mut audiences = condition.children_named(Namespace::Saml, "Audience");
            let names_us = |audience: Node<'_>| audience.text().map(str::trim) == Some(expected.audience);
            if !audiences.any(names_us) {
                return Err(Rejected::Audience);
            }
            is_for_us = true;
        } else if !["OneTimeUse", "ProxyRestriction"]
            .iter()
            .any(|known| condition.is(Namespace::Saml, known))
        {
            // saml-core §2.5.1.1: what is not understood makes the assertion indeterminate.
            return Err(Rejected::Conditions);
        }
    }
    if is_for_us {
        Ok(())
    } else {
        Err(Rejected::Audience)
    }
}

fn attributes(assertion: Node<'_>) -> Vec<Attribute> {
    let statements = assertion.children_named(Namespace::Saml, "AttributeStatement");
    let all = statements.flat_map(|statement| statement.children_named(Namespace::Saml, "Attribute"));
    let read = |node: Node<'_>| {
        let values = node.children_named(Namespace::Saml, "AttributeValue");
        Some(Attribute {
            name: node.attribute("Name")?.to_owned(),
            friendly_name: node.attribute("FriendlyName").map(str::to_owned),
            values: values
                .filter_map(Node::text)
                .take(MOST)
                .map(str::to_owned)
                .collect(),
        })
    };
    all.take(MOST).filter_map(read).collect()
}
