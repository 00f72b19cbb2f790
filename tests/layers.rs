//! The map of the house, enforced: who may import whom, which crate stays behind which wall, how long and how named
//! a file may be, and that every dependency has its reason.
//!
//! The rules are data in `layers/rules.rs`; `layers/scan.rs` reads tokens, never text, so comments and strings say
//! what they like; `layers/check.rs` compares the two. `layers/proofs.rs` breaks every rule once, on purpose.

#[path = "layers/check.rs"]
mod check;
#[path = "layers/proofs.rs"]
mod proofs;
#[path = "layers/rules.rs"]
mod rules;
#[path = "layers/scan.rs"]
mod scan;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

#[test]
fn the_sources_keep_the_map_of_the_house() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let files = check::read_sources(root).unwrap();
    assert!(
        files.iter().any(|file| file.label == "src/lib.rs"),
        "src/ was not found"
    );

    let broken: Vec<String> = check::check_sources(&files)
        .iter()
        .map(ToString::to_string)
        .collect();
    assert!(
        broken.is_empty(),
        "{} rule(s) broken:\n{}",
        broken.len(),
        broken.join("\n")
    );
}

#[test]
fn every_dependency_has_its_reason_and_every_reason_a_dependency() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let read = |file: &str| -> toml::Table { fs::read_to_string(root.join(file)).unwrap().parse().unwrap() };
    let sections = [
        ("Cargo.toml", "dependencies"),
        ("Cargo.toml", "dev-dependencies"),
        ("fuzz/Cargo.toml", "dependencies"),
    ];
    let declared: BTreeSet<String> = sections
        .iter()
        .flat_map(|(file, section)| read(file)[*section].as_table().unwrap().clone())
        .map(|(name, _)| name)
        .filter(|name| name != "marelle")
        .collect();
    let page = fs::read_to_string(root.join("docs/dependencies.md")).unwrap();
    let explained: BTreeSet<String> = page
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split_once("` |"))
        .map(|(name, _)| name.to_owned())
        .collect();

    let silent: Vec<_> = declared.difference(&explained).collect();
    assert!(
        silent.is_empty(),
        "docs/dependencies.md gives no reason for {silent:?}"
    );
    let gone: Vec<_> = explained.difference(&declared).collect();
    assert!(
        gone.is_empty(),
        "docs/dependencies.md explains what no Cargo.toml has (any more): {gone:?}"
    );
}
