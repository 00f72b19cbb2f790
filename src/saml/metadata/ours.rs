//! What we say of ourselves as an identity provider (saml-metadata §2.3.2, §2.4.3) and as a service provider of others
//! (§2.4.4), in the order of its schema, ready to be signed. Two entities: neither may be taken for the other. The same for the same: nothing here looks at a clock.

use crate::base::time::Timestamp;
use crate::saml::xml::{Element, Namespace};

/// saml-bindings §3.4, §3.5.
const BINDINGS: [&str; 2] = [
    "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect",
    "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST",
];
/// saml-core §8.3, in the order in which they are preferred.
const FORMATS: [&str; 4] = [
    "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent",
    "urn:oasis:names:tc:SAML:2.0:nameid-format:transient",
    "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress",
    "urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified",
];

/// A text in French, in English, or in both.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Words {
    /// In French.
    pub fr: Option<String>,
    /// In English.
    pub en: Option<String>,
}

impl Words {
    fn elements(&self, namespace: Namespace, name: &'static str) -> Vec<Element> {
        let one = |language: &str, text: &Option<String>| {
            let text = text.clone()?;
            let element = Element::new(namespace, name).attribute_in(Namespace::Xml, "lang", language);
            Some(element.text(text))
        };
        [one("fr", &self.fr), one("en", &self.en)]
            .into_iter()
            .flatten()
            .collect()
    }
}

/// A picture for those who list identity providers (mdui §2.1.5).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Logo {
    /// Its address.
    pub url: String,
    /// Its width in pixels.
    pub width: u32,
    /// Its height in pixels.
    pub height: u32,
}

/// Who answers (saml-metadata §2.3.2.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contact {
    /// `technical`, `support`, `administrative`.
    pub kind: &'static str,
    /// The address, without `mailto:`.
    pub email: String,
}

/// Whoever runs this (saml-metadata §2.3.2.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Organization {
    /// Its name.
    pub name: String,
    /// Its page.
    pub url: String,
}

/// What an operator says of the installation to federations and partners.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Presentation {
    /// What it is called.
    pub display_name: Words,
    /// What it is.
    pub description: Words,
    /// A page about it.
    pub information_url: Words,
    /// Its picture.
    pub logo: Option<Logo>,
    /// The domains that its scoped attributes end in (`shibmd:Scope`).
    pub scopes: Vec<String>,
    /// Who runs it.
    pub organization: Option<Organization>,
    /// Who answers.
    pub contacts: Vec<Contact>,
    /// Whether requests should be signed.
    pub wants_signed_requests: bool,
}

/// As what we speak.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// To services that people sign in to.
    IdentityProvider,
    /// To providers that people come from.
    ServiceProvider,
}

impl Role {
    /// Where the metadata of that role are, below the address of the installation: its entityID.
    pub const fn path(self) -> &'static str {
        match self {
            Self::IdentityProvider => "/saml/metadata",
            Self::ServiceProvider => "/saml/sp/metadata",
        }
    }
}

/// Everything that our metadata say.
#[derive(Clone, Debug)]
pub struct Ours<'a> {
    /// The address of the installation; our entityID is the path of the role on it.
    pub public_url: &'a str,
    /// As what.
    pub role: Role,
    /// The ID of the document.
    pub id: String,
    /// The certificates of the keys that sign or will, base64, the current ones first.
    pub certificates: Vec<String>,
    /// Those of the keys that assertions may be encrypted for, where we take any.
    pub encryption: Vec<String>,
    /// How we are presented.
    pub presentation: &'a Presentation,
    /// Until when this holds.
    pub valid_until: Timestamp,
    /// How long it may be kept, as `xs:duration`.
    pub cache_duration: &'static str,
}

impl Ours<'_> {
    /// The document, not signed yet.
    pub fn element(&self) -> Element {
        let said = self.presentation;
        let role = match self.role {
            Role::IdentityProvider => self.identity_provider(),
            Role::ServiceProvider => self.service_provider(),
        };
        let organization = said.organization.as_ref().map(|one| {
            let word = |name, text: &str| {
                Element::new(Namespace::Md, name)
                    .attribute_in(Namespace::Xml, "lang", "fr")
                    .text(text)
            };
            Element::new(Namespace::Md, "Organization")
                .child(word("OrganizationName", &one.name))
                .child(word("OrganizationDisplayName", &one.name))
                .child(word("OrganizationURL", &one.url))
        });
        let contacts = said.contacts.iter().map(|contact| {
            let address =
                Element::new(Namespace::Md, "EmailAddress").text(format!("mailto:{}", contact.email));
            Element::new(Namespace::Md, "ContactPerson")
                .attribute("contactType", contact.kind)
                .child(address)
        });
        Element::new(Namespace::Md, "EntityDescriptor")
            .attribute("ID", self.id.as_str())
            .attribute("entityID", format!("{}{}", self.public_url, self.role.path()))
            .attribute("validUntil", self.valid_until.to_string())
            .attribute("cacheDuration", self.cache_duration)
            .child(role)
            .child_if(organization)
            .children(contacts)
    }

    fn identity_provider(&self) -> Element {
        let said = self.presentation;
        Element::new(Namespace::Md, "IDPSSODescriptor")
            .attribute("protocolSupportEnumeration", Namespace::Samlp.uri())
            .attribute("WantAuthnRequestsSigned", said.wants_signed_requests.to_string())
            .child_if(self.extensions())
            .children(
                self.certificates
                    .iter()
                    .map(|certificate| key("signing", certificate)),
            )
            .children(self.services("SingleLogoutService", "/saml/slo"))
            .children(FORMATS.map(|format| Element::new(Namespace::Md, "NameIDFormat").text(format)))
            .children(self.services("SingleSignOnService", "/saml/sso"))
    }

    /// Requests are signed; of an answer, what is not signed is not read. One consumer, by form (§2.4.4).
    fn service_provider(&self) -> Element {
        let consumer = Element::new(Namespace::Md, "AssertionConsumerService")
            .attribute("Binding", BINDINGS[1])
            .attribute("Location", format!("{}/saml/sp/acs", self.public_url))
            .attribute("index", "1")
            .attribute("isDefault", "true");
        Element::new(Namespace::Md, "SPSSODescriptor")
            .attribute("AuthnRequestsSigned", "true")
            .attribute("WantAssertionsSigned", "true")
            .attribute("protocolSupportEnumeration", Namespace::Samlp.uri())
            .child_if(self.extensions())
            .children(
                self.certificates
                    .iter()
                    .map(|certificate| key("signing", certificate)),
            )
            .children(
                self.encryption
                    .iter()
                    .map(|certificate| key("encryption", certificate)),
            )
            .children(self.services("SingleLogoutService", "/saml/sp/slo"))
            .children(
                [FORMATS[0], FORMATS[1]]
                    .map(|format| Element::new(Namespace::Md, "NameIDFormat").text(format)),
            )
            .child(consumer)
    }

    fn extensions(&self) -> Option<Element> {
        let said = self.presentation;
        let logo = said.logo.as_ref().map(|logo| {
            Element::new(Namespace::Mdui, "Logo")
                .attribute("width", logo.width.to_string())
                .attribute("height", logo.height.to_string())
                .text(&*logo.url)
        });
        let shown: Vec<Element> = said
            .display_name
            .elements(Namespace::Mdui, "DisplayName")
            .into_iter()
            .chain(said.description.elements(Namespace::Mdui, "Description"))
            .chain(logo)
            .chain(said.information_url.elements(Namespace::Mdui, "InformationURL"))
            .collect();
        let info = (!shown.is_empty()).then(|| Element::new(Namespace::Mdui, "UIInfo").children(shown));
        // Scopes are what an identity provider may speak for.
        let scopes = match self.role {
            Role::IdentityProvider => said.scopes.as_slice(),
            Role::ServiceProvider => &[],
        };
        let scopes = scopes.iter().map(|scope| {
            Element::new(Namespace::Shibmd, "Scope")
                .attribute("regexp", "false")
                .text(scope)
        });
        let inside: Vec<Element> = scopes.chain(info).collect();
        (!inside.is_empty()).then(|| Element::new(Namespace::Md, "Extensions").children(inside))
    }

    fn services(&self, name: &'static str, path: &str) -> Vec<Element> {
        let location = format!("{}{path}", self.public_url);
        let service = |binding: &str| {
            Element::new(Namespace::Md, name)
                .attribute("Binding", binding)
                .attribute("Location", &*location)
        };
        BINDINGS.map(service).into()
    }
}

fn key(purpose: &str, certificate: &str) -> Element {
    let data = Element::new(Namespace::Ds, "X509Data")
        .child(Element::new(Namespace::Ds, "X509Certificate").text(certificate));
    Element::new(Namespace::Md, "KeyDescriptor")
        .attribute("use", purpose)
        .child(Element::new(Namespace::Ds, "KeyInfo").child(data))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::saml::metadata::{Entities, Found, Names};

    #[test]
    fn what_we_say_is_read_back_by_our_own_reader() {
        let presentation = Presentation {
            display_name: Words {
                fr: Some("L'identité <de> l'école".into()),
                en: None,
            },
            scopes: vec!["ac-essai.example".into()],
            logo: Some(Logo {
                url: "https://id.example.fr/logo.svg".into(),
                width: 80,
                height: 60,
            }),
            organization: Some(Organization {
                name: "Académie d'essai".into(),
                url: "https://ac-essai.example/".into(),
            }),
            contacts: vec![Contact {
                kind: "technical",
                email: "id@ac-essai.example".into(),
            }],
            ..Presentation::default()
        };
        let certificate = include_str!("../../../tests/samples/saml/rsa.crt");
        let bare: String = certificate
            .lines()
            .filter(|line| !line.starts_with('-'))
            .collect();
        let ours = Ours {
            public_url: "https://id.example.fr",
            id: "_1".into(),
            role: Role::IdentityProvider,
            certificates: vec![bare.clone()],
            encryption: Vec::new(),
            presentation: &presentation,
            valid_until: Timestamp::from_seconds(1_790_841_600),
            cache_duration: "PT6H",
        };
        let text = ours.element().write();
        assert!(text.contains("validUntil=\"2026-10-01T08:00:00Z\""));
        assert!(text.contains("L'identité &lt;de&gt; l'école"));
        assert!(text.contains("regexp=\"false\">ac-essai.example<"));
        let own = "https://id.example.fr/saml/metadata".into();
        let now = Timestamp::from_seconds(1_790_000_000);
        let mut found = Entities::new(text.as_bytes(), Default::default(), own, Names::default(), now);
        let expected = crate::saml::metadata::pinned(certificate).unwrap();
        assert_eq!(
            found.next().unwrap().unwrap(),
            Found::Ourselves(vec![expected.clone()])
        );

        let as_service = Ours {
            role: Role::ServiceProvider,
            encryption: vec![bare],
            ..ours
        };
        let text = as_service.element().write();
        assert!(!text.contains("Scope"), "a service speaks for no domain");
        let document =
            crate::saml::xml::Document::read(text.as_bytes(), &crate::saml::xml::Limits::METADATA).unwrap();
        let read = crate::saml::metadata::read(document.root(), Default::default(), now).unwrap();
        assert_eq!(read.provider.entity_id, "https://id.example.fr/saml/sp/metadata");
        assert_eq!(read.provider.signing_keys, [expected]);
        assert_eq!(
            (
                read.provider.encryption_keys.len(),
                read.provider.assertion_consumers.len()
            ),
            (1, 1)
        );
        assert!(read.provider.signs_requests && read.provider.wants_signed_assertions);
    }
}
