//! What programs read: metadata, userinfo, and what other origins may.

use axum::body::Body;
use axum::http::{Request, StatusCode, header};

use super::site::*;
use crate::domain::relying_party::Attribute;
use crate::domain::testing::party;
use crate::flows::testing::scene::on_each_engine;

#[tokio::test]
async fn discovery_names_endpoints_that_answer() {
    on_each_engine(async |context, clock| {
        let site = Site::new((context, clock)).await;
        let reply = Browser::default()
            .get(&site, "/.well-known/openid-configuration")
            .await;
        assert_eq!(reply.header(header::CACHE_CONTROL), Some("public, max-age=3600"));
        let document = reply.json();
        assert_eq!(document["issuer"], ISSUER);
        for (member, address) in document.as_object().unwrap() {
            if member.ends_with("_endpoint") || member == "jwks_uri" {
                let path = address.as_str().unwrap().strip_prefix(ISSUER).unwrap();
                let reply = Browser::default().get(&site, path).await;
                assert_ne!(reply.status, StatusCode::NOT_FOUND, "{member}");
            }
        }
        let keys = Browser::default().get(&site, "/oauth/jwks.json").await;
        assert_eq!(keys.header(header::CACHE_CONTROL), Some("public, max-age=3600"));
        let keys = keys.json();
        assert_eq!(
            keys["keys"].as_array().unwrap().len(),
            4,
            "current and next of two algorithms"
        );
        for private in ["\"d\"", "\"p\"", "\"q\"", "\"dp\""] {
            assert!(!keys.to_string().contains(private), "{private}");
        }
    })
    .await;
}

#[tokio::test]
async fn pages_of_other_origins_may_read_what_programs_read_and_nothing_else() {
    on_each_engine(async |context, clock| {
        let site = Site::new((context, clock)).await;
        let origin = "https://app.example";
        let preflight = Request::options("/oauth/token")
            .header(header::ORIGIN, origin)
            .header(header::ACCESS_CONTROL_REQUEST_METHOD, "POST")
            .header(header::ACCESS_CONTROL_REQUEST_HEADERS, "authorization");
        let reply = site.send(preflight.body(Body::empty()).unwrap()).await;
        assert_eq!(reply.status, StatusCode::NO_CONTENT);
        assert_eq!(
            reply.header(header::ACCESS_CONTROL_ALLOW_HEADERS),
            Some("Authorization, Content-Type, DPoP")
        );
        for path in [
            "/.well-known/openid-configuration",
            "/oauth/jwks.json",
            "/oauth/userinfo",
            "/oauth/token",
        ] {
            let request = Request::get(path).header(header::ORIGIN, origin);
            let reply = site.send(request.body(Body::empty()).unwrap()).await;
            assert_eq!(
                reply.header(header::ACCESS_CONTROL_ALLOW_ORIGIN),
                Some("*"),
                "{path}"
            );
            assert_eq!(
                reply.header(header::ACCESS_CONTROL_ALLOW_CREDENTIALS),
                None,
                "{path}"
            );
        }
        for path in ["/oauth/authorize", "/oauth/logout", "/login"] {
            let request = Request::get(path).header(header::ORIGIN, origin);
            let reply = site.send(request.body(Body::empty()).unwrap()).await;
            assert_eq!(reply.header(header::ACCESS_CONTROL_ALLOW_ORIGIN), None, "{path}");
        }
    })
    .await;
}

#[tokio::test]
async fn userinfo_says_how_to_authenticate() {
    on_each_engine(async |context, clock| {
        let (site, browser, _) = with_lina((context, clock)).await;
        let tokens = browser.tokens(&site, "ent").await;
        let token = tokens["access_token"].as_str().unwrap();
        let bare = Browser::default().get(&site, "/oauth/userinfo").await;
        assert_eq!(bare.status, StatusCode::UNAUTHORIZED);
        assert_eq!(
            bare.header(header::WWW_AUTHENTICATE),
            Some("Bearer realm=\"marelle\"")
        );
        let in_query = Browser::default()
            .get(&site, &format!("/oauth/userinfo?access_token={token}"))
            .await;
        assert_eq!(in_query.status, StatusCode::UNAUTHORIZED, "never in the query");
        let wrong = site.userinfo("mrla_wrong").await;
        assert_eq!(wrong.status, StatusCode::UNAUTHORIZED);
        assert!(
            wrong
                .header(header::WWW_AUTHENTICATE)
                .unwrap()
                .contains("error=\"invalid_token\"")
        );
        let twice = Request::post("/oauth/userinfo")
            .header(header::AUTHORIZATION, format!("Bearer {token}"))
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(Body::from(format!("access_token={token}")));
        assert_eq!(site.send(twice.unwrap()).await.status, StatusCode::BAD_REQUEST);
        let cookie_only = browser.get(&site, "/oauth/userinfo").await;
        assert_eq!(
            cookie_only.status,
            StatusCode::UNAUTHORIZED,
            "a cookie is no token"
        );
    })
    .await;
}

#[tokio::test]
async fn only_what_is_asked_for_and_listed_leaves() {
    on_each_engine(async |context, clock| {
        let (site, browser, _) = with_lina((context, clock)).await;
        let mut ent = party("ent");
        ent.release
            .0
            .retain(|line| matches!(line.attribute, Attribute::GivenName | Attribute::Level));
        site.declare(&ent).await;
        for (scope, expected) in [
            ("openid", "{}"),
            ("openid profile", r#"{"given_name":"Lina"}"#),
            ("openid education", r#"{"education":[{"level":"CM2"}]}"#),
            ("openid email address phone offline_access", "{}"),
        ] {
            let code = browser.code(&site, "ent", &[("scope", scope)]).await;
            let tokens = site.token("ent", &code, &[]).await.json();
            let mut released = site
                .userinfo(tokens["access_token"].as_str().unwrap())
                .await
                .json();
            assert!(released.as_object_mut().unwrap().remove("sub").is_some());
            assert_eq!(released.to_string(), expected, "{scope}");
        }
    })
    .await;
}

#[tokio::test]
async fn documents_are_kept_for_an_hour_and_asked_for_again_by_their_tag() {
    on_each_engine(async |context, clock| {
        let site = Site::new((context, clock)).await;
        for path in ["/.well-known/openid-configuration", "/oauth/jwks.json"] {
            let first = Browser::default().get(&site, path).await;
            assert_eq!(first.header(header::CACHE_CONTROL), Some("public, max-age=3600"));
            let tag = first.header(header::ETAG).unwrap();
            let ask = async |tag: &str| {
                let request = Request::get(path).header(header::IF_NONE_MATCH, tag);
                site.send(request.body(Body::empty()).unwrap()).await
            };
            for same in [tag, &format!("\"x\", W/{tag}"), "*"] {
                let again = ask(same).await;
                assert_eq!(
                    (again.status, again.body.as_str()),
                    (StatusCode::NOT_MODIFIED, "")
                );
                assert_eq!(again.header(header::ETAG), Some(tag));
            }
            assert_eq!(ask("\"x\"").await.status, StatusCode::OK);
        }
    })
    .await;
}
