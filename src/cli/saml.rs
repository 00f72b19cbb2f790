//! `marelle saml`: our metadata, and where the metadata of others come from.

use std::path::PathBuf;

use anyhow::anyhow;
use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::{Outcome, Refusal, print_json, print_line};
use crate::base::time::Timestamp;
use crate::domain::saml_source::{Changes, Counted, Location, Quarantined, Source, SourceState};
use crate::flows::Context;
use crate::flows::saml::metadata::{self, Outcome as Refreshed};
use crate::flows::saml::own;

/// SAML: our metadata, and where those of others come from.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Print our metadata, signed, as they are served at /saml/metadata.
    Metadata(Metadata),
    /// List the sources of metadata: age, counts, last change, what was left out and why.
    Sources(Sources),
    /// Fetch metadata now: of one source, or of all.
    Refresh(Refresh),
}

/// Arguments of `marelle saml metadata`.
#[derive(Debug, Args)]
pub(super) struct Metadata {
    /// As a service provider of others (EduConnect, an agents' portal, another ENT): what is at /saml/sp/metadata.
    #[arg(long)]
    service_provider: bool,
    /// Write them to a file.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Answer in JSON.
    #[arg(long)]
    json: bool,
}

/// Arguments of `marelle saml sources`.
#[derive(Debug, Args)]
pub(super) struct Sources {
    /// Answer in JSON.
    #[arg(long)]
    json: bool,
}

/// Arguments of `marelle saml refresh`.
#[derive(Debug, Args)]
pub(super) struct Refresh {
    /// The source: `party:ent-lycee`, `federation:renater`. Default: all.
    id: Option<String>,
    /// Answer in JSON.
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(context: &Context, command: Command) -> Outcome {
    match command {
        Command::Metadata(arguments) => ours(context, &arguments).await,
        Command::Sources(arguments) => sources(context, arguments.json).await,
        Command::Refresh(arguments) => refresh(context, &arguments).await,
    }
}

async fn ours(context: &Context, arguments: &Metadata) -> Outcome {
    let role = if arguments.service_provider {
        own::Role::ServiceProvider
    } else {
        own::Role::IdentityProvider
    };
    let document = own::document(context, role).await?;
    if let Some(path) = &arguments.out {
        std::fs::write(path, &document.xml)
            .map_err(|error| Refusal::usage(anyhow!("{}: {error}", path.display())))?;
    }
    match (&arguments.out, arguments.json) {
        (out, true) => print_json(&json!({
            "entity_id": format!("{}{}", context.settings.public_url, role.path()),
            "file": out,
            "xml": out.is_none().then_some(&document.xml),
        })),
        (None, false) => print_line(&document.xml),
        (Some(path), false) => print_line(format!("written to {}", path.display())),
    }
    Ok(())
}

async fn sources(context: &Context, json: bool) -> Outcome {
    let now = context.now();
    let mut all = Vec::new();
    for (source, state) in metadata::sources(context).await? {
        let quarantine = metadata::quarantine(context, &source.id).await?;
        all.push((source, state, quarantine));
    }
    if json {
        let described = all
            .iter()
            .map(|(source, state, quarantine)| described(source, state, quarantine, now));
        print_json(&described.collect());
        return Ok(());
    }
    for (source, state, quarantine) in &all {
        tell(source, state, quarantine, now);
    }
    Ok(())
}

fn place(source: &Source) -> &str {
    match &source.terms.location {
        Location::Declared => "in the declaration",
        Location::Url(place) | Location::Path(place) => place,
    }
}

fn tell(source: &Source, state: &SourceState, quarantine: &[Quarantined], now: Timestamp) {
    let alarm = state.alarm(&source.terms, now);
    let alarm = alarm.map_or_else(String::new, |alarm| format!("  ** {alarm} **"));
    print_line(format!(
        "{}  {}  {}{alarm}",
        source.id,
        source.origin,
        place(source)
    ));
    let age = state.succeeded_at.map_or_else(
        || "never".to_owned(),
        |at| format!("{at}, {} h ago", now.since(at).as_secs() / 3600),
    );
    let end = state
        .valid_until
        .map_or_else(|| "no end".to_owned(), |end| format!("until {end}"));
    print_line(format!(
        "  taken {age}; valid {end}; {} service providers, {} left out",
        state.entities, state.quarantined
    ));
    if let (Some(at), Some(why)) = (state.failed_at, &state.failure) {
        print_line(format!("  failed {at}: {why}"));
    }
    if let Some(at) = state.changed_at {
        print_line(format!("  last change {at}: {}", in_words(&state.changes)));
    }
    for one in quarantine {
        print_line(format!(
            "  left out {}: {}",
            one.entity_id.as_deref().unwrap_or("?"),
            one.reason
        ));
    }
}

fn in_words(changes: &Changes) -> String {
    let one = |words: &str, counted: &Counted| {
        let names = counted
            .names
            .iter()
            .take(3)
            .cloned()
            .collect::<Vec<_>>()
            .join(" ");
        match counted.count {
            0 => format!("0 {words}"),
            count if count > 3 => format!("{count} {words} ({names} …)"),
            count => format!("{count} {words} ({names})"),
        }
    };
    [
        one("added", &changes.added),
        one("changed", &changes.changed),
        one("removed", &changes.removed),
        one("with new keys", &changes.new_keys),
    ]
    .join(", ")
}

fn described(source: &Source, state: &SourceState, quarantine: &[Quarantined], now: Timestamp) -> Value {
    let at = |moment: Option<Timestamp>| moment.map(|moment| moment.to_string());
    let left_out = quarantine
        .iter()
        .map(|one| json!({"entity_id": one.entity_id, "reason": one.reason}));
    json!({
        "id": source.id,
        "origin": source.origin.as_str(),
        "place": place(source),
        "pinned_keys": source.terms.keys.len(),
        "signed_by": state.signed_by,
        "alarm": state.alarm(&source.terms, now).map(|alarm| alarm.as_str()),
        "taken_at": at(state.succeeded_at),
        "age_seconds": state.succeeded_at.map(|at| now.since(at).as_secs()),
        "valid_until": at(state.valid_until),
        "next_at": at(state.next_at),
        "failed_at": at(state.failed_at),
        "failure": state.failure,
        "service_providers": state.entities,
        "left_out": state.quarantined,
        "quarantine": left_out.collect::<Vec<_>>(),
        "changed_at": at(state.changed_at),
        "changes": state.changes,
    })
}

async fn refresh(context: &Context, arguments: &Refresh) -> Outcome {
    let ids = match &arguments.id {
        Some(id) => vec![id.clone()],
        None => {
            let all = metadata::sources(context).await?;
            all.into_iter().map(|(source, _)| source.id).collect()
        }
    };
    let (mut lines, mut failed) = (Vec::new(), None);
    for id in ids {
        let done = metadata::refresh(context, &id).await?;
        let done = done.ok_or_else(|| Refusal::usage(anyhow!("there is no source «{id}»")))?;
        let (word, more) = match &done {
            Refreshed::Taken(changes) => ("taken", in_words(changes)),
            Refreshed::Unchanged => ("unchanged", String::new()),
            Refreshed::Busy => ("another node is at it", String::new()),
            Refreshed::Declared => ("in the declaration", String::new()),
            Refreshed::Failed(why) => ("failed", why.clone()),
        };
        if let Refreshed::Failed(why) = &done {
            failed = Some(anyhow!("{id}: {why}"));
        }
        if arguments.json {
            lines.push(json!({"id": id, "outcome": word, "more": more}));
        } else {
            print_line(format!("{id}  {word}  {more}").trim_end());
        }
    }
    if arguments.json {
        print_json(&Value::Array(lines));
    }
    failed.map_or(Ok(()), |why| Err(Refusal::guard(why)))
}
