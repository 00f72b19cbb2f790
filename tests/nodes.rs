//! Two nodes on one PostgreSQL: any node serves any request, and what is good once is good once on both.
//!
//! Each node is a whole program in this process (its own pool, keys in memory, caches) over the same database and master
//! key. SQLite has one node, so without `MARELLE_TEST_POSTGRES` the same requests meet one node twice.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "the whole file is tests and what they stand on"
)]

mod engines;

#[path = "nodes/program.rs"]
mod program;

use axum::http::StatusCode;
use marelle::store;
use serde_json::json;

use program::{Browser, parameter, with_nodes};

#[tokio::test]
async fn a_login_begun_on_one_node_ends_on_the_other() {
    with_nodes(async |nodes| {
        let mut browser = Browser::default();
        let code = nodes.sign_in(&mut browser, "ent").await;
        let tokens = nodes.redeem(1, &code).await;
        assert_eq!(tokens.status, StatusCode::OK, "{}", tokens.body);
        let token = tokens.json()["access_token"].as_str().unwrap().to_owned();
        assert_eq!(nodes.userinfo(0, &token).await, StatusCode::OK);
        assert_eq!(nodes.userinfo(1, &token).await, StatusCode::OK);
    })
    .await;
}

#[tokio::test]
async fn case_36_a_code_is_good_once_over_both_nodes_whoever_is_first() {
    with_nodes(async |nodes| {
        let mut browser = Browser::default();
        let mut code = nodes.sign_in(&mut browser, "ent").await;
        for _ in 0..10 {
            let (left, right) = tokio::join!(nodes.redeem(0, &code), nodes.redeem(1, &code));
            let mut statuses = [left.status, right.status];
            statuses.sort();
            assert_eq!(statuses, [StatusCode::OK, StatusCode::BAD_REQUEST]);
            // The second one revoked what the first was given, on both nodes.
            let winner = if left.status == StatusCode::OK {
                left
            } else {
                right
            };
            let token = winner.json()["access_token"].as_str().unwrap().to_owned();
            assert_eq!(nodes.userinfo(0, &token).await, StatusCode::UNAUTHORIZED);
            assert_eq!(nodes.userinfo(1, &token).await, StatusCode::UNAUTHORIZED);
            code = nodes.code(&mut browser, "ent").await;
        }
    })
    .await;
}

#[tokio::test]
async fn case_36_a_pushed_request_gives_one_code_over_both_nodes() {
    with_nodes(async |nodes| {
        let mut browser = Browser::default();
        nodes.sign_in(&mut browser, "ent").await;
        let mut other = Browser::default();
        nodes.sign_in(&mut other, "ent").await;
        for pushed_to in [0, 1, 0, 1] {
            let address = nodes.pushed(pushed_to).await;
            let [one, two] = &nodes.routers;
            let (left, right) = tokio::join!(browser.get(one, &address), other.get(two, &address));
            let mut statuses = [left.status, right.status];
            statuses.sort();
            assert_eq!(statuses, [StatusCode::SEE_OTHER, StatusCode::BAD_REQUEST]);
            for node in [one, two] {
                let again = browser.get(node, &address).await;
                assert_eq!(again.status, StatusCode::BAD_REQUEST);
            }
            let answered = if left.status == StatusCode::SEE_OTHER {
                left
            } else {
                right
            };
            let code = parameter(&answered.location(), "code");
            let reply = nodes.redeem(1 - pushed_to, &code).await;
            assert_eq!(reply.status, StatusCode::OK, "{}", reply.body);
        }
    })
    .await;
}

#[tokio::test]
async fn case_39_of_a_refresh_token_used_on_both_nodes_one_line_lives_on() {
    with_nodes(async |nodes| {
        let mut browser = Browser::default();
        let code = nodes.sign_in(&mut browser, "ent").await;
        let tokens = nodes.redeem(0, &code).await.json();
        let mut token = tokens["refresh_token"].as_str().unwrap().to_owned();
        for _ in 0..5 {
            // An answer may be lost, so both may be answered; but only one of the answers is worth anything.
            let (left, right) = tokio::join!(nodes.refresh(0, &token), nodes.refresh(1, &token));
            let mut alive = Vec::new();
            let mut given = Vec::new();
            for reply in [left, right] {
                let tokens = reply.json();
                let text = |name: &str| tokens[name].as_str().map(str::to_owned);
                alive.extend(text("refresh_token"));
                given.extend(text("access_token"));
            }
            assert!(!alive.is_empty(), "one of them is answered");
            // The latest successor works; an earlier one was used up by it.
            let mut lived = Vec::new();
            for next in alive.iter().rev() {
                let reply = nodes.refresh(1, next).await;
                if reply.status == StatusCode::OK {
                    lived.push(reply.json()["refresh_token"].as_str().unwrap().to_owned());
                    break;
                }
            }
            let Some(next) = lived.pop() else {
                // The line was broken as theft: then nothing of it may live.
                for access in &given {
                    for node in [0, 1] {
                        assert_eq!(nodes.userinfo(node, access).await, StatusCode::UNAUTHORIZED);
                    }
                }
                let code = nodes.code(&mut browser, "ent").await;
                token = nodes.redeem(0, &code).await.json()["refresh_token"]
                    .as_str()
                    .unwrap()
                    .to_owned();
                continue;
            };
            token = next;
        }
    })
    .await;
}

#[tokio::test]
async fn case_38_an_assertion_is_good_once_over_both_nodes() {
    with_nodes(async |nodes| {
        let mut browser = Browser::default();
        let first = nodes.sign_in(&mut browser, "keyed").await;
        let second = nodes.code(&mut browser, "keyed").await;
        let assertion = nodes.assertion();
        let (left, right) = tokio::join!(
            nodes.redeem_by_assertion(0, &first, &assertion),
            nodes.redeem_by_assertion(1, &second, &assertion),
        );
        let mut statuses = [left.status, right.status];
        statuses.sort();
        assert_eq!(
            statuses,
            [StatusCode::OK, StatusCode::UNAUTHORIZED],
            "{} {}",
            left.body,
            right.body
        );
    })
    .await;
}

#[tokio::test]
async fn case_40_a_proof_of_possession_is_good_once_over_both_nodes() {
    with_nodes(async |nodes| {
        let mut browser = Browser::default();
        nodes.sign_in(&mut browser, "ent").await;
        for _ in 0..5 {
            let (first, second) = (
                nodes.code(&mut browser, "ent").await,
                nodes.code(&mut browser, "ent").await,
            );
            let proof = nodes.proof("POST", "/oauth/token", None);
            let (left, right) = tokio::join!(
                nodes.redeem_by_proof(0, &first, &proof),
                nodes.redeem_by_proof(1, &second, &proof),
            );
            let (taken, refused, unspent) = if left.status == StatusCode::OK {
                (left, right, &second)
            } else {
                (right, left, &first)
            };
            assert_eq!(taken.json()["token_type"], "DPoP", "{}", taken.body);
            assert_eq!(refused.json()["error"], "invalid_dpop_proof");
            // A refused proof costs its sender nothing: with another the code is still good, on either node.
            let fresh = nodes.proof("POST", "/oauth/token", None);
            let reply = nodes.redeem_by_proof(1, unspent, &fresh).await;
            assert_eq!(reply.status, StatusCode::OK, "{}", reply.body);

            let tokens = taken.json();
            let token = tokens["access_token"].as_str().unwrap();
            let proof = nodes.proof("GET", "/oauth/userinfo", Some(token));
            let (left, right) = tokio::join!(
                nodes.userinfo_by_proof(0, token, &proof),
                nodes.userinfo_by_proof(1, token, &proof),
            );
            let mut statuses = [left, right];
            statuses.sort();
            assert_eq!(statuses, [StatusCode::OK, StatusCode::UNAUTHORIZED]);
            for node in [0, 1] {
                let again = nodes.userinfo_by_proof(node, token, &proof).await;
                assert_eq!(again, StatusCode::UNAUTHORIZED);
                let fresh = nodes.proof("GET", "/oauth/userinfo", Some(token));
                let served = nodes.userinfo_by_proof(node, token, &fresh).await;
                assert_eq!(served, StatusCode::OK);
                assert_eq!(nodes.userinfo(node, token).await, StatusCode::UNAUTHORIZED);
            }
        }
    })
    .await;
}

#[tokio::test]
async fn case_47_what_is_revoked_on_one_node_is_over_on_the_other_at_once() {
    with_nodes(async |nodes| {
        let mut browser = Browser::default();
        let code = nodes.sign_in(&mut browser, "ent").await;
        let tokens = nodes.redeem(0, &code).await.json();
        let access = tokens["access_token"].as_str().unwrap();
        let refresh = tokens["refresh_token"].as_str().unwrap();
        assert_eq!(nodes.userinfo(1, access).await, StatusCode::OK);
        let revoked = nodes.called(0, "/oauth/revoke", &[("token", refresh)]).await;
        assert_eq!(revoked.status, StatusCode::OK);
        assert_eq!(nodes.userinfo(1, access).await, StatusCode::UNAUTHORIZED);
        assert_eq!(nodes.refresh(1, refresh).await.json()["error"], "invalid_grant");
        let seen = nodes.called(1, "/oauth/introspect", &[("token", access)]).await;
        assert_eq!(seen.json(), json!({ "active": false }));

        // A party that is taken out of use on one node, and a login that is ended on one.
        let code = nodes.code(&mut browser, "ent").await;
        let tokens = nodes.redeem(0, &code).await.json();
        let access = tokens["access_token"].as_str().unwrap();
        let mut tx = nodes.context.db.begin().await.unwrap();
        let mut ent = store::relying_party::find(&mut tx, &"ent".parse().unwrap())
            .await
            .unwrap()
            .unwrap();
        ent.enabled = false;
        store::relying_party::save(&mut tx, &ent).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(nodes.userinfo(1, access).await, StatusCode::UNAUTHORIZED);
        ent.enabled = true;
        let mut tx = nodes.context.db.begin().await.unwrap();
        store::relying_party::save(&mut tx, &ent).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(nodes.userinfo(1, access).await, StatusCode::OK);
        browser.post(&nodes.routers[0], "/sign-out", &[]).await;
        assert_eq!(nodes.userinfo(1, access).await, StatusCode::UNAUTHORIZED);
    })
    .await;
}
