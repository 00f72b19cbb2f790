//! What a proof may look like, and what it may not (RFC 9449 §4.3).

use super::*;

#[tokio::test]
async fn each_wrong_proof_at_the_token_endpoint_is_refused_and_costs_nothing() {
    on_each_engine(async |context, clock| {
        let (site, browser) = with_bound((context, clock)).await;
        let (holder, other) = (Holder::new(), Holder::new());
        let code = browser.code(&site, "ent", &[]).await;
        let right = || proof(&site, &holder, "POST", "/oauth/token");
        let hour = site.context.now().seconds() - 3600;
        for wrong in [
            right().with("htm", "GET"),
            right().with("htu", format!("{ISSUER}/oauth/par")),
            right().with("htu", "https://evil.example/oauth/token"),
            right().with("iat", hour),
            right().with("iat", hour + 7200),
            right().with("jti", json!(null)),
            right().signed_by(&other),
            right().with_header("typ", "JWT"),
            right().with_header("alg", "HS256"),
        ] {
            let reply = redeem(&site, &code, &[&wrong.sign()]).await;
            assert_eq!(
                (reply.status, reply.error()),
                (StatusCode::BAD_REQUEST, "invalid_dpop_proof".into()),
                "{wrong:?}"
            );
        }
        let (one, two) = (right().sign(), right().sign());
        for several in [[&*one, &*two], [&*one, &*one]] {
            assert_eq!(redeem(&site, &code, &several).await.error(), "invalid_dpop_proof");
        }
        // None of them was used up, and neither was the code.
        assert_eq!(redeem(&site, &code, &[&one]).await.status, StatusCode::OK);
    })
    .await;
}

#[tokio::test]
async fn case_40_a_proof_that_comes_again_is_refused_on_every_node_and_revokes_nothing() {
    on_each_engine(async |context, clock| {
        let (site, browser) = with_bound((context, clock)).await;
        let node = site.another_node().await;
        let holder = Holder::new();
        let first = browser.code(&site, "ent", &[]).await;
        let second = browser.code(&site, "ent", &[]).await;
        let used = proof(&site, &holder, "POST", "/oauth/token").sign();
        let tokens = redeem(&site, &first, &[&used]).await.json();
        let token = text(&tokens, "access_token");
        for site in [&site, &node] {
            assert_eq!(
                redeem(site, &second, &[&used]).await.error(),
                "invalid_dpop_proof"
            );
            // The whole request once more: without the proof this would be a replayed code, which revokes.
            assert_eq!(redeem(site, &first, &[&used]).await.error(), "invalid_dpop_proof");
        }
        assert_eq!(site.journalled("code.replayed").await, 0);
        let of_resource = of_userinfo(&site, &holder, token).sign();
        let served = userinfo(&site, "DPoP", token, &[&of_resource]).await;
        assert_eq!(served.status, StatusCode::OK, "{served:?}");
        for site in [&site, &node] {
            let again = userinfo(site, "DPoP", token, &[&of_resource]).await;
            assert_challenged(&again, "invalid_dpop_proof", "used before");
        }
        assert!(is_served(&node, &holder, token).await);
        let fresh = proof(&node, &holder, "POST", "/oauth/token").sign();
        assert_eq!(redeem(&node, &second, &[&fresh]).await.status, StatusCode::OK);
        // Of another key the same `jti` is another proof.
        let third = browser.code(&site, "ent", &[]).await;
        let mut named = Vec::new();
        for holder in [&holder, &Holder::new()] {
            named.push(
                proof(&site, holder, "POST", "/oauth/token")
                    .with("jti", "the same")
                    .sign(),
            );
        }
        assert_eq!(redeem(&site, &third, &[&named[0]]).await.status, StatusCode::OK);
        let fourth = browser.code(&site, "ent", &[]).await;
        assert_eq!(redeem(&site, &fourth, &[&named[1]]).await.status, StatusCode::OK);
    })
    .await;
}

#[tokio::test]
async fn dpop_negative_tests_at_userinfo_and_the_token_works_afterwards() {
    on_each_engine(async |context, clock| {
        let (site, browser) = with_bound((context, clock)).await;
        let (holder, other) = (Holder::new(), Holder::new());
        let tokens = tokens(&site, &browser, &holder).await;
        let token = text(&tokens, "access_token");
        let right = || of_userinfo(&site, &holder, token);
        let mut private = right().header["jwk"].clone();
        private["d"] = "AQAB".into();
        let hour = site.context.now().seconds() - 3600;
        for (wrong, why) in [
            (right().with_header("typ", json!(null)), "typ missing"),
            (right().with_header("typ", "JWT"), "typ wrong"),
            (right().with_header("alg", json!(null)), "alg missing"),
            (right().with_header("alg", "none"), "alg none"),
            (right().with_header("alg", "RS256"), "alg of another key"),
            (right().with_header("jwk", json!(null)), "jwk missing"),
            (right().with_header("jwk", private), "jwk private"),
            (right().with("jti", json!(null)), "jti missing"),
            (right().with("htm", json!(null)), "htm missing"),
            (right().with("htm", "PUT"), "htm wrong"),
            (right().with("htu", json!(null)), "htu missing"),
            (
                right().with("htu", format!("{ISSUER}/oauth/userinfoohno")),
                "htu wrong",
            ),
            (right().with("iat", json!(null)), "iat missing"),
            (right().with("iat", hour), "iat past"),
            (right().with("iat", hour + 7200), "iat ahead"),
            (right().with("ath", json!(null)), "ath missing"),
            (right().of_token("another token"), "ath wrong"),
            (right().signed_by(&other), "signature wrong"),
        ] {
            let reply = userinfo(&site, "DPoP", token, &[&wrong.sign()]).await;
            assert_challenged(&reply, "invalid_dpop_proof", why);
        }
        let unsigned = right().sign();
        let (unsigned, _) = unsigned.rsplit_once('.').unwrap();
        let (one, two) = (right().sign(), right().sign());
        for (proofs, why) in [
            (&[&*one, &*two][..], "two header fields"),
            (&["this is not a proof"], "no JWT"),
            (&[&format!("{unsigned}.")], "no signature"),
            (&[&format!("{one}, {two}")], "two in one field"),
            (&[], "no proof"),
        ] {
            let reply = userinfo(&site, "DPoP", token, proofs).await;
            assert_challenged(&reply, "invalid_dpop_proof", why);
        }
        let stolen = of_userinfo(&site, &other, token).sign();
        let reply = userinfo(&site, "DPoP", token, &[&stolen]).await;
        assert_challenged(&reply, "invalid_token", "another key");
        let unknown = of_userinfo(&site, &holder, "mrla_unknown").sign();
        let reply = userinfo(&site, "DPoP", "mrla_unknown", &[&unknown]).await;
        assert_challenged(&reply, "invalid_token", "unknown token");
        assert_eq!(
            userinfo(&site, "DPoP", token, &[&one]).await.status,
            StatusCode::OK,
            "nothing was used up, nothing revoked"
        );
    })
    .await;
}

#[tokio::test]
async fn what_a_right_proof_may_look_like() {
    on_each_engine(async |context, clock| {
        let (site, browser) = with_bound((context, clock)).await;
        let holder = Holder::new();
        let tokens = tokens(&site, &browser, &holder).await;
        let token = text(&tokens, "access_token");
        let right = || of_userinfo(&site, &holder, token);
        let now = site.context.now().seconds();
        for (draft, why) in [
            (
                right().with("htu", format!("{ISSUER}/oauth/userinfo?a=b#c")),
                "query",
            ),
            (
                right().with("htu", "HTTPS://ID.EXAMPLE.FR/oauth/userinfo"),
                "capitals",
            ),
            (
                right().with("htu", "https://id.example.fr:443/oauth/userinfo"),
                "the port of https",
            ),
            (
                right()
                    .with_header("invalid", "x")
                    .with("invalid", json!({ "x": 1 })),
                "unknown",
            ),
            (
                right().with("nbf", now).with("exp", now + 300),
                "expires by itself",
            ),
            (right().with("iat", now - 10), "a slow clock"),
            (right().with("iat", now + 8), "a fast clock"),
        ] {
            let reply = userinfo(&site, "DPoP", token, &[&draft.sign()]).await;
            assert_eq!(reply.status, StatusCode::OK, "{why}: {reply:?}");
        }
        for scheme in ["dpop", "dPoP", "DPOP"] {
            let reply = userinfo(&site, scheme, token, &[&right().sign()]).await;
            assert_eq!(reply.status, StatusCode::OK, "{scheme}");
        }
        let by_post = proof(&site, &holder, "POST", "/oauth/userinfo")
            .of_token(token)
            .sign();
        let request = Request::post("/oauth/userinfo").header(header::AUTHORIZATION, format!("DPoP {token}"));
        let request = request.body(Body::empty()).unwrap();
        assert_eq!(send(&site, request, &[&by_post]).await.status, StatusCode::OK);
    })
    .await;
}
