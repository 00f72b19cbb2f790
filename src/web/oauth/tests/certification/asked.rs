//! An authorization request that is not sent yet.

use crate::base::url;

/// An authorization request.
#[derive(Debug, Clone, Default)]
pub(super) struct Asked {
    parameters: Vec<(String, String)>,
}

impl Asked {
    /// With a parameter, in place of the one of this name if there is one.
    pub(super) fn with(mut self, name: &str, value: &str) -> Self {
        self = self.without(name);
        self.parameters.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Without a parameter.
    pub(super) fn without(mut self, name: &str) -> Self {
        self.parameters.retain(|(other, _)| other != name);
        self
    }

    /// A parameter.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        let mut parameters = self.parameters.iter();
        parameters
            .find(|(other, _)| other == name)
            .map(|(_, value)| value.as_str())
    }

    /// The same parameters in the reverse order of their names.
    pub(super) fn reordered(mut self) -> Self {
        self.parameters.sort_by(|one, other| other.cmp(one));
        self
    }

    /// Each parameter.
    pub(super) fn each(&self) -> impl Iterator<Item = (&str, &str)> {
        self.parameters
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// As a query or a form.
    pub(super) fn query(&self) -> String {
        url::query(self.each())
    }
}
