//! Forged answers, each made from a good one by one change, over HTTP: nobody is signed in by any of them. The cores have the
//! same cases beside their code (`saml::service_provider`, `saml::xmlsec`, `oidc::upstream`); here is what the flows decide.

use super::federation::{BY_OIDC, BY_SAML, Browser, DOWN, Federation, UP, by_saml, declare, provider};
use crate::base::url;
use crate::domain::relying_party::{Encryption, Signed};
use crate::domain::upstream::{Otherwise, Protocol};
use crate::flows::client;
use crate::flows::testing::scene::{self, on_each_engine};
use crate::saml::wire;

/// The answer of the provider to a request of ours, caught on its way, and the browser that asked.
async fn caught(federation: &Federation) -> (Browser, String) {
    let mut browser = federation.browser().await;
    let away = browser.leave(federation, BY_SAML).await;
    let answer = browser.once(federation, away.location()).await;
    let message = crate::web::saml::tests::partner::Posted::of(&answer).message;
    (browser, message)
}

fn form(message: &str) -> String {
    url::query([("SAMLResponse", wire::to_form(message).as_str())])
}

/// Whether somebody is signed in by what was posted.
async fn signs_in(federation: &Federation, browser: &mut Browser, form: String) -> bool {
    browser
        .submit(federation, &format!("{DOWN}/saml/sp/acs"), (form, UP))
        .await;
    federation.who(browser).await.is_some()
}

#[tokio::test]
async fn attacks_25_26_and_45_an_answer_counts_once_and_in_the_browser_that_asked() {
    on_each_engine(async |context, clock| {
        let (federation, _folder) = Federation::new((context, clock), Otherwise::Refuse).await;
        // Of another browser: it is used up, and nobody is signed in, not even the one who asked.
        let (mut browser, message) = caught(&federation).await;
        let mut other = Browser::default();
        assert!(!signs_in(&federation, &mut other, form(&message)).await);
        other.set(DOWN, "__Host-marelle-away", "another browser");
        assert!(!signs_in(&federation, &mut other, form(&message)).await);
        assert!(!signs_in(&federation, &mut browser, form(&message)).await);

        let (mut browser, message) = caught(&federation).await;
        assert!(signs_in(&federation, &mut browser, form(&message)).await);
        browser.forget(DOWN);
        assert!(
            !signs_in(&federation, &mut browser, form(&message)).await,
            "again"
        );
        assert!(federation.down.journalled("upstream_answer.refused").await >= 2);

        // To a request that waits no more, and to one that nobody made.
        let (mut browser, message) = caught(&federation).await;
        federation.down.advance(21 * 60);
        assert!(
            !signs_in(&federation, &mut browser, form(&message)).await,
            "too late"
        );
        let (mut browser, message) = caught(&federation).await;
        let request = message
            .split("InResponseTo=\"")
            .nth(1)
            .unwrap()
            .split('"')
            .next()
            .unwrap()
            .to_owned();
        let unasked = message.replace(&request, "_nobody");
        assert!(!signs_in(&federation, &mut browser, form(&unasked)).await);
    })
    .await;
}

#[tokio::test]
async fn attack_22_an_answer_of_another_provider_than_was_asked_is_none() {
    on_each_engine(async |context, clock| {
        let (federation, _folder) = Federation::new((context, clock), Otherwise::Refuse).await;
        // The browser was sent to the provider by OpenID Connect; the state of that request comes with an assertion.
        let mut browser = federation.browser().await;
        let away = browser.leave(&federation, BY_OIDC).await;
        let state = away.sent("state").unwrap();
        let (_, message) = caught(&federation).await;
        let request = message
            .split("InResponseTo=\"")
            .nth(1)
            .unwrap()
            .split('"')
            .next()
            .unwrap()
            .to_owned();
        let mixed = message.replace(&request, &state);
        assert!(!signs_in(&federation, &mut browser, form(&mixed)).await);
        // And a code of one provider at the address of another.
        let mut mixed = federation.browser().await;
        let away = mixed.leave(&federation, BY_OIDC).await;
        let back = mixed.once(&federation, away.location()).await;
        let elsewhere = back.location().replace(BY_OIDC, BY_SAML);
        mixed.go(&federation, &elsewhere).await;
        assert!(federation.who(&mixed).await.is_none());
        // It is used up by then.
        mixed.go(&federation, back.location()).await;
        assert!(federation.who(&mixed).await.is_none());
    })
    .await;
}

#[tokio::test]
async fn attack_40b_a_code_comes_once_from_the_issuer_to_the_browser_that_asked() {
    on_each_engine(async |context, clock| {
        let (federation, _folder) = Federation::new((context, clock), Otherwise::Create).await;
        let back = async || {
            let mut browser = federation.browser().await;
            let away = browser.leave(&federation, BY_OIDC).await;
            let back = browser.once(&federation, away.location()).await;
            (browser, back.location().to_owned())
        };
        let without = |address: &str, name: &str| {
            let (path, query) = address.split_once('?').unwrap();
            let kept = url::parameters(query);
            let kept = kept.iter().filter(|(other, _)| other != name);
            format!(
                "{path}?{}",
                url::query(kept.map(|(name, value)| (name.as_str(), value.as_str())))
            )
        };
        let (_, address) = back().await;
        let mut other = Browser::default();
        other.go(&federation, &address).await;
        assert!(federation.who(&other).await.is_none(), "another browser");
        for name in ["state", "iss", "code"] {
            let (mut browser, address) = back().await;
            browser.go(&federation, &without(&address, name)).await;
            assert!(federation.who(&browser).await.is_none(), "without {name}");
        }
        let (mut browser, address) = back().await;
        let mixed = without(&address, "iss");
        browser
            .go(&federation, &format!("{mixed}&iss=https%3A%2F%2Fevil.example"))
            .await;
        assert!(federation.who(&browser).await.is_none(), "mix-up");
        let (mut browser, address) = back().await;
        browser.go(&federation, &address).await;
        assert!(federation.who(&browser).await.is_some());
        browser.forget(DOWN);
        browser.go(&federation, &address).await;
        assert!(federation.who(&browser).await.is_none(), "again");
    })
    .await;
}

#[tokio::test]
async fn attacks_1_to_24_whatever_is_changed_in_an_answer_it_signs_nobody_in() {
    on_each_engine(async |context, clock| {
        let (federation, _folder) = Federation::new((context, clock), Otherwise::Refuse).await;
        let mut plain = by_saml();
        plain.encrypted = false;
        declare(
            &federation.down.context,
            provider(BY_SAML, Protocol::Saml(plain), Otherwise::Refuse),
            None,
        )
        .await;
        // One signature, over all of it: what is changed anywhere is changed under it.
        let aval = client::find(&federation.up.context, &"aval".parse().unwrap()).await;
        let mut aval = aval.unwrap().unwrap();
        let saml = aval.saml.as_mut().unwrap();
        (saml.signed, saml.encryption) = (Signed::Response, Encryption::Never);
        federation.up.declare(&aval).await;
        type Change = (&'static str, fn(&str) -> String);
        let changes: [Change; 8] = [
            ("11 signature removed", |text| {
                let (before, rest) = text.split_once("<ds:Signature").unwrap();
                let (_, after) = rest.split_once("</ds:Signature>").unwrap();
                format!("{before}{after}")
            }),
            ("13 comment", |text| {
                text.replacen("</saml:Issuer>", "<!-- x --></saml:Issuer>", 1)
            }),
            ("16 doctype", |text| {
                format!("<!DOCTYPE x [<!ENTITY e 'x'>]>{text}")
            }),
            ("18 reference", |text| text.replacen("URI=\"#", "URI=\"", 1)),
            ("19 algorithm", |text| text.replace("rsa-sha256", "rsa-sha1")),
            ("23 destination", |text| {
                text.replace("/saml/sp/acs", "/saml/sp/bcs")
            }),
            ("24 later", |text| text.replace("2026-10-01", "2027-10-01")),
            ("1 wrapped", |text| {
                let id = text.split("ID=\"").nth(1).unwrap().split('"').next().unwrap();
                let evil = text.replace(id, "_evil");
                evil.replacen(
                    "</samlp:Status>",
                    &format!("</samlp:Status><samlp:Extensions>{text}</samlp:Extensions>"),
                    1,
                )
            }),
        ];
        for (name, change) in changes {
            let (mut browser, message) = caught(&federation).await;
            let forged = change(&message);
            assert_ne!(forged, message, "{name}: changes nothing");
            assert!(
                !signs_in(&federation, &mut browser, form(&forged)).await,
                "{name}"
            );
        }
        let (mut browser, message) = caught(&federation).await;
        let twice = format!("{0}&{0}", form(&message));
        assert!(!signs_in(&federation, &mut browser, twice).await, "28 twice");
        assert!(
            signs_in(&federation, &mut browser, form(&message)).await,
            "the good one"
        );
    })
    .await;
}

#[tokio::test]
async fn who_keeps_no_cookie_leaves_nothing_behind_and_who_does_leaves_a_few_requests() {
    on_each_engine(async |context, clock| {
        let (federation, _folder) = Federation::new((context, clock), Otherwise::Refuse).await;
        let way = format!("{DOWN}/login/with/{BY_SAML}");
        let waiting = async || scene::requests_upstream(&federation.down.context).await;
        for _ in 0..3 {
            let mut robot = Browser::default();
            assert_eq!(robot.once(&federation, &way).await.status, 303);
            robot.forget(DOWN);
            assert_eq!(
                robot.once(&federation, &format!("{way}?cookie=1")).await.status,
                400
            );
        }
        assert_eq!(waiting().await, 0);
        let mut browser = Browser::default();
        for _ in 0..30 {
            browser.once(&federation, &way).await;
        }
        assert_eq!(waiting().await, 20);
        // And comes in by the last of them.
        let mut browser = federation.browser().await;
        browser.go(&federation, &way).await;
        assert!(federation.who(&browser).await.is_some());
    })
    .await;
}
