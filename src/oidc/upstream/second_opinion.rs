//! What the `openidconnect` crate, which we did not write, says of the same ID Tokens: it takes the good one, and none that
//! is refused here is good for it, but for what it does not look at.

use std::str::FromStr;

use openidconnect::core::{CoreIdToken, CoreIdTokenVerifier, CoreJsonWebKeySet, CoreJwsSigningAlgorithm};
use openidconnect::{ClientId, IssuerUrl, Nonce};
use serde_json::json;

use super::testing::*;
use super::*;

/// What is forged, and how.
type Forgery = (&'static str, fn(&mut Scene));

/// Whether it takes the ID Token of a login.
fn takes(scene: &Scene) -> bool {
    let keys: CoreJsonWebKeySet = serde_json::from_value(scene.jwks.clone()).unwrap();
    let issuer = IssuerUrl::new(scene.provider.issuer.clone()).unwrap();
    let verifier = CoreIdTokenVerifier::new_public_client(ClientId::new(CLIENT.into()), issuer, keys)
        .set_allowed_algs([
            CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha256,
            CoreJwsSigningAlgorithm::RsaSsaPssSha256,
            CoreJwsSigningAlgorithm::EcdsaP256Sha256,
        ])
        .set_time_fn(|| chrono::DateTime::from_timestamp(NOW.seconds(), 0).unwrap());
    // Its own list of types knows `JWT` under another name.
    let verifier = verifier.allow_all_jose_types();
    let Ok(token) = CoreIdToken::from_str(&scene.id_token()) else {
        return false;
    };
    token.claims(&verifier, &Nonce::new(NONCE.to_owned())).is_ok()
}

#[test]
fn both_take_the_good_one_by_either_key() {
    let mut scene = Scene::new();
    assert!(scene.tokens().is_ok() && takes(&scene));
    scene.key = &RSA;
    scene.header = json!({ "alg": "RS256", "kid": RSA.public().kid() });
    assert!(scene.tokens().is_ok() && takes(&scene));
}

#[test]
fn neither_takes_a_forged_one() {
    let forgeries: &[Forgery] = &[
        ("iss", |scene| scene.claims["iss"] = "https://evil.example".into()),
        ("aud", |scene| scene.claims["aud"] = "other".into()),
        ("two aud", |scene| scene.claims["aud"] = json!([CLIENT, "other"])),
        ("nonce", |scene| scene.claims["nonce"] = "another".into()),
        ("no nonce", |scene| without(&mut scene.claims, "nonce")),
        ("exp", |scene| scene.claims["exp"] = (NOW.seconds() - 100).into()),
        ("no exp", |scene| without(&mut scene.claims, "exp")),
        ("no iat", |scene| without(&mut scene.claims, "iat")),
        ("no sub", |scene| without(&mut scene.claims, "sub")),
        ("none", |scene| scene.header["alg"] = "none".into()),
        ("HS256", |scene| scene.header["alg"] = "HS256".into()),
        ("RS256", |scene| scene.header["alg"] = "RS256".into()),
        ("kid", |scene| scene.header["kid"] = "unknown".into()),
        ("crit", |scene| scene.header["crit"] = json!(["b64"])),
        ("key", |scene| scene.key = &STRANGER),
    ];
    for (what, forge) in forgeries {
        let mut scene = Scene::new();
        forge(&mut scene);
        assert!(scene.tokens().is_err(), "we: {what}");
        assert!(!takes(&scene), "the crate: {what}");
    }
}

#[test]
fn what_it_does_not_look_at_is_why_it_does_not_decide_here() {
    let mut scene = Scene::new();
    scene.claims["azp"] = "other".into();
    assert_eq!(
        scene.tokens().unwrap_err(),
        Rejected::AuthorizedParty(Of::IdToken)
    );
    assert!(takes(&scene), "azp");
    // An optional claim of another type than it expects costs it the whole token; such providers are real.
    let mut scene = Scene::new();
    scene.claims["email_verified"] = "true".into();
    assert!(scene.tokens().is_ok() && !takes(&scene));
}
