//! Throttling: whose failed logins are counted, and the count itself. What follows from a count is decided by
//! `login::throttle`.
//!
//! There is no key for an address: a class is one IP address.

use std::fmt;
use std::time::Duration;

use crate::base::id::{ClassGroupId, IdentityId};
use crate::base::time::Timestamp;

/// Whose failures a count is of.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct ThrottleKey(String);

impl ThrottleKey {
    /// One person, by whatever name, spelling, credential or page they sign in.
    pub fn account(identity: IdentityId) -> Self {
        Self(format!("account:{identity}"))
    }

    /// A login name that nobody has, by its keyed hash: what is typed there is no business of the database (people
    /// type passwords into the wrong field).
    pub fn unknown_name(index: &[u8; 32]) -> Self {
        Self(format!("name:{}", data_encoding::HEXLOWER.encode(index)))
    }

    /// The page of a class.
    pub fn class(class: ClassGroupId) -> Self {
        Self(format!("class:{class}"))
    }

    /// The stored form.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for ThrottleKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The failures counted under a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tally {
    /// How many.
    pub failures: u32,
    /// When the first of them was.
    pub since: Timestamp,
    /// When the last was.
    pub last: Timestamp,
    /// Until when no attempt is looked at.
    pub blocked_until: Timestamp,
    /// When an attempt was last refused for that and the journal told so.
    pub refused_at: Option<Timestamp>,
}

impl Tally {
    /// No failure.
    pub const fn none(now: Timestamp) -> Self {
        Self {
            failures: 0,
            since: now,
            last: now,
            blocked_until: now,
            refused_at: None,
        }
    }

    /// How long until the next attempt is looked at; `None` where it is now.
    pub fn wait(&self, now: Timestamp) -> Option<Duration> {
        let wait = self.blocked_until.since(now);
        (!wait.is_zero()).then_some(wait)
    }
}
