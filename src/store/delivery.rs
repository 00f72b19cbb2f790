//! Where a message to a relying party stands, as every table of deliveries keeps it: `status`, `due_at`, `ended_at`.

use super::StoreError;
use super::db::Row;
use crate::base::time::Timestamp;

/// Where a delivery stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Status {
    /// It will be tried (again).
    Waiting {
        /// When.
        due_at: Timestamp,
    },
    /// The party confirmed.
    Delivered {
        /// When.
        at: Timestamp,
    },
    /// It will not be tried any more.
    GivenUp {
        /// Since when.
        at: Timestamp,
    },
}

impl Status {
    /// The stored columns: `status`, `due_at` (`now` where nothing is due), `ended_at`.
    pub(super) const fn stored(&self, now: Timestamp) -> (&'static str, Timestamp, Option<Timestamp>) {
        match self {
            Self::Waiting { due_at } => ("waiting", *due_at, None),
            Self::Delivered { at } => ("delivered", now, Some(*at)),
            Self::GivenUp { at } => ("given_up", now, Some(*at)),
        }
    }

    /// Reads it from a row that has the three columns.
    pub(super) fn of(row: &Row) -> Result<Self, StoreError> {
        let due_at = Timestamp::from_micros(row.get("due_at")?);
        let ended: Option<i64> = row.get("ended_at")?;
        let status: String = row.get("status")?;
        match (status.as_str(), ended.map(Timestamp::from_micros)) {
            ("waiting", None) => Ok(Self::Waiting { due_at }),
            ("delivered", Some(at)) => Ok(Self::Delivered { at }),
            ("given_up", Some(at)) => Ok(Self::GivenUp { at }),
            _ => Err(StoreError::corrupt("status", status)),
        }
    }
}
