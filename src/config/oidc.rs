//! `[oidc]`: lifetimes of codes and tokens.

use serde::Deserialize;

use super::ConfigError;

/// OpenID Connect.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Oidc {
    /// How long a code may wait to be exchanged, in seconds. Default 60; RFC 6749 §4.1.2 allows 600 at most.
    pub code_seconds: u32,
    /// How long an access token is good, in seconds. Default 600.
    pub access_token_seconds: u32,
    /// How long an ID Token is good, in seconds. Default 300: it is read once, at once.
    pub id_token_seconds: u32,
}

impl Default for Oidc {
    fn default() -> Self {
        Self {
            code_seconds: 60,
            access_token_seconds: 600,
            id_token_seconds: 300,
        }
    }
}

impl Oidc {
    pub(super) fn validate(&self) -> Result<(), ConfigError> {
        if !(5..=600).contains(&self.code_seconds) {
            return Err(ConfigError::value("oidc", "code_seconds", "expected 5 to 600"));
        }
        if !(30..=86_400).contains(&self.access_token_seconds) {
            return Err(ConfigError::value(
                "oidc",
                "access_token_seconds",
                "expected 30 to 86400",
            ));
        }
        if !(30..=86_400).contains(&self.id_token_seconds) {
            return Err(ConfigError::value(
                "oidc",
                "id_token_seconds",
                "expected 30 to 86400",
            ));
        }
        Ok(())
    }
}
