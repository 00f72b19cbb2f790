//! `marelle year`: what is still missing for the opening of a school year, school by school.

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::{Outcome, Refusal, print_json, print_line};
use crate::base::time::Timestamp;
use crate::domain::education::SchoolYear;
use crate::domain::uai::Uai;
use crate::flows::year::{self, ExpectedFeed, Opening, age_in_days};
use crate::flows::{Context, drop_folder};

/// Prepare the opening of a school year.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Say what is there and what is missing.
    Status(Status),
}

/// Arguments of `marelle year status`.
#[derive(Debug, Args)]
pub(super) struct Status {
    /// First year of the school year: 2026 for 2026-2027. Default: this one; from June, the next.
    #[arg(long)]
    year: Option<i32>,
    /// One school, told in full.
    #[arg(long, value_name = "UAI")]
    school: Option<Uai>,
    /// Answer in JSON.
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(context: &Context, command: Command) -> Outcome {
    match command {
        Command::Status(arguments) => status(context, &arguments).await,
    }
}

async fn status(context: &Context, arguments: &Status) -> Outcome {
    let now = context.now();
    let year = match arguments.year {
        Some(year) => SchoolYear::new(year).map_err(Refusal::usage)?,
        None => year::of_interest(now.date_in_france()),
    };
    let found = year::status(context, year, arguments.school.as_ref()).await?;
    let openings = found.ok_or_else(|| Refusal::usage(anyhow::anyhow!("no such school is known")))?;
    if arguments.json {
        print_json(
            &openings
                .iter()
                .map(|opening| opening_json(opening, now))
                .collect(),
        );
        return Ok(());
    }
    print_line(format!("Année scolaire {year}-{}", year.next()));
    print_line(format!(
        "{:<9} {:>6} {:>6} {:>6} {:>6} {:>6} {:>5} {:>7}  {:<22} ÉCOLE OU ÉTABLISSEMENT",
        "UAI", "ÉLÈVES", "S.CLAS", "S.INE", "S.ACC.", "C.VID.", "CAS", "DÉPARTS", "OUVERTURE"
    ));
    for opening in &openings {
        print_line(format!(
            "{:<9} {:>6} {:>6} {:>6} {:>6} {:>6} {:>5} {:>7}  {:<22} {}",
            opening.school.uai.as_str(),
            opening.pupils,
            opening.without_class,
            opening.without_ine,
            opening.without_way_in,
            opening.empty_classes.len(),
            opening.open_cases,
            opening.unconfirmed,
            opens(opening),
            opening.school.name,
        ));
        if arguments.school.is_some() {
            in_full(opening, now);
        } else {
            let missing = opening.feeds.iter().filter(|feed| feed.last.is_none());
            for line in missing.map(|feed| feed_line(feed, now)) {
                print_line(format!("{:<9} ! {line}", ""));
            }
        }
    }
    if arguments.school.is_none() {
        for watched in drop_folder::watched(context).await? {
            for alert in &watched.alerts {
                print_line(format!("! {} : {alert}", watched.folder.name));
            }
        }
    }
    print_line(
        "S.CLAS : sans classe ; S.INE : sans INE ; S.ACC. : sans moyen de se connecter ; C.VID. : classes vides",
    );
    Ok(())
}

fn in_full(opening: &Opening, now: Timestamp) {
    for feed in &opening.feeds {
        print_line(format!("  {}", feed_line(feed, now)));
    }
    for date in &opening.dates {
        print_line(format!("  ouverture {} : {}", date.opens_on(), date.pupils()));
    }
    let gaps = opening.gaps(now);
    if gaps.is_empty() {
        print_line("  il ne manque rien");
    }
    for gap in gaps {
        print_line(format!("  ! {gap}"));
    }
}

fn opens(opening: &Opening) -> String {
    match opening.opens() {
        None => "dès l'inscription".to_owned(),
        Some((first, last)) if first == last => first.to_string(),
        Some((first, last)) => format!("{first}…{last}"),
    }
}

fn feed_line(feed: &ExpectedFeed, now: Timestamp) -> String {
    match feed.last {
        None => format!("{} : pas encore chargé pour cette année", feed.source),
        Some((_, at)) => format!(
            "{} : {} élèves, chargé il y a {} jour(s) ({at})",
            feed.source,
            feed.pupils,
            age_in_days(at, now)
        ),
    }
}

fn opening_json(opening: &Opening, now: Timestamp) -> Value {
    let feeds = opening.feeds.iter().map(|feed| {
        json!({
            "source": feed.source.as_str(),
            "run": feed.last.map(|(run, _)| run.to_string()),
            "at": feed.last.map(|(_, at)| at.to_string()),
            "age_days": feed.last.map(|(_, at)| age_in_days(at, now)),
            "pupils": feed.pupils,
        })
    });
    let dates = opening.dates.iter().map(|date| {
        let pupils = date.pupils();
        json!({
            "school": pupils.school().map(Uai::as_str),
            "level": pupils.level(),
            "class": pupils.class(),
            "opens_on": date.opens_on().to_string(),
        })
    });
    let gaps = opening.gaps(now).into_iter();
    json!({
        "school": opening.school.uai.as_str(),
        "name": opening.school.name,
        "year": opening.year.first(),
        "feeds": feeds.collect::<Vec<_>>(),
        "pupils": opening.pupils,
        "pupils_without_class": opening.without_class,
        "pupils_without_ine": opening.without_ine,
        "pupils_without_way_in": opening.without_way_in,
        "classes": opening.classes,
        "empty_classes": opening.empty_classes,
        "open_cases": opening.open_cases,
        "unconfirmed_departures": opening.unconfirmed,
        "access_dates": dates.collect::<Vec<_>>(),
        "gaps": gaps.map(|gap| json!({"code": gap.code(), "message": gap.to_string()})).collect::<Vec<_>>(),
    })
}
