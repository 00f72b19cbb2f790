//! What a relying party says of itself as an OAuth client, and what it is held to (RFC 7591 §2, OpenID Connect Dynamic
//! Registration §2, RFC 9126 §6, RFC 9449 §5.2, logout specifications): one value, kept whole.
//!
//! Who it is, where answers go and what it receives stand in [`super::RelyingParty`] itself.

use serde::{Deserialize, Serialize};

use super::SigningAlgorithm;
use crate::domain::assurance::Acr;
use crate::domain::stored_names;

/// A grant that a client may use at the token endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum GrantType {
    /// RFC 6749 §4.1.
    AuthorizationCode,
    /// RFC 6749 §6.
    RefreshToken,
    /// RFC 6749 §4.4: a service in its own name, nobody signed in.
    ClientCredentials,
}
stored_names!(GrantType, "grant type", {
    AuthorizationCode => "authorization_code", RefreshToken => "refresh_token",
    ClientCredentials => "client_credentials",
});

/// The profile a client is held to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum SecurityProfile {
    /// OpenID Connect as RFC 9700 wants it.
    #[default]
    Standard,
    /// FAPI 2.0 Security Profile: pushed requests, sender-constrained tokens, keys instead of secrets.
    Fapi2,
}
stored_names!(SecurityProfile, "security profile", { Standard => "standard", Fapi2 => "fapi2" });

/// What kind of program it is (Dynamic Registration §2, `application_type`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum ApplicationType {
    /// A server, or a page of one.
    #[default]
    Web,
    /// A program on the person's own machine.
    Native,
}
stored_names!(ApplicationType, "application type", { Web => "web", Native => "native" });

/// Where the public keys of a client are.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClientKeys {
    /// It has none.
    #[default]
    None,
    /// Registered with it: a JWK Set, as JSON text.
    Jwks(String),
    /// Published by it (`jwks_uri`), so that it may change them by itself.
    JwksUri(String),
}

/// How a client is told that a login has ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogoutAddress {
    /// Where.
    pub uri: String,
    /// Whether it needs `sid` (and, in front, `iss`) to know which login is meant.
    pub session_required: bool,
}

/// Everything of a client that is neither its name, its addresses, nor what it receives.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ClientMetadata {
    /// Which grants it may use.
    pub grant_types: Vec<GrantType>,
    /// What kind of program it is.
    pub application_type: ApplicationType,
    /// The profile it is held to.
    pub profile: SecurityProfile,
    /// Its public keys, for `private_key_jwt` and signed requests.
    pub keys: ClientKeys,
    /// Whether requests must be pushed (RFC 9126 §6).
    pub par_required: bool,
    /// Whether requests must be signed (RFC 9101 §10.5).
    pub signed_request_required: bool,
    /// The one algorithm its request objects are signed with, where it registered one.
    pub request_object_alg: Option<String>,
    /// The one algorithm its assertions are signed with, where it registered one.
    pub auth_signing_alg: Option<String>,
    /// Whether its tokens must be bound to a key (RFC 9449 §5.2).
    pub dpop_required: bool,
    /// What userinfo answers are signed with; `None` for plain JSON.
    pub userinfo_alg: Option<SigningAlgorithm>,
    /// What introspection answers are signed with (RFC 9701); `None` for plain JSON.
    pub introspection_alg: Option<SigningAlgorithm>,
    /// How long ago a login may be, in seconds, where the request does not say.
    pub default_max_age: Option<u32>,
    /// Whether `auth_time` was asked to be in every ID Token; it always is.
    pub require_auth_time: bool,
    /// The classes it wishes for where the request does not say.
    pub default_acr_values: Vec<String>,
    /// The least assurance that it accepts (design §4.4).
    pub minimum_acr: Option<Acr>,
    /// The audiences it may ask tokens for: resource servers (RFC 8707).
    pub resources: Vec<String>,
    /// The scopes it may have in its own name, by the client credentials grant.
    pub service_scopes: Vec<String>,
    /// Where logout tokens are sent (Back-Channel Logout §2.2).
    pub backchannel_logout: Option<LogoutAddress>,
    /// Where the browser is sent, in a frame (Front-Channel Logout §2).
    pub frontchannel_logout: Option<LogoutAddress>,
    /// Where a login begins that the service did not ask for (Core §4).
    pub initiate_login_uri: Option<String>,
    /// Its picture.
    pub logo_uri: Option<String>,
    /// What it does with data.
    pub policy_uri: Option<String>,
    /// Its terms.
    pub tos_uri: Option<String>,
    /// Whom to write to.
    pub contacts: Vec<String>,
    /// Where the redirect addresses of its sector are listed (Core §8.1).
    pub sector_identifier_uri: Option<String>,
}

impl Default for ClientMetadata {
    fn default() -> Self {
        Self {
            grant_types: vec![GrantType::AuthorizationCode],
            application_type: ApplicationType::default(),
            profile: SecurityProfile::default(),
            keys: ClientKeys::default(),
            par_required: false,
            signed_request_required: false,
            request_object_alg: None,
            auth_signing_alg: None,
            dpop_required: false,
            userinfo_alg: None,
            introspection_alg: None,
            default_max_age: None,
            require_auth_time: false,
            default_acr_values: Vec::new(),
            minimum_acr: None,
            resources: Vec::new(),
            service_scopes: Vec::new(),
            backchannel_logout: None,
            frontchannel_logout: None,
            initiate_login_uri: None,
            logo_uri: None,
            policy_uri: None,
            tos_uri: None,
            contacts: Vec::new(),
            sector_identifier_uri: None,
        }
    }
}

impl ClientMetadata {
    /// Whether it may use a grant.
    pub fn allows(&self, grant: GrantType) -> bool {
        self.grant_types.contains(&grant)
    }

    /// Whether requests must be pushed, by its own wish or by its profile (FAPI 2.0 Security Profile §5.3.2.2).
    pub fn must_push(&self) -> bool {
        self.par_required || self.profile == SecurityProfile::Fapi2
    }

    /// Whether tokens must be bound to a key, by its own wish or by its profile (FAPI 2.0 Security Profile §5.3.2.1).
    pub fn must_bind(&self) -> bool {
        self.dpop_required || self.profile == SecurityProfile::Fapi2
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metadata_of_an_older_version_reads_with_todays_defaults() {
        assert_eq!(
            serde_json::from_str::<ClientMetadata>("{}").unwrap(),
            ClientMetadata::default()
        );
        let mut full = ClientMetadata {
            keys: ClientKeys::JwksUri("https://ent.example/jwks".into()),
            minimum_acr: Some(Acr::SingleFactor),
            userinfo_alg: Some(SigningAlgorithm::Es256),
            ..ClientMetadata::default()
        };
        full.grant_types.push(GrantType::RefreshToken);
        let text = serde_json::to_string(&full).unwrap();
        assert_eq!(serde_json::from_str::<ClientMetadata>(&text).unwrap(), full);
        let unknown = text.replacen('{', "{\"of_tomorrow\":1,", 1);
        assert_eq!(serde_json::from_str::<ClientMetadata>(&unknown).unwrap(), full);
    }

    #[test]
    fn the_profile_asks_for_more_than_the_client() {
        let fapi = ClientMetadata {
            profile: SecurityProfile::Fapi2,
            ..ClientMetadata::default()
        };
        assert!(fapi.must_push() && fapi.must_bind());
        let plain = ClientMetadata::default();
        assert!(!plain.must_push() && !plain.must_bind());
        assert!(plain.allows(GrantType::AuthorizationCode) && !plain.allows(GrantType::RefreshToken));
    }
}
