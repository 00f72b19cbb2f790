//! L0: time, randomness, secrets, ids, addresses, parameters, strict JSON and name folding.
//!
//! Imports nothing of ours. Everything above takes time and randomness from here as arguments; nothing else in the
//! program may read the clock or the system's random source.

pub mod id;
pub mod json;
pub mod parameters;
pub mod random;
pub mod secret;
pub mod text;
pub mod time;
pub mod url;
