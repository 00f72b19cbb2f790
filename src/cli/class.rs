//! `marelle class`: the classes of a school, their pages and the cards of their pupils.
//!
//! Picture codes appear on the printed page and nowhere else: not on the terminal, not in JSON.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow};
use clap::{Args, Subcommand, ValueEnum};
use serde_json::{Value, json};

use super::{Outcome, Refusal, print_json, print_line};
use crate::app;
use crate::domain::audit::Actor;
use crate::domain::education::SchoolYear;
use crate::domain::uai::Uai;
use crate::flows::Context;
use crate::flows::class_code::{self, page_address};
use crate::flows::classroom::{self, NamedClass, NewCodes};

/// List classes, open their pages, print the cards of their pupils.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// List the classes of a school.
    List(List),
    /// Print the address and the code of a class page; made where there is none.
    Open(Open),
    /// Make picture codes and write the page of cards to print.
    Cards(CardsArguments),
}

/// Which school and year.
#[derive(Debug, Args)]
struct Where {
    /// UAI of the school.
    #[arg(long, value_name = "UAI")]
    school: Uai,
    /// First year of the school year. Default: the present one.
    #[arg(long)]
    year: Option<i32>,
}

/// Arguments of `marelle class list`.
#[derive(Debug, Args)]
pub(super) struct List {
    #[command(flatten)]
    place: Where,
    /// Answer in JSON.
    #[arg(long)]
    json: bool,
}

/// Arguments of `marelle class open`.
#[derive(Debug, Args)]
pub(super) struct Open {
    #[command(flatten)]
    place: Where,
    /// Label or id of the class.
    #[arg(long, value_name = "LABEL|ID")]
    class: String,
    /// Make a new code: the former opens nothing any more.
    #[arg(long)]
    renew: bool,
    /// Answer in JSON.
    #[arg(long)]
    json: bool,
}

/// Arguments of `marelle class cards`.
#[derive(Debug, Args)]
pub(super) struct CardsArguments {
    #[command(flatten)]
    place: Where,
    /// Label or id of the class.
    #[arg(long, value_name = "LABEL|ID")]
    class: String,
    /// The page to write; it must not exist yet.
    #[arg(long, value_name = "FILE.html")]
    out: PathBuf,
    /// For whom codes are made. A code that exists cannot be printed again, only replaced.
    #[arg(long, value_enum, default_value = "missing")]
    new_codes: For,
    /// Answer in JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum For {
    /// Each pupil; former codes stop working.
    All,
    /// Pupils who have none.
    Missing,
}

pub(super) async fn run(context: &Context, command: Command) -> Outcome {
    match command {
        Command::List(arguments) => list(context, &arguments).await,
        Command::Open(arguments) => open(context, &arguments).await,
        Command::Cards(arguments) => cards(context, &arguments).await,
    }
}

impl Where {
    fn year(&self, context: &Context) -> Result<SchoolYear, Refusal> {
        match self.year {
            Some(year) => SchoolYear::new(year).map_err(Refusal::usage),
            None => Ok(SchoolYear::of(context.now().date())),
        }
    }

    async fn class(&self, context: &Context, label: &str) -> Result<NamedClass, Refusal> {
        let year = self.year(context)?;
        let mut found = classroom::named(context, (&self.school, year), label).await?;
        match (found.pop(), found.is_empty()) {
            (Some(only), true) => Ok(only),
            (Some(_), false) => Err(Refusal::usage(anyhow!(
                "several classes are called «{label}»; name one by its id (marelle class list)"
            ))),
            (None, _) => Err(Refusal::usage(anyhow!(
                "{} has no class «{label}» in {year}",
                self.school
            ))),
        }
    }
}

async fn list(context: &Context, arguments: &List) -> Outcome {
    let year = arguments.place.year(context)?;
    let lines = classroom::list(context, &arguments.place.school, year).await?;
    if arguments.json {
        let lines: Vec<Value> = lines
            .iter()
            .map(|line| {
                json!({
                    "id": line.named.class.id.to_string(),
                    "label": line.named.class.label,
                    "level": line.named.class.level,
                    "pupils": line.pupils,
                    "with_picture_code": line.with_picture_code,
                    "open": line.is_open,
                })
            })
            .collect();
        print_json(&Value::Array(lines));
        return Ok(());
    }
    for line in &lines {
        print_line(format!(
            "{}  {:<12} {} pupils, {} with pictures, {}",
            line.named.class.id,
            line.named.class.label,
            line.pupils,
            line.with_picture_code,
            if line.is_open { "open" } else { "not opened" },
        ));
    }
    Ok(())
}

async fn open(context: &Context, arguments: &Open) -> Outcome {
    let named = arguments.place.class(context, &arguments.class).await?;
    let class = named.class.id;
    let code = if arguments.renew {
        class_code::renew(context, class, &Actor::Operator).await?
    } else {
        class_code::open(context, class, &Actor::Operator).await?
    };
    let address = page_address(context, &code);
    if arguments.json {
        let class = class.to_string();
        print_json(&json!({"class": class, "address": address, "code": code.printed()}));
    } else {
        print_line(format!("{} {}", named.school_name, named.class.label));
        print_line(format!("address  {address}"));
        print_line(format!("code     {}", code.printed()));
    }
    Ok(())
}

async fn cards(context: &Context, arguments: &CardsArguments) -> Outcome {
    let named = arguments.place.class(context, &arguments.class).await?;
    // Opened before any code is made: a code that cannot be written is lost.
    let mut file = private_file(&arguments.out).map_err(Refusal::usage)?;
    let new_codes = match arguments.new_codes {
        For::All => NewCodes::All,
        For::Missing => NewCodes::Missing,
    };
    let made = classroom::cards(context, named.class.id, new_codes, &Actor::Operator).await?;
    let made = made.ok_or_else(|| anyhow!("the class is gone"))?;
    let html = app::printable_cards(&context.settings.public_url, &made)?;
    file.write_all(html.as_bytes())
        .and_then(|()| file.sync_all())
        .with_context(|| arguments.out.display().to_string())?;
    let (count, out) = (made.cards.len(), arguments.out.display().to_string());
    if arguments.json {
        let class = named.class.id.to_string();
        print_json(&json!({"class": class, "cards": count, "file": out}));
    } else {
        print_line(format!("{count} cards in {out}: print it, then delete it"));
    }
    Ok(())
}

/// A new file that only its owner reads.
fn private_file(path: &Path) -> anyhow::Result<std::fs::File> {
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .with_context(|| path.display().to_string())
}
