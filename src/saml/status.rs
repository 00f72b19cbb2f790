//! Status codes (saml-core §3.2.2.2): what became of a request, in the words of the protocol.

use super::xml::{Element, Namespace, Node};

/// Who or what is at fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TopLevel {
    /// Nobody: it succeeded.
    Success,
    /// The requester.
    Requester,
    /// Us.
    Responder,
    /// A version of SAML that is not spoken here.
    VersionMismatch,
}

/// What it is, more closely.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Detail {
    /// Nobody signed in.
    AuthnFailed,
    /// The policy for the name cannot be followed.
    InvalidNameIdPolicy,
    /// Nobody signed in as surely as was asked.
    NoAuthnContext,
    /// A page would have had to be shown.
    NoPassive,
    /// Not every participant could be told of a logout.
    PartialLogout,
    /// Policy says no.
    RequestDenied,
    /// Something was asked for that there is not here.
    RequestUnsupported,
    /// The person who is meant is not known, or is not the one there.
    UnknownPrincipal,
    /// The answer was asked for in a way that is not spoken.
    UnsupportedBinding,
    /// An older version than ours.
    VersionTooLow,
    /// A newer version than ours.
    VersionTooHigh,
}

const PREFIX: &str = "urn:oasis:names:tc:SAML:2.0:status:";

impl TopLevel {
    const fn name(self) -> &'static str {
        match self {
            Self::Success => "Success",
            Self::Requester => "Requester",
            Self::Responder => "Responder",
            Self::VersionMismatch => "VersionMismatch",
        }
    }
}

impl Detail {
    /// The last part of its identifier.
    pub const fn name(self) -> &'static str {
        match self {
            Self::AuthnFailed => "AuthnFailed",
            Self::InvalidNameIdPolicy => "InvalidNameIDPolicy",
            Self::NoAuthnContext => "NoAuthnContext",
            Self::NoPassive => "NoPassive",
            Self::PartialLogout => "PartialLogout",
            Self::RequestDenied => "RequestDenied",
            Self::RequestUnsupported => "RequestUnsupported",
            Self::UnknownPrincipal => "UnknownPrincipal",
            Self::UnsupportedBinding => "UnsupportedBinding",
            Self::VersionTooLow => "RequestVersionTooLow",
            Self::VersionTooHigh => "RequestVersionTooHigh",
        }
    }
}

/// What became of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Status {
    /// Who or what is at fault.
    pub top: TopLevel,
    /// What it is, more closely.
    pub detail: Option<Detail>,
    /// For the developer of the service: ASCII, nothing about a person.
    pub message: Option<&'static str>,
}

impl Status {
    /// It succeeded.
    pub const SUCCESS: Self = Self {
        top: TopLevel::Success,
        detail: None,
        message: None,
    };
    /// The login is over here, but not everywhere (saml-core §3.7.3.2: a second-level code under `Success`).
    pub const PARTIAL_LOGOUT: Self = Self {
        top: TopLevel::Success,
        detail: Some(Detail::PartialLogout),
        message: Some("not every service could be told"),
    };

    /// The requester is at fault.
    pub const fn requester(detail: Detail, message: &'static str) -> Self {
        Self {
            top: TopLevel::Requester,
            detail: Some(detail),
            message: Some(message),
        }
    }

    /// We cannot, or may not.
    pub const fn responder(detail: Detail, message: &'static str) -> Self {
        Self {
            top: TopLevel::Responder,
            detail: Some(detail),
            message: Some(message),
        }
    }

    /// The `samlp:Status`.
    pub fn element(&self) -> Element {
        let code = |name: &str| {
            Element::new(Namespace::Samlp, "StatusCode").attribute("Value", format!("{PREFIX}{name}"))
        };
        let top = code(self.top.name()).child_if(self.detail.map(|detail| code(detail.name())));
        let message = self.message;
        let message = message.map(|text| Element::new(Namespace::Samlp, "StatusMessage").text(text));
        Element::new(Namespace::Samlp, "Status")
            .child(top)
            .child_if(message)
    }
}

/// Whether a response says that all succeeded: `Success`, and nothing under it that takes a part of it back.
pub fn is_success(response: Node<'_>) -> bool {
    let code = response
        .child(Namespace::Samlp, "Status")
        .and_then(|status| status.child(Namespace::Samlp, "StatusCode"));
    let says = |node: Node<'_>, name: &str| node.attribute("Value") == Some(&format!("{PREFIX}{name}"));
    code.is_some_and(|code| {
        let partial = code
            .children_named(Namespace::Samlp, "StatusCode")
            .any(|detail| says(detail, Detail::PartialLogout.name()));
        says(code, TopLevel::Success.name()) && !partial
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::saml::xml::{Document, Limits};

    #[test]
    fn a_status_is_written_with_both_levels_and_read_for_success_only() {
        let read = |status: Status| {
            let response = Element::new(Namespace::Samlp, "LogoutResponse").child(status.element());
            let document = Document::read(response.write().as_bytes(), &Limits::MESSAGE).unwrap();
            is_success(document.root())
        };
        let denied = Status::responder(Detail::RequestDenied, "no");
        let written = denied.element().write();
        let (top, below) = (
            "status:Responder\"><samlp:StatusCode",
            "status:RequestDenied\"></samlp:StatusCode>",
        );
        assert!(written.contains(top) && written.contains(below), "{written}");
        assert!(written.contains("<samlp:StatusMessage>no</samlp:StatusMessage>"));
        assert!(read(Status::SUCCESS));
        assert!(!read(Status::PARTIAL_LOGOUT) && !read(denied));
    }
}
