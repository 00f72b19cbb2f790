//! Logs: structured, to standard error, as text for people or JSON for machines.
//!
//! `RUST_LOG`-style filters come from `MARELLE_LOG`. Names, INE, secrets and tokens are never fields of an event.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;

/// How log lines are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// Starts logging; a second call does nothing. `filter` is a list of directives like `info,marelle=debug`.
pub fn start(format: Format, filter: Option<&str>) {
    let filter = EnvFilter::builder().parse_lossy(filter.unwrap_or("info"));
    let lines = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal());
    // The only failure is a logger that is there already.
    drop(match format {
        Format::Text => lines.compact().try_init(),
        Format::Json => lines.json().flatten_event(true).try_init(),
    });
}
