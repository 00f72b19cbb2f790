//! Logout that a relying party asks for.

use axum::http::{StatusCode, header};
use serde_json::Value;

use super::site::*;
use crate::base::url;
use crate::flows::session;
use crate::flows::testing::scene::on_each_engine;

const BYE: (&str, &str) = ("post_logout_redirect_uri", "https://ent.example/bye");

fn logout_url(parameters: &[(&str, &str)]) -> String {
    format!("/oauth/logout?{}", url::query(parameters.iter().copied()))
}

async fn is_signed_in(site: &Site, browser: &Browser) -> bool {
    let cookie = browser.cookie.as_ref().unwrap();
    session::find(&site.context, cookie).await.unwrap().is_some()
}

fn hint(tokens: &Value) -> (&str, &str) {
    ("id_token_hint", tokens["id_token"].as_str().unwrap())
}

/// The hidden field of the confirmation page.
fn confirmation(reply: &Reply) -> String {
    assert_eq!(reply.status, StatusCode::OK, "{reply:?}");
    assert!(reply.body.contains("id=\"sign-out\""));
    let (_, rest) = reply.body.split_once("name=\"confirmation\" value=\"").unwrap();
    rest.split('"').next().unwrap().to_owned()
}

#[tokio::test]
async fn a_party_that_names_this_login_ends_it_and_gets_the_person_back() {
    on_each_engine(async |context, clock| {
        let (site, browser, _) = with_lina((context, clock)).await;
        let tokens = browser.tokens(&site, "ent").await;
        let token = tokens["access_token"].as_str().unwrap();
        let asked = [hint(&tokens), BYE, ("state", "a b"), ("client_id", "ent")];
        let reply = browser.get(&site, &logout_url(&asked)).await;
        assert_eq!(reply.location(), "https://ent.example/bye?state=a+b");
        let cleared = reply.header(header::SET_COOKIE).unwrap();
        assert!(
            cleared.starts_with("__Host-marelle=;") && cleared.contains("Max-Age=0"),
            "{cleared}"
        );
        assert!(!is_signed_in(&site, &browser).await);
        assert_eq!(site.userinfo(token).await.status, StatusCode::UNAUTHORIZED);
        assert_eq!(site.journalled("session.ended").await, 1);
        let again = browser.get(&site, &logout_url(&asked)).await;
        assert_eq!(
            again.location(),
            "https://ent.example/bye?state=a+b",
            "nobody there: straight back"
        );
    })
    .await;
}

#[tokio::test]
async fn an_expired_hint_is_still_a_hint_and_a_post_is_sent_round() {
    on_each_engine(async |context, clock| {
        let (site, browser, _) = with_lina((context, clock)).await;
        let tokens = browser.tokens(&site, "ent").await;
        site.advance(1800);
        let form = url::query([hint(&tokens), BYE]);
        let round = Browser::default().post(&site, "/oauth/logout", form).await;
        assert!(round.location().starts_with("/oauth/logout?"));
        assert_eq!(
            browser.get(&site, round.location()).await.location(),
            "https://ent.example/bye"
        );
        assert!(!is_signed_in(&site, &browser).await);
    })
    .await;
}

#[tokio::test]
async fn case_40_without_a_believable_hint_the_person_is_asked() {
    on_each_engine(async |context, clock| {
        let (site, mut browser, lina) = with_lina((context, clock)).await;
        let stale = browser.tokens(&site, "ent").await;
        let mut elsewhere = Browser::default();
        let maddi = site.pupil("Maddi", 2, ECOLE).await;
        site.sign_in(&mut elsewhere, &maddi).await;
        let of_maddi = elsewhere.tokens(&site, "ent").await;
        browser.cookie = None;
        site.sign_in(&mut browser, &lina).await;
        let token = stale["id_token"].as_str().unwrap();
        let (head, signature) = token.rsplit_once('.').unwrap();
        let forged = format!("{head}.{}", signature.chars().rev().collect::<String>());
        let none = "eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.eyJpc3MiOiJodHRwczovL2lkLmV4YW1wbGUuZnIifQ.";
        for asked in [
            vec![],
            vec![BYE],
            vec![BYE, ("client_id", "ent")],
            vec![BYE, ("id_token_hint", token)],
            vec![BYE, hint(&of_maddi)],
            vec![BYE, ("id_token_hint", &forged)],
            vec![BYE, ("id_token_hint", none)],
            vec![BYE, ("id_token_hint", "x")],
            vec![BYE, hint(&of_maddi), ("client_id", "cantine")],
            vec![BYE, ("client_id", "nobody")],
        ] {
            let reply = browser.get(&site, &logout_url(&asked)).await;
            confirmation(&reply);
            assert!(is_signed_in(&site, &browser).await, "{asked:?}");
        }
        let twice = browser.get(&site, "/oauth/logout?state=a&state=b").await;
        assert_eq!(twice.status, StatusCode::BAD_REQUEST);
    })
    .await;
}

#[tokio::test]
async fn case_40_after_the_yes_only_a_registered_address_of_a_known_party_is_gone_to() {
    on_each_engine(async |context, clock| {
        let (site, mut browser, lina) = with_lina((context, clock)).await;
        let evil = ("post_logout_redirect_uri", "https://evil.example/");
        for (asked, destination) in [
            (vec![], "/sign-out"),
            (vec![BYE], "/sign-out"),
            (vec![("client_id", "ent"), BYE], "https://ent.example/bye"),
            (vec![("client_id", "cantine"), BYE], "/sign-out"),
            (vec![("client_id", "ent"), evil], "/sign-out"),
            (
                vec![("id_token_hint", "bad"), ("client_id", "ent"), BYE],
                "/sign-out",
            ),
        ] {
            let page = browser.get(&site, &logout_url(&asked)).await;
            let yes = url::query([("confirmation", &*confirmation(&page))]);
            let reply = browser.post(&site, "/oauth/logout", yes).await;
            assert_eq!(reply.location(), destination, "{asked:?}");
            assert!(!is_signed_in(&site, &browser).await);
            browser.cookie = None;
            site.sign_in(&mut browser, &lina).await;
        }
    })
    .await;
}

#[tokio::test]
async fn a_yes_is_good_for_the_login_it_was_said_about_and_cannot_be_forged() {
    on_each_engine(async |context, clock| {
        let (site, browser, _) = with_lina((context, clock)).await;
        let maddi = site.pupil("Maddi", 2, ECOLE).await;
        let mut elsewhere = Browser::default();
        site.sign_in(&mut elsewhere, &maddi).await;
        let of_maddi = confirmation(&elsewhere.get(&site, "/oauth/logout").await);
        for forged in [of_maddi.as_str(), "x", "bm90aGluZw"] {
            let reply = browser
                .post(&site, "/oauth/logout", url::query([("confirmation", forged)]))
                .await;
            confirmation(&reply);
            assert!(is_signed_in(&site, &browser).await, "{forged}");
        }
    })
    .await;
}
