//! What is answered, and how it is written: lines of text (CAS 1.0), XML or JSON (CAS 2.0, 3.0), SAML 1.1.
//!
//! Values come from people and feeds; they are escaped by what writes the whole document, never pasted.

mod json;
mod saml;
mod xml;

use super::attribute::{Content, Facts, Node, Shape};
use super::validation::{Code, Endpoint, Format, Refusal};
use crate::base::secret::Secret;
use crate::base::time::Timestamp;

/// A ticket was good.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Success {
    /// What the service calls the person: their subject in its sector.
    pub user: String,
    /// What else it is told.
    pub shape: Shape,
    /// When the person proved who they are.
    pub authenticated_at: Timestamp,
    /// Whether they did so for this ticket.
    pub is_from_login: bool,
    /// Who acts for them, the latest first.
    pub proxies: Vec<String>,
    /// What says that there is a proxy-granting ticket.
    pub iou: Option<Secret>,
}

impl Success {
    /// The facts of the login, then what stands in `cas:attributes`.
    fn attributes(&self) -> Vec<Node> {
        let (date, new) = match self.shape.facts {
            Some(Facts::Standard) => ("authenticationDate", "isFromNewLogin"),
            Some(Facts::LowerCase) => ("authenticationdate", "isfromnewlogin"),
            None => return self.shape.attributes.clone(),
        };
        let fact = |name: &str, value: String| Node {
            name: name.to_owned(),
            marks: Vec::new(),
            content: Content::Text(value),
        };
        let mut all = vec![
            fact(date, self.authenticated_at.to_string()),
            fact("longTermAuthenticationRequestTokenUsed", false.to_string()),
            fact(new, self.is_from_login.to_string()),
        ];
        all.extend(self.shape.attributes.iter().cloned());
        all
    }
}

/// What a SAML 1.1 answer names itself and others by.
#[derive(Debug, Clone, Copy)]
pub struct Names<'a> {
    /// Who answers.
    pub issuer: &'a str,
    /// For whom: the address of the service.
    pub service: &'a str,
    /// New each time.
    pub id: &'a str,
    /// When.
    pub now: Timestamp,
}

/// What is answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// To a ticket that was shown.
    Validated(Box<Success>),
    /// A proxy ticket (§2.7.2).
    Proxied(Secret),
    /// No.
    Refused(Refusal),
    /// No, to who asked for a proxy ticket.
    NotProxied(Refusal),
}

/// A document that is answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// Its media type.
    pub content_type: &'static str,
    /// Itself.
    pub body: String,
}

impl Answer {
    /// Whether the fault is ours.
    pub fn is_failure(&self) -> bool {
        matches!(self, Self::Refused(refusal) | Self::NotProxied(refusal) if refusal.code == Code::InternalError)
    }

    /// Written as the endpoint has it.
    pub fn written(&self, endpoint: Endpoint, format: Format, names: Names<'_>) -> Written {
        let (content_type, body) = match (endpoint, format) {
            (Endpoint::Validate, _) => ("text/plain; charset=utf-8", self.text()),
            (Endpoint::Saml, _) => ("text/xml; charset=utf-8", saml::write(self, names)),
            (Endpoint::Service | Endpoint::Proxy, Format::Xml) => {
                ("application/xml; charset=utf-8", xml::write(self))
            }
            (Endpoint::Service | Endpoint::Proxy, Format::Json) => ("application/json", json::write(self)),
        };
        Written { content_type, body }
    }

    /// §2.4.2: two lines. A subject has no line ends.
    fn text(&self) -> String {
        match self {
            Self::Validated(success) => format!("yes\n{}\n", success.user),
            Self::Proxied(_) | Self::Refused(_) | Self::NotProxied(_) => "no\n\n".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests;
