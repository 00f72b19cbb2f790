//! Request objects without signature, by value and by reference: processed by the book or refused by name, never
//! overlooked and never half believed.

use data_encoding::BASE64URL_NOPAD;
use serde_json::{Map, Value, json};

use crate::web::oauth::tests::certification::relying_party::{Asked, Client, Suite};

/// Moves parameters into an object by `alg: none`; what OpenID Connect Core §6.1 wants outside too stays there.
fn unsigned(asked: &Asked, inside: &[(&str, &str)]) -> String {
    let names = [
        "client_id",
        "redirect_uri",
        "scope",
        "state",
        "nonce",
        "response_type",
    ];
    let mut claims = Map::new();
    for name in names {
        claims.insert(name.to_owned(), asked.get(name).unwrap().into());
    }
    for (name, value) in inside {
        claims.insert((*name).to_owned(), (*value).into());
    }
    let encoded = |value: &Value| BASE64URL_NOPAD.encode(value.to_string().as_bytes());
    format!(
        "{}.{}.",
        encoded(&json!({ "alg": "none" })),
        encoded(&claims.into())
    )
}

async fn asked(suite: &Suite) -> (Client, Asked) {
    let client = suite.client("suite").await;
    let asked = suite.request(&client);
    (client, asked)
}

/// Whether request objects of this kind are announced; `none` must never be.
fn is_announced(suite: &Suite, member: &str) -> bool {
    let algorithms = suite.provider["request_object_signing_alg_values_supported"].as_array();
    assert!(!algorithms.is_some_and(|algorithms| algorithms.contains(&json!("none"))));
    suite.provider[member].as_bool().unwrap()
}

pub(in crate::web::oauth::tests::certification) async fn oidcc_unsigned_request_object_supported_correctly_or_rejected_as_unsupported(
    mut suite: Suite,
) {
    let (client, asked) = asked(&suite).await;
    let object = unsigned(&asked, &[]);
    let error = suite.error(&client, &asked.with("request", &object)).await;
    assert!(is_announced(&suite, "request_parameter_supported"));
    assert_eq!(error, "request_not_supported", "signed ones are");
}

/// An address that would have to be fetched is not, whatever it is (attack case 37).
pub(in crate::web::oauth::tests::certification) async fn oidcc_request_uri_unsigned_supported_correctly_or_rejected_as_unsupported(
    mut suite: Suite,
) {
    let (client, asked) = asked(&suite).await;
    let address = "https://suite.example/requests/1#GkurKxf5T0Y-mnPFCHqWOMiZi4VS138cQO_V7PZHAdM";
    let error = suite.error(&client, &asked.with("request_uri", address)).await;
    if is_announced(&suite, "request_uri_parameter_supported") {
        assert_eq!(error, "invalid_request_uri", "not registered");
    } else {
        assert_eq!(error, "request_uri_not_supported");
    }
}

/// The address outside the object is not registered: it may not be gone to, and the object is not believed to name a
/// better one, because nobody has signed it.
pub(in crate::web::oauth::tests::certification) async fn oidcc_ensure_request_object_with_redirect_uri(
    mut suite: Suite,
) {
    let client = suite.client("suite").await;
    ensure_request_object_with_redirect_uri(&mut suite, &client).await;
}

/// The same, of any client.
pub(in crate::web::oauth::tests::certification) async fn ensure_request_object_with_redirect_uri(
    suite: &mut Suite,
    client: &Client,
) {
    let asked = suite.request(client);
    let object = unsigned(&asked, &[]);
    let outside = format!("{}/{}", client.redirect_uri, suite.draw());
    let asked = asked.with("request", &object).with("redirect_uri", &outside);
    suite.authorize(&asked).await.page();
    assert_eq!(suite.agent.logins, 0);
}
