//! `[keys]`: the master key, under which every stored secret is sealed.

use std::fmt;
use std::path::PathBuf;

use serde::Deserialize;

use super::ConfigError;
use crate::base::secret::MasterKey;

/// The master key; given directly, or in a file that is made at first start.
#[derive(Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Keys {
    /// 64 hexadecimal digits. Better kept in a file.
    pub master_key: Option<String>,
    /// A file that holds them, readable by its owner only. Default `master.key` beside the SQLite file
    /// (`data/master.key` with PostgreSQL); made at first start.
    pub master_key_file: Option<PathBuf>,
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let key = self.master_key.as_ref().map(|_| "[secret]");
        f.debug_struct("Keys")
            .field("master_key", &key)
            .field("master_key_file", &self.master_key_file)
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
