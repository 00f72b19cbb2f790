//! Single logout as a service provider (saml-core §3.7, saml-profiles §4.4): what a provider asks of us, and what we ask it.
//!
//! Signed both ways, without exception: a provider that cannot sign cannot end a login here.

use std::time::Duration;

use super::assertion::Named;
use crate::base::time::Timestamp;
use crate::saml::incoming::{Believed, Incoming};
use crate::saml::message::{Header, SKEW, Unacceptable, instant};
use crate::saml::name_id::issuer;
use crate::saml::xml::{Element, Namespace};
use crate::saml::xmlsec::{PublicKey, Refused};

/// How long a request of ours may be acted on.
const LIFETIME: Duration = Duration::from_secs(300);
/// The most logins that one request is read for.
const MOST: usize = 50;

/// A `LogoutRequest` of a provider that may be acted on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AskedToEnd {
    /// Its identifier, which the answer names.
    pub id: String,
    /// The person.
    pub name: Named,
    /// The logins; empty for all of them (§3.7.1).
    pub session_indexes: Vec<String>,
}

/// Why a logout message of a provider is not acted on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotHeard {
    /// Its signature.
    #[error(transparent)]
    Signature(#[from] Refused),
    /// What it says of itself.
    #[error(transparent)]
    Message(#[from] Unacceptable),
    /// It is of another provider than the one whose keys it was believed by.
    #[error("the message is of another provider")]
    Issuer,
    /// It is over.
    #[error("NotOnOrAfter is past")]
    Expired,
    /// It names nobody in clear, once.
    #[error("the message names nobody")]
    Nobody,
}

/// A message of a provider, where one of its keys vouches for it and it was sent here just now.
fn heard(
    incoming: Incoming,
    name: &'static str,
    (provider, keys): (&str, &[PublicKey]),
    (here, now): (&str, Timestamp),
) -> Result<(Believed, String), NotHeard> {
    if !incoming.is_signed() {
        return Err(Refused::Unsigned.into());
    }
    let believed = incoming.verified(name, keys, false)?;
    let header = Header::read(believed.document.root(), name)?;
    header.check(here, true, now)?;
    if header.issuer != provider {
        return Err(NotHeard::Issuer);
    }
    let id = header.id;
    Ok((believed, id))
}

impl AskedToEnd {
    /// Reads a request of `provider`, as it came to `here`.
    ///
    /// # Errors
    /// [`NotHeard`].
    pub fn read(
        incoming: Incoming,
        provider: (&str, &[PublicKey]),
        (here, now): (&str, Timestamp),
    ) -> Result<Self, NotHeard> {
        let (believed, id) = heard(incoming, "LogoutRequest", provider, (here, now))?;
        let root = believed.document.root();
        if let Some(text) = root.attribute("NotOnOrAfter") {
            let end = instant(text).ok_or(Unacceptable::Instant)?;
            if now >= end.plus(SKEW) {
                return Err(NotHeard::Expired);
            }
        }
        let mut names = root.children_named(Namespace::Saml, "NameID");
        let name = match (names.next(), names.next()) {
            (Some(name), None) => Named::read(name),
            _ => None,
        };
        let indexes = root.children_named(Namespace::Samlp, "SessionIndex");
        let indexes = indexes.filter_map(|node| node.text().map(|text| text.trim().to_owned()));
        Ok(Self {
            id,
            name: name.ok_or(NotHeard::Nobody)?,
            session_indexes: indexes.take(MOST).collect(),
        })
    }
}

/// The request that a `LogoutResponse` of `provider` answers, as it came to `here`.
///
/// # Errors
/// [`NotHeard`].
pub fn answered(
    incoming: Incoming,
    provider: (&str, &[PublicKey]),
    (here, now): (&str, Timestamp),
) -> Result<String, NotHeard> {
    let (believed, _) = heard(incoming, "LogoutResponse", provider, (here, now))?;
    let request = believed.document.root().attribute("InResponseTo");
    Ok(request.ok_or(Unacceptable::Id)?.to_owned())
}

/// A login that we ask a provider to end.
#[derive(Debug, Clone, Copy)]
pub struct ToEnd<'a> {
    /// The identifier of the request.
    pub id: &'a str,
    /// Our entityID as a service provider.
    pub issuer: &'a str,
    /// Where it goes.
    pub destination: &'a str,
    /// The person, as the provider named them.
    pub name: &'a Named,
    /// The login, as it named it.
    pub session_index: Option<&'a str>,
    /// The present instant.
    pub now: Timestamp,
}

/// `samlp:LogoutRequest`, not signed.
pub fn end(login: ToEnd<'_>) -> Element {
    let index = login
        .session_index
        .map(|index| Element::new(Namespace::Samlp, "SessionIndex").text(index));
    Element::new(Namespace::Samlp, "LogoutRequest")
        .attribute("ID", login.id)
        .attribute("Version", "2.0")
        .attribute("IssueInstant", login.now.to_string())
        .attribute("Destination", login.destination)
        .attribute("NotOnOrAfter", login.now.plus(LIFETIME).to_string())
        .child(issuer(login.issuer))
        .child(login.name.element())
        .child_if(index)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::url;
    use crate::saml::wire;
    use crate::saml::xmlsec::sign;
    use crate::saml::xmlsec::testing::{public, signer};

    const NOW: Timestamp = Timestamp::from_seconds(1_790_841_600);
    const IDP: &str = "https://educonnect.example/idp";
    const SLO: &str = "https://id.example.fr/saml/sp/slo";

    fn named() -> Named {
        Named {
            value: "lina".into(),
            format: None,
            name_qualifier: None,
            sp_name_qualifier: Some("x".into()),
        }
    }

    fn message(issuer: &str, destination: &str, at: Timestamp) -> Element {
        end(ToEnd {
            id: "_asked",
            issuer,
            destination,
            name: &named(),
            session_index: Some("_login"),
            now: at,
        })
    }

    fn form(message: &str) -> Incoming {
        Incoming::from_form(&url::query([("SAMLRequest", &*wire::to_form(message))])).unwrap()
    }

    fn read(incoming: Incoming) -> Result<AskedToEnd, NotHeard> {
        AskedToEnd::read(incoming, (IDP, &[public("rsa")]), (SLO, NOW))
    }

    #[test]
    fn a_signed_request_of_the_provider_names_a_person_and_a_login() {
        let signed = sign(message(IDP, SLO, NOW), &signer("rsa")).unwrap().write();
        let asked = read(form(&signed)).unwrap();
        assert_eq!(
            (asked.name, asked.session_indexes),
            (named(), vec!["_login".to_owned()])
        );
    }

    #[test]
    fn attack_32_a_request_that_nobody_signed_or_somebody_else_ends_nothing() {
        let unsigned = message(IDP, SLO, NOW).write();
        assert_eq!(read(form(&unsigned)), Err(Refused::Unsigned.into()));
        let foreign = sign(message(IDP, SLO, NOW), &signer("foreign")).unwrap().write();
        assert_eq!(read(form(&foreign)), Err(Refused::Signature.into()));
        let of = |message: Element| read(form(&sign(message, &signer("rsa")).unwrap().write()));
        assert_eq!(
            of(message("https://other.example", SLO, NOW)),
            Err(NotHeard::Issuer)
        );
        assert_eq!(
            of(message(IDP, "https://other.example/slo", NOW)),
            Err(Unacceptable::Destination.into())
        );
        let old = message(IDP, SLO, NOW.minus(Duration::from_secs(3600)));
        assert!(of(old).is_err());
    }
}
