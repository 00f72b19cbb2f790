//! Enrolment: an identity in a school, in a class, from–to, in one school year, by one source.

use super::education::{Profile, SchoolYear};
use super::uai::Uai;
use crate::base::id::{ClassGroupId, EnrolmentId, IdentityId};
use crate::base::time::Date;

/// A dated relation; several may be live at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Enrolment {
    /// Its id.
    pub id: EnrolmentId,
    /// Who.
    pub identity: IdentityId,
    /// Where.
    pub school: Uai,
    /// In which class, where known.
    pub class: Option<ClassGroupId>,
    /// The label of that class, for those who show or release it.
    pub class_label: Option<String>,
    /// The level (`CM2`, `6EME`), where known.
    pub level: Option<String>,
    /// As what.
    pub profile: Profile,
    /// In which school year.
    pub year: SchoolYear,
    /// First day.
    pub starts_on: Date,
    /// First day it no longer counts.
    pub ends_on: Date,
    /// The day from which it opens services, where an access date holds for it ([`super::access_date`]).
    pub opens_on: Option<Date>,
    /// Whether it says what they are today ([`settle`]).
    pub is_current: bool,
}

impl Enrolment {
    /// Whether it counts on `day`.
    pub fn is_live(&self, day: Date) -> bool {
        self.starts_on <= day && day < self.ends_on
    }
}

/// Says of each of somebody's live enrolments whether it is what they are on a day.
///
/// The feeds of two years stand side by side from June to mid-September, and a pupil is in one of them:
///
/// - what comes says nothing yet as long as they are somewhere this year, and opens on 1 September where no access date says
///   otherwise; with an access date of its own it counts from that day on;
/// - in a school that knows them in the new year, the old one says nothing any more once the new one has begun.
///
/// Adults prepare the year that comes: all of theirs count.
pub fn settle(live: &mut [Enrolment], day: Date) {
    let has_begun = SchoolYear::of(day);
    let stays: Vec<(Uai, SchoolYear)> = live
        .iter()
        .filter(|one| one.profile == Profile::Pupil)
        .map(|one| (one.school.clone(), one.year))
        .collect();
    let is_somewhere = stays.iter().any(|(_, year)| *year <= has_begun);
    for one in live.iter_mut().filter(|one| one.profile == Profile::Pupil) {
        if has_begun < one.year {
            if is_somewhere {
                one.opens_on = one.opens_on.or(Some(one.year.begins()));
                one.is_current = one.opens_on.is_some_and(|opens| opens <= day);
            }
        } else {
            one.is_current = !stays
                .iter()
                .any(|(school, year)| *school == one.school && one.year < *year && *year <= has_begun);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::time::parse_date;
    use crate::domain::testing::{enrolment, person};

    fn day(text: &str) -> Date {
        parse_date(text).unwrap()
    }

    /// What is current, and when each opens.
    fn settled(live: &[Enrolment], on: &str) -> Vec<(bool, Option<Date>)> {
        let mut live = live.to_vec();
        settle(&mut live, day(on));
        live.iter().map(|one| (one.is_current, one.opens_on)).collect()
    }

    #[test]
    fn a_pupil_is_what_they_are_this_year_and_an_adult_prepares_the_next() {
        let lina = person("Lina", 1);
        let next = enrolment(&lina, "9990001X", "CM2");
        let now = Enrolment {
            year: next.year.previous(),
            ..next.clone()
        };
        let college = enrolment(&lina, "9990101F", "6EME");
        let september = Some(day("2026-09-01"));
        let here = [now.clone(), next.clone()];
        assert_eq!(settled(&here, "2026-07-01"), [(true, None), (false, september)]);
        assert_eq!(settled(&here, "2026-09-01"), [(false, None), (true, None)]);
        let moving = [now.clone(), college.clone()];
        assert_eq!(settled(&moving, "2026-08-31"), [(true, None), (false, september)]);
        assert_eq!(
            settled(&moving, "2026-09-01"),
            [(true, None), (true, None)],
            "until the old one ends"
        );
        let early = Enrolment {
            opens_on: Some(day("2026-08-28")),
            ..college
        };
        let opens = early.opens_on;
        assert_eq!(
            settled(&[now.clone(), early.clone()], "2026-08-27"),
            [(true, None), (false, opens)]
        );
        assert_eq!(
            settled(&[now.clone(), early], "2026-08-28"),
            [(true, None), (true, opens)]
        );
        assert_eq!(
            settled(std::slice::from_ref(&next), "2026-07-01"),
            [(true, None)],
            "nowhere else yet"
        );
        let teacher = |one: Enrolment| Enrolment {
            profile: Profile::Teacher,
            ..one
        };
        let adult = [teacher(now), teacher(next)];
        assert_eq!(settled(&adult, "2026-07-01"), [(true, None), (true, None)]);
    }
}
