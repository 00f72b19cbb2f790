//! Access tokens as resource servers see them: audiences (RFC 8707), JWTs (RFC 9068), introspection (RFC 7662, RFC 9701),
//! revocation (RFC 7009), and services that act in their own name (RFC 6749 §4.4).

use axum::http::{StatusCode, header};
use serde_json::{Value, json};

use super::site::*;
use crate::domain::identity::{Identity, Status};
use crate::domain::relying_party::{GrantType, RelyingParty, SigningAlgorithm};
use crate::domain::resource_server::TokenFormat;
use crate::domain::testing::{party, resource_server};
use crate::flows::testing::scene::{self, on_each_engine};
use crate::jose::{self, Algorithm, Jwk, KeySet};

const MENUS: &str = "https://cantine.example/api";
const FOR_MENUS: [(&str, &str); 2] = [("resource", MENUS), ("scope", "openid profile menus:read")];

/// `ent`, which may ask tokens for the menus of `cantine`, refresh, and act in its own name.
fn ent() -> RelyingParty {
    let mut ent = party("ent");
    ent.metadata.resources = vec![MENUS.into()];
    ent.metadata.service_scopes = vec!["menus:read".into()];
    ent.metadata.grant_types = GrantType::ALL.to_vec();
    ent
}

async fn with_menus(scene: Scene, format: TokenFormat) -> (Site, Browser, Identity) {
    let (site, browser, lina) = with_lina(scene).await;
    site.declare(&ent()).await;
    let mut server = resource_server("cantine");
    server.token_format = format;
    scene::declare_resource(&site.context, &server).await;
    (site, browser, lina)
}

/// The tokens that `ent` gets for the menus.
async fn for_menus(site: &Site, browser: &Browser) -> Value {
    let code = browser.code(site, "ent", &FOR_MENUS).await;
    let reply = site.token("ent", &code, &[]).await;
    assert_eq!(reply.status, StatusCode::OK, "{reply:?}");
    reply.json()
}

fn text<'a>(tokens: &'a Value, name: &str) -> &'a str {
    tokens[name]
        .as_str()
        .unwrap_or_else(|| panic!("no {name} in {tokens}"))
}

async fn introspected(site: &Site, client: &str, token: &str) -> Value {
    let reply = site.post(client, "/oauth/introspect", &[("token", token)]).await;
    assert_eq!(reply.status, StatusCode::OK, "{reply:?}");
    assert_eq!(reply.header(header::CACHE_CONTROL), Some("no-store"));
    reply.json()
}

fn inactive() -> Value {
    json!({ "active": false })
}

async fn revoked(site: &Site, client: &str, token: &str) -> StatusCode {
    site.post(client, "/oauth/revoke", &[("token", token)])
        .await
        .status
}

async fn service_token(site: &Site, client: &str, form: &[(&str, &str)]) -> Reply {
    let form = [&[("grant_type", "client_credentials")], form].concat();
    site.post(client, "/oauth/token", &form).await
}

/// The claims of a JWT of ours, verified by the keys the site publishes.
async fn verified(site: &Site, token: &str, kind: jose::Kind) -> Value {
    let published = Browser::default().get(site, "/oauth/jwks.json").await.json();
    let keys = published["keys"].as_array().unwrap().iter();
    let keys = KeySet::new(keys.map(|key| Jwk::from_json(key).unwrap())).unwrap();
    jose::verify(token, &keys, Algorithm::ALL, kind).unwrap().into()
}

#[tokio::test]
async fn rfc_8707_a_token_is_good_where_it_was_asked_for_and_nowhere_else() {
    on_each_engine(async |context, clock| {
        let (site, browser, _) = with_menus((context, clock), TokenFormat::Opaque).await;
        let tokens = for_menus(&site, &browser).await;
        assert_eq!(tokens["scope"], "menus:read", "the audience's own, no more");
        assert!(tokens["id_token"].is_string());
        let token = text(&tokens, "access_token");
        assert_eq!(site.userinfo(token).await.status, StatusCode::UNAUTHORIZED);
        let refresh = [
            ("grant_type", "refresh_token"),
            ("refresh_token", text(&tokens, "refresh_token")),
        ];
        let form = [&refresh[..], &[("resource", ISSUER)]].concat();
        let for_us = site.post("ent", "/oauth/token", &form).await.json();
        assert_eq!(for_us["scope"], "openid profile");
        let userinfo = site.userinfo(text(&for_us, "access_token")).await.json();
        assert_eq!(userinfo["given_name"], "Lina");
        let again = [
            ("grant_type", "refresh_token"),
            ("refresh_token", text(&for_us, "refresh_token")),
            ("resource", MENUS),
            ("scope", "menus:read"),
        ];
        let again = site.post("ent", "/oauth/token", &again).await.json();
        assert_eq!(
            (&again["scope"], &again["id_token"]),
            (&json!("menus:read"), &Value::Null)
        );
    })
    .await;
}

#[tokio::test]
async fn rfc_8707_other_targets_are_invalid_and_spend_no_code() {
    on_each_engine(async |context, clock| {
        let (site, browser, _) = with_menus((context, clock), TokenFormat::Opaque).await;
        let other = [("resource", "https://garderie.example/api")];
        let reply = browser.get(&site, &authorize_url("ent", &other)).await;
        assert_eq!(reply.sent("error").as_deref(), Some("invalid_target"));
        let two = format!("{}&resource=x&resource=y", authorize_url("ent", &[]));
        assert_eq!(
            browser.get(&site, &two).await.sent("error").as_deref(),
            Some("invalid_target")
        );
        let reply = browser.get(&site, &authorize_url("cantine", &FOR_MENUS)).await;
        assert_eq!(
            reply.sent("error").as_deref(),
            Some("invalid_target"),
            "not its own"
        );
        let code = browser.code(&site, "ent", &FOR_MENUS).await;
        assert_eq!(site.token("ent", &code, &other).await.error(), "invalid_target");
        let mut closed = resource_server("cantine");
        closed.enabled = false;
        scene::declare_resource(&site.context, &closed).await;
        assert_eq!(site.token("ent", &code, &[]).await.error(), "invalid_target");
        let reply = browser.get(&site, &authorize_url("ent", &FOR_MENUS)).await;
        assert_eq!(reply.sent("error").as_deref(), Some("invalid_target"));
        closed.enabled = true;
        scene::declare_resource(&site.context, &closed).await;
        let tokens = site.token("ent", &code, &[]).await.json();
        let unknown = browser
            .code(&site, "ent", &[("scope", "openid menus:read mail")])
            .await;
        let plain = site.token("ent", &unknown, &[]).await.json();
        assert_eq!(
            plain["scope"], "openid",
            "a scope without its resource server is none"
        );
        assert_eq!(tokens["scope"], "menus:read");
    })
    .await;
}

#[tokio::test]
async fn rfc_9068_a_signed_token_says_who_what_for_and_nothing_of_the_person() {
    on_each_engine(async |context, clock| {
        let (site, browser, _) = with_menus((context, clock), TokenFormat::AtJwt).await;
        let tokens = for_menus(&site, &browser).await;
        let token = text(&tokens, "access_token");
        let claims = verified(&site, token, jose::Kind::AccessToken).await;
        let now = site.context.now().seconds();
        let id_token = self::claims(&tokens["id_token"]);
        let expected = json!({
            "iss": ISSUER, "aud": MENUS, "sub": id_token["sub"], "client_id": "ent", "scope": "menus:read",
            "iat": now, "exp": now + 600, "auth_time": id_token["auth_time"], "acr": "urn:marelle:acr:class",
            "jti": claims["jti"],
        });
        assert_eq!(claims, expected);
        let told = introspected(&site, "cantine", token).await;
        assert_eq!((&told["active"], &told["sub"]), (&json!(true), &id_token["sub"]));
        assert_eq!(site.userinfo(token).await.status, StatusCode::UNAUTHORIZED);
        let jti = text(&claims, "jti");
        assert_eq!(
            introspected(&site, "cantine", jti).await,
            inactive(),
            "a name is no token"
        );
        let (head, signature) = token.rsplit_once('.').unwrap();
        let forged = format!("{head}.{}", signature.chars().rev().collect::<String>());
        assert_eq!(introspected(&site, "cantine", &forged).await, inactive());
        let id_token = text(&tokens, "id_token");
        assert_eq!(
            introspected(&site, "ent", id_token).await,
            inactive(),
            "another kind"
        );
        assert_eq!(revoked(&site, "ent", token).await, StatusCode::OK);
        assert_eq!(introspected(&site, "cantine", token).await, inactive());
    })
    .await;
}

#[tokio::test]
async fn rfc_7662_the_client_and_the_resource_server_are_told_and_nobody_else() {
    on_each_engine(async |context, clock| {
        let (site, browser, _) = with_menus((context, clock), TokenFormat::Opaque).await;
        let tokens = for_menus(&site, &browser).await;
        let token = text(&tokens, "access_token");
        let sub = self::claims(&tokens["id_token"])["sub"].clone();
        let now = site.context.now().seconds();
        let expected = json!({
            "active": true, "token_type": "Bearer", "iss": ISSUER, "aud": MENUS, "sub": sub, "client_id": "ent",
            "scope": "menus:read", "iat": now, "exp": now + 600, "auth_time": now - 1,
            "acr": "urn:marelle:acr:class",
        });
        for client in ["ent", "cantine"] {
            assert_eq!(introspected(&site, client, token).await, expected, "{client}");
        }
        site.declare(&party("garderie")).await;
        assert_eq!(introspected(&site, "garderie", token).await, inactive());
        let plain = browser.tokens(&site, "ent").await;
        let plain = text(&plain, "access_token");
        assert_eq!(introspected(&site, "ent", plain).await["aud"], ISSUER);
        assert_eq!(introspected(&site, "cantine", plain).await, inactive(), "another audience");
        let refresh = text(&tokens, "refresh_token");
        let told = introspected(&site, "ent", refresh).await;
        assert_eq!((&told["active"], &told["sub"]), (&json!(true), &sub));
        assert_eq!(told["scope"], "openid profile menus:read");
        assert_eq!(introspected(&site, "cantine", refresh).await, inactive());
        for nothing in ["x", "mrla_x", "mrlr_x", "a.b.c", &"x".repeat(3000)] {
            assert_eq!(introspected(&site, "ent", nothing).await, inactive(), "{nothing}");
        }
    })
    .await;
}

#[tokio::test]
async fn rfc_7662_callers_must_prove_who_they_are_and_post_a_form() {
    on_each_engine(async |context, clock| {
        let (site, browser, _) = with_menus((context, clock), TokenFormat::Opaque).await;
        let tokens = browser.tokens(&site, "tablette").await;
        let token = ("token", text(&tokens, "access_token"));
        let public = site.post("tablette", "/oauth/introspect", &[token]).await;
        assert_eq!(
            (public.status, public.error()),
            (StatusCode::UNAUTHORIZED, "invalid_client".into())
        );
        let nobody = [token, ("client_id", "ent"), ("client_secret", "wrong")];
        for path in ["/oauth/introspect", "/oauth/revoke"] {
            let refused = site.post("tablette", path, &nobody).await;
            assert_eq!(
                (refused.status, refused.error()),
                (StatusCode::UNAUTHORIZED, "invalid_client".into())
            );
            let by_get = Browser::default().get(&site, &format!("{path}?token=x")).await;
            assert_eq!(by_get.status, StatusCode::METHOD_NOT_ALLOWED);
            for form in [
                &[][..],
                &[("token", "a"), ("token", "b")],
                &[("token", &*"x".repeat(9000))],
            ] {
                let refused = site.post("ent", path, form).await;
                assert_eq!(
                    (refused.status, refused.error()),
                    (StatusCode::BAD_REQUEST, "invalid_request".into())
                );
            }
        }
        // Both within one minute, for one reason.
        assert_eq!(site.journalled("client.refused").await, 1);
    })
    .await;
}

#[tokio::test]
async fn rfc_7662_a_token_is_active_only_while_everything_behind_it_is() {
    on_each_engine(async |context, clock| {
        let (site, mut browser, lina) = with_menus((context, clock), TokenFormat::Opaque).await;
        let tokens = for_menus(&site, &browser).await;
        let (token, refresh) = (text(&tokens, "access_token"), text(&tokens, "refresh_token"));
        let active = async |token: &str| introspected(&site, "ent", token).await["active"] == true;
        let both = async || (active(token).await, active(refresh).await);
        assert_eq!(both().await, (true, true));
        scene::set_status(&site.context, lina.id, Status::Suspended).await;
        assert_eq!(both().await, (false, false));
        scene::set_status(&site.context, lina.id, Status::Active).await;
        let mut server = resource_server("cantine");
        server.enabled = false;
        scene::declare_resource(&site.context, &server).await;
        assert_eq!(both().await, (false, true));
        server.enabled = true;
        scene::declare_resource(&site.context, &server).await;
        let mut closed = ent();
        closed.enabled = false;
        site.declare(&closed).await;
        assert_eq!(introspected(&site, "cantine", token).await, inactive());
        site.declare(&ent()).await;
        assert_eq!(both().await, (true, true));
        scene::end_session(&site.context, browser.cookie.as_ref().unwrap()).await;
        assert_eq!(both().await, (false, false));
        browser.cookie = None;
        site.sign_in(&mut browser, &lina).await;
        let tokens = for_menus(&site, &browser).await;
        let token = text(&tokens, "access_token");
        assert!(active(token).await);
        site.advance(600);
        assert!(!active(token).await);
    })
    .await;
}

#[tokio::test]
async fn rfc_9701_an_answer_may_be_a_jwt_for_the_caller() {
    on_each_engine(async |context, clock| {
        let (site, browser, _) = with_menus((context, clock), TokenFormat::Opaque).await;
        let tokens = for_menus(&site, &browser).await;
        let token = text(&tokens, "access_token");
        let mut asked = asking("cantine", "/oauth/introspect", &[("token", token)]);
        let accept = "application/json;q=0.5, application/token-introspection+jwt";
        asked
            .headers_mut()
            .insert(header::ACCEPT, accept.parse().unwrap());
        let reply = site.send(asked).await;
        let media_type = "application/token-introspection+jwt";
        assert_eq!(reply.header(header::CONTENT_TYPE), Some(media_type));
        let kind = jose::Kind::IntrospectionResponse;
        let claims = verified(&site, &reply.body, kind).await;
        assert_eq!(
            (&claims["iss"], &claims["aud"]),
            (&json!(ISSUER), &json!("cantine"))
        );
        assert_eq!(claims["iat"], site.context.now().seconds());
        assert_eq!(claims["token_introspection"]["active"], true);
        assert!(claims.get("sub").is_none() && claims.get("exp").is_none());
        let mut cantine = party("cantine");
        cantine.metadata.introspection_alg = Some(SigningAlgorithm::Es256);
        site.declare(&cantine).await;
        let reply = site.post("cantine", "/oauth/introspect", &[("token", "x")]).await;
        let claims = verified(&site, &reply.body, kind).await;
        assert_eq!(claims["token_introspection"], inactive());
    })
    .await;
}

#[tokio::test]
async fn rfc_7009_a_client_takes_its_own_tokens_back_and_no_others() {
    on_each_engine(async |context, clock| {
        let (site, browser, _) = with_menus((context, clock), TokenFormat::Opaque).await;
        let tokens = for_menus(&site, &browser).await;
        let (token, refresh) = (text(&tokens, "access_token"), text(&tokens, "refresh_token"));
        for foreign in [token, refresh] {
            assert_eq!(revoked(&site, "cantine", foreign).await, StatusCode::OK);
            assert_eq!(introspected(&site, "ent", foreign).await["active"], true);
        }
        assert_eq!(site.journalled("authorization.refused").await, 2);
        assert_eq!(site.journalled("token.revoked").await, 0);
        let hint = [("token", token), ("token_type_hint", "refresh_token")];
        let reply = site.post("ent", "/oauth/revoke", &hint).await;
        assert_eq!((reply.status, &*reply.body), (StatusCode::OK, ""), "only a hint");
        assert_eq!(introspected(&site, "ent", token).await, inactive());
        assert_eq!(introspected(&site, "ent", refresh).await["active"], true);
        let renewed = [("grant_type", "refresh_token"), ("refresh_token", refresh)];
        let renewed = site.post("ent", "/oauth/token", &renewed).await.json();
        assert_eq!(
            revoked(&site, "ent", refresh).await,
            StatusCode::OK,
            "a used one too"
        );
        for dead in [text(&renewed, "access_token"), text(&renewed, "refresh_token")] {
            assert_eq!(introspected(&site, "ent", dead).await, inactive());
        }
        assert_eq!(site.journalled("token.revoked").await, 2);
        for nothing in ["x", "mrla_x", "mrlr_x", token, refresh] {
            assert_eq!(revoked(&site, "ent", nothing).await, StatusCode::OK, "{nothing}");
        }
        assert_eq!(site.journalled("token.revoked").await, 2, "nothing to take back");
        let public = browser.tokens(&site, "tablette").await;
        let public = text(&public, "access_token");
        assert_eq!(revoked(&site, "tablette", public).await, StatusCode::OK);
        assert_eq!(site.userinfo(public).await.status, StatusCode::UNAUTHORIZED);
    })
    .await;
}

#[tokio::test]
async fn rfc_6749_section_4_4_a_service_acts_in_its_own_name_within_its_limits() {
    on_each_engine(async |context, clock| {
        let (site, browser, _) = with_menus((context, clock), TokenFormat::Opaque).await;
        let reply = service_token(&site, "ent", &[]).await;
        assert_eq!(reply.header(header::CACHE_CONTROL), Some("no-store"));
        let tokens = reply.json();
        assert_eq!(
            (&tokens["token_type"], &tokens["scope"], &tokens["expires_in"]),
            (&json!("Bearer"), &json!("menus:read"), &json!(600))
        );
        assert!(tokens.get("refresh_token").is_none() && tokens.get("id_token").is_none());
        let token = text(&tokens, "access_token");
        let now = site.context.now().seconds();
        let expected = json!({
            "active": true, "token_type": "Bearer", "iss": ISSUER, "aud": MENUS, "sub": "ent", "client_id": "ent",
            "scope": "menus:read", "iat": now, "exp": now + 600,
        });
        assert_eq!(introspected(&site, "cantine", token).await, expected);
        assert_eq!(site.userinfo(token).await.status, StatusCode::UNAUTHORIZED);
        for (form, error) in [
            (&[("scope", "menus:write")][..], "invalid_scope"),
            (&[("scope", "menus:read openid")], "invalid_scope"),
            (&[("resource", "https://garderie.example/api")], "invalid_target"),
        ] {
            assert_eq!(service_token(&site, "ent", form).await.error(), error, "{form:?}");
        }
        for client in ["cantine", "tablette"] {
            let refused = service_token(&site, client, &[]).await;
            assert_eq!(refused.error(), "unauthorized_client", "{client}");
        }
        assert_eq!(site.journalled("service_token.issued").await, 1);
        assert_eq!(revoked(&site, "cantine", token).await, StatusCode::OK);
        assert_eq!(introspected(&site, "ent", token).await["active"], true);
        assert_eq!(revoked(&site, "ent", token).await, StatusCode::OK);
        assert_eq!(introspected(&site, "cantine", token).await, inactive());
        let mut server = resource_server("cantine");
        server.token_format = TokenFormat::AtJwt;
        scene::declare_resource(&site.context, &server).await;
        let signed = service_token(&site, "ent", &[("resource", MENUS)]).await.json();
        let claims = verified(&site, text(&signed, "access_token"), jose::Kind::AccessToken).await;
        assert_eq!((&claims["sub"], &claims["client_id"]), (&json!("ent"), &json!("ent")));
        assert!(claims.get("auth_time").is_none() && claims.get("acr").is_none());
        drop(browser);
    })
    .await;
}

#[tokio::test]
async fn a_revocation_on_one_node_is_seen_by_the_other_at_once() {
    on_each_engine(async |context, clock| {
        let (site, browser, _) = with_menus((context, clock), TokenFormat::AtJwt).await;
        let there = site.another_node().await;
        let tokens = for_menus(&site, &browser).await;
        let (token, refresh) = (text(&tokens, "access_token"), text(&tokens, "refresh_token"));
        let service = service_token(&there, "ent", &[]).await.json();
        let service = text(&service, "access_token");
        for token in [token, refresh, service] {
            assert_eq!(introspected(&there, "ent", token).await["active"], true);
        }
        assert_eq!(revoked(&site, "ent", service).await, StatusCode::OK);
        assert_eq!(introspected(&there, "cantine", service).await, inactive());
        assert_eq!(revoked(&there, "ent", refresh).await, StatusCode::OK);
        for token in [token, refresh] {
            assert_eq!(introspected(&site, "ent", token).await, inactive());
        }
        there.context.db.close().await;
    })
    .await;
}
