//! Import runs: one load of one file set, its states, and the reversible changes it made.

use super::{InvalidTransition, stored_names};

/// Where a run stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RunStatus {
    /// Schools are being applied, one transaction each.
    Applying,
    /// Every school is applied.
    Applied,
    /// Taken back, exactly.
    Undone,
}
stored_names!(RunStatus, "run status", { Applying => "applying", Applied => "applied", Undone => "undone" });

impl RunStatus {
    /// Every school is applied.
    ///
    /// # Errors
    /// Unless the run was applying.
    pub fn finish(self) -> Result<Self, InvalidTransition> {
        match self {
            Self::Applying => Ok(Self::Applied),
            Self::Applied | Self::Undone => Err(InvalidTransition {
                noun: "import run",
                state: self.as_str(),
                action: "be finished",
            }),
        }
    }

    /// Taken back. A run that was interrupted can be taken back too.
    ///
    /// # Errors
    /// Where it was already.
    pub fn undo(self) -> Result<Self, InvalidTransition> {
        match self {
            Self::Applying | Self::Applied => Ok(Self::Undone),
            Self::Undone => Err(InvalidTransition {
                noun: "import run",
                state: self.as_str(),
                action: "be undone again",
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_ends_once_and_is_undone_once() {
        assert_eq!(RunStatus::Applying.finish(), Ok(RunStatus::Applied));
        assert!(RunStatus::Undone.finish().is_err());
        assert_eq!(
            RunStatus::Applying.undo(),
            Ok(RunStatus::Undone),
            "an interrupted run can be taken back"
        );
        assert!(RunStatus::Undone.undo().is_err());
    }
}
