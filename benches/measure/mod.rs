//! What both benches measure with: the stopwatch, the machine, settings from the environment, tables.

use std::fmt::Display;
use std::fs;
use std::str::FromStr;
use std::time::Instant;

/// The present moment of the stopwatch.
#[expect(clippy::disallowed_methods, reason = "measuring is what benches are for")]
pub(super) fn now() -> Instant {
    Instant::now()
}

/// A setting of the environment, else a default.
pub(super) fn setting<T: FromStr>(name: &str, default: T) -> T {
    text_setting(name)
        .and_then(|text| text.parse().ok())
        .unwrap_or(default)
}

/// A setting of the environment as text.
#[expect(clippy::disallowed_methods, reason = "how a bench is told its size")]
pub(super) fn text_setting(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// Prints a row of a Markdown table.
pub(super) fn row(cells: &[&dyn Display]) {
    let cells: Vec<String> = cells.iter().map(ToString::to_string).collect();
    println!("| {} |", cells.join(" | "));
}

/// Prints a title and the head of a Markdown table.
pub(super) fn head(title: &str, columns: &[&str]) {
    println!("\n## {title}\n\n| {} |", columns.join(" | "));
    println!("|{}", " --- |".repeat(columns.len()));
}

/// A figure as people read it.
pub(super) fn figure(value: f64) -> String {
    if value >= 100.0 {
        format!("{value:.0}")
    } else if value >= 10.0 {
        format!("{value:.1}")
    } else {
        format!("{value:.2}")
    }
}

/// One figure as a part of another.
pub(super) fn part(of: f64, whole: f64) -> String {
    let percent = 100.0 * of / whole;
    format!("{} %", figure(percent))
}

/// Says where and under which load this is measured. On a shared machine every figure is a lower bound.
pub(super) fn machine(when: &str) {
    let model = field("/proc/cpuinfo", "model name").unwrap_or_default();
    let cores = std::thread::available_parallelism().map_or(0, std::num::NonZeroUsize::get);
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    println!("{when}: {cores} cores, {model}, load average {}", load.trim());
}

/// The first `name: value` of a file of /proc.
pub(super) fn field(path: &str, name: &str) -> Option<String> {
    let text = fs::read_to_string(path).ok()?;
    let line = text.lines().find(|line| line.starts_with(name))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}
