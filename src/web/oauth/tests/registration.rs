//! Registration by a project (RFC 7591, RFC 7592): what it may, and what is tried by one that wants more.

mod address;
mod policy;

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
