//! Drop folders: a register drops its files somewhere every night, and they are loaded without anybody.
//!
//! | step | where | what |
//! | --- | --- | --- |
//! | see | `delivery` | what lies in the folder, and whether it is complete |
//! | take | `delivery` | moved to `.taken/`, where nobody writes into it any more |
//! | load | here | by [`crate::flows::import`], guards and all, as the command line does |
//! | report | `report` | `rapport.json` and `rapport.txt`, beside the files |
//! | put away | `delivery` | to `done/`, `previewed/` or `refused/` |
//!
//! One node at a time looks at a folder: it holds a lease in the database, renewed while a load lasts. A delivery is never
//! deleted, and is in exactly one place whenever the process ends: what stands in `.taken/` is loaded again, which brings an
//! interrupted load to its end and changes nothing otherwise. No guard is ever overridden here: a human does that, at the
//! command line, with a reason.

mod alert;
mod delivery;
mod kind;
mod report;

use std::collections::HashMap;
use std::path::PathBuf;
use std::time::Duration;

pub use alert::{Alert, alerts};
pub use kind::{feed_of, year_of};

use self::delivery::{Outcome, Taken};
use super::import::{self, Feed, ImportError, Load};
use super::{Context, Failure};
use crate::base::random;
use crate::base::time::Timestamp;
use crate::domain::education::{School, SchoolYear};
use crate::domain::source::Source;
use crate::domain::uai::Uai;
use crate::store::feed_folder;
pub use crate::store::feed_folder::State;

/// How long a node has a folder without saying that it still does.
const LEASE: Duration = Duration::from_secs(300);
const HEARTBEAT: Duration = Duration::from_secs(60);

/// A folder that is watched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Folder {
    /// What it is called here; nodes that share a folder call it the same.
    pub name: String,
    /// Where it is.
    pub path: PathBuf,
    /// What is dropped there.
    pub feed: Feed,
    /// The school of its files; else the name of the folder each is in says it, where the feed does not.
    pub school: Option<Uai>,
    /// For which year; else the one that the register is in on the day.
    pub year: Option<SchoolYear>,
    /// How long a delivery must not change before it is taken. `None`: only a file whose name ends in `.ok` says so.
    pub stable_for: Option<Duration>,
    /// How often one is expected.
    pub expected_every: Option<Duration>,
    /// Whether deliveries are applied; else only previewed.
    pub apply: bool,
}

/// The folders that are watched.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Feeds {
    /// Each of them.
    pub folders: Vec<Folder>,
}

impl Feeds {
    /// The folders that bring pupils of a school.
    pub fn of_school<'a>(&'a self, school: &'a School) -> impl Iterator<Item = &'a Folder> {
        self.folders.iter().filter(|folder| match &folder.school {
            Some(uai) => *uai == school.uai,
            None => kind::brings(&folder.feed, school),
        })
    }

    /// The sources that are expected of a school, by these folders.
    pub fn expected_of(&self, school: &School) -> Vec<Source> {
        self.of_school(school)
            .map(|folder| folder.feed.source())
            .collect()
    }
}

/// What a node has seen in a folder and waits to see unchanged.
#[derive(Debug, Default)]
pub struct Watch(HashMap<String, (delivery::Fingerprint, Timestamp)>);

/// What became of a delivery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Handled {
    /// Its name.
    pub delivery: String,
    /// Where it lies now.
    pub place: PathBuf,
    /// Why it was refused, where it was.
    pub refusal: Option<String>,
}

/// Looks at a folder: takes what is complete, loads what was taken. Answers what became of each delivery; none where another
/// node has the folder.
///
/// # Errors
/// [`Failure`] where the folder or the database does not answer; whatever was taken stays in `.taken/` and is loaded at the
/// next look.
pub async fn look(context: &Context, folder: &Folder, watch: &mut Watch) -> Result<Vec<Handled>, Failure> {
    let claim = random::symbols(&*context.random, b"abcdefghijklmnopqrstuvwxyz", 24);
    if !hold(context, folder, &claim, true).await? {
        return Ok(Vec::new());
    }
    let work = work(context, folder, watch);
    tokio::pin!(work);
    let done = loop {
        tokio::select! {
            done = &mut work => break done,
            () = tokio::time::sleep(HEARTBEAT) => {
                if !hold(context, folder, &claim, false).await.unwrap_or(false) {
                    tracing::warn!(folder = %folder.name, "the lease of a drop folder was lost during a load");
                }
            }
        }
    };
    let mut tx = context.db.begin().await?;
    match &done {
        Ok(_) => feed_folder::recovered(&mut tx, &folder.name).await?,
        Err(failure) => {
            feed_folder::failed(&mut tx, &folder.name, &failure.to_string(), context.now()).await?;
        }
    }
    feed_folder::release(&mut tx, &folder.name, &claim).await?;
    tx.commit().await?;
    done
}

async fn hold(context: &Context, folder: &Folder, claim: &str, is_new: bool) -> Result<bool, Failure> {
    let now = context.now();
    let mut tx = context.db.begin().await?;
    let held = if is_new {
        feed_folder::watch(&mut tx, &folder.name, now).await?;
        feed_folder::claim(&mut tx, &folder.name, claim, (now, now.plus(LEASE))).await?
    } else {
        feed_folder::renew(&mut tx, &folder.name, claim, now.plus(LEASE)).await?
    };
    tx.commit().await?;
    Ok(held)
}

async fn work(context: &Context, folder: &Folder, watch: &mut Watch) -> Result<Vec<Handled>, Failure> {
    let path = folder.path.clone();
    let found = blocking(move || delivery::see(&path)).await?;
    let now = context.now();
    let mut complete = Vec::new();
    watch
        .0
        .retain(|name, _| found.iter().any(|found| found.name == *name));
    for found in found {
        let (_, since) = watch
            .0
            .entry(found.name.clone())
            .and_modify(|(before, since)| {
                if *before != found.fingerprint {
                    (*before, *since) = (found.fingerprint.clone(), now);
                }
            })
            .or_insert_with(|| (found.fingerprint.clone(), now));
        let is_stable = folder.stable_for.is_some_and(|wait| now.since(*since) >= wait);
        if !found.is_growing && (found.has_ok || is_stable) {
            watch.0.remove(&found.name);
            complete.push(found);
        }
    }
    let path = folder.path.clone();
    let taken = blocking(move || {
        for found in &complete {
            delivery::take(&path, found, now)?;
        }
        delivery::taken(&path)
    })
    .await?;
    let mut handled = Vec::new();
    for taken in taken {
        handled.push(handle(context, folder, taken).await?);
    }
    Ok(handled)
}

async fn blocking<T: Send + 'static>(
    task: impl FnOnce() -> std::io::Result<T> + Send + 'static,
) -> Result<T, Failure> {
    let done = tokio::task::spawn_blocking(task).await;
    let done = done.map_err(|error| Failure::Task(error.to_string()))?;
    done.map_err(|error| Failure::Task(format!("drop folder: {error}")))
}

/// Loads a delivery that was taken, says what became of it and puts it away.
async fn handle(context: &Context, folder: &Folder, taken: Taken) -> Result<Handled, Failure> {
    let year = folder
        .year
        .unwrap_or_else(|| year_of(&folder.feed, context.now().date_in_france()));
    let place = taken.path.clone();
    let needs_school = !kind::names_its_schools(&folder.feed);
    let school = folder.school.clone();
    let listed = blocking(move || Ok(delivery::files(&place, needs_school, school.as_ref()))).await?;
    let result = match listed {
        Err(strange) => Err(ImportError::Usage(strange)),
        Ok(files) => {
            let load = Load {
                feed: folder.feed.clone(),
                year,
                files,
                mapping: None,
                operator: format!("dossier {}", folder.name),
                override_reason: None,
            };
            if folder.apply {
                import::apply(context, load).await
            } else {
                import::preview(context, load).await
            }
        }
    };
    let (outcome, refusal) = match &result {
        Err(ImportError::Failure(_)) => (Outcome::Refused, None),
        Err(error) => (Outcome::Refused, Some(error.to_string())),
        Ok(report) if !report.concerns.is_empty() => {
            (Outcome::Refused, report.concerns.first().map(ToString::to_string))
        }
        Ok(_) if folder.apply => (Outcome::Done, None),
        Ok(_) => (Outcome::Previewed, None),
    };
    let written = report::written(folder, year, &taken.name, &result, context.now());
    let run = match result {
        // Not its fault: it stays where it is.
        Err(ImportError::Failure(failure)) => return Err(failure),
        Err(_) => None,
        Ok(report) => report.run,
    };
    let mut tx = context.db.begin().await?;
    let now = context.now();
    match &refusal {
        Some(refusal) => {
            tracing::error!(folder = %folder.name, delivery = %taken.name, cause = %refusal, "a delivery was refused");
            feed_folder::refused(&mut tx, &folder.name, &taken.name, refusal, now).await?;
        }
        None => {
            tracing::info!(folder = %folder.name, delivery = %taken.name, apply = folder.apply, "a delivery was loaded");
            feed_folder::done(&mut tx, &folder.name, &taken.name, run, now).await?;
        }
    }
    tx.commit().await?;
    let (root, name) = (folder.path.clone(), taken.name.clone());
    let place = blocking(move || delivery::put_away(&root, &taken, outcome, &written)).await?;
    Ok(Handled {
        delivery: name,
        place,
        refusal,
    })
}

/// What is known of a folder, with what is wrong with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Watched {
    /// The folder.
    pub folder: Folder,
    /// What is known of it; nothing before the first look.
    pub state: Option<State>,
    /// What is wrong.
    pub alerts: Vec<Alert>,
}

/// Every folder that is watched, with what is known of it.
///
/// # Errors
/// [`Failure`].
pub async fn watched(context: &Context) -> Result<Vec<Watched>, Failure> {
    let mut conn = context.db.reader().await?;
    let mut states = feed_folder::all(&mut conn).await?;
    let now = context.now();
    let folders = context.settings.feeds.folders.iter();
    Ok(folders
        .map(|folder| {
            let state = states.remove(&folder.name);
            let alerts = state
                .as_ref()
                .map_or_else(Vec::new, |state| alerts(folder, state, now));
            Watched {
                folder: folder.clone(),
                state,
                alerts,
            }
        })
        .collect())
}
