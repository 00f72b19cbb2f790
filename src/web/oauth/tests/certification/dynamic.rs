//! The plan of the Dynamic OpenID Provider profile (`OIDCCDynamicTestPlan`): every client registers itself and proves
//! itself by `private_key_jwt`. `oidcc-server-rotate-keys` is in [`super::rotate_keys`]. Four modules want what is not
//! offered:
//!
//! | module | wants | why not |
//! | --- | --- | --- |
//! | `oidcc-discovery-endpoint-verification` | `id_token` response types and the implicit grant, in this plan alone | `docs/adr/0013` |
//! | `oidcc-request-uri-unsigned`, `oidcc-request-uri-signed-rs256` | requests that are fetched from the client | `docs/adr/0013`; that they are refused, and nothing fetched, is tried in [`modules`] |
//! | `oidcc-registration-logo-uri` | the picture of the client on the login page | no page loads anything from elsewhere; that it is kept and not loaded is tried here |

use std::sync::{Arc, Mutex};

use axum::http::{StatusCode, header};
use data_encoding::BASE64URL_NOPAD;
use serde_json::{Value, json};

use super::modules::{refresh, request_object, server};
use super::plan;
use super::registered::{CALLBACK, Signer};
use super::relying_party::Suite;
use super::user_agent::{AtLogin, Delivery};
use super::userinfo_rs256;
use crate::flows::testing::Partners;

plan! { Delivery::Query;
    modules::{
        oidcc_idtoken_rs256, oidcc_userinfo_rs256, oidcc_ensure_redirect_uri_in_authorization_request, oidcc_redirect_uri_query_ok,
        oidcc_redirect_uri_query_mismatch, oidcc_redirect_uri_query_added, oidcc_redirect_uri_regfrag, oidcc_server,
        oidcc_registration_logo_uri, oidcc_registration_policy_uri, oidcc_registration_tos_uri,
        oidcc_registration_jwks_uri, oidcc_registration_sector_uri, oidcc_registration_sector_bad,
        oidcc_refresh_token_rp_key_rotation, oidcc_request_uri_unsigned, oidcc_request_uri_signed_rs256,
        oidcc_ensure_request_object_with_redirect_uri, oidcc_refresh_token,
        oidcc_ensure_client_assertion_with_iss_aud_succeeds,
    };
    server::{ oidcc_idtoken_unsigned, };
}

const JWKS: &str = "https://suite.example/test/a/marelle/client1_jwks";
const REQUEST: &str = "https://suite.example/test/a/marelle/requests/1";
const LISTED_AT: &str = "https://suite.example/test/a/marelle/redirect_uris.json";

/// A document that the suite publishes, and may change.
fn publish(partners: &Partners, address: &str, document: Value) -> Arc<Mutex<Value>> {
    let published = Arc::new(Mutex::new(document));
    let answer = published.clone();
    partners.answer(address, move |_| {
        http::Response::new(answer.lock().unwrap().to_string().into_bytes())
    });
    published
}

fn algorithm(id_token: &str) -> Value {
    let header = BASE64URL_NOPAD.decode(id_token.split('.').next().unwrap().as_bytes());
    let header: Value = serde_json::from_slice(&header.unwrap()).unwrap();
    header["alg"].clone()
}

mod modules {
    use super::*;

    pub(super) async fn oidcc_idtoken_rs256(mut suite: Suite) {
        let one = suite
            .registered(|wanted| wanted["id_token_signed_response_alg"] = "RS256".into())
            .await;
        assert_eq!(one.answer["id_token_signed_response_alg"], "RS256");
        let asked = suite.request(&one.client);
        let tokens = suite.flow(&one.client, &asked).await;
        assert_eq!(algorithm(&tokens.id_token), "RS256");
        suite.unregister(&one).await;
    }

    pub(super) async fn oidcc_userinfo_rs256(mut suite: Suite) {
        let one = suite
            .registered(|wanted| wanted["userinfo_signed_response_alg"] = "RS256".into())
            .await;
        userinfo_rs256::signed_by_rs256(&mut suite, &one.client).await;
        suite.unregister(&one).await;
    }

    /// Two addresses are registered: nobody is sent to one of them unasked.
    pub(super) async fn oidcc_ensure_redirect_uri_in_authorization_request(mut suite: Suite) {
        let two = json!([CALLBACK, format!("{CALLBACK}/second")]);
        let one = suite.registered(|wanted| wanted["redirect_uris"] = two).await;
        let asked = suite.request(&one.client).without("redirect_uri");
        let page = suite.authorize(&asked).await.page();
        assert_eq!((page.status, suite.agent.logins), (StatusCode::BAD_REQUEST, 0));
        suite.unregister(&one).await;
    }

    pub(super) async fn oidcc_redirect_uri_query_ok(mut suite: Suite) {
        let with_query = json!([format!("{CALLBACK}?foo=bar")]);
        let one = suite
            .registered(|wanted| wanted["redirect_uris"] = with_query)
            .await;
        let asked = suite.request(&one.client);
        let callback = suite.authorize(&asked).await.callback();
        assert_eq!(callback.get("foo"), Some("bar"));
        let code = suite.code_of(&one.client, &asked, &callback);
        suite.redeem(&one.client, &asked, &code).await;
        suite.unregister(&one).await;
    }

    /// An address that is registered as one, asked for as another: a page, and nobody is sent anywhere.
    async fn never_sent(mut suite: Suite, registered: &str, asked_for: &str) {
        let one = suite
            .registered(|wanted| wanted["redirect_uris"] = json!([registered]))
            .await;
        let asked = suite.request(&one.client).with("redirect_uri", asked_for);
        let page = suite.authorize(&asked).await.page();
        assert_eq!((page.status, suite.agent.logins), (StatusCode::BAD_REQUEST, 0));
        suite.unregister(&one).await;
    }

    pub(super) async fn oidcc_redirect_uri_query_mismatch(suite: Suite) {
        never_sent(
            suite,
            &format!("{CALLBACK}?foo=bar"),
            &format!("{CALLBACK}?foo=baz"),
        )
        .await;
    }

    pub(super) async fn oidcc_redirect_uri_query_added(suite: Suite) {
        never_sent(suite, CALLBACK, &format!("{CALLBACK}?foo=bar")).await;
    }

    pub(super) async fn oidcc_redirect_uri_regfrag(suite: Suite) {
        let mut wanted = suite.wanted(&Signer::new(&suite, None));
        wanted["redirect_uris"] = json!([format!("{CALLBACK}#foobar")]);
        assert_eq!(suite.registration_error(&wanted).await, "invalid_redirect_uri");
    }

    /// What nobody knows is left out, and what nobody said has the values of the specification.
    pub(super) async fn oidcc_server(mut suite: Suite) {
        let one = suite
            .registered(|wanted| wanted["favourite_colour"] = "blue".into())
            .await;
        assert_eq!(one.answer.get("favourite_colour"), None);
        assert_eq!(one.answer["id_token_signed_response_alg"], "RS256");
        assert_eq!(one.answer["application_type"], "web");
        assert_eq!(one.answer["response_types"], json!(["code"]));
        let asked = suite.request(&one.client);
        let tokens = suite.flow(&one.client, &asked).await;
        assert_eq!(algorithm(&tokens.id_token), "RS256");
        suite.unregister(&one).await;
        let asked = suite.request(&one.client);
        suite.authorize(&asked).await.page();
    }

    /// What a client registers beside its addresses, and the login page that somebody sees who comes from it.
    async fn login_page(suite: &mut Suite, member: &str, address: &str) -> String {
        let one = suite.registered(|wanted| wanted[member] = address.into()).await;
        assert_eq!(one.answer[member], address);
        suite.agent.at_login = AtLogin::Wait;
        let asked = suite.request(&one.client);
        let page = suite.authorize(&asked).await.page();
        assert!(page.body.contains("id=\"sign-in\""), "{page:?}");
        let policy = page.header(header::CONTENT_SECURITY_POLICY).unwrap();
        assert!(policy.contains("img-src 'self';"), "{policy}");
        suite.unregister(&one).await;
        page.body
    }

    pub(super) async fn oidcc_registration_logo_uri(mut suite: Suite) {
        let page = login_page(&mut suite, "logo_uri", "https://suite.example/logo.png").await;
        assert!(!page.contains("suite.example"), "{page}");
    }

    pub(super) async fn oidcc_registration_policy_uri(mut suite: Suite) {
        let page = login_page(&mut suite, "policy_uri", "https://suite.example/policy").await;
        assert!(
            page.contains("<a href=\"https://suite.example/policy\""),
            "{page}"
        );
    }

    pub(super) async fn oidcc_registration_tos_uri(mut suite: Suite) {
        let page = login_page(&mut suite, "tos_uri", "https://suite.example/tos").await;
        assert!(page.contains("<a href=\"https://suite.example/tos\""), "{page}");
    }

    pub(super) async fn oidcc_registration_jwks_uri(mut suite: Suite) {
        let signer = Signer::new(&suite, Some("first"));
        publish(&suite.partners, JWKS, signer.jwks());
        let one = suite.registered_with(signer, published_keys).await;
        assert_eq!(one.answer["jwks_uri"], JWKS);
        let asked = suite.request(&one.client);
        suite.flow(&one.client, &asked).await;
        suite.unregister(&one).await;
    }

    fn published_keys(wanted: &mut Value) {
        let members = wanted.as_object_mut().unwrap();
        members.remove("jwks");
        members.insert("jwks_uri".into(), JWKS.into());
    }

    pub(super) async fn oidcc_registration_sector_uri(mut suite: Suite) {
        publish(
            &suite.partners,
            LISTED_AT,
            json!(["https://other.example/cb", CALLBACK]),
        );
        let one = suite
            .registered(|wanted| {
                wanted["subject_type"] = "pairwise".into();
                wanted["sector_identifier_uri"] = LISTED_AT.into();
            })
            .await;
        assert_eq!(one.answer["sector_identifier_uri"], LISTED_AT);
        assert_eq!(one.answer["subject_type"], "pairwise");
        let asked = suite.request(&one.client);
        suite.flow(&one.client, &asked).await;
        suite.unregister(&one).await;
    }

    pub(super) async fn oidcc_registration_sector_bad(suite: Suite) {
        let listed = publish(&suite.partners, LISTED_AT, json!([format!("{CALLBACK}/other")]));
        let mut wanted = suite.wanted(&Signer::new(&suite, None));
        wanted["subject_type"] = "pairwise".into();
        wanted["sector_identifier_uri"] = LISTED_AT.into();
        for wrong in [
            json!([format!("{CALLBACK}/other")]),
            json!([]),
            json!({ "uris": [CALLBACK] }),
        ] {
            *listed.lock().unwrap() = wrong;
            assert_eq!(suite.registration_error(&wanted).await, "invalid_client_metadata");
        }
    }

    /// The client changes its keys; a key whose name nobody knows yet is looked for again.
    pub(super) async fn oidcc_refresh_token_rp_key_rotation(mut suite: Suite) {
        let signer = Signer::new(&suite, Some("first"));
        let published = publish(&suite.partners, JWKS, signer.jwks());
        let mut one = suite
            .registered_with(signer, |wanted| {
                published_keys(wanted);
                wanted["grant_types"] = json!(["authorization_code", "refresh_token"]);
            })
            .await;
        let tokens = refresh::granted(&mut suite, &one.client).await;

        let second = Signer::new(&suite, Some("second"));
        *published.lock().unwrap() = second.jwks();
        suite.wait(60);
        let first = one.client.signer.replace(second);
        let renewed = refresh::refreshed(&suite, &one.client, &tokens, None).await;

        one.client.signer = first;
        let form = [
            ("grant_type", "refresh_token"),
            ("refresh_token", renewed.answer["refresh_token"].as_str().unwrap()),
        ];
        let former = suite.token_request(&one.client, &form).await;
        assert_eq!(
            former.error(),
            "invalid_client",
            "the first key is published no longer"
        );
        suite.unregister(&one).await;
    }

    /// A request that the client publishes: the party is told that nobody fetches it, and nobody does.
    async fn is_never_fetched(mut suite: Suite, member: &str, algorithm: &str) {
        assert_eq!(suite.provider["request_uri_parameter_supported"], false);
        let one = suite.registered(|wanted| wanted[member] = algorithm.into()).await;
        publish(&suite.partners, REQUEST, json!("a request"));
        let asked = suite.request(&one.client).with("request_uri", REQUEST);
        let error = suite.error(&one.client, &asked).await;
        assert_eq!(error, "request_uri_not_supported");
        assert!(suite.partners.asked().is_empty());
        suite.unregister(&one).await;
    }

    pub(super) async fn oidcc_request_uri_unsigned(suite: Suite) {
        is_never_fetched(suite, "client_name", "no algorithm is registered").await;
    }

    pub(super) async fn oidcc_request_uri_signed_rs256(suite: Suite) {
        is_never_fetched(suite, "request_object_signing_alg", "RS256").await;
    }

    pub(super) async fn oidcc_ensure_request_object_with_redirect_uri(mut suite: Suite) {
        let one = suite.registered(|_| {}).await;
        request_object::ensure_request_object_with_redirect_uri(&mut suite, &one.client).await;
        suite.unregister(&one).await;
    }

    /// Two clients: one repeats its scope, the other does not, and neither renews what is the other's.
    pub(super) async fn oidcc_refresh_token(mut suite: Suite) {
        let grants = |wanted: &mut Value| {
            wanted["grant_types"] = json!(["authorization_code", "refresh_token"]);
        };
        let (first, second) = (suite.registered(grants).await, suite.registered(grants).await);
        refresh::two_clients_refresh(&mut suite, &first.client, &second.client).await;
        suite.unregister(&first).await;
        suite.unregister(&second).await;
    }

    pub(super) async fn oidcc_ensure_client_assertion_with_iss_aud_succeeds(mut suite: Suite) {
        let mut signer = Signer::new(&suite, None);
        signer.audience = suite.provider["issuer"].as_str().unwrap().to_owned();
        let one = suite.registered_with(signer, |_| {}).await;
        let asked = suite.request(&one.client);
        suite.flow(&one.client, &asked).await;
        suite.unregister(&one).await;
    }
}
