//! Services that act for a person at others, and those who would like to (attack 34).

use std::sync::Mutex;

use super::*;
use crate::base::secret::Secret;
use crate::base::url;
use crate::domain::relying_party::RelyingParty;
use crate::flows::Context;
use crate::flows::outbound::{Answer, Outbound};
use crate::flows::testing::scene::{self, on_each_engine};

pub(super) const CALLBACK: &str = "https://notes.example/pgt?tenant=1";

/// `notes`, which may act for people elsewhere.
pub(super) fn acting() -> RelyingParty {
    let mut notes = service("notes");
    notes.cas.as_mut().unwrap().proxy_callbacks = vec!["https://notes.example/pgt".into()];
    notes
}

/// A callback that keeps what it is handed: IOU and ticket.
pub(super) fn taking(partners: &Partners, prefix: &str) -> Arc<Mutex<Vec<(String, String)>>> {
    let taken = Arc::new(Mutex::new(Vec::new()));
    let keeps = Arc::clone(&taken);
    partners.answer(prefix, move |asked| {
        assert_eq!(asked.method(), http::Method::GET);
        let parameters = url::parameters(asked.uri().query().unwrap());
        let named = |name: &str| {
            let found = parameters.iter().find(|(other, _)| other == name);
            found.unwrap().1.clone()
        };
        keeps.lock().unwrap().push((named("pgtIou"), named("pgtId")));
        http::Response::new(Vec::new())
    });
    taken
}

/// What `notes` is answered that shows a ticket and wants to act.
pub(super) async fn show_and_act(
    site: &Site,
    (path, service): (&str, &str),
    ticket: &str,
    pgt_url: &str,
) -> Reply {
    let parameters = [("service", service), ("ticket", ticket), ("pgtUrl", pgt_url)];
    Browser::default().get(site, &at(path, &parameters)).await
}

pub(super) async fn proxied(site: &Site, pgt: &str, target: &str) -> Reply {
    let parameters = [("pgt", pgt), ("targetService", target)];
    Browser::default().get(site, &at("/cas/proxy", &parameters)).await
}

#[tokio::test]
async fn section_2_5_4_a_service_acts_at_another_and_that_one_at_a_third() {
    on_each_engine(async |context, clock| {
        let (site, browser, lina, partners) = with_lina_and_notes((context, clock)).await;
        site.declare(&acting()).await;
        let mut agenda = service("agenda");
        agenda.cas.as_mut().unwrap().proxy_callbacks = vec!["https://agenda.example/pgt".into()];
        site.declare(&agenda).await;
        let of_notes = taking(&partners, "https://notes.example/pgt?tenant=1&");
        let of_agenda = taking(&partners, "https://agenda.example/pgt");

        let ticket = browser.ticket(&site, NOTES).await;
        let reply = show_and_act(&site, ("/cas/serviceValidate", NOTES), &ticket, CALLBACK).await;
        let iou = element(&reply, "proxyGrantingTicket").unwrap().to_owned();
        let (told, pgt) = of_notes.lock().unwrap().pop().unwrap();
        assert_eq!(iou, told);
        assert!(pgt.starts_with("PGT-") && !reply.body.contains(&pgt));

        let reply = proxied(&site, &pgt, AGENDA).await;
        let ticket = element(&reply, "proxyTicket").unwrap().to_owned();
        assert!(ticket.starts_with("PT-"));
        let callback = "https://agenda.example/pgt";
        let reply = show_and_act(&site, ("/cas/proxyValidate", AGENDA), &ticket, callback).await;
        assert_eq!(
            element(&reply, "proxies"),
            Some("<cas:proxy>https://notes.example/pgt?tenant=1</cas:proxy>")
        );
        assert_eq!(element(&reply, "isFromNewLogin"), Some("false"));

        let (_, second) = of_agenda.lock().unwrap().pop().unwrap();
        let reply = proxied(&site, &second, NOTES).await;
        let third = element(&reply, "proxyTicket").unwrap().to_owned();
        let reply = site.show("/cas/p3/proxyValidate", NOTES, &third).await;
        assert_eq!(
            element(&reply, "proxies"),
            Some(
                "<cas:proxy>https://agenda.example/pgt</cas:proxy>\
                 <cas:proxy>https://notes.example/pgt?tenant=1</cas:proxy>"
            )
        );
        // "Proxy-granting tickets are not one-time-use tickets."
        let again = proxied(&site, &pgt, AGENDA).await;
        let again = element(&again, "proxyTicket").unwrap().to_owned();
        assert_eq!(site.journalled("proxy_ticket.issued").await, 3);
        // "Proxy-granting tickets MUST expire when the client whose authentication is being proxied logs out of CAS."
        scene::end_session(&site.context, browser.cookie.as_ref().unwrap()).await;
        assert_eq!(code(&proxied(&site, &pgt, AGENDA).await), "INVALID_TICKET");
        assert_eq!(
            site.refusal("/cas/proxyValidate", AGENDA, &again).await,
            "INVALID_TICKET"
        );
        assert_eq!(lina.given_name, "Lina");
    })
    .await;
}

#[tokio::test]
async fn attack_34_a_proxy_ticket_at_service_validate() {
    on_each_engine(async |context, clock| {
        let (site, browser, _, partners) = with_lina_and_notes((context, clock)).await;
        site.declare(&acting()).await;
        let taken = taking(&partners, "https://notes.example/pgt");
        let ticket = browser.ticket(&site, NOTES).await;
        show_and_act(&site, ("/cas/serviceValidate", NOTES), &ticket, CALLBACK).await;
        let (_, pgt) = taken.lock().unwrap().pop().unwrap();
        for path in ["/cas/serviceValidate", "/cas/p3/serviceValidate"] {
            let reply = proxied(&site, &pgt, AGENDA).await;
            let ticket = element(&reply, "proxyTicket").unwrap().to_owned();
            let refused = site.show(path, AGENDA, &ticket).await;
            assert_eq!(code(&refused), "INVALID_TICKET_SPEC");
            assert!(refused.body.contains("a proxy ticket was passed"));
            let spent = site.refusal("/cas/proxyValidate", AGENDA, &ticket).await;
            assert_eq!(spent, "INVALID_TICKET");
        }
        let reply = proxied(&site, &pgt, AGENDA).await;
        let ticket = element(&reply, "proxyTicket").unwrap().to_owned();
        assert_eq!(
            site.show("/cas/validate", AGENDA, &ticket).await.body,
            "no\n\n",
            "§2.4"
        );
        let shown = site.refusal("/cas/proxyValidate", NOTES, &pgt).await;
        assert_eq!(
            shown, "INVALID_TICKET",
            "a proxy-granting ticket is shown to nobody"
        );
    })
    .await;
}

#[tokio::test]
async fn attack_34_a_proxy_callback_calls_nobody_that_was_not_declared() {
    on_each_engine(async |context, clock| {
        let (site, browser, _, partners) = with_lina_and_notes((context, clock)).await;
        let act = async |pgt_url: &str| {
            let ticket = browser.ticket(&site, NOTES).await;
            let reply = show_and_act(&site, ("/cas/serviceValidate", NOTES), &ticket, pgt_url).await;
            assert!(element(&reply, "user").is_none());
            let code = code(&reply);
            let spent = site.refusal("/cas/serviceValidate", NOTES, &ticket).await;
            assert_eq!(spent, "INVALID_TICKET");
            code
        };
        assert_eq!(act(CALLBACK).await, "UNAUTHORIZED_SERVICE_PROXY");
        site.declare(&acting()).await;
        for elsewhere in [
            "http://notes.example/pgt",
            "https://169.254.169.254/latest/meta-data/",
            "https://127.0.0.1/admin",
            "https://[::1]/",
            "https://localhost/",
            "https://notes.example/app",
            "https://notes.example/pgt/../admin",
            "https://notes.example/pgt%2f..%2fadmin",
            "https://notes.example@10.0.0.1/pgt",
            "https://agenda.example/pgt",
            "file:///etc/passwd",
            "gopher://notes.example/pgt",
        ] {
            assert_eq!(act(elsewhere).await, "INVALID_PROXY_CALLBACK", "{elsewhere}");
        }
        assert!(partners.asked().is_empty(), "nobody was called");
    })
    .await;
}

#[tokio::test]
async fn section_2_5_4_a_callback_that_does_not_answer_200_fails_the_validation() {
    on_each_engine(async |context, clock| {
        let (site, browser, _, partners) = with_lina_and_notes((context, clock)).await;
        site.declare(&acting()).await;
        for status in [302, 404, 500] {
            partners.answer("https://notes.example/pgt", move |_| {
                http::Response::builder().status(status).body(Vec::new()).unwrap()
            });
            let ticket = browser.ticket(&site, NOTES).await;
            let reply = show_and_act(&site, ("/cas/serviceValidate", NOTES), &ticket, CALLBACK).await;
            assert_eq!(code(&reply), "INVALID_PROXY_CALLBACK", "{status}");
            let asked = partners.asked().pop().unwrap();
            let parameters = url::parameters(asked.uri().query().unwrap());
            let (_, pgt) = parameters.iter().find(|(name, _)| name == "pgtId").unwrap();
            assert_eq!(
                code(&proxied(&site, pgt, AGENDA).await),
                "INVALID_TICKET",
                "never was one"
            );
        }
    })
    .await;
}

#[tokio::test]
async fn a_proxy_reaches_only_where_the_person_could_go_without_being_shown_anything() {
    on_each_engine(async |context, clock| {
        let (site, browser, _, partners) = with_lina_and_notes((context, clock)).await;
        site.declare(&acting()).await;
        let taken = taking(&partners, "https://notes.example/pgt");
        let ticket = browser.ticket(&site, NOTES).await;
        show_and_act(&site, ("/cas/serviceValidate", NOTES), &ticket, CALLBACK).await;
        let (_, pgt) = taken.lock().unwrap().pop().unwrap();
        let refused = async |target: &str| code(&proxied(&site, &pgt, target).await);

        assert_eq!(refused("https://evil.example/").await, "UNAUTHORIZED_SERVICE");
        assert_eq!(refused("imap://agenda.example").await, "UNAUTHORIZED_SERVICE");
        site.declare(&service("new")).await;
        assert_eq!(
            refused("https://new.example/app").await,
            "UNAUTHORIZED_SERVICE",
            "Lina was not told of it"
        );
        let mut agenda = service("agenda");
        agenda.schools = vec![COLLEGE.parse().unwrap()];
        site.declare(&agenda).await;
        assert_eq!(refused(AGENDA).await, "UNAUTHORIZED_SERVICE", "closed");
        site.declare(&service("agenda")).await;
        let missing = Browser::default().get(&site, "/cas/proxy?pgt=PGT-1").await;
        assert_eq!(code(&missing), "INVALID_REQUEST");
        assert!(missing.body.contains("<cas:proxyFailure"));
        // What an operator takes back is gone at once.
        site.declare(&service("notes")).await;
        assert_eq!(refused(AGENDA).await, "UNAUTHORIZED_SERVICE_PROXY");
        let mut off = acting();
        off.enabled = false;
        site.declare(&off).await;
        assert_eq!(refused(AGENDA).await, "INVALID_TICKET");
    })
    .await;
}

/// A callback that takes every ticket, and the login is over when it has.
#[derive(Default)]
struct Ending(std::sync::OnceLock<(Context, Secret)>);

impl Outbound for Ending {
    fn send(&self, _: http::Request<Vec<u8>>) -> Answer<'_> {
        Box::pin(async {
            let (context, cookie) = self.0.get().unwrap();
            scene::end_session(context, cookie).await;
            Ok(http::Response::new(Vec::new()))
        })
    }
}

#[tokio::test]
async fn a_login_that_ends_while_the_callback_is_asked_is_told_to_nobody() {
    on_each_engine(async |mut context, clock| {
        let ending = Arc::new(Ending::default());
        context.outbound = ending.clone();
        let (site, mut browser, lina) = with_lina((context, clock)).await;
        site.declare(&acting()).await;
        site.sign_in(&mut browser, &lina).await;
        let cookie = browser.cookie.clone().unwrap();
        assert!(ending.0.set((site.context.clone(), cookie)).is_ok());
        let ticket = browser.ticket(&site, NOTES).await;
        let reply = show_and_act(&site, ("/cas/serviceValidate", NOTES), &ticket, CALLBACK).await;
        assert_eq!(code(&reply), "INVALID_TICKET");
        assert_eq!(site.journalled("ticket.validated").await, 0);
    })
    .await;
}
