//! Whether a service is open for a person: the relying party serves a school they are in today.

use crate::domain::enrolment::Enrolment;
use crate::domain::relying_party::RelyingParty;
use crate::domain::uai::Uai;

/// Whether the party serves the person. One without a list of schools serves everybody, staff without an enrolment
/// included; one with a list serves those who have a live enrolment in one of its schools.
pub fn is_open(party: &RelyingParty, live: &[Enrolment]) -> bool {
    is_open_at(party, live.iter().map(|enrolment| &enrolment.school))
}

/// [`is_open`], by the schools of the live enrolments.
pub fn is_open_at<'a>(party: &RelyingParty, mut schools: impl Iterator<Item = &'a Uai>) -> bool {
    party.schools.is_empty() || schools.any(|school| party.serves(school))
}
