//! A town with écoles and collèges, its clock, and what a test asks of its database.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use marelle::app;
use marelle::base::id::IdentityId;
use marelle::base::random::SystemRandom;
use marelle::base::time::{ManualClock, Timestamp};
use marelle::config::Config;
use marelle::domain::education::{Academy, Degree, School};
use marelle::flows::Context;
use marelle::flows::import::{self, ImportError, Load, Report};
use marelle::store;
use marelle::store::db::{Conn, Row, Statement};

use crate::engines;

/// 2026-10-01, a Thursday morning of the school year 2026.
const MORNING: Timestamp = Timestamp::from_seconds(1_790_841_600);
/// Two écoles and two collèges.
pub(crate) const ECOLES: [&str; 2] = ["9990001X", "9990002Y"];
pub(crate) const COLLEGES: [&str; 2] = ["9990101F", "9990102G"];

pub(crate) struct Town {
    pub(crate) context: Context,
    pub(crate) clock: Arc<ManualClock>,
}

/// Runs a test in a town of its own, on each engine.
pub(crate) async fn on_each_engine(test: impl AsyncFn(Town)) {
    let folder = tempfile::tempdir().unwrap();
    let mut config = Config::default();
    config.database.file = folder.path().join("marelle.db");
    test(town(&config).await).await;
    if let Some(url) = engines::fresh_postgres().await {
        config.database.url = Some(url);
        config.keys.master_key_file = Some(folder.path().join("other.key"));
        test(town(&config).await).await;
    }
}

async fn town(config: &Config) -> Town {
    let clock = Arc::new(ManualClock::at(MORNING));
    let context = app::open_with(config, clock.clone(), Arc::new(SystemRandom))
        .await
        .unwrap();
    let mut tx = context.db.begin().await.unwrap();
    let academy = Academy {
        code: "20".parse().unwrap(),
        name: "Amiens".into(),
    };
    store::school::save_academy(&mut tx, &academy).await.unwrap();
    for uai in ECOLES {
        let school = School {
            uai: uai.parse().unwrap(),
            name: format!("École {uai}"),
            degree: Degree::First,
            commune: None,
            academy: academy.code.clone(),
        };
        store::school::save(&mut tx, &school, None).await.unwrap();
    }
    tx.commit().await.unwrap();
    Town { context, clock }
}

/// Each table with its rows as text, sorted.
pub(crate) type Dump = BTreeMap<&'static str, BTreeSet<String>>;

/// What a load writes: everything but the journal of audit and the list of runs.
const DATA: [&str; 21] = [
    "academy",
    "school",
    "structure",
    "class_group",
    "class_code",
    "identity",
    "source_record",
    "enrolment",
    "match_case",
    "merge",
    "change",
    "credential",
    "session",
    "subject",
    "oauth_grant",
    "acknowledgement",
    "contact",
    "guardianship",
    "adult_record",
    "guardian_statement",
    "adult_enrolment",
];

fn printed(row: &Row) -> String {
    let columns: Vec<String> = row
        .columns()
        .iter()
        .map(|column| {
            let value = row
                .get::<Option<String>>(column)
                .map(|value| format!("{value:?}"))
                .or_else(|_| row.get::<Option<i64>>(column).map(|value| format!("{value:?}")))
                .or_else(|_| row.get::<Option<bool>>(column).map(|value| format!("{value:?}")))
                .or_else(|_| {
                    row.get::<Option<Vec<u8>>>(column)
                        .map(|value| format!("{value:?}"))
                });
            format!("{column}={}", value.unwrap())
        })
        .collect();
    columns.join(" ")
}

impl Town {
    /// Lets time pass.
    pub(crate) fn days(&self, days: u64) {
        self.clock.advance(Duration::from_secs(days * 86_400));
    }

    /// Takes every load back, the last first.
    pub(crate) async fn undo_everything(&self) {
        let runs = "SELECT id FROM import_run WHERE status = 'applied' ORDER BY started_at DESC, id DESC";
        for run in self.texts(runs).await {
            let undone = marelle::flows::undo::undo(&self.context, run.parse().unwrap(), "Maddi");
            undone.await.unwrap();
        }
    }

    pub(crate) async fn apply(&self, load: Load) -> Report {
        let report = import::apply(&self.context, load).await;
        self.clock.advance(Duration::from_secs(1));
        report.unwrap_or_else(|error| match error {
            ImportError::Refused(concerns) => {
                panic!(
                    "refused: {:?}",
                    concerns.iter().map(ToString::to_string).collect::<Vec<_>>()
                )
            }
            other => panic!("{other}"),
        })
    }

    pub(crate) async fn refused(&self, load: Load) -> Vec<String> {
        match import::apply(&self.context, load).await {
            Err(ImportError::Refused(concerns)) => {
                concerns.iter().map(|concern| concern.code().to_owned()).collect()
            }
            other => panic!("{other:?}"),
        }
    }

    pub(crate) async fn conn(&self) -> Conn {
        self.context.db.reader().await.unwrap()
    }

    /// Rows of a query of the test's own, as text.
    pub(crate) async fn rows(&self, sql: &str) -> Vec<String> {
        let sql: &'static str = sql.to_owned().leak();
        let rows = self
            .conn()
            .await
            .all(Statement { name: "test", sql }, [])
            .await
            .unwrap();
        rows.iter().map(printed).collect()
    }

    /// The texts of the first column of a query.
    pub(crate) async fn texts(&self, sql: &str) -> Vec<String> {
        let sql: &'static str = sql.to_owned().leak();
        let rows = self
            .conn()
            .await
            .all(Statement { name: "test", sql }, [])
            .await
            .unwrap();
        rows.iter()
            .map(|row| row.get(&row.columns()[0]).unwrap())
            .collect()
    }

    pub(crate) async fn count(&self, sql: &str) -> usize {
        self.rows(sql).await.len()
    }

    pub(crate) async fn run_sql(&self, sql: &str) {
        let sql: &'static str = sql.to_owned().leak();
        let mut tx = self.context.db.begin().await.unwrap();
        tx.execute(Statement { name: "test", sql }, []).await.unwrap();
        tx.commit().await.unwrap();
    }

    /// Everything that is kept of people.
    pub(crate) async fn dump(&self) -> Dump {
        let mut dump = Dump::new();
        for table in DATA {
            let rows = self.rows(&format!("SELECT * FROM {table}")).await;
            dump.insert(table, rows.into_iter().collect());
        }
        dump
    }

    /// The identity of a record, by the end of its key.
    pub(crate) async fn identity(&self, key: &str) -> IdentityId {
        let found = self
            .texts(&format!(
                "SELECT identity_id FROM source_record WHERE record_key LIKE '%{key}'"
            ))
            .await;
        assert_eq!(found.len(), 1, "{key}: {found:?}");
        found[0].parse().unwrap()
    }

    /// People as sets of record keys.
    pub(crate) async fn people(&self) -> BTreeSet<Vec<String>> {
        let mut people: BTreeMap<String, Vec<String>> = BTreeMap::new();
        let sql = "SELECT identity_id || ' ' || record_key AS line FROM source_record ORDER BY record_key";
        for line in self.texts(sql).await {
            let (identity, key) = line.split_once(' ').unwrap();
            people.entry(identity.into()).or_default().push(key.into());
        }
        people.into_values().collect()
    }

    /// What people show: `status family given` for each set of records.
    pub(crate) async fn shown(&self) -> Vec<String> {
        self.texts(
            "SELECT i.status || ' ' || i.family_name || ' ' || i.given_name || ' ' || i.birth_date || ' ' ||
                (SELECT MIN(r.record_key) FROM source_record r WHERE r.identity_id = i.id) AS line
             FROM identity i WHERE i.status <> 'merged' ORDER BY 1",
        )
        .await
    }

    /// Open cases as `reason: key key`.
    pub(crate) async fn cases(&self) -> BTreeSet<String> {
        let sql = "SELECT c.reason || ': ' ||
                CASE WHEN a.record_key < b.record_key THEN a.record_key ELSE b.record_key END || ' ' ||
                CASE WHEN a.record_key < b.record_key THEN b.record_key ELSE a.record_key END AS line
            FROM match_case c JOIN source_record a ON a.id = c.record_a JOIN source_record b ON b.id = c.record_b
            WHERE c.status = 'open'";
        self.texts(sql).await.into_iter().collect()
    }

    /// Gives an identity a subject in a sector, as a release would.
    pub(crate) async fn release(&self, identity: IdentityId, sector: &str, value: &str) {
        let mut tx = self.context.db.begin().await.unwrap();
        let added = store::subject::add(&mut tx, sector, value, identity, self.context.now()).await;
        assert!(added.unwrap());
        tx.commit().await.unwrap();
    }
}

/// The difference between two dumps, for messages.
#[track_caller]
pub(crate) fn assert_same(before: &Dump, after: &Dump) {
    for (table, rows) in before {
        let now = &after[table];
        let gone: Vec<&String> = rows.difference(now).collect();
        let new: Vec<&String> = now.difference(rows).collect();
        assert!(
            gone.is_empty() && new.is_empty(),
            "{table}:\n  gone {gone:#?}\n  new {new:#?}"
        );
    }
}
