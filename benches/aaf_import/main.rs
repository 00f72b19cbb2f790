//! An AAF delivery of the second degree: rows per second and peak memory, read only and loaded, beside a bare read of the
//! same bytes.
//!
//! `MARELLE_BENCH_PUPILS` is the size of the delivery; `MARELLE_TEST_POSTGRES` adds a load into PostgreSQL.

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
use delivery::Delivery;
use measure::{figure, head, part, row};

/// What `make bench` takes; an academy has a million.
const PUPILS: u64 = 50_000;

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [mode, folder] = arguments.as_slice()
        && [child::READ, child::LOAD].contains(&&**mode)
    {
        return child::be(mode, Path::new(folder));
    }
    let pupils = measure::setting("MARELLE_BENCH_PUPILS", PUPILS);
    // Not in /tmp, which may be memory: files shall be on a disk.
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
    measure::machine("before");
    let delivery = Delivery::invent(folder.path(), pupils)?;
    println!(
        "{} pupils of {} collèges in {} files, {} MB",
        delivery.pupils,
        delivery.colleges,
        delivery.files.len(),
        figure(delivery.bytes as f64 / 1e6)
    );
    head(
        &format!("AAF, {} pupils", delivery.pupils),
        &[
            "what",
            "seconds",
            "pupils/s",
            "MB/s",
            "peak MB",
            "speed to the bare read",
            "to reading only",
        ],
    );
    // The first read warms the cache, the second is measured.
    delivery.read()?;
    let bare = delivery.read()?;
    show(&delivery, "bare read of the files", (bare, None), &[]);
    let read = child::run(child::command(child::READ, &delivery)?, &delivery)?;
    show(&delivery, "read as AAF, nothing kept", with_peak(read), &[bare]);
    let targets = load::targets(folder.path(), &delivery)?;
    for target in &targets {
        for how in ["into an empty database", "once more, nothing new"] {
            let loaded = target.load(&delivery)?;
            let what = format!("{}: loaded {how}", target.name);
            show(&delivery, &what, with_peak(loaded), &[bare, read.seconds]);
        }
    }
    for target in &targets {
        target.size()?;
    }
    measure::machine("after");
    Ok(())
}

fn with_peak(took: Took) -> (f64, Option<f64>) {
    (took.seconds, Some(took.peak))
}

/// Prints a row; `beside` are seconds that others took for the same files.
fn show(delivery: &Delivery, what: &str, (seconds, peak): (f64, Option<f64>), beside: &[f64]) {
    let ratio = |at: usize| {
        beside
            .get(at)
            .map(|other| part(*other, seconds))
            .unwrap_or_default()
    };
    row(&[
        &what,
        &figure(seconds),
        &figure(delivery.pupils as f64 / seconds),
        &figure(delivery.bytes as f64 / 1e6 / seconds),
        &peak.map(figure).unwrap_or_default(),
        &ratio(0),
        &ratio(1),
    ]);
}
