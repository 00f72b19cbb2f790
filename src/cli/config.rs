//! `marelle config`: is it usable, and what does it say in the end?

use std::path::PathBuf;

use clap::Subcommand;

use super::{Outcome, config_file, load, print_line};

/// Check or show the configuration.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Say whether file and environment make a usable configuration; exit code 2 and the line where not.
    Check,
    /// Print every setting as it stands after file and environment; secrets are left out.
    Show,
}

pub(super) fn run(file: Option<PathBuf>, command: &Command) -> Outcome {
    let shown = config_file(file.clone());
    let config = load(file)?;
    crate::app::settings(&config)?;
    match command {
        Command::Check => {
            let from = shown.map_or_else(|| "defaults".to_owned(), |path| path.display().to_string());
            print_line(format!(
                "configuration is usable ({from}); issuer {}",
                config.http.public_url
            ));
        }
        Command::Show => print_line(format!("{config:#?}")),
    }
    Ok(())
}
