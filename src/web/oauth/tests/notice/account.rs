//! The page on which a person reads afterwards what services know.

use super::*;

#[tokio::test]
async fn a_person_reads_what_services_know_and_takes_a_consent_back() {
    on_each_engine(async |context, clock| {
        let (site, browser) = with_maddi((context, clock)).await;
        let empty = browser.get(&site, "/account").await;
        assert!(
            empty.status == StatusCode::OK && !empty.body.contains("Service"),
            "{}",
            empty.body
        );
        let asked = page(&site, &browser, "club", EVERYTHING).await;
        let code = browser.press(&site, "allow", &asked).await.sent("code").unwrap();
        let tokens = site.token("club", &code, &[]).await.json();
        let token = tokens["access_token"].as_str().unwrap().to_owned();
        browser.tokens(&site, "ent").await;
        let pending = ask(&site, &browser, "club", EVERYTHING)
            .await
            .sent("code")
            .unwrap();

        let home = browser.get(&site, "/").await;
        assert!(
            home.body.contains("id=\"account\" href=\"/account\""),
            "{}",
            home.body
        );
        let account = browser.get(&site, "/account").await;
        for (word, is_there) in [
            ("Service club", true),
            ("Service ent", true),
            ("Service cantine", false),
            ("Depuis le 1er octobre 2026", true),
            ("Maddi Le Goff", true),
            ("id=\"withdraw-club\"", true),
            ("id=\"withdraw-ent\"", false),
        ] {
            assert_eq!(account.body.contains(word), is_there, "{word}: {}", account.body);
        }
        assert_eq!(Browser::default().get(&site, "/account").await.location(), "/");
        for (client, path) in [
            ("ent", "/account"),
            ("nobody", "/account"),
            ("club", "/account?withdrawn=club"),
        ] {
            let form = url::query([("client", client)]);
            assert_eq!(
                browser.post(&site, "/account/withdraw", form).await.location(),
                path
            );
        }
        assert_eq!(journalled(&site.context, "consent.withdrawn").await, 1);
        assert_eq!(
            site.userinfo(&token).await.status,
            StatusCode::UNAUTHORIZED,
            "at once"
        );
        assert_eq!(site.token("club", &pending, &[]).await.error(), "invalid_grant");
        let done = browser.get(&site, "/account?withdrawn=club").await;
        assert!(!done.body.contains("id=\"withdraw-club\"") && done.body.contains("role=\"status\""));
        is_told(&ask(&site, &browser, "club", SILENTLY).await, "consent_required");
        assert!(
            ask(&site, &browser, "ent", SILENTLY).await.sent("code").is_some(),
            "the others go on"
        );
    })
    .await;
}

#[tokio::test]
async fn a_pupil_reads_it_in_a_childs_words() {
    on_each_engine(async |context, clock| {
        let (site, browser) = with_noor((context, clock)).await;
        let told = page(&site, &browser, "ent", EVERYTHING).await;
        assert!(browser.press(&site, "go-on", &told).await.sent("code").is_some());
        let account = browser.get(&site, "/account").await;
        for (word, is_there) in [
            ("ta classe", true),
            ("ton prénom et ton nom", true),
            ("2016-08-17", false),
            ("withdraw-", false),
        ] {
            assert_eq!(account.body.contains(word), is_there, "{word}: {}", account.body);
        }
        let form = url::query([("client", "ent")]);
        assert_eq!(
            browser.post(&site, "/account/withdraw", form).await.location(),
            "/account"
        );
        assert!(
            ask(&site, &browser, "ent", SILENTLY).await.sent("code").is_some(),
            "nothing to take back"
        );
    })
    .await;
}
