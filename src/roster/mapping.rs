//! How the columns of a CSV file are called, as data: a TOML file, or one of two that are built in.
//!
//! Columns are found by their cleaned header, never by position. A register that renames its columns needs a mapping
//! file, not another program. Must never say what a column means: only by which headers it is known.

use std::fmt;

use serde::Deserialize;
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

use crate::domain::stored_names;

/// A column of the pupils that is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Column {
    /// Family name.
    FamilyName,
    /// Name in use.
    UsageName,
    /// First name.
    GivenName,
    /// Second given name.
    SecondName,
    /// Third given name.
    ThirdName,
    /// Birth date.
    BirthDate,
    /// Sex.
    Sex,
    /// INE.
    Ine,
    /// Level.
    Level,
    /// Label of the class.
    ClassLabel,
    /// Identifier of the class.
    ClassKey,
    /// The source's own identifier of the pupil, which never changes.
    Key,
}
stored_names!(Column, "column", {
    FamilyName => "family_name", UsageName => "usage_name", GivenName => "given_name",
    SecondName => "second_name", ThirdName => "third_name", BirthDate => "birth_date", Sex => "sex", Ine => "ine",
    Level => "level", ClassLabel => "class_label", ClassKey => "class_key", Key => "key",
});

/// A column of the adults that is read; those of a child may come several times.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AdultColumn {
    /// Civility.
    Title,
    /// Family name.
    FamilyName,
    /// Name in use.
    UsageName,
    /// First name.
    GivenName,
    /// Family name of a child.
    ChildFamilyName,
    /// Name in use of a child.
    ChildUsageName,
    /// First name of a child.
    ChildGivenName,
    /// Class of a child.
    ChildClass,
}
stored_names!(AdultColumn, "column", {
    Title => "title", FamilyName => "family_name", UsageName => "usage_name", GivenName => "given_name",
    ChildFamilyName => "child_family_name", ChildUsageName => "child_usage_name",
    ChildGivenName => "child_given_name", ChildClass => "child_class",
});

/// A column, whether a file without it is refused, and its cleaned spellings, the preferred first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Known<C> {
    pub(super) column: C,
    pub(super) mandatory: bool,
    pub(super) spellings: Vec<String>,
    pub(super) cleaned: Vec<String>,
}

/// The columns of one kind of file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Section<C> {
    pub(super) known: Vec<Known<C>>,
    /// Headers of columns that are there and not taken, cleaned.
    pub(super) ignored: Vec<String>,
    /// Headers that only this kind of file has, cleaned.
    pub(super) told_by: Vec<String>,
}

impl<C> Default for Section<C> {
    fn default() -> Self {
        Self {
            known: Vec::new(),
            ignored: Vec::new(),
            told_by: Vec::new(),
        }
    }
}

/// How the columns of files are called.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mapping {
    pub(super) pupils: Section<Column>,
    pub(super) guardians: Section<AdultColumn>,
}

/// What is wrong with a mapping file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct BadMapping(String);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    #[serde(default)]
    pupils: WrittenSection,
    #[serde(default)]
    guardians: WrittenSection,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenSection {
    #[serde(default)]
    columns: toml::Table,
    #[serde(default)]
    mandatory: Vec<String>,
    #[serde(default)]
    ignored: Vec<String>,
    #[serde(default)]
    told_by: Vec<String>,
}

impl Mapping {
    /// Reads a mapping file.
    ///
    /// # Errors
    /// [`BadMapping`]: not TOML, a key or a column that nobody knows, one header for two columns, or none for a column
    /// without which there is no pupil.
    pub fn parse(text: &str) -> Result<Self, BadMapping> {
        let written: Written = toml::from_str(text).map_err(|error| BadMapping(error.to_string()))?;
        let pupils: Section<Column> = section("pupils", &written.pupils)?;
        let guardians: Section<AdultColumn> = section("guardians", &written.guardians)?;
        let names = |column: Column| pupils.known.iter().any(|known| known.column == column);
        for column in [Column::FamilyName, Column::GivenName, Column::BirthDate] {
            if !pupils.known.is_empty() && !names(column) {
                return Err(BadMapping(format!(
                    "[pupils.columns] : « {column} » n'a pas d'intitulé"
                )));
            }
        }
        if pupils.known.is_empty() && guardians.known.is_empty() {
            return Err(BadMapping("[pupils.columns] : aucun intitulé".to_owned()));
        }
        Ok(Self { pupils, guardians })
    }

    /// What ONDE and BE1D have written so far.
    pub fn onde() -> Self {
        Self::parse(include_str!("mapping/onde.toml")).unwrap_or_default()
    }

    /// The file that schools fill in by hand for their ENT.
    pub fn csv() -> Self {
        Self::parse(include_str!("mapping/csv.toml")).unwrap_or_default()
    }
}

fn section<C>(name: &str, written: &WrittenSection) -> Result<Section<C>, BadMapping>
where
    C: Copy + PartialEq + fmt::Display + std::str::FromStr<Err = crate::domain::InvalidValue>,
{
    let column = |key: &str| {
        let parsed: Result<C, _> = key.parse();
        parsed.map_err(|error| BadMapping(format!("[{name}.columns] : {error}")))
    };
    let mut known: Vec<Known<C>> = Vec::new();
    for (key, spellings) in &written.columns {
        let listed: Option<Vec<String>> = match spellings {
            toml::Value::String(one) => Some(vec![one.clone()]),
            toml::Value::Array(many) => many.iter().map(|one| one.as_str().map(str::to_owned)).collect(),
            _ => None,
        };
        let spellings = listed.filter(|spellings| !spellings.is_empty()).ok_or_else(|| {
            BadMapping(format!(
                "[{name}.columns] : « {key} » attend un ou plusieurs intitulés"
            ))
        })?;
        let cleaned: Vec<String> = spellings.iter().map(|spelling| clean(spelling)).collect();
        for spelling in &cleaned {
            let taken = known.iter().find(|other| other.cleaned.contains(spelling));
            if let Some(other) = taken {
                let both = format!("« {key} » et « {} »", other.column);
                return Err(BadMapping(format!(
                    "[{name}.columns] : un même intitulé pour {both}"
                )));
            }
        }
        if cleaned.iter().any(String::is_empty) {
            return Err(BadMapping(format!(
                "[{name}.columns] : intitulé vide pour « {key} »"
            )));
        }
        known.push(Known {
            column: column(key)?,
            mandatory: false,
            spellings,
            cleaned,
        });
    }
    for key in &written.mandatory {
        let wanted = column(key)?;
        match known.iter_mut().find(|known| known.column == wanted) {
            Some(known) => known.mandatory = true,
            None => {
                return Err(BadMapping(format!(
                    "[{name}] mandatory : « {key} » n'a pas d'intitulé"
                )));
            }
        }
    }
    Ok(Section {
        known,
        ignored: written.ignored.iter().map(|header| clean(header)).collect(),
        told_by: written.told_by.iter().map(|header| clean(header)).collect(),
    })
}

/// A header as it is compared: no accents, no case, no white space, no `*`, no apostrophe, no byte order mark.
pub(super) fn clean(header: &str) -> String {
    header
        .nfd()
        .filter(|letter| !is_combining_mark(*letter) && !letter.is_whitespace())
        .filter(|letter| !matches!(letter, '*' | '\'' | '’' | '\u{feff}'))
        .flat_map(char::to_lowercase)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_built_in_can_be_read() {
        for text in [
            include_str!("mapping/onde.toml"),
            include_str!("mapping/csv.toml"),
        ] {
            let mapping = Mapping::parse(text).unwrap();
            assert!(!mapping.pupils.known.is_empty() && !mapping.guardians.known.is_empty());
        }
    }

    #[test]
    fn what_is_wrong_with_a_file_is_said() {
        let whole = "[pupils.columns]\nfamily_name = \"A\"\ngiven_name = [\"B\"]\nbirth_date = \"C\"\n";
        assert!(Mapping::parse(whole).is_ok());
        for (text, said) in [
            ("[pupils", ""),
            ("[pupils.columns]\nfamily_name = \"A\"", "given_name"),
            ("", "aucun intitulé"),
            (&whole.replace("\"C\"", "\"a \""), "même intitulé"),
            (&whole.replace("\"C\"", "3"), "intitulés"),
            (&whole.replace("\"C\"", "\"*\""), "vide"),
            (&whole.replace("birth_date", "birthday"), "birthday"),
            (&format!("{whole}[pupils]\nmandatory = [\"ine\"]"), ""),
            (&format!("[pupils]\nmandatory = [\"ine\"]\n{whole}"), "ine"),
            (&format!("{whole}[classes]\n"), "classes"),
        ] {
            let refused = Mapping::parse(text).unwrap_err().to_string();
            assert!(refused.contains(said), "{text}: {refused}");
        }
    }
}
