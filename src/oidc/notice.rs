//! Whether somebody must read a page before a service learns anything about them, or more than at last time.
//!
//! | the service receives data on | a child | an adult |
//! | --- | --- | --- |
//! | a convention | is told, in a child's words, and never asked | sees nothing: the school has told them |
//! | consent | is not let through: a child is not asked for one | is asked |
//!
//! Nobody is told or asked twice of the same; `prompt=consent` asks again whoever can be asked (OpenID Connect Core
//! §3.1.2.1, §3.1.2.4).

use chrono::Datelike;

use crate::base::time::Date;
use crate::domain::acknowledgement::{Acknowledgement, Covered, Kind};
use crate::domain::education::Profile;
use crate::domain::enrolment::Enrolment;
use crate::domain::identity::Identity;
use crate::domain::relying_party::Basis;

/// From this birthday on a person answers for themselves.
const ADULT_AT: i32 = 18;

/// Who would read the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reader {
    /// A pupil of whatever age, or anybody who is not yet eighteen.
    Child,
    /// Anybody else.
    Adult,
}

impl Reader {
    /// Who a person is today, `live` being their enrolments of today.
    pub fn of(identity: &Identity, live: &[Enrolment], today: Date) -> Self {
        let is_pupil = live.iter().any(|enrolment| enrolment.profile == Profile::Pupil);
        // Who is born on 29 February comes of age on 1 March.
        let of_age = |born: Date| {
            (today.year() - born.year(), today.month(), today.day()) >= (ADULT_AT, born.month(), born.day())
        };
        if is_pupil || identity.birth_date.is_some_and(|born| !of_age(born)) {
            Self::Child
        } else {
            Self::Adult
        }
    }
}

/// What comes before a code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Notice {
    /// Nothing.
    Nothing,
    /// A page that tells, or one that asks.
    Page(Kind),
    /// The service is not for this person.
    Closed,
}

/// Decides. `before` is what the person was told or said yes to, `now` what would leave, and `again` whether the service
/// wants them to be asked in any case.
pub fn decide(
    basis: Basis,
    reader: Reader,
    before: Option<&Acknowledgement>,
    now: &Covered,
    again: bool,
) -> Notice {
    match (basis, reader) {
        (Basis::Convention, Reader::Adult) => Notice::Nothing,
        (Basis::Convention, Reader::Child) => {
            let knows = |said: &Acknowledgement| now.attributes.is_subset(&said.covered.attributes);
            if before.is_some_and(knows) {
                Notice::Nothing
            } else {
                Notice::Page(Kind::Information)
            }
        }
        (Basis::Consent, Reader::Child) => Notice::Closed,
        (Basis::Consent, Reader::Adult) => {
            let agreed = |said: &Acknowledgement| said.kind == Kind::Consent && said.covered.covers(now);
            if before.is_some_and(agreed) && !again {
                Notice::Nothing
            } else {
                Notice::Page(Kind::Consent)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::time::{Timestamp, parse_date};
    use crate::domain::testing::{enrolment, person};

    fn said(kind: Kind, attributes: &str, rights: &str) -> Acknowledgement {
        let at = Timestamp::from_seconds(1);
        Acknowledgement {
            identity: person("Lina", 1).id,
            client: "club".parse().unwrap(),
            kind,
            covered: Covered::read(attributes, rights).unwrap(),
            since: at,
            given_at: at,
        }
    }

    #[test]
    fn a_pupil_and_whoever_is_not_eighteen_is_a_child() {
        let mut maddi = person("Maddi", 1);
        let pupil = enrolment(&maddi, "9990001X", "TERM");
        let teacher = Enrolment {
            profile: Profile::Teacher,
            ..pupil.clone()
        };
        let today = parse_date("2026-10-01").unwrap();
        for (born, live, reader) in [
            (None, vec![], Reader::Adult),
            (Some("2008-10-01"), vec![], Reader::Adult),
            (Some("2008-10-02"), vec![], Reader::Child),
            (Some("2008-11-01"), vec![teacher.clone()], Reader::Child),
            (None, vec![teacher.clone()], Reader::Adult),
            (
                Some("1980-01-01"),
                vec![teacher.clone(), pupil.clone()],
                Reader::Child,
            ),
            (Some("2007-01-01"), vec![pupil], Reader::Child),
        ] {
            maddi.birth_date = born.and_then(parse_date);
            assert_eq!(Reader::of(&maddi, &live, today), reader, "{born:?} {live:?}");
        }
        maddi.birth_date = parse_date("2008-02-29");
        let day = |text| Reader::of(&maddi, &[], parse_date(text).unwrap());
        assert_eq!(
            (day("2026-02-28"), day("2026-03-01")),
            (Reader::Child, Reader::Adult)
        );
    }

    #[test]
    fn a_child_is_told_at_first_and_of_more_and_is_never_asked() {
        let now = Covered::read("given_name class", "offline_access").unwrap();
        let tell = Notice::Page(Kind::Information);
        for (before, expected) in [
            (None, tell),
            (Some(said(Kind::Information, "given_name", "")), tell),
            (
                Some(said(Kind::Information, "given_name class", "")),
                Notice::Nothing,
            ),
            (
                Some(said(Kind::Information, "given_name class level", "")),
                Notice::Nothing,
            ),
        ] {
            for again in [false, true] {
                let decided = decide(Basis::Convention, Reader::Child, before.as_ref(), &now, again);
                assert_eq!(decided, expected, "{before:?} {again}");
                let at_consent = decide(Basis::Consent, Reader::Child, before.as_ref(), &now, again);
                assert_eq!(at_consent, Notice::Closed);
            }
        }
        // A service that learns nothing but that it is the same child: this is told once too.
        assert_eq!(
            decide(Basis::Convention, Reader::Child, None, &Covered::default(), false),
            tell
        );
    }

    #[test]
    fn an_adult_is_asked_by_a_service_that_rests_on_consent_and_by_no_other() {
        let now = Covered::read("name", "offline_access").unwrap();
        let ask = Notice::Page(Kind::Consent);
        for (before, expected) in [
            (None, ask),
            (Some(said(Kind::Information, "name", "offline_access")), ask),
            (Some(said(Kind::Consent, "name", "")), ask),
            (Some(said(Kind::Consent, "", "offline_access")), ask),
            (
                Some(said(Kind::Consent, "name email", "offline_access")),
                Notice::Nothing,
            ),
        ] {
            let decided = |again| decide(Basis::Consent, Reader::Adult, before.as_ref(), &now, again);
            assert_eq!(decided(false), expected, "{before:?}");
            assert_eq!(decided(true), ask, "{before:?}");
            let under_convention = decide(Basis::Convention, Reader::Adult, before.as_ref(), &now, true);
            assert_eq!(under_convention, Notice::Nothing);
        }
    }
}
