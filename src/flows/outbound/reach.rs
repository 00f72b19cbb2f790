//! How far a request may go: what counts as a public address, and names that are looked up to those alone.
//!
//! The check stands where the name becomes an address, so that a name cannot mean one thing when it is looked at and
//! another when it is called.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use reqwest::Url;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use crate::domain::relying_party::RelyingParty;

/// How far a request may go. It travels with the request, as an extension; one without any goes to public addresses only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// Anywhere: an operator wrote the address down.
    Anywhere,
    /// To public addresses only.
    Public,
}

impl Reach {
    /// How far requests to the addresses of a party go.
    pub const fn of(party: &RelyingParty) -> Self {
        if party.registration.is_some() {
            Self::Public
        } else {
            Self::Anywhere
        }
    }
}

/// Looks names up, and leaves out every address that is not public.
#[derive(Debug, Clone, Copy)]
pub(super) struct PublicNames;

impl Resolve for PublicNames {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let public: Vec<SocketAddr> = found.filter(|address| is_public(address.ip())).collect();
            if public.is_empty() {
                return Err("the name has no public address".into());
            }
            Ok(Box::new(public.into_iter()) as Addrs)
        })
    }
}

/// Whether an address has a number that is not public in place of a name, which nobody looks up.
pub(super) fn names_a_private_address(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host.parse().is_ok_and(|number| !is_public(number))
}

/// Whether a number is one of the public Internet (RFC 6890 and the registries it made).
fn is_public(number: IpAddr) -> bool {
    match number {
        IpAddr::V4(number) => is_public_v4(number),
        IpAddr::V6(number) => is_public_v6(number),
    }
}

fn is_public_v4(number: Ipv4Addr) -> bool {
    let shared = matches!(number.octets(), [100, 64..=127, ..]);
    let assigned = matches!(
        number.octets(),
        [0, ..] | [192, 0, 0, _] | [198, 18..=19, ..] | [240..=255, ..]
    );
    !(number.is_private()
        || number.is_loopback()
        || number.is_link_local()
        || number.is_documentation()
        || number.is_multicast()
        || shared
        || assigned)
}

/// Only what is handed out (2000::/3) is public, without documentation and without the numbers that carry one of version
/// 4 inside, save where a translator (64:ff9b::/96, RFC 6052) makes it of a public one.
fn is_public_v6(number: Ipv6Addr) -> bool {
    if let Some(inside) = number.to_ipv4_mapped() {
        return is_public_v4(inside);
    }
    match number.segments() {
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] => {
            let [[a, b], [c, d]] = [high.to_be_bytes(), low.to_be_bytes()];
            is_public_v4(Ipv4Addr::new(a, b, c, d))
        }
        [0x2001, 0 | 0xdb8, ..] | [0x2002 | 0x3fff, ..] => false,
        [first, ..] => first & 0xe000 == 0x2000,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_the_internet_are_public_and_no_others() {
        for public in [
            "1.1.1.1",
            "192.0.1.1",
            "100.63.0.1",
            "172.32.0.1",
            "2606:4700::1111",
            "64:ff9b::101:101",
        ] {
            assert!(is_public(public.parse().unwrap()), "{public}");
        }
        for private in [
            "0.0.0.0",
            "0.1.2.3",
            "10.1.2.3",
            "127.0.0.1",
            "127.9.9.9",
            "169.254.169.254",
            "172.16.0.1",
            "192.168.1.1",
            "192.0.0.1",
            "192.0.2.1",
            "100.64.0.1",
            "198.18.0.1",
            "198.51.100.1",
            "224.0.0.1",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::127.0.0.1",
            "::ffff:10.0.0.1",
            "fc00::1",
            "fd12::1",
            "fe80::1",
            "fec0::1",
            "ff02::1",
            "2001:db8::1",
            "2001::1",
            "2002:a00:1::",
            "64:ff9b::a00:1",
            "64:ff9b:1::a00:1",
            "3fff::1",
            "100::1",
        ] {
            assert!(!is_public(private.parse().unwrap()), "{private}");
        }
    }
}
