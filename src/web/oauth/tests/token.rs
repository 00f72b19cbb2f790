//! The token endpoint: attack cases 35, 36, 38 and 43, and what is looked at again.

use std::sync::Arc;

use axum::body::Body;
use axum::http::{Request, StatusCode, header};

use data_encoding::BASE64URL_NOPAD;

use super::site::*;
use crate::base::secret::sha256;
use crate::domain::identity::Status;
use crate::domain::relying_party::ClientAuthMethod;
use crate::domain::testing::party;
use crate::flows::testing::scene::{self, on_each_engine};

#[tokio::test]
async fn case_35_pkce_downgrade_both_ways_plain_and_the_verifier_of_another_code() {
    on_each_engine(async |context, clock| {
        let (site, browser, _) = with_lina((context, clock)).await;
        let mut lax = party("ent");
        lax.pkce_required = false;
        site.declare(&lax).await;
        let unbound = [("code_challenge", ""), ("code_challenge_method", "")];
        for (asked, change) in [
            (&[][..], ("code_verifier", "")),
            (&unbound[..], ("code_verifier", VERIFIER)),
            (
                &[][..],
                (
                    "code_verifier",
                    "another-verifier-another-verifier-another-verifier",
                ),
            ),
        ] {
            let code = browser.code(&site, "ent", asked).await;
            let reply = site.token("ent", &code, &[change]).await;
            assert_eq!(
                (reply.status, reply.error()),
                (StatusCode::BAD_REQUEST, "invalid_grant".into()),
                "{change:?}"
            );
            // The code has leaked, or its client is broken: there is no second try.
            assert_eq!(site.token("ent", &code, &[]).await.error(), "invalid_grant");
        }
        let plain = browser
            .get(
                &site,
                &authorize_url("ent", &[("code_challenge_method", "plain")]),
            )
            .await;
        assert_eq!(plain.sent("error").as_deref(), Some("invalid_request"));
        let code = browser.code(&site, "ent", &unbound).await;
        assert!(site.token("ent", &code, &[("code_verifier", "")]).await.json()["id_token"].is_string());
    })
    .await;
}

#[tokio::test]
async fn case_35_the_verifier_of_one_code_opens_no_other_and_no_public_client_goes_without() {
    on_each_engine(async |context, clock| {
        let (site, browser, _) = with_lina((context, clock)).await;
        let other = "zzzztFJ4CVPmB92K27uhbUJU1p1rwW1gFWFOEjXkdBj";
        let challenge = BASE64URL_NOPAD.encode(&sha256(other.as_bytes()));
        for client in ["ent", "tablette"] {
            let changed = [("code_challenge", &*challenge)];
            let (one, two) = (
                browser.code(&site, client, &[]).await,
                browser.code(&site, client, &changed).await,
            );
            let swapped = [("code_verifier", other)];
            assert_eq!(site.token(client, &one, &swapped).await.error(), "invalid_grant");
            assert_eq!(site.token(client, &two, &[]).await.error(), "invalid_grant");
            let right = browser.code(&site, client, &changed).await;
            let reply = site.token(client, &right, &swapped).await;
            assert_eq!(reply.status, StatusCode::OK, "its own: {reply:?}");
        }
        let without = [("code_challenge", ""), ("code_challenge_method", "")];
        for client in ["ent", "tablette"] {
            let reply = browser.get(&site, &authorize_url(client, &without)).await;
            assert_eq!(reply.sent("error").as_deref(), Some("invalid_request"));
        }
        let unsaid = [("code_challenge", VERIFIER), ("code_challenge_method", "")];
        let reply = browser.get(&site, &authorize_url("ent", &unsaid)).await;
        assert_eq!(
            reply.sent("error").as_deref(),
            Some("invalid_request"),
            "plain, unsaid"
        );
    })
    .await;
}

#[tokio::test]
async fn case_36_a_code_that_comes_twice_takes_its_tokens_with_it() {
    on_each_engine(async |context, clock| {
        let (site, browser, _) = with_lina((context, clock)).await;
        let code = browser.code(&site, "ent", &[]).await;
        let tokens = site.token("ent", &code, &[]).await.json();
        let token = tokens["access_token"].as_str().unwrap();
        assert_eq!(site.userinfo(token).await.status, StatusCode::OK);
        let by_another = site
            .token("cantine", &code, &[("redirect_uri", "https://ent.example/cb")])
            .await;
        assert_eq!(by_another.error(), "invalid_grant");
        assert_eq!(
            site.userinfo(token).await.status,
            StatusCode::OK,
            "a stranger cannot revoke"
        );
        assert_eq!(site.token("ent", &code, &[]).await.error(), "invalid_grant");
        assert_eq!(site.userinfo(token).await.status, StatusCode::UNAUTHORIZED);
        assert_eq!(site.journalled("code.replayed").await, 1);
    })
    .await;
}

#[tokio::test]
async fn case_36_a_code_is_bound_to_its_client_its_address_and_its_minute() {
    on_each_engine(async |context, clock| {
        let (site, browser, _) = with_lina((context, clock)).await;
        let fresh = async || browser.code(&site, "ent", &[]).await;
        let of_ent = ("redirect_uri", "https://ent.example/cb");
        assert_eq!(
            site.token("cantine", &fresh().await, &[of_ent]).await.error(),
            "invalid_grant"
        );
        for wrong in ["https://ent.example/cb2", ""] {
            let reply = site
                .token("ent", &fresh().await, &[("redirect_uri", wrong)])
                .await;
            assert_eq!(reply.error(), "invalid_grant", "{wrong}");
        }
        let late = fresh().await;
        site.advance(60);
        assert_eq!(site.token("ent", &late, &[]).await.error(), "invalid_grant");
        assert_eq!(
            site.token("ent", "mrlc_unknown", &[]).await.error(),
            "invalid_grant"
        );
        let tokens = browser.tokens(&site, "ent").await;
        let typed = site
            .token("ent", tokens["access_token"].as_str().unwrap(), &[])
            .await;
        assert_eq!(typed.error(), "invalid_grant", "case 60: a token is no code");
        assert_eq!(
            site.userinfo(&fresh().await).await.status,
            StatusCode::UNAUTHORIZED,
            "nor a code a token"
        );
    })
    .await;
}

#[tokio::test]
async fn case_36_of_forty_redemptions_at_once_one_succeeds_and_the_family_is_revoked() {
    on_each_engine(async |context, clock| {
        let (site, browser, _) = with_lina((context, clock)).await;
        let site = Arc::new(site);
        let code = browser.code(&site, "ent", &[]).await;
        let tasks: Vec<_> = (0..40)
            .map(|_| {
                let (site, code) = (Arc::clone(&site), code.clone());
                tokio::spawn(async move { site.token("ent", &code, &[]).await })
            })
            .collect();
        let mut granted = Vec::new();
        for task in tasks {
            let reply = task.await.unwrap();
            match reply.status {
                StatusCode::OK => granted.push(reply.json()),
                _ => assert_eq!(reply.error(), "invalid_grant"),
            }
        }
        assert_eq!(granted.len(), 1);
        let token = granted[0]["access_token"].as_str().unwrap();
        assert_eq!(
            site.userinfo(token).await.status,
            StatusCode::UNAUTHORIZED,
            "revoked by the replays"
        );
        assert_eq!(
            (
                site.journalled("code.redeemed").await,
                site.journalled("code.replayed").await
            ),
            (1, 39)
        );
    })
    .await;
}

#[tokio::test]
async fn case_36_of_two_redemptions_at_once_on_two_nodes_one_succeeds() {
    on_each_engine(async |context, clock| {
        let (site, browser, _) = with_lina((context, clock)).await;
        let there = site.another_node().await;
        for _ in 0..5 {
            let code = browser.code(&site, "ent", &[]).await;
            let (one, two) = tokio::join!(site.token("ent", &code, &[]), there.token("ent", &code, &[]));
            let (granted, refused) = if one.status == StatusCode::OK {
                (one, two)
            } else {
                (two, one)
            };
            assert_eq!(refused.error(), "invalid_grant");
            let tokens = granted.json();
            let token = tokens["access_token"].as_str().unwrap();
            for node in [&site, &there] {
                assert_eq!(node.userinfo(token).await.status, StatusCode::UNAUTHORIZED);
            }
        }
        assert_eq!(site.journalled("code.replayed").await, 5);
        let code = browser.code(&site, "ent", &[]).await;
        let tokens = there.token("ent", &code, &[]).await.json();
        let token = tokens["access_token"].as_str().unwrap();
        assert_eq!(
            site.userinfo(token).await.status,
            StatusCode::OK,
            "begun here, ended there"
        );
        assert_eq!(site.token("ent", &code, &[]).await.error(), "invalid_grant");
        assert_eq!(
            there.userinfo(token).await.status,
            StatusCode::UNAUTHORIZED,
            "at once"
        );
        there.context.db.close().await;
    })
    .await;
}

#[tokio::test]
async fn a_failure_is_told_to_programs_in_json() {
    let (context, clock, _folder) = crate::flows::testing::context_on_sqlite().await;
    let (site, browser, _) = with_lina((context, clock)).await;
    let code = browser.code(&site, "ent", &[]).await;
    site.context.db.close().await;
    for reply in [
        site.token("ent", &code, &[]).await,
        site.userinfo("mrla_whatever").await,
    ] {
        assert_eq!(
            (reply.status, reply.error()),
            (StatusCode::SERVICE_UNAVAILABLE, "temporarily_unavailable".into())
        );
        assert_eq!(reply.header(header::CACHE_CONTROL), Some("no-store"));
        assert_eq!(reply.header(header::RETRY_AFTER), Some("5"));
    }
    let failure = crate::flows::Failure::Task("private words".into());
    let response = crate::web::oauth::json_failure(&failure);
    assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
    let body = axum::body::to_bytes(response.into_body(), 1000).await.unwrap();
    assert_eq!(&body[..], br#"{"error":"server_error"}"#);
}

#[tokio::test]
async fn everything_is_looked_at_again_when_a_code_or_a_token_is_used() {
    on_each_engine(async |context, clock| {
        let (site, mut browser, lina) = with_lina((context, clock)).await;
        let (code, tokens) = (
            browser.code(&site, "ent", &[]).await,
            browser.tokens(&site, "ent").await,
        );
        let token = tokens["access_token"].as_str().unwrap();
        let status = |status| scene::set_status(&site.context, lina.id, status);
        status(Status::Suspended).await;
        assert_eq!(
            site.token("ent", &code, &[]).await.error(),
            "invalid_grant",
            "case 43"
        );
        assert_eq!(site.userinfo(token).await.status, StatusCode::UNAUTHORIZED);
        status(Status::Active).await;
        assert_eq!(site.userinfo(token).await.status, StatusCode::OK);

        let code = browser.code(&site, "ent", &[]).await;
        let mut moved = party("ent");
        moved.schools = vec![COLLEGE.parse().unwrap()];
        site.declare(&moved).await;
        assert_eq!(
            site.token("ent", &code, &[]).await.error(),
            "invalid_grant",
            "no school of hers any more"
        );
        let nothing = site.userinfo(token).await.json();
        assert_eq!(nothing.get("education"), None, "only schools the party serves");
        moved.enabled = false;
        site.declare(&moved).await;
        assert_eq!(site.userinfo(token).await.status, StatusCode::UNAUTHORIZED);
        assert_eq!(
            site.token("ent", &code, &[]).await.status,
            StatusCode::UNAUTHORIZED
        );
        site.declare(&party("ent")).await;

        let code = browser.code(&site, "ent", &[]).await;
        let cookie = browser.cookie.take().unwrap();
        scene::end_session(&site.context, &cookie).await;
        assert_eq!(
            site.token("ent", &code, &[]).await.error(),
            "invalid_grant",
            "the login was ended"
        );
        assert_eq!(site.userinfo(token).await.status, StatusCode::UNAUTHORIZED);
    })
    .await;
}

#[tokio::test]
async fn an_access_token_runs_out() {
    on_each_engine(async |context, clock| {
        let (site, browser, _) = with_lina((context, clock)).await;
        let tokens = browser.tokens(&site, "ent").await;
        let token = tokens["access_token"].as_str().unwrap();
        site.advance(599);
        assert_eq!(site.userinfo(token).await.status, StatusCode::OK);
        site.advance(1);
        assert_eq!(site.userinfo(token).await.status, StatusCode::UNAUTHORIZED);
    })
    .await;
}

#[tokio::test]
async fn case_38_a_client_that_does_not_prove_who_it_is_gets_nothing_and_spends_nothing() {
    on_each_engine(async |context, clock| {
        let (site, browser, _) = with_lina((context, clock)).await;
        let code = browser.code(&site, "ent", &[]).await;
        let left_out =
            format!("grant_type=authorization_code&code={code}&client_id=ent&code_verifier={VERIFIER}");
        let reply = Browser::default()
            .post(&site, "/oauth/token", left_out.clone())
            .await;
        assert_eq!(
            (reply.status, reply.error()),
            (StatusCode::UNAUTHORIZED, "invalid_client".into())
        );
        assert!(
            reply
                .header(header::WWW_AUTHENTICATE)
                .unwrap()
                .starts_with("Basic")
        );
        let wrong = format!("{left_out}&client_secret=secret+of+cantine");
        assert_eq!(
            Browser::default()
                .post(&site, "/oauth/token", wrong)
                .await
                .error(),
            "invalid_client"
        );
        let both = site
            .token("ent", &code, &[("client_secret", "secret of ent")])
            .await;
        assert_eq!(
            (both.status, both.error()),
            (StatusCode::BAD_REQUEST, "invalid_request".into())
        );
        for nobody in [
            "nobody",
            "no%00body",
            "%C3%A9",
            "0190163d-8694-739b-aea5-966c26f8ad91",
        ] {
            let nobody = left_out.replace("client_id=ent", &format!("client_id={nobody}"));
            let reply = Browser::default().post(&site, "/oauth/token", nobody).await;
            assert_eq!(reply.error(), "invalid_client");
        }
        assert_eq!(
            site.journalled("client.refused").await,
            1,
            "of a party there is, once a minute"
        );
        assert!(
            site.token("ent", &code, &[]).await.json()["id_token"].is_string(),
            "the code is still there"
        );
    })
    .await;
}

#[tokio::test]
async fn client_secret_post_works_where_it_is_registered() {
    on_each_engine(async |context, clock| {
        let (site, browser, _) = with_lina((context, clock)).await;
        let mut post = party("ent");
        post.auth_method = ClientAuthMethod::SecretPost;
        site.declare(&post).await;
        let code = browser.code(&site, "ent", &[]).await;
        assert_eq!(
            site.token("ent", &code, &[]).await.error(),
            "invalid_client",
            "by Basic"
        );
        let form = format!(
            "grant_type=authorization_code&code={code}&code_verifier={VERIFIER}&client_id=ent\
             &redirect_uri=https%3A%2F%2Fent.example%2Fcb&client_secret=secret+of+ent"
        );
        assert!(Browser::default().post(&site, "/oauth/token", form).await.json()["id_token"].is_string());
    })
    .await;
}

#[tokio::test]
async fn a_token_request_that_makes_no_sense_is_told_so() {
    on_each_engine(async |context, clock| {
        let (site, browser, _) = with_lina((context, clock)).await;
        let code = browser.code(&site, "ent", &[]).await;
        for (change, error) in [
            (("grant_type", ""), "invalid_request"),
            (("grant_type", "password"), "unsupported_grant_type"),
            (("grant_type", "implicit"), "unsupported_grant_type"),
            (("code", ""), "invalid_request"),
            (("x", &*"x".repeat(9000)), "invalid_request"),
        ] {
            assert_eq!(
                site.token("ent", &code, &[change]).await.error(),
                error,
                "{change:?}"
            );
        }
        for twice in [
            "grant_type",
            "code",
            "redirect_uri",
            "code_verifier",
            "scope",
            "client_id",
        ] {
            let form = format!(
                "grant_type=authorization_code&code={code}&client_id=tablette&code_verifier={VERIFIER}\
                 &redirect_uri=https%3A%2F%2Ftablette.example%2Fcb&scope=openid&{twice}=x"
            );
            let reply = Browser::default().post(&site, "/oauth/token", form).await;
            assert_eq!(reply.error(), "invalid_request", "{twice} twice");
        }
        let json = Request::post("/oauth/token").header(header::CONTENT_TYPE, "application/json");
        let reply = site.send(json.body(Body::from("{}")).unwrap()).await;
        assert_eq!(
            (reply.status, reply.error()),
            (StatusCode::BAD_REQUEST, "invalid_request".into())
        );
        let by_get = browser.get(&site, "/oauth/token").await;
        assert_eq!(by_get.status, StatusCode::METHOD_NOT_ALLOWED);
    })
    .await;
}
