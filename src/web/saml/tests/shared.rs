//! One pupil, one sector: the same subject over OpenID Connect and SAML.

use super::partner::{Partner, Posted, element};
use crate::flows::testing::scene::on_each_engine;
use crate::saml::xmlsec::redirect::Kind;
use crate::web::oauth::tests::site::{claims, with_lina};

#[tokio::test]
async fn the_same_pupil_has_the_same_subject_over_openid_connect_and_saml_in_one_sector() {
    on_each_engine(async |context, clock| {
        let (site, browser, lina) = with_lina((context, clock)).await;
        let tokens = browser.tokens(&site, "ent").await;
        let subject = claims(&tokens["id_token"])["sub"].as_str().unwrap().to_owned();
        let mut lycee = Partner::new("lycee");
        lycee.party.sector = "ent".into();
        lycee.declare(&site).await;
        let elsewhere = Partner::new("cantine");
        elsewhere.declare(&site).await;
        crate::flows::testing::scene::tell(&site.context, &lina).await;
        let name = async |partner: &Partner| {
            let request = partner.provider.authn_request("_1");
            let query = partner.provider.query(Kind::Request, &request, None);
            let posted = Posted::of(&browser.get(&site, &format!("/saml/sso?{query}")).await);
            element(&posted.assertion(&site).await, "NameID")
                .text()
                .unwrap()
                .to_owned()
        };
        assert_eq!(name(&lycee).await, subject);
        assert_ne!(name(&elsewhere).await, subject);
    })
    .await;
}
