//! What a client looks at in an answer before it believes it.

use axum::http::StatusCode;
use serde_json::Value;

use super::relying_party::Tokens;
use crate::web::oauth::tests::site::Reply;

/// How far the clock of a client may be off.
const SKEW: i64 = 300;

/// RFC 6749 §4.1.2.1, §5.2: the characters a description may have.
pub(super) fn check_description(description: &str) {
    let allowed = |symbol: char| matches!(symbol, ' ' | '!' | '#'..='[' | ']'..='~');
    assert!(description.chars().all(allowed), "{description}");
}

/// The error of a token answer: 400, JSON, nothing else than what RFC 6749 §5.2 has.
pub(super) fn token_error(reply: &Reply) -> String {
    assert_eq!(reply.status, StatusCode::BAD_REQUEST, "{reply:?}");
    let answer = reply.json();
    check_description(answer["error_description"].as_str().unwrap_or_default());
    assert_eq!(answer.get("access_token"), None);
    answer["error"].as_str().unwrap().to_owned()
}

pub(super) fn check_times(claims: &Value, now: i64) {
    let time = |name: &str| claims[name].as_i64();
    assert!(
        (now - SKEW..=now + SKEW).contains(&time("iat").unwrap()),
        "{claims}"
    );
    assert!(time("exp").unwrap() > now, "{claims}");
    if let Some(auth_time) = time("auth_time") {
        assert!((now - 365 * 86400..=now + SKEW).contains(&auth_time), "{claims}");
    }
}

/// The claims of a JSON userinfo answer that a client would believe.
pub(super) fn check_userinfo(reply: &Reply, tokens: &Tokens) -> Value {
    assert_eq!(reply.status, StatusCode::OK, "{reply:?}");
    let userinfo = reply.json();
    assert_eq!(userinfo["sub"], tokens.claims["sub"], "OpenID Connect Core 5.3.2");
    check_standard_claims(&userinfo);
    userinfo
}

/// OpenID Connect Core §5.1: the type of each standard claim; a claim without value is left out (§5.3.2).
pub(super) fn check_standard_claims(userinfo: &Value) {
    for (name, value) in userinfo.as_object().unwrap() {
        let right = match name.as_str() {
            "email_verified" | "phone_number_verified" => value.is_boolean(),
            "updated_at" => value.is_i64(),
            "address" => value.as_object().is_some_and(|address| !address.is_empty()),
            "birthdate" => value
                .as_str()
                .is_some_and(|day| crate::base::time::parse_date(day).is_some()),
            "sub" | "name" | "given_name" | "family_name" | "middle_name" | "nickname"
            | "preferred_username" | "profile" | "picture" | "website" | "email" | "gender" | "zoneinfo"
            | "locale" | "phone_number" => value.as_str().is_some_and(|text| !text.is_empty()),
            _ => !value.is_null(),
        };
        assert!(right, "{name}: {value}");
    }
}
