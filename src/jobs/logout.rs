//! The job that tells relying parties of logouts (`flows::logout_delivery`).
//!
//! It looks every second, which is one read where nothing is due, because a delivery may come from anywhere: another
//! node, a command line, a retry. The bell of the context is only the short way for the usual case, a person who has just
//! signed out on this node: losing a ring costs a second. Deliveries run beside one another; one that takes its five
//! seconds holds up nothing but its own party's next ones.

use std::collections::HashMap;
use std::time::Duration;

use tokio::task::{Id, JoinSet};
use tokio::time::sleep;

use super::{Stop, stopped};
use crate::domain::relying_party::RelyingPartyId;
use crate::flows::keys::Keyring;
use crate::flows::logout_delivery::{self, Busy, Claimed};
use crate::flows::{Context, Failure};

const PAUSE: Duration = Duration::from_secs(1);

pub(super) async fn work(context: &Context, keyring: &Keyring, mut stop: Stop) {
    let mut under_way = UnderWay::default();
    loop {
        // Once after each change, so that room that was made is used at once.
        match logout_delivery::claim(context, &under_way.busy()).await {
            Ok(claimed) => {
                for claimed in claimed {
                    under_way.begin(context, keyring, claimed);
                }
            }
            Err(failure) => tracing::error!(cause = %failure, "could not look for logouts to deliver"),
        }
        tokio::select! {
            () = stopped(&mut stop) => break,
            () = context.logout_bell.notified() => {}
            () = sleep(PAUSE) => {}
            () = under_way.one_ends(), if !under_way.tasks.is_empty() => {}
        }
    }
    while !under_way.tasks.is_empty() {
        under_way.one_ends().await;
    }
}

/// Deliveries that are being made, and to whom.
#[derive(Default)]
struct UnderWay {
    tasks: JoinSet<Result<(), Failure>>,
    parties: HashMap<Id, RelyingPartyId>,
}

impl UnderWay {
    fn begin(&mut self, context: &Context, keyring: &Keyring, claimed: Claimed) {
        let party = claimed.key.client.clone();
        let (context, keyring) = (context.clone(), keyring.clone());
        let task = self.tasks.spawn(async move {
            logout_delivery::deliver(&context, &keyring, &claimed)
                .await
                .map(drop)
        });
        self.parties.insert(task.id(), party);
    }

    fn busy(&self) -> Busy {
        let mut busy = Busy::new();
        for party in self.parties.values() {
            *busy.entry(party.clone()).or_default() += 1;
        }
        busy
    }

    async fn one_ends(&mut self) {
        let (id, cause) = match self.tasks.join_next_with_id().await {
            Some(Ok((id, done))) => (id, done.err().map(|failure| failure.to_string())),
            Some(Err(error)) => (error.id(), Some(error.to_string())),
            None => return,
        };
        let party = self.parties.remove(&id);
        if let (Some(party), Some(cause)) = (party, cause) {
            tracing::error!(%party, %cause, "could not deliver a logout");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use tokio::sync::watch;
    use tokio::time::timeout;

    use super::*;
    use crate::flows::keys;
    use crate::flows::outbound::{Answer, Outbound};
    use crate::flows::testing::scene::{self, on_each_engine};
    use crate::flows::{logout, session};

    /// `ent` confirms at once, every other host never answers.
    struct Hanging;

    impl Outbound for Hanging {
        fn send(&self, request: http::Request<Vec<u8>>) -> Answer<'_> {
            if request.uri().host() == Some("ent.example") {
                Box::pin(std::future::ready(Ok(http::Response::new(Vec::new()))))
            } else {
                Box::pin(std::future::pending())
            }
        }
    }

    #[tokio::test]
    async fn one_party_that_hangs_delays_no_other_and_the_bell_is_heard() {
        on_each_engine(async |mut context, _clock| {
            context.outbound = Arc::new(Hanging);
            keys::testing::premade(&context).await;
            let keyring = Keyring::open(&context).await.unwrap();
            for id in ["dead", "ent"] {
                scene::declare(&context, &scene::told_of_logout(id)).await;
            }
            let lina = scene::pupil(&context, "Lina", 1, "9990001X").await;
            let mut cookies = Vec::new();
            for _ in 0..10 {
                let cookie = scene::sign_in(&context, &lina, None).await;
                let who = session::find(&context, &cookie).await.unwrap().unwrap();
                scene::join(&context, &who, &["dead", "ent"]).await;
                cookies.push((cookie, who.session.id));
            }
            let (stopper, stop) = watch::channel(false);
            let job = {
                let (context, keyring) = (context.clone(), keyring.clone());
                tokio::spawn(async move { work(&context, &keyring, stop).await })
            };
            for (cookie, _) in &cookies {
                logout::sign_out(&context, Some(cookie)).await.unwrap();
            }
            let told = async || {
                let mut told = 0;
                for (_, session) in &cookies {
                    let results = logout::results(&context, *session).await.unwrap();
                    let is_told = |result: &&logout::Delivery| {
                        matches!(result.status, logout::Status::Delivered { .. })
                    };
                    told += results.iter().filter(is_told).count();
                }
                told
            };
            let all = async {
                while told().await < cookies.len() {
                    sleep(Duration::from_millis(20)).await;
                }
            };
            timeout(Duration::from_secs(4), all)
                .await
                .expect("before any attempt at the dead one is over");
            stopper.send_replace(true);
            job.abort();
        })
        .await;
    }
}
