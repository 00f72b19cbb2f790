//! Metadata of service providers, fetched and kept: the last good copy is used until a better one comes or it ends.
//!
//! | step | in memory | where |
//! | --- | --- | --- |
//! | claim the source | | one guarded statement: of two nodes, one goes on |
//! | fetch it | a chunk | an anonymous file |
//! | verify it | a tag | its canonical bytes, in another anonymous file |
//! | read those bytes, a hundred entities at a time | a hundred | each hundred in a transaction of its own that holds the claim |
//! | forget what is there no more, write how it went | the names | one transaction |
//!
//! Only what the document says is written: never a policy, never a party. A source that fails keeps what it had.

mod document;
#[cfg(test)]
mod tests;

use std::time::Duration;

use tokio::sync::mpsc;

use self::document::{Batch, Document};
use crate::base::random;
use crate::base::time::Timestamp;
use crate::domain::audit::{Actor, Event, Kind};
use crate::domain::saml_source::{Changes, Location, Quarantined, Source, SourceState};
use crate::flows::{Context, Failure};
use crate::saml::metadata::{Found, Names};
use crate::store;
use crate::store::saml_entity::{Known, NewEntity, Written};

/// How long a node may work on a source without a sign of life.
const CLAIM: Duration = Duration::from_secs(15 * 60);
/// How often a source is asked that does not say how long it may be kept; and the bounds of what one says.
const USUAL: Duration = Duration::from_secs(6 * 3600);
const SOONEST: Duration = Duration::from_secs(15 * 60);
const LATEST: Duration = Duration::from_secs(24 * 3600);
/// How soon a source that failed is asked again: once soon, then every hour.
const AGAIN: Duration = Duration::from_secs(600);
const LATER: Duration = Duration::from_secs(3600);
/// The most entities that are told of as left out.
const MOST_TOLD: usize = 1000;

/// What came of a source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It was taken.
    Taken(Box<Changes>),
    /// Its host says that nothing changed.
    Unchanged,
    /// It could not be taken, and why.
    Failed(String),
    /// Another node is taking it, or has taken over.
    Busy,
    /// There is nothing to fetch: it stands in the declaration.
    Declared,
}

/// Takes every source that is due and that no other node is taking.
///
/// # Errors
/// [`Failure`].
pub async fn refresh_due(context: &Context) -> Result<Vec<(String, Outcome)>, Failure> {
    let mut conn = context.db.reader().await?;
    let due = store::saml_source::due(&mut conn, context.now()).await?;
    drop(conn);
    let mut done = Vec::new();
    for id in due {
        if let Some(outcome) = refresh(context, &id).await? {
            done.push((id, outcome));
        }
    }
    Ok(done)
}

/// Every source and how it stands.
///
/// # Errors
/// [`Failure`].
pub async fn sources(context: &Context) -> Result<Vec<(Source, SourceState)>, Failure> {
    let mut conn = context.db.reader().await?;
    Ok(store::saml_source::all(&mut conn).await?)
}

/// What is left out of a source, and why.
///
/// # Errors
/// [`Failure`].
pub async fn quarantine(context: &Context, id: &str) -> Result<Vec<Quarantined>, Failure> {
    let mut conn = context.db.reader().await?;
    Ok(store::saml_source::quarantine(&mut conn, id).await?)
}

/// The copy of a party's metadata that counts now.
pub use crate::store::saml_entity::StoredEntity as Copy;

/// The metadata that count now for the relying party of an entityID; `None` where it has none that are valid.
///
/// # Errors
/// [`Failure`].
pub async fn of_entity(context: &Context, entity_id: &str) -> Result<Option<Copy>, Failure> {
    let mut conn = context.db.reader().await?;
    let found = store::relying_party::find_by_entity(&mut conn, entity_id, context.now()).await?;
    Ok(found.and_then(|(_, copy)| copy))
}

/// Takes a source now, due or not; `None` where there is none of that id.
///
/// # Errors
/// [`Failure`].
pub async fn refresh(context: &Context, id: &str) -> Result<Option<Outcome>, Failure> {
    let now = context.now();
    let claim = random::symbols(&*context.random, b"abcdefghijklmnopqrstuvwxyz0123456789", 20);
    let mut tx = context.db.begin().await?;
    let is_ours = store::saml_source::claim(&mut tx, id, &claim, now.plus(CLAIM), now).await?;
    let found = store::saml_source::find(&mut tx, id).await?;
    tx.commit().await?;
    let Some((source, state)) = found else {
        return Ok(None);
    };
    if !is_ours {
        return Ok(Some(Outcome::Busy));
    }
    let work = Work {
        context,
        source,
        before: state,
        claim,
    };
    work.run().await.map(Some)
}

/// A source in hand.
struct Work<'c> {
    context: &'c Context,
    source: Source,
    before: SourceState,
    claim: String,
}

/// What was found in a document.
#[derive(Default)]
struct Tally {
    changes: Changes,
    seen: Names,
    entities: u64,
    quarantined: u64,
    told: Vec<Quarantined>,
    our_keys: Vec<String>,
    cache: Option<Duration>,
}

impl Work<'_> {
    async fn run(self) -> Result<Outcome, Failure> {
        if self.source.terms.location == Location::Declared {
            self.let_go().await?;
            return Ok(Outcome::Declared);
        }
        let now = self.context.now();
        let fetched = document::fetch(self.context, &self.source, self.before.etag.as_deref()).await;
        let document = match fetched {
            Ok(Some(document)) => document,
            Ok(None) => return self.still(now).await,
            Err(why) => return self.fail(why).await,
        };
        let etag = document.etag.clone();
        let document = match document.verified(&self.source, now).await? {
            Ok(document) => document,
            Err(why) => return self.fail(why).await,
        };
        let (valid_until, signed_by) = (document.valid_until, document.signed_by.clone());
        let tally = match self.read(document).await? {
            Ok(tally) => tally,
            Err(Stopped::Overtaken) => return Ok(Outcome::Busy),
            Err(Stopped::Wrong(why)) => return self.fail(why).await,
        };
        self.succeed(tally, valid_until, signed_by, etag).await
    }

    async fn let_go(&self) -> Result<(), Failure> {
        let now = self.context.now();
        let mut tx = self.context.db.begin().await?;
        store::saml_source::hold(&mut tx, &self.source.id, &self.claim, now).await?;
        Ok(tx.commit().await?)
    }

    async fn still(&self, now: Timestamp) -> Result<Outcome, Failure> {
        let mut tx = self.context.db.begin().await?;
        if !self.held(&mut tx).await? {
            return Ok(Outcome::Busy);
        }
        let next = next_at(None, self.before.valid_until, now);
        store::saml_source::still(&mut tx, &self.source.id, next, now).await?;
        tx.commit().await?;
        let state = SourceState {
            succeeded_at: Some(now),
            ..self.before.clone()
        };
        self.alarm(&state);
        Ok(Outcome::Unchanged)
    }

    async fn held(&self, tx: &mut store::db::Tx) -> Result<bool, Failure> {
        let until = self.context.now().plus(CLAIM);
        Ok(store::saml_source::hold(tx, &self.source.id, &self.claim, until).await?)
    }

    async fn fail(&self, why: String) -> Result<Outcome, Failure> {
        let now = self.context.now();
        let pause = if self.before.failed_at.is_some() {
            LATER
        } else {
            AGAIN
        };
        let mut tx = self.context.db.begin().await?;
        if !self.held(&mut tx).await? {
            return Ok(Outcome::Busy);
        }
        store::saml_source::fail(&mut tx, &self.source.id, now.plus(pause), now, &why).await?;
        // The journal has each cause once, however often it comes again.
        if self.before.failure.as_ref() != Some(&why) {
            let event = Event::new(Kind::MetadataRefused, Actor::System)
                .about(&self.source.id)
                .with("cause", &why);
            store::audit::append(&mut tx, now, &event).await?;
        }
        tx.commit().await?;
        tracing::warn!(source = %self.source.id, cause = %why, "metadata were not taken; what was there before stays");
        self.alarm(&self.before);
        Ok(Outcome::Failed(why))
    }

    fn alarm(&self, state: &SourceState) {
        if let Some(alarm) = state.alarm(&self.source.terms, self.context.now()) {
            let succeeded = state
                .succeeded_at
                .map_or_else(|| "never".to_owned(), |at| at.to_string());
            let end = state
                .valid_until
                .map_or_else(|| "never".to_owned(), |at| at.to_string());
            tracing::error!(source = %self.source.id, %alarm, %succeeded, %end, "metadata need somebody to look at them");
        }
    }

    /// Reads the entities, and keeps what changed.
    async fn read(&self, document: Document) -> Result<Result<Tally, Stopped>, Failure> {
        let (sender, mut batches) = mpsc::channel(2);
        let own = format!("{}/saml/metadata", self.context.settings.public_url);
        let (terms, now) = (self.source.terms.clone(), self.context.now());
        let reading = tokio::task::spawn_blocking(move || document.read(&terms, own.into(), now, &sender));
        let mut tally = Tally::default();
        while let Some(batch) = batches.recv().await {
            match batch {
                Batch::Entities(found) => {
                    if !self.keep(found, &mut tally).await? {
                        return Ok(Err(Stopped::Overtaken));
                    }
                }
                Batch::End(cache) => tally.cache = earlier(tally.cache, cache),
                Batch::Broken(why) => return Ok(Err(Stopped::Wrong(why))),
            }
        }
        reading.await.map_err(|error| Failure::Task(error.to_string()))?;
        // A party's own document that no longer has the party in it is a mistake, not a farewell.
        if let (Some(wanted), 0) = (&self.source.terms.entity_id, tally.entities) {
            let left_out = tally
                .told
                .iter()
                .find(|one| one.entity_id.as_ref() == Some(wanted));
            let why = left_out.map_or("it is not there", |one| one.reason.as_str());
            return Ok(Err(Stopped::Wrong(format!(
                "no service provider «{wanted}»: {why}"
            ))));
        }
        Ok(Ok(tally))
    }

    /// Keeps what changed of some entities; whether the claim is still ours.
    async fn keep(&self, found: Vec<Found>, tally: &mut Tally) -> Result<bool, Failure> {
        let mut entities = Vec::new();
        for found in found {
            match found {
                Found::Service(entity) => {
                    tally.cache = earlier(tally.cache, entity.cache_duration.filter(|_| self.is_one()));
                    let new = NewEntity {
                        provider: entity.provider,
                        valid_until: entity.valid_until,
                    };
                    tally.seen.add(&new.provider.entity_id);
                    tally.entities += 1;
                    entities.push((new.written()?, new));
                }
                Found::Ourselves(keys) => tally.our_keys = keys,
                Found::Unusable { entity_id, reason } => {
                    tally.quarantined += 1;
                    if tally.told.len() < MOST_TOLD {
                        let reason = reason.to_string();
                        tally.told.push(Quarantined { entity_id, reason });
                    }
                }
                Found::Other => {}
            }
        }
        let written: Vec<Written> = entities.iter().map(|(written, _)| written.clone()).collect();
        let mut conn = self.context.db.reader().await?;
        let known = store::saml_entity::known(&mut conn, &self.source.id, &written).await?;
        drop(conn);
        let mut changed = Vec::new();
        for (written, new) in entities {
            let before = known.iter().find(|known| known.entity_id == written.entity_id);
            if self.differs(before, &written, &new, tally) {
                changed.push(written);
            }
        }
        let mut tx = self.context.db.begin().await?;
        if !self.held(&mut tx).await? {
            return Ok(false);
        }
        store::saml_entity::save(&mut tx, &self.source, changed, self.context.now()).await?;
        tx.commit().await?;
        Ok(true)
    }

    fn is_one(&self) -> bool {
        self.source.terms.entity_id.is_some()
    }

    fn differs(&self, before: Option<&Known>, written: &Written, new: &NewEntity, tally: &mut Tally) -> bool {
        let Some(before) = before else {
            tally.changes.added.push(&written.entity_id);
            return true;
        };
        if before.says(written) {
            return false;
        }
        tally.changes.changed.push(&written.entity_id);
        if before.provider.signing_keys != new.provider.signing_keys {
            tally.changes.new_keys.push(&written.entity_id);
            tracing::info!(source = %self.source.id, entity = %written.entity_id, "a service provider has other signing keys");
        }
        true
    }

    async fn succeed(
        &self,
        mut tally: Tally,
        valid_until: Option<Timestamp>,
        signed_by: Option<String>,
        etag: Option<String>,
    ) -> Result<Outcome, Failure> {
        let (now, id) = (self.context.now(), &self.source.id);
        let mut tx = self.context.db.begin().await?;
        if !self.held(&mut tx).await? {
            return Ok(Outcome::Busy);
        }
        for entity_id in store::saml_entity::of_source(&mut tx, id).await? {
            if !tally.seen.has(&entity_id) {
                store::saml_entity::remove(&mut tx, id, &entity_id).await?;
                tally.changes.removed.push(&entity_id);
            }
        }
        let is_new_key = self.before.signed_by.is_some() && self.before.signed_by != signed_by;
        let is_same = tally.changes.is_empty() && self.before.succeeded_at.is_some();
        let state = SourceState {
            next_at: Some(next_at(tally.cache, valid_until, now)),
            succeeded_at: Some(now),
            failed_at: None,
            failure: None,
            valid_until,
            etag,
            signed_by,
            entities: tally.entities,
            quarantined: tally.quarantined,
            changed_at: if is_same {
                self.before.changed_at
            } else {
                Some(now)
            },
            changes: if is_same {
                self.before.changes.clone()
            } else {
                tally.changes.clone()
            },
            our_keys: tally.our_keys,
        };
        store::saml_source::succeed(&mut tx, id, &state, &tally.told).await?;
        if !is_same || is_new_key {
            let mut event = Event::new(Kind::MetadataChanged, Actor::System)
                .about(id)
                .with("added", tally.changes.added.count)
                .with("changed", tally.changes.changed.count)
                .with("removed", tally.changes.removed.count)
                .with("new_keys", tally.changes.new_keys.count);
            if is_new_key {
                event = event.with("signed_by", "another pinned key");
            }
            store::audit::append(&mut tx, now, &event).await?;
        }
        tx.commit().await?;
        if is_new_key {
            tracing::warn!(source = %id, "metadata are signed by another of the pinned keys: the one before can be unpinned");
        }
        if tally.quarantined > 0 {
            tracing::warn!(source = %id, entities = tally.quarantined, "entities were left out: marelle saml sources tells why");
        }
        self.alarm(&state);
        Ok(Outcome::Taken(Box::new(tally.changes)))
    }
}

/// Why reading ended early.
enum Stopped {
    /// Another node has the source now.
    Overtaken,
    /// The document cannot be used.
    Wrong(String),
}

fn earlier(one: Option<Duration>, other: Option<Duration>) -> Option<Duration> {
    one.into_iter().chain(other).min()
}

/// When a source is asked next: as long as it may be kept, in bounds, and well before its end.
fn next_at(cache: Option<Duration>, valid_until: Option<Timestamp>, now: Timestamp) -> Timestamp {
    let half = valid_until.map(|end| end.since(now) / 2);
    let pause = earlier(Some(cache.unwrap_or(USUAL)), half).unwrap_or(USUAL);
    now.plus(pause.clamp(SOONEST, LATEST))
}
