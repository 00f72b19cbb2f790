//! `[cas]`: the life of tickets.

use serde::Deserialize;

use super::ConfigError;

/// The CAS server.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Cas {
    /// How long a ticket may wait to be validated, in seconds. Default 60: a browser on a slow line still brings it. CAS
    /// Protocol 3.0 §3.1.1 advises 300 at most.
    pub ticket_seconds: u32,
}

impl Default for Cas {
    fn default() -> Self {
        Self { ticket_seconds: 60 }
    }
}

impl Cas {
    pub(super) fn validate(&self) -> Result<(), ConfigError> {
        if (5..=300).contains(&self.ticket_seconds) {
            Ok(())
        } else {
            Err(ConfigError::value("cas", "ticket_seconds", "expected 5 to 300"))
        }
    }
}
