//! Which access date holds, and until when somebody is held back.

use proptest::prelude::*;

use super::*;
use crate::base::time::parse_date;
use crate::domain::testing::{enrolment, person};

const ECOLE: &str = "9990001X";
const COLLEGE: &str = "9990101F";

fn day(text: &str) -> Date {
    parse_date(text).unwrap()
}

fn date(year: i32, pupils: Pupils, opens_on: &str) -> AccessDate {
    AccessDate::new(SchoolYear::new(year).unwrap(), pupils, day(opens_on)).unwrap()
}

/// The five dates that hold for a pupil of the class CM2 A of the école, the most specific first.
fn ladder() -> Vec<Pupils> {
    let school = || Some(ECOLE.parse().unwrap());
    vec![
        Pupils::of(school(), None, Some("CM2 A")).unwrap(),
        Pupils::of(school(), Some("CM2"), None).unwrap(),
        Pupils::of(school(), None, None).unwrap(),
        Pupils::of(None, Some("CM2"), None).unwrap(),
        Pupils::of(None, None, None).unwrap(),
    ]
}

/// Dates of others: another school, level, class.
fn strangers() -> Vec<Pupils> {
    let school = |uai: &str| Some(uai.parse().unwrap());
    vec![
        Pupils::of(school(COLLEGE), None, Some("CM2 A")).unwrap(),
        Pupils::of(school(ECOLE), None, Some("CM2 B")).unwrap(),
        Pupils::of(school(ECOLE), Some("CM1"), None).unwrap(),
        Pupils::of(school(COLLEGE), None, None).unwrap(),
        Pupils::of(None, Some("6EME"), None).unwrap(),
    ]
}

proptest! {
    #[test]
    fn the_most_specific_date_holds_whatever_others_there_are_and_in_whatever_order(
        declared in prop::sample::subsequence((0..5_usize).collect::<Vec<_>>(), 0..=5),
        others in prop::sample::subsequence((0..5_usize).collect::<Vec<_>>(), 0..=5),
        days in prop::collection::vec(1..28_u32, 10),
        turn in any::<prop::sample::Index>(),
    ) {
        let on = |at: usize| Date::from_ymd_opt(2026, 9, days[at]).unwrap();
        let year = SchoolYear::new(2026).unwrap();
        let (ladder, strangers) = (ladder(), strangers());
        let of_pupil = declared.iter().map(|at| AccessDate::new(year, ladder[*at].clone(), on(*at)).unwrap());
        let of_others = others.iter().map(|at| AccessDate::new(year, strangers[*at].clone(), on(5 + at)).unwrap());
        let other_year = date(2025, Pupils::All, "2026-09-14");
        let mut dates: Vec<AccessDate> = of_pupil.chain(of_others).chain([other_year]).collect();
        let at = turn.index(dates.len());
        dates.rotate_left(at);
        let pupil = enrolment(&person("Lina", 1), ECOLE, "CM2");
        prop_assert_eq!(opening(&dates, &pupil), declared.first().map(|most_specific| on(*most_specific)));
        for profile in Profile::ALL.iter().filter(|profile| **profile != Profile::Pupil) {
            let adult = Enrolment { profile: *profile, ..pupil.clone() };
            prop_assert_eq!(opening(&dates, &adult), None, "{} is not held back", profile);
        }
    }

    #[test]
    fn one_open_enrolment_lets_in_and_another_one_never_keeps_out(
        days in prop::collection::vec(prop::option::of(1..28_u32), 0..4),
        today in 1..28_u32,
    ) {
        let on = |number| Date::from_ymd_opt(2026, 9, number).unwrap();
        // Each in a school of its own, so none gives way to another.
        let live: Vec<Enrolment> = days.iter().enumerate().map(|(at, number)| {
            let mut one = enrolment(&person("Lina", 1), Uai::from_number(at as u32).as_str(), "CM2");
            one.opens_on = number.map(on);
            one
        }).collect();
        let live: Vec<&Enrolment> = live.iter().collect();
        let held = held_back_until(&live, on(today));
        let is_open = live.is_empty() || days.iter().any(|day| day.is_none_or(|day| day <= today));
        prop_assert_eq!(held.is_none(), is_open);
        let first = days.iter().flatten().min().copied().map(on);
        prop_assert!(held.is_none() || held == first, "the first of their days: {:?}", held);
    }
}

#[test]
fn a_date_holds_from_its_day_on() {
    let mut cm2 = enrolment(&person("Lina", 1), ECOLE, "CM2");
    cm2.opens_on = Some(day("2026-09-07"));
    for (today, held) in [
        ("2026-09-01", true),
        ("2026-09-06", true),
        ("2026-09-07", false),
        ("2027-06-01", false),
    ] {
        assert_eq!(held_back_until(&[&cm2], day(today)).is_some(), held, "{today}");
    }
}

/// The same child one year before.
fn last_year(enrolment: &Enrolment) -> Enrolment {
    Enrolment {
        year: enrolment.year.previous(),
        starts_on: day("2025-09-01"),
        ends_on: day("2026-09-15"),
        opens_on: None,
        ..enrolment.clone()
    }
}

#[test]
fn a_child_who_changes_schools_keeps_the_old_one_until_its_end() {
    let lina = person("Lina", 1);
    let ecole = last_year(&enrolment(&lina, ECOLE, "CM2"));
    let mut college = enrolment(&lina, COLLEGE, "6EME");
    college.opens_on = Some(day("2026-09-10"));
    for today in ["2026-07-01", "2026-09-01", "2026-09-14"] {
        assert_eq!(held_back_until(&[&ecole, &college], day(today)), None, "{today}");
        assert_eq!(held_back_until(&[&ecole], day(today)), None, "{today}");
    }
    assert_eq!(held_back_until(&[&college], day("2026-09-09")), college.opens_on);
}

#[test]
fn a_child_who_stays_is_held_back_from_the_first_of_september_on_and_not_in_summer() {
    let lina = person("Lina", 1);
    let mut cm2 = enrolment(&lina, ECOLE, "CM2");
    cm2.opens_on = Some(day("2026-09-07"));
    let cm1 = last_year(&cm2);
    for (today, held) in [
        ("2026-07-05", false),
        ("2026-08-31", false),
        ("2026-09-01", true),
        ("2026-09-06", true),
        ("2026-09-07", false),
    ] {
        for live in [[&cm1, &cm2], [&cm2, &cm1]] {
            assert_eq!(held_back_until(&live, day(today)).is_some(), held, "{today}");
        }
    }
}

#[test]
fn what_does_not_go_together_is_refused_and_labels_are_read_as_feeds_are() {
    let school = || Some(ECOLE.parse().unwrap());
    for (school, level, class, part) in [
        (None, None, Some("CM2 A"), "class"),
        (school(), Some("CM2"), Some("CM2 A"), "level"),
        (school(), Some("  "), None, "level"),
        (school(), None, Some(""), "class"),
    ] {
        let refused = Pupils::of(school, level, class).unwrap_err();
        assert!(refused.starts_with(part), "{refused}");
    }
    let written = Pupils::of(school(), None, Some(" Tre\u{301}s  petits\n")).unwrap();
    assert_eq!(written.class(), Some("Trés petits"));
    assert_eq!(written.to_string(), "9990001X class Trés petits");
    let said: Vec<String> = ladder().iter().map(ToString::to_string).collect();
    assert_eq!(
        said[1..],
        ["9990001X level CM2", "9990001X", "default level CM2", "default"]
    );
}

#[test]
fn a_date_outside_its_school_year_is_a_slip_of_the_pen() {
    let year = SchoolYear::new(2026).unwrap();
    for (opens_on, is_right) in [
        ("2024-09-07", false),
        ("2025-08-31", false),
        ("2025-09-01", true),
        ("2026-06-01", true),
        ("2027-09-14", true),
        ("2027-09-15", false),
        ("2062-09-07", false),
    ] {
        assert_eq!(
            AccessDate::new(year, Pupils::All, day(opens_on)).is_ok(),
            is_right,
            "{opens_on}"
        );
    }
}
