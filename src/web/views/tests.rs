//! What every page must hold, whatever it says. One test writes all pages to `target/gallery`: serve that folder and
//! open `index.html` to look at them.

use super::gallery::*;
use super::*;
use crate::domain::relying_party::Attribute;
use std::path::Path;

/// A name that would break a page that forgot to escape.
const HOSTILE: &str = "<script>alert('1')</script>\"'&";

fn every_page() -> impl Iterator<Item = (Lang, &'static str, String)> {
    [Lang::Fr, Lang::En].into_iter().flat_map(|lang| {
        gallery(lang)
            .into_iter()
            .map(move |(name, html)| (lang, name, html))
    })
}

/// What a person reads, without the tags.
fn words_of(html: &str) -> String {
    html.split('<')
        .filter_map(|part| part.split_once('>'))
        .map(|(_, text)| text)
        .collect::<Vec<_>>()
        .join("\n")
}

#[test]
fn writes_the_gallery_to_look_at() {
    let root = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/target/gallery"));
    let write = |url: &str, bytes: &[u8]| {
        let path = root.join(url.trim_start_matches('/'));
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    };
    for asset in crate::web::assets::ASSETS {
        write(&crate::web::assets::url(asset.name), asset.bytes);
    }
    write(Brand::default().css_url(), Brand::default().css().as_bytes());
    let mut index = text("<!doctype html><title>Marelle</title><ul>");
    for (lang, name, html) in every_page() {
        let file = format!("{name}.{}.html", lang.tag());
        write(&file, html.as_bytes());
        index.push_str(&format!("<li><a href=\"/{file}\">{file}</a>"));
    }
    write("index.html", index.as_bytes());
    assert!(root.join("login.fr.html").is_file());
}

#[test]
fn every_page_has_its_language_a_title_of_its_own_and_one_main_heading() {
    for lang in [Lang::Fr, Lang::En] {
        let mut titles = std::collections::BTreeMap::new();
        for (name, html) in gallery(lang) {
            assert!(
                html.contains(&format!("<html lang=\"{}\">", lang.tag())),
                "{name}"
            );
            assert_eq!(html.matches("<h1").count(), 1, "{name}");
            assert_eq!(html.matches("<main ").count(), 1, "{name}");
            let title = html
                .split("<title>")
                .nth(1)
                .unwrap()
                .split("</title>")
                .next()
                .unwrap()
                .to_owned();
            assert!(title.len() > 10, "{name}: {title}");
            titles.entry(title).or_insert_with(Vec::new).push(name);
        }
        let family = |name: &str| text(name.split('-').next().unwrap());
        for (title, names) in titles {
            assert!(
                names.iter().all(|name| family(name) == family(names[0])),
                "{title} names {names:?}"
            );
        }
    }
}

#[test]
fn nothing_needs_inline_code_or_another_host() {
    for (_, name, html) in every_page() {
        for part in html.split('<').skip(1) {
            let tag = part.split('>').next().unwrap();
            assert!(
                !tag.contains(" style=") && !tag.contains(" on") && !tag.contains("javascript:"),
                "{name}: {tag}"
            );
            assert!(!tag.starts_with("style"), "{name}: {tag}");
            let loads = ["script", "link", "img", "input", "source", "iframe"]
                .iter()
                .any(|t| tag.starts_with(t));
            assert!(!(loads && tag.contains("://")), "{name}: {tag}");
            assert!(
                !tag.starts_with("script") || tag.contains("src=\"/static/"),
                "{name}: {tag}"
            );
        }
    }
}

#[test]
fn every_file_that_a_page_loads_is_there() {
    for (_, name, html) in every_page() {
        for part in html.split("=\"/static/").skip(1) {
            let path = format!("/static/{}", part.split('"').next().unwrap());
            assert!(
                crate::web::assets::find(&path).is_some_and(|found| found.immutable),
                "{name}: {path}"
            );
        }
    }
}

#[test]
fn every_post_carries_the_form_token() {
    // What is posted to another site carries nothing of ours.
    let ours = |name: &str| !name.starts_with("service-") && !name.starts_with("form-post");
    for (_, name, html) in every_page().filter(|(_, name, _)| ours(name)) {
        let posts = html.matches("method=\"post\"").count();
        assert_eq!(
            html.matches("name=\"form_token\" value=\"t0ken\"").count(),
            posts,
            "{name}"
        );
    }
}

#[test]
fn french_has_no_breaking_space_before_a_double_sign() {
    for (_, name, html) in every_page().filter(|(lang, ..)| *lang == Lang::Fr) {
        let words = words_of(&html);
        for sign in [" ?", " !", " ;", " :", " »", "« "] {
            let at = words
                .find(sign)
                .map(|at| words[..at].chars().rev().take(30).collect::<String>());
            // The sentences of the tour are sample data, not words of the table.
            assert!(
                at.is_none() || name.starts_with("demo-start"),
                "{name}: {sign:?} after {at:?}"
            );
        }
    }
}

#[test]
fn the_languages_do_not_share_their_sentences() {
    for ((name, fr), (_, en)) in gallery(Lang::Fr).into_iter().zip(gallery(Lang::En)) {
        let heading = |html: &str| {
            html.split("<h1")
                .nth(1)
                .unwrap()
                .split("</h1>")
                .next()
                .unwrap()
                .to_owned()
        };
        assert_ne!(heading(&fr), heading(&en), "{name}");
    }
}

#[test]
fn the_ids_that_others_rely_on_are_there() {
    for lang in [Lang::Fr, Lang::En] {
        let html = render(&login(lang)).unwrap();
        assert!(html.contains("<input id=\"username\" name=\"username\""));
        assert!(html.contains("<input id=\"password\" name=\"password\" type=\"password\""));
        assert!(html.contains("id=\"sign-in\" type=\"submit\""));
        assert!(html.contains("<form method=\"post\" action=\"/login\">"));
        let leave = render(&sign_out(lang)).unwrap();
        assert!(leave.contains("id=\"sign-out\" type=\"submit\""));
        assert!(leave.contains("name=\"pupil\" value=\"opaque\""));
    }
}

#[test]
fn the_way_back_is_kept_and_encoded() {
    let html = render(&login(Lang::Fr)).unwrap();
    assert!(html.contains("name=\"continue\" value=\"/oauth/authorize?client_id=a&#38;state=b c\""));
    assert!(html.contains("href=\"/class?continue=%2Foauth%2Fauthorize%3Fclient_id%3Da%26state%3Db%20c\""));
}

#[test]
fn pictures_come_in_the_given_order_and_what_was_picked_is_sent_but_not_shown() {
    let view = picture(Lang::Fr, PictureState::Normal, &["cat", "sun"]);
    let html = render(&view).unwrap();
    let order: Vec<&str> = html
        .split("name=\"pick\" value=\"")
        .skip(1)
        .map(|s| s.split('"').next().unwrap())
        .collect();
    assert_eq!(order, view.pictures.iter().map(|p| p.id).collect::<Vec<_>>());
    assert!(html.contains("name=\"picked\" value=\"cat,sun\""));
    assert_eq!(html.matches("class=\"reached\"").count(), 2);
    assert!(html.contains("2 sur 4"));
    assert_eq!(html.matches("pictures/cat.svg").count(), 1, "only as a button");
    let wait = render(&picture(Lang::Fr, PictureState::Wait { seconds: 30 }, &[])).unwrap();
    assert!(!wait.contains("name=\"pick\"") && wait.contains("30 secondes"));
}

#[test]
fn a_service_says_whether_the_subject_is_the_same() {
    let html = |previous| render(&service(Lang::En, Theme::Both, signed_in(previous))).unwrap();
    assert!(html(Some(SUB)).contains("class=\"mark same\"") && !html(Some(SUB)).contains("mark different"));
    assert!(html(Some("x")).contains("class=\"mark different\"") && !html(Some("x")).contains("mark same"));
    assert!(!html(None).contains("class=\"mark"));
}

#[test]
fn hostile_names_are_only_text() {
    let h = || text(HOSTILE);
    let dress = |lang| {
        let mut page = page(lang);
        page.brand = Arc::new(Brand::new(HOSTILE, Colour::MARELLE, Some(h())));
        page.person = Some(h());
        page.form_token = Some(h());
        page.other_language_url = Some(h());
        page
    };
    for lang in [Lang::Fr, Lang::En] {
        let pupil = Pupil {
            url: h(),
            first_name: h(),
            avatar: h(),
        };
        let hostile_step = Step {
            title: h(),
            sentence: h(),
            action: Some(StepAction::Open { label: h(), url: h() }),
            state: StepState::Current,
        };
        let member = CastMember {
            first_name: h(),
            class_label: h(),
            school: h(),
            avatar: h(),
            pictures: pictures(&["cat"]),
            class_url: h(),
        };
        let field = vec![Hidden {
            name: h(),
            value: h(),
        }];
        let link = Some(Link { label: h(), url: h() });
        let failed = Some(LoginProblem::Refused);
        let hostile_service = || ServiceAbout {
            name: h(),
            host: Some(h()),
            policy_url: Some(h()),
            terms_url: Some(h()),
        };
        let hostile_fact = || known(Attribute::Class, HOSTILE, HOSTILE);
        let views: Vec<Box<dyn askama::DynTemplate>> = vec![
            Box::new(LoginPage {
                page: dress(lang),
                username: h(),
                continue_to: Some(h()),
                service: Some(h()),
                policy_url: Some(h()),
                terms_url: Some(h()),
                class_way: true,
                ways: vec![super::Way {
                    name: h(),
                    url: "/login/with/x".to_owned(),
                    populations: vec![crate::domain::upstream::Population::Staff],
                    is_remembered: true,
                }],
                first_by: Some(h()),
                problem: failed,
            }),
            Box::new(InformationPage {
                page: dress(lang),
                service: hostile_service(),
                hidden: field.clone(),
                action: h(),
                ..information(lang, vec![hostile_fact()])
            }),
            Box::new(ConsentPage {
                page: dress(lang),
                service: hostile_service(),
                known: vec![hostile_fact()],
                rights: vec![h(), format!("{}#{}", h(), h())],
                hidden: field.clone(),
                action: h(),
                ..consent(lang)
            }),
            Box::new(AccountPage {
                page: dress(lang),
                services: vec![KnownBy {
                    client: h(),
                    service: hostile_service(),
                    known: vec![hostile_fact()],
                    rights: vec![h()],
                    ..account(lang, false).services.remove(0)
                }],
                withdrawn: Some(h()),
                withdraw_action: h(),
                ..account(lang, false)
            }),
            Box::new(ClassEntryPage {
                page: dress(lang),
                code: h(),
                continue_to: Some(h()),
                problem: None,
            }),
            Box::new(ClassPage {
                page: dress(lang),
                class_label: h(),
                school: h(),
                pupils: vec![pupil],
                continue_to: Some(h()),
            }),
            Box::new(PicturePage {
                page: dress(lang),
                action: h(),
                first_name: h(),
                avatar: h(),
                picked: vec![h()],
                hidden: field.clone(),
                again_url: h(),
                class_url: h(),
                ..picture(lang, PictureState::Normal, &[])
            }),
            Box::new(HomePage {
                page: dress(lang),
                first_name: h(),
                avatar: Some(h()),
                services: vec![ServiceLink { name: h(), url: h() }],
                children: vec![ChildLine {
                    name: h(),
                    schools: vec![h()],
                }],
                coming: vec![ComingService {
                    name: h(),
                    opens_on: crate::base::time::Date::default(),
                }],
                sign_out_action: h(),
            }),
            Box::new(SignOutPage {
                page: dress(lang),
                action: h(),
                hidden: field,
                service: Some(h()),
                stay_url: h(),
            }),
            Box::new(SignedOutPage {
                page: dress(lang),
                closed: vec![h()],
                asked: link.iter().cloned().collect(),
                still_open: vec![h()],
                frames: vec![h()],
                back: link.clone(),
                goes_on: true,
                class_url: Some(h()),
            }),
            Box::new(VerdictPage {
                page: dress(lang),
                is_over: true,
            }),
            Box::new(ErrorPage {
                page: dress(lang),
                kind: ErrorKind::Internal,
                sentence: Some(h()),
                request_id: h(),
                way_on: link,
            }),
            Box::new(NotFoundPage {
                page: dress(lang),
                request_id: h(),
            }),
            Box::new(AccessibilityPage {
                page: dress(lang),
                operator: Some(h()),
                contact_email: Some(h()),
            }),
            Box::new(CardsPage {
                page: dress(lang),
                class_label: h(),
                school: h(),
                address: h(),
                class_code: h(),
                cards: vec![Card {
                    first_name: h(),
                    avatar: h(),
                    pictures: pictures(&["cat"]),
                }],
            }),
            Box::new(DemoStart {
                page: dress(lang),
                steps: vec![hostile_step],
                cast: vec![member],
                services: vec![DemoService {
                    name: h(),
                    url: h(),
                    about: h(),
                }],
                load_action: Some(h()),
                reset_action: h(),
                notice: Some(h()),
            }),
            Box::new(ServicePage {
                lang,
                name: h(),
                about: h(),
                theme: Theme::Both,
                state: ServiceState::SignedIn {
                    greeting_name: Some(h()),
                    sub: h(),
                    previous_sub: Some(h()),
                    claims: vec![Claim {
                        name: h(),
                        value: h(),
                    }],
                    sign_out_action: h(),
                },
                tour_url: h(),
            }),
        ];
        for (number, view) in views.into_iter().enumerate() {
            let html = view.dyn_render().unwrap();
            assert!(
                !html.contains("<script>") && !html.contains("\"'&"),
                "view {number}"
            );
            assert!(
                html.contains("&#60;script&#62;alert(&#39;1&#39;)"),
                "view {number} shows no name"
            );
        }
    }
}
