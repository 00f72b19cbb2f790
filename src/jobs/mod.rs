//! L5: what the program does by itself, beside the requests.
//!
//! | job | when |
//! | --- | --- |
//! | forgetting what is over; once a day, those who left | every ten minutes |
//! | rotating old signing keys | every hour |
//! | looking for metadata of SAML service providers and of upstream providers that are due | every minute |
//! | looking into drop folders | every half minute |
//! | telling relying parties of logouts | every second, and at once when this node has ended a login |
//! | telling relying parties of merges and erasures | every five seconds |
//!
//! A job is a flow run again and again; it must be harmless when two nodes run it at once. One that fails is logged
//! and runs again at its next time.

mod delivery;
mod feeds;

use std::time::Duration;

use self::delivery::{Events, Logouts};
use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval};

use crate::flows::keys::{self, Keyring};
use crate::flows::saml::metadata::{self, Outcome};
use crate::flows::{Context, purge, upstream};

const PURGE: Duration = Duration::from_secs(600);
const ROTATION: Duration = Duration::from_secs(3600);
const METADATA: Duration = Duration::from_secs(60);

/// Comes true when the program stops; an error means that its sender is gone, which is the same.
type Stop = watch::Receiver<bool>;

/// Runs the jobs until `stop` comes true; what is under way is finished first.
pub async fn work(context: Context, keyring: Keyring, stop: Stop) {
    tokio::join!(
        again_and_again(PURGE, stop.clone(), || forget(&context)),
        again_and_again(ROTATION, stop.clone(), || rotate(&context)),
        again_and_again(METADATA, stop.clone(), || refresh(&context)),
        again_and_again(METADATA, stop.clone(), || refresh_upstream(&context)),
        delivery::work::<Logouts>(&context, &keyring, stop.clone()),
        delivery::work::<Events>(&context, &keyring, stop.clone()),
        feeds::work(&context, stop.clone()),
    );
}

async fn again_and_again<J: Future<Output = ()>>(every: Duration, mut stop: Stop, job: impl Fn() -> J) {
    let mut ticks = interval(every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = stopped(&mut stop) => return,
            _ = ticks.tick() => job().await,
        }
    }
}

async fn stopped(stop: &mut Stop) {
    drop(stop.wait_for(|stop| *stop).await);
}

async fn forget(context: &Context) {
    match purge::run(context).await {
        Ok(purged) => tracing::info!(
            sessions = purged.sessions,
            grants = purged.grants,
            throttles = purged.throttles,
            departed = purged.departed,
            erased = purged.erased,
            "forgot what is over"
        ),
        Err(failure) => tracing::error!(cause = %failure, "could not forget what is over"),
    }
}

async fn rotate(context: &Context) {
    match keys::rotate_old(context).await {
        Ok(changed) => {
            for key in changed {
                tracing::info!(key = %key.id, algorithm = %key.algorithm, state = key.state.as_str(), "rotated");
            }
        }
        Err(failure) => tracing::error!(cause = %failure, "could not rotate the signing keys"),
    }
}

/// What comes of each provider is in the log already, where the flow found it.
async fn refresh_upstream(context: &Context) {
    if let Err(failure) = upstream::metadata::refresh_due(context).await {
        tracing::error!(cause = %failure, "could not refresh the metadata of upstream providers");
    }
}

/// What comes of each source is in the log already, where the flow found it.
async fn refresh(context: &Context) {
    match metadata::refresh_due(context).await {
        Ok(done) => {
            let failed = done
                .iter()
                .filter(|(_, outcome)| matches!(outcome, Outcome::Failed(_)));
            let failed = failed.count();
            if !done.is_empty() {
                tracing::info!(sources = done.len(), failed, "looked for metadata");
            }
        }
        Err(failure) => tracing::error!(cause = %failure, "could not refresh metadata"),
    }
}
