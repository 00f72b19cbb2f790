//! The program itself: what its exit codes say of a load, which is what nightly scripts go by.

use std::path::Path;
use std::process::{Command, Stdio};

use crate::files::onde;
use marelle::base::time::{Clock, SystemClock};
use marelle::domain::education::SchoolYear;
use marelle::domain::uai::Uai;

const SCHOOLS: u32 = 1;
const PUPILS: u32 = 40;

fn marelle(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_marelle"));
    command
        .current_dir(folder)
        .args(arguments)
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    // Whatever configures the tests' own environment configures nothing here.
    for (name, _) in std::env::vars() {
        if name.starts_with("MARELLE_") {
            command.env_remove(name);
        }
    }
    command
}

fn write_schools(folder: &Path) {
    let mut declared = "[[academy]]\ncode = \"20\"\nname = \"Amiens\"\n".to_owned();
    for school in 0..SCHOOLS {
        let uai = Uai::from_number(9_992_000 + school);
        declared.push_str(&format!(
            "[[school]]\nuai = \"{uai}\"\nname = \"École\"\ndegree = \"first\"\nacademy = \"20\"\n"
        ));
        let children: Vec<String> = (0..PUPILS)
            .map(|at| {
                format!(
                    "LE GOFF {}|Lina|{:02}/08/2016|{:09}AA",
                    "AB".repeat(at as usize % 20 + 1),
                    at % 28 + 1,
                    school * 1000 + at
                )
            })
            .collect();
        let rows: Vec<&str> = children.iter().map(String::as_str).collect();
        let school = folder.join("onde").join(uai.as_str());
        std::fs::create_dir_all(&school).unwrap();
        std::fs::write(school.join("CSVExtraction.csv"), onde(&rows)).unwrap();
    }
    std::fs::write(folder.join("territory.toml"), declared).unwrap();
}

#[tokio::test]
async fn the_exit_code_says_what_became_of_a_load() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    write_schools(folder);
    let year = SchoolYear::of(SystemClock.now().date()).to_string();
    let code = |arguments: &[&str]| marelle(folder, arguments).status().unwrap().code();
    let one = "onde/9992000";
    let path = std::fs::read_dir(folder.join("onde"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .find(|path| path.to_string_lossy().contains(one))
        .unwrap()
        .join("CSVExtraction.csv");
    let file = path.to_str().unwrap();
    assert_eq!(
        code(&["import", "onde", file, "--year", &year, "--apply"]),
        Some(2),
        "not declared"
    );
    assert_eq!(code(&["apply", "territory.toml"]), Some(0));
    assert_eq!(code(&["import", "onde", "nowhere.csv", "--year", &year]), Some(4));
    assert_eq!(code(&["import", "onde", file, "--year", "26"]), Some(2));
    assert_eq!(
        code(&["import", "onde", file, "--year", &year]),
        Some(0),
        "a preview"
    );
    assert_eq!(
        code(&["import", "onde", file, "--year", &year, "--apply", "--json"]),
        Some(0)
    );
    let whole = std::fs::read_to_string(file).unwrap();
    let half: Vec<&str> = whole.lines().take(20).collect();
    std::fs::write(file, half.join("\r\n")).unwrap();
    assert_eq!(
        code(&["import", "onde", file, "--year", &year]),
        Some(3),
        "a preview says so too"
    );
    assert_eq!(
        code(&["import", "onde", file, "--year", &year, "--apply"]),
        Some(3)
    );
    assert_eq!(
        code(&[
            "import",
            "onde",
            file,
            "--year",
            &year,
            "--apply",
            "--override",
            "fermeture d'une classe",
            "--by",
            "Maddi",
        ]),
        Some(0)
    );
    std::fs::write(file, "Nom;\"Prénom").unwrap();
    assert_eq!(
        code(&["import", "onde", file, "--year", &year, "--apply"]),
        Some(4)
    );
    assert_eq!(code(&["import", "list", "--json"]), Some(0));
    assert_eq!(code(&["match", "list"]), Some(0));
    let nobody = "01a20bb0-be15-778f-9c0a-b0c4a773049b";
    for nothing in [
        &["match", "accept", nobody, "--by", "Maddi"][..],
        &["match", "undo", nobody, "--by", "Maddi"],
        &["import", "undo", nobody, "--by", "Maddi"],
    ] {
        assert_ne!(code(nothing), Some(0), "{nothing:?}");
    }
}
