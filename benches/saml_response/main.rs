//! SAML responses per second and thread: written, signed, encrypted, as they leave. In process and without a database: what
//! is measured is what SAML costs beyond the flow of any protocol.
//!
//! Each figure stands beside the raw signatures that it holds. `MARELLE_BENCH_SECONDS` is the length of a round; of three
//! rounds the best counts.

#[path = "../measure/mod.rs"]
mod measure;
#[path = "../measure/rate.rs"]
mod rate;

use std::time::Duration;

use anyhow::{Context as _, Result};
use marelle::base::random::SystemRandom;
use marelle::base::time::Timestamp;
use marelle::domain::relying_party::{Encryption, SamlParty, Signed};
use marelle::saml::name_id::{NameId, NameIdFormat};
use marelle::saml::response::{Envelope, Protection, Said, success};
use marelle::saml::xml::{Element, Namespace};
use marelle::saml::xmlsec::{Certificate, PrivateKey, PublicKey, SelfSigned, Signer};
use measure::{figure, head, part, row};
use openssl::ec::{EcGroup, EcKey};
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::{PKey, Private};
use openssl::rsa::Rsa;
use rate::rate;

const NOW: Timestamp = Timestamp::from_seconds(1_790_841_600);

/// A key, with what signs by it and what signs without anything around.
struct Key {
    name: &'static str,
    signer: Signer,
    public: PublicKey,
    raw: f64,
}

fn main() -> Result<()> {
    let length = Duration::from_secs(measure::setting("MARELLE_BENCH_SECONDS", 1));
    measure::machine("before");
    let rsa = PKey::from_rsa(Rsa::generate(2048)?)?;
    let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1)?;
    let p256 = PKey::from_ec_key(EcKey::generate(&group)?)?;
    let keys = [key("RSA-2048", &rsa, length)?, key("P-256", &p256, length)?];
    head(
        "SAML responses, one thread",
        &[
            "key",
            "signed",
            "encrypted",
            "per second",
            "raw signatures per second",
            "signatures in one",
            "signatures, to the raw rate",
        ],
    );
    for key in &keys {
        for (signed, count) in [
            (Signed::Response, 1.0),
            (Signed::Assertion, 1.0),
            (Signed::Both, 2.0),
        ] {
            for encrypted in [false, true] {
                let rate = responses(key, signed, encrypted.then_some(&keys[0].public), length)?;
                row(&[
                    &key.name,
                    &signed,
                    &encrypted,
                    &figure(rate),
                    &figure(key.raw),
                    &count,
                    &part(rate * count, key.raw),
                ]);
            }
        }
    }
    measure::machine("after");
    Ok(())
}

fn key(name: &'static str, raw: &PKey<Private>, length: Duration) -> Result<Key> {
    let key = PrivateKey::from_pkcs8(&raw.private_key_to_pkcs8()?)?;
    let said = SelfSigned {
        name: "id.example.fr",
        serial: [7; 16],
        not_before: NOW,
        not_after: NOW.plus(Duration::from_secs(3600)),
    };
    let certificate = Certificate::self_signed(&key, &said)?;
    // About as long as the `SignedInfo` of a response.
    let text = [b'x'; 700];
    let raw = rate(length, || {
        openssl::sign::Signer::new(MessageDigest::sha256(), raw)?
            .sign_oneshot_to_vec(&text)
            .map(drop)
    })?;
    Ok(Key {
        name,
        public: key.public()?,
        signer: Signer {
            key,
            certificate: Some(certificate),
        },
        raw,
    })
}

fn responses(key: &Key, signed: Signed, recipient: Option<&PublicKey>, length: Duration) -> Result<f64> {
    let encryption = match recipient {
        Some(_) => Encryption::Required,
        None => Encryption::Never,
    };
    let party = SamlParty {
        signed,
        encryption,
        ..SamlParty::default()
    };
    let methods: &[String] = &[];
    let recipients = recipient.cloned().map(|recipient| (recipient, methods));
    let protection =
        Protection::of(&party, recipients.into_iter().collect()).context("a key to encrypt for")?;
    let envelope = Envelope {
        issuer: "https://id.example.fr/saml/metadata",
        destination: "https://ent.example.fr/auth/saml/acs",
        in_response_to: Some("_0123456789abcdef0123456789abcdef"),
        now: NOW,
    };
    let rate = rate(length, || {
        success(&envelope, said(), &protection, &key.signer, &SystemRandom).map(drop)
    })?;
    Ok(rate)
}

/// What an ENT is told: eight attributes.
fn said() -> Said<'static> {
    let value = |text: &str| {
        Element::new(Namespace::Saml, "AttributeValue")
            .attribute_in(Namespace::Xsi, "type", "xs:string")
            .declaring(Namespace::Xs)
            .text(text)
    };
    let attribute = |(name, text): (&str, &str)| {
        Element::new(Namespace::Saml, "Attribute")
            .attribute("Name", name)
            .attribute("NameFormat", "urn:oasis:names:tc:SAML:2.0:attrname-format:basic")
            .attribute("FriendlyName", name)
            .child(value(text))
    };
    let attributes = [
        ("givenName", "Lilwenn"),
        ("sn", "Le Goff"),
        ("ENTPersonProfils", "National_ELV"),
        ("ENTPersonStructRattachUAI", "9990101F"),
        ("ENTEleveClasses", "9990101F$6EME A"),
        ("ENTEleveNivFormation", "6EME"),
        ("ENTPersonDateNaissance", "17/08/2015"),
        (
            "FrEduIdENT",
            "ctaszplsrcnnuw2433sbfoffryufieiqsox4qhrciqqbxskhjexq",
        ),
    ];
    Said {
        audience: "https://ent.example.fr/auth/saml/metadata/idp.xml",
        name_id: NameId {
            format: NameIdFormat::Transient,
            value: "_ctaszplsrcnnuw2433sbfoffryufieiqsox4qhrciqq".to_owned(),
        },
        session_index: "ctaszplsrcnnuw2433sbfoffryufieiqsox4qhrciqq",
        authenticated_at: NOW,
        session_until: NOW.plus(Duration::from_secs(3600)),
        class: "urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport",
        attributes: attributes.map(attribute).into(),
    }
}
