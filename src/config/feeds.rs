//! `[feeds]`: folders into which registers drop their files.

use std::path::PathBuf;
use std::time::Duration;

use serde::Deserialize;

use super::ConfigError;

/// Drop folders.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Feeds {
    /// Each of them, as a `[[feeds.folder]]`.
    pub folder: Vec<Folder>,
}

/// A folder that is watched.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Folder {
    /// What it is called in the log and by `marelle doctor`. Default: its path. Nodes that share a folder call it the same.
    #[serde(default)]
    pub name: Option<String>,
    /// Where it is; absolute.
    pub path: PathBuf,
    /// What is dropped there: `onde`, `siecle`, `sts`, `csv`, `aaf` (`aaf1d`, `aaf2d`), `oneroster`.
    pub kind: String,
    /// The code of the academy, for feeds of one.
    #[serde(default)]
    pub academy: Option<String>,
    /// The UAI of the school, for a folder of one; else each file lies in a folder that is called by its UAI.
    #[serde(default)]
    pub school: Option<String>,
    /// The first year of the school year (2026), or `auto`: the one that the register is in on the day.
    #[serde(default)]
    pub year: Year,
    /// When a delivery is complete: after it has not changed for so long (`10m`), or `ok`: only when a file whose name ends in
    /// `.ok` says so. Such a file always says so.
    #[serde(default = "ten_minutes")]
    pub complete: String,
    /// How often a delivery is expected (`24h`, `7d`); a later one is an alert. Default: never.
    #[serde(default)]
    pub expected_every: Option<String>,
    /// Whether deliveries are applied; else they are only previewed. Default false.
    #[serde(default)]
    pub apply: bool,
}

fn ten_minutes() -> String {
    "10m".to_owned()
}

/// A school year, or the one of the day.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum Year {
    /// Its first year.
    Number(i32),
    /// `auto`.
    Word(String),
    /// Not given: `auto`.
    #[default]
    Auto,
}

fn wrong(key: &'static str, message: impl Into<String>) -> ConfigError {
    ConfigError::value("feeds", key, message)
}

/// A number and a unit: `30s`, `10m`, `24h`, `7d`.
fn duration(text: &str) -> Option<Duration> {
    let unit = match text.chars().last()? {
        's' => 1,
        'm' => 60,
        'h' => 3600,
        'd' => 86_400,
        _ => return None,
    };
    let number: u32 = text.get(..text.len() - 1)?.parse().ok()?;
    (number > 0).then(|| Duration::from_secs(u64::from(number) * unit))
}

impl Folder {
    /// What it is called.
    pub fn name(&self) -> String {
        self.name
            .clone()
            .unwrap_or_else(|| self.path.display().to_string())
    }

    /// Its first year, where one is given.
    ///
    /// # Errors
    /// [`ConfigError`] for another word than `auto`.
    pub fn year(&self) -> Result<Option<i32>, ConfigError> {
        match &self.year {
            Year::Number(year) => Ok(Some(*year)),
            Year::Auto => Ok(None),
            Year::Word(word) if word == "auto" => Ok(None),
            Year::Word(_) => Err(wrong("year", "expected a year like 2026, or \"auto\"")),
        }
    }

    /// How long a delivery must not change; `None` where a file says that it is complete.
    ///
    /// # Errors
    /// [`ConfigError`].
    pub fn stable_for(&self) -> Result<Option<Duration>, ConfigError> {
        if self.complete == "ok" {
            return Ok(None);
        }
        let wait =
            duration(&self.complete).ok_or_else(|| wrong("complete", "expected 10m, 30s, …, or \"ok\""))?;
        Ok(Some(wait))
    }

    /// How often a delivery is expected.
    ///
    /// # Errors
    /// [`ConfigError`].
    pub fn expected_every(&self) -> Result<Option<Duration>, ConfigError> {
        let parse =
            |text: &String| duration(text).ok_or_else(|| wrong("expected_every", "expected 24h, 7d, …"));
        self.expected_every.as_ref().map(parse).transpose()
    }
}

impl Feeds {
    pub(super) fn validate(&self) -> Result<(), ConfigError> {
        for (at, folder) in self.folder.iter().enumerate() {
            if !folder.path.is_absolute() {
                return Err(wrong(
                    "path",
                    format!("{}: must be absolute", folder.path.display()),
                ));
            }
            let others = self.folder.iter().take(at);
            for other in others {
                if other.name() == folder.name() {
                    return Err(wrong("name", format!("{}: is given twice", folder.name())));
                }
                if other.path.starts_with(&folder.path) || folder.path.starts_with(&other.path) {
                    let message = format!("{}: lies in another one, or is the same", folder.path.display());
                    return Err(wrong("path", message));
                }
            }
            folder.year()?;
            folder.stable_for()?;
            folder.expected_every()?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folders(text: &str) -> Result<Feeds, String> {
        let feeds: Feeds = toml::from_str(text).map_err(|error| error.to_string())?;
        feeds.validate().map_err(|error| error.to_string())?;
        Ok(feeds)
    }

    #[test]
    fn a_folder_is_read_with_what_it_leaves_out() {
        let text = r#"
            [[folder]]
            path = "/srv/onde"
            kind = "onde"
            [[folder]]
            name = "amiens"
            path = "/srv/aaf"
            kind = "aaf"
            academy = "20"
            year = 2027
            complete = "ok"
            expected_every = "24h"
            apply = true
        "#;
        let feeds = folders(text).unwrap();
        let [onde, aaf] = &feeds.folder[..] else {
            panic!("two were given")
        };
        assert_eq!(onde.name(), "/srv/onde");
        assert_eq!(onde.year().unwrap(), None);
        assert_eq!(onde.stable_for().unwrap(), Some(Duration::from_secs(600)));
        assert_eq!((onde.expected_every().unwrap(), onde.apply), (None, false));
        assert_eq!(aaf.name(), "amiens");
        assert_eq!(aaf.year().unwrap(), Some(2027));
        assert_eq!(aaf.stable_for().unwrap(), None);
        assert_eq!(aaf.expected_every().unwrap(), Some(Duration::from_secs(86_400)));
    }

    #[test]
    fn what_cannot_be_is_named() {
        let one = |more: &str| folders(&format!("[[folder]]\npath = \"/srv/a\"\nkind = \"onde\"\n{more}"));
        for (more, named) in [
            ("complete = \"soon\"", "complete"),
            ("complete = \"0m\"", "complete"),
            ("expected_every = \"é\"", "expected_every"),
            ("year = \"next\"", "year"),
            ("overrride = true", "overrride"),
            (
                "[[folder]]\npath = \"/srv/a/b\"\nkind = \"onde\"",
                "lies in another",
            ),
            (
                "[[folder]]\nname = \"/srv/a\"\npath = \"/srv/b\"\nkind = \"onde\"",
                "twice",
            ),
            ("[[folder]]\npath = \"srv/b\"\nkind = \"onde\"", "absolute"),
        ] {
            let error = one(more).unwrap_err();
            assert!(error.contains(named), "{more}: {error}");
        }
    }
}
