//! Case 40b of the attack list, OpenID Connect as broker: each message is a good one with one thing changed.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::testing::*;
use super::*;
use crate::base::secret::hmac_sha256;
use crate::base::time::Timestamp;
use crate::jose::Algorithm;
use crate::oidc::logout_token::EVENT;

fn later(seconds: i64) -> Value {
    (NOW.seconds() + seconds).into()
}

#[test]
fn case_40b_mix_up_the_answer_of_another_issuer() {
    let mut scene = Scene::new();
    let (code, right) = ("code=abc", "iss=https%3A%2F%2Fidp.example");
    assert_eq!(scene.callback(code).unwrap().expose(), "abc");
    assert!(scene.callback(&format!("{code}&{right}")).is_ok());
    // Wrong is wrong whether one is due or not, and in errors too.
    for wrong in [
        "https://idp.example/",
        "https://IDP.example",
        "https://evil.example",
    ] {
        for what in [code, "error=access_denied"] {
            let refused = scene.callback(&format!("{what}&iss={wrong}")).unwrap_err();
            assert_eq!(refused, Rejected::Issuer(Of::Callback), "{wrong}");
        }
    }
    // Missing is wrong where the declaration or the discovery document says that it comes.
    scene.provider.requires_iss = true;
    let missing = Rejected::IssuerMissing(Of::Callback);
    assert_eq!(scene.callback(code).unwrap_err(), missing);
    assert_eq!(scene.callback("code=abc&iss=").unwrap_err(), missing);
    scene.provider.requires_iss = false;
    scene.discovery["authorization_response_iss_parameter_supported"] = true.into();
    assert_eq!(scene.callback(code).unwrap_err(), missing);
    assert!(scene.callback(&format!("{code}&{right}")).is_ok());
}

#[test]
fn case_40b_a_parameter_that_comes_twice_and_answers_that_are_none() {
    let scene = Scene::new();
    for (query, name) in [
        ("code=a&code=b", "code"),
        ("code=a&state=s&state=s", "state"),
        (
            "code=a&iss=https%3A%2F%2Fidp.example&iss=https%3A%2F%2Fevil.example",
            "iss",
        ),
        ("error=a&error=b", "error"),
    ] {
        assert_eq!(
            scene.callback(query).unwrap_err(),
            Rejected::Repeated(name),
            "{query}"
        );
    }
    for neither in ["", "state=s", "code=a&error=b", "code="] {
        assert!(
            matches!(scene.callback(neither), Err(Rejected::Malformed { .. })),
            "{neither}"
        );
    }
    let long = format!("code={}", "x".repeat(3000));
    assert_eq!(
        scene.callback(&long).unwrap_err(),
        Rejected::TooLong(Of::Callback)
    );
    let said_no = scene
        .callback("error=access_denied&error_description=Lina+Le+Goff")
        .unwrap_err();
    assert!(said_no.is_of_person());
    assert_eq!(
        said_no.to_string(),
        "authorization response: the provider answered access_denied"
    );
    let broken = scene.callback("error=Lina%20Le%20Goff").unwrap_err();
    assert!(!broken.is_of_person() && !broken.to_string().contains("Lina"));
}

#[test]
fn case_40b_an_id_token_for_somebody_else() {
    let audience = Rejected::Audience(Of::IdToken);
    let party = Rejected::AuthorizedParty(Of::IdToken);
    assert_eq!(refused(|scene| scene.claims["aud"] = "other".into()), audience);
    assert_eq!(refused(|scene| scene.claims["aud"] = json!(["other"])), audience);
    assert_eq!(refused(|scene| scene.claims["aud"] = json!([])), audience);
    assert_eq!(refused(|scene| without(&mut scene.claims, "aud")), audience);
    assert_eq!(refused(|scene| scene.claims["azp"] = "other".into()), party);
    assert_eq!(refused(|scene| scene.claims["azp"] = json!([CLIENT])), party);
    assert_eq!(
        refused(|scene| scene.claims["aud"] = json!([CLIENT, "other"])),
        party
    );
    for wrong in [json!([CLIENT, 7]), json!({ CLIENT: 1 }), json!(7)] {
        let refused = refused(|scene| scene.claims["aud"] = wrong);
        assert!(matches!(refused, Rejected::Malformed { .. }), "{refused}");
    }
    let mut scene = Scene::new();
    scene.claims["aud"] = json!(["other", CLIENT]);
    scene.claims["azp"] = CLIENT.into();
    assert!(scene.login().is_ok());
    scene.claims["aud"] = json!([CLIENT]);
    without(&mut scene.claims, "azp");
    assert!(scene.login().is_ok());
}

#[test]
fn case_40b_an_id_token_of_another_issuer() {
    for wrong in ["https://idp.example/", "https://evil.example", ""] {
        let refused = refused(|scene| scene.claims["iss"] = wrong.into());
        assert_eq!(refused, Rejected::Issuer(Of::IdToken), "{wrong}");
    }
    assert_eq!(
        refused(|scene| without(&mut scene.claims, "iss")),
        Rejected::IssuerMissing(Of::IdToken)
    );
}

#[test]
fn case_40b_the_nonce_of_another_login() {
    for wrong in [
        json!("another"),
        json!(&NONCE[1..]),
        json!(""),
        json!(7),
        json!(null),
    ] {
        assert_eq!(refused(|scene| scene.claims["nonce"] = wrong), Rejected::Nonce);
    }
    assert_eq!(
        refused(|scene| without(&mut scene.claims, "nonce")),
        Rejected::Nonce
    );
}

#[test]
fn case_40b_an_id_token_that_is_over_or_of_the_future() {
    assert_eq!(
        refused(|scene| scene.claims["exp"] = later(-60)),
        Rejected::Expired(Of::IdToken)
    );
    for name in ["iat", "nbf"] {
        assert_eq!(
            refused(|scene| scene.claims[name] = later(61)),
            Rejected::NotYetValid(Of::IdToken)
        );
    }
    for (name, wrong) in [
        ("exp", json!("soon")),
        ("iat", json!(null)),
        ("auth_time", json!("x")),
    ] {
        let refused = refused(|scene| scene.claims[name] = wrong);
        assert!(matches!(refused, Rejected::Malformed { .. }), "{refused}");
    }
    for name in ["exp", "iat"] {
        let refused = refused(|scene| without(&mut scene.claims, name));
        assert!(matches!(refused, Rejected::Malformed { .. }), "{refused}");
    }
    // Clocks a little apart are no attack.
    let mut scene = Scene::new();
    scene.claims["exp"] = later(-59);
    scene.claims["iat"] = later(60);
    assert!(scene.login().is_ok());
}

#[test]
fn case_40b_a_kid_that_is_unknown_wants_keys_and_the_same_answer_is_read_again() {
    let mut scene = Scene::new();
    let keys = scene.jwks.clone();
    scene.jwks = json!({ "keys": [RSA.public().to_json()] });
    let unknown = scene.login().unwrap_err();
    assert_eq!(unknown, Rejected::UnknownKey(Of::IdToken));
    assert!(unknown.wants_keys());
    scene.jwks = keys;
    assert!(scene.login().is_ok());
    // Where the key that is named is there, fresh ones are not asked for: no storm by tokens that are merely wrong.
    for change in [
        (|scene: &mut Scene| scene.key = &STRANGER) as fn(&mut Scene),
        |scene| scene.header["alg"] = "RS256".into(),
        |scene| scene.claims["aud"] = "other".into(),
        |scene| scene.header["alg"] = "HS256".into(),
    ] {
        assert!(!refused(change).wants_keys());
    }
}

#[test]
fn case_40b_a_signature_of_somebody_else() {
    let wrong = Rejected::Signature(Of::IdToken);
    assert_eq!(refused(|scene| scene.key = &STRANGER), wrong);
    // Their key in the header is not read.
    let own = refused(|scene| {
        scene.key = &STRANGER;
        scene.header["jwk"] = STRANGER.public().to_json();
        scene.header["kid"] = STRANGER.public().kid().into();
        scene.header["jku"] = "https://evil.example/jwks".into();
    });
    assert_eq!(own, Rejected::UnknownKey(Of::IdToken));
    // Without a name: one key of the set, or none.
    let mut scene = Scene::new();
    without(&mut scene.header, "kid");
    assert!(scene.login().is_ok());
    scene.key = &STRANGER;
    assert_eq!(scene.login().unwrap_err(), Rejected::UnknownKey(Of::IdToken));
    // With no key at all nothing is verified, and nothing is taken.
    for none in [json!({ "keys": [] }), json!({}), json!(null)] {
        assert_eq!(refused(|scene| scene.jwks = none), Rejected::NoUsableKey);
    }
}

#[test]
fn case_40b_algorithm_confusion() {
    let wrong = Rejected::Algorithm(Of::IdToken);
    for alg in [
        "none", "None", "", "HS256", "HS512", "RS512", "ES384", "EdDSA", "RS256", "PS256",
    ] {
        assert_eq!(refused(|scene| scene.header["alg"] = alg.into()), wrong, "{alg}");
    }
    assert_eq!(refused(|scene| without(&mut scene.header, "alg")), wrong);
    let scene = Scene::new();
    // HS256 with what everybody knows as the secret, in each form in which a library might take it, and with our own secret.
    let public = EC.public().to_json().to_string();
    for secret in [public.as_str(), "sesame, ouvre-toi", ""] {
        for kid in [true, false] {
            let mut header = json!({ "alg": "HS256", "typ": "JWT" });
            if kid {
                header["kid"] = EC.public().kid().into();
            }
            let forged = jws(&header, &scene.claims, |message| {
                hmac_sha256(secret.as_bytes(), &[message]).unwrap().to_vec()
            });
            assert_eq!(refused(|scene| scene.tokens["id_token"] = forged.into()), wrong);
        }
    }
    // No signature at all.
    for alg in ["none", "ES256"] {
        let unsigned = jws(&json!({ "alg": alg }), &scene.claims, |_| Vec::new());
        let refused = refused(|scene| scene.tokens["id_token"] = unsigned.into());
        assert!(
            matches!(refused, Rejected::Algorithm(_) | Rejected::UnknownKey(_)),
            "{refused}"
        );
    }
    // Another algorithm of the same key: this one says that it is for RS256 alone.
    let other = refused(|scene| {
        scene.key = &RSA;
        scene.header = json!({ "alg": "PS256", "kid": RSA.public().kid() });
    });
    assert_eq!(other, wrong);
    let renamed = refused(|scene| {
        without(&mut scene.jwks["keys"][0], "alg");
        scene.key = &RSA;
        scene.header = json!({ "alg": "PS256", "kid": RSA.public().kid() });
    });
    assert_eq!(renamed, Rejected::Signature(Of::IdToken), "a signature by RS256");
    assert_eq!(EC.public().algorithm(), Algorithm::Es256);
}

#[test]
fn case_40b_another_kind_of_token_and_extensions() {
    for typ in ["at+jwt", "logout+jwt", "dpop+jwt", "x"] {
        let refused = refused(|scene| scene.header["typ"] = typ.into());
        assert!(matches!(refused, Rejected::Malformed { .. }), "{refused}");
    }
    let critical = refused(|scene| scene.header["crit"] = json!(["b64"]));
    assert!(matches!(critical, Rejected::Malformed { .. }), "{critical}");
    let encrypted = refused(|scene| scene.tokens["id_token"] = "e30.a.b.c.d".into());
    assert_eq!(encrypted, Rejected::Encrypted(Of::IdToken));
    // A claim that comes twice says two things; the first is of an attacker.
    let scene = Scene::new();
    let claims = scene.claims.to_string().replacen('{', r#"{"sub":"admin","#, 1);
    let part = |text: &str| data_encoding::BASE64URL_NOPAD.encode(text.as_bytes());
    let signed = format!("{}.{}", part(&scene.header.to_string()), part(&claims));
    let signature = data_encoding::BASE64URL_NOPAD.encode(&EC.sign(signed.as_bytes()).unwrap());
    let twice = refused(|scene| scene.tokens["id_token"] = format!("{signed}.{signature}").into());
    assert!(matches!(twice, Rejected::Malformed { .. }), "{twice}");
}

#[test]
fn case_40b_at_hash_of_another_access_token() {
    let wrong = Rejected::AccessTokenHash;
    assert_eq!(
        refused(|scene| scene.tokens["access_token"] = "injected".into()),
        wrong
    );
    for other in [json!(""), json!("AAAA"), json!(7)] {
        assert_eq!(refused(|scene| scene.claims["at_hash"] = other), wrong);
    }
    let mut scene = Scene::new();
    without(&mut scene.claims, "at_hash");
    assert!(scene.login().is_ok(), "optional in the code flow");
}

#[test]
fn case_40b_a_level_that_is_too_low_and_a_login_that_is_too_old() {
    let required = |scene: &mut Scene| scene.provider.required_acr = vec!["eidas2".into(), "eidas3".into()];
    assert_eq!(refused(required), Rejected::Acr);
    let missing = refused(|scene| {
        required(scene);
        without(&mut scene.claims, "acr");
    });
    assert_eq!(missing, Rejected::Acr);
    let mut scene = Scene::new();
    required(&mut scene);
    scene.claims["acr"] = "eidas3".into();
    assert!(scene.login().is_ok());
    let old = refused(|scene| {
        scene.login_since = Some(NOW);
        scene.claims["auth_time"] = later(-61);
    });
    assert_eq!(old, Rejected::OldLogin);
    scene.login_since = Some(NOW);
    without(&mut scene.claims, "auth_time");
    assert!(scene.login().is_ok(), "most do not tell");
}

#[test]
fn case_40b_a_subject_that_is_none() {
    for wrong in [
        json!(""),
        json!(7),
        json!(null),
        json!("x".repeat(256)),
        json!("a\nb"),
    ] {
        let refused = refused(|scene| scene.claims["sub"] = wrong);
        assert!(matches!(refused, Rejected::Malformed { .. }), "{refused}");
    }
}

#[test]
fn case_40b_the_token_endpoint_redirects_or_answers_something_else() {
    let scene = Scene::new();
    let expected = Expected {
        nonce: NONCE,
        login_since: None,
    };
    let read = |answer| read_tokens(&scene.client(), &answer, expected, NOW).unwrap_err();
    let body = String::from_utf8(scene.token_answer().into_body()).unwrap();
    for status in [301, 302, 303, 307, 308] {
        let mut moved = answer(status, "application/json", body.clone());
        moved
            .headers_mut()
            .insert("location", "https://evil.example/".parse().unwrap());
        assert_eq!(read(moved), Rejected::Redirected(Of::Tokens));
    }
    for wrong in ["text/html", "application/jwt", "application/jsonp", ""] {
        let refused = read(answer(200, wrong, body.clone()));
        assert!(matches!(refused, Rejected::ContentType { .. }), "{wrong}");
    }
    let said = read(answer(
        400,
        "application/json",
        r#"{"error":"invalid_grant","error_description":"Lina"}"#,
    ));
    assert_eq!(
        said.to_string(),
        "token response: the provider answered invalid_grant"
    );
    let status = read(answer(503, "text/html", "<p>Maintenance"));
    assert_eq!(
        status,
        Rejected::Status {
            of: Of::Tokens,
            status: 503
        }
    );
    let long = read(answer(200, "application/json", vec![b' '; 300 * 1024]));
    assert_eq!(long, Rejected::TooLong(Of::Tokens));
    for (name, wrong) in [
        ("token_type", json!("DPoP")),
        ("token_type", json!(null)),
        ("access_token", json!("")),
        ("access_token", json!(7)),
        ("id_token", json!(null)),
    ] {
        let refused = refused(|scene| scene.tokens[name] = wrong);
        assert!(matches!(refused, Rejected::Malformed { .. }), "{name}: {refused}");
    }
    for broken in ["", "[]", "{", r#"{"id_token":"a","id_token":"b"}"#] {
        let refused = read(answer(200, "application/json", broken));
        assert!(matches!(refused, Rejected::Malformed { .. }), "{broken}");
    }
}

#[test]
fn case_40b_userinfo_of_somebody_else() {
    for wrong in [json!("hugo"), json!("Lina"), json!(7), json!(null)] {
        assert_eq!(
            refused(|scene| scene.userinfo["sub"] = wrong),
            Rejected::OtherSubject
        );
    }
    assert_eq!(
        refused(|scene| without(&mut scene.userinfo, "sub")),
        Rejected::OtherSubject
    );
    assert_eq!(
        refused_signed(|scene| scene.userinfo["sub"] = "hugo".into()),
        Rejected::OtherSubject
    );
    assert_eq!(
        refused_signed(|scene| without(&mut scene.userinfo, "sub")),
        Rejected::OtherSubject
    );
}

#[test]
fn case_40b_unsigned_userinfo_where_signed_is_due_and_the_other_way_round() {
    let content_type = |refused| matches!(refused, Rejected::ContentType { of: Of::Userinfo, .. });
    assert!(content_type(refused_signed(
        |scene| scene.userinfo_type = "application/json"
    )));
    assert!(content_type(refused(
        |scene| scene.userinfo_type = "application/jwt"
    )));
    // JSON that says it is a JWT, and what was not asked for at all.
    let scene = Scene::signed();
    let tokens = scene.tokens().unwrap();
    let lie = answer(200, "application/jwt", scene.userinfo.to_string());
    assert!(finish(&scene.client(), &tokens, Some(&lie), NOW).is_err());
    assert!(finish(&scene.client(), &tokens, None, NOW).is_err());
    let moved = answer(302, "application/jwt", "");
    let moved = finish(&scene.client(), &tokens, Some(&moved), NOW).unwrap_err();
    assert_eq!(moved, Rejected::Redirected(Of::Userinfo));
}

#[test]
fn case_40b_signed_userinfo_is_verified_as_an_id_token_is() {
    const OF: Of = Of::Userinfo;
    let wrong = |name: &'static str, value: Value| refused_signed(move |scene| scene.userinfo[name] = value);
    assert_eq!(wrong("iss", "https://evil.example".into()), Rejected::Issuer(OF));
    assert_eq!(wrong("aud", "other".into()), Rejected::Audience(OF));
    assert_eq!(wrong("azp", "other".into()), Rejected::AuthorizedParty(OF));
    assert_eq!(wrong("exp", later(-60)), Rejected::Expired(OF));
    assert_eq!(wrong("iat", later(61)), Rejected::NotYetValid(OF));
    assert_eq!(
        refused_signed(|scene| without(&mut scene.userinfo, "iss")),
        Rejected::IssuerMissing(OF)
    );
    assert_eq!(
        refused_signed(|scene| without(&mut scene.userinfo, "aud")),
        Rejected::Audience(OF)
    );
    for alg in ["none", "HS256", "RS256"] {
        let refused = refused_signed(|scene| scene.userinfo_header["alg"] = alg.into());
        assert_eq!(refused, Rejected::Algorithm(OF), "{alg}");
    }
    let unknown = refused_signed(|scene| scene.userinfo_header["kid"] = "new".into());
    assert_eq!(unknown, Rejected::UnknownKey(OF));
    let scene = Scene::signed();
    let tokens = scene.tokens().unwrap();
    let forged = jws(&scene.userinfo_header, &scene.userinfo, |message| {
        STRANGER.sign(message).unwrap()
    });
    let forged = finish(
        &scene.client(),
        &tokens,
        Some(&answer(200, "application/jwt", forged)),
        NOW,
    );
    assert_eq!(forged.unwrap_err(), Rejected::Signature(OF));
}

#[test]
fn case_40b_a_discovery_document_of_another_issuer_or_without_tls() {
    let document = Scene::new().discovery;
    let read = |document: &Value| read_discovery(ISSUER, &good(document));
    assert_eq!(read(&document).unwrap(), document);
    for wrong in [
        "https://idp.example/",
        "https://evil.example",
        "https://IDP.example",
    ] {
        let mut other = document.clone();
        other["issuer"] = wrong.into();
        assert_eq!(read(&other).unwrap_err(), Rejected::Issuer(Of::Discovery));
    }
    for name in ["authorization_endpoint", "token_endpoint", "jwks_uri"] {
        let mut less = document.clone();
        without(&mut less, name);
        assert_eq!(read(&less).unwrap_err(), Rejected::NoEndpoint(name));
    }
    for name in ["token_endpoint", "userinfo_endpoint", "end_session_endpoint"] {
        for wrong in [
            json!("http://idp.example/x"),
            json!("ftp://idp.example"),
            json!("javascript:alert(1)"),
            json!("/relative"),
            json!("https://a:b@idp.example/"),
            json!("https://idp.example/#x"),
            json!(format!("https://idp.example/{}", "x".repeat(2000))),
            json!(["https://idp.example/"]),
        ] {
            let mut other = document.clone();
            other[name] = wrong;
            assert_eq!(read(&other).unwrap_err(), Rejected::Address(name));
        }
    }
    let mut weak = document.clone();
    weak["id_token_signing_alg_values_supported"] = json!(["HS256", "none"]);
    assert_eq!(read(&weak).unwrap_err(), Rejected::NoUsableAlgorithm);
    let moved = answer(302, "application/json", document.to_string());
    assert_eq!(
        read_discovery(ISSUER, &moved).unwrap_err(),
        Rejected::Redirected(Of::Discovery)
    );
}

#[test]
fn a_key_set_with_a_secret_too_many_keys_or_none_is_refused() {
    let read = |keys: Value| read_jwks(&good(&json!({ "keys": keys })));
    let mut key = EC.public().to_json();
    key["x5c"] = json!(["MII"]);
    let encryption = json!({ "kty": "RSA", "use": "enc", "n": "AQAB", "e": "AQAB", "kid": "enc" });
    let kept = read(json!([encryption, key])).unwrap();
    assert_eq!(kept, json!({ "keys": [EC.public().to_json()] }));
    for (name, secret) in [("d", "AQAB"), ("k", "AQAB"), ("p", "AQAB")] {
        let mut private = EC.public().to_json();
        private[name] = secret.into();
        assert_eq!(read(json!([key, private])).unwrap_err(), Rejected::PrivateKey);
    }
    assert_eq!(read(json!([])).unwrap_err(), Rejected::NoUsableKey);
    let ed = json!({ "kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo" });
    assert_eq!(read(json!([encryption, ed])).unwrap_err(), Rejected::NoUsableKey);
    assert_eq!(
        read(json!(vec![key; 51])).unwrap_err(),
        Rejected::TooLong(Of::Keys)
    );
    assert!(read_jwks(&good(&json!({ "keys": {} }))).is_err());
}

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

proptest! {
    #[test]
    fn no_text_of_a_stranger_is_accepted(
        text in ".{0,200}",
        parts in "[A-Za-z0-9_-]{0,80}\\.[A-Za-z0-9_-]{0,120}\\.[A-Za-z0-9_-]{0,90}",
    ) {
        let mut scene = Scene::new();
        for token in [text, parts] {
            prop_assert!(read_logout_token(&scene.client(), &token, NOW).is_err());
            scene.tokens["id_token"] = token.into();
            prop_assert!(scene.login().is_err());
        }
    }

    #[test]
    fn no_symbol_of_a_good_token_may_be_another(at in 0usize..2000, symbol in "[A-Za-z0-9_.-]") {
        let mut scene = Scene::new();
        let mut token = scene.id_token();
        let at = at % token.len();
        prop_assume!(token[at..=at] != symbol);
        token.replace_range(at..=at, &symbol);
        scene.tokens["id_token"] = token.into();
        prop_assert!(scene.login().is_err());
    }

    #[test]
    fn whatever_a_provider_answers_nothing_breaks(body in ".{0,200}") {
        let scene = Scene::new();
        let json = answer(200, "application/json", body.clone());
        let expected = Expected { nonce: NONCE, login_since: None };
        prop_assert!(read_tokens(&scene.client(), &json, expected, NOW).is_err());
        prop_assert!(read_discovery(ISSUER, &json).is_err());
        prop_assert!(read_jwks(&json).is_err());
        let parameters = crate::base::parameters::Parameters::read(&body);
        if let Ok(parameters) = parameters {
            drop(read_callback(&scene.client(), &parameters));
        }
    }
}
