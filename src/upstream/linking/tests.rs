//! Each line of the table of proofs; attack cases 54 and 55 of the project's list.

use proptest::prelude::*;

use super::*;
use crate::base::random::SeededRandom;
use crate::base::time::{Timestamp, parse_date};

fn known(seed: u64) -> Known {
    Known {
        identity: IdentityId::new(Timestamp::from_seconds(1), &SeededRandom::new(seed)),
        may_sign_in: true,
        given_keys: vec!["lina".into()],
        family_keys: vec!["le goff".into()],
        birth_dates: vec![parse_date("2014-05-03").unwrap()],
        profiles: vec![Profile::Pupil],
        has_twin: false,
    }
}

fn lina() -> Introduction {
    Introduction {
        given_name: Some("Lina".into()),
        family_name: Some("LE GOFF".into()),
        birth_date: parse_date("2014-05-03"),
        populations: vec![Population::PupilSecond],
        ..Introduction::default()
    }
}

const ALL: &[Population] = Population::ALL;

fn policy(otherwise: Otherwise) -> Linking {
    Linking {
        by_source_key: true,
        by_ine: true,
        otherwise,
    }
}

fn by_key(people: &[Known]) -> Candidates {
    Candidates {
        by_key: people.to_vec(),
        ..Candidates::default()
    }
}

fn doubt(decision: &Decision) -> Option<Doubt> {
    match decision {
        Decision::Case { doubt, .. } => Some(*doubt),
        _ => None,
    }
}

#[test]
fn a_known_link_signs_in_and_a_key_or_the_ine_makes_one() {
    let one = known(1);
    let linked = Candidates {
        linked: Some(one.clone()),
        ..Candidates::default()
    };
    let signed_in = |binding| Decision::SignIn {
        identity: one.identity,
        binding,
    };
    let none = Linking::default();
    assert_eq!(decide(none, ALL, &lina(), &linked), signed_in(None));
    let refuse = policy(Otherwise::Refuse);
    let found = by_key(std::slice::from_ref(&one));
    assert_eq!(
        decide(refuse, ALL, &lina(), &found),
        signed_in(Some(Binding::SourceKey))
    );
    let found = Candidates {
        by_ine: vec![one.clone()],
        ..Candidates::default()
    };
    assert_eq!(
        decide(refuse, ALL, &lina(), &found),
        signed_in(Some(Binding::Ine))
    );
    // Neither, where the provider's policy does not have it.
    for found in [found, by_key(std::slice::from_ref(&one))] {
        assert_eq!(
            decide(none, ALL, &lina(), &found),
            Decision::Refused(Refusal::Unknown)
        );
    }
}

#[test]
fn attack_54_an_identifier_that_was_given_to_somebody_else_is_not_the_old_pupil() {
    let linked = Candidates {
        linked: Some(known(1)),
        ..Candidates::default()
    };
    let mut other = lina();
    other.given_name = Some("Noé".into());
    other.birth_date = parse_date("2015-01-01");
    assert_eq!(
        doubt(&decide(policy(Otherwise::Ask), ALL, &other, &linked)),
        Some(Doubt::LinkContradicted)
    );
    // A corrected birth date alone, or a changed name alone, is still her.
    let mut corrected = lina();
    corrected.birth_date = parse_date("2014-03-05");
    let mut renamed = lina();
    renamed.family_name = Some("Kermarrec".into());
    for her in [corrected, renamed] {
        let decision = decide(policy(Otherwise::Ask), ALL, &her, &linked);
        assert!(matches!(decision, Decision::SignIn { binding: None, .. }));
    }
    // A key that leads to somebody else speaks against the link.
    let elsewhere = Candidates {
        by_key: vec![known(2)],
        ..linked
    };
    assert_eq!(
        doubt(&decide(policy(Otherwise::Ask), ALL, &lina(), &elsewhere)),
        Some(Doubt::LinkContradicted)
    );
}

#[test]
fn attack_55_a_name_and_a_birth_date_bind_nobody() {
    let namesake = Candidates {
        namesakes: vec![known(1)],
        ..Candidates::default()
    };
    let decided = |otherwise| decide(policy(otherwise), ALL, &lina(), &namesake);
    assert_eq!(decided(Otherwise::Refuse), Decision::Refused(Refusal::Unknown));
    assert_eq!(decided(Otherwise::Ask), Decision::Ask);
    assert_eq!(doubt(&decided(Otherwise::Case)), Some(Doubt::Unknown));
    assert_eq!(doubt(&decided(Otherwise::Create)), Some(Doubt::Namesake));
    let nobody = Candidates::default();
    assert_eq!(
        decide(policy(Otherwise::Create), ALL, &lina(), &nobody),
        Decision::Create
    );
    let nameless = Introduction::default();
    assert_eq!(
        doubt(&decide(policy(Otherwise::Create), ALL, &nameless, &nobody)),
        Some(Doubt::Unknown)
    );
}

#[test]
fn attack_55_twins_and_homonyms_are_a_humans_to_tell_apart() {
    let refuse = policy(Otherwise::Refuse);
    let twin = Known {
        has_twin: true,
        ..known(1)
    };
    let by_ine = |people: Vec<Known>| Candidates {
        by_ine: people,
        ..Candidates::default()
    };
    assert_eq!(
        doubt(&decide(refuse, ALL, &lina(), &by_ine(vec![twin]))),
        Some(Doubt::IneDoubtful)
    );
    let two = vec![known(1), known(2)];
    assert_eq!(
        doubt(&decide(refuse, ALL, &lina(), &by_ine(two.clone()))),
        Some(Doubt::IneDoubtful)
    );
    assert_eq!(
        doubt(&decide(refuse, ALL, &lina(), &by_key(&two))),
        Some(Doubt::KeysDisagree)
    );
    let mut lila = lina();
    lila.given_name = Some("Linalou".into());
    for found in [by_key(&[known(1)]), by_ine(vec![known(1)])] {
        assert!(doubt(&decide(refuse, ALL, &lila, &found)).is_some());
    }
    // Without a name, an INE says too little.
    let mut nameless = lina();
    nameless.family_name = None;
    assert_eq!(
        doubt(&decide(refuse, ALL, &nameless, &by_ine(vec![known(1)]))),
        Some(Doubt::IneDoubtful)
    );
}

#[test]
fn who_is_not_meant_or_may_not_is_not_let_in() {
    let one = known(1);
    let found = by_key(std::slice::from_ref(&one));
    let staff = [Population::Staff];
    let decided = decide(policy(Otherwise::Create), &staff, &lina(), &found);
    assert_eq!(decided, Decision::Refused(Refusal::Population));
    let suspended = Known {
        may_sign_in: false,
        ..one.clone()
    };
    let decided = decide(policy(Otherwise::Create), ALL, &lina(), &by_key(&[suspended]));
    assert_eq!(decided, Decision::Refused(Refusal::NotAllowed));
    let mut parent = lina();
    parent.populations = vec![Population::Guardian];
    let decided = decide(policy(Otherwise::Create), ALL, &parent, &found);
    assert_eq!(
        doubt(&decided),
        Some(Doubt::KeyContradicted),
        "a pupil's key is no parent's"
    );
}

proptest! {
    #[test]
    fn nobody_is_signed_in_whom_no_link_key_or_number_leads_to(
        given in "[A-Za-zé]{0,8}", family in "[A-Za-z]{0,8}", day in 1..28u32,
        otherwise in prop::sample::select(Otherwise::ALL.to_vec()), seed in 1..50u64,
    ) {
        let person = Introduction {
            given_name: Some(given),
            family_name: Some(family),
            birth_date: parse_date(&format!("2014-05-{day:02}")),
            ..Introduction::default()
        };
        let found = Candidates { namesakes: vec![known(seed)], ..Candidates::default() };
        let decided = decide(policy(otherwise), ALL, &person, &found);
        let is_let_in = matches!(decided, Decision::SignIn { .. } | Decision::Create);
        prop_assert!(!is_let_in);
    }
}
