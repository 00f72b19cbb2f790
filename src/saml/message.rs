//! What every message says of itself (saml-core §3.2.1, §3.2.2): who sends it, when, and where to. One ordered list of
//! checks for requests and responses alike.

use std::time::Duration;

use chrono::{DateTime, NaiveDateTime};

use super::name_id::names_an_entity;
use super::xml::{Namespace, Node};
use crate::base::random::{self, Random};
use crate::base::time::Timestamp;

/// How long a message may be on its way.
pub const FRESH: Duration = Duration::from_secs(600);
/// How far clocks may differ.
pub const SKEW: Duration = Duration::from_secs(180);
/// The longest identifier or entityID that is read (saml-core §8.3.6 says 1024 of the latter).
const LONGEST: usize = 1024;

/// Why a message is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unacceptable {
    /// Another element than was expected.
    #[error("this is another message")]
    Kind,
    /// No `ID`, or one that is none.
    #[error("the message has no ID")]
    Id,
    /// Not SAML 2.0; the first is the major version.
    #[error("the message is not of SAML 2.0")]
    Version,
    /// `IssueInstant` is missing or no instant.
    #[error("IssueInstant is not an instant")]
    Instant,
    /// Sent too long ago, or in the future.
    #[error("the message is too old, or from the future")]
    Stale,
    /// It was sent to somebody else, or is signed and does not say to whom.
    #[error("Destination is not this address")]
    Destination,
    /// Nobody sent it, or it does not say who.
    #[error("the message has no Issuer")]
    Issuer,
}

/// What a message says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// Its identifier.
    pub id: String,
    /// Who sends it.
    pub issuer: String,
    /// When.
    pub instant: Timestamp,
    destination: Option<String>,
}

/// Who says to have sent a message: to find the keys by which to believe it, and for nothing else.
///
/// # Errors
/// [`Unacceptable::Issuer`].
pub fn claimed_issuer(message: Node<'_>) -> Result<&str, Unacceptable> {
    let mut issuers = message.children_named(Namespace::Saml, "Issuer");
    let issuer = match (issuers.next(), issuers.next()) {
        (Some(issuer), None) if names_an_entity(issuer) => issuer.text(),
        _ => None,
    };
    let fits = |text: &&str| (1..=LONGEST).contains(&text.len());
    issuer.map(str::trim).filter(fits).ok_or(Unacceptable::Issuer)
}

impl Header {
    /// Reads the header of the message of that name.
    ///
    /// # Errors
    /// [`Unacceptable`].
    pub fn read(message: Node<'_>, name: &str) -> Result<Self, Unacceptable> {
        if !message.is(Namespace::Samlp, name) {
            return Err(Unacceptable::Kind);
        }
        // saml-core §3.2.1: Version, ID and IssueInstant are required.
        if message.attribute("Version") != Some("2.0") {
            return Err(Unacceptable::Version);
        }
        let fits = |id: &&str| (1..=LONGEST).contains(&id.len());
        let id = message.attribute("ID").filter(fits).ok_or(Unacceptable::Id)?;
        let instant = message.attribute("IssueInstant").and_then(instant);
        Ok(Self {
            id: id.to_owned(),
            issuer: claimed_issuer(message)?.to_owned(),
            instant: instant.ok_or(Unacceptable::Instant)?,
            destination: message.attribute("Destination").map(str::to_owned),
        })
    }

    /// That it was meant for one of these addresses of ours and came soon enough.
    ///
    /// # Errors
    /// [`Unacceptable`].
    pub fn check(&self, here: &str, is_signed: bool, now: Timestamp) -> Result<(), Unacceptable> {
        // saml-bindings §3.4.5.2, §3.5.5.2: where the message is signed, Destination MUST be there; it always must agree.
        let is_for_us = match &self.destination {
            Some(destination) => destination == here,
            None => !is_signed,
        };
        if !is_for_us {
            return Err(Unacceptable::Destination);
        }
        let too_old = now.since(self.instant) > FRESH + SKEW;
        let too_new = self.instant.since(now) > SKEW;
        if too_old || too_new {
            return Err(Unacceptable::Stale);
        }
        Ok(())
    }
}

/// An instant as SAML writes it (saml-core §1.3.3: `xs:dateTime` in UTC); one without a zone is in UTC too, and one with
/// another zone is read as it is meant.
pub fn instant(text: &str) -> Option<Timestamp> {
    let text = Some(text.trim()).filter(|text| text.len() <= 64)?;
    let micros = DateTime::parse_from_rfc3339(text)
        .map(|moment| moment.timestamp_micros())
        .or_else(|_| {
            NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f")
                .map(|moment| moment.and_utc().timestamp_micros())
        });
    micros.ok().map(Timestamp::from_micros)
}

/// A new identifier (saml-core §1.3.4: at least 128 random bits, 160 here; an `xs:ID` begins with no digit).
pub fn new_id(random: &dyn Random) -> String {
    let bits: [u8; 20] = random::bytes(random);
    format!("_{}", data_encoding::HEXLOWER.encode(&bits))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::random::SeededRandom;
    use crate::saml::xml::{Document, Limits};

    const NOW: Timestamp = Timestamp::from_seconds(1_790_841_600);
    const HERE: &str = "https://id.example.fr/saml/sso";

    fn read(attributes: &str, inside: &str) -> Result<Header, Unacceptable> {
        let xml = format!(
            "<p:AuthnRequest xmlns:p='urn:oasis:names:tc:SAML:2.0:protocol' \
             xmlns:a='urn:oasis:names:tc:SAML:2.0:assertion' {attributes}>{inside}</p:AuthnRequest>"
        );
        let document = Document::read(xml.as_bytes(), &Limits::MESSAGE).unwrap();
        Header::read(document.root(), "AuthnRequest")
    }

    const RIGHT: &str = "ID='_1' Version='2.0' IssueInstant='2026-10-01T08:00:00Z'";
    const ISSUER: &str = "<a:Issuer> https://ent.example </a:Issuer>";

    #[test]
    fn core_section_3_2_1_a_header_is_read_or_its_first_fault_named() {
        let header = read(RIGHT, ISSUER).unwrap();
        assert_eq!(
            (header.issuer.as_str(), header.instant),
            ("https://ent.example", NOW)
        );
        let cases = [
            (
                "ID='_1' Version='1.1' IssueInstant='2026-10-01T08:00:00Z'",
                ISSUER,
                Unacceptable::Version,
            ),
            (
                "Version='2.0' IssueInstant='2026-10-01T08:00:00Z'",
                ISSUER,
                Unacceptable::Id,
            ),
            (
                "ID='' Version='2.0' IssueInstant='2026-10-01T08:00:00Z'",
                ISSUER,
                Unacceptable::Id,
            ),
            (
                "ID='_1' Version='2.0' IssueInstant='yesterday'",
                ISSUER,
                Unacceptable::Instant,
            ),
            ("ID='_1' Version='2.0'", ISSUER, Unacceptable::Instant),
            (RIGHT, "", Unacceptable::Issuer),
            (RIGHT, "<a:Issuer/>", Unacceptable::Issuer),
            (
                RIGHT,
                "<a:Issuer>a</a:Issuer><a:Issuer>b</a:Issuer>",
                Unacceptable::Issuer,
            ),
            (
                RIGHT,
                "<a:Issuer Format='urn:x'>a</a:Issuer>",
                Unacceptable::Issuer,
            ),
            (RIGHT, "<a:Issuer>a<b/></a:Issuer>", Unacceptable::Issuer),
        ];
        for (attributes, inside, fault) in cases {
            assert_eq!(read(attributes, inside), Err(fault), "{attributes} {inside}");
        }
    }

    #[test]
    fn bindings_section_3_4_5_2_a_signed_message_says_where_it_goes_and_none_goes_elsewhere() {
        let to = |destination: &str| read(&format!("{RIGHT} {destination}"), ISSUER).unwrap();
        let here = to(&format!("Destination='{HERE}'"));
        assert_eq!(here.check(HERE, true, NOW), Ok(()));
        assert_eq!(to("").check(HERE, false, NOW), Ok(()));
        assert_eq!(to("").check(HERE, true, NOW), Err(Unacceptable::Destination));
        let elsewhere = to(&format!("Destination='{HERE}/'"));
        assert_eq!(elsewhere.check(HERE, false, NOW), Err(Unacceptable::Destination));
    }

    #[test]
    fn a_message_is_fresh_from_a_little_before_it_was_sent_to_ten_minutes_after() {
        let header = read(RIGHT, ISSUER).unwrap();
        let check = |now| header.check(HERE, false, now);
        assert_eq!(check(NOW.minus(SKEW)), Ok(()));
        assert_eq!(check(NOW.plus(FRESH + SKEW)), Ok(()));
        let second = Duration::from_secs(1);
        assert_eq!(check(NOW.minus(SKEW + second)), Err(Unacceptable::Stale));
        assert_eq!(check(NOW.plus(FRESH + SKEW + second)), Err(Unacceptable::Stale));
    }

    #[test]
    fn instants_are_read_as_services_write_them() {
        for text in [
            "2026-10-01T08:00:00Z",
            "2026-10-01T08:00:00.000Z",
            "2026-10-01T10:00:00+02:00",
            "2026-10-01T08:00:00",
            " 2026-10-01T08:00:00.000000Z ",
        ] {
            assert_eq!(instant(text), Some(NOW), "{text}");
        }
        for text in ["", "2026-10-01", "1790841600", "2026-13-01T08:00:00Z"] {
            assert_eq!(instant(text), None, "{text}");
        }
    }

    #[test]
    fn an_identifier_is_long_new_and_an_xml_id() {
        let random = SeededRandom::new(1);
        let (one, two) = (new_id(&random), new_id(&random));
        assert!(one != two && one.len() == 41 && one.starts_with('_'));
    }
}
