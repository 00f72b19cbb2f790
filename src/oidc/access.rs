//! Whether a service is open for a person: it serves a school they are in today, and the school year has begun for them
//! there. Every path of every protocol asks here, at the door and at redemption, so that none can forget one of the two.

use crate::base::time::{Date, Timestamp};
use crate::domain::access_date::held_back_until;
use crate::domain::enrolment::Enrolment;
use crate::domain::relying_party::RelyingParty;

/// Why a service is not open for a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Closed {
    /// It serves no school that they are in.
    NoSchool,
    /// It will be, from this day on.
    Until(Date),
}

impl Closed {
    /// What the journal says.
    pub const fn reason(self) -> &'static str {
        match self {
            Self::NoSchool => "not open for a school of this person",
            Self::Until(_) => "the access date of this person is still to come",
        }
    }
}

/// Whether the party is open for a person with these live enrolments. One without a list of schools serves everybody, staff
/// without an enrolment included; one with a list serves those who have a live enrolment in one of its schools. Of a pupil,
/// one enrolment by which the party serves them must be open.
///
/// The day is that of France: whoever is told a day gets in at its midnight there.
///
/// # Errors
/// [`Closed`].
pub fn check(party: &RelyingParty, live: &[Enrolment], now: Timestamp) -> Result<(), Closed> {
    let served: Vec<&Enrolment> = live
        .iter()
        .filter(|enrolment| party.serves(&enrolment.school))
        .collect();
    if served.is_empty() && !party.schools.is_empty() {
        return Err(Closed::NoSchool);
    }
    match held_back_until(&served, now.date_in_france()) {
        None => Ok(()),
        Some(day) => Err(Closed::Until(day)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::time::parse_date;
    use crate::domain::testing::{enrolment, party, person};

    const ECOLE: &str = "9990001X";
    const COLLEGE: &str = "9990101F";

    #[test]
    fn a_service_is_open_by_an_open_enrolment_in_a_school_that_it_serves() {
        let lina = person("Lina", 1);
        let opens_on = parse_date("2026-09-07").unwrap();
        let mut college = enrolment(&lina, COLLEGE, "6EME");
        college.opens_on = Some(opens_on);
        let live = [enrolment(&lina, ECOLE, "CM2"), college];
        let for_schools = |schools: &[&str]| {
            let mut party = party("ent");
            party.schools = schools.iter().map(|uai| uai.parse().unwrap()).collect();
            party
        };
        let at = |moment| Timestamp::from_rfc3339(moment).unwrap();
        let (before, midnight) = (at("2026-09-06T21:59:59Z"), at("2026-09-06T22:00:00Z"));
        let held = Err(Closed::Until(opens_on));
        for (party, live, early, late) in [
            (for_schools(&[]), &live[..], Ok(()), Ok(())),
            (for_schools(&[]), &live[1..], held, Ok(())),
            (for_schools(&[]), &[][..], Ok(()), Ok(())),
            (for_schools(&[COLLEGE]), &live[..], held, Ok(())),
            (
                for_schools(&[COLLEGE]),
                &live[..1],
                Err(Closed::NoSchool),
                Err(Closed::NoSchool),
            ),
            (
                for_schools(&[COLLEGE]),
                &[][..],
                Err(Closed::NoSchool),
                Err(Closed::NoSchool),
            ),
            (for_schools(&[ECOLE]), &live[..], Ok(()), Ok(())),
            (for_schools(&[ECOLE, COLLEGE]), &live[..], Ok(()), Ok(())),
        ] {
            let at = |moment| check(&party, live, moment);
            assert_eq!(
                (at(before), at(midnight)),
                (early, late),
                "{:?} {live:?}",
                party.schools
            );
        }
    }
}
