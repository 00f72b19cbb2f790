//! `[people]`: how long what is known of people is kept.

use serde::Deserialize;

use super::ConfigError;

/// People who left.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct People {
    /// How many days after somebody left what is known of them is erased. Default 90. Until then they come back as the same
    /// person, with the same identifiers and ways to sign in.
    pub departed_days: u32,
}

impl Default for People {
    fn default() -> Self {
        Self { departed_days: 90 }
    }
}

impl People {
    pub(super) fn validate(&self) -> Result<(), ConfigError> {
        if (1..=730).contains(&self.departed_days) {
            Ok(())
        } else {
            Err(ConfigError::value("people", "departed_days", "expected 1 to 730"))
        }
    }
}
