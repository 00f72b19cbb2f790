//! Logout that a relying party asks for.

use std::sync::Arc;

use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use serde_json::Value;

use super::site::*;
use crate::base::url;
use crate::domain::audit::Actor;
use crate::domain::relying_party::{LogoutAddress, RelyingParty, SigningAlgorithm};
use crate::domain::testing::party;
use crate::flows::testing::Partners;
use crate::flows::testing::scene::{self, on_each_engine};
use crate::flows::{keys, logout_delivery, session};

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

/// A party that the browser tells.
fn framed(id: &str, session_required: bool) -> RelyingParty {
    let mut party = party(id);
    party.metadata.frontchannel_logout = Some(LogoutAddress {
        uri: format!("https://{id}.example/out?a=1"),
        session_required,
    });
    party
}

fn policy(reply: &Reply) -> &str {
    reply.header(header::CONTENT_SECURITY_POLICY).unwrap()
}

#[tokio::test]
async fn who_says_that_they_are_done_reads_what_is_closed_and_what_is_not() {
    on_each_engine(async |context, clock| {
        let (site, browser, _) = with_lina((context, clock)).await;
        let mut biblio = party("biblio");
        biblio.metadata.backchannel_logout = framed("biblio", true).metadata.frontchannel_logout;
        for party in [framed("ent", true), framed("cantine", false), biblio] {
            site.declare(&party).await;
        }
        let sid = claims(&browser.tokens(&site, "ent").await["id_token"])["sid"].clone();
        for client in ["cantine", "biblio", "tablette"] {
            browser.code(&site, client, &[]).await;
        }
        let page = browser.post(&site, "/sign-out", String::new()).await;
        assert_eq!(page.status, StatusCode::OK);
        let cleared = page.header(header::SET_COOKIE).unwrap();
        assert!(cleared.contains("Max-Age=0"), "{cleared}");
        assert!(!is_signed_in(&site, &browser).await);
        assert!(policy(&page).contains("frame-src https://cantine.example https://ent.example;"));
        assert_eq!(page.body.matches("<iframe").count(), 2);
        let of_ent = format!(
            "https://ent.example/out?a=1&iss={ISSUER}&sid={}",
            sid.as_str().unwrap()
        );
        let of_ent = of_ent
            .replace("https://id", "https%3A%2F%2Fid")
            .replace('&', "&#38;");
        assert!(page.body.contains(&format!("src=\"{of_ent}\"")), "{}", page.body);
        assert!(
            page.body.contains("src=\"https://cantine.example/out?a=1\""),
            "nothing of the login"
        );
        let (_, told) = page.body.split_once("Fermé aussi").unwrap();
        let (told, open) = told.split_once("À fermer encore").unwrap();
        for name in ["Service ent", "Service cantine", "Service biblio"] {
            assert!(told.contains(name), "{name}");
        }
        assert!(open.contains("Service tablette"), "it cannot be told");
        assert!(!page.body.contains("http-equiv") && !page.body.contains("data-after-frames"));

        let again = browser.post(&site, "/sign-out", String::new()).await;
        assert_eq!(again.location(), "/sign-out", "nobody is left to be told");
        let plain = browser.get(&site, "/sign-out").await;
        assert!(!policy(&plain).contains("frame-src") && !plain.body.contains("Fermé aussi"));
    })
    .await;
}

#[tokio::test]
async fn case_40_no_address_of_a_party_writes_into_the_page_or_its_policy() {
    on_each_engine(async |context, clock| {
        let (site, browser, _) = with_lina((context, clock)).await;
        for (client, uri) in [
            ("ent", "javascript:alert(1)"),
            (
                "cantine",
                "https://cantine.example/\"><script>x</script>; script-src *",
            ),
        ] {
            let mut party = framed(client, true);
            party.metadata.frontchannel_logout.as_mut().unwrap().uri = uri.to_owned();
            site.declare(&party).await;
            browser.code(&site, client, &[]).await;
        }
        let page = browser.post(&site, "/sign-out", String::new()).await;
        assert!(
            policy(&page).contains("frame-src https://cantine.example;"),
            "{}",
            policy(&page)
        );
        assert!(policy(&page).contains("script-src 'self';") && !policy(&page).contains('*'));
        assert!(!page.body.contains("<script>x") && !page.body.contains("javascript:"));
    })
    .await;
}

#[tokio::test]
async fn a_hint_of_a_retired_key_is_believed_as_long_as_the_key_is_published() {
    on_each_engine(async |context, clock| {
        let (site, mut browser, lina) = with_lina((context, clock)).await;
        for (days, is_believed) in [(6, true), (8, false)] {
            site.sign_in(&mut browser, &lina).await;
            let tokens = browser.tokens(&site, "ent").await;
            let rotated = keys::rotate(&site.context, SigningAlgorithm::Es256, true, Actor::Operator).await;
            assert!(matches!(rotated.unwrap(), keys::Rotation::Done(_)));
            site.advance(days * 24 * 3600);
            // The login itself is over by then; who is asked and who is not is told by where the browser goes.
            let reply = browser.get(&site, &logout_url(&[hint(&tokens), BYE])).await;
            let expected = if is_believed {
                "https://ent.example/bye"
            } else {
                "/sign-out"
            };
            assert_eq!(reply.location(), expected, "{days} days");
            browser.cookie = None;
        }
    })
    .await;
}

#[tokio::test]
async fn the_question_is_asked_in_the_language_that_the_service_names_unless_the_person_chose_one() {
    on_each_engine(async |context, clock| {
        let (site, browser, _) = with_lina((context, clock)).await;
        let asked = logout_url(&[("ui_locales", "de en-GB fr"), ("logout_hint", "somebody else")]);
        let page = browser.get(&site, &asked).await;
        assert!(page.body.contains("<html lang=\"en\">"));
        assert!(
            page.body
                .contains("action=\"/oauth/logout?ui_locales=de+en-GB+fr\"")
        );
        let cookie = format!(
            "__Host-marelle={}; marelle-lang=fr",
            browser.cookie.as_ref().unwrap().expose()
        );
        let request = Request::get(&asked).header(header::COOKIE, cookie);
        let chosen = site.send(request.body(Body::empty()).unwrap()).await;
        assert!(chosen.body.contains("<html lang=\"fr\">"));
        assert!(
            is_signed_in(&site, &browser).await,
            "a hint of somebody else ends nothing, nor does it matter"
        );
        let yes = url::query([("confirmation", &*confirmation(&page))]);
        let gone = browser.post(&site, "/oauth/logout?ui_locales=en", yes).await;
        assert_eq!(gone.location(), "/sign-out");
    })
    .await;
}

#[tokio::test]
async fn case_40_a_logout_token_ends_nothing() {
    on_each_engine(async |mut context, clock| {
        let partners = Arc::new(Partners::default());
        context.outbound = partners.clone();
        let (site, mut browser, lina) = with_lina((context, clock)).await;
        site.declare(&scene::told_of_logout("ent")).await;
        let first = browser.tokens(&site, "ent").await;
        let signed_out = browser.get(&site, &logout_url(&[hint(&first), BYE])).await;
        assert_eq!(signed_out.location(), "https://ent.example/bye");
        let keyring = keys::Keyring::open(&site.context).await.unwrap();
        for claimed in logout_delivery::claim(&site.context, &Default::default())
            .await
            .unwrap()
        {
            logout_delivery::deliver(&site.context, &keyring, &claimed)
                .await
                .unwrap();
        }
        let sent = String::from_utf8(partners.asked().pop().unwrap().into_body()).unwrap();
        let (_, token) = url::parameters(&sent).pop().unwrap();
        browser.cookie = None;
        site.sign_in(&mut browser, &lina).await;
        let asked = logout_url(&[("id_token_hint", &token), ("client_id", "ent"), BYE]);
        let page = browser.get(&site, &asked).await;
        confirmation(&page);
        assert!(is_signed_in(&site, &browser).await);
    })
    .await;
}
