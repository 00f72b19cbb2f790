//! A limit on every form that comes: how long it is, how many parameters it has, and that none we know comes twice
//! (RFC 6749 §3.1, §3.2). The authorization endpoint has its own in [`super::authorize`], JSON in [`super::registration`].

use axum::body::Body;
use axum::http::{Request, StatusCode, header};

use super::site::*;
use crate::base::url;
use crate::flows::testing::scene::on_each_engine;

/// The longest form, and the most parameters of one.
const LONGEST: usize = 8192;
const MOST: usize = 60;

/// An endpoint, a form that it understands, and the parameters that it knows.
struct Endpoint {
    path: &'static str,
    form: String,
    known: &'static [&'static str],
    /// Whether it is the access token in the form that counts, and no client has to prove itself.
    is_resource: bool,
}

impl Endpoint {
    async fn send(&self, site: &Site, form: String) -> Reply {
        let request = if self.is_resource {
            Request::post(self.path)
                .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
                .body(Body::from(form))
                .unwrap()
        } else {
            let mut request = asking("ent", self.path, &[]);
            *request.body_mut() = Body::from(form);
            request
        };
        site.send(request).await
    }

    /// The form with parameters that nobody knows: so many in all, or so long in all.
    fn numerous(&self, number: usize) -> String {
        let has = self.form.matches('&').count() + 1;
        format!("{}{}", self.form, "&x=1".repeat(number - has))
    }

    fn long(&self, length: usize) -> String {
        format!("{}&x={}", self.form, "x".repeat(length - self.form.len() - 3))
    }
}

async fn endpoints(site: &Site, browser: &Browser) -> Vec<Endpoint> {
    let tokens = browser.tokens(site, "ent").await;
    let token = tokens["access_token"].as_str().unwrap();
    let request = authorize_url("ent", &[]);
    let endpoint = |path, form: &str, known| Endpoint {
        path,
        form: form.to_owned(),
        known,
        is_resource: path == "/oauth/userinfo",
    };
    let redemption = url::query([
        ("grant_type", "authorization_code"),
        ("code", "mrlc_unknown"),
        ("redirect_uri", "https://ent.example/cb"),
        ("code_verifier", VERIFIER),
    ]);
    vec![
        endpoint(
            "/oauth/token",
            &redemption,
            &[
                "grant_type",
                "client_id",
                "client_secret",
                "client_assertion",
                "client_assertion_type",
                "code",
                "redirect_uri",
                "code_verifier",
                "refresh_token",
                "scope",
            ],
        ),
        endpoint(
            "/oauth/par",
            request.split_once('?').unwrap().1,
            &[
                "client_id",
                "client_secret",
                "client_assertion",
                "client_assertion_type",
                "redirect_uri",
                "response_type",
                "response_mode",
                "scope",
                "state",
                "nonce",
                "prompt",
                "max_age",
                "claims",
                "code_challenge",
                "code_challenge_method",
                "dpop_jkt",
                "request",
                "request_uri",
            ],
        ),
        endpoint(
            "/oauth/introspect",
            &format!("token={token}"),
            &["token", "token_type_hint", "client_id", "client_secret"],
        ),
        endpoint(
            "/oauth/revoke",
            "token=x",
            &["token", "token_type_hint", "client_id", "client_secret"],
        ),
        endpoint(
            "/oauth/userinfo",
            &format!("access_token={token}"),
            &["access_token"],
        ),
    ]
}

fn is_invalid(reply: &Reply, path: &str, why: &str) {
    assert_eq!(
        (reply.status, reply.error()),
        (StatusCode::BAD_REQUEST, "invalid_request".into()),
        "{path}: {why}"
    );
}

#[tokio::test]
async fn a_form_is_so_long_and_has_so_many_parameters_and_no_more() {
    on_each_engine(async |context, clock| {
        let (site, browser, _) = with_lina((context, clock)).await;
        for endpoint in endpoints(&site, &browser).await {
            let path = endpoint.path;
            let right = endpoint.send(&site, endpoint.form.clone()).await;
            for (form, why) in [
                (endpoint.numerous(MOST), "the most parameters"),
                (endpoint.long(LONGEST), "the longest"),
            ] {
                let reply = endpoint.send(&site, form).await;
                assert_eq!(reply.status, right.status, "{path}: {why}");
            }
            for (form, why) in [
                (endpoint.numerous(MOST + 1), "one parameter more"),
                (endpoint.long(LONGEST + 1), "one byte more"),
            ] {
                is_invalid(&endpoint.send(&site, form).await, path, why);
            }
            let huge = endpoint.send(&site, endpoint.long(1 << 20)).await;
            assert_eq!(huge.status, StatusCode::PAYLOAD_TOO_LARGE, "{path}");
        }
    })
    .await;
}

#[tokio::test]
async fn no_parameter_that_is_known_comes_twice_and_others_may() {
    on_each_engine(async |context, clock| {
        let (site, browser, _) = with_lina((context, clock)).await;
        for endpoint in endpoints(&site, &browser).await {
            let path = endpoint.path;
            let right = endpoint.send(&site, endpoint.form.clone()).await;
            for name in endpoint.known {
                let form = format!("{}&{name}=a&{name}=a", endpoint.form);
                is_invalid(&endpoint.send(&site, form).await, path, name);
            }
            let form = format!("{}&x=1&x=2", endpoint.form);
            assert_eq!(endpoint.send(&site, form).await.status, right.status, "{path}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_browser_with_too_much_gets_a_page_and_goes_nowhere() {
    on_each_engine(async |context, clock| {
        let (site, browser, _) = with_lina((context, clock)).await;
        for path in ["/oauth/authorize", "/oauth/logout"] {
            for form in ["x=1&".repeat(MOST + 1), format!("state={}", "s".repeat(LONGEST))] {
                let reply = browser.post(&site, path, form.clone()).await;
                assert_eq!(
                    (reply.status, reply.header(header::LOCATION)),
                    (StatusCode::BAD_REQUEST, None)
                );
                let reply = browser.get(&site, &format!("{path}?{form}")).await;
                assert_eq!(
                    (reply.status, reply.header(header::LOCATION)),
                    (StatusCode::BAD_REQUEST, None)
                );
            }
        }
    })
    .await;
}
