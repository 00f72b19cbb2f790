//! The authorization endpoint: what is refused where, who has to sign in, and where a tab lands.

use axum::http::{StatusCode, header};

use super::site::*;
use crate::base::url;
use crate::domain::relying_party::ClientAuthMethod;
use crate::domain::testing::party;
use crate::flows::testing::scene::on_each_engine;

#[tokio::test]
async fn case_37_nobody_is_sent_to_an_address_that_was_not_registered() {
    on_each_engine(async |context, clock| {
        let (site, browser, _) = with_lina((context, clock)).await;
        for wrong in [
            "https://ent.example/cb/more",
            "https://ent.example/cb/../evil",
            "https://ent.example/cb?x=1",
            "https://ent.example//cb",
            "https://ent.example\\@evil.example/cb",
            "https://ent.example@evil.example/cb",
            "https://еnt.example/cb",
            "https://ent.example/cb#f",
            "http://localhost/cb",
            "//ent.example/cb",
            "javascript:alert(1)",
        ] {
            let reply = browser
                .get(&site, &authorize_url("ent", &[("redirect_uri", wrong)]))
                .await;
            assert_eq!(reply.status, StatusCode::BAD_REQUEST, "{wrong}");
            assert_eq!(reply.header(header::LOCATION), None, "{wrong}");
        }
        for query in [
            String::new(),
            "client_id=nobody&redirect_uri=https%3A%2F%2Fevil.example".to_owned(),
            "x=1&".repeat(100),
            format!(
                "{}&client_id=ent",
                authorize_url("ent", &[]).split_once('?').unwrap().1
            ),
            format!("state={}", "x".repeat(20_000)),
        ] {
            let reply = browser.get(&site, &format!("/oauth/authorize?{query}")).await;
            assert_eq!(
                (reply.status, reply.header(header::LOCATION)),
                (StatusCode::BAD_REQUEST, None),
                "{query}"
            );
        }
        let fetched = [("request_uri", "http://169.254.169.254/latest")];
        let reply = browser.get(&site, &authorize_url("ent", &fetched)).await;
        assert_eq!(reply.sent("error").as_deref(), Some("request_uri_not_supported"));
    })
    .await;
}

#[tokio::test]
async fn case_37_a_program_of_the_person_chooses_its_port_and_nothing_else() {
    on_each_engine(async |context, clock| {
        let (site, browser, _) = with_lina((context, clock)).await;
        let mut tablette = party("tablette");
        tablette.auth_method = ClientAuthMethod::None;
        tablette.secrets.clear();
        tablette.redirect_uris = vec!["http://127.0.0.1/cb".into()];
        site.declare(&tablette).await;
        let asked = async |client: &str, address: &str| {
            let address = authorize_url(client, &[("redirect_uri", address)]);
            browser.get(&site, &address).await
        };
        let reply = asked("tablette", "http://127.0.0.1:51004/cb").await;
        assert!(reply.location().starts_with("http://127.0.0.1:51004/cb?"));
        for wrong in [
            "http://localhost/cb",
            "http://localhost:51004/cb",
            "http://localhost.:51004/cb",
            "http://[::1]:51004/cb",
            "http://127.1:51004/cb",
            "http://127.0.0.2:51004/cb",
            "http://2130706433:51004/cb",
            "http://0x7f.0.0.1:51004/cb",
            "http://127.0.0.1.evil.example:51004/cb",
            "http://127.0.0.1:80@evil.example/cb",
            "https://127.0.0.1:51004/cb",
            "http://127.0.0.1:51004/cb/more",
            "http://127.0.0.1:51004/cb?x=1",
            "http://127.0.0.1:51004/cb#f",
        ] {
            let reply = asked("tablette", wrong).await;
            assert_eq!(
                (reply.status, reply.header(header::LOCATION)),
                (StatusCode::BAD_REQUEST, None),
                "{wrong}"
            );
        }
        // A confidential client runs on a server, whose port does not change.
        let mut ent = party("ent");
        ent.redirect_uris = vec!["http://127.0.0.1/cb".into()];
        site.declare(&ent).await;
        let reply = asked("ent", "http://127.0.0.1:51004/cb").await;
        assert_eq!(reply.status, StatusCode::BAD_REQUEST);
    })
    .await;
}

#[tokio::test]
async fn a_request_has_limits_and_no_known_parameter_comes_twice() {
    on_each_engine(async |context, clock| {
        let (site, browser, _) = with_lina((context, clock)).await;
        let right = authorize_url("ent", &[("state", "")]);
        let few = right.matches('&').count() + 1;
        let more = |number: usize| format!("{right}{}", "&x=1".repeat(number));
        let reply = browser.get(&site, &more(60 - few)).await;
        assert!(reply.sent("code").is_some(), "sixty parameters");
        let reply = browser.get(&site, &more(61 - few)).await;
        assert_eq!(
            (reply.status, reply.header(header::LOCATION)),
            (StatusCode::BAD_REQUEST, None)
        );
        let query = right.split_once('?').unwrap().1.len();
        let long = |length: usize| format!("{right}&state={}", "s".repeat(length - query - 7));
        for who in [&browser, &Browser::default()] {
            let reply = who.get(&site, &long(8192)).await;
            let sent = reply.sent("code").or_else(|| reply.sent("continue"));
            assert!(sent.is_some(), "eight kilobytes");
            let reply = who.get(&site, &long(8193)).await;
            assert_eq!(
                (reply.status, reply.header(header::LOCATION)),
                (StatusCode::BAD_REQUEST, None)
            );
        }
        let waiting = resume(&Browser::default().get(&site, &long(8192)).await);
        assert!(
            browser.get(&site, &waiting).await.sent("code").is_some(),
            "and back"
        );
        let unwritten = format!("{right}&state={}", "é".repeat(3000));
        let reply = Browser::default()
            .post(
                &site,
                "/oauth/authorize",
                unwritten.split_once('?').unwrap().1.to_owned(),
            )
            .await;
        assert_eq!(reply.status, StatusCode::BAD_REQUEST, "longer than it looks");

        for twice in [
            "response_type",
            "response_mode",
            "scope",
            "state",
            "nonce",
            "display",
            "prompt",
            "max_age",
            "ui_locales",
            "claims_locales",
            "id_token_hint",
            "login_hint",
            "acr_values",
            "claims",
            "code_challenge",
            "code_challenge_method",
            "dpop_jkt",
            "request",
            "registration",
        ] {
            let address = format!("{}&{twice}=a&{twice}=a", authorize_url("ent", &[(twice, "")]));
            let reply = browser.get(&site, &address).await;
            assert_eq!(reply.sent("error").as_deref(), Some("invalid_request"), "{twice}");
        }
        let reply = browser.get(&site, &format!("{right}&x=1&x=2")).await;
        assert!(reply.sent("code").is_some(), "what nobody knows may come twice");
    })
    .await;
}

#[tokio::test]
async fn other_errors_go_to_the_party_with_state_and_issuer() {
    on_each_engine(async |context, clock| {
        let site = Site::new((context, clock)).await;
        let reply = Browser::default()
            .get(&site, &authorize_url("ent", &[("response_type", "token")]))
            .await;
        assert!(reply.location().starts_with("https://ent.example/cb?"));
        assert_eq!(reply.sent("error").as_deref(), Some("unsupported_response_type"));
        assert_eq!(reply.sent("state").as_deref(), Some("the state"));
        assert_eq!(reply.sent("iss").as_deref(), Some(ISSUER));
        assert_eq!(reply.sent("code"), None);
    })
    .await;
}

#[tokio::test]
async fn a_disabled_party_gets_nothing() {
    on_each_engine(async |context, clock| {
        let (site, browser, _) = with_lina((context, clock)).await;
        let mut ent = party("ent");
        ent.enabled = false;
        site.declare(&ent).await;
        let reply = browser.get(&site, &authorize_url("ent", &[])).await;
        assert_eq!(
            (reply.status, reply.header(header::LOCATION)),
            (StatusCode::BAD_REQUEST, None)
        );
    })
    .await;
}

#[tokio::test]
async fn prompt_none_answers_without_a_page() {
    on_each_engine(async |context, clock| {
        let (site, browser, _) = with_lina((context, clock)).await;
        let none = [("prompt", "none")];
        assert!(
            browser
                .get(&site, &authorize_url("ent", &none))
                .await
                .sent("code")
                .is_some()
        );
        let reply = Browser::default().get(&site, &authorize_url("ent", &none)).await;
        assert_eq!(reply.sent("error").as_deref(), Some("login_required"));
        site.advance(100);
        let too_old = [("prompt", "none"), ("max_age", "60")];
        let reply = browser.get(&site, &authorize_url("ent", &too_old)).await;
        assert_eq!(reply.sent("error").as_deref(), Some("login_required"));
    })
    .await;
}

/// The address a waiting request is resumed at.
fn resume(reply: &Reply) -> String {
    assert!(reply.location().starts_with("/login?"), "{}", reply.location());
    url::with_parameters(
        "/oauth/authorize/resume",
        [("continue", &*reply.sent("continue").unwrap())],
    )
}

#[tokio::test]
async fn a_login_that_was_asked_for_is_answered_by_a_later_one_only() {
    on_each_engine(async |context, clock| {
        let (site, mut browser, lina) = with_lina((context, clock)).await;
        for asked in [
            ("prompt", "login"),
            ("max_age", "0"),
            ("prompt", "select_account"),
        ] {
            let waiting = resume(&browser.get(&site, &authorize_url("ent", &[asked])).await);
            let unchanged = browser.get(&site, &waiting).await;
            assert!(
                unchanged.location().starts_with("/login?"),
                "{asked:?}: the same login is no answer"
            );
            let still_waiting = resume(&unchanged);
            site.advance(5);
            site.sign_in(&mut browser, &lina).await;
            assert!(
                browser.get(&site, &still_waiting).await.sent("code").is_some(),
                "{asked:?}"
            );
            site.advance(5);
        }
    })
    .await;
}

#[tokio::test]
async fn a_stale_tab_lands_in_the_application() {
    on_each_engine(async |context, clock| {
        let site = Site::new((context, clock)).await;
        let lina = site.pupil("Lina", 1, ECOLE).await;
        let mut browser = Browser::default();
        let waiting = resume(&browser.get(&site, &authorize_url("ent", &[])).await);
        let demanding = resume(
            &browser
                .get(&site, &authorize_url("ent", &[("prompt", "login")]))
                .await,
        );
        site.advance(3 * 3600);
        site.sign_in(&mut browser, &lina).await;
        assert!(browser.get(&site, &waiting).await.sent("code").is_some());
        let asked_anew = resume(&browser.get(&site, &demanding).await);
        site.advance(5);
        site.sign_in(&mut browser, &lina).await;
        assert!(browser.get(&site, &asked_anew).await.sent("code").is_some());
        for forged in ["", "x", "https%3A%2F%2Fevil.example"] {
            let reply = browser
                .get(&site, &format!("/oauth/authorize/resume?continue={forged}"))
                .await;
            assert_eq!(reply.status, StatusCode::BAD_REQUEST, "{forged}");
        }
    })
    .await;
}

#[tokio::test]
async fn id_token_hint_names_the_person_the_party_means() {
    on_each_engine(async |context, clock| {
        let (site, mut browser, lina) = with_lina((context, clock)).await;
        let tokens = browser.tokens(&site, "ent").await;
        let other = browser.tokens(&site, "cantine").await;
        let hint = [("id_token_hint", tokens["id_token"].as_str().unwrap())];
        let none = [hint[0], ("prompt", "none")];
        site.advance(24 * 3600);
        site.sign_in(&mut browser, &lina).await;
        assert!(
            browser
                .get(&site, &authorize_url("ent", &none))
                .await
                .sent("code")
                .is_some(),
            "expired, still right"
        );
        let foreign = [("id_token_hint", other["id_token"].as_str().unwrap())];
        let reply = browser.get(&site, &authorize_url("ent", &foreign)).await;
        assert_eq!(
            reply.sent("error").as_deref(),
            Some("invalid_request"),
            "of another party"
        );

        let maddi = site.pupil("Maddi", 2, ECOLE).await;
        site.sign_in(&mut browser, &maddi).await;
        let reply = browser.get(&site, &authorize_url("ent", &none)).await;
        assert_eq!(reply.sent("error").as_deref(), Some("login_required"));
        let waiting = resume(&browser.get(&site, &authorize_url("ent", &hint)).await);
        site.advance(5);
        site.sign_in(&mut browser, &maddi).await;
        let reply = browser.get(&site, &waiting).await;
        assert_eq!(
            reply.sent("error").as_deref(),
            Some("login_required"),
            "no circle"
        );
        site.sign_in(&mut browser, &lina).await;
        assert!(browser.get(&site, &waiting).await.sent("code").is_some());
    })
    .await;
}

#[tokio::test]
async fn a_service_of_other_schools_is_not_open() {
    on_each_engine(async |context, clock| {
        let (site, browser, _) = with_lina((context, clock)).await;
        let mut ent = party("ent");
        ent.schools = vec![COLLEGE.parse().unwrap()];
        site.declare(&ent).await;
        let reply = browser.get(&site, &authorize_url("ent", &[])).await;
        assert_eq!(
            (reply.status, reply.header(header::LOCATION)),
            (StatusCode::FORBIDDEN, None)
        );
        assert!(reply.body.contains("Service ent"), "says which service");
        let reply = browser
            .get(&site, &authorize_url("ent", &[("prompt", "none")]))
            .await;
        assert_eq!(reply.sent("error").as_deref(), Some("access_denied"));
        assert_eq!(site.journalled("authorization.refused").await, 2);
        ent.schools.push(ECOLE.parse().unwrap());
        site.declare(&ent).await;
        browser.code(&site, "ent", &[]).await;
    })
    .await;
}

#[tokio::test]
async fn form_post_is_a_page_that_posts_the_answer_and_nothing_else() {
    on_each_engine(async |context, clock| {
        let (site, browser, _) = with_lina((context, clock)).await;
        let change = [
            ("response_mode", "form_post"),
            ("state", "\"><script>alert(1)</script>"),
        ];
        let reply = browser.get(&site, &authorize_url("ent", &change)).await;
        assert_eq!(reply.status, StatusCode::OK);
        assert!(reply.body.contains("action=\"https://ent.example/cb\""));
        for field in ["code", "state", "iss"] {
            assert!(reply.body.contains(&format!("name=\"{field}\"")), "{field}");
        }
        assert!(!reply.body.contains("<script>alert"), "escaped");
        let policy = reply.header(header::CONTENT_SECURITY_POLICY).unwrap();
        assert!(
            policy.contains("form-action 'self' https://ent.example;"),
            "{policy}"
        );
        assert_eq!(reply.header(header::CACHE_CONTROL), Some("no-store"));
        let refused = [("response_mode", "form_post"), ("prompt", "none")];
        let reply = Browser::default()
            .get(&site, &authorize_url("ent", &refused))
            .await;
        assert!(reply.body.contains("value=\"login_required\""));
    })
    .await;
}

#[tokio::test]
async fn a_request_by_post_is_sent_round_by_get() {
    on_each_engine(async |context, clock| {
        let (site, browser, _) = with_lina((context, clock)).await;
        let query = authorize_url("ent", &[("state", "a&b=é")])
            .split_once('?')
            .unwrap()
            .1
            .to_owned();
        let round = Browser::default().post(&site, "/oauth/authorize", query).await;
        assert!(round.location().starts_with("/oauth/authorize?"));
        let answer = browser.get(&site, round.location()).await;
        assert!(answer.sent("code").is_some());
        assert_eq!(answer.sent("state").as_deref(), Some("a&b=é"));
    })
    .await;
}

#[tokio::test]
async fn two_tabs_of_one_browser_both_arrive() {
    on_each_engine(async |context, clock| {
        let site = Site::new((context, clock)).await;
        let lina = site.pupil("Lina", 1, ECOLE).await;
        let mut browser = Browser::default();
        let one = resume(&browser.get(&site, &authorize_url("ent", &[])).await);
        let two = resume(&browser.get(&site, &authorize_url("cantine", &[])).await);
        site.advance(5);
        site.sign_in(&mut browser, &lina).await;
        assert!(
            browser
                .get(&site, &one)
                .await
                .location()
                .starts_with("https://ent.example/")
        );
        assert!(
            browser
                .get(&site, &two)
                .await
                .location()
                .starts_with("https://cantine.example/")
        );
    })
    .await;
}
