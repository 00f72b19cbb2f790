//! What is wrong with a drop folder, for the log, `marelle doctor` and `marelle year status`.

use std::fmt;

use super::{Folder, State};
use crate::base::time::Timestamp;

/// What is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Alert {
    /// Nothing was loaded for longer than expected.
    Late {
        /// Since when nothing was.
        since: Timestamp,
        /// How many hours that is.
        hours: u64,
    },
    /// The last delivery was refused.
    Refused {
        /// When.
        at: Timestamp,
        /// Which.
        delivery: String,
        /// Why.
        cause: String,
    },
    /// The folder could not be looked at, or a load did not come to its end; it is tried again.
    Failed {
        /// When.
        at: Timestamp,
        /// Why.
        cause: String,
    },
}

impl Alert {
    /// A stable word for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Late { .. } => "late",
            Self::Refused { .. } => "refused",
            Self::Failed { .. } => "failed",
        }
    }
}

impl fmt::Display for Alert {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Late { since, hours } => {
                write!(f, "en retard : rien de chargé depuis {hours} heures ({since})")
            }
            Self::Refused { at, delivery, cause } => {
                write!(f, "livraison {delivery} refusée ({at}) : {cause}")
            }
            Self::Failed { at, cause } => {
                write!(f, "chargement en échec, il sera réessayé ({at}) : {cause}")
            }
        }
    }
}

/// What is wrong with a folder.
pub fn alerts(folder: &Folder, state: &State, now: Timestamp) -> Vec<Alert> {
    let mut alerts = Vec::new();
    if let Some(every) = folder.expected_every {
        let since = state.done_at.unwrap_or(state.watched_since);
        let age = now.since(since);
        if age > every {
            alerts.push(Alert::Late {
                since,
                hours: age.as_secs() / 3600,
            });
        }
    }
    if let Some((at, delivery, cause)) = state.refused.clone() {
        alerts.push(Alert::Refused { at, delivery, cause });
    }
    if let Some((at, cause)) = state.failed.clone() {
        alerts.push(Alert::Failed { at, cause });
    }
    alerts
}
