//! Variables of the environment over the values of the file: `MARELLE_SECTION__KEY`.

use super::{Config, ConfigError};

const PREFIX: &str = "MARELLE_";

/// Puts each variable that has the form of a setting over the table; the first that does not fit is named.
pub(super) fn overlay(
    mut table: toml::Table,
    variables: impl IntoIterator<Item = (String, String)>,
) -> Result<Config, ConfigError> {
    let mut variables: Vec<(String, String)> = variables
        .into_iter()
        .filter(|(name, _)| name.strip_prefix(PREFIX).is_some_and(|rest| rest.contains("__")))
        .collect();
    variables.sort();
    for (name, value) in variables {
        table = with_variable(&table, &name, &value)?;
    }
    table
        .try_into()
        .map_err(|error: toml::de::Error| ConfigError::Variable {
            name: format!("{PREFIX}*"),
            message: error.message().to_owned(),
        })
}

fn with_variable(table: &toml::Table, name: &str, value: &str) -> Result<toml::Table, ConfigError> {
    let wrong = |message: &str| ConfigError::Variable {
        name: name.to_owned(),
        message: message.to_owned(),
    };
    let path = name.strip_prefix(PREFIX).and_then(|rest| rest.split_once("__"));
    let Some((section, key)) = path.map(|(section, key)| (section.to_lowercase(), key.to_lowercase())) else {
        return Err(wrong("is not a setting"));
    };
    // As text first; where the setting is a number, a truth or a list, as TOML writes it.
    let mut forms = vec![toml::Value::String(value.to_owned())];
    if let Ok(mut parsed) = toml::from_str::<toml::Table>(&format!("v = {value}")) {
        forms.extend(parsed.remove("v"));
    }
    let mut message = String::new();
    for form in forms {
        let mut table = table.clone();
        let entry = table
            .entry(section.clone())
            .or_insert_with(|| toml::Value::Table(toml::Table::new()));
        let Some(entry) = entry.as_table_mut() else {
            return Err(wrong("is not in a section"));
        };
        entry.insert(key.clone(), form);
        match table.clone().try_into::<Config>() {
            Ok(_) => return Ok(table),
            Err(error) if message.is_empty() => error.message().clone_into(&mut message),
            Err(_) => {}
        }
    }
    // The library repeats the value it could not read; it may be a secret.
    Err(wrong(&message.replace(value, "…")))
}
