//! Proofs of possession (RFC 9449): what the FAPI 2.0 modules about them send and require, and attack case 40, a stolen
//! token or proof.

mod nonce;
mod proof;
mod refresh;

use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use serde_json::{Value, json};

use super::site::*;
use crate::base::random;
use crate::base::url;
use crate::domain::relying_party::{GrantType, RelyingParty, SecurityProfile};
use crate::domain::testing::party;
use crate::flows::testing::scene::on_each_engine;
use crate::jose::Algorithm;
use crate::oauth::dpop::testing::{Draft, Holder};

/// Every algorithm that the world is told of.
const ALGS: &str = "algs=\"ES256 PS256 EdDSA RS256\"";

/// A site where `ent` must bind its tokens and may refresh them, and Lina is signed in.
async fn with_bound(scene: Scene) -> (Site, Browser) {
    let (site, browser, _) = with_lina(scene).await;
    site.declare(&bound("ent")).await;
    (site, browser)
}

fn bound(id: &str) -> RelyingParty {
    let mut party = party(id);
    party.metadata.dpop_required = true;
    party.metadata.grant_types.push(GrantType::RefreshToken);
    party
}

/// A right proof that nobody has seen yet.
fn proof<'a>(site: &Site, holder: &'a Holder, method: &str, path: &str) -> Draft<'a> {
    let jti = random::symbols(&*site.context.random, b"abcdefghijklmnopqrstuvwxyz", 20);
    holder.proof(method, &format!("{ISSUER}{path}"), &jti, site.context.now())
}

async fn send(site: &Site, mut request: Request<Body>, proofs: &[&str]) -> Reply {
    for proof in proofs {
        request.headers_mut().append("DPoP", proof.parse().unwrap());
    }
    site.send(request).await
}

fn redemption<'a>(code: &'a str, redirect_uri: &'a str) -> [(&'a str, &'a str); 4] {
    [
        ("grant_type", "authorization_code"),
        ("code", code),
        ("redirect_uri", redirect_uri),
        ("code_verifier", VERIFIER),
    ]
}

async fn redeem(site: &Site, code: &str, proofs: &[&str]) -> Reply {
    let form = redemption(code, "https://ent.example/cb");
    send(site, asking("ent", "/oauth/token", &form), proofs).await
}

async fn refresh(site: &Site, client: &str, token: &str, proofs: &[&str]) -> Reply {
    let form = [("grant_type", "refresh_token"), ("refresh_token", token)];
    send(site, asking(client, "/oauth/token", &form), proofs).await
}

/// Tokens that are bound to a key.
async fn tokens(site: &Site, browser: &Browser, holder: &Holder) -> Value {
    let code = browser.code(site, "ent", &[]).await;
    let proof = proof(site, holder, "POST", "/oauth/token").sign();
    let reply = redeem(site, &code, &[&proof]).await;
    assert_eq!(reply.status, StatusCode::OK, "{reply:?}");
    assert_eq!(reply.json()["token_type"], "DPoP");
    reply.json()
}

fn text<'a>(tokens: &'a Value, name: &str) -> &'a str {
    tokens[name].as_str().unwrap()
}

async fn userinfo(site: &Site, scheme: &str, token: &str, proofs: &[&str]) -> Reply {
    let request = Request::get("/oauth/userinfo").header(header::AUTHORIZATION, format!("{scheme} {token}"));
    send(site, request.body(Body::empty()).unwrap(), proofs).await
}

/// A right proof for userinfo.
fn of_userinfo<'a>(site: &Site, holder: &'a Holder, token: &str) -> Draft<'a> {
    proof(site, holder, "GET", "/oauth/userinfo").of_token(token)
}

async fn is_served(site: &Site, holder: &Holder, token: &str) -> bool {
    let proof = of_userinfo(site, holder, token).sign();
    userinfo(site, "DPoP", token, &[&proof]).await.status == StatusCode::OK
}

/// The answer of a resource to a wrong proof: 401, by the scheme that was used, and nothing else.
fn assert_challenged(reply: &Reply, code: &str, why: &str) {
    assert_eq!(reply.status, StatusCode::UNAUTHORIZED, "{why}: {reply:?}");
    let challenges: Vec<_> = reply.headers.get_all(header::WWW_AUTHENTICATE).iter().collect();
    assert_eq!(challenges.len(), 1, "{why}");
    let challenge = challenges[0].to_str().unwrap();
    assert!(
        challenge.starts_with(&format!("DPoP error=\"{code}\"")),
        "{why}: {challenge}"
    );
    assert!(challenge.ends_with(ALGS), "{why}: {challenge}");
    assert_eq!(reply.json()["error"], code, "{why}");
}

#[tokio::test]
async fn holder_of_key_required_at_the_token_endpoint_and_never_401() {
    on_each_engine(async |context, clock| {
        let (site, browser) = with_bound((context, clock)).await;
        let holder = Holder::new();
        let code = browser.code(&site, "ent", &[]).await;
        let missing = redeem(&site, &code, &[]).await;
        assert_eq!(
            (missing.status, missing.error()),
            (StatusCode::BAD_REQUEST, "invalid_dpop_proof".into())
        );
        // The code is not spent by that.
        let right = proof(&site, &holder, "POST", "/oauth/token").sign();
        let tokens = redeem(&site, &code, &[&right]).await.json();
        assert_eq!(tokens["token_type"], "DPoP");
        let token = text(&tokens, "refresh_token");
        let missing = refresh(&site, "ent", token, &[]).await;
        assert_eq!(
            (missing.status, missing.error()),
            (StatusCode::BAD_REQUEST, "invalid_dpop_proof".into())
        );
        let right = proof(&site, &holder, "POST", "/oauth/token").sign();
        assert_eq!(
            refresh(&site, "ent", token, &[&right]).await.json()["token_type"],
            "DPoP"
        );
    })
    .await;
}

#[tokio::test]
async fn a_service_in_its_own_name_binds_its_token_too() {
    on_each_engine(async |context, clock| {
        let (site, _) = with_bound((context, clock)).await;
        let mut ent = bound("ent");
        ent.metadata.grant_types.push(GrantType::ClientCredentials);
        ent.metadata.service_scopes.push("menus:read".into());
        site.declare(&ent).await;
        let holder = Holder::new();
        let form = [("grant_type", "client_credentials")];
        let asked = || asking("ent", "/oauth/token", &form);
        assert_eq!(send(&site, asked(), &[]).await.error(), "invalid_dpop_proof");
        let right = proof(&site, &holder, "POST", "/oauth/token").sign();
        let tokens = send(&site, asked(), &[&right]).await.json();
        assert_eq!(tokens["token_type"], "DPoP");
        let form = [("token", text(&tokens, "access_token"))];
        let seen = site.post("ent", "/oauth/introspect", &form).await.json();
        assert_eq!(seen["cnf"], json!({ "jkt": holder.jkt() }));
        assert_eq!(
            send(&site, asked(), &[&right]).await.error(),
            "invalid_dpop_proof"
        );
    })
    .await;
}

#[tokio::test]
async fn a_code_that_is_bound_to_a_key_needs_that_key() {
    on_each_engine(async |context, clock| {
        let (site, browser) = with_bound((context, clock)).await;
        let (holder, thief) = (Holder::new(), Holder::new());
        let jkt = holder.jkt();
        let named = [("dpop_jkt", &*jkt)];
        let code = browser.code(&site, "ent", &named).await;
        let stolen = proof(&site, &thief, "POST", "/oauth/token").sign();
        let reply = redeem(&site, &code, &[&stolen]).await;
        assert_eq!(
            (reply.status, reply.error()),
            (StatusCode::BAD_REQUEST, "invalid_grant".into())
        );
        let code = browser.code(&site, "ent", &named).await;
        let right = proof(&site, &holder, "POST", "/oauth/token").sign();
        let tokens = redeem(&site, &code, &[&right]).await.json();
        let token = text(&tokens, "access_token");
        // Whoever finds the used code, and even the client's secret, does not hold the key: nothing is revoked.
        let again = proof(&site, &thief, "POST", "/oauth/token").sign();
        assert_eq!(redeem(&site, &code, &[&again]).await.error(), "invalid_grant");
        assert!(is_served(&site, &holder, token).await);
        // The client itself is believed.
        let again = proof(&site, &holder, "POST", "/oauth/token").sign();
        assert_eq!(redeem(&site, &code, &[&again]).await.error(), "invalid_grant");
        assert!(!is_served(&site, &holder, token).await);
    })
    .await;
}

/// Pushes a request with a proof; the form is that of [`authorize_url`], changed.
async fn push(site: &Site, change: &[(&str, &str)], proofs: &[&str]) -> Reply {
    let address = authorize_url("ent", change);
    let (_, query) = address.split_once('?').unwrap();
    let form = url::parameters(query);
    let form: Vec<_> = form.iter().map(|(name, value)| (&**name, &**value)).collect();
    send(site, asking("ent", "/oauth/par", &form), proofs).await
}

#[tokio::test]
async fn a_proof_with_a_pushed_request_binds_its_code_as_dpop_jkt_does() {
    on_each_engine(async |context, clock| {
        let (site, browser) = with_bound((context, clock)).await;
        let (holder, thief) = (Holder::new(), Holder::new());
        let right = || proof(&site, &holder, "POST", "/oauth/par").sign();
        let jkt = holder.jkt();
        for (change, keyed, outcome) in [
            (&[][..], &holder, StatusCode::OK),
            (&[("dpop_jkt", &*jkt)], &holder, StatusCode::OK),
            (&[], &thief, StatusCode::BAD_REQUEST),
        ] {
            let pushed = push(&site, change, &[&right()]).await;
            assert_eq!(pushed.status, StatusCode::CREATED, "{pushed:?}");
            let reference = pushed.json()["request_uri"].as_str().unwrap().to_owned();
            let query = url::query([("client_id", "ent"), ("request_uri", &*reference)]);
            let reply = browser.get(&site, &format!("/oauth/authorize?{query}")).await;
            let of_token = proof(&site, keyed, "POST", "/oauth/token").sign();
            let reply = redeem(&site, &reply.sent("code").unwrap(), &[&of_token]).await;
            assert_eq!(reply.status, outcome, "{reply:?}");
        }
        // A proof of another key than `dpop_jkt`, of another endpoint, two of them, one that was used.
        let foreign = proof(&site, &thief, "POST", "/oauth/par").sign();
        let elsewhere = proof(&site, &holder, "POST", "/oauth/token").sign();
        let used = right();
        assert_eq!(push(&site, &[], &[&used]).await.status, StatusCode::CREATED);
        for (change, proofs) in [
            (&[("dpop_jkt", &*jkt)][..], &[&*foreign][..]),
            (&[], &[&elsewhere]),
            (&[], &[&right(), &right()]),
            (&[], &[&used]),
        ] {
            let reply = push(&site, change, proofs).await;
            assert_eq!(
                (reply.status, reply.error()),
                (StatusCode::BAD_REQUEST, "invalid_dpop_proof".into())
            );
        }
        // Without a proof, and before anything is bound, a request is pushed as ever.
        assert_eq!(push(&site, &[], &[]).await.status, StatusCode::CREATED);
    })
    .await;
}

#[tokio::test]
async fn case_40_a_bound_token_is_no_bearer_token_and_a_bearer_token_needs_no_key() {
    on_each_engine(async |context, clock| {
        let (site, browser) = with_bound((context, clock)).await;
        let holder = Holder::new();
        let bound = tokens(&site, &browser, &holder).await;
        let bound = text(&bound, "access_token");
        let right = of_userinfo(&site, &holder, bound).sign();
        for proofs in [&[][..], &[&*right]] {
            let reply = userinfo(&site, "Bearer", bound, proofs).await;
            assert_eq!(reply.status, StatusCode::UNAUTHORIZED);
            let challenges: Vec<_> = reply.headers.get_all(header::WWW_AUTHENTICATE).iter().collect();
            assert!(
                challenges[0]
                    .to_str()
                    .unwrap()
                    .starts_with("Bearer error=\"invalid_token\"")
            );
            assert_eq!(challenges[1], &format!("DPoP {ALGS}"));
        }
        let in_form = Request::post("/oauth/userinfo")
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(Body::from(format!("access_token={bound}")));
        assert_eq!(
            send(&site, in_form.unwrap(), &[]).await.status,
            StatusCode::UNAUTHORIZED
        );
        let nothing = Request::get("/oauth/userinfo").body(Body::empty()).unwrap();
        let nothing = site.send(nothing).await;
        let challenges: Vec<_> = nothing.headers.get_all(header::WWW_AUTHENTICATE).iter().collect();
        assert_eq!(challenges, ["Bearer realm=\"marelle\"", &format!("DPoP {ALGS}")]);

        let free = browser.tokens(&site, "cantine").await;
        assert_eq!(free["token_type"], "Bearer");
        let free = text(&free, "access_token");
        let right = of_userinfo(&site, &holder, free).sign();
        let reply = userinfo(&site, "DPoP", free, &[&right]).await;
        assert_challenged(&reply, "invalid_token", "bound to nothing");
        assert_eq!(userinfo(&site, "Bearer", free, &[]).await.status, StatusCode::OK);
        assert!(is_served(&site, &holder, bound).await);
    })
    .await;
}

#[tokio::test]
async fn fapi_2_0_refuses_rs256_and_others_may() {
    on_each_engine(async |context, clock| {
        let (site, browser) = with_bound((context, clock)).await;
        let (rsa, ec) = (Holder::of(Algorithm::Rs256), Holder::new());
        let of_rsa = tokens(&site, &browser, &rsa).await;
        let of_ec = tokens(&site, &browser, &ec).await;
        assert!(is_served(&site, &rsa, text(&of_rsa, "access_token")).await);
        let mut ent = bound("ent");
        ent.metadata.profile = SecurityProfile::Fapi2;
        site.declare(&ent).await;
        assert!(is_served(&site, &ec, text(&of_ec, "access_token")).await);
        let token = text(&of_rsa, "access_token");
        let proof = of_userinfo(&site, &rsa, token).sign();
        let reply = userinfo(&site, "DPoP", token, &[&proof]).await;
        assert_challenged(&reply, "invalid_dpop_proof", "RS256");
    })
    .await;
}

#[tokio::test]
async fn introspection_and_discovery_tell_of_it() {
    on_each_engine(async |context, clock| {
        let (site, browser) = with_bound((context, clock)).await;
        let holder = Holder::new();
        let tokens = tokens(&site, &browser, &holder).await;
        let form = [("token", text(&tokens, "access_token"))];
        let seen = site.post("ent", "/oauth/introspect", &form).await.json();
        assert_eq!(seen["active"], true);
        assert_eq!(seen["token_type"], "DPoP");
        assert_eq!(seen["cnf"], json!({ "jkt": holder.jkt() }));
        let request = Request::get("/.well-known/openid-configuration").body(Body::empty());
        let document = site.send(request.unwrap()).await.json();
        let algorithms = &document["dpop_signing_alg_values_supported"];
        assert_eq!(algorithms, &json!(["ES256", "PS256", "EdDSA", "RS256"]));
    })
    .await;
}
