//! OpenID Connect code flows per second, through the router in process: no HTTP client is measured with them.
//!
//! Each figure stands beside what bounds it: the raw password hash, the raw signature, a durable commit of the same
//! engine, a route that does nothing. SQLite in a file that every commit reaches; PostgreSQL where
//! `MARELLE_TEST_POSTGRES` names a server. `MARELLE_BENCH_SECONDS` is the length of a round; of three rounds the best counts.

#[path = "../measure/house.rs"]
mod house;
#[path = "../measure/mod.rs"]
mod measure;
#[path = "../measure/postgres.rs"]
mod postgres;
#[path = "../measure/rate.rs"]
mod rate;
mod raw;
#[path = "../measure/route.rs"]
mod route;
mod site;
#[path = "../measure/users.rs"]
mod users;

use std::path::Path;
use std::time::Duration;

use anyhow::Result;
use measure::{figure, head, part, row};
use site::{Site, Work};

const USERS: [usize; 2] = [1, 8];

fn main() -> Result<()> {
    let length = Duration::from_secs(measure::setting("MARELLE_BENCH_SECONDS", 1));
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    measure::machine("before");
    let raw = raw::measure(length)?;
    raw.print();
    runtime.block_on(engines(length, &raw))?;
    measure::machine("after");
    Ok(())
}

async fn engines(length: Duration, raw: &raw::Raw) -> Result<()> {
    // Not in /tmp, which may be memory: commits shall reach a disk.
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
    engine("SQLite", None, folder.path(), (length, raw)).await?;
    match measure::text_setting("MARELLE_TEST_POSTGRES") {
        Some(url) => engine("PostgreSQL", Some(&url), folder.path(), (length, raw)).await,
        None => {
            println!("\nPostgreSQL: not measured, MARELLE_TEST_POSTGRES names no server");
            Ok(())
        }
    }
}

async fn engine(
    name: &str,
    url: Option<&str>,
    folder: &Path,
    (length, raw): (Duration, &raw::Raw),
) -> Result<()> {
    let site = Site::new(folder, url).await?;
    println!("\n{name}: {}", site.durability().await?);
    head(
        &format!("{name}: commits"),
        &["writers", "INSERT + COMMIT /s", "p50 ms", "p99 ms"],
    );
    let mut commits = Vec::new();
    for users in USERS {
        let seen = users::run(&site, Work::Commit, users, length).await?;
        row(&[&users, &figure(seen.rate), &seen.ms(50), &seen.ms(99)]);
        commits.push(seen.rate);
    }
    head(
        &format!("{name}: requests"),
        &[
            "what",
            "users",
            "/s",
            "p50 ms",
            "p99 ms",
            "CPU ms each",
            "commits each",
            "to commits/s",
            "to the bare route",
            "to the raw rate of its bound",
        ],
    );
    for work in Work::ALL {
        for (users, commits) in USERS.into_iter().zip(&commits) {
            let seen = users::run(&site, work, users, length).await?;
            let to_commits = f64::from(work.commits()) * seen.rate;
            let to_raw = work.bound(raw, users).map_or_else(String::new, |(name, rate)| {
                format!("{} of {name}", part(seen.rate, rate))
            });
            // Two cores answer at most twice as often as one thread.
            let bare = raw.route * if users > 1 { 2.0 } else { 1.0 };
            row(&[
                &work.name(),
                &users,
                &figure(seen.rate),
                &seen.ms(50),
                &seen.ms(99),
                &figure(seen.cpu_ms),
                &work.commits(),
                &part(to_commits, *commits),
                &part(seen.rate, bare),
                &to_raw,
            ]);
        }
    }
    site.close().await;
    Ok(())
}
