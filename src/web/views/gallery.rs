//! Owns the sample of every page, for the tests. All people are invented.

mod service;

pub(super) use service::*;

use super::*;

pub(super) fn page(lang: Lang) -> Page {
    Page {
        brand: Arc::new(Brand::default()),
        lang,
        person: None,
        other_language_url: Some(format!("?lang={}", lang.other().tag())),
        form_token: Some("t0ken".to_owned()),
    }
}

pub(super) fn text(s: &str) -> String {
    s.to_owned()
}

pub(super) fn pictures(ids: &[&str]) -> Vec<Picture> {
    ids.iter().map(|id| Picture::by_id(id).unwrap()).collect()
}

pub(super) fn hidden() -> Vec<Hidden> {
    vec![Hidden {
        name: text("pupil"),
        value: text("opaque"),
    }]
}

pub(super) fn login(lang: Lang) -> LoginPage {
    LoginPage {
        page: page(lang),
        username: String::new(),
        continue_to: Some(text("/oauth/authorize?client_id=a&state=b c")),
        service: None,
        policy_url: None,
        terms_url: None,
        class_way: true,
        ways: Vec::new(),
        first_by: None,
        problem: None,
    }
}

pub(super) fn entry(lang: Lang, problem: Option<ClassEntryProblem>) -> ClassEntryPage {
    ClassEntryPage {
        page: page(lang),
        code: String::new(),
        continue_to: None,
        problem,
    }
}

const NAMES: [&str; 25] = [
    "Adam",
    "Aïcha",
    "Anaïs",
    "Basile",
    "Célestine",
    "Chloé",
    "Elouan",
    "Emma B.",
    "Emma T.",
    "Gabriel",
    "Ismaël",
    "Jean-Baptiste",
    "Jeanne",
    "Kenza",
    "Léonie",
    "Lila",
    "Lina",
    "Maël",
    "Mohamed",
    "Noé",
    "Rose",
    "Soan",
    "Théa",
    "Yasmine",
    "Zoé",
];

pub(super) fn class(lang: Lang) -> ClassPage {
    let pupils = NAMES.iter().zip(AVATARS).map(|(name, avatar)| Pupil {
        url: format!("/class/demo/{}", avatar.id),
        first_name: text(name),
        avatar: text(avatar.id),
    });
    ClassPage {
        page: page(lang),
        class_label: text("CE1 A"),
        school: text("École élémentaire Les Tilleuls, Albert"),
        pupils: pupils.collect(),
        continue_to: None,
    }
}

pub(super) fn picture(lang: Lang, state: PictureState, picked: &[&str]) -> PicturePage {
    let mut order = PICTURES.to_vec();
    order.rotate_left(5);
    order.swap(1, 9);
    order.swap(4, 12);
    PicturePage {
        page: page(lang),
        action: text("/class/demo/bear"),
        first_name: text("Léonie"),
        avatar: text("panda"),
        pictures: order,
        picked: picked.iter().map(|id| text(id)).collect(),
        hidden: hidden(),
        state,
        again_url: text("/class/demo/bear"),
        class_url: text("/class/demo"),
    }
}

pub(super) fn home(lang: Lang, avatar: Option<&str>) -> HomePage {
    let mut page = page(lang);
    page.person = Some(text("Léonie"));
    let services = [
        "Cahier de vie",
        "ENT du collège",
        "Lecture pour tous",
        "Exercices de calcul",
        "Bibliothèque",
    ];
    HomePage {
        page,
        first_name: text("Léonie"),
        avatar: avatar.map(text),
        services: services
            .map(|name| ServiceLink {
                name: text(name),
                url: text("https://service.example/"),
            })
            .to_vec(),
        coming: Vec::new(),
        children: Vec::new(),
        sign_out_action: text("/logout"),
    }
}

/// The home of somebody who answers for children.
fn family(lang: Lang) -> HomePage {
    let mut view = home(lang, None);
    view.page.person = Some(text("Maddi Etcheverry-Le Goff"));
    view.services.truncate(2);
    HomePage {
        first_name: text("Maddi"),
        children: vec![
            ChildLine {
                name: text("Léonie Etcheverry-Le Goff"),
                schools: vec![text("École du Port")],
            },
            ChildLine {
                name: text("Ttotte Etcheverry-Le Goff"),
                schools: Vec::new(),
            },
        ],
        ..view
    }
}

pub(super) fn sign_out(lang: Lang) -> SignOutPage {
    SignOutPage {
        page: page(lang),
        action: text("/logout"),
        hidden: hidden(),
        service: Some(text("Cahier de vie")),
        stay_url: text("/"),
    }
}

pub(super) fn form_post(lang: Lang) -> FormPostPage {
    FormPostPage {
        page: page(lang),
        action: text("https://ent.example/cb"),
        fields: hidden(),
    }
}

pub(super) fn signed_out(lang: Lang) -> SignedOutPage {
    SignedOutPage {
        page: page(lang),
        closed: [text("Cahier de vie"), text("ENT du collège")].to_vec(),
        asked: vec![Link {
            label: text("ENT du lycée"),
            url: text("/saml/slo/ask?continue=x"),
        }],
        still_open: vec![text("Bibliothèque")],
        frames: Vec::new(),
        back: Some(Link {
            label: text("Cahier de vie"),
            url: text("https://service.example/"),
        }),
        goes_on: false,
        class_url: Some(text("/class/demo")),
    }
}

pub(super) fn error(lang: Lang, kind: ErrorKind) -> ErrorPage {
    let request_id = text("0199c0de-7a3b-7c1d-9f4e-2b6a5d8e1f30");
    ErrorPage {
        page: page(lang),
        kind,
        sentence: None,
        request_id,
        way_on: None,
    }
}

pub(super) fn cards(lang: Lang) -> CardsPage {
    let cards = class(lang).pupils.into_iter().enumerate().map(|(n, pupil)| Card {
        first_name: pupil.first_name,
        avatar: pupil.avatar,
        pictures: (0..4)
            .map(|k| PICTURES[(n * 7 + k * 5) % PICTURES.len()])
            .collect(),
    });
    CardsPage {
        page: page(lang),
        class_label: text("CE1 A"),
        school: text("École élémentaire Les Tilleuls, Albert"),
        address: text("marelle.example/class"),
        class_code: text("K7MQ-4XTN-9B2W"),
        cards: cards.collect(),
    }
}

/// All pages in one language: a file name, and the HTML.
pub(super) fn gallery(lang: Lang) -> Vec<(&'static str, String)> {
    let html = |view: &dyn askama::DynTemplate| view.dyn_render().unwrap();
    let refused = LoginPage {
        username: text("leonie.martin"),
        service: Some(text("ENT du collège")),
        problem: Some(LoginProblem::Refused),
        ..login(lang)
    };
    let wait = LoginPage {
        problem: Some(LoginProblem::Wait { seconds: 45 }),
        ..login(lang)
    };
    let signed_out_state = ServiceState::SignedOut {
        sign_in_url: text("/sign-in"),
    };
    let loaded = DemoStart {
        load_action: None,
        notice: None,
        ..tour(lang)
    };
    let access = AccessibilityPage {
        page: page(lang),
        operator: Some(text("L’académie d’Exemple")),
        contact_email: Some(text("accessibilite@marelle.example")),
    };
    let empty_class = ClassPage {
        pupils: Vec::new(),
        ..class(lang)
    };
    let no_services = HomePage {
        services: Vec::new(),
        ..home(lang, None)
    };
    let at_the_rentree = HomePage {
        coming: vec![ComingService {
            name: text("ENT du collège"),
            opens_on: crate::base::time::parse_date("2026-09-07").unwrap_or_default(),
        }],
        ..no_services.clone()
    };
    let from_service = LoginPage {
        service: Some(text("Club de lecture")),
        policy_url: about().policy_url,
        terms_url: about().terms_url,
        ..login(lang)
    };
    let mut more = knowledge();
    more[2].is_new = true;
    let told_more = InformationPage {
        is_more: true,
        ..information(lang, more.clone())
    };
    let asked_more = ConsentPage {
        is_more: true,
        known: more,
        rights: Vec::new(),
        ..consent(lang)
    };
    let unknown = AccountPage {
        services: Vec::new(),
        withdrawn: None,
        ..account(lang, true)
    };
    let mut pages = vec![
        ("login", html(&login(lang))),
        ("login-from-service", html(&from_service)),
        ("information", html(&information(lang, knowledge()))),
        ("information-nothing", html(&information(lang, Vec::new()))),
        ("information-more", html(&told_more)),
        ("consent", html(&consent(lang))),
        ("consent-more", html(&asked_more)),
        ("account", html(&account(lang, false))),
        ("account-child", html(&account(lang, true))),
        ("account-nobody", html(&unknown)),
        ("login-refused", html(&refused)),
        ("login-wait", html(&wait)),
        ("class-entry", html(&entry(lang, None))),
        (
            "class-entry-unknown",
            html(&entry(lang, Some(ClassEntryProblem::Unknown))),
        ),
        (
            "class-entry-wait",
            html(&entry(lang, Some(ClassEntryProblem::Wait { seconds: 300 }))),
        ),
        ("class", html(&class(lang))),
        ("class-empty", html(&empty_class)),
        ("picture", html(&picture(lang, PictureState::Normal, &[]))),
        (
            "picture-two",
            html(&picture(lang, PictureState::Normal, &["cat", "sun"])),
        ),
        ("picture-wrong", html(&picture(lang, PictureState::Wrong, &[]))),
        (
            "picture-wait",
            html(&picture(lang, PictureState::Wait { seconds: 30 }, &[])),
        ),
        ("home", html(&home(lang, Some("panda")))),
        ("home-adult", html(&no_services)),
        ("home-guardian", html(&family(lang))),
        ("home-before-september", html(&at_the_rentree)),
        ("sign-out", html(&sign_out(lang))),
        ("form-post", html(&form_post(lang))),
        ("signed-out", html(&signed_out(lang))),
        (
            "not-found",
            html(&NotFoundPage {
                page: page(lang),
                request_id: text("0199c0de"),
            }),
        ),
        ("accessibility", html(&access)),
        ("cards", html(&cards(lang))),
        ("demo-start", html(&tour(lang))),
        ("demo-start-loaded", html(&loaded)),
        (
            "service-signed-out",
            html(&service(lang, Theme::College, signed_out_state)),
        ),
        (
            "service-first",
            html(&service(lang, Theme::Ecole, signed_in(None))),
        ),
        (
            "service-same",
            html(&service(lang, Theme::Both, signed_in(Some(SUB)))),
        ),
        (
            "service-different",
            html(&service(lang, Theme::College, signed_in(Some("another")))),
        ),
    ];
    for (name, kind) in [
        ("error-bad-request", ErrorKind::BadRequest),
        ("error-forbidden", ErrorKind::Forbidden),
        ("error-not-yet", ErrorKind::NotYet),
        ("error-waits", ErrorKind::Waits),
        ("error-expired", ErrorKind::Expired),
        ("error-too-many", ErrorKind::TooMany),
        ("error-internal", ErrorKind::Internal),
        ("error-unavailable", ErrorKind::Unavailable),
    ] {
        pages.push((name, html(&error(lang, kind))));
    }
    pages
}
