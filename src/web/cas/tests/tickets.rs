//! Tickets as services show them, and as others do who found one (attack 34).

use axum::body::Body;
use axum::http::{Request, StatusCode, header};

use super::*;
use crate::base::url;
use crate::domain::identity::Status;
use crate::domain::relying_party::{Attribute, CasPreset};
use crate::domain::testing::contact;
use crate::flows::testing::scene::{self, on_each_engine};

const VALIDATE: &str = "/cas/serviceValidate";

#[tokio::test]
async fn attack_34_a_ticket_is_good_once_and_its_reuse_is_journalled() {
    on_each_engine(async |context, clock| {
        let (site, browser, _, _) = with_lina_and_notes((context, clock)).await;
        let ticket = browser.ticket(&site, NOTES).await;
        assert!(element(&site.show(VALIDATE, NOTES, &ticket).await, "user").is_some());
        for path in [
            VALIDATE,
            "/cas/proxyValidate",
            "/cas/p3/serviceValidate",
            "/cas/p3/proxyValidate",
        ] {
            assert_eq!(
                site.refusal(path, NOTES, &ticket).await,
                "INVALID_TICKET",
                "{path}"
            );
        }
        assert_eq!(site.show("/cas/validate", NOTES, &ticket).await.body, "no\n\n");
        assert_eq!(site.journalled("ticket.refused").await, 5);
        for unknown in ["ST-1856339-aA5Yuvrxzpv8Tau1cYQ7", "x", "ST-'\"<>"] {
            assert_eq!(site.refusal(VALIDATE, NOTES, unknown).await, "INVALID_TICKET");
        }
        assert_eq!(
            site.journalled("ticket.refused").await,
            5,
            "nobody fills the journal"
        );
    })
    .await;
}

#[tokio::test]
async fn attack_34_of_forty_validations_at_once_one_succeeds() {
    on_each_engine(async |context, clock| {
        let (site, browser, _, _) = with_lina_and_notes((context, clock)).await;
        let site = Arc::new(site);
        let ticket = browser.ticket(&site, NOTES).await;
        let tasks: Vec<_> = (0..40)
            .map(|_| {
                let (site, ticket) = (Arc::clone(&site), ticket.clone());
                tokio::spawn(async move {
                    let reply = site.show(VALIDATE, NOTES, &ticket).await;
                    u32::from(element(&reply, "user").is_some())
                })
            })
            .collect();
        let mut good = 0;
        for task in tasks {
            good += task.await.unwrap();
        }
        assert_eq!(good, 1);
    })
    .await;
}

#[tokio::test]
async fn attack_34_a_ticket_for_another_service_is_spent_by_the_attempt() {
    on_each_engine(async |context, clock| {
        let (site, browser, _, _) = with_lina_and_notes((context, clock)).await;
        for other in [AGENDA, "https://notes.example/app", "https://evil.example/", "x"] {
            let ticket = browser.ticket(&site, NOTES).await;
            assert_eq!(
                site.refusal(VALIDATE, other, &ticket).await,
                "INVALID_SERVICE",
                "{other}"
            );
            assert_eq!(
                site.refusal(VALIDATE, NOTES, &ticket).await,
                "INVALID_TICKET",
                "{other}"
            );
        }
    })
    .await;
}

#[tokio::test]
async fn attack_34_a_ticket_that_waited_too_long() {
    on_each_engine(async |context, clock| {
        let (site, browser, _, _) = with_lina_and_notes((context, clock)).await;
        let ticket = browser.ticket(&site, NOTES).await;
        site.advance(60);
        assert_eq!(site.refusal(VALIDATE, NOTES, &ticket).await, "INVALID_TICKET");
        let ticket = browser.ticket(&site, NOTES).await;
        site.advance(59);
        assert!(element(&site.show(VALIDATE, NOTES, &ticket).await, "user").is_some());
    })
    .await;
}

#[tokio::test]
async fn what_a_ticket_rests_on_is_looked_at_again() {
    on_each_engine(async |context, clock| {
        let (site, mut browser, lina, _) = with_lina_and_notes((context, clock)).await;
        let refused = async |ticket: &str| site.refusal(VALIDATE, NOTES, ticket).await;

        let ticket = browser.ticket(&site, NOTES).await;
        let mut notes = service("notes");
        notes.enabled = false;
        site.declare(&notes).await;
        assert_eq!(refused(&ticket).await, "INVALID_TICKET", "out of use");
        site.declare(&service("notes")).await;

        let ticket = browser.ticket(&site, NOTES).await;
        let mut notes = service("notes");
        notes.cas.as_mut().unwrap().services = vec!["https://notes.example/other".into()];
        site.declare(&notes).await;
        assert_eq!(refused(&ticket).await, "INVALID_TICKET", "another address");
        site.declare(&service("notes")).await;

        let ticket = browser.ticket(&site, NOTES).await;
        let mut notes = service("notes");
        notes.schools = vec![COLLEGE.parse().unwrap()];
        site.declare(&notes).await;
        assert_eq!(refused(&ticket).await, "INVALID_TICKET", "closed");
        site.declare(&service("notes")).await;

        let ticket = browser.ticket(&site, NOTES).await;
        scene::set_status(&site.context, lina.id, Status::Suspended).await;
        assert_eq!(refused(&ticket).await, "INVALID_TICKET", "suspended");
        scene::set_status(&site.context, lina.id, Status::Active).await;

        let ticket = browser.ticket(&site, NOTES).await;
        scene::end_session(&site.context, browser.cookie.as_ref().unwrap()).await;
        assert_eq!(refused(&ticket).await, "INVALID_TICKET", "signed out");
        browser.cookie = None;
        site.sign_in(&mut browser, &lina).await;
        let ticket = browser.ticket(&site, NOTES).await;
        assert!(element(&site.show(VALIDATE, NOTES, &ticket).await, "user").is_some());
    })
    .await;
}

#[tokio::test]
async fn what_is_missing_or_not_understood_is_an_invalid_request() {
    on_each_engine(async |context, clock| {
        let (site, browser, _, _) = with_lina_and_notes((context, clock)).await;
        for query in ["", "?service=https://notes.example/app", "?ticket=ST-1"] {
            for path in [VALIDATE, "/cas/proxyValidate", "/cas/p3/serviceValidate"] {
                let reply = Browser::default().get(&site, &format!("{path}{query}")).await;
                assert_eq!(
                    (reply.status, code(&reply)),
                    (StatusCode::OK, "INVALID_REQUEST".into())
                );
            }
        }
        let long = format!("{VALIDATE}?service={}", "x".repeat(9000));
        assert_eq!(
            code(&Browser::default().get(&site, &long).await),
            "INVALID_REQUEST"
        );
        let ticket = browser.ticket(&site, NOTES).await;
        let json = |format: &str| {
            let parameters = [("service", NOTES), ("ticket", &ticket), ("format", format)];
            at(VALIDATE, &parameters)
        };
        let odd = Browser::default().get(&site, &json("YAML")).await;
        assert_eq!(code(&odd), "INVALID_REQUEST", "and the ticket is not spent");
        let reply = Browser::default().get(&site, &json("JSON")).await.json();
        let success = &reply["serviceResponse"]["authenticationSuccess"];
        assert_eq!(success["attributes"]["givenName"], "Lina");
        let again = Browser::default().get(&site, &json("json")).await.json();
        let failure = &again["serviceResponse"]["authenticationFailure"];
        assert_eq!(failure["code"], "INVALID_TICKET");
    })
    .await;
}

#[tokio::test]
async fn each_service_is_told_in_its_shape_what_its_policy_lists() {
    on_each_engine(async |context, clock| {
        let (site, browser, lina, _) = with_lina_and_notes((context, clock)).await;
        scene::reach(&site.context, lina.id, &contact("lina")).await;
        let mut notes = service("notes");
        notes.cas.as_mut().unwrap().preset = CasPreset::Pronote;
        site.declare(&notes).await;
        let mut agenda = service("agenda");
        agenda.cas.as_mut().unwrap().preset = CasPreset::Entcore;
        agenda
            .release
            .0
            .retain(|line| matches!(line.attribute, Attribute::Uai | Attribute::Class));
        site.declare(&agenda).await;
        let ticket = browser.ticket(&site, NOTES).await;
        let reply = site.show(VALIDATE, NOTES, &ticket).await;
        assert!(
            reply.body.contains(
                "<cas:nom>Le Goff</cas:nom><cas:prenom>Lina</cas:prenom>\
                 <cas:dateNaissance>17/08/2016</cas:dateNaissance><cas:codePostal>80000</cas:codePostal>\
                 <cas:categories>National_1</cas:categories></cas:attributes>"
            ),
            "{}",
            reply.body
        );
        let ticket = browser.ticket(&site, AGENDA).await;
        let reply = site.show(VALIDATE, AGENDA, &ticket).await;
        assert!(
            reply.body.contains(
                "<cas:userAttributes><cas:schools><cas:school UAI=\"9990001X\" externalId=\"9990001X\"><cas:classes>\
                 <cas:classe>CM2 A</cas:classe></cas:classes></cas:school></cas:schools></cas:userAttributes>"
            ),
            "{}",
            reply.body
        );
        assert!(!reply.body.contains("Lina") && !reply.body.contains("Goff"));
    })
    .await;
}

#[tokio::test]
async fn a_ticket_may_be_shown_in_an_envelope() {
    on_each_engine(async |context, clock| {
        let (site, browser, _, _) = with_lina_and_notes((context, clock)).await;
        let show = async |ticket: &str| {
            let envelope = format!(
                "<?xml version=\"1.0\" encoding=\"utf-8\"?><SOAP-ENV:Envelope \
                 xmlns:SOAP-ENV=\"http://schemas.xmlsoap.org/soap/envelope/\"><SOAP-ENV:Header/><SOAP-ENV:Body>\
                 <samlp:Request xmlns:samlp=\"urn:oasis:names:tc:SAML:1.0:protocol\"  MajorVersion=\"1\" \
                 MinorVersion=\"1\"><samlp:AssertionArtifact>{ticket}</samlp:AssertionArtifact></samlp:Request>\
                 </SOAP-ENV:Body></SOAP-ENV:Envelope>"
            );
            let request = Request::post(at("/cas/samlValidate", &[("TARGET", NOTES)]))
                .header(header::CONTENT_TYPE, "text/xml")
                .body(Body::from(envelope));
            site.send(request.unwrap()).await
        };
        let ticket = browser.ticket(&site, NOTES).await;
        let reply = show(&ticket).await;
        assert_eq!(reply.header(header::CONTENT_TYPE), Some("text/xml; charset=utf-8"));
        assert!(reply.body.contains("Value=\"samlp:Success\""), "{}", reply.body);
        assert!(reply.body.contains("<saml:AttributeValue>Lina</saml:AttributeValue>"));
        let again = show(&ticket).await;
        assert!(again.body.contains("INVALID_TICKET") && !again.body.contains("Lina"));
        let get = browser.get(&site, &at("/cas/samlValidate", &[("TARGET", NOTES)])).await;
        assert_eq!(get.status, StatusCode::METHOD_NOT_ALLOWED);
    })
    .await;
}

#[tokio::test]
async fn attack_33_a_name_in_markup_stays_a_name() {
    on_each_engine(async |context, clock| {
        let (site, mut browser, _, _) = with_lina_and_notes((context, clock)).await;
        let name = "</cas:givenName></cas:attributes><cas:user>admin</cas:user>";
        let eve = site.pupil(name, 7, ECOLE).await;
        browser.cookie = None;
        site.sign_in(&mut browser, &eve).await;
        let ticket = browser.ticket(&site, NOTES).await;
        let reply = site.show(VALIDATE, NOTES, &ticket).await;
        assert_eq!(reply.body.matches("<cas:user>").count(), 1, "{}", reply.body);
        assert_eq!(
            element(&reply, "givenName"),
            Some("&lt;/cas:givenName&gt;&lt;/cas:attributes&gt;&lt;cas:user&gt;admin&lt;/cas:user&gt;")
        );
    })
    .await;
}

#[tokio::test]
async fn a_ticket_is_no_token_and_a_code_is_no_ticket() {
    on_each_engine(async |context, clock| {
        let (site, browser, _, _) = with_lina_and_notes((context, clock)).await;
        let code = browser.code(&site, "ent", &[]).await;
        assert_eq!(site.refusal(VALIDATE, NOTES, &code).await, "INVALID_TICKET");
        let ticket = browser.ticket(&site, NOTES).await;
        assert_eq!(site.token("ent", &ticket, &[]).await.error(), "invalid_grant");
        let form = url::query([("ticket", ticket.as_str()), ("service", NOTES)]);
        let posted = Browser::default().post(&site, VALIDATE, form).await;
        assert_eq!(posted.status, StatusCode::METHOD_NOT_ALLOWED);
    })
    .await;
}
