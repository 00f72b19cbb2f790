//! What must never be read: the INE and the names of children in logs, the INE in the database, whatever the level of
//! logging. The built program loads real-format files and its every output is searched.

#![expect(clippy::unwrap_used, reason = "the whole file is tests")]

use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Command, Output};

fn marelle(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_marelle"));
    command
        .env_clear()
        .env("MARELLE_LOG", "trace")
        .current_dir(folder)
        .args(arguments);
    let output = command.output().unwrap();
    assert!(
        output.status.success(),
        "{arguments:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    output
}

/// Every file under a folder.
fn files(folder: &Path) -> Vec<Vec<u8>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.push(std::fs::read(path).unwrap());
        }
    }
    found
}

/// The words of the shape of an INE.
fn numbers(bytes: &[u8]) -> BTreeSet<String> {
    bytes
        .split(|byte| !byte.is_ascii_alphanumeric())
        .filter(|word| {
            word.len() == 11
                && word.iter().take(9).all(u8::is_ascii_digit)
                && word.iter().skip(9).all(u8::is_ascii_uppercase)
        })
        .map(|word| String::from_utf8_lossy(word).into_owned())
        .collect()
}

#[test]
fn no_ine_reaches_a_log_an_answer_or_the_database_and_no_name_reaches_a_log() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    marelle(
        here,
        &[
            "sample",
            "--schools",
            "2",
            "--seed",
            "7",
            "--year",
            "2026",
            "--out",
            "sample",
        ],
    );
    let stated: BTreeSet<String> = files(&here.join("sample"))
        .iter()
        .flat_map(|bytes| numbers(bytes))
        .collect();
    assert!(stated.len() > 100, "the sample states {} numbers", stated.len());
    let onde = here.join("sample/onde/2026");
    let first = files(&onde).into_iter().next().unwrap();
    let row = first.split(|byte| *byte == b'\n').nth(1).unwrap().to_vec();
    let family_name = String::from_utf8_lossy(&row)
        .split(';')
        .next()
        .unwrap()
        .trim_matches('"')
        .to_uppercase();

    let mut said = Vec::new();
    let mut logged = Vec::new();
    for arguments in [
        &["apply", "sample/territory.toml"][..],
        &["import", "onde", "sample/onde/2026", "--year", "2026", "--json"],
        &[
            "import",
            "onde",
            "sample/onde/2026",
            "--year",
            "2026",
            "--apply",
            "--json",
        ],
        &[
            "import",
            "aaf",
            "sample/aaf/2027",
            "--academy",
            "20",
            "--year",
            "2027",
            "--apply",
            "--json",
        ],
        &["match", "list", "--json"],
        &["doctor"],
    ] {
        let output = marelle(here, arguments);
        said.extend(output.stdout);
        logged.extend(output.stderr);
    }
    assert!(!logged.is_empty(), "tracing at its finest says something");
    for (what, bytes) in [("an answer", &said), ("the log", &logged)] {
        let leaked: Vec<String> = numbers(bytes).intersection(&stated).cloned().collect();
        assert!(leaked.is_empty(), "{what} holds {} numbers", leaked.len());
    }
    let log = String::from_utf8_lossy(&logged).to_uppercase();
    assert!(!log.contains(&family_name), "the log holds a name");
    for bytes in files(&here.join("data")) {
        let leaked = numbers(&bytes).intersection(&stated).count();
        assert_eq!(leaked, 0, "the database holds numbers in clear");
    }
}
