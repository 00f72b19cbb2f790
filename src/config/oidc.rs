//! `[oidc]`: lifetimes of codes and tokens, and what clients must prove.

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
    /// How long a refresh token is good that outlives its login (`offline_access`), in days. Default 30.
    pub refresh_token_days: u32,
    /// How long a pushed authorization request waits for its browser, in seconds. Default 60.
    pub pushed_request_seconds: u32,
    /// Whether proofs of possession must hold a nonce that an answer of ours gave (RFC 9449 §8). Default false: the time
    /// in a proof and its single use are enough where clocks are right; some clients cannot do nonces.
    pub dpop_nonce: bool,
}

impl Default for Oidc {
    fn default() -> Self {
        Self {
            code_seconds: 60,
            access_token_seconds: 600,
            id_token_seconds: 300,
            refresh_token_days: 30,
            pushed_request_seconds: 60,
            dpop_nonce: false,
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
        if !(1..=400).contains(&self.refresh_token_days) {
            return Err(ConfigError::value(
                "oidc",
                "refresh_token_days",
                "expected 1 to 400",
            ));
        }
        if !(5..=600).contains(&self.pushed_request_seconds) {
            return Err(ConfigError::value(
                "oidc",
                "pushed_request_seconds",
                "expected 5 to 600",
            ));
        }
        Ok(())
    }
}
