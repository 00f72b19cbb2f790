//! L2: somebody whom another provider signed in: what it says of them, and which person of ours that is.
//!
//! | file | decides |
//! | --- | --- |
//! | `statements` | nothing: names and values, as an assertion or a set of claims has them |
//! | `preset` | which name says what, for each kind of provider |
//! | `vector` | how the ministry writes pupils and guardians, by exact grammar |
//! | `introduction` | what is known of a person after reading what a provider states |
//! | `staff` | what the ministry says of its agents, by exact grammar |
//! | `rights` | what that is worth here, by the rules of the provider |
//! | `linking` | whose login it is, or who has to say so |
//! | `choice` | which ways in a page offers |
//!
//! Knows neither SAML nor OpenID Connect: both bring [`Statements`]. Must never bind anybody by an address of electronic
//! mail, by a name, or by a name and a birth date.

pub mod choice;
pub mod introduction;
pub mod linking;
pub mod preset;
pub mod rights;
pub mod staff;
mod statements;
pub mod vector;

pub use introduction::Introduction;
pub use statements::Statements;
