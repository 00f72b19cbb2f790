//! How a provider is spoken to: what an operator says of it as an identity provider of SAML 2.0 or as an OpenID provider.

use serde::{Deserialize, Serialize};

use crate::domain::relying_party::ClientAuthMethod;
use crate::domain::saml_source::Terms;
use crate::domain::stored_names;

/// SAML or OpenID Connect.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Protocol {
    /// SAML 2.0.
    Saml(SamlProvider),
    /// OpenID Connect.
    Oidc(OidcProvider),
}

impl Protocol {
    /// What it is called at that provider: an entityID or an issuer. Two providers never have the same.
    pub fn issuer(&self) -> &str {
        match self {
            Self::Saml(saml) => &saml.entity_id,
            Self::Oidc(oidc) => &oidc.issuer,
        }
    }
}

/// An identity provider of SAML 2.0.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SamlProvider {
    /// Its entityID, byte for byte.
    pub entity_id: String,
    /// Under which terms its metadata are taken.
    pub terms: Terms,
    /// Whether it may send people whom nobody asked it for (saml-profiles §4.1.5): normal production use at EduConnect.
    pub unsolicited: bool,
    /// The format of NameID that is asked for.
    pub name_id_format: Option<String>,
    /// The contexts one of which is asked for, exactly (saml-core §3.3.2.2.1).
    pub authn_context: Vec<String>,
    /// Whether an assertion has to come encrypted.
    pub encrypted: bool,
    /// Whether we end a login there when it ends here.
    pub logout: bool,
}

/// How the claims of a person are asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Userinfo {
    /// They are not: the ID Token has all there is.
    None,
    /// As JSON.
    #[default]
    Json,
    /// As a signed JWT, and nothing else is taken (ProConnect, FranceConnect).
    Signed,
}
stored_names!(Userinfo, "userinfo", { None => "none", Json => "json", Signed => "jwt" });

/// Endpoints of a provider that publishes no discovery document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FixedEndpoints {
    /// Where people are sent.
    pub authorization: String,
    /// Where codes are exchanged.
    pub token: String,
    /// Where claims are asked for.
    pub userinfo: Option<String>,
    /// Its keys.
    pub jwks: String,
    /// Where a login is ended.
    pub end_session: Option<String>,
}

/// An OpenID provider.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OidcProvider {
    /// Its issuer, byte for byte.
    pub issuer: String,
    /// Who we are there.
    pub client_id: String,
    /// How we prove it.
    pub auth_method: ClientAuthMethod,
    /// What is asked for, beside `openid`.
    pub scopes: Vec<String>,
    /// `acr_values`: at EduConnect it selects the population, at FranceConnect the level.
    pub acr_values: Option<String>,
    /// The levels one of which the ID Token must name (`acr`); empty where it may name any or none.
    pub required_acr: Vec<String>,
    /// The parameter `claims`, as it is sent.
    pub claims: Option<String>,
    /// Whether PKCE is used. A strict provider refuses parameters that it does not know.
    pub pkce: bool,
    /// Whether the answer must name its issuer (RFC 9207).
    pub requires_iss: bool,
    /// How claims are asked for.
    pub userinfo: Userinfo,
    /// Endpoints, where it has no discovery document.
    pub endpoints: Option<FixedEndpoints>,
    /// Whether we end a login there when it ends here.
    pub logout: bool,
}
