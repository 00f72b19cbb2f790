//! The plan of the Back-Channel Logout profile (`OIDCCBackchannelRpInitiatedLogoutTestPlan`).

use std::sync::Arc;

use serde_json::{Value, json};

use super::plan;
use super::relying_party::Suite;
use super::rp_initiated_logout::{BYE, SignedIn};
use super::user_agent::Delivery;
use crate::base::url;
use crate::domain::relying_party::LogoutAddress;
use crate::flows::keys::Keyring;
use crate::flows::logout_delivery::{Busy, claim, deliver};
use crate::flows::testing::Partners;
use crate::jose::{self, Algorithm};
use crate::web::oauth::tests::site::ISSUER;

plan! { Delivery::Query;
    modules::{
        oidcc_backchannel_logout_discovery_endpoint_verification, oidcc_backchannel_rp_initiated_logout,
    };
}

const ADDRESS: &str = "https://suite.example/backchannel_logout";

/// The form of the one request that the client was sent by the job.
async fn delivered(suite: &Suite) -> Vec<(String, String)> {
    let partners = Arc::new(Partners::default());
    partners.answer(ADDRESS, |_| http::Response::new(Vec::new()));
    let mut context = suite.site.context.clone();
    context.outbound = partners.clone();
    let keyring = Keyring::open(&context).await.unwrap();
    for claimed in claim(&context, &Busy::new()).await.unwrap() {
        deliver(&context, &keyring, &claimed).await.unwrap();
    }
    let asked = partners.asked();
    let [request] = asked.as_slice() else {
        panic!("{asked:?}")
    };
    assert_eq!(request.method(), http::Method::POST);
    let media_type = &request.headers()[http::header::CONTENT_TYPE];
    assert_eq!(media_type, "application/x-www-form-urlencoded");
    url::parameters(std::str::from_utf8(request.body()).unwrap())
}

mod modules {
    use super::*;

    pub(super) async fn oidcc_backchannel_logout_discovery_endpoint_verification(suite: Suite) {
        for member in [
            "backchannel_logout_supported",
            "backchannel_logout_session_supported",
        ] {
            assert_eq!(suite.provider[member], true, "{member}");
        }
        suite.endpoint("end_session_endpoint");
    }

    pub(super) async fn oidcc_backchannel_rp_initiated_logout(mut suite: Suite) {
        let signed_in = SignedIn::with(&mut suite, |party| {
            party.metadata.backchannel_logout = Some(LogoutAddress {
                uri: ADDRESS.into(),
                session_required: true,
            });
        })
        .await;
        let back = signed_in.leave(&mut suite, &[]).await.callback();
        assert_eq!(back.address, BYE);
        assert_eq!(back.parameters, [("state".to_owned(), signed_in.state.clone())]);

        let form = delivered(&suite).await;
        let [(name, token)] = form.as_slice() else {
            panic!("{form:?}")
        };
        assert_eq!(name, "logout_token", "and no other parameter");
        let keyring = Keyring::open(&suite.site.context).await.unwrap();
        let keys = keyring.published(&suite.site.context).await.unwrap();
        let token = jose::verify(token, &keys, &[Algorithm::Rs256], jose::Kind::LogoutToken).unwrap();
        assert_eq!(
            (&token["iss"], &token["aud"]),
            (&ISSUER.into(), &signed_in.client.id.as_str().into())
        );
        let now = suite.site.context.now().seconds();
        assert!((now - 300..=now + 300).contains(&token["iat"].as_i64().unwrap()));
        assert!(token["jti"].as_str().is_some_and(|jti| jti.len() >= 22));
        let event = json!({ "http://schemas.openid.net/event/backchannel-logout": {} });
        assert_eq!(token["events"], event, "one event, an empty object");
        for claim in ["sub", "sid"] {
            let known: &Value = &signed_in.tokens.claims[claim];
            assert!(known.is_string() && token[claim] == *known, "{claim}");
        }
        assert!(!token.contains_key("nonce"));
        signed_in.is_over(&mut suite).await;
    }
}
