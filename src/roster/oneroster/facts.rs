//! Who a pupil is: names of `users.csv`, birth date and sex of `demographics.csv`.

use super::table::Line;
use crate::base::time::parse_date;
use crate::domain::ine::Ine;
use crate::domain::source::{PersonFacts, Sex};
use crate::roster::field::Complaints;

/// The facts of a pupil. `None` goes with at least one error.
pub(super) fn facts(
    line: &Line<'_>,
    birth: Option<&(Option<String>, Option<Sex>)>,
    complaints: &mut Complaints<'_>,
) -> Option<PersonFacts> {
    let family_name = complaints.mandatory_name(Some(line.get("familyName")), "nom", "familyName");
    let given_name = complaints.mandatory_name(Some(line.get("givenName")), "prénom", "givenName");
    let written = birth.and_then(|(birth, _)| birth.as_deref());
    let birth_date = written.and_then(parse_date);
    if birth_date.is_none() {
        complaints.error("élève sans date de naissance lisible (demographics.csv, birthDate)");
    }
    let (family_name, given_name, birth_date) = (family_name?, given_name?, birth_date?);
    let others = complaints.optional_name(Some(line.get("middleName")), "middleName");
    Some(PersonFacts {
        family_name,
        usage_name: None,
        given_name,
        other_names: others.into_iter().collect(),
        birth_date,
        sex: birth.and_then(|(_, sex)| *sex),
        ine: ine(line.get("userIds")),
    })
}

/// The INE of `{INE:123456789AB},{…:…}`, where a system that may hold it writes it there.
fn ine(user_ids: &str) -> Option<Ine> {
    user_ids
        .split(',')
        .map(|one| one.trim().trim_matches(['{', '}']))
        .filter_map(|one| one.split_once(':'))
        .find(|(kind, _)| kind.trim().eq_ignore_ascii_case("INE"))
        .and_then(|(_, number)| number.trim().parse().ok())
}
