//! `kill -9` at random moments while a year is loaded: écoles, then the academy's delivery of the year after, in which children
//! are recognised. Whenever it comes, nothing hangs in the air, and the same commands lead to the same people.
//!
//! `MARELLE_KILLS=100 cargo test --test crash -- random_moments --nocapture` does it a hundred times on each engine.

#![expect(
    clippy::disallowed_methods,
    reason = "a kill lands at a moment of the real clock, and an operator says how many"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::process::Stdio;
use std::time::{Duration, Instant};

use marelle::base::random::{SeededRandom, below};
use serde_json::Value;

use crate::installation::{Installation, Process, on_each_engine};

/// Kills on each engine where nobody says how many.
const KILLS: u32 = 6;
/// Of a load's time, how much a process may have before it is killed, in hundredths: enough to come a little further, too
/// little to come to the end.
const SHARE: u32 = 40;

/// What hangs in the air: somebody whom nothing states, and what is of nobody.
const STRAYS: &str = "SELECT CAST(COUNT(*) AS BIGINT) AS number FROM (
        SELECT id FROM identity i WHERE i.status <> 'merged'
            AND NOT EXISTS (SELECT 1 FROM source_record r WHERE r.identity_id = i.id)
            AND NOT EXISTS (SELECT 1 FROM adult_record r WHERE r.identity_id = i.id)
        UNION ALL
        SELECT id FROM source_record r WHERE NOT EXISTS (SELECT 1 FROM identity i WHERE i.id = r.identity_id)
        UNION ALL
        SELECT id FROM adult_record r WHERE NOT EXISTS (SELECT 1 FROM identity i WHERE i.id = r.identity_id)
        UNION ALL
        SELECT id FROM enrolment e WHERE NOT EXISTS (SELECT 1 FROM identity i WHERE i.id = e.identity_id)
        UNION ALL
        SELECT case_id FROM merge m WHERE NOT EXISTS (SELECT 1 FROM identity i WHERE i.id = m.absorbed)
    ) AS stray";
/// Pupils of a school without a place in it, or with one and no record: the halves of a school.
const HALVES: &str = "SELECT CAST(COUNT(*) AS BIGINT) AS number FROM source_record r
    WHERE r.missing_since IS NULL AND r.uai IS NOT NULL
        AND NOT EXISTS (SELECT 1 FROM enrolment e WHERE e.record_id = r.id)";
/// Where everybody is, without ids and times.
const PLACES: &str =
    "SELECT r.record_key || ' ' || e.uai || ' ' || COALESCE(g.label, '-') || ' ' || i.status || ' ' ||
        i.family_name || ' ' || i.given_name AS line
    FROM source_record r JOIN identity i ON i.id = r.identity_id LEFT JOIN enrolment e ON e.record_id = r.id
    LEFT JOIN class_group g ON g.id = e.class_id";

#[tokio::test(flavor = "multi_thread")]
async fn a_year_killed_at_random_moments_leads_to_the_same_people() {
    let kills: u32 = std::env::var("MARELLE_KILLS").map_or(KILLS, |kills| kills.parse().unwrap());
    let calm = Installation::new(None);
    let year = Year::make(&calm);
    let began = Instant::now();
    let mut times = Vec::new();
    calm.run(&strs(&year.territory));
    for load in &year.loads {
        let start = Instant::now();
        calm.run(&strs(load));
        times.push(start.elapsed());
    }
    let wanted = Outcome::read(&calm).await;
    assert!(wanted.people.values().any(|records| records.len() > 1));
    println!("a calm year: {:?}, loads {times:?}", began.elapsed());

    let again = std::sync::atomic::AtomicU32::new(0);
    on_each_engine(async |first| {
        let seed = again.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let random = SeededRandom::new(u64::from(seed) + 17);
        let mut done = year.killed(first, &random, &times, kills).await;
        assert_eq!(Outcome::read(first).await, wanted);
        // A year may end before there were enough: then another one.
        while done < kills {
            let fresh = first.another().await;
            done += year.killed(&fresh, &random, &times, kills - done).await;
            assert_eq!(Outcome::read(&fresh).await, wanted);
        }
        println!("{done} kills");
    })
    .await;
}

fn strs(arguments: &[String]) -> Vec<&str> {
    arguments.iter().map(String::as_str).collect()
}

/// What is declared, and what is loaded after it, one command after the other.
struct Year {
    territory: Vec<String>,
    loads: Vec<Vec<String>>,
}

impl Year {
    fn make(installation: &Installation) -> Self {
        let out = installation.path("sample");
        let out = out.to_str().unwrap();
        let made = installation.json(&[
            "sample",
            "--schools",
            "12",
            "--seed",
            "6",
            "--noise",
            "--out",
            out,
        ]);
        let year = made["year"].as_i64().unwrap();
        let command = |words: &str| words.split(' ').map(ToOwned::to_owned).collect();
        Self {
            territory: command(&format!("apply {out}/territory.toml")),
            loads: vec![
                command(&format!("import onde {out}/onde/{year} --year {year} --apply")),
                command(&format!(
                    "import aaf {out}/aaf/{next} --academy 20 --year {next} --apply",
                    next = year + 1
                )),
            ],
        }
    }

    /// Loads the year while processes die; answers how many did. Looks at what each left.
    async fn killed(
        &self,
        installation: &Installation,
        random: &SeededRandom,
        times: &[Duration],
        most: u32,
    ) -> u32 {
        installation.run(&strs(&self.territory));
        let mut kills = 0;
        for (load, time) in self.loads.iter().zip(times) {
            loop {
                let share = if kills < most {
                    below(random, SHARE)
                } else {
                    u32::MAX
                };
                let moment = time.saturating_mul(share) / 100;
                if ended_before(installation, &strs(load), moment).await {
                    break;
                }
                kills += 1;
                // The program first: it is to repair what there is to repair.
                installation.is_whole();
                assert_eq!(installation.number(STRAYS).await, 0, "after kill {kills}");
                assert_eq!(installation.number(HALVES).await, 0, "after kill {kills}");
            }
        }
        let last = self.loads.last().unwrap();
        let once_more = installation.json(&strs(last));
        assert_eq!(once_more["changes"], Value::Bool(false), "{once_more}");
        kills
    }
}

/// Runs a command and kills it at a moment; whether it had come to its end before.
async fn ended_before(installation: &Installation, arguments: &[&str], moment: Duration) -> bool {
    let log = installation.path("load.log");
    let child = installation
        .command(arguments)
        .stdout(Stdio::null())
        .stderr(std::fs::File::create(&log).unwrap())
        .spawn()
        .unwrap();
    let mut process = Process(child);
    let start = Instant::now();
    while start.elapsed() < moment {
        if process.has_ended() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    if !process.kill() {
        let said = std::fs::read_to_string(log).unwrap();
        assert!(process.succeeded(), "{}: {said}", arguments.join(" "));
        return true;
    }
    false
}

/// Where a year has led.
#[derive(Debug, PartialEq)]
struct Outcome {
    /// People by the records that state them.
    people: BTreeMap<String, BTreeSet<String>>,
    /// Open cases by their records.
    cases: BTreeSet<BTreeSet<String>>,
    places: BTreeSet<String>,
}

impl Outcome {
    async fn read(installation: &Installation) -> Self {
        let report = installation.run(&["match", "report", "--jsonl"]);
        let mut people: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        let mut cases = BTreeSet::new();
        let named = |line: &Value| format!("{} {} {}", line["source"], line["scope"], line["key"]);
        for line in String::from_utf8(report.stdout).unwrap().lines() {
            let line: Value = serde_json::from_str(line).unwrap();
            if let Some(records) = line["records"].as_array() {
                cases.insert(records.iter().map(named).collect());
            } else {
                let identity = line["identity"].as_str().unwrap().to_owned();
                people.entry(identity).or_default().insert(named(&line));
            }
        }
        // Ids are drawn anew each time: a person is named by the first of their records.
        let people = people
            .into_values()
            .map(|records| (records.first().unwrap().clone(), records));
        let places = installation.ask(PLACES).await;
        Self {
            people: people.collect(),
            cases,
            places: places.iter().map(|row| row.get("line").unwrap()).collect(),
        }
    }
}
