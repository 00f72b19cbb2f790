//! The module `oidcc-userinfo-rs256` of the Dynamic plan (OpenID Connect Core §5.3.2).

use std::convert::Infallible;

use axum::http::{Request, StatusCode, header};
use openidconnect::core::{CoreClient, CoreJsonWebKeySet, CoreUserInfoClaims};
use openidconnect::{
    AccessToken, ClientId, HttpRequest, HttpResponse, IssuerUrl, SubjectIdentifier, UserInfoResponseType,
    UserInfoUrl,
};
use serde_json::{Value, json};

use super::relying_party::{Client, Suite, Tokens};
use crate::web::oauth::tests::site::{Reply, claims};

/// A client that registered `userinfo_signed_response_alg` gets what it believes.
pub(super) async fn signed_by_rs256(suite: &mut Suite, client: &Client) {
    let announced = suite.provider["userinfo_signing_alg_values_supported"].as_array();
    assert!(announced.unwrap().contains(&json!("RS256")));
    let asked = suite.request(client).with("scope", "openid email");
    let code = suite.code(client, &asked).await;
    let tokens = suite.redeem(client, &asked, &code).await;
    let request = suite.bearer(Request::get(suite.userinfo_endpoint()), &tokens);
    let reply = suite.site.send(request).await;
    assert_eq!(reply.status, StatusCode::OK);
    let keys = suite.keys().await;
    let believed = believed(&suite.provider, &client.id, keys, &tokens, &reply);
    assert_eq!(
        believed.email().unwrap().as_str(),
        "maddi@ecole.example",
        "the client believes it"
    );
    let said = claims(&reply.body.as_str().into());
    assert_eq!(said["iss"], suite.provider["issuer"]);
    assert_eq!(said["aud"], client.id.as_str());
    assert_eq!(said["sub"], tokens.claims["sub"]);
    assert_eq!(said.get("nonce"), None);
}

/// The claims of an answer as a library takes them that insists on a signature, the issuer, the audience and the subject.
fn believed(
    provider: &Value,
    client: &str,
    keys: Value,
    tokens: &Tokens,
    reply: &Reply,
) -> CoreUserInfoClaims {
    let keys: CoreJsonWebKeySet = serde_json::from_value(keys).unwrap();
    let text = |name: &str| provider[name].as_str().unwrap().to_owned();
    let issuer = IssuerUrl::new(text("issuer")).unwrap();
    let client = CoreClient::new(ClientId::new(client.to_owned()), issuer, keys)
        .set_user_info_url(UserInfoUrl::new(text("userinfo_endpoint")).unwrap());
    let subject = SubjectIdentifier::new(tokens.claims["sub"].as_str().unwrap().to_owned());
    let token = AccessToken::new(tokens.access_token.clone());
    let answer = |_: HttpRequest| -> Result<HttpResponse, Infallible> {
        let mut response = HttpResponse::new(reply.body.clone().into_bytes());
        let media_type = reply.headers[header::CONTENT_TYPE].clone();
        response.headers_mut().insert(header::CONTENT_TYPE, media_type);
        Ok(response)
    };
    client
        .user_info(token, Some(subject))
        .set_response_type(UserInfoResponseType::Jwt)
        .require_signed_response(true)
        .require_issuer_match(true)
        .require_audience_match(true)
        .request(&answer)
        .unwrap()
}
