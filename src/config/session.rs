//! `[session]`: how long people stay signed in.

use serde::Deserialize;

use super::ConfigError;

/// Lifetimes of sessions.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Session {
    /// On a shared device (a classroom tablet), in minutes. Default 60: one lesson.
    pub shared_minutes: u32,
    /// On a personal device, in hours. Default 10: one school day.
    pub personal_hours: u32,
}

impl Default for Session {
    fn default() -> Self {
        Self {
            shared_minutes: 60,
            personal_hours: 10,
        }
    }
}

impl Session {
    pub(super) fn validate(&self) -> Result<(), ConfigError> {
        if !(1..=600).contains(&self.shared_minutes) {
            return Err(ConfigError::value(
                "session",
                "shared_minutes",
                "expected 1 to 600",
            ));
        }
        if !(1..=720).contains(&self.personal_hours) {
            return Err(ConfigError::value(
                "session",
                "personal_hours",
                "expected 1 to 720",
            ));
        }
        Ok(())
    }
}
