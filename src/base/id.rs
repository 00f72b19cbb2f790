//! One typed identifier per noun, each a UUID version 7 (RFC 9562 §5.7) made from a given time and given randomness.

use super::random::{self, Random};
use super::time::Timestamp;

/// Text that is not an identifier of the expected form.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("«{text}» is not an identifier (a UUID is expected)")]
pub struct InvalidId {
    /// What was given.
    pub text: String,
}

/// A UUID version 7: 48 bits of milliseconds, then random bits.
fn uuid_v7(now: Timestamp, random: &dyn Random) -> uuid::Uuid {
    let millis = u64::try_from(now.micros().div_euclid(1000)).unwrap_or(0);
    uuid::Builder::from_unix_timestamp_millis(millis, &random::bytes(random)).into_uuid()
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(uuid::Uuid);

        impl $name {
            /// A new identifier for something that begins `now`.
            pub fn new(now: Timestamp, random: &dyn Random) -> Self {
                Self(uuid_v7(now, random))
            }

            /// The sixteen bytes.
            pub fn as_bytes(&self) -> &[u8; 16] {
                self.0.as_bytes()
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(f)
            }
        }

        impl std::str::FromStr for $name {
            type Err = InvalidId;

            fn from_str(text: &str) -> Result<Self, InvalidId> {
                uuid::Uuid::try_parse(text).map(Self).map_err(|_| InvalidId { text: text.to_owned() })
            }
        }
    )+};
}

ids! {
    /// One human being, for life.
    IdentityId,
    /// A person as one source knows them.
    SourceRecordId,
    /// An adult as one source knows them.
    AdultRecordId,
    /// A class (or group) of one school in one school year.
    ClassGroupId,
    /// An identity in a school, from–to.
    EnrolmentId,
    /// A login at Marelle.
    SessionId,
    /// What an authorization produced: the code and its family of tokens.
    GrantId,
    /// One load of one file set.
    ImportRunId,
    /// Two identities that may be one.
    MatchCaseId,
    /// Two identities joined, with what undoes it.
    MergeId,
    /// One credential of an identity.
    CredentialId,
    /// A signing key.
    KeyId,
    /// A login at an upstream provider that is of a person.
    UpstreamLinkId,
    /// Somebody whom an upstream provider signed in and a human has to recognise.
    UpstreamCaseId,
    /// A role over a scope, of a person.
    AssignmentId,
    /// Something that a relying party is told of a person.
    EventId,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::random::SeededRandom;

    #[test]
    fn an_id_is_version_seven_sorts_by_time_and_reads_back() {
        let random = SeededRandom::new(1);
        let early = IdentityId::new(Timestamp::from_seconds(1_700_000_000), &random);
        let late = IdentityId::new(Timestamp::from_seconds(1_800_000_000), &random);
        assert!(early < late);
        assert_eq!(early.to_string().chars().nth(14), Some('7'));
        assert_eq!(early.to_string().parse::<IdentityId>(), Ok(early));
        assert!("nobody".parse::<IdentityId>().is_err());
    }
}
