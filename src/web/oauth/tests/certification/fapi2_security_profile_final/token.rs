//! The code, and the proof of the client.

use axum::http::StatusCode;
use serde_json::{Value, json};

use super::client::is_refused;
use crate::domain::relying_party::ClientKeys;
use crate::jose::{Algorithm, PrivateKey};
use crate::web::oauth::tests::certification::registered::Signer;
use crate::web::oauth::tests::certification::relying_party::{Asked, Client, Suite};
use crate::web::oauth::tests::site::Reply;

const TOKEN: &str = "token_endpoint";

/// A client and a code of it, not used yet.
struct Ready {
    suite: Suite,
    client: Client,
    asked: Asked,
    code: String,
}

impl Ready {
    async fn new(suite: Suite) -> Self {
        let client = suite.strict("suite").await;
        Self::of(suite, client).await
    }

    async fn of(mut suite: Suite, client: Client) -> Self {
        let asked = suite.request(&client);
        let code = suite.strict_code(&client, &asked).await;
        Self {
            suite,
            client,
            asked,
            code,
        }
    }

    /// A token request whose form a module made; the proof of possession is right.
    async fn send(&self, form: &Asked) -> Reply {
        let proof = self.suite.proof_at(&self.client, TOKEN).sign();
        self.suite.call(TOKEN, form, &[&proof]).await
    }

    fn form(&self) -> Asked {
        self.suite.redemption(&self.client, &self.code)
    }

    /// A token request with an assertion that says something else; `null` leaves a claim out.
    async fn asserted(&self, name: &str, value: Value) -> Reply {
        let signer = self.client.signer();
        let mut claims = signer.claims(&self.suite, &self.client);
        claims[name] = value;
        claims
            .as_object_mut()
            .unwrap()
            .retain(|_, value| !value.is_null());
        let form = self.suite.proved_by(&self.form(), &signer.sign(&claims));
        self.send(&form).await
    }

    /// Whoever was not believed has spent nothing.
    async fn goes_well(&self) {
        self.suite.redeem(&self.client, &self.asked, &self.code).await;
    }
}

/// The code of one client; name and assertion of the other, signed by the key of the first.
pub(super) async fn ensure_client_id_in_token_endpoint(suite: Suite) {
    let ready = Ready::new(suite).await;
    let other = ready.suite.strict("suite-2").await;
    let signer = ready.client.signer();
    let claims = signer.claims(&ready.suite, &other);
    let form = ready
        .suite
        .proved_by(&ready.form(), &signer.sign(&claims))
        .with("client_id", &other.id);
    is_refused(&ready.send(&form).await, &["invalid_client", "invalid_grant"]);
    ready.goes_well().await;
}

pub(super) async fn ensure_holder_of_key_required(suite: Suite) {
    let ready = Ready::new(suite).await;
    let form = ready.suite.proved(&ready.client, &ready.form());
    let reply = ready.suite.call(TOKEN, &form, &[]).await;
    is_refused(
        &reply,
        &["invalid_dpop_proof", "invalid_request", "invalid_grant"],
    );
    assert_eq!(reply.status, StatusCode::BAD_REQUEST);
    ready.goes_well().await;
}

pub(super) async fn ensure_authorization_code_is_bound_to_client(suite: Suite) {
    let ready = Ready::new(suite).await;
    let other = ready.suite.strict("suite-2").await;
    let form = ready.suite.proved(&other, &ready.form());
    is_refused(&ready.send(&form).await, &["invalid_grant"]);
}

pub(super) async fn attempt_reuse_authorization_code_after_one_second(suite: Suite) {
    let ready = Ready::new(suite).await;
    let tokens = ready.suite.redeem(&ready.client, &ready.asked, &ready.code).await;
    ready.suite.userinfo(&tokens).await;
    ready.suite.wait(1);
    let again = ready.suite.present(&ready.client, &ready.code, &[]).await;
    is_refused(&again, &["invalid_grant"]);
    // RFC 6749 §4.1.2: what came of the first use is over.
    let proof = ready
        .suite
        .proof_of(ready.client.holder(), &tokens.access_token)
        .sign();
    let reply = ready
        .suite
        .resource("DPoP", &tokens.access_token, &[&proof])
        .await;
    assert_eq!(reply.status, StatusCode::UNAUTHORIZED);
}

/// FAPI 2.0 Security Profile §5.3.2.1: a minute at most.
pub(super) async fn ensure_token_endpoint_fails_with_expired_auth_code(suite: Suite) {
    let ready = Ready::new(suite).await;
    ready.suite.wait(62);
    let late = ready.suite.present(&ready.client, &ready.code, &[]).await;
    is_refused(&late, &["invalid_grant"]);
}

/// A key of RSA may sign by PS256, so it is registered; by RS256 nobody is believed who signs by it.
pub(super) async fn ensure_signed_client_assertion_with_rs256_fails(suite: Suite) {
    let by_rs256 = Signer::of(PrivateKey::generate(Algorithm::Rs256).unwrap());
    let mut rsa = by_rs256.jwks()["keys"][0].clone();
    rsa.as_object_mut().unwrap().remove("alg");
    let by_es256 = Signer::of(PrivateKey::generate(Algorithm::Es256).unwrap());
    let mut both = by_es256.jwks();
    both["keys"].as_array_mut().unwrap().push(rsa);
    let client = suite
        .strict_with("suite", |party| {
            party.metadata.keys = ClientKeys::Jwks(both.to_string());
        })
        .await;
    let client = Client {
        signer: Some(by_es256),
        ..client
    };
    let ready = Ready::of(suite, client).await;
    let assertion = by_rs256.assertion(&ready.suite, &ready.client);
    let form = ready.suite.proved_by(&ready.form(), &assertion);
    is_refused(&ready.send(&form).await, &["invalid_client"]);
    ready.goes_well().await;
}

pub(super) async fn ensure_client_assertion_in_token_endpoint(suite: Suite) {
    let ready = Ready::new(suite).await;
    let form = ready.form().with("client_id", &ready.client.id);
    is_refused(&ready.send(&form).await, &["invalid_client", "invalid_request"]);
    ready.goes_well().await;
}

/// An assertion that says something wrong.
async fn is_not_believed(suite: Suite, name: &str, value: Value) {
    let ready = Ready::new(suite).await;
    let reply = ready.asserted(name, value).await;
    is_refused(&reply, &["invalid_client", "invalid_request"]);
    ready.goes_well().await;
}

pub(super) async fn ensure_client_assertion_with_exp_is_5_minutes_in_past_fails(suite: Suite) {
    let past = suite.site.context.now().seconds() - 300;
    is_not_believed(suite, "exp", json!(past)).await;
}

pub(super) async fn ensure_client_assertion_with_wrong_aud_fails(suite: Suite) {
    is_not_believed(suite, "aud", json!("https://other.example/api/userinfo")).await;
}

/// Without it a signed request of the client would do as a proof of it.
pub(super) async fn ensure_client_assertion_with_no_sub_fails(suite: Suite) {
    is_not_believed(suite, "sub", Value::Null).await;
}

pub(super) async fn ensure_pkce_code_verifier_required(suite: Suite) {
    let ready = Ready::new(suite).await;
    let form = ready.form().without("code_verifier");
    let form = ready.suite.proved(&ready.client, &form);
    is_refused(&ready.send(&form).await, &["invalid_grant"]);
}

pub(super) async fn incorrect_pkce_code_verifier_rejected(suite: Suite) {
    let ready = Ready::new(suite).await;
    let form = ready.form().with("code_verifier", &ready.suite.draw());
    let form = ready.suite.proved(&ready.client, &form);
    is_refused(&ready.send(&form).await, &["invalid_grant"]);
}
