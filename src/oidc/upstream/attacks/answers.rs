//! Forged answers: what a browser brings back, of the token endpoint, of userinfo, discovery documents and key sets.

use serde_json::json;

use super::*;

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
