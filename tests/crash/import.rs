//! `kill -9` in the middle of an import: every school is there whole or not at all, the same command brings the load to
//! its end, and the end is that of a load that nobody disturbed.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::process::Stdio;
use std::time::Duration;

use marelle::base::random::{SeededRandom, below};
use serde_json::{Value, json};

use crate::installation::{Installation, Process, on_each_engine};

const SCHOOLS: u32 = 30;
/// Loads are killed until so many schools are in.
const ENOUGH: usize = 18;
/// A load is killed when it has brought in one school more than there were, or up to so many.
const LONGEST_STRIDE: u32 = 4;
/// And so many milliseconds later at most, so that kills land anywhere in a transaction.
const LONGEST_DELAY: u32 = 60;

const SCHOOLS_IN: &str = "SELECT CAST(COUNT(DISTINCT uai) AS BIGINT) AS number FROM class_group";
/// Everything that a pupil's row becomes, as far as it does not hold a random id or a time.
const PUPILS: &str = "SELECT r.uai AS uai,
        i.status || '|' || i.given_name || '|' || i.family_name || '|' || r.given_name || '|' || r.family_name || '|'
            || r.birth_date || '|' || COALESCE(g.label, 'no class') || '|' || COALESCE(g.level, '-') || '|'
            || COALESCE(e.uai, 'no enrolment') || '|' || COALESCE(e.profile, '-') AS pupil
    FROM source_record r JOIN identity i ON i.id = r.identity_id
    LEFT JOIN enrolment e ON e.record_id = r.id LEFT JOIN class_group g ON g.id = e.class_id";
const CLASSES: &str = "SELECT uai, label, COALESCE(level, '-') AS level FROM class_group";
/// What hangs in the air: a person without a record, a record or an enrolment without a person.
const STRAYS: &str = "SELECT CAST(COUNT(*) AS BIGINT) AS number FROM (
        SELECT id FROM identity i WHERE NOT EXISTS (SELECT 1 FROM source_record r WHERE r.identity_id = i.id)
        UNION ALL
        SELECT id FROM source_record r WHERE NOT EXISTS (SELECT 1 FROM identity i WHERE i.id = r.identity_id)
        UNION ALL
        SELECT id FROM enrolment e WHERE NOT EXISTS (SELECT 1 FROM source_record r WHERE r.id = e.record_id)
    ) AS stray";
const PEOPLE: &str = "SELECT CAST(COUNT(*) AS BIGINT) AS number FROM identity";
const CASES: &str = "SELECT CAST(COUNT(*) AS BIGINT) AS number FROM match_case WHERE status = 'open'";
/// What the journal and the runs say was done, school by school.
const JOURNALLED: &str =
    "SELECT CAST(COUNT(*) AS BIGINT) AS number FROM audit_event WHERE kind = 'school.imported'";
const COUNTED: &str = "SELECT CAST(SUM(schools_done) AS BIGINT) AS number FROM import_run";

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_import_leaves_whole_schools_and_is_brought_to_its_end() {
    let calm = Installation::new(None);
    let delivery = Delivery::make(&calm);
    delivery.declare(&calm);
    let report = calm.json(&delivery.import());
    assert_eq!(report["total"]["new"], report["total"]["stated"], "{report}");
    let wanted = Outcome::read(&calm, &delivery).await;
    assert_eq!(wanted.schools.len(), usize::try_from(SCHOOLS).unwrap());

    on_each_engine(async |installation| {
        delivery.declare(installation);
        let random = SeededRandom::new(9);
        let mut there = 0;
        while there < ENOUGH {
            let moment = there + 1 + usize::try_from(below(&random, LONGEST_STRIDE)).unwrap();
            let delay = Duration::from_millis(below(&random, LONGEST_DELAY).into());
            kill_an_import(installation, &delivery, (moment, delay)).await;
            let now = whole_schools(installation, &wanted).await;
            assert!(
                moment <= now,
                "{moment} schools were in before the kill, {now} after it"
            );
            there = now;
        }
        let rest = installation.json(&delivery.import());
        assert_eq!(rest["total"]["stated"], report["total"]["stated"]);
        assert!(
            rest["total"]["new"].as_u64() > Some(0),
            "the kills came too late: {rest}"
        );
        assert_eq!(Outcome::read(installation, &delivery).await, wanted);
        // No school was imported twice on the way.
        assert_eq!(installation.number(JOURNALLED).await, i64::from(SCHOOLS));
        assert_eq!(installation.number(COUNTED).await, i64::from(SCHOOLS));

        let again = installation.json(&delivery.import());
        assert_eq!(again["changes"], json!(false), "{again}");
        assert_quiet(&again["total"], &report["total"]["stated"]);
        let lines = again["schools"].as_array().unwrap();
        assert_eq!(lines.len(), wanted.schools.len());
        for line in lines {
            assert_quiet(&line["counts"], &line["counts"]["stated"]);
        }
        assert_eq!(schools(installation).await, wanted.schools);
        installation.is_whole();
    })
    .await;
}

/// Nothing but what was there already.
fn assert_quiet(counts: &Value, stated: &Value) {
    assert_eq!(&counts["unchanged"], stated, "{counts}");
    for change in [
        "new",
        "recognised",
        "changed",
        "entering",
        "moved",
        "returning",
        "departing",
        "classes",
        "cases",
        "merges",
    ] {
        assert_eq!(counts[change], json!(0), "{change}: {counts}");
    }
}

/// Lets an import go until so many schools are in, and a moment longer, and kills it.
async fn kill_an_import(
    installation: &Installation,
    delivery: &Delivery,
    (schools, delay): (usize, Duration),
) {
    let log = installation.path("import.log");
    let child = installation
        .command(&delivery.import())
        .stdout(Stdio::null())
        .stderr(File::create(&log).unwrap())
        .spawn()
        .unwrap();
    let mut import = Process(child);
    let schools = i64::try_from(schools).unwrap();
    while installation.number(SCHOOLS_IN).await < schools {
        if import.has_ended() {
            panic!("{}", std::fs::read_to_string(log).unwrap());
        }
    }
    tokio::time::sleep(delay).await;
    assert!(import.kill(), "the import ended by itself");
}

/// After a kill: the program finds its installation whole, and every school is there as wanted or not at all.
/// Answers how many there are.
async fn whole_schools(installation: &Installation, wanted: &Outcome) -> usize {
    // The program first: it is to repair what there is to repair.
    installation.is_whole();
    let schools = schools(installation).await;
    for (uai, lines) in &schools {
        let (found, whole) = (lines.len(), wanted.schools[uai].len());
        assert!(
            *lines == wanted.schools[uai],
            "{uai} is half done: {found} lines of {whole}"
        );
    }
    assert_eq!(installation.number(STRAYS).await, 0);
    let count = i64::try_from(schools.len()).unwrap();
    assert_eq!(installation.number(JOURNALLED).await, count);
    assert_eq!(installation.number(COUNTED).await, count);
    schools.len()
}

/// Every school that has anything, with its classes and pupils in a fixed order.
async fn schools(installation: &Installation) -> BTreeMap<String, Vec<String>> {
    let mut schools: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for row in installation.ask(PUPILS).await {
        let school = schools.entry(row.get("uai").unwrap()).or_default();
        school.push(row.get("pupil").unwrap());
    }
    for row in installation.ask(CLASSES).await {
        let (label, level): (String, String) = (row.get("label").unwrap(), row.get("level").unwrap());
        let school = schools.entry(row.get("uai").unwrap()).or_default();
        school.push(format!("class {label} {level}"));
    }
    for lines in schools.values_mut() {
        lines.sort();
    }
    schools
}

/// The files of a year's écoles.
struct Delivery {
    territory: String,
    folder: String,
    year: String,
}

impl Delivery {
    fn make(installation: &Installation) -> Self {
        let (out, schools) = (installation.path("sample"), SCHOOLS.to_string());
        let out = out.to_str().unwrap();
        let made = installation.json(&["sample", "--schools", &schools, "--seed", "5", "--out", out]);
        let year = made["year"].as_i64().unwrap();
        let folder = std::fs::read_dir(format!("{out}/onde"))
            .unwrap()
            .map(|entry| entry.unwrap().path().to_str().unwrap().to_owned())
            .find(|path| path.contains(&year.to_string()));
        Self {
            territory: format!("{out}/territory.toml"),
            folder: folder.unwrap(),
            year: year.to_string(),
        }
    }

    fn declare(&self, installation: &Installation) {
        installation.run(&["apply", &self.territory]);
    }

    /// The arguments that load it.
    fn import(&self) -> [&str; 6] {
        ["import", "onde", &self.folder, "--year", &self.year, "--apply"]
    }
}

/// Where a load has led.
#[derive(Debug, PartialEq)]
struct Outcome {
    schools: BTreeMap<String, Vec<String>>,
    /// What the program lists, without the ids.
    listed: BTreeMap<String, BTreeSet<String>>,
    people: i64,
    cases: i64,
}

impl Outcome {
    async fn read(installation: &Installation, delivery: &Delivery) -> Self {
        assert_eq!(installation.number(STRAYS).await, 0);
        let schools = schools(installation).await;
        let mut listed = BTreeMap::new();
        for uai in schools.keys() {
            let mut classes =
                installation.json(&["class", "list", "--school", uai, "--year", &delivery.year]);
            let classes = classes.as_array_mut().unwrap().iter_mut();
            let lines = classes.map(|class| {
                class.as_object_mut().unwrap().remove("id");
                class.to_string()
            });
            listed.insert(uai.clone(), lines.collect());
        }
        Self {
            schools,
            listed,
            people: installation.number(PEOPLE).await,
            cases: installation.number(CASES).await,
        }
    }
}
