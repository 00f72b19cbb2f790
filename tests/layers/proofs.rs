//! Shows that the checker can fail: each rule is broken by a small source, and each has a neighbour that is fine.

use crate::check::{Source, check_sources};
use crate::rules::{LAYERS, MOST_LINES};

/// What is found in one file with this text, each as `line: rule`.
fn found_in(label: &str, text: &str) -> Vec<String> {
    found_among(&[(label, text)])
}

fn found_among(files: &[(&str, &str)]) -> Vec<String> {
    let sources: Vec<Source> = files
        .iter()
        .map(|(label, text)| Source {
            label: (*label).to_owned(),
            text: format!("//! A module.\n{text}\n"),
        })
        .collect();
    check_sources(&sources).iter().map(ToString::to_string).collect()
}

#[track_caller]
fn refused(label: &str, text: &str, finding: &str) {
    let found = found_in(label, text);
    assert!(
        found.len() == 1 && found.iter().all(|one| one.contains(finding)),
        "{text}\ngave {found:#?}"
    );
}

#[track_caller]
fn accepted(label: &str, text: &str) {
    let found = found_in(label, text);
    assert!(found.is_empty(), "{text}\ngave {found:#?}");
}

#[test]
fn an_import_that_points_up_is_refused_with_file_line_and_rule() {
    let found = found_in(
        "src/domain/school.rs",
        "use crate::base::id::SchoolId;\nuse crate::web::router;",
    );
    assert_eq!(
        found,
        ["src/domain/school.rs:3: `domain` imports `web`; it may import base"]
    );
}

#[test]
fn an_import_that_points_sideways_is_refused() {
    refused(
        "src/saml/response.rs",
        "use crate::cas::ticket::Ticket;",
        "`saml` imports `cas`",
    );
    refused("src/jobs.rs", "use crate::web::router;", "`jobs` imports `web`");
    refused(
        "src/domain/school.rs",
        "use crate::jose::KeySet;",
        "`domain` imports `jose`",
    );
}

#[test]
fn every_layer_may_import_what_its_line_says_and_nothing_else() {
    for from in LAYERS {
        for to in LAYERS {
            let allowed = from.name == to.name || from.may_import.contains(&to.name);
            let found = found_in(
                &format!("src/{}/a.rs", from.name),
                &format!("use crate::{}::Thing;", to.name),
            );
            assert_eq!(
                found.is_empty(),
                allowed,
                "{} → {}: {found:?}",
                from.name,
                to.name
            );
        }
    }
}

/// "Imports only point down" holds for the table itself: each layer imports only what stands above it in the list.
#[test]
fn the_map_has_no_circle() {
    for (index, layer) in LAYERS.iter().enumerate() {
        for name in layer.may_import {
            let place = LAYERS.iter().position(|other| other.name == *name);
            assert!(
                place.is_some_and(|place| place < index),
                "{} → {name}",
                layer.name
            );
        }
    }
}

#[test]
fn every_way_to_write_an_import_is_seen() {
    let ways = [
        "use crate::store;",
        "use crate::store as s;",
        "use crate::store::*;",
        "use crate::{store};",
        "use crate::{base::id, store::{self, db::Db}};",
        "use crate::{\n    base::{id, time},\n    store::db,\n};",
        "pub(crate) use crate::store::db::Db;",
        "use super::super::store::db;",
        "use self::super::super::store::db;",
        "use marelle::store::db;",
        "use ::marelle::store::db;",
        "fn f() { crate::store::db::open(); }",
        "fn f() -> Result<crate::store::Db, ()> { g() }",
        "fn f() { let _ = format!(\"{}\", crate::store::NAME); }",
        "fn f() { Vec::<crate::store::Db>::new(); }",
        "impl From<crate::store::StoreError> for E {}",
        "#[derive(crate::store::Row)] struct A;",
        "macro_rules! m { () => { $crate::store::db() } }",
        "mod inner { use super::super::super::store::db; }",
        "fn f() { super::super::store::db(); }",
        "use crate::r#store::db;",
        "#[cfg(test)] mod tests { use crate::store::db; }",
        "#[cfg(test)] use crate::store::db;",
        "extern crate marelle; use crate::store::db;",
    ];
    for way in ways {
        let found = found_in("src/login/password.rs", way);
        assert!(
            found.iter().any(|one| one.contains("`login` imports `store`")),
            "{way}\ngave {found:#?}"
        );
    }
}

#[test]
fn the_line_inside_a_long_import_is_named() {
    let found = found_in(
        "src/login/a.rs",
        "use crate::{\n    base::id,\n    store::{\n        db,\n    },\n};",
    );
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(
        found.iter().all(|one| one.starts_with("src/login/a.rs:5: ")),
        "{found:?}"
    );
}

#[test]
fn words_that_only_look_like_imports_are_let_be() {
    accepted(
        "src/domain/a.rs",
        "// use crate::web::router;\n/* crate::store */\n/// See [`crate::web`].\nstruct A;",
    );
    accepted(
        "src/domain/a.rs",
        "const TEXT: &str = \"use crate::web; sqlx::query()\";",
    );
    accepted(
        "src/domain/a.rs",
        "const TEXT: &str = r#\"axum::Router \"quoted\" crate::cli\"#;",
    );
    accepted(
        "src/domain/a.rs",
        "fn f<'a>(x: &'a str) -> impl Iterator<Item = char> + use<'a> { x.chars() }",
    );
    accepted(
        "src/domain/a.rs",
        "pub(crate) struct A { pub(in crate::domain) web: u8 }",
    );
    accepted(
        "src/web/oauth.rs",
        "use self::store::x; use super::store::y; mod store {}",
    );
    accepted("src/lib.rs", "pub mod web; pub use crate::web::router;");
    accepted(
        "src/main.rs",
        "fn main() -> std::process::ExitCode { marelle::cli::run() }",
    );
}

#[test]
fn each_outside_crate_stays_behind_its_wall() {
    let walls = [
        (
            "use axum::Router;",
            ["src/web/router.rs", "src/app.rs", "src/demo/service.rs"].as_slice(),
        ),
        ("use axum_extra::extract::CookieJar;", &["src/web/session.rs"]),
        ("use sqlx::Row;", &["src/store/db.rs", "src/store.rs"]),
        (
            "use askama::Template;",
            &[
                "src/web/views/login.rs",
                "src/web/views/mod.rs",
                "src/web/views.rs",
            ],
        ),
        (
            "use quick_xml::Reader;",
            &["src/xml/read.rs", "src/roster/aaf/xml.rs"],
        ),
        ("use flate2::Decompress;", &["src/saml/wire.rs"]),
        ("use samael::crypto;", &["src/saml/xmlsec/second_opinion.rs"]),
        ("use bergshamra::c14n;", &["src/saml/xmlsec/second_opinion.rs"]),
        ("use webauthn_rs::Webauthn;", &["src/login/passkey.rs"]),
        (
            "use argon2::Argon2;",
            &["src/login/password.rs", "src/login/password/work.rs"],
        ),
        ("use reqwest::Client;", &["src/flows/outbound.rs"]),
        (
            "use openidconnect::core::CoreClient;",
            &["src/oidc/upstream.rs", "src/demo/client/oidc.rs"],
        ),
    ];
    for (import, homes) in walls {
        for home in homes {
            accepted(home, import);
        }
        refused("src/domain/a.rs", import, "is named outside");
        refused("src/lib.rs", import, "is named outside");
    }
    refused(
        "src/web/login.rs",
        "use askama::Template;",
        "is named outside web::views",
    );
    refused(
        "src/login/badge.rs",
        "use argon2::Argon2;",
        "is named outside login::password",
    );
    refused(
        "src/flows/mail.rs",
        "use reqwest::Client;",
        "is named outside flows::outbound",
    );
}

#[test]
fn a_wall_is_seen_however_the_crate_is_named() {
    let ways = [
        "use sqlx;",
        "use ::sqlx::Row;",
        "use sqlx as database;",
        "use {serde::Serialize, sqlx::Row};",
        "extern crate sqlx;",
        "extern crate sqlx as database;",
        "fn f() { sqlx::query(\"SELECT 1\"); }",
        "fn f() -> ::sqlx::Result<()> { g() }",
        "#[derive(Debug, sqlx::FromRow)] struct A;",
        "#[cfg(test)] mod tests { use sqlx::Row; }",
        "fn f() { crate::base::sqlx::query(); }",
    ];
    for way in ways {
        refused("src/domain/a.rs", way, "is named outside store");
    }
}

#[test]
fn only_the_openid_client_may_be_named_by_tests_of_other_modules() {
    accepted(
        "src/web/oauth.rs",
        "#[cfg(test)]\nmod tests { use openidconnect::Nonce; }",
    );
    refused(
        "src/web/oauth.rs",
        "mod tests { use openidconnect::Nonce; }",
        "is named outside oidc::upstream, demo",
    );
    refused(
        "src/login/a.rs",
        "#[cfg(test)]\nmod tests { use axum::Router; }",
        "is named outside web, app, demo",
    );
    // What follows the tests is no test.
    refused(
        "src/web/a.rs",
        "#[cfg(test)]\nmod tests {}\nuse openidconnect::Nonce;",
        "is named outside",
    );
    refused(
        "src/web/a.rs",
        "#[cfg(test)]\nuse std::fmt;\nuse openidconnect::Nonce;",
        "is named outside",
    );
    refused(
        "src/web/a.rs",
        "#[cfg(not(test))]\nuse openidconnect::Nonce;",
        "is named outside",
    );
    refused(
        "src/web/a.rs",
        "struct A { #[cfg(test)] b: u8, c: openidconnect::Nonce }",
        "is named outside",
    );
}

#[test]
fn a_file_of_tests_is_known_by_its_declaration() {
    let parent = ("src/web/oauth.rs", "#[cfg(test)]\nmod tests;");
    let tests = "use openidconnect::Nonce;\n".to_owned() + &"fn f() {}\n".repeat(MOST_LINES);
    assert_eq!(
        found_among(&[parent, ("src/web/oauth/tests.rs", &tests)]),
        [""; 0]
    );
    assert_eq!(
        found_among(&[("src/web/oauth/tests.rs", &tests)]).len(),
        2,
        "undeclared, it is code"
    );
}

#[test]
fn a_module_without_a_place_and_a_path_to_none_are_refused() {
    refused(
        "src/extras/a.rs",
        "struct A;",
        "module `extras` has no place in the map",
    );
    refused(
        "src/domain/a.rs",
        "use crate::VERSION;",
        "only modules of the map are imported",
    );
    refused(
        "src/domain/a.rs",
        "use crate::*;",
        "only modules of the map are imported",
    );
    refused(
        "src/domain/a.rs",
        "use super::super::*;",
        "only modules of the map are imported",
    );
    refused(
        "src/domain/a.rs",
        "use crate as root;",
        "only modules of the map are imported",
    );
}

#[test]
fn ways_around_the_map_are_refused() {
    refused(
        "src/domain/a.rs",
        "#[path = \"../web/b.rs\"]\nmod b;",
        "src/domain/a.rs:2: #[path]",
    );
    refused(
        "src/domain/a.rs",
        "include!(\"../web/b.rs\");",
        "src/domain/a.rs:2: include!",
    );
    accepted("src/domain/a.rs", "const PAGE: &str = include_str!(\"a.txt\");");
}

#[test]
fn a_file_over_the_limit_is_refused_its_tests_cut_off() {
    // The first line is the module's `//!`.
    let longest = "fn f() {}\n".repeat(MOST_LINES - 1);
    accepted("src/domain/a.rs", longest.trim_end());
    refused(
        "src/domain/a.rs",
        &(longest.clone() + "fn g() {}"),
        "501 lines of code",
    );
    accepted(
        "src/domain/a.rs",
        &(longest.clone() + "#[cfg(test)]\nmod tests {\n\n\n}"),
    );
    refused(
        "src/domain/a.rs",
        &(longest + "#[cfg(test)]\nmod tests {}\nfn g() {}"),
        "501 lines of code",
    );
}

#[test]
fn a_module_that_does_not_say_what_it_owns_is_refused() {
    let silent = Source {
        label: "src/domain/a.rs".to_owned(),
        text: "// A note.\nstruct A;\n".to_owned(),
    };
    let found: Vec<String> = check_sources(&[silent]).iter().map(ToString::to_string).collect();
    assert_eq!(
        found,
        ["src/domain/a.rs:1: a module begins with `//!` and says what it owns"]
    );
}

#[test]
fn a_name_that_says_nothing_is_refused() {
    for label in [
        "src/domain/utils.rs",
        "src/domain/helpers/mod.rs",
        "src/domain/common.rs",
        "src/domain/v2.rs",
    ] {
        refused(label, "struct A;", "says nothing about what it owns");
    }
    refused(
        "src/domain/a.rs",
        "\nmod manager { struct A; }",
        "src/domain/a.rs:3: a module called `manager`",
    );
    accepted("src/domain/community.rs", "struct A;");
}

#[test]
fn a_file_that_is_no_rust_is_refused() {
    refused("src/domain/a.rs", "fn f( {", "cannot be read as Rust");
}
