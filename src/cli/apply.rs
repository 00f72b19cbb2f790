//! `marelle apply`: makes the installation as files declare it, and prints the difference.

use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::json;

use super::{Outcome, Refusal, print_json, print_line};
use crate::flows::Context;
use crate::flows::declaration::file::Reader;
use crate::flows::declaration::{self, Declaration, Options, Verb};

/// Arguments of `marelle apply`.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// TOML files with `[[academy]]`, `[[school]]`, `[[access_date]]`, `[[registration]]` and `[[relying_party]]` tables.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Only print what would change.
    #[arg(long)]
    dry_run: bool,
    /// Remove what the files do not declare, as far as nobody was ever enrolled in it.
    #[arg(long)]
    prune: bool,
    /// Answer in JSON.
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(context: &Context, arguments: Arguments) -> Outcome {
    let declared = read(&arguments.files).map_err(Refusal::usage)?;
    let options = Options {
        dry_run: arguments.dry_run,
        prune: arguments.prune,
    };
    let differences = declaration::apply(context, &declared, options).await?;
    let count = |verb: Verb| differences.iter().filter(|line| line.verb == verb).count();
    if arguments.json {
        let lines: Vec<_> = differences
            .iter()
            .map(|line| json!({"verb": line.verb.as_str(), "noun": line.noun, "id": line.id, "note": line.note}))
            .collect();
        print_json(&json!({"dry_run": arguments.dry_run, "differences": lines}));
        return Ok(());
    }
    for line in differences
        .iter()
        .filter(|line| line.verb != Verb::Unchanged || line.note.is_some())
    {
        let note = line
            .note
            .as_ref()
            .map_or_else(String::new, |note| format!(" ({note})"));
        print_line(format!(
            "{:<9} {} {}{note}",
            line.verb.as_str(),
            line.noun,
            line.id
        ));
    }
    let would = if arguments.dry_run { "would be " } else { "" };
    print_line(format!(
        "{would}created {}, {would}updated {}, {would}removed {}, unchanged {}",
        count(Verb::Created),
        count(Verb::Updated),
        count(Verb::Removed),
        count(Verb::Unchanged)
    ));
    Ok(())
}

/// Reads the files; the secrets and keys they name are looked for beside each.
fn read(paths: &[PathBuf]) -> anyhow::Result<Declaration> {
    let mut reader = Reader::default();
    for path in paths {
        let at = |error: &dyn std::fmt::Display| anyhow::anyhow!("{}: {error}", path.display());
        let text = std::fs::read_to_string(path).map_err(|error| at(&error))?;
        let folder = path.parent().unwrap_or(Path::new("."));
        let secret = |file: &Path| std::fs::read_to_string(folder.join(file));
        reader.add(&text, &secret).map_err(|error| at(&error))?;
    }
    Ok(reader.finish())
}
