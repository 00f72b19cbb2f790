//! `[keys]`: the master key, under which every stored secret is sealed, and how often signing keys change.

use std::fmt;
use std::path::PathBuf;

use serde::Deserialize;

use super::ConfigError;
use crate::base::secret::MasterKey;

/// The master key, given directly or in a file that is made at first start; and the rotation of signing keys.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Keys {
    /// 64 hexadecimal digits. Better kept in a file.
    pub master_key: Option<String>,
    /// A file that holds them, readable by its owner only. Default `master.key` beside the SQLite file
    /// (`data/master.key` with PostgreSQL); made at first start.
    pub master_key_file: Option<PathBuf>,
    /// After how many days a signing key is rotated by itself; 0 for never. Default 90.
    pub rotation_days: u32,
}

impl Default for Keys {
    fn default() -> Self {
        Self {
            master_key: None,
            master_key_file: None,
            rotation_days: 90,
        }
    }
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let key = self.master_key.as_ref().map(|_| "[secret]");
        f.debug_struct("Keys")
            .field("master_key", &key)
            .field("master_key_file", &self.master_key_file)
            .field("rotation_days", &self.rotation_days)
            .finish()
    }
}

impl Keys {
    pub(super) fn validate(&self) -> Result<(), ConfigError> {
        match (&self.master_key, &self.master_key_file) {
            (Some(_), Some(_)) => Err(ConfigError::value(
                "keys",
                "master_key",
                "is given twice, directly and as a file",
            )),
            (Some(text), None) if MasterKey::from_hex(text).is_none() => Err(ConfigError::value(
                "keys",
                "master_key",
                "expected 64 hexadecimal digits",
            )),
            _ => Ok(()),
        }
    }
}
