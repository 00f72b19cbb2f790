//! What a relying party asks about a person claim by claim (OpenID Connect Core §5.5), as it is kept with the grant.
//!
//! A wish and nothing more: whether a claim leaves is decided by [`super::relying_party::ReleasePolicy`], and one that
//! does not is left out without a word, essential or not (§5.5.1).

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde_json::{Map, Value, json};

use crate::base::json;

/// Why a text is no request for claims; for the developer of the client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.description())]
pub enum InvalidClaims {
    /// No JSON, a name twice in one object, or nested too deep.
    NotJson,
    /// JSON, but not as §5.5 has it.
    Shape,
}

impl InvalidClaims {
    /// What is wrong.
    pub const fn description(self) -> &'static str {
        match self {
            Self::NotJson => "claims is not JSON, or has a name twice",
            Self::Shape => "claims is not as OpenID Connect Core 5.5 has it",
        }
    }
}

/// How one claim is asked for (§5.5.1).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AskedClaim {
    /// Whether the party says that it cannot do without.
    pub is_essential: bool,
    /// The values that will do, where not any will: texts and truths. Any other value is of no claim of ours.
    pub values: Option<Vec<Value>>,
}

impl AskedClaim {
    /// Whether a value will do.
    pub fn takes(&self, value: &Value) -> bool {
        self.values.as_ref().is_none_or(|values| values.contains(value))
    }

    /// `null`, or an object; members we do not understand are ignored (§5.5.1).
    fn read(value: &Value) -> Option<Self> {
        let members = match value {
            Value::Null => return Some(Self::default()),
            Value::Object(members) => members,
            _ => return None,
        };
        let is_essential = match members.get("essential") {
            None => false,
            Some(essential) => essential.as_bool()?,
        };
        let values = match (members.get("value"), members.get("values")) {
            (None, None) => None,
            (Some(value), None) => Some(vec![value.clone()]),
            (None, Some(values)) => Some(values.as_array()?.clone()),
            (Some(_), Some(_)) => return None,
        };
        let ours = |value: &Value| value.is_string() || value.is_boolean();
        Some(Self {
            is_essential,
            values: values.map(|values| values.into_iter().filter(ours).collect()),
        })
    }

    fn write(&self) -> Value {
        let mut members = Map::new();
        if self.is_essential {
            members.insert("essential".to_owned(), true.into());
        }
        if let Some(values) = &self.values {
            members.insert("values".to_owned(), values.clone().into());
        }
        if members.is_empty() {
            Value::Null
        } else {
            members.into()
        }
    }
}

/// The claims that are asked for at one place, by name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AskedClaims(BTreeMap<String, AskedClaim>);

/// Nothing.
pub static NO_CLAIMS: AskedClaims = AskedClaims(BTreeMap::new());

impl AskedClaims {
    /// How a claim is asked for, if it is.
    pub fn get(&self, name: &str) -> Option<&AskedClaim> {
        self.0.get(name)
    }

    /// Whether none is asked for.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The names.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// `None` for what is no object of claims; a place that is not named asks for nothing.
    fn read(place: Option<&Value>) -> Option<Self> {
        let Some(place) = place else {
            return Some(Self::default());
        };
        let read = |(name, asked)| Some((String::clone(name), AskedClaim::read(asked)?));
        place
            .as_object()?
            .iter()
            .map(read)
            .collect::<Option<_>>()
            .map(Self)
    }

    fn write(&self) -> Value {
        let written = self.0.iter().map(|(name, asked)| (name.clone(), asked.write()));
        Value::Object(written.collect())
    }
}

/// What is asked for, and where it is to be found. Reads and writes itself as the parameter does.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ClaimsRequest {
    /// At the userinfo endpoint.
    pub userinfo: AskedClaims,
    /// In the ID Token.
    pub id_token: AskedClaims,
}

impl ClaimsRequest {
    /// Whether nothing is asked for.
    pub fn is_empty(&self) -> bool {
        self.userinfo.is_empty() && self.id_token.is_empty()
    }

    /// The claims whose names are to be kept.
    #[must_use]
    pub fn only(mut self, keep: impl Fn(&str) -> bool) -> Self {
        self.userinfo.0.retain(|name, _| keep(name));
        self.id_token.0.retain(|name, _| keep(name));
        self
    }
}

impl FromStr for ClaimsRequest {
    type Err = InvalidClaims;

    fn from_str(text: &str) -> Result<Self, InvalidClaims> {
        let value = json::read(text).ok_or(InvalidClaims::NotJson)?;
        let places = value.as_object().ok_or(InvalidClaims::Shape)?;
        let place = |name: &str| AskedClaims::read(places.get(name)).ok_or(InvalidClaims::Shape);
        Ok(Self {
            userinfo: place("userinfo")?,
            id_token: place("id_token")?,
        })
    }
}

impl fmt::Display for ClaimsRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        json!({ "userinfo": self.userinfo.write(), "id_token": self.id_token.write() }).fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(text: &str) -> Result<ClaimsRequest, InvalidClaims> {
        text.parse()
    }

    #[test]
    fn core_section_5_5_the_example_of_the_specification() {
        let request = read(
            r#"{
               "userinfo": {
                "given_name": {"essential": true},
                "nickname": null,
                "email": {"essential": true},
                "email_verified": {"essential": true, "value": true},
                "picture": null,
                "http://example.info/claims/groups": null
               },
               "id_token": {
                "auth_time": {"essential": true},
                "acr": {"values": ["urn:mace:incommon:iap:silver"]}
               },
               "of_tomorrow": {"x": {"y": 1}}
              }"#,
        )
        .unwrap();
        let essential = AskedClaim {
            is_essential: true,
            values: None,
        };
        assert_eq!(request.userinfo.get("given_name"), Some(&essential));
        assert_eq!(request.userinfo.get("nickname"), Some(&AskedClaim::default()));
        assert_eq!(request.userinfo.get("family_name"), None);
        assert_eq!(request.id_token.get("given_name"), None);
        assert_eq!(request.userinfo.names().count(), 6);
        let verified = request.userinfo.get("email_verified").unwrap();
        assert!(verified.takes(&true.into()) && !verified.takes(&false.into()));
        let acr = request.id_token.get("acr").unwrap();
        assert!(!acr.is_essential && acr.takes(&"urn:mace:incommon:iap:silver".into()));
        assert!(!acr.takes(&"urn:mace:incommon:iap:bronze".into()));
        assert!(essential.takes(&"anything".into()));
        let kept = request.only(|name| name == "given_name");
        assert_eq!(
            kept.to_string(),
            r#"{"id_token":{},"userinfo":{"given_name":{"essential":true}}}"#
        );
    }

    #[test]
    fn what_is_not_understood_is_ignored_and_what_is_wrong_is_refused() {
        for text in [
            "{}",
            r#"{"userinfo":{}}"#,
            r#"{"verified_claims":[1],"userinfo":{}}"#,
        ] {
            assert!(read(text).unwrap().is_empty(), "{text}");
        }
        let odd = read(r#"{"userinfo":{"a":{"purpose":"x","values":[1,{"b":2},null]},"c":{}}}"#).unwrap();
        assert_eq!(odd.userinfo.get("a").unwrap().values, Some(Vec::new()));
        assert!(
            !odd.userinfo.get("a").unwrap().takes(&1.into()),
            "none of these is a value of ours"
        );
        assert_eq!(odd.userinfo.get("c"), Some(&AskedClaim::default()));
        for shape in [
            "[]",
            "null",
            "\"x\"",
            "1",
            r#"{"userinfo":null}"#,
            r#"{"userinfo":[]}"#,
            r#"{"id_token":"name"}"#,
            r#"{"userinfo":{"name":true}}"#,
            r#"{"userinfo":{"name":"x"}}"#,
            r#"{"userinfo":{"name":[]}}"#,
            r#"{"userinfo":{"name":{"essential":"true"}}}"#,
            r#"{"userinfo":{"name":{"essential":null}}}"#,
            r#"{"userinfo":{"name":{"values":"x"}}}"#,
            r#"{"userinfo":{"name":{"value":"x","values":["x"]}}}"#,
        ] {
            assert_eq!(read(shape), Err(InvalidClaims::Shape), "{shape}");
        }
        for json in [
            "",
            "{",
            "userinfo",
            r#"{"userinfo":{"name":null,"name":null}}"#,
            r#"{"userinfo":{},"userinfo":{}}"#,
            &format!(
                r#"{{"userinfo":{{"name":{{"x":{}{}}}}}}}"#,
                "[".repeat(20),
                "]".repeat(20)
            ),
        ] {
            assert_eq!(read(json), Err(InvalidClaims::NotJson), "{json}");
        }
    }

    fn value() -> impl Strategy<Value = Value> {
        prop_oneof![
            any::<bool>().prop_map(Value::from),
            "[a-z\"\\\\é]{0,8}".prop_map(Value::from)
        ]
    }

    fn asked() -> impl Strategy<Value = AskedClaims> {
        let values = proptest::option::of(proptest::collection::vec(value(), 0..4));
        let claim =
            (any::<bool>(), values).prop_map(|(is_essential, values)| AskedClaim { is_essential, values });
        proptest::collection::btree_map("[a-z_#\"\\u{e9}]{0,8}", claim, 0..6).prop_map(AskedClaims)
    }

    /// Something that looks like what is asked for, and may be anything.
    fn nearly() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<i64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            value(),
        ];
        let name = prop_oneof![
            Just("userinfo"),
            Just("id_token"),
            Just("essential"),
            Just("value"),
            Just("values"),
            Just("name"),
            Just("sub"),
        ];
        leaf.prop_recursive(5, 40, 6, move |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                proptest::collection::btree_map(name.clone().prop_map(str::to_owned), inner, 0..5)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn what_is_written_reads_as_it_was(userinfo in asked(), id_token in asked()) {
            let request = ClaimsRequest { userinfo, id_token };
            prop_assert_eq!(read(&request.to_string()), Ok(request));
        }

        #[test]
        fn any_text_is_read_or_refused(text in ".{0,300}") {
            if let Ok(request) = read(&text) {
                prop_assert_eq!(read(&request.to_string()), Ok(request));
            }
        }

        #[test]
        fn anything_like_it_is_read_or_refused_and_then_means_one_thing(value in nearly()) {
            if let Ok(request) = read(&value.to_string()) {
                prop_assert_eq!(read(&request.to_string()), Ok(request));
            }
        }
    }
}
