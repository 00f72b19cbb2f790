//! How surely the person must have signed in: what a party is registered with, and what a request demands as essential
//! (OpenID Connect Core §5.5.1.1; Core Error Code `unmet_authentication_requirements`).

use axum::http::header;

use super::site::*;
use crate::base::secret::Secret;
use crate::base::url;
use crate::domain::assurance::Acr;
use crate::domain::testing::party;
use crate::flows::testing::scene::{self, on_each_engine};

const CLASS: &str = r#"{"id_token":{"acr":{"essential":true,"value":"urn:marelle:acr:class"}}}"#;
const SINGLE: &str =
    r#"{"id_token":{"acr":{"essential":true,"values":["x","https://refeds.org/profile/sfa"]}}}"#;
const SEVERAL: &str = r#"{"id_token":{"acr":{"essential":true,"value":"https://refeds.org/profile/mfa"}}}"#;

/// Signs Maddi in by her password, on the page she was sent to.
async fn by_password(site: &Site, browser: &mut Browser, page: &Reply) {
    let sealed = page.sent("continue").unwrap();
    let form = [
        ("continue", &*sealed),
        ("username", "maddi.legoff"),
        ("password", "une phrase de passe"),
    ];
    let reply = browser.post(site, "/login", url::query(form)).await;
    assert!(reply.location().starts_with("/oauth/authorize/resume?"));
    let set = reply.header(header::SET_COOKIE).unwrap();
    let (_, value) = set.split(';').next().unwrap().split_once('=').unwrap();
    browser.cookie = Some(Secret::new(value));
}

/// The request of an answer that sent the browser to a login page, once somebody has signed in.
fn resumed(page: &Reply) -> String {
    let sealed = page.sent("continue").unwrap();
    url::with_parameters("/oauth/authorize/resume", [("continue", &*sealed)])
}

fn error(reply: &Reply) -> Option<String> {
    reply.sent("error")
}

#[tokio::test]
async fn a_picture_code_is_stepped_up_to_a_password_and_no_further_than_there_is() {
    on_each_engine(async |context, clock| {
        let site = Site::new((context, clock)).await;
        let maddi = site.pupil("Maddi", 7, ECOLE).await;
        scene::with_password(&site.context, &maddi, "maddi.legoff", "une phrase de passe").await;
        let mut strict = party("ent");
        strict.metadata.minimum_acr = Some(Acr::SingleFactor);
        for (registered, change) in [(party("ent"), ("claims", SINGLE)), (strict, ("", ""))] {
            site.declare(&registered).await;
            let mut browser = Browser::default();
            site.sign_in(&mut browser, &maddi).await;
            site.advance(1);
            let ask = || authorize_url("ent", &[change]);
            let none = authorize_url("ent", &[change, ("prompt", "none")]);
            let reply = browser.get(&site, &none).await;
            assert_eq!(error(&reply).as_deref(), Some("login_required"));

            let sent = browser.get(&site, &ask()).await;
            assert!(sent.location().starts_with("/login?"));
            let page = browser.get(&site, sent.location()).await;
            assert!(
                !page.body.contains("id=\"class-way\""),
                "that way would lead back here"
            );
            site.advance(1);
            site.sign_in(&mut browser, &maddi).await;
            let reply = browser.get(&site, &resumed(&sent)).await;
            assert_eq!(
                error(&reply).as_deref(),
                Some("unmet_authentication_requirements"),
                "who had the chance is not asked again"
            );

            let sent = browser.get(&site, &ask()).await;
            site.advance(1);
            by_password(&site, &mut browser, &sent).await;
            let reply = browser.get(&site, &resumed(&sent)).await;
            let code = reply.sent("code").unwrap();
            let tokens = site.token("ent", &code, &[]).await.json();
            assert_eq!(
                claims(&tokens["id_token"])["acr"],
                "https://refeds.org/profile/sfa"
            );
            assert!(browser.get(&site, &none).await.sent("code").is_some());
            for nobody in [&browser, &Browser::default()] {
                let reply = nobody
                    .get(&site, &authorize_url("ent", &[("claims", SEVERAL)]))
                    .await;
                assert_eq!(
                    error(&reply).as_deref(),
                    Some("unmet_authentication_requirements")
                );
            }
        }
    })
    .await;
}

#[tokio::test]
async fn a_login_begins_at_the_class_page_where_only_that_is_wanted() {
    on_each_engine(async |context, clock| {
        let site = Site::new((context, clock)).await;
        let lina = site.pupil("Lina", 1, ECOLE).await;
        let mut browser = Browser::default();
        let wished = [("acr_values", "urn:marelle:acr:class")];
        let sent = browser.get(&site, &authorize_url("ent", &wished)).await;
        assert!(sent.location().starts_with("/class?continue="));
        let both = [(
            "acr_values",
            "urn:marelle:acr:class https://refeds.org/profile/sfa",
        )];
        let either = browser.get(&site, &authorize_url("ent", &both)).await;
        assert!(either.location().starts_with("/login?"));
        let page = browser.get(&site, either.location()).await;
        assert!(page.body.contains("id=\"class-way\""));
        let demanded = browser
            .get(&site, &authorize_url("ent", &[("claims", CLASS)]))
            .await;
        assert!(demanded.location().starts_with("/class?continue="));
        site.sign_in(&mut browser, &lina).await;
        let reply = browser.get(&site, &resumed(&demanded)).await;
        let code = reply.sent("code").unwrap();
        let tokens = site.token("ent", &code, &[]).await.json();
        assert_eq!(claims(&tokens["id_token"])["acr"], "urn:marelle:acr:class");

        let mut primary = party("ent");
        primary.metadata.default_acr_values = vec!["urn:marelle:acr:class".into()];
        site.declare(&primary).await;
        let sent = Browser::default().get(&site, &authorize_url("ent", &[])).await;
        assert!(
            sent.location().starts_with("/class?"),
            "the wish of every request"
        );
        // A wish refuses nobody.
        let wish = [("acr_values", "https://refeds.org/profile/mfa urn:x")];
        browser.code(&site, "ent", &wish).await;
        browser
            .code(&site, "ent", &[("claims", &SEVERAL.replace("true", "false"))])
            .await;
    })
    .await;
}
