//! Forged logout tokens (Back-Channel Logout 1.0 §2.6).

use serde_json::json;

use super::*;
use crate::base::time::Timestamp;
use crate::oidc::logout_token::EVENT;

fn logout_claims() -> Value {
    json!({
        "iss": ISSUER, "aud": CLIENT, "sub": "lina", "sid": "session-1", "jti": "1", "iat": NOW.seconds(),
        "exp": NOW.seconds() + 120, "events": { EVENT: {} },
    })
}

fn told(typ: Option<&str>, claims: &Value) -> Result<LogoutToken, Rejected> {
    let scene = Scene::new();
    let mut header = scene.header.clone();
    match typ {
        Some(typ) => header["typ"] = typ.into(),
        None => without(&mut header, "typ"),
    }
    let token = jws(&header, claims, |message| EC.sign(message).unwrap());
    read_logout_token(&scene.client(), &token, NOW)
}

#[test]
fn case_40_a_logout_token_that_is_forged() {
    const OF: Of = Of::LogoutToken;
    let good = logout_claims();
    let read = told(Some("logout+jwt"), &good).unwrap();
    assert_eq!(
        (read.subject.as_deref(), read.sid.as_deref()),
        (Some("lina"), Some("session-1"))
    );
    assert_eq!(read.jti, "1");
    assert_eq!(read.expires_at, Timestamp::from_seconds(NOW.seconds() + 180));
    assert_eq!(format!("{read:?}"), "[logout token]");
    for typ in [None, Some("JWT"), Some("application/logout+jwt")] {
        assert!(told(typ, &good).is_ok());
    }
    for typ in ["at+jwt", "x", "dpop+jwt"] {
        assert!(told(Some(typ), &good).is_err(), "{typ}");
    }
    let with = |name: &str, value: Value| {
        let mut claims = good.clone();
        claims[name] = value;
        told(Some("logout+jwt"), &claims)
    };
    assert_eq!(with("nonce", NONCE.into()).unwrap_err(), Rejected::HasNonce);
    assert_eq!(with("nonce", Value::Null).unwrap_err(), Rejected::HasNonce);
    for events in [
        json!({}),
        json!([EVENT]),
        json!({ EVENT: true }),
        json!({ "x": {} }),
        json!(null),
    ] {
        assert_eq!(with("events", events).unwrap_err(), Rejected::NoEvent);
    }
    assert_eq!(
        with("iss", "https://evil.example".into()).unwrap_err(),
        Rejected::Issuer(OF)
    );
    assert_eq!(with("aud", "other".into()).unwrap_err(), Rejected::Audience(OF));
    assert_eq!(with("exp", later(-60)).unwrap_err(), Rejected::Expired(OF));
    assert_eq!(with("iat", later(61)).unwrap_err(), Rejected::NotYetValid(OF));
    assert_eq!(with("iat", later(-3660)).unwrap_err(), Rejected::Expired(OF));
    assert!(with("jti", json!("")).is_err() && with("sid", json!(7)).is_err());
    for name in ["jti", "iat"] {
        let mut less = good.clone();
        without(&mut less, name);
        assert!(told(Some("logout+jwt"), &less).is_err(), "{name}");
    }
    let mut nobody = good.clone();
    without(&mut nobody, "sub");
    assert!(told(Some("logout+jwt"), &nobody).unwrap().subject.is_none());
    without(&mut nobody, "sid");
    assert_eq!(told(Some("logout+jwt"), &nobody).unwrap_err(), Rejected::Nobody);
    let mut draft = good.clone();
    without(&mut draft, "exp");
    assert_eq!(
        told(None, &draft).unwrap(),
        told(None, &good).unwrap(),
        "two minutes"
    );
    draft["iat"] = later(-180);
    assert_eq!(told(None, &draft).unwrap_err(), Rejected::Expired(OF));
}

#[test]
fn case_40_an_id_token_is_no_logout_token_and_nobody_else_signs_one() {
    let scene = Scene::new();
    assert!(read_logout_token(&scene.client(), &scene.id_token(), NOW).is_err());
    let header = json!({ "alg": "ES256", "typ": "logout+jwt", "kid": EC.public().kid() });
    let forged = jws(&header, &logout_claims(), |message| {
        STRANGER.sign(message).unwrap()
    });
    assert!(read_logout_token(&scene.client(), &forged, NOW).is_err());
    let none = jws(&json!({ "alg": "none" }), &logout_claims(), |_| Vec::new());
    assert!(read_logout_token(&scene.client(), &none, NOW).is_err());
    // And a logout token is no ID Token.
    let token = jws(&header, &logout_claims(), |message| EC.sign(message).unwrap());
    assert!(matches!(
        refused(|scene| scene.tokens["id_token"] = token.into()),
        Rejected::Malformed { .. }
    ));
}
