//! Credential: something by which a person proves who they are at Marelle itself.

use super::stored_names;

/// What kind of credential it is; a person has at most one of each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CredentialKind {
    /// A password.
    Password,
    /// A picture code on a class page.
    Picture,
}
stored_names!(CredentialKind, "credential kind", { Password => "password", Picture => "picture" });
