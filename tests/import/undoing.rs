//! Taking a run back: exactly, or not at all; and runs that were interrupted.

use std::future::Future;
use std::task::{Context as TaskContext, Waker};

use crate::files::{aaf, ecole, load, onde, overriding};
use crate::town::{COLLEGES, ECOLES, Town, assert_same, on_each_engine};
use marelle::base::id::ImportRunId;
use marelle::flows::import::{self, Feed, File, Load};
use marelle::flows::matching;
use marelle::flows::undo::{self, UndoError};

const LINA: &str = "LE GOFF|Lina|17/08/2016|123456789AA";
const NOE: &str = "MARTIN|Noé|02/01/2016|123456789AB";
const INES: &str = "PETIT|Inès|03/03/2016|";

async fn refusal(town: &Town, run: ImportRunId) -> Vec<&'static str> {
    let before = town.dump().await;
    let refused = match undo::undo(&town.context, run, "Maddi").await {
        Err(UndoError::Refused(hindrances)) => hindrances.iter().map(|hindrance| hindrance.code()).collect(),
        other => panic!("{other:?}"),
    };
    assert_same(&before, &town.dump().await);
    refused
}

#[tokio::test]
async fn a_run_is_taken_back_exactly_whatever_it_did() {
    on_each_engine(async |town| {
        let empty = town.dump().await;
        let first = town
            .apply(ecole(ECOLES[0], 2026, &[LINA, NOE, INES]))
            .await
            .run
            .unwrap();
        let loaded = town.dump().await;
        town.days(3);
        // Corrections, a class change, a departure, an arrival, a school and a year more, links, cases.
        let changed = [
            "LE GOFF|Lina|18/08/2016|123456789AA",
            "PETIT|Inès|03/03/2016|123456789AC|CE2|CE2",
            "ROUX|Tom|04/04/2016|",
        ];
        let second = town.apply(ecole(ECOLES[0], 2026, &changed)).await.run.unwrap();
        let corrected = town.dump().await;
        town.days(3);
        let pupils = [
            (1, COLLEGES[0], "LE GOFF|LINA|18/08/2016|123456789AA"),
            (2, COLLEGES[1], "ROU|Tim|04/04/2016|123456789AD"),
            (3, COLLEGES[1], "PETIT|Maya|05/05/2016|123456789AC"),
        ];
        let third = town.apply(aaf(2027, &COLLEGES, &pupils)).await.run.unwrap();
        assert_eq!(town.cases().await.len(), 2);

        assert_eq!(refusal(&town, first).await, ["later_loads"]);
        assert_eq!(refusal(&town, second).await, ["later_loads"]);
        let done = undo::undo(&town.context, third, "Maddi").await.unwrap();
        assert!(done.deleted > 10, "{done:?}");
        assert_same(&corrected, &town.dump().await);
        assert_eq!(refusal(&town, third).await, ["already_undone"]);
        let done = undo::undo(&town.context, second, "Maddi").await.unwrap();
        assert!(done.restored > 5, "{done:?}");
        assert_same(&loaded, &town.dump().await);
        undo::undo(&town.context, first, "Maddi").await.unwrap();
        assert_same(&empty, &town.dump().await);
        assert_eq!(town.texts("SELECT status FROM import_run").await, ["undone"; 3]);
        assert_eq!(
            town.count("SELECT kind FROM audit_event WHERE kind = 'import.undone'")
                .await,
            3
        );
    })
    .await;
}

#[tokio::test]
async fn what_is_in_use_is_not_taken_away() {
    on_each_engine(async |town| {
        let run = town.apply(ecole(ECOLES[0], 2026, &[LINA, INES])).await.run.unwrap();
        let lina = town.identity("legoff|lina|2016-08-17").await;
        town.release(lina, "ent", "s").await;
        let credential = format!("INSERT INTO credential (identity_id, kind, verifier, set_at) VALUES ('{lina}', 'picture', 'x', 1)");
        town.run_sql(&credential).await;
        town.run_sql(&format!(
            "INSERT INTO session (id, token_hash, identity_id, authenticated_at, acr, amr, device, expires_at)
             SELECT 's', ine_index, identity_id, 1, 'a', 'b', 'shared', 9 FROM source_record WHERE identity_id = '{lina}'"
        ))
        .await;
        town.run_sql(&format!(
            "INSERT INTO contact (identity_id, email, email_verified, phone_verified, updated_at)
             VALUES ('{lina}', 'lina@ecole.example', true, false, 1)"
        ))
        .await;
        town.run_sql(
            "INSERT INTO class_code (class_id, code_index, code_sealed, issued_at)
             SELECT c.id, r.ine_index, r.ine_sealed, 1 FROM class_group c, source_record r WHERE r.ine_index IS NOT NULL",
        )
        .await;
        assert_eq!(
            refusal(&town, run).await,
            ["subjects", "credentials", "contacts", "sessions", "class_codes"]
        );
        for table in ["subject", "credential", "contact", "session", "class_code"] {
            town.run_sql(&format!("DELETE FROM {table}")).await;
        }
        undo::undo(&town.context, run, "Maddi").await.unwrap();
        assert_eq!(town.count("SELECT id FROM identity").await, 0);
    })
    .await;
}

#[tokio::test]
async fn a_human_decision_holds_the_runs_it_was_taken_on() {
    on_each_engine(async |town| {
        let first = town.apply(ecole(ECOLES[0], 2026, &[INES])).await.run.unwrap();
        let second = town.apply(ecole(ECOLES[1], 2026, &[INES])).await.run.unwrap();
        let cases = matching::list(&town.context, None, 10)
            .await
            .unwrap()
            .unwrap()
            .cases;
        let accepted = matching::accept(&town.context, cases[0].id, "Maddi")
            .await
            .unwrap();
        for run in [first, second] {
            let said = refusal(&town, run).await;
            assert!(
                said.contains(&"decisions") && said.contains(&"merges"),
                "{said:?}"
            );
        }
        town.days(1);
        marelle::flows::merge::undo(&town.context, accepted.merges[0], "Maddi")
            .await
            .unwrap();
        undo::undo(&town.context, second, "Maddi").await.unwrap();
        undo::undo(&town.context, first, "Maddi").await.unwrap();
    })
    .await;
}

/// Six schools, so that an interruption has somewhere to fall.
fn six_schools(town_of: &[String]) -> Load {
    let files = town_of
        .iter()
        .map(|uai| {
            let children = [
                format!("LE GOFF|Lina|17/08/2016|{}AA", &uai[..7].repeat(2)[..9]),
                "PETIT|Inès|03/03/2016|".to_owned(),
            ];
            let children: Vec<&str> = children.iter().map(String::as_str).collect();
            File::of_bytes("CSVExtraction.csv", Some(uai.parse().unwrap()), onde(&children))
        })
        .collect();
    load(Feed::Onde, 2026, files)
}

async fn declare(town: &Town, schools: u32) -> Vec<String> {
    let mut uais = Vec::new();
    for at in 0..schools {
        let uai = marelle::domain::uai::Uai::from_number(9_991_000 + at);
        town.run_sql(&format!(
            "INSERT INTO school (uai, name, degree, academy) VALUES ('{uai}', 'École', 'first', '20')"
        ))
        .await;
        uais.push(uai.to_string());
    }
    uais
}

/// Runs a future until `stop` answers true, then drops it: what a killed process leaves behind.
async fn until(future: impl Future, stop: impl AsyncFn() -> bool) -> bool {
    let mut future = Box::pin(future);
    loop {
        let mut context = TaskContext::from_waker(Waker::noop());
        if future.as_mut().poll(&mut context).is_ready() {
            return false;
        }
        if stop().await {
            return true;
        }
        tokio::time::sleep(std::time::Duration::from_millis(1)).await;
    }
}

#[tokio::test]
async fn an_interrupted_run_has_whole_schools_is_listed_completed_by_the_same_load_and_can_be_undone() {
    on_each_engine(async |town| {
        let schools = declare(&town, 6).await;
        let empty = town.dump().await;
        let mut interrupted = 0;
        for wanted in 1..5 {
            let stopped = until(import::apply(&town.context, six_schools(&schools)), async || {
                town.count("SELECT DISTINCT uai FROM source_record").await >= wanted
            })
            .await;
            let runs = undo::runs(&town.context, 10).await.unwrap();
            if stopped {
                interrupted += 1;
                assert_eq!(runs[0].status.as_str(), "applying");
                assert_eq!(runs[0].schools, 6);
                let done = town.count("SELECT DISTINCT uai FROM source_record").await;
                assert_eq!(runs[0].schools_done, i64::try_from(done).unwrap());
            }
            // Every school that is there is there whole.
            let halves = "SELECT uai FROM source_record GROUP BY uai HAVING COUNT(*) <> 2";
            assert_eq!(town.count(halves).await, 0);
            assert_eq!(
                town.count("SELECT r.id FROM source_record r LEFT JOIN enrolment e ON e.record_id = r.id WHERE e.id IS NULL").await,
                0
            );
            town.days(1);
            if wanted % 2 == 0 {
                let report = town.apply(six_schools(&schools)).await;
                assert_eq!(report.total.stated, 12);
                let runs = undo::runs(&town.context, 10).await.unwrap();
                assert!(
                    runs.iter().all(|run| run.status.as_str() != "applying"),
                    "the same load brings an interrupted one to its end"
                );
            }
            for run in undo::runs(&town.context, 10).await.unwrap() {
                if run.status.as_str() != "undone" {
                    undo::undo(&town.context, run.id, "Maddi").await.unwrap();
                }
            }
            assert_same(&empty, &town.dump().await);
        }
        assert!(interrupted >= 2, "only {interrupted} of 4 were caught half-way");
    })
    .await;
}

#[tokio::test]
async fn departures_come_back_by_undo_with_their_days() {
    on_each_engine(async |town| {
        town.apply(ecole(ECOLES[0], 2026, &[LINA, NOE])).await;
        let before = town.dump().await;
        town.days(9);
        let run = town
            .apply(overriding(ecole(ECOLES[0], 2026, &[NOE])))
            .await
            .run
            .unwrap();
        assert_eq!(
            town.count("SELECT id FROM identity WHERE status = 'departed'")
                .await,
            1
        );
        town.days(9);
        undo::undo(&town.context, run, "Maddi").await.unwrap();
        assert_same(&before, &town.dump().await);
    })
    .await;
}
