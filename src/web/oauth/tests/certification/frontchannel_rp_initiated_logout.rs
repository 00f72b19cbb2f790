//! The plan of the Front-Channel Logout profile (`OIDCCFrontchannelRpInitiatedLogoutTestPlan`).

use axum::http::header::CONTENT_SECURITY_POLICY;

use super::plan;
use super::relying_party::Suite;
use super::rp_initiated_logout::{BYE, SignedIn};
use super::user_agent::{Delivery, attribute};
use crate::base::url;
use crate::domain::relying_party::LogoutAddress;
use crate::web::oauth::tests::site::ISSUER;

plan! { Delivery::Query;
    modules::{
        oidcc_frontchannel_logout_discovery_endpoint_verification, oidcc_frontchannel_rp_initiated_logout,
    };
}

const ADDRESS: &str = "https://suite.example/frontchannel_logout";

mod modules {
    use super::*;

    pub(super) async fn oidcc_frontchannel_logout_discovery_endpoint_verification(suite: Suite) {
        for member in [
            "frontchannel_logout_supported",
            "frontchannel_logout_session_supported",
        ] {
            assert_eq!(suite.provider[member], true, "{member}");
        }
        suite.endpoint("end_session_endpoint");
    }

    /// What a browser does with the page: it loads the frame, which its policy lets it, and goes on by itself.
    pub(super) async fn oidcc_frontchannel_rp_initiated_logout(mut suite: Suite) {
        let signed_in = SignedIn::with(&mut suite, |party| {
            party.metadata.frontchannel_logout = Some(LogoutAddress {
                uri: ADDRESS.into(),
                session_required: true,
            });
        })
        .await;
        let page = signed_in.leave(&mut suite, &[]).await.page();
        let policy = page.header(CONTENT_SECURITY_POLICY).unwrap();
        assert!(policy.contains("frame-src https://suite.example;"), "{policy}");
        let frames: Vec<_> = page.body.split("<iframe").skip(1).collect();
        let [frame] = frames.as_slice() else {
            panic!("{frames:?}")
        };
        let address = attribute(frame, "src").unwrap();
        let (address, query) = address.split_once('?').unwrap();
        assert_eq!(address, ADDRESS);
        let sid = signed_in.tokens.claims["sid"].as_str().unwrap().to_owned();
        let expected = [("iss".to_owned(), ISSUER.to_owned()), ("sid".to_owned(), sid)];
        assert_eq!(url::parameters(query), expected, "and nothing else");

        let onward = format!("{BYE}?state={}", signed_in.state);
        let (_, refresh) = page.body.split_once("http-equiv=\"refresh\"").unwrap();
        let content = attribute(refresh, "content").unwrap();
        assert_eq!(content.split_once("; url=").unwrap().1, onward, "without scripts");
        let (_, link) = page.body.split_once("<a class=\"button wide\"").unwrap();
        assert_eq!(attribute(link, "href"), Some(onward), "by hand, and with scripts");
        assert!(link.split('>').next().unwrap().contains("data-after-frames"));
        signed_in.is_over(&mut suite).await;
        let again = signed_in.leave(&mut suite, &[]).await.callback();
        assert_eq!(again.address, BYE, "loaded again, the page has nobody to tell");
    }
}
