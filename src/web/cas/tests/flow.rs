//! From a stranger at the service to who they are.

use axum::http::{StatusCode, header};

use super::*;
use crate::flows::testing::scene::on_each_engine;

#[tokio::test]
async fn from_a_stranger_at_the_service_to_who_they_are() {
    on_each_engine(async |context, clock| {
        let (site, _, lina) = with_lina_and_notes((context, clock)).await;
        let mut browser = Browser::default();
        let sent = browser.get(&site, &at("/cas/login", &[("service", NOTES)])).await;
        assert!(sent.location().starts_with("/login?continue="), "{sent:?}");
        let login = browser.get(&site, sent.location()).await;
        assert_eq!(login.status, StatusCode::OK);
        assert!(login.body.contains("Service notes"));
        let policy = login.header(header::CONTENT_SECURITY_POLICY).unwrap();
        assert!(
            policy.contains("form-action 'self' https://notes.example;"),
            "{policy}"
        );
        let waiting = sent.sent("continue").unwrap();
        site.advance(20);
        site.sign_in(&mut browser, &lina).await;
        let back = browser
            .get(&site, &at("/cas/login/resume", &[("continue", &waiting)]))
            .await;
        assert!(
            back.location()
                .starts_with("https://notes.example/app/6e?tab=1&ticket=ST-")
        );
        assert_eq!(back.header(header::CACHE_CONTROL), Some("no-store"));
        let ticket = back.sent("ticket").unwrap();

        let reply = site.show("/cas/p3/serviceValidate", NOTES, &ticket).await;
        assert_eq!(reply.status, StatusCode::OK);
        assert_eq!(
            reply.header(header::CONTENT_TYPE),
            Some("application/xml; charset=utf-8")
        );
        assert_eq!(element(&reply, "givenName"), Some("Lina"));
        assert_eq!(element(&reply, "isFromNewLogin"), Some("true"));
        assert_eq!(
            site.refusal("/cas/serviceValidate", NOTES, &ticket).await,
            "INVALID_TICKET"
        );
        for (kind, count) in [
            ("authorization.granted", 1),
            ("ticket.validated", 1),
            ("ticket.refused", 1),
            ("subject.issued", 1),
        ] {
            assert_eq!(site.journalled(kind).await, count, "{kind}");
        }
    })
    .await;
}
