//! What a provider's word about staff is worth here: rules that an operator declares, one right or two each.
//!
//! A rule says whom it is for and over what; it never widens what the provider said.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::domain::assignment::Role;
use crate::domain::education::Profile;
use crate::domain::stored_names;

/// Whom a rule is for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Holder {
    /// Whoever has this function (`DIR`).
    Function(String),
    /// Whoever was delegated this application.
    Delegation(String),
}

/// Over what.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Over {
    /// The schools that they answer for; those of the delegation, where it is one.
    Responsible,
    /// The schools where they have that function.
    Schools,
    /// Their academy.
    Academy,
}
stored_names!(Over, "reach of a staff rule", {
    Responsible => "responsible", Schools => "schools", Academy => "academy",
});

/// A rule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StaffRule {
    /// Whom it is for.
    pub holder: Holder,
    /// Over what.
    pub over: Over,
    /// The role that they have there.
    pub grants: Option<Role>,
    /// What they are enrolled as in those schools.
    pub profile: Option<Profile>,
}

impl fmt::Display for StaffRule {
    /// Its name, as it is kept with what came by it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.holder {
            Holder::Function(code) => write!(f, "function {code} over {}", self.over),
            Holder::Delegation(application) => write!(f, "delegation {application} over {}", self.over),
        }
    }
}
