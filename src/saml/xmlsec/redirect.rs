//! The Redirect binding (saml-bindings §3.4): the message in the address, and the signature over the address.
//!
//! What is signed is the text of the address as it was received, octet by octet: decoding it and encoding it anew would
//! be another text. Must never take a parameter that came twice, nor a request together with a response.

use std::borrow::Cow;

use data_encoding::BASE64;

use super::{Digest, KeyError, PrivateKey, PublicKey, Refused, SignatureAlgorithm};
use crate::saml::wire::{self, WireError};

/// The one encoding there is (saml-bindings §3.4.4.1).
const DEFLATE: &str = "urn:oasis:names:tc:SAML:2.0:bindings:URL-Encoding:DEFLATE";
/// The longest query that is read.
const LONGEST: usize = 128 * 1024;
/// The parameters of the binding.
const KNOWN: &[&str] = &[
    "SAMLRequest",
    "SAMLResponse",
    "RelayState",
    "SigAlg",
    "Signature",
    "SAMLEncoding",
];

/// What travels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `SAMLRequest`.
    Request,
    /// `SAMLResponse`.
    Response,
}

impl Kind {
    const fn name(self) -> &'static str {
        match self {
            Self::Request => "SAMLRequest",
            Self::Response => "SAMLResponse",
        }
    }
}

/// Why an address is not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum QueryError {
    /// Neither a request nor a response, or both.
    #[error("an address carries one request or one response")]
    Message,
    /// A parameter came twice, or under an encoded name.
    #[error("a parameter came more than once")]
    Repeated,
    /// A parameter is not percent-encoded UTF-8.
    #[error("a parameter is not readable")]
    Unreadable,
    /// An encoding that is not DEFLATE.
    #[error("the encoding of the message is not known")]
    Encoding,
    /// `SigAlg` without `Signature`, or the reverse.
    #[error("half of the signature is missing")]
    HalfSigned,
    /// The message did not travel well.
    #[error(transparent)]
    Wire(#[from] WireError),
}

/// Why an address of ours cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// The message cannot be packed.
    #[error(transparent)]
    Wire(#[from] WireError),
    /// It cannot be signed.
    #[error(transparent)]
    Key(#[from] KeyError),
}

/// A message that came in an address; who sent it is not known before [`Received::verify`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Received {
    /// What it is.
    pub kind: Kind,
    /// Its XML, not read.
    pub message: Vec<u8>,
    /// `RelayState`, decoded.
    pub relay_state: Option<String>,
    signed: Option<SignedQuery>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct SignedQuery {
    text: String,
    algorithm: String,
    signature: String,
}

impl Received {
    /// Reads the query of an address, as it was received: without `?`, not decoded. The message has `most` bytes at most.
    ///
    /// # Errors
    /// See [`QueryError`].
    pub fn read(query: &str, most: usize) -> Result<Self, QueryError> {
        if query.len() > LONGEST {
            return Err(WireError::TooLong.into());
        }
        let parameters = Parameters::read(query)?;
        let (kind, raw) = match (parameters.raw("SAMLRequest"), parameters.raw("SAMLResponse")) {
            (Some(raw), None) => (Kind::Request, raw),
            (None, Some(raw)) => (Kind::Response, raw),
            _ => return Err(QueryError::Message),
        };
        let encoding = parameters.raw("SAMLEncoding").map(decoded).transpose()?;
        if encoding.is_some_and(|encoding| encoding != DEFLATE) {
            return Err(QueryError::Encoding);
        }
        // Form decoding makes a space of a plus; what was signed stays as it is.
        let spaced = parameters.raw("RelayState").map(|raw| raw.replace('+', " "));
        let relay_state = spaced.as_deref().map(decoded).transpose()?.map(Cow::into_owned);
        let signed = match (parameters.raw("SigAlg"), parameters.raw("Signature")) {
            (None, None) => None,
            (Some(algorithm), Some(signature)) => Some(SignedQuery {
                text: signed_text(kind, raw, parameters.raw("RelayState"), algorithm),
                algorithm: decoded(algorithm)?.into_owned(),
                signature: decoded(signature)?.into_owned(),
            }),
            _ => return Err(QueryError::HalfSigned),
        };
        Ok(Self {
            kind,
            message: wire::from_query(&decoded(raw)?, most)?,
            relay_state,
            signed,
        })
    }

    /// Whether it claims to be signed.
    pub const fn is_signed(&self) -> bool {
        self.signed.is_some()
    }

    /// Which of a party's keys signed it; SHA-1 counts where its tolerance says so.
    ///
    /// # Errors
    /// [`Refused::NoKey`], [`Refused::Unsigned`], [`Refused::Algorithm`], [`Refused::Signature`].
    pub fn verify(&self, keys: &[PublicKey], sha1: bool) -> Result<usize, Refused> {
        if keys.is_empty() {
            return Err(Refused::NoKey);
        }
        let signed = self.signed.as_ref().ok_or(Refused::Unsigned)?;
        let algorithm = SignatureAlgorithm::from_uri(&signed.algorithm)
            .filter(|algorithm| sha1 || algorithm.digest() != Digest::Sha1)
            .ok_or(Refused::Algorithm)?;
        let bare: String = signed.signature.split_ascii_whitespace().collect();
        let signature = BASE64.decode(bare.as_bytes()).map_err(|_| Refused::Signature)?;
        let made = |key: &PublicKey| key.verifies(algorithm, signed.text.as_bytes(), &signature);
        keys.iter().position(made).ok_or(Refused::Signature)
    }
}

/// The query of an address that carries a message of ours, signed where a key is given.
///
/// # Errors
/// See [`WriteError`].
pub fn write(
    kind: Kind,
    message: &str,
    relay_state: Option<&str>,
    key: Option<&PrivateKey>,
) -> Result<String, WriteError> {
    let message = encoded(&wire::to_query(message)?);
    let relay_state = relay_state.map(encoded);
    let Some(key) = key else {
        let mut query = format!("{}={message}", kind.name());
        if let Some(relay_state) = relay_state {
            query.push_str("&RelayState=");
            query.push_str(&relay_state);
        }
        return Ok(query);
    };
    let algorithm = encoded(key.algorithm().uri());
    let mut query = signed_text(kind, &message, relay_state.as_deref(), &algorithm);
    let signature = key.sign(query.as_bytes())?;
    query.push_str("&Signature=");
    query.push_str(&encoded(&BASE64.encode(&signature)));
    Ok(query)
}

/// saml-bindings §3.4.4.1: in this order, whatever the order was.
fn signed_text(kind: Kind, message: &str, relay_state: Option<&str>, algorithm: &str) -> String {
    let mut text = format!("{}={message}", kind.name());
    if let Some(relay_state) = relay_state {
        text.push_str("&RelayState=");
        text.push_str(relay_state);
    }
    text.push_str("&SigAlg=");
    text.push_str(algorithm);
    text
}

/// The parameters of the binding, undecoded.
struct Parameters<'q>(Vec<(&'q str, &'q str)>);

impl<'q> Parameters<'q> {
    fn read(query: &'q str) -> Result<Self, QueryError> {
        let mut found: Vec<(&str, &str)> = Vec::new();
        for pair in query.split('&') {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            // Who decodes the name sees one of the binding's: then it must be written as such.
            let meant = decoded(name)?;
            if !KNOWN.contains(&&*meant) {
                continue;
            }
            if meant != name || found.iter().any(|(known, _)| *known == name) {
                return Err(QueryError::Repeated);
            }
            found.push((name, value));
        }
        Ok(Self(found))
    }

    fn raw(&self, name: &str) -> Option<&'q str> {
        let mut found = self.0.iter();
        found.find(|(known, _)| *known == name).map(|(_, value)| *value)
    }
}

/// RFC 3986 §2.1.
fn decoded(raw: &str) -> Result<Cow<'_, str>, QueryError> {
    if !raw.contains('%') {
        return Ok(Cow::Borrowed(raw));
    }
    let mut pieces = raw.split('%');
    let mut out: Vec<u8> = pieces.next().unwrap_or_default().into();
    for piece in pieces {
        let (digits, rest) = piece.split_at_checked(2).ok_or(QueryError::Unreadable)?;
        let all_digits = digits.chars().all(|digit| digit.is_ascii_hexdigit());
        let byte = all_digits.then(|| u8::from_str_radix(digits, 16).ok()).flatten();
        out.push(byte.ok_or(QueryError::Unreadable)?);
        out.extend(rest.as_bytes());
    }
    let text = String::from_utf8(out).map_err(|_| QueryError::Unreadable)?;
    Ok(Cow::Owned(text))
}

/// RFC 3986 §2.3: all but the unreserved.
fn encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + text.len() / 4);
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::super::testing::{private, public, sample};
    use super::*;

    const MOST: usize = 100_000;

    fn ours() -> String {
        write(
            Kind::Request,
            "<a>é</a>",
            Some("/cours?a=1&b=é à+"),
            Some(&private("rsa")),
        )
        .unwrap()
    }

    #[test]
    fn what_is_written_is_read_and_verified() {
        for key in ["rsa", "ec"] {
            let query = write(Kind::Response, "<a>é</a>", Some("x y"), Some(&private(key))).unwrap();
            let received = Received::read(&query, MOST).unwrap();
            assert_eq!(received.kind, Kind::Response);
            assert_eq!(received.message, "<a>é</a>".as_bytes());
            assert_eq!(received.relay_state.as_deref(), Some("x y"));
            let keys = [public("foreign"), public(key)];
            assert_eq!(received.verify(&keys, false), Ok(1));
            assert_eq!(
                received.verify(&[public("foreign")], false),
                Err(Refused::Signature)
            );
            assert_eq!(received.verify(&[], false), Err(Refused::NoKey));
        }
        let unsigned = write(Kind::Request, "<a/>", None, None).unwrap();
        let received = Received::read(&unsigned, MOST).unwrap();
        assert!(!received.is_signed());
        assert_eq!(received.verify(&[public("rsa")], false), Err(Refused::Unsigned));
    }

    #[test]
    fn what_pysaml2_signed_is_verified() {
        let received = Received::read(&sample("pysaml2-redirect.txt"), MOST).unwrap();
        assert_eq!(received.verify(&[public("rsa")], false), Ok(0));
        assert_eq!(received.relay_state.as_deref(), Some("/cours?a=1&b=é à"));
        assert!(
            String::from_utf8(received.message)
                .unwrap()
                .contains("AuthnRequest")
        );
    }

    #[test]
    fn attack_28_parameters_come_once_and_one_message_at_a_time() {
        let good = ours();
        for name in ["SAMLRequest", "RelayState", "SigAlg", "Signature"] {
            let twice = format!("{good}&{name}=x");
            assert_eq!(
                Received::read(&twice, MOST).unwrap_err(),
                QueryError::Repeated,
                "{name}"
            );
            let before = format!("{name}=x&{good}");
            assert_eq!(
                Received::read(&before, MOST).unwrap_err(),
                QueryError::Repeated,
                "{name}"
            );
        }
        let hidden = format!("{good}&SAML%52equest=x");
        assert_eq!(Received::read(&hidden, MOST).unwrap_err(), QueryError::Repeated);
        let both = format!("{good}&SAMLResponse=x");
        assert_eq!(Received::read(&both, MOST).unwrap_err(), QueryError::Message);
        for query in ["", "&&", "RelayState=x", "SAMLrequest=x"] {
            assert_eq!(
                Received::read(query, MOST).unwrap_err(),
                QueryError::Message,
                "{query}"
            );
        }
        let half = good.split("&Signature=").next().unwrap();
        assert_eq!(Received::read(half, MOST).unwrap_err(), QueryError::HalfSigned);
        let encoding = format!("{good}&SAMLEncoding=urn%3Ax");
        assert_eq!(Received::read(&encoding, MOST).unwrap_err(), QueryError::Encoding);
        for broken in [
            "SAMLRequest=%",
            "SAMLRequest=%4",
            "SAMLRequest=%zz",
            "SAMLRequest=%+1",
            "SAMLRequest=%ff",
        ] {
            assert_eq!(
                Received::read(broken, MOST).unwrap_err(),
                QueryError::Unreadable,
                "{broken}"
            );
        }
    }

    #[test]
    fn attack_28_the_text_of_the_address_is_signed_in_its_order_however_it_was_sent() {
        let keys = [public("rsa")];
        let good = ours();
        let mut parts: Vec<_> = good.split('&').collect();
        parts.reverse();
        let reordered = format!("other=1&{}&SAMLEncoding={}", parts.join("&"), encoded(DEFLATE));
        assert_eq!(
            Received::read(&reordered, MOST).unwrap().verify(&keys, false),
            Ok(0)
        );
        // Another encoding of the same values is another text.
        let again = good.replace("%2F", "%2f");
        assert_ne!(again, good);
        assert_eq!(
            Received::read(&again, MOST).unwrap().verify(&keys, false),
            Err(Refused::Signature)
        );
        let without = good.replacen("RelayState=", "ignored=", 1);
        assert_eq!(
            Received::read(&without, MOST).unwrap().verify(&keys, false),
            Err(Refused::Signature)
        );
        let as_response = good.replacen("SAMLRequest", "SAMLResponse", 1);
        assert_eq!(
            Received::read(&as_response, MOST).unwrap().verify(&keys, false),
            Err(Refused::Signature)
        );
    }

    #[test]
    fn attack_19_sha1_signs_addresses_for_nobody_but_a_party_that_knows_no_better() {
        let message = encoded(&wire::to_query("<a/>").unwrap());
        let algorithm = SignatureAlgorithm::Rsa(Digest::Sha1).uri();
        let text = signed_text(Kind::Request, &message, Some("NULL"), &encoded(algorithm));
        let key = private("rsa");
        let mut signer = openssl::sign::Signer::new(openssl::hash::MessageDigest::sha1(), &key.key).unwrap();
        let signature = BASE64.encode(&signer.sign_oneshot_to_vec(text.as_bytes()).unwrap());
        let query = format!("{text}&Signature={}", encoded(&signature));
        let received = Received::read(&query, MOST).unwrap();
        assert_eq!(received.verify(&[public("rsa")], false), Err(Refused::Algorithm));
        assert_eq!(received.verify(&[public("rsa")], true), Ok(0));
    }
}
