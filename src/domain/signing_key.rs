//! Signing keys and their life: published ahead as *next*, signing as *current*, kept for verification as *retired*.

use std::time::Duration;

use super::relying_party::SigningAlgorithm;
use super::{InvalidTransition, InvalidValue};
use crate::base::id::KeyId;
use crate::base::time::Timestamp;

/// How long a next key must have been published before it signs: relying parties cache the key set, and some fetch it
/// once a day. Two hours more than that: what they fetch may be an hour old, because caches on the way may keep it as long
/// as we allow, and a node reads the keys a moment after another has made one.
pub const PUBLISHED_AHEAD: Duration = Duration::from_secs(26 * 3600);
/// How long a retired key stays published: what it signed is still shown to us as `id_token_hint` by sessions of a
/// working week.
pub const RETIRED_KEPT: Duration = Duration::from_secs(7 * 24 * 3600);

/// How long a next key of SAML must have been published before it signs: partners that read our metadata do so within a day
/// or a week, those that were handed a certificate have to be written to.
pub const SAML_PUBLISHED_AHEAD: Duration = Duration::from_secs(14 * 24 * 3600);

/// Where a key stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyState {
    /// Published, does not sign yet.
    Next,
    /// Signs.
    Current {
        /// Since when.
        activated_at: Timestamp,
    },
    /// Signs no more.
    Retired {
        /// When it began to sign.
        activated_at: Timestamp,
        /// When it stopped.
        retired_at: Timestamp,
    },
}

/// A next key may not sign yet.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PromotionRefused {
    /// It is not a next key.
    #[error(transparent)]
    State(#[from] InvalidTransition),
    /// Relying parties may not have seen it.
    #[error(
        "the next key is published since {published_at} only; relying parties may not know it before {ready_at}"
    )]
    TooYoung {
        /// When it was published.
        published_at: Timestamp,
        /// When it may be promoted.
        ready_at: Timestamp,
    },
}

impl KeyState {
    /// The stored name.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Next => "next",
            Self::Current { .. } => "current",
            Self::Retired { .. } => "retired",
        }
    }

    /// When it began to sign.
    pub const fn activated_at(&self) -> Option<Timestamp> {
        match self {
            Self::Next => None,
            Self::Current { activated_at } | Self::Retired { activated_at, .. } => Some(*activated_at),
        }
    }

    /// When it stopped.
    pub const fn retired_at(&self) -> Option<Timestamp> {
        match self {
            Self::Retired { retired_at, .. } => Some(*retired_at),
            _ => None,
        }
    }

    /// From the stored columns.
    ///
    /// # Errors
    /// [`InvalidValue`] where they make no state.
    pub fn from_stored(
        name: &str,
        activated_at: Option<Timestamp>,
        retired_at: Option<Timestamp>,
    ) -> Result<Self, InvalidValue> {
        match (name, activated_at, retired_at) {
            ("next", None, None) => Ok(Self::Next),
            ("current", Some(activated_at), None) => Ok(Self::Current { activated_at }),
            ("retired", Some(activated_at), Some(retired_at)) => Ok(Self::Retired {
                activated_at,
                retired_at,
            }),
            _ => Err(InvalidValue {
                kind: "signing key state",
                text: format!("{name} {activated_at:?} {retired_at:?}"),
                hint: "",
            }),
        }
    }

    fn refuse(&self, action: &'static str) -> InvalidTransition {
        InvalidTransition {
            noun: "signing key",
            state: self.as_str(),
            action,
        }
    }
}

/// A signing key, without its material.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SigningKey {
    /// Its id.
    pub id: KeyId,
    /// What it signs with.
    pub algorithm: SigningAlgorithm,
    /// Where it stands.
    pub state: KeyState,
    /// When it was made, which is when it was published.
    pub created_at: Timestamp,
}

impl SigningKey {
    /// The next key begins to sign; `forced` where relying parties are known to have seen it, or must cope.
    ///
    /// # Errors
    /// [`PromotionRefused`] for a key that is not next, or was published less than [`PUBLISHED_AHEAD`] ago.
    pub fn promote(self, now: Timestamp, forced: bool) -> Result<Self, PromotionRefused> {
        self.promote_after(PUBLISHED_AHEAD, now, forced)
    }

    /// [`SigningKey::promote`] where relying parties take another time to see it.
    ///
    /// # Errors
    /// As there.
    pub fn promote_after(
        mut self,
        ahead: Duration,
        now: Timestamp,
        forced: bool,
    ) -> Result<Self, PromotionRefused> {
        if self.state != KeyState::Next {
            return Err(self.state.refuse("begin to sign").into());
        }
        let ready_at = self.created_at.plus(ahead);
        if now < ready_at && !forced {
            let published_at = self.created_at;
            return Err(PromotionRefused::TooYoung {
                published_at,
                ready_at,
            });
        }
        self.state = KeyState::Current { activated_at: now };
        Ok(self)
    }

    /// The current key stops signing.
    ///
    /// # Errors
    /// For a key that is not current.
    pub fn retire(mut self, now: Timestamp) -> Result<Self, InvalidTransition> {
        match self.state {
            KeyState::Current { activated_at } => {
                self.state = KeyState::Retired {
                    activated_at,
                    retired_at: now,
                };
                Ok(self)
            }
            _ => Err(self.state.refuse("be retired")),
        }
    }

    /// Whether it belongs in the published key set.
    pub fn is_published(&self, now: Timestamp) -> bool {
        self.state
            .retired_at()
            .is_none_or(|retired_at| now < retired_at.plus(RETIRED_KEPT))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::random::SeededRandom;

    const MADE: Timestamp = Timestamp::from_seconds(1_790_000_000);

    fn next() -> SigningKey {
        SigningKey {
            id: KeyId::new(MADE, &SeededRandom::new(1)),
            algorithm: SigningAlgorithm::Es256,
            state: KeyState::Next,
            created_at: MADE,
        }
    }

    #[test]
    fn a_key_goes_from_next_to_current_to_retired_and_no_other_way() {
        let ready = MADE.plus(PUBLISHED_AHEAD);
        let current = next().promote(ready, false).unwrap();
        assert_eq!(current.state, KeyState::Current { activated_at: ready });
        assert!(matches!(
            current.clone().promote(ready, true),
            Err(PromotionRefused::State(_))
        ));
        assert!(next().retire(ready).is_err());
        let retired = current.retire(ready).unwrap();
        assert!(retired.clone().retire(ready).is_err());
        assert!(retired.clone().promote(ready, true).is_err());
        assert!(retired.is_published(ready));
        assert!(!retired.is_published(ready.plus(RETIRED_KEPT)));
    }

    #[test]
    fn a_key_nobody_has_seen_does_not_sign_unless_forced() {
        let early = MADE.plus(PUBLISHED_AHEAD).minus(Duration::from_micros(1));
        assert!(matches!(
            next().promote(early, false),
            Err(PromotionRefused::TooYoung { .. })
        ));
        assert!(next().promote(MADE, true).is_ok());
    }

    #[test]
    fn every_state_reads_back_and_half_rows_are_refused() {
        let (at, later) = (Some(MADE), Some(MADE.plus(RETIRED_KEPT)));
        for (name, activated, retired) in [
            ("next", None, None),
            ("current", at, None),
            ("retired", at, later),
        ] {
            let state = KeyState::from_stored(name, activated, retired).unwrap();
            assert_eq!(
                (state.as_str(), state.activated_at(), state.retired_at()),
                (name, activated, retired)
            );
        }
        for (name, activated, retired) in [
            ("next", at, None),
            ("current", None, None),
            ("retired", at, None),
            ("x", None, None),
        ] {
            assert!(KeyState::from_stored(name, activated, retired).is_err(), "{name}");
        }
    }
}
