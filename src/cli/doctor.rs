//! `marelle doctor`: is the installation whole?

use clap::Args;
use serde_json::json;

use super::{Outcome, Refusal, print_json, print_line};
use crate::flows::drop_folder::{self, Watched};
use crate::flows::{Context, audit, security_event};

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
    let feeds = drop_folder::watched(context).await?;
    let untold = security_event::given_up(context).await?;
    if arguments.json {
        let entries = journal.as_ref().ok();
        let broken = journal.as_ref().err().map(ToString::to_string);
        print_json(
            &json!({"database": engine, "master_key": "fits", "audit_entries": entries, "audit_break": broken,
                "feeds": feeds.iter().map(feed_json).collect::<Vec<_>>(),
                "events_given_up": untold.iter().map(|(client, count)| json!({"client": client.as_str(), "events": count}))
                    .collect::<Vec<_>>()}),
        );
    } else {
        print_line(format!("database     {engine}, schema up to date"));
        print_line("master key   fits the data");
        if let Ok(entries) = &journal {
            print_line(format!("audit        {entries} entries, every chain whole"));
        }
        for watched in &feeds {
            print_feed(watched);
        }
        for (client, count) in &untold {
            print_line(format!(
                "events       ! {count} given up: marelle client events {client}"
            ));
        }
    }
    journal
        .map(drop)
        .map_err(|broken| Refusal::guard(anyhow::anyhow!("{broken}")))
}

fn feed_json(watched: &Watched) -> serde_json::Value {
    let state = watched.state.as_ref();
    let alerts = watched.alerts.iter();
    json!({
        "folder": watched.folder.name,
        "path": watched.folder.path.display().to_string(),
        "loaded_at": state.and_then(|state| state.done_at).map(|at| at.to_string()),
        "delivery": state.and_then(|state| state.delivery.as_deref()),
        "run": state.and_then(|state| state.run).map(|run| run.to_string()),
        "alerts": alerts.map(|alert| json!({"code": alert.code(), "message": alert.to_string()})).collect::<Vec<_>>(),
    })
}

fn print_feed(watched: &Watched) {
    let name = &watched.folder.name;
    let done = watched.state.as_ref().and_then(|state| state.done_at);
    let last = done.map_or_else(
        || "rien de chargé encore".to_owned(),
        |at| format!("dernier chargement {at}"),
    );
    print_line(format!("feed         {name}: {last}"));
    for alert in &watched.alerts {
        print_line(format!("feed         {name}: ! {alert}"));
    }
}
