//! The job that looks into drop folders (`flows::drop_folder`): each twice a minute, by itself, so that a load of an hour in
//! one delays no other.
//!
//! A load that is under way when the program stops is left where it is: each school of it is whole or untouched, and the
//! delivery is loaded again at the next start.

use std::collections::HashMap;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::sleep;

use super::{Stop, stopped};
use crate::base::time::Timestamp;
use crate::flows::Context;
use crate::flows::drop_folder::{self, Folder, Watch};

const PAUSE: Duration = Duration::from_secs(30);
/// After a failure: a folder that is not there, a database that is away.
const LONG_PAUSE: Duration = Duration::from_secs(300);
/// How often an alert that stands is said again.
const SAID: Duration = Duration::from_secs(3600);

pub(super) async fn work(context: &Context, stop: Stop) {
    let mut folders = JoinSet::new();
    for folder in context.settings.feeds.folders.clone() {
        let (context, stop) = (context.clone(), stop.clone());
        folders.spawn(async move { watch(&context, &folder, stop).await });
    }
    if !folders.is_empty() {
        let (context, stop) = (context.clone(), stop);
        folders.spawn(async move { warn(&context, stop).await });
    }
    while folders.join_next().await.is_some() {}
}

async fn watch(context: &Context, folder: &Folder, mut stop: Stop) {
    let mut seen = Watch::default();
    loop {
        let look = drop_folder::look(context, folder, &mut seen);
        let pause = tokio::select! {
            () = stopped(&mut stop) => return,
            looked = look => match looked {
                Ok(_) => PAUSE,
                Err(failure) => {
                    tracing::error!(folder = %folder.name, cause = %failure, "could not look into a drop folder");
                    LONG_PAUSE
                }
            },
        };
        tokio::select! {
            () = stopped(&mut stop) => return,
            () = sleep(pause) => {}
        }
    }
}

/// Says what is wrong, once an hour as long as it is.
async fn warn(context: &Context, mut stop: Stop) {
    let mut said: HashMap<(String, &'static str), Timestamp> = HashMap::new();
    loop {
        match drop_folder::watched(context).await {
            Ok(all) => {
                let now = context.now();
                for watched in all {
                    for alert in watched.alerts {
                        let key = (watched.folder.name.clone(), alert.code());
                        if said.get(&key).is_none_or(|at| now.since(*at) >= SAID) {
                            tracing::warn!(folder = %watched.folder.name, alert = alert.code(), "{alert}");
                            said.insert(key, now);
                        }
                    }
                }
            }
            Err(failure) => tracing::error!(cause = %failure, "could not look for late deliveries"),
        }
        tokio::select! {
            () = stopped(&mut stop) => return,
            () = sleep(LONG_PAUSE) => {}
        }
    }
}
