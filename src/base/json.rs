//! JSON that means one thing: read from strangers, so names that come twice in one object are refused (RFC 8259 §4: "the
//! behavior of software that receives such an object is unpredictable"), and so is what is nested deeper than anybody
//! needs.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

/// How deep arrays and objects may stand in each other.
pub const DEEPEST: usize = 16;

/// Reads a text that is one JSON value and nothing else; `None` for any other text.
pub fn read(text: &str) -> Option<Value> {
    let mut reader = serde_json::Deserializer::from_str(text);
    let value = Strict(DEEPEST).deserialize(&mut reader).ok()?;
    reader.end().ok().map(|()| value)
}

/// Reads a value in which arrays and objects may stand as deep as this.
struct Strict(usize);

impl Strict {
    fn inner<E: Error>(&self) -> Result<Self, E> {
        let deeper = self.0.checked_sub(1);
        deeper.map(Self).ok_or_else(|| E::custom("nested too deep"))
    }
}

impl<'de> DeserializeSeed<'de> for Strict {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut all = Vec::new();
        while let Some(item) = items.next_element_seed(self.inner()?)? {
            all.push(item);
        }
        Ok(all.into())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let mut all = Map::new();
        while let Some(name) = members.next_key::<String>()? {
            let value = members.next_value_seed(self.inner()?)?;
            if all.insert(name, value).is_some() {
                return Err(A::Error::custom("a name came twice"));
            }
        }
        Ok(all.into())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn one_value_no_name_twice_not_too_deep() {
        let text = r#"{"a":[1,-2,true,null,"é",1.5],"b":{"a":{}}}"#;
        let value = json!({ "a": [1, -2, true, null, "é", 1.5], "b": { "a": {} } });
        assert_eq!(read(text), Some(value));
        for wrong in [
            "",
            "{",
            "{} {}",
            "{}x",
            "nul",
            r#"{"a":1,"a":1}"#,
            r#"{"a":{"b":1,"\u0062":2}}"#,
            "[1,]",
        ] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
        let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert!(read(&nested(DEEPEST)).is_some());
        assert!(read(&nested(DEEPEST + 2)).is_none());
        assert!(read(&nested(100_000)).is_none(), "and the stack holds");
    }

    proptest! {
        #[test]
        fn whatever_comes_it_is_read_or_not(text in ".{0,200}") {
            if let Some(value) = read(&text) {
                prop_assert_eq!(serde_json::from_str::<Value>(&text).ok(), Some(value));
            }
        }
    }
}
