//! Pages about services: the tour of the demo, its services, what a service is told, consent, the account.

use super::*;
use crate::domain::relying_party::Attribute;

pub(in super::super) fn tour(lang: Lang) -> DemoStart {
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

pub(in super::super) const SUB: &str = "k5xw63tfon2gs3tumuqhg5lcnfsxg5bam5xxezdjnzsxe2lt";

pub(in super::super) fn service(lang: Lang, theme: Theme, state: ServiceState) -> ServicePage {
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

pub(in super::super) fn signed_in(previous: Option<&str>) -> ServiceState {
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

pub(in super::super) fn known(attribute: Attribute, value: &str, purpose: &str) -> Known {
    Known {
        attribute,
        values: vec![text(value)],
        purpose: text(purpose),
        is_new: false,
    }
}

pub(super) fn knowledge() -> Vec<Known> {
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

pub(in super::super) fn about() -> ServiceAbout {
    ServiceAbout {
        name: text("Club de lecture"),
        host: Some(text("club.lecture.example")),
        policy_url: Some(text("https://club.lecture.example/donnees")),
        terms_url: Some(text("https://club.lecture.example/conditions")),
    }
}

pub(in super::super) fn information(lang: Lang, known: Vec<Known>) -> InformationPage {
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

pub(in super::super) fn consent(lang: Lang) -> ConsentPage {
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

pub(in super::super) fn account(lang: Lang, is_child: bool) -> AccountPage {
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
