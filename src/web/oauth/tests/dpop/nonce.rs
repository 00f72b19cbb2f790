//! The nonce of the server (RFC 9449 §8, §9).

use super::*;

#[tokio::test]
async fn a_nonce_is_asked_for_where_the_installation_wants_one() {
    on_each_engine(async |mut context, clock| {
        let mut settings = (*context.settings).clone();
        settings.needs_dpop_nonce = true;
        context.settings = settings.into();
        let (site, browser) = with_bound((context, clock)).await;
        let node = site.another_node().await;
        let holder = Holder::new();
        let nonce = |reply: &Reply| {
            let nonce = reply.headers["dpop-nonce"].to_str().unwrap().to_owned();
            assert!(!nonce.is_empty());
            nonce
        };
        let hour = site.context.now().seconds() - 3600;

        let of_par = || proof(&site, &holder, "POST", "/oauth/par").with("iat", hour);
        let asked = push(&site, &[], &[&of_par().sign()]).await;
        assert_eq!(
            (asked.status, asked.error()),
            (StatusCode::BAD_REQUEST, "use_dpop_nonce".into())
        );
        let with = of_par().with("nonce", nonce(&asked)).sign();
        assert_eq!(push(&node, &[], &[&with]).await.status, StatusCode::CREATED);

        let code = browser.code(&site, "ent", &[]).await;
        let of_token = || proof(&site, &holder, "POST", "/oauth/token").with("iat", hour + 7200);
        let asked = redeem(&site, &code, &[&of_token().sign()]).await;
        assert_eq!(
            (asked.status, asked.error()),
            (StatusCode::BAD_REQUEST, "use_dpop_nonce".into())
        );
        // A nonce of one node is good on the other.
        let with = of_token().with("nonce", nonce(&asked)).sign();
        let reply = redeem(&node, &code, &[&with]).await;
        assert_eq!(reply.status, StatusCode::OK, "{reply:?}");
        nonce(&reply);
        let tokens = reply.json();
        let token = text(&tokens, "access_token");
        let again = redeem(&site, &code, &[&with]).await;
        assert_eq!(again.error(), "invalid_dpop_proof", "a nonce is no second use");

        let asked = userinfo(
            &site,
            "DPoP",
            token,
            &[&of_userinfo(&site, &holder, token).sign()],
        )
        .await;
        assert_challenged(&asked, "use_dpop_nonce", "no nonce");
        let good = nonce(&asked);
        let with = || of_userinfo(&site, &holder, token).with("nonce", &*good).sign();
        let served = userinfo(&site, "DPoP", token, &[&with()]).await;
        assert_eq!(served.status, StatusCode::OK, "{served:?}");
        assert_eq!(nonce(&served), good);
        site.advance(301);
        assert_eq!(
            userinfo(&site, "DPoP", token, &[&with()]).await.status,
            StatusCode::OK
        );
        site.advance(299);
        let late = userinfo(&site, "DPoP", token, &[&with()]).await;
        assert_eq!(late.status, StatusCode::UNAUTHORIZED, "{late:?}");
    })
    .await;
}

#[tokio::test]
async fn a_wrong_nonce_is_told_even_where_none_is_needed() {
    on_each_engine(async |context, clock| {
        let (site, browser) = with_bound((context, clock)).await;
        let holder = Holder::new();
        let code = browser.code(&site, "ent", &[]).await;
        let draft = proof(&site, &holder, "POST", "/oauth/token");
        let asked = redeem(&site, &code, &[&draft.clone().with("nonce", "invented").sign()]).await;
        assert_eq!(asked.error(), "use_dpop_nonce");
        let nonce = asked.headers["dpop-nonce"].to_str().unwrap();
        let right = redeem(&site, &code, &[&draft.with("nonce", nonce).sign()]).await;
        assert_eq!(right.status, StatusCode::OK);
        assert!(!right.headers.contains_key("dpop-nonce"));
    })
    .await;
}
