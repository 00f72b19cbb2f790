//! Values of declaration files, each read where it stands so that an error names its line.

use std::fmt::Display;
use std::str::FromStr;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

use crate::base::secret::Digest;
use crate::base::url::Url;
use crate::domain::registration::is_loopback;
use crate::jose::Algorithm;

pub(super) fn yes() -> bool {
    true
}

pub(super) fn parsed<'de, D: Deserializer<'de>, T: FromStr<Err: Display>>(
    deserializer: D,
) -> Result<T, D::Error> {
    String::deserialize(deserializer)?
        .parse()
        .map_err(D::Error::custom)
}

/// A value read by [`FromStr`], in a list or where it may be missing.
#[derive(Debug)]
pub(super) struct Parsed<T>(pub(super) T);

impl<'de, T: FromStr<Err: Display>> Deserialize<'de> for Parsed<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        parsed(deserializer).map(Self)
    }
}

/// The values of a list.
pub(super) fn values<T>(list: Vec<Parsed<T>>) -> Vec<T> {
    list.into_iter().map(|entry| entry.0).collect()
}

/// An `http(s)` address.
#[derive(Debug)]
pub(super) struct WebAddress(pub(super) String);

impl FromStr for WebAddress {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match crate::base::url::origin(text) {
            Some(_) => Ok(Self(text.to_owned())),
            None => Err(format!("«{text}» is not an http(s) address")),
        }
    }
}

/// An address that is called with what others must not read: `https`, or `http` on the loopback.
#[derive(Debug)]
pub(super) struct SafeAddress(pub(super) String);

impl FromStr for SafeAddress {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let url = Url::parse(text).map_err(|error| format!("«{text}»: {error}"))?;
        if url.scheme() == "https" || is_local(&url) {
            Ok(Self(text.to_owned()))
        } else {
            Err(format!("«{text}»: must be https (http on the loopback only)"))
        }
    }
}

fn is_local(url: &Url) -> bool {
    url.scheme() == "http" && url.host_str().is_some_and(is_loopback)
}

/// An address people are sent back to: https, http on the loopback, or a scheme of a program's own (RFC 8252 §7.1: a domain
/// name backwards, so with a dot); no fragment (RFC 6749 §3.1.2), no wildcard, no user information.
#[derive(Debug)]
pub(super) struct RedirectAddress(pub(super) String);

impl FromStr for RedirectAddress {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let url = Url::parse(text).map_err(|error| format!("«{text}»: {error}"))?;
        let wrong = |why: &str| Err(format!("«{text}»: {why}"));
        if url.scheme() != "https" && !is_local(&url) && !url.scheme().contains('.') {
            return wrong("must be https (http on the loopback only)");
        }
        if url.fragment().is_some() || text.contains('*') {
            return wrong("may hold neither a fragment nor a wildcard");
        }
        if !url.username().is_empty() || url.password().is_some() {
            return wrong("may not hold user information");
        }
        Ok(Self(text.to_owned()))
    }
}

/// The name of an algorithm that a client signs with.
#[derive(Debug)]
pub(super) struct AlgorithmName(pub(super) String);

impl FromStr for AlgorithmName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match Algorithm::from_name(text) {
            Some(algorithm) => Ok(Self(algorithm.as_str().to_owned())),
            None => {
                let known: Vec<&str> = Algorithm::OF_CLIENTS
                    .iter()
                    .map(|algorithm| algorithm.as_str())
                    .collect();
                Err(format!(
                    "«{text}» is not a signing algorithm (known: {})",
                    known.join(" ")
                ))
            }
        }
    }
}

/// The SHA-256 of a secret in hexadecimal.
#[derive(Debug)]
pub(super) struct HexDigest(pub(super) Digest);

impl FromStr for HexDigest {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, &'static str> {
        let bytes = data_encoding::HEXLOWER_PERMISSIVE.decode(text.as_bytes()).ok();
        bytes
            .and_then(|bytes| Digest::from_stored(&bytes))
            .map(Self)
            .ok_or("expected the SHA-256 of the secret, 64 hexadecimal digits")
    }
}

macro_rules! readable {
    ($($kind:ty),+) => {$(
        impl<'de> Deserialize<'de> for $kind {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                parsed(deserializer)
            }
        }
    )+};
}
readable!(WebAddress, SafeAddress, RedirectAddress, AlgorithmName, HexDigest);
