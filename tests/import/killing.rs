//! The program itself, killed in the middle of a load: nothing is half done, and the same command completes it.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::files::onde;
use marelle::base::time::{Clock, SystemClock};
use marelle::domain::education::SchoolYear;
use marelle::domain::uai::Uai;
use marelle::store::db::{Address, Db, Statement};

const SCHOOLS: u32 = 12;
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

async fn texts(db: &Db, sql: &'static str) -> Vec<String> {
    let rows = db
        .reader()
        .await
        .unwrap()
        .all(Statement { name: "test", sql }, [])
        .await
        .unwrap();
    rows.iter().map(|row| row.get("line").unwrap()).collect()
}

const SIZES: &str = "SELECT uai || ' ' || COUNT(*) AS line FROM source_record GROUP BY uai ORDER BY uai";
const PEOPLE: &str = "SELECT r.record_key || ' ' || i.given_name || ' ' || e.ends_on AS line FROM source_record r
    JOIN identity i ON i.id = r.identity_id JOIN enrolment e ON e.record_id = r.id AND e.identity_id = i.id ORDER BY 1";

#[tokio::test]
async fn a_killed_load_leaves_whole_schools_and_the_same_command_completes_it() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    write_schools(folder);
    let year = SchoolYear::of(SystemClock.now().date()).to_string();
    let load = ["import", "onde", "onde", "--year", &*year, "--apply"];
    assert!(
        marelle(folder, &["apply", "territory.toml"])
            .status()
            .unwrap()
            .success()
    );
    let db = Db::open(&Address::File(folder.join("data/marelle.db")))
        .await
        .unwrap();
    let mut caught = 0;
    for wanted in [1, 4, 8] {
        let mut child = marelle(folder, &load).spawn().unwrap();
        while texts(&db, SIZES).await.len() < wanted && child.try_wait().unwrap().is_none() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        // SIGKILL: no destructor runs.
        drop(child.kill());
        child.wait().unwrap();
        let sizes = texts(&db, SIZES).await;
        for size in &sizes {
            assert!(size.ends_with(&format!(" {PUPILS}")), "half a school: {size}");
        }
        assert_eq!(texts(&db, PEOPLE).await.len(), sizes.len() * PUPILS as usize);
        caught += usize::from(sizes.len() < SCHOOLS as usize);
    }
    assert!(caught > 0, "every load was over before it was killed");
    let interrupted = texts(&db, "SELECT status AS line FROM import_run").await;
    assert!(
        interrupted.iter().any(|status| status == "applying"),
        "{interrupted:?}"
    );

    assert!(marelle(folder, &load).status().unwrap().success());
    let people: BTreeSet<String> = texts(&db, PEOPLE).await.into_iter().collect();
    assert_eq!(people.len(), (SCHOOLS * PUPILS) as usize);
    let finished = texts(&db, "SELECT status AS line FROM import_run").await;
    assert!(finished.iter().all(|status| status == "applied"), "{finished:?}");
    // Latest first, each is taken back; nothing is left.
    for run in texts(&db, "SELECT id AS line FROM import_run ORDER BY started_at DESC").await {
        assert!(
            marelle(folder, &["import", "undo", &run])
                .status()
                .unwrap()
                .success(),
            "{run}"
        );
    }
    assert!(texts(&db, SIZES).await.is_empty());
    assert!(texts(&db, "SELECT id AS line FROM identity").await.is_empty());
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
    assert_eq!(code(&["import", "onde", "nowhere.csv", "--year", &year]), Some(2));
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
            "fermeture d'une classe"
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
    assert_eq!(code(&["match", "accept", nobody, "--by", "Maddi"]), Some(2));
    assert_eq!(code(&["match", "undo", nobody, "--by", "Maddi"]), Some(2));
    assert_eq!(code(&["import", "undo", nobody]), Some(2));
}
