//! A service provider on a site, and what it reads in the pages that a browser brings it.

use crate::domain::relying_party::{RelyingParty, SamlParty};
use crate::domain::saml_entity::ServiceProvider;
use crate::domain::testing::party;
use crate::flows::testing::scene;
use crate::saml::testing::{Provider, assertion, read};
use crate::saml::wire;
use crate::saml::xml::{Document, Node};
use crate::saml::xmlsec::redirect::{Kind, Received};
use crate::web::oauth::tests::site::{Reply, Site};

/// A service provider `https://<id>.example/saml` that is also the relying party of that id.
pub(in crate::web) struct Partner {
    pub(in crate::web) party: RelyingParty,
    pub(in crate::web) provider: Provider,
    pub(in crate::web) metadata: ServiceProvider,
}

impl Partner {
    pub(in crate::web) fn new(id: &str) -> Self {
        let (provider, mut party) = (Provider::new(id), party(id));
        party.saml = Some(SamlParty {
            entity_id: provider.entity_id.clone(),
            ..SamlParty::default()
        });
        let metadata = provider.metadata();
        Self {
            party,
            provider,
            metadata,
        }
    }

    pub(in crate::web) fn saml(&mut self) -> &mut SamlParty {
        self.party.saml.as_mut().unwrap()
    }

    /// Declares it, new or changed.
    pub(in crate::web) async fn declare(&self, site: &Site) {
        scene::declare_provider(&site.context, &self.party, &self.metadata).await;
    }
}

/// A value between two texts of a page.
fn between<'p>(page: &'p str, before: &str, after: &str) -> Option<&'p str> {
    page.split_once(before)?
        .1
        .split_once(after)
        .map(|(value, _)| value)
}

/// A page that posts a message on.
#[derive(Debug)]
pub(in crate::web) struct Posted {
    pub(in crate::web) action: String,
    pub(in crate::web) message: String,
    pub(in crate::web) relay_state: Option<String>,
}

impl Posted {
    pub(in crate::web) fn of(reply: &Reply) -> Self {
        assert_eq!(reply.status, 200, "{reply:?}");
        let unescaped = |text: &str| {
            let text = text
                .replace("&#38;", "&")
                .replace("&#60;", "<")
                .replace("&#62;", ">");
            text.replace("&#34;", "\"").replace("&#39;", "'")
        };
        let field =
            |name: &str| between(&reply.body, &format!("name=\"{name}\" value=\""), "\"").map(unescaped);
        let message = field("SAMLResponse")
            .or_else(|| field("SAMLRequest"))
            .expect("a message");
        let message = wire::from_form(&message, 1 << 20).unwrap();
        Self {
            action: unescaped(between(&reply.body, "method=\"post\" action=\"", "\"").unwrap()),
            message: String::from_utf8(message).unwrap(),
            relay_state: field("RelayState"),
        }
    }

    /// The assertion in it, believed by our key.
    pub(in crate::web) async fn assertion(&self, site: &Site) -> Document {
        assertion(&self.message, &scene::saml_key(&site.context, false).await)
    }

    /// The last part of both status codes.
    pub(in crate::web) fn status(&self) -> String {
        status(&read(&self.message))
    }
}

/// The last part of both status codes.
pub(in crate::web) fn status(document: &Document) -> String {
    let codes = document.elements().filter(|node| node.name() == "StatusCode");
    let last = |node: Node<'_>| {
        node.attribute("Value")
            .unwrap()
            .rsplit(':')
            .next()
            .unwrap()
            .to_owned()
    };
    codes.map(last).collect::<Vec<_>>().join(" ")
}

/// A message that the browser is sent on with, in the address; believed by our key.
pub(in crate::web) async fn redirected(site: &Site, reply: &Reply, kind: Kind) -> (Document, Option<String>) {
    let (_, query) = reply.location().split_once('?').unwrap();
    let received = Received::read(query, 1 << 20).unwrap();
    let key = scene::saml_key(&site.context, false).await;
    received.verify(&[key], false).unwrap();
    assert_eq!(received.kind, kind);
    (
        read(std::str::from_utf8(&received.message).unwrap()),
        received.relay_state,
    )
}

/// The first element of a name.
pub(in crate::web) fn element<'d>(document: &'d Document, name: &str) -> Node<'d> {
    let found = document.elements().find(|node| node.name() == name);
    found.unwrap_or_else(|| panic!("no {name}"))
}

/// The values of an attribute of an assertion.
pub(in crate::web) fn attribute(assertion: &Document, name: &str) -> Vec<String> {
    let of_name = |node: &Node<'_>| node.name() == "Attribute" && node.attribute("Name") == Some(name);
    let found = assertion.elements().find(of_name);
    let values = found.into_iter().flat_map(Node::children);
    values.map(|value| value.text().unwrap().to_owned()).collect()
}
