//! `marelle import`: previews and applies the files of schools and academies, lists runs and takes them back.
//!
//! Without `--apply` nothing is written. Exit codes: 3 a guard refuses, 4 a file cannot be read.

use std::fs;
use std::path::PathBuf;

use anyhow::anyhow;
use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::{Outcome, Refusal, print_json, print_line};
use crate::app::import_file;
use crate::base::id::ImportRunId;
use crate::domain::education::{AcademyCode, Degree, SchoolYear};
use crate::domain::uai::Uai;
use crate::flows::Context;
use crate::flows::import::{self, Counts, Feed, File, ImportError, Load, Mapping, Report};
use crate::flows::matching;
use crate::flows::undo::{self, UndoError};

/// Rows with a complaint that are printed for people; all are in the JSON.
const SHOWN: usize = 20;

/// Load the files of schools and academies.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// ONDE: the pupils of écoles, one `CSVExtraction.csv` each.
    Onde(Onde),
    /// AAF of either degree, complete or of changes: the files or archives of one academy.
    Aaf(Aaf),
    /// SIECLE: pupils and adults of a collège or lycée, as files or as `ExportXML_….zip`.
    Siecle(OfSchool),
    /// STS: the staff of a collège or lycée, `sts_emp_….xml`.
    Sts(OfSchool),
    /// CSV files that were made by hand or by another program, one school each.
    Csv(Onde),
    /// OneRoster 1.2: the CSV files or the archive of one academy.
    Oneroster(Oneroster),
    /// List the latest runs.
    List(List),
    /// Take a run back, exactly.
    Undo(Undo),
}

/// What every load has.
#[derive(Debug, Args)]
struct Common {
    /// Files, or folders to look through.
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// First year of the school year: 2026 for 2026-2027.
    #[arg(long)]
    year: i32,
    /// Write. Without it, only what would happen is told.
    #[arg(long)]
    apply: bool,
    /// Go on although guards refuse, for this reason; it is journalled with the name.
    #[arg(long, value_name = "REASON", requires = "by")]
    r#override: Option<String>,
    /// Who loads; needed to override a guard.
    #[arg(long, value_name = "NAME")]
    by: Option<String>,
    /// Answer in JSON.
    #[arg(long)]
    json: bool,
}

/// Arguments of `marelle import onde` and `marelle import csv`.
#[derive(Debug, Args)]
pub(super) struct Onde {
    #[command(flatten)]
    common: Common,
    /// UAI of the école. Default: the name of the folder each file is in.
    #[arg(long, value_name = "UAI")]
    school: Option<Uai>,
    /// TOML file that says how the columns are called, where they are not called as usual.
    #[arg(long, value_name = "FILE")]
    mapping: Option<PathBuf>,
}

/// Arguments of `marelle import siecle` and `marelle import sts`.
#[derive(Debug, Args)]
pub(super) struct OfSchool {
    #[command(flatten)]
    common: Common,
    /// UAI of the school. Default: the name of the folder each file is in.
    #[arg(long, value_name = "UAI")]
    school: Option<Uai>,
}

/// Arguments of `marelle import oneroster`.
#[derive(Debug, Args)]
pub(super) struct Oneroster {
    #[command(flatten)]
    common: Common,
    /// Code of the academy of the system that delivers: its identifiers are unique within it only.
    #[arg(long, value_name = "CODE")]
    academy: AcademyCode,
}

/// Arguments of `marelle import aaf`.
#[derive(Debug, Args)]
pub(super) struct Aaf {
    #[command(flatten)]
    common: Common,
    /// Code of the academy that delivers: keys are unique within it only.
    #[arg(long, value_name = "CODE")]
    academy: AcademyCode,
    /// Degree of the delivery. Default: what the names of the files or the records say.
    #[arg(long, value_name = "first|second")]
    degree: Option<Degree>,
}

/// Arguments of `marelle import list`.
#[derive(Debug, Args)]
pub(super) struct List {
    /// How many runs.
    #[arg(long, default_value_t = 20)]
    count: i64,
    /// Answer in JSON.
    #[arg(long)]
    json: bool,
}

/// Arguments of `marelle import undo`.
#[derive(Debug, Args)]
pub(super) struct Undo {
    /// The run.
    run: ImportRunId,
    /// Who takes it back.
    #[arg(long, value_name = "NAME", default_value = "operator")]
    by: String,
    /// Answer in JSON.
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(context: &Context, command: Command) -> Outcome {
    match command {
        Command::Onde(arguments) => table(context, Feed::Onde, arguments).await,
        Command::Csv(arguments) => table(context, Feed::Csv, arguments).await,
        Command::Aaf(arguments) => {
            let feed = Feed::Aaf {
                academy: arguments.academy,
                degree: arguments.degree,
            };
            let files = academy_files(&arguments.common.paths)?;
            load(context, feed, arguments.common, (files, None)).await
        }
        Command::Oneroster(arguments) => {
            let feed = Feed::OneRoster {
                academy: arguments.academy,
            };
            let files = academy_files(&arguments.common.paths)?;
            load(context, feed, arguments.common, (files, None)).await
        }
        Command::Siecle(arguments) => of_school(context, Feed::Siecle, arguments).await,
        Command::Sts(arguments) => of_school(context, Feed::Sts, arguments).await,
        Command::List(arguments) => list(context, &arguments).await,
        Command::Undo(arguments) => take_back(context, arguments).await,
    }
}

async fn table(context: &Context, feed: Feed, arguments: Onde) -> Outcome {
    let files = school_files(&arguments.common.paths, arguments.school.as_ref())?;
    let mapping = match &arguments.mapping {
        None => None,
        Some(path) => {
            let at = |error: &dyn std::fmt::Display| Refusal::usage(anyhow!("{}: {error}", path.display()));
            let text = fs::read_to_string(path).map_err(|error| at(&error))?;
            Some(Mapping::parse(&text).map_err(|error| at(&error))?)
        }
    };
    load(context, feed, arguments.common, (files, mapping)).await
}

async fn of_school(context: &Context, feed: Feed, arguments: OfSchool) -> Outcome {
    let files = school_files(&arguments.common.paths, arguments.school.as_ref())?;
    load(context, feed, arguments.common, (files, None)).await
}

async fn load(
    context: &Context,
    feed: Feed,
    common: Common,
    (files, mapping): (Vec<File>, Option<Mapping>),
) -> Outcome {
    let year = SchoolYear::new(common.year).map_err(Refusal::usage)?;
    let operator = common.by.unwrap_or_else(|| "operator".to_owned());
    let load = Load {
        feed,
        year,
        files,
        mapping,
        operator,
        override_reason: common.r#override,
    };
    let overridden = load.override_reason.is_some();
    let done = if common.apply {
        import::apply(context, load).await
    } else {
        import::preview(context, load).await
    };
    let report = done.map_err(|error| refusal(error, common.json))?;
    let open = matching::count_open(context).await?;
    if common.json {
        print_json(&report_json(&report, open));
    } else {
        print_report(&report, open);
    }
    if report.concerns.is_empty() || overridden {
        Ok(())
    } else {
        Err(Refusal::guard(anyhow!(
            "guards would refuse this load; nothing was written"
        )))
    }
}

fn refusal(error: ImportError, json: bool) -> Refusal {
    match error {
        ImportError::Usage(_) => Refusal::usage(error),
        ImportError::Unreadable(_) => Refusal::unreadable(error),
        ImportError::Refused(concerns) => {
            if json {
                let lines: Vec<Value> = concerns.iter().map(concern_json).collect();
                print_json(&json!({"applied": false, "concerns": lines}));
            }
            let lines: Vec<String> = concerns.iter().map(|concern| format!("\n  {concern}")).collect();
            let way = "\nnothing was written; to go on all the same: --override REASON --by NAME";
            Refusal::guard(anyhow!("refused by a guard:{}{way}", lines.concat()))
        }
        ImportError::Failure(failure) => Refusal::from(failure),
    }
}

fn concern_json(concern: &import::Concern) -> Value {
    json!({"code": concern.code(), "message": concern.to_string()})
}

fn counts_json(counts: &Counts) -> Value {
    counts
        .named()
        .into_iter()
        .map(|(name, count)| (name.to_owned(), Value::from(count)))
        .collect()
}

fn report_json(report: &Report, open: i64) -> Value {
    let schools = report
        .schools
        .iter()
        .map(|line| json!({"school": line.school.as_str(), "counts": counts_json(&line.counts)}));
    let issues = report.issues.iter().map(|issue| {
        let place = &issue.place;
        json!({"severity": issue.severity.to_string(), "file": &*place.file, "line": place.line, "column": place.column,
            "message": issue.message})
    });
    json!({
        "applied": report.run.is_some(),
        "cases_open": open,
        "run": report.run.map(|run| run.to_string()),
        "source": report.source.as_str(),
        "year": report.year.first(),
        "total": counts_json(&report.total),
        "changes": !report.total.is_quiet(),
        "establishments": report.establishments,
        "concerns": report.concerns.iter().map(concern_json).collect::<Vec<_>>(),
        "errors": report.errors,
        "warnings": report.warnings,
        "issues": issues.collect::<Vec<_>>(),
        "schools": schools.collect::<Vec<_>>(),
    })
}

fn counts_line(counts: &Counts) -> String {
    let parts: Vec<String> = counts
        .named()
        .into_iter()
        .filter(|(_, count)| *count > 0)
        .map(|(name, count)| format!("{name} {count}"))
        .collect();
    parts.join(", ")
}

fn print_report(report: &Report, open: i64) {
    for line in report.schools.iter().filter(|line| !line.counts.is_quiet()) {
        print_line(format!("{}  {}", line.school, counts_line(&line.counts)));
    }
    for issue in report.issues.iter().take(SHOWN) {
        print_line(issue);
    }
    if report.issues.len() > SHOWN {
        print_line(format!(
            "… {} more; --json tells all",
            report.issues.len() - SHOWN
        ));
    }
    for concern in &report.concerns {
        print_line(format!("guard: {concern}"));
    }
    let what = match report.run {
        Some(run) => format!("applied as run {run}"),
        None if report.total.is_quiet() => "nothing to change".to_owned(),
        None => "preview; nothing was written (--apply writes)".to_owned(),
    };
    let schools = report.schools.len();
    print_line(format!(
        "{schools} schools: {}; {} rows set aside, {} warnings",
        counts_line(&report.total),
        report.errors,
        report.warnings
    ));
    print_line(what);
    if open > 0 {
        print_line(format!("{open} cases are open in all (marelle match list)"));
    }
}

async fn list(context: &Context, arguments: &List) -> Outcome {
    let runs = undo::runs(context, arguments.count).await?;
    if arguments.json {
        let lines: Vec<Value> = runs
            .iter()
            .map(|run| {
                json!({"run": run.id.to_string(), "source": run.source.as_str(), "scope": run.scope, "year": run.year.first(),
                    "status": run.status.as_str(), "by": run.actor, "started_at": run.started_at.to_string()})
            })
            .collect();
        print_json(&Value::from(lines));
        return Ok(());
    }
    for run in runs {
        print_line(format!(
            "{}  {}  {:<9} {:<6} {}  {}",
            run.id, run.started_at, run.status, run.source, run.year, run.actor
        ));
    }
    Ok(())
}

async fn take_back(context: &Context, arguments: Undo) -> Outcome {
    let undone = undo::undo(context, arguments.run, &arguments.by)
        .await
        .map_err(|error| match error {
            UndoError::Unknown(_) => Refusal::usage(error),
            UndoError::Refused(_) => Refusal::guard(error),
            UndoError::Failure(failure) => Refusal::from(failure),
        })?;
    if arguments.json {
        print_json(
            &json!({"run": arguments.run.to_string(), "deleted": undone.deleted, "restored": undone.restored}),
        );
    } else {
        print_line(format!(
            "taken back: {} rows deleted, {} put back",
            undone.deleted, undone.restored
        ));
    }
    Ok(())
}

/// The files of paths, folders looked through, in the order of their names.
fn walk(paths: &[PathBuf]) -> Result<Vec<PathBuf>, Refusal> {
    let mut found = Vec::new();
    let mut open: Vec<PathBuf> = paths.to_vec();
    while let Some(path) = open.pop() {
        let at = |error: std::io::Error| Refusal::unreadable(anyhow!("{}: {error}", path.display()));
        if fs::metadata(&path).map_err(at)?.is_dir() {
            for entry in fs::read_dir(&path).map_err(at)? {
                open.push(entry.map_err(at)?.path());
            }
        } else {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

/// The files of an academy.
fn academy_files(paths: &[PathBuf]) -> Result<Vec<File>, Refusal> {
    let paths = walk(paths)?;
    Ok(paths.iter().map(|path| import_file(path, None)).collect())
}

/// Files with the school of each: the one given, else the folder's name.
fn school_files(paths: &[PathBuf], school: Option<&Uai>) -> Result<Vec<File>, Refusal> {
    let mut files = Vec::new();
    for path in walk(paths)? {
        let folder = || path.parent()?.file_name()?.to_str()?.parse::<Uai>().ok();
        let Some(school) = school.cloned().or_else(folder) else {
            return Err(Refusal::usage(anyhow!(
                "{}: of which school? give --school UAI, or put the file in a folder named by its UAI",
                path.display()
            )));
        };
        files.push(import_file(&path, Some(school)));
    }
    Ok(files)
}
