//! The lines of each preset: what a service calls what.

use super::Line;
use crate::domain::relying_party::{CasSource, ValueFormat};

const fn line(name: &'static str, from: CasSource) -> Line<'static> {
    written(name, from, ValueFormat::Plain)
}

const fn written(name: &'static str, from: CasSource, format: ValueFormat) -> Line<'static> {
    Line {
        name,
        from,
        format,
        join: None,
    }
}

/// The short names of the annuaire ENT (SDET), and of LDAP where that has none.
pub(super) const CAS3: &[Line<'static>] = &[
    line("uid", CasSource::PreferredUsername),
    line("givenName", CasSource::GivenName),
    line("sn", CasSource::FamilyName),
    line("displayName", CasSource::Name),
    written(
        "ENTPersonDateNaissance",
        CasSource::BirthDate,
        ValueFormat::DayFirst,
    ),
    line("gender", CasSource::Gender),
    line("preferredLanguage", CasSource::Locale),
    line("mail", CasSource::Email),
    line("telephoneNumber", CasSource::PhoneNumber),
    line("street", CasSource::Street),
    line("postalCode", CasSource::PostalCode),
    line("l", CasSource::Locality),
    line("ENTPersonStructRattachUAI", CasSource::Uai),
    line("ENTPersonProfils", CasSource::Profile),
    line("ENTEleveNivFormation", CasSource::Level),
    line("ENTEleveClasses", CasSource::Class),
];

pub(super) const PRONOTE: &[Line<'static>] = &[
    line("nom", CasSource::FamilyName),
    line("prenom", CasSource::GivenName),
    written("dateNaissance", CasSource::BirthDate, ValueFormat::DayFirst),
    line("codePostal", CasSource::PostalCode),
    Line {
        name: "categories",
        from: CasSource::Profile,
        format: ValueFormat::ProfileNumber,
        join: Some(";"),
    },
];

/// The fields of a Moodle user.
pub(super) const MOODLE: &[Line<'static>] = &[
    line("firstname", CasSource::GivenName),
    line("lastname", CasSource::FamilyName),
    line("email", CasSource::Email),
    line("lang", CasSource::Locale),
    line("phone1", CasSource::PhoneNumber),
    line("city", CasSource::Locality),
    line("institution", CasSource::Uai),
    line("department", CasSource::Class),
];

/// What stands in `userAttributes` before the schools.
pub(super) const ENTCORE: &[Line<'static>] = &[
    line("login", CasSource::PreferredUsername),
    line("lastName", CasSource::FamilyName),
    line("firstName", CasSource::GivenName),
    line("displayName", CasSource::Name),
    line("birthDate", CasSource::BirthDate),
    line("email", CasSource::Email),
    written("profile", CasSource::Profile, ValueFormat::ProfileWord),
];

/// What stands in an answer to KNE before the lists.
pub(super) const KNE: &[Line<'static>] = &[
    line("ENTPersonNom", CasSource::FamilyName),
    line("ENTPersonPrenom", CasSource::GivenName),
    line("ENTPersonStructRattachUAI", CasSource::Uai),
    written("ENTEleveMEF", CasSource::Level, ValueFormat::Mef),
];
