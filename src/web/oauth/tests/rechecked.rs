//! What a code and a refresh token rest on is looked at again when they are used: the person, the school, the credential.
//! The relying party and the login are changed in [`super::token`] and [`super::refresh`].

use std::time::Duration;

use axum::http::StatusCode;

use super::refresh::{granted, is_dead, refreshed, refreshing, text, with_refreshing_lina};
use super::site::*;
use crate::base::secret::Secret;
use crate::domain::audit::Actor;
use crate::domain::identity::Status;
use crate::domain::testing::enrolment;
use crate::flows::credential;
use crate::flows::testing::scene::{self, on_each_engine};

const OFFLINE: &str = "openid education offline_access";

#[tokio::test]
async fn case_39_whoever_is_not_active_any_more_gets_nothing_for_a_code_or_a_refresh_token() {
    on_each_engine(async |context, clock| {
        let (site, browser, lina) = with_refreshing_lina((context, clock)).await;
        let twin = site.pupil("Lila", 2, ECOLE).await;
        let on = site.context.now().date();
        let status = |status| scene::set_status(&site.context, lina.id, status);
        for gone in [
            Status::Suspended,
            Status::Departed { on },
            Status::Merged { into: twin.id },
            Status::Erased,
        ] {
            let tokens = granted(&site, &browser, "ent", OFFLINE).await;
            let code = browser.code(&site, "ent", &[]).await;
            status(gone.clone()).await;
            assert_eq!(
                site.token("ent", &code, &[]).await.error(),
                "invalid_grant",
                "{gone:?}"
            );
            assert!(
                is_dead(&site, "ent", text(&tokens, "refresh_token")).await,
                "{gone:?}"
            );
            let userinfo = site.userinfo(text(&tokens, "access_token")).await;
            assert_eq!(userinfo.status, StatusCode::UNAUTHORIZED, "{gone:?}");
            let form = [("token", text(&tokens, "access_token"))];
            let seen = site.post("ent", "/oauth/introspect", &form).await.json();
            assert_eq!(seen["active"], false, "{gone:?}");
            status(Status::Active).await;
        }
    })
    .await;
}

/// Lets the day come to its last second.
fn until_midnight(site: &Site) {
    let day = site.context.now().date();
    for step in [3600, 60, 1] {
        while site.context.now().plus(Duration::from_secs(step)).date() == day {
            site.advance(step);
        }
    }
}

#[tokio::test]
async fn case_39_a_service_of_the_school_that_was_left_gets_nothing_from_the_next_day_on() {
    on_each_engine(async |context, clock| {
        let (site, mut browser, lina) = with_refreshing_lina((context, clock)).await;
        let mut college = enrolment(&lina, COLLEGE, "6EME");
        college.ends_on = site.context.now().date().succ_opt().unwrap();
        scene::enrol(&site.context, &college).await;
        let mut ent = refreshing("ent");
        ent.schools = vec![COLLEGE.parse().unwrap()];
        site.declare(&ent).await;
        until_midnight(&site);
        site.sign_in(&mut browser, &lina).await;
        let tokens = granted(&site, &browser, "ent", OFFLINE).await;
        let (token, access) = (text(&tokens, "refresh_token"), text(&tokens, "access_token"));
        let code = browser.code(&site, "ent", &[]).await;
        let known = site.userinfo(access).await.json();
        assert_eq!(known["education"][0]["uai"], COLLEGE);

        site.advance(1);
        assert_eq!(site.token("ent", &code, &[]).await.error(), "invalid_grant");
        assert!(is_dead(&site, "ent", token).await);
        let known = site.userinfo(access).await.json();
        assert_eq!(known.get("education"), None);

        // Back at the school, the login of before is good.
        let mut again = enrolment(&lina, COLLEGE, "5EME");
        again.id = enrolment(&site.pupil("Noor", 3, ECOLE).await, COLLEGE, "5EME").id;
        again.class = None;
        scene::enrol(&site.context, &again).await;
        refreshed(&site, "ent", token).await;
    })
    .await;
}

#[tokio::test]
async fn case_39_a_changed_password_ends_what_was_granted_before() {
    on_each_engine(async |context, clock| {
        let (site, mut browser, lina) = with_refreshing_lina((context, clock)).await;
        scene::with_password(&site.context, &lina, "lina.legoff", "le chat dort à midi").await;
        browser.cookie = None;
        site.sign_in(&mut browser, &lina).await;
        let tokens = granted(&site, &browser, "ent", OFFLINE).await;
        let code = browser.code(&site, "ent", &[]).await;
        let changed = Secret::new("le chien rêve la nuit");
        let chosen = credential::set_password(&site.context, &lina, &changed, &Actor::Operator).await;
        assert_eq!(chosen.unwrap(), credential::Chosen::Set);
        assert_eq!(site.token("ent", &code, &[]).await.error(), "invalid_grant");
        assert!(is_dead(&site, "ent", text(&tokens, "refresh_token")).await);
        let userinfo = site.userinfo(text(&tokens, "access_token")).await;
        assert_eq!(userinfo.status, StatusCode::UNAUTHORIZED);
    })
    .await;
}
