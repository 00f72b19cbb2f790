//! Users at the same time, each as fast as the answers come. A bench that has them says in its `site` what one does.

use std::fs;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result};

use super::measure::{figure, now};
use super::site::{Site, User, Work};

const ROUNDS: u32 = 3;

/// What was seen.
pub(crate) struct Seen {
    /// How many a second, all users together.
    pub(crate) rate: f64,
    /// Processor time of this process for each, in milliseconds. A PostgreSQL server's own is not in it.
    pub(crate) cpu_ms: f64,
    /// How long each took, sorted.
    times: Vec<Duration>,
}

impl Seen {
    /// The time that so many in a hundred did not exceed.
    pub(crate) fn ms(&self, percent: usize) -> String {
        let last = self.times.len().saturating_sub(1);
        let time = self.times.get(last * percent / 100).copied().unwrap_or_default();
        figure(time.as_secs_f64() * 1000.0)
    }
}

/// The best of some rounds: what else runs on a machine can only take away.
pub(crate) async fn run(site: &Arc<Site>, work: Work, users: usize, length: Duration) -> Result<Seen> {
    let mut best = round(site, work, users, length).await?;
    for _ in 1..ROUNDS {
        let seen = round(site, work, users, length).await?;
        if seen.rate > best.rate {
            best = seen;
        }
    }
    Ok(best)
}

async fn round(site: &Arc<Site>, work: Work, users: usize, length: Duration) -> Result<Seen> {
    // Prepared statements, connections and sessions are there before the watch starts.
    let mut ready = Vec::new();
    for number in 0..users {
        let mut user = site.user(number, work).await?;
        user.once(site, work).await?;
        ready.push(user);
    }
    let (cpu, start) = (cpu_seconds()?, now());
    let tasks: Vec<_> = ready
        .into_iter()
        .map(|user| tokio::spawn(one(Arc::clone(site), user, work, length)))
        .collect();
    let mut times = Vec::new();
    for task in tasks {
        times.append(&mut task.await??);
    }
    let (wall, cpu) = (start.elapsed().as_secs_f64(), cpu_seconds()? - cpu);
    times.sort_unstable();
    let done = times.len() as f64;
    Ok(Seen {
        rate: done / wall,
        cpu_ms: cpu * 1000.0 / done,
        times,
    })
}

async fn one(site: Arc<Site>, mut user: User, work: Work, length: Duration) -> Result<Vec<Duration>> {
    let (start, mut times) = (now(), Vec::new());
    while start.elapsed() < length && user.has_more() {
        let begun = now();
        user.once(&site, work).await?;
        times.push(begun.elapsed());
    }
    Ok(times)
}

/// Processor time of this process so far: `utime` and `stime` of proc(5), in ticks of which Linux counts a hundred a
/// second.
fn cpu_seconds() -> Result<f64> {
    let text = fs::read_to_string("/proc/self/stat")?;
    let (_, fields) = text.rsplit_once(')').context("/proc/self/stat")?;
    let ticks: Result<Vec<f64>, _> = fields
        .split_whitespace()
        .skip(11)
        .take(2)
        .map(str::parse)
        .collect();
    Ok(ticks?.iter().sum::<f64>() / 100.0)
}
