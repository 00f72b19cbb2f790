//! An answer to a request of ours, or one that nobody asked for: which part of it is proven, and what that part says.
//!
//! | the response is | the assertion is | believed |
//! | --- | --- | --- |
//! | signed | in clear | the assertion as it stands in the signed response |
//! | signed | encrypted | what was encrypted in the signed response; signed as well, or not |
//! | not signed | signed, in clear | the assertion alone, nothing around it |
//! | not signed | encrypted | the assertion, where it is signed inside |
//! | not signed | not signed | nothing |

use super::assertion::Asserted;
use crate::base::random::Random;
use crate::base::time::Timestamp;
use crate::saml::incoming::{Incoming, Unreadable};
use crate::saml::message::{Header, Unacceptable};
use crate::saml::status::is_success;
use crate::saml::xml::{Document, Fault, Limits, Namespace, Node};
use crate::saml::xmlsec::redirect::Kind;
use crate::saml::xmlsec::{self, Decryption, Policy, PrivateKey, PublicKey, Refused, Signed, Wanted};

/// Whose answer is expected, and what it has to fit.
#[derive(Clone, Copy)]
pub struct Expected<'a> {
    /// The entityID of the provider that was asked: another's answer is none (mix-up).
    pub issuer: &'a str,
    /// Its keys.
    pub keys: &'a [PublicKey],
    /// What assertions for us are decrypted with; none where we published no key for that.
    pub decryption_keys: &'a [PrivateKey],
    /// For the keys that stand in for unreadable ones.
    pub random: &'a dyn Random,
    /// Our entityID as a service provider.
    pub audience: &'a str,
    /// Where it came in.
    pub recipient: &'a str,
    /// The request that it answers; `None` for one that nobody asked for, where those are let in.
    pub in_response_to: Option<&'a str>,
    /// The present instant.
    pub now: Timestamp,
}

/// An answer as it came, and what it claims: to find the keys by, and the request, and for nothing else. What it claims is
/// looked at again once it is proven.
#[derive(Clone, Debug)]
pub struct Claimed {
    /// The message.
    pub message: Vec<u8>,
    /// Who says to have sent it.
    pub issuer: String,
    /// The request that it says to answer.
    pub in_response_to: Option<String>,
}

impl Claimed {
    /// Reads a form, as it came (saml-bindings §3.5).
    ///
    /// # Errors
    /// [`Unclaimed`].
    pub fn read(body: &str) -> Result<Self, Unclaimed> {
        let incoming = Incoming::from_form(body)?;
        if incoming.kind != Kind::Response || incoming.claimed_name() != "Response" {
            return Err(Unclaimed::NoResponse);
        }
        Ok(Self {
            issuer: incoming.claimed_issuer()?.to_owned(),
            in_response_to: incoming.claimed_request().map(str::to_owned),
            message: incoming.into_form().ok_or(Unclaimed::NoResponse)?,
        })
    }
}

/// Why what came is no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unclaimed {
    /// It cannot be read.
    #[error(transparent)]
    Unreadable(#[from] Unreadable),
    /// It does not say who sent it.
    #[error(transparent)]
    Message(#[from] Unacceptable),
    /// It is something else.
    #[error("it is no response")]
    NoResponse,
}

/// Why an answer proves nothing. Whoever sent it is told one thing only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Rejected {
    /// Its signature.
    #[error(transparent)]
    Signature(#[from] Refused),
    /// What it says of itself.
    #[error(transparent)]
    Message(#[from] Unacceptable),
    /// It is no XML that is read.
    #[error(transparent)]
    Xml(#[from] Fault),
    /// The provider says that nobody signed in.
    #[error("the provider did not sign the person in")]
    Status,
    /// Not one assertion, or none that is readable.
    #[error("the answer does not carry one assertion")]
    Assertion,
    /// It is encrypted, and not for us.
    #[error("the assertion cannot be decrypted")]
    Encryption,
    /// Another provider's.
    #[error("the assertion is of another provider")]
    Issuer,
    /// Nobody, or more than one, is named; or nothing says that the bearer is meant.
    #[error("the assertion names nobody whom the bearer could be")]
    Subject,
    /// For another address.
    #[error("the assertion is for another address")]
    Recipient,
    /// To another request, or to none.
    #[error("the assertion answers another request")]
    InResponseTo,
    /// Too late, or too early.
    #[error("the assertion is not of now")]
    Expired,
    /// It came before.
    #[error("the assertion came before")]
    Replayed,
    /// For another service.
    #[error("the assertion is for another service")]
    Audience,
    /// Without conditions, or with one that is not understood.
    #[error("the conditions of the assertion are missing or not understood")]
    Conditions,
    /// It does not say when and how the person signed in.
    #[error("the assertion does not say how the person signed in")]
    Authentication,
}

const RESPONSE: Wanted = Wanted::root(Namespace::Samlp, "Response");
const ASSERTION_INSIDE: Wanted = Wanted::only_child(Namespace::Saml, "Assertion");
const ASSERTION: Wanted = Wanted::root(Namespace::Saml, "Assertion");

/// What an answer proves.
///
/// # Errors
/// [`Rejected`].
pub fn accept(bytes: &[u8], expected: &Expected<'_>) -> Result<Asserted, Rejected> {
    match xmlsec::verify(bytes, RESPONSE, expected.keys, &Policy::MESSAGE) {
        Ok(signed) => whole(&signed, expected),
        Err(Refused::Unsigned) => alone(bytes, expected),
        Err(refused) => Err(refused.into()),
    }
}

/// A signed response.
fn whole(signed: &Signed, expected: &Expected<'_>) -> Result<Asserted, Rejected> {
    let response = signed.root();
    let header = Header::read(response, "Response")?;
    header.check(expected.recipient, true, expected.now)?;
    if header.issuer != expected.issuer {
        return Err(Rejected::Issuer);
    }
    if response.attribute("InResponseTo") != expected.in_response_to {
        return Err(Rejected::InResponseTo);
    }
    if !is_success(response) {
        return Err(Rejected::Status);
    }
    let mut clear = response.children_named(Namespace::Saml, "Assertion");
    let mut sealed = response.children_named(Namespace::Saml, "EncryptedAssertion");
    match (clear.next(), clear.next(), sealed.next(), sealed.next()) {
        (Some(assertion), None, None, None) => Asserted::read(assertion, expected),
        (None, None, Some(sealed), None) => {
            let opened = open(sealed, Some(signed), expected)?;
            if opened.root().child(Namespace::Ds, "Signature").is_some() {
                let signed = xmlsec::verify_read(&opened, ASSERTION, expected.keys, &Policy::MESSAGE)?;
                return Asserted::read(signed.root(), expected).map(encrypted);
            }
            Asserted::read(opened.root(), expected).map(encrypted)
        }
        _ => Err(Rejected::Assertion),
    }
}

/// An assertion in a response that nobody vouches for: nothing around it counts.
fn alone(bytes: &[u8], expected: &Expected<'_>) -> Result<Asserted, Rejected> {
    let document = Document::read(bytes, &Limits::MESSAGE)?;
    let root = document.root();
    if !root.is(Namespace::Samlp, "Response") {
        return Err(Rejected::Assertion);
    }
    let mut sealed = root.children_named(Namespace::Saml, "EncryptedAssertion");
    let signed = match (sealed.next(), sealed.next()) {
        (None, _) => xmlsec::verify(bytes, ASSERTION_INSIDE, expected.keys, &Policy::MESSAGE)?,
        (Some(sealed), None) if root.child(Namespace::Saml, "Assertion").is_none() => {
            let opened = open(sealed, None, expected)?;
            let signed = xmlsec::verify_read(&opened, ASSERTION, expected.keys, &Policy::MESSAGE)?;
            return Asserted::read(signed.root(), expected).map(encrypted);
        }
        _ => return Err(Rejected::Assertion),
    };
    Asserted::read(signed.root(), expected)
}

fn encrypted(asserted: Asserted) -> Asserted {
    Asserted {
        was_encrypted: true,
        ..asserted
    }
}

fn open(sealed: Node<'_>, inside: Option<&Signed>, expected: &Expected<'_>) -> Result<Document, Rejected> {
    let with = Decryption {
        keys: expected.decryption_keys,
        inside,
        limits: &Limits::MESSAGE,
        random: expected.random,
    };
    xmlsec::decrypt(sealed, &with).map_err(|_| Rejected::Encryption)
}
