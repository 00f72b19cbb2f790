//! `/cas/logout`, and how services are told that a login has ended.

use axum::http::{StatusCode, header};

use super::*;
use crate::base::url;
use crate::flows::keys::Keyring;
use crate::flows::testing::scene::on_each_engine;
use crate::flows::{logout, logout_delivery, session};

async fn is_signed_in(site: &Site, browser: &Browser) -> bool {
    let cookie = browser.cookie.as_ref().unwrap();
    session::find(&site.context, cookie).await.unwrap().is_some()
}

/// One round of the job that tells parties.
async fn round(site: &Site) -> Vec<logout_delivery::Status> {
    let keyring = Keyring::open(&site.context).await.unwrap();
    let claimed = logout_delivery::claim(&site.context, &logout_delivery::Busy::new()).await;
    let mut came = Vec::new();
    for claimed in claimed.unwrap() {
        came.extend(
            logout_delivery::deliver(&site.context, &keyring, &claimed)
                .await
                .unwrap(),
        );
    }
    came
}

fn answers(partners: &Partners, host: &str, status: u16) {
    partners.answer(&format!("https://{host}.example/"), move |_| {
        http::Response::builder().status(status).body(Vec::new()).unwrap()
    });
}

/// What a service was sent: the address and the ticket it names.
fn told(partners: &Partners, host: &str) -> Vec<(String, String)> {
    let asked = partners.asked();
    let of_host = asked
        .iter()
        .filter(|asked| asked.uri().host() == Some(&format!("{host}.example")));
    of_host
        .map(|asked| {
            assert_eq!(asked.method(), http::Method::POST);
            let form = url::parameters(std::str::from_utf8(asked.body()).unwrap());
            assert_eq!(form.len(), 1);
            assert_eq!(form[0].0, "logoutRequest");
            let (_, message) = form[0].1.split_once("<samlp:SessionIndex>").unwrap();
            let (ticket, _) = message.split_once("</samlp:SessionIndex>").unwrap();
            (asked.uri().to_string(), ticket.to_owned())
        })
        .collect()
}

#[tokio::test]
async fn each_service_that_validated_a_ticket_is_told_by_it_and_the_page_says_so() {
    on_each_engine(async |context, clock| {
        let (site, browser, _, partners) = with_lina_and_notes((context, clock)).await;
        answers(&partners, "notes", 200);
        let mut agenda = service("agenda");
        agenda.cas.as_mut().unwrap().single_logout = false;
        site.declare(&agenda).await;
        let first = browser.ticket(&site, NOTES).await;
        site.show("/cas/serviceValidate", NOTES, &first).await;
        let ticket = browser.ticket(&site, NOTES).await;
        site.show("/cas/serviceValidate", NOTES, &ticket).await;
        let silent = browser.ticket(&site, AGENDA).await;
        site.show("/cas/serviceValidate", AGENDA, &silent).await;

        let page = browser.get(&site, "/cas/logout").await;
        assert_eq!(page.status, StatusCode::OK);
        assert!(page.header(header::SET_COOKIE).unwrap().contains("Max-Age=0"));
        assert!(!is_signed_in(&site, &browser).await);
        let (closed, open) = (
            page.body.find("Service notes").unwrap(),
            page.body.find("Service agenda").unwrap(),
        );
        assert!(closed < open, "told, and not to be told");
        let done = round(&site).await;
        assert!(
            matches!(done[..], [logout_delivery::Status::Delivered { .. }]),
            "{done:?}"
        );
        assert_eq!(
            told(&partners, "notes"),
            [(NOTES.to_owned(), ticket)],
            "by the latest ticket"
        );
        assert!(told(&partners, "agenda").is_empty());
        assert_eq!(round(&site).await, [], "once");
        assert_eq!(site.journalled("logout.delivered").await, 1);
    })
    .await;
}

#[tokio::test]
async fn a_service_that_is_down_is_told_later_and_each_of_its_addresses_once() {
    on_each_engine(async |context, clock| {
        let (site, browser, _, partners) = with_lina_and_notes((context, clock)).await;
        let mut notes = service("notes");
        notes
            .cas
            .as_mut()
            .unwrap()
            .services
            .push("https://second.example/".into());
        site.declare(&notes).await;
        let second = "https://second.example/page";
        for address in [NOTES, second] {
            let ticket = browser.ticket(&site, address).await;
            site.show("/cas/serviceValidate", address, &ticket).await;
        }
        answers(&partners, "notes", 503);
        answers(&partners, "second", 302);
        logout::sign_out(&site.context, browser.cookie.as_ref())
            .await
            .unwrap();
        let first = round(&site).await;
        assert!(
            matches!(first[..], [logout_delivery::Status::Waiting { .. }]),
            "{first:?}"
        );
        answers(&partners, "notes", 200);
        site.advance(10);
        let then = round(&site).await;
        assert!(
            matches!(then[..], [logout_delivery::Status::Delivered { .. }]),
            "{then:?}"
        );
        assert_eq!(told(&partners, "notes").len(), 2);
        assert_eq!(told(&partners, "second").len(), 1, "it was told");
    })
    .await;
}

#[tokio::test]
async fn a_party_of_both_protocols_is_told_in_both() {
    on_each_engine(async |context, clock| {
        let (site, browser, _, partners) = with_lina_and_notes((context, clock)).await;
        let mut both = crate::flows::testing::scene::told_of_logout("ent");
        both.cas = service("ent").cas;
        site.declare(&both).await;
        answers(&partners, "ent", 200);
        browser.tokens(&site, "ent").await;
        let address = "https://ent.example/app";
        let ticket = browser.ticket(&site, address).await;
        site.show("/cas/serviceValidate", address, &ticket).await;
        browser.get(&site, "/cas/logout").await;
        assert_eq!(round(&site).await.len(), 1, "one delivery");
        let bodies: Vec<String> = partners
            .asked()
            .iter()
            .map(|asked| String::from_utf8_lossy(asked.body()).into_owned())
            .collect();
        assert_eq!(bodies.len(), 2);
        assert!(bodies[0].starts_with("logout_token=") && bodies[1].starts_with("logoutRequest="));
    })
    .await;
}

#[tokio::test]
async fn after_logout_people_go_on_to_a_service_that_is_known_and_nowhere_else() {
    on_each_engine(async |context, clock| {
        let (site, mut browser, lina, _) = with_lina_and_notes((context, clock)).await;
        let leave = |service: &str| at("/cas/logout", &[("service", service)]);
        let onward = browser.get(&site, &leave(NOTES)).await;
        assert_eq!(onward.location(), NOTES);
        assert!(!is_signed_in(&site, &browser).await);
        for elsewhere in [
            "https://evil.example/",
            "https://notes.example@evil.example/app",
            "//evil.example",
        ] {
            browser.cookie = None;
            site.sign_in(&mut browser, &lina).await;
            let reply = browser.get(&site, &leave(elsewhere)).await;
            assert_eq!(reply.location(), "/sign-out", "{elsewhere}");
            assert!(!is_signed_in(&site, &browser).await);
        }
        let old = at("/cas/logout", &[("url", NOTES)]);
        let ignored = Browser::default().get(&site, &old).await;
        assert_eq!(
            ignored.location(),
            "/sign-out",
            "§2.3.1: CAS servers MUST ignore url"
        );
    })
    .await;
}

#[tokio::test]
async fn attack_34_a_logout_message_posted_to_us_does_nothing() {
    on_each_engine(async |context, clock| {
        let (site, browser, _, partners) = with_lina_and_notes((context, clock)).await;
        let ticket = browser.ticket(&site, NOTES).await;
        site.show("/cas/serviceValidate", NOTES, &ticket).await;
        let message = format!(
            "<samlp:LogoutRequest xmlns:samlp=\"urn:oasis:names:tc:SAML:2.0:protocol\" ID=\"x\" Version=\"2.0\">\
             <samlp:SessionIndex>{ticket}</samlp:SessionIndex></samlp:LogoutRequest>"
        );
        for path in ["/cas/login", "/cas/logout", "/cas/serviceValidate", "/cas/samlValidate", "/cas/proxy"] {
            let form = url::query([("logoutRequest", message.as_str())]);
            for browser in [&browser, &Browser::default()] {
                let reply = browser.post(&site, path, form.clone()).await;
                assert!(!reply.headers.contains_key(header::SET_COOKIE), "{path}");
                if path == "/cas/login" {
                    assert_eq!(reply.location(), "/cas/login?");
                } else if path != "/cas/samlValidate" {
                    assert_eq!(reply.status, StatusCode::METHOD_NOT_ALLOWED, "{path}");
                }
            }
        }
        assert!(is_signed_in(&site, &browser).await);
        assert_eq!(round(&site).await, []);
        assert!(partners.asked().is_empty());
    })
    .await;
}

#[tokio::test]
async fn a_ticket_that_nobody_validated_tells_nobody() {
    on_each_engine(async |context, clock| {
        let (site, browser, _, partners) = with_lina_and_notes((context, clock)).await;
        browser.ticket(&site, NOTES).await;
        browser.get(&site, "/cas/logout").await;
        assert_eq!(round(&site).await, []);
        assert!(partners.asked().is_empty());
    })
    .await;
}
