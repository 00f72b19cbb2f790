//! Where the metadata of service providers come from, under which terms they are taken, and how the last taking went.
//!
//! What an operator declares of a source ([`Source`]) and what a refresh finds ([`SourceState`]) are two things: a refresh
//! never writes the first.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::relying_party::RelyingPartyId;
use super::stored_names;
use crate::base::time::Timestamp;

/// Who speaks for an entity. In this order: what is earlier wins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Origin {
    /// A file that the operator gave with the declaration of the party.
    File,
    /// An address of the party itself.
    Url,
    /// A federation's signed aggregate.
    Federation,
}
stored_names!(Origin, "metadata origin", { File => "file", Url => "url", Federation => "federation" });

impl Origin {
    /// Its place in the order, the first being the one that wins.
    pub const fn rank(self) -> i64 {
        match self {
            Self::File => 0,
            Self::Url => 1,
            Self::Federation => 2,
        }
    }
}

/// The most that a document of metadata may have, where the declaration says nothing.
pub const MOST_BYTES: u64 = 256 * 1024 * 1024;
/// The age at which the log begins to warn, where the declaration says nothing.
pub const MAX_AGE: Duration = Duration::from_secs(2 * 24 * 3600);
/// How far in the future an aggregate may place its own end (saml-metadata §4.3.1), where the declaration says nothing.
/// RENATER's is nine days ahead; a year would make a stolen copy good for a year.
pub const MAX_VALIDITY: Duration = Duration::from_secs(30 * 24 * 3600);

/// Where a document is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Location {
    /// In the declaration: nothing is ever fetched.
    Declared,
    /// At an address.
    Url(String),
    /// In a file on each node.
    Path(String),
}

/// Under which terms a document is taken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Terms {
    /// Where it is.
    pub location: Location,
    /// The keys of which one must have signed it, each a SubjectPublicKeyInfo, DER, in base64. Empty for a party's own
    /// document, which is believed because of where it is.
    pub keys: Vec<String>,
    /// The only entity that is taken from it: a party speaks for itself alone.
    pub entity_id: Option<String>,
    /// Whether addresses without TLS are let pass.
    pub http_addresses: bool,
    /// The age at which the log begins to warn.
    pub max_age: Duration,
    /// How far in the future it may place its end.
    pub max_validity: Duration,
    /// Its most bytes.
    pub most_bytes: u64,
}

/// A source of metadata, as declared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// Its id: `party:<id>` or `federation:<id>`.
    pub id: String,
    /// Of which kind it is.
    pub origin: Origin,
    /// Under which terms it is taken.
    pub terms: Terms,
}

impl Source {
    /// The id of the source that is a party's own.
    pub fn id_of_party(party: &RelyingPartyId) -> String {
        format!("party:{party}")
    }

    /// The id of the source that is a federation.
    pub fn id_of_federation(federation: &str) -> String {
        format!("federation:{federation}")
    }
}

/// How many, and some of them by name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counted {
    /// How many.
    pub count: u64,
    /// The first fifty, by entityID.
    pub names: Vec<String>,
}

impl Counted {
    /// One more.
    pub fn push(&mut self, name: &str) {
        self.count += 1;
        if self.names.len() < 50 {
            self.names.push(name.to_owned());
        }
    }
}

/// What a refresh changed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Changes {
    /// Entities that were not there.
    pub added: Counted,
    /// Entities that were there, otherwise.
    pub changed: Counted,
    /// Entities that are there no more.
    pub removed: Counted,
    /// Of the changed ones, those that sign with other keys than before.
    pub new_keys: Counted,
}

impl Changes {
    /// Whether nothing changed.
    pub const fn is_empty(&self) -> bool {
        self.added.count == 0 && self.changed.count == 0 && self.removed.count == 0
    }
}

/// How the taking of a source went.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SourceState {
    /// When it is looked at next; `None` for one that nothing is fetched for.
    pub next_at: Option<Timestamp>,
    /// When it was last taken.
    pub succeeded_at: Option<Timestamp>,
    /// When taking it last failed, since when it did not succeed.
    pub failed_at: Option<Timestamp>,
    /// Why.
    pub failure: Option<String>,
    /// Until when what was taken is good, where the document says so.
    pub valid_until: Option<Timestamp>,
    /// The version that its host named (RFC 9110 §8.8.3).
    pub etag: Option<String>,
    /// The pinned key that signed, as in the terms.
    pub signed_by: Option<String>,
    /// How many service providers it has.
    pub entities: u64,
    /// How many entities were left out because of what is wrong with them.
    pub quarantined: u64,
    /// When something in it last changed.
    pub changed_at: Option<Timestamp>,
    /// What.
    pub changes: Changes,
    /// The signing keys that it says are ours, where we are in it: SubjectPublicKeyInfo, DER, in base64.
    pub our_keys: Vec<String>,
}

/// Why a source needs somebody to look at it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Alarm {
    /// It was never taken.
    Never,
    /// It was taken longer ago than its terms allow.
    Old,
    /// What was taken ends within a day.
    Ending,
    /// What was taken is over: its parties cannot sign in.
    Over,
}
stored_names!(Alarm, "alarm", {
    Never => "never fetched", Old => "too old", Ending => "ends within a day", Over => "is over",
});

impl SourceState {
    /// What is to be worried about, the worst first.
    pub fn alarm(&self, terms: &Terms, now: Timestamp) -> Option<Alarm> {
        const A_DAY: Duration = Duration::from_secs(24 * 3600);
        let Some(succeeded_at) = self.succeeded_at else {
            return (terms.location != Location::Declared).then_some(Alarm::Never);
        };
        match self.valid_until {
            Some(end) if end <= now => return Some(Alarm::Over),
            Some(end) if end <= now.plus(A_DAY) => return Some(Alarm::Ending),
            _ => {}
        }
        let is_old = terms.location != Location::Declared && now.since(succeeded_at) > terms.max_age;
        is_old.then_some(Alarm::Old)
    }
}

/// An entity that was left out, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quarantined {
    /// Its entityID, where it has a readable one.
    pub entity_id: Option<String>,
    /// What is wrong.
    pub reason: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_seconds(1_790_000_000);
    const HOUR: Duration = Duration::from_secs(3600);

    #[test]
    fn the_worst_is_said_first() {
        let mut terms = Terms {
            location: Location::Url("https://ent.example/metadata".into()),
            keys: Vec::new(),
            entity_id: None,
            http_addresses: false,
            max_age: MAX_AGE,
            max_validity: MAX_VALIDITY,
            most_bytes: MOST_BYTES,
        };
        let mut state = SourceState::default();
        assert_eq!(state.alarm(&terms, NOW), Some(Alarm::Never));
        state.succeeded_at = Some(NOW.minus(MAX_AGE));
        assert_eq!(state.alarm(&terms, NOW), None);
        state.succeeded_at = Some(NOW.minus(MAX_AGE + HOUR));
        assert_eq!(state.alarm(&terms, NOW), Some(Alarm::Old));
        state.valid_until = Some(NOW.plus(HOUR));
        assert_eq!(state.alarm(&terms, NOW), Some(Alarm::Ending));
        state.valid_until = Some(NOW);
        assert_eq!(state.alarm(&terms, NOW), Some(Alarm::Over));
        terms.location = Location::Declared;
        state.valid_until = None;
        assert_eq!(
            state.alarm(&terms, NOW),
            None,
            "a file of the operator does not age"
        );
    }
}
