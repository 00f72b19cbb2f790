//! Resource servers: services that take access tokens of ours, the scopes they know, and who may ask about their tokens
//! (RFC 6749 §1.1, RFC 8707, RFC 9068).

use std::fmt;
use std::str::FromStr;

use super::grant::Scope;
use super::relying_party::{RelyingPartyId, SigningAlgorithm};
use super::{InvalidValue, stored_names};
use crate::base::url::Url;

/// Longer names are no names.
const LONGEST: usize = 200;

/// What a resource server is called in a request and in a token (RFC 8707 §2): an absolute URI, compared as text.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Audience(String);

impl Audience {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Audience {
    type Err = InvalidValue;

    /// RFC 8707 §2: "an absolute URI … MUST NOT include a fragment component … SHOULD NOT include a query component".
    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        let absolute =
            Url::parse(text).is_ok_and(|url| url.username().is_empty() && url.password().is_none());
        let plain =
            text.bytes().all(|symbol| symbol.is_ascii_graphic()) && !text.contains(['#', '?', '"', '\\']);
        if absolute && plain && text.len() <= LONGEST {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidValue {
                kind: "audience",
                text: text.to_owned(),
                hint: " (an absolute URI without query and fragment)",
            })
        }
    }
}

impl fmt::Display for Audience {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A scope that a resource server gives its meaning to (RFC 6749 §3.3, `scope-token`); never one of ours.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ScopeName(String);

impl ScopeName {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for ScopeName {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        let symbols = |symbol: u8| matches!(symbol, 0x21 | 0x23..=0x5b | 0x5d..=0x7e);
        let ours = text.parse::<Scope>().is_ok();
        if (1..=LONGEST).contains(&text.len()) && text.bytes().all(symbols) && !ours {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidValue {
                kind: "scope of a resource server",
                text: text.to_owned(),
                hint: " (visible ASCII without quotes and backslashes, not a scope of OpenID Connect)",
            })
        }
    }
}

impl fmt::Display for ScopeName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What the access tokens for a resource server look like.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum TokenFormat {
    /// A random text: the resource server asks us what it means (RFC 7662), and learns of a revocation at once.
    #[default]
    Opaque,
    /// A signed JWT that it reads by itself (RFC 9068): it learns of a revocation when it asks, or when the token expires.
    AtJwt,
}
stored_names!(TokenFormat, "token format", { Opaque => "opaque", AtJwt => "at+jwt" });

/// A service that takes access tokens of ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResourceServer {
    /// What it is called in requests and tokens.
    pub audience: Audience,
    /// Its name, as people are shown it.
    pub name: String,
    /// The scopes it knows.
    pub scopes: Vec<ScopeName>,
    /// What tokens for it look like.
    pub token_format: TokenFormat,
    /// What they are signed with, where they are.
    pub token_alg: SigningAlgorithm,
    /// The clients that may ask what a token for it means (RFC 7662 §2.1): itself, usually.
    pub introspectors: Vec<RelyingPartyId>,
    /// Whether it is in use: else no token is issued for it and none is good.
    pub enabled: bool,
}

impl ResourceServer {
    /// Whether it knows a scope.
    pub fn knows(&self, scope: &ScopeName) -> bool {
        self.scopes.contains(scope)
    }

    /// Whether a client may ask what a token for it means.
    pub fn may_introspect(&self, client: &RelyingPartyId) -> bool {
        self.introspectors.contains(client)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc_8707_section_2_an_audience_is_an_absolute_uri() {
        for right in [
            "https://cantine.example/api",
            "https://cantine.example",
            "urn:marelle:cantine",
        ] {
            assert_eq!(right.parse::<Audience>().unwrap().as_str(), right);
        }
        for wrong in [
            "",
            "cantine",
            "/api",
            "https://cantine.example/#x",
            "https://cantine.example/?x",
            "https://a@cantine.example/",
            "https://cantine.example/é",
            "https://cantine.example/ b",
            &format!("https://cantine.example/{}", "a".repeat(200)),
        ] {
            assert!(wrong.parse::<Audience>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn rfc_6749_section_3_3_a_scope_is_visible_ascii_and_not_one_of_ours() {
        for right in ["menus:read", "a", "https://cantine.example/menus"] {
            assert!(right.parse::<ScopeName>().is_ok(), "{right}");
        }
        for wrong in [
            "",
            "a b",
            "a\"b",
            "a\\b",
            "é",
            "openid",
            "profile",
            "offline_access",
        ] {
            assert!(wrong.parse::<ScopeName>().is_err(), "{wrong}");
        }
    }
}
