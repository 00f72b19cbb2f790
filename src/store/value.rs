//! Values that go into statements and come out of rows: text, number, truth, bytes, each possibly NULL.

use sqlx::{Decode, Postgres, Sqlite, Type};

use crate::base::time::{Date, Timestamp};

/// A parameter of a statement; a NULL keeps its type, which PostgreSQL needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// TEXT.
    Text(Option<String>),
    /// BIGINT.
    Int(Option<i64>),
    /// BOOLEAN.
    Bool(Option<bool>),
    /// BYTEA.
    Bytes(Option<Vec<u8>>),
}

/// A type that a column may be read as.
pub trait FromColumn:
    for<'r> Decode<'r, Sqlite> + Type<Sqlite> + for<'r> Decode<'r, Postgres> + Type<Postgres> + Send + Unpin
{
}

macro_rules! columns {
    ($($kind:ty),+) => {$(
        impl FromColumn for $kind {}
        impl FromColumn for Option<$kind> {}
    )+};
}
columns!(String, i64, bool, Vec<u8>);

macro_rules! values {
    ($($from:ty => |$value:ident| $variant:ident $to:expr),+ $(,)?) => {$(
        impl From<$from> for Value {
            fn from($value: $from) -> Self {
                Self::$variant(Some($to))
            }
        }

        impl From<Option<$from>> for Value {
            fn from(value: Option<$from>) -> Self {
                Self::$variant(value.map(|$value| $to))
            }
        }
    )+};
}
values! {
    &str => |value| Text value.to_owned(),
    String => |value| Text value,
    &String => |value| Text value.clone(),
    i64 => |value| Int value,
    bool => |value| Bool value,
    Vec<u8> => |value| Bytes value,
    &[u8] => |value| Bytes value.to_vec(),
    &[u8; 32] => |value| Bytes value.to_vec(),
    [u8; 32] => |value| Bytes value.to_vec(),
    Timestamp => |value| Int value.micros(),
    Date => |value| Text value.to_string(),
}

/// The text of anything that writes itself: ids, codes, stored names.
pub fn text(value: impl std::fmt::Display) -> Value {
    Value::Text(Some(value.to_string()))
}

/// [`text`] of something that may be missing.
pub fn text_or_null(value: Option<impl std::fmt::Display>) -> Value {
    Value::Text(value.map(|value| value.to_string()))
}
