//! Registration policies: which clients a project may register by itself (RFC 7591), where, how many, and what they
//! receive. A client never receives more than its policy says, whatever it asks for.

use std::fmt;
use std::str::FromStr;

use super::relying_party::{
    Basis, ClientAuthMethod, GrantType, ReleasePolicy, RelyingParty, SubjectStrategy,
};
use super::uai::Uai;
use super::{InvalidValue, stored_names};
use crate::base::time::Timestamp;
use crate::base::url::Url;

/// The sector of every client that registered for public identifiers; no declared party may take it by its name.
pub const PUBLIC_SECTOR: &str = "public";

/// The identifier of a policy.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PolicyId(String);

impl PolicyId {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for PolicyId {
    type Err = InvalidValue;

    /// Letters, digits, `-`, `_` and `.`, 1 to 100 of them.
    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        let symbols = |symbol: u8| symbol.is_ascii_alphanumeric() || matches!(symbol, b'-' | b'_' | b'.');
        if (1..=100).contains(&text.len()) && text.bytes().all(symbols) {
            return Ok(Self(text.to_owned()));
        }
        Err(InvalidValue {
            kind: "registration id",
            text: text.to_owned(),
            hint: " (letters, digits, - _ .)",
        })
    }
}

impl fmt::Display for PolicyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What kind of identifiers a client asks for (OpenID Connect Core §8).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SubjectType {
    /// Another one for each sector.
    Pairwise,
    /// The same for every client that has public ones.
    Public,
}
stored_names!(SubjectType, "subject type", { Pairwise => "pairwise", Public => "public" });

impl SubjectType {
    /// How the identifiers are made.
    pub const fn strategy(self) -> SubjectStrategy {
        match self {
            Self::Pairwise => SubjectStrategy::Pairwise,
            Self::Public => SubjectStrategy::PersistentUuid,
        }
    }

    /// The type that a strategy makes.
    pub const fn of(strategy: SubjectStrategy) -> Self {
        match strategy {
            SubjectStrategy::Pairwise => Self::Pairwise,
            SubjectStrategy::PersistentUuid => Self::Public,
        }
    }
}

/// Whether a host is the person's own machine, on which `http` is as safe as anything (RFC 8252 §7.3).
pub fn is_loopback(host: &str) -> bool {
    matches!(host, "127.0.0.1" | "[::1]" | "localhost")
}

/// A host that a project answers for: `ent.example`, `*.somme.example` (what is below it, not itself), each with a port
/// where only that one is meant.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HostPattern {
    host: String,
    below: bool,
    port: Option<u16>,
}

impl HostPattern {
    fn covers_host(&self, host: &str) -> bool {
        if self.below {
            host.strip_suffix(&self.host)
                .and_then(|rest| rest.strip_suffix('.'))
                .is_some_and(|label| !label.is_empty())
        } else {
            host == self.host
        }
    }
}

impl FromStr for HostPattern {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        let wrong = || InvalidValue {
            kind: "host",
            text: text.to_owned(),
            hint: " (ent.example or *.somme.example, in lower case, with a port where only one is meant)",
        };
        let (below, rest) = match text.strip_prefix("*.") {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (host, port) = match rest.rsplit_once(':') {
            Some((host, port)) if !rest.ends_with(']') => (
                host,
                Some(port.parse().ok().filter(|port| *port != 0).ok_or_else(wrong)?),
            ),
            _ => (rest, None),
        };
        // Written the way an address is compared: so that nothing is listed that never matches.
        let url = Url::parse(&format!("https://{host}/")).map_err(|_| wrong())?;
        let as_written = url.host_str() == Some(host) && !host.contains(['*', '@']) && !host.ends_with('.');
        // `*.fr` would be everybody.
        let is_narrow = !below || (host.contains('.') && url.domain().is_some());
        if as_written && is_narrow {
            Ok(Self {
                host: host.to_owned(),
                below,
                port,
            })
        } else {
            Err(wrong())
        }
    }
}

impl fmt::Display for HostPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", if self.below { "*." } else { "" }, self.host)?;
        self.port.map_or(Ok(()), |port| write!(f, ":{port}"))
    }
}

/// What a project may register by itself, and what its clients then are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// Its id.
    pub id: PolicyId,
    /// Whose it is, for people.
    pub name: String,
    /// The hosts that every address of its clients must be on.
    pub hosts: Vec<HostPattern>,
    /// How many clients there may be at once.
    pub most: u32,
    /// The grants its clients may use.
    pub grant_types: Vec<GrantType>,
    /// How its clients may prove who they are.
    pub auth_methods: Vec<ClientAuthMethod>,
    /// The identifiers its clients may have; the first is for those that do not say.
    pub subject_types: Vec<SubjectType>,
    /// Whether its confidential clients may not leave PKCE out; public ones never may.
    pub pkce_required: bool,
    /// On what its clients receive data.
    pub basis: Basis,
    /// The audiences its clients may ask tokens for.
    pub resources: Vec<String>,
    /// The scopes its clients may have in their own name.
    pub service_scopes: Vec<String>,
    /// What its clients receive: nothing that is not listed.
    pub release: ReleasePolicy,
    /// The schools its clients serve; empty means every school.
    pub schools: Vec<Uai>,
    /// Whether anything can be registered under it today.
    pub enabled: bool,
}

impl Policy {
    /// Whether an address is one the project answers for: `https` on a listed host, or `http` on a loopback host that is
    /// listed.
    pub fn covers(&self, url: &Url) -> bool {
        let (Some(host), Some(port)) = (url.host_str(), url.port_or_known_default()) else {
            return false;
        };
        let safe = match url.scheme() {
            "https" => true,
            "http" => is_loopback(host),
            _ => false,
        };
        safe && self
            .hosts
            .iter()
            .any(|known| known.covers_host(host) && known.port.is_none_or(|wanted| wanted == port))
    }

    /// Whether a private-use scheme is one the project answers for: a host of it, backwards (RFC 8252 §7.1).
    pub fn covers_scheme(&self, scheme: &str) -> bool {
        let host = backwards(scheme);
        scheme.contains('.') && self.hosts.iter().any(|known| known.covers_host(&host))
    }

    /// Makes a client what the policy says, in everything that the policy alone decides.
    pub fn dress(&self, party: &mut RelyingParty) {
        party.release = self.release.clone();
        party.schools.clone_from(&self.schools);
        party.basis = self.basis;
        party.pkce_required = self.pkce_required || party.is_public();
        party.metadata.resources.clone_from(&self.resources);
        party.metadata.service_scopes = if party.metadata.allows(GrantType::ClientCredentials) {
            self.service_scopes.clone()
        } else {
            Vec::new()
        };
    }
}

/// `fr.somme.ent` for `ent.somme.fr`, and back.
pub fn backwards(name: &str) -> String {
    name.rsplit('.').collect::<Vec<_>>().join(".")
}

/// A token that lets a project register clients (RFC 7591 §3), without the token itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InitialAccess {
    /// Under which policy.
    pub policy: PolicyId,
    /// Since when.
    pub issued_at: Timestamp,
    /// Until when.
    pub expires_at: Timestamp,
    /// When it was taken back, if it was.
    pub revoked_at: Option<Timestamp>,
}

impl InitialAccess {
    /// Whether it may be used at this moment.
    pub fn is_good(&self, now: Timestamp) -> bool {
        self.revoked_at.is_none() && now < self.expires_at
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::testing::{party, policy};

    fn covers(host: &str, address: &str) -> bool {
        let mut somme = policy("somme");
        somme.hosts = vec![host.parse().unwrap()];
        somme.covers(&Url::parse(address).unwrap())
    }

    #[test]
    fn a_host_is_listed_exactly_or_below_a_name() {
        assert!(covers("ent.example", "https://ent.example/cb?a=1"));
        assert!(covers("ent.example", "https://ent.example:8443/cb"), "any port");
        assert!(covers("ent.example:8443", "https://ent.example:8443/cb"));
        assert!(!covers("ent.example:8443", "https://ent.example/cb"));
        assert!(covers("ent.example:443", "https://ent.example/cb"));
        assert!(covers("*.somme.example", "https://ent.somme.example/"));
        assert!(covers("*.somme.example", "https://a.b.somme.example/"));
        assert!(covers("localhost", "http://localhost:3000/cb"));
        assert!(covers("[::1]", "http://[::1]:3000/cb"));
        for (host, address) in [
            ("ent.example", "http://ent.example/cb"),
            ("ent.example", "https://ent.example.evil.example/"),
            ("ent.example", "https://evil-ent.example/"),
            ("ent.example", "https://ent.example@evil.example/"),
            ("ent.example", "https://evil.example/#@ent.example"),
            ("ent.example", "https://ent.example./"),
            ("*.somme.example", "https://somme.example/"),
            ("*.somme.example", "https://evilsomme.example/"),
            ("*.somme.example", "https://.somme.example/"),
            ("ent.example", "javascript://ent.example/%0aalert(1)"),
            ("ent.example", "data:text/html,ent.example"),
            ("ent.example", "ftp://ent.example/"),
            ("ent.example", "https://127.0.0.1/"),
            ("localhost", "http://127.0.0.1/"),
            ("127.0.0.1", "https://2130706434/"),
        ] {
            assert!(!covers(host, address), "{host} {address}");
        }
    }

    #[test]
    fn a_host_that_could_never_match_or_would_match_everybody_is_refused() {
        for text in [
            "ent.example",
            "*.somme.example",
            "localhost",
            "127.0.0.1",
            "[::1]",
            "a.example:8443",
        ] {
            assert_eq!(text.parse::<HostPattern>().unwrap().to_string(), text);
        }
        for wrong in [
            "",
            "*",
            "*.",
            "*.fr",
            "*.127.0.0.1",
            "ENT.example",
            "127.1",
            "ent.example/",
            "https://ent.example",
            "a@ent.example",
            "ent.example:0",
            "ent.example:x",
            "ent.*.example",
            "élan.example",
            "ent.example.",
        ] {
            assert!(wrong.parse::<HostPattern>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_private_use_scheme_is_a_host_backwards() {
        let mut somme = policy("somme");
        somme.hosts = vec!["*.somme.example".parse().unwrap()];
        assert!(somme.covers_scheme("example.somme.ent"));
        for wrong in [
            "javascript",
            "data",
            "example.somme",
            "ent.somme.example",
            "com.evil",
        ] {
            assert!(!somme.covers_scheme(wrong), "{wrong}");
        }
    }

    #[test]
    fn a_client_is_dressed_by_its_policy_alone() {
        let mut somme = policy("somme");
        somme.release.0.truncate(1);
        somme.basis = Basis::Consent;
        somme.pkce_required = false;
        somme.schools = vec!["9990001X".parse().unwrap()];
        somme.service_scopes = vec!["read".into()];
        let mut client = party("c");
        client.metadata.resources = vec!["https://api.example".into()];
        client.metadata.service_scopes = vec!["write".into()];
        somme.dress(&mut client);
        assert_eq!((&client.release, client.basis), (&somme.release, Basis::Consent));
        assert_eq!(client.schools, somme.schools);
        assert!(!client.pkce_required && client.metadata.resources.is_empty());
        assert!(
            client.metadata.service_scopes.is_empty(),
            "it has no grant to use them"
        );
        client.auth_method = ClientAuthMethod::None;
        somme.dress(&mut client);
        assert!(client.pkce_required, "a public client never goes without");
    }
}
