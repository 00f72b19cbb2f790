//! `/cas/login`, from a stranger at the service to who they are.

use axum::http::{StatusCode, header};

use super::*;
use crate::base::url;
use crate::domain::assurance::Acr;
use crate::domain::relying_party::{Attribute, Basis};
use crate::flows::continuation::Continuation;
use crate::flows::testing::scene::{self, on_each_engine};

#[tokio::test]
async fn from_a_stranger_at_the_service_to_who_they_are() {
    on_each_engine(async |context, clock| {
        let (site, _, lina, _) = with_lina_and_notes((context, clock)).await;
        let mut browser = Browser::default();
        let sent = browser.get(&site, &login_url(NOTES, &[])).await;
        assert!(sent.location().starts_with("/login?continue="), "{sent:?}");
        let login = browser.get(&site, sent.location()).await;
        assert_eq!(login.status, StatusCode::OK);
        assert!(login.body.contains("Service notes"));
        let policy = login.header(header::CONTENT_SECURITY_POLICY).unwrap();
        assert!(
            policy.contains("form-action 'self' https://notes.example;"),
            "{policy}"
        );
        let waiting = sent.sent("continue").unwrap();
        site.advance(20);
        site.sign_in(&mut browser, &lina).await;
        let resume = at("/cas/login/resume", &[("continue", &waiting)]);
        let back = browser.get(&site, &resume).await;
        assert!(
            back.location()
                .starts_with("https://notes.example/app/6e?tab=1&ticket=ST-")
        );
        assert_eq!(back.header(header::CACHE_CONTROL), Some("no-store"));
        let ticket = back.sent("ticket").unwrap();

        let reply = site.show("/cas/p3/serviceValidate", NOTES, &ticket).await;
        assert_eq!(reply.status, StatusCode::OK);
        assert_eq!(
            reply.header(header::CONTENT_TYPE),
            Some("application/xml; charset=utf-8")
        );
        assert_eq!(element(&reply, "givenName"), Some("Lina"));
        assert_eq!(element(&reply, "isFromNewLogin"), Some("true"));
        let again = site.refusal("/cas/serviceValidate", NOTES, &ticket).await;
        assert_eq!(again, "INVALID_TICKET");
        for (kind, count) in [
            ("authorization.granted", 1),
            ("ticket.validated", 1),
            ("ticket.refused", 1),
            ("subject.issued", 1),
        ] {
            assert_eq!(site.journalled(kind).await, count, "{kind}");
        }
    })
    .await;
}

#[tokio::test]
async fn the_same_pupil_is_the_same_over_openid_connect_and_cas_in_one_sector() {
    on_each_engine(async |context, clock| {
        let (site, browser, _, _) = with_lina_and_notes((context, clock)).await;
        let mut notes = service("notes");
        notes.sector = "ent".into();
        site.declare(&notes).await;
        let tokens = browser.tokens(&site, "ent").await;
        let subject = claims(&tokens["id_token"])["sub"].as_str().unwrap().to_owned();
        let ticket = browser.ticket(&site, NOTES).await;
        let reply = site.show("/cas/serviceValidate", NOTES, &ticket).await;
        assert_eq!(element(&reply, "user"), Some(subject.as_str()));
        let ticket = browser.ticket(&site, NOTES).await;
        let plain = site.show("/cas/validate", NOTES, &ticket).await;
        assert_eq!(plain.body, format!("yes\n{subject}\n"));
        let ticket = browser.ticket(&site, AGENDA).await;
        let elsewhere = site.show("/cas/serviceValidate", AGENDA, &ticket).await;
        assert_ne!(
            element(&elsewhere, "user"),
            Some(subject.as_str()),
            "another sector"
        );
    })
    .await;
}

#[tokio::test]
async fn gateway_asks_nobody_and_leads_back_with_a_ticket_or_without() {
    on_each_engine(async |context, clock| {
        let (site, browser, lina, _) = with_lina_and_notes((context, clock)).await;
        let gateway = login_url(NOTES, &[("gateway", "true")]);
        let nobody = Browser::default().get(&site, &gateway).await;
        assert_eq!(nobody.location(), NOTES, "no ticket");
        assert!(browser.get(&site, &gateway).await.sent("ticket").is_some());
        // Nothing may be shown: neither what the service learns, nor that it is closed.
        let unaware = Browser {
            cookie: Some(scene::sign_in_unaware(&site.context, &lina, None).await),
        };
        site.declare(&service("new")).await;
        let new = "https://new.example/app";
        let to_be_told = unaware.get(&site, &login_url(new, &[("gateway", "true")])).await;
        assert_eq!(to_be_told.location(), new);
        let mut college = service("notes");
        college.schools = vec![COLLEGE.parse().unwrap()];
        site.declare(&college).await;
        assert_eq!(browser.get(&site, &gateway).await.location(), NOTES);
    })
    .await;
}

#[tokio::test]
async fn attack_34_gateway_is_no_open_redirect() {
    on_each_engine(async |context, clock| {
        let (site, browser, _, _) = with_lina_and_notes((context, clock)).await;
        let mut off = service("agenda");
        off.enabled = false;
        site.declare(&off).await;
        for elsewhere in [
            "https://evil.example/",
            "https://notes.example.evil.example/app",
            "https://notes.example@evil.example/app",
            r"https://evil.example\@notes.example/app",
            "https://notes.example/app/../evil",
            "https://notes.example/app#@evil.example",
            "https://notes.example/",
            "//evil.example",
            "javascript:alert(1)",
            AGENDA,
            "https://ent.example/cb",
        ] {
            for more in [
                &[][..],
                &[("gateway", "true")],
                &[("renew", "true")],
                &[("method", "POST")],
            ] {
                let reply = browser.get(&site, &login_url(elsewhere, more)).await;
                assert_eq!(reply.status, StatusCode::FORBIDDEN, "{elsewhere}");
                assert!(reply.body.contains("n’est pas connu de nous"), "{elsewhere}");
                assert!(!reply.body.contains("evil"), "{elsewhere}");
            }
        }
        let twice = format!(
            "{}&service=https://evil.example/",
            login_url(NOTES, &[("gateway", "true")])
        );
        assert_eq!(browser.get(&site, &twice).await.status, StatusCode::FORBIDDEN);
        let english = login_url("https://evil.example/", &[("lang", "en")]);
        let reply = browser.get(&site, &english).await;
        assert!(reply.body.contains("not known to us"));
        let long = login_url(&format!("https://notes.example/app?{}", "a".repeat(9000)), &[]);
        assert_eq!(browser.get(&site, &long).await.status, StatusCode::BAD_REQUEST);
    })
    .await;
}

#[tokio::test]
async fn renew_asks_again_and_its_ticket_says_so() {
    on_each_engine(async |context, clock| {
        let (site, mut browser, lina, _) = with_lina_and_notes((context, clock)).await;
        let renewed = |ticket: &str| {
            at(
                "/cas/serviceValidate",
                &[("service", NOTES), ("ticket", ticket), ("renew", "true")],
            )
        };
        let sso = browser.ticket(&site, NOTES).await;
        let refused = Browser::default().get(&site, &renewed(&sso)).await;
        assert_eq!(code(&refused), "INVALID_TICKET");
        let sent = browser
            .get(
                &site,
                &login_url(NOTES, &[("renew", "true"), ("gateway", "true")]),
            )
            .await;
        assert!(sent.location().starts_with("/login?continue="), "renew wins");
        let waiting = sent.sent("continue").unwrap();
        let resume = at("/cas/login/resume", &[("continue", &waiting)]);
        let unchanged = browser.get(&site, &resume).await;
        assert!(
            unchanged.location().starts_with("/login?"),
            "nobody signed in since"
        );
        site.advance(5);
        site.sign_in(&mut browser, &lina).await;
        let ticket = browser.get(&site, &resume).await.sent("ticket").unwrap();
        let accepted = Browser::default().get(&site, &renewed(&ticket)).await;
        assert_eq!(element(&accepted, "isFromNewLogin"), Some("true"));
    })
    .await;
}

#[tokio::test]
async fn method_post_brings_the_ticket_in_a_form() {
    on_each_engine(async |context, clock| {
        let (site, browser, _, _) = with_lina_and_notes((context, clock)).await;
        let page = browser.get(&site, &login_url(NOTES, &[("method", "POST")])).await;
        assert_eq!(page.status, StatusCode::OK);
        assert!(
            page.body
                .contains("action=\"https://notes.example/app/6e?tab=1\""),
            "{}",
            page.body
        );
        let policy = page.header(header::CONTENT_SECURITY_POLICY).unwrap();
        assert!(
            policy.contains("form-action 'self' https://notes.example;"),
            "{policy}"
        );
        let (_, rest) = page.body.split_once("name=\"ticket\" value=\"").unwrap();
        let ticket = rest.split('"').next().unwrap();
        let reply = site.show("/cas/serviceValidate", NOTES, ticket).await;
        assert!(element(&reply, "user").is_some());
        let nobody = login_url(NOTES, &[("method", "POST"), ("gateway", "true")]);
        assert_eq!(Browser::default().get(&site, &nobody).await.location(), NOTES);
    })
    .await;
}

#[tokio::test]
async fn a_posted_login_is_sent_round_without_a_password() {
    on_each_engine(async |context, clock| {
        let (site, browser, _, _) = with_lina_and_notes((context, clock)).await;
        let form = url::query([("service", NOTES), ("username", "u"), ("password", "hush")]);
        let round = Browser::default().post(&site, "/cas/login", form).await;
        assert!(!round.location().contains("hush") && !round.location().contains("username"));
        assert!(
            browser
                .get(&site, round.location())
                .await
                .sent("ticket")
                .is_some()
        );
    })
    .await;
}

#[tokio::test]
async fn without_a_service_people_sign_in_and_are_home() {
    on_each_engine(async |context, clock| {
        let (site, browser, _, _) = with_lina_and_notes((context, clock)).await;
        assert_eq!(browser.get(&site, "/cas/login").await.location(), "/");
        for query in ["", "?gateway=true", "?renew=true"] {
            let reply = Browser::default().get(&site, &format!("/cas/login{query}")).await;
            assert_eq!(reply.location(), "/login");
        }
        let stale = browser.get(&site, "/cas/login/resume?continue=x").await;
        assert_eq!(stale.status, StatusCode::BAD_REQUEST);
    })
    .await;
}

#[tokio::test]
async fn a_child_is_told_what_the_service_learns_and_then_goes_on() {
    on_each_engine(async |context, clock| {
        let (site, _, lina, _) = with_lina_and_notes((context, clock)).await;
        let mut new = service("new");
        new.release
            .0
            .retain(|line| line.attribute == Attribute::GivenName);
        site.declare(&new).await;
        let browser = Browser {
            cookie: Some(scene::sign_in_unaware(&site.context, &lina, None).await),
        };
        let told = browser
            .get(&site, &login_url("https://new.example/app", &[]))
            .await;
        assert!(told.location().starts_with("/notice?continue="));
        let page = browser.get(&site, told.location()).await;
        assert!(page.body.contains("Service new") && page.body.contains("Lina"));
        let policy = page.header(header::CONTENT_SECURITY_POLICY).unwrap();
        assert!(policy.contains("https://new.example"), "{policy}");
        let back = browser.press(&site, "go-on", &page).await;
        assert!(back.location().starts_with("https://new.example/app?ticket=ST-"));
        browser.ticket(&site, "https://new.example/app").await;
    })
    .await;
}

#[tokio::test]
async fn a_service_that_is_closed_for_somebody_gets_no_ticket() {
    on_each_engine(async |context, clock| {
        let (site, browser, _, _) = with_lina_and_notes((context, clock)).await;
        let mut notes = service("notes");
        notes.schools = vec![COLLEGE.parse().unwrap()];
        site.declare(&notes).await;
        let closed = browser.get(&site, &login_url(NOTES, &[])).await;
        assert_eq!(closed.status, StatusCode::FORBIDDEN);
        assert!(closed.body.contains("Service notes"));
        let mut notes = service("notes");
        notes.basis = Basis::Consent;
        site.declare(&notes).await;
        let for_adults = browser.get(&site, &login_url(NOTES, &[])).await;
        assert_eq!(for_adults.status, StatusCode::FORBIDDEN);
        let mut notes = service("notes");
        notes.metadata.minimum_acr = Some(Acr::SingleFactor);
        site.declare(&notes).await;
        let sent = browser.get(&site, &login_url(NOTES, &[])).await;
        assert!(sent.location().starts_with("/login?continue="));
        let mut browser = browser;
        let lina = browser_person(&site, &browser).await;
        site.advance(1);
        site.sign_in(&mut browser, &lina).await;
        let resume = at(
            "/cas/login/resume",
            &[("continue", &sent.sent("continue").unwrap())],
        );
        let not_enough = browser.get(&site, &resume).await;
        assert_eq!(not_enough.status, StatusCode::FORBIDDEN);
        assert!(not_enough.body.contains("code en images"));
        assert_eq!(site.journalled("authorization.granted").await, 0);
    })
    .await;
}

async fn browser_person(site: &Site, browser: &Browser) -> Identity {
    let cookie = browser.cookie.as_ref().unwrap();
    let found = crate::flows::session::find(&site.context, cookie).await.unwrap();
    found.unwrap().identity
}

#[tokio::test]
async fn going_back_from_the_login_page_leads_where_the_service_begins() {
    on_each_engine(async |context, clock| {
        let (site, _, _, _) = with_lina_and_notes((context, clock)).await;
        let browser = Browser::default();
        let cancel = async |site: &Site| {
            let sent = browser.get(site, &login_url(NOTES, &[])).await;
            let form = url::query([("continue", sent.sent("continue").unwrap().as_str())]);
            browser.post(site, "/login/cancel", form).await
        };
        assert_eq!(cancel(&site).await.location(), NOTES);
        let mut notes = service("notes");
        notes.home = Some("https://notes.example/".into());
        site.declare(&notes).await;
        assert_eq!(cancel(&site).await.location(), "https://notes.example/");
    })
    .await;
}

#[tokio::test]
async fn the_hint_of_a_service_waits_with_its_request() {
    on_each_engine(async |context, clock| {
        let (site, _, _, _) = with_lina_and_notes((context, clock)).await;
        let mut notes = service("notes");
        notes.cas.as_mut().unwrap().hint_parameter = Some("selection".into());
        site.declare(&notes).await;
        let asked = login_url(NOTES, &[("selection", "EDU_parent_eleve"), ("idpId", "x")]);
        let sent = Browser::default().get(&site, &asked).await;
        let waiting = Continuation::open(&site.context, &sent.sent("continue").unwrap()).unwrap();
        assert_eq!(waiting.hint.as_deref(), Some("EDU_parent_eleve"));
        assert!(waiting.query.contains("selection=") && !waiting.query.contains("idpId"));
    })
    .await;
}

#[tokio::test]
async fn a_party_that_speaks_nothing_but_cas_gets_no_code() {
    on_each_engine(async |context, clock| {
        let (site, browser, _, _) = with_lina_and_notes((context, clock)).await;
        for redirect in ["https://notes.example/app", "https://notes.example/cb", ""] {
            let asked = authorize_url("notes", &[("redirect_uri", redirect)]);
            let refused = browser.get(&site, &asked).await;
            assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{redirect}");
        }
    })
    .await;
}
