//! The key of a refresh token (RFC 9449 §5).

use super::*;

#[tokio::test]
async fn a_confidential_client_changes_its_key_at_each_refresh() {
    on_each_engine(async |context, clock| {
        let (site, browser) = with_bound((context, clock)).await;
        let first = Holder::new();
        let mut tokens = tokens(&site, &browser, &first).await;
        for _ in 0..3 {
            site.advance(40);
            let next = Holder::new();
            let right = proof(&site, &next, "POST", "/oauth/token").sign();
            let reply = refresh(&site, "ent", text(&tokens, "refresh_token"), &[&right]).await;
            tokens = reply.json();
            assert_eq!(tokens["token_type"], "DPoP", "{reply:?}");
            let token = text(&tokens, "access_token");
            let of_first = of_userinfo(&site, &first, token).sign();
            let stolen = userinfo(&site, "DPoP", token, &[&of_first]).await;
            assert_challenged(&stolen, "invalid_token", "the key of the last token");
            assert!(is_served(&site, &next, token).await);
        }
    })
    .await;
}

#[tokio::test]
async fn fapi_2_0_section_5_3_2_1_the_refresh_token_stays_the_same_whatever_the_key() {
    on_each_engine(async |context, clock| {
        let (site, browser) = with_bound((context, clock)).await;
        let first = [("scope", "openid offline_access")];
        let code = browser.code(&site, "ent", &first).await;
        let right = proof(&site, &Holder::new(), "POST", "/oauth/token").sign();
        let tokens = redeem(&site, &code, &[&right]).await.json();
        let token = text(&tokens, "refresh_token");
        let mut strict = bound("ent");
        strict.metadata.profile = SecurityProfile::Fapi2;
        site.declare(&strict).await;
        for _ in 0..3 {
            let holder = Holder::new();
            let right = proof(&site, &holder, "POST", "/oauth/token").sign();
            let reply = refresh(&site, "ent", token, &[&right]).await;
            assert_eq!(reply.status, StatusCode::OK, "{reply:?}");
            let next = reply.json();
            assert_eq!(text(&next, "refresh_token"), token);
            assert!(is_served(&site, &holder, text(&next, "access_token")).await);
            site.advance(31);
        }
        let missing = refresh(&site, "ent", token, &[]).await;
        assert_eq!(
            (missing.status, missing.error()),
            (StatusCode::BAD_REQUEST, "invalid_dpop_proof".into())
        );
    })
    .await;
}

#[tokio::test]
async fn the_refresh_token_of_a_public_client_is_bound_to_its_key() {
    on_each_engine(async |context, clock| {
        let (site, browser) = with_bound((context, clock)).await;
        let mut tablette = bound("tablette");
        tablette.auth_method = crate::domain::relying_party::ClientAuthMethod::None;
        tablette.secrets.clear();
        site.declare(&tablette).await;
        let (holder, thief) = (Holder::new(), Holder::new());
        let code = browser.code(&site, "tablette", &[]).await;
        let form = redemption(&code, "https://tablette.example/cb");
        let right = proof(&site, &holder, "POST", "/oauth/token").sign();
        let request = asking("tablette", "/oauth/token", &form);
        let tokens = send(&site, request, &[&right]).await.json();
        let token = text(&tokens, "refresh_token");
        let stolen = proof(&site, &thief, "POST", "/oauth/token").sign();
        let reply = refresh(&site, "tablette", token, &[&stolen]).await;
        assert_eq!(
            (reply.status, reply.error()),
            (StatusCode::BAD_REQUEST, "invalid_grant".into())
        );
        let right = || proof(&site, &holder, "POST", "/oauth/token").sign();
        let used = right();
        let next = refresh(&site, "tablette", token, &[&used]).await;
        assert_eq!(next.status, StatusCode::OK, "the thief has spoiled nothing");
        // The whole request once more, by whoever overheard it, when a lost answer is not believed any more.
        site.advance(40);
        let again = refresh(&site, "tablette", token, &[&used]).await;
        assert_eq!(again.error(), "invalid_dpop_proof");
        let tokens = next.json();
        let next = refresh(&site, "tablette", text(&tokens, "refresh_token"), &[&right()]).await;
        assert_eq!(next.status, StatusCode::OK, "nothing was revoked: {next:?}");
    })
    .await;
}
