//! `marelle apply`: makes the installation as files declare it, and prints the difference.

mod file;

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use super::{Outcome, Refusal, print_json, print_line};
use crate::flows::Context;
use crate::flows::declaration::{self, Options, Verb};

/// Arguments of `marelle apply`.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// TOML files with `[[academy]]`, `[[school]]` and `[[relying_party]]` tables.
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
    let declared = file::read(&arguments.files).map_err(Refusal::usage)?;
    let options = Options {
        dry_run: arguments.dry_run,
        prune: arguments.prune,
    };
    let differences = declaration::apply(context, &declared, options).await?;
    let count = |verb: Verb| differences.iter().filter(|line| line.verb == verb).count();
    if arguments.json {
        let lines: Vec<_> = differences
            .iter()
            .map(|line| json!({"verb": line.verb.as_str(), "noun": line.noun, "id": line.id}))
            .collect();
        print_json(&json!({"dry_run": arguments.dry_run, "differences": lines}));
        return Ok(());
    }
    for line in differences.iter().filter(|line| line.verb != Verb::Unchanged) {
        print_line(format!("{:<9} {} {}", line.verb.as_str(), line.noun, line.id));
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
