//! The staggered opening of a school year: no ticket before the day, and none of before is good. It is 08:00 UTC on Thursday
//! 1 October 2026; 2 October begins at 22:00 UTC in Paris.

use axum::http::StatusCode;

use super::proxy::{CALLBACK, acting, proxied, show_and_act, taking};
use super::*;
use crate::flows::testing::scene::{self, on_each_engine};

const VALIDATE: &str = "/cas/serviceValidate";
const TOMORROW: &str = "2026-10-02";

#[tokio::test]
async fn before_the_day_a_pupil_is_told_it_and_gets_no_ticket() {
    on_each_engine(async |context, clock| {
        let (site, mut browser, lina, _) = with_lina_and_notes((context, clock)).await;
        scene::opens(&site.context, None, TOMORROW).await;
        let told = browser.get(&site, &login_url(NOTES, &[])).await;
        assert_eq!(told.status, StatusCode::FORBIDDEN);
        assert!(
            told.body.contains("Ton espace ouvre le vendredi 2 octobre 2026."),
            "{}",
            told.body
        );
        let back = browser
            .get(&site, &login_url(NOTES, &[("gateway", "true")]))
            .await;
        assert_eq!(back.location(), NOTES);
        assert_eq!(site.journalled("authorization.refused").await, 2);
        site.advance(14 * 3600);
        site.sign_in(&mut browser, &lina).await;
        let ticket = browser.ticket(&site, NOTES).await;
        assert!(element(&site.show(VALIDATE, NOTES, &ticket).await, "user").is_some());
    })
    .await;
}

#[tokio::test]
async fn a_date_that_is_moved_meanwhile_is_looked_at_again_with_each_ticket() {
    on_each_engine(async |context, clock| {
        let (site, browser, _, partners) = with_lina_and_notes((context, clock)).await;
        site.declare(&acting()).await;
        let taken = taking(&partners, "https://notes.example/pgt");
        let ticket = browser.ticket(&site, NOTES).await;
        show_and_act(&site, (VALIDATE, NOTES), &ticket, CALLBACK).await;
        let (_, pgt) = taken.lock().unwrap().pop().unwrap();
        let reply = proxied(&site, &pgt, AGENDA).await;
        let proxy_ticket = element(&reply, "proxyTicket").unwrap().to_owned();
        let ticket = browser.ticket(&site, NOTES).await;

        scene::opens(&site.context, None, TOMORROW).await;
        assert_eq!(site.refusal(VALIDATE, NOTES, &ticket).await, "INVALID_TICKET");
        let refused = site.refusal("/cas/proxyValidate", AGENDA, &proxy_ticket).await;
        assert_eq!(refused, "INVALID_TICKET");
        assert_eq!(code(&proxied(&site, &pgt, AGENDA).await), "INVALID_TICKET");
        assert_eq!(site.journalled("ticket.refused").await, 2);
        scene::opens(&site.context, None, "2026-09-07").await;
        assert!(element(&proxied(&site, &pgt, AGENDA).await, "proxyTicket").is_some());
    })
    .await;
}
