//! A message as it came, in an address or in a form, and what of it may be believed.
//!
//! | it came | its signature is | what is believed |
//! | --- | --- | --- |
//! | in an address | beside it, over the address | all of it |
//! | in a form | in the XML | the signed element, as [`xmlsec::verify`] gives it back |
//! | unsigned, where that is let pass | | all of it, and that nobody vouches for it |
//!
//! Must never hand out a message before somebody has said by which keys it is believed.

use super::message::{Unacceptable, claimed_issuer};
use super::wire::{self, WireError};
use super::xml::{Document, Fault, Limits, Namespace};
use super::xmlsec::redirect::{Kind, QueryError, Received};
use super::xmlsec::{self, Policy, PublicKey, Refused, Wanted};
use crate::base::url;

/// The most `RelayState` that is taken along: saml-bindings §3.4.3 says 80 bytes, real services send whole addresses.
pub const MOST_RELAY_STATE: usize = 4096;

/// Why a message is not even read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// The address carries none, or more than one.
    #[error(transparent)]
    Query(#[from] QueryError),
    /// The form carries none, or more than one.
    #[error("the form does not carry one message")]
    Form,
    /// It did not travel well.
    #[error(transparent)]
    Wire(#[from] WireError),
    /// It is not XML as we read it.
    #[error(transparent)]
    Xml(#[from] Fault),
    /// `RelayState` is longer than is taken along.
    #[error("RelayState is too long")]
    RelayState,
}

/// A message; who sent it is not known yet.
#[derive(Debug)]
pub struct Incoming {
    /// Whether it is a request or a response.
    pub kind: Kind,
    /// What goes back with the answer, byte for byte.
    pub relay_state: Option<String>,
    carried: Carried,
    document: Document,
}

#[derive(Debug)]
enum Carried {
    Address(Box<Received>),
    Form(Vec<u8>),
}

/// A message that may be acted on.
#[derive(Debug)]
pub struct Believed {
    /// It.
    pub document: Document,
    /// Whether a key of the party vouches for it.
    pub is_signed: bool,
}

impl Incoming {
    /// Reads the query of an address, as it came (saml-bindings §3.4).
    ///
    /// # Errors
    /// [`Unreadable`].
    pub fn from_query(query: &str) -> Result<Self, Unreadable> {
        let received = Received::read(query, Limits::MESSAGE.bytes)?;
        let document = Document::read(&received.message, &Limits::MESSAGE)?;
        Self {
            kind: received.kind,
            relay_state: received.relay_state.clone(),
            carried: Carried::Address(Box::new(received)),
            document,
        }
        .checked()
    }

    /// Reads a form, as it came (saml-bindings §3.5).
    ///
    /// # Errors
    /// [`Unreadable`].
    pub fn from_form(body: &str) -> Result<Self, Unreadable> {
        let fields = url::parameters(body);
        let one = |name: &str| {
            let mut values = fields.iter().filter(|(given, _)| given == name);
            match (values.next(), values.next()) {
                (Some(_), Some(_)) => Err(Unreadable::Form),
                (value, _) => Ok(value.map(|(_, value)| value.as_str())),
            }
        };
        let (kind, value) = match (one("SAMLRequest")?, one("SAMLResponse")?) {
            (Some(value), None) => (Kind::Request, value),
            (None, Some(value)) => (Kind::Response, value),
            _ => return Err(Unreadable::Form),
        };
        let relay_state = one("RelayState")?.map(str::to_owned);
        let message = wire::from_form(value, Limits::MESSAGE.bytes)?;
        let document = Document::read(&message, &Limits::MESSAGE)?;
        Self {
            kind,
            relay_state,
            carried: Carried::Form(message),
            document,
        }
        .checked()
    }

    fn checked(self) -> Result<Self, Unreadable> {
        let length = self.relay_state.as_ref().map_or(0, String::len);
        if length > MOST_RELAY_STATE {
            return Err(Unreadable::RelayState);
        }
        Ok(self)
    }

    /// Who says to have sent it: to find their keys by, and for nothing else.
    ///
    /// # Errors
    /// [`Unacceptable::Issuer`].
    pub fn claimed_issuer(&self) -> Result<&str, Unacceptable> {
        claimed_issuer(self.document.root())
    }

    /// The request that it says to answer: to find what waits for it, and for nothing else.
    pub fn claimed_request(&self) -> Option<&str> {
        self.document.root().attribute("InResponseTo")
    }

    /// The message as it came in a form; `None` for one that came in an address.
    pub fn into_form(self) -> Option<Vec<u8>> {
        match self.carried {
            Carried::Form(message) => Some(message),
            Carried::Address(_) => None,
        }
    }

    /// The name of its root, believed by nobody.
    pub fn claimed_name(&self) -> &str {
        self.document.root().name()
    }

    /// Whether it claims to be signed.
    pub fn is_signed(&self) -> bool {
        match &self.carried {
            Carried::Address(received) => received.is_signed(),
            Carried::Form(_) => {
                let mut inside = self.document.root().children();
                inside.any(|child| child.is(Namespace::Ds, "Signature"))
            }
        }
    }

    /// The message, where one of the keys vouches for it; `name` is what its root is to be.
    ///
    /// # Errors
    /// [`Refused`].
    pub fn verified(self, name: &'static str, keys: &[PublicKey], sha1: bool) -> Result<Believed, Refused> {
        let document = match self.carried {
            Carried::Address(received) => {
                received.verify(keys, sha1)?;
                self.document
            }
            Carried::Form(message) => {
                let policy = Policy {
                    sha1,
                    ..Policy::MESSAGE
                };
                let wanted = Wanted::root(Namespace::Samlp, name);
                let signed = xmlsec::verify(&message, wanted, keys, &policy)?;
                signed.document().clone()
            }
        };
        Ok(Believed {
            document,
            is_signed: true,
        })
    }

    /// The message, for which nobody vouches.
    pub fn unverified(self) -> Believed {
        Believed {
            document: self.document,
            is_signed: false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MESSAGE: &str = "<p:AuthnRequest xmlns:p='urn:oasis:names:tc:SAML:2.0:protocol' ID='_1'/>";

    fn form(fields: &[(&str, &str)]) -> Result<Incoming, Unreadable> {
        Incoming::from_form(&url::query(fields.iter().copied()))
    }

    #[test]
    fn attack_28_a_form_carries_one_message_and_says_nothing_twice() {
        let message = wire::to_form(MESSAGE);
        let one = form(&[
            ("SAMLRequest", &message),
            ("RelayState", "a+b c\n"),
            ("x", "1"),
            ("x", "2"),
        ])
        .unwrap();
        assert_eq!(one.kind, Kind::Request);
        assert_eq!(one.relay_state.as_deref(), Some("a+b c\n"), "byte for byte");
        for wrong in [
            &[("RelayState", "x")] as &[_],
            &[("SAMLRequest", &*message), ("SAMLRequest", &message)],
            &[("SAMLRequest", &message), ("SAMLResponse", &message)],
            &[
                ("SAMLRequest", &message),
                ("RelayState", "a"),
                ("RelayState", "b"),
            ],
        ] {
            assert_eq!(form(wrong).unwrap_err(), Unreadable::Form, "{wrong:?}");
        }
    }

    #[test]
    fn attack_28_an_address_carries_one_message_and_says_nothing_twice() {
        let query = |more: &str| {
            let message = wire::to_query(MESSAGE).unwrap();
            let message = url::query([("SAMLRequest", &*message)]);
            Incoming::from_query(&format!("{message}{more}"))
        };
        assert!(query("&RelayState=a%2Bb").unwrap().relay_state.as_deref() == Some("a+b"));
        for (wrong, error) in [
            ("&RelayState=a&RelayState=b", QueryError::Repeated),
            ("&SAMLRequest=x", QueryError::Repeated),
            ("&SAMLResponse=x", QueryError::Message),
            ("&SigAlg=x&SigAlg=y&Signature=z", QueryError::Repeated),
            ("&SigAlg=x", QueryError::HalfSigned),
            ("&Signature=x", QueryError::HalfSigned),
            ("&Relay%53tate=a", QueryError::Repeated),
        ] {
            assert_eq!(query(wrong).unwrap_err(), Unreadable::Query(error), "{wrong}");
        }
    }

    #[test]
    fn a_relay_state_beyond_the_limit_is_refused_not_cut() {
        let message = wire::to_form(MESSAGE);
        let with = |length: usize| form(&[("SAMLRequest", &message), ("RelayState", &"x".repeat(length))]);
        assert_eq!(
            with(MOST_RELAY_STATE).unwrap().relay_state.unwrap().len(),
            MOST_RELAY_STATE
        );
        assert_eq!(with(MOST_RELAY_STATE + 1).unwrap_err(), Unreadable::RelayState);
    }
}
