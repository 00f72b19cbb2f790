//! `marelle sample`: invented territories in the real file formats, for trying out, demonstrating and measuring.

use std::fs;
use std::path::PathBuf;

use anyhow::anyhow;
use clap::Args;
use serde_json::json;

use super::{Outcome, Refusal, print_json, print_line};
use crate::base::time::{Clock, SystemClock};
use crate::demo::Folder;
use crate::domain::education::SchoolYear;
use crate::sample::{self, Noise, SampleSpec};

/// Arguments of `marelle sample`.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The folder to write to; must not exist yet, or be empty.
    #[arg(long, value_name = "FOLDER")]
    out: PathBuf,
    /// How many écoles; 154 make a project like the Somme's, 17,500 an academy.
    #[arg(long, default_value_t = 154)]
    schools: u64,
    /// What everything is computed from: the same seed writes the same bytes.
    #[arg(long, default_value_t = 80)]
    seed: u64,
    /// How many pupils the collèges have together, where the proportions of the Somme are not wanted.
    #[arg(long)]
    secondary_pupils: Option<u64>,
    /// The register of the year after makes errors in names and dates, and children go elsewhere.
    #[arg(long)]
    noise: bool,
    /// How many INE in a hundred are missing in the year after, where it makes errors.
    #[arg(long, default_value_t = 8.0, requires = "noise", value_name = "PERCENT")]
    missing_ine: f64,
    /// How many in a hundred are wrong.
    #[arg(long, default_value_t = 2.0, requires = "noise", value_name = "PERCENT")]
    wrong_ine: f64,
    /// The AAF delivery states the adults too: parents, and who works in the collèges.
    #[arg(long)]
    adults: bool,
    /// Write a delivery of changes as well, which names so many pupils in a hundred.
    #[arg(long, value_name = "PERCENT")]
    delta: Option<f64>,
    /// First year of the school year of the ONDE files; the AAF delivery is of the next. Default: the present one.
    #[arg(long)]
    year: Option<i32>,
    /// Answer in JSON.
    #[arg(long)]
    json: bool,
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped")]
fn in_a_thousand(percent: f64) -> u64 {
    (percent.clamp(0.0, 100.0) * 10.0).round() as u64
}

pub(super) fn run(arguments: &Arguments) -> Outcome {
    let year = match arguments.year {
        Some(year) => SchoolYear::new(year).map_err(Refusal::usage)?,
        None => SchoolYear::of(SystemClock.now().date()),
    };
    if fs::read_dir(&arguments.out).is_ok_and(|mut entries| entries.next().is_some()) {
        return Err(Refusal::usage(anyhow!(
            "{}: the folder is not empty",
            arguments.out.display()
        )));
    }
    let mut spec = SampleSpec::of(arguments.schools, arguments.seed, year);
    if let Some(pupils) = arguments.secondary_pupils {
        spec.colleges = spec.colleges.max(pupils.div_ceil(1_000));
        spec.secondary_pupils = pupils;
    }
    spec.adults = arguments.adults;
    spec.delta = arguments.delta.map(in_a_thousand);
    if arguments.noise {
        spec.noise = Some(Noise {
            missing_ine: in_a_thousand(arguments.missing_ine),
            wrong_ine: in_a_thousand(arguments.wrong_ine),
            ..Noise::usual()
        });
    }
    let made = sample::generate(&spec, &mut Folder(arguments.out.clone())).map_err(|error| match error {
        sample::SampleError::Spec(_) => Refusal::usage(error),
        sample::SampleError::Io(_) => Refusal::from(error),
    })?;
    let next = year.next();
    if arguments.json {
        print_json(&json!({
            "folder": arguments.out, "year": year.first(), "ecoles": made.ecoles, "classes": made.classes,
            "pupils": made.pupils, "leavers": made.leavers, "without_ine": made.without_ine, "twins": made.twins,
            "colleges": made.colleges, "secondary_pupils": made.secondary_pupils,
            "guardians": made.guardians, "staff": made.staff, "changes": made.changes, "files": made.files,
        }));
        return Ok(());
    }
    let out = arguments.out.display();
    print_line(format!(
        "{} écoles, {} classes, {} pupils ({} in CM2, {} without INE, {} twins); {} collèges, {} pupils; {} files",
        made.ecoles,
        made.classes,
        made.pupils,
        made.leavers,
        made.without_ine,
        made.twins,
        made.colleges,
        made.secondary_pupils,
        made.files
    ));
    if made.guardians + made.changes > 0 {
        print_line(format!(
            "{} guardians, {} staff; {} people in the delivery of changes",
            made.guardians, made.staff, made.changes
        ));
    }
    print_line(format!("marelle apply {out}/territory.toml"));
    print_line(format!(
        "marelle import onde {out}/onde/{year} --year {year} --apply"
    ));
    print_line(format!(
        "marelle import aaf {out}/aaf/{next} --academy {:02} --year {next} --apply",
        spec.academy
    ));
    if spec.delta.is_some() {
        print_line(format!(
            "marelle import aaf {out}/delta/{next} --academy {:02} --year {next} --apply",
            spec.academy
        ));
    }
    Ok(())
}
