//! What a provider states of a person: names and values, in the order in which they came. Prints none of them.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The most values that are read of one name.
const MOST: usize = 200;
/// The longest value that is read.
const LONGEST: usize = 4096;

/// Names and their values.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Statements(Vec<(String, Vec<String>)>);

impl std::fmt::Debug for Statements {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[statements]")
    }
}

impl Statements {
    /// Nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds values to a name. An empty value is none: EduConnect writes one where it has nothing to say.
    pub fn add(&mut self, name: &str, values: impl IntoIterator<Item = String>) {
        let mut said: Vec<String> = values
            .into_iter()
            .map(|value| value.trim().to_owned())
            .filter(|value| !value.is_empty() && value.len() <= LONGEST)
            .collect();
        match self.0.iter_mut().find(|(known, _)| known == name) {
            Some((_, known)) => known.append(&mut said),
            None => self.0.push((name.to_owned(), said)),
        }
        if let Some((_, known)) = self.0.iter_mut().find(|(known, _)| known == name) {
            known.truncate(MOST);
        }
    }

    /// Adds a claim: a text, a number or a truth as one value, a list as several; anything else says nothing.
    pub fn add_claim(&mut self, name: &str, value: &Value) {
        let text = |value: &Value| match value {
            Value::String(text) => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            Value::Bool(truth) => Some(truth.to_string()),
            Value::Null | Value::Array(_) | Value::Object(_) => None,
        };
        match value {
            Value::Array(list) => self.add(name, list.iter().filter_map(text)),
            one => self.add(name, text(one)),
        }
    }

    /// The values of the first of these names that has any.
    pub fn first_of(&self, names: &[&str]) -> &[String] {
        names
            .iter()
            .map(|name| self.all(name))
            .find(|values| !values.is_empty())
            .unwrap_or_default()
    }

    /// The values of a name.
    pub fn all(&self, name: &str) -> &[String] {
        let found = self.0.iter().find(|(known, _)| known == name);
        found.map_or(&[], |(_, values)| values)
    }

    /// The one value of the first of these names that has any: two values are none, for nobody says which one is meant.
    pub fn one(&self, names: &[&str]) -> Option<&str> {
        match self.first_of(names) {
            [one] => Some(one),
            _ => None,
        }
    }

    /// The same without what is said under some names.
    #[must_use]
    pub fn without(&self, names: &[&str]) -> Self {
        let kept = self.0.iter().filter(|(name, _)| !names.contains(&name.as_str()));
        Self(kept.cloned().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn claims_of_every_shape_become_values_and_two_values_are_not_one() {
        let mut said = Statements::new();
        let claims = serde_json::json!({
            "sub": "a", "empty": "", "list": ["b", 3, null, {"x": 1}], "object": {"y": 1}, "truth": true
        });
        for (name, value) in claims.as_object().unwrap() {
            said.add_claim(name, value);
        }
        assert_eq!(said.one(&["nobody", "sub"]), Some("a"));
        assert_eq!(said.one(&["empty"]), None, "nothing was said");
        assert_eq!(said.all("list"), ["b", "3"]);
        assert_eq!(said.one(&["list"]), None);
        assert_eq!(
            (said.all("object"), said.one(&["truth"])),
            (&[][..], Some("true"))
        );
        said.add("sub", ["z".repeat(5000), " c ".to_owned()]);
        assert_eq!(said.all("sub"), ["a", "c"]);
        let less = said.without(&["sub", "nobody"]);
        assert_eq!((less.all("sub"), less.one(&["truth"])), (&[][..], Some("true")));
    }
}
