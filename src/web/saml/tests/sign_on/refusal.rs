//! Who does not arrive, and what the service is told instead.

use super::*;

#[tokio::test]
async fn a_refusal_is_a_signed_response_with_the_status_it_has() {
    on_each_engine(async |context, clock| {
        let (site, ent, browser, _) = with_lina((context, clock), |_| {}).await;
        let request = |id: &str| ent.provider.authn_request(id);
        let class = |name: &str| {
            let class = Element::new(Namespace::Saml, "AuthnContextClassRef").text(name);
            Element::new(Namespace::Samlp, "RequestedAuthnContext").child(class)
        };
        let subject = Element::new(Namespace::Saml, "NameID").text("somebody-else");
        let subject = Element::new(Namespace::Saml, "Subject").child(subject);
        let password = "urn:oasis:names:tc:SAML:2.0:ac:classes:Password";
        let passive = |id: &str| request(id).attribute("IsPassive", "true");
        for (message, there, status) in [
            (passive("_1"), false, "Responder NoPassive"),
            (
                passive("_2").child(class(password)),
                true,
                "Responder NoAuthnContext",
            ),
            (
                request("_3").child(class("urn:x")),
                true,
                "Responder NoAuthnContext",
            ),
            (passive("_4").child(subject), true, "Requester UnknownPrincipal"),
            (
                request("_5").attribute("ProtocolBinding", "urn:x"),
                true,
                "Requester UnsupportedBinding",
            ),
            (
                named(request("_6"), "urn:x"),
                true,
                "Requester InvalidNameIDPolicy",
            ),
            (
                named(request("_7"), NameIdFormat::EmailAddress.as_str()),
                true,
                "Responder InvalidNameIDPolicy",
            ),
        ] {
            let who = if there {
                browser.clone()
            } else {
                Browser::default()
            };
            let posted = asked(&site, &ent, &who, &message).await;
            assert_eq!(posted.status(), status);
            assert_eq!(posted.relay_state.as_deref(), Some("état ; <1>"));
            let key = [scene::saml_key(&site.context, false).await];
            let root = crate::saml::xmlsec::Wanted::root(Namespace::Samlp, "Response");
            let policy = crate::saml::xmlsec::Policy::MESSAGE;
            assert!(crate::saml::xmlsec::verify(posted.message.as_bytes(), root, &key, &policy).is_ok());
            assert!(!posted.message.contains("<saml:Assertion"));
        }
        assert_eq!(site.journalled("authorization.granted").await, 0);
    })
    .await;
}

#[tokio::test]
async fn where_the_service_is_closed_a_page_says_so_or_a_status_where_none_may_be_shown() {
    on_each_engine(async |context, clock| {
        let (site, ent, browser, _) = with_lina((context, clock), |ent| {
            ent.party.schools = vec![COLLEGE.parse().unwrap()];
        })
        .await;
        let request = ent.provider.authn_request("_1");
        let reply = browser.get(&site, &address(&ent, &request, None)).await;
        assert_eq!(reply.status, 403);
        assert!(reply.body.contains("Service ent"));
        let passive = request.attribute("IsPassive", "true");
        assert_eq!(
            asked(&site, &ent, &browser, &passive).await.status(),
            "Responder RequestDenied"
        );
        assert_eq!(site.journalled("authorization.refused").await, 2);
    })
    .await;
}

#[tokio::test]
async fn before_the_access_date_a_page_tells_it_or_a_status_where_none_may_be_shown() {
    on_each_engine(async |context, clock| {
        let (site, ent, browser, _) = with_lina((context, clock), |_| {}).await;
        scene::opens(&site.context, None, "2026-10-02").await;
        let request = ent.provider.authn_request("_1");
        let reply = browser.get(&site, &address(&ent, &request, None)).await;
        assert_eq!(reply.status, 403);
        assert!(
            reply
                .body
                .contains("Ton espace ouvre le vendredi 2 octobre 2026."),
            "{reply:?}"
        );
        let passive = request.attribute("IsPassive", "true");
        assert_eq!(
            asked(&site, &ent, &browser, &passive).await.status(),
            "Responder RequestDenied"
        );
        assert_eq!(site.journalled("authorization.refused").await, 2);
        scene::opens(&site.context, None, "2026-10-01").await;
        let request = ent.provider.authn_request("_2");
        assert_eq!(asked(&site, &ent, &browser, &request).await.status(), "Success");
    })
    .await;
}

#[tokio::test]
async fn a_pupil_is_told_before_and_goes_on_and_a_passive_request_waits_for_that() {
    on_each_engine(async |context, clock| {
        let (site, ent) = with_ent((context, clock), |_| {}).await;
        let lina = site.pupil("Lina", 1, ECOLE).await;
        let cookie = scene::sign_in_unaware(&site.context, &lina, None).await;
        let browser = Browser { cookie: Some(cookie) };
        let passive = ent.provider.authn_request("_1").attribute("IsPassive", "true");
        assert_eq!(
            asked(&site, &ent, &browser, &passive).await.status(),
            "Responder NoPassive"
        );
        let request = ent.provider.authn_request("_2");
        let reply = browser.get(&site, &address(&ent, &request, Some("s"))).await;
        assert!(reply.location().starts_with("/notice?continue="));
        let page = browser.get(&site, reply.location()).await;
        assert!(page.body.contains("ton prénom"), "{page:?}");
        let posted = Posted::of(&browser.press(&site, "go-on", &page).await);
        assert_eq!(
            (posted.status(), posted.relay_state.as_deref()),
            ("Success".into(), Some("s"))
        );
        let next = asked(&site, &ent, &browser, &ent.provider.authn_request("_3")).await;
        assert_eq!(next.status(), "Success", "told once");
    })
    .await;
}

#[tokio::test]
async fn who_says_no_or_goes_back_is_told_of_to_the_service() {
    on_each_engine(async |context, clock| {
        let (site, ent) = with_ent((context, clock), |ent| ent.party.basis = Basis::Consent).await;
        let adult = scene::adult(&site.context, "Rozenn", 9).await;
        let cookie = scene::sign_in_unaware(&site.context, &adult, None).await;
        let browser = Browser { cookie: Some(cookie) };
        let reply = browser
            .get(&site, &address(&ent, &ent.provider.authn_request("_1"), None))
            .await;
        let page = browser.get(&site, reply.location()).await;
        let posted = Posted::of(&browser.press(&site, "refuse", &page).await);
        assert_eq!(posted.status(), "Responder RequestDenied");
        let nobody = Browser::default();
        let login = nobody
            .get(
                &site,
                &address(&ent, &ent.provider.authn_request("_2"), Some("s")),
            )
            .await;
        let sealed = url::query([("continue", &*login.sent("continue").unwrap())]);
        let posted = Posted::of(&nobody.post(&site, "/login/cancel", sealed).await);
        assert_eq!(
            (posted.status(), posted.relay_state.as_deref()),
            ("Responder AuthnFailed".into(), Some("s"))
        );
    })
    .await;
}

#[tokio::test]
async fn a_request_is_answered_once() {
    on_each_engine(async |context, clock| {
        let (site, ent, browser, _) = with_lina((context, clock), |_| {}).await;
        let request = ent.provider.authn_request("_1");
        assert_eq!(asked(&site, &ent, &browser, &request).await.status(), "Success");
        let again = asked(&site, &ent, &browser, &request).await;
        assert_eq!(again.status(), "Requester RequestDenied");
        let node = site.another_node().await;
        let elsewhere = asked(&node, &ent, &browser, &request).await;
        assert_eq!(elsewhere.status(), "Requester RequestDenied", "on any node");
        assert_eq!(site.journalled("proof.replayed").await, 2);
        site.advance(3600);
        assert_eq!(
            browser.get(&site, &address(&ent, &request, None)).await.status,
            400,
            "too old"
        );
    })
    .await;
}
