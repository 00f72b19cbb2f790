//! The attributes that the policy lists, in the form that those who read them expect.

use super::name::{self, Name};
use super::{Login, Written, preset};
use crate::domain::relying_party::{Attribute, Preset};
use crate::release::Disclosure;

/// Every attribute of the policy that the person has a value of.
pub(super) fn listed(preset: Preset, login: &Login<'_>, disclosure: &Disclosure<'_>) -> Vec<Written> {
    let of = |attribute: &Attribute| write(*attribute, preset, login, disclosure);
    Attribute::ALL.iter().flat_map(of).collect()
}

fn write(
    attribute: Attribute,
    preset: Preset,
    login: &Login<'_>,
    disclosure: &Disclosure<'_>,
) -> Vec<Written> {
    let text = |name: Name| Written::new(name, disclosure.text(attribute));
    let keys = |name: Name| Written::new(name, disclosure.keys(attribute));
    let schooling = |name: Name| Written::new(name, disclosure.of_schooling(attribute));
    let one = match attribute {
        Attribute::GivenName => text(name::GIVEN_NAME),
        Attribute::FamilyName => text(name::SN),
        Attribute::Name => text(name::DISPLAY_NAME),
        Attribute::PreferredUsername => text(name::LOGIN),
        Attribute::Locale => text(name::LANGUAGE),
        Attribute::Email => text(name::MAIL),
        Attribute::PhoneNumber => text(name::TELEPHONE),
        Attribute::BirthDate => birth_date(preset, disclosure),
        Attribute::Gender => Written::new(
            name::TITLE,
            disclosure.text(attribute).map(|gender| title(&gender).to_owned()),
        ),
        Attribute::Address => return address(disclosure),
        Attribute::Uai => return schools(preset, disclosure),
        Attribute::Class => Written::new(name::CLASSES, classes(disclosure)),
        Attribute::Level => schooling(name::LEVEL),
        Attribute::Profile => return preset::profiles(preset, login, disclosure),
        Attribute::EntPersonJointure => keys(name::JOINTURE),
        Attribute::FrEduCtRefId => keys(name::REF_ID),
        Attribute::FrEduVecteur => keys(name::VECTEUR),
    };
    one.into_iter().collect()
}

/// The annuaire ENT writes days first, EduConnect years.
fn birth_date(preset: Preset, disclosure: &Disclosure<'_>) -> Option<Written> {
    let date = disclosure.text(Attribute::BirthDate)?;
    if preset == Preset::EduConnect {
        return Written::new(name::CT_BIRTH_DATE, [date]);
    }
    let mut parts = date.split('-');
    let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
    Written::new(name::BIRTH_DATE, [format!("{day}/{month}/{year}")])
}

fn title(gender: &str) -> &'static str {
    match gender {
        "female" => "Mme",
        "male" => "M.",
        _ => "",
    }
}

fn address(disclosure: &Disclosure<'_>) -> Vec<Written> {
    let Some(address) = disclosure.address() else {
        return Vec::new();
    };
    let lines = [
        (name::STREET, &address.street),
        (name::POSTAL_CODE, &address.postal_code),
        (name::LOCALITY, &address.locality),
        (name::COUNTRY, &address.country),
    ];
    let written = |(name, line): (Name, &Option<_>)| {
        let line: Option<&crate::domain::contact::Line> = line.as_ref();
        Written::new(name, line.map(|line| line.as_str().to_owned()))
    };
    lines.into_iter().filter_map(written).collect()
}

fn schools(preset: Preset, disclosure: &Disclosure<'_>) -> Vec<Written> {
    let schools = disclosure.of_schooling(Attribute::Uai);
    let written = match preset {
        Preset::EduConnect => Written::new(name::CT_UAI, schools),
        // SUPANN names what kind of code it is.
        Preset::Renater => {
            let codes = schools.into_iter().map(|uai| format!("{{UAI}}{uai}"));
            Written::new(name::ESTABLISHMENT, codes)
        }
        Preset::Bare | Preset::Entcore => Written::new(name::UAI, schools),
    };
    written.into_iter().collect()
}

/// `school$class`, as the annuaire ENT writes classes, where the school may leave too.
fn classes(disclosure: &Disclosure<'_>) -> Vec<String> {
    let mut values: Vec<String> = Vec::new();
    for one in disclosure.schooling() {
        let Some(class) = one.get(&Attribute::Class) else {
            continue;
        };
        let value = match one.get(&Attribute::Uai) {
            Some(uai) => format!("{uai}${class}"),
            None => class.clone(),
        };
        if !values.contains(&value) {
            values.push(value);
        }
    }
    values
}
