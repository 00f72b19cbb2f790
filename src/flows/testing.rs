//! For tests: a context with a clock that stands still and randomness that repeats.

pub(crate) mod scene;

use std::sync::Arc;
use std::time::Duration;

use super::password_gate::PasswordGate;
use super::{Context, Settings};
use crate::base::random::SeededRandom;
use crate::base::secret::{MasterKey, Vault};
use crate::base::time::{ManualClock, Timestamp};
use crate::domain::session::Lifetimes;
use crate::store::db::Db;

/// 2026-10-01 08:00:00 UTC, a Thursday in the school year 2026.
pub(crate) const MORNING: Timestamp = Timestamp::from_seconds(1_790_841_600);

/// A context over a database, standing at [`MORNING`].
pub(crate) fn context(db: Db) -> (Context, Arc<ManualClock>) {
    let clock = Arc::new(ManualClock::at(MORNING));
    let random = Arc::new(SeededRandom::new(42));
    let settings = Settings {
        public_url: "https://id.example.fr".into(),
        sessions: Lifetimes {
            shared: Duration::from_secs(3600),
            personal: Duration::from_secs(36_000),
        },
        code_lifetime: Duration::from_secs(60),
        access_token_lifetime: Duration::from_secs(600),
        id_token_lifetime: Duration::from_secs(300),
    };
    let vault = Vault::new(&MasterKey::generate(&*random)).unwrap();
    let context = Context {
        db,
        vault,
        clock: clock.clone(),
        random,
        passwords: Arc::new(PasswordGate::new(2, Duration::from_secs(60))),
        settings: Arc::new(settings),
    };
    (context, clock)
}

/// A context over a SQLite database of its own.
pub(crate) async fn context_on_sqlite() -> (Context, Arc<ManualClock>, tempfile::TempDir) {
    let (db, folder) = crate::store::testing::sqlite().await;
    let (context, clock) = context(db);
    (context, clock, folder)
}
