//! `marelle doctor`: is the installation whole?

use clap::Args;
use serde_json::json;

use super::{Outcome, Refusal, print_json, print_line};
use crate::flows::{Context, audit};

/// Arguments of `marelle doctor`.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Answer in JSON.
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(context: &Context, arguments: &Arguments) -> Outcome {
    // Opening has migrated the schema and opened a value sealed under the master key.
    let engine = context.db.engine();
    let journal = audit::verify(context).await?;
    if arguments.json {
        let entries = journal.as_ref().ok();
        let broken = journal.as_ref().err().map(ToString::to_string);
        print_json(
            &json!({"database": engine, "master_key": "fits", "audit_entries": entries, "audit_break": broken}),
        );
    } else {
        print_line(format!("database     {engine}, schema up to date"));
        print_line("master key   fits the data");
        if let Ok(entries) = &journal {
            print_line(format!("audit        {entries} entries, every chain whole"));
        }
    }
    journal
        .map(drop)
        .map_err(|broken| Refusal::guard(anyhow::anyhow!("{broken}")))
}
