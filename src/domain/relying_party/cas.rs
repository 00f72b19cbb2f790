//! A relying party as a CAS service: its addresses, and the shape of what it is told.
//!
//! The shape says how things are called and written; whether they leave is said by the release policy alone.

use serde::{Deserialize, Serialize};

use super::Attribute;
use crate::domain::stored_names;

/// The shape of what a service is told, for those that exist.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum CasPreset {
    /// `cas:attributes` of CAS 3.0, under the short names of the annuaire ENT (SDET).
    #[default]
    Cas3,
    /// What services of ENT on entcore read: `cas:userAttributes`, schools and classes inside one another.
    Entcore,
    /// PRONOTE.
    Pronote,
    /// Kiosque numérique de l’éducation (KNE).
    Kne,
    /// Moodle, by the names of its user fields.
    Moodle,
}
stored_names!(CasPreset, "preset", {
    Cas3 => "cas3", Entcore => "entcore", Pronote => "pronote", Kne => "kne", Moodle => "moodle",
});

/// Where a value comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CasSource {
    /// What the service calls the person, once more.
    Subject,
    /// Given name.
    GivenName,
    /// Usage or family name.
    FamilyName,
    /// Both together.
    Name,
    /// Login name.
    PreferredUsername,
    /// Birth date.
    BirthDate,
    /// Sex.
    Gender,
    /// Language.
    Locale,
    /// Address of electronic mail.
    Email,
    /// Telephone number.
    PhoneNumber,
    /// Street and number of the postal address.
    Street,
    /// Postal code of the postal address.
    PostalCode,
    /// Commune of the postal address.
    Locality,
    /// UAI of live enrolments.
    Uai,
    /// Level of live enrolments.
    Level,
    /// Class of live enrolments.
    Class,
    /// Profile of live enrolments.
    Profile,
}
stored_names!(CasSource, "source of an attribute", {
    Subject => "subject", GivenName => "given_name", FamilyName => "family_name", Name => "name",
    PreferredUsername => "preferred_username", BirthDate => "birthdate", Gender => "gender", Locale => "locale",
    Email => "email", PhoneNumber => "phone_number",
    Street => "street", PostalCode => "postal_code", Locality => "locality",
    Uai => "uai", Level => "level", Class => "class", Profile => "profile",
});

impl CasSource {
    /// The attribute that the release policy must list; none for what every service has anyway.
    pub const fn attribute(self) -> Option<Attribute> {
        match self {
            Self::Subject => None,
            Self::GivenName => Some(Attribute::GivenName),
            Self::FamilyName => Some(Attribute::FamilyName),
            Self::Name => Some(Attribute::Name),
            Self::PreferredUsername => Some(Attribute::PreferredUsername),
            Self::BirthDate => Some(Attribute::BirthDate),
            Self::Gender => Some(Attribute::Gender),
            Self::Locale => Some(Attribute::Locale),
            Self::Email => Some(Attribute::Email),
            Self::PhoneNumber => Some(Attribute::PhoneNumber),
            Self::Street | Self::PostalCode | Self::Locality => Some(Attribute::Address),
            Self::Uai => Some(Attribute::Uai),
            Self::Level => Some(Attribute::Level),
            Self::Class => Some(Attribute::Class),
            Self::Profile => Some(Attribute::Profile),
        }
    }
}

/// How a value is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum ValueFormat {
    /// As it is: dates `2016-08-17`, profiles `National_ELV`.
    #[default]
    Plain,
    /// A date as `17/08/2016`.
    DayFirst,
    /// A profile by its number before SDET 4: `National_1` pupil, `_2` guardian, `_3` teacher, `_4` everybody else.
    ProfileNumber,
    /// A profile in the words of entcore: `Student`, `Relative`, `Teacher`, `Personnel`.
    ProfileWord,
    /// A level, where it is a code of the module élémentaire de formation: eleven digits. Nothing else.
    Mef,
}
stored_names!(ValueFormat, "format of a value", {
    Plain => "plain", DayFirst => "DD/MM/YYYY", ProfileNumber => "National_1", ProfileWord => "Student", Mef => "MEF",
});

impl ValueFormat {
    /// Whether values from there can be written so.
    pub const fn suits(self, source: CasSource) -> bool {
        matches!(
            (self, source),
            (Self::Plain, _)
                | (Self::DayFirst, CasSource::BirthDate)
                | (Self::ProfileNumber | Self::ProfileWord, CasSource::Profile)
                | (Self::Mef, CasSource::Level)
        )
    }
}

/// A line of an operator's own in the shape: it takes the place of one of the preset that is called the same.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CasAttribute {
    /// What the service calls it: a name of XML.
    pub name: String,
    /// Where the value comes from.
    pub from: CasSource,
    /// How it is written.
    #[serde(default)]
    pub format: ValueFormat,
    /// What stands between several values; where nothing is said, each is a value of its own.
    #[serde(default)]
    pub join: Option<String>,
}

/// What the operator says of a CAS service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct CasService {
    /// The addresses that tickets may be sent to, and everything below their path.
    pub services: Vec<String>,
    /// The shape of what it is told.
    pub preset: CasPreset,
    /// Lines of its own in that shape.
    pub attributes: Vec<CasAttribute>,
    /// The parameter by which it says whom it believes to sign in people (`selection`, `idpId`).
    pub hint_parameter: Option<String>,
    /// Where it takes proxy-granting tickets, and everything below; one that has none may not act for people elsewhere.
    pub proxy_callbacks: Vec<String>,
    /// Whether it is told when a login has ended.
    pub single_logout: bool,
}

impl Default for CasService {
    fn default() -> Self {
        Self {
            services: Vec::new(),
            preset: CasPreset::default(),
            attributes: Vec::new(),
            hint_parameter: None,
            proxy_callbacks: Vec::new(),
            single_logout: true,
        }
    }
}
