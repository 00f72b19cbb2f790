//! `kill -9`, in the middle of what must not be left half done: the built program runs as a process of its own, dies
//! without a word, and is started again on the same data.
//!
//! PostgreSQL takes part where `MARELLE_TEST_POSTGRES` names a server. What is asserted never depends on where exactly
//! a kill lands, only on its landing inside: each moment is a count of things done, not a time.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "the whole file is tests and what they stand on"
)]

mod engines;

#[path = "crash/client.rs"]
mod client;
#[path = "crash/codes.rs"]
mod codes;
#[path = "crash/import.rs"]
mod import;
#[path = "crash/installation.rs"]
mod installation;
#[path = "crash/year.rs"]
mod year;
