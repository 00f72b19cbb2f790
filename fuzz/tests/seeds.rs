//! Every seed keeps every property, without libFuzzer: `cargo test` in this folder.

use std::fs;
use std::path::Path;

fn every(target: &str, check: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("seeds").join(target);
    let mut count = 0;
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        eprintln!("{}", path.display());
        check(&fs::read(&path).unwrap());
        count += 1;
    }
    assert!(count > 3, "{target} has seeds");
}

#[test]
fn saml_message() {
    every("saml_message", marelle_fuzz::saml_message::check);
}

#[test]
fn saml_metadata() {
    every("saml_metadata", marelle_fuzz::saml_metadata::check);
}

#[test]
fn cas() {
    every("cas", marelle_fuzz::cas::check);
}

#[test]
fn xml_signature() {
    every("xml_signature", marelle_fuzz::xml_signature::check);
}

#[test]
fn roster() {
    every("roster", marelle_fuzz::roster::check);
}

#[test]
fn registers() {
    every("registers", marelle_fuzz::registers::check);
}
