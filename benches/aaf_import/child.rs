//! This program again, in a process of its own that reads a delivery as AAF and keeps nothing.

use std::fs::File;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use marelle::domain::education::SchoolYear;
use marelle::roster::aaf::{AafContext, AafItem, AafReader};

use super::delivery::{ACADEMY, Delivery, YEAR, files};
use super::measure::{field, now};

/// The argument that asks for it.
pub(super) const PARSE: &str = "read-as-aaf";

/// Starts it; answers seconds and peak megabytes.
pub(super) fn run(delivery: &Delivery) -> Result<(f64, Option<f64>)> {
    let done = Command::new(std::env::current_exe()?)
        .arg(PARSE)
        .arg(&delivery.folder)
        .output()?;
    let text = String::from_utf8_lossy(&done.stdout);
    ensure!(
        done.status.success(),
        "{text}{}",
        String::from_utf8_lossy(&done.stderr)
    );
    let mut figures = text.split_whitespace();
    let mut next = || figures.next().context("a figure is missing");
    let (pupils, seconds, peak): (u64, f64, f64) = (next()?.parse()?, next()?.parse()?, next()?.parse()?);
    ensure!(
        pupils == delivery.pupils,
        "{pupils} pupils read of {}",
        delivery.pupils
    );
    Ok((seconds, Some(peak)))
}

/// Reads a delivery; prints pupils, seconds, peak megabytes.
pub(super) fn parse(folder: &Path) -> Result<()> {
    let (start, mut pupils) = (now(), 0u64);
    for file in files(folder)? {
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        let context = AafContext {
            file: (&*name).into(),
            academy: ACADEMY.parse()?,
            year: SchoolYear::new(YEAR)?,
        };
        for item in AafReader::new(File::open(&file)?, context) {
            pupils += u64::from(matches!(item?, AafItem::Pupil(_)));
        }
    }
    let seconds = start.elapsed().as_secs_f64();
    println!("{pupils} {seconds} {}", peak("self")?);
    Ok(())
}

/// The most memory a process has held so far, in megabytes.
pub(super) fn peak(process: &str) -> Result<f64> {
    let peak = field(&format!("/proc/{process}/status"), "VmHWM").context("no VmHWM")?;
    let kib: f64 = peak.trim_end_matches(" kB").parse()?;
    Ok(kib * 1024.0 / 1e6)
}
