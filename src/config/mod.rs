//! Configuration: one documented struct per section, from a TOML file and the environment; an unknown key is fatal.
//!
//! The file is read first, then each `MARELLE_SECTION__KEY` of the environment replaces one value. A secret may also
//! stand in a file of its own, named by the same key with `_file` behind it. Nothing else in the program reads the
//! environment. Must never print a secret.

mod cas;
mod database;
mod environment;
mod feeds;
mod http;
mod keys;
mod oidc;
mod outbound;
mod people;
mod saml;
mod session;
mod tls;

use std::path::{Path, PathBuf};

use serde::Deserialize;

pub use cas::Cas;
pub use database::Database;
pub use feeds::{Feeds, Folder};
pub use http::Http;
pub use keys::Keys;
pub use oidc::Oidc;
pub use outbound::Outbound;
pub use people::People;
pub use saml::Saml;
pub use session::Session;
pub use tls::Tls;

/// A configuration that cannot be used, with what is wrong and where.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// A file cannot be read.
    #[error("{path}: {source}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file does not hold a configuration; the message names line and column.
    #[error("{path}: {message}")]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong, with the line.
        message: String,
    },
    /// A variable of the environment is not a setting, or its value does not fit.
    #[error("environment variable {name}: {message}")]
    Variable {
        /// The variable.
        name: String,
        /// What is wrong (never the value).
        message: String,
    },
    /// A value is well formed but cannot be right.
    #[error("[{section}] {key}: {message}")]
    Value {
        /// The section.
        section: &'static str,
        /// The key.
        key: &'static str,
        /// What is wrong.
        message: String,
    },
}

impl ConfigError {
    fn value(section: &'static str, key: &'static str, message: impl Into<String>) -> Self {
        Self::Value {
            section,
            key,
            message: message.into(),
        }
    }
}

/// Everything that can be set.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Addresses.
    pub http: Http,
    /// TLS, where Marelle itself speaks it.
    pub tls: Tls,
    /// The database.
    pub database: Database,
    /// The master key.
    pub keys: Keys,
    /// How long sessions live.
    pub session: Session,
    /// OpenID Connect.
    pub oidc: Oidc,
    /// CAS.
    pub cas: Cas,
    /// SAML.
    pub saml: Saml,
    /// Requests to other hosts.
    pub outbound: Outbound,
    /// Folders into which feeds are dropped.
    pub feeds: Feeds,
    /// How long people are kept.
    pub people: People,
}

impl Config {
    /// Reads the configuration from a file (if there is one) and the variables of an environment, and validates it.
    ///
    /// # Errors
    /// [`ConfigError`], naming the line, the variable or the key.
    pub fn load(
        file: Option<&Path>,
        variables: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, ConfigError> {
        let text = match file {
            None => String::new(),
            Some(path) => std::fs::read_to_string(path).map_err(|source| ConfigError::Unreadable {
                path: path.to_owned(),
                source,
            })?,
        };
        let shown = file.unwrap_or(Path::new("marelle.toml"));
        let wrong = |error: toml::de::Error| ConfigError::File {
            path: shown.to_owned(),
            message: error.to_string(),
        };
        // Read into the typed form first: only this reading knows the lines.
        toml::from_str::<Self>(&text).map_err(wrong)?;
        let table = toml::from_str::<toml::Table>(&text).map_err(wrong)?;
        let config = environment::overlay(table, variables)?;
        config.validate()?;
        Ok(config)
    }

    fn validate(&self) -> Result<(), ConfigError> {
        self.http.validate()?;
        self.tls.validate()?;
        self.database.validate()?;
        self.keys.validate()?;
        self.session.validate()?;
        self.oidc.validate()?;
        self.saml.validate()?;
        self.cas.validate()?;
        self.feeds.validate()?;
        self.people.validate()
    }
}

/// The one of a secret's two forms that is set: given directly, or in a file of its own (whose last line end does not
/// count).
fn secret(
    (section, key): (&'static str, &'static str),
    direct: Option<&str>,
    file: Option<&Path>,
) -> Result<Option<crate::base::secret::Secret>, ConfigError> {
    match (direct, file) {
        (Some(_), Some(_)) => Err(ConfigError::value(
            section,
            key,
            "is given twice, directly and as a file",
        )),
        (Some(text), None) => Ok(Some(crate::base::secret::Secret::new(text))),
        (None, Some(path)) => {
            let text = std::fs::read_to_string(path).map_err(|source| ConfigError::Unreadable {
                path: path.to_owned(),
                source,
            })?;
            Ok(Some(crate::base::secret::Secret::new(
                text.trim_end_matches(['\r', '\n']),
            )))
        }
        (None, None) => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(text: &str, variables: &[(&str, &str)]) -> Result<Config, ConfigError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("marelle.toml");
        std::fs::write(&path, text).unwrap();
        Config::load(
            Some(&path),
            variables
                .iter()
                .map(|(name, value)| ((*name).into(), (*value).into())),
        )
    }

    #[test]
    fn nothing_at_all_is_a_configuration() {
        let config = Config::load(None, []).unwrap();
        assert_eq!(config.http.public_url, "http://127.0.0.1:8080");
        assert_eq!(config.database.file, Path::new("data/marelle.db"));
    }

    #[test]
    fn an_unknown_key_is_fatal_and_its_line_is_named() {
        let refused = load("[http]\nlisten = \"127.0.0.1:1\"\npubic_url = \"x\"\n", &[])
            .unwrap_err()
            .to_string();
        assert!(
            refused.contains("line 3") && refused.contains("pubic_url"),
            "{refused}"
        );
        let refused = load("\n[htpp]\n", &[]).unwrap_err().to_string();
        assert!(
            refused.contains("line 2") && refused.contains("htpp"),
            "{refused}"
        );
    }

    #[test]
    fn the_environment_replaces_single_values_and_is_as_strict() {
        let text = "[http]\npublic_url = \"https://a.example\"\nlisten = \"127.0.0.1:1\"\n";
        let config = load(
            text,
            &[
                ("MARELLE_HTTP__PUBLIC_URL", "https://b.example"),
                ("PATH", "/bin"),
            ],
        )
        .unwrap();
        assert_eq!(
            (&*config.http.public_url, &*config.http.listen),
            ("https://b.example", "127.0.0.1:1")
        );
        let config = load("", &[("MARELLE_SESSION__SHARED_MINUTES", "7")]).unwrap();
        assert_eq!(config.session.shared_minutes, 7);
        for (name, value) in [
            ("MARELLE_HTTP__PUBIC_URL", "x"),
            ("MARELLE_NOTHING__KEY", "x"),
            ("MARELLE_SESSION__SHARED_MINUTES", "many"),
        ] {
            let refused = load("", &[(name, value)]).unwrap_err().to_string();
            assert!(refused.contains(name), "{refused}");
        }
    }

    #[test]
    fn a_secret_may_stand_in_a_file_but_not_twice() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("url");
        std::fs::write(&file, "postgres://marelle:pa$$@db/marelle\n").unwrap();
        let file = file.to_str().unwrap();
        let config = load("", &[("MARELLE_DATABASE__URL_FILE", file)]).unwrap();
        let url = config.database.url().unwrap().unwrap();
        assert_eq!(url.expose(), "postgres://marelle:pa$$@db/marelle");
        let twice = [
            ("MARELLE_DATABASE__URL_FILE", file),
            ("MARELLE_DATABASE__URL", "postgres://x"),
        ];
        assert!(
            load("", &twice)
                .unwrap_err()
                .to_string()
                .contains("[database] url")
        );
        assert!(
            !format!("{:?}", load("", &twice[1..]).unwrap()).contains("postgres://x"),
            "a secret is printed"
        );
    }

    #[test]
    fn the_sample_of_the_operators_guide_is_a_configuration() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/marelle.sample.toml");
        let config = Config::load(Some(&path), []).unwrap();
        assert_eq!(config.http.public_url, "https://id.example.fr");
    }
}
