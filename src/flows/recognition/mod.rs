//! Recognition against the store: what a load and a human's decision have in common.
//!
//! [`look`] grows the neighbourhood of what arrived or changed until the core has seen enough, and asks it; [`settle`]
//! makes what it answers so; [`join`] makes two identities one; [`refresh`] shows the facts of the most recent record.
//! Each runs inside the caller's transaction, after [`crate::store::import_run::take_turn`]. Must never decide who is
//! whom: `continuum` does.

mod guardians;
pub(super) mod join;
pub(super) mod look;
pub(super) mod model;
pub(super) mod refresh;
pub(super) mod settle;

use std::sync::Arc;

use crate::base::id::ImportRunId;
use crate::base::random::Random;
use crate::base::secret::Vault;
use crate::base::time::{Date, Timestamp};
use crate::continuum::model::Model;
use crate::domain::audit::Actor;
use crate::flows::Context;
use crate::store::StoreError;
use crate::store::db::Tx;
use crate::store::image::Image;
use crate::store::journal::{self, Journal};
use crate::store::value::Value;

/// What is done in one transaction: by whom, when, for which run, and what it changed.
pub(super) struct Work<'a> {
    /// The load, where it is one.
    pub(super) run: Option<ImportRunId>,
    pub(super) now: Timestamp,
    pub(super) today: Date,
    pub(super) random: &'a dyn Random,
    pub(super) vault: &'a Vault,
    pub(super) actor: Actor,
    /// What agreement weighs.
    pub(super) model: Arc<Model>,
    /// The name of whoever decided, for merges.
    pub(super) by: String,
    pub(super) journal: Journal,
    /// The turn this transaction took, and how many merges it made.
    pub(super) turn: i64,
    pub(super) merges: i64,
}

impl<'a> Work<'a> {
    /// What a person does by hand, of no load.
    pub(super) fn by_hand(context: &'a Context, by: &str, turn: i64, model: Arc<Model>) -> Self {
        let now = context.now();
        Self {
            run: None,
            now,
            today: now.date(),
            random: &*context.random,
            vault: &context.vault,
            model,
            actor: Actor::Operator,
            by: by.to_owned(),
            journal: Journal::default(),
            turn,
            merges: 0,
        }
    }
}

impl Work<'_> {
    /// Journals that a row is about to change; a row that this very run made needs no journal, an undo deletes it.
    /// Whether it changes.
    pub(super) fn changes(
        &mut self,
        image: &Image,
        made_by: Option<ImportRunId>,
        before: &[Value],
        after: &[Value],
    ) -> bool {
        if self.run.is_some() && self.run == made_by {
            before != after
        } else {
            self.journal.changes(image, before, after)
        }
    }
}

/// Keeps what a run's transaction changed, for its undoing.
pub(super) async fn journal(tx: &mut Tx, work: Work<'_>) -> Result<(), StoreError> {
    match work.run {
        Some(run) => journal::append(tx, run, work.turn, work.journal.into_changes()).await,
        None => Ok(()),
    }
}
