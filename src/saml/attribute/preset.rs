//! What each preset writes in its own way: identifiers, and what somebody is in a school.

use super::name;
use super::{Login, Written};
use crate::domain::education::Profile;
use crate::domain::relying_party::{Attribute, Preset};
use crate::release::Disclosure;

/// What is written besides the policy: the subject under the name that the party looks for, and what is no data about the
/// person.
pub(super) fn identifiers(preset: Preset, login: &Login<'_>, disclosure: &Disclosure<'_>) -> Vec<Written> {
    let subject = || login.subject.to_owned();
    let all = match preset {
        Preset::Bare => vec![],
        Preset::Entcore => {
            let key = disclosure.external_id().unwrap_or_else(subject);
            vec![Written::new(name::ID_ENT, [key])]
        }
        Preset::EduConnect => vec![
            Written::new(name::CT_ID, [subject()]),
            Written::new(name::URL_RETOUR, [login.leave.to_owned()]),
            Written::new(name::CT_DATE, [date_and_time(login)]),
        ],
        // SAML V2.0 Subject Identifier Attributes Profile §3.4: at most 127 characters each side of the sign.
        Preset::Renater => vec![Written::new(
            name::PAIRWISE,
            [format!("{}@{}", login.subject, login.scope)],
        )],
    };
    all.into_iter().flatten().collect()
}

/// `2021-10-08 11:51:33.437`, as EduConnect writes it.
fn date_and_time(login: &Login<'_>) -> String {
    let millis = login.authenticated_at.micros().rem_euclid(1_000_000) / 1000;
    let text = login.authenticated_at.to_string().replace('T', " ");
    format!("{}.{millis:03}", text.trim_end_matches('Z'))
}

/// What somebody is: by the codes of the annuaire ENT, by EduConnect's, or by eduPerson's.
pub(super) fn profiles(preset: Preset, login: &Login<'_>, disclosure: &Disclosure<'_>) -> Vec<Written> {
    let profiles = disclosure.of_schooling(Attribute::Profile);
    let known = || {
        profiles
            .iter()
            .filter_map(|profile| profile.parse::<Profile>().ok())
    };
    let written = match preset {
        Preset::Bare | Preset::Entcore => [Written::new(name::PROFILES, profiles.clone()), None],
        Preset::EduConnect => {
            let levels = disclosure.of_schooling(Attribute::Level);
            let codes = known().filter_map(|profile| educonnect(profile, &levels));
            [Written::new(name::CT_AFFILIATION, distinct(codes)), None]
        }
        Preset::Renater => {
            let plain = distinct(known().flat_map(edu_person).copied());
            let scoped: Vec<_> = plain.iter().map(|one| format!("{one}@{}", login.scope)).collect();
            [
                Written::new(name::AFFILIATION, plain),
                Written::new(name::SCOPED_AFFILIATION, scoped),
            ]
        }
    };
    written.into_iter().flatten().collect()
}

fn distinct(values: impl Iterator<Item = &'static str>) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    for value in values {
        if !all.iter().any(|known| known == value) {
            all.push(value.to_owned());
        }
    }
    all
}

/// The levels of the first degree, as feeds write them.
const FIRST_DEGREE: [&str; 9] = ["PS", "MS", "GS", "CP", "CE1", "CE2", "CM1", "CM2", "TPS"];

/// EduConnect tells pupils and those who are responsible for them, by the degree; nothing where the level may not leave.
fn educonnect(profile: Profile, levels: &[String]) -> Option<&'static str> {
    levels.first()?;
    let is_first = levels
        .iter()
        .any(|level| FIRST_DEGREE.iter().any(|first| level.starts_with(first)));
    match (profile, is_first) {
        (Profile::Pupil, true) => Some("eleve1d"),
        (Profile::Pupil, false) => Some("eleve2d"),
        (Profile::Guardian, true) => Some("resp1d"),
        (Profile::Guardian, false) => Some("resp2d"),
        _ => None,
    }
}

/// eduPerson §2.2.1, with `teacher` and `staff` as RENATER knows them.
fn edu_person(profile: Profile) -> &'static [&'static str] {
    match profile {
        Profile::Pupil => &["student", "member"],
        Profile::Teacher | Profile::Librarian => &["teacher", "member"],
        Profile::Head | Profile::SchoolStaff | Profile::Staff | Profile::AcademyStaff => &["staff", "member"],
        Profile::Guardian | Profile::AuthorityOfficer => &["affiliate"],
    }
}
