//! Owns the sample of every page, for the tests. All people are invented.

use super::*;
use crate::domain::relying_party::Attribute;

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

pub(super) fn tour(lang: Lang) -> DemoStart {
    let step = |title: &str, sentence: &str, action, state| Step {
        title: text(title),
        sentence: text(sentence),
        action,
        state,
    };
    let open = |label: &str| {
        Some(StepAction::Open {
            label: text(label),
            url: text("http://127.0.0.1:8081/"),
        })
    };
    let member = |name: &str, class: &str, avatar: &str, codes: &[&str]| CastMember {
        first_name: text(name),
        class_label: text(class),
        school: text("École Les Tilleuls"),
        avatar: text(avatar),
        pictures: pictures(codes),
        class_url: text("/class/demo"),
    };
    let service = |name: &str, url: &str, about: &str| DemoService {
        name: text(name),
        url: text(url),
        about: text(about),
    };
    DemoStart {
        page: page(lang),
        steps: vec![
            step(
                "Entrer à l’école",
                "Ouvrez le service de l’école et connectez-vous comme Léonie : sa classe, son \
                avatar, ses quatre images.",
                open("Ouvrir le cahier de vie"),
                StepState::Done,
            ),
            step(
                "Charger le fichier du collège",
                "Le collège reçoit ses élèves de 6e. Léonie y figure sous une autre \
                clé, avec le même INE : Marelle la reconnaît.",
                Some(StepAction::Post {
                    label: text("Charger le fichier de l’année suivante"),
                    action: text("/demo/next-year"),
                }),
                StepState::Current,
            ),
            step(
                "Entrer au collège",
                "Léonie se connecte à l’ENT de son collège.",
                open("Ouvrir l’ENT du collège"),
                StepState::Todo,
            ),
            step(
                "Retrouver le service commun",
                "La bibliothèque, utilisée aux deux niveaux, voit la même personne.",
                open("Ouvrir la bibliothèque"),
                StepState::Todo,
            ),
        ],
        cast: vec![
            member("Léonie", "CM2 B", "panda", &["cat", "sun", "boat", "apple"]),
            member("Ismaël", "CM2 B", "lion", &["star", "car", "fish", "tree"]),
            member("Théa", "CM1", "owl", &["house", "moon", "flower", "dog"]),
        ],
        services: vec![
            service(
                "Cahier de vie",
                "http://127.0.0.1:8081/",
                "un service de l’école (OpenID Connect)",
            ),
            service(
                "ENT du collège",
                "http://127.0.0.1:8082/",
                "l’espace numérique du collège (OpenID Connect)",
            ),
            service(
                "Bibliothèque",
                "http://127.0.0.1:8083/",
                "un service que les deux utilisent",
            ),
        ],
        load_action: Some(text("/demo/next-year")),
        reset_action: text("/demo/reset"),
        notice: Some(text("Léonie s’est connectée au cahier de vie.")),
    }
}

pub(super) const SUB: &str = "k5xw63tfon2gs3tumuqhg5lcnfsxg5bam5xxezdjnzsxe2lt";

pub(super) fn service(lang: Lang, theme: Theme, state: ServiceState) -> ServicePage {
    let (name, about) = match theme {
        Theme::Ecole => (
            "Cahier de vie",
            "Le journal de la classe, à l’école Les Tilleuls.",
        ),
        Theme::College => ("ENT du collège", "L’espace numérique du collège Jean-Bart."),
        Theme::Both => ("Bibliothèque", "Les livres que l’on garde de l’école au collège."),
    };
    ServicePage {
        lang,
        name: text(name),
        about: text(about),
        theme,
        state,
        tour_url: text("http://127.0.0.1:8080/"),
    }
}

pub(super) fn signed_in(previous: Option<&str>) -> ServiceState {
    let claim = |name: &str, value: &str| Claim {
        name: text(name),
        value: text(value),
    };
    ServiceState::SignedIn {
        greeting_name: Some(text("Léonie")),
        sub: text(SUB),
        previous_sub: previous.map(text),
        claims: vec![
            claim("sub", SUB),
            claim("given_name", "Léonie"),
            claim("profile", "National_ELV"),
            claim("uai", "[\"0801234X\"]"),
            claim("level", "CM2"),
            claim("class", "CM2 B"),
            claim("acr", "urn:marelle:acr:class"),
        ],
        sign_out_action: text("/sign-out"),
    }
}

pub(super) fn known(attribute: Attribute, value: &str, purpose: &str) -> Known {
    Known {
        attribute,
        values: vec![text(value)],
        purpose: text(purpose),
        is_new: false,
    }
}

fn knowledge() -> Vec<Known> {
    vec![
        known(Attribute::GivenName, "Maddi", "saluer par le prénom"),
        known(
            Attribute::FamilyName,
            "Etcheverry-Le Goff",
            "tenir la liste des inscrits",
        ),
        known(Attribute::Class, "CM2 B", "ranger par classe"),
        known(
            Attribute::Profile,
            "National_ENS",
            "ouvrir l’espace des enseignants",
        ),
        known(
            Attribute::Email,
            "maddi.etcheverry-le-goff@ecole-les-tilleuls.example",
            "envoyer la lettre",
        ),
    ]
}

pub(super) fn about() -> ServiceAbout {
    ServiceAbout {
        name: text("Club de lecture"),
        host: Some(text("club.lecture.example")),
        policy_url: Some(text("https://club.lecture.example/donnees")),
        terms_url: Some(text("https://club.lecture.example/conditions")),
    }
}

pub(super) fn information(lang: Lang, known: Vec<Known>) -> InformationPage {
    let mut page = page(lang);
    page.person = Some(text("Léonie"));
    InformationPage {
        page,
        service: about(),
        known,
        is_more: false,
        action: text("/notice"),
        hidden: hidden(),
    }
}

pub(super) fn consent(lang: Lang) -> ConsentPage {
    let mut page = page(lang);
    page.person = Some(text("Maddi Etcheverry-Le Goff"));
    ConsentPage {
        page,
        service: about(),
        known: knowledge(),
        rights: vec![
            text("offline_access"),
            text("https://menus.example/api#menus:read"),
        ],
        is_more: false,
        action: text("/notice"),
        hidden: hidden(),
    }
}

pub(super) fn account(lang: Lang, is_child: bool) -> AccountPage {
    let mut page = page(lang);
    page.person = Some(text(if is_child {
        "Léonie"
    } else {
        "Maddi Etcheverry-Le Goff"
    }));
    let since = crate::base::time::parse_date("2026-10-01").unwrap();
    let one = |client: &str, name: &str, known: Vec<Known>, may_withdraw: bool| KnownBy {
        client: text(client),
        service: ServiceAbout {
            name: text(name),
            ..about()
        },
        since,
        known,
        rights: if may_withdraw {
            vec![text("offline_access")]
        } else {
            Vec::new()
        },
        may_withdraw,
    };
    AccountPage {
        page,
        is_child,
        services: vec![
            one("biblio", "Bibliothèque", Vec::new(), false),
            one("cahier", "Cahier de vie", knowledge(), false),
            one("club", "Club de lecture", knowledge(), !is_child),
        ],
        withdrawn: (!is_child).then(|| text("Échecs en ligne")),
        withdraw_action: text("/account/withdraw"),
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
