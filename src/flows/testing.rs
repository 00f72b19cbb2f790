//! For tests: a context with a clock that stands still and randomness that repeats.

pub(crate) mod scene;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::client_keys::FetchedKeys;
use super::outbound::{Answer, Outbound, OutboundError};
use super::password_gate::PasswordGate;
use super::saml::SamlState;
use super::{Context, Settings};
use crate::base::random::SeededRandom;
use crate::base::secret::{MasterKey, Vault};
use crate::base::time::{ManualClock, Timestamp};
use crate::domain::session::Lifetimes;
use crate::saml::metadata::Presentation;
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
        refresh_token_lifetime: Duration::from_secs(30 * 24 * 3600),
        pushed_request_lifetime: Duration::from_secs(60),
        ticket_lifetime: Duration::from_secs(60),
        needs_dpop_nonce: false,
        key_rotation: Some(Duration::from_secs(90 * 24 * 3600)),
        feeds: Default::default(),
        departed_days: 90,
        saml: Presentation::default(),
        saml_metadata_lifetime: Duration::from_secs(14 * 24 * 3600),
    };
    let vault = Vault::new(&MasterKey::generate(&*random)).unwrap();
    let context = Context {
        db,
        vault,
        clock: clock.clone(),
        random,
        passwords: Arc::new(PasswordGate::new(2, Duration::from_secs(60))),
        client_keys: FetchedKeys::default(),
        outbound: Arc::new(Partners::default()),
        logout_bell: Arc::default(),
        models: Default::default(),
        saml: SamlState::default(),
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

/// What a partner's host answers a request.
type Handler = Box<dyn Fn(&http::Request<Vec<u8>>) -> http::Response<Vec<u8>> + Send>;

/// The other hosts of a test: each answers as it was told to, and what it was asked is kept.
#[derive(Default)]
pub(crate) struct Partners {
    handlers: Mutex<Vec<(String, Handler)>>,
    asked: Mutex<Vec<http::Request<Vec<u8>>>>,
}

impl Partners {
    /// From now on every address that begins with `prefix` answers so; the latest wins.
    pub(crate) fn answer(
        &self,
        prefix: &str,
        handler: impl Fn(&http::Request<Vec<u8>>) -> http::Response<Vec<u8>> + Send + 'static,
    ) {
        let mut handlers = self.handlers.lock().unwrap();
        handlers.insert(0, (prefix.to_owned(), Box::new(handler)));
    }

    /// Everything that was asked so far, addresses that nobody answers included.
    pub(crate) fn asked(&self) -> Vec<http::Request<Vec<u8>>> {
        self.asked.lock().unwrap().clone()
    }
}

impl Outbound for Partners {
    fn send(&self, request: http::Request<Vec<u8>>) -> Answer<'_> {
        self.asked.lock().unwrap().push(request.clone());
        let address = request.uri().to_string();
        let handlers = self.handlers.lock().unwrap();
        let found = handlers.iter().find(|(prefix, _)| address.starts_with(prefix));
        let answer = found
            .map(|(_, handler)| handler(&request))
            .ok_or(OutboundError::Unreachable {
                host: address,
                message: "nobody there".into(),
            });
        Box::pin(std::future::ready(answer))
    }
}

#[tokio::test]
async fn the_latest_answer_of_a_partner_counts_and_every_question_is_kept() {
    let partners = Partners::default();
    let ask = |address: &str| http::Request::get(address).body(Vec::new()).unwrap();
    assert!(partners.send(ask("https://ent.example/jwks")).await.is_err());
    for body in ["old", "new"] {
        partners.answer("https://ent.example/", move |_| http::Response::new(body.into()));
    }
    let answer = partners.send(ask("https://ent.example/jwks")).await.unwrap();
    assert_eq!(answer.body(), b"new");
    assert_eq!(partners.asked().len(), 2);
}
