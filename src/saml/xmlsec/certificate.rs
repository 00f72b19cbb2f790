//! Certificates as envelopes of keys: metadata carries keys in them (saml-metadata §2.4.1.1), and trust is in the
//! metadata, not in who issued them or until when. Must never build a chain.

use data_encoding::BASE64;
use openssl::asn1::Asn1Time;
use openssl::bn::BigNum;
use openssl::hash::MessageDigest;
use openssl::x509::{X509, X509Builder, X509NameBuilder};

use super::{KeyError, PrivateKey, PublicKey};
use crate::base::time::Timestamp;

/// A certificate.
#[derive(Clone)]
pub struct Certificate(X509);

impl std::fmt::Debug for Certificate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Certificate")
    }
}

/// What a certificate of ours says.
#[derive(Clone, Copy, Debug)]
pub struct SelfSigned<'a> {
    /// The common name: a host, mostly.
    pub name: &'a str,
    /// Its number, unpredictable by custom.
    pub serial: [u8; 16],
    /// From when it is valid.
    pub not_before: Timestamp,
    /// Until when.
    pub not_after: Timestamp,
}

impl Certificate {
    /// Reads what stands in `ds:X509Certificate`: Base64 with any white space, which some write with the lines of PEM.
    ///
    /// # Errors
    /// [`KeyError::Unreadable`].
    pub fn from_base64(text: &str) -> Result<Self, KeyError> {
        const BEGIN: &str = "-----BEGIN CERTIFICATE-----";
        const END: &str = "-----END CERTIFICATE-----";
        let text = text.trim();
        let inside = text
            .strip_prefix(BEGIN)
            .and_then(|inside| inside.strip_suffix(END));
        let bare: String = inside.unwrap_or(text).split_ascii_whitespace().collect();
        let der = BASE64.decode(bare.as_bytes()).map_err(|_| KeyError::Unreadable)?;
        Self::from_der(&der)
    }

    /// Reads the DER form.
    ///
    /// # Errors
    /// [`KeyError::Unreadable`].
    pub fn from_der(der: &[u8]) -> Result<Self, KeyError> {
        X509::from_der(der).map(Self).map_err(|_| KeyError::Unreadable)
    }

    /// Makes one for a key of ours, signed by it.
    ///
    /// # Errors
    /// When the library refuses.
    pub fn self_signed(key: &PrivateKey, said: &SelfSigned<'_>) -> Result<Self, KeyError> {
        let mut name = X509NameBuilder::new()?;
        // X.520: a common name has at most 64 characters.
        let common_name: String = said.name.chars().take(64).collect();
        name.append_entry_by_text("CN", &common_name)?;
        let name = name.build();
        let mut builder = X509Builder::new()?;
        // RFC 5280 §4.1: version 3 is written as 2, and a serial number is positive.
        builder.set_version(2)?;
        let mut serial = BigNum::from_slice(&said.serial)?;
        serial.clear_bit(127)?;
        builder.set_serial_number(&*serial.to_asn1_integer()?)?;
        builder.set_subject_name(&name)?;
        builder.set_issuer_name(&name)?;
        builder.set_not_before(&*Asn1Time::from_unix(said.not_before.seconds())?)?;
        builder.set_not_after(&*Asn1Time::from_unix(said.not_after.seconds())?)?;
        builder.set_pubkey(&key.key)?;
        builder.sign(&key.key, MessageDigest::sha256())?;
        Ok(Self(builder.build()))
    }

    /// The key in it.
    ///
    /// # Errors
    /// What is wrong with the key.
    pub fn public_key(&self) -> Result<PublicKey, KeyError> {
        PublicKey::new(self.0.public_key().map_err(|_| KeyError::Unreadable)?)
    }

    /// The DER form.
    ///
    /// # Errors
    /// When the library refuses.
    pub fn to_der(&self) -> Result<Vec<u8>, KeyError> {
        Ok(self.0.to_der()?)
    }

    /// As it stands in `ds:X509Certificate`.
    ///
    /// # Errors
    /// When the library refuses.
    pub fn to_base64(&self) -> Result<String, KeyError> {
        Ok(BASE64.encode(&self.to_der()?))
    }

    /// Until when it says to be valid: nothing depends on it but a word to whoever runs the federation.
    pub fn not_after(&self) -> Option<Timestamp> {
        let epoch = Asn1Time::from_unix(0).ok()?;
        let since = epoch.diff(self.0.not_after()).ok()?;
        let seconds = i64::from(since.days) * 86_400 + i64::from(since.secs);
        Some(Timestamp::from_seconds(seconds))
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{private, sample};
    use super::*;

    #[test]
    fn a_certificate_of_ours_holds_our_key_and_says_what_it_was_told() {
        for name in ["rsa", "ec"] {
            let key = private(name);
            let said = SelfSigned {
                name: "marelle.example",
                serial: [0xff; 16],
                not_before: Timestamp::from_seconds(1_700_000_000),
                not_after: Timestamp::from_seconds(1_900_000_000),
            };
            let made = Certificate::self_signed(&key, &said).unwrap();
            let read = Certificate::from_base64(&made.to_base64().unwrap()).unwrap();
            let public = read.public_key().unwrap();
            assert_eq!(public.to_der().unwrap(), key.public().unwrap().to_der().unwrap());
            assert_eq!(read.not_after(), Some(said.not_after));
            assert!(read.0.verify(&key.key).unwrap());
            let serial = read.0.serial_number().to_bn().unwrap();
            assert!(!serial.is_negative() && serial.num_bits() == 127);
        }
    }

    #[test]
    fn certificates_are_read_with_the_lines_that_metadata_has() {
        let pem = sample("rsa.crt");
        let bare: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
        let indented = bare
            .as_bytes()
            .chunks(20)
            .map(|line| String::from_utf8_lossy(line));
        let indented = format!("\n\t{}\r\n", indented.collect::<Vec<_>>().join("\n\t"));
        for text in [pem.as_str(), &bare, &indented] {
            assert!(Certificate::from_base64(text).unwrap().public_key().is_ok());
        }
        for text in ["", "MIIB", "é", "-----BEGIN CERTIFICATE-----"] {
            assert!(
                matches!(Certificate::from_base64(text), Err(KeyError::Unreadable)),
                "{text}"
            );
        }
    }
}
