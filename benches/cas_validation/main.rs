//! CAS tickets validated per second, through the router in process: no HTTP client is measured with them.
//!
//! Each figure stands beside what bounds it: a durable commit of the same engine, a route that does nothing. SQLite in a file
//! that every commit reaches; PostgreSQL where `MARELLE_TEST_POSTGRES` names a server. `MARELLE_BENCH_SECONDS` is the length of
//! a round; of three rounds the best counts. A ticket is good once: each user has a stock of them, made before the watch starts,
//! and a round that has used it up ends there.

#[path = "../measure/house.rs"]
mod house;
#[path = "../measure/mod.rs"]
mod measure;
#[path = "../measure/postgres.rs"]
mod postgres;
#[path = "../measure/rate.rs"]
mod rate;
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
    let bare = route::route(length)?;
    println!("bare axum route, one thread: {} /s", figure(bare));
    runtime.block_on(engines(length, bare))?;
    measure::machine("after");
    Ok(())
}

async fn engines(length: Duration, bare: f64) -> Result<()> {
    // Not in /tmp, which may be memory: commits shall reach a disk.
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
    engine("SQLite", None, folder.path(), (length, bare)).await?;
    match measure::text_setting("MARELLE_TEST_POSTGRES") {
        Some(url) => engine("PostgreSQL", Some(&url), folder.path(), (length, bare)).await,
        None => {
            println!("\nPostgreSQL: not measured, MARELLE_TEST_POSTGRES names no server");
            Ok(())
        }
    }
}

async fn engine(name: &str, url: Option<&str>, folder: &Path, (length, bare): (Duration, f64)) -> Result<()> {
    let site = Site::new(folder, url, length).await?;
    println!("\n{name}: {}", site.durability().await?);
    head(
        &format!("{name}: tickets"),
        &[
            "what",
            "users",
            "/s",
            "p50 ms",
            "p99 ms",
            "CPU ms each",
            "commits each",
            "commits, to the bare commit",
            "to the bare route",
        ],
    );
    for users in USERS {
        let mut commits = 0.0;
        for work in Work::ALL {
            let seen = users::run(&site, work, users, length).await?;
            if work == Work::Commit {
                commits = seen.rate;
            }
            // Two cores answer at most twice as often as one thread.
            let bare = bare * if users > 1 { 2.0 } else { 1.0 };
            row(&[
                &work.name(),
                &users,
                &figure(seen.rate),
                &seen.ms(50),
                &seen.ms(99),
                &figure(seen.cpu_ms),
                &work.commits(),
                &part(f64::from(work.commits()) * seen.rate, commits),
                &part(seen.rate, bare),
            ]);
        }
    }
    site.close().await;
    Ok(())
}
