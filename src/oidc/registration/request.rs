//! The members of a registration request: one JSON object, each member of the type that its specification gives it.

use serde_json::{Map, Value};

use super::RegistrationError;

/// The longest text of one member.
const TEXT: usize = 2000;
/// The most entries of one list.
const LIST: usize = 20;

/// The object that was sent.
#[derive(Clone, Debug)]
pub struct Request(Map<String, Value>);

impl Request {
    /// Reads the body.
    ///
    /// # Errors
    /// Anything but a JSON object.
    pub fn read(body: &[u8]) -> Result<Self, RegistrationError> {
        match serde_json::from_slice(body) {
            Ok(Value::Object(members)) => Ok(Self(members)),
            _ => Err(RegistrationError::wrong(
                "request",
                "the body is not a JSON object",
            )),
        }
    }

    /// A member as it came; `null` is as good as none.
    pub fn raw(&self, field: &str) -> Option<&Value> {
        self.0.get(field).filter(|value| !value.is_null())
    }

    /// A text.
    ///
    /// # Errors
    /// Where it is none, is empty or too long.
    pub fn text(&self, field: &'static str) -> Result<Option<&str>, RegistrationError> {
        match self.raw(field) {
            None => Ok(None),
            Some(value) => text(field, value).map(Some),
        }
    }

    /// A list of texts, each once.
    ///
    /// # Errors
    /// Where it is none, or too long.
    pub fn list(&self, field: &'static str) -> Result<Option<Vec<&str>>, RegistrationError> {
        let Some(value) = self.raw(field) else {
            return Ok(None);
        };
        let Some(entries) = value.as_array() else {
            return Err(RegistrationError::wrong(field, "must be a list"));
        };
        if entries.len() > LIST {
            return Err(RegistrationError::wrong(field, "has too many entries"));
        }
        let mut read = Vec::new();
        for entry in entries {
            let entry = text(field, entry)?;
            if !read.contains(&entry) {
                read.push(entry);
            }
        }
        Ok(Some(read))
    }

    /// A truth; `false` where it is missing.
    ///
    /// # Errors
    /// Where it is none.
    pub fn flag(&self, field: &'static str) -> Result<bool, RegistrationError> {
        match self.raw(field) {
            None => Ok(false),
            Some(Value::Bool(value)) => Ok(*value),
            Some(_) => Err(RegistrationError::wrong(field, "must be true or false")),
        }
    }

    /// A number of seconds.
    ///
    /// # Errors
    /// Where it is none.
    pub fn seconds(&self, field: &'static str) -> Result<Option<u32>, RegistrationError> {
        let Some(value) = self.raw(field) else {
            return Ok(None);
        };
        let seconds = value.as_u64().and_then(|seconds| u32::try_from(seconds).ok());
        let wrong = RegistrationError::wrong(field, "must be a number of seconds");
        seconds.map(Some).ok_or(wrong)
    }
}

fn text<'a>(field: &'static str, value: &'a Value) -> Result<&'a str, RegistrationError> {
    let Some(text) = value.as_str() else {
        return Err(RegistrationError::wrong(field, "must be text"));
    };
    if text.is_empty() || text.len() > TEXT || text.chars().any(char::is_control) {
        return Err(RegistrationError::wrong(
            field,
            "is empty, too long, or holds control characters",
        ));
    }
    Ok(text)
}
