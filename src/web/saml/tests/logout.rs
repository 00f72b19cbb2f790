//! Single logout: who may ask, in which order things end, and what each participant is told.

use super::partner::{Partner, Posted, element, redirected, status};
use crate::domain::identity::Identity;
use crate::domain::relying_party::LogoutAddress;
use crate::domain::saml_entity::Binding;
use crate::domain::testing::party;
use crate::flows::testing::scene::on_each_engine;
use crate::saml::name_id::NameIdFormat;
use crate::saml::status::{Detail, Status};
use crate::saml::testing::{query, read};
use crate::saml::xml::{Document, Element, Namespace};
use crate::saml::xmlsec::redirect::Kind;
use crate::web::oauth::tests::site::{Browser, ECOLE, Reply, Scene, Site};

const SLO: &str = "https://id.example.fr/saml/slo";

/// A person who is signed in at some service providers, with the assertion that each got.
struct Everywhere {
    site: Site,
    browser: Browser,
    lina: Identity,
    partners: Vec<(Partner, Document)>,
}

async fn signed_on(site: &Site, browser: &Browser, partner: &Partner, id: &str) -> Document {
    let policy =
        Element::new(Namespace::Samlp, "NameIDPolicy").attribute("Format", NameIdFormat::Transient.as_str());
    let request = partner.provider.authn_request(id).child(policy);
    let query = partner.provider.query(Kind::Request, &request, None);
    let reply = browser.get(site, &format!("/saml/sso?{query}")).await;
    Posted::of(&reply).assertion(site).await
}

async fn lina(site: &Site) -> (Identity, Browser) {
    let lina = site.pupil("Lina", 1, ECOLE).await;
    let mut browser = Browser::default();
    site.sign_in(&mut browser, &lina).await;
    site.advance(1);
    (lina, browser)
}

async fn everywhere(scene: Scene, ids: &[&str], change: impl Fn(&mut Partner)) -> Everywhere {
    let site = Site::new(scene).await;
    let mut all: Vec<_> = ids.iter().map(|id| Partner::new(id)).collect();
    for partner in &mut all {
        change(partner);
        partner.declare(&site).await;
    }
    let (lina, browser) = lina(&site).await;
    let mut partners = Vec::new();
    for partner in all {
        let assertion = signed_on(&site, &browser, &partner, "_r1").await;
        partners.push((partner, assertion));
    }
    Everywhere {
        site,
        browser,
        lina,
        partners,
    }
}

/// The request of a party to end the login that its assertion is about.
fn request(partner: &Partner, assertion: &Document, id: &str) -> Element {
    let name = element(assertion, "NameID");
    let index = element(assertion, "AuthnStatement")
        .attribute("SessionIndex")
        .unwrap();
    let named = Element::new(Namespace::Saml, "NameID")
        .attribute("Format", name.attribute("Format").unwrap())
        .attribute("NameQualifier", name.attribute("NameQualifier").unwrap())
        .attribute("SPNameQualifier", name.attribute("SPNameQualifier").unwrap())
        .text(name.text().unwrap());
    partner
        .provider
        .message("LogoutRequest", id, SLO)
        .child(named)
        .child(Element::new(Namespace::Samlp, "SessionIndex").text(index))
}

impl Everywhere {
    async fn ask(&self, who: usize, id: &str) -> Reply {
        let (partner, assertion) = &self.partners[who];
        let query = partner
            .provider
            .query(Kind::Request, &request(partner, assertion, id), Some("back"));
        self.browser.get(&self.site, &format!("/saml/slo?{query}")).await
    }

    async fn is_signed_in(&self) -> bool {
        let home = self.browser.get(&self.site, "/").await;
        home.status == 200
    }

    /// A frame of a farewell page visits a participant, which answers.
    async fn visit(&self, frame: &str, who: usize, answer: Status) -> Reply {
        let asked = self.browser.get(&self.site, frame).await;
        let (message, _) = redirected(&self.site, &asked, Kind::Request).await;
        let (partner, assertion) = &self.partners[who];
        let of = |document: &Document, name: &str| element(document, name).text().unwrap().to_owned();
        assert_eq!(of(&message, "NameID"), of(assertion, "NameID"));
        let index = element(assertion, "AuthnStatement")
            .attribute("SessionIndex")
            .unwrap();
        assert_eq!(of(&message, "SessionIndex"), index);
        let id = message.root().attribute("ID").unwrap();
        let response = partner
            .provider
            .message("LogoutResponse", "_a1", SLO)
            .attribute("InResponseTo", id)
            .child(answer.element());
        let query = partner.provider.query(Kind::Response, &response, None);
        // A frame of another site brings no cookie.
        Browser::default()
            .get(&self.site, &format!("/saml/slo?{query}"))
            .await
    }
}

fn unescaped(text: &str) -> String {
    text.replace("&#38;", "&")
}

/// The addresses of the frames in which participants are asked.
fn frames(page: &Reply) -> Vec<String> {
    let mut found = page.body.split("<iframe id=\"asked-").skip(1);
    let mut all = Vec::new();
    for rest in &mut found {
        let source = rest.split("src=\"").nth(1).unwrap().split('"').next().unwrap();
        all.push(unescaped(source));
    }
    all
}

/// Where the button of a farewell page leads.
fn onward(page: &Reply) -> String {
    let link = page.body.split("href=\"/saml/slo/finish").nth(1).unwrap();
    format!("/saml/slo/finish{}", unescaped(link.split('"').next().unwrap()))
}

#[tokio::test]
async fn a_service_that_is_alone_ends_the_login_and_is_answered_at_once() {
    on_each_engine(async |context, clock| {
        let all = everywhere((context, clock), &["ent"], |_| {}).await;
        let reply = all.ask(0, "_l1").await;
        let (answer, relay_state) = redirected(&all.site, &reply, Kind::Response).await;
        assert_eq!(
            (status(&answer), relay_state.as_deref()),
            ("Success".into(), Some("back"))
        );
        assert_eq!(answer.root().attribute("InResponseTo"), Some("_l1"));
        assert!(
            reply
                .location()
                .starts_with("https://ent.example/slo?SAMLResponse=")
        );
        assert!(!all.is_signed_in().await);
        assert_eq!(all.site.journalled("session.ended").await, 1);
    })
    .await;
}

#[tokio::test]
async fn a_form_is_sent_round_and_answered_by_form_where_answers_go() {
    on_each_engine(async |context, clock| {
        let all = everywhere((context, clock), &["ent"], |_| {}).await;
        let (ent, assertion) = &all.partners[0];
        let form = ent
            .provider
            .form(Kind::Request, &request(ent, assertion, "_l1"), Some("back"));
        let round = Browser::default().post(&all.site, "/saml/slo", form).await;
        assert!(round.location().starts_with("/saml/slo/resume?continue="));
        assert!(
            all.is_signed_in().await,
            "nothing ends before the browser came with its cookie"
        );
        let posted = Posted::of(&all.browser.get(&all.site, round.location()).await);
        assert_eq!(posted.action, "https://ent.example/slo/done", "ResponseLocation");
        assert_eq!(
            (posted.status(), posted.relay_state.as_deref()),
            ("Success".into(), Some("back"))
        );
        assert!(!all.is_signed_in().await);
    })
    .await;
}

#[tokio::test]
async fn every_other_participant_is_asked_in_a_frame_and_then_the_one_that_asked_is_answered() {
    on_each_engine(async |context, clock| {
        let all = everywhere((context, clock), &["ent", "cantine", "notes"], |_| {}).await;
        let page = all.ask(0, "_l1").await;
        assert_eq!(page.status, 200);
        assert!(!all.is_signed_in().await, "the login here ends first");
        let policy = page.headers["content-security-policy"].to_str().unwrap();
        let framed = "frame-src https://id.example.fr https://cantine.example https://notes.example;";
        assert!(policy.contains(framed), "{policy}");
        let frames = frames(&page);
        assert_eq!(frames.len(), 2, "not the one that asked: {page:?}");
        for (at, frame) in frames.iter().enumerate() {
            let verdict = all.visit(frame, at + 1, Status::SUCCESS).await;
            assert!(verdict.body.contains("data-verdict=\"over\""), "{verdict:?}");
            let policy = verdict.headers["content-security-policy"].to_str().unwrap();
            assert!(policy.contains("frame-ancestors 'self'"));
            assert_eq!(verdict.headers["x-frame-options"], "SAMEORIGIN");
        }
        let reply = all.browser.get(&all.site, &onward(&page)).await;
        let (answer, relay_state) = redirected(&all.site, &reply, Kind::Response).await;
        assert_eq!(
            (status(&answer), relay_state.as_deref()),
            ("Success".into(), Some("back"))
        );
        assert_eq!(all.site.journalled("logout.delivered").await, 2);
    })
    .await;
}

#[tokio::test]
async fn attack_32_a_dead_participant_keeps_nobody_waiting_and_is_told_of() {
    on_each_engine(async |context, clock| {
        let all = everywhere((context, clock), &["ent", "dead", "notes"], |_| {}).await;
        let page = all.ask(0, "_l1").await;
        let frames = frames(&page);
        // The first frame never comes back; the second does.
        let verdict = all.visit(&frames[1], 2, Status::SUCCESS).await;
        assert!(verdict.body.contains("data-verdict=\"over\""));
        assert!(
            page.body.contains("data-after-frames=\"5\""),
            "the page goes on by itself"
        );
        assert!(
            page.body.contains("http-equiv=\"refresh\""),
            "also without scripts"
        );
        let reply = all.browser.get(&all.site, &onward(&page)).await;
        let (answer, _) = redirected(&all.site, &reply, Kind::Response).await;
        assert_eq!(status(&answer), "Success PartialLogout");
    })
    .await;
}

#[tokio::test]
async fn a_participant_that_says_no_or_has_no_way_to_be_asked_makes_it_partial() {
    on_each_engine(async |context, clock| {
        let all = everywhere((context.clone(), clock.clone()), &["ent", "no"], |_| {}).await;
        let page = all.ask(0, "_l1").await;
        let no = Status::responder(Detail::RequestDenied, "no");
        let verdict = all.visit(&frames(&page)[0], 1, no).await;
        assert!(verdict.body.contains("data-verdict=\"not-over\""));
        let reply = all.browser.get(&all.site, &onward(&page)).await;
        assert_eq!(
            status(&redirected(&all.site, &reply, Kind::Response).await.0),
            "Success PartialLogout"
        );
        assert_eq!(all.site.journalled("logout.failed").await, 1);
    })
    .await;
    on_each_engine(async |context, clock| {
        let mute = |partner: &mut Partner| {
            if partner.party.id.as_str() == "mute" {
                partner.metadata.logout_services.clear();
            }
        };
        let all = everywhere((context, clock), &["ent", "mute"], mute).await;
        let reply = all.ask(0, "_l1").await;
        let (answer, _) = redirected(&all.site, &reply, Kind::Response).await;
        assert_eq!(status(&answer), "Success PartialLogout", "nobody to wait for");
    })
    .await;
}

#[tokio::test]
async fn a_service_without_an_address_for_answers_leaves_the_person_with_us() {
    on_each_engine(async |context, clock| {
        let mute = |partner: &mut Partner| partner.metadata.logout_services.clear();
        let all = everywhere((context, clock), &["ent"], mute).await;
        let reply = all.ask(0, "_l1").await;
        assert_eq!(reply.location(), "/sign-out");
        assert!(!all.is_signed_in().await);
    })
    .await;
}

#[tokio::test]
async fn attack_32_nobody_ends_a_login_that_is_not_of_this_browser_or_not_theirs() {
    on_each_engine(async |context, clock| {
        let all = everywhere((context, clock), &["ent", "cantine"], |_| {}).await;
        let (site, (ent, of_ent), (cantine, of_cantine)) = (&all.site, &all.partners[0], &all.partners[1]);
        // Maddi sits at another device, signed in at the same service.
        let maddi = site.pupil("Maddi", 2, ECOLE).await;
        let mut other = Browser::default();
        site.sign_in(&mut other, &maddi).await;
        site.advance(1);
        signed_on(site, &other, ent, "_r9").await;
        let ask = async |browser: &Browser, query: String| {
            let reply = browser.get(site, &format!("/saml/slo?{query}")).await;
            let (answer, _) = redirected(site, &reply, Kind::Response).await;
            status(&answer)
        };
        let of_lina = |id: &str| ent.provider.query(Kind::Request, &request(ent, of_ent, id), None);
        let unknown = "Requester UnknownPrincipal";
        assert_eq!(
            ask(&other, of_lina("_1")).await,
            unknown,
            "Lina's login, from Maddi's browser"
        );
        let crossed = request(cantine, of_ent, "_2");
        let crossed = cantine.provider.query(Kind::Request, &crossed, None);
        assert_eq!(
            ask(&all.browser, crossed).await,
            unknown,
            "the login of another service"
        );
        let stranger = Partner::new("stranger");
        stranger.declare(site).await;
        let query = stranger
            .provider
            .query(Kind::Request, &request(&stranger, of_cantine, "_3"), None);
        assert_eq!(ask(&all.browser, query).await, unknown, "it does not take part");
        assert!(all.is_signed_in().await);
        assert_eq!(site.journalled("session.ended").await, 0);
        assert_eq!(
            ask(&Browser::default(), of_lina("_4")).await,
            "Success",
            "nobody is there: nothing to end"
        );
        assert!(all.is_signed_in().await);
    })
    .await;
}

#[tokio::test]
async fn attack_32_an_unsigned_or_forged_request_ends_nothing() {
    on_each_engine(async |context, clock| {
        let all = everywhere((context, clock), &["ent"], |_| {}).await;
        let (ent, assertion) = &all.partners[0];
        let (message, evil) = (request(ent, assertion, "_1"), Partner::new("evil"));
        let signed = ent.provider.query(Kind::Request, &message, Some("s"));
        for wrong in [
            query(Kind::Request, &message, None),
            evil.provider.query(Kind::Request, &message, None),
            format!("{signed}&RelayState=t"),
            format!("{signed}&SAMLRequest=x"),
            signed.replace("RelayState=s", "RelayState=t"),
            signed.split("&SigAlg").next().unwrap().to_owned(),
        ] {
            let reply = all.browser.get(&all.site, &format!("/saml/slo?{wrong}")).await;
            assert_eq!(reply.status, 400, "{wrong}");
        }
        let form = evil.provider.form(Kind::Request, &message, None);
        assert_eq!(all.browser.post(&all.site, "/saml/slo", form).await.status, 400);
        for path in ["resume", "ask", "finish"] {
            let forged = format!("/saml/slo/{path}?continue=x");
            assert_eq!(all.browser.get(&all.site, &forged).await.status, 400);
        }
        assert!(all.is_signed_in().await);
    })
    .await;
}

#[tokio::test]
async fn an_unsigned_request_is_followed_where_the_operator_lets_it_pass_and_only_about_this_login() {
    on_each_engine(async |context, clock| {
        let tolerant = |partner: &mut Partner| partner.saml().tolerances.unsigned_logout = true;
        let all = everywhere((context, clock), &["ent"], tolerant).await;
        let (ent, assertion) = &all.partners[0];
        let mut message = request(ent, assertion, "_1");
        let send = async |message: &Element| {
            let query = query(Kind::Request, message, None);
            let reply = all.browser.get(&all.site, &format!("/saml/slo?{query}")).await;
            status(&redirected(&all.site, &reply, Kind::Response).await.0)
        };
        let other = ent.provider.message("LogoutRequest", "_0", SLO);
        let other = other.child(Element::new(Namespace::Saml, "NameID").text("x"));
        assert_eq!(send(&other).await, "Requester UnknownPrincipal");
        assert!(all.is_signed_in().await);
        message = message.attribute("Destination", SLO);
        assert_eq!(send(&message).await, "Success");
        assert!(!all.is_signed_in().await);
    })
    .await;
}

#[tokio::test]
async fn attack_32_a_request_is_followed_once() {
    on_each_engine(async |context, clock| {
        let all = everywhere((context, clock), &["ent"], |_| {}).await;
        let (ent, assertion) = &all.partners[0];
        let name = element(assertion, "NameID").text().unwrap().to_owned();
        assert_eq!(
            status(
                &redirected(&all.site, &all.ask(0, "_l1").await, Kind::Response)
                    .await
                    .0
            ),
            "Success"
        );
        // She comes back; the old request, which named no login, comes again.
        let mut browser = Browser::default();
        all.site.sign_in(&mut browser, &all.lina).await;
        all.site.advance(1);
        let again = signed_on(&all.site, &browser, ent, "_r2").await;
        assert_ne!(element(&again, "NameID").text(), Some(name.as_str()));
        let query = ent
            .provider
            .query(Kind::Request, &request(ent, &again, "_l1"), None);
        let reply = browser.get(&all.site, &format!("/saml/slo?{query}")).await;
        let (answer, _) = redirected(&all.site, &reply, Kind::Response).await;
        assert_eq!(status(&answer), "Requester RequestDenied");
        assert_eq!(browser.get(&all.site, "/").await.status, 200, "still signed in");
    })
    .await;
}

#[tokio::test]
async fn a_person_who_leaves_here_has_every_participant_asked_and_reads_which() {
    on_each_engine(async |context, clock| {
        let all = everywhere((context, clock), &["lycee", "notes"], |partner| {
            if partner.party.id.as_str() == "notes" {
                partner
                    .metadata
                    .logout_services
                    .retain(|service| service.binding == Binding::Post);
            }
        })
        .await;
        // An OpenID Connect client has joined too, and is told behind the browser.
        let mut ent = party("ent");
        ent.metadata.backchannel_logout = Some(LogoutAddress {
            uri: "https://ent.example/out".into(),
            session_required: true,
        });
        all.site.declare(&ent).await;
        all.browser.code(&all.site, "ent", &[]).await;
        let page = all.browser.post(&all.site, "/sign-out", String::new()).await;
        assert_eq!(page.status, 200, "{page:?}");
        assert!(!all.is_signed_in().await);
        assert!(page.body.contains("Service ent") && page.body.contains("Service lycee"));
        let frames = frames(&page);
        assert_eq!(frames.len(), 2);
        let verdict = all.visit(&frames[0], 0, Status::SUCCESS).await;
        assert!(verdict.body.contains("data-verdict=\"over\""));
        let asked = all.browser.get(&all.site, &frames[1]).await;
        let posted = Posted::of(&asked);
        assert_eq!(posted.action, "https://notes.example/slo");
        assert!(
            asked.headers["content-security-policy"]
                .to_str()
                .unwrap()
                .contains("frame-ancestors 'self'")
        );
        let message = read(&posted.message);
        assert_eq!(message.root().name(), "LogoutRequest");
        let (notes, _) = &all.partners[1];
        let response = notes
            .provider
            .message("LogoutResponse", "_a1", SLO)
            .attribute("InResponseTo", message.root().attribute("ID").unwrap())
            .child(Status::SUCCESS.element());
        let form = notes.provider.form(Kind::Response, &response, None);
        let verdict = Browser::default()
            .post(&all.site, "/saml/slo", form.clone())
            .await;
        assert!(verdict.body.contains("data-verdict=\"over\""), "{verdict:?}");
        let twice = Browser::default().post(&all.site, "/saml/slo", form).await;
        assert_eq!(twice.status, 400, "an answer counts once");
    })
    .await;
}

#[tokio::test]
async fn attack_32_an_answer_of_another_party_is_no_answer() {
    on_each_engine(async |context, clock| {
        let all = everywhere((context, clock), &["ent", "cantine", "notes"], |_| {}).await;
        let page = all.ask(0, "_l1").await;
        let asked = all.browser.get(&all.site, &frames(&page)[0]).await;
        let (message, _) = redirected(&all.site, &asked, Kind::Request).await;
        let id = message.root().attribute("ID").unwrap();
        let (notes, _) = &all.partners[2];
        let response = notes
            .provider
            .message("LogoutResponse", "_a1", SLO)
            .attribute("InResponseTo", id)
            .child(Status::SUCCESS.element());
        let query = notes.provider.query(Kind::Response, &response, None);
        let reply = Browser::default()
            .get(&all.site, &format!("/saml/slo?{query}"))
            .await;
        assert_eq!(reply.status, 400);
        let reply = all.browser.get(&all.site, &onward(&page)).await;
        assert_eq!(
            status(&redirected(&all.site, &reply, Kind::Response).await.0),
            "Success PartialLogout"
        );
    })
    .await;
}
