//! The names that assertions give a person (saml-core §2.2.3, §8.3): which formats there are here, and how one is written
//! and recognised.

use serde::{Deserialize, Serialize};

use super::xml::{Element, Namespace, Node};
use crate::domain::stored_names;

/// A format that is issued here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum NameIdFormat {
    /// Another name in each login (§8.3.8).
    Transient,
    /// The subject of the person in the sector of the party, for life (§8.3.7).
    Persistent,
    /// Their address of electronic mail (§8.3.2), where the policy of the party lists it.
    EmailAddress,
}
stored_names!(NameIdFormat, "NameID format", {
    Transient => "urn:oasis:names:tc:SAML:2.0:nameid-format:transient",
    Persistent => "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent",
    EmailAddress => "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress",
});

/// Whoever asks so leaves the choice to us (§8.3.1).
pub const UNSPECIFIED: &str = "urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified";
/// Names of providers (§8.3.6).
const ENTITY: &str = "urn:oasis:names:tc:SAML:2.0:nameid-format:entity";

/// A name of a person toward a party.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NameId {
    /// Its format.
    pub format: NameIdFormat,
    /// What it is.
    pub value: String,
}

impl NameId {
    /// The `saml:NameID`: both qualifiers are always written, because there are services that choose by them what to do.
    pub fn element(&self, issuer: &str, party: &str) -> Element {
        Element::new(Namespace::Saml, "NameID")
            .attribute("Format", self.format.as_str())
            .attribute("NameQualifier", issuer)
            .attribute("SPNameQualifier", party)
            .text(self.value.as_str())
    }

    /// Whether a party means this one: byte for byte, and no qualifier says otherwise (§8.3.7: one that is left out is the
    /// issuer's, or the party's).
    pub fn is_meant(&self, given: &Given, issuer: &str, party: &str) -> bool {
        let agrees =
            |said: &Option<String>, expected: &str| said.as_ref().is_none_or(|said| said == expected);
        let format = given.format.as_deref();
        format.is_none_or(|format| format == self.format.as_str() || format == UNSPECIFIED)
            && agrees(&given.name_qualifier, issuer)
            && agrees(&given.sp_name_qualifier, party)
            && given.value == self.value
    }
}

/// A `saml:NameID` as a party gives it back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Given {
    value: String,
    format: Option<String>,
    name_qualifier: Option<String>,
    sp_name_qualifier: Option<String>,
}

impl Given {
    /// Reads one; `None` for an element that holds more than text, or too much of it.
    pub fn read(node: Node<'_>) -> Option<Self> {
        const LONGEST: usize = 2048;
        let text = |name: &str| node.attribute(name).map(str::to_owned);
        let given = Self {
            value: node.text()?.to_owned(),
            format: text("Format"),
            name_qualifier: text("NameQualifier"),
            sp_name_qualifier: text("SPNameQualifier"),
        };
        let parts = [&given.format, &given.name_qualifier, &given.sp_name_qualifier];
        let length = parts.into_iter().flatten().map(String::len).sum::<usize>() + given.value.len();
        (length <= LONGEST).then_some(given)
    }
}

/// The `saml:Issuer` of ours.
pub fn issuer(entity_id: &str) -> Element {
    Element::new(Namespace::Saml, "Issuer").text(entity_id)
}

/// Whether an `Issuer` names a provider (§8.3.6: that is what a missing format means there).
pub(super) fn names_an_entity(node: Node<'_>) -> bool {
    node.attribute("Format").is_none_or(|format| format == ENTITY)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::saml::xml::{Document, Limits};

    #[test]
    fn a_name_is_recognised_as_it_was_written_and_not_with_other_qualifiers() {
        let name = NameId {
            format: NameIdFormat::Persistent,
            value: "abc".into(),
        };
        let is_named = |xml: &str| {
            let document = Document::read(xml.as_bytes(), &Limits::MESSAGE).unwrap();
            name.is_meant(
                &Given::read(document.root()).unwrap(),
                "https://idp",
                "https://sp",
            )
        };
        assert!(is_named(&name.element("https://idp", "https://sp").write()));
        let plain = |attributes: &str, text: &str| {
            is_named(&format!(
                "<saml:NameID xmlns:saml='urn:oasis:names:tc:SAML:2.0:assertion' {attributes}>{text}</saml:NameID>"
            ))
        };
        assert!(plain("", "abc"));
        for wrong in ["NameQualifier='x'", "SPNameQualifier='x'", "Format='x'"] {
            assert!(!plain(wrong, "abc"), "{wrong}");
        }
        for wrong in ["ABC", " abc", ""] {
            assert!(!plain("", wrong), "{wrong}");
        }
    }
}
