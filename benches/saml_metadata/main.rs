//! A federation's aggregate: time and peak memory of verifying it and reading every entity, and of keeping them, beside a
//! bare read of the same bytes.
//!
//! `MARELLE_BENCH_ENTITIES` is how many entities it has; `MARELLE_TEST_POSTGRES` adds keeping them in PostgreSQL. Each runs in
//! a process of its own: a peak of memory never falls.

mod aggregate;
#[path = "../measure/mod.rs"]
mod measure;
#[path = "../measure/postgres.rs"]
mod postgres;

use std::fs::File;
use std::io::{BufReader, BufWriter, Read, Seek};
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use marelle::app;
use marelle::base::time::{Clock, SystemClock};
use marelle::config::Config;
use marelle::flows::declaration::{self, Declaration, Options};
use marelle::flows::saml::metadata::{self, Outcome};
use marelle::saml::metadata::{Allowed, Entities, Found, take};
use marelle::saml::xml::Limits;
use measure::{field, figure, head, now, part, row};

/// RENATER with eduGAIN has about that many.
const ENTITIES: usize = 10_000;

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [mode, file] = arguments.as_slice()
        && ["read", "keep", "nothing"].contains(&&**mode)
    {
        return be(mode, Path::new(file));
    }
    let count = measure::setting("MARELLE_BENCH_ENTITIES", ENTITIES);
    // Not in /tmp, which may be memory: files shall be on a disk.
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
    measure::machine("before");
    head(
        "A federation's aggregate",
        &[
            "entities",
            "MB",
            "what",
            "seconds",
            "entities/s",
            "MB/s",
            "peak MB",
            "speed to the bare read",
        ],
    );
    for count in [count / 10, count] {
        let file = folder.path().join(format!("{count}.xml"));
        aggregate::write(&file, count)?;
        let bytes = std::fs::metadata(&file)?.len();
        // The first read warms the cache, the second is measured.
        bare(&file)?;
        let alone = bare(&file)?;
        let show = |what: &str, seconds: f64, peak: Option<f64>| {
            row(&[
                &count,
                &figure(bytes as f64 / 1e6),
                &what,
                &figure(seconds),
                &figure(count as f64 / seconds),
                &figure(bytes as f64 / 1e6 / seconds),
                &peak.map(figure).unwrap_or_default(),
                &part(alone, seconds),
            ]);
        };
        show("bare read of the file", alone, None);
        let (_, nothing) = run("nothing", &file, count, None)?;
        println!("a process that does nothing: peak {} MB", figure(nothing));
        let (seconds, peak) = run("read", &file, count, None)?;
        show("verified and read, nothing kept", seconds, Some(peak));
        let mut targets = vec![(
            "SQLite",
            format!("file:{}", folder.path().join(format!("{count}.db")).display()),
        )];
        if let Some(server) = measure::text_setting("MARELLE_TEST_POSTGRES") {
            let schema = tokio::runtime::Runtime::new()?.block_on(postgres::fresh_schema(&server))?;
            targets.push(("PostgreSQL", schema));
        }
        for (engine, address) in targets {
            for how in ["kept in an empty database", "once more, nothing new"] {
                let (seconds, peak) = run("keep", &file, count, Some(&address))?;
                show(&format!("{engine}: {how}"), seconds, Some(peak));
            }
        }
    }
    measure::machine("after");
    Ok(())
}

fn bare(file: &Path) -> Result<f64> {
    let start = now();
    let mut input = File::open(file)?;
    let mut buffer = vec![0; 1 << 16];
    while input.read(&mut buffer)? > 0 {}
    Ok(start.elapsed().as_secs_f64())
}

/// This program again; answers seconds and peak megabytes.
fn run(mode: &str, file: &Path, count: usize, database: Option<&str>) -> Result<(f64, f64)> {
    let mut command = Command::new(std::env::current_exe()?);
    command.arg(mode).arg(file);
    if let Some(address) = database {
        match address.strip_prefix("file:") {
            Some(path) => command.env("MARELLE_DATABASE__FILE", path),
            None => command.env("MARELLE_DATABASE__URL", address),
        };
        let key = file.with_extension("key");
        command.env("MARELLE_KEYS__MASTER_KEY_FILE", key);
    }
    let done = command.output()?;
    let text = String::from_utf8_lossy(&done.stdout);
    ensure!(
        done.status.success(),
        "{text}{}",
        String::from_utf8_lossy(&done.stderr)
    );
    let mut figures = text.split_whitespace();
    let mut next = || figures.next().context("a figure is missing");
    let (found, seconds, peak): (usize, _, _) = (next()?.parse()?, next()?.parse()?, next()?.parse()?);
    ensure!(mode == "nothing" || found == count, "{found} entities of {count}");
    Ok((seconds, peak))
}

/// The child: does what it is told, prints entities, seconds, peak megabytes.
fn be(mode: &str, file: &Path) -> Result<()> {
    let start = now();
    let found = match mode {
        "nothing" => 0,
        "read" => read(file)?,
        _ => tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .build()?
            .block_on(keep(file))?,
    };
    let seconds = start.elapsed().as_secs_f64();
    let peak = field("/proc/self/status", "VmHWM").context("no VmHWM")?;
    let kib: f64 = peak.trim_end_matches(" kB").parse()?;
    println!("{found} {seconds} {}", kib * 1024.0 / 1e6);
    Ok(())
}

fn read(file: &Path) -> Result<usize> {
    let mut canonical = tempfile::tempfile_in(env!("CARGO_TARGET_TMPDIR"))?;
    let out = BufWriter::with_capacity(256 * 1024, &mut canonical);
    let input = BufReader::with_capacity(256 * 1024, File::open(file)?);
    let keys = [aggregate::public_key()?];
    let taken = take(input, Some(&keys), Limits::METADATA, out)?;
    canonical.rewind()?;
    let input = BufReader::with_capacity(256 * 1024, canonical);
    let now = SystemClock.now();
    let mut count = 0;
    for found in Entities::new(input, Allowed::default(), "".into(), taken.repeated, now) {
        count += usize::from(matches!(found?, Found::Service(_)));
    }
    Ok(count)
}

async fn keep(file: &Path) -> Result<usize> {
    let context = app::open(&Config::load(None, std::env::vars())?).await?;
    let declaration = Declaration {
        saml_federations: vec![aggregate::federation(file)?],
        ..Declaration::default()
    };
    declaration::apply(&context, &declaration, Options::default()).await?;
    let done = metadata::refresh(&context, "federation:bench").await?;
    ensure!(matches!(done, Some(Outcome::Taken(_))), "{done:?}");
    let sources = metadata::sources(&context).await?;
    context.db.close().await;
    let (_, state) = sources.first().context("no source")?;
    Ok(usize::try_from(state.entities)?)
}
