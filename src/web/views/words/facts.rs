//! Owns the words for what is known of a person, in both languages: for a child, for an adult, and dates.

use chrono::Datelike;

use crate::base::time::Date;
use crate::domain::education::Profile;
use crate::domain::relying_party::Attribute;
use crate::web::views::lang::Lang;

type Text = &'static str;

const fn either(lang: Lang, fr: Text, en: Text) -> Text {
    match lang {
        Lang::Fr => fr,
        Lang::En => en,
    }
}

/// An attribute in a child's words: "this service will know: …".
pub(in crate::web::views) const fn for_child(lang: Lang, attribute: Attribute) -> Text {
    match attribute {
        Attribute::GivenName => either(lang, "ton prénom", "your first name"),
        Attribute::FamilyName => either(lang, "ton nom de famille", "your family name"),
        Attribute::Name => either(lang, "ton prénom et ton nom", "your first name and family name"),
        Attribute::PreferredUsername => either(lang, "ton identifiant", "your username"),
        Attribute::BirthDate => either(lang, "ta date de naissance", "your date of birth"),
        Attribute::Locale => either(lang, "ta langue", "your language"),
        Attribute::Gender => either(
            lang,
            "si tu es une fille ou un garçon",
            "if you are a girl or a boy",
        ),
        Attribute::Email => either(lang, "ton adresse e-mail", "your e-mail address"),
        Attribute::PhoneNumber => either(lang, "ton numéro de téléphone", "your phone number"),
        Attribute::Address => either(lang, "où tu habites", "where you live"),
        Attribute::Uai => either(lang, "où tu vas à l’école", "where you go to school"),
        Attribute::Level => either(lang, "ton niveau (CM2, 6e…)", "your year (CM2, 6e…)"),
        Attribute::Class => either(lang, "ta classe", "your class"),
        Attribute::Profile => either(lang, "que tu es élève", "that you are a pupil"),
        Attribute::EntPersonJointure => either(
            lang,
            "ton numéro dans le fichier de l’académie",
            "your number in the files of the academy",
        ),
        Attribute::FrEduCtRefId => either(lang, "ton numéro dans ÉduConnect", "your number in ÉduConnect"),
        Attribute::FrEduVecteur => either(
            lang,
            "ton numéro dans le fichier de ton école",
            "your number in the files of your school",
        ),
    }
}

/// An attribute as an adult reads it, before its value.
pub(in crate::web::views) const fn label(lang: Lang, attribute: Attribute) -> Text {
    match attribute {
        Attribute::GivenName => either(lang, "Prénom", "First name"),
        Attribute::FamilyName => either(lang, "Nom de famille", "Family name"),
        Attribute::Name => either(lang, "Prénom et nom", "Full name"),
        Attribute::PreferredUsername => either(lang, "Identifiant de connexion", "Username"),
        Attribute::BirthDate => either(lang, "Date de naissance", "Date of birth"),
        Attribute::Locale => either(lang, "Langue", "Language"),
        Attribute::Gender => either(lang, "Sexe", "Gender"),
        Attribute::Email => either(lang, "Adresse e-mail", "E-mail address"),
        Attribute::PhoneNumber => either(lang, "Numéro de téléphone", "Phone number"),
        Attribute::Address => either(lang, "Adresse postale", "Postal address"),
        Attribute::Uai => either(lang, "Établissement (code UAI)", "School (UAI code)"),
        Attribute::Level => either(lang, "Niveau", "Level"),
        Attribute::Class => either(lang, "Classe", "Class"),
        Attribute::Profile => either(lang, "Profil", "Profile"),
        Attribute::EntPersonJointure => either(
            lang,
            "Numéro dans l’annuaire académique (AAF)",
            "Number in the directory of the academy (AAF)",
        ),
        Attribute::FrEduCtRefId => either(
            lang,
            "Numéro technique ÉduConnect",
            "Technical number of ÉduConnect",
        ),
        Attribute::FrEduVecteur => either(
            lang,
            "Vecteur d’identité (numéro dans l’établissement)",
            "Identity vector (number in the school)",
        ),
    }
}

/// What somebody is in a school.
pub(in crate::web::views) const fn profile(lang: Lang, profile: Profile) -> Text {
    match profile {
        Profile::Pupil => either(lang, "élève", "pupil"),
        Profile::Guardian => either(lang, "responsable d’élève", "guardian"),
        Profile::Teacher => either(lang, "enseignant", "teacher"),
        Profile::Head => either(lang, "direction", "head"),
        Profile::SchoolStaff => either(lang, "vie scolaire", "school staff"),
        Profile::Staff => either(lang, "personnel de l’établissement", "staff"),
        Profile::AcademyStaff => either(lang, "personnel académique", "academy staff"),
        Profile::AuthorityOfficer => either(lang, "agent de la collectivité", "authority officer"),
        Profile::Librarian => either(lang, "documentaliste", "librarian"),
    }
}

/// A value of the claim `gender` (OpenID Connect Core §5.1).
pub(in crate::web::views) fn gender(lang: Lang, value: &str) -> String {
    match (lang, value) {
        (Lang::Fr, "female") => "femme".to_owned(),
        (Lang::Fr, "male") => "homme".to_owned(),
        _ => value.to_owned(),
    }
}

const MONTHS: [(Text, Text); 12] = [
    ("janvier", "January"),
    ("février", "February"),
    ("mars", "March"),
    ("avril", "April"),
    ("mai", "May"),
    ("juin", "June"),
    ("juillet", "July"),
    ("août", "August"),
    ("septembre", "September"),
    ("octobre", "October"),
    ("novembre", "November"),
    ("décembre", "December"),
];

const WEEKDAYS: [(Text, Text); 7] = [
    ("lundi", "Monday"),
    ("mardi", "Tuesday"),
    ("mercredi", "Wednesday"),
    ("jeudi", "Thursday"),
    ("vendredi", "Friday"),
    ("samedi", "Saturday"),
    ("dimanche", "Sunday"),
];

/// A day, as it is said of one that is still to come.
pub(in crate::web::views) fn coming_day(lang: Lang, date: Date) -> String {
    let weekday = WEEKDAYS.get(date.weekday().num_days_from_monday() as usize);
    let (fr, en) = weekday.copied().unwrap_or_default();
    format!("{} {}", either(lang, fr, en), day(lang, date))
}

/// A day, as it is said.
pub(in crate::web::views) fn day(lang: Lang, date: Date) -> String {
    let month = MONTHS.get(date.month0() as usize);
    let (fr, en) = month.copied().unwrap_or_default();
    let (number, year) = (date.day(), date.year());
    match (lang, number) {
        (Lang::Fr, 1) => format!("1er {fr} {year}"),
        (Lang::Fr, _) => format!("{number} {fr} {year}"),
        (Lang::En, _) => format!("{number} {en} {year}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::time::parse_date;

    #[test]
    fn a_day_is_said_as_people_say_it() {
        let said = |lang, text| day(lang, parse_date(text).unwrap());
        assert_eq!(said(Lang::Fr, "2026-10-01"), "1er octobre 2026");
        assert_eq!(said(Lang::Fr, "2026-12-31"), "31 décembre 2026");
        assert_eq!(said(Lang::En, "2026-01-01"), "1 January 2026");
        let comes = |lang, text| coming_day(lang, parse_date(text).unwrap());
        assert_eq!(comes(Lang::Fr, "2026-09-07"), "lundi 7 septembre 2026");
        assert_eq!(comes(Lang::En, "2026-09-13"), "Sunday 13 September 2026");
    }
}
