//! `LogoutResponse` (saml-core §3.7.2): that of a participant, and ours to the party that asked.

use crate::base::random::Random;
use crate::base::time::Timestamp;
use crate::saml::incoming::Believed;
use crate::saml::message::{Header, Unacceptable, new_id};
use crate::saml::response::Envelope;
use crate::saml::status::{Status, is_success};
use crate::saml::xml::Element;

/// What a participant answered to a request of ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answered {
    /// The request.
    pub in_response_to: String,
    /// Who answers.
    pub issuer: String,
    /// Whether the login is over there.
    pub is_success: bool,
}

impl Answered {
    /// The name of its element.
    pub const NAME: &'static str = "LogoutResponse";

    /// Reads what was believed, as it came to `here`.
    ///
    /// # Errors
    /// [`Unacceptable`].
    pub fn read(believed: &Believed, here: &str, now: Timestamp) -> Result<Self, Unacceptable> {
        let root = believed.document.root();
        let header = Header::read(root, Self::NAME)?;
        header.check(here, believed.is_signed, now)?;
        let request = root.attribute("InResponseTo").ok_or(Unacceptable::Id)?;
        Ok(Self {
            in_response_to: request.to_owned(),
            issuer: header.issuer,
            is_success: is_success(root),
        })
    }
}

/// `samlp:LogoutResponse`, not signed.
pub fn response(envelope: &Envelope<'_>, status: Status, random: &dyn Random) -> Element {
    envelope
        .open("LogoutResponse", new_id(random))
        .child(status.element())
}
