//! The whole load into a database: check, guard, recognition, one transaction per school, journal.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Result, ensure};

use super::child::{self, LOAD, Took};
use super::delivery::{Academy, Delivery};
use super::measure::{figure, text_setting};
use super::postgres::fresh_schema;

/// A database to load into.
pub(super) struct Target {
    pub(super) name: &'static str,
    folder: PathBuf,
    url: Option<String>,
}

/// SQLite, and PostgreSQL where there is a server, or the one that `MARELLE_BENCH_ENGINE` names; empty but for the schools.
pub(super) fn targets(folder: &Path, academy: &Academy) -> Result<Vec<Target>> {
    let only = text_setting("MARELLE_BENCH_ENGINE");
    let is_wanted = |name: &str| only.as_deref().is_none_or(|only| only.eq_ignore_ascii_case(name));
    let mut targets = Vec::new();
    if is_wanted("SQLite") {
        targets.push(Target {
            name: "SQLite",
            folder: folder.join("sqlite"),
            url: None,
        });
    }
    if let Some(server) = text_setting("MARELLE_TEST_POSTGRES").filter(|_| is_wanted("PostgreSQL")) {
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
        let mut apply = Command::new(env!("CARGO_BIN_EXE_marelle"));
        let done = target
            .settle(apply.arg("apply").arg(&academy.territory))
            .output()?;
        ensure!(
            done.status.success(),
            "marelle apply: {}",
            String::from_utf8_lossy(&done.stderr)
        );
    }
    Ok(targets)
}

impl Target {
    fn settle<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        if let Some(url) = &self.url {
            command.env("MARELLE_DATABASE__URL", url);
        }
        command.current_dir(&self.folder)
    }

    /// Loads the delivery.
    pub(super) fn load(&self, delivery: &Delivery) -> Result<Took> {
        let mut command = child::command(LOAD, delivery)?;
        self.settle(&mut command);
        child::run(command, delivery)
    }

    /// Says how large the SQLite file has become.
    pub(super) fn size(&self) -> Result<()> {
        if self.url.is_none() {
            let bytes = fs::metadata(self.folder.join("data/marelle.db"))?.len();
            println!("\nThe SQLite file has {} MB.", figure(bytes as f64 / 1e6));
        }
        Ok(())
    }
}
