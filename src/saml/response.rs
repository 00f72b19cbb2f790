//! The answer to an authentication request (saml-core §3.3.3, §2; saml-profiles §4.1.4.2): a response with one assertion, or
//! with a status that says why there is none; signed and encrypted as the party wants it.
//!
//! Must never say more of a login than it was, and never leave without a signature.

use std::time::Duration;

use super::message::new_id;
use super::name_id::{NameId, issuer};
use super::status::Status;
use super::xml::{Element, Namespace};
use super::xmlsec::{self, Cipher, Digest, KeyError, KeyTransport, PublicKey, Recipient, Signer};
use crate::base::random::Random;
use crate::base::time::Timestamp;
use crate::domain::relying_party::{Encryption, SamlParty, Signed};

/// How long an assertion may wait to be taken.
const LIFETIME: Duration = Duration::from_secs(300);
/// How far back it is valid: clocks differ, and there are services that want `NotBefore` to be strictly past.
const BACK: Duration = Duration::from_secs(60);
/// How the bearer is known (saml-profiles §3.3).
const BEARER: &str = "urn:oasis:names:tc:SAML:2.0:cm:bearer";

/// Between whom, and about which request.
#[derive(Clone, Copy, Debug)]
pub struct Envelope<'a> {
    /// Our entityID.
    pub issuer: &'a str,
    /// Where it goes.
    pub destination: &'a str,
    /// The request that is answered.
    pub in_response_to: Option<&'a str>,
    /// The present instant.
    pub now: Timestamp,
}

impl Envelope<'_> {
    /// What every message of ours begins with (saml-core §3.2.1, §3.2.2).
    pub(super) fn open(&self, name: &'static str, id: String) -> Element {
        Element::new(Namespace::Samlp, name)
            .attribute("ID", id)
            .attribute("Version", "2.0")
            .attribute("IssueInstant", self.now.to_string())
            .attribute("Destination", self.destination)
            .attribute_if("InResponseTo", self.in_response_to)
            .child(issuer(self.issuer))
    }
}

/// What an assertion says of a person and their login.
#[derive(Clone, Debug)]
pub struct Said<'a> {
    /// The entityID of the party.
    pub audience: &'a str,
    /// The person.
    pub name_id: NameId,
    /// Their login, as the party knows it.
    pub session_index: &'a str,
    /// When they proved who they are.
    pub authenticated_at: Timestamp,
    /// When their login ends by itself.
    pub session_until: Timestamp,
    /// What their login is called.
    pub class: &'a str,
    /// Attributes that leave.
    pub attributes: Vec<Element>,
}

/// `saml:Assertion`, not signed.
fn assertion(envelope: &Envelope<'_>, said: Said<'_>, id: String) -> Element {
    let Envelope { now, .. } = *envelope;
    let until = now.plus(LIFETIME).to_string();
    // saml-profiles §4.1.4.2: Recipient, NotOnOrAfter, no NotBefore, and InResponseTo where there was a request.
    let data = Element::new(Namespace::Saml, "SubjectConfirmationData")
        .attribute("NotOnOrAfter", until.as_str())
        .attribute("Recipient", envelope.destination)
        .attribute_if("InResponseTo", envelope.in_response_to);
    let confirmation = Element::new(Namespace::Saml, "SubjectConfirmation")
        .attribute("Method", BEARER)
        .child(data);
    let subject = Element::new(Namespace::Saml, "Subject")
        .child(said.name_id.element(envelope.issuer, said.audience))
        .child(confirmation);
    let audience = Element::new(Namespace::Saml, "Audience").text(said.audience);
    let conditions = Element::new(Namespace::Saml, "Conditions")
        .attribute("NotBefore", now.minus(BACK).to_string())
        .attribute("NotOnOrAfter", until)
        .child(Element::new(Namespace::Saml, "AudienceRestriction").child(audience));
    let class = Element::new(Namespace::Saml, "AuthnContextClassRef").text(said.class);
    let authentication = Element::new(Namespace::Saml, "AuthnStatement")
        .attribute("AuthnInstant", said.authenticated_at.to_string())
        .attribute("SessionIndex", said.session_index)
        .attribute("SessionNotOnOrAfter", said.session_until.to_string())
        .child(Element::new(Namespace::Saml, "AuthnContext").child(class));
    let attributes = (!said.attributes.is_empty())
        .then(|| Element::new(Namespace::Saml, "AttributeStatement").children(said.attributes));
    Element::new(Namespace::Saml, "Assertion")
        .attribute("ID", id)
        .attribute("Version", "2.0")
        .attribute("IssueInstant", now.to_string())
        .child(issuer(envelope.issuer))
        .child(subject)
        .child(conditions)
        .child(authentication)
        .child_if(attributes)
}

/// How an answer is kept from being changed and read on its way.
#[derive(Clone, Debug)]
pub struct Protection {
    /// What is signed.
    pub signed: Signed,
    /// For whom the assertion is encrypted, where it is.
    pub encrypted: Option<EncryptFor>,
}

/// For whom, and how.
#[derive(Clone, Debug)]
pub struct EncryptFor {
    key: PublicKey,
    cipher: Cipher,
    transport: KeyTransport,
}

/// The assertion of a party must be encrypted, and there is no key or no algorithm to do so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no key, or no algorithm, to encrypt for the service")]
pub struct CannotEncrypt;

impl Protection {
    /// What a party wants. `keys` are those of the metadata that could be read, in their order, each with the algorithms
    /// that its owner can read.
    ///
    /// # Errors
    /// [`CannotEncrypt`]: where a key is there and no cipher in common, nothing leaves in clear instead.
    pub fn of(party: &SamlParty, keys: Vec<(PublicKey, &[String])>) -> Result<Self, CannotEncrypt> {
        let mut able = keys.into_iter().filter(|(key, _)| key.encrypts());
        let encrypted = match (party.encryption, able.next()) {
            (Encryption::Never, _) | (Encryption::WhereThereIsAKey, None) => None,
            (Encryption::Required, None) => return Err(CannotEncrypt),
            (_, Some((key, methods))) => Some(EncryptFor {
                key,
                cipher: cipher(methods, party.tolerances.cbc).ok_or(CannotEncrypt)?,
                transport: transport(party.mgf),
            }),
        };
        Ok(Self {
            signed: party.signed,
            encrypted,
        })
    }
}

/// The cipher: one of those that the party says it can read, in its order, else one that everybody can; CBC only where the
/// operator lets it pass and nothing better is read.
fn cipher(methods: &[String], cbc: bool) -> Option<Cipher> {
    let named: Vec<Cipher> = methods.iter().filter_map(|uri| Cipher::from_uri(uri)).collect();
    if let Some(cipher) = named.iter().find(|cipher| cipher.is_authenticated()) {
        return Some(*cipher);
    }
    match (named.first(), cbc) {
        (Some(cipher), true) => Some(*cipher),
        (Some(_), false) => None,
        (None, true) => Some(Cipher::Aes128Cbc),
        (None, false) => Some(Cipher::Aes128Gcm),
    }
}

const fn transport(mgf: bool) -> KeyTransport {
    if mgf {
        KeyTransport::Oaep {
            digest: Digest::Sha256,
            mask: Digest::Sha256,
        }
    } else {
        KeyTransport::OaepMgf1p
    }
}

/// The answer with an assertion, as it leaves.
///
/// # Errors
/// When the cryptographic library refuses.
pub fn success(
    envelope: &Envelope<'_>,
    said: Said<'_>,
    protection: &Protection,
    signer: &Signer,
    random: &dyn Random,
) -> Result<String, KeyError> {
    let mut inside = assertion(envelope, said, new_id(random));
    if protection.signed != Signed::Response {
        inside = xmlsec::sign(inside, signer)?;
    }
    if let Some(EncryptFor {
        key,
        cipher,
        transport,
    }) = &protection.encrypted
    {
        let wrapper = Element::new(Namespace::Saml, "EncryptedAssertion");
        let recipient = Recipient {
            key,
            cipher: *cipher,
            transport: *transport,
        };
        inside = xmlsec::encrypt(&inside, wrapper, &recipient, random)?;
    }
    let response = envelope
        .open("Response", new_id(random))
        .child(Status::SUCCESS.element())
        .child(inside);
    if protection.signed == Signed::Assertion {
        return Ok(response.write());
    }
    Ok(xmlsec::sign(response, signer)?.write())
}

/// The answer that says why there is no assertion, as it leaves: always signed.
///
/// # Errors
/// When the cryptographic library refuses.
pub fn refusal(
    envelope: &Envelope<'_>,
    status: Status,
    signer: &Signer,
    random: &dyn Random,
) -> Result<String, KeyError> {
    let response = envelope.open("Response", new_id(random)).child(status.element());
    Ok(xmlsec::sign(response, signer)?.write())
}

#[cfg(test)]
mod tests;
