//! An AAF delivery of the second degree: rows per second and peak memory, read only and loaded, beside a bare read of the
//! same bytes.
//!
//! Whatever memory is told of runs in a process of its own, since a peak never falls. `MARELLE_BENCH_PUPILS` is the size
//! of the delivery; `MARELLE_TEST_POSTGRES` adds a load into PostgreSQL.

mod child;
mod delivery;
mod load;
#[path = "../measure/mod.rs"]
mod measure;

use std::path::Path;

use anyhow::Result;
use delivery::Delivery;
use measure::{figure, head, part, row};

/// What `make bench` takes; an academy has a million.
const PUPILS: u64 = 50_000;

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [mode, folder] = arguments.as_slice()
        && mode == child::PARSE
    {
        return child::parse(Path::new(folder));
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
            "to the bare read",
            "to reading only",
        ],
    );
    // The first read warms the cache, the second is measured.
    delivery.read()?;
    let bare = delivery.read()?;
    show(&delivery, "bare read of the files", (bare, None), None);
    let parsed = child::run(&delivery)?;
    show(
        &delivery,
        "read as AAF, nothing kept",
        parsed,
        Some((bare, parsed.0)),
    );
    for target in load::targets(folder.path())? {
        for again in [false, true] {
            let loaded = load::run(&target, &delivery)?;
            let what = format!(
                "loaded into {}{}",
                target.name,
                if again { ", once more" } else { "" }
            );
            show(&delivery, &what, loaded, Some((bare, parsed.0)));
        }
        load::size(&target)?;
    }
    measure::machine("after");
    Ok(())
}

fn show(delivery: &Delivery, what: &str, (seconds, peak): (f64, Option<f64>), beside: Option<(f64, f64)>) {
    let ratio = |other: f64| part(other, seconds);
    row(&[
        &what,
        &figure(seconds),
        &figure(delivery.pupils as f64 / seconds),
        &figure(delivery.bytes as f64 / 1e6 / seconds),
        &peak.map(figure).unwrap_or_default(),
        &beside.map(|(bare, _)| ratio(bare)).unwrap_or_default(),
        &beside.map(|(_, parsed)| ratio(parsed)).unwrap_or_default(),
    ]);
}
