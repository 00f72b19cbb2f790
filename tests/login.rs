//! The login pages as a browser meets them, in process: class page, picture code, password, home, sign-out.
//!
//! Tests named `case_…` are the attack cases of that number. PostgreSQL takes part where `MARELLE_TEST_POSTGRES` names
//! a server.

#![expect(
    clippy::unwrap_used,
    reason = "the whole file is tests and what they stand on"
)]

mod engines;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Request, StatusCode, header};
use http_body_util::BodyExt as _;
use marelle::app;
use marelle::base::id::{ClassGroupId, EnrolmentId, IdentityId};
use marelle::base::random::SystemRandom;
use marelle::base::secret::Secret;
use marelle::base::time::{ManualClock, Timestamp, parse_date};
use marelle::base::url::query;
use marelle::config::Config;
use marelle::domain::audit::Actor;
use marelle::domain::class_group::ClassCode;
use marelle::domain::education::{Academy, Degree, Profile, School, SchoolYear};
use marelle::domain::enrolment::Enrolment;
use marelle::domain::identity::{Identity, Status};
use marelle::flows::continuation::Continuation;
use marelle::flows::password_gate::PasswordGate;
use marelle::flows::{Context, class_code, credential, person};
use marelle::login::picture::{Picture, PictureCode};
use marelle::store;
use marelle::store::db::Statement;
use marelle::store::value::text;
use tower::ServiceExt as _;

const ORIGIN: &str = "https://id.example.fr";
const PASSWORD: &str = "le chat dort à midi";
/// 2026-10-01, a Thursday morning.
const MORNING: Timestamp = Timestamp::from_seconds(1_790_841_600);

/// A school with one class, one teacher, and the whole site over them.
struct Site {
    router: Router,
    context: Context,
    clock: Arc<ManualClock>,
    code: ClassCode,
    pupils: Vec<(Identity, PictureCode)>,
}

async fn on_each_engine(pupils: &[&str], test: impl AsyncFn(Site)) {
    let folder = tempfile::tempdir().unwrap();
    let mut config = Config::default();
    config.http.public_url = ORIGIN.into();
    config.database.file = folder.path().join("marelle.db");
    test(site(&config, pupils).await).await;
    if let Some(url) = engines::fresh_postgres().await {
        config.database.url = Some(url);
        config.keys.master_key_file = Some(folder.path().join("other.key"));
        test(site(&config, pupils).await).await;
    }
}

async fn site(config: &Config, pupils: &[&str]) -> Site {
    let clock = Arc::new(ManualClock::at(MORNING));
    let context = app::open_with(config, clock.clone(), Arc::new(SystemRandom))
        .await
        .unwrap();
    let school = declare_school(&context).await;
    let class = ClassGroupId::new(context.now(), &*context.random);
    let sql = "INSERT INTO class_group (id, uai, year, source, source_key, label, level)
        VALUES ($1, $2, 2026, 'csv', 'A', 'CE1 A', 'CE1')";
    let mut tx = context.db.begin().await.unwrap();
    tx.execute(Statement { name: "class", sql }, [text(class), text(&school.uai)])
        .await
        .unwrap();
    tx.commit().await.unwrap();
    let mut site = Site {
        router: app::router(context.clone()).await.unwrap(),
        code: class_code::open(&context, class, &Actor::Operator).await.unwrap(),
        context,
        clock,
        pupils: Vec::new(),
    };
    for name in pupils {
        let pupil = site.enrol(name, &school, class).await;
        site.pupils.push(pupil);
    }
    let teacher = person::NewPerson {
        given_name: "Maddi".into(),
        family_name: "Etxeberria".into(),
        profile: Profile::Teacher,
        school: school.uai.clone(),
        username: None,
        password: Secret::new(PASSWORD),
        is_another: false,
    };
    let made = person::create(&site.context, &teacher, &Actor::Operator)
        .await
        .unwrap();
    assert!(matches!(made, person::Creation::Created(_)), "{made:?}");
    site
}

async fn declare_school(context: &Context) -> School {
    let academy = Academy {
        code: "99".parse().unwrap(),
        name: "Académie fictive".into(),
    };
    let school = School {
        uai: "9990001X".parse().unwrap(),
        name: "École des Marronniers".into(),
        degree: Degree::First,
        commune: None,
        academy: academy.code.clone(),
    };
    let mut tx = context.db.begin().await.unwrap();
    store::school::save_academy(&mut tx, &academy).await.unwrap();
    store::school::save(&mut tx, &school, None).await.unwrap();
    tx.commit().await.unwrap();
    school
}

impl Site {
    async fn enrol(&self, given_name: &str, school: &School, class: ClassGroupId) -> (Identity, PictureCode) {
        let context = &self.context;
        let pupil = Identity {
            id: IdentityId::new(context.now(), &*context.random),
            status: Status::Active,
            family_name: "Rousselin".into(),
            usage_name: None,
            given_name: given_name.into(),
            birth_date: parse_date("2018-08-17"),
            sex: None,
            username: None,
            locale: None,
            created_at: context.now(),
        };
        let enrolment = Enrolment {
            id: EnrolmentId::new(context.now(), &*context.random),
            identity: pupil.id,
            school: school.uai.clone(),
            class: Some(class),
            class_label: None,
            level: None,
            profile: Profile::Pupil,
            year: SchoolYear::new(2026).unwrap(),
            starts_on: parse_date("2026-09-01").unwrap(),
            ends_on: parse_date("2027-09-15").unwrap(),
            opens_on: None,
            is_current: true,
        };
        let mut tx = context.db.begin().await.unwrap();
        store::identity::insert(&mut tx, &pupil).await.unwrap();
        store::enrolment::insert(&mut tx, &enrolment).await.unwrap();
        tx.commit().await.unwrap();
        let code = credential::new_picture_code(context, pupil.id, &Actor::Operator)
            .await
            .unwrap();
        (pupil, code)
    }

    fn browser(&self) -> Browser {
        Browser {
            router: self.router.clone(),
            cookies: BTreeMap::new(),
        }
    }

    fn class_path(&self) -> String {
        format!("/class/{}", self.code.printed())
    }

    /// The address of a pupil on the class page.
    async fn pupil_path(&self, name: &str) -> String {
        let page = self.browser().get(&self.class_path()).await;
        let before = page.body.split(&format!("<span>{name}</span>")).next().unwrap();
        let link = before.rsplit("class=\"pupil\" href=\"").next().unwrap();
        link.split('"').next().unwrap().to_owned()
    }

    fn continuation(&self) -> String {
        let waiting = Continuation {
            protocol: marelle::flows::continuation::Protocol::Oidc,
            client: "ent".into(),
            service: "ENT des Marronniers".into(),
            origin: Some("https://ent.example".into()),
            pushed: None,
            is_signed: false,
            query: "client_id=ent".into(),
            needs_more_than_class: false,
            hint: None,
            asked_at: self.context.now().micros(),
        };
        waiting.seal(&self.context).unwrap()
    }
}

/// A browser: it keeps cookies and says where its forms come from.
struct Browser {
    router: Router,
    cookies: BTreeMap<String, String>,
}

struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: String,
}

impl Answer {
    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    fn location(&self) -> &str {
        self.header("location")
    }

    fn cookies(&self) -> Vec<&str> {
        let all = self.headers.get_all(header::SET_COOKIE);
        all.iter().map(|value| value.to_str().unwrap()).collect()
    }
}

impl Browser {
    async fn get(&mut self, address: &str) -> Answer {
        let request = Request::get(address).body(Body::empty()).unwrap();
        self.send(request).await
    }

    async fn post(&mut self, address: &str, fields: &[(&str, &str)]) -> Answer {
        self.post_from(ORIGIN, address, fields).await
    }

    async fn post_from(&mut self, origin: &str, address: &str, fields: &[(&str, &str)]) -> Answer {
        let request = Request::post(address)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(header::ORIGIN, origin)
            .body(Body::from(query(fields.iter().copied())))
            .unwrap();
        self.send(request).await
    }

    async fn send(&mut self, mut request: Request<Body>) -> Answer {
        let cookies: Vec<String> = self
            .cookies
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        if !cookies.is_empty() {
            let value = cookies.join("; ").parse().unwrap();
            request.headers_mut().insert(header::COOKIE, value);
        }
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        let answer = Answer {
            status: parts.status,
            headers: parts.headers,
            body: String::from_utf8(body.to_vec()).unwrap(),
        };
        for cookie in answer.cookies() {
            let (name, value) = cookie.split(';').next().unwrap().split_once('=').unwrap();
            if value.is_empty() {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        answer
    }

    async fn sign_in(&mut self, username: &str, password: &str) -> Answer {
        self.post("/login", &[("username", username), ("password", password)])
            .await
    }

    fn session(&self) -> Option<&String> {
        self.cookies.get("__Host-marelle")
    }
}

fn ids(code: &PictureCode) -> Vec<&'static str> {
    code.expose().map(Picture::id).to_vec()
}

#[tokio::test]
async fn a_teacher_signs_in_by_password_and_leaves() {
    on_each_engine(&[], async |site| {
        let mut browser = site.browser();
        let home = browser.get("/").await;
        assert_eq!((home.status, home.location()), (StatusCode::SEE_OTHER, "/login"));
        let form = browser.get("/login").await;
        assert_eq!(form.status, StatusCode::OK);
        for id in ["id=\"username\"", "id=\"password\"", "id=\"sign-in\""] {
            assert!(form.body.contains(id), "{id} is an interface");
        }
        assert!(browser.cookies.is_empty(), "nothing is kept before a login");

        let answer = browser.sign_in(" Maddi.ETXEBERRIA", PASSWORD).await;
        assert_eq!((answer.status, answer.location()), (StatusCode::SEE_OTHER, "/"));
        let cookie = answer.cookies()[0].to_owned();
        for part in ["__Host-marelle=", "HttpOnly", "Secure", "SameSite=Lax", "Path=/"] {
            assert!(cookie.contains(part), "{cookie}");
        }
        assert!(
            !cookie.contains("Domain") && !cookie.contains("Max-Age"),
            "{cookie}"
        );

        let home = browser.get("/").await;
        assert!(home.body.contains("Maddi"), "{}", home.body);
        assert_eq!(home.header("cache-control"), "no-store");
        let bookmark = browser.get("/login").await;
        assert_eq!(
            (bookmark.status, bookmark.location()),
            (StatusCode::SEE_OTHER, "/")
        );

        let asked = browser.get("/sign-out").await;
        assert!(asked.body.contains("id=\"sign-out\""));
        assert_eq!(
            browser.get("/").await.status,
            StatusCode::OK,
            "asking is not leaving"
        );
        let stolen = browser.session().unwrap().clone();
        let left = browser.post("/sign-out", &[]).await;
        assert_eq!(
            (left.status, left.location()),
            (StatusCode::SEE_OTHER, "/sign-out")
        );
        assert_eq!(browser.session(), None);
        let after = browser.get("/sign-out").await;
        assert!(after.status == StatusCode::OK && !after.body.contains("id=\"sign-out\""));
        browser.cookies.insert("__Host-marelle".into(), stolen);
        assert_eq!(
            browser.get("/").await.location(),
            "/login",
            "the session is over, not only its cookie"
        );
    })
    .await;
}

#[tokio::test]
async fn a_pupil_signs_in_by_pictures_with_and_without_the_script() {
    on_each_engine(&["Lina", "Adam"], async |site| {
        let (_, code) = &site.pupils[0];
        let code = ids(code);
        let path = site.pupil_path("Lina").await;

        // Without the script: each tap sends the form; nothing is judged before the fourth.
        let mut browser = site.browser();
        let mut page = browser.get(&path).await;
        assert!(page.body.contains("Lina"));
        let mut orders = BTreeSet::new();
        for pick in &code[..3] {
            let picked = page.body.split("name=\"picked\" value=\"").nth(1).unwrap();
            let picked = picked.split('"').next().unwrap().to_owned();
            page = browser.post(&path, &[("picked", &picked), ("pick", pick)]).await;
            assert_eq!(page.status, StatusCode::OK);
            assert!(browser.session().is_none());
            let order: Vec<String> = page
                .body
                .split("name=\"pick\" value=\"")
                .skip(1)
                .map(|rest| rest.split('"').next().unwrap().to_owned())
                .collect();
            assert_eq!(order.len(), 16);
            orders.insert(order);
        }
        assert_eq!(orders.len(), 3, "case 49: the grid is shuffled for each display");
        let answer = browser
            .post(&path, &[("picked", &code[..3].join(",")), ("pick", code[3])])
            .await;
        assert_eq!((answer.status, answer.location()), (StatusCode::SEE_OTHER, "/"));
        let home = browser.get("/").await;
        assert!(home.body.contains("Lina") && !home.body.contains("Rousselin"));

        // With it: one form with all four, either way.
        let all = code.join(",");
        for fields in [
            vec![("picked", all.as_str())],
            vec![("picked", &all), ("pick", "")],
        ] {
            let mut browser = site.browser();
            let answer = browser.post(&path, &fields).await;
            assert_eq!(answer.status, StatusCode::SEE_OTHER);
            assert!(browser.session().is_some());
        }

        // The right pictures in another order, too many, or none that exist.
        let mut browser = site.browser();
        let reversed: Vec<&str> = code.iter().rev().copied().collect();
        let wrong = browser.post(&path, &[("picked", &reversed.join(","))]).await;
        assert_eq!(wrong.status, StatusCode::FORBIDDEN);
        for nonsense in [format!("{all},cat"), "griffin".into(), format!("{all}'--")] {
            let answer = browser.post(&path, &[("picked", &nonsense)]).await;
            assert_eq!(answer.status, StatusCode::OK, "{nonsense}");
        }
        assert!(browser.session().is_none());
    })
    .await;
}

#[tokio::test]
async fn case_49_guesses_are_stopped_and_the_wait_is_told() {
    on_each_engine(&["Lina", "Adam"], async |site| {
        let path = site.pupil_path("Lina").await;
        let right = ids(&site.pupils[0].1).join(",");
        let wrong: Vec<&str> = ids(&site.pupils[0].1).into_iter().rev().collect();
        let wrong = wrong.join(",");
        let mut browser = site.browser();
        for _ in 0..5 {
            let answer = browser.post(&path, &[("picked", &wrong)]).await;
            assert_eq!(answer.status, StatusCode::FORBIDDEN);
        }
        for picked in [&wrong, &right] {
            let answer = browser.post(&path, &[("picked", picked)]).await;
            assert_eq!(answer.status, StatusCode::TOO_MANY_REQUESTS);
            assert_eq!(answer.header("retry-after"), "30");
        }
        site.clock.advance(Duration::from_secs(29));
        let early = browser.post(&path, &[("picked", &right)]).await;
        assert_eq!(early.header("retry-after"), "1");
        site.clock.advance(Duration::from_secs(1));
        let answer = browser.post(&path, &[("picked", &right)]).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER);
    })
    .await;
}

#[tokio::test]
async fn case_41_a_class_behind_one_address_keeps_working_while_ten_mistype() {
    let names: Vec<String> = (0..30).map(|number| format!("Enfant{number:02}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    on_each_engine(&names, async |site| {
        // No address is told at all here: everybody is the same one.
        for (number, (pupil, code)) in site.pupils.iter().enumerate() {
            let path = site.pupil_path(&pupil.given_name).await;
            let mut browser = site.browser();
            let reversed: Vec<&str> = ids(code).into_iter().rev().collect();
            for _ in 0..if number % 3 == 0 { 4 } else { 0 } {
                let answer = browser.post(&path, &[("picked", &reversed.join(","))]).await;
                assert_eq!(answer.status, StatusCode::FORBIDDEN);
            }
            let answer = browser.post(&path, &[("picked", &ids(code).join(","))]).await;
            assert_eq!(answer.status, StatusCode::SEE_OTHER, "{number}");
        }
    })
    .await;
}

#[tokio::test]
async fn case_44_wrong_and_unknown_are_one_answer() {
    on_each_engine(&[], async |site| {
        let mut seen = Vec::new();
        for name in ["maddi.etxeberria", "maddi.etxeberrib"] {
            let mut answers = Vec::new();
            for _ in 0..7 {
                let answer = site.browser().sign_in(name, "faux").await;
                let mut headers: Vec<String> = answer
                    .headers
                    .iter()
                    .map(|(name, value)| format!("{name}: {value:?}"))
                    .collect();
                headers.retain(|line| !line.starts_with("x-request-id"));
                answers.push((answer.status, headers, answer.body.replace(name, "NAME")));
            }
            seen.push(answers);
        }
        assert_eq!(seen[0], seen[1]);
        let statuses: Vec<u16> = seen[0].iter().map(|(status, ..)| status.as_u16()).collect();
        assert_eq!(statuses, [403, 403, 403, 403, 403, 429, 429]);
        assert!(!seen[0][0].2.contains("faux"), "a password is never written back");
    })
    .await;
}

#[tokio::test]
async fn case_45_nothing_planted_before_a_login_is_worth_anything_after_it() {
    on_each_engine(&[], async |site| {
        // A cookie that somebody planted.
        let mut victim = site.browser();
        victim.cookies.insert("__Host-marelle".into(), "planted".into());
        victim.sign_in("maddi.etxeberria", PASSWORD).await;
        assert_ne!(victim.session().unwrap(), "planted");
        let mut attacker = site.browser();
        attacker.cookies.insert("__Host-marelle".into(), "planted".into());
        assert_eq!(attacker.get("/").await.location(), "/login");

        // A login form that another site sends with the attacker's own name (login forgery).
        for origin in ["https://evil.example", "null"] {
            let mut victim = site.browser();
            let fields = [("username", "maddi.etxeberria"), ("password", PASSWORD)];
            let answer = victim.post_from(origin, "/login", &fields).await;
            assert_eq!((answer.status, victim.session()), (StatusCode::FORBIDDEN, None));
        }

        // A prepared login link leads its opener on, and nowhere that we did not seal.
        let sealed = site.continuation();
        let mut opener = site.browser();
        let form = opener.get(&format!("/login?continue={sealed}")).await;
        assert!(form.body.contains("ENT des Marronniers"));
        assert!(
            form.header("content-security-policy")
                .contains("form-action 'self' https://ent.example;")
        );
        let fields = [
            ("username", "maddi.etxeberria"),
            ("password", PASSWORD),
            ("continue", &sealed),
        ];
        let answer = opener.post("/login", &fields).await;
        assert_eq!(
            answer.location(),
            format!("/oauth/authorize/resume?continue={sealed}")
        );
        assert_eq!(
            attacker.get("/").await.location(),
            "/login",
            "who made the link got nothing"
        );
        for forged in [
            "https://evil.example/",
            "//evil.example",
            "/sign-out",
            &sealed[1..],
        ] {
            let fields = [
                ("username", "maddi.etxeberria"),
                ("password", PASSWORD),
                ("continue", forged),
            ];
            let answer = site.browser().post("/login", &fields).await;
            assert_eq!(
                (answer.status, answer.location()),
                (StatusCode::SEE_OTHER, "/"),
                "{forged}"
            );
        }
    })
    .await;
}

#[tokio::test]
async fn case_45_tabs_the_back_button_and_old_forms_just_work() {
    on_each_engine(&[], async |site| {
        let mut browser = site.browser();
        browser.get("/login").await;
        browser.get("/login").await;
        let fields = [("username", "maddi.etxeberria"), ("password", PASSWORD)];
        let first = browser.post("/login", &fields).await;
        let one = browser.session().unwrap().clone();
        // The second tab's form, a day later, and the same form again by the back button.
        site.clock.advance(Duration::from_secs(3600));
        let second = browser.post("/login", &fields).await;
        let third = browser.post("/login", &fields).await;
        for answer in [first, second, third] {
            assert_eq!((answer.status, answer.location()), (StatusCode::SEE_OTHER, "/"));
        }
        assert_ne!(browser.session().unwrap(), &one);
        assert_eq!(browser.get("/").await.status, StatusCode::OK);
        let mut old = site.browser();
        old.cookies.insert("__Host-marelle".into(), one);
        assert_eq!(old.get("/").await.location(), "/login");
    })
    .await;
}

#[tokio::test]
async fn case_50_a_stranger_learns_nothing_from_class_addresses() {
    on_each_engine(&["Lina", "Adam"], async |site| {
        let unknown = ClassCode::generate(&SystemRandom).printed();
        let pupil = site.pupil_path("Lina").await;
        let token = pupil.rsplit('/').next().unwrap();
        let mut bodies = BTreeSet::new();
        for typed in [
            unknown.as_str(),
            "x",
            "%27%20OR%201=1",
            "bcdf-ghjk",
            &unknown[..13],
        ] {
            for address in [format!("/class/{typed}"), format!("/class/{typed}/{token}")] {
                let answer = site.browser().get(&address).await;
                assert_eq!(answer.status, StatusCode::NOT_FOUND, "{address}");
                assert!(answer.cookies().is_empty());
                for hidden in ["Lina", "Adam", "CE1", "Marronniers"] {
                    assert!(!answer.body.contains(hidden), "{address}");
                }
                let value = answer
                    .body
                    .split("name=\"code\" type=\"text\" value=\"")
                    .nth(1)
                    .unwrap();
                let value = value.split('"').next().unwrap().to_owned();
                bodies.insert(answer.body.replace(&format!("value=\"{value}\""), ""));
            }
        }
        for typed in [unknown.as_str(), "", "x"] {
            let answer = site.browser().post("/class", &[("code", typed)]).await;
            assert_eq!(answer.status, StatusCode::NOT_FOUND);
            bodies.insert(answer.body.replace(&format!("value=\"{typed}\""), ""));
        }
        assert_eq!(bodies.len(), 1, "one page for whatever opens nothing");

        // The right class and a child who is not on it.
        let nobody = site.browser().get(&format!("{}/nobody", site.class_path())).await;
        assert_eq!(nobody.status, StatusCode::NOT_FOUND);
        assert!(!nobody.body.contains("Lina"));

        let page = site.browser().get(&site.class_path()).await;
        let mut hidden = vec!["Rousselin".to_owned(), "2018".to_owned()];
        hidden.extend(site.pupils.iter().map(|(pupil, _)| pupil.id.to_string()));
        for hidden in hidden {
            assert!(!page.body.contains(&hidden), "{hidden}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_classroom_device_remembers_its_class_and_can_change_it() {
    on_each_engine(&["Lina"], async |site| {
        let mut device = site.browser();
        let entry = device.get("/class").await;
        assert_eq!(entry.status, StatusCode::OK);
        let typed = site.code.printed().to_uppercase().replace('-', " ");
        let answer = device.post("/class", &[("code", &typed)]).await;
        assert_eq!(
            (answer.status, answer.location()),
            (StatusCode::SEE_OTHER, &*site.class_path())
        );
        let page = device.get(answer.location()).await;
        let cookie = page.cookies()[0];
        assert!(
            cookie.starts_with("__Host-marelle-class=")
                && cookie.contains("HttpOnly")
                && cookie.contains("Max-Age"),
            "{cookie}"
        );
        assert!(
            page.body.contains("href=\"/class?other=1"),
            "there is a way to another class"
        );

        assert_eq!(device.get("/").await.location(), site.class_path());
        let sealed = site.continuation();
        let on = device.get(&format!("/class?continue={sealed}")).await;
        assert_eq!(on.location(), format!("{}?continue={sealed}", site.class_path()));
        assert_eq!(device.get("/class?other=1").await.status, StatusCode::OK);

        // A password on this device opens a short session: the device is shared.
        device.sign_in("maddi.etxeberria", PASSWORD).await;
        let cookie = Secret::new(device.session().unwrap().clone());
        let found = marelle::flows::session::find(&site.context, &cookie)
            .await
            .unwrap()
            .unwrap();
        assert_eq!(found.session.device.as_str(), "shared");
        device.post("/sign-out", &[]).await;
        assert!(
            device.get("/sign-out").await.body.contains(&site.class_path()),
            "the next child begins there"
        );

        // Once the code is renewed the device forgets it, and asks.
        let mut conn = site.context.db.reader().await.unwrap();
        let index = site
            .context
            .vault
            .index("class_code", site.code.expose())
            .unwrap();
        let class = store::class_code::find_class(&mut conn, &index)
            .await
            .unwrap()
            .unwrap();
        drop(conn);
        class_code::renew(&site.context, class, &Actor::Operator)
            .await
            .unwrap();
        let gone = device
            .get(
                device
                    .cookies
                    .get("__Host-marelle-class")
                    .map(|_| site.class_path())
                    .unwrap()
                    .as_str(),
            )
            .await;
        assert_eq!(gone.status, StatusCode::NOT_FOUND);
        assert!(!device.cookies.contains_key("__Host-marelle-class"));
        assert_eq!(device.get("/class").await.status, StatusCode::OK);
    })
    .await;
}

#[tokio::test]
async fn where_a_child_was_going_is_kept_through_the_class_page() {
    on_each_engine(&["Lina"], async |site| {
        let sealed = site.continuation();
        let mut browser = site.browser();
        let typed = site.code.printed();
        let answer = browser
            .post("/class", &[("code", &typed), ("continue", &sealed)])
            .await;
        let page = browser.get(answer.location()).await;
        let link = page.body.split("class=\"pupil\" href=\"").nth(1).unwrap();
        let link = link.split('"').next().unwrap().to_owned();
        assert!(link.ends_with(&format!("?continue={sealed}")), "{link}");
        let grid = browser.get(&link).await;
        assert!(
            grid.body
                .contains(&format!("name=\"continue\" value=\"{sealed}\""))
        );
        let path = link.split('?').next().unwrap();
        let picked = ids(&site.pupils[0].1).join(",");
        let answer = browser
            .post(path, &[("picked", &picked), ("continue", &sealed)])
            .await;
        assert_eq!(
            answer.location(),
            format!("/oauth/authorize/resume?continue={sealed}")
        );
    })
    .await;
}

#[tokio::test]
async fn too_many_at_once_are_told_to_come_back() {
    on_each_engine(&[], async |site| {
        let gate = Arc::new(PasswordGate::new(1, Duration::from_millis(10)));
        let held = gate.enter().await.unwrap();
        let busy = Context {
            passwords: gate.clone(),
            ..site.context.clone()
        };
        let mut browser = Browser {
            router: app::router(busy).await.unwrap(),
            cookies: BTreeMap::new(),
        };
        let answer = browser.sign_in("maddi.etxeberria", PASSWORD).await;
        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
        assert!(!answer.header("retry-after").is_empty() && answer.body.contains("<h1"));
        drop(held);
        let answer = browser.sign_in("maddi.etxeberria", PASSWORD).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER);
    })
    .await;
}

#[tokio::test]
async fn the_language_that_was_switched_to_stays() {
    on_each_engine(&[], async |site| {
        let mut browser = site.browser();
        assert!(browser.get("/login").await.body.contains("<html lang=\"fr\">"));
        let english = browser.get("/login?lang=en").await;
        assert!(english.body.contains("<html lang=\"en\">"));
        let refused = browser.sign_in("maddi.etxeberria", "faux").await;
        assert!(refused.body.contains("<html lang=\"en\">"));
        assert!(
            browser
                .get("/accessibility")
                .await
                .body
                .contains("<html lang=\"en\">")
        );
    })
    .await;
}
