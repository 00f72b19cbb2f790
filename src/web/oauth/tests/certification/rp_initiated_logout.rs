//! The plan of the RP-Initiated Logout profile (`OIDCCRpInitiatedLogoutTestPlan`).

use axum::http::StatusCode;
use data_encoding::BASE64URL_NOPAD;
use serde_json::json;

use super::plan;
use super::relying_party::{Client, Suite, Tokens};
use super::user_agent::{Delivery, Landing};
use crate::base::url;
use crate::domain::relying_party::RelyingParty;
use crate::web::oauth::tests::site::{ISSUER, Reply, claims};

plan! { Delivery::Query;
    modules::{
        oidcc_rp_initiated_logout_discovery_endpoint_verification, oidcc_rp_initiated_logout,
        oidcc_rp_initiated_logout_bad_post_logout_redirect_uri, oidcc_rp_initiated_logout_modified_id_token_hint,
        oidcc_rp_initiated_logout_no_id_token_hint, oidcc_rp_initiated_logout_no_params,
        oidcc_rp_initiated_logout_no_post_logout_redirect_uri, oidcc_rp_initiated_logout_no_state,
        oidcc_rp_initiated_logout_only_state,
        oidcc_rp_initiated_logout_query_added_to_post_logout_redirect_uri, oidcc_rp_initiated_logout_bad_id_token_hint,
    };
}

pub(super) const BYE: &str = "https://suite.example/bye";

/// A client, its tokens, and a state of 128 characters.
pub(super) struct SignedIn {
    pub(super) client: Client,
    pub(super) tokens: Tokens,
    pub(super) state: String,
}

impl SignedIn {
    pub(super) async fn new(suite: &mut Suite) -> Self {
        Self::with(suite, |_| {}).await
    }

    /// The same with a client that registered more.
    pub(super) async fn with(suite: &mut Suite, change: impl FnOnce(&mut RelyingParty)) -> Self {
        let client = suite.client_with("suite", change).await;
        let asked = suite.request(&client);
        let tokens = suite.flow(&client, &asked).await;
        let state = format!("{}{}{}", suite.draw(), suite.draw(), suite.draw())[..128].to_owned();
        Self {
            client,
            tokens,
            state,
        }
    }

    /// Sends the browser to the end-session endpoint.
    pub(super) async fn leave(&self, suite: &mut Suite, change: &[(&str, Option<&str>)]) -> Landing {
        let mut parameters = vec![
            ("id_token_hint", self.tokens.id_token.as_str()),
            ("post_logout_redirect_uri", BYE),
            ("state", self.state.as_str()),
        ];
        for (name, value) in change {
            parameters.retain(|(other, _)| other != name);
            parameters.extend(value.map(|value| (*name, value)));
        }
        let address = format!(
            "{}?{}",
            suite.endpoint("end_session_endpoint"),
            url::query(parameters)
        );
        suite.agent.visit(&suite.site, &address).await
    }

    /// Whether nobody is signed in any more: `prompt=none` has to be refused for want of a page.
    pub(super) async fn is_over(&self, suite: &mut Suite) {
        let asked = suite.request(&self.client).with("prompt", "none");
        assert_eq!(suite.error(&self.client, &asked).await, "login_required");
    }

    /// Nothing has happened: the person was asked, and has not answered.
    async fn goes_on(&self, suite: &mut Suite) {
        let asked = suite.request(&self.client).with("prompt", "none");
        suite.code(&self.client, &asked).await;
        assert_eq!(suite.agent.logins, 1);
    }

    /// The browser is not sent back, before the person says yes or after.
    async fn stays(&self, suite: &mut Suite, change: &[(&str, Option<&str>)]) {
        let page = self.leave(suite, change).await.page();
        assert!(
            page.body.contains("id=\"sign-out\""),
            "the person is asked: {page:?}"
        );
        self.goes_on(suite).await;
        let page = suite.agent.submit(&suite.site, &page, &[]).await.page();
        says_goodbye(&page);
        self.is_over(suite).await;
    }
}

/// A page of ours says that nobody is signed in, and leads nowhere by itself.
fn says_goodbye(page: &Reply) {
    assert_eq!(page.status, StatusCode::OK);
    assert!(
        page.body.contains("href=\"/login\"") && !page.body.contains("id=\"sign-out\""),
        "{page:?}"
    );
    assert!(
        !page.body.contains("http-equiv") && !page.body.contains("suite.example"),
        "{page:?}"
    );
}

mod modules {
    use super::*;

    pub(super) async fn oidcc_rp_initiated_logout_discovery_endpoint_verification(suite: Suite) {
        let endpoint = suite.provider["end_session_endpoint"].as_str().unwrap();
        assert!(endpoint.starts_with(ISSUER));
        for (member, value) in suite.provider.as_object().unwrap() {
            assert!(
                !member.ends_with("_endpoint") || value.as_str().unwrap().starts_with("https://"),
                "{member}"
            );
        }
    }

    pub(super) async fn oidcc_rp_initiated_logout(mut suite: Suite) {
        let signed_in = SignedIn::new(&mut suite).await;
        let back = signed_in.leave(&mut suite, &[]).await.callback();
        assert_eq!(back.address, BYE);
        assert_eq!(
            back.parameters,
            [("state".to_owned(), signed_in.state.clone())],
            "and nothing else"
        );
        signed_in.is_over(&mut suite).await;
    }

    pub(super) async fn oidcc_rp_initiated_logout_no_state(mut suite: Suite) {
        let signed_in = SignedIn::new(&mut suite).await;
        let back = signed_in.leave(&mut suite, &[("state", None)]).await.callback();
        assert_eq!(
            (back.address.as_str(), back.parameters.as_slice()),
            (BYE, &[][..])
        );
        signed_in.is_over(&mut suite).await;
    }

    pub(super) async fn oidcc_rp_initiated_logout_bad_post_logout_redirect_uri(mut suite: Suite) {
        let signed_in = SignedIn::new(&mut suite).await;
        let bad = Some("https://suite.example/bad_post_logout_redirect_uri");
        let landing = signed_in
            .leave(&mut suite, &[("post_logout_redirect_uri", bad)])
            .await;
        stays_with_hint(&signed_in, &mut suite, landing).await;
    }

    pub(super) async fn oidcc_rp_initiated_logout_query_added_to_post_logout_redirect_uri(mut suite: Suite) {
        let signed_in = SignedIn::new(&mut suite).await;
        let added = format!("{BYE}?foo=bar");
        let landing = signed_in
            .leave(&mut suite, &[("post_logout_redirect_uri", Some(&added))])
            .await;
        stays_with_hint(&signed_in, &mut suite, landing).await;
    }

    pub(super) async fn oidcc_rp_initiated_logout_modified_id_token_hint(mut suite: Suite) {
        let signed_in = SignedIn::new(&mut suite).await;
        let payload = signed_in.tokens.id_token.split('.').nth(1).unwrap();
        let header = BASE64URL_NOPAD.encode(json!({ "alg": "none" }).to_string().as_bytes());
        let unsigned = format!("{header}.{payload}.");
        signed_in
            .stays(&mut suite, &[("id_token_hint", Some(&unsigned))])
            .await;
    }

    /// The claims are right, the key is the client's.
    pub(super) async fn oidcc_rp_initiated_logout_bad_id_token_hint(mut suite: Suite) {
        let signed_in = SignedIn::new(&mut suite).await;
        let claims = claims(&signed_in.tokens.id_token.as_str().into());
        let key = crate::jose::PrivateKey::generate(crate::jose::Algorithm::Es256).unwrap();
        let forged = crate::jose::sign(&key, crate::jose::Kind::Jwt, claims.as_object().unwrap()).unwrap();
        signed_in
            .stays(&mut suite, &[("id_token_hint", Some(&forged))])
            .await;
    }

    pub(super) async fn oidcc_rp_initiated_logout_no_id_token_hint(mut suite: Suite) {
        let signed_in = SignedIn::new(&mut suite).await;
        signed_in.stays(&mut suite, &[("id_token_hint", None)]).await;
    }

    pub(super) async fn oidcc_rp_initiated_logout_no_params(mut suite: Suite) {
        let signed_in = SignedIn::new(&mut suite).await;
        let nothing = [
            ("id_token_hint", None),
            ("post_logout_redirect_uri", None),
            ("state", None),
        ];
        signed_in.stays(&mut suite, &nothing).await;
    }

    pub(super) async fn oidcc_rp_initiated_logout_only_state(mut suite: Suite) {
        let signed_in = SignedIn::new(&mut suite).await;
        let nothing = [("id_token_hint", None), ("post_logout_redirect_uri", None)];
        signed_in.stays(&mut suite, &nothing).await;
    }

    pub(super) async fn oidcc_rp_initiated_logout_no_post_logout_redirect_uri(mut suite: Suite) {
        let signed_in = SignedIn::new(&mut suite).await;
        let landing = signed_in
            .leave(&mut suite, &[("post_logout_redirect_uri", None)])
            .await;
        stays_with_hint(&signed_in, &mut suite, landing).await;
    }

    /// The hint is right, so the person need not be asked: whether they are or not, they end on a page of ours.
    async fn stays_with_hint(signed_in: &SignedIn, suite: &mut Suite, landing: Landing) {
        let mut page = landing.page();
        if page.body.contains("id=\"sign-out\"") {
            page = suite.agent.submit(&suite.site, &page, &[]).await.page();
        }
        says_goodbye(&page);
        signed_in.is_over(suite).await;
    }
}
