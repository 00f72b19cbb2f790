//! What a service provider is told of a person, as SAML writes it (saml-core §2.7.3.1): [`crate::release`] decides what
//! leaves, this gives it the names and forms that schools and federations know.
//!
//! | preset | what is written besides the attributes of the policy |
//! | --- | --- |
//! | `bare` | nothing |
//! | `entcore` | `FrEduIdENT`: the key of the academy where the policy lists it, else the subject |
//! | `educonnect` | `FrEduCtId` (the subject), `FrEduUrlRetour`, `FrEduCtDateConnexion`, `FrEduCtPersonAffiliation` |
//! | `renater` | `pairwise-id` (the subject, scoped) |
//!
//! Names: short ones of the annuaire ENT (SDET) with the format `basic`, names by OID with the format `uri`, or both; what
//! has no OID keeps its short name. Must never ask anybody but the disclosure what a person is called.

mod name;
mod preset;
mod value;

use name::Name;

use super::xml::{Element, Namespace};
use crate::base::time::Timestamp;
use crate::domain::relying_party::{AttributeNames, Preset};
use crate::release::Disclosure;

/// An attribute with all its values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::saml) struct Written {
    name: Name,
    values: Vec<String>,
}

impl Written {
    fn new(name: Name, values: impl IntoIterator<Item = String>) -> Option<Self> {
        let values: Vec<_> = values.into_iter().filter(|value| !value.is_empty()).collect();
        (!values.is_empty()).then_some(Self { name, values })
    }
}

/// What is told besides what the policy lists: who the person is toward the party, and their login.
#[derive(Clone, Copy, Debug)]
pub struct Login<'a> {
    /// Their subject in the sector of the party.
    pub subject: &'a str,
    /// The domain that this installation speaks for (`ac-rennes.fr`): what scoped values end in.
    pub scope: &'a str,
    /// Where a person goes to leave.
    pub leave: &'a str,
    /// When they proved who they are.
    pub authenticated_at: Timestamp,
}

/// The attributes of a person for a party, each an element.
pub fn attributes(
    preset: Preset,
    names: AttributeNames,
    login: &Login<'_>,
    disclosure: &Disclosure<'_>,
) -> Vec<Element> {
    let mut all = preset::identifiers(preset, login, disclosure);
    all.extend(value::listed(preset, login, disclosure));
    let mut elements = Vec::new();
    for written in &all {
        let (short, oid) = match names {
            AttributeNames::Short => (true, false),
            AttributeNames::Oid => (written.name.oid.is_none(), true),
            AttributeNames::Both => (true, true),
        };
        if short && written.name.short_form {
            elements.push(element(written, None));
        }
        if let Some(oid) = written.name.oid.filter(|_| oid || !written.name.short_form) {
            elements.push(element(written, Some(oid)));
        }
    }
    elements
}

fn element(written: &Written, oid: Option<&str>) -> Element {
    const BASIC: &str = "urn:oasis:names:tc:SAML:2.0:attrname-format:basic";
    const URI: &str = "urn:oasis:names:tc:SAML:2.0:attrname-format:uri";
    let attribute = Element::new(Namespace::Saml, "Attribute");
    let attribute = match oid {
        None => attribute
            .attribute("Name", written.name.short)
            .attribute("NameFormat", BASIC)
            .attribute("FriendlyName", written.name.short),
        Some(oid) => attribute
            .attribute("Name", oid)
            .attribute("NameFormat", URI)
            .attribute("FriendlyName", written.name.short),
    };
    let value = |text: &String| {
        Element::new(Namespace::Saml, "AttributeValue")
            .attribute_in(Namespace::Xsi, "type", "xs:string")
            .declaring(Namespace::Xs)
            .text(text.as_str())
    };
    attribute.children(written.values.iter().map(value))
}

#[cfg(test)]
mod tests;
