//! Refresh tokens: what the next tokens must share with the first, and whose they are.

use serde_json::Value;

use crate::domain::relying_party::GrantType;
use crate::web::oauth::tests::certification::relying_party::{Client, Suite, Tokens, token_error};

async fn client(suite: &Suite, id: &str) -> Client {
    let refreshing = |party: &mut crate::domain::relying_party::RelyingParty| {
        party.metadata.grant_types.push(GrantType::RefreshToken);
    };
    suite.client_with(id, refreshing).await
}

/// A flow that asks for all that makes a provider give a refresh token (OpenID Connect Core §11).
pub(in crate::web::oauth::tests::certification) async fn granted(
    suite: &mut Suite,
    client: &Client,
) -> Tokens {
    let asked = suite
        .request(client)
        .with("scope", "openid offline_access")
        .with("prompt", "consent");
    suite.flow(client, &asked).await
}

fn refresh_token(answer: &Value) -> &str {
    let token = answer["refresh_token"].as_str().expect("a refresh token");
    // RFC 6749 §10.10 and appendix A.17.
    assert!(token.len() >= 22 && token.bytes().all(|symbol| (0x20..=0x7e).contains(&symbol)));
    token
}

/// The next tokens, a second later: `scope` is repeated, or left out.
pub(in crate::web::oauth::tests::certification) async fn refreshed(
    suite: &Suite,
    client: &Client,
    first: &Tokens,
    scope: Option<&str>,
) -> Tokens {
    let mut form = vec![
        ("grant_type", "refresh_token"),
        ("refresh_token", refresh_token(&first.answer)),
    ];
    form.extend(scope.map(|scope| ("scope", scope)));
    suite.wait(1);
    let reply = suite.token_request(client, &form).await;
    let next = suite.tokens_of(client, None, &reply).await;
    assert_ne!(next.access_token, first.access_token);
    // OpenID Connect Core §12.2.
    for same in ["iss", "sub", "aud", "auth_time"] {
        assert_eq!(next.claims[same], first.claims[same], "{same}");
    }
    assert_ne!(next.claims["iat"], first.claims["iat"]);
    assert_eq!(next.claims.get("azp"), first.claims.get("azp"));
    suite.userinfo(&next).await;
    next
}

pub(in crate::web::oauth::tests::certification) async fn oidcc_refresh_token(mut suite: Suite) {
    for (member, value) in [
        ("scopes_supported", "offline_access"),
        ("grant_types_supported", "refresh_token"),
    ] {
        let announced = suite.provider[member].as_array().unwrap();
        assert!(announced.contains(&value.into()), "{member}");
    }
    let (one, two) = (client(&suite, "suite").await, client(&suite, "suite-2").await);
    two_clients_refresh(&mut suite, &one, &two).await;
}

/// The same, of any two clients.
pub(in crate::web::oauth::tests::certification) async fn two_clients_refresh(
    suite: &mut Suite,
    one: &Client,
    two: &Client,
) {
    let first = granted(suite, one).await;
    refreshed(suite, one, &first, Some("openid offline_access")).await;

    let second = granted(suite, two).await;
    let second = refreshed(suite, two, &second, None).await;
    let of_two = refresh_token(&second.answer);
    let form = [
        ("grant_type", "refresh_token"),
        ("refresh_token", of_two),
        ("scope", "openid offline_access"),
    ];
    let stolen = suite.token_request(one, &form).await;
    assert_eq!(token_error(&stolen), "invalid_grant");
    refreshed(suite, two, &second, None).await;
}
