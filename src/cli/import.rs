//! `marelle import`: loads the files of schools and academies. Previews by default; `--apply` writes.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow};
use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::{Outcome, Refusal, print_json, print_line};
use crate::base::id::ImportRunId;
use crate::domain::education::{AcademyCode, SchoolYear};
use crate::domain::uai::Uai;
use crate::flows::Context;
use crate::flows::import::{self, Concern, Counts, Feed, File, ImportError, Load, Report};
use crate::flows::undo::{self, UndoError};

/// Load, list, take back.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Pupils of écoles, from ONDE extractions (`CSVExtraction.csv`).
    Onde(Onde),
    /// Schools and pupils of an academy's second degree, from a complete AAF delivery.
    Aaf(Aaf),
    /// The latest loads; one that is still applying is at work, or was interrupted.
    List(List),
    /// Take a load back, exactly; refused where something was built on it.
    Undo(Undo),
}

/// What every load is told.
#[derive(Debug, Args)]
pub(super) struct Told {
    /// Files, or folders that hold them.
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// The school year, by its first calendar year.
    #[arg(long, value_name = "YEAR")]
    year: i32,
    /// Write; without it the load is only previewed.
    #[arg(long)]
    apply: bool,
    /// Set the guards aside, for this reason; kept with the load and in the audit journal.
    #[arg(long = "override", value_name = "REASON")]
    override_reason: Option<String>,
    /// Who loads. Default: the account that runs the command.
    #[arg(long, value_name = "NAME")]
    by: Option<String>,
    /// Answer in JSON.
    #[arg(long)]
    json: bool,
}

/// Arguments of `marelle import onde`.
#[derive(Debug, Args)]
pub(super) struct Onde {
    #[command(flatten)]
    told: Told,
    /// The école. Default: the UAI that names the folder of each file.
    #[arg(long, value_name = "UAI")]
    school: Option<Uai>,
}

/// Arguments of `marelle import aaf`.
#[derive(Debug, Args)]
pub(super) struct Aaf {
    #[command(flatten)]
    told: Told,
    /// The code of the academy.
    #[arg(long, value_name = "CODE")]
    academy: AcademyCode,
}

/// Arguments of `marelle import list`.
#[derive(Debug, Args)]
pub(super) struct List {
    /// How many.
    #[arg(long, default_value_t = 20)]
    count: i64,
    /// Answer in JSON.
    #[arg(long)]
    json: bool,
}

/// Arguments of `marelle import undo`.
#[derive(Debug, Args)]
pub(super) struct Undo {
    /// The load, as `marelle import list` names it.
    #[arg(value_name = "RUN")]
    run: ImportRunId,
    /// Who takes it back. Default: the account that runs the command.
    #[arg(long, value_name = "NAME")]
    by: Option<String>,
    /// Answer in JSON.
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(context: &Context, command: Command) -> Outcome {
    match command {
        Command::Onde(Onde { told, school }) => {
            let files = files(&told.paths, "csv", |path| school.clone().or_else(|| school_of(path)))?;
            load(context, told, Feed::Onde, files).await
        }
        Command::Aaf(Aaf { told, academy }) => {
            let files = files(&told.paths, "xml", |_| None)?;
            load(context, told, Feed::Aaf { academy }, files).await
        }
        Command::List(arguments) => list(context, &arguments).await,
        Command::Undo(arguments) => take_back(context, arguments).await,
    }
}

/// The files of some paths, folders walked in the order of their names; `school` says of which school each is.
fn files(
    paths: &[PathBuf],
    extension: &str,
    school: impl Fn(&Path) -> Option<Uai>,
) -> Result<Vec<File>, Refusal> {
    let mut found = Vec::new();
    for path in paths {
        if path.is_dir() {
            walk(path, extension, &mut found)?;
        } else if path.is_file() {
            found.push(path.clone());
        } else {
            return Err(Refusal::usage(anyhow!("{}: no such file or folder", path.display())));
        }
    }
    Ok(found
        .into_iter()
        .map(|path| {
            let school = school(&path);
            File::at(path, school)
        })
        .collect())
}

fn walk(folder: &Path, extension: &str, found: &mut Vec<PathBuf>) -> Result<(), Refusal> {
    let read = || folder.display().to_string();
    let entries = std::fs::read_dir(folder).with_context(read)?;
    let mut paths = entries
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<Vec<_>, _>>()
        .with_context(read)?;
    paths.sort();
    for path in paths {
        if path.is_dir() {
            walk(&path, extension, found)?;
        } else if path.extension().is_some_and(|own| own.eq_ignore_ascii_case(extension)) {
            found.push(path);
        }
    }
    Ok(())
}

/// The school whose UAI names the folder of a file.
fn school_of(path: &Path) -> Option<Uai> {
    let folder = path.parent()?.file_name()?.to_str()?;
    folder.parse().ok().filter(|_| folder.len() == 8)
}

/// Who runs the command, as the system knows them.
fn whoever(by: Option<String>) -> String {
    #[expect(clippy::disallowed_methods, reason = "the command line reads the environment")]
    let account = || std::env::var("SUDO_USER").or_else(|_| std::env::var("USER")).ok();
    by.or_else(account).unwrap_or_else(|| "operator".to_owned())
}

async fn load(context: &Context, told: Told, feed: Feed, files: Vec<File>) -> Outcome {
    let load = Load {
        feed,
        year: SchoolYear::new(told.year).map_err(Refusal::usage)?,
        files,
        operator: whoever(told.by),
        override_reason: told.override_reason,
    };
    let overridden = load.override_reason.is_some();
    let done = if told.apply {
        import::apply(context, load).await
    } else {
        import::preview(context, load).await
    };
    let report = match done {
        Ok(report) => report,
        Err(ImportError::Refused(concerns)) => return Err(refused(&concerns, told.json)),
        Err(error @ ImportError::Usage(_)) => return Err(Refusal::usage(error)),
        Err(ImportError::Unreadable(refused)) => return Err(Refusal::unreadable(refused)),
        Err(ImportError::Failure(failure)) => return Err(Refusal::from(failure)),
    };
    if told.json {
        print_json(&as_json(&report));
    } else {
        print_report(&report);
    }
    // A preview that would be refused says so by its exit code too.
    if report.run.is_none() && !overridden && !report.concerns.is_empty() {
        let count = report.concerns.len();
        return Err(Refusal::guard(anyhow!("--apply would be refused: {count} concern(s) above")));
    }
    Ok(())
}

fn refused(concerns: &[Concern], as_json: bool) -> Refusal {
    if as_json {
        print_json(&json!({"applied": false, "concerns": concerns.iter().map(concern).collect::<Vec<_>>()}));
    }
    let lines: Vec<String> = concerns.iter().map(|concern| format!("\n  {concern}")).collect();
    Refusal::guard(anyhow!(
        "refused, nothing was written:{}\nIf that is meant: --override \"reason\"",
        lines.concat()
    ))
}

fn counts(counts: &Counts) -> Value {
    let named: BTreeMap<&str, u64> = counts.named().into_iter().collect();
    json!(named)
}

fn concern(concern: &Concern) -> Value {
    json!({
        "code": concern.code(),
        "school": concern.school().map(Uai::as_str),
        "expected": concern.figures().map(|(expected, _)| expected),
        "found": concern.figures().map(|(_, found)| found),
        "message": concern.to_string(),
    })
}

fn as_json(report: &Report) -> Value {
    let schools = report.schools.iter();
    let issues = report.issues.iter();
    json!({
        "applied": report.run.is_some(),
        "run": report.run.map(|run| run.to_string()),
        "source": report.source.as_str(),
        "year": report.year.first(),
        "schools": schools
            .map(|school| json!({"school": school.school.as_str(), "counts": counts(&school.counts)}))
            .collect::<Vec<_>>(),
        "total": counts(&report.total),
        "establishments": report.establishments,
        "concerns": report.concerns.iter().map(concern).collect::<Vec<_>>(),
        "errors": report.errors,
        "warnings": report.warnings,
        "issues": issues
            .map(|issue| json!({
                "severity": issue.severity.to_string(), "file": &*issue.place.file, "line": issue.place.line,
                "column": issue.place.column, "message": issue.message,
            }))
            .collect::<Vec<_>>(),
    })
}

/// The counts that are not zero; how many are stated comes first, always.
fn sentence(counts: &Counts) -> String {
    let parts: Vec<String> = counts
        .named()
        .into_iter()
        .filter(|(name, count)| *count > 0 || *name == "stated")
        .map(|(name, count)| format!("{count} {name}"))
        .collect();
    parts.join(", ")
}

fn print_report(report: &Report) {
    for issue in &report.issues {
        print_line(issue);
    }
    let (busy, quiet): (Vec<_>, Vec<_>) = report.schools.iter().partition(|school| !school.counts.is_quiet());
    for school in busy {
        print_line(format!("{}  {}", school.school, sentence(&school.counts)));
    }
    if !quiet.is_empty() {
        print_line(format!("{} school(s) without any change", quiet.len()));
    }
    if report.establishments > 0 {
        print_line(format!("{} school(s) described by the delivery", report.establishments));
    }
    for concern in &report.concerns {
        print_line(format!("guard: {concern}"));
    }
    print_line(format!("total: {}", sentence(&report.total)));
    if report.errors + report.warnings > 0 {
        print_line(format!(
            "{} row(s) set aside, {} complaint(s) about rows that were taken",
            report.errors, report.warnings
        ));
    }
    match report.run {
        Some(run) => print_line(format!("applied as {run}")),
        None => print_line("preview: nothing was written; --apply writes"),
    }
}

async fn list(context: &Context, arguments: &List) -> Outcome {
    let runs = undo::runs(context, arguments.count).await?;
    if arguments.json {
        let lines: Vec<Value> = runs
            .iter()
            .map(|run| {
                json!({
                    "run": run.id.to_string(), "source": run.source.as_str(), "scope": run.scope,
                    "year": run.year.first(), "status": run.status.as_str(), "by": run.actor,
                    "override": run.override_reason, "schools": run.schools, "schools_changed": run.schools_done,
                    "started_at": run.started_at.to_string(), "ended_at": run.ended_at.map(|at| at.to_string()),
                    "summary": serde_json::from_str::<Value>(&run.summary).unwrap_or_default(),
                })
            })
            .collect();
        print_json(&json!(lines));
        return Ok(());
    }
    for run in &runs {
        let scope: String = run.scope.chars().take(40).collect();
        let status = match run.status.as_str() {
            "applying" => "applying (at work or interrupted; the same load completes it)",
            other => other,
        };
        print_line(format!(
            "{}  {}  {} {} {}  {} of {} school(s) changed  {status}  by {}",
            run.id,
            run.started_at,
            run.source,
            run.year,
            scope,
            run.schools_done,
            run.schools,
            run.actor
        ));
    }
    Ok(())
}

async fn take_back(context: &Context, arguments: Undo) -> Outcome {
    let by = whoever(arguments.by);
    match undo::undo(context, arguments.run, &by).await {
        Ok(done) => {
            if arguments.json {
                print_json(&json!({"run": arguments.run.to_string(), "deleted": done.deleted, "restored": done.restored}));
            } else {
                print_line(format!(
                    "taken back: {} row(s) deleted, {} change(s) put back",
                    done.deleted, done.restored
                ));
            }
            Ok(())
        }
        Err(error @ UndoError::Unknown(_)) => Err(Refusal::usage(error)),
        Err(UndoError::Refused(hindrances)) => {
            if arguments.json {
                let reasons: Vec<Value> = hindrances
                    .iter()
                    .map(|hindrance| json!({"code": hindrance.code(), "message": hindrance.to_string()}))
                    .collect();
                print_json(&json!({"run": arguments.run.to_string(), "refused": reasons}));
            }
            Err(Refusal::guard(UndoError::Refused(hindrances)))
        }
        Err(UndoError::Failure(failure)) => Err(Refusal::from(failure)),
    }
}
