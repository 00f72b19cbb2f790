//! L1: the nouns of the design and the transitions they allow.
//!
//! No input or output, no clock, no SQL, no protocol. What a value may be is decided where it is made; what may follow
//! a state is decided by the state.

pub mod access_date;
pub mod acknowledgement;
pub mod assignment;
pub mod assurance;
pub mod audit;
pub mod cas_ticket;
pub mod claims_request;
pub mod class_group;
pub mod contact;
pub mod credential;
pub mod departure;
pub mod education;
pub mod enrolment;
pub mod grant;
pub mod identity;
pub mod import;
pub mod ine;
pub mod matching;
pub mod registration;
pub mod relying_party;
pub mod resource_server;
pub mod saml_entity;
pub mod saml_source;
pub mod security_event;
pub mod service_token;
pub mod session;
pub mod signing_key;
pub mod source;
pub mod throttle;
pub mod uai;
pub mod upstream;

#[cfg(test)]
pub(crate) mod testing;

/// A state that does not allow what was asked of it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a {noun} that is {state} cannot {action}")]
pub struct InvalidTransition {
    /// The noun.
    pub noun: &'static str,
    /// The state it is in.
    pub state: &'static str,
    /// What was asked.
    pub action: &'static str,
}

/// Stored or declared text that names no value of the expected kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("«{text}» is not a {kind}{hint}")]
pub struct InvalidValue {
    /// What kind of value was expected.
    pub kind: &'static str,
    /// What was given (never for secret kinds: there it is a stand-in).
    pub text: String,
    /// What would have been right, with its own punctuation.
    pub hint: &'static str,
}

/// Gives an enum of plain variants its stored text, both ways, and the list of all.
macro_rules! stored_names {
    ($name:ident, $kind:literal, { $($variant:ident => $text:literal),+ $(,)? }) => {
        impl $name {
            /// Every value.
            pub const ALL: &'static [$name] = &[$($name::$variant),+];

            /// The stored and declared form.
            pub const fn as_str(self) -> &'static str {
                match self { $($name::$variant => $text),+ }
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::domain::InvalidValue;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                match text {
                    $($text => Ok($name::$variant),)+
                    _ => Err($crate::domain::InvalidValue {
                        kind: $kind,
                        text: text.to_owned(),
                        hint: concat!(" (known:", $(" ", $text),+, ")"),
                    }),
                }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = <std::borrow::Cow<'de, str> as serde::Deserialize>::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}
pub(crate) use stored_names;
