//! The staggered opening of a school year, at the door and at redemption. It is 08:00 UTC on Thursday 1 October 2026, and
//! summer in Paris: 2 October begins there at 22:00 UTC.

use axum::http::{StatusCode, header};

use super::refresh::{granted, is_dead, refreshed, refreshing, text, with_refreshing_lina};
use super::site::*;
use crate::base::time::Timestamp;
use crate::domain::education::Profile;
use crate::domain::enrolment::Enrolment;
use crate::domain::testing::{enrolment, person};
use crate::flows::testing::scene::{self, on_each_engine};

const OFFLINE: &str = "openid education offline_access";
const TOMORROW: &str = "2026-10-02";

/// Lets the time come to the last second before it.
fn wait_for_tomorrow(site: &Site) {
    let midnight = Timestamp::from_rfc3339("2026-10-01T22:00:00Z").unwrap();
    site.advance(midnight.since(site.context.now()).as_secs() - 1);
}

#[tokio::test]
async fn before_the_day_a_pupil_is_told_it_and_at_its_midnight_in_paris_they_are_let_in() {
    on_each_engine(async |context, clock| {
        let (site, mut browser, lina) = with_lina((context, clock)).await;
        scene::opens(&site.context, Some(ECOLE), TOMORROW).await;
        let told = browser.get(&site, &authorize_url("ent", &[])).await;
        assert_eq!(
            (told.status, told.header(header::LOCATION)),
            (StatusCode::FORBIDDEN, None)
        );
        assert!(
            told.body.contains("Ton espace ouvre le vendredi 2 octobre 2026."),
            "{}",
            told.body
        );
        let in_english = browser
            .get(&site, &format!("{}&lang=en", authorize_url("ent", &[])))
            .await;
        assert!(
            in_english
                .body
                .contains("Your space opens on Friday 2 October 2026."),
            "{}",
            in_english.body
        );
        let silent = browser
            .get(&site, &authorize_url("ent", &[("prompt", "none")]))
            .await;
        assert_eq!(silent.sent("error").as_deref(), Some("access_denied"));
        assert_eq!(
            silent.sent("error_description").as_deref(),
            Some("the service is not open for this person yet")
        );
        assert_eq!(site.journalled("authorization.refused").await, 3);

        wait_for_tomorrow(&site);
        site.sign_in(&mut browser, &lina).await;
        let early = browser.get(&site, &authorize_url("ent", &[])).await;
        assert_eq!(early.status, StatusCode::FORBIDDEN);
        site.advance(1);
        assert!(browser.tokens(&site, "ent").await["id_token"].is_string());
    })
    .await;
}

#[tokio::test]
async fn case_39_a_date_that_is_moved_meanwhile_is_looked_at_again_with_the_code_and_at_each_refresh() {
    on_each_engine(async |context, clock| {
        let (site, browser, _) = with_refreshing_lina((context, clock)).await;
        let tokens = granted(&site, &browser, "ent", OFFLINE).await;
        let token = text(&tokens, "refresh_token");
        let code = browser.code(&site, "ent", &[]).await;
        scene::opens(&site.context, None, TOMORROW).await;
        let refused = site.token("ent", &code, &[]).await;
        assert_eq!(
            (refused.status, refused.error()),
            (StatusCode::BAD_REQUEST, "invalid_grant".into())
        );
        assert!(is_dead(&site, "ent", token).await);
        let seen = site
            .post("ent", "/oauth/introspect", &[("token", token)])
            .await
            .json();
        assert_eq!(seen["active"], false);
        assert_eq!(site.journalled("authorization.refused").await, 2);

        // The code is spent; the refresh token is not, and is good again on the day.
        scene::opens(&site.context, None, "2026-09-07").await;
        assert_eq!(site.token("ent", &code, &[]).await.error(), "invalid_grant");
        scene::opens(&site.context, None, TOMORROW).await;
        wait_for_tomorrow(&site);
        assert!(is_dead(&site, "ent", token).await);
        site.advance(1);
        let seen = site
            .post("ent", "/oauth/introspect", &[("token", token)])
            .await
            .json();
        assert_eq!(seen["active"], true);
        refreshed(&site, "ent", token).await;
    })
    .await;
}

#[tokio::test]
async fn a_child_who_goes_to_the_college_keeps_the_ecole_and_waits_for_the_college() {
    on_each_engine(async |context, clock| {
        let (site, browser, lina) = with_refreshing_lina((context, clock)).await;
        scene::enrol(&site.context, &enrolment(&lina, COLLEGE, "6EME")).await;
        scene::opens(&site.context, Some(COLLEGE), TOMORROW).await;
        let of_school = async |id: &str, uai: &str| {
            let mut party = refreshing(id);
            party.schools = vec![uai.parse().unwrap()];
            party.home = Some(format!("https://{id}.example/"));
            site.declare(&party).await;
        };
        of_school("ent", COLLEGE).await;
        of_school("cantine", ECOLE).await;
        let waiting = browser.get(&site, &authorize_url("ent", &[])).await;
        assert!(waiting.body.contains("vendredi 2 octobre"), "{waiting:?}");
        assert!(browser.tokens(&site, "cantine").await["id_token"].is_string());
        let home = browser.get(&site, "/").await;
        let waits = "« Service ent » ouvre pour toi le vendredi 2 octobre 2026.";
        assert!(home.body.contains(waits), "{}", home.body);
        assert!(
            home.body.contains("href=\"https://cantine.example/\"")
                && !home.body.contains("https://ent.example/")
        );
    })
    .await;
}

#[tokio::test]
async fn whoever_is_no_pupil_is_not_held_back() {
    on_each_engine(async |context, clock| {
        let (site, mut browser, _) = with_lina((context, clock)).await;
        scene::opens(&site.context, None, TOMORROW).await;
        for (number, profile) in [(5, Profile::Teacher), (6, Profile::Guardian)] {
            let adult = scene::adult(&site.context, "Maddi", number).await;
            let enrolled = Enrolment {
                profile,
                ..enrolment(&person("Maddi", number), ECOLE, "CM2")
            };
            scene::enrol(&site.context, &enrolled).await;
            browser.cookie = None;
            site.sign_in(&mut browser, &adult).await;
            assert!(
                browser.tokens(&site, "ent").await["id_token"].is_string(),
                "{profile}"
            );
        }
    })
    .await;
}
