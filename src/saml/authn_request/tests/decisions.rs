//! What comes next for whoever asks: a login, a page, an answer.

use super::super::decision::{Decision, decide};
use super::*;
use crate::base::id::SessionId;
use crate::base::random::SeededRandom;
use crate::domain::assurance::Amr;
use crate::domain::session::{Device, Session};
use crate::domain::testing::person;

fn session(acr: Acr, authenticated_at: Timestamp) -> Session {
    Session {
        id: SessionId::new(NOW, &SeededRandom::new(1)),
        identity: person("Lina", 1).id,
        authenticated_at,
        acr,
        amr: Amr::Picture,
        device: Device::Shared,
        expires_at: NOW.plus(std::time::Duration::from_secs(3600)),
        ended_at: None,
    }
}

fn asked(change: impl FnOnce(Element) -> Element) -> Request {
    let scene = Scene::new();
    scene.run(&change(scene.request())).unwrap().unwrap().1
}

fn refused(decision: &Decision) -> Option<Detail> {
    match decision {
        Decision::Refuse(status) => status.detail,
        _ => None,
    }
}

const BEFORE: Timestamp = Timestamp::from_seconds(1_790_841_500);

#[test]
fn nobody_there_has_to_sign_in_and_is_told_so_where_no_page_may_be_shown() {
    let plain = asked(|request| request);
    assert_eq!(decide(&plain, None, true, None), Decision::SignIn);
    let passive = asked(|request| request.attribute("IsPassive", "true"));
    assert_eq!(
        refused(&decide(&passive, None, true, None)),
        Some(Detail::NoPassive)
    );
    let there = session(Acr::SingleFactor, BEFORE);
    let go = Decision::Go(PROTECTED_TRANSPORT.into());
    assert_eq!(decide(&passive, Some(&there), true, None), go);
}

#[test]
fn a_forced_login_is_a_later_one_than_the_request() {
    let forced = asked(|request| request.attribute("ForceAuthn", "true"));
    let there = session(Acr::SingleFactor, BEFORE);
    assert_eq!(decide(&forced, Some(&there), true, None), Decision::SignIn);
    assert_eq!(decide(&forced, Some(&there), true, Some(NOW)), Decision::SignIn);
    let anew = session(Acr::SingleFactor, NOW);
    assert!(matches!(
        decide(&forced, Some(&anew), true, Some(NOW)),
        Decision::Go(_)
    ));
    let both = asked(|request| request.attribute("ForceAuthn", "1").attribute("IsPassive", "1"));
    assert_eq!(
        refused(&decide(&both, Some(&there), true, None)),
        Some(Detail::NoPassive)
    );
}

#[test]
fn a_login_that_is_not_sure_enough_is_tried_again_once() {
    let sure = asked(|request| request.child(context(None, &[PROTECTED_TRANSPORT])));
    let child = session(Acr::Class, BEFORE);
    assert_eq!(decide(&sure, Some(&child), true, None), Decision::SignIn);
    let again = session(Acr::Class, NOW);
    let unmet = Some(Detail::NoAuthnContext);
    assert_eq!(refused(&decide(&sure, Some(&again), true, Some(NOW))), unmet);
    let never = asked(|request| request.child(context(None, &[Acr::MultiFactor.as_str()])));
    assert_eq!(refused(&decide(&never, None, true, None)), unmet);
}

#[test]
fn another_person_than_the_one_who_is_meant_may_sign_in_anew_or_is_told() {
    let plain = asked(|request| request);
    let there = session(Acr::SingleFactor, BEFORE);
    assert_eq!(decide(&plain, Some(&there), false, None), Decision::SignIn);
    let anew = session(Acr::SingleFactor, NOW);
    let told = Some(Detail::UnknownPrincipal);
    assert_eq!(refused(&decide(&plain, Some(&anew), false, Some(NOW))), told);
    let passive = asked(|request| request.attribute("IsPassive", "true"));
    assert_eq!(refused(&decide(&passive, Some(&there), false, None)), told);
}
