//! The map of the house, enforced: who may import whom, which crate stays behind which wall, how long and how named
//! a file may be.
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
