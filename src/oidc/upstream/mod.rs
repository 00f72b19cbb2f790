//! Marelle as a relying party: what it asks an upstream OpenID provider, and what it believes of the answers (OpenID Connect
//! Core 1.0, Discovery 1.0, RP-Initiated and Back-Channel Logout 1.0, RFC 6749, 7636, 9207, 9700).
//!
//! | file | owns |
//! | --- | --- |
//! | `discovery` | where a provider is and what it signs with, and what a refresh of that changed |
//! | `authorization` | the address people are sent to, and what they bring back |
//! | `tokens` | the exchange of the code, and the ID Token |
//! | `userinfo` | claims as JSON or as a signed JWT, and who it is in the end |
//! | `logout` | the end of a login, told by us or by the provider |
//! | `jwt` | the one way by which anything signed is verified |
//! | `answer` | the one way by which an answer is read |
//!
//! **No input or output.** Each question is a request to be sent and each answer a response to be read, by two functions. So
//! an answer can be read a second time with fresh keys: a code is good once, and a provider that has changed its keys must
//! not cost somebody their login ([`Rejected::wants_keys`]). Whoever sends the requests must not follow redirects.
//!
//! **One way to verify**, that of [`crate::jose`], for ID Tokens, signed userinfo and logout tokens. The `openidconnect` crate
//! writes the authorization request. It does not verify here: it knows no logout token, does not look at `azp`, takes a
//! member that comes twice, refuses a whole token over an optional claim that has another type than it expects, and puts
//! what it found into its errors. In tests it is the second opinion on every forged ID Token.
//!
//! Must never take `none`, a symmetric key (`HS256` has no setting), a key that a token brings along, or a claim before the
//! signature; nor print anybody. Encrypted tokens (FranceConnect+) are not read.

mod answer;
mod authorization;
mod discovery;
mod jwt;
mod logout;
mod rejected;
mod tokens;
mod userinfo;

#[cfg(test)]
mod attacks;
#[cfg(test)]
mod presets;
#[cfg(test)]
mod second_opinion;
#[cfg(test)]
mod testing;

use serde_json::Value;

pub use authorization::{Asked, Code, authorization_url, read_callback};
pub use discovery::{change, discovery_request, fixed, jwks_request, read_discovery, read_jwks};
pub use logout::{LogoutToken, end_session_url, read_logout_token};
pub use rejected::{Of, Rejected};
pub use tokens::{Expected, Tokens, read_tokens, token_request};
pub use userinfo::{Accepted, finish, userinfo_request};

use crate::base::secret::Secret;
use crate::domain::relying_party::ClientAuthMethod;
use crate::domain::upstream::{OidcProvider, Userinfo};

/// A provider, and who we are there. The provider is the one that was chosen when somebody was sent away: whatever comes
/// back is read as an answer of that one, and of no other (RFC 9700 §4.4).
#[derive(Clone, Copy, Debug)]
pub struct Client<'a> {
    /// What is declared.
    pub provider: &'a OidcProvider,
    /// What [`read_discovery`] or [`fixed`] made.
    pub discovery: &'a Value,
    /// What [`read_jwks`] made.
    pub jwks: &'a Value,
    /// Our secret there.
    pub secret: Option<&'a Secret>,
    /// Where people come back to, byte for byte as it is registered there.
    pub redirect_uri: &'a str,
}

impl<'a> Client<'a> {
    /// An endpoint, where the provider has it.
    fn endpoint(&self, name: &str) -> Option<&'a str> {
        self.discovery.get(name).and_then(Value::as_str)
    }

    fn needed(&self, name: &'static str) -> Result<&'a str, Rejected> {
        self.endpoint(name).ok_or(Rejected::NoEndpoint(name))
    }

    /// The secret that our method proves us by; `None` for a public client.
    fn proof(&self) -> Result<Option<&'a Secret>, Rejected> {
        match self.provider.auth_method {
            ClientAuthMethod::None => Ok(None),
            ClientAuthMethod::SecretBasic | ClientAuthMethod::SecretPost => self
                .secret
                .map(Some)
                .ok_or(Rejected::Declaration("the secret of our client is missing")),
            ClientAuthMethod::PrivateKeyJwt => Err(Rejected::Declaration(
                "private_key_jwt is not spoken toward providers",
            )),
        }
    }

    /// Whether a login can be brought to its end, as far as that can be told before: nobody is sent away in vain.
    ///
    /// # Errors
    /// [`Rejected`].
    pub fn check(&self) -> Result<(), Rejected> {
        self.needed("authorization_endpoint")?;
        self.needed("token_endpoint")?;
        if self.provider.userinfo != Userinfo::None {
            self.needed("userinfo_endpoint")?;
        }
        self.proof().map(drop)
    }
}
