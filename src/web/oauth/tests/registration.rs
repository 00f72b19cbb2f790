//! Registration by a project (RFC 7591, RFC 7592): what it may, and what is tried by one that wants more.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::{Method, Request, StatusCode, header};
use serde_json::{Value, json};

use super::site::*;
use crate::base::secret::Secret;
use crate::base::url;
use crate::domain::registration::{Policy, SubjectType};
use crate::domain::relying_party::{Attribute, ClientAuthMethod, GrantType, SecurityProfile};
use crate::domain::testing::policy;
use crate::flows::testing::Partners;
use crate::flows::testing::scene::{self, on_each_engine};
use crate::flows::{Context, client, registration};

const PATH: &str = "/oauth/register";
const WEEK: Duration = Duration::from_secs(7 * 86400);

/// A project that may register, and a token that lets it.
async fn invited(context: &Context, policy: &Policy) -> Secret {
    scene::declare_policy(context, policy).await;
    registration::invite(context, &policy.id, WEEK)
        .await
        .unwrap()
        .unwrap()
        .0
}

async fn call(site: &Site, method: Method, path: &str, token: Option<&str>, body: Option<&Value>) -> Reply {
    let mut request = Request::builder().method(method).uri(path);
    if let Some(token) = token {
        request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
    }
    if body.is_some() {
        request = request.header(header::CONTENT_TYPE, "application/json");
    }
    let body = body.map_or_else(Body::empty, |body| Body::from(body.to_string()));
    site.send(request.body(body).unwrap()).await
}

async fn register(site: &Site, token: &Secret, body: &Value) -> Reply {
    call(site, Method::POST, PATH, Some(token.expose()), Some(body)).await
}

fn wanted() -> Value {
    json!({ "client_name": "Cahier", "redirect_uris": ["https://somme.example/cb"] })
}

fn with(member: &str, value: Value) -> Value {
    let mut body = wanted();
    body[member] = value;
    body
}

/// A registered client.
struct Known {
    answer: Value,
}

impl Known {
    async fn new(site: &Site, token: &Secret, body: &Value) -> Self {
        let reply = register(site, token, body).await;
        assert_eq!(reply.status, StatusCode::CREATED, "{reply:?}");
        assert_eq!(reply.header(header::CACHE_CONTROL), Some("no-store"));
        Self { answer: reply.json() }
    }

    fn text(&self, member: &str) -> &str {
        self.answer[member]
            .as_str()
            .unwrap_or_else(|| panic!("no {member}"))
    }

    fn path(&self) -> &str {
        self.text("registration_client_uri").strip_prefix(ISSUER).unwrap()
    }

    async fn manage(&self, site: &Site, method: Method, body: Option<&Value>) -> Reply {
        let token = self.text("registration_access_token");
        call(site, method, self.path(), Some(token), body).await
    }

    /// Its registration as it would send it back, changed.
    fn changed(&self, change: &[(&str, Value)]) -> Value {
        let mut body = self.answer.clone();
        let members = body.as_object_mut().unwrap();
        for sent_by_us in [
            "registration_access_token",
            "registration_client_uri",
            "client_secret_expires_at",
            "client_id_issued_at",
        ] {
            members.remove(sent_by_us);
        }
        for (member, value) in change {
            members.insert((*member).to_owned(), value.clone());
        }
        body
    }
}

fn assert_unauthorized(reply: &Reply) {
    assert_eq!(reply.status, StatusCode::UNAUTHORIZED, "{reply:?}");
    let challenge = reply.header(header::WWW_AUTHENTICATE).unwrap();
    assert!(
        challenge.starts_with("Bearer ") && challenge.contains("invalid_token"),
        "{challenge}"
    );
    assert_eq!(reply.error(), "invalid_token");
}

fn assert_refused(reply: &Reply, error: &str, why: &str) {
    assert_eq!(
        (reply.status, reply.error().as_str()),
        (StatusCode::BAD_REQUEST, error),
        "{why}: {reply:?}"
    );
}

#[tokio::test]
async fn a_client_registers_is_used_changed_and_removed() {
    on_each_engine(async |context, clock| {
        let token = invited(&context, &policy("somme")).await;
        let (site, browser, _) = with_lina((context, clock)).await;
        let one = Known::new(&site, &token, &wanted()).await;
        let (id, secret) = (one.text("client_id"), one.text("client_secret"));
        assert!(id.len() > 26 && secret.len() > 32);
        assert_eq!(one.answer["client_secret_expires_at"], 0);
        assert_eq!(one.answer["id_token_signed_response_alg"], "RS256");
        assert_eq!(one.answer["token_endpoint_auth_method"], "client_secret_basic");

        // What is kept of the secret and the tokens is their digests.
        let party = client::find(&site.context, &id.parse().unwrap())
            .await
            .unwrap()
            .unwrap();
        assert_eq!(party.secrets, [Secret::new(secret).digest()]);
        assert!(party.pkce_required && party.release.allows(Attribute::GivenName));

        let to = [("redirect_uri", "https://somme.example/cb")];
        let code = browser.code(&site, id, &to).await;
        let form = [
            ("grant_type", "authorization_code"),
            ("code", &*code),
            ("redirect_uri", "https://somme.example/cb"),
            ("code_verifier", VERIFIER),
        ];
        let credentials = data_encoding::BASE64.encode(format!("{id}:{secret}").as_bytes());
        let request = Request::post("/oauth/token")
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(header::AUTHORIZATION, format!("Basic {credentials}"));
        let tokens = site
            .send(request.body(Body::from(url::query(form))).unwrap())
            .await
            .json();
        let access_token = tokens["access_token"].as_str().unwrap();
        let userinfo = site.userinfo(access_token).await.json();
        assert_eq!(userinfo["given_name"], "Lina");
        assert_eq!(
            userinfo.get("family_name"),
            None,
            "the policy of the project does not list it"
        );

        let read = one.manage(&site, Method::GET, None).await.json();
        assert_eq!(read.get("client_secret"), None, "a secret is shown once");
        assert_eq!(read["client_name"], "Cahier");
        let body = one.changed(&[("client_name", json!("Cahier 2"))]);
        let changed = one.manage(&site, Method::PUT, Some(&body)).await.json();
        assert_eq!(changed["client_name"], "Cahier 2");
        assert_eq!(changed.get("client_secret"), None, "it keeps the one it has");

        let gone = one.manage(&site, Method::DELETE, None).await;
        assert_eq!((gone.status, gone.body.as_str()), (StatusCode::NO_CONTENT, ""));
        assert_eq!(site.userinfo(access_token).await.status, StatusCode::UNAUTHORIZED);
        let again = one.manage(&site, Method::GET, None).await;
        assert_unauthorized(&again);
        for kind in ["client.registered", "client.changed", "client.removed"] {
            assert_eq!(site.journalled(kind).await, 1, "{kind}");
        }
    })
    .await;
}

#[tokio::test]
async fn nobody_registers_without_a_good_token() {
    on_each_engine(async |context, clock| {
        let somme = policy("somme");
        let token = invited(&context, &somme).await;
        let site = Site::new((context, clock)).await;
        for wrong in [None, Some("mrli_wrong"), Some("")] {
            assert_unauthorized(&call(&site, Method::POST, PATH, wrong, Some(&wanted())).await);
        }
        // In the address it would be in logs (RFC 6750 §2.3).
        let path = format!("{PATH}?access_token={}", token.expose());
        assert_unauthorized(&call(&site, Method::POST, &path, None, Some(&wanted())).await);

        let one = Known::new(&site, &token, &wanted()).await;
        let own = Secret::new(one.text("registration_access_token"));
        assert_unauthorized(&register(&site, &own, &wanted()).await);

        assert_eq!(
            registration::revoke_invites(&site.context, &somme.id)
                .await
                .unwrap(),
            Some(1)
        );
        assert_unauthorized(&register(&site, &token, &wanted()).await);
        let (late, _) = registration::invite(&site.context, &somme.id, WEEK)
            .await
            .unwrap()
            .unwrap();
        site.advance(WEEK.as_secs());
        assert_unauthorized(&register(&site, &late, &wanted()).await);
        let (good, _) = registration::invite(&site.context, &somme.id, WEEK)
            .await
            .unwrap()
            .unwrap();
        let mut closed = somme.clone();
        closed.enabled = false;
        scene::declare_policy(&site.context, &closed).await;
        assert_unauthorized(&register(&site, &good, &wanted()).await);
        let refused = one.manage(&site, Method::PUT, Some(&one.changed(&[]))).await;
        assert_refused(
            &refused,
            "invalid_client_metadata",
            "nothing changes while the policy is out of use",
        );
        assert_eq!(one.manage(&site, Method::GET, None).await.status, StatusCode::OK);
    })
    .await;
}

#[tokio::test]
async fn a_registration_is_managed_with_its_own_token_alone() {
    on_each_engine(async |context, clock| {
        let token = invited(&context, &policy("somme")).await;
        let site = Site::new((context, clock)).await;
        let one = Known::new(&site, &token, &wanted()).await;
        let two = Known::new(&site, &token, &wanted()).await;
        let others = two.text("registration_access_token");
        for wrong in [
            None,
            Some(others),
            Some(token.expose()),
            Some(one.text("client_secret")),
        ] {
            for method in [Method::GET, Method::PUT, Method::DELETE] {
                let body = one.changed(&[]);
                let body = (method == Method::PUT).then_some(&body);
                assert_unauthorized(&call(&site, method, one.path(), wrong, body).await);
            }
        }
        // A declared party has no such token, and nobody is told which ids there are.
        for id in ["ent", "nobody", "%00", "..%2F"] {
            let path = format!("{PATH}/{id}");
            assert_unauthorized(&call(&site, Method::GET, &path, Some(others), None).await);
        }
        let body = two.changed(&[("client_id", json!(one.text("client_id")))]);
        let stolen = two.manage(&site, Method::PUT, Some(&body)).await;
        assert_refused(&stolen, "invalid_client_metadata", "another client's id");
        let body = one.changed(&[("client_secret", json!("guessed"))]);
        let guessed = one.manage(&site, Method::PUT, Some(&body)).await;
        assert_refused(&guessed, "invalid_client_metadata", "a secret of its own choice");
        let body = one.changed(&[("subject_type", json!("public"))]);
        let renamed = one.manage(&site, Method::PUT, Some(&body)).await;
        assert_refused(
            &renamed,
            "invalid_client_metadata",
            "people keep their identifiers",
        );
        for parameter in ["registration_access_token", "client_secret_expires_at"] {
            let body = one.changed(&[(parameter, json!("x"))]);
            let refused = one.manage(&site, Method::PUT, Some(&body)).await;
            assert_refused(&refused, "invalid_client_metadata", parameter);
        }
    })
    .await;
}

#[tokio::test]
async fn addresses_are_on_hosts_of_the_project_and_written_plainly() {
    on_each_engine(async |context, clock| {
        let token = invited(&context, &policy("somme")).await;
        let site = Site::new((context, clock)).await;
        for wrong in [
            "https://somme.example/cb#fragment",
            "https://somme.example/cb#",
            "https://evil.example/cb",
            "https://somme.example.evil.example/cb",
            "https://somme.example@evil.example/cb",
            "https://evil.example\\@somme.example/cb",
            "https://*.somme.example/cb",
            "https://somme.example/*",
            "http://somme.example/cb",
            "javascript:alert(document.domain)",
            "javascript://somme.example/%0aalert(1)",
            "data:text/html,<script>alert(1)</script>",
            "vbscript:x",
            "file:///etc/passwd",
            "somme.example:/cb",
            "//somme.example/cb",
            "https://somme.example/cb\r\nLocation: https://evil.example",
            "",
        ] {
            let body = with("redirect_uris", json!([wrong]));
            assert_refused(
                &register(&site, &token, &body).await,
                "invalid_redirect_uri",
                wrong,
            );
            let both = with("redirect_uris", json!(["https://somme.example/cb", wrong]));
            assert_refused(
                &register(&site, &token, &both).await,
                "invalid_redirect_uri",
                wrong,
            );
        }
        for body in [
            with("redirect_uris", json!([])),
            with("redirect_uris", json!("https://somme.example/cb")),
            with("redirect_uris", json!([1])),
            with("redirect_uris", json!(null)),
        ] {
            assert_refused(
                &register(&site, &token, &body).await,
                "invalid_redirect_uri",
                "no list",
            );
        }
        for member in [
            "jwks_uri",
            "client_uri",
            "logo_uri",
            "policy_uri",
            "tos_uri",
            "initiate_login_uri",
            "sector_identifier_uri",
            "backchannel_logout_uri",
            "frontchannel_logout_uri",
        ] {
            for wrong in [
                "https://evil.example/x",
                "javascript:alert(1)",
                "data:text/html,x",
                "http://somme.example/x",
                "https://a@somme.example/",
                "ftp://somme.example/",
            ] {
                let body = with(member, json!(wrong));
                let refused = register(&site, &token, &body).await;
                assert_refused(&refused, "invalid_client_metadata", &format!("{member} {wrong}"));
            }
        }
        let leaves = with("post_logout_redirect_uris", json!(["https://evil.example/bye"]));
        let refused = register(&site, &token, &leaves).await;
        assert_refused(&refused, "invalid_client_metadata", "post_logout_redirect_uris");
        assert_eq!(
            client::list(&site.context).await.unwrap().len(),
            3,
            "nothing came of it"
        );
        assert!(site.journalled("registration.refused").await > 0);
    })
    .await;
}

#[tokio::test]
async fn only_an_address_of_the_policy_is_ever_fetched_and_only_a_public_one() {
    on_each_engine(async |mut context, clock| {
        let partners = Arc::new(Partners::default());
        context.outbound = partners.clone();
        let mut somme = policy("somme");
        somme.hosts = vec!["somme.example".parse().unwrap()];
        let token = invited(&context, &somme).await;
        let site = Site::new((context, clock)).await;
        for inside in [
            "https://127.0.0.1/x",
            "https://[::1]/x",
            "https://169.254.169.254/latest/meta-data/",
            "https://10.0.0.1/x",
            "https://localhost/x",
            "https://2130706433/x",
            "https://0x7f.1/x",
            "https://[::ffff:10.0.0.1]/x",
            "http://somme.example/x",
        ] {
            for member in ["jwks_uri", "sector_identifier_uri", "backchannel_logout_uri"] {
                let refused = register(&site, &token, &with(member, json!(inside))).await;
                assert_refused(&refused, "invalid_client_metadata", inside);
            }
        }
        assert!(partners.asked().is_empty(), "nothing was fetched");

        // What the name of a listed host leads to is the project's to say: it may not lead inside.
        let listed_at = "https://somme.example/uris.json";
        partners.answer(listed_at, |request| {
            let reach = request.extensions().get::<crate::flows::outbound::Reach>();
            assert_eq!(reach, Some(&crate::flows::outbound::Reach::Public));
            http::Response::new(br#"["https://somme.example/cb"]"#.to_vec())
        });
        let body = with("sector_identifier_uri", json!(listed_at));
        Known::new(&site, &token, &body).await;
        assert_eq!(partners.asked().len(), 1);

        // It is not led elsewhere, nor told what was there instead.
        partners.answer(listed_at, |_| {
            let mut moved = http::Response::new(b"secret of the house".to_vec());
            *moved.status_mut() = http::StatusCode::FOUND;
            let inside = http::HeaderValue::from_static("http://127.0.0.1/");
            moved.headers_mut().insert(http::header::LOCATION, inside);
            moved
        });
        let refused = register(&site, &token, &body).await;
        assert_refused(&refused, "invalid_client_metadata", "moved");
        assert!(!refused.body.contains("secret of the house") && !refused.body.contains("302"));
        assert_eq!(partners.asked().len(), 2);
    })
    .await;
}

#[tokio::test]
async fn a_client_has_what_its_policy_says_whatever_it_asks_for() {
    on_each_engine(async |context, clock| {
        let mut somme = policy("somme");
        somme.grant_types = vec![GrantType::AuthorizationCode];
        somme.auth_methods = vec![ClientAuthMethod::SecretBasic];
        somme.subject_types = vec![SubjectType::Pairwise];
        somme.service_scopes = vec!["menus:read".into()];
        let token = invited(&context, &somme).await;
        let site = Site::new((context, clock)).await;
        let greedy = json!({
            "client_name": "Cahier", "redirect_uris": ["https://somme.example/cb"],
            "client_id": "ent", "client_secret": "chosen by me", "client_id_issued_at": 1,
            "registration_access_token": "chosen by me", "scope": "openid profile menus:read",
            "sector": "ent", "basis": "consent", "pkce_required": false, "enabled": true, "profile": "standard",
            "release": [{ "attribute": "family_name", "purpose": "x", "convention": "x" }],
            "schools": ["9990001X"], "resources": ["https://cantine.example/api"], "service_scopes": ["menus:write"],
            "minimum_acr": "urn:marelle:acr:class", "secrets": ["x"], "policy": "nord",
        });
        let one = Known::new(&site, &token, &greedy).await;
        assert_ne!(one.answer["client_id"], "ent");
        assert_ne!(one.answer["client_secret"], "chosen by me");
        let id = one.text("client_id").parse().unwrap();
        let party = client::find(&site.context, &id).await.unwrap().unwrap();
        assert!(party.pkce_required && party.schools.is_empty() && !party.release.allows(Attribute::FamilyName));
        assert_eq!((party.release, party.basis), (somme.release.clone(), somme.basis));
        assert_eq!(party.sector, "host:somme.example");
        assert!(party.metadata.resources.is_empty() && party.metadata.service_scopes.is_empty());
        assert_eq!(party.metadata.minimum_acr, None);
        assert_eq!(party.registration.unwrap().policy, "somme");

        for (member, value) in [
            ("grant_types", json!(["authorization_code", "client_credentials"])),
            ("grant_types", json!(["implicit"])),
            ("grant_types", json!(["password"])),
            ("response_types", json!(["id_token"])),
            ("response_types", json!(["code", "token"])),
            ("token_endpoint_auth_method", json!("none")),
            ("token_endpoint_auth_method", json!("client_secret_jwt")),
            ("subject_type", json!("public")),
            ("id_token_signed_response_alg", json!("none")),
            ("id_token_signed_response_alg", json!("HS256")),
            ("request_object_signing_alg", json!("none")),
            ("application_type", json!("other")),
            ("client_name", json!("x".repeat(101))),
            ("client_name", json!(" ")),
            ("client_name", json!({})),
            ("contacts", json!(["x".repeat(201)])),
            ("contacts", json!(vec!["a@b.example"; 1000])),
            ("default_max_age", json!(-1)),
            ("default_max_age", json!("soon")),
            ("jwks", json!({ "keys": [] })),
            ("jwks", json!({ "keys": [{ "kty": "oct", "k": "c2VjcmV0" }] })),
            ("jwks", json!("https://somme.example/jwks")),
        ] {
            let refused = register(&site, &token, &with(member, value.clone())).await;
            assert_refused(&refused, "invalid_client_metadata", &format!("{member} {value}"));
        }
    })
    .await;
}

#[tokio::test]
async fn a_body_that_is_too_long_or_no_metadata_is_refused() {
    on_each_engine(async |context, clock| {
        let token = invited(&context, &policy("somme")).await;
        let site = Site::new((context, clock)).await;
        let long_address = format!("https://somme.example/{}", "x".repeat(10_000));
        let many: Vec<String> = (0..1000)
            .map(|number| format!("https://somme.example/{number}"))
            .collect();
        for redirects in [json!([long_address]), json!(many)] {
            let refused = register(&site, &token, &with("redirect_uris", redirects)).await;
            assert_eq!(refused.status, StatusCode::BAD_REQUEST);
        }
        let huge = with("unknown", json!("x".repeat(1 << 20)));
        assert_eq!(
            register(&site, &token, &huge).await.status,
            StatusCode::BAD_REQUEST
        );
        for (kind, body) in [
            ("application/json", "{"),
            ("application/json", "[]"),
            ("application/json", "null"),
            (
                "application/json",
                r#"{"redirect_uris":["https://somme.example/a"],"redirect_uris":["https://evil.example/"]}"#,
            ),
            ("application/x-www-form-urlencoded", "redirect_uris=x"),
            ("text/plain", r#"{"redirect_uris":["https://somme.example/a"]}"#),
        ] {
            let request = Request::post(PATH)
                .header(header::CONTENT_TYPE, kind)
                .header(header::AUTHORIZATION, format!("Bearer {}", token.expose()));
            let refused = site.send(request.body(Body::from(body)).unwrap()).await;
            assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{kind} {body}");
        }
        assert_eq!(client::list(&site.context).await.unwrap().len(), 3);
    })
    .await;
}

#[tokio::test]
async fn a_project_does_not_pass_its_limit_though_it_asks_on_two_nodes_at_once() {
    on_each_engine(async |context, clock| {
        let mut somme = policy("somme");
        somme.most = 3;
        let token = invited(&context, &somme).await;
        let site = Site::new((context, clock)).await;
        let other = Arc::new(site.another_node().await);
        let site = Arc::new(site);
        let body = wanted();
        let mut tries = tokio::task::JoinSet::new();
        for number in 0..10 {
            let node = Arc::clone(if number % 2 == 0 { &site } else { &other });
            let (token, body) = (token.clone(), body.clone());
            tries.spawn(async move { register(&node, &token, &body).await });
        }
        let replies = tries.join_all().await;
        let made: Vec<_> = replies
            .iter()
            .filter(|reply| reply.status == StatusCode::CREATED)
            .collect();
        assert_eq!(made.len(), 3, "{replies:?}");
        for refused in replies.iter().filter(|reply| reply.status != StatusCode::CREATED) {
            assert_refused(refused, "invalid_client_metadata", "too many");
        }
        assert_eq!(site.journalled("registration.refused").await, 7);
        let one = Known {
            answer: made[0].json(),
        };
        assert_eq!(
            one.manage(&other, Method::DELETE, None).await.status,
            StatusCode::NO_CONTENT
        );
        Known::new(&site, &token, &body).await;
    })
    .await;
}

#[tokio::test]
async fn under_a_fapi_policy_nobody_has_a_secret_and_the_profile_is_not_theirs_to_choose() {
    on_each_engine(async |context, clock| {
        let mut somme = policy("somme");
        somme.profile = SecurityProfile::Fapi2;
        somme.auth_methods = vec![ClientAuthMethod::PrivateKeyJwt];
        let token = invited(&context, &somme).await;
        let site = Site::new((context, clock)).await;
        assert_refused(
            &register(&site, &token, &wanted()).await,
            "invalid_client_metadata",
            "a secret",
        );
        let key = crate::jose::PrivateKey::generate(crate::jose::Algorithm::Es256).unwrap();
        let mut body = wanted();
        body["token_endpoint_auth_method"] = "private_key_jwt".into();
        body["jwks"] = json!({ "keys": [key.public().to_json()] });
        let one = Known::new(&site, &token, &body).await;
        assert_eq!(one.answer["id_token_signed_response_alg"], "ES256");
        let party = client::find(&site.context, &one.text("client_id").parse().unwrap()).await;
        let party = party.unwrap().unwrap();
        assert!(party.metadata.must_push() && party.metadata.must_bind() && party.pkce_required);
        body["id_token_signed_response_alg"] = "RS256".into();
        assert_refused(
            &register(&site, &token, &body).await,
            "invalid_client_metadata",
            "RS256",
        );
    })
    .await;
}

#[tokio::test]
async fn what_an_operator_put_out_of_use_stays_so_whatever_the_client_changes() {
    on_each_engine(async |context, clock| {
        let token = invited(&context, &policy("somme")).await;
        let site = Site::new((context, clock)).await;
        let one = Known::new(&site, &token, &wanted()).await;
        let id = one.text("client_id").parse().unwrap();
        assert_eq!(
            client::set_enabled(&site.context, &id, false).await.unwrap(),
            client::Change::Done(true)
        );
        let changed = one.manage(&site, Method::PUT, Some(&one.changed(&[]))).await;
        assert_eq!(changed.status, StatusCode::OK);
        assert!(!client::find(&site.context, &id).await.unwrap().unwrap().enabled);
        assert_eq!(
            client::remove(&site.context, &id).await.unwrap(),
            client::Change::Done(())
        );
        for method in [Method::GET, Method::PUT, Method::DELETE] {
            let body = one.changed(&[]);
            let body = (method == Method::PUT).then_some(&body);
            assert_unauthorized(&one.manage(&site, method, body).await);
        }
    })
    .await;
}
