//! `[tls]`: certificate and key, where Marelle itself speaks TLS instead of a proxy before it.

use std::path::PathBuf;

use serde::Deserialize;

use super::ConfigError;

/// TLS; both or neither.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Tls {
    /// PEM file with the certificate and its chain.
    pub cert: Option<PathBuf>,
    /// PEM file with the private key.
    pub key: Option<PathBuf>,
}

impl Tls {
    pub(super) fn validate(&self) -> Result<(), ConfigError> {
        match (&self.cert, &self.key) {
            (Some(_), None) => Err(ConfigError::value("tls", "key", "is missing beside cert")),
            (None, Some(_)) => Err(ConfigError::value("tls", "cert", "is missing beside key")),
            _ => Ok(()),
        }
    }
}
