//! Upstream providers: who else may say who somebody is, and what of that is believed.
//!
//! What an operator declares of a provider ([`UpstreamProvider`]) and what is fetched of it ([`Metadata`]) are two things: a
//! refresh never writes the first. Which person a login there is of is a [`Link`], and nothing else is.

mod link;
mod metadata;
mod protocol;
mod staff_rule;

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

pub use link::{Binding, Link, LinkEnd};
pub use metadata::{Health, Metadata, MetadataChange, MetadataState, SignOnService};
pub use protocol::{FixedEndpoints, OidcProvider, Protocol, SamlProvider, Userinfo};
pub use staff_rule::{Holder, Over, StaffRule};

use super::assurance::Acr;
use super::education::AcademyCode;
use super::{InvalidValue, stored_names};
use crate::base::time::Date;

/// The identifier of a provider: it stands in addresses.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ProviderId(String);

impl ProviderId {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for ProviderId {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        let symbols = |symbol: u8| symbol.is_ascii_lowercase() || symbol.is_ascii_digit() || symbol == b'-';
        if (1..=50).contains(&text.len()) && text.bytes().all(symbols) {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidValue {
                kind: "upstream provider id",
                text: text.to_owned(),
                hint: " (1 to 50 lower-case letters, digits, -)",
            })
        }
    }
}

impl TryFrom<String> for ProviderId {
    type Error = InvalidValue;

    fn try_from(text: String) -> Result<Self, InvalidValue> {
        text.parse()
    }
}

impl From<ProviderId> for String {
    fn from(id: ProviderId) -> Self {
        id.0
    }
}

impl fmt::Display for ProviderId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Whom a way in is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Population {
    /// Pupils of écoles.
    PupilFirst,
    /// Pupils of collèges and lycées.
    PupilSecond,
    /// Guardians.
    Guardian,
    /// Teachers, heads, staff of schools, authorities and academies.
    Staff,
}
stored_names!(Population, "population", {
    PupilFirst => "pupil_1d", PupilSecond => "pupil_2d", Guardian => "guardian", Staff => "staff",
});

/// What is built in of a provider: names of attributes and claims, and what it is asked with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Preset {
    /// EduConnect by SAML.
    EduConnectSaml,
    /// EduConnect by OpenID Connect.
    EduConnectOidc,
    /// The agents of the ministry by OpenID Connect (FIM).
    FimOidc,
    /// The agents of an academy by SAML.
    AgentsSaml,
    /// ProConnect.
    ProConnect,
    /// FranceConnect.
    FranceConnect,
    /// An ENT on entcore by OpenID Connect.
    EntcoreOidc,
    /// Any provider of SAML 2.0.
    GenericSaml,
    /// Any provider of OpenID Connect.
    GenericOidc,
}
stored_names!(Preset, "upstream preset", {
    EduConnectSaml => "educonnect-saml", EduConnectOidc => "educonnect-oidc", FimOidc => "fim-oidc",
    AgentsSaml => "agents-saml", ProConnect => "proconnect", FranceConnect => "franceconnect",
    EntcoreOidc => "entcore-oidc", GenericSaml => "generic-saml", GenericOidc => "generic-oidc",
});

/// What becomes of somebody whom no proof binds to an identity.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Otherwise {
    /// They are not let in.
    #[default]
    Refuse,
    /// They sign in once as before: with a picture code or a password of here.
    Ask,
    /// A human says who they are.
    Case,
    /// They become a new identity, where nobody of that name and birth date is known; else a human says.
    Create,
}
stored_names!(Otherwise, "linking policy", { Refuse => "refuse", Ask => "ask", Case => "case", Create => "create" });

/// What binds a login of a provider to an identity, beside a link that is known. Never an address of electronic mail, never
/// a name alone: neither can be declared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Linking {
    /// Keys of the ministry's feeds that it states (`FrEduCtRefId`, `FrEduVecteur`).
    pub by_source_key: bool,
    /// The INE, where the provider is entitled to state it and we are to read it.
    pub by_ine: bool,
    /// Whether a guardian whose vectors lead to pupils whom we know becomes one adult, and theirs.
    pub guardians_by_child: bool,
    /// What becomes of everybody else.
    pub otherwise: Otherwise,
}

/// How sure a login there is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Assurance {
    /// Where the provider says nothing that is listed.
    pub default: Acr,
    /// What it says (`AuthnContextClassRef`, `acr` or a value of `amr`), and what that is here.
    pub by_context: Vec<(String, Acr)>,
}

impl Assurance {
    /// How sure a login is of which the provider says this.
    pub fn of<'a>(&self, said: impl IntoIterator<Item = &'a str>) -> Acr {
        let said: Vec<&str> = said.into_iter().collect();
        let known = self
            .by_context
            .iter()
            .filter(|(context, _)| said.contains(&context.as_str()));
        known.map(|(_, acr)| *acr).max().unwrap_or(self.default)
    }

    /// The surest login that it can bring.
    pub fn best(&self) -> Acr {
        self.by_context
            .iter()
            .map(|(_, acr)| *acr)
            .fold(self.default, Ord::max)
    }
}

impl Default for Assurance {
    fn default() -> Self {
        Self {
            default: Acr::SingleFactor,
            by_context: Vec::new(),
        }
    }
}

/// A provider, as declared.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UpstreamProvider {
    /// Its id.
    pub id: ProviderId,
    /// Its name, as people are shown it.
    pub name: String,
    /// What is built in.
    pub preset: Preset,
    /// Whom it signs in.
    pub populations: Vec<Population>,
    /// How it is spoken to.
    pub protocol: Protocol,
    /// What binds its people.
    pub linking: Linking,
    /// How sure it is.
    pub assurance: Assurance,
    /// The academies whose keys it may state; empty for all of them.
    pub academies: Vec<AcademyCode>,
    /// What its word about staff is worth here.
    #[serde(default)]
    pub staff_rules: Vec<StaffRule>,
    /// The convention that it rests on.
    pub convention: Option<String>,
    /// The first day of that convention.
    pub starts_on: Option<Date>,
    /// The first day after it.
    pub ends_on: Option<Date>,
    /// Whether it is in use.
    pub enabled: bool,
}

impl UpstreamProvider {
    /// Whether people may come by it on a day: on every path, asked for or not.
    pub fn is_open(&self, day: Date) -> bool {
        self.enabled
            && self.starts_on.is_none_or(|start| start <= day)
            && self.ends_on.is_none_or(|end| day < end)
    }

    /// Whether it may state keys of an academy.
    pub fn speaks_for(&self, academy: &AcademyCode) -> bool {
        self.academies.is_empty() || self.academies.contains(academy)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_surest_thing_that_is_said_counts_and_what_is_not_listed_says_nothing() {
        let assurance = Assurance {
            default: Acr::SingleFactor,
            by_context: vec![
                ("pwd".into(), Acr::SingleFactor),
                ("mfa".into(), Acr::MultiFactor),
                ("picture".into(), Acr::Class),
            ],
        };
        assert_eq!(assurance.of(["pwd", "mfa"]), Acr::MultiFactor);
        assert_eq!(
            assurance.of(["picture"]),
            Acr::Class,
            "less than by default, where it says so"
        );
        assert_eq!(assurance.of(["MFA", "x"]), Acr::SingleFactor);
        assert_eq!(assurance.of([]), Acr::SingleFactor);
        assert_eq!(assurance.best(), Acr::MultiFactor);
    }

    #[test]
    fn an_id_stands_in_an_address_as_it_is() {
        assert!("educonnect-2".parse::<ProviderId>().is_ok());
        for wrong in ["", "Edu", "a/b", "é", "a.b", &"x".repeat(51)] {
            assert!(wrong.parse::<ProviderId>().is_err(), "{wrong}");
        }
    }
}
