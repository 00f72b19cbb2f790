//! Parameters of a request: read once, within limits, without losing that one came twice (RFC 6749 §3.1, §3.2).

use crate::base::url;

/// The longest query or form body we read. A proxy in front rarely lets more through in an address.
pub const LIMIT: usize = 8 * 1024;
/// The most parameters in one request; the longest known list has fewer than half.
const MOST: usize = 60;

/// A request that is too long or has too many parameters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the request is too long")]
pub struct TooLong;

/// The parameters of one request, none of which has been believed yet.
#[derive(Clone, Debug)]
pub struct Parameters(Vec<(String, String)>);

impl Parameters {
    /// Reads a query or a form body.
    ///
    /// # Errors
    /// [`TooLong`].
    pub fn read(encoded: &str) -> Result<Self, TooLong> {
        if encoded.len() > LIMIT {
            return Err(TooLong);
        }
        let mut all = url::parameters(encoded);
        if all.len() > MOST {
            return Err(TooLong);
        }
        // They may have to travel on, written anew: what does not fit then is refused now, not after the login.
        if encoded.len() > LIMIT / 3 {
            let pairs = all.iter().map(|(name, value)| (name.as_str(), value.as_str()));
            if url::query(pairs).len() > LIMIT {
                return Err(TooLong);
            }
        }
        // RFC 6749 §3.1: "Parameters sent without a value MUST be treated as if they were omitted".
        all.retain(|(_, value)| !value.is_empty());
        Ok(Self(all))
    }

    /// Parameters that came by another way than a query or a form, under the same limits: they may have to travel in an
    /// address still.
    ///
    /// # Errors
    /// [`TooLong`].
    pub fn of(pairs: &[(String, String)]) -> Result<Self, TooLong> {
        Self::read(&url::query(
            pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())),
        ))
    }

    /// The value of a parameter that came once; `None` where it did not come, or more than once.
    pub fn get(&self, name: &str) -> Option<&str> {
        let mut values = self.0.iter().filter(|(other, _)| other == name);
        match (values.next(), values.next()) {
            (Some((_, value)), None) => Some(value),
            _ => None,
        }
    }

    /// Whether a parameter came more than once.
    pub fn is_repeated(&self, name: &str) -> bool {
        self.0.iter().filter(|(other, _)| other == name).count() > 1
    }

    /// The first of these parameters that came more than once. Unknown parameters are ignored, repeated or not.
    pub fn first_repeated<'a>(&self, known: &[&'a str]) -> Option<&'a str> {
        known.iter().copied().find(|name| self.is_repeated(name))
    }

    /// Those whose names are to be kept.
    #[must_use]
    pub fn only(mut self, keep: impl Fn(&str) -> bool) -> Self {
        self.0.retain(|(name, _)| keep(name));
        self
    }

    /// One more.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.0.push((name.to_owned(), value.to_owned()));
        self
    }

    /// All of them, written again.
    pub fn to_query(&self) -> String {
        url::query(self.0.iter().map(|(name, value)| (name.as_str(), value.as_str())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repeated_and_empty_parameters_have_no_value() {
        let read = Parameters::read("state=a&nonce=&state=b&scope=openid+profile&nonce=n").unwrap();
        assert_eq!(read.get("state"), None);
        assert_eq!(read.get("nonce"), Some("n"));
        assert_eq!(read.get("scope"), Some("openid profile"));
        assert_eq!(read.first_repeated(&["scope", "state"]), Some("state"));
        assert_eq!(read.first_repeated(&["scope"]), None);
        assert_eq!(read.to_query(), "state=a&state=b&scope=openid+profile&nonce=n");
    }

    #[test]
    fn size_and_number_are_limited() {
        assert!(Parameters::read(&"a=1&".repeat(MOST)).is_ok());
        assert!(Parameters::read(&"a=1&".repeat(MOST + 1)).is_err());
        assert!(Parameters::read(&format!("a={}", "x".repeat(LIMIT))).is_err());
    }

    #[test]
    fn what_was_read_fits_when_it_is_written_anew() {
        // Each of these letters takes one byte here and three when written.
        for (letters, fits) in [(LIMIT / 3 - 20, true), (LIMIT / 2, false)] {
            let read = Parameters::read(&format!("service={}", "|".repeat(letters)));
            assert_eq!(read.is_ok(), fits, "{letters}");
            if let Ok(read) = read {
                assert!(Parameters::read(&read.to_query()).is_ok());
            }
        }
    }
}
