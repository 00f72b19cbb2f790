//! What a service lets the login page know: a login name, languages, a size (OpenID Connect Core §3.1.2.1).

use axum::http::StatusCode;

use super::site::*;
use crate::flows::testing::scene::{self, on_each_engine};

/// The login page that a request leads to, before anything is typed.
async fn login_page(site: &Site, browser: &Browser, change: &[(&str, &str)]) -> (String, Reply) {
    let sent = browser.get(site, &authorize_url("ent", change)).await;
    let address = sent.location().to_owned();
    assert!(address.starts_with("/login?"), "{address}");
    let page = browser.get(site, &address).await;
    assert_eq!(page.status, StatusCode::OK);
    (address, page)
}

fn username(page: &Reply) -> &str {
    let (_, field) = page.body.split_once("id=\"username\"").unwrap();
    let (_, value) = field.split_once("value=\"").unwrap();
    value.split('"').next().unwrap()
}

fn is_in(page: &Reply, tag: &str) -> bool {
    page.body.contains(&format!("<html lang=\"{tag}\""))
}

#[tokio::test]
async fn a_login_hint_is_typed_already_and_tells_nothing_about_anybody() {
    on_each_engine(async |context, clock| {
        let site = Site::new((context, clock)).await;
        let maddi = site.pupil("Maddi", 7, ECOLE).await;
        scene::with_password(&site.context, &maddi, "maddi.legoff", "une phrase de passe").await;
        let nobody = Browser::default();
        let (_, page) = login_page(&site, &nobody, &[]).await;
        assert_eq!(username(&page), "");
        let mut pages = Vec::new();
        for hint in ["maddi.legoff", "maddi.lebleu"] {
            let (address, page) = login_page(&site, &nobody, &[("login_hint", hint)]).await;
            assert_eq!(username(&page), hint);
            let sealed = address.split_once("continue=").unwrap().1;
            pages.push(page.body.replace(hint, "HINT").replace(sealed, "SEALED"));
        }
        assert_eq!(pages[0], pages[1], "known or not, one page");
        let (_, page) = login_page(&site, &nobody, &[("login_hint", "\"><script>alert(1)</script>")]).await;
        assert!(!page.body.contains("<script>alert"), "escaped");
        let (_, page) = login_page(&site, &nobody, &[("login_hint", &"x".repeat(200))]).await;
        assert_eq!(username(&page), "", "that is no login name");

        let (address, _) = login_page(&site, &nobody, &[("login_hint", "maddi.legoff")]).await;
        let sealed = address.split_once("continue=").unwrap().1;
        let form = format!("continue={sealed}&username=somebody.else&password=wrong");
        let refused = nobody.post(&site, "/login", form).await;
        assert_eq!(
            (refused.status, username(&refused)),
            (StatusCode::FORBIDDEN, "somebody.else")
        );
    })
    .await;
}

#[tokio::test]
async fn the_first_language_of_ours_that_a_service_names_is_spoken_until_the_person_chooses() {
    on_each_engine(async |context, clock| {
        let site = Site::new((context, clock)).await;
        let nobody = Browser::default();
        for (locales, spoken) in [
            ("", "fr"),
            ("en", "en"),
            ("br-FR en-GB fr", "en"),
            ("fr-CA en", "fr"),
            ("eu de", "fr"),
        ] {
            let (address, page) = login_page(&site, &nobody, &[("ui_locales", locales)]).await;
            assert!(is_in(&page, spoken), "{locales}");
            let class_page = nobody.get(&site, &address.replacen("/login", "/class", 1)).await;
            assert!(is_in(&class_page, spoken), "{locales}: on every page of the way");
        }
        let (address, _) = login_page(&site, &nobody, &[("ui_locales", "en")]).await;
        let switched = nobody.get(&site, &format!("{address}&lang=fr")).await;
        assert!(is_in(&switched, "fr"), "what the person chooses wins");
        assert!(
            is_in(&nobody.get(&site, "/login").await, "fr"),
            "of that request only"
        );
    })
    .await;
}

#[tokio::test]
async fn what_nobody_needs_to_know_changes_nothing() {
    on_each_engine(async |context, clock| {
        let (site, browser, _) = with_lina((context, clock)).await;
        for change in [
            ("display", "page"),
            ("display", "popup"),
            ("display", "touch"),
            ("display", "wap"),
            ("display", "hologram"),
            ("claims_locales", "br eu"),
            ("ui_locales", "\u{1}"),
            ("login_hint", "somebody.else"),
            ("vendor_extension", "{}"),
        ] {
            browser.code(&site, "ent", &[change]).await;
        }
    })
    .await;
}
