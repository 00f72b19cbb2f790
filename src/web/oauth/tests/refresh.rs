//! The refresh token grant: attack case 39, and what RFC 6749 §6, RFC 9700 §4.14 and OpenID Connect Core §11, §12 ask.

use std::sync::Arc;

use axum::http::{StatusCode, header};
use serde_json::Value;

use super::site::*;
use crate::domain::audit::Actor;
use crate::domain::identity::{Identity, Status};
use crate::domain::relying_party::{ClientAuthMethod, GrantType, RelyingParty};
use crate::domain::testing::party;
use crate::flows::testing::scene::{self, on_each_engine};
use crate::flows::{credential, session};

/// A party of [`Site`] that may refresh.
pub(super) fn refreshing(id: &str) -> RelyingParty {
    let mut party = party(id);
    if id == "tablette" {
        (party.auth_method, party.secrets) = (ClientAuthMethod::None, Vec::new());
    }
    party.metadata.grant_types.push(GrantType::RefreshToken);
    party
}

/// [`with_lina`], everybody refreshing.
pub(super) async fn with_refreshing_lina(scene: Scene) -> (Site, Browser, Identity) {
    let (site, browser, lina) = with_lina(scene).await;
    for id in ["ent", "cantine", "tablette"] {
        site.declare(&refreshing(id)).await;
    }
    (site, browser, lina)
}

/// The tokens of a login with these scopes.
pub(super) async fn granted(site: &Site, browser: &Browser, client: &str, scope: &str) -> Value {
    let code = browser.code(site, client, &[("scope", scope)]).await;
    site.token(client, &code, &[]).await.json()
}

pub(super) fn text<'a>(tokens: &'a Value, name: &str) -> &'a str {
    tokens[name].as_str().unwrap_or_else(|| panic!("no {name}"))
}

async fn refresh(site: &Site, client: &str, token: &str, change: &[(&str, &str)]) -> Reply {
    let mut all = vec![
        ("grant_type", "refresh_token"),
        ("refresh_token", token),
        ("redirect_uri", ""),
        ("code_verifier", ""),
    ];
    all.extend(change);
    site.token(client, "", &all).await
}

/// The tokens of a refresh that succeeds.
pub(super) async fn refreshed(site: &Site, client: &str, token: &str) -> Value {
    let reply = refresh(site, client, token, &[]).await;
    assert_eq!(reply.status, StatusCode::OK, "{reply:?}");
    reply.json()
}

/// Whether a refresh token is refused, and nothing more is told.
pub(super) async fn is_dead(site: &Site, client: &str, token: &str) -> bool {
    let reply = refresh(site, client, token, &[]).await;
    reply.status == StatusCode::BAD_REQUEST && reply.error() == "invalid_grant"
}

#[tokio::test]
async fn core_section_12_a_refresh_gives_the_next_tokens_about_the_same_login() {
    on_each_engine(async |context, clock| {
        let (site, browser, _) = with_refreshing_lina((context, clock)).await;
        let first = granted(&site, &browser, "ent", "openid profile education").await;
        assert!(text(&first, "refresh_token").starts_with("mrlr_"));
        site.advance(700);
        assert_eq!(
            site.userinfo(text(&first, "access_token")).await.status,
            StatusCode::UNAUTHORIZED
        );
        let reply = refresh(&site, "ent", text(&first, "refresh_token"), &[]).await;
        assert_eq!(reply.header(header::CACHE_CONTROL), Some("no-store"));
        assert_eq!(reply.header(header::PRAGMA), Some("no-cache"));
        let next = reply.json();
        assert_eq!(
            (&next["token_type"], &next["scope"]),
            (&"Bearer".into(), &first["scope"])
        );
        assert_eq!(next["expires_in"], 600);
        for name in ["access_token", "refresh_token", "id_token"] {
            assert_ne!(text(&next, name), text(&first, name), "{name}");
        }
        let (before, after) = (claims(&first["id_token"]), claims(&next["id_token"]));
        for name in ["iss", "sub", "aud", "auth_time", "acr", "amr", "sid"] {
            assert_eq!(before[name], after[name], "{name}");
        }
        assert_eq!(
            after["iat"].as_i64().unwrap() - before["iat"].as_i64().unwrap(),
            700
        );
        assert_ne!(before["at_hash"], after["at_hash"]);
        assert_eq!(
            (&before["nonce"], &after["nonce"]),
            (&"the nonce".into(), &Value::Null)
        );
        let userinfo = site.userinfo(text(&next, "access_token")).await.json();
        assert_eq!(userinfo["sub"], after["sub"]);
        assert_eq!(site.journalled("tokens.refreshed").await, 1);
        refreshed(&site, "ent", text(&next, "refresh_token")).await;
    })
    .await;
}

#[tokio::test]
async fn refresh_tokens_are_for_clients_that_may_use_them() {
    on_each_engine(async |context, clock| {
        let (site, browser, _) = with_refreshing_lina((context, clock)).await;
        let tokens = granted(&site, &browser, "ent", "openid offline_access").await;
        assert_eq!(tokens["scope"], "openid offline_access");
        let token = text(&tokens, "refresh_token");
        site.declare(&party("ent")).await;
        let reply = refresh(&site, "ent", token, &[]).await;
        assert_eq!(
            (reply.status, reply.error()),
            (StatusCode::BAD_REQUEST, "unauthorized_client".into())
        );
        let without = granted(&site, &browser, "ent", "openid offline_access").await;
        assert_eq!(without.get("refresh_token"), None);
        assert_eq!(
            without["scope"], "openid",
            "nothing is promised that is not given"
        );
        let code = browser.code(&site, "ent", &[]).await;
        let mut other = refreshing("ent");
        other.metadata.grant_types = vec![GrantType::RefreshToken];
        site.declare(&other).await;
        assert_eq!(site.token("ent", &code, &[]).await.error(), "unauthorized_client");
        assert!(refresh(&site, "ent", token, &[]).await.json()["id_token"].is_string());
    })
    .await;
}

#[tokio::test]
async fn a_refresh_request_that_makes_no_sense_is_told_so_and_uses_nothing_up() {
    on_each_engine(async |context, clock| {
        let (site, browser, _) = with_refreshing_lina((context, clock)).await;
        let tokens = granted(&site, &browser, "ent", "openid profile").await;
        let token = text(&tokens, "refresh_token");
        for (change, error) in [
            (("refresh_token", ""), "invalid_request"),
            (("scope", "openid email"), "invalid_scope"),
            (("scope", "openid profile offline_access"), "invalid_scope"),
            (("refresh_token", "mrlr_unknown"), "invalid_grant"),
            (("refresh_token", text(&tokens, "access_token")), "invalid_grant"),
        ] {
            let reply = refresh(&site, "ent", token, &[change]).await;
            assert_eq!(
                (reply.status, reply.error()),
                (StatusCode::BAD_REQUEST, error.into()),
                "{change:?}"
            );
        }
        let twice = format!(
            "grant_type=refresh_token&refresh_token={token}&refresh_token={token}&client_id=tablette"
        );
        let reply = Browser::default().post(&site, "/oauth/token", twice).await;
        assert_eq!(reply.error(), "invalid_request");
        assert_eq!(
            site.userinfo(token).await.status,
            StatusCode::UNAUTHORIZED,
            "no access token"
        );
        let code = site.token("ent", token, &[]).await;
        assert_eq!(code.error(), "invalid_grant", "no code");
        refreshed(&site, "ent", token).await;
    })
    .await;
}

#[tokio::test]
async fn rfc_6749_section_6_a_narrower_scope_is_of_this_access_token_only() {
    on_each_engine(async |context, clock| {
        let (site, browser, _) = with_refreshing_lina((context, clock)).await;
        let tokens = granted(&site, &browser, "ent", "openid profile education").await;
        let narrow = refresh(
            &site,
            "ent",
            text(&tokens, "refresh_token"),
            &[("scope", "education")],
        )
        .await
        .json();
        assert_eq!(
            (&narrow["scope"], narrow.get("id_token")),
            (&"education".into(), None)
        );
        let known = site.userinfo(text(&narrow, "access_token")).await.json();
        assert!(known.get("education").is_some() && known.get("given_name").is_none());
        let whole = refreshed(&site, "ent", text(&narrow, "refresh_token")).await;
        assert_eq!(whole["scope"], "openid profile education");
        let known = site.userinfo(text(&whole, "access_token")).await.json();
        assert_eq!(known["given_name"], "Lina");
    })
    .await;
}

#[tokio::test]
async fn case_39_a_used_refresh_token_takes_its_family_with_it() {
    on_each_engine(async |context, clock| {
        let (site, browser, _) = with_refreshing_lina((context, clock)).await;
        for client in ["ent", "tablette"] {
            let first = granted(&site, &browser, client, "openid offline_access").await;
            let next = refreshed(&site, client, text(&first, "refresh_token")).await;
            site.advance(30);
            assert!(is_dead(&site, "cantine", text(&first, "refresh_token")).await);
            let token = text(&next, "access_token");
            assert_eq!(
                site.userinfo(token).await.status,
                StatusCode::OK,
                "a stranger cannot revoke"
            );
            assert!(is_dead(&site, client, text(&first, "refresh_token")).await);
            assert!(is_dead(&site, client, text(&next, "refresh_token")).await);
            for tokens in [&first, &next] {
                let reply = site.userinfo(text(tokens, "access_token")).await;
                assert_eq!(reply.status, StatusCode::UNAUTHORIZED);
            }
        }
        assert_eq!(site.journalled("refresh.replayed").await, 2);
    })
    .await;
}

#[tokio::test]
async fn case_39_a_lost_answer_is_believed_once_and_for_half_a_minute() {
    on_each_engine(async |context, clock| {
        let (site, browser, _) = with_refreshing_lina((context, clock)).await;
        let first = granted(&site, &browser, "ent", "openid").await;
        let lost = refreshed(&site, "ent", text(&first, "refresh_token")).await;
        site.advance(29);
        let again = refreshed(&site, "ent", text(&first, "refresh_token")).await;
        assert_ne!(text(&again, "refresh_token"), text(&lost, "refresh_token"));
        let next = refreshed(&site, "ent", text(&again, "refresh_token")).await;
        assert_eq!(site.journalled("refresh.replayed").await, 0);
        // What the lost answer held was used up by the second try.
        assert!(is_dead(&site, "ent", text(&lost, "refresh_token")).await);
        assert!(is_dead(&site, "ent", text(&next, "refresh_token")).await);

        let first = granted(&site, &browser, "ent", "openid").await;
        refreshed(&site, "ent", text(&first, "refresh_token")).await;
        let second = refreshed(&site, "ent", text(&first, "refresh_token")).await;
        assert!(
            is_dead(&site, "ent", text(&first, "refresh_token")).await,
            "a third time"
        );
        assert!(is_dead(&site, "ent", text(&second, "refresh_token")).await);

        let first = granted(&site, &browser, "ent", "openid").await;
        let next = refreshed(&site, "ent", text(&first, "refresh_token")).await;
        let last = refreshed(&site, "ent", text(&next, "refresh_token")).await;
        assert!(
            is_dead(&site, "ent", text(&first, "refresh_token")).await,
            "the answer had arrived"
        );
        assert!(is_dead(&site, "ent", text(&last, "refresh_token")).await);
        assert_eq!(site.journalled("refresh.replayed").await, 3);
    })
    .await;
}

#[tokio::test]
async fn case_39_of_two_refreshes_at_once_on_two_nodes_one_token_is_left() {
    on_each_engine(async |context, clock| {
        let (site, browser, _) = with_refreshing_lina((context, clock)).await;
        let there = site.another_node().await;
        for _ in 0..5 {
            let first = granted(&site, &browser, "ent", "openid").await;
            let token = text(&first, "refresh_token");
            let (one, two) = tokio::join!(refreshed(&site, "ent", token), refreshed(&there, "ent", token));
            let mut live = 0;
            for tokens in [&one, &two] {
                let reply = there.userinfo(text(tokens, "access_token")).await;
                assert_eq!(reply.status, StatusCode::OK);
            }
            // Past the grace, only the token that took the other's place is good; the other gives the family away.
            site.advance(31);
            let mut left = [&one, &two].map(|tokens| text(tokens, "refresh_token").to_owned());
            left.sort_unstable();
            for token in &left {
                live += u32::from(refresh(&there, "ent", token, &[]).await.status == StatusCode::OK);
            }
            assert!(live <= 1, "never both");
        }
        there.context.db.close().await;
    })
    .await;
}

#[tokio::test]
async fn case_39_of_forty_refreshes_at_once_at_most_two_succeed_and_nothing_is_left() {
    on_each_engine(async |context, clock| {
        let (site, browser, _) = with_refreshing_lina((context, clock)).await;
        let there = Arc::new(site.another_node().await);
        let site = Arc::new(site);
        let first = granted(&site, &browser, "ent", "openid offline_access").await;
        let token = text(&first, "refresh_token").to_owned();
        let tasks: Vec<_> = (0..40)
            .map(|number| {
                let site = Arc::clone(if number % 2 == 0 { &site } else { &there });
                let token = token.clone();
                tokio::spawn(async move { refresh(&site, "ent", &token, &[]).await })
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
        assert!((1..=2).contains(&granted.len()), "{}", granted.len());
        for tokens in &granted {
            assert!(is_dead(&site, "ent", text(tokens, "refresh_token")).await);
            let reply = there.userinfo(text(tokens, "access_token")).await;
            assert_eq!(reply.status, StatusCode::UNAUTHORIZED);
        }
        there.context.db.close().await;
    })
    .await;
}

#[tokio::test]
async fn case_39_everything_is_looked_at_again_and_may_be_well_again() {
    on_each_engine(async |context, clock| {
        let (site, browser, lina) = with_refreshing_lina((context, clock)).await;
        let tokens = granted(&site, &browser, "ent", "openid offline_access").await;
        let token = text(&tokens, "refresh_token");
        scene::set_status(&site.context, lina.id, Status::Suspended).await;
        assert!(is_dead(&site, "ent", token).await, "suspended");
        scene::set_status(&site.context, lina.id, Status::Active).await;

        let mut moved = refreshing("ent");
        moved.schools = vec![COLLEGE.parse().unwrap()];
        site.declare(&moved).await;
        assert!(is_dead(&site, "ent", token).await, "no school of hers any more");
        moved.schools.push(ECOLE.parse().unwrap());
        moved.enabled = false;
        site.declare(&moved).await;
        let reply = refresh(&site, "ent", token, &[]).await;
        assert_eq!(
            (reply.status, reply.error()),
            (StatusCode::UNAUTHORIZED, "invalid_client".into())
        );
        moved.enabled = true;
        moved.sector = "another".into();
        site.declare(&moved).await;
        assert!(is_dead(&site, "ent", token).await, "it would be another sub");
        moved.sector = "ent".into();
        site.declare(&moved).await;
        assert!(is_dead(&site, "cantine", token).await, "of another client");
        assert_eq!(site.journalled("authorization.refused").await, 4);
        refreshed(&site, "ent", token).await;
    })
    .await;
}

#[tokio::test]
async fn case_39_a_login_that_is_over_ends_what_does_not_outlive_it() {
    on_each_engine(async |context, clock| {
        let (site, mut browser, lina) = with_refreshing_lina((context, clock)).await;
        let scopes = ["openid", "openid offline_access"];
        let mut tokens = Vec::new();
        for scope in scopes {
            tokens.push(granted(&site, &browser, "ent", scope).await);
        }
        scene::end_session(&site.context, browser.cookie.as_ref().unwrap()).await;
        assert!(
            is_dead(&site, "ent", text(&tokens[0], "refresh_token")).await,
            "signed out"
        );
        let (bound, lasting) = (text(&tokens[0], "access_token"), text(&tokens[1], "access_token"));
        assert_eq!(site.userinfo(bound).await.status, StatusCode::UNAUTHORIZED);
        assert_eq!(site.userinfo(lasting).await.status, StatusCode::OK);
        let next = refreshed(&site, "ent", text(&tokens[1], "refresh_token")).await;
        let narrow = refresh(&site, "ent", text(&next, "refresh_token"), &[("scope", "openid")]);
        let narrow = narrow.await.json();
        assert_eq!(
            site.userinfo(text(&narrow, "access_token")).await.status,
            StatusCode::OK
        );

        browser.cookie = None;
        site.sign_in(&mut browser, &lina).await;
        for (at, scope) in scopes.iter().enumerate() {
            tokens[at] = granted(&site, &browser, "ent", scope).await;
        }
        site.advance(3599);
        let bound = refreshed(&site, "ent", text(&tokens[0], "refresh_token")).await;
        site.advance(2);
        assert!(
            is_dead(&site, "ent", text(&bound, "refresh_token")).await,
            "ran out"
        );
        let mut token = text(&tokens[1], "refresh_token").to_owned();
        for day in [10, 10, 9] {
            site.advance(day * 24 * 3600);
            crate::flows::purge::run(&site.context).await.unwrap();
            token = text(&refreshed(&site, "ent", &token).await, "refresh_token").to_owned();
        }
        site.advance(24 * 3600);
        assert!(
            is_dead(&site, "ent", &token).await,
            "thirty days after the first, however often it was used"
        );
    })
    .await;
}

#[tokio::test]
async fn case_39_a_new_credential_and_a_replayed_code_end_all_that_outlives_a_login() {
    on_each_engine(async |context, clock| {
        let (site, mut browser, lina) = with_refreshing_lina((context, clock)).await;
        let tokens = granted(&site, &browser, "ent", "openid offline_access").await;
        scene::end_session(&site.context, browser.cookie.as_ref().unwrap()).await;
        credential::new_picture_code(&site.context, lina.id, &Actor::Operator)
            .await
            .unwrap();
        assert!(is_dead(&site, "ent", text(&tokens, "refresh_token")).await);
        assert_eq!(
            site.userinfo(text(&tokens, "access_token")).await.status,
            StatusCode::UNAUTHORIZED
        );
        browser.cookie = None;
        site.sign_in(&mut browser, &lina).await;
        let code = browser
            .code(&site, "ent", &[("scope", "openid offline_access")])
            .await;
        let tokens = site.token("ent", &code, &[]).await.json();
        let next = refreshed(&site, "ent", text(&tokens, "refresh_token")).await;
        assert_eq!(site.token("ent", &code, &[]).await.error(), "invalid_grant");
        assert!(is_dead(&site, "ent", text(&next, "refresh_token")).await);
        let live = session::find(&site.context, browser.cookie.as_ref().unwrap()).await;
        assert!(live.unwrap().is_some(), "the login itself goes on");
    })
    .await;
}
