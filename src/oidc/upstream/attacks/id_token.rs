//! Forged ID Tokens (Core §3.1.3.7).

use serde_json::json;

use super::*;
use crate::base::secret::hmac_sha256;
use crate::jose::Algorithm;

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
