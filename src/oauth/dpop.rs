//! Proofs of possession (RFC 9449): that whoever sends a request holds the key that a token is, or is to be, bound to.
//!
//! | check, in this order | RFC 9449 §4.3 |
//! | --- | --- |
//! | at most one `DPoP` header field | 1 |
//! | a JWS of type `dpop+jwt`, by an allowed algorithm, signed by the public key in its own header | 2, 4, 5, 6, 7 |
//! | `jti` is there | 3 |
//! | `htm` is the method, `htu` the address without query and fragment | 8, 9 |
//! | `nonce`, where one came or one must come, is one of ours | 10 |
//! | `iat` is there, and within a minute of now unless a nonce says when the proof was made | 11 |
//! | `ath` is the access token's hash, where there is one | 12 |
//!
//! Members that are not known here, `nbf` and `exp` among them, are not looked at. That a proof was never seen before, and
//! that its key is the one a token is bound to, is for whoever asks: the store decides the one, the grant or the resource
//! the other. A proof that fails never costs its sender anything but the answer.

use data_encoding::BASE64URL_NOPAD;
use serde_json::{Map, Value};

use super::error::{ErrorCode, OAuthError};
use super::numeric_date;
use crate::base::secret::{Secret, equal, sha256};
use crate::base::time::Timestamp;
use crate::base::url::Url;
use crate::domain::relying_party::{RelyingParty, SecurityProfile};
use crate::jose::{self, Algorithm, JoseError};

/// How far the clock of whoever made a proof may be from ours, in seconds, where no nonce tells us when that was.
const WINDOW: i64 = 60;
/// For how long a nonce is the latest, in seconds; after that it is accepted as long again.
const NONCE_WINDOW: i64 = 300;
/// The longest `jti` that is read.
const JTI: usize = 512;
/// The longest `htu` that is read.
const HTU: usize = 2048;

const fn invalid(description: &'static str) -> OAuthError {
    OAuthError::new(ErrorCode::InvalidDpopProof, description)
}

/// What a client is told that must prove to hold a key, and shows nothing (RFC 9449 §5.2, FAPI 2.0 Security Profile
/// §5.3.2.1).
pub const MISSING: OAuthError = invalid("this request needs a DPoP proof");
/// What is said of a proof that came before (RFC 9449 §11.1).
pub const REPLAYED: OAuthError = invalid("the DPoP proof was used before");
/// What is said where the key of a proof is not the one that the request names.
pub const OTHER_KEY: OAuthError = invalid("the DPoP proof is of another key");
/// Nothing is wrong but the nonce, of which a good one goes with the answer (RFC 9449 §8).
const USE_NONCE: OAuthError = OAuthError::new(
    ErrorCode::UseDpopNonce,
    "the DPoP proof needs the nonce that comes with this answer",
);

/// What a request shows: its `DPoP` header fields.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Shown<'a> {
    /// None.
    #[default]
    Nothing,
    /// One, nothing of which is believed yet.
    Proof(&'a str),
    /// More than one.
    Several,
}

impl<'a> Shown<'a> {
    /// Of the values of all fields of that name.
    pub fn of(mut values: impl Iterator<Item = &'a str>) -> Self {
        match (values.next(), values.next()) {
            (None, _) => Self::Nothing,
            (Some(proof), None) => Self::Proof(proof),
            (Some(_), Some(_)) => Self::Several,
        }
    }
}

/// The nonces that are good at a moment: made from a secret of the installation, so that every node makes the same and
/// none has to be kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Nonces {
    /// The window, and the nonces of the one before, of itself, and of the one that a node whose clock is ahead may
    /// already be in.
    window: i64,
    values: [String; 3],
}

impl Nonces {
    /// Those of a moment; `make` makes the nonce of a window.
    ///
    /// # Errors
    /// What `make` fails with.
    pub fn at<E>(now: Timestamp, make: impl Fn(i64) -> Result<String, E>) -> Result<Self, E> {
        let window = now.seconds().div_euclid(NONCE_WINDOW);
        let values = [
            make(window.saturating_sub(1))?,
            make(window)?,
            make(window.saturating_add(1))?,
        ];
        Ok(Self { window, values })
    }

    /// The one to be handed out.
    pub fn current(&self) -> &str {
        let [_, current, _] = &self.values;
        current
    }

    /// The window of a nonce that is good.
    fn window_of(&self, nonce: &str) -> Option<i64> {
        let offsets = [-1, 0, 1];
        let mut found = offsets.into_iter().zip(&self.values);
        found
            .find(|(_, value)| equal(value.as_bytes(), nonce.as_bytes()))
            .map(|(offset, _)| self.window.saturating_add(offset))
    }
}

/// The request that a proof is for.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// Its method.
    pub method: &'a str,
    /// The address of its endpoint, as the world knows it.
    pub address: &'a str,
    /// The access token that it brings.
    pub access_token: Option<&'a Secret>,
}

/// What is accepted of whom.
#[derive(Debug, Clone, Copy)]
pub struct Rules<'a> {
    /// How a proof may be signed.
    pub algorithms: &'a [Algorithm],
    /// The nonces of now.
    pub nonces: &'a Nonces,
    /// Whether there must be one.
    pub needs_nonce: bool,
    /// Now.
    pub now: Timestamp,
}

/// A proof that holds; it may be used once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proved {
    /// The thumbprint of the key (RFC 7638).
    pub jkt: String,
    /// The identifier of the proof, one of that key's.
    pub jti: String,
    /// Until when it must be remembered: as long as it would hold on any node.
    pub kept_until: Timestamp,
}

/// The algorithms that proofs of a client may be signed by.
pub const fn algorithms(party: &RelyingParty) -> &'static [Algorithm] {
    match party.metadata.profile {
        SecurityProfile::Fapi2 => Algorithm::OF_FAPI,
        SecurityProfile::Standard => Algorithm::OF_CLIENTS,
    }
}

/// Whether a proof holds; `None` where none is shown.
///
/// # Errors
/// `invalid_dpop_proof`, `use_dpop_nonce`.
pub fn check(shown: Shown<'_>, request: Request<'_>, rules: Rules<'_>) -> Result<Option<Proved>, OAuthError> {
    let proof = match shown {
        Shown::Nothing => return Ok(None),
        Shown::Several => return Err(invalid("more than one DPoP header field")),
        Shown::Proof(proof) => proof,
    };
    let (key, claims) = jose::verify_proof(proof, rules.algorithms, jose::Kind::DpopProof)
        .map_err(|error| unverified(&error))?;
    let text = |name: &str| claims.get(name).and_then(Value::as_str);
    let jti = text("jti").filter(|jti| (1..=JTI).contains(&jti.len()));
    let jti = jti
        .ok_or(invalid("jti is missing, empty or too long"))?
        .to_owned();
    // RFC 9110 §9.1: "The method token is case-sensitive".
    if text("htm") != Some(request.method) {
        return Err(invalid("htm is not the method of this request"));
    }
    let target = text("htu").and_then(target);
    if target.is_none() || target != self::target(request.address) {
        return Err(invalid("htu is not the address of this request"));
    }
    let kept_until = in_time(&claims, rules)?;
    if let Some(token) = request.access_token {
        let hash = BASE64URL_NOPAD.encode(&sha256(token.expose().as_bytes()));
        let is_of_token = |ath: &str| equal(ath.as_bytes(), hash.as_bytes());
        if !text("ath").is_some_and(is_of_token) {
            return Err(invalid("ath is not the hash of the access token"));
        }
    }
    let jkt = key.thumbprint();
    Ok(Some(Proved { jkt, jti, kept_until }))
}

/// What the developer of the client is told; which key it was, nobody.
fn unverified(error: &JoseError) -> OAuthError {
    invalid(match error {
        JoseError::Token(_) => "the DPoP proof is not a signed token of type dpop+jwt",
        JoseError::Key(_) => "jwk is missing, or is not a public key that is used here",
        JoseError::Algorithm => "alg is not one of dpop_signing_alg_values_supported, or not of the key",
        JoseError::Library(_) | JoseError::UnknownKey | JoseError::Signature => {
            "the DPoP proof is not signed by the key in its header"
        }
    })
}

/// Until when a proof must be remembered, where it was made now: "as determined by either the iat claim or a server
/// managed timestamp via the nonce claim".
fn in_time(claims: &Map<String, Value>, rules: Rules<'_>) -> Result<Timestamp, OAuthError> {
    let window = match claims.get("nonce") {
        None if rules.needs_nonce => return Err(USE_NONCE),
        None => None,
        Some(nonce) => {
            let known = nonce.as_str().and_then(|nonce| rules.nonces.window_of(nonce));
            Some(known.ok_or(USE_NONCE)?)
        }
    };
    let made = claims.get("iat").and_then(numeric_date::seconds);
    let made = made.ok_or(invalid("iat is missing or no number"))?;
    if let Some(window) = window {
        // Accepted in its own window and the next; once more for nodes whose clocks are apart.
        let end = window.saturating_add(3).saturating_mul(NONCE_WINDOW);
        return Ok(Timestamp::from_seconds(end));
    }
    let now = rules.now.seconds();
    if !(now - WINDOW..=now + WINDOW).contains(&made) {
        return Err(invalid("iat is too far from now"));
    }
    // It holds for a minute from `made`; as long again for nodes whose clocks are apart.
    Ok(Timestamp::from_seconds(made + 2 * WINDOW))
}

/// An address as `htu` is compared: without query and fragment, normalised by syntax and scheme (RFC 3986 §6.2.2,
/// §6.2.3). `None` for what is no web address, or names more than a place.
fn target(address: &str) -> Option<String> {
    // The parser below forgives as browsers do (`\` for `/`, line ends left out); nothing that needs it is an address.
    let is_plain = |byte: u8| byte.is_ascii_graphic() && !br#""<>\^`{|}"#.contains(&byte);
    if address.len() > HTU || !address.bytes().all(is_plain) {
        return None;
    }
    let (scheme, rest) = address.split_once("://")?;
    if !["https", "http"]
        .iter()
        .any(|known| scheme.eq_ignore_ascii_case(known))
        || rest.starts_with('/')
    {
        return None;
    }
    let mut url = Url::parse(address).ok()?;
    if !url.username().is_empty() || url.password().is_some() {
        return None;
    }
    url.set_query(None);
    url.set_fragment(None);
    Some(unescaped(url.as_str()))
}

/// RFC 3986 §6.2.2.1, §6.2.2.2: hexadecimal digits in capitals, and no escape for what needs none.
fn unescaped(address: &str) -> String {
    let mut parts = address.split('%');
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let digits = part.get(..2);
        let digits = digits.filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()));
        let byte = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
        let rest = part.get(2..).unwrap_or_default();
        match byte {
            Some(byte) if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) => {
                out.push(char::from(byte));
                out.push_str(rest);
            }
            Some(byte) => {
                out.push_str(&format!("%{byte:02X}"));
                out.push_str(rest);
            }
            None => {
                out.push('%');
                out.push_str(part);
            }
        }
    }
    out
}

#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
