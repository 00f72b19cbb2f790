//! The one identity provider that somebody means, out of its own document or out of an aggregate.

use std::io::BufRead;

use super::entities::LONGEST;
use super::entity::{earlier, read_provider};
use super::{Allowed, Entities, Names, ReadProvider, Unusable};
use crate::base::time::Timestamp;
use crate::saml::xml::{Document, Fault, Limits};

/// Why it is not had.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotProvided {
    /// The document has no entity of that name.
    #[error("there is no entity of that entityID")]
    Missing,
    /// It has one that is not used.
    #[error("the entity is not used: {0}")]
    Unusable(#[from] Unusable),
    /// The document cannot be read.
    #[error("{0}")]
    Xml(#[from] Fault),
}

/// Reads the identity provider of an entityID out of canonical bytes; `repeated` are the names that
/// [`take`](super::take) met twice.
///
/// # Errors
/// [`NotProvided`].
pub fn provider<R: BufRead>(
    input: R,
    repeated: &Names,
    wanted: &str,
    allowed: Allowed,
    now: Timestamp,
) -> Result<ReadProvider, NotProvided> {
    if repeated.has(wanted) {
        return Err(Unusable::Repeated.into());
    }
    let mut entities = Entities::new(input, allowed, "".into(), Names::default(), now);
    let (bytes, group) = entities.find(wanted)?.ok_or(NotProvided::Missing)?;
    let bytes = bytes.ok_or(Unusable::TooLong(LONGEST))?;
    let document = Document::read(&bytes, &Limits::METADATA)?;
    let mut provider = read_provider(document.root(), allowed, now)?;
    if let Some(group) = group {
        group.check(now)?;
        provider.valid_until = earlier(provider.valid_until, group.valid_until);
        provider.cache_duration = earlier(provider.cache_duration, group.cache_duration);
    }
    Ok(provider)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_seconds(1_790_841_600);
    const IDP: &str = "https://educonnect.example/idp";

    fn certificate() -> String {
        let text = include_str!("../../../tests/samples/saml/rsa.crt");
        text.lines().filter(|line| !line.starts_with('-')).collect()
    }

    fn key(usage: &str) -> String {
        format!(
            "<md:KeyDescriptor{usage}><ds:KeyInfo xmlns:ds='http://www.w3.org/2000/09/xmldsig#'><ds:X509Data>\
             <ds:X509Certificate>{}</ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor>",
            certificate()
        )
    }

    fn entity(id: &str, attributes: &str, inside: &str) -> String {
        format!(
            "<md:EntityDescriptor entityID='{id}'{attributes} xmlns:md='urn:oasis:names:tc:SAML:2.0:metadata'>\
             <md:IDPSSODescriptor protocolSupportEnumeration='urn:oasis:names:tc:SAML:2.0:protocol'>{inside}\
             </md:IDPSSODescriptor></md:EntityDescriptor>"
        )
    }

    const SIGN_ON: &str = "<md:SingleSignOnService Binding='urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect' \
        Location='https://educonnect.example/sso'/>";

    fn read(text: &str) -> Result<ReadProvider, NotProvided> {
        read_with(text, &Names::default())
    }

    fn read_with(text: &str, repeated: &Names) -> Result<ReadProvider, NotProvided> {
        provider(text.as_bytes(), repeated, IDP, Allowed::default(), NOW)
    }

    fn aggregate(attributes: &str, inside: &str) -> String {
        format!(
            "<md:EntitiesDescriptor{attributes} xmlns:md='urn:oasis:names:tc:SAML:2.0:metadata'>{inside}\
             </md:EntitiesDescriptor>"
        )
    }

    #[test]
    fn a_provider_is_read_by_itself_and_out_of_many() {
        let one = entity(IDP, "", &format!("{}{SIGN_ON}", key("")));
        let read_alone = read(&one).unwrap();
        assert_eq!((read_alone.signing_keys.len(), read_alone.sign_on.len()), (1, 1));
        assert!(read_alone.certificate_ends.is_some());
        let other = entity("https://other.example/idp", "", &format!("{}{SIGN_ON}", key("")));
        let end = " validUntil='2026-10-05T00:00:00Z'";
        let many = aggregate(end, &format!("{other}{}", aggregate("", &one)));
        let among = read(&many).unwrap();
        assert_eq!(among.signing_keys, read_alone.signing_keys);
        assert!(among.valid_until.is_some());
        assert_eq!(read(&other), Err(NotProvided::Missing));
    }

    #[test]
    fn attack_30_metadata_that_prove_nothing_are_no_provider() {
        let of = |attributes: &str, inside: &str| read(&entity(IDP, attributes, inside)).unwrap_err();
        let no_key = Unusable::Key("it has none that signs").into();
        assert_eq!(of("", SIGN_ON), no_key, "no key at all");
        let encryption = key(" use='encryption'");
        assert_eq!(
            of("", &format!("{encryption}{SIGN_ON}")),
            no_key,
            "a key for encryption signs nothing"
        );
        assert_eq!(of("", &key("")), Unusable::NoSignOn.into());
        let over = of(
            " validUntil='2026-09-01T00:00:00Z'",
            &format!("{}{SIGN_ON}", key("")),
        );
        assert!(
            matches!(over, NotProvided::Unusable(Unusable::Expired(_))),
            "{over:?}"
        );
        let one = entity(IDP, "", &format!("{}{SIGN_ON}", key("")));
        let over = read(&aggregate(" validUntil='2026-09-01T00:00:00Z'", &one)).unwrap_err();
        assert!(
            matches!(over, NotProvided::Unusable(Unusable::Expired(_))),
            "{over:?}"
        );
        let mut twice = Names::default();
        twice.add(IDP);
        assert_eq!(read_with(&one, &twice), Err(Unusable::Repeated.into()));
        let plain = SIGN_ON.replace("https:", "http:");
        let unsafe_address = of("", &format!("{}{plain}", key("")));
        assert!(matches!(
            unsafe_address,
            NotProvided::Unusable(Unusable::Address(_))
        ));
    }
}
