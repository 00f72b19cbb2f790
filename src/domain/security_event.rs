//! What a relying party must be told of a person it knows, although nobody is signing in: its identifier for them is another
//! one from now on, or the person's data were erased.

use super::{InvalidValue, stored_names};

/// Something that happened to a subject, as one sector knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SecurityEvent {
    /// Two accounts of the party are one person: whoever was `subject` is `new_value` from now on.
    IdentifierChanged {
        /// The identifier that is not given out any more.
        subject: String,
        /// The one that the same person has.
        new_value: String,
    },
    /// That was a mistake: `subject` is a person of their own again.
    IdentifierRestored {
        /// The identifier that is given out again.
        subject: String,
        /// Whom it was said to be.
        separated_from: String,
    },
    /// The personal data of `subject` were erased.
    AccountPurged {
        /// The identifier; nobody else ever gets it.
        subject: String,
    },
    /// Nothing happened: an operator wants to know whether the party is listening.
    Verification,
}

/// The kinds of events, by their stored names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EventKind {
    /// [`SecurityEvent::IdentifierChanged`].
    IdentifierChanged,
    /// [`SecurityEvent::IdentifierRestored`].
    IdentifierRestored,
    /// [`SecurityEvent::AccountPurged`].
    AccountPurged,
    /// [`SecurityEvent::Verification`].
    Verification,
}
stored_names!(EventKind, "security event", {
    IdentifierChanged => "identifier_changed", IdentifierRestored => "identifier_restored",
    AccountPurged => "account_purged", Verification => "verification",
});

impl SecurityEvent {
    /// Of which kind it is.
    pub const fn kind(&self) -> EventKind {
        match self {
            Self::IdentifierChanged { .. } => EventKind::IdentifierChanged,
            Self::IdentifierRestored { .. } => EventKind::IdentifierRestored,
            Self::AccountPurged { .. } => EventKind::AccountPurged,
            Self::Verification => EventKind::Verification,
        }
    }

    /// The identifier that it is about.
    pub fn subject(&self) -> Option<&str> {
        match self {
            Self::IdentifierChanged { subject, .. }
            | Self::IdentifierRestored { subject, .. }
            | Self::AccountPurged { subject } => Some(subject),
            Self::Verification => None,
        }
    }

    /// The other identifier that it names.
    pub fn other(&self) -> Option<&str> {
        match self {
            Self::IdentifierChanged { new_value: other, .. }
            | Self::IdentifierRestored {
                separated_from: other,
                ..
            } => Some(other),
            Self::AccountPurged { .. } | Self::Verification => None,
        }
    }

    /// The event of these parts.
    ///
    /// # Errors
    /// Where a part is missing.
    pub fn of(kind: EventKind, subject: Option<String>, other: Option<String>) -> Result<Self, InvalidValue> {
        match (kind, subject, other) {
            (EventKind::IdentifierChanged, Some(subject), Some(new_value)) => {
                Ok(Self::IdentifierChanged { subject, new_value })
            }
            (EventKind::IdentifierRestored, Some(subject), Some(separated_from)) => {
                Ok(Self::IdentifierRestored {
                    subject,
                    separated_from,
                })
            }
            (EventKind::AccountPurged, Some(subject), None) => Ok(Self::AccountPurged { subject }),
            (EventKind::Verification, None, None) => Ok(Self::Verification),
            _ => Err(InvalidValue {
                kind: "security event",
                text: kind.to_string(),
                hint: " (with all its parts)",
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_made_of_its_parts_and_of_no_others() {
        let events = [
            SecurityEvent::IdentifierChanged {
                subject: "a".into(),
                new_value: "b".into(),
            },
            SecurityEvent::IdentifierRestored {
                subject: "a".into(),
                separated_from: "b".into(),
            },
            SecurityEvent::AccountPurged { subject: "a".into() },
            SecurityEvent::Verification,
        ];
        for event in events {
            let own = |part: Option<&str>| part.map(ToOwned::to_owned);
            let (subject, other) = (own(event.subject()), own(event.other()));
            assert_eq!(
                SecurityEvent::of(event.kind(), subject, other).as_ref(),
                Ok(&event)
            );
            let extra = Some("c".to_owned());
            let swapped = SecurityEvent::of(event.kind(), None, extra);
            assert!(swapped.is_err(), "{event:?}");
        }
    }
}
