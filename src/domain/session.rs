//! Session: a login at Marelle, its states and its limits.

use std::time::Duration;

use super::assurance::{Acr, Amr};
use super::stored_names;
use crate::base::id::{IdentityId, SessionId};
use crate::base::time::Timestamp;

/// What kind of device the person said it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Device {
    /// Shared: a classroom tablet. Short sessions.
    Shared,
    /// One person's own.
    Personal,
}
stored_names!(Device, "device", { Shared => "shared", Personal => "personal" });

/// How long sessions live.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lifetimes {
    /// On a shared device.
    pub shared: Duration,
    /// On a personal one.
    pub personal: Duration,
}

impl Lifetimes {
    /// The lifetime for a device.
    pub fn of(&self, device: Device) -> Duration {
        match device {
            Device::Shared => self.shared,
            Device::Personal => self.personal,
        }
    }
}

/// A login at Marelle.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// Its id; the `sid` a relying party sees is made from it and from the party.
    pub id: SessionId,
    /// Who.
    pub identity: IdentityId,
    /// When they proved it (`auth_time`).
    pub authenticated_at: Timestamp,
    /// How surely.
    pub acr: Acr,
    /// How.
    pub amr: Amr,
    /// On what.
    pub device: Device,
    /// When it ends by itself.
    pub expires_at: Timestamp,
    /// When it was ended, if it was.
    pub ended_at: Option<Timestamp>,
}

impl Session {
    /// Whether it still stands.
    pub fn is_live(&self, now: Timestamp) -> bool {
        self.ended_at.is_none() && now < self.expires_at
    }
}
