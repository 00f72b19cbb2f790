//! Good logins, as the providers of the field have them: what is sent, exactly, and what is read.

use data_encoding::BASE64;
use serde_json::{Value, json};

use super::testing::*;
use super::*;
use crate::base::time::Timestamp;
use crate::base::url::{Url, parameters};
use crate::domain::upstream::FixedEndpoints;

/// The parameters of the address people are sent to, in the order of their names.
fn sent(scene: &Scene, change: impl FnOnce(&mut Asked<'_>)) -> Vec<(String, String)> {
    let verifier = Secret::new(VERIFIER);
    let mut asked = Asked {
        state: STATE,
        nonce: NONCE,
        verifier: Some(&verifier),
        login: false,
        login_hint: None,
    };
    change(&mut asked);
    let address = authorization_url(&scene.client(), asked).unwrap();
    let url = Url::parse(&address).unwrap();
    assert!(address.starts_with(scene.discovery["authorization_endpoint"].as_str().unwrap()));
    let mut sent = parameters(url.query().unwrap());
    sent.sort();
    sent
}

/// What every request has, and this.
fn exactly(more: &[(&str, &str)]) -> Vec<(String, String)> {
    let always = [
        ("client_id", CLIENT),
        ("nonce", NONCE),
        ("redirect_uri", BACK),
        ("response_type", "code"),
        ("state", STATE),
    ];
    let mut all: Vec<(String, String)> = always
        .iter()
        .chain(more)
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    all.sort();
    all
}

fn with_scopes(scopes: &[&str]) -> Scene {
    let mut scene = Scene::new();
    scene.provider.scopes = scopes.iter().map(|scope| (*scope).to_owned()).collect();
    scene.provider.pkce = false;
    scene
}

fn code(scene: &Scene) -> Code {
    scene.callback("code=SplxlOBeZQQYbYS6WxSbIA&state=x").unwrap()
}

fn form(request: &http::Request<Vec<u8>>) -> Vec<(String, String)> {
    parameters(std::str::from_utf8(request.body()).unwrap())
}

#[test]
fn educonnect_selects_pupils_by_acr_values_and_takes_the_secret_in_the_form() {
    let mut scene = with_scopes(&["profile", "ect.scope.cnx", "ect.scope.stage"]);
    scene.provider.acr_values = Some("eleve".into());
    scene.provider.endpoints = Some(FixedEndpoints {
        authorization: "https://educonnect.example/idp/profile/oidc/authorize".into(),
        token: "https://educonnect.example/idp/profile/oidc/token".into(),
        userinfo: Some("https://educonnect.example/idp/profile/oidc/userinfo".into()),
        jwks: "https://educonnect.example/idp/profile/oidc/keyset".into(),
        end_session: Some("https://educonnect.example/idp/profile/oidc/logout".into()),
    });
    scene.discovery = fixed(scene.provider.endpoints.as_ref().unwrap(), ISSUER).unwrap();
    let scope = "openid profile ect.scope.cnx ect.scope.stage";
    assert_eq!(
        sent(&scene, |_| ()),
        exactly(&[("scope", scope), ("acr_values", "eleve")])
    );
    let request = token_request(&scene.client(), &code(&scene), None).unwrap();
    assert_eq!(request.method(), http::Method::POST);
    assert_eq!(request.uri(), "https://educonnect.example/idp/profile/oidc/token");
    assert!(!request.headers().contains_key("authorization"));
    let due = [
        ("grant_type", "authorization_code"),
        ("code", "SplxlOBeZQQYbYS6WxSbIA"),
        ("redirect_uri", BACK),
        ("client_id", CLIENT),
        ("client_secret", "sesame, ouvre-toi"),
    ];
    assert_eq!(
        form(&request),
        due.map(|(name, value)| (name.to_owned(), value.to_owned()))
    );
    scene.userinfo = json!({
        "sub": "lina", "given_name": "Lina", "family_name": "Le Goff",
        "FrEduCtDateConnexion": "2026-10-01 10:00:00.437", "FrEduCtPersonAffiliation": ["eleve2d"],
        "FrEduOrigAuth": "ECT", "FrEduCtEleveUAI": "", "FrEduCtEleveINE": "120000001HA", "FrEduCtEleveNiveau": "2211",
    });
    let accepted = scene.login().unwrap();
    assert_eq!(accepted.subject, "lina");
    assert_eq!(accepted.claims["FrEduCtPersonAffiliation"], json!(["eleve2d"]));
    assert_eq!(accepted.claims["FrEduCtEleveUAI"], json!(""));
}

#[test]
fn fim_says_schools_and_functions_in_shapes_of_its_own() {
    let mut scene = with_scopes(&["profile", "email", "stage"]);
    assert_eq!(
        sent(&scene, |_| ()),
        exactly(&[("scope", "openid profile email stage")])
    );
    scene.userinfo = json!({
        "sub": "lina", "given_name": "Jeanne", "family_name": "Martin", "email": "x@ac-lille.example", "title": "DIR",
        "codaca": "009", "FrEduFonctAdm": "DIR", "rne": "0590121l", "FrEduRneResp": "X",
        "FrEduRne": ["0590121L$UAJ$PU$DIR$0590121L$T3$LYC$340"],
        "FrEduResDel": ["a|/x?applicationname=a|01/09/2026|31/08/2027|u|FrEduRneResp=0590121L;0590122M|s|m"],
    });
    let accepted = scene.login().unwrap();
    assert_eq!(accepted.claims["rne"], "0590121l");
    assert_eq!(
        accepted.claims["given_name"], "Jeanne",
        "userinfo over the ID Token"
    );
}

fn proconnect() -> Scene {
    let mut scene = Scene::signed();
    scene.provider.pkce = false;
    scene.provider.scopes = ["given_name", "usual_name", "email", "uid", "siret", "idp_id"]
        .map(str::to_owned)
        .to_vec();
    scene.provider.acr_values = Some("eidas1".into());
    scene.provider.claims = Some(r#"{"id_token":{"amr":{"essential":true}}}"#.into());
    scene
}

#[test]
fn proconnect_is_sent_what_it_knows_and_nothing_else() {
    let mut scene = proconnect();
    let always = [
        ("scope", "openid given_name usual_name email uid siret idp_id"),
        ("acr_values", "eidas1"),
        ("claims", r#"{"id_token":{"amr":{"essential":true}}}"#),
    ];
    assert_eq!(sent(&scene, |_| ()), exactly(&always));
    let anew = [&always[..], &[("prompt", "login"), ("login_hint", "a@b.example")]].concat();
    let sent = sent(&scene, |asked| {
        asked.login = true;
        asked.login_hint = Some("a@b.example");
    });
    assert_eq!(sent, exactly(&anew));
    scene.userinfo["usual_name"] = "Dubois".into();
    scene.claims["amr"] = json!(["pwd", "mfa"]);
    let accepted = scene.login().unwrap();
    assert_eq!(accepted.amr, ["pwd", "mfa"]);
    assert_eq!(accepted.claims["usual_name"], "Dubois");
    let tokens = scene.tokens().unwrap();
    let request = userinfo_request(&scene.client(), &tokens).unwrap().unwrap();
    assert_eq!(request.headers()["accept"], "application/jwt");
    assert_eq!(request.headers()["authorization"], format!("Bearer {ACCESS}"));
    assert!(request.headers()["authorization"].is_sensitive());
}

#[test]
fn proconnect_ends_a_login_by_three_parameters_and_an_exact_address() {
    let mut scene = proconnect();
    let accepted = scene.login().unwrap();
    let home = "https://id.example/goodbye/";
    let address = end_session_url(&scene.client(), &accepted.id_token, STATE, home).unwrap();
    let url = Url::parse(&address).unwrap();
    assert!(address.starts_with("https://idp.example/session/end?"));
    let due = [
        ("id_token_hint", accepted.id_token.expose()),
        ("state", STATE),
        ("post_logout_redirect_uri", home),
    ];
    let due = due.map(|(name, value)| (name.to_owned(), value.to_owned()));
    assert_eq!(parameters(url.query().unwrap()), due);
    scene.provider.logout = false;
    assert_eq!(
        end_session_url(&scene.client(), &accepted.id_token, STATE, home),
        None
    );
    scene.provider.logout = true;
    without(&mut scene.discovery, "end_session_endpoint");
    assert_eq!(
        end_session_url(&scene.client(), &accepted.id_token, STATE, home),
        None
    );
}

#[test]
fn franceconnect_signs_userinfo_and_must_reach_a_level() {
    let mut scene = Scene::signed();
    scene.provider.pkce = false;
    scene.provider.scopes = ["given_name", "family_name", "birthdate"]
        .map(str::to_owned)
        .to_vec();
    scene.provider.acr_values = Some("eidas1".into());
    scene.provider.required_acr = ["eidas1", "eidas2", "eidas3"].map(str::to_owned).to_vec();
    let scope = "openid given_name family_name birthdate";
    assert_eq!(
        sent(&scene, |_| ()),
        exactly(&[("scope", scope), ("acr_values", "eidas1")])
    );
    let subject = format!("{}v", "b".repeat(66));
    scene.claims["sub"] = subject.clone().into();
    scene.userinfo["sub"] = subject.clone().into();
    scene.userinfo["birthdate"] = "1962-08-24".into();
    scene.key = &RSA;
    scene.header = json!({ "alg": "RS256", "kid": RSA.public().kid() });
    scene.userinfo_header = scene.header.clone();
    let accepted = scene.login().unwrap();
    assert_eq!(
        (accepted.subject, accepted.acr.as_deref()),
        (subject, Some("eidas1"))
    );
    assert_eq!(accepted.claims["birthdate"], "1962-08-24");
}

#[test]
fn any_other_provider_is_asked_with_pkce_and_basic() {
    let mut scene = Scene::new();
    scene.provider.auth_method = ClientAuthMethod::SecretBasic;
    let due = [
        ("scope", "openid profile"),
        // RFC 7636 Appendix B.
        ("code_challenge", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"),
        ("code_challenge_method", "S256"),
    ];
    assert_eq!(sent(&scene, |_| ()), exactly(&due));
    scene.provider.scopes = vec!["openid".into(), "profile".into()];
    assert_eq!(sent(&scene, |_| ()), exactly(&due), "openid is said once");
    let verifier = Secret::new(VERIFIER);
    let request = token_request(&scene.client(), &code(&scene), Some(&verifier)).unwrap();
    assert!(form(&request).contains(&("code_verifier".into(), VERIFIER.into())));
    assert!(
        form(&request)
            .iter()
            .all(|(name, _)| !name.starts_with("client_"))
    );
    let header = request.headers()["authorization"].to_str().unwrap();
    let pair = BASE64
        .decode(header.strip_prefix("Basic ").unwrap().as_bytes())
        .unwrap();
    assert_eq!(pair, b"marelle:sesame%2C+ouvre-toi");
    assert!(request.headers()["authorization"].is_sensitive());

    let accepted = scene.login().unwrap();
    assert_eq!(
        format!("{accepted:?}{:?}{:?}", scene.tokens(), code(&scene)),
        "[somebody]Ok([tokens])Code([secret])"
    );
    let claims: Value = accepted.claims.clone().into();
    let due = json!({ "given_name": "Lina", "family_name": "Le Goff", "email": "of@userinfo.example" });
    assert_eq!(claims, due, "no claim of the protocol");
    // ECDSA signs otherwise each time.
    let signed = scene.id_token();
    let (signed, _) = signed.rsplit_once('.').unwrap();
    assert!(accepted.id_token.expose().starts_with(signed));
    assert_eq!(
        (accepted.sid.as_deref(), &accepted.amr[..]),
        (Some("session-1"), &["pwd".to_owned()][..])
    );
    assert_eq!(
        accepted.authenticated_at,
        Some(Timestamp::from_seconds(NOW.seconds() - 5))
    );
    scene.provider.userinfo = Userinfo::None;
    let accepted = scene.login().unwrap();
    assert_eq!(accepted.claims["email"], "of@idtoken.example");
}

#[test]
fn what_would_bring_nobody_back_is_not_sent() {
    let verifier = Secret::new(VERIFIER);
    let asked = Asked {
        state: STATE,
        nonce: NONCE,
        verifier: Some(&verifier),
        login: false,
        login_hint: None,
    };
    let refused = |change: &dyn Fn(&mut Scene), asked| {
        let mut scene = Scene::new();
        change(&mut scene);
        authorization_url(&scene.client(), asked).unwrap_err()
    };
    let (short, none) = (Secret::new("short"), &|_: &mut Scene| ());
    for verifier in [None, Some(&short)] {
        assert!(matches!(
            refused(none, Asked { verifier, ..asked }),
            Rejected::Request(_)
        ));
    }
    for asked in [Asked { state: "s", ..asked }, Asked { nonce: "n", ..asked }] {
        assert!(matches!(refused(none, asked), Rejected::Request(_)));
    }
    assert!(matches!(
        refused(&|scene| scene.secret = None, asked),
        Rejected::Declaration(_)
    ));
    assert!(matches!(
        refused(
            &|scene| scene.provider.auth_method = ClientAuthMethod::PrivateKeyJwt,
            asked
        ),
        Rejected::Declaration(_)
    ));
    assert_eq!(
        refused(&|scene| without(&mut scene.discovery, "userinfo_endpoint"), asked),
        Rejected::NoEndpoint("userinfo_endpoint")
    );
    let twice = |scene: &mut Scene| {
        scene.discovery["authorization_endpoint"] = "https://idp.example/authorize?client_id=evil".into();
    };
    assert!(matches!(refused(&twice, asked), Rejected::Declaration(_)));
}

#[test]
fn discovery_is_asked_below_the_issuer_and_what_is_used_of_it_is_kept() {
    for (issuer, due) in [
        (
            "https://idp.example",
            "https://idp.example/.well-known/openid-configuration",
        ),
        (
            "https://idp.example/",
            "https://idp.example/.well-known/openid-configuration",
        ),
        (
            "https://idp.example/api/v2",
            "https://idp.example/api/v2/.well-known/openid-configuration",
        ),
        (
            "http://127.0.0.1:8090",
            "http://127.0.0.1:8090/.well-known/openid-configuration",
        ),
    ] {
        assert_eq!(discovery_request(issuer).unwrap().uri(), due);
    }
    for wrong in [
        "",
        "idp",
        "http://idp.example",
        "https://idp.example?x",
        "https://idp.example/#x",
    ] {
        assert_eq!(
            discovery_request(wrong).unwrap_err(),
            Rejected::Address("issuer"),
            "{wrong}"
        );
    }
    // entcore's document and ProConnect's have much that is not used, or is strange.
    let mut said = Scene::new().discovery;
    without(&mut said, "end_session_endpoint");
    let due = said.clone();
    said["end_session_endpoint"] = Value::Null;
    said["code_challenge_methods_supported"] = json!(["plain"]);
    said["id_token_signing_alg_values_supported"] = json!(["ES256", "RS256", "HS256"]);
    said["authorization_response_iss_parameter_supported"] = "true".into();
    assert_eq!(read_discovery(ISSUER, &good(&said)).unwrap(), due);
    assert_eq!(jwks_request(&due).unwrap().uri(), "https://idp.example/jwks");
    said["authorization_response_iss_parameter_supported"] = true.into();
    let kept = read_discovery(ISSUER, &good(&said)).unwrap();
    assert_eq!(kept["authorization_response_iss_parameter_supported"], true);
}

#[test]
fn a_refresh_says_what_changed_by_name() {
    let before = Scene::new();
    let mut after = Scene::new();
    let difference =
        |after: &Scene| change((&before.discovery, &before.jwks), (&after.discovery, &after.jwks));
    assert!(difference(&after).is_empty());
    // The same keys in another order and under other names are the same keys.
    after.jwks["keys"].as_array_mut().unwrap().reverse();
    after.jwks["keys"][0]["kid"] = "renamed".into();
    assert!(difference(&after).is_empty());
    let mut unnamed = STRANGER.public().to_json();
    without(&mut unnamed, "kid");
    after.jwks["keys"][0] = unnamed;
    after.discovery["token_endpoint"] = "https://idp.example/token2".into();
    without(&mut after.discovery, "end_session_endpoint");
    let told = difference(&after);
    assert_eq!(told.new_keys, [&STRANGER.public().thumbprint()[..12]]);
    assert_eq!(told.gone_keys, [EC.public().kid()]);
    assert_eq!(told.changed, ["token_endpoint", "end_session_endpoint"]);
}
