//! The authentication request (saml-core §3.4.1, saml-profiles §4.1.4.1): one ordered list of checks, one file each.
//!
//! | step | where | an error goes to |
//! | --- | --- | --- |
//! | who asks, and does their key vouch for it | [`believe`] | a page ([`PageError`]): nothing is believed yet |
//! | what it says | [`AuthnRequest::read`] | a page |
//! | where the answer goes | [`address`] | a page |
//! | what is asked | [`check`] | the party, as a [`Status`] in a signed response |
//! | is the person signed in, as it was asked | [`decision::decide`] | the party |
//!
//! The two kinds of errors are two types, so that none can be sent where it may not go. Of `Scoping` the list of identity
//! providers is a wish (saml-core §3.4.1.2), which names the way in; what else it says, `Extensions`, `Conditions` and
//! `ProviderName` are read by nobody: they ask for nothing that is here.

mod assertion_consumer;
pub mod decision;
mod name_id_policy;
mod protocol_binding;
mod signature;

use serde::{Deserialize, Serialize};

pub use name_id_policy::{NameIdPolicy, Named};
pub use signature::believe;

use super::authn_context::{Asked, Assurance};
use super::incoming::{Believed, Unreadable};
use super::message::{Header, Unacceptable};
use super::status::{Detail, Status};
use super::xml::{Namespace, Node};
use super::xmlsec::Refused;
use crate::base::time::Timestamp;
use crate::domain::relying_party::{RelyingParty, SamlParty};
use crate::domain::saml_entity::ServiceProvider;

/// An error that must not leave for any address the request names: it is shown to the person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PageError {
    /// It is no message.
    #[error(transparent)]
    Unreadable(#[from] Unreadable),
    /// It is none that we take.
    #[error(transparent)]
    Unacceptable(#[from] Unacceptable),
    /// There is no such party, or it is out of use.
    #[error("no such service provider")]
    UnknownParty,
    /// It must be signed.
    #[error("the request is not signed, and must be")]
    Unsigned,
    /// No key of the party vouches for it.
    #[error("the signature is not accepted: {0}")]
    Signature(#[from] Refused),
    /// The address is not one of the metadata, or the number is none, or they do not agree.
    #[error("the assertion consumer is not one of the metadata")]
    AssertionConsumer,
    /// Address and number of an assertion consumer at once.
    #[error("the assertion consumer is given by address and by number")]
    TwoAssertionConsumers,
    /// A value that the schema does not have.
    #[error("the request does not follow the schema")]
    Schema,
    /// More than can be taken along to a login page.
    #[error("the request is too long")]
    TooLong,
    /// What a login was to lead back to cannot be read.
    #[error("the waiting request cannot be opened")]
    Continuation,
    /// The party does not want anybody whom it did not ask for.
    #[error("the service provider takes no one without a request of its own")]
    NotInitiatedHere,
}

/// What a request says, its party not looked at. It can be taken along to a login page: what it says then was believed
/// before.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuthnRequest {
    /// Its identifier; none where people are sent without a request (saml-profiles §4.1.5).
    pub id: Option<String>,
    /// The entityID of the party.
    pub issuer: String,
    /// Where the answer is to go.
    pub consumer_url: Option<String>,
    /// The same, by number.
    pub consumer_index: Option<u16>,
    /// How it is to go there.
    pub protocol_binding: Option<String>,
    /// Whether the person is to prove anew who they are.
    pub force_authn: bool,
    /// Whether no page may be shown.
    pub is_passive: bool,
    /// Under which name the person is wanted.
    pub name_id_policy: Option<NameIdPolicy>,
    /// How surely they must have signed in.
    pub context: Option<Asked>,
    /// Whom the party means.
    pub subject: Option<String>,
    /// What goes back with the answer.
    pub relay_state: Option<String>,
    /// Whether a key of the party vouches for it.
    pub is_signed: bool,
    /// By which identity providers the party would have people come (`IDPList`): their entityIDs, in its order.
    #[serde(default)]
    pub providers: Vec<String>,
}

/// The most identity providers that are read of a list.
const MOST_PROVIDERS: usize = 10;

/// saml-core §8.3.6.
const LONGEST_ENTITY_ID: usize = 1024;
/// The longest text that is read of a request, but for `RelayState`.
const LONGEST: usize = 2048;

impl AuthnRequest {
    /// The name of its element.
    pub const NAME: &'static str = "AuthnRequest";

    /// Reads what was believed, as it came to `here` (saml-core §3.4.1).
    ///
    /// # Errors
    /// [`PageError`].
    pub fn read(
        believed: &Believed,
        relay_state: Option<String>,
        here: &str,
        now: Timestamp,
    ) -> Result<Self, PageError> {
        let root = believed.document.root();
        let header = Header::read(root, Self::NAME)?;
        header.check(here, believed.is_signed, now)?;
        let text = |name: &str| root.attribute(name).map(short).transpose();
        let index = root.attribute("AssertionConsumerServiceIndex");
        let context = root.child(Namespace::Samlp, "RequestedAuthnContext");
        let context = context.map(|node| Asked::read(node).ok_or(PageError::Schema));
        let policy = root.child(Namespace::Samlp, "NameIDPolicy");
        Ok(Self {
            id: Some(header.id),
            issuer: header.issuer,
            consumer_url: text("AssertionConsumerServiceURL")?,
            consumer_index: index
                .map(|index| index.trim().parse().map_err(|_| PageError::Schema))
                .transpose()?,
            protocol_binding: text("ProtocolBinding")?,
            force_authn: boolean(root, "ForceAuthn")?,
            is_passive: boolean(root, "IsPassive")?,
            name_id_policy: policy.map(NameIdPolicy::read).transpose()?,
            context: context.transpose()?,
            subject: subject(root)?,
            relay_state,
            is_signed: believed.is_signed,
            providers: providers(root),
        })
    }

    /// Sends somebody without a request (saml-profiles §4.1.5).
    pub fn unsolicited(issuer: &str, target: Option<String>) -> Self {
        Self {
            issuer: issuer.to_owned(),
            relay_state: target,
            ..Self::default()
        }
    }
}

/// `xs:boolean`.
fn boolean(node: Node<'_>, name: &str) -> Result<bool, PageError> {
    match node.attribute(name).map(str::trim) {
        None | Some("false" | "0") => Ok(false),
        Some("true" | "1") => Ok(true),
        Some(_) => Err(PageError::Schema),
    }
}

fn short(text: &str) -> Result<String, PageError> {
    let text = Some(text).filter(|text| text.len() <= LONGEST);
    text.map(str::to_owned).ok_or(PageError::TooLong)
}

/// Whom the request means (saml-core §3.4.1, `Subject`), by a name in clear. One that cannot be read is nobody whom we know.
fn subject(request: Node<'_>) -> Result<Option<String>, PageError> {
    let Some(subject) = request.child(Namespace::Saml, "Subject") else {
        return Ok(None);
    };
    let name = subject.child(Namespace::Saml, "NameID").and_then(Node::text);
    short(name.unwrap_or_default()).map(Some)
}

/// The list of `Scoping` (saml-core §3.4.1.3). A wish: what is too long or too much of it is left out.
fn providers(request: Node<'_>) -> Vec<String> {
    let list = request
        .child(Namespace::Samlp, "Scoping")
        .and_then(|scoping| scoping.child(Namespace::Samlp, "IDPList"));
    let entries = list
        .into_iter()
        .flat_map(|list| list.children_named(Namespace::Samlp, "IDPEntry"));
    entries
        .filter_map(|entry| entry.attribute("ProviderID"))
        .filter(|id| id.len() <= LONGEST_ENTITY_ID)
        .take(MOST_PROVIDERS)
        .map(str::to_owned)
        .collect()
}

/// Where the answer goes: only a request whose party and assertion consumer were checked has one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    consumer: String,
    in_response_to: Option<String>,
    relay_state: Option<String>,
}

impl Address {
    /// The address of the assertion consumer.
    pub fn consumer(&self) -> &str {
        &self.consumer
    }

    /// The request that is answered.
    pub fn in_response_to(&self) -> Option<&str> {
        self.in_response_to.as_deref()
    }

    /// What goes back, byte for byte.
    pub fn relay_state(&self) -> Option<&str> {
        self.relay_state.as_deref()
    }
}

/// What was asked, all of it checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// Whether the person is to prove anew who they are.
    pub force_authn: bool,
    /// Whether no page may be shown.
    pub is_passive: bool,
    /// Under which name they are wanted.
    pub named: Named,
    /// How surely they must have signed in.
    pub assurance: Assurance,
    /// Whom the party means.
    pub subject: Option<String>,
}

/// Second part of the list: where the answer goes. Up to its end nothing leaves.
///
/// # Errors
/// [`PageError`].
pub fn address(
    request: &AuthnRequest,
    party: &SamlParty,
    provider: &ServiceProvider,
) -> Result<Address, PageError> {
    if request.id.is_none() && !party.idp_initiated {
        return Err(PageError::NotInitiatedHere);
    }
    Ok(Address {
        consumer: assertion_consumer::check(request, party, provider)?,
        in_response_to: request.id.clone(),
        relay_state: request.relay_state.clone(),
    })
}

/// Third part of the list: what is asked.
///
/// # Errors
/// The [`Status`] that the party is told.
pub fn check(
    request: &AuthnRequest,
    party: &RelyingParty,
    saml: &SamlParty,
    provider: &ServiceProvider,
) -> Result<Request, Status> {
    protocol_binding::check(request)?;
    Ok(Request {
        force_authn: request.force_authn,
        is_passive: request.is_passive,
        named: name_id_policy::check(request, saml, provider)?,
        assurance: Assurance::new(request.context.clone(), party),
        subject: request.subject.clone(),
    })
}

/// What the party is told where a person does not come.
pub mod refusal {
    use super::{Detail, Status};

    /// The service is not open for this person, and no page may say so.
    pub const CLOSED: Status =
        Status::responder(Detail::RequestDenied, "the service is not open for this person");
    /// The school year has not begun for this person, and no page may say so.
    pub const NOT_YET: Status = Status::responder(
        Detail::RequestDenied,
        "the service is not open for this person yet",
    );
    /// A page would have to tell or ask the person something.
    pub const TO_BE_SHOWN: Status =
        Status::responder(Detail::NoPassive, "the person has to read a page first");
    /// The person was asked and said no.
    pub const DECLINED: Status = Status::responder(Detail::RequestDenied, "the person did not consent");
    /// The person went back instead of signing in.
    pub const CANCELLED: Status = Status::responder(Detail::AuthnFailed, "the person did not sign in");
    /// The request was answered before.
    pub const REPLAYED: Status = Status::requester(Detail::RequestDenied, "this request was answered before");
    /// The person has no address of electronic mail, or it may not leave.
    pub const NO_EMAIL: Status = Status::responder(
        Detail::InvalidNameIdPolicy,
        "there is no address of electronic mail that may leave",
    );
    /// The party knows nobody like this yet, and does not want to.
    pub const NOT_CREATED: Status = Status::responder(
        Detail::InvalidNameIdPolicy,
        "the person has no identifier yet and AllowCreate is false",
    );
    /// The assertion cannot be encrypted for the party.
    pub const NO_ENCRYPTION: Status = Status::responder(
        Detail::RequestUnsupported,
        "there is no key or no algorithm to encrypt for this service",
    );
}

#[cfg(test)]
mod tests;
