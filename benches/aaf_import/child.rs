//! This program again, in a process of its own that does one thing and says what it took: a peak of memory never falls.

use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use marelle::app;
use marelle::config::Config;
use marelle::flows::import::{self, Feed, Load, Opener};
use marelle::roster::aaf::{AafContext, AafItem, AafReader};

use super::delivery::{ACADEMY, Delivery, files, year};
use super::measure::{field, now};

/// The argument for reading as AAF and keeping nothing.
pub(super) const READ: &str = "read-as-aaf";
/// The argument for loading, into the database that the environment names.
pub(super) const LOAD: &str = "load-aaf";

/// What a child took.
#[derive(Clone, Copy)]
pub(super) struct Took {
    pub(super) seconds: f64,
    /// Of the processor; a database server's are not counted.
    pub(super) processor: f64,
    /// Megabytes.
    pub(super) peak: f64,
}

/// This program again.
pub(super) fn command(mode: &str, delivery: &Delivery) -> Result<Command> {
    let mut command = Command::new(std::env::current_exe()?);
    command.arg(mode).arg(&delivery.folder);
    Ok(command)
}

/// Runs it to its end.
pub(super) fn run(mut command: Command, delivery: &Delivery) -> Result<Took> {
    let done = command.output()?;
    let text = String::from_utf8_lossy(&done.stdout);
    ensure!(
        done.status.success(),
        "{text}{}",
        String::from_utf8_lossy(&done.stderr)
    );
    let mut figures = text.split_whitespace();
    let mut next = || figures.next().context("a figure is missing");
    let pupils: u64 = next()?.parse()?;
    let (seconds, processor, peak) = (next()?.parse()?, next()?.parse()?, next()?.parse()?);
    let stated = delivery.pupils.unwrap_or(pupils);
    ensure!(pupils == stated, "{pupils} pupils of {stated}");
    Ok(Took {
        seconds,
        processor,
        peak,
    })
}

/// The child: does what it is told, prints pupils, seconds, seconds of the processor, peak megabytes.
pub(super) fn be(mode: &str, folder: &Path) -> Result<()> {
    let start = now();
    let pupils = match mode {
        READ => read(folder)?,
        _ => tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .build()?
            .block_on(load(folder))?,
    };
    let seconds = start.elapsed().as_secs_f64();
    let peak = field("/proc/self/status", "VmHWM").context("no VmHWM")?;
    let kib: f64 = peak.trim_end_matches(" kB").parse()?;
    println!("{pupils} {seconds} {} {}", processor()?, kib * 1024.0 / 1e6);
    Ok(())
}

/// The seconds that the processor gave to this process: the 14th and 15th figure of its `stat`, in hundredths.
fn processor() -> Result<f64> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    let (_, figures) = stat.rsplit_once(')').context("no stat")?;
    let ticks = figures.split_whitespace().skip(11).take(2);
    let ticks: Vec<f64> = ticks.map(str::parse).collect::<Result<_, _>>()?;
    Ok(ticks.iter().sum::<f64>() / 100.0)
}

fn read(folder: &Path) -> Result<u64> {
    let mut pupils = 0;
    for file in files(folder)? {
        let context = AafContext {
            file: name(&file),
            academy: ACADEMY.parse()?,
            year: year()?,
            degree: None,
            delta: false,
        };
        for item in AafReader::new(File::open(&file)?, context) {
            pupils += u64::from(matches!(item?, AafItem::Pupil(_)));
        }
    }
    Ok(pupils)
}

async fn load(folder: &Path) -> Result<u64> {
    let context = app::open(&Config::load(None, std::env::vars())?).await?;
    let files = files(folder)?.into_iter().map(|path| {
        let name = name(&path);
        let open: Opener = Box::new(move || Ok(Box::new(File::open(path)?) as Box<dyn Read + Send>));
        import::File {
            name,
            school: None,
            open,
        }
    });
    let load = Load {
        feed: Feed::Aaf {
            academy: ACADEMY.parse()?,
            degree: None,
        },
        year: year()?,
        files: files.collect(),
        operator: "bench".to_owned(),
        override_reason: None,
        mapping: None,
    };
    let report = match import::apply(&context, load).await {
        Ok(report) => report,
        Err(import::ImportError::Refused(concerns)) => anyhow::bail!("{concerns:?}"),
        Err(error) => return Err(error.into()),
    };
    context.db.close().await;
    Ok(report.total.stated)
}

fn name(path: &Path) -> std::sync::Arc<str> {
    path.file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .as_ref()
        .into()
}
