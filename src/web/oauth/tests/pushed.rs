//! Pushed authorization requests (RFC 9126), as a client's server and a browser meet them.

use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use data_encoding::BASE64;

use super::site::*;
use crate::base::url;
use crate::domain::testing::party;
use crate::flows::testing::scene::on_each_engine;

/// Pushes the request of [`authorize_url`], changed, as a confidential client.
async fn push(site: &Site, client: &str, change: &[(&str, &str)]) -> Reply {
    let address = authorize_url(client, change);
    let (_, form) = address.split_once('?').unwrap();
    let credentials = format!("{client}:secret+of+{client}");
    let request = Request::post("/oauth/par")
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .header(
            header::AUTHORIZATION,
            format!("Basic {}", BASE64.encode(credentials.as_bytes())),
        );
    site.send(request.body(Body::from(form.to_owned())).unwrap())
        .await
}

fn brought(client: &str, request_uri: &str, more: &[(&str, &str)]) -> String {
    let all = [("client_id", client), ("request_uri", request_uri)];
    format!(
        "/oauth/authorize?{}",
        url::query(all.into_iter().chain(more.iter().copied()))
    )
}

/// Pushes, and answers the reference.
async fn pushed(site: &Site, change: &[(&str, &str)]) -> String {
    let reply = push(site, "ent", change).await;
    assert_eq!(reply.status, StatusCode::CREATED, "{reply:?}");
    assert_eq!(reply.header(header::CACHE_CONTROL), Some("no-store"));
    assert_eq!(reply.json()["expires_in"], 60);
    reply.json()["request_uri"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn what_was_pushed_counts_and_nothing_beside_it() {
    on_each_engine(async |context, clock| {
        let (site, browser, _) = with_lina((context, clock)).await;
        let mut ent = party("ent");
        ent.metadata.par_required = true;
        site.declare(&ent).await;
        let reference = pushed(&site, &[("state", "pushed state"), ("nonce", "")]).await;
        assert!(reference.starts_with("urn:ietf:params:oauth:request_uri:"));
        let beside = [
            ("state", "another"),
            ("scope", "openid"),
            ("scope", "openid"),
            ("nonce", "x"),
        ];
        let reply = browser.get(&site, &brought("ent", &reference, &beside)).await;
        assert_eq!(reply.sent("state").as_deref(), Some("pushed state"));
        let code = reply.sent("code").unwrap();
        let tokens = site.token("ent", &code, &[]).await.json();
        assert_eq!(tokens["scope"], "openid profile education");
        assert_eq!(claims(&tokens["id_token"]).get("nonce"), None);

        let bare = browser.get(&site, &authorize_url("ent", &[])).await;
        assert_eq!(bare.sent("error").as_deref(), Some("invalid_request"));
    })
    .await;
}

#[tokio::test]
async fn a_reference_is_good_once_for_its_client_and_in_time() {
    on_each_engine(async |context, clock| {
        let (site, browser, _) = with_lina((context, clock)).await;
        let reference = pushed(&site, &[]).await;
        let foreign = browser.get(&site, &brought("cantine", &reference, &[])).await;
        assert_eq!(foreign.status, StatusCode::BAD_REQUEST, "another client's");
        // A stranger's browser may open it as often as it likes; only a code uses it up.
        let stranger = Browser::default();
        for _ in 0..2 {
            let page = stranger.get(&site, &brought("ent", &reference, &[])).await;
            assert!(page.location().starts_with("/login?"), "{page:?}");
        }
        let first = browser.get(&site, &brought("ent", &reference, &[])).await;
        assert!(first.sent("code").is_some());
        let second = browser.get(&site, &brought("ent", &reference, &[])).await;
        assert_eq!(second.status, StatusCode::BAD_REQUEST);

        let late = pushed(&site, &[]).await;
        site.advance(60);
        let expired = browser.get(&site, &brought("ent", &late, &[])).await;
        assert_eq!(expired.status, StatusCode::BAD_REQUEST);
    })
    .await;
}

#[tokio::test]
async fn a_login_that_takes_longer_than_the_reference_lives_ends_well_and_once() {
    on_each_engine(async |context, clock| {
        let site = Site::new((context, clock)).await;
        let lina = site.pupil("Lina", 1, ECOLE).await;
        let reference = pushed(&site, &[]).await;
        let mut browser = Browser::default();
        let page = browser.get(&site, &brought("ent", &reference, &[])).await;
        let waiting = page.sent("continue").unwrap();
        site.advance(1200);
        site.sign_in(&mut browser, &lina).await;
        let resume = format!(
            "/oauth/authorize/resume?{}",
            url::query([("continue", waiting.as_str())])
        );
        assert!(browser.get(&site, &resume).await.sent("code").is_some());
        let again = browser.get(&site, &resume).await;
        assert_eq!(again.status, StatusCode::BAD_REQUEST, "one code for one request");
    })
    .await;
}

#[tokio::test]
async fn case_37_what_may_not_be_pushed_is_refused_and_nothing_is_fetched() {
    on_each_engine(async |context, clock| {
        let (site, browser, _) = with_lina((context, clock)).await;
        for (change, error) in [
            (("redirect_uri", "https://evil.example/cb"), "invalid_request"),
            (("redirect_uri", ""), "invalid_request"),
            (("code_challenge", ""), "invalid_request"),
            (("code_challenge_method", "plain"), "invalid_request"),
            (("response_type", "token"), "unsupported_response_type"),
            (
                ("request_uri", "urn:ietf:params:oauth:request_uri:x"),
                "invalid_request",
            ),
            (("client_id", "cantine"), "invalid_request"),
        ] {
            let reply = push(&site, "ent", &[change]).await;
            assert_eq!(
                (reply.status, reply.error()),
                (StatusCode::BAD_REQUEST, error.to_owned()),
                "{change:?}"
            );
        }
        let unknown = Request::post("/oauth/par")
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(Body::from("client_id=ent&scope=openid"))
            .unwrap();
        let reply = site.send(unknown).await;
        assert_eq!(
            (reply.status, reply.error()),
            (StatusCode::UNAUTHORIZED, "invalid_client".into())
        );
        // An address is never fetched; the party is told that it is not supported.
        let fetch = authorize_url("ent", &[("request_uri", "https://ent.example/request.jwt")]);
        let reply = browser.get(&site, &fetch).await;
        assert_eq!(reply.sent("error").as_deref(), Some("request_uri_not_supported"));
    })
    .await;
}
