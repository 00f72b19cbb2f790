//! Identity: one human being, for life, and the states it may be in.

use super::source::Sex;
use super::{InvalidTransition, InvalidValue};
use crate::base::id::IdentityId;
use crate::base::time::{Date, Timestamp};

/// Where an identity stands in its life.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Status {
    /// In use.
    Active,
    /// Stopped by a person; comes back by a person.
    Suspended,
    /// No live enrolment since `on`; purged later unless a school claims them.
    Departed {
        /// The first day without an enrolment.
        on: Date,
    },
    /// Absorbed by another identity.
    Merged {
        /// The identity that lives on.
        into: IdentityId,
    },
    /// Personal data erased; only subjects remain, so that none is given to another person.
    Erased,
}

impl Status {
    /// The stored name.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Suspended => "suspended",
            Self::Departed { .. } => "departed",
            Self::Merged { .. } => "merged",
            Self::Erased => "erased",
        }
    }

    /// The stored detail: the date of departure, or the identity merged into.
    pub fn detail(&self) -> Option<String> {
        match self {
            Self::Departed { on } => Some(on.to_string()),
            Self::Merged { into } => Some(into.to_string()),
            _ => None,
        }
    }

    /// From the two stored columns.
    ///
    /// # Errors
    /// [`InvalidValue`] where they make no status.
    pub fn from_stored(name: &str, detail: Option<&str>) -> Result<Self, InvalidValue> {
        let invalid = || InvalidValue {
            kind: "identity status",
            text: format!("{name} {detail:?}"),
            hint: "",
        };
        match (name, detail) {
            ("active", None) => Ok(Self::Active),
            ("suspended", None) => Ok(Self::Suspended),
            ("departed", Some(on)) => Ok(Self::Departed {
                on: on.parse().map_err(|_| invalid())?,
            }),
            ("merged", Some(into)) => Ok(Self::Merged {
                into: into.parse().map_err(|_| invalid())?,
            }),
            ("erased", None) => Ok(Self::Erased),
            _ => Err(invalid()),
        }
    }

    /// Whether this person may be signed in.
    pub const fn may_sign_in(&self) -> bool {
        matches!(self, Self::Active)
    }

    fn refuse(&self, action: &'static str) -> InvalidTransition {
        InvalidTransition {
            noun: "identity",
            state: self.as_str(),
            action,
        }
    }

    /// A feed states no enrolment any more.
    ///
    /// # Errors
    /// For an identity that is merged or erased. A suspended one stays suspended.
    pub fn depart(self, on: Date) -> Result<Self, InvalidTransition> {
        match self {
            Self::Active => Ok(Self::Departed { on }),
            Self::Suspended | Self::Departed { .. } => Ok(self),
            Self::Merged { .. } | Self::Erased => Err(self.refuse("depart")),
        }
    }

    /// A feed states an enrolment (again).
    ///
    /// # Errors
    /// For an identity that is merged or erased. A suspended one stays suspended.
    pub fn enrol(self) -> Result<Self, InvalidTransition> {
        match self {
            Self::Active | Self::Departed { .. } => Ok(Self::Active),
            Self::Suspended => Ok(self),
            Self::Merged { .. } | Self::Erased => Err(self.refuse("be enrolled")),
        }
    }

    /// Absorbed by another identity.
    ///
    /// # Errors
    /// For an identity that is merged or erased already.
    pub fn merge(self, into: IdentityId) -> Result<Self, InvalidTransition> {
        match self {
            Self::Active | Self::Suspended | Self::Departed { .. } => Ok(Self::Merged { into }),
            Self::Merged { .. } | Self::Erased => Err(self.refuse("be merged")),
        }
    }

    /// Personal data are erased: of somebody who left, suspended or not, and of what was absorbed by them.
    ///
    /// # Errors
    /// For somebody who is here, and for an identity that is erased already.
    pub fn erase(self) -> Result<Self, InvalidTransition> {
        match self {
            Self::Departed { .. } | Self::Suspended | Self::Merged { .. } => Ok(Self::Erased),
            Self::Active | Self::Erased => Err(self.refuse("be erased")),
        }
    }
}

/// One human being, as Marelle knows them today.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// For life.
    pub id: IdentityId,
    /// Where it stands.
    pub status: Status,
    /// Family name.
    pub family_name: String,
    /// Usage name, where there is one.
    pub usage_name: Option<String>,
    /// First given name.
    pub given_name: String,
    /// Birth date; staff created by hand have none.
    pub birth_date: Option<Date>,
    /// Sex, where known.
    pub sex: Option<Sex>,
    /// Login name, where there is one (folded, unique).
    pub username: Option<String>,
    /// The language the person reads, where chosen (BCP 47).
    pub locale: Option<String>,
    /// When it was made.
    pub created_at: Timestamp,
}

impl Identity {
    /// The name shown: given name and usage (else family) name.
    pub fn display_name(&self) -> String {
        format!("{} {}", self.given_name, self.shown_family_name())
    }

    /// Usage name where there is one, else family name.
    pub fn shown_family_name(&self) -> &str {
        self.usage_name.as_deref().unwrap_or(&self.family_name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::random::SeededRandom;
    use crate::base::time::parse_date;

    #[test]
    fn every_status_reads_back_and_half_rows_are_refused() {
        let other = IdentityId::new(Timestamp::from_seconds(1), &SeededRandom::new(1));
        let on = parse_date("2026-09-01").unwrap();
        for status in [
            Status::Active,
            Status::Suspended,
            Status::Departed { on },
            Status::Merged { into: other },
            Status::Erased,
        ] {
            let detail = status.detail();
            assert_eq!(
                Status::from_stored(status.as_str(), detail.as_deref()),
                Ok(status)
            );
        }
        assert!(Status::from_stored("departed", None).is_err());
        assert!(Status::from_stored("active", Some("x")).is_err());
    }

    #[test]
    fn only_the_legal_transitions_exist() {
        let other = IdentityId::new(Timestamp::from_seconds(1), &SeededRandom::new(1));
        let on = parse_date("2026-09-01").unwrap();
        assert_eq!(Status::Active.depart(on), Ok(Status::Departed { on }));
        assert_eq!(Status::Departed { on }.enrol(), Ok(Status::Active));
        assert_eq!(
            Status::Suspended.enrol(),
            Ok(Status::Suspended),
            "a feed does not lift a suspension"
        );
        assert!(Status::Erased.enrol().is_err());
        assert!(Status::Merged { into: other }.merge(other).is_err());
        assert!(!Status::Suspended.may_sign_in());
        assert!(Status::Active.erase().is_err());
        for gone in [
            Status::Departed { on },
            Status::Suspended,
            Status::Merged { into: other },
        ] {
            assert_eq!(gone.erase(), Ok(Status::Erased));
        }
    }
}
