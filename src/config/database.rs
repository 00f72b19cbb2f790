//! `[database]`: a SQLite file, or a PostgreSQL server that several nodes share.

use std::fmt;
use std::path::PathBuf;

use serde::Deserialize;

use super::ConfigError;
use crate::base::secret::Secret;

/// The database; `url` or `url_file` for PostgreSQL, else `file`.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Database {
    /// The SQLite file. Default `data/marelle.db`; its folder is made where it is missing.
    pub file: PathBuf,
    /// The PostgreSQL server: `postgres://user:password@host/database?sslmode=verify-full`.
    pub url: Option<String>,
    /// A file that holds that URL.
    pub url_file: Option<PathBuf>,
}

impl fmt::Debug for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let url = self.url.as_ref().map(|_| "[secret]");
        f.debug_struct("Database")
            .field("file", &self.file)
            .field("url", &url)
            .field("url_file", &self.url_file)
            .finish()
    }
}

impl Default for Database {
    fn default() -> Self {
        Self {
            file: "data/marelle.db".into(),
            url: None,
            url_file: None,
        }
    }
}

impl Database {
    /// The PostgreSQL URL, where one is set.
    ///
    /// # Errors
    /// [`ConfigError`] where its file cannot be read or both forms are set.
    pub fn url(&self) -> Result<Option<Secret>, ConfigError> {
        super::secret(("database", "url"), self.url.as_deref(), self.url_file.as_deref())
    }

    pub(super) fn validate(&self) -> Result<(), ConfigError> {
        match self.url()? {
            Some(url)
                if !(url.expose().starts_with("postgres://")
                    || url.expose().starts_with("postgresql://")) =>
            {
                Err(ConfigError::value(
                    "database",
                    "url",
                    "expected postgres://…; for SQLite, set file instead",
                ))
            }
            _ => Ok(()),
        }
    }
}
