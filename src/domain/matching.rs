//! Match cases: two records that may be of one human being, for a human to decide.

use super::{InvalidTransition, stored_names};

/// What the ladder found between two records, strongest reason first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Reason {
    /// INE, birth date and first name agree, but a school knows a twin.
    Twin,
    /// INE agrees, first name or birth date do not.
    IneContradicted,
    /// Names and birth date speak for one child, but not enough; at least one side has no INE.
    NamesWithoutIne,
    /// Names and birth date speak for one child, the two INE do not.
    IneDiffers,
    /// More than one record could be it.
    SeveralCandidates,
    /// A link that something speaks against: a human refused another one close by, or facts changed while the person
    /// was already in use.
    Contradicted,
}
stored_names!(Reason, "match reason", {
    Twin => "twin", IneContradicted => "ine_contradicted", NamesWithoutIne => "names_without_ine",
    IneDiffers => "ine_differs", SeveralCandidates => "several_candidates",
    Contradicted => "contradicted",
});

/// Where a case stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CaseStatus {
    /// Waits for a human.
    Open,
    /// A human said: one person.
    Accepted,
    /// A human said: two persons. Never asked again for these records.
    Refused,
    /// Facts changed: there is nothing left to decide.
    Moot,
}
stored_names!(CaseStatus, "case status", {
    Open => "open", Accepted => "accepted", Refused => "refused", Moot => "moot",
});

impl CaseStatus {
    fn decide(self, to: Self, action: &'static str) -> Result<Self, InvalidTransition> {
        match self {
            Self::Open => Ok(to),
            Self::Accepted | Self::Refused | Self::Moot => Err(InvalidTransition {
                noun: "match case",
                state: self.as_str(),
                action,
            }),
        }
    }

    /// One person.
    ///
    /// # Errors
    /// Unless open.
    pub fn accept(self) -> Result<Self, InvalidTransition> {
        self.decide(Self::Accepted, "be accepted")
    }

    /// Two persons.
    ///
    /// # Errors
    /// Unless open.
    pub fn refuse(self) -> Result<Self, InvalidTransition> {
        self.decide(Self::Refused, "be refused")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_case_is_decided_once() {
        assert_eq!(CaseStatus::Open.accept(), Ok(CaseStatus::Accepted));
        assert!(CaseStatus::Accepted.refuse().is_err());
        assert!(CaseStatus::Moot.accept().is_err());
    }
}
