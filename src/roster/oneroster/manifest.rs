//! `manifest.csv`: which files a delivery holds, and whether each is whole or of changes.

use std::collections::BTreeMap;
use std::io::Read;
use std::sync::Arc;

use super::table::Table;
use crate::domain::source::Place;
use crate::roster::Unreadable;

/// How a file is delivered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Whole.
    Bulk,
    /// Changes only.
    Delta,
}

/// What a delivery says of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Manifest {
    /// Files that are there, by name.
    pub files: BTreeMap<String, Mode>,
}

impl Manifest {
    /// Whether it is of changes only.
    pub fn is_delta(&self) -> bool {
        self.files.get("users.csv") == Some(&Mode::Delta)
    }
}

/// Reads a manifest.
///
/// # Errors
/// [`Unreadable`]: another version, no users, or files of a delivery of changes that are whole where people are meant.
pub fn manifest(input: impl Read) -> Result<Manifest, Unreadable> {
    let name: Arc<str> = "manifest.csv".into();
    let mut table = Table::new(input, Arc::clone(&name), &["propertyName", "value"])?;
    let mut manifest = Manifest::default();
    let mut version = String::new();
    while let Some(line) = table.next()? {
        let line = line.map_err(|issue| Unreadable::at(&issue.place, issue.message))?;
        let (property, value) = (line.get("propertyName"), line.get("value"));
        if property == "oneroster.version" {
            value.clone_into(&mut version);
        }
        let Some(file) = property.strip_prefix("file.") else {
            continue;
        };
        let mode = match value {
            "bulk" => Mode::Bulk,
            "delta" => Mode::Delta,
            "absent" | "" => continue,
            _ => {
                return Err(Unreadable::at(
                    &line.place,
                    "valeur inconnue : bulk, delta ou absent attendu",
                ));
            }
        };
        manifest.files.insert(format!("{file}.csv"), mode);
    }
    let refuse = |message: &str| {
        let place = Place {
            file: Arc::clone(&name),
            line: 1,
            column: 1,
        };
        Err(Unreadable::at(&place, message))
    };
    if version != "1.2" {
        return refuse("oneroster.version : 1.2 attendu");
    }
    if !manifest.files.contains_key("users.csv") {
        return refuse("users.csv absent : il n'y a personne à lire");
    }
    Ok(manifest)
}
