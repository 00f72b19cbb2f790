//! A `LogoutRequest` of ours, to a participant of a login that has ended (saml-core §3.7.1).

use std::time::Duration;

use crate::base::time::Timestamp;
use crate::saml::name_id::{NameId, issuer};
use crate::saml::xml::{Element, Namespace};

/// How long it may be acted on.
const LIFETIME: Duration = Duration::from_secs(300);

/// To whom a request of ours goes, and what login it is about.
#[derive(Debug, Clone, Copy)]
pub struct Addressed<'a> {
    /// Its identifier.
    pub id: &'a str,
    /// Our entityID.
    pub issuer: &'a str,
    /// The entityID of the party.
    pub party: &'a str,
    /// Where it goes.
    pub destination: &'a str,
    /// The person, as the party knows them.
    pub name_id: &'a NameId,
    /// The login, as the party knows it.
    pub session_index: &'a str,
    /// The present instant.
    pub now: Timestamp,
}

/// `samlp:LogoutRequest`, not signed.
pub fn request(to: Addressed<'_>) -> Element {
    Element::new(Namespace::Samlp, "LogoutRequest")
        .attribute("ID", to.id)
        .attribute("Version", "2.0")
        .attribute("IssueInstant", to.now.to_string())
        .attribute("Destination", to.destination)
        .attribute("NotOnOrAfter", to.now.plus(LIFETIME).to_string())
        .child(issuer(to.issuer))
        .child(to.name_id.element(to.issuer, to.party))
        .child(Element::new(Namespace::Samlp, "SessionIndex").text(to.session_index))
}
