//! A `LogoutRequest` of a party (saml-core §3.7.1, saml-profiles §4.4.4.1): whose login it means.

use serde::{Deserialize, Serialize};

use crate::base::time::Timestamp;
use crate::saml::incoming::Believed;
use crate::saml::message::{Header, SKEW, Unacceptable, instant};
use crate::saml::name_id::{Given, NameId};
use crate::saml::status::{Detail, Status};
use crate::saml::xml::Namespace;

/// The most logins that one request is read for.
const MOST: usize = 20;

/// A request that may be acted on. It can be sent round by the browser, sealed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogoutRequest {
    /// Its identifier.
    pub id: String,
    /// Who asks.
    pub issuer: String,
    /// The person; none where they are not named in clear, once.
    name: Option<Given>,
    sessions: Vec<String>,
    /// In microseconds.
    not_on_or_after: Option<i64>,
}

/// Why a request is not followed, as the party is told.
pub type Refusal = Status;

/// The party means nobody who is signed in here: what it gets wrong is not told apart.
const NOBODY: Refusal = Status::requester(
    Detail::UnknownPrincipal,
    "no login of this browser that the service takes part in",
);
const EXPIRED: Refusal = Status::requester(Detail::RequestDenied, "NotOnOrAfter is past");
const ENCRYPTED: Refusal = Status::requester(
    Detail::RequestUnsupported,
    "the person is named in clear, by NameID",
);

/// A login as a party knows it.
#[derive(Debug, Clone, Copy)]
pub struct Known<'a> {
    /// The person.
    pub name_id: &'a NameId,
    /// The login.
    pub session_index: &'a str,
    /// Our entityID.
    pub issuer: &'a str,
}

impl LogoutRequest {
    /// The name of its element.
    pub const NAME: &'static str = "LogoutRequest";

    /// Reads what was believed, as it came to `here`.
    ///
    /// # Errors
    /// [`Unacceptable`].
    pub fn read(believed: &Believed, here: &str, now: Timestamp) -> Result<Self, Unacceptable> {
        let root = believed.document.root();
        let header = Header::read(root, Self::NAME)?;
        header.check(here, believed.is_signed, now)?;
        let not_on_or_after = match root.attribute("NotOnOrAfter") {
            Some(text) => Some(instant(text).ok_or(Unacceptable::Instant)?),
            None => None,
        };
        let mut names = root.children_named(Namespace::Saml, "NameID");
        let name = match (names.next(), names.next()) {
            (Some(name), None) => Given::read(name),
            _ => None,
        };
        let sessions = root.children_named(Namespace::Samlp, "SessionIndex").take(MOST);
        Ok(Self {
            id: header.id,
            issuer: header.issuer,
            name,
            sessions: sessions
                .map(|node| node.text().unwrap_or_default().trim().to_owned())
                .collect(),
            not_on_or_after: not_on_or_after.map(Timestamp::micros),
        })
    }

    /// That it means this login: the name, and the login where it names any (§3.7.1: without `SessionIndex`, all of them).
    ///
    /// # Errors
    /// The [`Refusal`] that the party is told.
    pub fn means(&self, known: Option<Known<'_>>, now: Timestamp) -> Result<(), Refusal> {
        let end = self.not_on_or_after.map(Timestamp::from_micros);
        if end.is_some_and(|end| now >= end.plus(SKEW)) {
            return Err(EXPIRED);
        }
        let name = self.name.as_ref().ok_or(ENCRYPTED)?;
        let known = known.ok_or(NOBODY)?;
        let mut sessions = self.sessions.iter();
        let is_login = self.sessions.is_empty() || sessions.any(|index| index == known.session_index);
        let is_named = known.name_id.is_meant(name, known.issuer, &self.issuer);
        if is_named && is_login { Ok(()) } else { Err(NOBODY) }
    }
}
