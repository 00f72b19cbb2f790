//! The address of a service (CAS Protocol 3.0 §2.1.1), matched by structure: scheme, host, port, and path by whole
//! segments. No regular expression ever says whom a ticket is sent to.
//!
//! An address is refused unless every reader of it, browser, framework and proxy, must read the same in it: no user
//! information, no fragment, no backslash, no control or blank, no path that climbs, no encoded slash or dot, a host that
//! is spelled as it is meant. Letters of any alphabet may stand behind the host: some clients decode what a browser sent.

use crate::base::url::Url;
use crate::domain::registration::is_loopback;
use crate::domain::relying_party::{CasService, RelyingParty};

/// Longer than any address of a service.
const LIMIT: usize = 2048;

/// Why text is no address of a service. Never repeats any of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// More than is read.
    #[error("it is too long")]
    TooLong,
    /// Something other than visible ASCII and letters, or a backslash.
    #[error("it holds a character that does not stand in an address")]
    Character,
    /// Not `https://…` or `http://…`.
    #[error("it is not an http(s) address")]
    Scheme,
    /// User information, or a port that is none.
    #[error("it holds user information or an odd port")]
    Authority,
    /// A host that is written otherwise than it is meant.
    #[error("its host is not written plainly")]
    Host,
    /// A fragment.
    #[error("it holds a fragment")]
    Fragment,
    /// A path that climbs or hides what it is.
    #[error("its path is not written plainly")]
    Path,
}

/// An address that came from somebody, sound in itself and not believed yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    text: String,
    url: Url,
}

impl Address {
    /// Reads an address.
    ///
    /// # Errors
    /// The first thing that is wrong with it.
    pub fn read(text: &str) -> Result<Self, AddressError> {
        if text.len() > LIMIT {
            return Err(AddressError::TooLong);
        }
        let stands =
            |symbol: char| symbol.is_ascii_graphic() || (!symbol.is_ascii() && symbol.is_alphanumeric());
        if !text.chars().all(|symbol| stands(symbol) && symbol != '\\') {
            return Err(AddressError::Character);
        }
        if text.contains('#') {
            return Err(AddressError::Fragment);
        }
        // What a lenient reader makes of `https:ent.example` or `https:///ent.example` is not looked at.
        let (scheme, rest) = text.split_once("://").ok_or(AddressError::Scheme)?;
        if !matches!(scheme, "https" | "http") {
            return Err(AddressError::Scheme);
        }
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, behind) = rest.split_at_checked(end).ok_or(AddressError::Authority)?;
        let path = behind.split('?').next().unwrap_or_default();
        let url = Url::parse(text).map_err(|_| AddressError::Authority)?;
        check_authority(authority, &url)?;
        check_path(path)?;
        Ok(Self {
            text: text.to_owned(),
            url,
        })
    }

    /// [`Address::read`] of bytes, for those who have no text.
    ///
    /// # Errors
    /// The first thing that is wrong with it.
    pub fn read_bytes(bytes: &[u8]) -> Result<Self, AddressError> {
        std::str::from_utf8(bytes)
            .map_err(|_| AddressError::Character)
            .and_then(Self::read)
    }

    /// As it came.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether it is one address with another: the same text, or text that means the same (a default port, an empty path).
    pub fn is_same(&self, other: &Self) -> bool {
        self.url == other.url
    }

    /// Its host.
    pub fn host(&self) -> &str {
        self.url.host_str().unwrap_or_default()
    }

    /// Whether it is called over TLS.
    pub fn is_https(&self) -> bool {
        self.url.scheme() == "https"
    }

    /// The value of a parameter of its query.
    pub fn parameter(&self, name: &str) -> Option<String> {
        let found = self.url.query_pairs().find(|(given, _)| given == name);
        found.map(|(_, value)| value.into_owned())
    }
}

fn check_authority(authority: &str, url: &Url) -> Result<(), AddressError> {
    if authority.contains('@') {
        return Err(AddressError::Authority);
    }
    let (host, port) = match authority.rfind(':').filter(|_| !authority.ends_with(']')) {
        Some(at) => authority.split_at_checked(at).ok_or(AddressError::Authority)?,
        None => (authority, ""),
    };
    if let Some(digits) = port.strip_prefix(':') {
        let is_plain = !digits.starts_with('0') && digits.bytes().all(|digit| digit.is_ascii_digit());
        if !is_plain || digits.parse::<u16>().is_err() {
            return Err(AddressError::Authority);
        }
    }
    // Encoded, in numbers of another base, or with letters of another alphabet: it would be read back otherwise.
    if url.host_str() != Some(host) || host.is_empty() || host.ends_with('.') {
        return Err(AddressError::Host);
    }
    Ok(())
}

fn check_path(path: &str) -> Result<(), AddressError> {
    let lower = path.to_ascii_lowercase();
    // A dot, a slash, a backslash, a percent sign, a control: hidden from whoever compares, shown to whoever serves.
    let hides = lower.split('%').skip(1).any(|code| {
        let code = code.get(..2).unwrap_or_default();
        let value = u8::from_str_radix(code, 16).unwrap_or(b'%');
        value < b' ' || matches!(value, b'.' | b'/' | b'\\' | b'%' | 0x7f)
    });
    // Servers that know path parameters read `..;x` as `..`.
    let climbs = path
        .split('/')
        .any(|segment| matches!(segment.split(';').next(), Some("." | "..")));
    if hides || climbs {
        return Err(AddressError::Path);
    }
    Ok(())
}

/// An address that an operator wrote down: it and everything below its path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Declared(Address);

impl Declared {
    /// Reads an address that an operator writes down: `https`, or `http` on the loopback, and no query.
    ///
    /// # Errors
    /// What is wrong with it, for the operator.
    pub fn read(text: &str) -> Result<Self, String> {
        let address = Address::read(text).map_err(|error| format!("«{text}»: {error}"))?;
        if !address.is_https() && !is_loopback(address.host()) {
            return Err(format!("«{text}»: must be https (http on the loopback only)"));
        }
        if address.url.query().is_some() {
            return Err(format!("«{text}»: may not hold a query"));
        }
        Ok(Self(address))
    }

    /// As it was written.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// What is the same for two that mean the same.
    pub fn key(&self) -> String {
        let url = &self.0.url;
        format!(
            "{}{}",
            url.origin().ascii_serialization(),
            url.path().trim_end_matches('/')
        )
    }

    /// Whether an address is this one or below it, by whole segments of the path. A slash at the end says nothing.
    pub fn covers(&self, address: &Address) -> bool {
        let (ours, theirs) = (&self.0.url, &address.url);
        let is_there = (ours.scheme(), ours.host(), ours.port_or_known_default())
            == (theirs.scheme(), theirs.host(), theirs.port_or_known_default());
        let below = theirs.path().strip_prefix(ours.path().trim_end_matches('/'));
        is_there && below.is_some_and(|below| below.is_empty() || below.starts_with('/'))
    }

    fn depth(&self) -> usize {
        self.0.url.path().trim_end_matches('/').len()
    }
}

/// Whether one of several declared addresses covers an address: the one that is deepest. What cannot be read covers nothing.
pub fn covering(declared: &[String], address: &Address) -> Option<Declared> {
    let read = declared.iter().filter_map(|text| Declared::read(text).ok());
    read.filter(|declared| declared.covers(address))
        .max_by_key(Declared::depth)
}

/// A service that an address belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found<'a> {
    /// The party.
    pub party: &'a RelyingParty,
    /// What it is as a CAS service.
    pub service: &'a CasService,
    /// Its declared address, the key under which its logins are kept apart.
    pub place: String,
}

/// The party in use that an address belongs to: the one whose declared address is deepest; of two that declare the same,
/// which an operator is kept from, the first.
pub fn find<'a>(parties: &'a [RelyingParty], address: &Address) -> Option<Found<'a>> {
    let mut best: Option<(usize, Found<'a>)> = None;
    for party in parties.iter().filter(|party| party.enabled) {
        let Some(service) = &party.cas else { continue };
        let Some(declared) = covering(&service.services, address) else {
            continue;
        };
        let depth = declared.depth();
        if best.as_ref().is_none_or(|(other, _)| depth > *other) {
            let place = declared.key();
            best = Some((
                depth,
                Found {
                    party,
                    service,
                    place,
                },
            ));
        }
    }
    best.map(|(_, found)| found)
}

#[cfg(test)]
mod tests;
