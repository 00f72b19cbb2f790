//! Each check of the list, and the decision behind it.

use super::decision::{Decision, Hinted, Why, decide};
use super::*;
use crate::base::id::{IdentityId, SessionId};
use crate::base::random::SeededRandom;
use crate::base::time::Timestamp;
use crate::domain::assurance::{Acr, Amr};
use crate::domain::relying_party::ClientAuthMethod;
use crate::domain::session::{Device, Session};
use crate::domain::testing::party;

const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
const NOW: Timestamp = Timestamp::from_seconds(1_790_841_600);

/// A right request of the party `ent`, with parameters replaced, added or (empty) left out.
fn with(changes: &[(&str, &str)]) -> Parameters {
    let mut all = vec![
        ("client_id", "ent"),
        ("redirect_uri", "https://ent.example/cb"),
        ("response_type", "code"),
        ("scope", "openid profile"),
        ("state", "s"),
        ("code_challenge", CHALLENGE),
        ("code_challenge_method", "S256"),
    ];
    for change in changes {
        all.retain(|(name, _)| *name != change.0);
        all.push(*change);
    }
    Parameters::read(&url::query(all)).unwrap()
}

fn read(changes: &[(&str, &str)]) -> Result<Request, ErrorCode> {
    let (parameters, party) = (with(changes), party("ent"));
    address(&parameters, Some(&party)).expect("the address is right in these tests");
    check(&parameters, &party, false).map_err(|error| error.code)
}

#[test]
fn a_right_request_is_read_and_unknown_parameters_are_ignored() {
    let request = read(&[
        ("nonce", "n"),
        ("max_age", "60"),
        ("acr_values", "a b"),
        ("foo", "bar"),
    ])
    .unwrap();
    assert_eq!(request.scopes.to_string(), "openid profile");
    assert_eq!(request.code_challenge.as_deref(), Some(CHALLENGE));
    assert_eq!(
        (request.nonce.as_deref(), request.max_age),
        (Some("n"), Some(Duration::from_secs(60)))
    );
    assert_eq!(request.acr_values, ["a", "b"]);
    assert_eq!(request.prompts, Prompts::default());
}

#[test]
fn an_error_before_the_address_is_known_is_a_page() {
    let ent = party("ent");
    let mut disabled = party("ent");
    disabled.enabled = false;
    let page =
        |changes: &[(&str, &str)], party: Option<&RelyingParty>| address(&with(changes), party).unwrap_err();
    assert_eq!(page(&[("client_id", "")], Some(&ent)), PageError::ClientId);
    assert_eq!(page(&[], None), PageError::UnknownClient);
    assert_eq!(
        page(&[("client_id", "cantine")], Some(&ent)),
        PageError::UnknownClient
    );
    assert_eq!(page(&[], Some(&disabled)), PageError::DisabledClient);
    assert_eq!(page(&[("redirect_uri", "")], Some(&ent)), PageError::RedirectUri);
    for wrong in [
        "https://evil.example/cb",
        "https://ent.example/cb/",
        "javascript:alert(1)",
    ] {
        assert_eq!(
            page(&[("redirect_uri", wrong)], Some(&ent)),
            PageError::UnregisteredRedirectUri,
            "{wrong}"
        );
    }
    for twice in ["client_id=ent", "redirect_uri=https%3A%2F%2Fent.example%2Fcb"] {
        let query = format!("{}&{twice}", with(&[]).to_query());
        assert!(
            address(&Parameters::read(&query).unwrap(), Some(&ent)).is_err(),
            "{twice}"
        );
    }
}

#[test]
fn each_check_refuses_with_its_own_code() {
    use ErrorCode::{
        InvalidRequest, InvalidScope, RegistrationNotSupported, RequestNotSupported, RequestUriNotSupported,
        UnsupportedResponseType,
    };
    for (change, code) in [
        (("response_type", ""), InvalidRequest),
        (("response_type", "token"), UnsupportedResponseType),
        (("response_type", "code id_token"), UnsupportedResponseType),
        (("response_mode", "fragment"), InvalidRequest),
        (("request", "eyJ"), RequestNotSupported),
        (
            ("request_uri", "https://169.254.169.254/"),
            RequestUriNotSupported,
        ),
        (("registration", "{}"), RegistrationNotSupported),
        (("scope", ""), InvalidScope),
        (("scope", "profile"), InvalidScope),
        (("prompt", "NONE"), InvalidRequest),
        (("prompt", "create"), InvalidRequest),
        (("max_age", "-1"), InvalidRequest),
        (("max_age", "+1"), InvalidRequest),
        (("max_age", "1.5"), InvalidRequest),
        (("code_challenge", ""), InvalidRequest),
        (("code_challenge", "short"), InvalidRequest),
        (("code_challenge_method", ""), InvalidRequest),
        (("code_challenge_method", "plain"), InvalidRequest),
        (("nonce", &"n".repeat(513)), InvalidRequest),
        (("claims", "{"), InvalidRequest),
    ] {
        assert_eq!(read(&[change]), Err(code), "{change:?}");
    }
    let repeated = Parameters::read(&format!("{}&nonce=a&nonce=b", with(&[]).to_query())).unwrap();
    assert_eq!(
        check(&repeated, &party("ent"), false).unwrap_err().code,
        InvalidRequest
    );
    let unknown = Parameters::read(&format!("{}&foo=a&foo=b", with(&[]).to_query())).unwrap();
    assert!(check(&unknown, &party("ent"), false).is_ok());
}

#[test]
fn core_section_5_5_1_a_subject_with_a_value_means_one_person() {
    let asked = |claims| read(&[("claims", claims)]).unwrap();
    for nobody in [
        "{}",
        r#"{"id_token":{"sub":null}}"#,
        r#"{"id_token":{"sub":{"essential":true}}}"#,
    ] {
        assert!(!asked(nobody).names_a_subject() && asked(nobody).means("abc"));
    }
    for abc in [
        r#"{"id_token":{"sub":{"value":"abc"}}}"#,
        r#"{"userinfo":{"sub":{"values":["x","abc"]}}}"#,
        r#"{"id_token":{"sub":{"value":"abc"}},"userinfo":{"sub":null}}"#,
    ] {
        assert!(asked(abc).names_a_subject() && asked(abc).means("abc") && !asked(abc).means("def"));
    }
    let both = asked(r#"{"id_token":{"sub":{"value":"abc"}},"userinfo":{"sub":{"value":"def"}}}"#);
    assert!(!both.means("abc") && !both.means("def"));
    assert!(!asked(r#"{"id_token":{"sub":{"value":1}}}"#).means("1"));
}

#[test]
fn prompt_values_combine_but_none_stands_alone() {
    for (text, (login, consent, select_account)) in [
        ("login", (true, false, false)),
        ("consent", (false, true, false)),
        ("consent login", (true, true, false)),
        ("select_account", (false, false, true)),
        (" login  consent select_account login", (true, true, true)),
    ] {
        let prompts = read(&[("prompt", text)]).unwrap().prompts;
        assert!(!prompts.none(), "{text}");
        assert_eq!(
            (prompts.login(), prompts.consent(), prompts.select_account()),
            (login, consent, select_account),
            "{text}"
        );
    }
    assert!(read(&[("prompt", "none")]).unwrap().prompts.none());
    for text in ["none login", "consent none", "none select_account"] {
        assert_eq!(
            read(&[("prompt", text)]),
            Err(ErrorCode::InvalidRequest),
            "{text}"
        );
    }
}

#[test]
fn case_35_pkce_can_be_left_out_only_where_the_policy_of_a_confidential_client_says_so() {
    let without = with(&[("code_challenge", ""), ("code_challenge_method", "")]);
    let mut ent = party("ent");
    assert!(check(&without, &ent, false).is_err());
    ent.pkce_required = false;
    assert_eq!(
        check(&without, &ent, false).map(|request| request.code_challenge),
        Ok(None)
    );
    assert!(
        check(&with(&[("code_challenge", "")]), &ent, false).is_err(),
        "a method without challenge"
    );
    assert!(check(&with(&[("code_challenge_method", "plain")]), &ent, false).is_err());
    ent.auth_method = ClientAuthMethod::None;
    assert!(check(&without, &ent, false).is_err(), "public");
}

#[test]
fn answers_carry_state_and_issuer() {
    let ent = party("ent");
    let to = |changes: &[(&str, &str)]| address(&with(changes), Some(&ent)).unwrap();
    let answer = Answer::code(to(&[("state", "a b&é")]), "https://id.example", "c");
    assert_eq!(
        answer.location(),
        "https://ent.example/cb?code=c&state=a+b%26%C3%A9&iss=https%3A%2F%2Fid.example"
    );
    let refused = RedirectError::invalid_request("because");
    let answer = Answer::error(
        to(&[("state", ""), ("response_mode", "form_post")]),
        "https://id.example",
        refused,
    );
    assert_eq!(answer.mode(), ResponseMode::FormPost);
    let names: Vec<_> = answer.parameters.iter().map(|(name, _)| *name).collect();
    assert_eq!(names, ["error", "error_description", "iss"]);
}

fn session(authenticated_at: Timestamp) -> Session {
    let random = SeededRandom::new(1);
    Session {
        id: SessionId::new(NOW, &random),
        identity: IdentityId::new(NOW, &random),
        authenticated_at,
        acr: Acr::Class,
        amr: Amr::Picture,
        device: Device::Shared,
        expires_at: NOW.plus(Duration::from_secs(3600)),
        ended_at: None,
    }
}

/// A session that began `age` seconds ago, decided on now.
fn decided(changes: &[(&str, &str)], age: Option<u64>, hinted: Hinted, asked: Option<u64>) -> Decision {
    let ago = |seconds| NOW.minus(Duration::from_secs(seconds));
    let session = age.map(|age| session(ago(age)));
    decide(
        &read(changes).unwrap(),
        session.as_ref(),
        hinted,
        asked.map(ago),
        NOW,
    )
}

#[test]
fn who_has_to_sign_in_and_why() {
    let nobody = Hinted::Nobody;
    assert_eq!(decided(&[], Some(5), nobody, None), Decision::Go);
    assert_eq!(
        decided(&[], None, nobody, None),
        Decision::SignIn(Why::NobodyThere)
    );
    assert_eq!(
        decided(&[("prompt", "login")], Some(5), nobody, None),
        Decision::SignIn(Why::Prompted)
    );
    assert_eq!(decided(&[("max_age", "5")], Some(5), nobody, None), Decision::Go);
    assert_eq!(
        decided(&[("max_age", "4")], Some(5), nobody, None),
        Decision::SignIn(Why::TooLongAgo)
    );
    assert_eq!(
        decided(&[("max_age", "0")], Some(0), nobody, None),
        Decision::SignIn(Why::TooLongAgo)
    );
    assert_eq!(
        decided(&[], Some(5), Hinted::SomebodyElse, None),
        Decision::SignIn(Why::SomebodyElse)
    );
    assert_eq!(decided(&[], Some(5), Hinted::ThePersonThere, None), Decision::Go);
}

#[test]
fn dynamic_registration_section_2_default_max_age_counts_where_the_request_does_not_say() {
    let mut ent = party("ent");
    ent.metadata.default_max_age = Some(60);
    let asked = |changes: &[(&str, &str)]| check(&with(changes), &ent, false).unwrap();
    let decided = |request: &Request, age| {
        let session = session(NOW.minus(Duration::from_secs(age)));
        decide(request, Some(&session), Hinted::Nobody, None, NOW)
    };
    assert_eq!(decided(&asked(&[]), 60), Decision::Go);
    assert_eq!(decided(&asked(&[]), 61), Decision::SignIn(Why::TooLongAgo));
    assert_eq!(decided(&asked(&[("max_age", "61")]), 61), Decision::Go);
    assert_eq!(
        decided(&asked(&[("max_age", "30")]), 31),
        Decision::SignIn(Why::TooLongAgo)
    );
    let none = decided(&asked(&[("prompt", "none")]), 61);
    assert!(matches!(none, Decision::Refuse(error) if error.code == ErrorCode::LoginRequired));
}

#[test]
fn a_login_that_is_not_sure_enough_is_asked_for_again_once() {
    let mut ent = party("ent");
    ent.metadata.minimum_acr = Some(Acr::SingleFactor);
    let decided = |changes: &[(&str, &str)], acr: Option<Acr>, asked: Option<u64>| {
        let request = check(&with(changes), &ent, false).unwrap();
        let session = acr.map(|acr| Session {
            acr,
            ..session(NOW.minus(Duration::from_secs(5)))
        });
        let asked = asked.map(|seconds| NOW.minus(Duration::from_secs(seconds)));
        decide(&request, session.as_ref(), Hinted::Nobody, asked, NOW)
    };
    let refused = |decision, code| matches!(decision, Decision::Refuse(error) if error.code == code);
    let unmet = ErrorCode::UnmetAuthenticationRequirements;
    let (class, single) = (Some(Acr::Class), Some(Acr::SingleFactor));
    assert_eq!(decided(&[], single, None), Decision::Go);
    assert_eq!(decided(&[], class, None), Decision::SignIn(Why::NotSureEnough));
    assert_eq!(decided(&[], class, Some(4)), Decision::SignIn(Why::NotSureEnough));
    assert!(refused(decided(&[], class, Some(6)), unmet), "no circle");
    assert_eq!(decided(&[], single, Some(6)), Decision::Go);
    let none = [("prompt", "none")];
    assert!(refused(decided(&none, class, None), ErrorCode::LoginRequired));
    let never = [(
        "claims",
        r#"{"id_token":{"acr":{"essential":true,"value":"https://refeds.org/profile/mfa"}}}"#,
    )];
    for acr in [None, class, single] {
        assert!(
            refused(decided(&never, acr, None), unmet),
            "before anybody types anything"
        );
    }
    let wished = [("acr_values", "https://refeds.org/profile/mfa")];
    assert_eq!(
        decided(&wished, single, None),
        Decision::Go,
        "a wish refuses nobody"
    );
}

#[test]
fn what_was_asked_is_answered_by_a_login_after_it_and_never_goes_in_circles() {
    for asked in [
        ("prompt", "login"),
        ("max_age", "0"),
        ("max_age", "1"),
        ("prompt", "select_account"),
    ] {
        assert_eq!(
            decided(&[asked], Some(5), Hinted::Nobody, Some(9)),
            Decision::Go,
            "{asked:?}"
        );
        let older = decided(&[asked], Some(9), Hinted::Nobody, Some(5));
        assert!(matches!(older, Decision::SignIn(_)), "{asked:?} {older:?}");
    }
    let still_other = decided(&[], Some(5), Hinted::SomebodyElse, Some(9));
    assert!(matches!(still_other, Decision::Refuse(error) if error.code == ErrorCode::LoginRequired));
}

#[test]
fn prompt_none_shows_no_page() {
    let none = ("prompt", "none");
    assert_eq!(decided(&[none], Some(5), Hinted::Nobody, None), Decision::Go);
    for (changes, age, hinted) in [
        (&[none][..], None, Hinted::Nobody),
        (&[none, ("max_age", "1")], Some(5), Hinted::Nobody),
        (&[none], Some(5), Hinted::SomebodyElse),
    ] {
        let decision = decided(changes, age, hinted, None);
        assert!(
            matches!(decision, Decision::Refuse(error) if error.code == ErrorCode::LoginRequired),
            "{decision:?}"
        );
    }
    let unreadable = decided(&[], Some(5), Hinted::Unreadable, None);
    assert!(matches!(unreadable, Decision::Refuse(error) if error.code == ErrorCode::InvalidRequest));
}
