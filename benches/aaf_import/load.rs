//! The whole load, as an operator runs it: `marelle import aaf … --apply` in a process of its own.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use anyhow::{Result, ensure};

use super::child::peak;
use super::delivery::{ACADEMY, Delivery, YEAR};
use super::measure::postgres::fresh_schema;
use super::measure::{figure, now, text_setting};

/// A database to load into.
pub(super) struct Target {
    pub(super) name: &'static str,
    folder: PathBuf,
    url: Option<String>,
}

/// SQLite, and PostgreSQL where there is a server; empty.
pub(super) fn targets(folder: &Path) -> Result<Vec<Target>> {
    let mut targets = vec![Target {
        name: "SQLite",
        folder: folder.join("sqlite"),
        url: None,
    }];
    if let Some(server) = text_setting("MARELLE_TEST_POSTGRES") {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        targets.push(Target {
            name: "PostgreSQL",
            folder: folder.join("postgres"),
            url: Some(runtime.block_on(fresh_schema(&server))?),
        });
    }
    for target in &targets {
        fs::create_dir(&target.folder)?;
    }
    Ok(targets)
}

impl Target {
    fn marelle(&self, arguments: &[&str]) -> Result<Child> {
        let mut command = Command::new(env!("CARGO_BIN_EXE_marelle"));
        command
            .args(arguments)
            .current_dir(&self.folder)
            .env("MARELLE_LOG", "warn")
            .stdin(Stdio::null())
            .stdout(File::create(self.folder.join("said"))?);
        if let Some(url) = &self.url {
            command.env("MARELLE_DATABASE__URL", url);
        }
        Ok(command.spawn()?)
    }
}

/// Loads the delivery; answers seconds and peak megabytes.
pub(super) fn run(target: &Target, delivery: &Delivery) -> Result<(f64, Option<f64>)> {
    let (territory, folder) = (
        delivery.territory.to_string_lossy(),
        delivery.folder.to_string_lossy(),
    );
    let applied = target.marelle(&["apply", &territory])?.wait()?;
    ensure!(applied.success(), "marelle apply: {applied}");
    let year = YEAR.to_string();
    let start = now();
    let mut child = target.marelle(&[
        "import",
        "aaf",
        &folder,
        "--academy",
        ACADEMY,
        "--year",
        &year,
        "--apply",
    ])?;
    let (process, mut most) = (child.id().to_string(), 0.0);
    // A process that has ended has no peak any more, hence looking again and again.
    let ended = loop {
        most = peak(&process).unwrap_or(most);
        if let Some(ended) = child.try_wait()? {
            break ended;
        }
        sleep(Duration::from_millis(20));
    };
    ensure!(ended.success(), "marelle import: {ended}");
    Ok((start.elapsed().as_secs_f64(), Some(most)))
}

/// Says how large the SQLite file has become.
pub(super) fn size(target: &Target) -> Result<()> {
    if target.url.is_none() {
        let bytes = fs::metadata(target.folder.join("data/marelle.db"))?.len();
        println!("(the SQLite file has {} MB)", figure(bytes as f64 / 1e6));
    }
    Ok(())
}
