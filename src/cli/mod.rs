//! The command line: one file per command. `anyhow` stays here; what other programs rely on is the exit code.
//!
//! 0 done · 1 failed · 2 bad usage or configuration · 3 refused by a guard · 4 unreadable input.

mod apply;
mod class;
mod client;
mod config;
mod demo;
mod doctor;
mod import;
mod keys;
mod match_case;
mod saml;
mod sample;
mod serve;
mod upstream;
mod user;
mod year;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::app::AppError;
use crate::config::{Config, ConfigError};
use crate::flows::Context;
use crate::telemetry;

/// Identity provider of the French education continuum: one pupil identity from école to lycée.
#[derive(Debug, Parser)]
#[command(name = "marelle", version, propagate_version = true)]
struct Arguments {
    /// The configuration file. Default: `marelle.toml` where there is one, else built-in defaults.
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// How log lines are written (to standard error).
    #[arg(
        long,
        global = true,
        value_enum,
        default_value = "text",
        env = "MARELLE_LOG_FORMAT"
    )]
    log_format: telemetry::Format,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Migrate, make keys at first start, and serve.
    Serve(serve::Arguments),
    /// Declare academies, schools, relying parties and what projects may register from TOML files.
    Apply(apply::Arguments),
    /// List classes, open their pages, print the cards of their pupils.
    #[command(subcommand)]
    Class(class::Command),
    /// Look at relying parties, give them secrets, put them out of use, see what one receives.
    #[command(subcommand)]
    Client(client::Command),
    /// Check or show the configuration.
    #[command(subcommand)]
    Config(config::Command),
    /// Play a whole territory on this machine: a school, a collège, three services and a guided tour.
    Demo(demo::Arguments),
    /// Load the files of schools and academies; take a load back.
    #[command(subcommand)]
    Import(import::Command),
    /// Decide which records are of one child, where Marelle does not.
    #[command(subcommand, name = "match")]
    Match(match_case::Command),
    /// Write an invented territory in the real file formats.
    Sample(sample::Arguments),
    /// Check that the installation is whole: database, master key, audit journal.
    Doctor(doctor::Arguments),
    /// List and rotate signing keys.
    #[command(subcommand)]
    Keys(keys::Command),
    /// SAML: our metadata, and where those of others come from.
    #[command(subcommand)]
    Saml(saml::Command),
    /// The providers that people come from: keys, health, links, people to recognise.
    #[command(subcommand)]
    Upstream(upstream::Command),
    /// What is missing for the opening of a school year, school by school.
    #[command(subcommand)]
    Year(year::Command),
    /// Create and enrol staff, set passwords, list people.
    #[command(subcommand)]
    User(user::Command),
}

/// Why a command did not do what it was asked, with the exit code that says so to programs.
#[derive(Debug)]
pub struct Refusal {
    code: u8,
    cause: anyhow::Error,
}

impl Refusal {
    /// Bad usage or configuration.
    pub fn usage(cause: impl Into<anyhow::Error>) -> Self {
        Self {
            code: 2,
            cause: cause.into(),
        }
    }

    /// Refused by a guard.
    pub fn guard(cause: impl Into<anyhow::Error>) -> Self {
        Self {
            code: 3,
            cause: cause.into(),
        }
    }

    /// Input that cannot be read.
    pub fn unreadable(cause: impl Into<anyhow::Error>) -> Self {
        Self {
            code: 4,
            cause: cause.into(),
        }
    }
}

impl<E: Into<anyhow::Error>> From<E> for Refusal {
    fn from(error: E) -> Self {
        let cause = error.into();
        let is_usage = cause.is::<ConfigError>() || matches!(cause.downcast_ref(), Some(AppError::Config(_)));
        Self {
            code: if is_usage { 2 } else { 1 },
            cause,
        }
    }
}

type Outcome = Result<(), Refusal>;

/// Runs the command of the process's arguments; answers its exit code.
pub fn run() -> ExitCode {
    let arguments = Arguments::parse();
    #[expect(clippy::disallowed_methods, reason = "the command line reads the environment")]
    let filter = std::env::var("MARELLE_LOG").ok();
    telemetry::start(arguments.log_format, filter.as_deref());
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return report(&Refusal::from(error)),
    };
    match runtime.block_on(dispatch(arguments)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(refusal) => report(&refusal),
    }
}

#[expect(clippy::print_stderr, reason = "what a person at a terminal reads")]
fn report(refusal: &Refusal) -> ExitCode {
    eprintln!("marelle: {:#}", refusal.cause);
    ExitCode::from(refusal.code)
}

async fn dispatch(arguments: Arguments) -> Outcome {
    let file = arguments.config;
    match arguments.command {
        Command::Serve(arguments) => serve::run(&load(file)?, arguments).await,
        Command::Apply(arguments) => apply::run(&open(file).await?, arguments).await,
        Command::Config(command) => config::run(file, &command),
        Command::Class(command) => class::run(&open(file).await?, command).await,
        Command::Client(command) => client::run(&open(file).await?, command).await,
        Command::Year(command) => year::run(&open(file).await?, command).await,
        Command::User(command) => user::run(&open(file).await?, command).await,
        Command::Import(command) => import::run(&open(file).await?, command).await,
        Command::Match(command) => match_case::run(&open(file).await?, command).await,
        Command::Keys(command) => keys::run(&open(file).await?, command).await,
        Command::Demo(arguments) => demo::run(arguments).await,
        Command::Saml(command) => saml::run(&open(file).await?, command).await,
        Command::Upstream(command) => upstream::run(&open(file).await?, command).await,
        Command::Sample(arguments) => sample::run(&arguments),
        Command::Doctor(arguments) => doctor::run(&open(file).await?, &arguments).await,
    }
}

/// The file of `--config`, or `marelle.toml` where there is one.
fn config_file(given: Option<PathBuf>) -> Option<PathBuf> {
    given.or_else(|| Some(PathBuf::from("marelle.toml")).filter(|path| path.exists()))
}

fn load(file: Option<PathBuf>) -> Result<Config, ConfigError> {
    Config::load(config_file(file).as_deref(), std::env::vars())
}

async fn open(file: Option<PathBuf>) -> Result<Context, Refusal> {
    Ok(crate::app::open(&load(file)?).await?)
}

/// Prints a value as JSON, for programs.
fn print_json(value: &serde_json::Value) {
    print_line(format_args!("{value:#}"));
}

/// Prints a line, for people.
fn print_line(line: impl std::fmt::Display) {
    use std::io::Write as _;
    if let Err(error) = writeln!(std::io::stdout().lock(), "{line}") {
        // Whoever reads has read enough (`| head`); anything else, a full disk for one, is a failure.
        let code = i32::from(error.kind() != std::io::ErrorKind::BrokenPipe);
        std::process::exit(code);
    }
}
