//! Signing on: recognised by a key, asked once, put before a human, remembered; and what a page offers.

use super::federation::{BY_OIDC, BY_SAML, Browser, DOWN, Federation, UP, by_saml, declare, provider};
use crate::base::secret::Secret;
use crate::base::url;
use crate::domain::assurance::Acr;
use crate::domain::audit::Actor;
use crate::domain::identity::Status;
use crate::domain::upstream::{Binding, Otherwise, Population, Protocol};
use crate::flows::credential;
use crate::flows::testing::scene::{self, on_each_engine};
use crate::flows::upstream::{case, link};
use crate::web::oauth::tests::site::{Browser as Local, authorize_url, claims};

/// An authorization request of the ENT, whole.
fn asked(change: &[(&str, &str)]) -> String {
    format!("{DOWN}{}", authorize_url("ent", change))
}

/// The address of a way in that a page offers.
fn way(page: &str, provider: &str) -> String {
    let start = page
        .find(&format!("/login/with/{provider}"))
        .expect("the way is offered");
    let rest = &page[start..];
    format!("{DOWN}{}", rest[..rest.find('"').unwrap()].replace("&#38;", "&"))
}

async fn code_of(federation: &Federation, landed: &super::federation::Landed) -> serde_json::Value {
    let code = landed.sent("code").unwrap_or_else(|| panic!("{landed:?}"));
    let tokens = federation.down.token("ent", &code, &[]).await.json();
    claims(&tokens["id_token"])
}

#[tokio::test]
async fn a_pupil_of_6e_comes_by_educonnect_and_is_the_child_whom_the_services_know() {
    on_each_engine(async |context, clock| {
        let (federation, _folder) = Federation::new((context, clock), Otherwise::Refuse).await;
        let mut local = Local::default();
        federation.down.sign_in(&mut local, &federation.lina).await;
        federation.down.advance(1);
        let before = claims(&local.tokens(&federation.down, "ent").await["id_token"]);
        for id in [BY_SAML] {
            let mut browser = federation.browser().await;
            let page = browser.go(&federation, &asked(&[])).await;
            let landed = browser.go(&federation, &way(&page.page().body, id)).await;
            assert!(landed.address.starts_with("https://ent.example/cb"), "{landed:?}");
            let after = code_of(&federation, &landed).await;
            assert_eq!(after["sub"], before["sub"], "the same child by {id}");
            assert_eq!(after["amr"], serde_json::json!(["fed"]));
        }
        let links = link::of_identity(&federation.down.context, federation.lina.id)
            .await
            .unwrap();
        assert_eq!(links.len(), 1);
        assert_eq!(links[0].binding, Binding::SourceKey);
        assert_eq!(federation.down.journalled("upstream.linked").await, 1);
        // The second time the link is known.
        let mut browser = federation.browser().await;
        let landed = browser
            .go(&federation, &format!("{DOWN}/login/with/{BY_SAML}"))
            .await;
        assert_eq!(landed.address, format!("{DOWN}/"));
        assert_eq!(federation.who(&browser).await.unwrap().id, federation.lina.id);
        assert_eq!(federation.down.journalled("upstream.linked").await, 1);
        assert_eq!(browser.cookie(DOWN, "__Host-marelle-way"), Some(BY_SAML));
        assert_eq!(browser.cookie(DOWN, "__Host-marelle-away"), None);
    })
    .await;
}

#[tokio::test]
async fn somebody_whom_nothing_leads_to_signs_in_once_as_before_and_never_again() {
    on_each_engine(async |context, clock| {
        let (federation, _folder) = Federation::new((context, clock), Otherwise::Ask).await;
        let context = &federation.down.context;
        let lina = &federation.lina;
        let named = credential::give_username(context, lina, Some("lina"), &Actor::Operator).await;
        assert_eq!(named.unwrap(), credential::Named::Given("lina".into()));
        let password = Secret::new("quatre pommes vertes dansent");
        let set = credential::set_password(context, lina, &password, &Actor::Operator).await;
        assert_eq!(set.unwrap(), credential::Chosen::Set);
        // The generic provider states no key of the ministry.
        let mut browser = federation.browser().await;
        let page = browser.go(&federation, &asked(&[])).await;
        let landed = browser.go(&federation, &way(&page.page().body, BY_OIDC)).await;
        let body = &landed.page().body;
        assert!(
            body.contains("id=\"first-by\"") && body.contains("id=\"password\""),
            "{body}"
        );
        assert!(!body.contains("/login/with/"), "no other way now");
        let sealed = landed.sent("continue").unwrap();
        let form = [
            ("username", "lina"),
            ("password", password.expose()),
            ("continue", &sealed),
        ];
        let landed = browser
            .submit(&federation, &format!("{DOWN}/login"), (url::query(form), DOWN))
            .await;
        assert!(landed.address.starts_with("https://ent.example/cb"), "{landed:?}");
        let links = link::of_identity(context, federation.lina.id).await.unwrap();
        assert_eq!(
            links.iter().map(|link| link.binding).collect::<Vec<_>>(),
            [Binding::Credential]
        );
        let mut again = federation.browser().await;
        again
            .go(&federation, &format!("{DOWN}/login/with/{BY_OIDC}"))
            .await;
        assert_eq!(federation.who(&again).await.unwrap().id, federation.lina.id);
    })
    .await;
}

#[tokio::test]
async fn attack_45_a_proof_that_somebody_was_made_to_open_binds_nothing_to_them() {
    on_each_engine(async |context, clock| {
        let (federation, _folder) = Federation::new((context, clock), Otherwise::Ask).await;
        // The attacker comes from the provider and sends the address of the login page to Lina.
        let attacker = federation
            .up
            .pupil("Noé", 7, crate::web::oauth::tests::site::ECOLE)
            .await;
        let mut theirs = federation.browser_of(&attacker).await;
        let landed = theirs
            .go(&federation, &format!("{DOWN}/login/with/{BY_OIDC}"))
            .await;
        let sealed = landed.sent("continue").expect("asked to prove");
        let mut hers = Browser::default();
        federation.down.advance(1);
        let cookie = scene::sign_in(&federation.down.context, &federation.lina, None).await;
        hers.set(DOWN, "__Host-marelle", cookie.expose());
        hers.set(DOWN, "__Host-marelle-away", "something else");
        let address = url::with_parameters(&format!("{DOWN}/login/link"), [("continue", sealed.as_str())]);
        let landed = hers.go(&federation, &address).await;
        assert_eq!(landed.page().status, 400);
        let links = link::of_identity(&federation.down.context, federation.lina.id)
            .await
            .unwrap();
        assert!(links.is_empty());
    })
    .await;
}

#[tokio::test]
async fn a_human_says_who_somebody_is_and_unlinks_them_and_every_token_dies() {
    on_each_engine(async |context, clock| {
        let (federation, _folder) = Federation::new((context, clock), Otherwise::Case).await;
        let context = &federation.down.context;
        let mut browser = federation.browser().await;
        let landed = browser
            .go(&federation, &format!("{DOWN}/login/with/{BY_OIDC}"))
            .await;
        assert_eq!(landed.page().status, 403);
        browser
            .go(&federation, &format!("{DOWN}/login/with/{BY_OIDC}"))
            .await;
        let open = case::list(context).await.unwrap();
        assert_eq!(open.len(), 1, "whoever comes again is the same case");
        let said = open[0].introduction.as_ref().unwrap();
        assert_eq!(said.given_name.as_deref(), Some("Lina"));
        let by = ("directrice", &Actor::Operator);
        let word = case::Word::Is(federation.lina.id);
        assert_eq!(
            case::decide(context, open[0].case.id, word, by).await.unwrap(),
            case::Verdict::Decided
        );
        assert_eq!(
            case::decide(context, open[0].case.id, word, by).await.unwrap(),
            case::Verdict::Unknown
        );
        let mut browser = federation.browser().await;
        let page = browser
            .go(
                &federation,
                &asked(&[("scope", "openid profile offline_access"), ("prompt", "consent")]),
            )
            .await;
        let landed = browser.go(&federation, &way(&page.page().body, BY_OIDC)).await;
        let code = landed.sent("code").unwrap_or_else(|| panic!("{landed:?}"));
        let tokens = federation.down.token("ent", &code, &[]).await.json();
        let access = tokens["access_token"].as_str().unwrap().to_owned();
        assert_eq!(federation.down.userinfo(&access).await.status, 200);

        // A code that is not redeemed yet: the link is looked at again when it is.
        let landed = browser.go(&federation, &asked(&[])).await;
        let waiting = landed.sent("code").unwrap_or_else(|| panic!("{landed:?}"));
        let subject = link::of_identity(context, federation.lina.id).await.unwrap()[0]
            .subject
            .clone();
        let id = BY_OIDC.parse().unwrap();
        let done = link::unlink(context, &id, &subject, &Actor::Operator)
            .await
            .unwrap();
        assert_eq!(done, link::Change::Done);
        assert_eq!(federation.down.userinfo(&access).await.status, 401, "case 39");
        let late = federation.down.token("ent", &waiting, &[]).await;
        assert_eq!(
            late.error(),
            "invalid_grant",
            "a code of a login that is nobody's any more"
        );
        assert!(federation.who(&browser).await.is_none());
        // Case 54: who comes again is not the old person by himself.
        let mut again = federation.browser().await;
        again
            .go(&federation, &format!("{DOWN}/login/with/{BY_OIDC}"))
            .await;
        assert!(federation.who(&again).await.is_none());
        assert_eq!(case::list(context).await.unwrap().len(), 1);
        // Rekeyed, and refused.
        link::make(context, &id, ("old", federation.lina.id))
            .await
            .unwrap();
        assert_eq!(
            link::rekey(context, &id, ("old", &subject), &Actor::Operator)
                .await
                .unwrap(),
            link::Change::Done
        );
        let mut again = federation.browser().await;
        again
            .go(&federation, &format!("{DOWN}/login/with/{BY_OIDC}"))
            .await;
        assert_eq!(federation.who(&again).await.unwrap().id, federation.lina.id);
        assert_eq!(
            link::rekey(context, &id, (&subject.to_uppercase(), "x"), &Actor::Operator)
                .await
                .unwrap(),
            link::Change::Unknown,
            "case 54: letters count"
        );
    })
    .await;
}

#[tokio::test]
async fn attack_54_a_name_that_now_says_another_child_opens_a_case_and_no_door() {
    on_each_engine(async |context, clock| {
        let (federation, _folder) = Federation::new((context, clock), Otherwise::Ask).await;
        let context = &federation.down.context;
        let mut browser = federation.browser().await;
        browser
            .go(&federation, &format!("{DOWN}/login/with/{BY_SAML}"))
            .await;
        let links = link::of_identity(context, federation.lina.id).await.unwrap();
        // The identifier is now a boy's, born elsewhere: the provider has used it again.
        let other = federation
            .down
            .pupil("Gaspard", 9, crate::web::oauth::tests::site::COLLEGE)
            .await;
        let id = BY_SAML.parse().unwrap();
        let ended = link::unlink(context, &id, &links[0].subject, &Actor::Operator).await;
        assert_eq!(ended.unwrap(), link::Change::Done);
        link::make(context, &BY_SAML.parse().unwrap(), (&links[0].subject, other.id))
            .await
            .unwrap();
        let mut browser = federation.browser().await;
        let landed = browser
            .go(&federation, &format!("{DOWN}/login/with/{BY_SAML}"))
            .await;
        assert_eq!(landed.page().status, 403);
        assert!(federation.who(&browser).await.is_none());
        let open = case::list(context).await.unwrap();
        assert_eq!(open[0].case.doubt, "link_contradicted");
    })
    .await;
}

#[tokio::test]
async fn who_is_suspended_or_not_meant_is_not_let_in_and_a_closed_way_is_closed_everywhere() {
    on_each_engine(async |context, clock| {
        let (federation, _folder) = Federation::new((context, clock), Otherwise::Refuse).await;
        let context = &federation.down.context;
        scene::set_status(context, federation.lina.id, Status::Suspended).await;
        let mut browser = federation.browser().await;
        let landed = browser
            .go(&federation, &format!("{DOWN}/login/with/{BY_SAML}"))
            .await;
        assert_eq!(
            (
                landed.page().status.as_u16(),
                federation.who(&browser).await.is_none()
            ),
            (403, true)
        );
        scene::set_status(context, federation.lina.id, Status::Active).await;
        let mut staff_only = provider(BY_SAML, Protocol::Saml(by_saml()), Otherwise::Refuse);
        staff_only.populations = vec![Population::Staff];
        declare(context, staff_only.clone(), None).await;
        let landed = browser
            .go(&federation, &format!("{DOWN}/login/with/{BY_SAML}"))
            .await;
        assert_eq!(landed.page().status, 403);

        // Attack 27: closed is closed, asked for or not.
        let mut closed = provider(BY_SAML, Protocol::Saml(by_saml()), Otherwise::Refuse);
        declare(context, closed.clone(), None).await;
        let us = format!("{DOWN}/saml/sp/metadata");
        let unasked = url::with_parameters(&format!("{UP}/saml/sso/init"), [("sp", us.as_str())]);
        let mut welcome = federation.browser().await;
        let landed = welcome.go(&federation, &unasked).await;
        assert_eq!(
            landed.address,
            format!("{DOWN}/"),
            "a login that nobody asked for: {landed:?}"
        );
        assert!(federation.who(&welcome).await.is_some());
        closed.enabled = false;
        declare(context, closed, None).await;
        let mut browser = federation.browser().await;
        assert_eq!(
            browser
                .go(&federation, &format!("{DOWN}/login/with/{BY_SAML}"))
                .await
                .page()
                .status,
            404
        );
        let landed = browser.go(&federation, &unasked).await;
        assert_eq!(
            (
                landed.page().status.as_u16(),
                federation.who(&browser).await.is_none()
            ),
            (400, true)
        );
        let page = browser.go(&federation, &format!("{DOWN}/login")).await;
        assert!(!page.page().body.contains(BY_SAML));
    })
    .await;
}

#[tokio::test]
async fn a_service_is_offered_the_ways_of_its_people_and_may_name_one() {
    on_each_engine(async |context, clock| {
        let (federation, _folder) = Federation::new((context, clock), Otherwise::Refuse).await;
        let context = &federation.down.context;
        let mut agents = provider(BY_OIDC, federation_oidc(&federation).await, Otherwise::Refuse);
        agents.populations = vec![Population::Staff];
        declare(context, agents, Some("secret of marelle")).await;
        let mut ent = crate::domain::testing::party("ent");
        ent.populations = vec![Population::PupilSecond];
        federation.down.declare(&ent).await;
        let mut browser = federation.browser().await;
        let page = browser.go(&federation, &asked(&[])).await;
        assert!(page.page().body.contains(BY_SAML) && !page.page().body.contains(BY_OIDC));
        // Named: nobody chooses.
        let landed = browser.go(&federation, &asked(&[("idp_hint", BY_SAML)])).await;
        assert!(landed.address.starts_with("https://ent.example/cb"), "{landed:?}");
        let mut other = federation.browser().await;
        let landed = other.go(&federation, &asked(&[("idp_hint", BY_OIDC)])).await;
        assert!(
            landed.page().body.contains("id=\"password\""),
            "not for these people"
        );
        // Remembered on a device of one's own, never on a shared one.
        let page = browser.go(&federation, &format!("{DOWN}/sign-out")).await;
        assert_eq!(page.page().status, 200);
        browser
            .submit(&federation, &format!("{DOWN}/sign-out"), (String::new(), DOWN))
            .await;
        let page = browser.go(&federation, &asked(&[])).await;
        assert!(
            page.page().body.contains("way remembered"),
            "{}",
            page.page().body
        );
        browser.set(DOWN, "__Host-marelle-class", "ABCD-EFGH-JKLM");
        let page = browser.go(&federation, &asked(&[])).await;
        assert!(!page.page().body.contains("way remembered"));
    })
    .await;
}

async fn federation_oidc(federation: &Federation) -> Protocol {
    let all = crate::flows::upstream::standing(&federation.down.context)
        .await
        .unwrap();
    let found = all.into_iter().find(|one| one.provider.id.as_str() == BY_OIDC);
    found.unwrap().provider.protocol
}

#[tokio::test]
async fn a_service_that_demands_several_factors_is_met_by_a_provider_that_proves_them_and_by_nothing_less() {
    on_each_engine(async |context, clock| {
        let (federation, _folder) = Federation::new((context, clock), Otherwise::Refuse).await;
        let mut strict = crate::domain::testing::party("ent");
        strict.metadata.minimum_acr = Some(Acr::MultiFactor);
        federation.down.declare(&strict).await;
        let listed = async || {
            let asked = axum::http::Request::get("/.well-known/openid-configuration");
            let reply = federation
                .down
                .send(asked.body(axum::body::Body::empty()).unwrap())
                .await;
            reply.json()["acr_values_supported"].as_array().unwrap().len()
        };
        let unmet = Some("unmet_authentication_requirements");
        // Nobody proves that much, here or elsewhere: nobody is sent to a login page for nothing.
        let mut browser = federation.browser().await;
        let landed = browser.go(&federation, &asked(&[])).await;
        assert_eq!(landed.sent("error").as_deref(), unmet);
        assert_eq!(listed().await, 2);
        // A provider that may prove it, and does not of this login; then one that does.
        let mut sure = provider(BY_SAML, Protocol::Saml(by_saml()), Otherwise::Refuse);
        sure.assurance.by_context = vec![("urn:of:somebody:else".into(), Acr::MultiFactor)];
        declare(&federation.down.context, sure.clone(), None).await;
        assert_eq!(listed().await, 3);
        let mut browser = federation.browser().await;
        let page = browser.go(&federation, &asked(&[])).await;
        let landed = browser.go(&federation, &way(&page.page().body, BY_SAML)).await;
        assert_eq!(landed.sent("error").as_deref(), unmet);
        sure.assurance.default = Acr::MultiFactor;
        declare(&federation.down.context, sure.clone(), None).await;
        let mut browser = federation.browser().await;
        let page = browser.go(&federation, &asked(&[])).await;
        let landed = browser.go(&federation, &way(&page.page().body, BY_SAML)).await;
        let told = code_of(&federation, &landed).await;
        assert_eq!(told["acr"], "https://refeds.org/profile/mfa");
        // One that is for other people than the service is no way to it.
        sure.populations = vec![Population::Staff];
        declare(&federation.down.context, sure, None).await;
        strict.populations = vec![Population::PupilSecond];
        federation.down.declare(&strict).await;
        let mut browser = federation.browser().await;
        let landed = browser.go(&federation, &asked(&[])).await;
        assert_eq!(landed.sent("error").as_deref(), unmet);
    })
    .await;
}
