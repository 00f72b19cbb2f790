//! What people read before a service learns about them, going back from the login page, and `/account`.

mod account;

use axum::body::Body;
use axum::http::{Request, StatusCode, header};

use super::site::*;
use crate::base::url;
use crate::domain::relying_party::{Attribute, Basis, RelyingParty};
use crate::domain::testing::party;
use crate::flows::testing::scene::{self, journalled, on_each_engine};

const EVERYTHING: &[(&str, &str)] = &[];
const SILENTLY: &[(&str, &str)] = &[("prompt", "none")];
const ASKING: &[(&str, &str)] = &[("prompt", "consent")];

/// The party `club` as it rests on consent, and receives these attributes.
fn club(attributes: &[Attribute]) -> RelyingParty {
    let mut club = party("club");
    club.basis = Basis::Consent;
    club.release.0.retain(|line| attributes.contains(&line.attribute));
    club.metadata.policy_uri = Some("https://club.example/policy?a=1&b=2".into());
    club.metadata.tos_uri = Some("javascript:alert(1)".into());
    club
}

/// A pupil who was told of nothing.
async fn with_noor(scene: Scene) -> (Site, Browser) {
    let site = Site::new(scene).await;
    let noor = site.pupil("Noor", 7, ECOLE).await;
    let browser = Browser {
        cookie: Some(scene::sign_in_unaware(&site.context, &noor, None).await),
    };
    (site, browser)
}

/// An adult, and the service that asks them.
async fn with_maddi(scene: Scene) -> (Site, Browser) {
    let site = Site::new(scene).await;
    site.declare(&club(&[Attribute::GivenName])).await;
    let maddi = scene::adult(&site.context, "Maddi", 8).await;
    let browser = Browser {
        cookie: Some(scene::sign_in_unaware(&site.context, &maddi, None).await),
    };
    (site, browser)
}

async fn ask(site: &Site, browser: &Browser, client: &str, change: &[(&str, &str)]) -> Reply {
    browser.get(site, &authorize_url(client, change)).await
}

/// The page that a request leads to.
async fn page(site: &Site, browser: &Browser, client: &str, change: &[(&str, &str)]) -> Reply {
    let reply = ask(site, browser, client, change).await;
    assert!(reply.location().starts_with("/notice?continue="), "{reply:?}");
    let page = browser.get(site, reply.location()).await;
    assert_eq!(page.status, StatusCode::OK, "{page:?}");
    let policy = page.header(header::CONTENT_SECURITY_POLICY).unwrap();
    assert!(
        policy.contains(&format!("form-action 'self' https://{client}.example;")),
        "{policy}"
    );
    page
}

/// An error at the party, with `state` and `iss`.
fn is_told(reply: &Reply, error: &str) {
    assert_eq!(reply.sent("error").as_deref(), Some(error), "{reply:?}");
    assert_eq!(reply.sent("state").as_deref(), Some("the state"), "{reply:?}");
    assert_eq!(reply.sent("iss").as_deref(), Some(ISSUER), "{reply:?}");
}

#[tokio::test]
async fn a_pupil_is_told_once_and_again_of_more_and_is_never_asked() {
    on_each_engine(async |context, clock| {
        let (site, browser) = with_noor((context, clock)).await;
        let mut ent = party("ent");
        ent.release
            .0
            .retain(|line| line.attribute == Attribute::GivenName);
        site.declare(&ent).await;
        is_told(
            &ask(&site, &browser, "ent", SILENTLY).await,
            "interaction_required",
        );
        let told = page(&site, &browser, "ent", EVERYTHING).await;
        for (word, is_there) in [
            ("ton prénom", true),
            ("ta classe", false),
            ("id=\"go-on\"", true),
            ("id=\"allow\"", false),
            ("id=\"refuse\"", false),
            ("nouveau", false),
            ("Service ent", true),
        ] {
            assert_eq!(told.body.contains(word), is_there, "{word}");
        }
        for choice in ["refuse", "allow"] {
            let again = browser.press(&site, choice, &told).await;
            assert!(
                again.status == StatusCode::OK && again.body.contains("id=\"go-on\""),
                "{choice}"
            );
        }
        assert_eq!(journalled(&site.context, "person.informed").await, 0);
        let code = browser.press(&site, "go-on", &told).await.sent("code").unwrap();
        assert_eq!(site.token("ent", &code, &[]).await.status, StatusCode::OK);
        for change in [EVERYTHING, SILENTLY, ASKING] {
            assert!(
                ask(&site, &browser, "ent", change).await.sent("code").is_some(),
                "{change:?}"
            );
        }
        assert_eq!(journalled(&site.context, "person.informed").await, 1);
        assert!(
            ask(&site, &browser, "cantine", EVERYTHING)
                .await
                .location()
                .starts_with("/notice")
        );

        site.declare(&party("ent")).await;
        is_told(
            &ask(&site, &browser, "ent", SILENTLY).await,
            "interaction_required",
        );
        let more = page(&site, &browser, "ent", EVERYTHING).await;
        for word in ["plus de choses", "ta classe", "nouveau"] {
            assert!(more.body.contains(word), "{word}");
        }
        assert!(browser.press(&site, "go-on", &more).await.sent("code").is_some());
        assert!(
            ask(&site, &browser, "ent", EVERYTHING)
                .await
                .sent("code")
                .is_some()
        );
        assert_eq!(journalled(&site.context, "person.informed").await, 2);
        assert_eq!(journalled(&site.context, "consent.given").await, 0);
    })
    .await;
}

#[tokio::test]
async fn a_service_that_rests_on_consent_is_closed_to_pupils() {
    on_each_engine(async |context, clock| {
        let (site, browser) = with_noor((context, clock)).await;
        site.declare(&club(Attribute::ALL)).await;
        let closed = ask(&site, &browser, "club", EVERYTHING).await;
        assert_eq!(
            (closed.status, closed.header(header::LOCATION)),
            (StatusCode::FORBIDDEN, None)
        );
        assert!(closed.body.contains("Service club"), "{}", closed.body);
        is_told(&ask(&site, &browser, "club", SILENTLY).await, "access_denied");
        assert_eq!(journalled(&site.context, "authorization.refused").await, 2);
    })
    .await;
}

#[tokio::test]
async fn an_answer_counts_only_for_what_its_page_showed_here_and_now() {
    on_each_engine(async |context, clock| {
        let (site, browser) = with_noor((context, clock)).await;
        let ent = page(&site, &browser, "ent", EVERYTHING).await;
        let cantine = page(&site, &browser, "cantine", EVERYTHING).await;
        let field = |page: &Reply, name: &str| {
            let (_, rest) = page
                .body
                .split_once(&format!("name=\"{name}\" value=\""))
                .unwrap();
            rest.split('"').next().unwrap().to_owned()
        };
        let sealed = field(&ent, "continue");
        let mut other = Browser::default();
        let lila = site.pupil("Lila", 9, COLLEGE).await;
        other.cookie = Some(scene::sign_in_unaware(&site.context, &lila, None).await);
        let of_other = field(&page(&site, &other, "ent", EVERYTHING).await, "shown");
        for shown in [
            String::new(),
            "x".repeat(20_000),
            sealed.clone(),
            field(&cantine, "shown"),
            of_other,
        ] {
            let form = [
                ("continue", sealed.as_str()),
                ("shown", &shown),
                ("choice", "go-on"),
            ];
            let again = browser.post(&site, "/notice", url::query(form)).await;
            assert!(
                again.status == StatusCode::OK && again.body.contains("id=\"go-on\""),
                "{shown}"
            );
        }
        for form in [
            String::new(),
            url::query([("continue", sealed.as_str()), ("choice", "yes")]),
            url::query([("continue", "x"), ("choice", "go-on")]),
        ] {
            let reply = browser.post(&site, "/notice", form).await;
            assert_eq!(
                (reply.status, reply.header(header::LOCATION)),
                (StatusCode::BAD_REQUEST, None)
            );
        }
        let foreign = Request::post("/notice")
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(header::ORIGIN, "https://evil.example");
        let reply = site.send(foreign.body(Body::empty()).unwrap()).await;
        assert_eq!(reply.status, StatusCode::FORBIDDEN);
        // Nobody is signed in any more: the person signs in first, and the request still waits.
        let form = [
            ("continue", sealed.as_str()),
            ("shown", &field(&ent, "shown")),
            ("choice", "go-on"),
        ];
        let nobody = Browser::default().post(&site, "/notice", url::query(form)).await;
        assert!(nobody.location().starts_with("/login?continue="), "{nobody:?}");
        assert_eq!(journalled(&site.context, "person.informed").await, 0);
        assert!(browser.press(&site, "go-on", &ent).await.sent("code").is_some());

        // What would leave grows while the page is open.
        let mut narrow = party("ent");
        narrow.id = "narrow".parse().unwrap();
        narrow.redirect_uris = vec!["https://narrow.example/cb".into()];
        narrow.release.0.truncate(1);
        site.declare(&narrow).await;
        let open = page(&site, &browser, "narrow", EVERYTHING).await;
        narrow.release = party("ent").release;
        site.declare(&narrow).await;
        let again = browser.press(&site, "go-on", &open).await;
        assert!(
            again.status == StatusCode::OK && again.body.contains("ta classe"),
            "{again:?}"
        );
        assert!(browser.press(&site, "go-on", &again).await.sent("code").is_some());
    })
    .await;
}

#[tokio::test]
async fn an_adult_is_asked_with_the_values_and_remembered_until_more_is_asked_for() {
    on_each_engine(async |context, clock| {
        let (site, browser) = with_maddi((context, clock)).await;
        assert!(
            ask(&site, &browser, "ent", ASKING).await.sent("code").is_some(),
            "under a convention: no page"
        );
        is_told(&ask(&site, &browser, "club", SILENTLY).await, "consent_required");
        let asked = page(&site, &browser, "club", EVERYTHING).await;
        for word in [
            "id=\"allow\"",
            "id=\"refuse\"",
            "Maddi",
            "accueillir l’élève",
            "club.example",
            "href=\"https://club.example/policy?a=1&#38;b=2\" rel=\"noopener\"",
        ] {
            assert!(asked.body.contains(word), "{word}: {}", asked.body);
        }
        assert!(!asked.body.contains("Le Goff</dd>") && !asked.body.contains("javascript:"));
        is_told(&browser.press(&site, "refuse", &asked).await, "access_denied");
        assert_eq!(journalled(&site.context, "consent.refused").await, 1);
        let told = browser.press(&site, "go-on", &asked).await;
        assert!(
            told.status == StatusCode::OK && told.body.contains("id=\"allow\""),
            "no answer to this page"
        );
        let allowed = browser.press(&site, "allow", &asked).await;
        let tokens = site
            .token("club", &allowed.sent("code").unwrap(), &[])
            .await
            .json();
        let token = tokens["access_token"].as_str().unwrap().to_owned();
        assert_eq!(site.userinfo(&token).await.json()["given_name"], "Maddi");
        for change in [EVERYTHING, SILENTLY] {
            assert!(
                ask(&site, &browser, "club", change).await.sent("code").is_some(),
                "{change:?}"
            );
        }
        let again = page(&site, &browser, "club", ASKING).await;
        is_told(&browser.press(&site, "refuse", &again).await, "access_denied");
        assert!(browser.press(&site, "allow", &again).await.sent("code").is_some());
        assert_eq!(journalled(&site.context, "consent.given").await, 2);

        // More is in its policy since: nothing of it leaves, and the person is asked.
        site.declare(&club(&[Attribute::GivenName, Attribute::FamilyName]))
            .await;
        let claims = site.userinfo(&token).await.json();
        assert!(
            claims.get("given_name").is_some() && claims.get("family_name").is_none(),
            "{claims}"
        );
        is_told(&ask(&site, &browser, "club", SILENTLY).await, "consent_required");
        let more = page(&site, &browser, "club", EVERYTHING).await;
        assert!(
            more.body.contains("plus que") && more.body.contains("Le Goff"),
            "{}",
            more.body
        );
        assert!(browser.press(&site, "allow", &more).await.sent("code").is_some());
        assert_eq!(site.userinfo(&token).await.json()["family_name"], "Le Goff");
        let offline = [("scope", "openid profile offline_access"), ("prompt", "consent")];
        let mut patient = club(&[Attribute::GivenName, Attribute::FamilyName]);
        patient
            .metadata
            .grant_types
            .push(crate::domain::relying_party::GrantType::RefreshToken);
        site.declare(&patient).await;
        let absent = page(&site, &browser, "club", &offline).await;
        assert!(absent.body.contains("en votre absence"), "{}", absent.body);
    })
    .await;
}

#[tokio::test]
async fn a_pushed_request_is_used_up_by_a_refusal_and_by_going_back() {
    on_each_engine(async |context, clock| {
        let (site, browser) = with_maddi((context, clock)).await;
        let push = async || {
            let address = authorize_url("club", &[]);
            let form = url::parameters(address.split_once('?').unwrap().1);
            let form: Vec<(&str, &str)> = form.iter().map(|(name, value)| (&**name, &**value)).collect();
            let reply = site.post("club", "/oauth/par", &form).await;
            let reference = reply.json()["request_uri"].as_str().unwrap().to_owned();
            let brought = [("client_id", "club"), ("request_uri", reference.as_str())];
            format!("/oauth/authorize?{}", url::query(brought))
        };
        let address = push().await;
        let at_page = browser.get(&site, &address).await;
        let asked = browser.get(&site, at_page.location()).await;
        is_told(&browser.press(&site, "refuse", &asked).await, "access_denied");
        for reply in [
            browser.get(&site, &address).await,
            browser.press(&site, "allow", &asked).await,
        ] {
            assert_eq!(
                (reply.status, reply.header(header::LOCATION)),
                (StatusCode::BAD_REQUEST, None)
            );
        }
        assert_eq!(
            journalled(&site.context, "consent.given").await,
            0,
            "kept together with the code, or not at all"
        );

        let (nobody, address) = (Browser::default(), push().await);
        let at_login = nobody.get(&site, &address).await;
        let continuation = at_login.sent("continue").unwrap();
        let form = url::query([("continue", continuation.as_str())]);
        is_told(
            &nobody.post(&site, "/login/cancel", form.clone()).await,
            "access_denied",
        );
        for reply in [
            nobody.get(&site, &address).await,
            nobody.post(&site, "/login/cancel", form).await,
            nobody.post(&site, "/login/cancel", "continue=x".into()).await,
        ] {
            assert_eq!(
                (reply.status, reply.header(header::LOCATION)),
                (StatusCode::BAD_REQUEST, None)
            );
        }
    })
    .await;
}

#[tokio::test]
async fn whoever_does_not_sign_in_goes_back_to_the_service_that_sent_them() {
    on_each_engine(async |context, clock| {
        let (site, _) = with_maddi((context, clock)).await;
        let nobody = Browser::default();
        let mut sent = club(&[]);
        sent.redirect_uris = vec!["https://club.example/cb?dummy1=lorem&dummy2=ipsum".into()];
        site.declare(&sent).await;
        let address = [(
            "redirect_uri",
            "https://club.example/cb?dummy1=lorem&dummy2=ipsum",
        )];
        let at_login = ask(&site, &nobody, "club", &address).await;
        let login = nobody.get(&site, at_login.location()).await;
        for word in [
            "id=\"cancel\"",
            "action=\"/login/cancel\"",
            "href=\"https://club.example/policy?a=1&#38;b=2\" rel=\"noopener\"",
        ] {
            assert!(login.body.contains(word), "{word}: {}", login.body);
        }
        assert!(!login.body.contains("javascript:"));
        let form = url::query([("continue", at_login.sent("continue").unwrap().as_str())]);
        let back = nobody.post(&site, "/login/cancel", form).await;
        assert!(
            back.location()
                .starts_with("https://club.example/cb?dummy1=lorem&dummy2=ipsum&"),
            "{back:?}"
        );
        is_told(&back, "access_denied");

        let by_form = ask(&site, &nobody, "ent", &[("response_mode", "form_post")]).await;
        let form = url::query([("continue", by_form.sent("continue").unwrap().as_str())]);
        let back = nobody.post(&site, "/login/cancel", form).await;
        assert!(
            back.status == StatusCode::OK && back.body.contains("value=\"access_denied\""),
            "{back:?}"
        );

        let plain = nobody.get(&site, "/login").await;
        assert!(!plain.body.contains("id=\"cancel\""), "nobody sent them");
    })
    .await;
}
