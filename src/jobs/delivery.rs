//! The jobs that tell relying parties something: of logouts (`flows::logout_delivery`), of what happened to the people they
//! know (`flows::event_delivery`).
//!
//! Each looks again and again, which is one read where nothing is due, because a delivery may come from anywhere: another
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
use crate::flows::{Context, Failure, event_delivery, logout_delivery};

/// How many deliveries to each party are under way.
type Busy = logout_delivery::Busy;

/// One queue of deliveries.
pub(super) trait Queue {
    /// What is called what it delivers, in the log.
    const WHAT: &str;
    /// How long the job sleeps when nothing wakes it.
    const PAUSE: Duration;
    /// A delivery that was claimed.
    type Claimed: Send + Sync + 'static;

    /// Claims what is due and there is room for.
    fn claim(
        context: &Context,
        busy: &Busy,
    ) -> impl Future<Output = Result<Vec<Self::Claimed>, Failure>> + Send;

    /// To whom it goes.
    fn party(claimed: &Self::Claimed) -> &RelyingPartyId;

    /// Delivers what was claimed.
    fn deliver(
        context: &Context,
        keyring: &Keyring,
        claimed: &Self::Claimed,
    ) -> impl Future<Output = Result<(), Failure>> + Send;

    /// Waits until something may be due sooner than the pause says.
    fn rung(context: &Context) -> impl Future<Output = ()> + Send;
}

/// Logouts.
pub(super) struct Logouts;

impl Queue for Logouts {
    const WHAT: &str = "logout";
    const PAUSE: Duration = Duration::from_secs(1);
    type Claimed = logout_delivery::Claimed;

    async fn claim(context: &Context, busy: &Busy) -> Result<Vec<Self::Claimed>, Failure> {
        logout_delivery::claim(context, busy).await
    }

    fn party(claimed: &Self::Claimed) -> &RelyingPartyId {
        &claimed.key.client
    }

    async fn deliver(context: &Context, keyring: &Keyring, claimed: &Self::Claimed) -> Result<(), Failure> {
        logout_delivery::deliver(context, keyring, claimed)
            .await
            .map(drop)
    }

    async fn rung(context: &Context) {
        context.logout_bell.notified().await;
    }
}

/// Security events.
pub(super) struct Events;

impl Queue for Events {
    const WHAT: &str = "security event";
    const PAUSE: Duration = Duration::from_secs(5);
    type Claimed = event_delivery::Claimed;

    async fn claim(context: &Context, busy: &Busy) -> Result<Vec<Self::Claimed>, Failure> {
        event_delivery::claim(context, busy).await
    }

    fn party(claimed: &Self::Claimed) -> &RelyingPartyId {
        &claimed.told.client
    }

    async fn deliver(context: &Context, keyring: &Keyring, claimed: &Self::Claimed) -> Result<(), Failure> {
        event_delivery::deliver(context, keyring, claimed).await.map(drop)
    }

    async fn rung(_: &Context) {
        std::future::pending::<()>().await;
    }
}

/// Works a queue until `stop` comes true; what is under way is finished first.
pub(super) async fn work<Q: Queue>(context: &Context, keyring: &Keyring, mut stop: Stop) {
    let mut under_way = UnderWay::default();
    loop {
        // Once after each change, so that room that was made is used at once.
        match Q::claim(context, &under_way.busy()).await {
            Ok(claimed) => {
                for claimed in claimed {
                    under_way.begin::<Q>(context, keyring, claimed);
                }
            }
            Err(failure) => {
                tracing::error!(cause = %failure, what = Q::WHAT, "could not look for what is to be delivered");
            }
        }
        tokio::select! {
            () = stopped(&mut stop) => break,
            () = Q::rung(context) => {}
            () = sleep(Q::PAUSE) => {}
            () = under_way.one_ends(Q::WHAT), if !under_way.tasks.is_empty() => {}
        }
    }
    while !under_way.tasks.is_empty() {
        under_way.one_ends(Q::WHAT).await;
    }
}

/// Deliveries that are being made, and to whom.
#[derive(Default)]
struct UnderWay {
    tasks: JoinSet<Result<(), Failure>>,
    parties: HashMap<Id, RelyingPartyId>,
}

impl UnderWay {
    fn begin<Q: Queue>(&mut self, context: &Context, keyring: &Keyring, claimed: Q::Claimed) {
        let party = Q::party(&claimed).clone();
        let (context, keyring) = (context.clone(), keyring.clone());
        let task = self
            .tasks
            .spawn(async move { Q::deliver(&context, &keyring, &claimed).await });
        self.parties.insert(task.id(), party);
    }

    fn busy(&self) -> Busy {
        let mut busy = Busy::new();
        for party in self.parties.values() {
            *busy.entry(party.clone()).or_default() += 1;
        }
        busy
    }

    async fn one_ends(&mut self, what: &'static str) {
        let (id, cause) = match self.tasks.join_next_with_id().await {
            Some(Ok((id, done))) => (id, done.err().map(|failure| failure.to_string())),
            Some(Err(error)) => (error.id(), Some(error.to_string())),
            None => return,
        };
        let party = self.parties.remove(&id);
        if let (Some(party), Some(cause)) = (party, cause) {
            tracing::error!(%party, %cause, what, "could not deliver");
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
                tokio::spawn(async move { work::<Logouts>(&context, &keyring, stop).await })
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
