//! Signing on: by both bindings, without a request, with pages in between, and all that may not be.

mod name_id;
mod refusal;

use super::partner::{Partner, Posted, attribute, element};
use crate::base::url;
use crate::domain::identity::Identity;
use crate::domain::relying_party::{Attribute, Basis, Encryption, Preset, Signed};
use crate::domain::testing::contact;
use crate::flows::testing::scene::{self, on_each_engine};
use crate::saml::name_id::NameIdFormat;
use crate::saml::testing::query;
use crate::saml::xml::{Element, Namespace};
use crate::saml::xmlsec::redirect::Kind;
use crate::web::oauth::tests::site::{Browser, COLLEGE, ECOLE, Reply, Scene, Site};

async fn with_ent(scene: Scene, change: impl FnOnce(&mut Partner)) -> (Site, Partner) {
    let site = Site::new(scene).await;
    let mut ent = Partner::new("ent");
    change(&mut ent);
    ent.declare(&site).await;
    (site, ent)
}

async fn with_lina(scene: Scene, change: impl FnOnce(&mut Partner)) -> (Site, Partner, Browser, Identity) {
    let (site, ent) = with_ent(scene, change).await;
    let lina = site.pupil("Lina", 1, ECOLE).await;
    let mut browser = Browser::default();
    site.sign_in(&mut browser, &lina).await;
    site.advance(1);
    (site, ent, browser, lina)
}

fn address(ent: &Partner, message: &Element, relay_state: Option<&str>) -> String {
    format!(
        "/saml/sso?{}",
        ent.provider.query(Kind::Request, message, relay_state)
    )
}

fn named(message: Element, format: &str) -> Element {
    message.child(Element::new(Namespace::Samlp, "NameIDPolicy").attribute("Format", format))
}

async fn asked(site: &Site, ent: &Partner, browser: &Browser, message: &Element) -> Posted {
    Posted::of(
        &browser
            .get(site, &address(ent, message, Some("état ; <1>")))
            .await,
    )
}

/// A person signs in by password on the page that they were sent to.
async fn signs_in(site: &Site, browser: &mut Browser, who: &Identity, page: &Reply) -> Reply {
    let sealed = page.sent("continue").unwrap();
    site.advance(5);
    site.sign_in(browser, who).await;
    site.advance(1);
    let resumed = url::query([("continue", &*sealed)]);
    browser.get(site, &format!("/saml/sso/resume?{resumed}")).await
}

#[tokio::test]
async fn a_pupil_who_is_signed_in_goes_to_the_service_with_an_assertion() {
    on_each_engine(async |context, clock| {
        let (site, ent, browser, lina) = with_lina((context, clock), |_| {}).await;
        let reply = browser
            .get(
                &site,
                &address(&ent, &ent.provider.authn_request("_r1"), Some("é<'\">&")),
            )
            .await;
        let policy = reply.headers["content-security-policy"].to_str().unwrap();
        assert!(
            policy.contains("form-action 'self' https://ent.example;"),
            "{policy}"
        );
        let posted = Posted::of(&reply);
        assert_eq!(posted.action, ent.provider.acs(1));
        assert_eq!(posted.relay_state.as_deref(), Some("é<'\">&"), "byte for byte");
        assert_eq!(posted.status(), "Success");
        let assertion = posted.assertion(&site).await;
        let subject = scene::subject(&site.context, &ent.party, lina.id).await;
        assert_eq!(element(&assertion, "NameID").text(), subject.as_deref());
        assert_eq!(
            element(&assertion, "SubjectConfirmationData").attribute("InResponseTo"),
            Some("_r1")
        );
        assert_eq!(attribute(&assertion, "givenName"), ["Lina"]);
        assert_eq!(attribute(&assertion, "ENTPersonStructRattachUAI"), [ECOLE]);
        assert_eq!(site.journalled("authorization.granted").await, 1);
        assert_eq!(site.journalled("subject.issued").await, 1);
    })
    .await;
}

#[tokio::test]
async fn a_form_is_sent_round_because_it_comes_without_our_cookie() {
    on_each_engine(async |context, clock| {
        let (site, ent, browser, _) = with_lina((context, clock), |_| {}).await;
        let form = ent
            .provider
            .form(Kind::Request, &ent.provider.authn_request("_r1"), Some("x y"));
        let sent = Browser::default().post(&site, "/saml/sso", form).await;
        assert!(sent.location().starts_with("/saml/sso/resume?continue="));
        let posted = Posted::of(&browser.get(&site, sent.location()).await);
        assert_eq!(
            (posted.status(), posted.relay_state.as_deref()),
            ("Success".into(), Some("x y"))
        );
    })
    .await;
}

#[tokio::test]
async fn whoever_has_to_sign_in_does_so_and_then_arrives() {
    on_each_engine(async |context, clock| {
        let (site, ent) = with_ent((context, clock), |_| {}).await;
        let lina = site.pupil("Lina", 1, ECOLE).await;
        let mut browser = Browser::default();
        let request = ent.provider.authn_request("_r1");
        let page = browser.get(&site, &address(&ent, &request, Some("s"))).await;
        assert!(page.location().starts_with("/login?continue="));
        let form = ent
            .provider
            .form(Kind::Request, &ent.provider.authn_request("_r2"), None);
        let round = browser.post(&site, "/saml/sso", form).await;
        assert!(
            browser
                .get(&site, round.location())
                .await
                .location()
                .starts_with("/login?")
        );
        let posted = Posted::of(&signs_in(&site, &mut browser, &lina, &page).await);
        assert_eq!(
            (posted.status(), posted.relay_state.as_deref()),
            ("Success".into(), Some("s"))
        );
    })
    .await;
}

#[tokio::test]
async fn a_forced_login_is_proved_anew_once() {
    on_each_engine(async |context, clock| {
        let (site, ent, mut browser, lina) = with_lina((context, clock), |_| {}).await;
        let request = ent.provider.authn_request("_r1").attribute("ForceAuthn", "true");
        let page = browser.get(&site, &address(&ent, &request, None)).await;
        assert!(
            page.location().starts_with("/login?"),
            "a login before the request does not count"
        );
        let form = ent
            .provider
            .form(Kind::Request, &request.attribute("ID", "_r2"), None);
        let round = browser.post(&site, "/saml/sso", form).await;
        let again = browser.get(&site, round.location()).await;
        assert!(
            again.location().starts_with("/login?"),
            "nor where the request came by form"
        );
        let posted = Posted::of(&signs_in(&site, &mut browser, &lina, &page).await);
        assert_eq!(posted.status(), "Success");
    })
    .await;
}

#[tokio::test]
async fn people_are_sent_to_a_service_that_did_not_ask_for_them() {
    on_each_engine(async |context, clock| {
        let (site, mut ent, browser, _) = with_lina((context, clock), |_| {}).await;
        let there = url::query([
            ("sp", &*ent.provider.entity_id),
            ("target", "https://ent.example/cours?a=1&b"),
        ]);
        let there = format!("/saml/sso/init?{there}");
        let posted = Posted::of(&browser.get(&site, &there).await);
        assert_eq!(
            posted.relay_state.as_deref(),
            Some("https://ent.example/cours?a=1&b")
        );
        let assertion = posted.assertion(&site).await;
        assert_eq!(
            element(&assertion, "SubjectConfirmationData").attribute("InResponseTo"),
            None
        );
        assert_eq!(posted.action, ent.provider.acs(1));
        let nobody = Browser::default().get(&site, &there).await;
        assert!(nobody.location().starts_with("/login?continue="));
        ent.saml().idp_initiated = false;
        ent.declare(&site).await;
        assert_eq!(browser.get(&site, &there).await.status, 400);
    })
    .await;
}

#[tokio::test]
async fn attack_27_nobody_goes_to_a_service_that_is_out_of_use() {
    on_each_engine(async |context, clock| {
        let (site, ent, browser, _) = with_lina((context, clock), |ent| ent.party.enabled = false).await;
        let init = url::query([("sp", &*ent.provider.entity_id)]);
        assert_eq!(
            browser.get(&site, &format!("/saml/sso/init?{init}")).await.status,
            400
        );
        let request = address(&ent, &ent.provider.authn_request("_1"), None);
        assert_eq!(browser.get(&site, &request).await.status, 400);
        assert_eq!(
            browser
                .get(&site, "/saml/sso/init?sp=https%3A%2F%2Fevil.example")
                .await
                .status,
            400
        );
    })
    .await;
}

#[tokio::test]
async fn attack_28_31_what_is_forged_goes_nowhere() {
    on_each_engine(async |context, clock| {
        let (site, ent, browser, _) = with_lina((context, clock), |_| {}).await;
        let evil = Partner::new("evil");
        let request = ent.provider.authn_request("_1");
        let signed = ent.provider.query(Kind::Request, &request, Some("s"));
        let elsewhere = request
            .clone()
            .attribute("AssertionConsumerServiceURL", "https://evil.example/acs");
        let stranger = evil.provider.authn_request("_1");
        for query in [
            signed.split("&SigAlg").next().unwrap().to_owned(),
            format!("{signed}&RelayState=t"),
            format!("{signed}&SAMLRequest=x"),
            format!("{signed}&SAMLResponse=x"),
            signed.replace("RelayState=s", "RelayState=t"),
            evil.provider.query(Kind::Request, &request, None),
            evil.provider.query(Kind::Request, &stranger, None),
            ent.provider.query(Kind::Request, &elsewhere, None),
            query(Kind::Request, &request, None),
            "SAMLRequest=".to_owned(),
            String::new(),
        ] {
            let reply = browser.get(&site, &format!("/saml/sso?{query}")).await;
            assert_eq!(reply.status, 400, "{query}");
            assert!(!reply.body.contains("evil.example"));
        }
        let form = evil.provider.form(Kind::Request, &request, None);
        assert_eq!(browser.post(&site, "/saml/sso", form).await.status, 400);
        assert_eq!(site.journalled("authorization.granted").await, 0);
    })
    .await;
}

#[tokio::test]
async fn attack_31_a_relay_state_is_text_and_never_an_address_that_we_follow() {
    on_each_engine(async |context, clock| {
        let (site, ent, browser, _) = with_lina((context, clock), |_| {}).await;
        let evil = "javascript:alert(1)//\"><script>";
        let reply = browser
            .get(
                &site,
                &address(&ent, &ent.provider.authn_request("_1"), Some(evil)),
            )
            .await;
        assert!(!reply.body.contains("<script>") && !reply.body.contains("href=\"javascript"));
        assert_eq!(Posted::of(&reply).relay_state.as_deref(), Some(evil));
    })
    .await;
}

#[tokio::test]
async fn attack_33_a_childs_name_is_text_in_the_assertion() {
    on_each_engine(async |context, clock| {
        let (site, ent) = with_ent((context, clock), |_| {}).await;
        let name = "</saml:AttributeValue><saml:AttributeValue>admin & \"x\"";
        let evil = site.pupil(name, 1, ECOLE).await;
        let mut browser = Browser::default();
        site.sign_in(&mut browser, &evil).await;
        site.advance(1);
        let posted = asked(&site, &ent, &browser, &ent.provider.authn_request("_1")).await;
        let assertion = posted.assertion(&site).await;
        assert_eq!(attribute(&assertion, "givenName"), [name]);
    })
    .await;
}

#[tokio::test]
async fn an_assertion_is_encrypted_for_who_has_a_key_and_never_sent_in_clear_where_it_must_not() {
    on_each_engine(async |context, clock| {
        let (site, mut ent, browser, _) = with_lina((context, clock), |ent| {
            ent.metadata = ent.provider.with_encryption(&[]);
            ent.saml().signed = Signed::Assertion;
        })
        .await;
        let posted = asked(&site, &ent, &browser, &ent.provider.authn_request("_1")).await;
        assert!(posted.message.contains("EncryptedAssertion") && !posted.message.contains("Lina"));
        assert_eq!(attribute(&posted.assertion(&site).await, "givenName"), ["Lina"]);
        ent.metadata = ent.provider.metadata();
        ent.saml().encryption = Encryption::Required;
        ent.declare(&site).await;
        let posted = asked(&site, &ent, &browser, &ent.provider.authn_request("_2")).await;
        assert_eq!(posted.status(), "Responder RequestUnsupported");
    })
    .await;
}

#[tokio::test]
async fn an_entcore_like_service_gets_what_it_demands_in_one_go() {
    const CLASS: &str = "urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport";
    on_each_engine(async |context, clock| {
        let (site, ent, browser, lina) = with_lina((context, clock), |ent| {
            let saml = ent.saml();
            (saml.preset, saml.authn_context) = (Preset::Entcore, Some(CLASS.into()));
            saml.tolerances.index_and_url = true;
            saml.tolerances.unsigned_requests = true;
        })
        .await;
        let class = Element::new(Namespace::Saml, "AuthnContextClassRef").text(CLASS);
        let context =
            Element::new(Namespace::Samlp, "RequestedAuthnContext").attribute("Comparison", "exact");
        let message = named(ent.provider.authn_request("_1"), NameIdFormat::Transient.as_str())
            .attribute("AssertionConsumerServiceIndex", "1")
            .attribute("AssertionConsumerServiceURL", ent.provider.acs(1))
            .attribute(
                "ProtocolBinding",
                "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST",
            )
            .child(context.child(class));
        let asked = format!("/saml/sso?{}", query(Kind::Request, &message, Some("NULL")));
        let posted = Posted::of(&browser.get(&site, &asked).await);
        assert_eq!(posted.relay_state.as_deref(), Some("NULL"));
        let assertion = posted.assertion(&site).await;
        assert_eq!(
            element(&assertion, "AuthnContextClassRef").text(),
            Some(CLASS),
            "also of a child's login"
        );
        let subject = scene::subject(&site.context, &ent.party, lina.id).await.unwrap();
        assert_eq!(attribute(&assertion, "FrEduIdENT"), [subject]);
        assert!(
            element(&assertion, "AuthnStatement")
                .attribute("SessionIndex")
                .is_some()
        );
        assert!(element(&assertion, "Conditions").attribute("NotBefore").is_some());
    })
    .await;
}
