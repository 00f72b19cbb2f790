//! Whether a service is open for a person: the relying party serves a school they are in today.

use crate::domain::enrolment::Enrolment;
use crate::domain::relying_party::RelyingParty;

/// Whether the party serves the person. One without a list of schools serves everybody, staff without an enrolment
/// included; one with a list serves those who have a live enrolment in one of its schools.
pub fn is_open(party: &RelyingParty, live: &[Enrolment]) -> bool {
    party.schools.is_empty() || live.iter().any(|enrolment| party.serves(&enrolment.school))
}
