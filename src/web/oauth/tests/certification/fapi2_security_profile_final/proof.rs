//! The proof of possession (RFC 9449), at the endpoints of the provider and at the resource.

use axum::http::StatusCode;
use serde_json::json;

use super::client::is_refused;
use crate::oauth::dpop::testing::{Draft, Holder};
use crate::web::oauth::tests::certification::relying_party::{Asked, Client, DPOP, Suite};
use crate::web::oauth::tests::site::ISSUER;

const PAR: &str = "pushed_authorization_request_endpoint";
const TOKEN: &str = "token_endpoint";

/// Errors that a proof of a wrong key may be answered with (RFC 9449 §5, §10.1).
const OF_A_PROOF: &[&str] = &["invalid_dpop_proof", "invalid_request", "invalid_grant"];

/// The whole way, each proof changed alike; one comes with the pushed request too, where the code is bound by it.
async fn with_proofs<F>(mut suite: Suite, is_bound: bool, change: F)
where
    F: for<'a> Fn(Draft<'a>) -> Draft<'a>,
{
    let (client, asked) = suite.strict_request().await;
    let proof = change(suite.proof_at(&client, PAR)).sign();
    let proofs: &[&str] = if is_bound { &[&proof] } else { &[] };
    let reply = suite.push(&client, &asked, proofs).await;
    let reference = suite.reference(&reply);
    let code = suite.code_at(&client, &asked, &reference).await;
    let form = suite.proved(&client, &suite.redemption(&client, &code));
    let proof = change(suite.proof_at(&client, TOKEN)).sign();
    let reply = suite.call(TOKEN, &form, &[&proof]).await;
    let tokens = suite.tokens_of(&client, asked.get("nonce"), &reply).await;
    let proof = change(suite.proof_of(client.holder(), &tokens.access_token)).sign();
    let reply = suite.resource(DPOP, &tokens.access_token, &[&proof]).await;
    assert_eq!(reply.status, StatusCode::OK, "{reply:?}");
}

pub(super) async fn check_dpop_proof_nbf_exp(suite: Suite) {
    let now = suite.site.context.now().seconds();
    with_proofs(suite, false, |proof| {
        proof.with("nbf", now).with("exp", now + 300)
    })
    .await;
}

pub(super) async fn ensure_dpopproof_with_iat_10seconds_before_succeeds(suite: Suite) {
    let then = suite.site.context.now().seconds() - 10;
    with_proofs(suite, true, |proof| proof.with("iat", then)).await;
}

/// The module is called so, and sends eight seconds; ten are as good.
pub(super) async fn ensure_dpopproof_with_iat_10seconds_after_succeeds(suite: Suite) {
    let soon = suite.site.context.now().seconds() + 10;
    with_proofs(suite, true, |proof| proof.with("iat", soon)).await;
}

pub(super) async fn ensure_mismatched_dpop_jkt_fails(suite: Suite) {
    let (client, asked) = suite.strict_request().await;
    let asked = asked.with("dpop_jkt", &Holder::new().jkt());
    let proof = suite.proof_at(&client, PAR).sign();
    let reply = suite.push(&client, &asked, &[&proof]).await;
    is_refused(&reply, &["invalid_dpop_proof", "invalid_request"]);
}

/// The code of a request that was pushed with this proof, where there is one.
async fn bound_code(suite: &mut Suite, client: &Client, asked: &Asked, by_proof: bool) -> String {
    let proof = suite.proof_at(client, PAR).sign();
    let proofs: &[&str] = if by_proof { &[&proof] } else { &[] };
    let reply = suite.push(client, asked, proofs).await;
    let reference = suite.reference(&reply);
    suite.code_at(client, asked, &reference).await
}

pub(super) async fn ensure_token_endpoint_fails_with_mismatched_dpop_proof_jkt(mut suite: Suite) {
    let (client, asked) = suite.strict_request().await;
    let code = bound_code(&mut suite, &client, &asked, true).await;
    let other = client.held_by(Holder::new());
    is_refused(&suite.present(&other, &code, &[]).await, OF_A_PROOF);
}

pub(super) async fn ensure_token_endpoint_fails_with_mismatched_dpop_jkt(mut suite: Suite) {
    let (client, asked) = suite.strict_request().await;
    let asked = asked.with("dpop_jkt", &Holder::new().jkt());
    let code = bound_code(&mut suite, &client, &asked, false).await;
    is_refused(&suite.present(&client, &code, &[]).await, OF_A_PROOF);
}

pub(super) async fn ensure_dpopproof_at_par_endpoint_binding_success(mut suite: Suite) {
    let (client, asked) = suite.strict_request().await;
    let code = bound_code(&mut suite, &client, &asked, true).await;
    let tokens = suite.redeem(&client, &asked, &code).await;
    suite.userinfo(&tokens).await;
}

pub(super) async fn ensure_dpop_auth_code_binding_success(mut suite: Suite) {
    let (client, asked) = suite.strict_request().await;
    let asked = asked.with("dpop_jkt", &client.holder().jkt());
    let code = bound_code(&mut suite, &client, &asked, true).await;
    let tokens = suite.redeem(&client, &asked, &code).await;
    suite.userinfo(&tokens).await;
}

pub(super) async fn dpop_negative_tests(mut suite: Suite) {
    let (client, asked) = suite.strict_request().await;
    let tokens = suite.strict_flow(&client, &asked).await;
    let token = tokens.access_token.as_str();
    let other = Holder::new();
    let right = || suite.proof_of(client.holder(), token);
    refuses_wrong_proofs(&suite, token, &right, &other).await;
    refuses_what_is_no_proof(&suite, token, &right, &other).await;
    takes_right_proofs(&suite, token, &right).await;
}

type Right<'a> = dyn Fn() -> Draft<'a> + 'a;

async fn refuses_wrong_proofs<'a>(suite: &Suite, token: &str, right: &Right<'a>, other: &'a Holder) {
    let mut private = right().header["jwk"].clone();
    private["d"] = "AQAB".into();
    let now = suite.site.context.now().seconds();
    let nothing = || json!(null);
    for (wrong, why) in [
        (right().with_header("typ", nothing()), "no typ"),
        (right().with_header("typ", "JWT"), "another typ"),
        (right().with_header("alg", nothing()), "no alg"),
        (right().with_header("alg", "none"), "alg none"),
        (right().with_header("alg", "RS256"), "alg of another key"),
        (right().with_header("jwk", nothing()), "no jwk"),
        (right().with_header("jwk", private), "a private jwk"),
        (right().with("jti", nothing()), "no jti"),
        (right().with("htm", nothing()), "no htm"),
        (right().with("htm", "PUT"), "another htm"),
        (right().with("htu", nothing()), "no htu"),
        (right().with("htu", format!("{ISSUER}/ohno")), "another htu"),
        (right().with("iat", nothing()), "no iat"),
        (right().with("iat", now + 3600), "iat in an hour"),
        (right().with("iat", now - 3600), "iat an hour ago"),
        (right().with("ath", nothing()), "no ath"),
        (right().of_token("another"), "ath of another token"),
        (right().signed_by(other), "signed by another key"),
    ] {
        let reply = suite.resource(DPOP, token, &[&wrong.sign()]).await;
        assert_eq!(reply.status, StatusCode::UNAUTHORIZED, "{why}: {reply:?}");
    }
}

async fn refuses_what_is_no_proof<'a>(suite: &Suite, token: &str, right: &Right<'a>, other: &'a Holder) {
    let (one, two) = (right().sign(), right().sign());
    let (unsigned, _) = one.rsplit_once('.').unwrap();
    let unsigned = format!("{unsigned}.");
    let of_other = suite.proof_of(other, token).sign();
    for (proofs, why) in [
        (&[&*one, &*two][..], "two proofs"),
        (&["this is no proof"], "no token"),
        (&[&*unsigned], "no signature"),
        (&[&*of_other], "another key"),
        (&[], "no proof"),
    ] {
        let reply = suite.resource(DPOP, token, proofs).await;
        assert_eq!(reply.status, StatusCode::UNAUTHORIZED, "{why}: {reply:?}");
    }
    for proofs in [&[&*one][..], &[]] {
        let reply = suite.resource("Bearer", token, proofs).await;
        assert_eq!(reply.status, StatusCode::UNAUTHORIZED, "as a bearer token");
    }
}

async fn takes_right_proofs<'a>(suite: &Suite, token: &str, right: &Right<'a>) {
    let path = suite.userinfo_endpoint();
    let once = right().sign();
    for (proof, why) in [
        (
            right().with("htu", format!("{ISSUER}{path}?a=b#c")).sign(),
            "a query",
        ),
        (
            right().with("htu", format!("HTTPS://ID.EXAMPLE.FR{path}")).sign(),
            "capitals",
        ),
        (
            right()
                .with("htu", format!("https://id.example.fr:443{path}"))
                .sign(),
            "the port",
        ),
        (
            right().with_header("unknown", "x").with("unknown", "x").sign(),
            "unknown members",
        ),
        (once.clone(), "first"),
        (right().sign(), "and again, after all that was refused"),
    ] {
        let reply = suite.resource(DPOP, token, &[&proof]).await;
        assert_eq!(reply.status, StatusCode::OK, "{why}: {reply:?}");
    }
    let again = suite.resource(DPOP, token, &[&once]).await;
    assert_eq!(again.status, StatusCode::UNAUTHORIZED, "used before");
}
