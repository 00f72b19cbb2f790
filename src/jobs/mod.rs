//! L5: what the program does by itself, beside the requests.
//!
//! A job is a flow run again and again; it must be harmless when two nodes run it at once. One that fails is logged
//! and runs again at its next time.

use std::future::Future;
use std::time::Duration;

use tokio::time::{MissedTickBehavior, interval};

use crate::flows::{Context, purge};

const PURGE: Duration = Duration::from_secs(600);

/// Runs the jobs until `stop` comes true; a job under way is finished first.
pub async fn work(context: Context, stop: impl Future<Output = ()> + Send) {
    let mut ticks = interval(PURGE);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    tokio::pin!(stop);
    loop {
        tokio::select! {
            () = &mut stop => return,
            _ = ticks.tick() => match purge::run(&context).await {
                Ok(purged) => tracing::info!(
                    sessions = purged.sessions,
                    grants = purged.grants,
                    throttles = purged.throttles,
                    "forgot what is over"
                ),
                Err(failure) => tracing::error!(cause = %failure, "could not forget what is over"),
            },
        }
    }
}
