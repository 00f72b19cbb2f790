//! Forgetting what is over: sessions, codes, tokens and failure counts that nobody can use any more, and, once a day, the
//! people who left (`departed`).
//!
//! A session stays a day after its end and a token an hour, so that a late logout or a replay is still understood.

mod departed;

use std::time::Duration;

use super::continuation::FRESH;
use super::{Context, Failure, sign_in};
use crate::store;

const SESSIONS_KEPT: Duration = Duration::from_secs(24 * 3600);
/// What became of a logout is looked for when somebody complains, a few days later; the journal knows it for longer.
const DELIVERIES_KEPT: Duration = Duration::from_secs(7 * 24 * 3600);
/// A service that was away for its holidays is told afterwards (`marelle client events --retry`).
const EVENTS_KEPT: Duration = Duration::from_secs(90 * 24 * 3600);
const GRANTS_KEPT: Duration = Duration::from_secs(3600);

/// How much was forgotten.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Purged {
    /// Sessions.
    pub sessions: u64,
    /// Grants, with their codes and tokens.
    pub grants: u64,
    /// Failure counts.
    pub throttles: u64,
    /// People who were found to have left.
    pub departed: u64,
    /// People who were erased.
    pub erased: u64,
}

/// Forgets.
///
/// # Errors
/// [`Failure`].
pub async fn run(context: &Context) -> Result<Purged, Failure> {
    let now = context.now();
    let mut tx = context.db.begin().await?;
    store::cas_ticket::purge_logins(&mut tx, now.minus(SESSIONS_KEPT)).await?;
    store::upstream_link::purge_logins(&mut tx, now.minus(SESSIONS_KEPT)).await?;
    store::upstream_request::purge(&mut tx, now.minus(GRANTS_KEPT)).await?;
    store::cas_ticket::purge(&mut tx, now.minus(GRANTS_KEPT)).await?;
    let sessions = store::session::purge(&mut tx, now.minus(SESSIONS_KEPT)).await?;
    let grants = store::grant::purge(&mut tx, now.minus(GRANTS_KEPT)).await?;
    store::service_token::purge(&mut tx, now.minus(GRANTS_KEPT)).await?;
    store::used_proof::purge(&mut tx, now).await?;
    // A login that waits still needs the row, to use it up.
    store::pushed_request::purge(&mut tx, now.minus(FRESH)).await?;
    store::registration::purge_tokens(&mut tx, now).await?;
    store::logout_delivery::purge(&mut tx, now.minus(DELIVERIES_KEPT)).await?;
    store::saml_logout::purge(&mut tx, now.minus(DELIVERIES_KEPT)).await?;
    store::event_delivery::purge(&mut tx, now.minus(EVENTS_KEPT)).await?;
    tx.commit().await?;
    let mut purged = Purged {
        sessions,
        grants,
        throttles: sign_in::purge(context).await?,
        ..Purged::default()
    };
    departed::sweep(context, &mut purged).await?;
    Ok(purged)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::id::SessionId;
    use crate::base::secret::Secret;
    use crate::domain::assurance::{Acr, Amr};
    use crate::domain::session::{Device, Session};
    use crate::flows::testing::context;
    use crate::store::testing::{on_each_engine, person};

    #[tokio::test]
    async fn a_session_is_forgotten_a_day_after_it_is_over_and_not_before() {
        on_each_engine(async |db| {
            let (context, clock) = context(db);
            let lina = person("Lina", 1);
            let now = context.now();
            let session = Session {
                id: SessionId::new(now, &*context.random),
                identity: lina.id,
                authenticated_at: now,
                acr: Acr::Class,
                amr: Amr::Picture,
                device: Device::Shared,
                expires_at: now.plus(Duration::from_secs(60)),
                ended_at: None,
            };
            let mut tx = context.db.begin().await.unwrap();
            store::identity::insert(&mut tx, &lina).await.unwrap();
            let cookie = Secret::generate("", &*context.random);
            store::session::insert(&mut tx, &session, &cookie.digest())
                .await
                .unwrap();
            tx.commit().await.unwrap();
            clock.advance(SESSIONS_KEPT);
            assert_eq!(run(&context).await.unwrap(), Purged::default());
            clock.advance(Duration::from_secs(61));
            assert_eq!(
                run(&context).await.unwrap(),
                Purged {
                    sessions: 1,
                    ..Purged::default()
                }
            );
        })
        .await;
    }
}
