//! An AAF delivery of the second degree with its adults: people per second and peak memory, read only and loaded, beside a
//! bare read of the same bytes; then the same once more, and the changes of a night.
//!
//! `MARELLE_BENCH_PUPILS` is the size of the delivery, `MARELLE_BENCH_ACADEMY` makes it that of a whole academy;
//! `MARELLE_TEST_POSTGRES` adds a load into PostgreSQL, `MARELLE_BENCH_ENGINE` names the only engine to load into. Every
//! phase is a process of its own, whose peak is its own; what a database server takes is not counted.

mod child;
mod delivery;
mod load;
#[path = "../measure/mod.rs"]
mod measure;
#[path = "../measure/postgres.rs"]
mod postgres;

use std::path::Path;

use anyhow::Result;
use child::Took;
use delivery::{Academy, Delivery};
use measure::{figure, head, part, row};

/// What `make bench` takes.
const PUPILS: u64 = 50_000;
/// The pupils of an academy, of both degrees.
const ACADEMY: u64 = 1_100_000;

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [mode, folder] = arguments.as_slice()
        && [child::READ, child::LOAD].contains(&&**mode)
    {
        return child::be(mode, Path::new(folder));
    }
    let usual = measure::text_setting("MARELLE_BENCH_ACADEMY").map_or(PUPILS, |_| ACADEMY);
    let pupils = measure::setting("MARELLE_BENCH_PUPILS", usual);
    // Not in /tmp, which may be memory: files shall be on a disk.
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
    measure::machine("before");
    let academy = Academy::invent(folder.path(), pupils)?;
    let (made, complete, changes) = (&academy.made, &academy.complete, &academy.changes);
    println!(
        "{} pupils of {} collèges, {} guardians, {} staff in {} files, {} MB; changes of {} people, {} MB",
        made.secondary_pupils,
        made.colleges,
        made.guardians,
        made.staff,
        complete.files.len(),
        figure(complete.bytes as f64 / 1e6),
        changes.people,
        figure(changes.bytes as f64 / 1e6),
    );
    head(
        &format!(
            "AAF, {} pupils, {} people",
            made.secondary_pupils, complete.people
        ),
        &[
            "what",
            "seconds",
            "CPU s",
            "people/s",
            "MB/s",
            "peak MB",
            "speed to the bare read",
            "to reading only",
        ],
    );
    // The first read warms the cache, the second is measured.
    complete.read()?;
    let bare = complete.read()?;
    show(complete, "bare read of the files", (bare, None), &[]);
    let read = child::run(child::command(child::READ, complete)?, complete)?;
    show(
        complete,
        "read as AAF, nothing kept",
        (read.seconds, Some(read)),
        &[bare],
    );
    let targets = load::targets(folder.path(), &academy)?;
    for target in &targets {
        for how in ["into an empty database", "once more, nothing new"] {
            let loaded = target.load(complete)?;
            let what = format!("{}: loaded {how}", target.name);
            show(
                complete,
                &what,
                (loaded.seconds, Some(loaded)),
                &[bare, read.seconds],
            );
        }
        let loaded = target.load(changes)?;
        let what = format!("{}: changes of a night", target.name);
        show(changes, &what, (loaded.seconds, Some(loaded)), &[]);
    }
    for target in &targets {
        target.size()?;
    }
    measure::machine("after");
    Ok(())
}

/// Prints a row; `beside` are seconds that others took for the same files.
fn show(delivery: &Delivery, what: &str, (seconds, took): (f64, Option<Took>), beside: &[f64]) {
    let ratio = |at: usize| {
        beside
            .get(at)
            .map(|other| part(*other, seconds))
            .unwrap_or_default()
    };
    row(&[
        &what,
        &figure(seconds),
        &took.map(|took| figure(took.processor)).unwrap_or_default(),
        &figure(delivery.people as f64 / seconds),
        &figure(delivery.bytes as f64 / 1e6 / seconds),
        &took.map(|took| figure(took.peak)).unwrap_or_default(),
        &ratio(0),
        &ratio(1),
    ]);
}
